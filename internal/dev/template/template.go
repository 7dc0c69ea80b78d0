// Package template reads template.yaml: the one place where the product's
// tables, functions, routes, rights and refusals are written down.
//
// What deploys is what runs on one machine, and what the tests check: package
// local serves the product from this reading, and the tests here hold the
// template to the rules of docs/security.md. The package owns the reading of
// the template and the judgement of a request by a function's rights; it starts
// nothing and calls nobody.
//
// Its reading is strict where a mistake would hide a right or a route: a
// reference to nothing, an intrinsic function, a statement or a condition that
// it does not model is an error that names the resource. Everything else that
// CloudFormation would take (an alarm, a tag) is passed over.
package template

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Template is what template.yaml says, with its references resolved. Lists are
// in the order of their logical ids; routes in the order of path, then method.
type Template struct {
	Stage            string // the first segment of every path: "v1"
	Parameters       map[string]string
	Tables           []Table
	Functions        []Function
	Routes           []Route
	Authorizers      []Authorizer
	GatewayResponses []GatewayResponse
	UsagePlans       []UsagePlan
	Buckets          []Bucket
	Rules            []Rule
	StateMachines    []StateMachine
	KeySource        string // whose word a usage plan's key is taken from: "HEADER" or "AUTHORIZER"
	CompressFrom     int    // answers of so many bytes are compressed for clients that ask; -1: none are
	Outputs          map[string]string
}

// Table is a DynamoDB table.
type Table struct {
	ID         string            // logical id: "PartnersTable"
	Name       string            // what a reference to it yields
	Key        Key               //
	Attributes map[string]string // key attribute → "S", "N" or "B"
	Indexes    []Index
	TTL        string // the attribute after which items are deleted; empty: none
}

// Key names the attributes of a primary or index key. Sort may be empty.
type Key struct{ Partition, Sort string }

// Index is a global secondary index.
type Index struct {
	Name       string
	Key        Key
	Projection string   // "ALL", "KEYS_ONLY" or "INCLUDE"
	Included   []string // with INCLUDE, besides the keys
}

// Function is a Lambda function.
type Function struct {
	ID          string // logical id: "GetUsageFunction"
	Folder      string // of its main package, from the repository's root: "functions/getusage"
	Timeout     time.Duration
	MemoryMB    int
	Environment map[string]string
	Role        string // logical id of its role
	Statements  Statements
}

// Route is a method and a resource path, "/customers/{accountId}", and the
// function that answers it. A path may end in a greedy parameter, "{proxy+}".
type Route struct {
	Method     string
	Path       string
	Function   string // logical id
	Authorizer string // name; empty: open to everybody
	Metered    bool   // whether it is answered only to a key of a usage plan, and counted by it
}

// Authorizer is a REQUEST authorizer. Its decisions are cached by the values of
// all its identity sources; a request that lacks one of them is refused without
// asking it.
type Authorizer struct {
	Name     string
	Function string        // logical id
	Headers  []string      // identity sources: "Authorization"
	Context  []string      // identity sources: "path"
	TTL      time.Duration // 0: nothing is cached
}

// GatewayResponse is an answer of the gateway's own: a refusal, or a failure
// before or behind a function.
type GatewayResponse struct {
	Type    string            // "ACCESS_DENIED", "DEFAULT_5XX"
	Status  int               // 0: the status that the gateway chose
	Headers map[string]string // without the quotes that the template needs
	body    string
}

// UsagePlan is how fast and how often the holder of a key may ask.
type UsagePlan struct {
	ID          string // logical id: "BronzePlan"
	Name        string
	Stages      []string // of which APIs: "Api/v1"
	Rate        float64  // requests a second
	Burst       int      // requests at once
	Quota       int      // requests in a Period
	QuotaPeriod string   // "MONTH"
}

// Read reads the template at path. See [Parse].
func Read(path string, values map[string]string) (*Template, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := Parse(source, values)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Parse reads a template. values says what a reference yields: a parameter's
// value in place of its default, a table's name in place of its logical id. A
// key that is neither a parameter nor a resource of the template is an error.
func Parse(source []byte, values map[string]string) (*Template, error) {
	doc, err := parseDocument(source)
	if err != nil {
		return nil, err
	}
	r, err := newResolver(doc, values)
	if err != nil {
		return nil, err
	}
	typed, err := parseTyped(source)
	if err != nil {
		return nil, err
	}
	r.typed = section(typed, "Resources")
	return r.template()
}

// Table finds a table by its logical id or its name.
func (t *Template) Table(idOrName string) (Table, bool) {
	return find(t.Tables, func(of Table) bool { return of.ID == idOrName || of.Name == idOrName })
}

// Function finds a function by its logical id.
func (t *Template) Function(id string) (Function, bool) {
	return find(t.Functions, func(f Function) bool { return f.ID == id })
}

// Authorizer finds an authorizer by its name.
func (t *Template) Authorizer(name string) (Authorizer, bool) {
	return find(t.Authorizers, func(a Authorizer) bool { return a.Name == name })
}

func find[T any](in []T, is func(T) bool) (found T, ok bool) {
	if i := slices.IndexFunc(in, is); i >= 0 {
		return in[i], true
	}
	return found, false
}

// GatewayResponse finds the answer for a type. A type of which the template
// says nothing gets DEFAULT_4XX or DEFAULT_5XX, by the status that the gateway
// would give it; false where there is none either.
func (t *Template) GatewayResponse(typ string, status int) (GatewayResponse, bool) {
	fallback := "DEFAULT_4XX"
	if status >= 500 {
		fallback = "DEFAULT_5XX"
	}
	var found GatewayResponse
	for _, g := range t.GatewayResponses {
		if g.Type == typ || g.Type == fallback && found.Type == "" {
			found = g
		}
	}
	if found.Type != "" && found.Status == 0 {
		found.Status = status
	}
	return found, found.Type != ""
}

// Body is the answer to one request. A gateway response may use the request's
// id alone: no other variable is filled in here, and the tests allow no other.
func (g GatewayResponse) Body(requestID string) string {
	return strings.ReplaceAll(g.body, "$context.requestId", requestID)
}
