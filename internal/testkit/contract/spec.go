// Package contract holds real answers of the API against its contract,
// openapi.yaml. It is for tests: nothing that runs in production imports it.
//
// It owns the comparison. It does not own the contract, which stands in the
// repository's root, nor its reading, which is github.com/getkin/kin-openapi's,
// nor JSON Schema, which is github.com/santhosh-tekuri/jsonschema's.
//
// The contract as published lets objects have more fields than it lists, because
// partners must not break on the day that one is added. An answer of ours,
// though, must hold nothing that is not listed: a field that nobody documented
// may be one that nobody masked. So every object is closed when the contract is
// read here. docs/decisions/009-openapi.md has the reasons.
package contract

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"partnerview"
)

// Spec is the contract, ready to be compared with answers. It does not change
// once loaded, and many goroutines may use it.
type Spec struct {
	prefix     string      // the server's path, "/v1"
	operations []operation // those with fewer path parameters first
	noRoute    response    // what every path and method answers that is in no operation
}

// operation is one method of one path.
type operation struct {
	method     string
	path       string // "/customers/{accountId}"
	parameters []string
	repeatable []string
	responses  map[int]response // by status
}

// response is what one status promises.
type response struct {
	headers map[string]header
	bodies  map[string]*jsonschema.Schema // by content type; nil: anything
	problem map[string][]string           // what a problem's title, status and code may be; empty: it is none
}

type header struct {
	required bool
	schema   *jsonschema.Schema
}

// Route is an operation as a table of routes has it.
type Route struct {
	Pattern    string   // as http.ServeMux has it: "GET /customers/{accountId}"
	Parameters []string // those of the query, in the contract's order
	Repeatable []string // those of them that are lists
	CSV        bool     // it also answers as text/csv
}

// Load reads the contract. An error means that openapi.yaml itself is wrong.
func Load() (*Spec, error) {
	r, err := read(partnerview.OpenAPI())
	if err != nil {
		return nil, err
	}
	return r.spec()
}

// Routes lists the operations of the contract; those with fewer path parameters
// come first.
func (s *Spec) Routes() []Route {
	routes := make([]Route, len(s.operations))
	for i, o := range s.operations {
		_, csv := o.responses[http.StatusOK].bodies[csvType]
		routes[i] = Route{o.method + " " + o.path, o.parameters, o.repeatable, csv}
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

// fits reports whether a segment of a path fits one of a template.
func fits(template, segment string) bool {
	return template == segment || strings.HasPrefix(template, "{") && segment != ""
}

// reader makes a Spec of a document. It keeps what is wrong in it.
type reader struct {
	doc      *openapi3.T
	compiler *jsonschema.Compiler
	pointers map[*openapi3.Schema]string // to where a schema stands in the document
	faults   []error
}

// resource is the name under which the compiler knows the document.
const resource = "file:///openapi.yaml"

func read(text string) (*reader, error) {
	doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	r := &reader{doc: doc, compiler: jsonschema.NewCompiler(), pointers: make(map[*openapi3.Schema]string)}
	r.compiler.DefaultDraft(jsonschema.Draft2020)
	r.compiler.AssertFormat()
	err = doc.WalkSchemas(func(pointer string, s *openapi3.SchemaRef) error {
		r.pointers[s.Value] = pointer
		if s.Value.Type.Is("object") && s.Value.Properties != nil {
			s.Value.AdditionalProperties.Has = new(bool) // false: it is closed
		}
		return nil
	})
	closed, errs := json.Marshal(doc)
	plain, errp := jsonschema.UnmarshalJSON(bytes.NewReader(closed))
	if err := errors.Join(err, errs, errp, r.compiler.AddResource(resource, plain)); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return r, nil
}

func (r *reader) spec() (*Spec, error) {
	noRoute := r.doc.Components.Responses["RouteNotFound"]
	if noRoute == nil {
		return nil, errors.New("openapi.yaml: there is no response RouteNotFound")
	}
	prefix, err := r.doc.Servers.BasePath()
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	s := &Spec{prefix: prefix, noRoute: r.response(noRoute.Value)}
	for path, item := range r.doc.Paths.Map() {
		for method, o := range item.Operations() {
			s.operations = append(s.operations, r.operation(method, path, o))
		}
	}
	slices.SortFunc(s.operations, func(a, b operation) int {
		return cmp.Or(strings.Count(a.path, "{")-strings.Count(b.path, "{"),
			strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	if r.faults != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", errors.Join(r.faults...))
	}
	return s, nil
}

func (r *reader) operation(method, path string, of *openapi3.Operation) operation {
	o := operation{method: method, path: path, responses: make(map[int]response)}
	for _, p := range of.Parameters {
		if p.Value.In == openapi3.ParameterInQuery {
			o.parameters = append(o.parameters, p.Value.Name)
			if p.Value.Schema.Value.Type.Is(openapi3.TypeArray) {
				o.repeatable = append(o.repeatable, p.Value.Name)
			}
		}
	}
	for status, one := range of.Responses.Map() {
		code, err := strconv.Atoi(status)
		if err != nil {
			r.faults = append(r.faults, fmt.Errorf("%s %s: %s is no single status", method, path, status))
		}
		o.responses[code] = r.response(one.Value)
	}
	return o
}

func (r *reader) response(of *openapi3.Response) response {
	one := response{make(map[string]header), make(map[string]*jsonschema.Schema), make(map[string][]string)}
	for name, h := range of.Headers {
		one.headers[name] = header{h.Value.Required, r.compile(h.Value.Schema)}
	}
	for contentType, body := range of.Content {
		one.bodies[contentType] = r.compile(body.Schema)
	}
	// All problems share a schema, since generators make a type of each. Which of them an answer may be,
	// its examples say.
	if problems := of.Content["application/problem+json"]; problems != nil {
		for _, e := range problems.Examples {
			fields, _ := e.Value.Value.(map[string]any)
			for _, field := range []string{"title", "status", "code"} {
				one.problem[field] = append(one.problem[field], fmt.Sprint(fields[field]))
			}
		}
	}
	return one
}

// compile is the schema of a header, a parameter or a body; nil where it has none.
func (r *reader) compile(s *openapi3.SchemaRef) *jsonschema.Schema {
	if s == nil {
		return nil
	}
	pointer := r.pointers[s.Value]
	if s.Ref != "" {
		pointer = strings.TrimPrefix(s.Ref, "#")
	}
	compiled, err := r.compiler.Compile(resource + "#" + pointer)
	if err != nil {
		r.faults = append(r.faults, fmt.Errorf("#%s: %w", pointer, err))
	}
	return compiled
}
