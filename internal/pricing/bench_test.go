package pricing_test

import (
	"fmt"
	"testing"
	"time"

	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// aPage is 100 calls to 20 countries over four operators, as a log's page has them.
func aPage() []usage.Record {
	page := make([]usage.Record, 100)
	for i := range page {
		seconds := int64(7*i + 1)
		page[i] = usage.Record{
			Log: voice, Timestamp: day.Add(time.Duration(i) * time.Minute), Direction: usage.Outbound, Status: usage.Completed,
			Country: country(i % 20), Operator: usage.Operator(fmt.Sprintf("%05d", 20000+i%4)), DurationSeconds: &seconds,
		}
	}
	return page
}

func country(i int) usage.Country { return usage.Country([]byte{'A' + byte(i/26), 'A' + byte(i%26)}) }

// aList has that many rates: by country and operator, by country, and a last resort.
func aList(rates int) pricing.List {
	l := pricing.List{EffectiveFrom: january, Currency: "EUR", Rounding: pricing.DefaultRounding()}
	for i := 0; len(l.Rates) < rates-1; i++ {
		s := pricing.Selectors{Direction: usage.Outbound, Country: country(i % 600)}
		if i >= 600 {
			s.Operator = usage.Operator(fmt.Sprintf("%05d", 20002+i/600))
		}
		l.Rates = append(l.Rates, pricing.Rate{Selectors: s, UnitPrice: dec("0.0120"), SetupFee: dec("0.0050"), Increment: pricing.DefaultIncrement()})
	}
	l.Rates = append(l.Rates, pricing.Rate{UnitPrice: dec("0.1"), Increment: pricing.DefaultIncrement()})
	return l
}

// BenchmarkPage prices 100 records: what a page of a log costs in here.
func BenchmarkPage(b *testing.B) {
	for _, rates := range []int{4, 2000} {
		b.Run(fmt.Sprintf("rates=%d", rates), func(b *testing.B) {
			book := mustBook(b, voice, aList(rates))
			page := aPage()
			b.ReportAllocs()
			for b.Loop() {
				for _, r := range page {
					book.Price(r)
				}
			}
		})
	}
}

// BenchmarkIndex is what a store saves that keeps its lists indexed.
func BenchmarkIndex(b *testing.B) {
	for _, rates := range []int{4, 2000} {
		b.Run(fmt.Sprintf("rates=%d", rates), func(b *testing.B) {
			l := aList(rates)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := pricing.Index(usage.Voice, l); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
