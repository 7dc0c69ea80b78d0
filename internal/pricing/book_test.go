package pricing_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

var (
	sms       = usage.Log{Account: "acme_retail", Product: usage.SMS}
	voice     = usage.Log{Account: "acme_retail", Product: usage.Voice}
	video     = usage.Log{Account: "acme_retail", Product: usage.Video}
	messaging = usage.Log{Account: "acme_retail", Product: usage.Messaging}

	january = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	day     = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
)

func dec(text string) decimal.Decimal { return decimal.RequireFromString(text) }

func count(n int64) *int64 { return &n }

// is fails unless the price reads as wanted: "rated 0.162 EUR", "free 0 EUR
// status", "recorded 0.07 USD no_rate", "unrated no_rate".
func is(t *testing.T, got pricing.Price, want string) {
	t.Helper()
	a := answer(got)
	if text := strings.Join(strings.Fields(fmt.Sprint(a.Status, " ", a.Amount, " ", a.Currency, " ", a.Reason)), " "); text != want {
		t.Errorf("got %q, want %q", text, want)
	}
}

// In each case several conditions hold, and the first of them decides.
func TestTheFirstConditionThatHoldsDecides(t *testing.T) {
	dollars := money.Money{Amount: dec("0.0700000001"), Currency: "USD"}
	rated := pricing.Rate{UnitPrice: dec("0.1")}
	elsewhere := pricing.Rate{Selectors: pricing.Selectors{Country: "FR"}, UnitPrice: dec("0.1")}
	for _, c := range []struct {
		claim    string
		noList   bool
		status   usage.Status
		segments *int64
		rate     pricing.Rate
		want     string
		recorded string // the same with a recorded price
	}{
		{"a free status needs a list, since nobody else says that it is free", true, usage.Rejected, nil, elsewhere, "unrated no_price_list", "recorded 0.0700000001 USD no_price_list"},
		{"nothing billable needs a list too", true, usage.Delivered, count(0), elsewhere, "unrated no_price_list", "recorded 0.0700000001 USD no_price_list"},
		{"a status that is not charged is free, though the quantity is unknown", false, usage.Rejected, nil, elsewhere, "free 0 EUR status", "free 0 EUR status"},
		{"a status that is not charged is the reason, though the quantity is 0", false, usage.Rejected, count(0), elsewhere, "free 0 EUR status", "free 0 EUR status"},
		{"an unknown quantity comes before the missing rate", false, usage.Delivered, nil, elsewhere, "unrated quantity_unknown", "recorded 0.0700000001 USD quantity_unknown"},
		{"an unknown quantity is unknown, though a rate matches", false, usage.Delivered, nil, rated, "unrated quantity_unknown", "recorded 0.0700000001 USD quantity_unknown"},
		{"a quantity of 0 is free, though no rate matches", false, usage.Delivered, count(0), elsewhere, "free 0 EUR nothing_billable", "free 0 EUR nothing_billable"},
		{"a quantity of 0 is free, though a rate matches", false, usage.Delivered, count(0), rated, "free 0 EUR nothing_billable", "free 0 EUR nothing_billable"},
		{"where no rate matches, the price is not known", false, usage.Delivered, count(2), elsewhere, "unrated no_rate", "recorded 0.0700000001 USD no_rate"},
		{"a list that names no chargeOn charges what is submitted", false, usage.Sent, count(2), rated, "rated 0.2 EUR", "rated 0.2 EUR"},
		{"and no more than that", false, usage.Queued, count(2), rated, "free 0 EUR status", "free 0 EUR status"},
		{"a rate that matches beats the recorded price", false, usage.Delivered, count(2), rated, "rated 0.2 EUR", "rated 0.2 EUR"},
		{"a rate of 0 is rated, not free", false, usage.Delivered, count(2), pricing.Rate{}, "rated 0 EUR", "rated 0 EUR"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			var lists []pricing.List
			if !c.noList {
				lists = append(lists, euros(c.rate))
			}
			book := mustBook(t, sms, lists...)
			r := usage.Record{Log: sms, Timestamp: day, Direction: usage.Outbound, Status: c.status, Country: "GB", Segments: c.segments}
			is(t, book.Price(r), c.want)
			r.RecordedPrice = &dollars
			is(t, book.Price(r), c.recorded)
		})
	}
}

func TestWhichStatusesAreCharged(t *testing.T) {
	const neither, onlySubmitted, both = "neither", "submitted", "submitted and delivered"
	want := map[usage.Status]string{
		usage.Queued: neither, usage.Rejected: neither, usage.Failed: neither, usage.Canceled: neither, usage.Error: neither,
		usage.Sent: onlySubmitted, usage.Undelivered: onlySubmitted, usage.Received: onlySubmitted, usage.Completed: onlySubmitted,
		usage.NoAnswer: onlySubmitted, usage.Busy: onlySubmitted, usage.InProgress: onlySubmitted, usage.Unknown: onlySubmitted,
		"": onlySubmitted, "expired": onlySubmitted,
		usage.Delivered: both, usage.Read: both,
	}
	for _, s := range append(knownStatuses(), "", "expired") {
		for _, log := range []usage.Log{sms, messaging} {
			got := neither
			for _, on := range []pricing.ChargeOn{pricing.OnSubmitted, pricing.OnDelivered} {
				l := euros(pricing.Rate{UnitPrice: dec("0.1")})
				l.ChargeOn = on
				book := mustBook(t, log, l)
				r := usage.Record{Log: log, Timestamp: day, Status: s, Segments: count(1)}
				switch r.Direction = usage.Outbound; book.Price(r).Outcome {
				case pricing.Rated:
					got = strings.TrimPrefix(got+" and "+string(on), neither+" and ")
				case pricing.Free:
				default:
					t.Errorf("%s, outbound, %q: %s", log.Product, s, book.Price(r).Outcome)
				}
				for _, d := range []usage.Direction{usage.Inbound, ""} {
					if r.Direction = d; book.Price(r).Outcome != pricing.Rated {
						t.Errorf("%s, direction %q, %q: %s; only outbound messages go by status", log.Product, d, s, book.Price(r).Outcome)
					}
				}
			}
			if got != want[s] {
				t.Errorf("%s, outbound, %q is charged on %s, not on %s", log.Product, s, got, want[s])
			}
		}
		for _, log := range []usage.Log{voice, video} {
			book := mustBook(t, log, euros(pricing.Rate{UnitPrice: dec("0.1"), Increment: pricing.DefaultIncrement()}))
			r := usage.Record{Log: log, Timestamp: day, Direction: usage.Outbound, Status: s, DurationSeconds: count(1), ParticipantSeconds: count(1)}
			if book.Price(r).Outcome != pricing.Rated {
				t.Errorf("%s, %q: %s; calls and sessions go by their seconds", log.Product, s, book.Price(r).Outcome)
			}
		}
	}
}

func TestTheListInForceIsTheNewestThatHasTakenEffect(t *testing.T) {
	list := func(from time.Time, price string) pricing.List {
		l := euros(pricing.Rate{UnitPrice: dec(price)})
		l.EffectiveFrom = from
		return l
	}
	march, june := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	book := mustBook(t, sms, list(march, "3"), list(january, "1"), list(june, "6")) // in no order
	for _, c := range []struct {
		claim string
		at    time.Time
		want  string
	}{
		{"before the first list there is none", january.Add(-time.Millisecond), "unrated no_price_list"},
		{"a list is in force from its first millisecond", january, "rated 1 EUR"},
		{"a list is in force up to the last millisecond before the next", march.Add(-time.Millisecond), "rated 1 EUR"},
		{"the next list takes over", march, "rated 3 EUR"},
		{"between two lists the older one holds", march.AddDate(0, 1, 0), "rated 3 EUR"},
		{"the last list holds for good", june.AddDate(50, 0, 0), "rated 6 EUR"},
		{"an instant is the same in every zone", march.In(time.FixedZone("", -5*3600)), "rated 3 EUR"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			p := book.Price(usage.Record{Log: sms, Timestamp: c.at, Segments: count(1)})
			is(t, p, c.want)
		})
	}
}

func TestTheCurrencyIsThatOfTheListInForce(t *testing.T) {
	yen := pricing.List{EffectiveFrom: day, Currency: "JPY", Rounding: pricing.Rounding{Scale: 0, Mode: pricing.HalfUp}, Rates: []pricing.Rate{{UnitPrice: dec("3.5")}}}
	book := mustBook(t, sms, euros(pricing.Rate{UnitPrice: dec("0.1")}), yen)
	is(t, book.Price(usage.Record{Log: sms, Timestamp: day, Segments: count(1)}), "rated 4 JPY")
	is(t, book.Price(usage.Record{Log: sms, Timestamp: day, Segments: count(0)}), "free 0 JPY nothing_billable")
	is(t, book.Price(usage.Record{Log: sms, Timestamp: day.Add(-1), Segments: count(1)}), "rated 0.1 EUR")
}

func TestARecordedPriceStaysAsItIs(t *testing.T) {
	cents := euros()
	cents.Rounding.Scale = 2
	book := mustBook(t, sms, cents)
	for amount, want := range map[string]string{
		"0.123456789012345678901": "recorded 0.123456789012345678901 USD no_rate",
		"0":                       "recorded 0 USD no_rate",
		"-0.5":                    "recorded -0.5 USD no_rate",
		"0.0500":                  "recorded 0.05 USD no_rate",
	} {
		r := usage.Record{Log: sms, Timestamp: day, Segments: count(1), RecordedPrice: &money.Money{Amount: dec(amount), Currency: "USD"}}
		is(t, book.Price(r), want)
	}
}

func TestARecordOfAnotherLogIsNotPricedByThisBook(t *testing.T) {
	book := mustBook(t, sms, euros(pricing.Rate{UnitPrice: dec("0.1")}))
	for _, log := range []usage.Log{{Account: "acme_retail", Product: usage.Messaging}, {Account: "another", Product: usage.SMS}} {
		r := usage.Record{Log: log, Timestamp: day, Segments: count(1)}
		is(t, book.Price(r), "unrated no_price_list")
		if m := book.Matches(r); len(m) != 0 {
			t.Errorf("%s has matches: %v", log, m)
		}
	}
}

func TestAnEmptyBookHasNoList(t *testing.T) {
	is(t, pricing.Book{}.Price(usage.Record{Log: sms, Timestamp: day, Segments: count(1)}), "unrated no_price_list")
	is(t, mustBook(t, sms).Price(usage.Record{Log: sms, Timestamp: day, Segments: count(1)}), "unrated no_price_list")
}

func TestABookLeavesTheCallersListsInTheirOrder(t *testing.T) {
	later := euros()
	later.EffectiveFrom = day
	newer, err := pricing.Index(usage.SMS, later)
	if err != nil {
		t.Fatal(err)
	}
	older, err := pricing.Index(usage.SMS, euros())
	if err != nil {
		t.Fatal(err)
	}
	kept := []*pricing.Indexed{newer, older}
	if _, err := pricing.BookOf(sms, kept...); err != nil || kept[0] != newer || kept[1] != older {
		t.Errorf("the caller's lists were put in another order: %v", err)
	}
	if !newer.EffectiveFrom().Equal(day) {
		t.Errorf("a list from %s says that it takes effect at %s", day, newer.EffectiveFrom())
	}
}

func TestABookRefusesFaultyLists(t *testing.T) {
	negative := euros(pricing.Rate{UnitPrice: dec("-1")})
	indexed, err := pricing.Index(usage.Messaging, euros())
	if err != nil {
		t.Fatal(err)
	}
	for claim, c := range map[string]struct {
		make func() (pricing.Book, error)
		want string
	}{
		"a list with a fault": {
			func() (pricing.Book, error) { return pricing.NewBook(sms, []pricing.List{euros(), negative}) },
			"price lists of acme_retail sms: sms price list of 2026-01-01T00:00:00.000Z: rates[0].unitPrice: must not be negative",
		},
		"two lists that take effect at once": {
			func() (pricing.Book, error) { return pricing.NewBook(sms, []pricing.List{euros(), euros()}) },
			"price lists of acme_retail sms: two take effect at 2026-01-01T00:00:00.000Z",
		},
		"a list that was indexed for another product": {
			func() (pricing.Book, error) { return pricing.BookOf(sms, indexed) },
			"price lists of acme_retail sms: one is for messaging",
		},
	} {
		t.Run(claim, func(t *testing.T) {
			if _, err := c.make(); err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestWhatARecordIsChargedBy(t *testing.T) {
	for _, c := range []struct {
		claim string
		r     usage.Record
		want  string // with 1 EUR a unit, counted by the second
	}{
		{"SMS: its segments", usage.Record{Log: sms, Segments: count(4), DurationSeconds: count(9)}, "rated 4 EUR"},
		{"messaging: one message", usage.Record{Log: messaging, Segments: count(4)}, "rated 1 EUR"},
		{"voice: its seconds", usage.Record{Log: voice, DurationSeconds: count(90), ParticipantSeconds: count(9)}, "rated 1.5 EUR"},
		{"video: its participant-seconds", usage.Record{Log: video, DurationSeconds: count(600), Participants: count(3), ParticipantSeconds: count(90)}, "rated 1.5 EUR"},
		{"video without participant-seconds: participants times seconds", usage.Record{Log: video, DurationSeconds: count(30), Participants: count(3)}, "rated 1.5 EUR"},
		{"video with 0 participant-seconds: 0, not participants times seconds", usage.Record{Log: video, DurationSeconds: count(30), Participants: count(3), ParticipantSeconds: count(0)}, "free 0 EUR nothing_billable"},
		{"video of nobody", usage.Record{Log: video, DurationSeconds: count(30), Participants: count(0)}, "free 0 EUR nothing_billable"},
		{"video of an unknown number of people", usage.Record{Log: video, DurationSeconds: count(30)}, "unrated quantity_unknown"},
		{"video of unknown length, though of nobody", usage.Record{Log: video, Participants: count(0)}, "unrated quantity_unknown"},
		{"SMS without segments", usage.Record{Log: sms}, "unrated quantity_unknown"},
		{"voice without seconds", usage.Record{Log: voice}, "unrated quantity_unknown"},
		{"the most that is priced", usage.Record{Log: sms, Segments: count(1<<53 - 1)}, "rated 9007199254740991 EUR"},
		{"more than JSON can hold exactly", usage.Record{Log: sms, Segments: count(1 << 53)}, "unrated quantity_unknown"},
		{"less than nothing", usage.Record{Log: voice, DurationSeconds: count(-60)}, "unrated quantity_unknown"},
		{"a product that is just the most", usage.Record{Log: video, Participants: count(6361 * 69431), DurationSeconds: count(20394401)}, "rated 150119987579016.516666667 EUR"},
		{"a product that is just too large", usage.Record{Log: video, Participants: count(1 << 26), DurationSeconds: count(1 << 27)}, "unrated quantity_unknown"},
		{"a product that overflows to a small number", usage.Record{Log: video, Participants: count(1<<32 + 1), DurationSeconds: count(1 << 32)}, "unrated quantity_unknown"},
		{"a product of two negative numbers", usage.Record{Log: video, Participants: count(-3), DurationSeconds: count(-60)}, "unrated quantity_unknown"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			rate := pricing.Rate{UnitPrice: dec("1")}
			if c.r.Product == usage.Voice || c.r.Product == usage.Video {
				rate.Increment = pricing.Increment{First: 1, Next: 1}
			}
			l := euros(rate)
			l.Rounding.Scale = 9
			c.r.Timestamp = day
			is(t, mustBook(t, c.r.Log, l).Price(c.r), c.want)
		})
	}
}

func TestBillableSeconds(t *testing.T) {
	for _, c := range []struct{ first, next, seconds, want int64 }{
		{60, 60, 1, 60}, {60, 60, 60, 60}, {60, 60, 61, 120}, {60, 60, 120, 120}, {60, 60, 121, 180},
		{30, 6, 1, 30}, {30, 6, 10, 30}, {30, 6, 30, 30}, {30, 6, 31, 36}, {30, 6, 36, 36}, {30, 6, 37, 42},
		{1, 1, 1, 1}, {1, 1, 59, 59}, {60, 1, 59, 60}, {60, 1, 61, 61}, {1, 60, 1, 1}, {1, 60, 2, 61},
		{1<<53 - 1, 1<<53 - 1, 1<<53 - 1, 1<<53 - 1}, {1, 1<<53 - 1, 1<<53 - 1, 1 << 53}, {1<<53 - 2, 1<<53 - 1, 1<<53 - 1, 1<<54 - 3},
	} {
		book := mustBook(t, voice, euros(pricing.Rate{UnitPrice: dec("60"), Increment: pricing.Increment{First: c.first, Next: c.next}}))
		p := book.Price(usage.Record{Log: voice, Timestamp: day, DurationSeconds: &c.seconds})
		if p.Why.Quantity != c.seconds || p.Why.Billable != c.want || !p.Money.Amount.Equal(decimal.NewFromInt(c.want)) {
			t.Errorf("%d/%d: %d s are billed as %d s and cost %s, want %d", c.first, c.next, p.Why.Quantity, p.Why.Billable, p.Money.Amount, c.want)
		}
	}
}

func TestAPriceIsRoundedOnceAtTheEnd(t *testing.T) {
	by := func(scale int32, mode pricing.RoundingMode) pricing.Rounding {
		return pricing.Rounding{Scale: scale, Mode: mode}
	}
	for _, c := range []struct {
		claim     string
		unit, fee string
		seconds   int64
		to        pricing.Rounding
		want      string
	}{
		{"half-up: below half goes down", "0.149", "0", 60, by(1, pricing.HalfUp), "0.1"},
		{"half-up: a tie goes up", "0.25", "0", 60, by(1, pricing.HalfUp), "0.3"},
		{"half-up: a tie of the division goes up", "0.03", "0", 10, by(2, pricing.HalfUp), "0.01"},
		{"half-even: a tie goes to the even digit below", "0.25", "0", 60, by(1, pricing.HalfEven), "0.2"},
		{"half-even: a tie goes to the even digit above", "0.35", "0", 60, by(1, pricing.HalfEven), "0.4"},
		{"half-even: a tie of the division goes to the even digit", "0.03", "0", 10, by(2, pricing.HalfEven), "0"},
		{"half-even: a hair above the tie goes up", "0.250000000000000001", "0", 60, by(1, pricing.HalfEven), "0.3"},
		{"half-even: a hair below the tie goes down", "0.349999999999999999", "0", 60, by(1, pricing.HalfEven), "0.3"},
		{"up: the least remainder goes up", "0.100000000000000001", "0", 60, by(1, pricing.Up), "0.2"},
		{"up: no remainder stays", "0.1000", "0", 60, by(1, pricing.Up), "0.1"},
		{"to whole units, as of yen", "2.5", "0", 60, by(0, pricing.HalfUp), "3"},
		{"to 18 decimals", "0.01", "0", 1, by(18, pricing.HalfUp), "0.000166666666666667"},
		{"the fee and the use are rounded together: 0.004 + 0.001 is 0.005", "0.001", "0.004", 60, by(2, pricing.HalfUp), "0.01"},
		{"the use is not rounded before the fee is added: 0.005 + 0.0099 is below 0.015", "0.03", "0.0099", 10, by(2, pricing.HalfUp), "0.01"},
		{"what the division leaves is not cut before it is rounded: 0.0000005 is a tie", "0.00003", "0", 1, by(6, pricing.HalfUp), "0.000001"},
		{"the use and the fee stand over one denominator: 2.3 cents", "0.0120", "0.005", 90, by(2, pricing.HalfUp), "0.02"},
		{"a price with an exponent is a price", "1E2", "2E3", 90, by(2, pricing.HalfUp), "2150"},
		{"a fee alone", "0", "0.125", 60, by(2, pricing.HalfEven), "0.12"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			l := euros(pricing.Rate{UnitPrice: dec(c.unit), SetupFee: dec(c.fee), Increment: pricing.Increment{First: 1, Next: 1}})
			l.Rounding = c.to
			is(t, mustBook(t, voice, l).Price(usage.Record{Log: voice, Timestamp: day, DurationSeconds: &c.seconds}), "rated "+c.want+" EUR")
		})
	}
}

func TestNoDigitIsLostHoweverLongThePriceAndTheQuantity(t *testing.T) {
	l := euros(pricing.Rate{UnitPrice: dec("99.123456789012345678"), SetupFee: dec("0.000000000000000001")})
	l.Rounding.Scale = 18
	is(t, mustBook(t, sms, l).Price(usage.Record{Log: sms, Timestamp: day, Segments: count(1<<53 - 1)}),
		"rated 892824726117342824.757218771248286899 EUR")
}

// The library's Div rounds to a package variable, which any other package could
// set. Nothing here may go through it.
func TestNoPackageVariableOfTheLibraryChangesAPrice(t *testing.T) {
	defer func(before int) { decimal.DivisionPrecision = before }(decimal.DivisionPrecision)
	decimal.DivisionPrecision = 0
	book := mustBook(t, voice, euros(pricing.Rate{UnitPrice: dec("0.0125"), Increment: pricing.Increment{First: 1, Next: 1}}))
	is(t, book.Price(usage.Record{Log: voice, Timestamp: day, DurationSeconds: count(100)}), "rated 0.020833 EUR")
}

func TestTheSetupFeeIsChargedOncePerRecord(t *testing.T) {
	fee := pricing.Rate{UnitPrice: dec("1"), SetupFee: dec("0.5")}
	perMinute := fee
	perMinute.Increment = pricing.Increment{First: 1, Next: 1}
	is(t, mustBook(t, sms, euros(fee)).Price(usage.Record{Log: sms, Timestamp: day, Segments: count(7)}), "rated 7.5 EUR")
	is(t, mustBook(t, voice, euros(perMinute)).Price(usage.Record{Log: voice, Timestamp: day, DurationSeconds: count(420)}), "rated 7.5 EUR")
	is(t, mustBook(t, video, euros(perMinute)).Price(usage.Record{Log: video, Timestamp: day, Participants: count(7), DurationSeconds: count(60)}), "rated 7.5 EUR")
	is(t, mustBook(t, messaging, euros(fee)).Price(usage.Record{Log: messaging, Timestamp: day}), "rated 1.5 EUR")
}

func TestAnExplanationIsEnoughToCalculateThePriceAgain(t *testing.T) {
	l := euros(pricing.Rate{
		Selectors: pricing.Selectors{Country: "GB"}, UnitPrice: dec("0.0120"), SetupFee: dec("0.0050"),
		Increment: pricing.Increment{First: 60, Next: 30},
	})
	l.Rounding = pricing.Rounding{Scale: 4, Mode: pricing.Up}
	p := mustBook(t, voice, l).Price(usage.Record{Log: voice, Timestamp: day, Country: "GB", DurationSeconds: count(61)})
	want := pricing.Explanation{Unit: pricing.Minute, Quantity: 61, Rate: p.Why.Rate, Billable: 90, EffectiveFrom: january, Rounding: l.Rounding}
	if *p.Why != want {
		t.Errorf("got %+v, want %+v", *p.Why, want)
	}
	if r := p.Why.Rate; r.Selectors != l.Rates[0].Selectors || !r.UnitPrice.Equal(dec("0.012")) || !r.SetupFee.Equal(dec("0.005")) || r.Increment != l.Rates[0].Increment {
		t.Errorf("rated by %+v", r)
	}
	units := map[usage.Product]pricing.Unit{usage.SMS: "segment", usage.Messaging: "message", usage.Voice: "minute", usage.Video: "participant-minute"}
	for _, log := range []usage.Log{sms, voice, video, messaging} {
		rate := pricing.Rate{}
		if log.Product == usage.Voice || log.Product == usage.Video {
			rate.Increment = pricing.DefaultIncrement()
		}
		p := mustBook(t, log, euros(rate)).Price(usage.Record{Log: log, Timestamp: day, Segments: count(1), DurationSeconds: count(1), Participants: count(1)})
		if p.Why.Unit != units[log.Product] {
			t.Errorf("%s is priced by the %s", log.Product, p.Why.Unit)
		}
		if (p.Why.Billable != 0) != (rate.Increment.First != 0) {
			t.Errorf("%s has %d billable seconds", log.Product, p.Why.Billable)
		}
	}
}

// Int64 is all that a record can say; none of it may panic or wrap.
func TestNoQuantityPanics(t *testing.T) {
	extremes := []int64{math.MinInt64, -1, 0, 1, 1<<53 - 1, 1 << 53, math.MaxInt64 - 1, math.MaxInt64}
	for _, log := range []usage.Log{sms, voice, video, messaging} {
		rate := pricing.Rate{UnitPrice: dec("1E18"), SetupFee: dec("1E-18")}
		if log.Product == usage.Voice || log.Product == usage.Video {
			rate.Increment = pricing.Increment{First: 1<<53 - 1, Next: 1<<53 - 1}
		}
		book := mustBook(t, log, euros(rate))
		for _, a := range extremes {
			for _, b := range extremes {
				p := book.Price(usage.Record{Log: log, Timestamp: day, Segments: &a, DurationSeconds: &a, Participants: &b})
				if p.Money != nil && p.Money.Amount.IsNegative() {
					t.Errorf("%s: %d, %d cost %s", log.Product, a, b, p.Money.Amount)
				}
			}
		}
	}
}
