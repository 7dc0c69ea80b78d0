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

func TestVerdictsSayWhyEachRateLost(t *testing.T) {
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
	for _, v := range book.Verdicts(full(sms)) {
		got = append(got, fmt.Sprintf("%s lost by %s, differs in %s", v.Rate.UnitPrice, cmp.Or(v.LostBy, "-"), cmp.Or(v.Differs, "-")))
		if v.Won() != (v.Rate.UnitPrice.String() == "1") {
			t.Errorf("%+v: won is %v", v, v.Won())
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
	if none := book.Verdicts(usage.Record{Log: sms, Timestamp: january.Add(-1)}); len(none) != 0 {
		t.Errorf("verdicts without a list in force: %v", none)
	}
}

// Every pair of sets: the loser lost by the first selector, in the order of
// specificity, that only the winner names.
func TestALoserLostByTheFirstSelectorThatOnlyTheWinnerNames(t *testing.T) {
	for _, c := range []struct {
		log   usage.Log
		order []string
	}{{sms, orderOfSMS}, {messaging, orderOfMessaging}} {
		for i, more := range c.order {
			for _, less := range c.order[i+1:] {
				want := ""
				for _, name := range pricing.SelectorNames() {
					if strings.Contains(more, name) != strings.Contains(less, name) {
						want = name
						break
					}
				}
				book := mustBook(t, c.log, euros(pricing.Rate{Selectors: selectorsOf(more)}, pricing.Rate{Selectors: selectorsOf(less)}))
				if got := book.Verdicts(full(c.log)); len(got) != 2 || got[1].LostBy != want {
					t.Errorf("[%s] lost to [%s] by %q, not by %q", less, more, got[1].LostBy, want)
				}
			}
		}
	}
}

// The verdicts are those of the real choice: the winner is the rate that prices
// the record, whatever the record and the lists; every loser has a reason that
// can be seen in the two; and no rate is left out.
func TestTheWinnerOfTheVerdictsIsTheRateThatPrices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := logs.Draw(t, "log")
		book, err := pricing.NewBook(log, drawLists(t, log.Product))
		if err != nil {
			t.Fatal(err)
		}
		r := drawRecord(t, log)
		verdicts, price := book.Verdicts(r), book.Price(r)
		own := pricing.SelectorsOf(r)
		var winner *pricing.Rate
		seen := map[pricing.Selectors]bool{}
		for i, v := range verdicts {
			if seen[v.Rate.Selectors] {
				t.Fatalf("the rate %+v is judged twice", v.Rate)
			}
			seen[v.Rate.Selectors] = true
			switch {
			case v.Won():
				if i != 0 {
					t.Fatalf("winner %d of the verdicts", i)
				}
				winner = v.Rate
			case v.Differs != "":
				if want := v.Rate.Get(v.Differs); want == "" || want == own.Get(v.Differs) {
					t.Fatalf("%+v does not differ from %+v in %s", v.Rate, own, v.Differs)
				}
			default:
				if winner == nil || winner.Get(v.LostBy) == "" || v.Rate.Get(v.LostBy) != "" {
					t.Fatalf("%+v did not lose to %+v by %s", v.Rate, winner, v.LostBy)
				}
			}
		}
		if price.Why != nil && (winner != price.Why.Rate || len(verdicts) == 0) {
			t.Fatalf("the winner is %+v, but %+v prices the record", winner, price.Why.Rate)
		}
		if price.Reason == pricing.NoRate && winner != nil {
			t.Fatalf("no rate prices the record, but %+v has won", winner)
		}
		if inForce := ratesInForce(book, r); len(verdicts) != inForce {
			t.Fatalf("%d verdicts on %d rates", len(verdicts), inForce)
		}
	})
}

// ratesInForce counts the rates of the list that prices a record, in another way
// than the verdicts: as many as there are sets of selectors that win for some
// record of that instant.
func ratesInForce(book pricing.Book, r usage.Record) int {
	wins := map[pricing.Selectors]bool{}
	for _, direction := range []usage.Direction{"", usage.Inbound, usage.Outbound} {
		for _, country := range []usage.Country{"", "GB", "DE"} {
			for _, operator := range []usage.Operator{"", "23401", "26201"} {
				for _, channel := range []usage.Channel{"", "whatsapp", "rcs"} {
					for _, category := range []usage.Category{"", "marketing", "utility"} {
						one := int64(1)
						other := usage.Record{Log: r.Log, Timestamp: r.Timestamp, Status: usage.Delivered,
							Direction: direction, Country: country, Operator: operator, Channel: channel, Category: category,
							Segments: &one, DurationSeconds: &one, ParticipantSeconds: &one}
						if p := book.Price(other); p.Why != nil {
							wins[p.Why.Rate.Selectors] = true
						}
					}
				}
			}
		}
	}
	return len(wins)
}
