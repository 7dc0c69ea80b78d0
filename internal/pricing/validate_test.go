package pricing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// faultless is a list of the product that uses all that it may.
func faultless(p usage.Product) pricing.List {
	l := euros(pricing.Rate{Selectors: pricing.Selectors{Direction: usage.Outbound, Country: "DE"}, UnitPrice: dec("0.1"), SetupFee: dec("0.01")}, pricing.Rate{})
	switch p {
	case usage.SMS, usage.Messaging:
		l.ChargeOn = pricing.OnDelivered
	default:
		l.Rates[0].Increment, l.Rates[1].Increment = pricing.Increment{First: 1, Next: 1<<53 - 1}, pricing.DefaultIncrement()
	}
	switch p {
	case usage.SMS, usage.Voice:
		l.Rates[0].Operator = "310004"
	case usage.Messaging:
		l.Rates[0].Channel, l.Rates[0].Category = "whatsapp", usage.Category("marketing_"+strings.Repeat("9", 22))
	}
	return l
}

func TestAListWithoutFaultsHasNone(t *testing.T) {
	for _, p := range usage.Products() {
		for _, scale := range []int32{0, 18} {
			for _, mode := range []pricing.RoundingMode{"half-up", "half-even", "up"} {
				l := faultless(p)
				l.Rounding = pricing.Rounding{Scale: scale, Mode: mode}
				if errs := l.Validate(p); len(errs) != 0 {
					t.Errorf("%s: %v", p, errs)
				}
			}
		}
	}
}

// What was stored before it was an error still prices nothing, and breaks nothing.
func TestAListWithoutRatesIsAFaultButCanBePricedBy(t *testing.T) {
	empty := euros()
	if got := fmt.Sprint(empty.Validate(usage.SMS)); !strings.HasPrefix(got, "[rates: is empty") {
		t.Errorf("its errors are %s", got)
	}
	book, err := pricing.NewBook(usage.Log{Account: "acme", Product: usage.SMS}, []pricing.List{empty})
	if err != nil {
		t.Fatal(err)
	}
	one := int64(1)
	r := usage.Record{Log: usage.Log{Account: "acme", Product: usage.SMS}, Timestamp: empty.EffectiveFrom, Segments: &one}
	if got := book.Price(r); got.Outcome != pricing.Unrated || got.Reason != pricing.NoRate {
		t.Errorf("its price is %+v", got)
	}
}

func TestEveryFaultIsNamedWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		product usage.Product
		claim   string
		spoil   func(*pricing.List)
		want    string
	}{
		{usage.SMS, "no effectiveFrom", func(l *pricing.List) { l.EffectiveFrom = time.Time{} }, "effectiveFrom: must be given"},
		{usage.SMS, "no currency", func(l *pricing.List) { l.Currency = "" }, "currency: must be an ISO 4217 code in capitals, as EUR"},
		{usage.SMS, "a currency in small letters", func(l *pricing.List) { l.Currency = "eur" }, "currency: must be an ISO 4217 code in capitals, as EUR"},
		{usage.SMS, "an unknown chargeOn", func(l *pricing.List) { l.ChargeOn = "read" }, "chargeOn: must be submitted or delivered"},
		{usage.Voice, "chargeOn of voice", func(l *pricing.List) { l.ChargeOn = "submitted" }, "chargeOn: is for sms and messaging only"},
		{usage.Video, "chargeOn of video", func(l *pricing.List) { l.ChargeOn = "delivered" }, "chargeOn: is for sms and messaging only"},
		{usage.SMS, "a scale below 0", func(l *pricing.List) { l.Rounding.Scale = -1 }, "rounding.scale: must be 0 to 18"},
		{usage.SMS, "a scale above 18", func(l *pricing.List) { l.Rounding.Scale = 19 }, "rounding.scale: must be 0 to 18"},
		{usage.SMS, "no rounding mode", func(l *pricing.List) { l.Rounding.Mode = "" }, "rounding.mode: must be half-up, half-even or up"},
		{usage.SMS, "an unknown rounding mode", func(l *pricing.List) { l.Rounding.Mode = "down" }, "rounding.mode: must be half-up, half-even or up"},
		{usage.SMS, "a negative unit price", func(l *pricing.List) { l.Rates[1].UnitPrice = dec("-0.000001") }, "rates[1].unitPrice: must not be negative"},
		{usage.SMS, "a negative set-up fee", func(l *pricing.List) { l.Rates[0].SetupFee = dec("-1") }, "rates[0].setupFee: must not be negative"},
		{usage.Voice, "no increment", func(l *pricing.List) { l.Rates[1].Increment = pricing.Increment{} }, "rates[1].increment.first: must be 1 or more seconds, up to 2^53 - 1\nrates[1].increment.next: must be 1 or more seconds, up to 2^53 - 1"},
		{usage.Video, "a first step of 0", func(l *pricing.List) { l.Rates[1].Increment.First = 0 }, "rates[1].increment.first: must be 1 or more seconds, up to 2^53 - 1"},
		{usage.Video, "a next step of 0", func(l *pricing.List) { l.Rates[1].Increment.Next = 0 }, "rates[1].increment.next: must be 1 or more seconds, up to 2^53 - 1"},
		{usage.Voice, "a first step that could overflow", func(l *pricing.List) { l.Rates[1].Increment.First = 1 << 53 }, "rates[1].increment.first: must be 1 or more seconds, up to 2^53 - 1"},
		{usage.Voice, "a next step that could overflow", func(l *pricing.List) { l.Rates[1].Increment.Next = 1 << 53 }, "rates[1].increment.next: must be 1 or more seconds, up to 2^53 - 1"},
		{usage.SMS, "an increment of SMS", func(l *pricing.List) { l.Rates[1].Increment = pricing.DefaultIncrement() }, "rates[1].increment: is for voice and video only"},
		{usage.Messaging, "an increment of messaging", func(l *pricing.List) { l.Rates[1].Increment.Next = 1 }, "rates[1].increment: is for voice and video only"},
		{usage.SMS, "a channel of SMS", func(l *pricing.List) { l.Rates[1].Channel = "whatsapp" }, "rates[1].channel: is for messaging only"},
		{usage.Voice, "a channel of voice", func(l *pricing.List) { l.Rates[1].Channel = "whatsapp" }, "rates[1].channel: is for messaging only"},
		{usage.Video, "a category of video", func(l *pricing.List) { l.Rates[1].Category = "utility" }, "rates[1].category: is for messaging only"},
		{usage.Messaging, "an operator of messaging", func(l *pricing.List) { l.Rates[1].Operator = "26201" }, "rates[1].operator: is for sms and voice only"},
		{usage.Video, "an operator of video", func(l *pricing.List) { l.Rates[1].Operator = "26201" }, "rates[1].operator: is for sms and voice only"},
		{usage.SMS, "an operator that lost its leading zeros", func(l *pricing.List) { l.Rates[1].Operator = "101" }, "rates[1].operator: must be the 5 or 6 digits of MCC and MNC, as 26201"},
		{usage.Voice, "an operator's name", func(l *pricing.List) { l.Rates[1].Operator = "Acme1" }, "rates[1].operator: must be the 5 or 6 digits of MCC and MNC, as 26201"},
		{usage.SMS, "an unknown direction", func(l *pricing.List) { l.Rates[1].Direction = "out" }, "rates[1].direction: must be inbound or outbound"},
		{usage.SMS, "a country in small letters", func(l *pricing.List) { l.Rates[1].Country = "de" }, "rates[1].country: must be an ISO 3166-1 alpha-2 code in capitals, as GB"},
		{usage.SMS, "a country of three letters", func(l *pricing.List) { l.Rates[1].Country = "DEU" }, "rates[1].country: must be an ISO 3166-1 alpha-2 code in capitals, as GB"},
		{usage.Messaging, "a channel in capitals", func(l *pricing.List) { l.Rates[1].Channel = "WhatsApp" }, "rates[1].channel: must be lower-case letters, digits and _, at most 32, as whatsapp"},
		{usage.Messaging, "a channel that begins with a digit", func(l *pricing.List) { l.Rates[1].Channel = "1st" }, "rates[1].channel: must be lower-case letters, digits and _, at most 32, as whatsapp"},
		{usage.Messaging, "a category of 33 letters", func(l *pricing.List) { l.Rates[1].Category = usage.Category(strings.Repeat("a", 33)) }, "rates[1].category: must be lower-case letters, digits and _, at most 32, as whatsapp"},
		{usage.SMS, "two rates with the same selectors", func(l *pricing.List) { l.Rates = append(l.Rates, l.Rates[0]) }, "rates[2]: has the same selectors as rates[0]; only one of them could apply"},
		{usage.SMS, "three rates without selectors", func(l *pricing.List) { l.Rates = append(l.Rates, pricing.Rate{}, pricing.Rate{}) }, "rates[2]: has the same selectors as rates[1]; only one of them could apply\nrates[3]: has the same selectors as rates[1]; only one of them could apply"},
		{usage.SMS, "several at once, in the order of the list", func(l *pricing.List) {
			l.Currency, l.Rounding.Scale = "E", 20
			l.Rates[0].SetupFee, l.Rates[1].UnitPrice, l.Rates[1].Country = dec("-1"), dec("-1"), "X"
		}, "currency: must be an ISO 4217 code in capitals, as EUR\nrounding.scale: must be 0 to 18\nrates[0].setupFee: must not be negative\nrates[1].unitPrice: must not be negative\nrates[1].country: must be an ISO 3166-1 alpha-2 code in capitals, as GB"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			l := faultless(c.product)
			c.spoil(&l)
			var got []string
			for _, f := range l.Validate(c.product) {
				got = append(got, f.Error())
			}
			if !slices.Equal(got, strings.Split(c.want, "\n")) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if _, err := pricing.Index(c.product, l); err == nil || !strings.HasSuffix(err.Error(), ": "+c.want) {
				t.Errorf("Index says %v", err)
			}
		})
	}
}

func TestAListHasAtMost2000Rates(t *testing.T) {
	if errs := aList(2000).Validate(usage.Voice); len(errs) != 0 {
		t.Errorf("2,000 rates: %v", errs)
	}
	if got, want := fmt.Sprint(aList(2001).Validate(usage.Voice)), "[rates: has 2001 rates; a list has at most 2000]"; got != want {
		t.Errorf("2,001 rates: %s", got)
	}
}
