package sample_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerview/internal/dev/sample"
	"partnerview/internal/importer"
	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// record is a line of the generator as this test reads it.
type record struct {
	AccountID, Product, ID, Timestamp, Direction, Status, StatusAt string
	From, To                                                       *string
	ContactName, Content                                           any
	Country, Operator                                              string
	Segments, DurationSeconds, Participants, ParticipantSeconds    *int64
	Channel, Category, ErrorCode                                   string
	RecordedPrice                                                  *struct{ Amount, Currency string }
	AgentNote                                                      string
}

// count is how many records the sample has; few is enough where a test looks
// at several times.
const (
	count = 20_000
	few   = 2_000
)

func generate(t *testing.T, now time.Time, n int) []byte {
	t.Helper()
	var lines bytes.Buffer
	if err := sample.Usage(&lines, now, n); err != nil {
		t.Fatal(err)
	}
	return lines.Bytes()
}

func records(t *testing.T, now time.Time, n int) []record {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(generate(t, now, n)))
	decoder.DisallowUnknownFields()
	all := make([]record, 0, n)
	for decoder.More() {
		var r record
		if err := decoder.Decode(&r); err != nil {
			t.Fatalf("record %d: %v", len(all)+1, err)
		}
		all = append(all, r)
	}
	return all
}

// sampleAtNoon is the sample as most tests look at it: of one time, and whole.
var sampleAtNoon struct {
	once sync.Once
	all  []record
}

func atNoon(t *testing.T) []record {
	t.Helper()
	sampleAtNoon.once.Do(func() { sampleAtNoon.all = records(t, noon, count) })
	return sampleAtNoon.all
}

func TestUsageIsTheSameForTheSameTime(t *testing.T) {
	first, again := sha256.Sum256(generate(t, noon, few)), sha256.Sum256(generate(t, noon, few))
	if first != again {
		t.Error("two runs for one time differ")
	}
	if elsewhere := sha256.Sum256(generate(t, noon.In(time.FixedZone("", -5*3600)), few)); first != elsewhere {
		t.Error("the same time in another zone gives other records")
	}
	if later := sha256.Sum256(generate(t, noon.Add(time.Second), few)); first == later {
		t.Error("a second later the records are the same")
	}
}

func TestUsageIsNDJSONOfSoManyLines(t *testing.T) {
	for _, n := range []int{0, 1, 1000, count} {
		var lines bytes.Buffer
		if err := sample.Usage(&lines, noon, n); err != nil {
			t.Fatal(err)
		}
		if got := bytes.Count(lines.Bytes(), []byte("\n")); got != n {
			t.Errorf("%d lines, want %d", got, n)
		}
	}
}

func TestUsageTellsThatItCouldNotWrite(t *testing.T) {
	closed := errors.New("closed")
	reader, writer := io.Pipe()
	reader.CloseWithError(closed)
	if err := sample.Usage(writer, noon, 1000); !errors.Is(err, closed) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

// Each record is one that an importer must take: known account and product, its
// fields in form, its key its own, and its time in the 90 days before now.
func TestEachRecordIsWellFormed(t *testing.T) {
	for _, now := range []time.Time{
		noon, // whole; of the others a part
		time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
	} {
		t.Run(now.Format(time.RFC3339), func(t *testing.T) {
			load(t, now).take(t, bytes.NewReader(generate(t, now, few)), importer.Native, now)
			f := read(t, now)
			ids := map[string]bool{}
			all := records(t, now, few)
			if now.Equal(noon) {
				all = atNoon(t)
			}
			for i, r := range all {
				c, known := f.customer(r.AccountID)
				at, err := time.Parse(time.RFC3339, r.Timestamp)
				switch {
				case !known || !slices.Contains(c.Products, r.Product):
					t.Errorf("record %d: %s has no %s", i, r.AccountID, r.Product)
				case err != nil || !at.Before(now) || at.Before(now.Add(-90*24*time.Hour-time.Millisecond)):
					t.Errorf("record %d: at %s, now is %s: %v", i, r.Timestamp, now, err)
				case ids[r.ID]:
					t.Errorf("record %d: a second %s", i, r.ID)
				case usage.HasNumber(usage.RecordID(r.ID)):
					t.Errorf("record %d: id %q looks like a number", i, r.ID)
				}
				ids[r.ID] = true
				if r.StatusAt != "" {
					if reached, err := time.Parse(time.RFC3339, r.StatusAt); err != nil || reached.Before(at.Truncate(time.Millisecond)) || !reached.Before(now) {
						t.Errorf("record %d: made at %s, status at %s", i, r.Timestamp, r.StatusAt)
					}
				}
			}
		})
	}
}

// Whatever a product can have, some record has, and what can be unknown is
// unknown in some.
func TestUsageCoversEveryCase(t *testing.T) {
	seen := map[string]int{}
	for _, r := range atNoon(t) {
		p := r.Product
		seen[p]++
		seen[p+" status "+usage.Underscored(r.Status)]++
		seen["status as "+r.Status]++
		seen[p+" direction "+r.Direction]++
		seen[p+" channel "+strings.ToLower(r.Channel)]++
		seen[p+" category "+strings.ToLower(r.Category)]++
		for field, missing := range map[string]bool{
			"country": r.Country == "", "operator": r.Operator == "", "statusAt": r.StatusAt == "", "errorCode": r.ErrorCode == "",
			"from": r.From == nil, "to": r.To == nil, "segments": r.Segments == nil, "durationSeconds": r.DurationSeconds == nil,
			"participants": r.Participants == nil, "participantSeconds": r.ParticipantSeconds == nil, "recordedPrice": r.RecordedPrice == nil,
		} {
			if missing {
				seen[p+" no "+field]++
			} else {
				seen[p+" "+field]++
			}
		}
		if r.RecordedPrice != nil {
			if d, _ := money.Parse(r.RecordedPrice.Amount); d.IsZero() {
				seen["recorded 0"]++
			}
			if strings.Contains(r.RecordedPrice.Amount, "e-3") {
				seen["recorded exponent"]++
			}
		}
		for _, n := range []*int64{r.Segments, r.DurationSeconds, r.ParticipantSeconds} {
			if n != nil && *n == 0 {
				seen[p+" quantity 0"]++
			}
		}
		if r.AgentNote != "" {
			seen["unknown field"]++
		}
		if _, isNumber := masking.Digits(r.ErrorCode); isNumber {
			seen["error code that is a number"]++
		}
		if len(r.ID) > 100 {
			seen["long id"]++
		}
		if strings.HasSuffix(r.Timestamp, "+02:00") {
			seen["offset"]++
		}
		if fraction := r.Timestamp[strings.IndexByte(r.Timestamp+".", '.'):]; len(fraction) == len(".000000Z") {
			seen["microseconds"]++
		}
	}
	want := map[string][]string{
		"sms": {"direction inbound", "direction outbound", "status queued", "status sent", "status delivered", "status undelivered", "status read",
			"status rejected", "status failed", "status received", "status canceled", "status error", "status unknown", "status expired", "status ",
			"no country", "no operator", "operator", "no segments", "quantity 0", "errorCode", "no from", "no to", "recordedPrice", "no recordedPrice", "statusAt", "no statusAt"},
		"voice": {"direction inbound", "direction outbound", "status completed", "status no_answer", "status busy", "status failed", "status canceled",
			"status rejected", "status error", "status in_progress", "status unknown", "status ", "no durationSeconds", "quantity 0", "operator", "no country", "errorCode"},
		"video": {"direction ", "direction inbound", "direction outbound", "status completed", "status in_progress", "status failed", "no participantSeconds",
			"participantSeconds", "no durationSeconds", "no participants", "quantity 0", "no country", "from", "no from", "to", "no to"},
		"messaging": {"direction inbound", "direction outbound", "channel whatsapp", "channel viber", "channel line", "channel rcs", "channel messenger", "channel sms",
			"channel ", "category marketing", "category utility", "category authentication", "category service", "category ", "status read", "status delivered",
			"status received", "status queued", "status failed", "no operator", "no from", "no country", "errorCode"},
	}
	for product, cases := range want {
		for _, c := range cases {
			if seen[product+" "+c] == 0 {
				t.Errorf("no record of %s has %q", product, c)
			}
		}
	}
	for _, c := range []string{"recorded 0", "recorded exponent", "unknown field", "error code that is a number", "long id", "offset", "microseconds",
		"status as NO-ANSWER", "status as in progress", "status as in-progress", "status as Delivered"} {
		if seen[c] == 0 {
			t.Errorf("no record has: %s", c)
		}
	}
	if seen["messaging operator"]+seen["video operator"]+seen["voice segments"]+seen["sms channel whatsapp"] > 0 {
		t.Error("a record has a field of another product")
	}
}

// Customers are unequal, weekdays and hours too, and some records of one log were
// made in the same millisecond, so that only their ids order them.
func TestUsageIsSpreadUnevenly(t *testing.T) {
	perLog, perInstant := map[string]int{}, map[string]int{}
	night, day, officeWeekend, officeWeek := 0, 0, 0, 0
	for _, r := range atNoon(t) {
		log := r.AccountID + "#" + r.Product
		perLog[log]++
		at, err := usage.ParseTime(r.Timestamp)
		if err != nil {
			t.Fatal(err)
		}
		perInstant[log+"#"+usage.FormatTime(at)]++
		switch h := at.Hour(); {
		case h >= 1 && h < 5:
			night++
		case h >= 10 && h < 14:
			day++
		}
		if r.AccountID == "saltmarsh.clinics" {
			if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
				officeWeekend++
			} else {
				officeWeek++
			}
		}
	}
	sizes := slices.Sorted(maps.Values(perLog))
	if smallest, largest := sizes[0], sizes[len(sizes)-1]; smallest < 1 || smallest > 50 || largest < 3000 {
		t.Errorf("logs have %d to %d records; want a few to thousands", smallest, largest)
	}
	if perLog["harbourline_freight#sms"] != sizes[len(sizes)-1] {
		t.Errorf("the largest log is not harbourline_freight's SMS: %v", perLog)
	}
	if perLog["durian&daughters#sms"] != 0 {
		t.Error("durian&daughters' SMS log is not empty")
	}
	if day < 2*night {
		t.Errorf("%d records from 10 to 14 o'clock, %d from 1 to 5", day, night)
	}
	if officeWeek < 20*officeWeekend {
		t.Errorf("a clinic has %d records on weekdays and %d at weekends", officeWeek, officeWeekend)
	}
	shared, most := 0, 0
	for _, n := range perInstant {
		if n > 1 {
			shared++
		}
		most = max(most, n)
	}
	if shared < 100 || most < 3 {
		t.Errorf("%d times more than one record of a log is of one millisecond, %d at most; want 100 times, and 3", shared, most)
	}
}

// sample_one and sample_two have the records of testdata/fixtures and no others;
// every other customer has some. What the platform recorded is in the customer's
// currency, but for a few.
func TestEveryCustomerButThoseOfTheFixturesSends(t *testing.T) {
	f := read(t, noon)
	sent, own, foreign := map[string]int{}, map[string]int{}, map[string]int{}
	for _, r := range atNoon(t) {
		sent[r.AccountID]++
		c, _ := f.customer(r.AccountID)
		switch {
		case r.RecordedPrice == nil:
		case r.RecordedPrice.Currency == c.Currency:
			own[r.AccountID]++
		default:
			foreign[r.AccountID]++
		}
	}
	for _, c := range f.Customers {
		if isFixture := strings.HasPrefix(c.AccountID, "sample_"); isFixture != (sent[c.AccountID] == 0) {
			t.Errorf("%s has %d records", c.AccountID, sent[c.AccountID])
		}
		if own[c.AccountID] < foreign[c.AccountID] {
			t.Errorf("%s: %d prices are recorded in %s, %d in another currency", c.AccountID, own[c.AccountID], c.Currency, foreign[c.AccountID])
		}
	}
	if len(foreign) == 0 {
		t.Error("no price is recorded in another currency than the customer's")
	}
}
