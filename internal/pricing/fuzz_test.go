package pricing_test

import (
	"slices"
	"testing"

	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// FuzzPrice compares every price with the second calculation. The bits of rates
// are the sets of selectors that the list's rates name, all of them with the
// record's own values; the bits of told are the selectors that the record tells.
//
//fuzz:reaches book.go:Price
func FuzzPrice(f *testing.F) {
	//       product  unit     fee   quantity  first next scale mode delivered status direction rates told
	f.Add(uint8(0), "0.0750", "0.005", int64(3), int64(0), int64(0), int32(6), uint8(0), false, uint8(2), uint8(2), uint32(1<<16|1<<8|1), uint8(31))
	f.Add(uint8(0), "0.015", "0", int64(3), int64(0), int64(0), int32(2), uint8(1), true, uint8(1), uint8(2), uint32(1), uint8(0))
	f.Add(uint8(1), "0.0120", "0.0050", int64(61), int64(60), int64(60), int32(6), uint8(0), false, uint8(8), uint8(2), uint32(1<<9|1<<1), uint8(9))
	f.Add(uint8(1), "0.0125", "0", int64(100), int64(1), int64(1), int32(6), uint8(2), false, uint8(8), uint8(1), uint32(1), uint8(0))
	f.Add(uint8(1), "99.123456789012345678", "1E18", int64(1<<53-1), int64(1<<53-1), int64(7), int32(18), uint8(1), false, uint8(8), uint8(1), uint32(1), uint8(0))
	f.Add(uint8(2), "0.004", "0.01", int64(1234), int64(1), int64(1), int32(6), uint8(0), false, uint8(8), uint8(0), uint32(1<<8|1), uint8(8))
	f.Add(uint8(3), "0.1131", "0", int64(1), int64(0), int64(0), int32(0), uint8(2), true, uint8(4), uint8(2), uint32(1<<2|1<<4|1), uint8(6))

	// has is the selectors that the records of a product can have, as bits.
	has := map[usage.Product]uint32{usage.SMS: 1 | 8 | 16, usage.Voice: 1 | 8 | 16, usage.Video: 1 | 8, usage.Messaging: 1 | 2 | 4 | 8}

	f.Fuzz(func(t *testing.T, product uint8, unit, fee string, quantity, first, next int64, scale int32, mode uint8, delivered bool, status, direction uint8, rates uint32, told uint8) {
		log := usage.Log{Account: "acme_retail", Product: usage.Products()[product%4]}
		r := usage.Record{Log: log, Timestamp: day, Segments: &quantity, DurationSeconds: &quantity, Participants: &first}
		r.Direction = []usage.Direction{"", usage.Inbound, usage.Outbound}[direction%3]
		if statuses := knownStatuses(); int(status) < len(statuses) {
			r.Status = statuses[status]
		}
		setIf(told&2 != 0, &r.Channel, "whatsapp")
		setIf(told&4 != 0, &r.Category, "marketing")
		setIf(told&8 != 0, &r.Country, "DE")
		setIf(told&16 != 0, &r.Operator, "26201")

		unitPrice, errUnit := money.Parse(unit)
		setupFee, errFee := money.Parse(fee)
		if errUnit != nil || errFee != nil {
			t.Skip("no prices")
		}
		list := pricing.List{EffectiveFrom: january, Currency: "EUR", Rounding: pricing.Rounding{Scale: scale, Mode: []pricing.RoundingMode{pricing.HalfUp, pricing.HalfEven, pricing.Up}[mode%3]}}
		bySeconds := log.Product == usage.Voice || log.Product == usage.Video
		if delivered && !bySeconds {
			list.ChargeOn = pricing.OnDelivered
		}
		for names := range uint32(32) {
			if rates>>names&1 == 0 || names&^has[log.Product] != 0 {
				continue
			}
			rate := pricing.Rate{UnitPrice: unitPrice, SetupFee: setupFee}
			if bySeconds {
				rate.Increment = pricing.Increment{First: first, Next: next}
			}
			setIf(names&1 != 0, &rate.Direction, usage.Outbound)
			setIf(names&2 != 0, &rate.Channel, "whatsapp")
			setIf(names&4 != 0, &rate.Category, "marketing")
			setIf(names&8 != 0, &rate.Country, "DE")
			setIf(names&16 != 0, &rate.Operator, "26201")
			list.Rates = append(list.Rates, rate)
		}

		book, err := pricing.NewBook(log, []pricing.List{list})
		errs := slices.DeleteFunc(list.Validate(log.Product), func(e pricing.FieldError) bool { return len(list.Rates) == 0 && e.Path == "rates" })
		if (err != nil) != (len(errs) > 0) {
			t.Fatalf("NewBook says %v, and Validate %v", err, list.Validate(log.Product))
		}
		if err == nil {
			agrees(t, []pricing.List{list}, r, book.Price(r))
		}
	})
}

func setIf[T any](condition bool, to *T, value T) {
	if condition {
		*to = value
	}
}
