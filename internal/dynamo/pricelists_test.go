package dynamo_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

func priceList(from time.Time, unitPrice string) pricing.List {
	return pricing.List{
		EffectiveFrom: from, Currency: "EUR", ChargeOn: pricing.OnSubmitted, Rounding: pricing.DefaultRounding(),
		Rates: []pricing.Rate{{Selectors: pricing.Selectors{Direction: usage.Outbound}, UnitPrice: decimal.RequireFromString(unitPrice)}},
	}
}

func TestPriceListsComeNewestFirstAFewAtATime(t *testing.T) {
	s := engine.NewStore(t)
	month := func(m int) time.Time { return time.Date(2026, time.Month(m), 1, 0, 0, 0, 0, time.UTC) }
	var lists []pricing.List
	for m := 1; m <= 7; m++ {
		lists = append(lists, priceList(month(m), "0.1"))
	}
	must(t, s.PutPriceLists(t.Context(), acmeSMS, lists))
	must(t, s.PutPriceLists(t.Context(), usage.Log{Account: "acme_retail", Product: usage.Voice}, []pricing.List{priceList(month(6), "0.1")}))

	tests := []struct {
		name      string
		upTo      time.Time
		wantMonth []int
		older     bool
	}{
		{"without an end, from the newest", time.Time{}, []int{7, 6, 5}, true},
		{"at the first instant of a list, with that list", month(5), []int{5, 4, 3}, true},
		{"just before it, without it", month(5).Add(-time.Millisecond), []int{4, 3, 2}, true},
		{"near the oldest, all that there are", month(2), []int{2, 1}, false},
		{"before the oldest, none", month(1).Add(-time.Millisecond), nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, older, err := s.PriceLists(t.Context(), acmeSMS, tt.upTo)
			must(t, err)
			var months []int
			for _, l := range got {
				months = append(months, int(l.EffectiveFrom().Month()))
			}
			if !slices.Equal(months, tt.wantMonth) || older != tt.older {
				t.Errorf("got months %v, older %t; want %v, %t", months, older, tt.wantMonth, tt.older)
			}
		})
	}
}

func TestChangedPriceListIsSeenAtOnce(t *testing.T) {
	s := engine.NewStore(t)
	for _, price := range []string{"0.1", "0.2"} {
		must(t, s.PutPriceLists(t.Context(), acmeSMS, []pricing.List{priceList(now, price)}))
		lists, _, err := s.PriceLists(t.Context(), acmeSMS, now)
		must(t, err)
		book, err := pricing.BookOf(acmeSMS, lists...)
		must(t, err)
		r := record(acmeSMS, "u-1", now)
		r.Segments = new(int64(1))
		if got := book.Price(r).Money.Amount.String(); got != price {
			t.Errorf("a list of %s prices at %s", price, got)
		}
	}
}

func TestRevisionIsThatOfTheContent(t *testing.T) {
	a := priceList(now, "0.1")
	a.Rates = append(a.Rates, pricing.Rate{Selectors: pricing.Selectors{Direction: usage.Inbound}, UnitPrice: decimal.New(0, 0)})
	of := func(l pricing.List) string {
		t.Helper()
		r, err := dynamo.Revision(acmeSMS, l)
		must(t, err)
		return r
	}
	same := a
	same.Rates = []pricing.Rate{a.Rates[1], a.Rates[0]}
	same.Rates[1].UnitPrice = decimal.RequireFromString("0.10")
	if of(a) != of(same) {
		t.Error("another order of rates, or another way to write a price, is told as a change")
	}
	for change, l := range map[string]func(*pricing.List){
		"price":     func(l *pricing.List) { l.Rates[0].UnitPrice = decimal.RequireFromString("0.11") },
		"set-up":    func(l *pricing.List) { l.Rates[0].SetupFee = decimal.RequireFromString("0.11") },
		"selector":  func(l *pricing.List) { l.Rates[0].Country = "GB" },
		"increment": func(l *pricing.List) { l.Rates[0].Increment = pricing.Increment{First: 60, Next: 1} },
		"currency":  func(l *pricing.List) { l.Currency = "USD" },
		"charge on": func(l *pricing.List) { l.ChargeOn = pricing.OnDelivered },
		"scale":     func(l *pricing.List) { l.Rounding.Scale = 4 },
		"mode":      func(l *pricing.List) { l.Rounding.Mode = pricing.Up },
		"rate gone": func(l *pricing.List) { l.Rates = l.Rates[:1] },
	} {
		changed := a
		changed.Rates = slices.Clone(a.Rates)
		l(&changed)
		if of(a) == of(changed) {
			t.Errorf("a change of %s is not told", change)
		}
	}
}

func TestHeadersTellWhichListsThereAre(t *testing.T) {
	s := engine.NewStore(t)
	first, second := priceList(now.AddDate(0, -1, 0), "0.1"), priceList(now, "0.2")
	must(t, s.PutPriceLists(t.Context(), acmeSMS, []pricing.List{second, first}))
	got, err := s.PriceListHeaders(t.Context(), acmeSMS)
	must(t, err)
	var want []pricing.ListHeader
	for _, l := range []pricing.List{first, second} {
		revision, err := dynamo.Revision(acmeSMS, l)
		must(t, err)
		want = append(want, pricing.ListHeader{EffectiveFrom: l.EffectiveFrom, Currency: "EUR", Revision: revision})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestListThatIsTooLargeIsRefusedBeforeAnyIsWritten(t *testing.T) {
	s := engine.NewStore(t)
	large := priceList(now, "0.1")
	for range dynamo.MaxRatesBytes / 50 {
		large.Rates = append(large.Rates, pricing.Rate{Selectors: pricing.Selectors{Country: usage.Country(strings.Repeat("G", 30))}})
	}
	err := s.PutPriceLists(t.Context(), acmeSMS, []pricing.List{priceList(now.Add(-time.Hour), "0.1"), large})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v, want invalid", err)
	}
	if got, err := s.PriceListHeaders(t.Context(), acmeSMS); err != nil || len(got) != 0 {
		t.Errorf("%d lists were written (%v)", len(got), err)
	}
}
