package usage

import (
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"partnerview/internal/money"
)

func euros(amount string) *money.Money { return price(amount, "EUR") }

func price(amount string, currency money.Currency) *money.Money {
	return &money.Money{Amount: decimal.RequireFromString(amount), Currency: currency}
}

// outcomeOf is an outcome in a word.
func outcomeOf(v Version) string {
	text := func(at *time.Time) string {
		if at == nil {
			return "-"
		}
		return at.Format("05")
	}
	amount := "none"
	if v.RecordedPrice != nil {
		amount = money.Text(v.RecordedPrice.Amount) + string(v.RecordedPrice.Currency)
	}
	return fmt.Sprintf("%s@%s %s %s@%s", v.Status, text(v.StatusAt), v.ErrorCode, amount, text(v.PriceAt))
}

func TestNewsOfTheSameTimeHasAnOrderOfItsOwn(t *testing.T) {
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	var news []Record // from what counts least to what counts most
	for _, status := range []Status{"", Unknown, Queued, Sent, InProgress, Undelivered, Rejected, Failed, Completed, "a_word_of_its_own", Delivered, Read} {
		for _, code := range []string{"", "9", "10"} {
			news = append(news, Record{Status: status, ErrorCode: code, StatusAt: &noon})
		}
	}
	for i, lesser := range news {
		for j, greater := range news[i:] {
			for _, kept := range []Version{VersionOf(greater).Supersede(VersionOf(lesser)), VersionOf(lesser).Supersede(VersionOf(greater)),
				VersionOf(lesser).ApplyReceipt(receiptOf(greater)), VersionOf(greater).ApplyReceipt(receiptOf(lesser))} {
				if got, want := outcomeOf(kept), outcomeOf(VersionOf(greater)); got != want {
					t.Errorf("of the news %d and %d: %s stays, want %s", i, i+j, got, want)
				}
			}
		}
	}
	var prices []Record
	for _, p := range []*money.Money{nil, price("0", "USD"), euros("1.10"), euros("0.2"), euros("0")} {
		prices = append(prices, Record{RecordedPrice: p, StatusAt: &noon})
	}
	for i, lesser := range prices {
		for j, greater := range prices[i:] {
			for _, kept := range []Version{VersionOf(greater).Supersede(VersionOf(lesser)), VersionOf(lesser).Supersede(VersionOf(greater)),
				VersionOf(lesser).ApplyReceipt(receiptOf(greater)), VersionOf(greater).ApplyReceipt(receiptOf(lesser))} {
				if got, want := outcomeOf(kept), outcomeOf(VersionOf(greater)); got != want {
					t.Errorf("of the prices %d and %d: %s stays, want %s", i, i+j, got, want)
				}
			}
		}
	}
}

func receiptOf(r Record) Receipt {
	return Receipt{Status: r.Status, StatusAt: *r.StatusAt, ErrorCode: r.ErrorCode, RecordedPrice: r.RecordedPrice}
}

// telling is one line of a log or one receipt of a record.
type telling struct {
	record  Record
	receipt bool
}

func tellings() *rapid.Generator[telling] {
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	return rapid.Custom(func(t *rapid.T) telling {
		at := noon.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "second")) * time.Second)
		return telling{
			Record{
				Status:        rapid.SampledFrom([]Status{"", Queued, Sent, Delivered, Read, Failed}).Draw(t, "status"),
				ErrorCode:     rapid.SampledFrom([]string{"", "43", "5"}).Draw(t, "code"),
				RecordedPrice: rapid.SampledFrom([]*money.Money{nil, euros("0.1"), euros("0.2"), price("0.1", "USD")}).Draw(t, "price"),
				StatusAt:      &at,
			},
			rapid.Bool().Draw(t, "receipt"),
		}
	})
}

// The same news of a record ends in the same version, in whatever order it comes;
// what tells no time comes first or again and again.
func TestOrderOfArrivalNeverDecides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		timeless := VersionOf(Record{Status: Queued, RecordedPrice: euros("0.3")})
		news := rapid.SliceOfN(tellings(), 1, 6).Draw(t, "news")
		after := func(news []telling) string {
			v := timeless
			for _, n := range news {
				if n.receipt {
					v = v.ApplyReceipt(receiptOf(n.record))
				} else {
					v = VersionOf(n.record).Supersede(v)
				}
				v = timeless.Supersede(v)
			}
			return outcomeOf(v)
		}
		first, second := after(news), after(rapid.Permutation(news).Draw(t, "order"))
		if first != second {
			t.Errorf("%s, and in another order %s", first, second)
		}
		if again := after(append(news, news...)); again != first {
			t.Errorf("%s, and told again %s", first, again)
		}
	})
}
