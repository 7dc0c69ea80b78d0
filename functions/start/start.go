// Package start is how every function that reads tables begins: with what its
// environment names, or with all the reasons why it cannot.
package start

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"partnerview/internal/api"
	"partnerview/internal/dynamo"
	"partnerview/internal/gateway"
	"partnerview/internal/gateway/tracing"
)

// Function is what a function with data is made of.
type Function struct {
	Log   *slog.Logger
	Now   func() time.Time
	Store *dynamo.Store

	primed <-chan struct{} // closed when the client is
}

// FromEnv makes a Function of its environment. With an error, which names every
// fault of it, the Function has its Log and what could be made.
func FromEnv(getenv func(string) string) (Function, error) {
	now, noClock := gateway.Clock(getenv)
	db, noClient := dynamo.NewClient(getenv, tracing.DynamoDB(getenv))
	f := Function{Log: gateway.Log(getenv), Now: now}
	if noClient == nil {
		f.Store = dynamo.NewStore(db, dynamo.TablesFromEnv(getenv))
		f.Store.Consumed = gateway.Consumed
		f.primed = dynamo.Prime(context.Background(), db)
	}
	return f, errors.Join(noClock, noClient)
}

// Untraced is an environment in which there is no daemon that takes traces: for what makes calls
// by the hundred thousand, of which nobody wants a trace each.
func Untraced(getenv func(string) string) func(string) string {
	return func(name string) string {
		if name == "AWS_XRAY_DAEMON_ADDRESS" {
			return ""
		}
		return getenv(name)
	}
}

// Ready returns when the function is to ask for its first request: what was begun ahead of
// that is done, or has had its time.
func (f Function) Ready() { <-f.primed }

// Check ends the function, with all faults in one line of its log, unless there is
// none.
func (f Function) Check(faults ...error) {
	if err := errors.Join(faults...); err != nil {
		gateway.Exit(f.Log, err)
	}
}

// Endpoint runs a handler of the API as a Lambda function; it does not return.
func Endpoint(handler func(api.Env, *dynamo.Store) http.Handler) {
	f, err := FromEnv(os.Getenv)
	f.Check(err)
	env := api.Env{
		Viewer: gateway.Viewer, RequestID: gateway.RequestID, Now: f.Now, Log: f.Log,
		RecordMetrics: gateway.RecordMetrics,
	}
	served := tracing.Requests(os.Getenv, handler(env, f.Store))
	f.Ready()
	gateway.Serve(served, f.Log)
}
