package importer

import (
	"cmp"
	"strings"
	"time"

	"partnerview/internal/usage"
)

// What the columns of 8x8 Connect's exports mean. docs/formats.md has the
// tables, and says what the platform leaves undocumented.

func connectSMS() export {
	return export{needs: []string{"umid", "createdat", "direction"}, read: (*exportRows).readSMS}
}

func (x *exportRows) readSMS() {
	d := &x.draft
	r := &d.record
	r.Product = usage.SMS
	person, service := d.end(x.text("msisdn")), d.end(x.text("source"))
	d.owner(subAccountColumn, x.text(subAccountColumn), x.text(accountColumn))
	d.id(x.col("umid"))
	x.timestamp("createdat")
	x.messageDirection()
	r.From, r.To = service, person
	if r.Direction == usage.Inbound {
		r.From, r.To = person, service
	}
	x.messageStatus()
	r.Country = x.country(x.text("country"), "")
	r.Operator = d.network(x.text("mcc"), x.text("mnc"))
	r.Segments = d.count("smscount", x.text("smscount"), maxCount)
	d.price("price_total", x.text("price_total"), "price_currency", x.text("price_currency"))
}

func connectMessaging() export {
	return export{needs: []string{"umid", "step", "createdAt", "direction"}, read: (*exportRows).readMessaging}
}

func (x *exportRows) readMessaging() {
	d := &x.draft
	r := &d.record
	r.Product = usage.Messaging
	person := d.end(x.text("user_msisdn"))
	d.numbers.Add(x.raw("user_channelUserId")) // never kept
	d.owner(subAccountColumn, x.text(subAccountColumn), x.text(accountColumn))
	// A message that falls back to another channel is a step of the same umid.
	umid, step := x.text("umid"), x.text("step")
	switch {
	case umid == "":
		d.id("umid", "")
	case step == "":
		d.id("step", "")
	default:
		d.id("umid", umid+":"+step)
	}
	x.timestamp("createdAt")
	x.messageDirection()
	r.To = person
	if r.Direction == usage.Inbound {
		r.From, r.To = r.To, r.From
	}
	x.messageStatus()
	r.Country = x.country(x.text("country"), "")
	r.Channel = word(d, "channelType", usage.Underscored(x.text("channelType")), usage.ParseChannel)
}

func connectVoice() export {
	return export{needs: []string{"CallId", "InitiatedAt"}, read: (*exportRows).readVoice}
}

func (x *exportRows) readVoice() {
	d := &x.draft
	r := &d.record
	r.Product = usage.Voice
	r.From, r.To = d.end(x.text("SourceEndpoint")), d.end(x.text("DestinationEndpoint"))
	d.owner(subAccountColumn, x.text(subAccountColumn), x.text(accountColumn))
	d.id(x.col("CallId"))
	x.timestamp("InitiatedAt")
	d.direction("Direction", strings.ToLower(x.text("Direction")))
	d.status(x.col("CallStatus"))
	switch r.Direction {
	case usage.Outbound:
		x.remote("Destination")
	case usage.Inbound:
		x.remote("Source")
	}
	r.DurationSeconds = d.count("DurationInSec", x.text("DurationInSec"), maxCount)
	d.price("TotalPriceOfCall", x.text("TotalPriceOfCall"), "UnitPriceCurrency", x.text("UnitPriceCurrency"))
}

// remote tells country and operator of one side of a call.
func (x *exportRows) remote(side string) {
	r := &x.draft.record
	r.Country = x.country(x.text(side+"Country"), x.text(side+"CountryCode"))
	r.Operator = x.draft.network(x.text(side+"MCC"), x.text(side+"MNC"))
}

// country is the one that a name, or else a calling code, tells.
func (x *exportRows) country(name, callingCode string) usage.Country {
	if name == "" && callingCode == "" {
		return ""
	}
	if code, err := usage.ParseCountry(name); err == nil && code.IsAssigned() { // as nearly always
		return code
	}
	if x.atlas.byName == nil {
		x.atlas = newAtlas()
	}
	code := x.atlas.find(name, callingCode)
	if code == "" {
		x.draft.cannotRead(countryField, cmp.Or(name, callingCode))
	}
	return code
}

// messageDirection is 1 or 0 in the SMS export, a word in the other. Without it
// nobody can say who sent the message.
func (x *exportRows) messageDirection() {
	name, text := x.col("direction")
	switch text {
	case "":
		x.draft.fail(name, missing)
	case "1":
		x.draft.record.Direction = usage.Outbound
	case "0":
		x.draft.record.Direction = usage.Inbound
	default:
		x.draft.direction(name, strings.ToLower(text))
	}
}

func (x *exportRows) messageStatus() {
	d := &x.draft
	d.status(x.col("status_value"))
	d.record.StatusAt = d.time("status_timestamp", x.text("status_timestamp"), parseExportTime)
	// The platform's list of codes has 0 as "no reason code".
	if code := x.text("status_errorcode"); code != "0" {
		d.errorCode("status_errorcode", code)
	}
}

func (x *exportRows) timestamp(column string) {
	x.draft.timestamp(column, x.text(column), parseExportTime)
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
