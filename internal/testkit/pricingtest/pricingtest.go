// Package pricingtest prices records a second time, for tests only: a price that
// two calculations agree on, which share nothing but the rules, is hardly wrong.
//
// It is written for plainness and shares no code with package pricing, of which
// it takes only the types that describe its input. It calculates with fractions
// (math/big.Rat), walks every list and every rate, compares rates selector by
// selector, and spells the rules out: docs/pricing.md, from top to bottom.
package pricingtest

import (
	"math/big"
	"strings"

	"github.com/shopspring/decimal"

	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// Price is what a record must cost, in the texts of the API's answer.
type Price struct {
	Status   string // rated, free, recorded, unrated
	Amount   string // plain notation; empty where the API says null
	Currency string // empty where the API says null
	Reason   string // empty where the API says null

	// Of a rated price only:
	Rate     *pricing.Rate // the element of lists that priced it
	Billable *big.Int      // voice, video: seconds after the increment; nil elsewhere
	Exact    *big.Rat      // the price before it was rounded
}

// Of prices a record of a log by the log's lists, in any order. The lists must
// be without faults.
func Of(lists []pricing.List, r usage.Record) Price {
	list := inForce(lists, r)
	if list == nil {
		return notRated(r, "no_price_list")
	}
	if isFreeByStatus(*list, r) {
		return Price{Status: "free", Amount: "0", Currency: string(list.Currency), Reason: "status"}
	}
	quantity := quantity(r)
	if quantity == nil {
		return notRated(r, "quantity_unknown")
	}
	if quantity.Sign() == 0 {
		return Price{Status: "free", Amount: "0", Currency: string(list.Currency), Reason: "nothing_billable"}
	}
	rate := mostSpecific(list.Rates, r)
	if rate == nil {
		return notRated(r, "no_rate")
	}

	units, billable := new(big.Rat).SetInt(quantity), (*big.Int)(nil)
	if r.Product == "voice" || r.Product == "video" {
		billable = billableSeconds(quantity, big.NewInt(rate.Increment.First), big.NewInt(rate.Increment.Next))
		units = new(big.Rat).SetFrac(billable, big.NewInt(60))
	}
	exact := new(big.Rat).Mul(units, fraction(rate.UnitPrice))
	exact.Add(exact, fraction(rate.SetupFee))
	return Price{
		Status: "rated", Amount: rounded(exact, list.Rounding), Currency: string(list.Currency),
		Rate: rate, Billable: billable, Exact: exact,
	}
}

func inForce(lists []pricing.List, r usage.Record) *pricing.List {
	var newest *pricing.List
	for i := range lists {
		l := &lists[i]
		if l.EffectiveFrom.After(r.Timestamp) {
			continue
		}
		if newest == nil || l.EffectiveFrom.After(newest.EffectiveFrom) {
			newest = l
		}
	}
	return newest
}

func notRated(r usage.Record, reason string) Price {
	if r.RecordedPrice == nil {
		return Price{Status: "unrated", Reason: reason}
	}
	return Price{
		Status: "recorded", Reason: reason,
		Amount: plain(fraction(r.RecordedPrice.Amount), 100), Currency: string(r.RecordedPrice.Currency),
	}
}

func isFreeByStatus(l pricing.List, r usage.Record) bool {
	if r.Direction != "outbound" || (r.Product != "sms" && r.Product != "messaging") {
		return false
	}
	if l.ChargeOn == "delivered" {
		return r.Status != "delivered" && r.Status != "read"
	}
	return strings.Contains(" queued rejected failed canceled error ", " "+string(r.Status)+" ")
}

// quantity is nil where it is unknown, or none that JSON can hold exactly.
func quantity(r usage.Record) *big.Int {
	var q *big.Int
	whole := func(n *int64) *big.Int {
		if n == nil || *n < 0 {
			return nil
		}
		return big.NewInt(*n)
	}
	switch r.Product {
	case "messaging":
		q = big.NewInt(1)
	case "sms":
		q = whole(r.Segments)
	case "voice":
		q = whole(r.DurationSeconds)
	case "video":
		people, seconds := whole(r.Participants), whole(r.DurationSeconds)
		if r.ParticipantSeconds != nil {
			q = whole(r.ParticipantSeconds)
		} else if people != nil && seconds != nil {
			q = people.Mul(people, seconds)
		}
	}
	if q == nil || q.Cmp(big.NewInt(9007199254740991)) > 0 {
		return nil
	}
	return q
}

// mostSpecific compares the matching rates as a reader of the rules would: each
// becomes a word of x (named) and - (not named), operator first, and x beats -
// at the first place where two words differ.
func mostSpecific(rates []pricing.Rate, r usage.Record) *pricing.Rate {
	var best *pricing.Rate
	bestWord := ""
	for i := range rates {
		word, matches := "", true
		for _, selector := range [][2]string{
			{string(rates[i].Operator), string(r.Operator)},
			{string(rates[i].Country), string(r.Country)},
			{string(rates[i].Category), string(r.Category)},
			{string(rates[i].Channel), string(r.Channel)},
			{string(rates[i].Direction), string(r.Direction)},
		} {
			switch selector[0] {
			case "":
				word += "-"
			case selector[1]:
				word += "x"
			default:
				matches = false
			}
		}
		if matches && word > bestWord { // "x" sorts above "-"
			best, bestWord = &rates[i], word
		}
	}
	return best
}

func billableSeconds(seconds, first, next *big.Int) *big.Int {
	billable := new(big.Int).Set(first)
	rest := new(big.Int).Sub(seconds, first)
	if rest.Sign() <= 0 {
		return billable
	}
	steps, over := new(big.Int).DivMod(rest, next, new(big.Int))
	billable.Add(billable, new(big.Int).Mul(steps, next))
	if over.Sign() > 0 {
		billable.Add(billable, next)
	}
	return billable
}

func fraction(d decimal.Decimal) *big.Rat {
	f, _ := new(big.Rat).SetString(d.String())
	return f
}

// rounded compares what lies above the lower step with one half, as fractions.
func rounded(exact *big.Rat, to pricing.Rounding) string {
	perStep := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(to.Scale)), nil))
	inSteps := new(big.Rat).Mul(exact, perStep)
	lower := new(big.Int).Div(inSteps.Num(), inSteps.Denom())
	above := new(big.Rat).Sub(inSteps, new(big.Rat).SetInt(lower))

	isOdd := new(big.Int).Mod(lower, big.NewInt(2)).Sign() != 0
	up := false
	switch half := above.Cmp(big.NewRat(1, 2)); to.Mode {
	case "half-up":
		up = half >= 0
	case "half-even":
		up = half > 0 || half == 0 && isOdd
	case "up":
		up = above.Sign() != 0
	}
	if up {
		lower.Add(lower, big.NewInt(1))
	}
	return plain(new(big.Rat).Quo(new(big.Rat).SetInt(lower), perStep), int(to.Scale))
}

// plain writes a fraction that has at most that many decimals.
func plain(f *big.Rat, decimals int) string {
	text := f.FloatString(decimals)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(text, "0")
		text = strings.TrimSuffix(text, ".")
	}
	return text
}
