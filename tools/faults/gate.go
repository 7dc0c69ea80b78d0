package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerview/internal/testkit/dynamotest"
)

// gate stands between one client and the engine. It names each call by its operation, its table and
// how many such calls came before it, as "Query Usage 2", and strikes those that it is told to.
type gate struct {
	url    string
	server *http.Server

	mu       sync.Mutex
	quiet    *sync.Cond // a call has ended
	underWay int
	counts   map[string]int
	calls    []string
	strikes  []strike
	again    map[string]dynamotest.Fault // by what is asked: of a stubborn strike
	hit      int
}

// strike is a fault at one call.
type strike struct {
	call  string
	fault dynamotest.Fault
	// stubborn: whoever asks the same again meets the fault again.
	stubborn bool
	// before is done when the call comes, and the call is passed on then; nil: the fault strikes it.
	before func(dynamotest.Call)
}

func (s strike) String() string {
	if s.before != nil {
		return string(s.fault) + " at " + s.call
	}
	if s.stubborn {
		return fmt.Sprintf("%s at %s, again and again", s.fault, s.call)
	}
	return fmt.Sprintf("%s at %s", s.fault, s.call)
}

func newGate(engine string) (*gate, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{url: "http://" + listener.Addr().String()}
	g.quiet = sync.NewCond(&g.mu)
	g.server = &http.Server{Handler: dynamotest.Relay(engine, g.pass), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = g.server.Serve(listener) }() // ends with close
	return g, nil
}

func (g *gate) close() { _ = g.server.Close() }

// begin forgets the calls so far, once those under way have ended, and strikes from now on.
func (g *gate) begin(strikes ...strike) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.underWay > 0 {
		g.quiet.Wait()
	}
	g.counts, g.calls, g.strikes, g.hit = map[string]int{}, nil, strikes, 0
	g.again = map[string]dynamotest.Fault{}
}

// end strikes no more, and reports what was called and how often a fault struck.
func (g *gate) end() (calls []string, hit int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.underWay > 0 {
		g.quiet.Wait()
	}
	g.strikes, g.again = nil, nil
	return g.calls, g.hit
}

func (g *gate) pass(ctx context.Context, call dynamotest.Call, w dynamotest.Answer, on dynamotest.Onward) {
	s := g.note(call)
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.underWay--
		g.quiet.Broadcast()
	}()
	switch {
	case s == nil:
	case s.before != nil:
		s.before(call)
	default:
		s.fault.Strike(ctx, call, w, on)
		return
	}
	on(call.Body).Send(w)
}

// note names a call, and finds what strikes it; nil: nothing.
func (g *gate) note(call dynamotest.Call) *strike {
	name := call.Operation + " " + strings.Join(tablesOf(call), "+")
	g.mu.Lock()
	defer g.mu.Unlock()
	g.underWay++
	if g.counts == nil {
		return nil
	}
	g.counts[name]++
	name = fmt.Sprintf("%s %d", name, g.counts[name])
	g.calls = append(g.calls, name)
	asked := asked(call)
	for _, s := range g.strikes {
		if s.call == name {
			g.hit++
			if s.stubborn {
				g.again[asked] = s.fault
			}
			return &s
		}
	}
	if fault, stubborn := g.again[asked]; stubborn {
		return &strike{call: name, fault: fault}
	}
	return nil
}

// asked is what a call asks, in one spelling: the SDK writes maps in any order.
func asked(call dynamotest.Call) string {
	var body any
	if json.Unmarshal(call.Body, &body) != nil {
		return call.Operation
	}
	text, err := json.Marshal(body)
	if err != nil {
		return call.Operation
	}
	return call.Operation + string(text)
}

// tablesOf are the tables of a call, without what makes their names a stage's own.
func tablesOf(call dynamotest.Call) (tables []string) {
	var in struct {
		TableName    string
		RequestItems map[string]json.RawMessage
	}
	_ = json.Unmarshal(call.Body, &in) // what is no JSON has none
	if in.TableName != "" {
		tables = append(tables, in.TableName)
	}
	for name := range in.RequestItems {
		tables = append(tables, name)
	}
	for i, name := range tables {
		tables[i], _, _ = strings.Cut(name, "Table-")
	}
	slices.Sort(tables)
	return tables
}
