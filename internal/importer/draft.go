package importer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// draft is a record in the making, whatever the format. Its methods read one
// field each from its text, under the name that the file has for it; an empty
// text leaves the field unknown, which only some fields may be. The first fault
// is kept, and decides.
type draft struct {
	options Options
	record  usage.Record
	numbers masking.Endings // of the numbers of whom the record is of: nothing else may tell them
	secret  bool            // the id may be such a number: a rejection does not tell it
	dropped []string
	unread  []Unread

	idField, timeField string // what the file calls them
	field, reason      string // of the first fault; no reason: there is none
}

func newDraft(o Options) draft {
	if o.RetentionMonths == 0 {
		o.RetentionMonths = DefaultRetentionMonths
	}
	return draft{options: o}
}

// begin forgets the record before.
func (d *draft) begin() { *d = draft{options: d.options} }

func (d *draft) fail(field, reason string) {
	if d.reason == "" {
		d.field, d.reason = field, reason
	}
}

func (d *draft) drop(field string) {
	if !slices.Contains(d.dropped, field) {
		d.dropped = append(d.dropped, field)
	}
}

// end masks one end of the record.
func (d *draft) end(raw string) masking.Number {
	d.numbers.Add(raw)
	return masking.Mask(raw)
}

// owner finds whose record it is: the first of the names that is a customer's
// decides. Names that nobody has are not made up for by Options.Account.
func (d *draft) owner(field string, names ...string) {
	named := ""
	for _, name := range names {
		if name == "" {
			continue
		}
		if d.options.Accounts != nil {
			if id, found := d.options.Accounts(name); found {
				d.record.Account = id
				return
			}
		}
		if named == "" {
			named = name
		}
	}
	switch {
	case named != "":
		d.fail(field, quoted(named)+"is no known customer's account or sub-account")
	case d.options.Account != "":
		d.record.Account = d.options.Account
	default:
		d.fail(field, missing)
	}
}

const missing = "is missing"

func (d *draft) product(field, text string) {
	product, err := usage.ParseProduct(text)
	switch {
	case text == "":
		d.fail(field, missing)
	case err != nil:
		d.fail(field, quoted(text)+"must be sms, voice, video or messaging")
	}
	d.record.Product = product
}

// id comes behind owner and product, of which a hashed one is made.
func (d *draft) id(field, text string) {
	d.idField = field
	if d.record.Log.Account == "" || d.record.Product == "" { // which has failed
		d.secret = d.secret || usage.IsWhatsApp(text)
	}
	id, err := d.record.RecordID(text)
	switch {
	case text == "":
		d.fail(field, missing)
	case text == "." || text == "..":
		d.fail(field, "must not be . or ..: a path could not name it")
	case err != nil:
		d.fail(field, "must be 1 to 128 of A-Z a-z 0-9 . _ : -")
	}
	d.record.ID = id
}

func (d *draft) timestamp(field, text string, parse func(string) (time.Time, error)) {
	d.timeField = field
	if text == "" {
		d.fail(field, missing)
	} else if at := d.time(field, text, parse); at != nil {
		d.record.Timestamp = *at
	}
}

func (d *draft) time(field, text string, parse func(string) (time.Time, error)) *time.Time {
	if text == "" {
		return nil
	}
	at, err := parse(text)
	switch {
	case err != nil:
		d.fail(field, "must be a time in RFC 3339, as 2026-11-03T10:00:00Z")
		return nil
	case IsAhead(at, d.options.Now):
		d.fail(field, "lies in the future")
	}
	return &at
}

// maxAhead is how far in the future a time may lie of what has happened: clocks
// differ. One that lies further would keep every true one from replacing it, for as
// long.
const maxAhead = 5 * time.Minute

// IsAhead reports whether a time lies further after now than clocks differ: nothing
// can have happened then.
func IsAhead(t, now time.Time) bool { return t.After(now.Add(maxAhead)) }

func (d *draft) direction(field, text string) {
	switch direction := usage.Direction(text); direction {
	case "", usage.Inbound, usage.Outbound:
		d.record.Direction = direction
	default:
		d.fail(field, quoted(text)+"must be inbound or outbound")
	}
}

// status takes the platform's word.
func (d *draft) status(field, text string) {
	if text == "" {
		return
	}
	status, err := usage.ParseStatus(strings.TrimSpace(text))
	if err != nil {
		d.fail(field, quoted(text)+"must be 1 to 32 letters, -, _ or spaces")
	}
	d.record.Status = status
}

// word reads a channel or a category.
func word[T ~string](d *draft, field, text string, parse func(string) (T, error)) T {
	if text == "" {
		return ""
	}
	word, err := parse(text)
	switch {
	case err != nil:
		d.fail(field, quoted(text)+"must be a letter, then up to 31 letters, digits or _")
	case hasNumber(text):
		d.fail(field, "must not hold a number of 8 digits or more")
		return ""
	}
	return word
}

func (d *draft) country(field, text string) usage.Country {
	if text == "" {
		return ""
	}
	code, err := usage.ParseCountry(text)
	if err != nil || !code.IsAssigned() {
		d.fail(field, quoted(text)+"is not an ISO 3166-1 alpha-2 code, as GB")
		return ""
	}
	return code
}

func (d *draft) operator(field, text string) usage.Operator {
	if text == "" {
		return ""
	}
	operator, err := usage.ParseOperator(text)
	switch {
	case err != nil:
		d.fail(field, err.Error())
	case operator.Check() != nil: // a zero was lost: which operator it was, nobody can say
		d.cannotRead(operatorField, text)
		return ""
	}
	return operator
}

// network is the operator that an export tells in two columns: "234" and "01" are
// "23401". A country code alone names none.
func (d *draft) network(mcc, mnc string) usage.Operator {
	if mnc == "" {
		return ""
	}
	operator := usage.Operator(mcc + mnc)
	if len(mcc) != 3 || operator.Check() != nil {
		d.cannotRead(operatorField, strings.TrimSpace(mcc+" "+mnc))
		return ""
	}
	return operator
}

// Fields of a record that may be unread.
const (
	countryField       = "country"
	operatorField      = "operator"
	recordedPriceField = "recordedPrice"
)

// cannotRead leaves a field unknown, for a value that cannot be read into it.
func (d *draft) cannotRead(field, value string) {
	if !isShowable(field, value) {
		value = ""
	}
	d.unread = append(d.unread, Unread{field, value})
}

// errorCode drops a code that may be a telephone number.
func (d *draft) errorCode(field, text string) {
	if hasNumber(text) {
		d.drop(field)
		return
	}
	if len(text) > 32 || strings.Trim(text, letters+"0123456789_.-") != "" {
		d.fail(field, "must be 1 to 32 of A-Z a-z 0-9 _ . -")
		return
	}
	d.record.ErrorCode = text
}

// maxCount bounds segments, seconds and participants: a call of 115 days is a
// mistake, and no telephone number has so few digits.
const maxCount = 9_999_999

func (d *draft) count(field, text string, most int64) *int64 {
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(withoutZeroFraction(text), 10, 64)
	if err != nil || n > most || !isDigit(text[0]) {
		d.fail(field, "must be a whole number from 0 to "+strconv.FormatInt(most, 10))
		return nil
	}
	return &n
}

// withoutZeroFraction is a whole number as some programs write it, "1.0" or "1.00",
// without its fraction; any other text stays as it is.
func withoutZeroFraction(text string) string {
	if whole, fraction, found := strings.Cut(text, "."); found && fraction != "" && strings.Trim(fraction, "0") == "" {
		return whole
	}
	return text
}

// price reads a recorded price. There is one only where both parts are: a 0 with
// its currency is a known 0, without it is unknown.
func (d *draft) price(amountField, amount, currencyField, code string) {
	if amount == "" || code == "" {
		if strings.Trim(amount, "0.") != "" {
			d.cannotRead(recordedPriceField, amount)
		}
		return
	}
	value, err := money.Parse(amount)
	switch {
	case err != nil:
		d.fail(amountField, quoted(amount)+"must be a decimal number, as 0.0412")
		return
	case value.IsNegative():
		d.fail(amountField, "must not be negative")
		return
	}
	currency, err := money.ParseCurrency(code)
	if err != nil || !currency.IsInUse() {
		d.fail(currencyField, quoted(code)+"is not an ISO 4217 code, as EUR")
		return
	}
	d.record.RecordedPrice = &money.Money{Amount: value, Currency: currency}
}
