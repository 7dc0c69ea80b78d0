package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"partnerview/internal/testkit/dynamotest"
)

// proxy stands between the functions and the engine, and fails a twentieth of their calls:
// most of them one by one, and all in a quarter of a second of each ten. The operator's pass.
type proxy struct {
	url    string
	server *http.Server
	began  time.Time

	failing       atomic.Bool
	calls, failed atomic.Int64 // of functions, while it is failing
}

const (
	everySoOften = 10 * time.Second
	outage       = everySoOften / 40
	failAlone    = 0.04
)

func newProxy(engine string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{url: "http://" + listener.Addr().String(), began: time.Now()}
	p.server = &http.Server{Handler: dynamotest.Relay(engine, p.pass)}
	go func() { _ = p.server.Serve(listener) }() // ends with close
	return p, nil
}

func (p *proxy) close() { _ = p.server.Close() }

// functionToken begins the session token of each function of the local product.
const functionToken = "local-"

func (p *proxy) pass(_ context.Context, call dynamotest.Call, w dynamotest.Answer, on dynamotest.Onward) {
	isStruck := false
	if p.failing.Load() && strings.HasPrefix(call.Token, functionToken) {
		p.calls.Add(1)
		isStruck = fails(time.Since(p.began), rand.Float64())
	}
	if !isStruck {
		on(call.Body).Send(w)
		return
	}
	p.failed.Add(1)
	switch rand.IntN(4) {
	case 0:
		dynamotest.Throttle(w)
	case 1:
		dynamotest.Refuse(w, "RequestLimitExceeded")
	case 2:
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"the proof's"}`)
	default:
		dynamotest.Cut(w)
	}
}

// fails reports whether a call at a time fails; drawn is between 0 and 1.
func fails(at time.Duration, drawn float64) bool {
	return at%everySoOften < outage || drawn < failAlone
}
