package operator_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// monthAgo is when a record of line is, so many seconds behind.
func monthAgo(second int) time.Time {
	return now.AddDate(0, -1, 0).Add(time.Duration(second) * time.Second)
}

func TestAnImportTellsWhoseRecordsItHasWrittenAndOfWhen(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, customersFile)
	file := line("beta", "m-1", 5, "") + line("acme_hq", "m-2", 9, "") + line("acme_retail", "m-3", 2, "") +
		line("nobody", "m-4", 1, "") + line("beta", "m-5", 60, `,"direction":"sideways"`)
	want := &operator.Touched{From: monthAgo(2), To: monthAgo(9), Accounts: []usage.AccountID{"acme_retail", "beta"}}
	counts := importUsage(t, o, file, operator.UsageImport{})
	if diff := cmp.Diff(want, counts.Touched); diff != "" {
		t.Errorf("of records (-want +got):\n%s", diff)
	}
	rejected := importUsage(t, o, line("nobody", "m-4", 1, ""), operator.UsageImport{})
	if rejected.Touched != nil {
		t.Errorf("nothing was written, and touched is %+v", rejected.Touched)
	}
	more := importUsage(t, o, line("beta", "m-6", 70, ""), operator.UsageImport{})
	want.To = monthAgo(70)
	if diff := cmp.Diff(want, counts.Add(rejected).Add(more).Touched); diff != "" {
		t.Errorf("of three files (-want +got):\n%s", diff)
	}

	receipts := receiptLine("m-3", "delivered", 90) + receiptLine("m-77", "delivered", 99)
	counts = importUsage(t, o, receipts, operator.UsageImport{Format: importer.ConnectReceipts})
	if counts.Rejected != 1 || counts.Touched == nil || len(counts.Touched.Accounts) != 1 || counts.Touched.From != counts.Touched.To {
		t.Errorf("of a receipt, and one without a record: %+v, %+v", counts, counts.Touched)
	}
}

func TestAnImportOfCreditTellsWhoseItHasRenewed(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, customersFile)
	if got := loadCredit(t, o, creditFile("1", 20)); got.Touched == nil || len(got.Touched.Accounts) != 2 || got.Touched.From != now.Add(-20*time.Second) {
		t.Errorf("of two it touches %+v", got.Touched)
	}
	if got := loadCredit(t, o, creditFile("1", 30)); got.Touched != nil {
		t.Errorf("of older ones it touches %+v", got.Touched)
	}
}
