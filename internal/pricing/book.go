package pricing

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// Book is the price lists of one log, ready to price its records. It does not
// change once made, and many goroutines may use it. The zero Book has no list.
type Book struct {
	log   usage.Log
	lists []*Indexed // oldest first
}

// NewBook makes the book of a log from all of its lists, or from those that
// cover a page, in any order. A list with errors, or two that take effect at the
// same time, is an error that names each. The lists are indexed anew; a caller
// that keeps lists between requests keeps them [Indexed], and uses [BookOf].
func NewBook(log usage.Log, lists []List) (Book, error) {
	indexed := make([]*Indexed, len(lists))
	var wrong []error
	for i, l := range lists {
		var err error
		if indexed[i], err = Index(log.Product, l); err != nil {
			wrong = append(wrong, err)
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return Book{}, fmt.Errorf("price lists of %s: %w", log.Text(), err)
	}
	return BookOf(log, indexed...)
}

// BookOf is [NewBook] of lists that are indexed already. A list that was
// indexed for another product is an error.
func BookOf(log usage.Log, lists ...*Indexed) (Book, error) {
	b := Book{log, slices.Clone(lists)}
	slices.SortFunc(b.lists, func(x, y *Indexed) int { return x.list.EffectiveFrom.Compare(y.list.EffectiveFrom) })
	for i, l := range b.lists {
		if l.product != log.Product {
			return Book{}, fmt.Errorf("price lists of %s: one is for %s", log.Text(), l.product)
		}
		if i > 0 && l.list.EffectiveFrom.Equal(b.lists[i-1].list.EffectiveFrom) {
			at := usage.FormatTime(l.list.EffectiveFrom)
			return Book{}, fmt.Errorf("price lists of %s: two take effect at %s", log.Text(), at)
		}
	}
	return b, nil
}

// inForce is the newest list that had taken effect by t; nil if none had. A list
// is in force from its very first millisecond.
func (b Book) inForce(t time.Time) *Indexed {
	next, found := slices.BinarySearchFunc(b.lists, t, func(l *Indexed, t time.Time) int {
		return l.list.EffectiveFrom.Compare(t)
	})
	if found {
		return b.lists[next]
	}
	if next == 0 {
		return nil
	}
	return b.lists[next-1]
}

// Price says what the record costs its customer. The questions are asked in
// this order, and the first that has an answer decides:
//
//  1. Was no list in force? Then the recorded price, or unrated.
//  2. Does the status of an outbound message not charge it? Then free.
//  3. Is the quantity unknown? Then the recorded price, or unrated.
//  4. Is the quantity 0? Then free.
//  5. Does no rate match? Then the recorded price, or unrated.
//  6. Else it is rated, by the most specific rate; one of 0 too.
//
// Free is 0 in the currency of the list. A recorded price stays as the platform
// put it, in its own currency and not rounded. A record of another log finds no
// list here: it is never priced by a list that is not its own.
func (b Book) Price(r usage.Record) Price {
	l := b.inForce(r.Timestamp)
	if l == nil || r.Log != b.log {
		return recorded(&r, NoPriceList)
	}
	if !l.list.charges(&r) {
		return free(l.list.Currency, ByStatus)
	}
	quantity, known := quantityOf(&r)
	if !known {
		return recorded(&r, QuantityUnknown)
	}
	if quantity == 0 {
		return free(l.list.Currency, NothingBillable)
	}
	rate := l.rate(&r)
	if rate == nil {
		return recorded(&r, NoRate)
	}
	return l.rated(rate, quantity)
}

func recorded(r *usage.Record, why Reason) Price {
	if r.RecordedPrice == nil {
		return Price{Outcome: Unrated, Reason: why}
	}
	return Price{Outcome: Recorded, Money: r.RecordedPrice, Reason: why}
}

func free(c money.Currency, why Reason) Price {
	return Price{Outcome: Free, Money: &money.Money{Amount: decimal.Zero, Currency: c}, Reason: why}
}

func (l *Indexed) rated(rate *preparedRate, quantity int64) Price {
	list := &l.list
	why := &Explanation{
		Unit: unitOf(l.product), Quantity: quantity, Rate: rate.Rate,
		EffectiveFrom: list.EffectiveFrom, Rounding: list.Rounding,
	}
	count := quantity
	if bySeconds(l.product) {
		why.Billable = rate.Increment.billable(quantity)
		count = why.Billable
	}
	amount := rate.price(count, list.Rounding)
	return Price{Outcome: Rated, Money: &money.Money{Amount: amount, Currency: list.Currency}, Why: why}
}

// charges reports whether the record's status lets it be charged. Only outbound
// messages go by status: an inbound one was received, whatever came of it, and
// calls and sessions go by their seconds. A status that is not told charges
// under OnSubmitted, since the message is known to be in the log, and does not
// under OnDelivered.
func (l *List) charges(r *usage.Record) bool {
	if bySeconds(r.Product) || r.Direction != usage.Outbound {
		return true
	}
	switch r.Status {
	case usage.Delivered, usage.Read:
		return true
	case usage.Queued, usage.Rejected, usage.Failed, usage.Canceled, usage.Error:
		return false
	}
	return l.ChargeOn != OnDelivered
}

// RateMatch is what became of a rate when a record was priced.
type RateMatch struct {
	Rate *Rate // as it stands in the list; do not change it
	// Mismatch is the selector, the first in the order of specificity, in which
	// the rate names another value than the record has. Empty: the rate matches.
	Mismatch string
	// BeatenBy is the selector that the winner names and this matching rate does
	// not: operator, country, category, channel or direction. Empty for the
	// winner, and where Mismatch is set.
	BeatenBy string
}

// Won reports whether this is the rate that prices the record.
func (m RateMatch) Won() bool { return m.Mismatch == "" && m.BeatenBy == "" }

// Matches says for each rate of the list in force whether it won or why it lost:
// the winner first, then the others that match from the most specific to the
// least, then those that do not match in the order of the list. None match: there
// is no winner. No list is in force: an empty list. Whether a rate is used at all,
// [Book.Price] says.
func (b Book) Matches(r usage.Record) []RateMatch {
	l := b.inForce(r.Timestamp)
	if l == nil || r.Log != b.log {
		return nil
	}
	matches := make([]RateMatch, 0, len(l.list.Rates))
	record := SelectorsOf(r).values()
	var winner selectorMask
	for _, level := range l.levels {
		rate := level.match(record)
		if rate == nil {
			continue
		}
		if len(matches) == 0 {
			winner = level.names
		}
		matches = append(matches, RateMatch{Rate: rate.Rate, BeatenBy: winner.decisive(level.names)})
	}
	for i := range l.list.Rates {
		rate := &l.list.Rates[i]
		if mismatch := rate.values().mismatch(record); mismatch != "" {
			matches = append(matches, RateMatch{Rate: rate, Mismatch: mismatch})
		}
	}
	return matches
}
