package operator_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dev/sample"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

const customersFile = `customers:
  - {accountId: acme_retail, name: Acme, products: [sms, voice], currency: EUR, billingMode: prepaid, subAccounts: [acme_hq]}
  - {accountId: beta, name: Beta, products: [sms], currency: EUR, billingMode: prepaid, subAccounts: [acme_otp]}
`

func line(account, id string, second int, more string) string {
	at := usage.FormatTime(now.AddDate(0, -1, 0).Add(time.Duration(second) * time.Second))
	return fmt.Sprintf(`{"accountId":%q,"product":"sms","id":%q,"timestamp":%q%s}`, account, id, at, more) + "\n"
}

// importUsage loads a file that as a whole has no error.
func importUsage(t *testing.T, o *operator.Operator, file string, in operator.UsageImport) operator.UsageCounts {
	t.Helper()
	counts, err := o.ImportUsage(t.Context(), strings.NewReader(file), in)
	must(t, err)
	return counts
}

func TestImportCountsEveryLineOnce(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, customersFile)
	file := line("acme_retail", "m-1", 1, `,"content":"x","colour":"red"`) +
		line("acme_hq", "m-2", 2, `,"colour":"blue"`) +
		"\n" +
		"not json\n" +
		line("nobody", "m-3", 3, "") +
		line("acme_retail", "m-1", 1, `,"status":"sent"`) +
		line("beta", "m-1", 1, "") +
		strings.Replace(line("beta", "m-9", 1, ""), "2026", "2020", 1)
	var rejected []importer.Reject
	counts := importUsage(t, o, file, operator.UsageImport{
		Rejected: func(r importer.Reject) error { rejected = append(rejected, r); return nil },
	})
	want := operator.UsageCounts{Read: 7, Written: 3, Duplicate: 1, Rejected: 3, Dropped: map[string]int{"colour": 2, "content": 1},
		Touched: &operator.Touched{From: monthAgo(1), To: monthAgo(2), Accounts: []usage.AccountID{"acme_retail", "beta"}}}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	var lines []int
	for _, r := range rejected {
		lines = append(lines, r.Line)
	}
	if !slices.Equal(lines, []int{4, 5, 8}) || !strings.Contains(rejected[2].Reason, "retention") {
		t.Errorf("rejected are %+v", rejected)
	}
	r, err := s.Record(t.Context(), usage.Log{Account: "acme_retail", Product: usage.SMS}, "m-1", now)
	must(t, err)
	if r.Status != usage.Sent || !r.ExpiresAt.Equal(r.Timestamp.AddDate(0, 13, 0)) {
		t.Errorf("stored is %+v; want the later line, kept for 13 months", r)
	}
}

func TestAccountOfALineIsFoundByItsNames(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, customersFile)
	file := line("acme_hq", "hq", 1, "") + line("acme_otp", "otp", 1, "") + line("beta", "beta", 1, "")
	importUsage(t, o, file, operator.UsageImport{})
	for id, account := range map[usage.RecordID]usage.AccountID{"hq": "acme_retail", "otp": "beta", "beta": "beta"} {
		if _, err := s.Record(t.Context(), usage.Log{Account: account, Product: usage.SMS}, id, now); err != nil {
			t.Errorf("%s is not in the log of %s: %v", id, account, err)
		}
	}
}

func TestImportForAnAccountThatDoesNotExistIsRefused(t *testing.T) {
	o, _ := newOperator(t)
	_, err := o.ImportUsage(t.Context(), strings.NewReader(""), operator.UsageImport{Account: "nobody"})
	var wrong operator.UserError
	if !errors.As(err, &wrong) {
		t.Errorf("got %v, want a UserError", err)
	}
}

// logOf is n records, one a second.
func logOf(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line("acme_retail", fmt.Sprintf("m-%d", i), i, ""))
	}
	return b.String()
}

// lines is n records, 40 of each id, whose error codes tell their place in the
// file.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line("acme_retail", fmt.Sprintf("m-%d", i%(n/40)), i%(n/40), fmt.Sprintf(`,"errorCode":"n%d"`, i)))
	}
	return b.String()
}

func TestOfTheSameRecordTheLastOfTheFileWins(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, customersFile)
	const n = 3240 // 81 ids: no multiple of the writers
	counts := importUsage(t, o, lines(n), operator.UsageImport{})
	if counts.Read != n || counts.Written+counts.Duplicate != n {
		t.Errorf("counts do not add up: %+v", counts)
	}
	for i := range n / 40 {
		r, err := s.Record(t.Context(), usage.Log{Account: "acme_retail", Product: usage.SMS}, usage.RecordID(fmt.Sprintf("m-%d", i)), now)
		must(t, err)
		if want := fmt.Sprintf("n%d", n-n/40+i); r.ErrorCode != want {
			t.Fatalf("of m-%d, %s is stored; want %s, the last of the file", i, r.ErrorCode, want)
		}
	}
	again := importUsage(t, o, lines(n), operator.UsageImport{})
	if diff := cmp.Diff(counts, again); diff != "" {
		t.Errorf("the same file counts otherwise the second time (-first +second):\n%s", diff)
	}
}

func TestCutFileIsLoadedAsFarAsItGoesAndTold(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, customersFile)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	for i := range 5000 {
		_, _ = io.WriteString(w, line("acme_retail", fmt.Sprintf("m-%d-%d", i, i*7919), i, ""))
	}
	must(t, w.Close())
	cut := packed.Bytes()[:packed.Len()/2]
	counts, err := o.ImportUsage(t.Context(), bytes.NewReader(cut), operator.UsageImport{})
	if err == nil {
		t.Error("that the file is cut is not told")
	}
	if counts.Read == 0 || counts.Read != counts.Written {
		t.Errorf("counts are %+v; want what was read, written", counts)
	}
}

func TestImportSurvivesARestartOfTheEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	own := dynamotest.Start(t)
	s := own.NewStore(t)
	o := operator.New(s, clock)
	apply(t, o, customersFile)
	const n = 3000
	var restarts atomic.Int32
	counts := importUsage(t, o, logOf(n), operator.UsageImport{
		Progress: func(c operator.UsageCounts) {
			if c.Written > n/4 && restarts.CompareAndSwap(0, 1) || c.Written > n/2 && restarts.CompareAndSwap(1, 2) {
				own.Stop()
				own.Restart(t)
			}
		},
	})
	if restarts.Load() != 2 || counts.Written != n {
		t.Errorf("%d restarts; counts %+v", restarts.Load(), counts)
	}
	if got := len(readAll(t, s, usage.Log{Account: "acme_retail", Product: usage.SMS})); got != n {
		t.Errorf("%d records are stored, want %d", got, n)
	}
}

func TestImportWaitsForAnEngineThatIsAboutToStart(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	own := dynamotest.Start(t)
	o := operator.New(own.NewStore(t), clock)
	apply(t, o, customersFile)
	own.Stop()
	started := make(chan error, 1)
	time.AfterFunc(time.Second, func() { // later than the SDK's own tries
		_, err := own.Listen()
		started <- err
	})
	counts, err := o.ImportUsage(t.Context(), strings.NewReader(line("acme_retail", "m-1", 1, "")), operator.UsageImport{})
	must(t, <-started)
	must(t, err)
	if counts.Written != 1 {
		t.Errorf("counts are %+v", counts)
	}
}

func readAll(t *testing.T, s *dynamo.Store, log usage.Log) []usage.Record {
	t.Helper()
	var all []usage.Record
	for q := (usage.Query{Limit: 500, Now: now}); ; {
		page, err := s.Log(t.Context(), log, q)
		must(t, err)
		all = append(all, page.Records...)
		if q.After = page.Next; q.After == nil {
			return all
		}
	}
}

func TestImportEndsWhenTheStoreRefuses(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	o := operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock)
	apply(t, o, customersFile)
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if c.Operation == "BatchWriteItem" {
			dynamotest.Refuse(w, "AccessDeniedException")
			return true
		}
		return false
	})
	if _, err := o.ImportUsage(t.Context(), endless{}, operator.UsageImport{}); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v, want internal", err)
	}
}

func TestImportEndsWhenRejectedLinesCannotBeKept(t *testing.T) {
	o, _ := newOperator(t)
	full := errors.New("disk full")
	_, err := o.ImportUsage(t.Context(), endless{}, operator.UsageImport{Rejected: func(importer.Reject) error { return full }})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
}

// endless is a file without an end: the same line over and over.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	text := line("acme_retail", "m-1", 1, "")
	return copy(b, text[:min(len(b), len(text))]), nil
}

func TestMemoryDoesNotGrowWithAFile(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	o, _ := newOperator(t)
	apply(t, o, customersFile)
	var peak uint64
	progress := func(operator.UsageCounts) {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	}
	measure := func(n int) uint64 {
		peak = 0
		_, err := o.ImportUsage(t.Context(), io.LimitReader(endless{}, int64(n*len(line("acme_retail", "m-1", 1, "")))), operator.UsageImport{Progress: progress})
		must(t, err)
		return peak
	}
	small := measure(1_000)
	if large := measure(10_000); large > small+8<<20 {
		t.Errorf("ten times the file takes %d kB in place of %d kB", large>>10, small>>10)
	}
}

// sampleDirectory is testdata/sample's, as of now.
func sampleDirectory(t testing.TB) importer.Directory {
	t.Helper()
	text, err := os.ReadFile("../../testdata/sample/directory.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := sample.Directory(string(text), now)
	if err != nil {
		t.Fatal(err)
	}
	d, err := importer.ParseDirectory(bytes.NewReader(rendered), "directory.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSampleDataLoadsWithoutRejects(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	o, _ := newOperator(t)
	begun := time.Now()
	plan, err := o.Plan(t.Context(), sampleDirectory(t), false)
	must(t, err)
	must(t, o.Apply(t.Context(), plan))
	applied := time.Now()
	const n = 5_000
	in, out := io.Pipe()
	go func() { out.CloseWithError(sample.Usage(out, now, n)) }()
	counts, err := o.ImportUsage(t.Context(), in, operator.UsageImport{})
	must(t, err)
	t.Logf("applied %d changes in %s, loaded %d records in %s", len(plan.Changes), applied.Sub(begun), counts.Written, time.Since(applied))
	if counts.Written != n || counts.Rejected != 0 {
		t.Errorf("counts are %+v, want %d written", counts, n)
	}
}

// How the writers slow down and recover is tested with the pace itself, in
// package dynamo.
func TestImportLosesNothingWhenTheTableIsThrottled(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	s := dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables)
	o := operator.New(s, clock)
	apply(t, o, customersFile)
	const n = 4000
	var calls, refused, ofDays atomic.Int32
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if n := calls.Add(1); n < 10 || refused.Load() == 40 { // neither at the start nor for good
			return false
		}
		if !strings.Contains(string(c.Body), tables.Usage) && ofDays.Add(1) > 4 { // for which all wait
			return false
		}
		switch {
		case c.Operation == "BatchWriteItem" && refused.Add(1)%2 == 0:
			dynamotest.Unprocessed(c, w)
		case c.Operation == "BatchWriteItem":
			dynamotest.Throttle(w)
		default:
			return false
		}
		return true
	})
	counts := importUsage(t, o, logOf(n), operator.UsageImport{})
	if counts.Written != n || refused.Load() < 40 {
		t.Errorf("%d of %d written, after %d refusals", counts.Written, n, refused.Load())
	}
	proxy.Meddle(nil)
	if got := len(readAll(t, s, usage.Log{Account: "acme_retail", Product: usage.SMS})); got != n {
		t.Errorf("%d records are stored, want %d", got, n)
	}
}

// receiptLine is a receipt of a message of acme_retail, a number of seconds after
// its second.
func receiptLine(id, state string, second int) string {
	at := usage.FormatTime(now.AddDate(0, -1, 0).Add(time.Duration(second) * time.Second))
	return fmt.Sprintf(`{"payload":{"umid":%q,"subAccountId":"acme_hq","destination":"+447700900123","status":{"state":%q,"timestamp":%q}}}`, id, state, at) + "\n"
}

func TestReceiptsAreBroughtToTheirRecords(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, customersFile)
	n := 500
	if testing.Short() {
		n = 100
	}
	var log, receipts strings.Builder
	for i := range n {
		log.WriteString(line("acme_retail", fmt.Sprintf("m-%d", i), i, `,"status":"queued"`))
		receipts.WriteString(receiptLine(fmt.Sprintf("m-%d", i), "delivered", i+2))
		receipts.WriteString(receiptLine(fmt.Sprintf("m-%d", i), "sent", i+1)) // older, and later in the file
	}
	receipts.WriteString(receiptLine("nobody", "sent", 1) + "no receipt\n")
	importUsage(t, o, log.String(), operator.UsageImport{})
	var rejected []int
	in := operator.UsageImport{
		Format: importer.ConnectReceipts, CountChanges: true,
		Rejected: func(r importer.Reject) error { rejected = append(rejected, r.Line); return nil },
	}
	counts := importUsage(t, o, receipts.String(), in)
	if counts.Read != 2*n+2 || counts.Written+counts.Duplicate != 2*n || counts.Rejected != 2 || counts.Changes.New != 0 || counts.Changes.Changed < n {
		t.Errorf("counts are %+v, changes %+v", counts, counts.Changes)
	}
	slices.Sort(rejected)
	if !slices.Equal(rejected, []int{2*n + 1, 2*n + 2}) {
		t.Errorf("rejected are the lines %v", rejected)
	}
	for _, r := range readAll(t, s, usage.Log{Account: "acme_retail", Product: usage.SMS}) {
		if r.Status != usage.Delivered {
			t.Fatalf("%s is %s", r.ID, r.Status)
		}
	}
	again := importUsage(t, o, log.String(), operator.UsageImport{CountChanges: true})
	if want := (operator.ChangeCounts{Unchanged: n}); *again.Changes != want {
		t.Errorf("the log again counts %+v, want %+v: what receipts told is newer", *again.Changes, want)
	}
}

// A status of the year 2062 would keep every true one out until then.
func TestReceiptFromAClockThatIsAheadFreezesNothing(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, customersFile)
	load := func(f importer.Format, file string, rejected int) {
		t.Helper()
		counts := importUsage(t, o, file, operator.UsageImport{Format: f})
		if counts.Rejected != rejected {
			t.Errorf("%d lines are rejected, want %d", counts.Rejected, rejected)
		}
	}
	log := line("acme_retail", "m-1", 1, `,"status":"queued"`)
	load(importer.Native, log, 0)
	load(importer.ConnectReceipts, strings.Replace(receiptLine("m-1", "sent", 2), `"timestamp":"20`, `"timestamp":"26`, 1), 1)
	load(importer.ConnectReceipts, receiptLine("m-1", "delivered", 3), 0)
	load(importer.Native, log+strings.Replace(line("acme_retail", "m-2", 1, ""), `"timestamp":"20`, `"timestamp":"26`, 1), 1)
	if got := readAll(t, s, usage.Log{Account: "acme_retail", Product: usage.SMS}); len(got) != 1 || got[0].Status != usage.Delivered {
		t.Errorf("stored are %+v", got)
	}
}

func TestDryRunOfReceiptsTellsWhatAnImportWould(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, customersFile)
	importUsage(t, o, line("acme_retail", "m-1", 1, ""), operator.UsageImport{})
	file := receiptLine("m-1", "delivered", 2) + receiptLine("m-2", "delivered", 2)
	in := operator.UsageImport{Format: importer.ConnectReceipts, CountChanges: true, DryRun: true}
	dry := importUsage(t, o, file, in)
	in.DryRun = false
	real := importUsage(t, o, file, in)
	if diff := cmp.Diff(dry, real); diff != "" || real.Changes.Changed != 1 || real.Rejected != 1 {
		t.Errorf("(-dry run +import):\n%s", diff)
	}
}

func TestChangesAreCountedAcrossFiles(t *testing.T) {
	one := operator.UsageCounts{Read: 3, Written: 2, Outside: 1, Changes: &operator.ChangeCounts{New: 1, Changed: 1}}
	sum := one.Add(operator.UsageCounts{Read: 1, Rejected: 1, Changes: &operator.ChangeCounts{}}).Add(operator.UsageCounts{Read: 1, Written: 1, Changes: &operator.ChangeCounts{Unchanged: 1}})
	want := operator.UsageCounts{Read: 5, Written: 3, Rejected: 1, Outside: 1, Changes: &operator.ChangeCounts{New: 1, Changed: 1, Unchanged: 1}, Dropped: map[string]int{}}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
