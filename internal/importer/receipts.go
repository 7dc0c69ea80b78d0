package importer

import (
	"io"

	"partnerview/internal/usage"
)

// statusChanged is the event of 8x8 Connect that tells of an outbound message's
// status.
const statusChanged = "outbound_message_status_changed"

// receiptRows reads delivery receipts: NDJSON of the objects that the platform
// sends one by one. What nobody asks for is passed over, as in its exports.
type receiptRows struct {
	objects
	draft draft
}

func openReceipts(text io.Reader, o Options) rows {
	return &receiptRows{objects{newLines(text)}, newDraft(o)}
}

func (x *receiptRows) next() (Row, error) {
	number, line, fault, err := x.nextObject()
	switch {
	case err != nil:
		return Row{}, err
	case fault != "":
		return rejectedLine(number, fault), nil
	}
	x.draft.begin()
	x.read(line)
	return x.draft.receiptRow(number), nil
}

// ReceiptIDField is where a receipt names its record.
const ReceiptIDField = "payload.umid"

// The other fields of a receipt, by their paths.
const (
	eventField      = "eventType"
	payloadField    = "payload"
	accountField    = "payload.subAccountId"
	sourceField     = "payload.source"
	targetField     = "payload.destination"
	statusField     = "payload.status"
	stateField      = "payload.status.state"
	reachedField    = "payload.status.timestamp"
	errorCodeField  = "payload.status.errorCode"
	priceField      = "payload.price"
	totalPriceField = "payload.price.total"
	currencyField   = "payload.price.currency"
)

func (x *receiptRows) read(line []byte) {
	d := &x.draft
	d.record.Product = usage.SMS
	top := x.object("", line)
	payload := x.object(payloadField, top[payloadField])
	x.end(sourceField, payload)
	x.end(targetField, payload)
	if event := d.jsonText(eventField, top[eventField]); event != "" && event != statusChanged {
		d.fail(eventField, quoted(event)+"is not "+statusChanged)
	}
	if top[payloadField] == nil {
		d.fail(payloadField, missing)
	}
	d.owner(accountField, d.jsonText(accountField, payload[accountField]))
	d.id(ReceiptIDField, d.jsonText(ReceiptIDField, payload[ReceiptIDField]))
	x.status(x.object(statusField, payload[statusField]))
	x.price(x.object(priceField, payload[priceField]))
}

// end remembers the number of one side of the message: nothing else may repeat
// it. A number that is no text is not known as one.
func (x *receiptRows) end(field string, payload map[string][]byte) {
	value := payload[field]
	x.draft.secret = x.draft.secret || value != nil && value[0] != '"' && string(value) != "null"
	x.draft.end(x.draft.jsonText(field, value))
}

func (x *receiptRows) status(status map[string][]byte) {
	d := &x.draft
	state := d.jsonText(stateField, status[stateField])
	if d.status(stateField, state); state == "" {
		d.fail(stateField, missing)
	}
	d.timeField = reachedField
	reached := d.jsonText(reachedField, status[reachedField])
	if d.record.StatusAt = d.time(reachedField, reached, parseExportTime); reached == "" {
		d.fail(reachedField, missing) // nobody could say whether it is news
	}
	// As in the export: 0 is "no reason code". The platform writes a number.
	if code := d.jsonWord(errorCodeField, status[errorCodeField]); code != "0" {
		d.errorCode(errorCodeField, code)
	}
}

func (x *receiptRows) price(price map[string][]byte) {
	d := &x.draft
	d.price(totalPriceField, d.jsonDecimal(totalPriceField, price[totalPriceField]), currencyField, d.jsonText(currencyField, price[currencyField]))
}

// object finds the members of an object by their paths, of which each may be
// there once. A value that is null, or not there, has none.
func (x *receiptRows) object(path string, value []byte) map[string][]byte {
	if value == nil || string(value) == "null" {
		return nil
	}
	if value[0] != '{' {
		x.draft.fail(path, "must be an object")
		return nil
	}
	found := make(map[string][]byte, 8)
	for name, member := range members(value) {
		at := string(name)
		if path != "" {
			at = path + "." + at
		}
		if _, twice := found[at]; twice && isReceiptField(at) {
			x.draft.fail(at, "is there twice")
			x.draft.secret = true
		}
		found[at] = member
	}
	return found
}

// isReceiptField tells whether a path is one that is read, and may be named.
func isReceiptField(path string) bool {
	switch path {
	case eventField, payloadField, ReceiptIDField, accountField, sourceField, targetField, statusField, stateField, reachedField,
		errorCodeField, priceField, totalPriceField, currencyField:
		return true
	}
	return false
}
