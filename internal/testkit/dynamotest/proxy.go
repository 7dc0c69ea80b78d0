package dynamotest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Proxy stands between a client and the engine. It records every call, and lets
// a test answer some in the engine's place.
type Proxy struct {
	URL string

	engine   string
	mu       sync.Mutex
	calls    []Call
	meddle   func(Call, Answer) bool
	underWay int
	ended    *sync.Cond // a call that was under way
}

// Call is a request to the engine.
type Call struct {
	Operation string // "PutItem"
	Body      []byte // JSON
}

// Answer is what a call is answered with in the engine's place.
type Answer = http.ResponseWriter

// NewProxy puts a proxy before the engine, for as long as the test runs.
func (e *Engine) NewProxy(t testing.TB) *Proxy {
	t.Helper()
	p := &Proxy{engine: e.Endpoint(t)}
	p.ended = sync.NewCond(&p.mu)
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
	body, err := io.ReadAll(r.Body)
	if err != nil {
		Cut(w)
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	call := Call{operation, body}
	p.mu.Lock()
	p.calls = append(p.calls, call)
	meddle := p.meddle
	p.underWay++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.underWay--
		p.ended.Broadcast()
	}()
	if meddle != nil && meddle(call, w) {
		return
	}
	p.forward(w, r, body)
}

func (p *Proxy) forward(w http.ResponseWriter, r *http.Request, body []byte) {
	onward, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, p.engine+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		Cut(w)
	}
	onward.Header = r.Header.Clone()
	answer, err := http.DefaultClient.Do(onward)
	if err != nil {
		Cut(w)
	}
	defer answer.Body.Close()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body) // a broken copy breaks the client's connection too: that is what it stands for
}

// Cut breaks the connection: the client gets no answer. It does not return.
func Cut(Answer) { panic(http.ErrAbortHandler) }

// Throttle answers as DynamoDB does when it is asked too much.
func Throttle(w Answer) {
	Refuse(w, "ProvisionedThroughputExceededException")
}

// Refuse answers with one of DynamoDB's errors, "AccessDeniedException".
func Refuse(w Answer, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#`+code+`","message":"refused by the test"}`)
}
