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

// recordBuilder makes a record of a line's fields, whatever the format. Its methods
// read one field each from its text, under the name that the file has for it; an empty
// text leaves the field unknown, which only some fields may be. The first fault
// is kept, and decides.
type recordBuilder struct {
	options Options
	record  usage.Record
	numbers masking.Endings // of the numbers of whom the record is of: nothing else may tell them
	amount  string          // of the recorded price as it is written: its value has no zeros at its end
	secret  bool            // the id may be such a number: a rejection does not tell it
	dropped []string
	unread  []Unread

	idField, timeField string // what the file calls them
	field, reason      string // of the first fault; no reason: there is none
}

func newRecordBuilder(o Options) recordBuilder {
	if o.RetentionMonths == 0 {
		o.RetentionMonths = DefaultRetentionMonths
	}
	return recordBuilder{options: o}
}

// begin forgets the record before.
func (b *recordBuilder) begin() { *b = recordBuilder{options: b.options} }

func (b *recordBuilder) fail(field, reason string) {
	if b.reason == "" {
		b.field, b.reason = field, reason
	}
}

func (b *recordBuilder) drop(field string) {
	if !slices.Contains(b.dropped, field) {
		b.dropped = append(b.dropped, field)
	}
}

// maskNumber masks one end of the record.
func (b *recordBuilder) maskNumber(raw string) masking.Number {
	b.numbers.Add(raw)
	return masking.Mask(raw)
}

// owner finds whose record it is: the first of the names that is a customer's
// decides. Names that nobody has are not made up for by Options.Account.
func (b *recordBuilder) owner(field string, names ...string) {
	named := ""
	for _, name := range names {
		if name == "" {
			continue
		}
		if b.options.Accounts != nil {
			if id, found := b.options.Accounts(name); found {
				b.record.Account = id
				return
			}
		}
		if named == "" {
			named = name
		}
	}
	switch {
	case named != "":
		b.fail(field, quoted(named)+"is no known customer's account or sub-account")
	case b.options.Account != "":
		b.record.Account = b.options.Account
	default:
		b.fail(field, missing)
	}
}

const missing = "is missing"

func (b *recordBuilder) product(field, text string) {
	product, err := usage.ParseProduct(text)
	switch {
	case text == "":
		b.fail(field, missing)
	case err != nil:
		b.fail(field, quoted(text)+"must be sms, voice, video or messaging")
	}
	b.record.Product = product
}

// id comes behind owner and product, of which a hashed one is made.
func (b *recordBuilder) id(field, text string) {
	b.idField = field
	if b.record.Log.Account == "" || b.record.Product == "" { // which has failed
		b.secret = b.secret || usage.IsWhatsApp(text)
	}
	id, err := b.record.RecordID(text)
	switch {
	case text == "":
		b.fail(field, missing)
	case text == "." || text == "..":
		b.fail(field, "must not be . or ..: a path could not name it")
	case err != nil:
		b.fail(field, "must be 1 to 128 of A-Z a-z 0-9 . _ : -")
	}
	b.record.ID = id
}

func (b *recordBuilder) timestamp(field, text string, parse func(string) (time.Time, error)) {
	b.timeField = field
	if text == "" {
		b.fail(field, missing)
	} else if at := b.time(field, text, parse); at != nil {
		b.record.Timestamp = *at
	}
}

func (b *recordBuilder) time(field, text string, parse func(string) (time.Time, error)) *time.Time {
	if text == "" {
		return nil
	}
	at, err := parse(text)
	switch {
	case err != nil:
		b.fail(field, "must be a time in RFC 3339, as 2026-11-03T10:00:00Z")
		return nil
	case IsAhead(at, b.options.Now):
		b.fail(field, "lies in the future")
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

func (b *recordBuilder) direction(field, text string) {
	switch direction := usage.Direction(text); direction {
	case "", usage.Inbound, usage.Outbound:
		b.record.Direction = direction
	default:
		b.fail(field, quoted(text)+"must be inbound or outbound")
	}
}

// status takes the platform's word.
func (b *recordBuilder) status(field, text string) {
	if text == "" {
		return
	}
	status, err := usage.ParseStatus(strings.TrimSpace(text))
	if err != nil {
		b.fail(field, quoted(text)+"must be 1 to 32 letters, -, _ or spaces")
	}
	b.record.Status = status
}

func (b *recordBuilder) channel(field, text string) {
	b.record.Channel = readWord(b, field, text, usage.ParseChannel)
}

func (b *recordBuilder) category(field, text string) {
	b.record.Category = readWord(b, field, text, usage.ParseCategory)
}

func readWord[T ~string](b *recordBuilder, field, text string, parse func(string) (T, error)) T {
	if text == "" {
		return ""
	}
	word, err := parse(text)
	switch {
	case err != nil:
		b.fail(field, quoted(text)+"must be a letter, then up to 31 letters, digits or _")
	case masking.TellsDigits(text):
		b.fail(field, "must not hold five digits in a row: they may be of a telephone number")
		return ""
	}
	return word
}

func (b *recordBuilder) country(field, text string) {
	if text == "" {
		return
	}
	code, err := usage.ParseCountry(text)
	if err != nil || !code.IsAssigned() {
		b.fail(field, quoted(text)+"is not an ISO 3166-1 alpha-2 code, as GB")
		return
	}
	b.record.Country = code
}

func (b *recordBuilder) operator(field, text string) {
	if text == "" {
		return
	}
	operator, err := usage.ParseOperator(text)
	switch {
	case err != nil:
		b.fail(field, err.Error())
	case operator.Check() != nil: // a zero was lost: which operator it was, nobody can say
		b.cannotReadNetwork(text[:3], text[3:])
	default:
		b.record.Operator = operator
	}
}

// network is an operator that the file has in two columns: "234" and "01" are
// "23401". A country code alone names none.
func (b *recordBuilder) network(mcc, mnc string) {
	operator := usage.Operator(mcc + mnc)
	switch {
	case mnc == "":
	case len(mcc) != 3 || operator.Check() != nil:
		b.cannotReadNetwork(mcc, mnc)
	default:
		b.record.Operator = operator
	}
}

// Fields of a record that may be unread.
const (
	countryField       = "country"
	operatorField      = "operator"
	recordedPriceField = "recordedPrice"
)

// cannotRead leaves a field unknown, for a value that cannot be read into it.
func (b *recordBuilder) cannotRead(field, value string) {
	if !isShowable(value) {
		value = ""
	}
	b.unread = append(b.unread, Unread{field, value})
}

// cannotReadNetwork leaves the operator unknown. One of a country that there is may be shown
// whole, as "310 99": it is no more of a number than any operator.
func (b *recordBuilder) cannotReadNetwork(mcc, mnc string) {
	value := strings.TrimSpace(mcc + " " + mnc)
	if usage.IsMCC(mcc) && len(mnc) <= 3 && countDigits(mnc) == len(mnc) {
		b.unread = append(b.unread, Unread{operatorField, value})
		return
	}
	b.cannotRead(operatorField, value)
}

// errorCode drops a code that may be a telephone number, or a piece of one.
func (b *recordBuilder) errorCode(field, text string) {
	switch {
	case masking.TellsDigits(text):
		b.drop(field)
	case len(text) > 32 || strings.Trim(text, alphanumeric+"_.-") != "":
		b.fail(field, "must be 1 to 32 of A-Z a-z 0-9 _ . -")
	default:
		b.record.ErrorCode = text
	}
}

// count reads a count that may be so large.
func (b *recordBuilder) count(field, text string, most int64) *int64 {
	if text == "" {
		return nil
	}
	n, isWhole := countOf(text)
	if !isWhole || n > most {
		b.fail(field, "must be a whole number from 0 to "+strconv.FormatInt(most, 10))
		return nil
	}
	return &n
}

// participantSeconds reads the seconds of all participants, whose bound is the record's own.
func (b *recordBuilder) participantSeconds(field, text string) {
	if text == "" {
		return
	}
	n, isWhole := countOf(text)
	switch r := &b.record; {
	case !isWhole:
		b.fail(field, "must be a whole number")
	case n > usage.MaxParticipantSeconds(r.Participants, r.DurationSeconds):
		b.fail(field, "is more than participants and durationSeconds allow")
	default:
		r.ParticipantSeconds = &n
	}
}

// countOf reads a whole number that is not negative.
func countOf(text string) (n int64, ok bool) {
	n, err := strconv.ParseInt(withoutZeroFraction(text), 10, 64)
	return n, err == nil && isDigit(text[0])
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
func (b *recordBuilder) price(amountField, amount, currencyField, code string) {
	if amount == "" || code == "" {
		if strings.Trim(amount, "0.") != "" {
			b.cannotRead(recordedPriceField, amount)
		}
		return
	}
	value, err := money.Parse(amount)
	switch {
	case err != nil:
		b.fail(amountField, quoted(amount)+"must be a decimal number, as 0.0412")
		return
	case value.IsNegative():
		b.fail(amountField, "must not be negative")
		return
	case !usage.MayCost(value):
		b.fail(amountField, "must have at most 7 digits before the point")
		return
	}
	if currency := b.currency(currencyField, code); currency != "" {
		b.record.RecordedPrice, b.amount = &money.Money{Amount: value, Currency: currency}, amount
	}
}

func (b *recordBuilder) currency(field, code string) money.Currency {
	currency, err := money.ParseCurrency(code)
	if err != nil || !currency.IsInUse() {
		b.fail(field, quoted(code)+"is not an ISO 4217 code, as EUR")
		return ""
	}
	return currency
}

// jsonText is the text of a field that is text or null, or was not there.
func (b *recordBuilder) jsonText(field string, value []byte) string {
	if value == nil || string(value) == "null" {
		return ""
	}
	if value[0] != '"' {
		b.fail(field, "must be text, in quotes")
		return ""
	}
	return unquote(value)
}

// jsonNumber masks one end of the record. One that is no text is not known as a
// number, and may be the id.
func (b *recordBuilder) jsonNumber(field string, value []byte) masking.Number {
	b.secret = b.secret || value != nil && value[0] != '"' && string(value) != "null"
	return b.maskNumber(b.jsonText(field, value))
}

// jsonDecimal is the text of a decimal. It may also be a JSON number, which is
// taken as it is written: it never goes through a float.
func (b *recordBuilder) jsonDecimal(field string, value []byte) string {
	switch {
	case value == nil || string(value) == "null":
		return ""
	case value[0] == '"':
		return unquote(value)
	case value[0] != '-' && !isDigit(value[0]):
		b.fail(field, "must be decimal text, as 0.0412")
		return ""
	}
	return string(value)
}

// row ends the record that began at a line.
func (b *recordBuilder) row(line int) Row {
	if b.isOutside(b.record.Timestamp) {
		return Row{Line: line, Outside: true}
	}
	b.checkNumbers()
	expires := b.record.Timestamp.AddDate(0, b.options.RetentionMonths, 0)
	if !expires.After(b.options.Now) {
		b.fail(b.timeField, "is past the retention time of "+strconv.Itoa(b.options.RetentionMonths)+" months")
	}
	if b.reason != "" {
		return b.rejected(line)
	}
	b.record.ExpiresAt = expires
	return Row{Line: line, Record: b.record, Dropped: b.dropped, Unread: b.unread}
}

// receiptRow ends the receipt that began at a line. When its record was made is
// not in it: it goes by the time of its status, and nothing of it expires.
func (b *recordBuilder) receiptRow(line int) Row {
	if b.record.StatusAt != nil && b.isOutside(*b.record.StatusAt) {
		return Row{Line: line, Outside: true}
	}
	b.checkNumbers()
	if b.reason != "" {
		return b.rejected(line)
	}
	r := b.record
	return Row{Line: line, Dropped: b.dropped, Unread: b.unread, Receipt: &usage.Receipt{
		Log: r.Log, ID: r.ID, Status: r.Status, StatusAt: *r.StatusAt, ErrorCode: r.ErrorCode,
		RecordedPrice: r.RecordedPrice,
	}}
}

// isOutside reports whether a time is known, and not in the period asked for.
func (b *recordBuilder) isOutside(t time.Time) bool {
	return !t.IsZero() && !b.options.Period.Contains(t)
}

func (b *recordBuilder) rejected(line int) Row {
	reject := &Reject{Line: line, Field: b.field, Reason: b.reason}
	if !b.secret && !usage.TellsNumber(b.record.ID, b.numbers) {
		reject.ID = b.record.ID
	}
	return Row{Line: line, Rejected: reject}
}

// tells is why a line is rejected that tells a number elsewhere than in its place.
const tells = "tells a number of the record itself"

// checkNumbers refuses a record that tells the full number of one of its ends in
// another field: above all in its id, which is part of a key. An error code that
// does is already dropped.
func (b *recordBuilder) checkNumbers() {
	if usage.TellsNumber(b.record.ID, b.numbers) {
		b.fail(b.idField, tells)
	}
	price := b.record.RecordedPrice
	if price != nil && (b.numbers.In(b.amount) || b.numbers.In(money.Text(price.Amount))) {
		b.fail("recordedPrice", tells)
	}
	if seconds := b.record.ParticipantSeconds; seconds != nil && b.numbers.In(strconv.FormatInt(*seconds, 10)) {
		b.fail("participantSeconds", tells)
	}
}
