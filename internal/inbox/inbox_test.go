package inbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/inbox"
	"partnerview/internal/usage"
)

// native is a file of so many SMS, from one day to the next.
func native(records int) []byte {
	var b strings.Builder
	for n := range records {
		fmt.Fprintf(&b, `{"id":"m-%04d","accountId":"acme_retail","product":"sms","timestamp":"2026-11-%02dT10:00:00.%03dZ","direction":"outbound","status":"delivered",`+
			`"to":"+447700900123","segments":1}`+"\n", n, 1+n%7, n%1000)
	}
	return []byte(b.String())
}

func TestAFileIsImportedInOneCall(t *testing.T) {
	s := newStage(t)
	begins := s.put("native/usage.ndjson", native(30))
	answer, err := s.call(t.Context(), begins)
	must(t, err)
	if answer.Outcome != inbox.Done || answer.Calls != 1 || string(answer.Counts) != `{"read":30,"written":30,"duplicate":0,"rejected":0,"outside":0,"dropped":{}}` {
		t.Errorf("the answer is %+v", answer)
	}
	if got := len(s.records(usage.SMS)); got != 30 {
		t.Errorf("%d records are stored", got)
	}
	r := s.result("native/usage.ndjson")
	want := map[string]any{"outcome": "done", "file": "native/usage.ndjson", "format": "native", "calls": 1.0, "bytes": float64(begins.Size)}
	for name, value := range want {
		if diff := cmp.Diff(value, r[name]); diff != "" {
			t.Errorf("%s of the result: %s", name, diff)
		}
	}
}
