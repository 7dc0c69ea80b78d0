package operator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// receiptLine is a receipt of a message of acme_retail, a number of seconds after
// its second.
func receiptLine(id, state string, second int) string {
	at := usage.FormatTime(now.AddDate(0, -1, 0).Add(time.Duration(second) * time.Second))
	return fmt.Sprintf(`{"payload":{"umid":%q,"subAccountId":"acme_hq","destination":"+447700900123","status":{"state":%q,"timestamp":%q}}}`, id, state, at) + "\n"
}

func TestReceiptsAreBroughtToTheirRecords(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, customersFile)
	const n = 500
	var log, receipts strings.Builder
	for i := range n {
		log.WriteString(line("acme_retail", fmt.Sprintf("m-%d", i), i, `,"status":"queued"`))
		receipts.WriteString(receiptLine(fmt.Sprintf("m-%d", i), "delivered", i+2))
		receipts.WriteString(receiptLine(fmt.Sprintf("m-%d", i), "sent", i+1)) // older, and later in the file
	}
	receipts.WriteString(receiptLine("nobody", "sent", 1) + "no receipt\n")
	_, err := o.ImportUsage(t.Context(), strings.NewReader(log.String()), operator.UsageImport{})
	must(t, err)
	var rejected []int
	in := operator.UsageImport{
		Format: importer.ConnectReceipts, CountChanges: true,
		Rejected: func(r importer.Reject) error { rejected = append(rejected, r.Line); return nil },
	}
	counts, err := o.ImportUsage(t.Context(), strings.NewReader(receipts.String()), in)
	must(t, err)
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
	again, err := o.ImportUsage(t.Context(), strings.NewReader(log.String()), operator.UsageImport{CountChanges: true})
	must(t, err)
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
		counts, err := o.ImportUsage(t.Context(), strings.NewReader(file), operator.UsageImport{Format: f})
		must(t, err)
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
	_, err := o.ImportUsage(t.Context(), strings.NewReader(line("acme_retail", "m-1", 1, "")), operator.UsageImport{})
	must(t, err)
	file := receiptLine("m-1", "delivered", 2) + receiptLine("m-2", "delivered", 2)
	in := operator.UsageImport{Format: importer.ConnectReceipts, CountChanges: true, DryRun: true}
	dry, err := o.ImportUsage(t.Context(), strings.NewReader(file), in)
	must(t, err)
	in.DryRun = false
	real, err := o.ImportUsage(t.Context(), strings.NewReader(file), in)
	must(t, err)
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
