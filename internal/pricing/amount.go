package pricing

import (
	"math/big"

	"github.com/shopspring/decimal"

	"partnerview/internal/usage"
)

// maxQuantity is the most that is priced: 2^53 - 1, the largest whole number up
// to which every reader of JSON is exact. In seconds that is 285 million years.
// It bounds quantities and increments, and so keeps each int64 below from
// overflowing.
const maxQuantity = 1<<53 - 1

// bySeconds tells whether a product is priced by the minute.
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

// product multiplies two quantities, and tells whether it is a quantity. Zero
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

// line is a rate of an indexed list with its arithmetic in whole numbers. One
// step is 10^-scale of the currency, what prices are rounded to, and
//
//	price in steps = (unit × count + fee) / by
//
// Everything stands over the one denominator by, so nothing is lost before that
// division, and its quotient and remainder say exactly where to round. At two
// decimals, 0.0120 a minute and a set-up fee of 0.005 are
// (120 × count + 3000) / 6000: 90 s are 13800/6000 = 2.3 steps, 0.02.
type line struct {
	*Rate
	unit, fee, by *big.Int
}

// newLine prepares a rate whose unit price is for that many parts: 60 seconds of
// a minute, or the 1 part that a message or a segment is.
func newLine(r *Rate, parts int64, to Rounding) line {
	// Shifted by so many decimals, both prices are whole numbers.
	decimals := max(to.Scale, -r.UnitPrice.Exponent(), -r.SetupFee.Exponent())
	l := line{Rate: r, unit: whole(r.UnitPrice, decimals), fee: new(big.Int), by: whole(decimal.NewFromInt(parts), decimals-to.Scale)}
	if !r.SetupFee.IsZero() {
		l.fee.Mul(whole(r.SetupFee, decimals), big.NewInt(parts))
	}
	return l
}

// whole is d × 10^decimals, which must be a whole number.
func whole(d decimal.Decimal, decimals int32) *big.Int { return d.Shift(decimals).BigInt() }

// price is that of count parts, rounded. Nothing here is negative, so away from
// zero is up.
func (l *line) price(count int64, to Rounding) decimal.Decimal {
	var steps, rest big.Int
	steps.SetInt64(count)
	steps.Mul(&steps, l.unit).Add(&steps, l.fee)
	steps.QuoRem(&steps, l.by, &rest)
	if to.Mode.up(&steps, &rest, l.by) {
		steps.Add(&steps, big.NewInt(1))
	}
	return decimal.NewFromBigInt(&steps, -to.Scale)
}

// up tells whether steps + rest/by goes to the next step. It may change rest.
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
