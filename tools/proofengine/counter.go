package main

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"

	"partnerview/internal/testkit/dynamotest"
)

// counter stands before the engine and counts what it is asked: tests that have an
// engine of their own after all would pass too.
type counter struct {
	url    string
	server *http.Server
	calls  atomic.Int64
}

func newCounter(engine string) (*counter, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &counter{url: "http://" + listener.Addr().String()}
	c.server = &http.Server{Handler: dynamotest.Relay(engine,
		func(_ context.Context, call dynamotest.Call, w dynamotest.Answer, on dynamotest.Onward) {
			c.calls.Add(1)
			on(call.Body).Send(w)
		})}
	go func() { _ = c.server.Serve(listener) }() // ends with close
	return c, nil
}

// since is how many calls there were since it was last asked.
func (c *counter) since() int64 { return c.calls.Swap(0) }

func (c *counter) close() { _ = c.server.Close() }
