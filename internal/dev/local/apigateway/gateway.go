// Package apigateway serves a REST API on one machine as API Gateway would: the
// routes, the authorizer with its cache, and the gateway's own answers are read
// from template.yaml, so that what runs here is what deploys.
//
// It owns what lies between a partner's HTTP request and a function: which route
// matches, what events look like, whose decision is asked and kept, how an answer
// is made of a response, and how each refusal reads. It starts no process: who
// runs the functions is given to it. It knows nothing of partners or customers.
//
// Where AWS's documentation is silent, what AWS was recorded to do is followed
// (docs/decisions/013-local-machine.md names the sources, and what differs).
package apigateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"partnerview/internal/dev/local/lambda"
	"partnerview/internal/dev/template"
)

// Config says what is served.
type Config struct {
	Template *template.Template
	Domain   string           // what functions are told of the host: "127.0.0.1:3000"
	Invoke   Invoke           // runs the functions
	Log      io.Writer        // gets a line a request, from many goroutines; nil: nowhere
	Clock    func() time.Time // nil: time.Now
}

// Invoke runs a function, by its logical id, on an event. Its errors are those
// of [lambda.Function.Invoke].
type Invoke func(ctx context.Context, function string, event []byte) ([]byte, error)

// Gateway is the http.Handler of an API: its stage, and a way there from "/".
type Gateway struct {
	Config
	authorizers map[string]*authorizer
	meters      *meters
}

// The limits of a regional REST API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const (
	maxBody             = 10 << 20
	maxHead             = 10240 // the request line and the headers together
	maxMethodARN        = 1600  // of a route with an authorizer
	maxResource         = 512   // characters of a resource in an authorizer's policy
	maxEvent            = 6 << 20
	integrationTimeout  = 29 * time.Second
	executeAPIARNPrefix = "arn:aws:execute-api:" + lambda.Region + ":" + lambda.Account + ":" + apiID + "/"
	apiID               = "local"
)

// New makes a gateway. It fails where the template asks for something that is
// not played here.
func New(c Config) (*Gateway, error) {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	g := &Gateway{Config: c, authorizers: make(map[string]*authorizer)}
	var err error
	if g.meters, err = newMeters(c.Template); err != nil {
		return nil, err
	}
	for _, a := range c.Template.Authorizers {
		for _, name := range a.Context {
			if name != "path" {
				return nil, fmt.Errorf("authorizer %s: the identity source context.%s is not understood here",
					a.Name, name)
			}
		}
		g.authorizers[a.Name] = &authorizer{Authorizer: a, cache: newCache(a.TTL, c.Clock)}
	}
	return g, nil
}

// ServeHTTP answers one request and logs it.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		http.Redirect(w, r, "/"+g.Template.Stage+"/", http.StatusFound)
		return
	}
	x := g.newExchange(r)
	response, err := g.respond(r, x)
	var no *refusal
	if errors.As(err, &no) {
		response = g.refuse(no, x)
	} else if err != nil {
		return // the client has left
	}
	g.write(w, r, x, response)
	g.log(x, response.status, no)
}

// exchange is one request on its way through the gateway.
type exchange struct {
	start      time.Time
	id         string // the request's
	method     string
	path       string          // below the stage, as sent: percent-encoded, with any trailing slash
	route      *template.Route // nil until one is found
	parameters map[string]string
	granted    *decision // what the authorizer said; nil: it was not asked
	asked      time.Duration
}

func (g *Gateway) newExchange(r *http.Request) *exchange {
	return &exchange{start: g.Clock(), id: lambda.NewRequestID(), method: r.Method}
}

// respond finds the response to a request. Its errors are refusals, and the
// context's where the client has left.
func (g *Gateway) respond(r *http.Request, x *exchange) (*response, error) {
	below, inStage := strings.CutPrefix(r.URL.EscapedPath(), "/"+g.Template.Stage)
	if !inStage || below != "" && below[0] != '/' {
		return nil, noRoute(r)
	}
	x.path = below
	if below == "" {
		x.path = "/"
	}
	x.route, x.parameters = match(g.Template.Routes, r.Method, x.path)
	if x.route == nil {
		return nil, noRoute(r)
	}
	if headSize(r) > maxHead {
		return nil, &refusal{kind: "REQUEST_TOO_LARGE", status: http.StatusRequestHeaderFieldsTooLarge}
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, &refusal{kind: "REQUEST_TOO_LARGE", status: http.StatusRequestEntityTooLarge}
	} else if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), integrationTimeout)
	defer cancel()
	if a := g.authorizers[x.route.Authorizer]; a != nil {
		if err := g.authorize(ctx, a, r, x); err != nil {
			return nil, err
		}
	}
	if x.route.Metered {
		if err := g.meters.count(x.granted.key, g.Clock()); err != nil {
			return nil, err
		}
	}
	event := g.proxyEvent(r, x, body)
	if len(event) > maxEvent {
		return nil, &refusal{kind: "REQUEST_TOO_LARGE", status: http.StatusRequestEntityTooLarge}
	}
	output, err := g.Invoke(ctx, x.route.Function, event)
	if err != nil {
		return nil, integrationRefusal(r.Context(), err)
	}
	response, err := parseResponse(output)
	if err != nil {
		return nil, &refusal{kind: "DEFAULT_5XX", status: http.StatusBadGateway, cause: err}
	}
	return response, nil
}

// integrationRefusal says how API Gateway tells that a function did not answer.
// A function that fails, or runs out of its own time, is a malformed answer to
// it; only its own limit is a timeout. One that has no instance left could not be
// reached: Lambda's 429 is not passed on, and is no THROTTLED, which the caller would
// be to blame for.
func integrationRefusal(client context.Context, err error) error {
	var failed *lambda.Failure
	switch {
	case client.Err() != nil:
		return client.Err()
	case errors.As(err, &failed):
		return &refusal{kind: "DEFAULT_5XX", status: http.StatusBadGateway, cause: errors.New(failed.Type)}
	case errors.Is(err, context.DeadlineExceeded):
		return &refusal{kind: "INTEGRATION_TIMEOUT", status: http.StatusGatewayTimeout}
	}
	return &refusal{kind: "INTEGRATION_FAILURE", status: http.StatusInternalServerError, cause: err}
}

// noRoute is what API Gateway says of a path or method that it does not have. It
// takes an Authorization header for a signature of AWS's, and that for a bad one.
func noRoute(r *http.Request) *refusal {
	if r.Header.Get("Authorization") != "" {
		return &refusal{kind: "INVALID_SIGNATURE", status: http.StatusForbidden}
	}
	return &refusal{kind: "MISSING_AUTHENTICATION_TOKEN", status: http.StatusForbidden}
}

func headSize(r *http.Request) int {
	size := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("Host") + len(r.Host)
	for name, values := range r.Header {
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	return size
}

// log writes the one line of a request: method, path, status, time, who asked,
// and what was refused.
//
//	GET /v1/customers/acme_retail 200 12ms northwind
//	GET /v1/customers/{accountId} 404 3ms northwind ACCESS_DENIED
//
// A caller may write anything into a path or a query. So the query is left out,
// and of the path only that is shown which the authorizer or a function vouches
// for; elsewhere the route's pattern stands.
func (g *Gateway) log(x *exchange, status int, no *refusal) {
	if g.Log == nil {
		return
	}
	path := "(no route)"
	if x.route != nil {
		path = "/" + g.Template.Stage + x.vouched(status)
	}
	line := fmt.Sprintf("%s %s %d %dms", x.loggedMethod(), path, status, g.Clock().Sub(x.start).Milliseconds())
	if x.granted != nil && x.granted.principal != "" {
		line += " " + x.granted.principal
	}
	if no != nil {
		line += " " + no.kind
		if no.cause != nil {
			line += ": " + no.cause.Error()
		}
	}
	fmt.Fprintln(g.Log, line)
}

func (x *exchange) vouched(status int) string {
	if status < 300 {
		return x.path
	}
	path := x.route.Path
	if x.granted != nil {
		for name, value := range x.parameters {
			if x.granted.context[name] == value {
				path = strings.ReplaceAll(path, "{"+name+"}", value)
			}
		}
	}
	return path
}

func (x *exchange) loggedMethod() string {
	switch x.method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return x.method
	}
	return "(other)"
}

// PlanKey is the key by which a holder's requests are counted here, under a plan
// of the template, by its logical id: "BronzePlan.northwind". On AWS a key's value
// is random, and API Gateway knows its plan; here there is nobody to ask, so the
// value says it. An authorizer answers with it as with any other.
func PlanKey(plan, holder string) string { return plan + "." + holder }

// meters hold requests to the rate and burst of their key's plan. Quotas are not
// counted.
type meters struct {
	plans map[string]template.UsagePlan

	mu       sync.Mutex
	limiters map[string]*rate.Limiter // by key: as many as the authorizer names
}

// newMeters fails where a route asks for keys that would be read from somewhere
// else than the authorizer's answer.
func newMeters(t *template.Template) (*meters, error) {
	m := &meters{plans: make(map[string]template.UsagePlan), limiters: make(map[string]*rate.Limiter)}
	for _, p := range t.UsagePlans {
		m.plans[p.ID] = p
	}
	for _, r := range t.Routes {
		if r.Metered && (t.KeySource != "AUTHORIZER" || r.Authorizer == "") {
			return nil, fmt.Errorf("%s %s: only keys that an authorizer names are understood here", r.Method, r.Path)
		}
	}
	return m, nil
}

// count lets a request pass, or refuses it.
func (m *meters) count(key string, now time.Time) error {
	id, _, _ := strings.Cut(key, ".")
	plan, ok := m.plans[id]
	if !ok {
		return &refusal{kind: "INVALID_API_KEY", status: http.StatusForbidden}
	}
	if !m.limiter(key, plan).AllowN(now, 1) {
		return &refusal{kind: "THROTTLED", status: http.StatusTooManyRequests}
	}
	return nil
}

func (m *meters) limiter(key string, plan template.UsagePlan) *rate.Limiter {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.limiters[key] == nil {
		m.limiters[key] = rate.NewLimiter(rate.Limit(plan.Rate), plan.Burst)
	}
	return m.limiters[key]
}
