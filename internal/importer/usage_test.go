package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/usage"
)

func TestAFormatIsNamedAsInTheDocuments(t *testing.T) {
	for _, want := range []Format{"native", "connect-sms-csv", "connect-messaging-csv", "connect-voice-csv", "connect-sms-receipts"} {
		if got, err := ParseFormat(string(want)); got != want || err != nil {
			t.Errorf("ParseFormat(%q) = %q, %v", want, got, err)
		}
	}
	if _, err := ParseFormat("csv"); err == nil || err.Error() != "a format is native, connect-sms-csv, connect-messaging-csv, connect-voice-csv, connect-sms-receipts" {
		t.Errorf("ParseFormat of an unknown name: %v", err)
	}
	if _, err := readUntilError(strings.NewReader(""), "csv", options()); err == nil {
		t.Error("a file of an unknown format is read")
	}
}

func TestAFileThatCannotBeReadAsAWholeIsAnError(t *testing.T) {
	for _, c := range []struct {
		name   string
		file   string
		format Format
		want   string // part of the error
	}{
		{"gzip of nothing", "\x1f\x8b", Native, "gzip"},
		{"a CSV file with nothing in it", "", ConnectSMS, "empty"},
		{"a file without its key columns", "subaccountid,direction,msisdn\nx,1,y\n", ConnectSMS, "no column umid, createdat"},
		{"a column twice", "umid,createdat,direction,Created_At\n", ConnectSMS, `"Created_At" twice`},
		{"nobody's file", "umid,createdat,direction\n", ConnectSMS, "neither subAccountId nor accountId"},
		{"a header with a broken quote", "umid,\"createdat\n", ConnectSMS, "quote"},
		{"a header too long", strings.Repeat("a,", maxRecord) + "\n", ConnectSMS, "1048576 bytes"},
		{"a header with too many columns", strings.Repeat("a,", maxColumns) + "\n", ConnectSMS, "1000 columns"},
		{"a header of numbers", "+447700900123,4477 0090 0123,umid\n+447700900124,x,y\n", ConnectSMS, "no column createdat"},
	} {
		rows, err := readUntilError(strings.NewReader(c.file), c.format, options())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
		if strings.Contains(fmt.Sprint(err), "7700") {
			t.Errorf("%s: the header is repeated: %v", c.name, err)
		}
		if c.format != ConnectSMS && len(rows) > 0 {
			t.Errorf("%s: %d rows", c.name, len(rows))
		}
	}
}

// A line that a failing stream cuts short could still be a record, but not the
// one that was sent.
func TestALineThatTheStreamCutsShortIsNoRecord(t *testing.T) {
	broken := errors.New("connection lost")
	const csv = "umid,createdat,direction,subaccountid\nu-1,2026-05-03T10:00:00Z,1,acme_one\n"
	for name, c := range map[string]struct {
		format Format
		text   string
	}{
		"native":        {Native, line("") + strings.TrimSuffix(line(""), "\n")},
		"blank rest":    {Native, line("")},
		"CSV":           {ConnectSMS, csv + "u-2,2026-05-03T10:00:00Z,1,acme_o"},
		"CSV in quotes": {ConnectSMS, csv + "u-2,\"2026"},
	} {
		rows, err := readUntilError(io.MultiReader(strings.NewReader(c.text), iotest.ErrReader(broken)), c.format, options())
		if !errors.Is(err, broken) || len(rows) != 1 {
			t.Errorf("%s: %d rows and %v, want 1 and that the connection was lost", name, len(rows), err)
		}
	}
}

func TestAStreamThatNeverGivesAnythingIsAnError(t *testing.T) {
	l := newLines(neverReader{})
	if _, err := l.lineEnd(0); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("error %v", err)
	}
}

type neverReader struct{}

func (neverReader) Read([]byte) (int, error) { return 0, nil }

func TestReadingStopsWhereTheCallerStops(t *testing.T) {
	n := 0
	for range ReadUsage(strings.NewReader(strings.Repeat(line(""), 5)), Native, options()) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d rows", n)
	}
}

func TestBlankLinesAreNoRowsButCountAsLines(t *testing.T) {
	rows := readAll(t, strings.NewReader("\n\r\n  \n"+line("")+"\n"+line("")), Native, options())
	if len(rows) != 2 || rows[0].Line != 4 || rows[1].Line != 6 {
		t.Errorf("rows %+v", rows)
	}
	rows = readAll(t, strings.NewReader("\numid,createdat,direction,subaccountid\n\nu-1,2026-05-03T10:00:00Z,1,acme_one\n\n"), ConnectSMS, options())
	if len(rows) != 1 || rows[0].Line != 4 {
		t.Errorf("rows %+v", rows)
	}
}

func TestRecordsOfAFileThatNamesNoAccountAreTheGivenOnes(t *testing.T) {
	given := options()
	given.Account = "acme_two"
	none := `{"product":"sms","id":"u-1","timestamp":"2026-05-03T10:00:00Z"}` + "\n"
	csv := "umid,createdat,direction\nu-1,2026-05-03T10:00:00Z,1\n"
	for _, c := range []struct {
		name   string
		file   string
		format Format
		o      Options
		want   string
	}{
		{"native, given", none, Native, given, "1 acme_two#sms u-1 2026-05-03T10:00:00.000Z"},
		{"native, not given", none, Native, options(), "1 REJECTED accountId: is missing [u-1]"},
		{"CSV, given", csv, ConnectSMS, given, "2 acme_two#sms u-1 2026-05-03T10:00:00.000Z dir=outbound"},
		{"a file that names one keeps it", line(""), Native, given, "1 acme_one#sms u-1 2026-05-03T10:00:00.000Z"},
		{"nor is an unknown one made up for", strings.Replace(line(""), "acme_one", "acme_six", 1), Native, given,
			`1 REJECTED accountId: "acme_six" is no known customer's account or sub-account [u-1]`},
	} {
		same(t, c.name, c.want, described(readAll(t, strings.NewReader(c.file), c.format, c.o)))
	}
}

func TestARecordPastItsRetentionIsRejected(t *testing.T) {
	at := func(timestamp string) string { return strings.Replace(line(""), "2026-05-03T10:00:00Z", timestamp, 1) }
	const past = "1 REJECTED timestamp: is past the retention time of %d months [u-1]"
	for _, c := range []struct {
		months    int
		timestamp string
		want      string
	}{
		{0, "2025-05-10T00:00:00.001Z", "1 acme_one#sms u-1 2025-05-10T00:00:00.001Z"},
		{0, "2025-05-10T00:00:00Z", fmt.Sprintf(past, 13)}, // its 13 months end just now
		{1, "2026-05-10T00:00:00.001Z", "1 acme_one#sms u-1 2026-05-10T00:00:00.001Z"},
		{1, "2026-05-09T00:00:00Z", fmt.Sprintf(past, 1)},
	} {
		o := options()
		o.RetentionMonths = c.months
		if got := described(readAll(t, strings.NewReader(at(c.timestamp)), Native, o)); got != c.want {
			t.Errorf("%d months, %s:\n got %s\nwant %s", c.months, c.timestamp, got, c.want)
		}
	}
}

func TestARejectIsALineOfJSON(t *testing.T) {
	rows := readAll(t, strings.NewReader("no JSON\n"+line(`,"segments":-1`)), Native, options())
	for i, want := range []string{
		`{"line":1,"reason":"is not a JSON object"}`,
		`{"line":2,"field":"segments","reason":"must be a whole number from 0 to 255","id":"u-1"}`,
	} {
		if got, err := json.Marshal(rows[i].Rejected); string(got) != want || err != nil {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}

// repeated gives a text over and over, some number of bytes in all.
type repeated struct {
	text string
	left int
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) && r.left > 0 {
		k := copy(p[n:], r.text[r.at:])
		n, r.left, r.at = n+k, r.left-k, (r.at+k)%len(r.text)
	}
	if n == 0 {
		err = io.EOF
	}
	return n, err
}

func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	long := strings.Repeat("x", 20_000)
	csv := "umid,createdat,direction,subaccountid,body\n"
	record := "u-1,2026-05-03T10:00:00Z,1,acme_one,\"two\nlines\"\n"
	for _, c := range []struct {
		name   string
		format Format
		file   io.Reader
	}{
		{"many records", Native, &repeated{text: line(`,"to":"+447700900123"`), left: 8 << 20}},
		{"one line of 8 MB", Native, &repeated{text: long, left: 8 << 20}},
		{"many CSV records", ConnectSMS, io.MultiReader(strings.NewReader(csv), &repeated{text: record, left: 8 << 20})},
		{"a quote that is never closed", ConnectSMS, io.MultiReader(strings.NewReader(csv+`"`), &repeated{text: "x\n", left: 2 << 20})},
		{"many names of unknown fields", Native, &unknownFields{left: 30_000}},
	} {
		var before, during runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		most, n := uint64(0), 0
		for _, err := range ReadUsage(c.file, c.format, options()) {
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if n++; n%100_000 == 1 {
				runtime.GC()
				runtime.ReadMemStats(&during)
				most = max(most, during.HeapAlloc)
			}
		}
		if n == 0 {
			t.Errorf("%s: no rows", c.name)
		}
		if grown := int64(most) - int64(before.HeapAlloc); grown > 5<<20 {
			t.Errorf("%s: the heap grew by %d bytes", c.name, grown)
		}
	}
}

// unknownFields is a file in which every record has a field of its own name.
type unknownFields struct{ left int }

func (u *unknownFields) Read(p []byte) (int, error) {
	if u.left == 0 {
		return 0, io.EOF
	}
	u.left--
	return copy(p, line(fmt.Sprintf(`,"f%d":1`, u.left))), nil
}

func TestWhatLiesOutsideThePeriodIsPassedOver(t *testing.T) {
	from, err := usage.ParseTime("2026-05-03T10:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Period = usage.Period{From: from, To: from.AddDate(0, 0, 1)}
	at := func(time string) string { return strings.Replace(line(""), "2026-05-03T10:00:00Z", time, 1) }
	for _, c := range []struct {
		name    string
		format  Format
		file    string
		outside bool
		fault   bool
	}{
		{"its first millisecond is in it", Native, at("2026-05-03T10:00:00Z"), false, false},
		{"its end is not", Native, at("2026-05-04T10:00:00Z"), true, false},
		{"nor is the millisecond before it", Native, at("2026-05-03T09:59:59.999Z"), true, false},
		{"the last millisecond is in it", Native, at("2026-05-04T09:59:59.999Z"), false, false},
		{"what is wrong outside of it is not told", Native, strings.Replace(at("2020-05-04T10:00:00Z"), `"sms"`, `"fax"`, 1), true, false},
		{"what is wrong in it is", Native, strings.Replace(line(""), `"sms"`, `"fax"`, 1), false, true},
		{"a line without a time may lie in it", Native, at("soon"), false, true},
		{"an export goes by its column", ConnectSMS, smsRow("createdat", "2026-05-04T10:00:00Z"), true, false},
		{"a receipt goes by its status", ConnectReceipts, receipt("05-03", "05-02"), true, false},
		{"so that one may lie in it", ConnectReceipts, receipt(), false, false},
	} {
		row := readAll(t, strings.NewReader(c.file), c.format, o)[0]
		if row.Outside != c.outside || (row.Rejected != nil) != c.fault {
			t.Errorf("%s: outside %v, rejected %+v", c.name, row.Outside, row.Rejected)
		}
	}
}

// BenchmarkNative reads records with all the fields of an SMS.
func BenchmarkNative(b *testing.B) {
	record := line(`,"direction":"outbound","status":"delivered","statusAt":"2026-05-03T10:00:04Z","from":"SampleCo","to":"+447700900123","country":"GB","operator":"23401","segments":2,"recordedPrice":{"amount":"0.0824","currency":"EUR"},"contactName":"Contact A","content":"Sample text"`)
	benchmark(b, Native, []byte(strings.Repeat(record, 10_000)), 10_000)
}

// BenchmarkSMSExport reads the rows of the sample export, again and again.
func BenchmarkSMSExport(b *testing.B) {
	header, rows, _ := bytes.Cut(fixture(b, "8x8-sms-log.csv"), []byte("\n"))
	file := append(append(header, '\n'), bytes.Repeat(rows, 1000)...)
	benchmark(b, ConnectSMS, file, 12_000)
}

func benchmark(b *testing.B, f Format, file []byte, records int) {
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for row, err := range ReadUsage(bytes.NewReader(file), f, options()) {
			if err != nil || row.Rejected != nil {
				b.Fatal(err, row.Rejected)
			}
			n++
		}
		if n != records {
			b.Fatalf("%d records, want %d", n, records)
		}
	}
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// From whatever line on: a line within a record, a blank one, one that is rejected, a second header.
func TestRowsFromALineOnAreThoseOfTheWholeFileThatBeginThere(t *testing.T) {
	const good = `{"accountId":"acme_one","product":"sms","id":"u-1","timestamp":"2026-06-01T00:00:00Z","direction":"outbound"}` + "\n"
	twice := string(fixture(t, "8x8-sms-log.csv"))
	files := map[string]Format{
		twice + "\n" + twice:                                ConnectSMS,
		string(fixture(t, "8x8-voice-log.csv")):             ConnectVoice,
		string(fixture(t, "8x8-chatapps-log.csv")):          ConnectMessaging,
		string(fixture(t, "8x8-sms-dlr.ndjson")):            ConnectReceipts,
		"\n" + good + "\n\n{}\nno JSON\n" + good:            Native,
		good + strings.Repeat("x", maxRecord) + "\n" + good: Native,
		"umid,createdat,direction,subaccountid,body\nm-1,2026-06-01T00:00:00Z,1,acme_one,\"two\nlines\"\nm-2,2026-06-01T00:00:00Z,1,acme_one,\"never closed\nm-3,2026-06-01T00:00:00Z,1,acme_one,x\n": ConnectSMS,
	}
	for text, format := range files {
		all := readAll(t, strings.NewReader(text), format, options())
		if len(all) < 2 {
			t.Fatalf("%s: %d rows", format, len(all))
		}
		for line := range strings.Count(text, "\n") + 2 {
			o := options()
			o.FromLine = line
			var want []Row
			for _, row := range all {
				if row.Line >= line {
					want = append(want, row)
				}
			}
			if diff := cmp.Diff(described(want), described(readAll(t, strings.NewReader(text), format, o))); diff != "" {
				t.Errorf("%s from line %d on: %s", format, line, diff)
			}
		}
	}
}

func TestAFileThatUnpacksToMoreThanItMayIsRefused(t *testing.T) {
	text := strings.Repeat(`{"accountId":"acme_one","product":"sms","id":"u-1","timestamp":"2026-06-01T00:00:00Z","direction":"outbound"}`+"\n", 100)
	read := func(most int64) (rows int, err error) {
		o := options()
		o.MaxUnpacked = most
		for _, err = range ReadUsage(bytes.NewReader(gzipped([]byte(text))), Native, o) {
			if err != nil {
				break
			}
			rows++
		}
		return rows, err
	}
	if rows, err := read(int64(len(text))); rows != 100 || err != nil {
		t.Errorf("as large as it may be: %d rows, %v", rows, err)
	}
	rows, err := read(int64(len(text)) - 1)
	if file := new(FileError); !errors.As(err, &file) || !strings.Contains(err.Error(), "unpacks to more than") || rows == 100 {
		t.Errorf("a byte larger: %d rows, %v", rows, err)
	}
	for _, err := range ReadCredit(bytes.NewReader(gzipped([]byte("account,amount,asOf\nacme_one,1,2026-06-01T00:00:00Z\n"))), CreditOptions{Now: now, MaxUnpacked: 10}) {
		if err == nil {
			t.Error("a file of credit is read")
		}
	}
}
