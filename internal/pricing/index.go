package pricing

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/usage"
)

// Indexed is a price list without errors, made ready to find rates in. It does
// not change once made, so that a store may keep it for as long as the list is
// the same, and many goroutines may use it.
type Indexed struct {
	product usage.Product
	list    List
	levels  []level // most specific first
}

// level is the rates of a list that name the same selectors. A list has as many
// levels as it has such sets, mostly two or three and never more than 16, since
// no product has more than four selectors. A record is looked up once in each,
// until one answers; nothing walks the rates.
type level struct {
	names selectorMask
	rates map[selectorValues]*preparedRate
}

// Index checks a list of that product and makes it ready. The error joins every
// one, but for a lack of rates: a list that was stored without any prices
// nothing, and is no failure. The rates are copied: changing l afterwards changes
// nothing here.
func Index(p usage.Product, l List) (*Indexed, error) {
	var wrong []error
	for _, e := range l.unusable(p) {
		wrong = append(wrong, e)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("%s price list of %s: %w", p, usage.FormatTime(l.EffectiveFrom), err)
	}
	l.Rates = slices.Clone(l.Rates)
	var count [allSelectors + 1]int
	for i := range l.Rates {
		count[l.Rates[i].values().mask()]++
	}
	var levels [allSelectors + 1]map[selectorValues]*preparedRate
	prepared := make([]preparedRate, len(l.Rates))
	for i := range l.Rates {
		prepared[i] = prepare(&l.Rates[i], partsOf(p), l.Rounding)
		values := l.Rates[i].values()
		names := values.mask()
		if levels[names] == nil {
			levels[names] = make(map[selectorValues]*preparedRate, count[names])
		}
		levels[names][values] = &prepared[i]
	}
	indexed := &Indexed{product: p, list: l}
	for names, rates := range slices.Backward(levels[:]) {
		if rates != nil {
			indexed.levels = append(indexed.levels, level{selectorMask(names), rates})
		}
	}
	return indexed, nil
}

// EffectiveFrom is when the list takes effect.
func (l *Indexed) EffectiveFrom() time.Time { return l.list.EffectiveFrom }

// rate is the most specific rate that matches; nil if none does.
func (l *Indexed) rate(r *usage.Record) *preparedRate {
	record := SelectorsOf(*r).values()
	for i := range l.levels {
		if rate := l.levels[i].match(record); rate != nil {
			return rate
		}
	}
	return nil
}

func (l *level) match(record selectorValues) *preparedRate { return l.rates[l.names.of(record)] }

// maxQuantity is the most that is priced: 2^53 - 1, the largest whole number up
// to which every reader of JSON is exact. In seconds that is 285 million years.
// It bounds quantities and increments, and so keeps each int64 below from
// overflowing.
const maxQuantity = 1<<53 - 1

// bySeconds reports whether a product is priced by the minute.
func bySeconds(p usage.Product) bool { return p == usage.Voice || p == usage.Video }

// partsOf is how many of what a record counts make one unit of price.
func partsOf(p usage.Product) int64 {
	if bySeconds(p) {
		return 60
	}
	return 1
}

func unitOf(p usage.Product) Unit {
	switch p {
	case usage.SMS:
		return Segment
	case usage.Voice:
		return Minute
	case usage.Video:
		return ParticipantMinute
	}
	return Message
}

// quantityOf is what a record is charged by: segments, seconds,
// participant-seconds, or one message. It is not known where the platform does
// not tell, and where the number is no possible quantity (below 0, or above
// maxQuantity): such a record must not get a wrong price.
//
// A video session that does not tell its participant-seconds has its
// participants times its seconds. The importer fills that in too; here it covers
// records that others wrote.
func quantityOf(r *usage.Record) (quantity int64, known bool) {
	var q *int64
	switch r.Product {
	case usage.SMS:
		q = r.Segments
	case usage.Messaging:
		return 1, true
	case usage.Voice:
		q = r.DurationSeconds
	case usage.Video:
		if r.ParticipantSeconds == nil {
			return product(r.Participants, r.DurationSeconds)
		}
		q = r.ParticipantSeconds
	}
	if q == nil || *q < 0 || *q > maxQuantity {
		return 0, false
	}
	return *q, true
}

// product multiplies two quantities, and reports whether it is a quantity. Zero
// times unknown is unknown.
func product(x, y *int64) (int64, bool) {
	if x == nil || y == nil || *x < 0 || *y < 0 {
		return 0, false
	}
	if *x > 0 && *y > maxQuantity / *x {
		return 0, false
	}
	return *x * *y, true
}

// billable is the seconds that are charged for: the first First whole, then
// whole steps of Next. With 30/6, 10 s are 30, 31 s are 36, and 36 s are 36.
// It is not less than the seconds, and less than one step more.
func (i Increment) billable(seconds int64) int64 {
	if seconds <= i.First {
		return i.First
	}
	steps := (seconds - i.First + i.Next - 1) / i.Next
	return i.First + steps*i.Next
}

// preparedRate is a rate of an indexed list with its arithmetic in whole numbers. One
// step is 10^-scale of the currency, what prices are rounded to, and
//
//	price in steps = (unit × count + fee) / by
//
// Everything stands over the one denominator by, so nothing is lost before that
// division, and its quotient and remainder say exactly where to round. At two
// decimals, 0.0120 a minute and a set-up fee of 0.005 are
// (120 × count + 3000) / 6000: 90 s are 13800/6000 = 2.3 steps, 0.02.
type preparedRate struct {
	*Rate
	unit, fee, by *big.Int
}

// prepare makes a rate ready whose unit price is for that many parts: 60 seconds of
// a minute, or the 1 part that a message or a segment is.
func prepare(r *Rate, parts int64, to Rounding) preparedRate {
	// Shifted by so many decimals, both prices are whole numbers.
	decimals := max(to.Scale, -r.UnitPrice.Exponent(), -r.SetupFee.Exponent())
	p := preparedRate{
		Rate: r, unit: whole(r.UnitPrice, decimals), fee: new(big.Int),
		by: whole(decimal.NewFromInt(parts), decimals-to.Scale),
	}
	if !r.SetupFee.IsZero() {
		p.fee.Mul(whole(r.SetupFee, decimals), big.NewInt(parts))
	}
	return p
}

// whole is d × 10^decimals, which must be a whole number.
func whole(d decimal.Decimal, decimals int32) *big.Int { return d.Shift(decimals).BigInt() }

// price is that of count parts, rounded. Nothing here is negative, so away from
// zero is up.
func (p *preparedRate) price(count int64, to Rounding) decimal.Decimal {
	var steps, rest big.Int
	steps.SetInt64(count)
	steps.Mul(&steps, p.unit).Add(&steps, p.fee)
	steps.QuoRem(&steps, p.by, &rest)
	if to.Mode.up(&steps, &rest, p.by) {
		steps.Add(&steps, big.NewInt(1))
	}
	return decimal.NewFromBigInt(&steps, -to.Scale)
}

// up reports whether steps + rest/by goes to the next step. It may change rest.
func (m RoundingMode) up(steps, rest, by *big.Int) bool {
	if m == Up {
		return rest.Sign() > 0
	}
	half := rest.Lsh(rest, 1).Cmp(by)
	if half == 0 && m == HalfEven {
		return steps.Bit(0) == 1
	}
	return half >= 0
}
