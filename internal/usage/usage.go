// Package usage is the vocabulary of the usage logs: accounts, products,
// records, periods and pages. A newcomer starts here.
//
// A platform's customer is an account. What it does with one of the four
// products (SMS, voice, video, messaging apps) is logged as records. All records
// of one account and one product are a [Log]; that is the unit that is granted,
// stored, paged through and priced.
//
// Records here are already masked: From and To are [masking.Number]s, and there
// is no field for a contact's name or a message's content. Times are UTC, cut to
// the millisecond. A pointer is nil where the platform does not tell: unknown is
// never zero.
//
// The package does no input and no output, and knows neither partners nor
// prices.
package usage

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"partnerview/internal/masking"
	"partnerview/internal/money"
)

// AccountID names a customer's account: 3 to 50 of A–Z a–z 0–9 - . _ &, opaque
// and case-sensitive, as in "acme_retail".
type AccountID string

// ParseAccountID checks the form of an account ID, not that the account exists.
func ParseAccountID(s string) (AccountID, error) {
	if len(s) < 3 || len(s) > 50 || !madeOf(s, capitals+smallLetters+digits+"-._&") {
		return "", fmt.Errorf("an account ID is 3 to 50 of A-Z a-z 0-9 - . _ &")
	}
	return AccountID(s), nil
}

// Product is one of the platform's four products.
type Product string

const (
	SMS       Product = "sms"
	Voice     Product = "voice"
	Video     Product = "video"
	Messaging Product = "messaging" // messaging apps: WhatsApp, Viber, LINE, RCS, …
)

// Products lists the products in the order in which they are always shown.
func Products() []Product { return []Product{SMS, Voice, Video, Messaging} }

// ParseProduct reads "sms", "voice", "video" or "messaging".
func ParseProduct(s string) (Product, error) {
	for _, p := range Products() {
		if string(p) == s {
			return p, nil
		}
	}
	return "", fmt.Errorf("a product is sms, voice, video or messaging")
}

// Log is all records of one account and one product.
type Log struct {
	Account AccountID
	Product Product
}

// Key is the log's key where logs are kept: "acme_retail#sms". No account ID holds
// a "#", so no two logs share one. People are shown [Log.Text].
func (l Log) Key() string { return string(l.Account) + "#" + string(l.Product) }

// ParseLogKey reads what Key wrote.
func ParseLogKey(s string) (Log, error) {
	name, product, _ := strings.Cut(s, "#")
	account, notAccount := ParseAccountID(name)
	p, notProduct := ParseProduct(product)
	return Log{account, p}, errors.Join(notAccount, notProduct)
}

// Text is the log as messages name it: "acme_retail sms".
func (l Log) Text() string { return string(l.Account) + " " + string(l.Product) }

// Direction is seen from the customer: Outbound is what it sent. It is empty
// where the platform does not tell, as for a plain video session.
type Direction string

const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
)

// Record is one line of a log: a message, a call leg or a video session.
type Record struct {
	Log
	ID        RecordID
	Raw       bool       // the store has it under an id that may not be shown: see Position
	Timestamp time.Time  // when it was created or initiated, UTC, to the millisecond
	Direction Direction  // empty: not told
	Status    Status     // empty: not told
	StatusAt  *time.Time // when the status was reached, UTC
	ErrorCode string     // the platform's code; empty: none
	From, To  masking.Number
	Country   Country  // of the remote party; empty: unknown
	Operator  Operator // SMS, voice: that of the remote party; empty: unknown

	Segments           *int64   // SMS: parts that the message was sent in
	DurationSeconds    *int64   // voice, video
	Participants       *int64   // video
	ParticipantSeconds *int64   // video: sum over the participants of their seconds
	Channel            Channel  // messaging; empty: unknown
	Category           Category // messaging; empty: unknown

	// RecordedPrice is what the platform says that this customer was charged;
	// nil where it does not say.
	RecordedPrice *money.Money

	ExpiresAt time.Time // end of retention: from then on it is not shown; zero: kept for good
}

// Receipt is news of a record that was logged before: the status that it has
// reached since. It knows the record by its id alone.
type Receipt struct {
	Log
	ID        RecordID
	Status    Status
	StatusAt  time.Time // when the status was reached, UTC, to the millisecond
	ErrorCode string    // the platform's code; empty: none
	// RecordedPrice is what the platform says that the customer was charged; nil
	// where it says nothing of it, and what was said before holds.
	RecordedPrice *money.Money
}

// TimeLayout is the one form in which times leave the system and are kept: RFC
// 3339, UTC, milliseconds, fixed width, so that the order of the texts is that
// of the times.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime writes t in TimeLayout.
func FormatTime(t time.Time) string { return string(AppendTime(make([]byte, 0, len(TimeLayout)), t)) }

// AppendTime is FormatTime at the end of b.
func AppendTime(b []byte, t time.Time) []byte {
	b = t.UTC().AppendFormat(b, time.RFC3339) // four times as fast as a layout of one's own
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(b[:len(b)-1], '.', '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10), 'Z')
}

// ParseTime reads RFC 3339, strictly, with any offset and any fraction; the result
// is UTC, cut to the millisecond. "t" and "z" may be lower-case, as there (5.6).
// Years are 1 to 9999. A leap second, as 23:59:60, is refused: no time that is kept
// could show it.
func ParseTime(s string) (time.Time, error) {
	upper := strings.ToUpper(s)
	t, err := time.Parse(time.RFC3339, upper) // what it takes beyond RFC 3339, hasTimeForm refuses
	t = t.UTC().Truncate(time.Millisecond)
	if err != nil || !hasTimeForm(upper) || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("a time is RFC 3339, as 2026-11-03T10:00:00Z")
	}
	return t, nil
}

// hasTimeForm reports whether s is made as RFC 3339 says, character by character:
// 2026-11-03T10:00:00, a point and digits or neither, then Z or an offset of less
// than a day.
func hasTimeForm(s string) bool {
	const form = "0000-00-00T00:00:00"
	if len(s) <= len(form) || !matches(s[:len(form)], form) {
		return false
	}
	rest := s[len(form):]
	if fraction, found := strings.CutPrefix(rest, "."); found {
		rest = strings.TrimLeft(fraction, digits)
		if len(rest) == len(fraction) {
			return false
		}
	}
	return rest == "Z" || (matches(rest, "+00:00") || matches(rest, "-00:00")) && rest[1:3] < "24" && rest[4:] < "60"
}

// matches reports whether s has a digit wherever form has a 0, and else what form
// has.
func matches(s, form string) bool {
	if len(s) != len(form) {
		return false
	}
	for i := range len(s) {
		if digit := isDigit(s[i]); digit != (form[i] == '0') || !digit && s[i] != form[i] {
			return false
		}
	}
	return true
}

// Period is half-open: From is in it, To is not. A zero end is open.
type Period struct{ From, To time.Time }

// Contains reports whether t lies in the period.
func (p Period) Contains(t time.Time) bool {
	return (p.From.IsZero() || !t.Before(p.From)) && (p.To.IsZero() || t.Before(p.To))
}
