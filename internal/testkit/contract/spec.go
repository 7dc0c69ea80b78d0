// Package contract holds real answers of the API against its contract,
// openapi.yaml. It is for tests: nothing that runs in production imports it.
//
// It owns the reading of the contract and the comparison. It does not own the
// contract, which stands in the repository's root, nor JSON Schema, which is
// github.com/santhosh-tekuri/jsonschema's.
//
// The contract as published lets objects have more fields than it lists, because
// partners must not break on the day that one is added. An answer of ours,
// though, must hold nothing that is not listed: a field that nobody documented
// may be one that nobody masked. So every object is closed when the contract is
// read here. docs/decisions/009-openapi.md has the reasons.
package contract

import (
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"partnerview"
)

// Spec is the contract, ready to be compared with answers. It does not change
// once loaded, and many goroutines may use it.
type Spec struct {
	prefix     string      // the server's path, "/v1"
	operations []operation // those with fewer path parameters first
	noRoute    answer      // what every path and method answers that is in no operation
}

// operation is one method of one path.
type operation struct {
	method     string
	path       string // "/customers/{accountId}"
	parameters []string
	answers    map[int]answer // by status
}

// answer is what one status promises.
type answer struct {
	headers map[string]header
	bodies  map[string]*jsonschema.Schema // by content type; nil: anything
	problem map[string][]any              // what a problem's title, status and code may be; empty: it is none
}

type header struct {
	required bool
	schema   *jsonschema.Schema
}

// Route is an operation as a table of routes has it.
type Route struct {
	Pattern    string   // as http.ServeMux has it: "GET /customers/{accountId}"
	Parameters []string // those of the query, in the contract's order
}

// Load reads the contract. An error means that openapi.yaml itself is wrong.
func Load() (*Spec, error) { return read(partnerview.OpenAPI()) }

// Routes lists the operations of the contract; those with fewer path parameters
// come first.
func (s *Spec) Routes() []Route {
	routes := make([]Route, len(s.operations))
	for i, o := range s.operations {
		routes[i] = Route{o.method + " " + o.path, o.parameters}
	}
	return routes
}

// find is the operation that answers a request; nil if none does. The path is
// the one on the wire, still escaped: an escaped slash is no slash. It may begin
// with the server's path, and have a query.
func (s *Spec) find(method, path string) *operation {
	asked := s.segments(path)
	for i, o := range s.operations {
		if o.method == method && slices.EqualFunc(strings.Split(o.path, "/"), asked, fits) {
			return &s.operations[i]
		}
	}
	return nil
}

// segments are those of a path below the server's, without its query.
func (s *Spec) segments(path string) []string {
	path, _, _ = strings.Cut(path, "?")
	return strings.Split(strings.TrimPrefix(path, s.prefix), "/")
}

// fits tells whether a segment of a path fits one of a template.
func fits(template, segment string) bool {
	return template == segment || strings.HasPrefix(template, "{") && segment != ""
}

// read makes a Spec of a document.
func read(text string) (*Spec, error) {
	r, err := newReader(text)
	if err != nil {
		return nil, err
	}
	s := r.spec()
	if r.err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", r.err)
	}
	return s, nil
}
