package importer

import (
	"io"

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

// nativeRows reads NDJSON of the native fields.
type nativeRows struct {
	objects
	draft  draft
	known  map[string]nativeField
	names  fieldNames         // of unknown fields
	values [fieldCount][]byte // of the line at hand, as JSON; nil: absent or null
}

func openNative(text io.Reader, o Options) rows {
	n := &nativeRows{objects: objects{newLines(text)}, draft: newDraft(o), known: make(map[string]nativeField, fieldCount), names: fieldNames{}}
	for f := range fieldCount {
		n.known[f.String()] = f
	}
	return n
}

func (n *nativeRows) next() (Row, error) {
	number, line, fault, err := n.nextObject()
	switch {
	case err != nil:
		return Row{}, err
	case fault != "":
		return rejectedLine(number, fault), nil
	}
	n.draft.begin()
	n.collect(line)
	n.read()
	return n.draft.row(number), nil
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
	for text := range textsIn(n.values[fContactName]) {
		d.numbers.Add(text)
	}
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
	channel, category := n.text(fChannel), n.text(fCategory)
	r.Channel, r.Category = word(d, fChannel.String(), channel, usage.ParseChannel), word(d, fCategory.String(), category, usage.ParseCategory)
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
	text := d.jsonDecimal(amountField, amount)
	if text != "" && (len(currency) <= len(`""`) || currency[0] != '"') {
		d.fail(currencyField, "must be an ISO 4217 code, as EUR")
		return
	}
	if text != "" {
		d.price(amountField, text, currencyField, unquote(currency))
	}
}
