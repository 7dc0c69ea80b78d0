package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"partnerview/internal/usage"
)

// nativeField is a field of the native format.
type nativeField int

const (
	fAccountID nativeField = iota
	fProduct
	fID
	fTimestamp
	fDirection
	fStatus
	fStatusAt
	fFrom
	fTo
	fCountry
	fOperator
	fSegments
	fDurationSeconds
	fParticipants
	fParticipantSeconds
	fChannel
	fCategory
	fErrorCode
	fRecordedPrice
	fContactName
	fContent
	fieldCount
)

func (f nativeField) String() string {
	return [fieldCount]string{
		"accountId", "product", "id", "timestamp", "direction", "status", "statusAt", "from", "to", "country", "operator",
		"segments", "durationSeconds", "participants", "participantSeconds", "channel", "category",
		"errorCode", "recordedPrice", "contactName", "content",
	}[f]
}

// isKeptFor tells whether records of a product have the field.
func (f nativeField) isKeptFor(p usage.Product) bool {
	switch f {
	case fOperator:
		return p == usage.SMS || p == usage.Voice
	case fSegments:
		return p == usage.SMS
	case fDurationSeconds:
		return p == usage.Voice || p == usage.Video
	case fParticipants, fParticipantSeconds:
		return p == usage.Video
	case fChannel, fCategory:
		return p == usage.Messaging
	case fContactName, fContent:
		return false
	}
	return true
}

// nativeRows reads NDJSON: an object a line.
type nativeRows struct {
	lines  *lines
	draft  draft
	known  map[string]nativeField
	names  fieldNames         // of unknown fields
	values [fieldCount][]byte // of the line at hand, as JSON; nil: absent or null
}

func openNative(text io.Reader, o Options) rows {
	n := &nativeRows{lines: newLines(text), draft: newDraft(o), known: make(map[string]nativeField, fieldCount), names: fieldNames{}}
	for f := range fieldCount {
		n.known[f.String()] = f
	}
	return n
}

func (n *nativeRows) next() (Row, error) {
	for {
		number := n.lines.number
		end, err := n.lines.lineEnd(0)
		switch {
		case errors.Is(err, errTooLong):
			n.lines.skipLine()
			return rejectedLine(number, tooLong), nil
		case err != nil:
			return Row{}, err
		}
		line := bytes.TrimSpace(n.lines.window()[:end])
		n.lines.advance(end) // the bytes stay until the next call of lineEnd
		if len(line) > 0 {
			return n.row(number, line), nil
		}
	}
}

// Reasons for which a line as a whole is rejected.
const (
	tooLong = "is longer than 1048576 bytes"
	notUTF8 = "is not UTF-8"
	notJSON = "is not a JSON object"
)

func rejectedLine(number int, reason string) Row {
	return Row{Line: number, Rejected: &Reject{Line: number, Reason: reason}}
}

func (n *nativeRows) row(number int, line []byte) Row {
	switch {
	case !utf8.Valid(line):
		return rejectedLine(number, notUTF8)
	case line[0] != '{' || !json.Valid(line):
		return rejectedLine(number, notJSON)
	}
	n.draft.begin()
	n.collect(line)
	n.read()
	return n.draft.row(number)
}

// collect finds the values of the known fields, and drops the unknown.
func (n *nativeRows) collect(line []byte) {
	clear(n.values[:])
	var seen [fieldCount]bool
	for name, value := range members(line) {
		f, known := n.known[string(name)]
		switch {
		case !known:
			n.draft.drop(n.names.tell(name))
		case seen[f]:
			n.draft.fail(f.String(), "is there twice")
			n.draft.secret = true
		case string(value) == "null":
			seen[f] = true
		default:
			seen[f] = true
			n.values[f] = value
		}
	}
}

// read turns the values into the draft's record.
func (n *nativeRows) read() {
	d := &n.draft
	r := &d.record
	r.From, r.To = d.end(n.text(fFrom)), d.end(n.text(fTo))
	d.owner(n.field(fAccountID))
	d.product(n.field(fProduct))
	for f, value := range n.values {
		if value != nil && !nativeField(f).isKeptFor(r.Product) {
			d.drop(nativeField(f).String())
			n.values[f] = nil
		}
	}
	d.id(n.field(fID))
	d.timestamp("timestamp", n.text(fTimestamp), usage.ParseTime)
	d.direction(n.field(fDirection))
	d.status(n.field(fStatus))
	r.StatusAt = d.time("statusAt", n.text(fStatusAt), usage.ParseTime)
	r.Country = d.country(n.field(fCountry))
	r.Operator = d.operator(n.field(fOperator))
	d.errorCode(n.field(fErrorCode))
	r.Channel, r.Category = d.word(n.field(fChannel)), d.word(n.field(fCategory))
	r.Segments = n.count(fSegments, maxCount)
	r.DurationSeconds = n.count(fDurationSeconds, maxCount)
	r.Participants = n.count(fParticipants, maxCount)
	r.ParticipantSeconds = n.count(fParticipantSeconds, maxCount*maxCount)
	if r.ParticipantSeconds == nil && r.Participants != nil && r.DurationSeconds != nil {
		seconds := *r.Participants * *r.DurationSeconds
		r.ParticipantSeconds = &seconds
	}
	n.price()
}

// text is the value of a field that is text or null.
func (n *nativeRows) text(f nativeField) string {
	value := n.values[f]
	if value == nil {
		return ""
	}
	if value[0] != '"' {
		n.draft.fail(f.String(), "must be text, in quotes")
		n.draft.secret = n.draft.secret || f == fFrom || f == fTo
		return ""
	}
	return unquote(value)
}

// field is a field's name and text.
func (n *nativeRows) field(f nativeField) (name, text string) { return f.String(), n.text(f) }

func (n *nativeRows) count(f nativeField, most int64) *int64 {
	return n.draft.count(f.String(), string(n.values[f]), most)
}

// price reads {"amount": "0.0412", "currency": "EUR"}; the amount may also be a
// JSON number, which is taken as it is written, and null where it is unknown.
func (n *nativeRows) price() {
	const (
		amountField   = "recordedPrice.amount"
		currencyField = "recordedPrice.currency"
	)
	d := &n.draft
	object := n.values[fRecordedPrice]
	if object == nil {
		return
	}
	if object[0] != '{' {
		d.fail("recordedPrice", `must be an object, as {"amount": "0.0412", "currency": "EUR"}`)
		return
	}
	var amount, currency []byte
	for name, value := range members(object) {
		part := &amount
		switch string(name) {
		case "amount":
		case "currency":
			part = &currency
		default:
			d.drop("recordedPrice." + n.names.tell(name))
			continue
		}
		if *part != nil {
			d.fail("recordedPrice."+string(name), "is there twice")
		}
		*part = value
	}
	switch {
	case amount == nil || string(amount) == "null":
	case amount[0] != '"' && amount[0] != '-' && !isDigit(amount[0]):
		d.fail(amountField, "must be decimal text, as 0.0412")
	case currency == nil || currency[0] != '"':
		d.fail(currencyField, "must be an ISO 4217 code, as EUR")
	case amount[0] == '"':
		d.price(amountField, unquote(amount), currencyField, unquote(currency))
	default:
		d.price(amountField, string(amount), currencyField, unquote(currency))
	}
}
