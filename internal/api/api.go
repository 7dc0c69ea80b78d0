// Package api is the HTTP API that partners see: its routes, parameters, JSON
// and errors.
//
// It owns the contract of openapi.yaml, and the interfaces of what it reads. It
// does not know Lambda, DynamoDB or how a caller was identified: the viewer comes
// from a function that is handed in. Every handler is an ordinary net/http
// handler.
//
// Invariants. A handler on a customer's path reads nothing before the account
// that was granted for this request is the account in the path, and nothing of a
// product that the viewer may not see: how long a refusal takes does not tell what
// there is. Such a refusal also goes before whatever else is wrong with the request. Answers hold no
// number but masking.Numbers, no contact's name and no content: there are no
// fields for them. An error's text never holds its cause; the cause is logged
// once, with the request's id. No data is answered without an audit line.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"path"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/problem"
)

// Env is what every endpoint needs besides its store.
type Env struct {
	// Viewer is who asks, as the authorizer found. An error: that cannot be known,
	// which is our own fault, since the gateway lets nobody through whom the
	// authorizer did not find.
	Viewer func(context.Context) (directory.Viewer, error)
	// RequestID is the id that the caller can quote, and the log finds.
	RequestID func(context.Context) string
	Now       func() time.Time
	Log       *slog.Logger
	// Shown counts the records of an answer, and those of them without a price;
	// nil: nobody counts.
	Shown func(ctx context.Context, records, unrated int)
}

// Route is one path of the API.
type Route struct {
	Pattern    string   // as http.ServeMux has it: "GET /customers/{accountId}"
	Parameters []string // in the query, as openapi.yaml lists them
}

// Routes is the table of all routes; the endpoints are made of it, and tests
// hold template.yaml and openapi.yaml against it.
func Routes() []Route { return []Route{listCustomers, getCustomer, getUsage, getRecord} }

var (
	listCustomers = Route{"GET /customers", []string{"search", "product", "limit", "cursor"}}
	getCustomer   = Route{"GET /customers/{accountId}", nil}
	getUsage      = Route{"GET /customers/{accountId}/usage/{product}", []string{"from", "to", "direction", "status", "channel", "country", "fromLast4", "toLast4", "order", "limit", "cursor"}}
	getRecord     = Route{"GET /customers/{accountId}/usage/{product}/{recordId}", nil}
)

// answer is what an endpoint gives back: a body, what it shows, and where the
// next page is.
type answer struct {
	body  any
	shown *shown // without it the answer is not given
	next  string // a cursor; empty: no next page
}

// endpoint answers one request of a route, or fails.
type endpoint func(*http.Request) (answer, error)

// mux routes to endpoints; what matches none is the route_not_found problem. So is
// a path with "//", "." or ".." in it, which http.ServeMux would redirect.
func (e Env) mux(endpoints map[string]endpoint) http.Handler {
	mux := http.NewServeMux()
	for pattern, serve := range endpoints {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			a, err := serve(r)
			if err != nil {
				e.fail(w, r, err)
				return
			}
			e.succeed(w, r, a)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { e.fail(w, r, problem.NoRoute) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path.Clean(r.URL.Path) {
			e.fail(w, r, problem.NoRoute)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (e Env) succeed(w http.ResponseWriter, r *http.Request, a answer) {
	body, err := encode(a.body)
	if err == nil {
		err = e.audit(r, a.shown)
	}
	if err != nil {
		e.fail(w, r, err)
		return
	}
	if a.next != "" {
		w.Header().Set("Link", nextLink(r, a.next))
	}
	problem.Write(w, http.StatusOK, "application/json", body)
}

// fail answers with the problem that an error is, and logs what the problem
// does not say.
func (e Env) fail(w http.ResponseWriter, r *http.Request, err error) {
	id := e.RequestID(r.Context())
	p, itself := problem.Of(err)
	if !itself {
		e.Log.ErrorContext(r.Context(), "request failed", "requestId", id, "code", p.Code, "cause", err)
	}
	p.Send(w, id)
}

// viewer is who asks.
func (e Env) viewer(r *http.Request) (directory.Viewer, error) {
	v, err := e.Viewer(r.Context())
	if err == nil && v.Partner == "" {
		err = fault.New(fault.Internal, "the viewer is nobody", nil)
	}
	if err != nil {
		return directory.Viewer{}, err
	}
	return v, nil
}

// customer is who asks on a customer's path. The authorizer has granted one
// account; should it not be the path's, the request is refused as if the
// customer did not exist, and the log tells.
func (e Env) customer(r *http.Request) (directory.Viewer, error) {
	v, err := e.viewer(r)
	if err != nil {
		return v, err
	}
	if asked := r.PathValue("accountId"); v.Account == "" || asked != string(v.Account) {
		e.Log.ErrorContext(r.Context(), "the granted account is not the path's", "requestId", e.RequestID(r.Context()), "partner", v.Partner, "granted", v.Account)
		return directory.Viewer{}, problem.NoCustomer
	}
	return v, nil
}
