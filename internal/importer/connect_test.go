package importer

import (
	"fmt"
	"strings"
	"testing"
)

func TestExportRows(t *testing.T) {
	const sms = "2 acme_one#sms u-1 2026-05-03T10:00:00.000Z "
	const message = "2 acme_one#messaging u-1:1 2026-05-03T10:00:00.000Z dir=outbound"
	const call = "2 acme_one#voice u-1 2026-05-03T10:00:00.000Z "
	for _, c := range []struct {
		name   string
		format Format
		file   string
		want   string
	}{
		{"an outbound SMS goes from source to msisdn", ConnectSMS, smsRow("source", "+12025550100", "msisdn", "+447700900123"), sms + "dir=outbound from=****0100 to=****0123"},
		{"an inbound one the other way", ConnectSMS, smsRow("source", "+12025550100", "msisdn", "+447700900123", "direction", "0"), sms + "dir=inbound from=****0123 to=****0100"},
		{"a direction in words", ConnectSMS, smsRow("direction", "Inbound"), sms + "dir=inbound"},
		{"columns in any order", ConnectSMS, "smscount,Direction,SUBACCOUNT_ID,body,CreatedAt,UMID\n2,1,acme_one,x,2026-05-03T10:00:00Z,u-1\n", sms + "dir=outbound seg=2"},
		{"an account in place of a sub-account", ConnectSMS, smsRow("subaccountid", "", "accountid", "acme_two"), "2 acme_two#sms u-1 2026-05-03T10:00:00.000Z dir=outbound"},
		{"the sub-account before the account", ConnectSMS, smsRow("subaccountid", "sample-two.otp", "accountid", "acme_one"), "2 acme_two#sms u-1 2026-05-03T10:00:00.000Z dir=outbound"},
		{"an unknown sub-account of a known account", ConnectSMS, smsRow("subaccountid", "new", "accountid", "acme_one"), sms + "dir=outbound"},
		{"the platform's other spelling of a time", ConnectSMS, smsRow("createdat", "2026-05-03 10:00:00 UTC", "status_timestamp", "2026-05-03 12:00:01.2349+02:00"), sms + "dir=outbound at=2026-05-03T10:00:01.234Z"},
		{"a country in small letters", ConnectSMS, smsRow("country", "gb"), sms + "dir=outbound in=GB"},
		{"a country that is none is unknown", ConnectSMS, smsRow("country", "Nowhere"), sms + "dir=outbound"},
		{"an operator needs both codes", ConnectSMS, smsRow("mcc", "234"), sms + "dir=outbound"},
		{"and both as codes are", ConnectSMS, smsRow("mcc", "23", "mnc", "0123"), sms + "dir=outbound"},
		{"a price needs both parts", ConnectSMS, smsRow("price_total", "0"), sms + "dir=outbound"},
		{"the other one too", ConnectSMS, smsRow("price_currency", "EUR"), sms + "dir=outbound"},
		{"a known price of 0", ConnectSMS, smsRow("price_total", "0E-7", "price_currency", "EUR"), sms + "dir=outbound price=0EUR"},
		{"error code 0 is none", ConnectSMS, smsRow("status_errorcode", "0"), sms + "dir=outbound"},
		{"an error code that may be a number is dropped", ConnectSMS, smsRow("status_errorcode", "447700900123"), sms + "dir=outbound dropped=status_errorcode"},

		{"an outbound message has no from", ConnectMessaging, messagingRow("user_msisdn", "447700900123", "user_channelUserId", "447700900123"), message + " to=****0123"},
		{"an inbound message has no to", ConnectMessaging, messagingRow("user_msisdn", "447700900123", "direction", "inbound"), strings.Replace(message, "outbound", "inbound", 1) + " from=****0123"},
		{"a channel of two words", ConnectMessaging, messagingRow("channelType", "Facebook Messenger"), message + " channel=facebook_messenger"},

		{"an outbound call's remote side is its destination", ConnectVoice, voiceRow("SourceCountry", "Singapore", "DestinationCountry", "United Kingdom", "SourceMCC", "525", "SourceMNC", "03", "DestinationMCC", "234", "DestinationMNC", "01"),
			call + "dir=outbound in=GB op=23401"},
		{"an inbound call's its source", ConnectVoice, voiceRow("Direction", "INBOUND", "SourceCountry", "Singapore", "DestinationCountry", "United Kingdom", "SourceMCC", "525", "SourceMNC", "03"),
			call + "dir=inbound in=SG op=52503"},
		{"a call without a direction has none", ConnectVoice, voiceRow("Direction", "", "SourceCountry", "Singapore", "DestinationCountry", "Singapore", "SourceMCC", "525", "SourceMNC", "03"), call[:len(call)-1]},
		{"a country that only its calling code tells", ConnectVoice, voiceRow("DestinationCountry", "Deutschland", "DestinationCountryCode", "+49"), call + "dir=outbound in=DE"},
		{"billable seconds are not the duration", ConnectVoice, voiceRow("DurationInSec", "37", "BillableDurationInSec", "60"), call + "dir=outbound sec=37"},
	} {
		same(t, c.name, c.want, readText(t, c.format, c.file))
	}
}

func TestExportRowsThatAreRejected(t *testing.T) {
	const time = "must be a time in RFC 3339, as 2026-11-03T10:00:00Z [u-1]"
	for _, c := range []struct {
		name   string
		format Format
		file   string
		want   string
	}{
		{"no id", ConnectSMS, smsRow("umid", ""), "umid: is missing []"},
		{"a bad id", ConnectSMS, smsRow("umid", "a b"), "umid: must be 1 to 128 of A-Z a-z 0-9 . _ : - []"},
		{"an id that is the record's number", ConnectSMS, smsRow("umid", "447700900123", "msisdn", "+44 7700 900123"), "umid: tells a number of the record itself []"},
		{"no account", ConnectSMS, smsRow("subaccountid", ""), "subAccountId: is missing [u-1]"},
		{"an unknown account", ConnectSMS, smsRow("subaccountid", "nobody", "accountid", "447700900123"), `subAccountId: "nobody" is no known customer's account or sub-account [u-1]`},
		{"no timestamp", ConnectSMS, smsRow("createdat", ""), "createdat: is missing [u-1]"},
		{"a time without a zone", ConnectSMS, smsRow("createdat", "2026-05-03 10:00:00"), "createdat: " + time},
		{"a time of its own kind", ConnectSMS, smsRow("createdat", "03.05.2026 10:00"), "createdat: " + time},
		{"a comma in the platform's other spelling", ConnectSMS, smsRow("createdat", `"2026-05-03 10:00:00,5 UTC"`), "createdat: " + time},
		{"a bad status time", ConnectSMS, smsRow("status_timestamp", "-"), "status_timestamp: " + time},
		{"ahead of the clock", ConnectSMS, smsRow("createdat", "2026-06-10 00:05:01 UTC"), "createdat: lies in the future [u-1]"},
		{"a status ahead of the clock", ConnectMessaging, messagingRow("status_timestamp", "2062-05-03T10:00:00Z"), "status_timestamp: lies in the future [u-1:1]"},
		{"past its retention", ConnectSMS, smsRow("createdat", "2020-05-03T10:00:00Z"), "createdat: is past the retention time of 13 months [u-1]"},
		{"no direction", ConnectSMS, smsRow("direction", ""), "direction: is missing [u-1]"},
		{"a direction of its own", ConnectSMS, smsRow("direction", "2"), `direction: "2" must be inbound or outbound [u-1]`},
		{"negative segments", ConnectSMS, smsRow("smscount", "-1"), "smscount: must be a whole number from 0 to 255 [u-1]"},
		{"a price of 1e400", ConnectSMS, smsRow("price_total", "1e400", "price_currency", "EUR"), `price_total: "1e400" must be a decimal number, as 0.0412 [u-1]`},
		{"a negative price", ConnectSMS, smsRow("price_total", "-1", "price_currency", "EUR"), "price_total: must not be negative [u-1]"},
		{"a currency that is none", ConnectSMS, smsRow("price_total", "1", "price_currency", "EURO"), `price_currency: "EURO" is not an ISO 4217 code, as EUR [u-1]`},
		{"a message without a step", ConnectMessaging, messagingRow("step", ""), "step: is missing []"},
		{"a message without an id", ConnectMessaging, messagingRow("umid", ""), "umid: is missing []"},
		{"a channel that is none", ConnectMessaging, messagingRow("channelType", "?"), "channelType: must be a letter, then up to 31 letters, digits or _ [u-1:1]"},
		{"a negative duration", ConnectVoice, voiceRow("DurationInSec", "-5"), "DurationInSec: must be a whole number from 0 to 86400 [u-1]"},
		{"a call's status with digits", ConnectVoice, voiceRow("CallStatus", "SIP 480"), "CallStatus: must be 1 to 32 letters, -, _ or spaces [u-1]"},
	} {
		same(t, c.name, "2 REJECTED "+c.want, readText(t, c.format, c.file))
	}
}

// Half of a file that a spreadsheet had saved was lost: it leaves empty cells at a
// row's end out, or adds some.
func TestRowsOfAnExportMayBeRagged(t *testing.T) {
	const file = "umid,step,createdAt,direction,subAccountId,channelType,country,status_value,user_msisdn,ReadAt\n" +
		"c8-1,1,2026-05-03T10:00:00Z,outbound,acme_one,WhatsApp,GB,sent,447700900123,\n" +
		"c8-2,1,2026-05-03T10:00:00Z,outbound,acme_one,WhatsApp,GB,sent,447700900123\n" +
		"c8-3,1,2026-05-03T10:00:00Z,outbound,acme_one,WhatsApp,GB,sent,447700900123,,\n" +
		"c8-4,1,2026-05-03T10:00:00Z,outbound,acme_one,WhatsApp,GB,sent,447700900123,2026-05-03 10:00:05 UTC\n" +
		"c8-5,1,2026-05-03T10:00:00Z,outbound,acme_one\n" +
		"Anna,and this is,the rest of a message\n" + // of which nothing is told
		"c8-7,1,2026-05-03T10:00:00Z,outbound,acme_one,WhatsApp,GB,sent,447700900123,,text\n"
	var want []string
	for i := range 4 {
		want = append(want, fmt.Sprintf("%d acme_one#messaging c8-%d:1 2026-05-03T10:00:00.000Z dir=outbound status=sent to=****0123 in=GB channel=whatsapp", i+2, i+1))
	}
	want = append(want, "6 acme_one#messaging c8-5:1 2026-05-03T10:00:00.000Z dir=outbound", "7 REJECTED : "+notColumns+" []", "8 REJECTED : "+notColumns+" []")
	same(t, "the rows", strings.Join(want, "\n"), readText(t, ConnectMessaging, file))
}

// What a file that was cut short ends with is no record: a price or a number would be
// another. A last line that has all fields may lack its end.
func TestALastRowThatIsShortIsNotTaken(t *testing.T) {
	const header = "umid,createdat,direction,subaccountid,source,msisdn,country\n"
	const row = "u-1,2026-05-03T10:00:00Z,1,acme_one,+12025550100,+447700900123"
	const good = "2 acme_one#sms u-1 2026-05-03T10:00:00.000Z dir=outbound from=****0100 to=****0123"
	for text, want := range map[string]string{
		row:              "2 REJECTED : " + lastIsShort + " []",
		row[:len(row)-3]: "2 REJECTED : " + lastIsShort + " []",
		row + ",GB":      good + " in=GB",
		row + ",":        good,
		row + "\n":       good,
		row + "\r\n":     good,
	} {
		same(t, text, want, readText(t, ConnectSMS, header+text))
	}
}

// Two exports that were put one behind the other: from the second header on, its
// columns count, or from and to would change places.
func TestAHeaderThatComesAgainCounts(t *testing.T) {
	const first = "umid,createdat,direction,subaccountid,source,msisdn\n"
	const row = "u-1,2026-05-03T10:00:00Z,1,acme_one,+12025550100,+447700900123\n"
	const good = " acme_one#sms u-1 2026-05-03T10:00:00.000Z dir=outbound from=****0100 to=****0123"
	for name, again := range map[string]string{
		"the same":                   first + row,
		"other columns":              "UMID,created_at,direction,sub_account_id,msisdn,source\nu-1,2026-05-03T10:00:00Z,1,acme_one,+447700900123,+12025550100\n",
		"more of them":               "body,x,umid,createdat,direction,subaccountid,msisdn,source\n,,u-1,2026-05-03T10:00:00Z,1,acme_one,+447700900123,+12025550100\n",
		"a byte order mark, quotes":  "\xef\xbb\xbf\"umid\",\"createdat\",\"direction\",subaccountid,msisdn,source\r\nu-1,2026-05-03T10:00:00Z,1,acme_one,+447700900123,+12025550100\r\n",
		"fewer, without the sources": "createdat,umid,direction,subaccountid,source,msisdn\n2026-05-03T10:00:00Z,u-1,1,acme_one,+12025550100,+447700900123\n",
	} {
		same(t, name, "2"+good+"\n4"+good, readText(t, ConnectSMS, first+row+again))
	}
	_, err := readUntilError(strings.NewReader(first+row+"umid,umid,createdat,direction\n"+row), ConnectSMS, options())
	if !strings.Contains(fmt.Sprint(err), "line 3: the header has a column") {
		t.Errorf("of a second header that cannot be: %v", err)
	}
}

func TestCharacterSetOfAColumnThatIsNotKeptDoesNotMatter(t *testing.T) {
	const good = "2 acme_one#sms u-1 2026-05-03T10:00:00.000Z dir=outbound"
	for name, tt := range map[string]struct{ file, want string }{
		"a message's content":       {smsRow("body", "Gr\xfc\xdfe"), good},
		"the name of such a column": {smsRow("Gr\xf6\xdfe", "1"), good},
		"a status":                  {smsRow("status_value", "zugestellt \xfc"), "2 REJECTED status_value: is not UTF-8 [u-1]"},
		"an id":                     {smsRow("umid", "\xfc-1"), "2 REJECTED umid: is not UTF-8 []"},
	} {
		same(t, name, tt.want, readText(t, ConnectSMS, tt.file))
	}
}

// unreadOf is what the rows of a file have unread, and the values that may be shown.
func unreadOf(rows []Row) string {
	var all []string
	for _, r := range rows {
		for _, u := range r.Unread {
			all = append(all, fmt.Sprintf("%s=%s", u.Field, u.Value))
		}
	}
	return strings.Join(all, " ")
}

// Fields that were silently null changed prices, and nobody knew.
func TestWhatCannotBeReadIsTold(t *testing.T) {
	const sms, call = "2 acme_one#sms u-1 2026-05-03T10:00:00.000Z dir=outbound", "2 acme_one#voice u-1 2026-05-03T10:00:00.000Z dir=outbound"
	for _, c := range []struct {
		name         string
		format       Format
		file         string
		want, unread string
	}{
		{"all three digits of a network", ConnectSMS, smsRow("mcc", "310", "mnc", "099"), sms + " op=310099", ""},
		{"a network that lost its 0", ConnectSMS, smsRow("mcc", "310", "mnc", "99"), sms, "operator=310 99"},
		{"one of two digits", ConnectSMS, smsRow("mcc", "234", "mnc", "1"), sms, "operator=234 1"},
		{"codes that became floats", ConnectSMS, smsRow("mcc", "310", "mnc", "15.0"), sms, "operator="},
		{"a float of fewer digits", ConnectSMS, smsRow("mcc", "", "mnc", "15.0"), sms, "operator=15.0"},
		{"a country code alone is none", ConnectSMS, smsRow("mcc", "310", "mnc", ""), sms, ""},
		{"a network without its country", ConnectSMS, smsRow("mcc", "", "mnc", "01"), sms, "operator=01"},
		{"a country that nobody knows", ConnectSMS, smsRow("country", "Nowhere"), sms, "country=Nowhere"},
		{"the same of a message", ConnectMessaging, messagingRow("country", "ZZ"), strings.Replace(sms, "#sms u-1", "#messaging u-1:1", 1), "country=ZZ"},
		{"the same of a call", ConnectVoice, voiceRow("DestinationCountry", "Nowhere", "DestinationCountryCode", "44"), call, "country=Nowhere"},
		{"a calling code of several countries", ConnectVoice, voiceRow("DestinationCountryCode", "44"), call, "country=44"},
		{"a value that is long", ConnectSMS, smsRow("country", strings.Repeat("x", 25)), sms, "country="},
		{"a number in a wrong column", ConnectSMS, smsRow("country", "447700900123"), sms, "country="},
		{"five digits of any script", ConnectSMS, smsRow("country", "٤٤٧٧٠"), sms, "country="},
		{"four digits", ConnectSMS, smsRow("country", "0123"), sms, "country=0123"},
		{"six digits of an operator", ConnectSMS, smsRow("mcc", "3101", "mnc", "50"), sms, "operator="},
		{"an amount without its currency", ConnectSMS, smsRow("price_total", "0.04"), sms, "recordedPrice=0.04"},
		{"a 0 without its currency", ConnectSMS, smsRow("price_total", "0.00"), sms, ""},
		{"a currency alone", ConnectSMS, smsRow("price_currency", "EUR"), sms, ""},
		{"a network that lost its 0, native", Native, line(`,"operator":"31099"`), bare, "operator=310 99"},
		{"the begin of a number", ConnectSMS, smsRow("mcc", "447", "mnc", "700"), sms, "operator="},
		{"the begin of a number, native", Native, line(`,"operator":"447700"`), bare, "operator="},
	} {
		rows := readAll(t, strings.NewReader(c.file), c.format, options())
		if got, unread := described(rows), unreadOf(rows); got != c.want || unread != c.unread {
			t.Errorf("%s:\n got %s (%s)\nwant %s (%s)", c.name, got, unread, c.want, c.unread)
		}
	}
}

func TestReceipts(t *testing.T) {
	const good = "1 acme_one#sms u-1 status=sent at=2026-05-03T10:00:00.000Z"
	for _, c := range []struct{ name, line, want string }{
		{"what is required is enough", receipt(), good},
		{"the event need not be told", receipt(`"eventType":"outbound_message_status_changed",`, ""), good},
		{"another event", receipt("outbound_message_status_changed", "inbound_message_received"), `1 REJECTED eventType: "inbound_message_received" is not outbound_message_status_changed [u-1]`},
		{"a price needs its currency", receipt(`"status"`, `"price":{"total":0.1},"status"`), good},
		{"and its amount", receipt(`"status"`, `"price":{"currency":"EUR"},"status"`), good},
		{"a known 0", receipt(`"status"`, `"price":{"total":0,"currency":"EUR"},"status"`), good + " price=0EUR"},
		{"an amount digit by digit", receipt(`"status"`, `"price":{"total":0.10000000000000000001,"currency":"EUR"},"status"`), good + " price=0.10000000000000000001EUR"},
		{"an amount in quotes", receipt(`"status"`, `"price":{"total":"0.1","currency":"EUR"},"status"`), good + " price=0.1EUR"},
		{"an amount out of bounds", receipt(`"status"`, `"price":{"total":1e400,"currency":"EUR"},"status"`), `1 REJECTED payload.price.total: "1e400" must be a decimal number, as 0.0412 [u-1]`},
		{"a negative amount", receipt(`"status"`, `"price":{"total":-1,"currency":"EUR"},"status"`), "1 REJECTED payload.price.total: must not be negative [u-1]"},
		{"error code 0 is none", receipt(`"sent"`, `"sent","errorCode":0`), good},
		{"an error code as text", receipt(`"sent"`, `"sent","errorCode":"E-1"`), good + " err=E-1"},
		{"an error code that may be a number is dropped", receipt(`"sent"`, `"sent","errorCode":447700900123`), good + " dropped=payload.status.errorCode"},
		{"null is not told", receipt(`"sent"`, `"sent","errorCode":null`, `"status"`, `"price":null,"status"`), good},
		{"as far ahead as clocks differ", receipt("2026-05-03T10:00:00Z", "2026-06-10T00:05:00Z"), "1 acme_one#sms u-1 status=sent at=2026-06-10T00:05:00.000Z"},
		{"further ahead", receipt("2026-05-03T10:00:00Z", "2062-06-10T00:00:00Z"), "1 REJECTED payload.status.timestamp: lies in the future [u-1]"},
		{"no state", receipt(`"state":"sent",`, ""), "1 REJECTED payload.status.state: is missing [u-1]"},
		{"no time", receipt(`,"timestamp":"2026-05-03T10:00:00Z"`, ""), "1 REJECTED payload.status.timestamp: is missing [u-1]"},
		{"no status", receipt(`"status"`, `"state"`), "1 REJECTED payload.status.state: is missing [u-1]"},
		{"a time without a zone", receipt("00Z", "00"), "1 REJECTED payload.status.timestamp: must be a time in RFC 3339, as 2026-11-03T10:00:00Z [u-1]"},
		{"no payload", `{"eventType":"outbound_message_status_changed"}`, "1 REJECTED payload: is missing []"},
		{"a payload of text", `{"payload":"x"}`, "1 REJECTED payload: must be an object []"},
		{"no id", receipt(`"umid":"u-1",`, ""), "1 REJECTED payload.umid: is missing []"},
		{"an unknown account", receipt("acme_one", "acme_six"), `1 REJECTED payload.subAccountId: "acme_six" is no known customer's account or sub-account [u-1]`},
		{"its own number as id", receipt("u-1", "447700900123"), "1 REJECTED payload.umid: tells a number of the record itself []"},
		{"a number that is no text", receipt(`"+447700900123"`, "447700900123", "u-1", "447700900123"), "1 REJECTED payload.destination: must be text, in quotes []"},
		{"a part twice", receipt(`"status"`, `"umid":"u-2","status"`), "1 REJECTED payload.umid: is there twice []"},
		{"what nobody asks for may be twice", receipt(`"status"`, `"x":1,"x":2,"status"`), good},
		{"no JSON", "{\n", "1 REJECTED : is not a JSON object []"},
	} {
		same(t, c.name, c.want, readText(t, ConnectReceipts, c.line))
	}
}
