package inbox

import (
	"bytes"
	"testing"

	"partnerview/internal/importer"
)

func TestACallListsEightMegabytesOfRejectedLinesAndCountsTheOthers(t *testing.T) {
	var l rejectList
	const lines = 200_000
	for n := range lines {
		if err := l.add(importer.Reject{Line: n + 1, Field: "accountId", Reason: "is no customer's account or sub-account"}); err != nil {
			t.Fatal(err)
		}
	}
	listed := bytes.Count(l.text, []byte("\n"))
	if len(l.text) > 8<<20 || len(l.text) < 8<<20-200 || listed+l.unlisted != lines || l.unlisted == 0 {
		t.Errorf("%d bytes, %d listed and %d not", len(l.text), listed, l.unlisted)
	}
}
