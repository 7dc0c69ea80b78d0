package pricing_test

import (
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/testkit/pricingtest"
	"partnerview/internal/usage"
)

// Values are drawn from few, so that rates match records, lists change between
// records, and prices fall on ties.
var (
	logs       = rapid.SampledFrom([]usage.Log{sms, voice, video, messaging})
	directions = rapid.SampledFrom([]usage.Direction{"", usage.Inbound, usage.Outbound})
	statuses   = rapid.SampledFrom(append(knownStatuses(), "", "expired"))
	countries  = rapid.SampledFrom([]usage.Country{"", "GB", "DE"})
	operators  = rapid.SampledFrom([]usage.Operator{"", "23401", "26201"})
	channels   = rapid.SampledFrom([]usage.Channel{"", "whatsapp", "rcs"})
	categories = rapid.SampledFrom([]usage.Category{"", "marketing", "utility"})
	instants   = rapid.Custom(func(t *rapid.T) time.Time {
		return january.Add(time.Duration(rapid.IntRange(-2, 16).Draw(t, "ms")) * time.Millisecond)
	})
	quantities = rapid.OneOf(
		rapid.Int64Range(0, 10), rapid.Int64Range(0, 200), rapid.Int64Range(0, 4000), rapid.Int64Range(0, 1<<53-1),
		rapid.SampledFrom([]int64{0, 1, 59, 60, 61, 1<<53 - 1, 1 << 53, 1<<63 - 1, -1, -1 << 63}),
	)
	steps  = rapid.OneOf(rapid.SampledFrom([]int64{1, 6, 30, 60, 3600, 1<<53 - 1}), rapid.Int64Range(1, 100))
	prices = rapid.OneOf(
		rapid.Custom(func(t *rapid.T) decimal.Decimal {
			return decimal.New(rapid.Int64Range(0, 200).Draw(t, "coefficient"), -rapid.Int32Range(0, 4).Draw(t, "decimals"))
		}),
		rapid.Custom(func(t *rapid.T) decimal.Decimal {
			return decimal.New(rapid.Int64Min(0).Draw(t, "coefficient"), rapid.Int32Range(-18, 18).Draw(t, "exponent"))
		}),
	)
	roundings = rapid.Custom(func(t *rapid.T) pricing.Rounding {
		return pricing.Rounding{
			Scale: rapid.OneOf(rapid.Int32Range(0, 3), rapid.Int32Range(0, 18)).Draw(t, "scale"),
			Mode:  rapid.SampledFrom([]pricing.RoundingMode{pricing.HalfUp, pricing.HalfEven, pricing.Up}).Draw(t, "mode"),
		}
	})
)

func drawRate(t *rapid.T, p usage.Product) pricing.Rate {
	r := pricing.Rate{UnitPrice: prices.Draw(t, "unitPrice"), SetupFee: prices.Draw(t, "setupFee")}
	r.Direction, r.Country = directions.Draw(t, "direction"), countries.Draw(t, "country")
	switch p {
	case usage.Messaging:
		r.Channel, r.Category = channels.Draw(t, "channel"), categories.Draw(t, "category")
	case usage.SMS, usage.Voice:
		r.Operator = operators.Draw(t, "operator")
	}
	if p == usage.Voice || p == usage.Video {
		r.Increment = pricing.Increment{First: steps.Draw(t, "first"), Next: steps.Draw(t, "next")}
	}
	return r
}

func drawList(t *rapid.T, p usage.Product, from time.Time) pricing.List {
	l := pricing.List{EffectiveFrom: from, Currency: rapid.SampledFrom([]money.Currency{"EUR", "JPY"}).Draw(t, "currency"), Rounding: roundings.Draw(t, "rounding")}
	if p == usage.SMS || p == usage.Messaging {
		l.ChargeOn = rapid.SampledFrom([]pricing.ChargeOn{pricing.OnSubmitted, pricing.OnDelivered}).Draw(t, "chargeOn")
	}
	rate := rapid.Custom(func(t *rapid.T) pricing.Rate { return drawRate(t, p) })
	l.Rates = rapid.SliceOfNDistinct(rate, 0, 8, func(r pricing.Rate) pricing.Selectors { return r.Selectors }).Draw(t, "rates")
	return l
}

func drawLists(t *rapid.T, p usage.Product) []pricing.List {
	from := rapid.SliceOfNDistinct(instants, 1, 4, time.Time.UnixMilli).Draw(t, "effectiveFrom")
	lists := make([]pricing.List, len(from))
	for i := range lists {
		lists[i] = drawList(t, p, from[i])
	}
	return lists
}

// drawRecord fills what the product's records have, each field known or not.
func drawRecord(t *rapid.T, log usage.Log) usage.Record {
	r := usage.Record{Log: log, Timestamp: instants.Draw(t, "timestamp"), Direction: directions.Draw(t, "direction"), Status: statuses.Draw(t, "status"), Country: countries.Draw(t, "country")}
	maybe := func(name string) *int64 {
		if rapid.IntRange(0, 5).Draw(t, name+" is told") == 0 {
			return nil
		}
		n := quantities.Draw(t, name)
		return &n
	}
	switch log.Product {
	case usage.SMS:
		r.Operator, r.Segments = operators.Draw(t, "operator"), maybe("segments")
	case usage.Voice:
		r.Operator, r.DurationSeconds = operators.Draw(t, "operator"), maybe("durationSeconds")
	case usage.Video:
		r.DurationSeconds, r.Participants = maybe("durationSeconds"), maybe("participants")
		if rapid.Bool().Draw(t, "participantSeconds are told") {
			r.ParticipantSeconds = maybe("participantSeconds")
		}
	case usage.Messaging:
		r.Channel, r.Category = channels.Draw(t, "channel"), categories.Draw(t, "category")
	}
	if rapid.Bool().Draw(t, "recorded") {
		r.RecordedPrice = &money.Money{Amount: prices.Draw(t, "recordedPrice"), Currency: "USD"}
	}
	return r
}

func mustBook(t rapid.TB, log usage.Log, lists ...pricing.List) pricing.Book {
	t.Helper()
	book, err := pricing.NewBook(log, lists)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// answer is a price in the texts of the API, to compare with the reference.
func answer(p pricing.Price) pricingtest.Price {
	a := pricingtest.Price{Status: string(p.Outcome), Reason: string(p.Reason)}
	if p.Money != nil {
		a.Amount, a.Currency = money.Text(p.Money.Amount), string(p.Money.Currency)
	}
	return a
}

// agrees fails unless the price is, in every detail, that of the second
// calculation.
func agrees(t rapid.TB, lists []pricing.List, r usage.Record, got pricing.Price) {
	t.Helper()
	want := pricingtest.Of(lists, r)
	a := answer(got)
	if a.Status != want.Status || a.Amount != want.Amount || a.Currency != want.Currency || a.Reason != want.Reason {
		t.Fatalf("got %+v\nwant %+v", a, want)
	}
	if (got.Money == nil) != (got.Outcome == pricing.Unrated) || (got.Reason == "") != (got.Outcome == pricing.Rated) || (got.Why == nil) != (got.Outcome != pricing.Rated) {
		t.Fatalf("money, reason and explanation do not go with %s: %+v", got.Outcome, got)
	}
	if got.Money != nil && got.Money.Amount.IsNegative() {
		t.Fatalf("%s %s is negative", got.Outcome, got.Money.Amount)
	}
	if got.Why == nil {
		return
	}
	if got.Why.Rate.Selectors != want.Rate.Selectors || !got.Why.Rate.UnitPrice.Equal(want.Rate.UnitPrice) {
		t.Fatalf("priced by %+v, not by %+v", got.Why.Rate, want.Rate)
	}
	if want.Billable == nil && got.Why.Billable != 0 || want.Billable != nil && want.Billable.Cmp(big.NewInt(got.Why.Billable)) != 0 {
		t.Fatalf("%d s billable, not %v", got.Why.Billable, want.Billable)
	}
}

func TestEveryPriceIsThatOfASecondCalculation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := logs.Draw(t, "log")
		lists := drawLists(t, log.Product)
		book := mustBook(t, log, lists...)
		for range 20 {
			r := drawRecord(t, log)
			agrees(t, lists, r, book.Price(r))
		}
	})
}

func TestMoreUseIsNeverCheaperAtTheSameRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := rapid.SampledFrom([]usage.Log{sms, voice, video}).Draw(t, "log")
		rate := drawRate(t, log.Product)
		rate.Selectors = pricing.Selectors{}
		list := pricing.List{EffectiveFrom: january, Currency: "EUR", Rounding: roundings.Draw(t, "rounding"), Rates: []pricing.Rate{rate}}
		book := mustBook(t, log, list)
		use := rapid.OneOf(rapid.Int64Range(0, 200), rapid.Int64Range(0, 1<<53-1))
		less, more := use.Draw(t, "one"), use.Draw(t, "another")
		if less > more {
			less, more = more, less
		}
		priceOf := func(n int64) decimal.Decimal {
			return book.Price(usage.Record{Log: log, Timestamp: day, Segments: &n, DurationSeconds: &n, ParticipantSeconds: &n}).Money.Amount
		}
		if priceOf(more).LessThan(priceOf(less)) {
			t.Fatalf("%d cost %s, and %d cost %s", less, priceOf(less), more, priceOf(more))
		}
	})
}

// What a partner adds up from the texts on the wire is the total of the exact
// prices, but for what each line was rounded by: at most half a step, or less
// than one, upwards only, where the list rounds up.
func TestLinesSumToTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := logs.Draw(t, "log")
		list := drawList(t, log.Product, january)
		book := mustBook(t, log, list)
		total, exact, lines := decimal.Zero, new(big.Rat), int64(0)
		for range rapid.IntRange(1, 20).Draw(t, "records") {
			r := drawRecord(t, log)
			p := book.Price(r)
			if p.Outcome != pricing.Rated {
				continue
			}
			text, err := decimal.NewFromString(money.Text(p.Money.Amount))
			if err != nil || !text.Equal(p.Money.Amount) {
				t.Fatalf("%s is written as %s", p.Money.Amount, text)
			}
			total = total.Add(text)
			exact.Add(exact, pricingtest.Of([]pricing.List{list}, r).Exact)
			lines++
		}
		off := new(big.Rat).Sub(total.Rat(), exact)
		step := decimal.New(1, -list.Rounding.Scale).Rat()
		most := new(big.Rat).Mul(step, big.NewRat(lines, 2))
		if list.Rounding.Mode == pricing.Up {
			most.Mul(step, big.NewRat(lines, 1))
			if off.Sign() < 0 {
				t.Fatalf("rounded up, %d lines sum to %s too little", lines, off.FloatString(20))
			}
		}
		if off.Abs(off).Cmp(most) > 0 {
			t.Fatalf("%d lines are off by %s", lines, off.FloatString(20))
		}
	})
}

func TestTheOrderOfListsAndRatesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := logs.Draw(t, "log")
		lists := drawLists(t, log.Product)
		shuffled := rapid.Permutation(lists).Draw(t, "lists in another order")
		for i := range shuffled {
			shuffled[i].Rates = rapid.Permutation(shuffled[i].Rates).Draw(t, "rates in another order")
		}
		one := mustBook(t, log, lists...)
		other := mustBook(t, log, shuffled...)
		r := drawRecord(t, log)
		if a, b := answer(one.Price(r)), answer(other.Price(r)); a != b {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

func TestPricingChangesNothingThatItIsGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := logs.Draw(t, "log")
		lists := drawLists(t, log.Product)
		book := mustBook(t, log, lists...)
		r := drawRecord(t, log)
		before := answer(book.Price(r))
		for i := range lists {
			slices.Reverse(lists[i].Rates)
			for j := range lists[i].Rates {
				lists[i].Rates[j].UnitPrice = decimal.New(12345, 0)
			}
		}
		if after := answer(book.Price(r)); after != before {
			t.Fatalf("%+v became %+v when the caller changed its own lists, or on being asked again", before, after)
		}
	})
}

func knownStatuses() []usage.Status {
	return []usage.Status{
		usage.Queued, usage.Sent, usage.Delivered, usage.Undelivered, usage.Read, usage.Rejected, usage.Failed, usage.Received,
		usage.Completed, usage.NoAnswer, usage.Busy, usage.Canceled, usage.Error, usage.InProgress, usage.Unknown,
	}
}
