package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/operator"
)

// usageAt is a line of usage of a time.
func usageAt(id, at, more string) string {
	return `{"accountId":"acme_retail","product":"sms","id":"` + id + `","timestamp":"` + at + `"` + more + "}\n"
}

const june = "--now=2026-06-15T00:00:00Z"

// imported runs an import for programs.
func (d *desk) imported(code int, args ...string) importedUsage {
	d.t.Helper()
	r := d.run(append([]string{"import", "usage", "-o", "json", june}, args...)...)
	if r.code != code {
		d.t.Fatalf("%v: exit code %d, want %d: %s", args, r.code, code, r.errOut)
	}
	var got importedUsage
	decode(d.t, r.out, &got)
	if got.Read != got.Written+got.Duplicate+got.Rejected+got.Outside {
		d.t.Errorf("%v: the summary does not add up: %+v", args, got)
	}
	return got
}

func TestFolderIsLoadedFileByFileInTheOrderOfNames(t *testing.T) {
	d := newDeskWithDirectory(t)
	check(t, os.MkdirAll(filepath.Join(d.dir, "month", "archive"), 0o755))
	d.write("month/01.ndjson", usageAt("u-1", "2026-06-02T00:00:00Z", `,"errorCode":"first"`))
	d.write("month/02.ndjson.gz", zipped(usageAt("u-1", "2026-06-02T00:00:00Z", `,"errorCode":"second"`)+"bad\n"))
	d.write("month/10.jsonl", usageAt("u-2", "2026-06-02T00:00:00Z", ""))
	for _, not := range []string{"month/README.md", "month/sms.csv", "month/.hidden.ndjson", "month/archive/old.ndjson", "month/99.ndjson.rejected.ndjson"} {
		d.write(not, "not usage")
	}
	r := d.run("import", "usage", "month", june)
	if r.code != 3 || !strings.Contains(r.out, "read       4\nwritten    3\nduplicate  0\nrejected   1\n") || !d.has("month/02.ndjson.gz.rejected.ndjson") {
		t.Errorf("exit code %d, it says\n%s%s", r.code, r.out, r.errOut)
	}
	says(t, r.errOut, "month: passed over, since they end otherwise: README.md, sms.csv\n", "month: passed over, since they are hidden: .hidden.ndjson\n")
	// The second time all is as it was: 02 came after 01, and says what is stored.
	got := d.imported(3, "--count-changes", "month")
	if want := (operator.ChangeCounts{Changed: 2, Unchanged: 1}); *got.Changes != want {
		t.Errorf("again, the changes are %+v, want %+v: 01 undoes 02, which undoes 01", *got.Changes, want)
	}
	d.run("import", "usage", "month/archive", "month/archive/old.ndjson").fails(t, 2, "month/archive/old.ndjson is named twice")
}

func TestDryRunCountsAndListsAndWritesNothing(t *testing.T) {
	d := newDeskWithDirectory(t)
	file := d.write("usage.ndjson", usageAt("u-1", "2026-06-02T00:00:00Z", "")+usageAt("u-1", "2026-06-02T00:00:00Z", "")+"bad\n")
	for range 2 {
		got := d.imported(3, "--dry-run", "--count-changes", file)
		want := importedUsage{DryRun: true, UsageCounts: operator.UsageCounts{
			Read: 3, Written: 1, Duplicate: 1, Rejected: 1, Changes: &operator.ChangeCounts{New: 1}, Dropped: map[string]int{},
		}, loadSummary: loadSummary{Reasons: []rejectCount{{Reason: "is not a JSON object", Lines: 1}}}}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(loadSummary{}, importedUsage{})); diff != "" {
			t.Errorf("a dry run (-want +got):\n%s", diff)
		}
		if !d.has("usage.ndjson.rejected.ndjson") {
			t.Error("a dry run does not list what it would reject")
		}
	}
	if r := d.run("import", "usage", "--dry-run", file, june); !strings.Contains(r.out, "A dry run: nothing was written.\n") {
		t.Errorf("for people it says\n%s", r.out)
	}
	if got := d.imported(3, "--count-changes", file); got.Changes.New != 1 {
		t.Errorf("after two dry runs, a record is not new: %+v", got.Changes)
	}
	if got := d.imported(3, "--count-changes", file); *got.Changes != (operator.ChangeCounts{Unchanged: 1}) {
		t.Errorf("after an import it is %+v", got.Changes)
	}
}

func TestOnlyThePeriodIsLoaded(t *testing.T) {
	d := newDeskWithDirectory(t)
	file := d.write("usage.ndjson", usageAt("u-1", "2026-06-01T23:59:59.999Z", "")+usageAt("u-2", "2026-06-02T00:00:00Z", "")+
		usageAt("u-3", "2026-06-02T23:59:59.999Z", "")+usageAt("u-4", "2026-06-03T00:00:00Z", `,"segments":-1`)+"bad\n")
	got := d.imported(3, "--since", "2026-06-02", "--until", "2026-06-03", file)
	if got.Read != 5 || got.Written != 2 || got.Outside != 2 || got.Rejected != 1 {
		t.Errorf("of a day: %+v", got)
	}
	if got := d.imported(3, "--since", "2026-06-02T23:59:59.999Z", file); got.Outside != 2 || got.Written != 1 || got.Rejected != 2 {
		t.Errorf("since a time: %+v", got)
	}
	if r := d.run("import", "usage", "--until", "2026-06-02T02:00:00+02:00", file, june); !strings.Contains(r.out, "outside    3\n") {
		t.Errorf("for people, until a time with an offset:\n%s%s", r.out, r.errOut)
	}
	d.run("import", "usage", "--since", "2026-06-02", "--until", "2026-06-02", file).fails(t, 2, "--since must be before --until")
	d.run("import", "usage", "--since", "yesterday", file).fails(t, 2, "2026-06-01")
}

func TestReceiptsUpdateWhatIsLoaded(t *testing.T) {
	d := newDesk(t)
	customers := strings.ReplaceAll(directoryFile, "acme_hq", "sample_one_hq, sample-two.otp")
	d.must("apply", "-f", d.write("directory.yaml", customers))
	for _, name := range []string{"8x8-sms-log.csv", "8x8-sms-dlr.ndjson"} {
		text, err := os.ReadFile(filepath.Join(d.root, "testdata", "fixtures", name))
		check(t, err)
		d.write(name, string(text))
	}
	receipts := []string{"--format", "connect-sms-receipts", "8x8-sms-dlr.ndjson", "--count-changes"}
	if got := d.imported(3, receipts...); got.Read != 6 || got.Rejected != 6 {
		t.Errorf("before the log, receipts count %+v", got)
	}
	list := d.read("8x8-sms-dlr.ndjson.rejected.ndjson")
	for n, id := range []string{"102", "102", "120"} {
		want := fmt.Sprintf(`{"line":%d,"field":"payload.umid","reason":"no record with this id is loaded: load the log first, and the receipts again","id":"00000000-0000-4000-8000-000000000%s"}`, n+1, id)
		if !strings.Contains(list, want+"\n") {
			t.Errorf("the list of rejected lines has no %s:\n%s", want, list)
		}
	}
	d.imported(0, "--format", "connect-sms-csv", "8x8-sms-log.csv")
	// Message 102 is in the log as delivered at the time of the second receipt.
	got := d.imported(3, receipts...)
	want := importedUsage{loadSummary: got.loadSummary, UsageCounts: operator.UsageCounts{Read: 6, Written: 1, Duplicate: 1, Rejected: 4, Changes: &operator.ChangeCounts{Unchanged: 1}, Dropped: map[string]int{}}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(loadSummary{}, importedUsage{})); diff != "" {
		t.Errorf("after the log (-want +got):\n%s", diff)
	}
	if strings.Contains(d.read("8x8-sms-dlr.ndjson.rejected.ndjson"), "7700") {
		t.Error("the list tells a number")
	}
}

func TestCreditIsLoadedInAnyOrder(t *testing.T) {
	d := newDeskWithDirectory(t)
	credit := func(code int, args ...string) importedCredit {
		t.Helper()
		r := d.run(append([]string{"import", "credit", "-o", "json", june}, args...)...)
		if r.code != code {
			t.Fatalf("%v: exit code %d: %s", args, r.code, r.errOut)
		}
		var got importedCredit
		decode(t, r.out, &got)
		if got.Read != got.Written+got.Unchanged+got.Older+got.Rejected {
			t.Errorf("%v: the summary does not add up: %+v", args, got)
		}
		return got
	}
	csv := d.write("credit.csv", "account,amount,as-of,currency\n"+
		"acme_retail,12.50,2026-06-14T10:00:00Z,EUR\n"+
		"acme_retail,13.50,2026-06-14T09:00:00Z,\n"+
		"nobody,1,2026-06-14T10:00:00Z,EUR\n"+
		"acme_hq,1,2026-06-14T10:00:00Z,EUR\n"+
		"acme_retail,1,2026-06-14T10:00:00Z,USD\n"+
		"acme_retail,\"1,5\",2026-06-14T10:00:00Z,EUR\n"+
		"acme_retail,1,2026-06-16T10:00:00Z,EUR\n")
	if got := credit(3, "--dry-run", csv); !got.DryRun || got.CreditCounts != (operator.CreditCounts{Read: 7, Written: 1, Older: 1, Rejected: 5}) {
		t.Errorf("a dry run: %+v", got)
	}
	if got := credit(3, csv); got.Written != 1 || got.DryRun {
		t.Errorf("after a dry run: %+v", got)
	}
	want := `{"line":4,"field":"accountId","reason":"is no customer's account"}
{"line":5,"field":"accountId","reason":"is a sub-account: credit is told of a whole account"}
{"line":6,"field":"currency","reason":"is not the customer's currency"}
{"line":7,"field":"amount","reason":"must be a decimal number, as 1520.73; --decimal comma reads one with a comma"}
{"line":8,"field":"asOf","reason":"lies in the future"}
`
	if diff := cmp.Diff(want, d.read("credit.csv.rejected.ndjson")); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
	older := d.write("credit.ndjson", `{"accountId":"acme_retail","amount":"99","asOf":"2026-06-14T09:59:59.999Z"}`+"\n")
	if got := credit(0, older); got.Older != 1 || got.Written != 0 {
		t.Errorf("an older file counts %+v", got)
	}
	if got := credit(0, d.write("same.ndjson", `{"accountId":"acme_retail","amount":12.5,"asOf":"2026-06-14T10:00:00Z"}`)); got.Unchanged != 1 {
		t.Errorf("the same again counts %+v", got)
	}
	r := d.feed("account,amount,asOf\nacme_retail,-0.01,2026-06-14 11:00:00 UTC\n", "import", "credit", "-", june)
	if r.code != 0 || !strings.Contains(r.out, "read       1\nwritten    1\nunchanged  0\nolder      0\nrejected   0\n") {
		t.Errorf("for people: %d\n%s%s", r.code, r.out, r.errOut)
	}
	renamed := d.feed("customers: [{accountId: acme_retail, remainingCredit: '7', creditAsOf: 2026-06-14T12:00:00Z}]", "apply", "-f", "-", "--dry-run")
	if !strings.Contains(renamed.out, "remainingCredit: -0.01 → 7; creditAsOf: 2026-06-14T11:00:00.000Z") {
		t.Errorf("stored is not what was loaded last:\n%s", renamed.out)
	}
}

func TestProgressTellsRateAndTimeLeft(t *testing.T) {
	begun := time.Date(2026, 6, 15, 0, 0, 0, 0, time.UTC)
	clock := begun.Add(40 * time.Second)
	var out bytes.Buffer
	p := &progress{out: &out, name: "[1/2] usage.ndjson", size: 1000, now: func() time.Time { return clock }, begun: begun}
	_, _ = p.Write(make([]byte, 400))
	p.counts(operator.UsageCounts{Read: 1000, Written: 990, Rejected: 10})
	p.counts(operator.UsageCounts{Read: 1001}) // too soon after
	if want := "[1/2] usage.ndjson: 1000 read, 990 written, 10 rejected, 25 a second, about 1m0s left\n"; out.String() != want {
		t.Errorf("a line is %q, want %q", out.String(), want)
	}
	var terminal bytes.Buffer
	p = &progress{name: "usage.ndjson", size: 1000, now: func() time.Time { return clock }, begun: begun, bar: newBar(&terminal, "usage.ndjson", 1000)}
	p.counts(operator.UsageCounts{Read: 1000})
	time.Sleep(110 * time.Millisecond) // the bar is drawn ten times a second
	_, _ = p.Write(make([]byte, 400))
	if drawn := terminal.String(); !strings.Contains(drawn, "usage.ndjson: 1000 records, 25 a second") || !strings.Contains(drawn, "40%") || !strings.Contains(drawn, ":") {
		t.Errorf("the bar is %q", drawn)
	}
}

func TestSummariesForProgramsAreStable(t *testing.T) {
	d := newDeskWithDirectory(t)
	file := d.write("usage.ndjson", usageAt("u-1", "2026-06-02T00:00:00Z", ""))
	for want, args := range map[string][]string{
		`{"dryRun":false,"read":1,"written":1,"duplicate":0,"rejected":0,"outside":0,"dropped":{}}`:                                              {"usage", file},
		`{"dryRun":true,"read":1,"written":1,"duplicate":0,"rejected":0,"outside":0,"changes":{"new":0,"changed":0,"unchanged":1},"dropped":{}}`: {"usage", file, "--dry-run", "--count-changes"},
		`{"dryRun":false,"read":1,"written":1,"unchanged":0,"older":0,"rejected":0}`:                                                             {"credit", d.write("credit.csv", "account,amount,asOf\nacme_retail,1,2026-06-14T10:00:00Z\n")},
	} {
		if want[10] == 't' {
			d.must("import", "usage", d.write("before.ndjson", "\n"+d.read("usage.ndjson")), june) // of other bytes
		}
		var compact bytes.Buffer
		check(t, json.Compact(&compact, []byte(d.must(append([]string{"import", "-o", "json", june}, args...)...))))
		if compact.String() != want {
			t.Errorf("%v: %s, want %s", args, compact.String(), want)
		}
	}
}

func TestUnreadValuesAreToldInTheSummary(t *testing.T) {
	d := newDeskWithDirectory(t)
	row := func(id, country, mnc string) string {
		return id + ",acme_retail,2026-06-02T00:00:00Z,1," + country + ",310," + mnc + "\n"
	}
	file := d.write("sms.csv", "umid,accountid,createdat,direction,country,mcc,mnc\n"+
		row("u-1", "USA", "099")+row("u-2", "Nowhere", "99")+row("u-3", "447700900123", "99")+row("u-4", "No\x1b[31mwhere", "099")+row("u-5", "Nowhere", "099"))
	text := d.must("import", "usage", june, "--format", "connect-sms-csv", file)
	want := "Unread, and left unknown: country (4, as \"Nowhere\", \"No\\x1b[31mwhere\")\nUnread, and left unknown: operator (2, as \"310 99\")\n"
	if !strings.Contains(text, want) || strings.Contains(text, "0123") {
		t.Errorf("it says\n%s, want\n%s", text, want)
	}
	if got := d.must("import", "usage", june, "-o", "json", "--format", "connect-sms-csv", file); !strings.Contains(got, `"unread": {
    "country": 4,
    "operator": 2
  }`) {
		t.Errorf("for programs: %s", got)
	}
}

func TestOperatorThatNoRecordHasIsWarnedOf(t *testing.T) {
	d := newDesk(t)
	file := d.write("directory.yaml", directoryFile)
	d.must("apply", "-f", file)
	prices := d.write("prices.yaml", `priceLists:
  - accountId: acme_retail
    product: sms
    effectiveFrom: 2099-01-01T00:00:00Z
    currency: EUR
    rates: [{operator: "31099", unitPrice: "0.1"}]
`)
	for _, args := range [][]string{{"price", "check", "-f", prices}, {"apply", "-f", prices, "--dry-run"}} {
		r := d.run(args...)
		if r.code != 0 || !strings.Contains(r.errOut, `prices.yaml:6: priceLists[0].rates[0].operator: "31099" must have an MNC of 3 digits`) {
			t.Errorf("%v: %d\n%s", args, r.code, r.errOut)
		}
	}
}

func TestAmountsOfCreditAreReadAsSaid(t *testing.T) {
	d := newDeskWithDirectory(t)
	file := d.write("credit.csv", "account;amount;as-of\nacme_retail;1.520;2026-06-14T10:00:00Z\n")
	if r := d.run("import", "credit", june, file); r.code != 3 || !strings.Contains(r.errOut+r.out+d.read("credit.csv.rejected.ndjson"), "--decimal comma or --decimal point") {
		t.Errorf("unsaid: %d\n%s%s", r.code, r.out, r.errOut)
	}
	d.must("import", "credit", june, "--decimal", "comma", file)
	if got := d.must("customer", "show", "acme_retail", "-o", "json"); !strings.Contains(got, `"remainingCredit": "1520"`) {
		t.Errorf("stored is\n%s", got)
	}
	d.run("import", "credit", "--decimal", "dot", file).fails(t, 2, "--decimal")
}
