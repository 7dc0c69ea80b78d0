package e2e_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// mode is what the proxy does to the functions' requests; the operator's pass.
type mode int32

const (
	passing    mode = iota
	down            // the connection breaks
	throttling      // DynamoDB asks to come back later
	slow            // no answer for longer than anybody waits
)

// sent is one request that a function sent to DynamoDB.
type sent struct {
	function string // logical ID in template.yaml
	target   string // DynamoDB_20120810.GetItem
	op       string // GetItem, BatchGetItem, Query
	body     []byte
	units    float64 // capacity that the answer says it consumed
}

// proxy stands between the functions and the engine. It records what functions
// send, and can fail as DynamoDB does. A function is known by its session token,
// which internal/dev/local sets to its logical ID.
type proxy struct {
	url    string
	server *http.Server
	mode   atomic.Int32

	mu   sync.Mutex
	sent []sent
}

const tokenPrefix = "local-"

func startProxy(engine string) (*proxy, error) {
	target, err := url.Parse(engine)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{url: "http://" + listener.Addr().String()}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	p.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, forward) })}
	go func() { _ = p.server.Serve(listener) }() // ends with close
	return p, nil
}

func (p *proxy) close() { _ = p.server.Close() }

func (p *proxy) serve(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	function, isFunction := strings.CutPrefix(r.Header.Get("X-Amz-Security-Token"), tokenPrefix)
	if !isFunction {
		forward.ServeHTTP(w, r)
		return
	}
	switch mode(p.mode.Load()) {
	case down:
		panic(http.ErrAbortHandler)
	case throttling:
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}`)
		return
	case slow:
		select {
		case <-r.Context().Done():
		case <-time.After(20 * time.Second):
		}
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	target := r.Header.Get("X-Amz-Target")
	_, op, _ := strings.Cut(target, ".")
	tee := &teeWriter{ResponseWriter: w}
	forward.ServeHTTP(tee, r)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, sent{function, target, op, body, consumed(tee.body.Bytes())})
}

// consumed is the capacity that an answer says it took: of one table, or, in the
// answer of a BatchGetItem, of each.
func consumed(body []byte) (units float64) {
	type capacity struct{ CapacityUnits float64 }
	var answer struct{ ConsumedCapacity json.RawMessage }
	_ = json.Unmarshal(body, &answer) // an error of DynamoDB's has none
	var one capacity
	if json.Unmarshal(answer.ConsumedCapacity, &one) == nil {
		return one.CapacityUnits
	}
	var several []capacity
	_ = json.Unmarshal(answer.ConsumedCapacity, &several)
	for _, c := range several {
		units += c.CapacityUnits
	}
	return units
}

// set changes how the functions' requests fare until the test ends.
func (p *proxy) set(t *testing.T, m mode) {
	p.mode.Store(int32(m))
	t.Cleanup(func() { p.mode.Store(int32(passing)) })
}

// during returns what functions sent while f ran.
func (p *proxy) during(f func()) []sent {
	p.mu.Lock()
	before := len(p.sent)
	p.mu.Unlock()
	f()
	return p.all()[before:]
}

func (p *proxy) all() []sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[:len(p.sent):len(p.sent)]
}

// teeWriter keeps a copy of an answer.
type teeWriter struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (w *teeWriter) Write(b []byte) (int, error) {
	w.body.Write(b)
	return w.ResponseWriter.Write(b)
}
