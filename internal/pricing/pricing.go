// Package pricing turns a record and a customer's price lists into the price
// that this customer pays, and says why.
//
// It owns the order of the outcomes (rated, free, recorded, unrated), the choice
// of the list in force and of the most specific rate, increments and rounding,
// and what a price list may say. It does no input and no output, and changes
// nothing that it is given.
//
// A [List] is what the operator wrote. [List.Validate] checks it, and [Index] makes
// it ready to be looked up in, once for as long as it stays the same. The indexed
// lists of one log are its [Book], and [Book.Price] prices a record.
//
// Amounts are exact decimals. A price is calculated without loss and rounded
// once, at the end. Unknown is never 0: what cannot be priced has no amount.
// The rules stand in docs/pricing.md.
package pricing

import (
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/money"
)

// List is a price list: what one account pays for one product from
// EffectiveFrom on, until a newer list takes over.
type List struct {
	EffectiveFrom time.Time // UTC, to the millisecond
	Currency      money.Currency
	ChargeOn      ChargeOn // SMS, messaging (empty: OnSubmitted); empty elsewhere
	Rounding      Rounding
	Rates         []Rate // at most 2,000, no two with the same selectors
}

// ListHeader is a stored price list without its rates.
type ListHeader struct {
	EffectiveFrom time.Time // UTC, to the millisecond
	Currency      money.Currency
	Revision      string // equal for lists that say the same, whenever they take effect
}

// ChargeOn says which outbound messages are charged. Inbound ones always are.
type ChargeOn string

const (
	OnSubmitted ChargeOn = "submitted" // all but queued, rejected, failed, canceled, error; the default
	OnDelivered ChargeOn = "delivered" // delivered and read only
)

// Rounding is how a price is rounded: to Scale decimals, once.
type Rounding struct {
	Scale int32 // decimals kept, 0 to 18; 6 by default
	Mode  RoundingMode
}

// RoundingMode says where a price between two steps goes.
type RoundingMode string

const (
	HalfUp   RoundingMode = "half-up"   // the nearer step; a tie goes away from zero. The default
	HalfEven RoundingMode = "half-even" // the nearer step; a tie goes to the even digit
	Up       RoundingMode = "up"        // away from zero, whatever the rest
)

// DefaultRounding is that of a list which names none.
func DefaultRounding() Rounding { return Rounding{Scale: 6, Mode: HalfUp} }

// Rate is one line of a price list.
type Rate struct {
	Selectors
	UnitPrice decimal.Decimal // per segment, message, minute or participant-minute
	SetupFee  decimal.Decimal // once per record
	Increment Increment       // voice, video; zero elsewhere
}

// Increment is the step in which seconds are billed: the first First seconds
// whole, then steps of Next. The zero Increment means that seconds are not
// billed at all (SMS, messaging).
type Increment struct{ First, Next int64 }

// DefaultIncrement is that of a voice or video rate which names none: 60/60.
func DefaultIncrement() Increment { return Increment{First: 60, Next: 60} }

// Outcome is how a price came about.
type Outcome string

const (
	Rated    Outcome = "rated"    // calculated from a price list; explained
	Free     Outcome = "free"     // nothing is charged: 0
	Recorded Outcome = "recorded" // no list prices it; the platform's own figure
	Unrated  Outcome = "unrated"  // nobody knows: no amount
)

// Reason says why a price is not rated.
type Reason string

const (
	NoPriceList     Reason = "no_price_list"    // recorded, unrated: no list was in force
	QuantityUnknown Reason = "quantity_unknown" // recorded, unrated: segments or seconds are not told, or impossible
	NoRate          Reason = "no_rate"          // recorded, unrated: no rate of the list matches
	ByStatus        Reason = "status"           // free: a message that its status does not charge
	NothingBillable Reason = "nothing_billable" // free: quantity 0
)

// Unit is what a unit price is for.
type Unit string

const (
	Segment           Unit = "segment"
	Message           Unit = "message"
	Minute            Unit = "minute"
	ParticipantMinute Unit = "participant-minute"
)

// Price is what a record costs its customer.
type Price struct {
	Outcome Outcome
	Money   *money.Money // nil exactly when unrated
	Reason  Reason       // empty exactly when rated
	Why     *Explanation // set exactly when rated
}

// Explanation is enough to calculate the price again by hand.
type Explanation struct {
	Unit          Unit
	Quantity      int64 // segments, messages, or seconds before the increment
	Rate          *Rate // as it stands in the list; do not change it
	Billable      int64 // voice, video: seconds after the increment; 0 elsewhere
	EffectiveFrom time.Time
	Rounding      Rounding
}
