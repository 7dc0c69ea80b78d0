package pricing

import (
	"fmt"
	"slices"
	"strings"

	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// maxRates is the most that one list may have: it must fit one item of the
// store, and be read within a request.
const maxRates = 2000

// maxScale is the most decimals that a price may be rounded to.
const maxScale = 18

const (
	wantScale   = "must be 0 to 18"
	wantSeconds = "must be 1 or more seconds, up to 2^53 - 1"
	wantWord    = "must be lower-case letters, digits and _, at most 32, as whatsapp"
)

// FieldError is one thing that is wrong with a price list.
type FieldError struct {
	// Path says where, as in a directory file: "currency", "rounding.scale",
	// "rates[3]", "rates[3].increment.next". The first rate is rates[0].
	Path string
	// Detail says what is wanted: "must not be negative".
	Detail string
}

func (e FieldError) Error() string { return e.Path + ": " + e.Detail }

// Validate checks a list that is meant for product p and names everything that is
// wrong, in the order of the list; none means that the list can be used. Of two
// rates with the same selectors the later is wrong, and names the earlier.
//
// What an absent key stands for (charge on submitted, six decimals, increments
// of 60/60) must be filled in before. Whether a currency or country exists is
// not checked, only its form; nor is the size of the list in bytes, which is the
// store's to measure.
func (l List) Validate(p usage.Product) []FieldError {
	errs := l.unusable(p)
	if len(l.Rates) == 0 { // such a list has no error in a rate, which would stand behind this one
		errs = append(errs, FieldError{"rates", noRates})
	}
	return errs
}

const noRates = `is empty, so that the list prices nothing: write at least one rate; what costs nothing has the unitPrice "0"`

// unusable are the errors with which nothing can be priced. A list without rates
// can: it finds none, and the records show the platform's own prices or none.
// Such lists may be stored, since they were taken once.
func (l List) unusable(p usage.Product) []FieldError {
	c := checklist{rateAt: theListItself}
	c.must(!l.EffectiveFrom.IsZero(), "effectiveFrom", "must be given")
	_, err := money.ParseCurrency(string(l.Currency))
	c.must(err == nil, "currency", "must be an ISO 4217 code in capitals, as EUR")
	if bySeconds(p) {
		c.must(l.ChargeOn == "", "chargeOn", "is for sms and messaging only")
	} else {
		known := slices.Contains([]ChargeOn{"", OnSubmitted, OnDelivered}, l.ChargeOn)
		c.must(known, "chargeOn", "must be submitted or delivered")
	}
	c.must(l.Rounding.Scale >= 0 && l.Rounding.Scale <= maxScale, "rounding.scale", wantScale)
	known := slices.Contains([]RoundingMode{HalfUp, HalfEven, Up}, l.Rounding.Mode)
	c.must(known, "rounding.mode", "must be half-up, half-even or up")
	c.must(len(l.Rates) <= maxRates, "rates",
		fmt.Sprintf("has %d rates; a list has at most %d", len(l.Rates), maxRates))
	first := make(map[Selectors]int, len(l.Rates))
	for i, rate := range l.Rates {
		c.rateAt = i
		if earlier, found := first[rate.Selectors]; found {
			c.must(false, "", fmt.Sprintf("has the same selectors as rates[%d]; only one of them could apply", earlier))
		} else {
			first[rate.Selectors] = i
		}
		c.rate(p, rate)
	}
	return c.errs
}

// checklist collects the errors of one list.
type checklist struct {
	rateAt int // the rate that is being checked, or theListItself
	errs   []FieldError
}

const theListItself = -1

// must notes an error, unless the rule holds. The path is seen from what is being
// checked: the list, or the rate at rateAt, where "" is the rate as a whole.
func (c *checklist) must(holds bool, path, detail string) {
	if holds {
		return
	}
	if c.rateAt != theListItself {
		path = strings.TrimSuffix(fmt.Sprintf("rates[%d].%s", c.rateAt, path), ".")
	}
	c.errs = append(c.errs, FieldError{path, detail})
}

// rate refuses, of selectors, what could never match a record of the product: one that
// its records do not have, and a value that they cannot have.
func (c *checklist) rate(p usage.Product, r Rate) {
	c.must(!r.UnitPrice.IsNegative(), "unitPrice", "must not be negative")
	c.must(!r.SetupFee.IsNegative(), "setupFee", "must not be negative")
	if bySeconds(p) {
		c.must(r.Increment.First >= 1 && r.Increment.First <= maxQuantity, "increment.first", wantSeconds)
		c.must(r.Increment.Next >= 1 && r.Increment.Next <= maxQuantity, "increment.next", wantSeconds)
	} else {
		c.must(r.Increment == Increment{}, "increment", "is for voice and video only")
	}
	c.must(r.Direction == "" || r.Direction == usage.Inbound || r.Direction == usage.Outbound, "direction",
		"must be inbound or outbound")
	c.must(isNormal(r.Country, usage.ParseCountry), "country", "must be an ISO 3166-1 alpha-2 code in capitals, as GB")
	if p == usage.SMS || p == usage.Voice {
		c.must(isNormal(r.Operator, usage.ParseOperator), "operator",
			"must be the 5 or 6 digits of MCC and MNC, as 26201")
	} else {
		c.must(r.Operator == "", "operator", "is for sms and voice only")
	}
	if p == usage.Messaging {
		c.must(isNormal(r.Channel, usage.ParseChannel), "channel", wantWord)
		c.must(isNormal(r.Category, usage.ParseCategory), "category", wantWord)
	} else {
		c.must(r.Channel == "", "channel", "is for messaging only")
		c.must(r.Category == "", "category", "is for messaging only")
	}
}

// isNormal reports whether a selector is not named, or as records have it.
func isNormal[T ~string](s T, parse func(string) (T, error)) bool {
	if s == "" {
		return true
	}
	parsed, err := parse(string(s))
	return err == nil && parsed == s
}
