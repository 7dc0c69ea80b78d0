package importer

import (
	"strings"
	"testing"
)

// bare is what a line without anything but the required comes to.
const bare = "1 acme_one#sms u-1 2026-05-03T10:00:00.000Z"

func TestNativeRecords(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"an SMS with all its fields", `{"accountId":"acme_one","product":"sms","id":"A.z_9:-","timestamp":"2026-05-03T12:00:00.1239+02:00","direction":"outbound","status":"Delivered",
			"statusAt":"2026-05-03T10:00:04Z","from":"SampleCo","to":"+44 (7700) 900-123","country":"GB","operator":"23401","segments":2,"errorCode":"E_1.2-3",
			"recordedPrice":{"amount":"0.0412","currency":"EUR"}}`,
			"1 acme_one#sms A.z_9:- 2026-05-03T10:00:00.123Z dir=outbound status=delivered at=2026-05-03T10:00:04.000Z err=E_1.2-3 from=**** to=****0123 in=GB op=23401 seg=2 price=0.0412EUR"},
		{"a call", `{"accountId":"acme_one","product":"voice","id":"c","timestamp":"2026-05-03T10:00:00Z","direction":"inbound","status":"no-answer","from":"+12025550147","to":"+6580000012",
			"country":"US","operator":"310099","durationSeconds":0}`,
			"1 acme_one#voice c 2026-05-03T10:00:00.000Z dir=inbound status=no_answer from=****0147 to=****0012 in=US op=310099 sec=0"},
		{"a video session, whose seconds are multiplied", `{"accountId":"acme_one","product":"video","id":"v","timestamp":"2026-05-03T10:00:00Z","direction":null,"status":"in progress","durationSeconds":600,"participants":3}`,
			"1 acme_one#video v 2026-05-03T10:00:00.000Z status=in_progress sec=600 people=3 peoplesec=1800"},
		{"a video session that tells them", `{"accountId":"acme_one","product":"video","id":"v","timestamp":"2026-05-03T10:00:00Z","durationSeconds":600,"participants":3,"participantSeconds":1234}`,
			"1 acme_one#video v 2026-05-03T10:00:00.000Z sec=600 people=3 peoplesec=1234"},
		{"a video session that tells half", `{"accountId":"acme_one","product":"video","id":"v","timestamp":"2026-05-03T10:00:00Z","participants":3}`,
			"1 acme_one#video v 2026-05-03T10:00:00.000Z people=3"},
		{"a message", `{"accountId":"acme_one","product":"messaging","id":"m","timestamp":"2026-05-03T10:00:00Z","channel":"WhatsApp","category":"Marketing","to":"****0123"}`,
			"1 acme_one#messaging m 2026-05-03T10:00:00.000Z to=****0123 channel=whatsapp category=marketing"},
		{"a sub-account stands for its account", `{"accountId":"sample_one_hq","product":"sms","id":"u-1","timestamp":"2026-05-03T10:00:00Z"}`, bare},

		{"nothing but the required", line(``), bare},
		{"whole numbers with a fraction of 0", line(`,"segments":2.0`), bare + " seg=2"},
		{"a spreadsheet's float for a number", line(`,"to":"447700900118.0"`), bare + " to=****"},
		{"a file that was appended to another", line("") + byteOrderMark + line("") + line(""), bare + "\n2 REJECTED : is not a JSON object []\n3" + bare[1:]},
		{"null is unknown", line(`,"direction":null,"status":null,"statusAt":null,"from":null,"to":null,"country":null,"operator":null,"segments":null,"errorCode":null,"recordedPrice":null,"contactName":null,"content":null`), bare},
		{"empty text is unknown", line(`,"direction":"","status":"","statusAt":"","from":"","to":" ","country":"","operator":"","errorCode":""`), bare},
		{"white space around and within", " \t{ \"accountId\" : \"acme_one\" ,\t\"product\":\"sms\" , \"id\":\"u-1\", \"timestamp\" :\"2026-05-03T10:00:00Z\" } \r\n", bare},
		{"escapes in names and values", `{"acc\u006funtId":"\u0061cme_one","product":"sms","id":"u-1","timestamp":"2026-05-03T10:00:00Z","\u0074o":"\u002b447700900123"}`, bare + " to=****0123"},
		{"a status that nobody foresaw", line(`,"status":"Held-At Gate"`), bare + " status=held_at_gate"},
		{"a country in small letters", line(`,"country":"gb"`), bare + " in=GB"},
		{"zeros of an operator stay", line(`,"operator":"00101"`), bare + " op=00101"},
		{"an e-mail address for a number", line(`,"from":"a@example.com"`), bare + " from=****"},
		{"a foreign mask", line(`,"to":"+44770090xxxx"`), bare + " to=****"},

		{"a known price of 0", line(`,"recordedPrice":{"amount":"0E-7","currency":"EUR"}`), bare + " price=0EUR"},
		{"a price as a number, as it is written", line(`,"recordedPrice":{"amount":0.10000000000000000001,"currency":"EUR"}`), bare + " price=0.10000000000000000001EUR"},
		{"a price with an exponent", line(`,"recordedPrice":{"amount":"1.5e3","currency":"JPY"}`), bare + " price=1500JPY"},
		{"a price that is not known", line(`,"recordedPrice":{"amount":null,"currency":"EUR"}`), bare},
		{"an empty price", line(`,"recordedPrice":{}`), bare},

		{"names and contents are dropped", line(`,"contactName":"Sample \"}\" Person\\","content":{"text":["x","}","\""]}`), bare + " dropped=contactName,content"},
		{"unknown fields are dropped, each named once", line(`,"agentNote":1,"x":[{"a":"]"},2],"agentNote":true`), bare + " dropped=agentNote,x"},
		{"names in another case are unknown", line(`,"Segments":2`), bare + " dropped=Segments"},
		{"fields of another product are dropped", line(`,"durationSeconds":5,"channel":"whatsapp","participants":null`), bare + " dropped=durationSeconds,channel"},
		{"parts of a price that do not belong there", line(`,"recordedPrice":{"amount":"1","perSms":"1","currency":"EUR"}`), bare + " price=1EUR dropped=recordedPrice.perSms"},
		{"a field's name that is a number is not told", line(`,"+447700900123":1,"4477 0090 0123":2,"Anna Sample":3,"` + strings.Repeat("n", 65) + `":4`), bare + " dropped=(other)"},
		{"an error code that may be a number is dropped", line(`,"errorCode":"447700900123"`), bare + " dropped=errorCode"},
		{"so is one with letters or separators", line(`,"errorCode":"E-4477.0090-0123"`), bare + " dropped=errorCode"},
		{"so is a piece of one", line(`,"errorCode":"900123"`), bare + " dropped=errorCode"},
		{"but not four digits", line(`,"errorCode":"E-1234"`), bare + " err=E-1234"},
		{"an id may be a number, if not the record's own", strings.Replace(line(`,"to":"+447700900123"`), "u-1", "447700900124", 1), "1 acme_one#sms 447700900124 2026-05-03T10:00:00.000Z to=****0123"},
	} {
		text := strings.ReplaceAll(c.line, "\n\t\t\t", " ")
		same(t, c.name, c.want, readText(t, Native, text))
	}
}

// badLines is every kind of line that cannot be taken, and why.
func badLines() []struct{ name, line, want string } {
	replaced := func(old, new string) string { return strings.Replace(line(``), old, new, 1) }
	const time = "timestamp: must be a time in RFC 3339, as 2026-11-03T10:00:00Z [u-1]"
	const count = "must be a whole number from 0 to 255 [u-1]"
	const allow = "is more than participants and durationSeconds allow [u-1]"
	return []struct{ name, line, want string }{
		{"no JSON", "hello", ": is not a JSON object []"},
		{"cut short", strings.TrimSuffix(line(``), "}\n"), ": is cut short: the file ends within it []"},
		{"padding", strings.Repeat("\x00", 100) + "\n", ": is nothing but zero bytes: the file is padded, or has a hole []"},
		{"quotes within quotes", line(`,"content":"quotes "inside" quotes"`), ": is not a JSON object []"},
		{"two objects", strings.TrimSpace(line(``)) + line(``), ": is not a JSON object []"},
		{"a list", "[1]", ": is not a JSON object []"},
		{"a line of CSV", "u-1,acme_one,1,2026-05-03T10:00:00Z", ": is not a JSON object []"},
		{"nested without end", strings.Repeat(`{"a":`, 100_000) + "\n", ": is not a JSON object []"},
		{"bad UTF-8", line(`,"content":"` + "\xff" + `"`), ": is not UTF-8 []"},
		{"longer than a mebibyte", line(`,"content":"` + strings.Repeat("x", maxRecord) + `"`), ": is longer than 1048576 bytes []"},
		{"10 MB", line(`,"content":"` + strings.Repeat("x", 10<<20) + `"`), ": is longer than 1048576 bytes []"},
		{"a field twice", line(`,"status":"sent","status":"sent"`), "status: is there twice []"},
		{"a required field twice", line(`,"id":"u-2"`), "id: is there twice []"},
		{"a null and a value of a field", line(`,"status":null,"status":"sent"`), "status: is there twice []"},

		{"no account", replaced(`"accountId":"acme_one",`, ""), "accountId: is missing [u-1]"},
		{"a null for an account", replaced(`"acme_one"`, "null"), "accountId: is missing [u-1]"},
		{"an unknown account", replaced(`acme_one`, "acme_six"), `accountId: "acme_six" is no known customer's account or sub-account [u-1]`},
		{"an account that is a number", replaced(`acme_one`, "447700900123"), "accountId: is no known customer's account or sub-account [u-1]"},
		{"an account that is no text", replaced(`"acme_one"`, "1"), "accountId: must be text, in quotes [u-1]"},
		{"no product", replaced(`"product":"sms",`, ""), "product: is missing [u-1]"},
		{"an unknown product", replaced(`"sms"`, `"SMS"`), `product: "SMS" must be sms, voice, video or messaging [u-1]`},
		{"no id", replaced(`"id":"u-1",`, ""), "id: is missing []"},
		{"a bad id", replaced(`u-1`, "u/1"), "id: must be 1 to 128 of A-Z a-z 0-9 . _ : - []"},
		{"an id that is a number", replaced(`"u-1"`, "7"), "id: must be text, in quotes []"},
		{"an id that no path can hold", replaced(`u-1`, ".."), "id: must not be . or ..: a path could not name it []"},
		{"an id too long", replaced(`u-1`, strings.Repeat("u", 129)), "id: must be 1 to 128 of A-Z a-z 0-9 . _ : - []"},
		{"no timestamp", replaced(`,"timestamp":"2026-05-03T10:00:00Z"`, ""), "timestamp: is missing [u-1]"},
		{"a date", replaced("2026-05-03T10:00:00Z", "2026-05-03"), time},
		{"no zone", replaced("2026-05-03T10:00:00Z", "2026-05-03T10:00:00"), time},
		{"seconds since 1970", replaced(`"2026-05-03T10:00:00Z"`, "1777802400"), "timestamp: must be text, in quotes [u-1]"},
		{"past its retention", replaced("2026-05-03", "2020-05-03"), "timestamp: is past the retention time of 13 months [u-1]"},
		{"more than five minutes ahead", replaced("2026-05-03T10:00:00Z", "2026-06-10T00:05:00.001Z"), "timestamp: lies in the future [u-1]"},
		{"the last of all times", replaced("2026-05-03T10:00:00Z", "9999-12-31T23:59:59Z"), "timestamp: lies in the future [u-1]"},
		{"a status time ahead", line(`,"statusAt":"2062-06-10T00:00:00Z"`), "statusAt: lies in the future [u-1]"},
		{"the year 1", replaced("2026-05-03", "0001-01-01"), "timestamp: is past the retention time of 13 months [u-1]"},

		{"a direction of its own", line(`,"direction":"MO"`), `direction: "MO" must be inbound or outbound [u-1]`},
		{"a status with digits", line(`,"status":"status_7"`), `status: "status_7" must be 1 to 32 letters, -, _ or spaces [u-1]`},
		{"a status too long", line(`,"status":"` + strings.Repeat("s", 33) + `"`), "status: must be 1 to 32 letters, -, _ or spaces [u-1]"},
		{"a status that is blank", line(`,"status":" "`), "status: must be 1 to 32 letters, -, _ or spaces [u-1]"},
		{"a status that is a text", line(`,"status":"your code is 1234"`), "status: must be 1 to 32 letters, -, _ or spaces [u-1]"},
		{"a bad status time", line(`,"statusAt":"soon"`), "statusAt: must be a time in RFC 3339, as 2026-11-03T10:00:00Z [u-1]"},
		{"a number as from", line(`,"from":447700900123`), "from: must be text, in quotes []"},
		{"an object as to", line(`,"to":{"msisdn":"+447700900123"}`), "to: must be text, in quotes []"},
		{"a number as from, and the id the same", strings.Replace(line(`,"from":447700900123`), "u-1", "447700900123", 1), "from: must be text, in quotes []"},
		{"a country by its name", line(`,"country":"Germany"`), `country: "Germany" is not an ISO 3166-1 alpha-2 code, as GB [u-1]`},
		{"a country that is none", line(`,"country":"XX"`), `country: "XX" is not an ISO 3166-1 alpha-2 code, as GB [u-1]`},
		{"an operator by its name", line(`,"operator":"Operator A"`), "operator: must be the 5 or 6 digits of MCC and MNC, as 23401 [u-1]"},
		{"a network code alone", line(`,"operator":"01"`), "operator: must be the 5 or 6 digits of MCC and MNC, as 23401 [u-1]"},
		{"negative segments", line(`,"segments":-1`), "segments: " + count},
		{"a fraction that is not 0", line(`,"segments":1.01`), "segments: " + count},
		{"half a segment", line(`,"segments":1.5`), "segments: " + count},
		{"segments as text", line(`,"segments":"2"`), "segments: " + count},
		{"more segments than there can be", line(`,"segments":256`), "segments: " + count},
		{"more than 64 bits", line(`,"segments":99999999999999999999`), "segments: " + count},
		{"a negative duration", strings.Replace(line(`,"durationSeconds":-5`), "sms", "voice", 1), "durationSeconds: must be a whole number from 0 to 86400 [u-1]"},
		{"a call longer than a day", strings.Replace(line(`,"durationSeconds":86401`), "sms", "voice", 1), "durationSeconds: must be a whole number from 0 to 86400 [u-1]"},
		{"more participants than there can be", strings.Replace(line(`,"participants":10000`), "sms", "video", 1), "participants: must be a whole number from 0 to 9999 [u-1]"},
		{"seconds that could be a number, alone", strings.Replace(line(`,"participants":2,"participantSeconds":100000`), "sms", "video", 1), "participantSeconds: " + allow},
		{"more seconds than all could be there", strings.Replace(line(`,"participants":3,"durationSeconds":60,"participantSeconds":184`), "sms", "video", 1), "participantSeconds: " + allow},
		{"half a second", strings.Replace(line(`,"participantSeconds":0.5`), "sms", "video", 1), "participantSeconds: must be a whole number [u-1]"},
		{"an error code with spaces", line(`,"errorCode":"not good"`), "errorCode: must be 1 to 32 of A-Z a-z 0-9 _ . - [u-1]"},
		{"an error code too long", line(`,"errorCode":"` + strings.Repeat("e", 33) + `"`), "errorCode: must be 1 to 32 of A-Z a-z 0-9 _ . - [u-1]"},
		{"an error code that is a number", line(`,"errorCode":43`), "errorCode: must be text, in quotes [u-1]"},
		{"a channel with a digit first", strings.Replace(line(`,"channel":"1st"`), "sms", "messaging", 1), `channel: "1st" must be a letter, then up to 31 letters, digits or _ [u-1]`},
		{"a category of several words", strings.Replace(line(`,"category":"one two"`), "sms", "messaging", 1), "category: must be a letter, then up to 31 letters, digits or _ [u-1]"},
		{"a channel that holds a piece of a number", strings.Replace(line(`,"channel":"n44_770"`), "sms", "messaging", 1), "channel: must not hold five digits in a row: they may be of a telephone number [u-1]"},

		{"a price of 1e400", line(`,"recordedPrice":{"amount":"1e400","currency":"EUR"}`), `recordedPrice.amount: "1e400" must be a decimal number, as 0.0412 [u-1]`},
		{"a price that could be a number", line(`,"recordedPrice":{"amount":"20255501","currency":"EUR"}`), "recordedPrice.amount: must have at most 7 digits before the point [u-1]"},
		{"a price with a comma", line(`,"recordedPrice":{"amount":"0,04","currency":"EUR"}`), "recordedPrice.amount: must be a decimal number, as 0.0412 [u-1]"},
		{"a negative price", line(`,"recordedPrice":{"amount":-0.04,"currency":"EUR"}`), "recordedPrice.amount: must not be negative [u-1]"},
		{"a price in a currency that is none", line(`,"recordedPrice":{"amount":"1","currency":"EURO"}`), `recordedPrice.currency: "EURO" is not an ISO 4217 code, as EUR [u-1]`},
		{"a price without its currency", line(`,"recordedPrice":{"amount":"1"}`), "recordedPrice.currency: must be an ISO 4217 code, as EUR [u-1]"},
		{"a price that is a truth", line(`,"recordedPrice":{"amount":true,"currency":"EUR"}`), "recordedPrice.amount: must be decimal text, as 0.0412 [u-1]"},
		{"a price that is a number", line(`,"recordedPrice":0.04`), `recordedPrice: must be an object, as {"amount": "0.0412", "currency": "EUR"} [u-1]`},
		{"a price with two amounts", line(`,"recordedPrice":{"amount":"1","amount":"2","currency":"EUR"}`), "recordedPrice.amount: is there twice [u-1]"},

		{"an id that is the record's number", strings.Replace(line(`,"to":"+44 7700 900123"`), "u-1", "447700900123", 1), "id: tells a number of the record itself []"},
		{"an id that holds it", strings.Replace(line(`,"from":"+44 7700 900123"`), "u-1", "sms:4477-0090-0123.1", 1), "id: tells a number of the record itself []"},
		{"a price whose number ends with a zero", line(`,"to":"+447700900120","recordedPrice":{"amount":"447.700900120","currency":"EUR"}`), "recordedPrice: tells a number of the record itself [u-1]"},
		{"a price with an exponent that is the number", line(`,"to":"+447700900123","recordedPrice":{"amount":"4.47700900123e2","currency":"EUR"}`), "recordedPrice: tells a number of the record itself [u-1]"},
		{"a price that is the record's number", line(`,"to":"+447700900123","recordedPrice":{"amount":"447.700900123","currency":"EUR"}`), "recordedPrice: tells a number of the record itself [u-1]"},
		{"seconds that are the record's number", strings.Replace(line(`,"to":"20255501","participants":9999,"durationSeconds":86400,"participantSeconds":20255501`), "sms", "video", 1), "participantSeconds: tells a number of the record itself [u-1]"},
	}
}

func TestEachBadLineIsRejectedWithItsReason(t *testing.T) {
	for _, c := range badLines() {
		rows := readAll(t, strings.NewReader(c.line), Native, options())
		same(t, c.name, "1 REJECTED "+c.want, described(rows))
	}
}

func TestBadLinesDoNotStopTheGoodOnesBetweenThem(t *testing.T) {
	var file strings.Builder
	for _, c := range badLines() {
		file.WriteString(strings.TrimSuffix(c.line, "\n") + "\n" + line(``))
	}
	rows := readAll(t, strings.NewReader(file.String()), Native, options())
	if want := 2 * len(badLines()); len(rows) != want {
		t.Fatalf("%d rows of %d lines", len(rows), want)
	}
	for i, r := range rows {
		if r.Line != i+1 || (r.Rejected != nil) != (i%2 == 0) {
			t.Errorf("line %d: %s", i+1, describe(r))
		}
	}
}

func TestNoMoreThanAHundredUnknownFieldsAreNamed(t *testing.T) {
	var fields strings.Builder
	for _, c := range "abcdefghijklmno" {
		for _, d := range "abcdefghij" {
			fields.WriteString(`,"x` + string(c) + string(d) + `":1`)
		}
	}
	rows := readAll(t, strings.NewReader(line(fields.String())+line(`,"xzz":1,"xab":1`)), Native, options())
	if n := len(rows[0].Dropped); n != 101 || rows[0].Dropped[100] != otherField {
		t.Errorf("%d names: %q", n, rows[0].Dropped)
	}
	if got := strings.Join(rows[1].Dropped, " "); got != "(other) xab" {
		t.Errorf("then %q", got)
	}
}
