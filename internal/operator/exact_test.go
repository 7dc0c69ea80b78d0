package operator_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/pricing"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// assertExact fails unless the totals of an account are what its records come to, each day by
// itself and each month, and nothing is pending. It asks the records and the prices, and no
// code that counts.
func assertExact(t *testing.T, s *dynamo.Store, when string, accounts ...usage.AccountID) {
	t.Helper()
	open, later, err := s.DaysUnderWay(t.Context())
	must(t, err)
	if len(open)+len(later) > 0 {
		t.Errorf("%s, days are open %v, and left for later %v", when, open, later)
	}
	o := operator.New(s, clock)
	for _, account := range accounts {
		zone := time.UTC
		if c, err := s.GetCustomer(t.Context(), account); err == nil {
			zone, err = c.TimeZone.Location()
			must(t, err)
		}
		months := make(map[totals.Month]map[usage.Product]totals.Sheet)
		for _, product := range usage.Products() {
			log := usage.Log{Account: account, Product: product}
			lists, err := s.AllPriceLists(t.Context(), log)
			must(t, err)
			book, err := pricing.NewBook(log, lists)
			must(t, err)
			want := make(map[totals.Day]totals.Sheet)
			for r, err := range o.Records(t.Context(), operator.Selection{Account: account, Products: []usage.Product{product}}) {
				must(t, err)
				day := totals.DayOf(r.Timestamp, zone)
				if want[day] == nil {
					want[day] = make(totals.Sheet)
				}
				want[day].Add(r, book.Price(r))
				month := day.Month()
				if months[month] == nil {
					months[month] = make(map[usage.Product]totals.Sheet)
				}
				if months[month][product] == nil {
					months[month][product] = make(totals.Sheet)
				}
			}
			for day, sheet := range want {
				months[day.Month()][product].Merge(sheet.Coarse())
			}
			got := make(map[totals.Day]totals.Sheet)
			days, err := s.StoredDays(t.Context(), log, "0001-01-01", "9999-12-31")
			must(t, err)
			for _, d := range days {
				if d.Stale {
					t.Errorf("%s, %s %s is pending", when, log.Text(), d.Day)
				}
				if len(d.Sheet) > 0 {
					got[d.Day] = d.Sheet
				}
			}
			if diff := cmp.Diff(texts(want), texts(got)); diff != "" {
				t.Errorf("%s, the totals of %s are not what its records come to (-want +got):\n%s", when, log.Text(), diff)
			}
		}
		for month, logs := range months {
			which := totals.AccountMonth{Account: account, Month: month}
			stored, err := s.MonthTotals(t.Context(), []totals.AccountMonth{which})
			must(t, err)
			got := make(map[usage.Product]totals.Sheet)
			for product, log := range stored[which].Logs {
				if len(log.Sheet) > 0 {
					got[product] = log.Sheet
				}
			}
			if diff := cmp.Diff(texts(logs), texts(got)); diff != "" || stored[which].Stale {
				t.Errorf("%s, %s of %s is stale: %v; its totals (-want +got):\n%s", when, month, account, stored[which].Stale, diff)
			}
		}
	}
}

func texts[K comparable](sheets map[K]totals.Sheet) map[K]string {
	out := make(map[K]string)
	for k := range maps.Keys(sheets) {
		out[k] = sheets[k].Text()
	}
	return out
}
