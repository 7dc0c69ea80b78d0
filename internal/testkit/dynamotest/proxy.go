package dynamotest

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Proxy stands between a client and the engine. It records every call, and lets
// a test answer some in the engine's place.
type Proxy struct {
	URL string

	relay    http.Handler
	mu       sync.Mutex
	calls    []Call
	meddle   func(Call, Answer) bool
	underWay int
	ended    *sync.Cond // a call that was under way
}

// Call is a request to the engine.
type Call struct {
	Target    string // "DynamoDB_20120810.PutItem"
	Operation string // "PutItem"
	Token     string // the caller's session token; empty: it has none
	Body      []byte // JSON
}

// Answer is what a call is answered with in the engine's place.
type Answer = http.ResponseWriter

// NewProxy puts a proxy before the engine, for as long as the test runs.
func (e *Engine) NewProxy(t testing.TB) *Proxy {
	t.Helper()
	p := new(Proxy)
	p.ended = sync.NewCond(&p.mu)
	p.relay = Relay(e.Endpoint(t), p.pass)
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// Meddle sets what is asked about each call before the engine sees it. If it
// returns true the call is answered: by what it wrote, or by one of [Cut] and
// [Throttle]. Nil lets everything through.
func (p *Proxy) Meddle(with func(Call, Answer) (answered bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meddle = with
}

// Close cuts every further call, and returns when those under way have ended: a
// call that its client has given up may still reach the engine.
func (p *Proxy) Close() {
	p.Meddle(func(_ Call, w Answer) bool { Cut(w); return true })
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.underWay > 0 {
		p.ended.Wait()
	}
}

// Calls lists the calls since the last time that it was asked.
func (p *Proxy) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := p.calls
	p.calls = nil
	return calls
}

// Operations lists the names of the calls since the last time: "GetItem".
func (p *Proxy) Operations() []string {
	var names []string
	for _, c := range p.Calls() {
		names = append(names, c.Operation)
	}
	return names
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.count(1)
	defer p.count(-1)
	p.relay.ServeHTTP(w, r)
}

func (p *Proxy) count(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underWay += n
	p.ended.Broadcast()
}

func (p *Proxy) pass(_ context.Context, call Call, w Answer, on Onward) {
	p.mu.Lock()
	p.calls = append(p.calls, call)
	meddle := p.meddle
	p.mu.Unlock()
	if meddle == nil || !meddle(call, w) {
		on(call.Body).Send(w)
	}
}

// Onward has the engine carry a call out, with a body that may be another than was sent.
// It breaks the connection where the engine does not answer.
type Onward func(body []byte) Reply

// Reply is what the engine answers.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Send answers with it.
func (r Reply) Send(w Answer) {
	maps.Copy(w.Header(), r.Header)
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body) // a caller that has left does not hear it
}

// Relay answers calls to an engine: serve says how each is answered, by on, which asks the
// engine, or in its place. ctx ends when the caller gives up; what has been handed on reaches
// the engine all the same.
func Relay(engine string, serve func(ctx context.Context, call Call, w Answer, on Onward)) http.Handler {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			Cut(w)
		}
		target := r.Header.Get("X-Amz-Target")
		_, operation, _ := strings.Cut(target, ".")
		call := Call{target, operation, r.Header.Get("X-Amz-Security-Token"), body}
		serve(r.Context(), call, w, func(body []byte) Reply { return ask(client, engine, r, body) })
	})
}

// ask asks the engine in a caller's place, though that may have left.
func ask(client *http.Client, engine string, r *http.Request, body []byte) Reply {
	onward, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()),
		r.Method, engine+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		Cut(nil)
	}
	onward.Header = r.Header.Clone()
	answer, err := client.Do(onward)
	if err != nil {
		Cut(nil)
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		Cut(nil)
	}
	return Reply{answer.StatusCode, answer.Header, body}
}

// Cut breaks the connection: the client gets no answer. It does not return.
func Cut(Answer) { panic(http.ErrAbortHandler) }

// Throttle answers as DynamoDB does when it is asked too much.
func Throttle(w Answer) {
	Refuse(w, "ProvisionedThroughputExceededException")
}

// Refuse answers with one of DynamoDB's errors, "AccessDeniedException".
func Refuse(w Answer, code string) { refuse(w, http.StatusBadRequest, code) }

func refuse(w Answer, status int, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#`+code+`","message":"refused by the test"}`)
}

// Unprocessed answers a BatchGetItem or BatchWriteItem as DynamoDB does under load:
// nothing is processed.
func Unprocessed(call Call, w Answer) {
	var in struct{ RequestItems json.RawMessage }
	_ = json.Unmarshal(call.Body, &in) // what is no JSON leaves the answer without items
	answer := map[string]any{"UnprocessedItems": in.RequestItems}
	if call.Operation == "BatchGetItem" {
		answer = map[string]any{"Responses": struct{}{}, "UnprocessedKeys": in.RequestItems}
	}
	body, _ := json.Marshal(answer)
	Succeed(w, body)
}

// Succeed answers with a body, and with its checksum, as DynamoDB does.
func Succeed(w Answer, body []byte) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	_, _ = w.Write(body) // a caller that has left does not hear it
}
