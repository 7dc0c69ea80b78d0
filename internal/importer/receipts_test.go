package importer

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/usage"
)

// describeReceipt is describe for a row of receipts.
func describeReceipt(r Row) string {
	if r.Receipt == nil {
		return describe(r)
	}
	u := r.Receipt
	at := u.StatusAt
	return describe(Row{Line: r.Line, Dropped: r.Dropped, Record: usage.Record{
		Log: u.Log, ID: u.ID, Status: u.Status, StatusAt: &at, ErrorCode: u.ErrorCode, RecordedPrice: u.RecordedPrice,
	}})
}

func describedReceipts(rows []Row) string {
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = strings.Replace(describeReceipt(r), " 0001-01-01T00:00:00.000Z", "", 1)
	}
	return strings.Join(lines, "\n")
}

// Worked out by hand from the file and its README: a price where the platform
// tells one, in the digits that it has.
const fixtureReceipts = `1 acme_one#sms 00000000-0000-4000-8000-000000000102 status=sent at=2026-05-04T09:01:05.000Z price=0.1236EUR
2 acme_one#sms 00000000-0000-4000-8000-000000000102 status=delivered at=2026-05-04T09:01:12.000Z price=0.1236EUR
3 acme_one#sms 00000000-0000-4000-8000-000000000120 status=undelivered at=2026-05-04T09:12:40.900Z err=43
4 acme_one#sms 00000000-0000-4000-8000-000000000121 status=delivered at=2026-06-01T00:00:04.250Z price=0.0339EUR
5 acme_one#sms 00000000-0000-4000-8000-000000000122 status=rejected at=2026-06-01T08:31:00.500Z err=15
6 acme_two#sms 00000000-0000-4000-8000-000000000123 status=undelivered at=2026-06-03T12:15:10.000Z err=46 price=0.0250942SGD`

func TestEveryReceiptOfTheSampleIsReadAsWorkedOutByHand(t *testing.T) {
	file := fixture(t, "8x8-sms-dlr.ndjson")
	for name, variant := range map[string][]byte{
		"as it is": file, "gzipped": gzipped(file), "with a byte order mark": append([]byte("\xef\xbb\xbf"), file...),
		"with CRLF": bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")),
	} {
		rows := readAll(t, bytes.NewReader(variant), ConnectReceipts, options())
		if diff := cmp.Diff(fixtureReceipts, describedReceipts(rows)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// receipt is one with all that is required; the pairs replace parts of its text.
func receipt(pairs ...string) string {
	const whole = `{"eventType":"outbound_message_status_changed","payload":{"umid":"u-1","subAccountId":"acme_one","source":"+12025550100","destination":"+447700900123",` +
		`"status":{"state":"sent","timestamp":"2026-05-03T10:00:00Z"}}}` + "\n"
	return strings.NewReplacer(pairs...).Replace(whole)
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
		if diff := cmp.Diff(c.want, describedReceipts(readAll(t, strings.NewReader(c.line), ConnectReceipts, options()))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func FuzzReceiptsTellNoNumber(f *testing.F) {
	f.Add(fixture(f, "8x8-sms-dlr.ndjson"))
	f.Add([]byte(receipt("u-1", "a-44-7700-900123", `"sent"`, `"sent","errorCode":447700900123`)))
	f.Add([]byte(receipt(`"status"`, `"price":{"total":447700900123,"currency":"EUR"},"status"`)))
	f.Add([]byte(receipt(`"+447700900123"`, "447700900123", "u-1", "447700900123")))
	f.Add([]byte(receipt(`"status"`, `"umid":"447700900123","status"`) + receipt("acme_one", "nobody", "2026-05-03T10:00:00Z", "2026-05-03 10:00:00 UTC", `"status"`, `"price":{"total":"1","currency":"447700900123"},"status"`)))
	f.Add(gzipped([]byte(receipt())))
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, err := readUntilError(bytes.NewReader(file), ConnectReceipts, options())
		if err != nil {
			return // only where it is gzip or UTF-16, which says nothing of lines
		}
		for i, text := range bytes.Split(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")), []byte("\n")) {
			source, destination := endsOfReceipt(text)
			for _, r := range rowsOn(rows, i+1) {
				if r.Receipt != nil { // as texts, what leaves of a receipt
					r.Record = usage.Record{Log: r.Receipt.Log, ID: r.Receipt.ID, Status: r.Receipt.Status, ErrorCode: r.Receipt.ErrorCode, RecordedPrice: r.Receipt.RecordedPrice}
				}
				assertNoNumber(t, []Row{r}, file, []string{source, destination})
			}
		}
	})
}

// endsOfReceipt are the numbers of a receipt, as the standard library reads it.
func endsOfReceipt(line []byte) (source, destination string) {
	var r struct {
		Payload struct{ Source, Destination any }
	}
	if json.Unmarshal(line, &r) != nil {
		return "", ""
	}
	source, _ = r.Payload.Source.(string)
	destination, _ = r.Payload.Destination.(string)
	return source, destination
}
