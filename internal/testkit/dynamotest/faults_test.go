package dynamotest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"partnerview/internal/testkit/dynamotest"
)

// carriedOut is an engine that says what it was asked to do, with numbers.
func carriedOut(asked *[]string) dynamotest.Onward {
	return func(body []byte) dynamotest.Reply {
		*asked = append(*asked, string(body))
		return dynamotest.Reply{Status: 200, Header: http.Header{"X-Amz-Crc32": {"1"}}, Body: []byte(`{"Item":{"n":{"N":"7"}}}`)}
	}
}

// struck sends a call to whom a fault strikes, and returns what came back.
func struck(t *testing.T, f dynamotest.Fault, call dynamotest.Call, patience time.Duration) (asked []string, status int, body string, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body) // as whoever passes it on does: only then is it noticed that the caller leaves
		f.Strike(r.Context(), call, w, carriedOut(&asked))
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		server.Close()
		return asked, 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return asked, answer.StatusCode, string(text), err
}

func TestEachFaultDoesWhatItsNameSays(t *testing.T) {
	call := dynamotest.Call{Operation: "GetItem", Body: []byte(`{"TableName":"t"}`)}
	for f, want := range map[dynamotest.Fault]struct {
		done   int // times that the engine is asked
		status int // 0: there is no answer
		body   string
		broken bool // while it is read
	}{
		dynamotest.Dropped: {}, dynamotest.Reset: {}, dynamotest.Delayed: {}, dynamotest.Late: {done: 1}, dynamotest.Lost: {done: 1},
		dynamotest.Failing: {status: 500, body: "InternalServerError"}, dynamotest.Throttled: {status: 400, body: "ProvisionedThroughputExceeded"},
		dynamotest.Garbage: {done: 1, status: 200}, dynamotest.Altered: {done: 1, status: 200, body: `{"N":"8"}`},
		dynamotest.Truncated: {done: 1, status: 200, body: `{"Item":{"n"`, broken: true}, dynamotest.Empty: {done: 1, status: 200, body: "{}"},
	} {
		asked, status, body, err := struck(t, f, call, 300*time.Millisecond)
		if len(asked) != want.done || status != want.status || !strings.Contains(body, want.body) || (err != nil) != (want.status == 0 || want.broken) {
			t.Errorf("%s: asked %d times, answered %d %q, %v", f, len(asked), status, body, err)
		}
	}
}

func TestHalfABatchIsDoneAndTheRestIsNamed(t *testing.T) {
	for operation, c := range map[string]struct{ sent, done, left string }{
		"BatchWriteItem": {`{"RequestItems":{"t":[{"a":1},{"b":2},{"c":3}]}}`, `{"RequestItems":{"t":[{"a":1}]}}`, `"UnprocessedItems":{"t":[{"b":2},{"c":3}]}`},
		"BatchGetItem":   {`{"RequestItems":{"t":{"Keys":[{"a":1},{"b":2}]}}}`, `{"RequestItems":{"t":{"Keys":[{"a":1}]}}}`, `"UnprocessedKeys":{"t":{"Keys":[{"b":2}]}}`},
	} {
		asked, status, body, err := struck(t, dynamotest.Halved, dynamotest.Call{Operation: operation, Body: []byte(c.sent)}, time.Minute)
		if err != nil || status != 200 || len(asked) != 1 || asked[0] != c.done || !strings.Contains(body, c.left) {
			t.Errorf("%s: %v, the engine is asked for %q, the answer is %d %s", operation, err, asked, status, body)
		}
	}
}
