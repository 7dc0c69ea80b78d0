package producttest

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"partnerview/internal/testkit/dynamotest"
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
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{url: "http://" + listener.Addr().String()}
	p.server = &http.Server{Handler: dynamotest.Relay(engine, p.pass)}
	go func() { _ = p.server.Serve(listener) }() // ends with the product
	return p, nil
}

// pass records a function's call, or fails it as the mode says.
func (p *Proxy) pass(ctx context.Context, call dynamotest.Call, w dynamotest.Answer, on dynamotest.Onward) {
	function, isFunction := strings.CutPrefix(call.Token, tokenPrefix)
	mode := Mode(p.mode.Load())
	switch {
	case !isFunction || mode == Passing:
	case mode == Throttling:
		dynamotest.Refuse(w, "ThrottlingException")
		return
	case mode == Slow:
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Second):
		}
		dynamotest.Cut(w)
	default:
		dynamotest.Cut(w)
	}
	reply := on(call.Body)
	if isFunction {
		p.record(Call{function, call.Target, call.Operation, call.Body, consumed(reply.Body)})
	}
	reply.Send(w)
}

func (p *Proxy) record(c Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, c)
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
