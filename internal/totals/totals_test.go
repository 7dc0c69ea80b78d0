package totals

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// priced is a record with its day and its price, as drawn.
type priced struct {
	usage.Record
	day   Day
	price pricing.Price
}

func drawRecord(t *rapid.T) priced {
	count := func(name string) *int64 {
		if n := rapid.Int64Range(-1, 3600).Draw(t, name); n >= 0 {
			return &n
		}
		return nil
	}
	p := priced{day: rapid.SampledFrom([]Day{"2026-10-31", "2026-11-01", "2026-11-02", "2026-12-01"}).Draw(t, "day")}
	p.Account = usage.AccountID(rapid.SampledFrom([]string{"acme", "Acme", "b&b"}).Draw(t, "account"))
	p.Product = rapid.SampledFrom(usage.Products()).Draw(t, "product")
	p.Direction = usage.Direction(rapid.SampledFrom([]string{"", "inbound", "outbound"}).Draw(t, "direction"))
	p.Status = usage.Status(rapid.SampledFrom([]string{"", "delivered", "failed"}).Draw(t, "status"))
	p.Country = usage.Country(rapid.SampledFrom([]string{"", "DE", "GB"}).Draw(t, "country"))
	switch p.Product {
	case usage.SMS:
		p.Segments = count("segments")
	case usage.Voice:
		p.DurationSeconds = count("seconds")
	case usage.Video:
		p.DurationSeconds, p.ParticipantSeconds = count("seconds"), count("participant seconds")
	case usage.Messaging:
		p.Channel = usage.Channel(rapid.SampledFrom([]string{"", "rcs", "whatsapp"}).Draw(t, "channel"))
	}
	p.price.Outcome = rapid.SampledFrom([]pricing.Outcome{pricing.Rated, pricing.Free, pricing.Recorded, pricing.Unrated}).Draw(t, "outcome")
	if p.price.Outcome == pricing.Unrated {
		return p
	}
	p.price.Money = &money.Money{Currency: rapid.SampledFrom([]money.Currency{"EUR", "JPY"}).Draw(t, "currency")}
	if p.price.Outcome != pricing.Free {
		p.price.Money.Amount = decimal.New(rapid.Int64Range(0, 1_000_000).Draw(t, "amount"), -8)
	}
	if p.price.Outcome == pricing.Rated {
		p.price.Why = &pricing.Explanation{Billable: rapid.Int64Range(0, 60).Draw(t, "billable")}
	}
	return p
}

// Whatever the records, however they are spread over sheets, and by whatever they are
// grouped: a row is the sum over the records of its key, to the last decimal.
func TestARowIsTheSumOverItsRecords(t *testing.T) {
	all := []Dimension{ByCustomer, ByDay, ByMonth, ByProduct, ByDirection, ByStatus, ByCountry, ByChannel, ByPriceStatus}
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(drawRecord), 0, 40).Draw(t, "records")
		by := rapid.Permutation(all).Draw(t, "dimensions")[:rapid.IntRange(0, 3).Draw(t, "how many")]

		sheets := make(map[priced]Sheet)
		var dated []Dated
		for _, r := range records {
			where := priced{day: r.day}
			where.Log = r.Log
			if sheets[where] == nil {
				sheets[where] = make(Sheet)
				dated = append(dated, Dated{Log: r.Log, Day: r.day, Sheet: sheets[where]})
			}
			sheets[where].Add(r.Record, r.price)
		}
		rows := Rows(dated, by, false)

		left := len(records)
		for i, row := range rows {
			if i > 0 && compare(rows[i-1].Key, row.Key, by) >= 0 {
				t.Fatalf("%q comes before %q", rows[i-1].Key, row.Key)
			}
			var want Sums
			unrated, charged := int64(0), map[money.Currency]Charged{}
			for _, r := range records {
				if !slices.Equal(keyOf(r, by), row.Key[:len(by)]) {
					continue
				}
				left--
				want.Records++
				want.Segments += told(r.Segments)
				want.DurationSeconds += told(r.DurationSeconds)
				want.ParticipantSeconds += told(r.ParticipantSeconds)
				if r.price.Why != nil {
					want.BillableSeconds += r.price.Why.Billable
				}
				if r.price.Money == nil {
					unrated++
					continue
				}
				c := charged[r.price.Money.Currency]
				c.Currency, c.Amount, c.Records = r.price.Money.Currency, c.Amount.Add(r.price.Money.Amount), c.Records+1
				charged[c.Currency] = c
			}
			if diff := cmp.Diff(want, row.Sums); diff != "" || row.Unrated != unrated || len(row.Charged) != len(charged) {
				t.Fatalf("%q: %d unrated (want %d), charged %v (want %v), %s", row.Key, row.Unrated, unrated, row.Charged, charged, diff)
			}
			for _, c := range row.Charged {
				if w := charged[c.Currency]; !w.Amount.Equal(c.Amount) || w.Records != c.Records {
					t.Fatalf("%q: charged %v, want %v", row.Key, c, w)
				}
			}
		}
		if left != 0 {
			t.Fatalf("%d records are in no row", left)
		}
	})
}

// keyOf is a record's key by another way than a sheet's.
func keyOf(r priced, by []Dimension) []string {
	all := map[Dimension]string{
		ByCustomer: string(r.Account), ByDay: string(r.day), ByMonth: string(r.day)[:7], ByProduct: string(r.Product),
		ByDirection: string(r.Direction), ByStatus: string(r.Status), ByCountry: string(r.Country), ByChannel: string(r.Channel),
		ByPriceStatus: string(r.price.Outcome),
	}
	out := []string{}
	for _, d := range by {
		out = append(out, all[d])
	}
	return out
}

func TestRowsStandInTheOrderOfTheirKeys(t *testing.T) {
	sheet := func(account usage.AccountID, product usage.Product, day Day, country usage.Country) Dated {
		return Dated{Log: usage.Log{Account: account, Product: product}, Day: day, Sheet: Sheet{{Country: country, Price: pricing.Unrated}: {Records: 1}}}
	}
	rows := Rows([]Dated{
		sheet("b", usage.SMS, "2026-11-01", "GB"), sheet("a", usage.Messaging, "2026-11-02", ""), sheet("a", usage.Messaging, "2026-11-02", "DE"),
		sheet("a", usage.SMS, "2026-11-03", ""), sheet("B", usage.Voice, "2026-11-01", "GB"),
	}, []Dimension{ByCustomer, ByProduct, ByCountry}, false)
	var got []Key
	for _, r := range rows {
		got = append(got, r.Key)
	}
	want := []Key{{"B", "voice", "GB"}, {"a", "sms", ""}, {"a", "messaging", "DE"}, {"a", "messaging", ""}, {"b", "sms", "GB"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A day that lost its last record shows with 0 where a client asks what has changed, and
// else not at all.
func TestAnEmptiedDayShowsWhereItIsAskedFor(t *testing.T) {
	emptied := []Dated{{Log: usage.Log{Account: "acme", Product: usage.SMS}, Day: "2026-11-03"}}
	if rows := Rows(emptied, []Dimension{ByDay}, false); len(rows) != 0 {
		t.Errorf("a day without records is %+v", rows)
	}
	rows := Rows(emptied, []Dimension{ByDay}, true)
	if len(rows) != 1 || rows[0].Key[0] != "2026-11-03" || rows[0].Sums.Records != 0 || len(rows[0].Charged) != 0 || rows[0].Unrated != 0 {
		t.Errorf("an emptied day is %+v", rows)
	}
}

// What a month is summed from does not change what it comes to.
func TestAMonthIsTheSumOfItsDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		month, days := make(Sheet), make(Sheet)
		for _, r := range rapid.SliceOfN(rapid.Custom(drawRecord), 0, 30).Draw(t, "records") {
			day := make(Sheet)
			day.Add(r.Record, r.price)
			days.Merge(day)
			month.Merge(day.Coarse())
		}
		if diff := cmp.Diff(days.Coarse(), month); diff != "" {
			t.Fatal(diff)
		}
	})
}
