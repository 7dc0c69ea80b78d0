package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/testkit/pricingtest"
	"partnerview/internal/usage"
)

// shown is a record as a partner gets it.
type shown struct {
	ID, Product, Timestamp           string
	Direction, Status, ErrorCode     *string
	From, To, Country, Operator      *string
	Channel                          *string
	Segments, DurationSeconds        *int64
	Participants, ParticipantSeconds *int64
	Price                            struct {
		Status                   string
		Amount, Currency, Reason *string
		Explanation              *struct {
			UnitPrice       string
			Quantity        int64
			BillableSeconds *int64
		}
	}
}

type usagePage struct {
	Data       []shown
	NextCursor string
}

func logPath(log usage.Log) string {
	return "/customers/" + url.PathEscape(string(log.Account)) + "/usage/" + string(log.Product)
}

func text(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

// Each record of the platform's own sample files, with what it must come to
// worked out by hand from the file and the price lists of sample_one and
// sample_two in testdata/sample/directory.yaml.
func TestFixturesAnswerAsWorkedOutByHand(t *testing.T) {
	const id = "00000000-0000-4000-8000-000000000"
	type want struct{ log, id, at, direction, status, from, to, country, price string }
	cases := []want{
		// 8x8-sms-log.csv, masked: an account without unmasked access.
		{"sample_one/sms", "101", "2026-05-04T09:00:03.400Z", "outbound", "delivered", "****", "****", "GB", "rated 0.039 EUR null"},  // the operator's rate goes before the country's
		{"sample_one/sms", "102", "2026-05-04T09:01:02.050Z", "outbound", "delivered", "****", "****", "GB", "rated 0.1236 EUR null"}, // 3 × 0.0412
		{"sample_one/sms", "103", "2026-05-04T09:02:31.770Z", "outbound", "undelivered", "****0100", "****", "US", "recorded 0.0083 EUR no_rate"},
		{"sample_one/sms", "104", "2026-05-04T09:05:00.000Z", "outbound", "undelivered", "****0100", "****", "US", "recorded 0 EUR no_rate"}, // a known 0
		{"sample_one/sms", "105", "2026-05-31T23:59:58.010Z", "outbound", "sent", "****", "****", "SG", "recorded 0.0339 EUR no_rate"},       // the list of May has no Singapore
		{"sample_one/sms", "106", "2026-06-01T00:00:00.000Z", "outbound", "queued", "****", "****", "SG", "free 0 EUR status"},               // the list of June is in force from its first instant
		{"sample_one/sms", "107", "2026-06-01T08:30:00.500Z", "outbound", "rejected", "****", "****", "null", "free 0 EUR status"},
		{"sample_one/sms", "108", "2026-06-01T10:15:29.400Z", "inbound", "delivered", "****", "****0099", "SG", "rated 0.0117 EUR null"},
		{"sample_one/sms", "109", "2026-06-02T07:44:41.000Z", "outbound", "read", "****", "****", "SG", "rated 0.0678 EUR null"}, // 2 × 0.0339
		// The same file, unmasked.
		{"sample_two/sms", "110", "2026-06-03T12:00:01.000Z", "outbound", "delivered", "****", "****0123", "GB", "rated 0.067 SGD null"}, // 0.06705, half-even at 4
		{"sample_two/sms", "111", "2026-06-03T12:05:02.000Z", "outbound", "delivered", "****", "****0147", "US", "recorded 0.0125471 SGD no_rate"},
		{"sample_two/sms", "112", "2026-06-03T12:05:59.800Z", "inbound", "delivered", "****0161", "****0100", "US", "recorded 0 SGD no_rate"}, // 0E-7
		// 8x8-chatapps-log.csv
		{"sample_one/messaging", "201:1", "2026-05-06T10:00:05.310Z", "outbound", "read", "null", "****0123", "GB", "rated 0.0423 EUR null"},
		{"sample_one/messaging", "202:1", "2026-05-06T10:05:00.400Z", "outbound", "undelivered", "null", "****", "SG", "free 0 EUR status"}, // charged when delivered
		{"sample_one/messaging", "203:1", "2026-05-06T10:10:00.000Z", "outbound", "undelivered", "null", "****", "SG", "free 0 EUR status"},
		{"sample_one/messaging", "203:2", "2026-05-06T10:11:02.000Z", "outbound", "delivered", "null", "****", "SG", "rated 0.0339 EUR null"},
		{"sample_one/messaging", "204:1", "2026-05-07T01:00:00.000Z", "outbound", "sent", "null", "null", "null", "free 0 EUR status"},
		{"sample_one/messaging", "205:1", "2026-05-07T02:20:00.000Z", "outbound", "read", "null", "****", "GB", "unrated null null no_rate"}, // no rate for RCS, no price in the file
		{"sample_one/messaging", "206:1", "2026-05-07T03:00:00.070Z", "outbound", "delivered", "null", "null", "null", "unrated null null no_rate"},
		{"sample_one/messaging", "207:1", "2026-05-07T04:00:00.000Z", "inbound", "received", "****", "null", "US", "rated 0 EUR null"}, // a rate of 0 is a rate
		{"sample_one/messaging", "208:1", "2026-05-07T05:00:00.900Z", "outbound", "delivered", "null", "null", "US", "unrated null null no_rate"},
		// 8x8-voice-log.csv
		{"sample_one/voice", "401", "2026-05-10T01:00:00.000Z", "outbound", "completed", "****0099", "****0012", "SG", "rated 0.0185 EUR null"}, // 37 s at 0.03 a minute
		{"sample_one/voice", "402", "2026-05-10T01:10:00.000Z", "outbound", "completed", "****0099", "****0123", "GB", "rated 0.1 EUR null"},    // 0.01 + 120 s at 0.045
		{"sample_one/voice", "403", "2026-05-10T01:20:00.000Z", "outbound", "no_answer", "****0099", "****0147", "US", "free 0 EUR nothing_billable"},
		{"sample_one/voice", "404", "2026-05-10T02:00:00.000Z", "inbound", "completed", "****0456", "****0099", "GB", "rated 0.045 EUR null"}, // 149 s are 150
		{"sample_one/voice", "405", "2026-05-10T02:00:12.000Z", "outbound", "completed", "****0099", "****0161", "US", "recorded 0.0462 EUR no_rate"},
		{"sample_one/voice", "406", "2026-05-10T03:00:00.000Z", "inbound", "completed", "****", "****0099", "US", "rated 0.0126 EUR null"}, // 39 s are 42
		{"sample_one/voice", "407", "2026-05-10T03:00:25.000Z", "outbound", "busy", "****0099", "****", "SG", "free 0 EUR nothing_billable"},
		{"sample_one/voice", "408", "2026-05-31T23:59:50.000Z", "outbound", "completed", "****0099", "****0199", "US", "recorded 0.0105 EUR no_rate"},
	}
	key := pv.Key(t, "northwind")
	check := func(t *testing.T) {
		t.Helper()
		count := map[string]int{}
		for _, c := range cases {
			account, product := filepath.Split(c.log)
			path := logPath(usage.Log{Account: usage.AccountID(filepath.Clean(account)), Product: usage.Product(product)})
			var r shown
			pv.read(t, key, path+"/"+id+c.id, &r)
			got := want{c.log, c.id, r.Timestamp, text(r.Direction), text(r.Status), text(r.From), text(r.To), text(r.Country),
				fmt.Sprint(r.Price.Status, " ", text(r.Price.Amount), " ", text(r.Price.Currency), " ", text(r.Price.Reason))}
			if diff := cmp.Diff(fmt.Sprint(c), fmt.Sprint(got)); diff != "" {
				t.Errorf("record %s: %s", c.id, diff)
			}
			count[path]++
		}
		for path, want := range count { // and no others: the messaging file has one message twice
			var page usagePage
			pv.read(t, key, path+"?limit=500&to=2026-07-01", &page)
			if len(page.Data) != want {
				t.Errorf("%s has %d records of the fixtures, want %d", path, len(page.Data), want)
			}
		}
	}
	check(t)
	// Loading them again changes nothing.
	for format, file := range map[string]string{"connect-sms-csv": "8x8-sms-log.csv", "connect-messaging-csv": "8x8-chatapps-log.csv", "connect-voice-csv": "8x8-voice-log.csv"} {
		out := pv.operates(t, "", "import", "usage", "--format", format, "--output", "json", filepath.Join(pv.root, "testdata/fixtures", file))
		var counts struct{ Read, Written, Duplicate, Rejected int }
		if err := json.Unmarshal([]byte(out), &counts); err != nil || counts.Read != counts.Written+counts.Duplicate || counts.Rejected != 0 {
			t.Errorf("loading %s again: %v, %s", file, err, out)
		}
	}
	check(t)
}

// Every record of the sample is read through the API and priced a second time,
// by a calculation that shares no code with the product's.
func TestEveryPriceEqualsAnIndependentCalculation(t *testing.T) {
	l := load(t)
	outcomes, total := map[string]int{}, 0
	for log, records := range l.records {
		partner := viewerOf(t, log)
		if partner == "" {
			continue // of a customer that nobody active is granted
		}
		seen := 0
		for _, got := range whole[shown](t, pv.Key(t, partner), logPath(log)+"?limit=500") {
			at, err := usage.ParseTime(got.Timestamp)
			if err != nil {
				t.Fatal(err)
			}
			r, ok := records[usage.Position{Timestamp: at, ID: usage.RecordID(got.ID)}.String()]
			if !ok && (strings.HasPrefix(got.ID, "late-") || strings.HasPrefix(got.ID, "rejected-")) {
				continue // another test loaded it
			}
			if !ok {
				t.Fatalf("%s shows the record %s, which was not loaded", log, got.ID)
			}
			seen++
			want := pricingtest.Of(l.lists[log], r)
			if got.Price.Status != want.Status || text(got.Price.Amount) != orNull(want.Amount) || text(got.Price.Currency) != orNull(want.Currency) || text(got.Price.Reason) != orNull(want.Reason) {
				t.Errorf("%s of %s: the price is %s %s %s, reason %s; calculated again it is %+v", got.ID, log, got.Price.Status, text(got.Price.Amount), text(got.Price.Currency), text(got.Price.Reason), want)
			}
			if text(got.From) != orNull(r.From.String()) || text(got.To) != orNull(r.To.String()) || text(got.Status) != orNull(string(r.Status)) || text(got.Direction) != orNull(string(r.Direction)) {
				t.Errorf("%s of %s is shown as %+v", got.ID, log, got)
			}
			outcomes[got.Price.Status+" "+text(got.Price.Reason)]++
		}
		if seen != len(records) {
			t.Errorf("%s shows %d records of %d", log, seen, len(records))
		}
		total += seen
	}
	t.Logf("%d records: %v", total, outcomes)
	if total < 15_000 || len(outcomes) < 9 {
		t.Errorf("only %d records with the outcomes %v were compared", total, outcomes)
	}
}

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}
