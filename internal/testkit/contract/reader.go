package contract

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// resource is the name under which the compiler knows the document.
const resource = "file:///openapi.yaml"

// parse reads YAML into what encoding/json makes of objects, arrays and texts,
// with numbers that keep their text.
func parse(text string) (any, error) {
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
}

// closeObjects refuses, in every schema of an object, the properties that it
// does not list.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, lists := v["properties"].(map[string]any); lists && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, child := range v {
			closeObjects(child)
		}
	case []any:
		for _, child := range v {
			closeObjects(child)
		}
	}
}

// reader walks the document. It keeps the first thing that is wrong in it, and
// from then on finds nothing.
type reader struct {
	doc      any
	compiler *jsonschema.Compiler
	err      error
}

func newReader(text string) (*reader, error) {
	doc, err := parse(text)
	if err != nil {
		return nil, err
	}
	closeObjects(doc)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(resource, doc); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return &reader{doc: doc, compiler: compiler}, nil
}

// node is a place in the document.
type node struct {
	pointer string // RFC 6901: "/paths/~1customers/get"
	value   any
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// at is the place that a pointer names.
func (r *reader) at(pointer string) node {
	n := node{"", r.doc}
	for _, escaped := range strings.Split(pointer, "/")[1:] {
		n = r.child(n, strings.NewReplacer("~1", "/", "~0", "~").Replace(escaped))
		if n.value == nil {
			r.fail("there is nothing at #%s", pointer)
			return node{}
		}
	}
	return n
}

// child is the place of a key, or of an index, below n, where a reference leads
// to; its value is nil where there is none.
func (r *reader) child(n node, key string) node {
	c := node{pointer: n.pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)}
	switch v := n.value.(type) {
	case map[string]any:
		c.value = v[key]
	case []any:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(v) {
			c.value = v[i]
		}
	}
	if object, _ := c.value.(map[string]any); object != nil {
		if ref, ok := object["$ref"].(string); ok && len(object) == 1 {
			local, isLocal := strings.CutPrefix(ref, "#")
			if !isLocal {
				r.fail("%s: %s is outside of this document", c.pointer, ref)
				return node{}
			}
			return r.at(local)
		}
	}
	return c
}

// keys lists what is below n, in the order of the names.
func (n node) keys() []string {
	object, _ := n.value.(map[string]any)
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (n node) text() string {
	s, _ := n.value.(string)
	return s
}

func (n node) list() []any {
	l, _ := n.value.([]any)
	return l
}

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (r *reader) spec() *Spec {
	server, err := url.Parse(r.at("/servers/0/url").text())
	if err != nil {
		r.fail("/servers/0/url: %w", err)
		return nil
	}
	s := &Spec{prefix: server.Path, noRoute: r.answer(r.at("/components/responses/RouteNotFound"))}
	paths := r.at("/paths")
	for _, path := range paths.keys() {
		item := r.child(paths, path)
		for _, method := range methods {
			if o := r.child(item, method); o.value != nil {
				s.operations = append(s.operations, r.operation(strings.ToUpper(method), path, o))
			}
		}
	}
	slices.SortStableFunc(s.operations, func(a, b operation) int { return strings.Count(a.path, "{") - strings.Count(b.path, "{") })
	return s
}

func (r *reader) operation(method, path string, n node) operation {
	o := operation{method: method, path: path, answers: map[int]answer{}}
	parameters := r.child(n, "parameters")
	for i := range parameters.list() {
		if p := r.child(parameters, strconv.Itoa(i)); r.child(p, "in").text() == "query" {
			o.parameters = append(o.parameters, r.child(p, "name").text())
		}
	}
	responses := r.child(n, "responses")
	for _, status := range responses.keys() {
		code, err := strconv.Atoi(status)
		if err != nil {
			r.fail("%s: %s is no single status", responses.pointer, status)
		}
		o.answers[code] = r.answer(r.child(responses, status))
	}
	return o
}

func (r *reader) answer(n node) answer {
	a := answer{map[string]header{}, map[string]*jsonschema.Schema{}, map[string][]any{}}
	headers := r.child(n, "headers")
	for _, name := range headers.keys() {
		h := r.child(headers, name)
		required, _ := r.child(h, "required").value.(bool)
		a.headers[name] = header{required, r.schema(h)}
	}
	content := r.child(n, "content")
	for _, contentType := range content.keys() {
		a.bodies[contentType] = r.schema(r.child(content, contentType))
	}
	// All problems share a schema, since generators make a type of each. Which of them an answer may be, its examples say.
	examples := r.child(r.child(content, "application/problem+json"), "examples")
	for _, name := range examples.keys() {
		value := r.child(r.child(examples, name), "value")
		for _, field := range []string{"title", "status", "code"} {
			a.problem[field] = append(a.problem[field], r.child(value, field).value)
		}
	}
	return a
}

// schema compiles the schema of a header, a parameter or a body; nil where it
// has none.
func (r *reader) schema(n node) *jsonschema.Schema {
	s := r.child(n, "schema")
	if s.value == nil {
		return nil
	}
	return r.compile(s.pointer)
}

func (r *reader) compile(pointer string) *jsonschema.Schema {
	compiled, err := r.compiler.Compile(resource + "#" + pointer)
	if err != nil {
		r.fail("#%s: %w", pointer, err)
	}
	return compiled
}
