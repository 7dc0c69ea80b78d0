package importer

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"partnerview/internal/usage"
)

// What the columns of 8x8 Connect's exports, and the fields of its receipts, mean.
// docs/formats.md has the tables, and says what the platform leaves undocumented.

// export says how a CSV export is known, and becomes records.
type export struct {
	format Format
	needs  []string // the columns that no record can do without, besides the account's
	lacks  string   // a column that it never has, where others have its key columns too
	read   func(*exportRows)
}

// exports are all, in the order in which a header is held against them.
func exports() []export {
	return []export{
		{ConnectMessaging, []string{"umid", "step", "createdAt", "direction"}, "msisdn", (*exportRows).readMessaging},
		{ConnectSMS, []string{"umid", "createdat", "direction"}, "", (*exportRows).readSMS},
		{ConnectVoice, []string{"CallId", "InitiatedAt"}, "", (*exportRows).readVoice},
	}
}

// The columns that name the account, in every export that has them.
const (
	subAccountColumn = "subAccountId"
	accountColumn    = "accountId"
)

// exportRows reads a CSV export.
type exportRows struct {
	*csvTable
	recordBuilder
	read  func(*exportRows)
	keys  map[string]string // of the columns that were asked for, by the name asked for
	atlas atlas             // made for the first name of a country
}

func openExport(text io.Reader, o Options, e export) (*exportRows, error) {
	table, err := openTable(text, columnKey, e.needs...)
	if err != nil {
		return nil, err
	}
	if absent := table.absent(e.needs...); len(absent) > 0 {
		return nil, fmt.Errorf("the header has no column %s: is the file of this format?", strings.Join(absent, ", "))
	}
	if len(table.absent(subAccountColumn, accountColumn)) == 2 && o.Account == "" {
		return nil, fmt.Errorf("the header has neither %s nor %s, and no account is given for the file",
			subAccountColumn, accountColumn)
	}
	return &exportRows{csvTable: table, recordBuilder: newRecordBuilder(o), read: e.read, keys: map[string]string{}},
		nil
}

func (x *exportRows) row(number int) Row {
	x.begin()
	x.read(x)
	row := x.recordBuilder.row(number)
	if row.Rejected != nil && x.isShort() {
		// It may be the rest of a message that ran over several lines, of which
		// nothing is told.
		return rejectedLine(number, notColumns)
	}
	return row
}

// rawText is what the record at hand has in a column, in whatever character set it is: of
// a column that is not kept, that does not matter.
func (x *exportRows) rawText(column string) string {
	key, asked := x.keys[column]
	if !asked {
		key = columnKey(column)
		x.keys[column] = key
	}
	return x.raw(key)
}

// text is the same in UTF-8. What is not cannot be kept, and is a fault.
func (x *exportRows) text(column string) string {
	text := x.rawText(column)
	if !utf8.ValidString(text) {
		x.fail(column, notUTF8)
		return ""
	}
	return text
}

// col is a column's name, and what the record at hand has there.
func (x *exportRows) col(column string) (name, text string) { return column, x.text(column) }

func (x *exportRows) readSMS() {
	r := &x.record
	r.Product = usage.SMS
	person, service := x.maskNumber(x.text("msisdn")), x.maskNumber(x.text("source"))
	x.owner(subAccountColumn, x.text(subAccountColumn), x.text(accountColumn))
	x.id(x.col("umid"))
	x.createdAt("createdat")
	x.messageDirection()
	r.From, r.To = service, person
	if r.Direction == usage.Inbound {
		r.From, r.To = person, service
	}
	x.messageStatus()
	x.countryNamed(x.text("country"), "")
	x.network(x.text("mcc"), x.text("mnc"))
	r.Segments = x.count("smscount", x.text("smscount"), usage.MaxSegments)
	x.price("price_total", x.text("price_total"), "price_currency", x.text("price_currency"))
}

func (x *exportRows) readMessaging() {
	r := &x.record
	r.Product = usage.Messaging
	person := x.maskNumber(x.text("user_msisdn"))
	x.numbers.Add(x.rawText("user_channelUserId")) // never kept
	x.owner(subAccountColumn, x.text(subAccountColumn), x.text(accountColumn))
	// A message that falls back to another channel is a step of the same umid.
	umid, step := x.text("umid"), x.text("step")
	switch {
	case umid == "":
		x.id("umid", "")
	case step == "":
		x.id("step", "")
	default:
		x.id("umid", umid+":"+step)
	}
	x.createdAt("createdAt")
	x.messageDirection()
	r.To = person
	if r.Direction == usage.Inbound {
		r.From, r.To = r.To, r.From
	}
	x.messageStatus()
	x.countryNamed(x.text("country"), "")
	x.channel("channelType", usage.Underscored(x.text("channelType")))
}

func (x *exportRows) readVoice() {
	r := &x.record
	r.Product = usage.Voice
	r.From, r.To = x.maskNumber(x.text("SourceEndpoint")), x.maskNumber(x.text("DestinationEndpoint"))
	x.owner(subAccountColumn, x.text(subAccountColumn), x.text(accountColumn))
	x.id(x.col("CallId"))
	x.createdAt("InitiatedAt")
	x.direction("Direction", strings.ToLower(x.text("Direction")))
	x.status(x.col("CallStatus"))
	switch r.Direction {
	case usage.Outbound:
		x.remote("Destination")
	case usage.Inbound:
		x.remote("Source")
	}
	r.DurationSeconds = x.count("DurationInSec", x.text("DurationInSec"), usage.MaxDurationSeconds)
	x.price("TotalPriceOfCall", x.text("TotalPriceOfCall"), "UnitPriceCurrency", x.text("UnitPriceCurrency"))
}

// remote reads country and operator of one side of a call.
func (x *exportRows) remote(side string) {
	x.countryNamed(x.text(side+"Country"), x.text(side+"CountryCode"))
	x.network(x.text(side+"MCC"), x.text(side+"MNC"))
}

// countryNamed reads the country that a name, or else a calling code, stands for.
func (x *exportRows) countryNamed(name, callingCode string) {
	if name == "" && callingCode == "" {
		return
	}
	if code, err := usage.ParseCountry(name); err == nil && code.IsAssigned() { // as nearly always
		x.record.Country = code
		return
	}
	if x.atlas.byName == nil {
		x.atlas = newAtlas()
	}
	if x.record.Country = x.atlas.find(name, callingCode); x.record.Country == "" {
		x.cannotRead(countryField, cmp.Or(name, callingCode))
	}
}

// messageDirection is 1 or 0 in the SMS export, a word in the other. Without it
// nobody can say who sent the message.
func (x *exportRows) messageDirection() {
	name, text := x.col("direction")
	switch text {
	case "":
		x.fail(name, missing)
	case "1":
		x.record.Direction = usage.Outbound
	case "0":
		x.record.Direction = usage.Inbound
	default:
		x.direction(name, strings.ToLower(text))
	}
}

func (x *exportRows) messageStatus() {
	x.status(x.col("status_value"))
	x.record.StatusAt = x.time("status_timestamp", x.text("status_timestamp"), parseExportTime)
	x.reasonCode(x.col("status_errorcode"))
}

func (x *exportRows) createdAt(column string) {
	x.timestamp(column, x.text(column), parseExportTime)
}

// reasonCode reads an error code of the platform, whose list has 0 as "no reason code".
func (b *recordBuilder) reasonCode(field, text string) {
	if text != "0" {
		b.errorCode(field, text)
	}
}

// parseExportTime reads RFC 3339, and the platform's other spelling,
// "2026-05-06 10:00:31 UTC". A time that does not tell its zone is none: to guess
// could move a record into another day, month or price list.
func parseExportTime(s string) (time.Time, error) {
	if date, clock, spaced := strings.Cut(s, " "); spaced {
		if bare, utc := strings.CutSuffix(clock, " UTC"); utc {
			clock = bare + "Z"
		}
		s = date + "T" + clock
	}
	return usage.ParseTime(s)
}

// receiptRows reads delivery receipts: NDJSON of the objects that the platform
// sends one by one. What nobody asks for is passed over, as in its exports.
type receiptRows struct {
	objects
	recordBuilder
}

func openReceipts(text io.Reader, o Options) *receiptRows {
	return &receiptRows{objects{lines: newLines(text)}, newRecordBuilder(o)}
}

// statusChanged is the event that tells of an outbound message's status.
const statusChanged = "outbound_message_status_changed"

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

func (x *receiptRows) row(number int) Row {
	x.begin()
	x.record.Product = usage.SMS
	top := x.object("", x.current, eventField, payloadField)
	payload := x.object(payloadField, top[payloadField],
		ReceiptIDField, accountField, sourceField, targetField, statusField, priceField)
	x.jsonNumber(sourceField, payload[sourceField])
	x.jsonNumber(targetField, payload[targetField])
	if event := x.jsonText(eventField, top[eventField]); event != "" && event != statusChanged {
		x.fail(eventField, quoted(event)+"is not "+statusChanged)
	}
	if top[payloadField] == nil {
		x.fail(payloadField, missing)
	}
	x.owner(accountField, x.jsonText(accountField, payload[accountField]))
	x.id(ReceiptIDField, x.jsonText(ReceiptIDField, payload[ReceiptIDField]))
	x.readStatus(x.object(statusField, payload[statusField], stateField, reachedField, errorCodeField))
	price := x.object(priceField, payload[priceField], totalPriceField, currencyField)
	x.price(totalPriceField, x.jsonDecimal(totalPriceField, price[totalPriceField]), currencyField,
		x.jsonText(currencyField, price[currencyField]))
	return x.receiptRow(number)
}

func (x *receiptRows) readStatus(status map[string][]byte) {
	state := x.jsonText(stateField, status[stateField])
	if x.status(stateField, state); state == "" {
		x.fail(stateField, missing)
	}
	x.timeField = reachedField
	reached := x.jsonText(reachedField, status[reachedField])
	if x.record.StatusAt = x.time(reachedField, reached, parseExportTime); reached == "" {
		x.fail(reachedField, missing) // nobody could say whether it is news
	}
	code := status[errorCodeField]
	if code != nil && isDigit(code[0]) { // the platform writes a number
		x.reasonCode(errorCodeField, string(code))
	} else {
		x.reasonCode(errorCodeField, x.jsonText(errorCodeField, code))
	}
}

// object finds the members of an object by their paths. Those that are read may be
// there once. A value that is null, or not there, has none.
func (x *receiptRows) object(path string, value []byte, read ...string) map[string][]byte {
	if value == nil || string(value) == "null" {
		return nil
	}
	if value[0] != '{' {
		x.fail(path, "must be an object")
		return nil
	}
	found := make(map[string][]byte, 8)
	for name, member := range members(value) {
		at := string(name)
		if path != "" {
			at = path + "." + at
		}
		if _, twice := found[at]; twice && slices.Contains(read, at) {
			x.fail(at, "is there twice")
			x.secret = true
		}
		found[at] = member
	}
	return found
}
