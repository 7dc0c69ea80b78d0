package pricing_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// full is a record that every selector of its product can match.
func full(log usage.Log) usage.Record {
	r := usage.Record{Log: log, Timestamp: day, Direction: usage.Outbound, Status: usage.Delivered, Country: "DE", Segments: count(1)}
	switch log.Product {
	case usage.Messaging:
		r.Channel, r.Category = "whatsapp", "marketing"
	case usage.SMS:
		r.Operator = "26201"
	}
	return r
}

// selectorsOf reads "operator country", as the tests below name rates.
func selectorsOf(names string) (s pricing.Selectors) {
	setIf(strings.Contains(names, "direction"), &s.Direction, usage.Outbound)
	setIf(strings.Contains(names, "channel"), &s.Channel, "whatsapp")
	setIf(strings.Contains(names, "category"), &s.Category, "marketing")
	setIf(strings.Contains(names, "country"), &s.Country, "DE")
	setIf(strings.Contains(names, "operator"), &s.Operator, "26201")
	return s
}

// Every set of selectors that a rate of the product can name, written down from
// the rule by hand, the most specific first.
var (
	orderOfSMS = []string{
		"operator country direction", "operator country", "operator direction", "operator",
		"country direction", "country", "direction", "",
	}
	orderOfMessaging = []string{
		"country category channel direction", "country category channel", "country category direction", "country category",
		"country channel direction", "country channel", "country direction", "country",
		"category channel direction", "category channel", "category direction", "category",
		"channel direction", "channel", "direction", "",
	}
)

// Every pair of the possible sets of selectors, in both orders of the list. The loser
// lost by the first selector, in the order of specificity, that only the winner names.
func TestTheMoreSpecificOfTwoRatesWins(t *testing.T) {
	for _, c := range []struct {
		log   usage.Log
		order []string
	}{{sms, orderOfSMS}, {messaging, orderOfMessaging}} {
		for i, more := range c.order {
			for _, less := range c.order[i+1:] {
				names := pricing.SelectorNames()
				by := names[slices.IndexFunc(names, func(name string) bool { return strings.Contains(more, name) != strings.Contains(less, name) })]
				winner := pricing.Rate{Selectors: selectorsOf(more), UnitPrice: dec("1")}
				loser := pricing.Rate{Selectors: selectorsOf(less), UnitPrice: dec("2")}
				for _, l := range []pricing.List{euros(winner, loser), euros(loser, winner)} {
					book := mustBook(t, c.log, l)
					if p := book.Price(full(c.log)); p.Why == nil || p.Why.Rate.Selectors != winner.Selectors {
						t.Errorf("%s: [%s] did not win over [%s]", c.log.Product, more, less)
					}
					if got := book.Matches(full(c.log)); len(got) != 2 || got[1].BeatenBy != by {
						t.Errorf("[%s] lost to [%s] not by %q: %+v", less, more, by, got)
					}
				}
			}
		}
	}
}

func TestARateMatchesOnlyWhenEverySelectorThatItNamesIsEqual(t *testing.T) {
	type change = func(*usage.Record)
	for _, c := range []struct {
		claim string
		log   usage.Log
		names string
		to    change
		want  string
	}{
		{"another direction", sms, "direction", func(r *usage.Record) { r.Direction = usage.Inbound }, "unrated no_rate"},
		{"an unknown direction", sms, "direction", func(r *usage.Record) { r.Direction = "" }, "unrated no_rate"},
		{"another country", sms, "country", func(r *usage.Record) { r.Country = "GB" }, "unrated no_rate"},
		{"an unknown country", sms, "country", func(r *usage.Record) { r.Country = "" }, "unrated no_rate"},
		{"another operator", sms, "operator", func(r *usage.Record) { r.Operator = "26202" }, "unrated no_rate"},
		{"an operator without its leading zeros", sms, "operator", func(r *usage.Record) { r.Operator = "2621" }, "unrated no_rate"},
		{"an unknown operator", sms, "operator", func(r *usage.Record) { r.Operator = "" }, "unrated no_rate"},
		{"another channel", messaging, "channel", func(r *usage.Record) { r.Channel = "rcs" }, "unrated no_rate"},
		{"an unknown channel", messaging, "channel", func(r *usage.Record) { r.Channel = "" }, "unrated no_rate"},
		{"another category", messaging, "category", func(r *usage.Record) { r.Category = "utility" }, "unrated no_rate"},
		{"an unknown category", messaging, "category", func(r *usage.Record) { r.Category = "" }, "unrated no_rate"},
		{"one of two that is not equal", sms, "operator country", func(r *usage.Record) { r.Country = "GB" }, "unrated no_rate"},
		{"one that the rate does not name", sms, "country", func(r *usage.Record) { r.Operator = "26202" }, "rated 1 EUR"},
		{"none that the rate names, as it names none", sms, "", func(r *usage.Record) { r.Country, r.Direction = "", "" }, "rated 1 EUR"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			r := full(c.log)
			c.to(&r)
			is(t, mustBook(t, c.log, euros(pricing.Rate{Selectors: selectorsOf(c.names), UnitPrice: dec("1")})).Price(r), c.want)
		})
	}
}

// A record without a country must not find the last resort where a look-up by
// country would: the rate by direction is the more specific one.
func TestWhatARecordDoesNotTellHidesNoRate(t *testing.T) {
	r := full(sms)
	r.Country = ""
	l := euros(
		pricing.Rate{Selectors: selectorsOf("country"), UnitPrice: dec("1")},
		pricing.Rate{Selectors: selectorsOf("direction"), UnitPrice: dec("2")},
		pricing.Rate{UnitPrice: dec("3")},
	)
	is(t, mustBook(t, sms, l).Price(r), "rated 2 EUR")
}

func TestEveryRateOfALongListIsFound(t *testing.T) {
	l := aList(2000)
	book := mustBook(t, voice, l)
	for _, rate := range l.Rates {
		r := usage.Record{Log: voice, Timestamp: day, Direction: rate.Direction, Country: rate.Country, Operator: rate.Operator, DurationSeconds: count(1)}
		if p := book.Price(r); p.Why == nil || p.Why.Rate.Selectors != rate.Selectors {
			t.Fatalf("%+v is not priced by its own rate", rate.Selectors)
		}
	}
}

func TestMatchesSayWhyEachRateLost(t *testing.T) {
	l := euros(
		pricing.Rate{UnitPrice: dec("5")},
		pricing.Rate{Selectors: selectorsOf("country"), UnitPrice: dec("3")},
		pricing.Rate{Selectors: selectorsOf("operator country"), UnitPrice: dec("1")},
		pricing.Rate{Selectors: selectorsOf("operator direction"), UnitPrice: dec("2")},
		pricing.Rate{Selectors: pricing.Selectors{Direction: usage.Inbound, Country: "GB"}, UnitPrice: dec("4")},
		pricing.Rate{Selectors: pricing.Selectors{Direction: usage.Inbound}, UnitPrice: dec("6")},
	)
	book := mustBook(t, sms, l)
	var got []string
	for _, m := range book.Matches(full(sms)) {
		got = append(got, fmt.Sprintf("%s lost by %s, differs in %s", m.Rate.UnitPrice, cmp.Or(m.BeatenBy, "-"), cmp.Or(m.Mismatch, "-")))
		if m.Won() != (m.Rate.UnitPrice.String() == "1") {
			t.Errorf("%+v: won is %v", m, m.Won())
		}
	}
	want := []string{
		"1 lost by -, differs in -",
		"2 lost by country, differs in -",
		"3 lost by operator, differs in -",
		"5 lost by operator, differs in -",
		"4 lost by -, differs in country",
		"6 lost by -, differs in direction",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if none := book.Matches(usage.Record{Log: sms, Timestamp: january.Add(-1)}); len(none) != 0 {
		t.Errorf("matches without a list in force: %v", none)
	}
}

// The matches are those of the real choice: the winner is the rate that prices
// the record, whatever the record and the lists; every loser has a reason that
// can be seen in the two; and no rate is left out.
func TestTheWinnerOfTheMatchesIsTheRateThatPrices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := logs.Draw(t, "log")
		lists := drawLists(t, log.Product)
		book := mustBook(t, log, lists...)
		r := drawRecord(t, log)
		matches, price := book.Matches(r), book.Price(r)
		own := pricing.SelectorsOf(r)
		var winner *pricing.Rate
		seen := map[pricing.Selectors]bool{}
		for i, m := range matches {
			if seen[m.Rate.Selectors] {
				t.Fatalf("the rate %+v is judged twice", m.Rate)
			}
			seen[m.Rate.Selectors] = true
			switch {
			case m.Won():
				if i != 0 {
					t.Fatalf("winner %d of the matches", i)
				}
				winner = m.Rate
			case m.Mismatch != "":
				if want := m.Rate.Get(m.Mismatch); want == "" || want == own.Get(m.Mismatch) {
					t.Fatalf("%+v does not differ from %+v in %s", m.Rate, own, m.Mismatch)
				}
			default:
				if winner == nil || winner.Get(m.BeatenBy) == "" || m.Rate.Get(m.BeatenBy) != "" {
					t.Fatalf("%+v did not lose to %+v by %s", m.Rate, winner, m.BeatenBy)
				}
			}
		}
		if price.Why != nil && (winner != price.Why.Rate || len(matches) == 0) {
			t.Fatalf("the winner is %+v, but %+v prices the record", winner, price.Why.Rate)
		}
		if price.Reason == pricing.NoRate && winner != nil {
			t.Fatalf("no rate prices the record, but %+v has won", winner)
		}
		lists = slices.DeleteFunc(lists, func(l pricing.List) bool { return l.EffectiveFrom.After(r.Timestamp) })
		slices.SortFunc(lists, func(a, b pricing.List) int { return b.EffectiveFrom.Compare(a.EffectiveFrom) })
		if rates := append(lists, pricing.List{})[0].Rates; len(matches) != len(rates) {
			t.Fatalf("%d matches on %d rates", len(matches), len(rates))
		}
	})
}
