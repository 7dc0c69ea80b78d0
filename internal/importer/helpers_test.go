package importer

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// now is later than every fixture, and less than 13 months so.
var now = time.Date(2026, 6, 10, 0, 0, 0, 0, time.UTC)

// options know two customers and their sub-accounts.
func options() Options {
	accounts := map[string]usage.AccountID{
		"acme_one": "acme_one", "sample_one_hq": "acme_one", "sample_one_chat": "acme_one", "sample_one_voice": "acme_one",
		"acme_two": "acme_two", "sample-two.otp": "acme_two",
	}
	return Options{
		Accounts: func(name string) (usage.AccountID, bool) { id, ok := accounts[name]; return id, ok },
		Now:      now,
	}
}

// readAll reads usage that as a file has no error.
func readAll(t testing.TB, r io.Reader, f Format, o Options) []Row {
	t.Helper()
	rows, err := readUntilError(r, f, o)
	if err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	return rows
}

func readUntilError(r io.Reader, f Format, o Options) ([]Row, error) {
	var rows []Row
	for row, err := range ReadUsage(r, f, o) {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// readText reads a file, and describes its rows.
func readText(t testing.TB, f Format, text string) string {
	t.Helper()
	return described(readAll(t, strings.NewReader(text), f, options()))
}

func described(rows []Row) string {
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = describe(r)
	}
	return strings.Join(lines, "\n")
}

// describe writes a row as a test expects it: what a record has, field by field,
// or why it was rejected.
func describe(r Row) string {
	if r.Rejected != nil {
		return fmt.Sprintf("%d REJECTED %s: %s [%s]", r.Rejected.Line, r.Rejected.Field, r.Rejected.Reason, r.Rejected.ID)
	}
	u := r.Record
	if n := r.Receipt; n != nil {
		u = usage.Record{Log: n.Log, ID: n.ID, Status: n.Status, StatusAt: &n.StatusAt, ErrorCode: n.ErrorCode, RecordedPrice: n.RecordedPrice}
	}
	words := []string{fmt.Sprint(r.Line), u.Log.Key(), string(u.ID)}
	if !u.Timestamp.IsZero() {
		words = append(words, usage.FormatTime(u.Timestamp))
	}
	add := func(name, value string) {
		if value != "" {
			words = append(words, name+"="+value)
		}
	}
	count := func(name string, n *int64) {
		if n != nil {
			add(name, fmt.Sprint(*n))
		}
	}
	add("dir", string(u.Direction))
	add("status", string(u.Status))
	if u.StatusAt != nil {
		add("at", usage.FormatTime(*u.StatusAt))
	}
	add("err", u.ErrorCode)
	add("from", u.From.String())
	add("to", u.To.String())
	add("in", string(u.Country))
	add("op", string(u.Operator))
	count("seg", u.Segments)
	count("sec", u.DurationSeconds)
	count("people", u.Participants)
	count("peoplesec", u.ParticipantSeconds)
	add("channel", string(u.Channel))
	add("category", string(u.Category))
	if u.RecordedPrice != nil {
		add("price", money.Text(u.RecordedPrice.Amount)+string(u.RecordedPrice.Currency))
	}
	add("dropped", strings.Join(r.Dropped, ","))
	return strings.Join(words, " ")
}

// same fails where a result is not as wanted.
func same(t *testing.T, name, want, got string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%.3000s", name, diff)
	}
}

// line is a native record with everything that is required and the given rest.
func line(rest string) string {
	return `{"accountId":"acme_one","product":"sms","id":"u-1","timestamp":"2026-05-03T10:00:00Z"` + rest + "}\n"
}

func gzipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text)
	_ = w.Close()
	return b.Bytes()
}

const fixtures = "../../testdata/fixtures"

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(fixtures, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func testFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// smsRow is an SMS export of one row; the pairs are columns and values that it
// has beside, or in place of, the required.
func smsRow(pairs ...string) string {
	return csvRow([]string{"umid", "u-1", "createdat", "2026-05-03T10:00:00Z", "direction", "1", "subaccountid", "acme_one"}, pairs)
}

func messagingRow(pairs ...string) string {
	return csvRow([]string{"umid", "u-1", "step", "1", "createdAt", "2026-05-03T10:00:00Z", "direction", "outbound", "subAccountId", "acme_one"}, pairs)
}

func voiceRow(pairs ...string) string {
	return csvRow([]string{"CallId", "u-1", "InitiatedAt", "2026-05-03T10:00:00Z", "Direction", "OUTBOUND", "SubAccountId", "acme_one"}, pairs)
}

func csvRow(required, pairs []string) string {
	values := map[string]string{}
	var names []string
	for _, list := range [][]string{required, pairs} {
		for i := 0; i < len(list); i += 2 {
			if _, there := values[list[i]]; !there {
				names = append(names, list[i])
			}
			values[list[i]] = list[i+1]
		}
	}
	fields := make([]string, len(names))
	for i, name := range names {
		fields[i] = values[name]
	}
	return strings.Join(names, ",") + "\n" + strings.Join(fields, ",") + "\n"
}

// receipt is one with all that is required; the pairs replace parts of its text.
func receipt(pairs ...string) string {
	const whole = `{"eventType":"outbound_message_status_changed","payload":{"umid":"u-1","subAccountId":"acme_one","source":"+12025550100","destination":"+447700900123",` +
		`"status":{"state":"sent","timestamp":"2026-05-03T10:00:00Z"}}}` + "\n"
	return strings.NewReplacer(pairs...).Replace(whole)
}
