package operator_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// How the writers slow down and recover is tested with the pace itself, in
// package dynamo.
func TestImportLosesNothingWhenTheTableIsThrottled(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	s := dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables)
	o := operator.New(s, clock)
	apply(t, o, customersFile)
	const n = 4000
	var file strings.Builder
	for i := range n {
		file.WriteString(line("acme_retail", fmt.Sprintf("m-%d", i), i, ""))
	}
	var calls, refused atomic.Int32
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if n := calls.Add(1); n < 10 || refused.Load() == 40 { // neither at the start nor for good
			return false
		}
		switch {
		case c.Operation == "BatchWriteItem" && refused.Add(1)%2 == 0:
			var in struct{ RequestItems json.RawMessage }
			_ = json.Unmarshal(c.Body, &in)
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			_, _ = w.Write([]byte(`{"UnprocessedItems":` + string(in.RequestItems) + `}`))
		case c.Operation == "BatchWriteItem":
			dynamotest.Throttle(w)
		default:
			return false
		}
		return true
	})
	counts, err := o.ImportUsage(t.Context(), strings.NewReader(file.String()), operator.UsageImport{})
	must(t, err)
	if counts.Written != n || refused.Load() < 40 {
		t.Errorf("%d of %d written, after %d refusals", counts.Written, n, refused.Load())
	}
	proxy.Meddle(nil)
	if got := len(readAll(t, s, usage.Log{Account: "acme_retail", Product: usage.SMS})); got != n {
		t.Errorf("%d records are stored, want %d", got, n)
	}
}
