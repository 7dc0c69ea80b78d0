package importer

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"partnerview/internal/masking"
	"partnerview/internal/money"
)

func TestOnlyAWordIsQuoted(t *testing.T) {
	for value, want := range map[string]string{
		"EURO": `"EURO" `, "1e400": `"1e400" `, "sms-x_y.z:1": `"sms-x_y.z:1" `,
		"": "", "447700900123": "", "12345678": "", "1-2.3_4+5:6.7.8": "", "two words": "", "a@example.com": "", "naïve": "", "a\nb": "", `a"b`: "",
		strings.Repeat("a", 33): "",
	} {
		if got := quoted(value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

// output is all that leaves the package for a row, as texts.
func output(r Row) []string {
	texts := append([]string{fmt.Sprintf("%+v", r.Record), describe(r)}, r.Dropped...)
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

func FuzzNativeTellsNoNumber(f *testing.F) {
	for _, c := range badLines() {
		if len(c.line) < 1000 {
			f.Add([]byte(c.line + line("")))
		}
	}
	f.Add(testFile(f, "native.ndjson"))
	f.Add(gzipped([]byte(line(`,"to":"+447700900123"`))))
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, err := readUntilError(bytes.NewReader(file), Native, options())
		if err != nil {
			return // only where it is gzip or UTF-16, which says nothing of lines
		}
		last := 0
		for _, r := range rows {
			if r.Line <= last {
				t.Fatalf("%q: row %d is on line %d", file, last, r.Line)
			}
			last = r.Line
		}
		// Each line is compared with its own rows, so that a number that is
		// another record's account or id is no false alarm.
		for i, text := range bytes.Split(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")), []byte("\n")) {
			var fields map[string]any
			if json.Unmarshal(text, &fields) != nil {
				continue
			}
			from, _ := fields["from"].(string)
			to, _ := fields["to"].(string)
			assertNoNumber(t, rowsOn(rows, i+1), file, []string{from, to})
		}
	})
}

func rowsOn(rows []Row, line int) (on []Row) {
	for _, r := range rows {
		if r.Line == line {
			on = append(on, r)
		}
	}
	return on
}

// The same from the other side: whatever stands in the fields, a known number in
// from or to comes out nowhere.
func FuzzNativeFieldsTellNoNumber(f *testing.F) {
	f.Add("u-1", "sms", "delivered", "447700900123", "whatsapp", "0.0412", "note", int64(2))
	f.Add("447700900123", "voice", "4477 0090 0123", "+447700900123", "n4477", "447700900123", "+447700900123", int64(447700900123))
	f.Add("m-1", "messaging", "read", "31099", "Whats_App", "1", "amount", int64(1))
	f.Add("m-2", "messaging", "447700900123", "", "m447700900123", "1", "note", int64(1))
	f.Add("..", "sms", "sent", "447700900123.0", "", "1.520", "note", int64(1))
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

func testFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
