package dynamo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/pricing"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// charge stores that a customer was charged so much in a month.
func charge(t *testing.T, s *dynamo.Store, account usage.AccountID, month totals.Month, amount string, mark totals.Mark) {
	t.Helper()
	must(t, s.OpenDays(t.Context(), mark, []totals.LogDay{{Log: usage.Log{Account: account, Product: usage.SMS}, Day: month.First()}}))
	sheet := totals.Sheet{{Price: pricing.Rated, Currency: "EUR"}: {Records: 1, Amount: decimal.RequireFromString(amount)}}
	must(t, s.StoreMonth(t.Context(), totals.AccountMonth{Account: account, Month: month}, "UTC",
		map[usage.Product]totals.MonthlyLog{usage.SMS: {Sheet: sheet, LastDay: month.First(), UpdatedAt: time.Unix(1e9, 0)}}, mark, true))
}

func TestCustomersComeWithTheirMonths(t *testing.T) {
	s := engine.NewStore(t)
	loadNorthwind(t, s)
	months := []totals.Month{"2026-11", "2026-12"}
	want := map[totals.AccountMonth]string{}
	for i, c := range northwind[:5] {
		for j, month := range months {
			amount := fmt.Sprintf("%d.%d", i+1, j+1)
			charge(t, s, c.account, month, amount, totals.Mark{Term: 1, Number: int64(1 + 2*i + j)})
			want[totals.AccountMonth{Account: c.account, Month: month}] = amount
		}
	}
	charge(t, s, "theirs", "2026-11", "99", totals.Mark{Term: 1, Number: 99})
	who := directory.Identity{Partner: "northwind"}
	read := func(claim string, spending totals.Spending, ready bool, accounts []string) {
		t.Helper()
		got, asked := map[totals.AccountMonth]string{}, map[totals.AccountMonth]string{}
		for which, m := range spending.Months {
			if slices.Contains(accounts, string(which.Account)) { // a page may have read one more
				got[which] = m.Logs[usage.SMS].Sheet[totals.Group{Price: pricing.Rated, Currency: "EUR"}].Amount.String()
			}
			if which.Account == "theirs" {
				t.Errorf("%s: another partner's month is read", claim)
			}
		}
		for which, amount := range want {
			if slices.Contains(accounts, string(which.Account)) {
				asked[which] = amount
			}
		}
		if diff := cmp.Diff(asked, got); diff != "" || spending.Ready != ready {
			t.Errorf("%s: ready %v, want %v, %s", claim, spending.Ready, ready, diff)
		}
	}
	for _, ready := range []bool{false, true} {
		if ready {
			must(t, s.PutReady(t.Context(), time.Unix(1e9, 0)))
		}
		for _, q := range []directory.CustomerQuery{
			{Limit: 3}, {Limit: 100}, {Limit: 100, Search: directory.NewSearch("acme")}, {Limit: 100, Product: usage.SMS}, {Limit: 100, Product: usage.Video, Search: directory.NewSearch("stra")},
			{Limit: 100, Search: directory.NewSearch("nobody")},
		} {
			claim := fmt.Sprintf("%+v, ready %v", q, ready)
			plain, err := s.Customers(t.Context(), who, q)
			must(t, err)
			page, spending, err := s.CustomersWithMonths(t.Context(), who, q, months)
			must(t, err)
			if diff := cmp.Diff(plain, page); diff != "" {
				t.Errorf("%s: the customers differ: %s", claim, diff)
			}
			accounts := accountsOf(page.Customers)
			read(claim, spending, ready && len(accounts) > 0, accounts)
			if q.Limit == 3 {
				continue
			}
			every, spending, isWhole, err := s.EveryCustomer(t.Context(), who, q, months)
			must(t, err)
			if diff := cmp.Diff(plain, every); diff != "" || !isWhole {
				t.Errorf("%s: all customers, whole %v: %s", claim, isWhole, diff)
			}
			read(claim, spending, ready && len(accounts) > 0, accounts)
		}
	}
	if len(plainKeys(t, s, who)) != len(northwind) {
		t.Error("not every customer has its key")
	}
}

func plainKeys(t *testing.T, s *dynamo.Store, who directory.Identity) []string {
	page, err := s.Customers(t.Context(), who, directory.CustomerQuery{Limit: 100})
	must(t, err)
	if !slices.IsSorted(page.Keys) || len(page.Keys) != len(page.Customers) {
		t.Errorf("keys %q", page.Keys)
	}
	return page.Keys
}

func accountsOf(customers []directory.Customer) []string {
	out := []string{}
	for _, c := range customers {
		out = append(out, string(c.Account))
	}
	return out
}

// The months stand beside the customers, and all are one round trip behind the grants.
func TestMonthsAreReadBesideTheCustomers(t *testing.T) {
	s, proxy, direct := proxied(t)
	loadNorthwind(t, direct)
	for claim, c := range map[string]struct {
		ask  func() error
		want string
	}{
		"a page": {func() error {
			_, _, err := s.CustomersWithMonths(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 25}, []totals.Month{"2026-11"})
			return err
		}, "BatchGetItem BatchGetItem Query"},
		"a page without months": {func() error {
			_, err := s.Customers(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 25})
			return err
		}, "BatchGetItem Query"},
		"a page of a product": {func() error {
			_, _, err := s.CustomersWithMonths(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 25, Product: usage.SMS}, []totals.Month{"2026-11"})
			return err
		}, "BatchGetItem BatchGetItem Query"},
		"all": {func() error {
			_, _, _, err := s.EveryCustomer(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 2000}, []totals.Month{"2026-11"})
			return err
		}, "BatchGetItem BatchGetItem Query"},
		"too many": {func() error {
			_, _, isWhole, err := s.EveryCustomer(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 3}, []totals.Month{"2026-11"})
			if isWhole {
				t.Error("a list of more than 3 is whole")
			}
			return err
		}, "Query"},
		"nobody's months": {func() error {
			_, err := s.Spending(t.Context(), nil, []totals.Month{"2026-11"})
			return err
		}, ""},
	} {
		before := len(proxy.Operations())
		must(t, c.ask())
		calls := slices.Sorted(slices.Values(proxy.Operations()[before:]))
		if got := strings.Join(calls, " "); got != c.want {
			t.Errorf("%s takes %s, want %s", claim, got, c.want)
		}
	}
}

// A narrowed viewer has the customers that stand on both lists, by either way.
func TestEveryCustomerOfANarrowedViewer(t *testing.T) {
	s := engine.NewStore(t)
	loadNorthwind(t, s)
	const viewer = "4fzyo82mXw3b"
	for _, account := range []usage.AccountID{"A.first", "e-5", "theirs"} {
		must(t, s.PutGrant(t.Context(), directory.Grant{Partner: "northwind", Viewer: viewer, Account: account, CustomerName: string(account)}))
	}
	who := directory.Identity{Partner: "northwind", Narrowed: viewer}
	plain, err := s.Customers(t.Context(), who, directory.CustomerQuery{Limit: 100})
	must(t, err)
	every, _, isWhole, err := s.EveryCustomer(t.Context(), who, directory.CustomerQuery{Limit: 3}, nil)
	must(t, err)
	if diff := cmp.Diff(plain, every); diff != "" || !isWhole || len(every.Customers) != 2 {
		t.Errorf("whole %v, %d: %s", isWhole, len(every.Customers), diff)
	}
}

func TestEveryCustomerOfALongListIsReadInBatches(t *testing.T) {
	s, proxy, direct := proxied(t)
	for i := range 230 {
		grant(t, direct, "northwind", customer(usage.AccountID(name("acc-%03d", i)), name("Customer %03d", i)))
	}
	page, _, isWhole, err := s.EveryCustomer(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 230}, nil)
	must(t, err)
	if len(page.Customers) != 230 || !isWhole || !slices.IsSorted(page.Keys) || page.Next != "" {
		t.Errorf("%d customers, whole %v", len(page.Customers), isWhole)
	}
	if calls := proxy.Operations(); len(calls) != 4 {
		t.Errorf("that takes %v", calls)
	}
	if _, _, isWhole, err = s.EveryCustomer(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 229}, nil); isWhole || err != nil {
		t.Errorf("a list of one too many is whole: %v, %v", isWhole, err)
	}
}

// docs/deploy.md tells what it costs to look at all customers.
func TestAllOfTwoThousandCustomersTakeTwoRoundTripsAndAUnitEach(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it loads 8,000 items; make test has it")
	}
	const customers = 2000
	m, direct, tables := newMeasured(t)
	var grants, accounts, months []attributes
	for i := range customers {
		account, called := name("acc-%04d", i), name("Customer %04d", i)
		grants = append(grants, attributes{"pk": "PARTNER#northwind", "sk": "GRANT#" + account, "accountId": account, "name": called, "sortKey": directory.SortKey(called, usage.AccountID(account))})
		accounts = append(accounts, attributes{"accountId": account, "name": called, "currency": "EUR", "billingMode": "prepaid", "products": []string{"sms", "voice"}})
		for _, month := range []string{"MONTH#2026-10", "MONTH#2026-11"} {
			months = append(months, attributes{"pk": account, "sk": month, "zone": "UTC", "stale": "0000000001-000000001"})
		}
	}
	load(t, engine.Client(t), tables.Partners, grants)
	load(t, engine.Client(t), tables.Customers, accounts)
	load(t, engine.Client(t), tables.Totals, months)
	must(t, direct.PutReady(t.Context(), now))
	for _, c := range []struct {
		claim    string
		months   []totals.Month
		calls    int
		maxUnits float64
	}{
		{"counted", []totals.Month{"2026-11"}, 1 + 20 + 40, 2100},
		{"by their credit", []totals.Month{"2026-10", "2026-11"}, 1 + 20 + 60, 3100},
	} {
		var page directory.CustomerPage
		began := time.Now()
		took := m.takes(t, func(dynamotest.Call) bool { return false }, func() (err error) {
			var isWhole bool
			var spending totals.Spending
			page, spending, isWhole, err = m.EveryCustomer(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: customers}, c.months)
			if !isWhole || !spending.Ready || len(spending.Months) != customers*len(c.months) {
				t.Errorf("%s: whole %v, ready %v, %d months", c.claim, isWhole, spending.Ready, len(spending.Months))
			}
			return err
		})
		operations, units, _ := strings.Cut(took, ":")
		t.Logf("%s: %d calls, %s in %v", c.claim, len(strings.Fields(operations)), units, time.Since(began))
		if calls := len(strings.Fields(operations)); calls != c.calls || m.units > c.maxUnits || len(page.Customers) != customers {
			t.Errorf("%s: %d calls, %s, %d customers; want %d calls, %.0f units at most", c.claim, calls, units, len(page.Customers), c.calls, c.maxUnits)
		}
	}
}
