package producttest

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
	"time"
)

// Mode is what a proxy does to the functions' requests; the operator's pass.
type Mode int32

// The modes.
const (
	Passing    Mode = iota
	Down            // the connection breaks
	Throttling      // DynamoDB asks to come back later
	Slow            // no answer for longer than anybody waits
)

// Call is one request that a function sent to DynamoDB.
type Call struct {
	Function  string // logical ID in template.yaml
	Target    string // DynamoDB_20120810.GetItem
	Operation string // GetItem, BatchGetItem, Query
	Body      []byte
	Units     float64 // capacity that the answer says it consumed
}

// Proxy stands between the functions and the engine. It records what functions
// send, and can fail as DynamoDB does. A function is known by its session token,
// which internal/dev/local sets to its logical ID.
type Proxy struct {
	url    string
	server *http.Server
	mode   atomic.Int32

	mu    sync.Mutex
	calls []Call
}

const tokenPrefix = "local-"

func startProxy(engine string) (*Proxy, error) {
	target, err := url.Parse(engine)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{url: "http://" + listener.Addr().String()}
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	p.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, forward) })}
	go func() { _ = p.server.Serve(listener) }() // ends with the product
	return p, nil
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	function, isFunction := strings.CutPrefix(r.Header.Get("X-Amz-Security-Token"), tokenPrefix)
	if !isFunction {
		forward.ServeHTTP(w, r)
		return
	}
	switch Mode(p.mode.Load()) {
	case Down:
		panic(http.ErrAbortHandler)
	case Throttling:
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}`)
		return
	case Slow:
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
	_, operation, _ := strings.Cut(target, ".")
	tee := &teeWriter{ResponseWriter: w}
	forward.ServeHTTP(tee, r)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, Call{function, target, operation, body, consumed(tee.body.Bytes())})
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

// Set changes how the functions' requests fare.
func (p *Proxy) Set(m Mode) { p.mode.Store(int32(m)) }

// During lists what functions sent while f ran.
func (p *Proxy) During(f func()) []Call {
	before := len(p.Calls())
	f()
	return p.Calls()[before:]
}

// Calls lists what functions have sent, oldest first.
func (p *Proxy) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[:len(p.calls):len(p.calls)]
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
