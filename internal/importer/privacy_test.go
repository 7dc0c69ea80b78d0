package importer

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/usage"
)

func TestOnlyAWordIsQuoted(t *testing.T) {
	for value, want := range map[string]string{
		"EURO": `"EURO" `, "1e400": `"1e400" `, "v-1.2_34": `"v-1.2_34" `, "sms-x_y.z:1": `"sms-x_y.z:1" `,
		"": "", "447700900123": "", "12345678": "", "12345": "", "1-2.3_4+5": "", "1-2.3_4+5:6.7.8": "", "two words": "", "a@example.com": "", "naïve": "", "a\nb": "", `a"b`: "",
		strings.Repeat("a", 33): "",
	} {
		if got := quoted(value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

// idOf is a line of the native format with an id and an end of the record.
func idOf(id, field string, value any) string {
	text, _ := json.Marshal(map[string]any{
		"accountId": "acme_one", "product": "messaging", "id": id, "timestamp": "2026-05-03T10:00:00Z", field: value,
	})
	return string(text) + "\n"
}

func TestAnIDThatTellsANumberOfItsRecordIsRejectedAndNotTold(t *testing.T) {
	const number = "447700900123"
	app := map[string]any{"name": "Contact", "phones": []any{"+44 7700 900123"}}
	for _, c := range []struct {
		name, file string
		format     Format
		field      string
	}{
		{"with an international prefix", idOf(number, "to", "00447700900123"), Native, "id"},
		{"with a trunk prefix", idOf(number, "to", "+44 (0)7700 900123"), Native, "id"},
		{"an app's address", idOf(number+"-3EB0", "from", number+":15@s.whatsapp.net"), Native, "id"},
		{"the contact's name is the number", idOf(number, "contactName", "+44 7700 900123"), Native, "id"},
		{"the contact's name is a JSON number", idOf(number, "contactName", 447700900123), Native, "id"},
		{"the contact's name is an object with it", idOf(number, "contactName", app), Native, "id"},
		{"an SMS of an export", smsRow("umid", "x-"+number, "msisdn", "00447700900123"), ConnectSMS, "umid"},
		{"its sender", smsRow("umid", number, "source", "+44 (0)7700 900123"), ConnectSMS, "umid"},
		{"a message of an export", messagingRow("umid", number, "user_msisdn", "+44 (0)7700 900123"), ConnectMessaging, "umid"},
		{"the user of the app", messagingRow("umid", number, "user_channelUserId", "447700900123@s.whatsapp.net"), ConnectMessaging, "umid"},
		{"behind a UUID", messagingRow("umid", "00000000-0000-4000-8000-000000000201", "step", number, "user_msisdn", number), ConnectMessaging, "umid"},
		{"a call's source", voiceRow("CallId", number, "SourceEndpoint", "sip:+447700900123@example.com"), ConnectVoice, "CallId"},
		{"a call's destination", voiceRow("CallId", number, "DestinationEndpoint", "0044 7700 900123"), ConnectVoice, "CallId"},
		{"a receipt", receipt("u-1", number, "+447700900123", "00447700900123"), ConnectReceipts, ReceiptIDField},
	} {
		rows := readAll(t, strings.NewReader(c.file), c.format, options())
		if len(rows) != 1 || rows[0].Rejected == nil {
			t.Errorf("%s: taken: %s", c.name, described(rows))
			continue
		}
		if r := rows[0].Rejected; r.Field != c.field || r.Reason != tells || r.ID != "" {
			t.Errorf("%s: %+v", c.name, *r)
		}
	}
	// Another fault comes first, and the id is not told either.
	bad := strings.Replace(idOf(number, "to", "0044 7700 900123"), "2026-05-03T10:00:00Z", "yesterday", 1)
	if r := readAll(t, strings.NewReader(bad), Native, options())[0].Rejected; r == nil || r.Field != "timestamp" || r.ID != "" {
		t.Errorf("with a bad timestamp: %+v", r)
	}
}

func TestAnIDThatTellsNoNumberOfItsRecordIsTaken(t *testing.T) {
	for _, id := range []string{
		"447700900124",                           // another's
		"4477009001230001",                       // of 16 digits
		"00000000-0000-4000-8000-447700900123",   // a UUID
		"00000000-0000-4000-8000-447700900123:1", // and the step of a message
		"h-0a447700900123abcdefabcdefabcdef",     // a hash
	} {
		file := idOf(id, "to", "+447700900123")
		r := readAll(t, strings.NewReader(file), Native, options())[0]
		if r.Rejected != nil || string(r.Record.ID) != id {
			t.Errorf("%s: %s", id, describe(r))
		}
	}
}

// The hashes were made by another program: printf 'acme_one\0messaging\0…' | sha256sum.
func TestWhatsAppsIDsAreHashed(t *testing.T) {
	const (
		wamid = "wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgSM0VCMDAwMDAwMDAwMDAwMDAwMDAA"
		plus  = "wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgS+/8="
	)
	for _, c := range []struct {
		name, file string
		format     Format
		want       string
	}{
		{"native", idOf(wamid, "to", "447700900123"), Native, "h-b4908d73ca69e974dc6f2390c0782934"},
		{"with + / =", idOf(plus, "to", "447700900123"), Native, "h-99caa77516bef58cf1c77a45729eac00"},
		{"one that is hashed already", idOf("h-b4908d73ca69e974dc6f2390c0782934", "to", "447700900123"), Native, "h-b4908d73ca69e974dc6f2390c0782934"},
		{"a message of an export", messagingRow("umid", wamid, "user_msisdn", "447700900123"), ConnectMessaging, "h-efd8a3d334806af427e337a84d9801ea"},
		{"an SMS", smsRow("umid", plus, "msisdn", "447700900123"), ConnectSMS, "h-bf57c714017f7de18c9106bd12b98ef4"},
		{"a call", voiceRow("CallId", plus), ConnectVoice, "h-64273bb9119d20a67a0ec23e8e550f36"},
		{"a receipt", receipt("u-1", plus), ConnectReceipts, "h-bf57c714017f7de18c9106bd12b98ef4"},
	} {
		r := readAll(t, strings.NewReader(c.file), c.format, options())[0]
		got := r.Record.ID
		if r.Receipt != nil {
			got = r.Receipt.ID
		}
		if r.Rejected != nil || string(got) != c.want {
			t.Errorf("%s: %q, want %q (%s)", c.name, got, c.want, describe(r))
		}
	}
	// A rejected line tells the hash, or nothing where there is none.
	late := strings.Replace(idOf(wamid, "to", "447700900123"), "2026-05-03T10:00:00Z", "yesterday", 1)
	for file, want := range map[string]usage.RecordID{
		late: "h-b4908d73ca69e974dc6f2390c0782934",
		strings.Replace(late, "acme_one", "nobody", 1):                            "",
		strings.Replace(late, `"messaging"`, `"mail"`, 1):                         "",
		strings.Replace(late, wamid, wamid+"#", 1):                                "",
		strings.Replace(late, wamid, "wamid."+strings.Repeat("A", 123), 1):        "",
		strings.Replace(idOf("MQ+/=", "to", "447700900123"), "05-03", "05-04", 1): "",
	} {
		if r := readAll(t, strings.NewReader(file), Native, options())[0]; r.Rejected == nil || r.Rejected.ID != want {
			t.Errorf("%s: %s", file, describe(r))
		}
	}
}

// output is all that leaves the package for a row, as texts.
func output(r Row) []string {
	texts := append([]string{fmt.Sprintf("%+v %+v", r.Record, r.Receipt), describe(r)}, r.Dropped...)
	for _, u := range r.Unread {
		texts = append(texts, u.Field, u.Value)
	}
	if p := r.Record.RecordedPrice; p != nil {
		texts = append(texts, money.Text(p.Amount))
	}
	if r.Rejected != nil {
		b, _ := json.Marshal(r.Rejected)
		texts = append(texts, string(b))
	}
	return texts
}

// assertNoNumber fails where the output has a full number, as it stood in the
// file or as its digits alone.
func assertNoNumber(t *testing.T, rows []Row, file []byte, ends []string) {
	t.Helper()
	for _, end := range ends {
		digits, isNumber := masking.Digits(end)
		if !isNumber {
			continue
		}
		for _, r := range rows {
			for _, text := range output(r) {
				if holds(text, digits) || holds(text, end) {
					t.Fatalf("%q of %q is told in %q", end, file, text)
				}
			}
		}
	}
}

// holds reports whether a text has a number that is not the middle of a longer run
// of digits than a number has.
func holds(text, number string) bool {
	for rest := text; ; {
		at := strings.Index(rest, number)
		if at < 0 {
			return false
		}
		digits := func(c rune) bool { return c >= '0' && c <= '9' }
		before := len(rest[:at]) - len(strings.TrimRightFunc(rest[:at], digits))
		behind := rest[at+len(number):]
		if before+countDigits(number)+len(behind)-len(strings.TrimLeftFunc(behind, digits)) <= 15 {
			return true
		}
		rest = rest[at+1:]
	}
}

// assertLinesTellNoNumber compares each line of NDJSON with its own row, so that a
// number that is another record's account or id is no false alarm. The ends are as the
// standard library reads them.
func assertLinesTellNoNumber(t *testing.T, f Format, file []byte, ends func(line []byte) [2]any) {
	t.Helper()
	rows, err := readUntilError(bytes.NewReader(file), f, options())
	if err != nil {
		return // only where it is gzip or UTF-16, which says nothing of lines
	}
	lines := bytes.Split(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")), []byte("\n"))
	last := 0
	for _, r := range rows {
		if r.Line <= last {
			t.Fatalf("%q: row %d is on line %d", file, last, r.Line)
		}
		last = r.Line
		if r.Line > len(lines) { // of a file that was gzipped
			continue
		}
		for _, end := range ends(lines[r.Line-1]) {
			if number, isText := end.(string); isText {
				assertNoNumber(t, []Row{r}, file, []string{number})
			}
		}
	}
}

//fuzz:reaches native.go:row native.go:collect native.go:price lines.go:members
func FuzzNativeTellsNoNumber(f *testing.F) {
	for _, c := range badLines() {
		if len(c.line) < 1000 {
			f.Add([]byte(c.line + line("")))
		}
	}
	f.Add(testFile(f, "native.ndjson"))
	f.Add(gzipped([]byte(line(`,"to":"+447700900123"`))))
	f.Fuzz(func(t *testing.T, file []byte) {
		assertLinesTellNoNumber(t, Native, file, func(line []byte) [2]any {
			var fields map[string]any
			_ = json.Unmarshal(line, &fields) // else there are none
			return [2]any{fields["from"], fields["to"]}
		})
	})
}

// The same from the other side: whatever stands in the fields, a known number in
// from or to comes out nowhere.
//
//fuzz:reaches native.go:row record.go:row record.go:count record.go:price record.go:errorCode
//fuzz:reaches record.go:participantSeconds record.go:checkNumbers
func FuzzNativeFieldsTellNoNumber(f *testing.F) {
	f.Add("u-1", "sms", "delivered", "447700900123", "whatsapp", "0.0412", "note", int64(2))
	f.Add("447700900123", "voice", "4477 0090 0123", "+447700900123", "n4477", "447700900123", "+447700900123", int64(447700900123))
	f.Add("m-1", "messaging", "read", "31099", "Whats_App", "1", "amount", int64(1))
	f.Add("m-2", "messaging", "447700900123", "", "m447700900123", "1", "note", int64(1))
	f.Add("..", "sms", "sent", "447700900123.0", "", "1.520", "note", int64(1))
	f.Add("v-1", "voice", "completed", "43", "", "-0.04", "note", int64(61))
	f.Add("v-2", "voice", "completed", "43", "", "447700900123", "note", int64(61))
	f.Add("v-3", "voice", "completed", "43", "", "", "note", int64(61))
	f.Add("a-44-7700-900123", "video", "x", "44.7700.900123", "", "447.700900123E3", "447700900123", int64(4477009))
	f.Fuzz(func(t *testing.T, id, product, status, code, channel, amount, unknown string, count int64) {
		const number = "+447700900123"
		text, err := json.Marshal(map[string]any{
			"accountId": "acme_one", "timestamp": "2026-05-03T10:00:00Z", "from": number, "to": "tel:" + number,
			"id": id, "product": product, "status": status, "errorCode": code, "channel": channel, "category": channel, "operator": code, "country": channel,
			"recordedPrice": map[string]any{"amount": amount, "currency": "EUR", unknown: 1}, "contactName": number, "content": number,
			"segments": count, "durationSeconds": count, "participants": count, "participantSeconds": count, unknown: unknown,
		})
		if err != nil {
			t.Fatal(err)
		}
		assertNoNumber(t, readAll(t, bytes.NewReader(text), Native, options()), text, []string{number})
	})
}

//fuzz:reaches connect.go:readSMS connect.go:readMessaging connect.go:readVoice connect.go:countryNamed
//fuzz:reaches record.go:network record.go:cannotReadNetwork
func FuzzExportsTellNoNumber(f *testing.F) {
	for _, fx := range fixtureRecords {
		f.Add(fixture(f, fx.file))
	}
	f.Add(testFile(f, "broken-quotes.csv"))
	f.Add([]byte(smsRow("country", "447700900123", "mcc", "447", "mnc", "700900123", "price_total", "447700900123.0", "msisdn", "447700900123.0")))
	f.Add([]byte(smsRow("country", "Nowhere", "mcc", "310", "mnc", "99", "body", "Gr\xfc\xdfe") + "x,,\n\xef\xbb\xbf\"umid\",direction,createdat,accountid,msisdn,\nu-2,0,2026-05-03T10:00:00Z,acme_one,447700900123\n"))
	f.Add([]byte(smsRow("umid", "447700900123", "msisdn", "+447700900123", "source", "12025550147", "status_errorcode", "447700900123", "price_total", "447700900123", "price_currency", "EUR")))
	f.Add([]byte(messagingRow("umid", "447700900123", "user_msisdn", "447700900123", "channelType", "447700900123")))
	f.Add([]byte(voiceRow("CallId", "447700900123", "SourceEndpoint", "+447700900123", "DestinationEndpoint", "12025550147", "CallStatus", "12025550147")))
	f.Add([]byte(smsRow("createdat", "2026-05-03 10:00:00 UTC", "direction", "in", "status_value", "\xfc", "subaccountid", "", "price_total", `"0,1"`, "price_currency", "447700900123")))
	f.Add([]byte(voiceRow("DestinationCountry", "Republic of 447700900123", "DestinationCountryCode", "447700900123", "DurationInSec", "447700900123")))
	ends := map[Format][]string{
		ConnectSMS:       {"msisdn", "source"},
		ConnectMessaging: {"usermsisdn"},
		ConnectVoice:     {"sourceendpoint", "destinationendpoint"},
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		records, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")))).ReadAll()
		for format, columns := range ends {
			rows, fatal := readUntilError(bytes.NewReader(file), format, options())
			if fatal != nil || err != nil || len(records) == 0 || len(rows) != len(records)-1 {
				continue // the two do not agree on what the records are
			}
			for i, record := range records[1:] {
				var numbers []string
				for j, name := range records[0] {
					for _, column := range columns {
						if columnKey(strings.TrimSpace(name)) == column {
							numbers = append(numbers, strings.TrimSpace(record[j]))
						}
					}
				}
				assertNoNumber(t, rows[i:i+1], file, numbers)
			}
		}
	})
}

//fuzz:reaches connect.go:row connect.go:readStatus connect.go:object record.go:receiptRow
func FuzzReceiptsTellNoNumber(f *testing.F) {
	f.Add(fixture(f, "8x8-sms-dlr.ndjson"))
	for _, seed := range []string{
		receipt("u-1", "a-44-7700-900123", `"sent"`, `"sent","errorCode":447700900123`),
		receipt(`"status"`, `"price":{"total":447700900123,"currency":"EUR"},"status"`),
		receipt(`"+447700900123"`, "447700900123", "u-1", "447700900123"),
		receipt(`"status"`, `"umid":"447700900123","status"`),
		receipt("acme_one", "nobody", "2026-05-03T10:00:00Z", "2026-05-03 10:00:00 UTC"),
		receipt(`"status"`, `"price":{"total":"1","currency":"447700900123"},"status"`),
		string(gzipped([]byte(receipt()))),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		assertLinesTellNoNumber(t, ConnectReceipts, file, func(line []byte) [2]any {
			var r struct {
				Payload struct{ Source, Destination any }
			}
			if json.Unmarshal(line, &r) != nil {
				return [2]any{}
			}
			return [2]any{r.Payload.Source, r.Payload.Destination}
		})
	})
}
