package pricing_test

import (
	"fmt"

	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// price prices one record by one list, and prints the outcome.
func price(l pricing.List, r usage.Record) {
	book, err := pricing.NewBook(r.Log, []pricing.List{l})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := book.Price(r)
	switch {
	case p.Why != nil && p.Why.Billable > 0:
		fmt.Printf("%s %s %s: %d s billed as %d s, at %s per %s\n", p.Outcome, money.Text(p.Money.Amount), p.Money.Currency, p.Why.Quantity, p.Why.Billable, p.Why.Rate.UnitPrice, p.Why.Unit)
	case p.Why != nil:
		fmt.Printf("%s %s %s: %d at %s per %s\n", p.Outcome, money.Text(p.Money.Amount), p.Money.Currency, p.Why.Quantity, p.Why.Rate.UnitPrice, p.Why.Unit)
	case p.Money != nil:
		fmt.Printf("%s %s %s: %s\n", p.Outcome, money.Text(p.Money.Amount), p.Money.Currency, p.Reason)
	default:
		fmt.Printf("%s: %s\n", p.Outcome, p.Reason)
	}
}

// euros is a list of 2026 in euros, rounded half-up to six decimals.
func euros(rates ...pricing.Rate) pricing.List {
	return pricing.List{EffectiveFrom: january, Currency: "EUR", Rounding: pricing.DefaultRounding(), Rates: rates}
}

// A long text goes out in two segments, and each is charged:
// 2 × 0.081 = 0.162.
func ExampleBook_Price_smsOfTwoSegments() {
	price(
		euros(pricing.Rate{Selectors: pricing.Selectors{Direction: usage.Outbound, Country: "GB"}, UnitPrice: dec("0.081")}),
		usage.Record{Log: sms, Timestamp: day, Direction: usage.Outbound, Status: usage.Delivered, Country: "GB", Segments: count(2)},
	)
	// Output: rated 0.162 EUR: 2 at 0.081 per segment
}

// Both rates match. Naming the operator beats naming the country, so the
// message costs 3 × 0.075 and, once, the set-up fee of 0.005: 0.225 + 0.005 =
// 0.23.
func ExampleBook_Price_smsByOperatorWithSetupFee() {
	price(
		euros(
			pricing.Rate{Selectors: pricing.Selectors{Direction: usage.Outbound, Country: "DE"}, UnitPrice: dec("0.0810")},
			pricing.Rate{Selectors: pricing.Selectors{Operator: "26201"}, UnitPrice: dec("0.0750"), SetupFee: dec("0.005")},
		),
		usage.Record{Log: sms, Timestamp: day, Direction: usage.Outbound, Status: usage.Sent, Country: "DE", Operator: "26201", Segments: count(3)},
	)
	// Output: rated 0.23 EUR: 3 at 0.075 per segment
}

// 3 × 0.015 = 0.045 lies exactly between two cents. Half-up goes away from
// zero, to 0.05; half-even goes to the even digit, 0.04. Rounding up goes to
// 0.05 as well, and would from 0.041.
func ExampleBook_Price_smsRoundedToCents() {
	for _, mode := range []pricing.RoundingMode{pricing.HalfUp, pricing.HalfEven, pricing.Up} {
		cents := euros(pricing.Rate{UnitPrice: dec("0.015")})
		cents.Rounding = pricing.Rounding{Scale: 2, Mode: mode}
		price(cents, usage.Record{Log: sms, Timestamp: day, Direction: usage.Inbound, Status: usage.Received, Segments: count(3)})
	}
	// Output:
	// rated 0.05 EUR: 3 at 0.015 per segment
	// rated 0.04 EUR: 3 at 0.015 per segment
	// rated 0.05 EUR: 3 at 0.015 per segment
}

// With 60/60, the second minute counts whole once it has begun: 61 s are 120 s.
// 0.0050 + 0.0120 × 120 / 60 = 0.005 + 0.024 = 0.029.
func ExampleBook_Price_voiceByWholeMinutes() {
	price(
		euros(pricing.Rate{
			Selectors: pricing.Selectors{Direction: usage.Outbound, Country: "GB"},
			UnitPrice: dec("0.0120"), SetupFee: dec("0.0050"), Increment: pricing.DefaultIncrement(),
		}),
		usage.Record{Log: voice, Timestamp: day, Direction: usage.Outbound, Status: usage.Completed, Country: "GB", DurationSeconds: count(61)},
	)
	// Output: rated 0.029 EUR: 61 s billed as 120 s, at 0.012 per minute
}

// With 30/6, the first 30 s count whole, then every 6 s: 31 s are 30 + 6 = 36 s.
// 0.01 × 36 / 60 = 0.006.
func ExampleBook_Price_voiceBySixSeconds() {
	price(
		euros(pricing.Rate{UnitPrice: dec("0.01"), Increment: pricing.Increment{First: 30, Next: 6}}),
		usage.Record{Log: voice, Timestamp: day, Direction: usage.Outbound, Status: usage.Completed, DurationSeconds: count(31)},
	)
	// Output: rated 0.006 EUR: 31 s billed as 36 s, at 0.01 per minute
}

// With 1/1 every second counts. 0.0125 × 100 / 60 = 0.0208333…, which is rounded
// once, at the end, to six decimals: 0.020833.
func ExampleBook_Price_voiceBySeconds() {
	price(
		euros(pricing.Rate{UnitPrice: dec("0.0125"), Increment: pricing.Increment{First: 1, Next: 1}}),
		usage.Record{Log: voice, Timestamp: day, Direction: usage.Inbound, Status: usage.Completed, DurationSeconds: count(100)},
	)
	// Output: rated 0.020833 EUR: 100 s billed as 100 s, at 0.0125 per minute
}

// Three people for ten minutes are 3 × 600 = 1,800 participant-seconds, 30
// participant-minutes: 30 × 0.004 = 0.12.
func ExampleBook_Price_videoOfThreePeople() {
	price(
		euros(pricing.Rate{UnitPrice: dec("0.004"), Increment: pricing.DefaultIncrement()}),
		usage.Record{Log: video, Timestamp: day, Status: usage.Completed, Participants: count(3), DurationSeconds: count(600)},
	)
	// Output: rated 0.12 EUR: 1800 s billed as 1800 s, at 0.004 per participant-minute
}

// The increment applies to the session's participant-seconds as one number, not
// to each person's: 3 × 70 = 210 s are 240 s, 4 minutes, and not 3 × 120 s, 6
// minutes. 4 × 0.004 = 0.016.
func ExampleBook_Price_videoIncrementOnTheSum() {
	price(
		euros(pricing.Rate{UnitPrice: dec("0.004"), Increment: pricing.DefaultIncrement()}),
		usage.Record{Log: video, Timestamp: day, Status: usage.Completed, Participants: count(3), DurationSeconds: count(70)},
	)
	// Output: rated 0.016 EUR: 210 s billed as 240 s, at 0.004 per participant-minute
}

// Where people came and went, the platform tells the sum, and that is what
// counts: 1,234 s, not 3 × 600 s. 0.01 + 0.004 × 1234 / 60 = 0.01 + 0.0822666… =
// 0.0922666…, rounded to 0.092267.
func ExampleBook_Price_videoParticipantSecondsAreTold() {
	price(
		euros(pricing.Rate{UnitPrice: dec("0.004"), SetupFee: dec("0.01"), Increment: pricing.Increment{First: 1, Next: 1}}),
		usage.Record{Log: video, Timestamp: day, Status: usage.Completed, Participants: count(3), DurationSeconds: count(600), ParticipantSeconds: count(1234)},
	)
	// Output: rated 0.092267 EUR: 1234 s billed as 1234 s, at 0.004 per participant-minute
}

// A message of a messaging app is one message, however long: 1 × 0.1131.
func ExampleBook_Price_messagingIsOneMessage() {
	price(
		euros(pricing.Rate{Selectors: pricing.Selectors{Channel: "whatsapp", Category: "marketing", Country: "DE"}, UnitPrice: dec("0.1131")}),
		usage.Record{Log: messaging, Timestamp: day, Direction: usage.Outbound, Status: usage.Read, Channel: "whatsapp", Category: "marketing", Country: "DE"},
	)
	// Output: rated 0.1131 EUR: 1 at 0.1131 per message
}

// A list may charge only what was delivered. A message that was sent and not
// (yet) delivered is free then, whatever the rates say: 0, in the list's
// currency.
func ExampleBook_Price_messagingChargedOnDelivery() {
	l := euros(pricing.Rate{UnitPrice: dec("0.1131")})
	l.ChargeOn = pricing.OnDelivered
	price(l, usage.Record{Log: messaging, Timestamp: day, Direction: usage.Outbound, Status: usage.Sent, Channel: "whatsapp"})
	// Output: free 0 EUR: status
}

// No rate is for RCS. What the platform recorded is shown then, as it is and in
// its own currency; where it recorded nothing, nobody knows the price, and that
// is not 0.
func ExampleBook_Price_messagingWithoutRate() {
	l := euros(pricing.Rate{Selectors: pricing.Selectors{Channel: "whatsapp"}, UnitPrice: dec("0.1131")})
	r := usage.Record{Log: messaging, Timestamp: day, Direction: usage.Outbound, Status: usage.Delivered, Channel: "rcs"}
	price(l, r)
	r.RecordedPrice = &money.Money{Amount: dec("0.0412345678"), Currency: "USD"}
	price(l, r)
	// Output:
	// unrated: no_rate
	// recorded 0.0412345678 USD: no_rate
}
