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
	"partnerview/internal/pricing"
	"partnerview/internal/problem"
	"partnerview/internal/usage"
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
	// RecordMetrics counts the records of an answer, and those of them without a
	// price; nil: nobody counts.
	RecordMetrics func(ctx context.Context, records, unrated int)
}

// Route is one path of the API.
type Route struct {
	Pattern    string   // as http.ServeMux has it: "GET /customers/{accountId}"
	Parameters []string // in the query, as openapi.yaml lists them
	Repeatable []string // those of them that may come several times
	CSV        bool     // it is a list, and also answers as text/csv
}

// Routes is the table of all routes, each of which stands beside its endpoint; tests
// hold template.yaml and openapi.yaml against it.
func Routes() []Route {
	return []Route{listCustomers, getCustomer, getFreshness, getUsage, getRecord, getCustomerSummary, getSummary, getMe}
}

// response is what an endpoint answers: a body, what it shows, and where the next
// page is.
type response struct {
	body  any         // a csvBody where the route has CSV
	audit *auditEntry // without it nothing is answered
	next  string      // a cursor; empty: no next page
}

// endpoint answers one request of a route, or fails.
type endpoint func(*http.Request) (response, error)

// mux routes to endpoints; what matches none is the route_not_found problem. So is
// a path with "//", "." or ".." in it, which http.ServeMux would redirect.
func (e Env) mux(endpoints map[string]endpoint) http.Handler {
	mux := http.NewServeMux()
	for pattern, serve := range endpoints {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			out, err := serve(r)
			if err != nil {
				e.fail(w, r, err)
				return
			}
			e.succeed(w, r, out)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { e.fail(w, r, problem.NoRoute) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept")
		if r.URL.Path != path.Clean(r.URL.Path) {
			e.fail(w, r, problem.NoRoute)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (e Env) succeed(w http.ResponseWriter, r *http.Request, out response) {
	lines, hasCSV := out.body.(csvBody)
	contentType, err := formOf(r, hasCSV) // which readParams has looked at before anything was read
	var body []byte
	switch {
	case err != nil:
	case contentType == csvType:
		body = encodeCSV(lines)
	default:
		body, err = encode(out.body)
	}
	if err == nil {
		err = e.audit(r, out.audit)
	}
	if err != nil {
		e.fail(w, r, err)
		return
	}
	if out.next != "" {
		w.Header().Set("Link", nextLink(r, out.next))
	}
	if contentType == csvType {
		contentType = csvContent
		w.Header().Set("Content-Disposition", disposition(lines))
		lines.csvHeader(w.Header())
	}
	problem.Write(w, http.StatusOK, contentType, body)
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
		e.Log.ErrorContext(r.Context(), "the granted account is not the path's",
			"requestId", e.RequestID(r.Context()), "partner", v.Partner, "granted", v.Account)
		return directory.Viewer{}, problem.NoCustomer
	}
	return v, nil
}

// auditEntry is what an answer shows, and of whom.
type auditEntry struct {
	accounts []usage.AccountID // of a list all that it holds, each once; else the one
	product  usage.Product     // of a log; empty: the customers themselves
	records  int               // customers or records of usage
	unrated  int               // records without a price
}

// count counts a record's price.
func (a *auditEntry) count(p pricing.Price) {
	if p.Outcome == pricing.Unrated {
		a.unrated++
	}
}

// accountsInLine is how many accounts an audit line names at most: with the longest
// account IDs it has 27 kB. CloudWatch takes 256 kB, and cuts what is longer.
const accountsInLine = 500

// audit writes the entry that says who is about to be shown what of which
// customer: one for each answer with data, before it leaves, a page without
// records included, since that tells something too. An endpoint that does not say
// what it shows is refused here, so that none can forget. Where the accounts are too many
// for a line, each is named in one of several, of which the first has the records.
func (e Env) audit(r *http.Request, a *auditEntry) error {
	if a == nil {
		return fault.New(fault.Internal, "the endpoint does not say what it shows", nil)
	}
	viewer, err := e.viewer(r)
	if err != nil {
		return err
	}
	accounts, records := a.accounts, a.records
	for part, parts := 1, max(1, (len(accounts)+accountsInLine-1)/accountsInLine); part <= parts; part++ {
		named := accounts[:min(len(accounts), accountsInLine)]
		entry := []any{
			"audit", true, "requestId", e.RequestID(r.Context()), "route", r.Pattern,
			"partnerId", viewer.Partner, "keyId", viewer.KeyID,
			"accountIds", named, "product", a.product, "records", records,
		}
		if parts > 1 {
			entry = append(entry, "part", part, "parts", parts)
		}
		e.Log.InfoContext(r.Context(), "shown", entry...)
		accounts, records = accounts[len(named):], 0
	}
	if e.RecordMetrics != nil {
		e.RecordMetrics(r.Context(), a.records, a.unrated)
	}
	return nil
}
