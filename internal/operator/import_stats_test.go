package operator_test

import (
	"strings"
	"testing"

	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// One record that was exported twice, once without the fraction of its time, is two:
// nothing tells which is right. The summary says so.
func TestIdsAtTwoTimesOfOneSecondAreCounted(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, customersFile)
	record := func(id, second string) string {
		return `{"accountId":"acme_retail","product":"sms","id":"` + id + `","timestamp":"2026-05-20T18:00:` + second + `Z"}` + "\n"
	}
	seconds := operator.NewSameSecond()
	load := func(file string, want int) {
		t.Helper()
		counts := importUsage(t, o, file, operator.UsageImport{SameSecond: seconds})
		if counts.SameSecond != want {
			t.Errorf("%d ids are counted, want %d", counts.SameSecond, want)
		}
	}
	load(record("m-1", "03.4")+record("m-1", "03")+record("m-1", "03.5")+record("m-1", "03.4"), 1) // an id counts once
	load(record("m-2", "03")+record("m-3", "03.1")+record("m-2", "04")+record("m-2", "03"), 0)     // another id, another second, the same again
	load(record("m-3", "03")+record("m-3", "03.9")+record("m-1", "03.6"), 1)                       // over files
	load(strings.Replace(record("m-3", "03.2"), "sms", "video", 1)+record("m-4", "99"), 0)         // another log; a line that is rejected
	if got := len(readAll(t, s, usage.Log{Account: "acme_retail", Product: usage.SMS})); got != 9 {
		t.Errorf("%d records are stored, want 9: each time is one", got)
	}
	counts := importUsage(t, o, record("m-5", "03")+record("m-5", "03.1"), operator.UsageImport{})
	if sum := counts.Add(counts); sum.SameSecond != 2 {
		t.Errorf("of a file by itself %d are counted, and summed %d", counts.SameSecond, sum.SameSecond)
	}
}
