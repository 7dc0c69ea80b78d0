package dynamo

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"partnerview/internal/fault"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// A list's rates are one text: DynamoDB then reads and the SDK decodes one
// attribute, where 2,000 rates as a list of maps would be 10,000. An example:
//
//	[{"direction":"outbound","country":"GB","unitPrice":"0.012","setupFee":"0.005","first":60,"next":60}]
type rateJSON struct {
	Direction usage.Direction `json:"direction,omitempty"`
	Channel   usage.Channel   `json:"channel,omitempty"`
	Category  usage.Category  `json:"category,omitempty"`
	Country   usage.Country   `json:"country,omitempty"`
	Operator  usage.Operator  `json:"operator,omitempty"`
	UnitPrice string          `json:"unitPrice"`
	SetupFee  string          `json:"setupFee,omitempty"`
	First     int64           `json:"first,omitempty"`
	Next      int64           `json:"next,omitempty"`
}

// MaxRatesBytes is how long the text of a list's rates may be: an item of
// DynamoDB holds 400 kB.
const MaxRatesBytes = 300_000

func encodePriceList(log usage.Log, l pricing.List) (item, error) {
	rates := make([]rateJSON, len(l.Rates))
	for i, r := range l.Rates {
		rates[i] = rateJSON{
			Direction: r.Direction, Channel: r.Channel, Category: r.Category, Country: r.Country, Operator: r.Operator,
			UnitPrice: money.Text(r.UnitPrice), First: r.Increment.First, Next: r.Increment.Next,
		}
		if !r.SetupFee.IsZero() {
			rates[i].SetupFee = money.Text(r.SetupFee)
		}
	}
	slices.SortFunc(rates, compareSelectors) // a list in another order is the same list, and has the same revision
	text, err := json.Marshal(rates)
	if err != nil {
		return nil, fmt.Errorf("rates of %s: %w", log.Text(), err)
	}
	if len(text) > MaxRatesBytes {
		return nil, fault.New(fault.Invalid, "price list of "+log.Text(), fmt.Errorf("its rates take %d bytes; at most %d are stored", len(text), MaxRatesBytes))
	}
	it := item{
		"log":           str(log.Key()),
		"effectiveFrom": str(usage.FormatTime(l.EffectiveFrom)),
		"currency":      str(string(l.Currency)),
		"scale":         num(int64(l.Rounding.Scale)),
		"mode":          str(string(l.Rounding.Mode)),
		"rates":         str(string(text)),
	}
	putText(it, "chargeOn", string(l.ChargeOn))
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%d|%s|%s", l.Currency, l.ChargeOn, l.Rounding.Scale, l.Rounding.Mode, text))
	it["revision"] = str(base64.RawURLEncoding.EncodeToString(sum[:12]))
	return it, nil
}

func compareSelectors(a, b rateJSON) int {
	return cmp.Or(
		cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.Country, b.Country), cmp.Compare(a.Category, b.Category),
		cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Direction, b.Direction),
	)
}

// listName is a price list as messages name it, by its key.
func listName(log, effectiveFrom string) string {
	return strings.Replace(log, "#", " ", 1) + " from " + effectiveFrom
}

func decodePriceList(it item) (pricing.List, error) {
	r := reader{item: it}
	name := listName(r.required("log"), r.required("effectiveFrom"))
	l := pricing.List{
		EffectiveFrom: r.time("effectiveFrom"),
		Currency:      money.Currency(r.required("currency")),
		ChargeOn:      pricing.ChargeOn(r.text("chargeOn")),
		Rounding:      pricing.Rounding{Mode: pricing.RoundingMode(r.required("mode"))},
	}
	if scale := r.number("scale"); scale != nil && *scale >= 0 && *scale <= 18 {
		l.Rounding.Scale = int32(*scale)
	} else {
		r.fail("scale", "a number from 0 to 18")
	}
	var rates []rateJSON
	if err := json.Unmarshal([]byte(r.required("rates")), &rates); err != nil {
		r.fail("rates", "a list of rates")
	}
	l.Rates = make([]pricing.Rate, len(rates))
	for i, rate := range rates {
		out := pricing.Rate{
			Selectors: pricing.Selectors{Direction: rate.Direction, Channel: rate.Channel, Category: rate.Category, Country: rate.Country, Operator: rate.Operator},
			Increment: pricing.Increment{First: rate.First, Next: rate.Next},
		}
		var err error
		if out.UnitPrice, err = money.Parse(rate.UnitPrice); err != nil {
			r.fail("rates", fmt.Sprintf("a list of rates: rate %d: %v", i, err))
		}
		if rate.SetupFee != "" {
			if out.SetupFee, err = money.Parse(rate.SetupFee); err != nil {
				r.fail("rates", fmt.Sprintf("a list of rates: rate %d: %v", i, err))
			}
		}
		l.Rates[i] = out
	}
	if r.err != nil {
		return pricing.List{}, badItem("price list", name, r.err)
	}
	return l, nil
}
