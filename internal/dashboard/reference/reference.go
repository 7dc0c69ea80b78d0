// Package reference writes openapi.yaml as a page that people read.
//
// It is run by its test, which holds ../web/reference.html against openapi.yaml
// and writes it anew with -update. So the function that serves the page needs no
// reader of YAML, and starts without one.
//
// It knows as much of OpenAPI as openapi.yaml uses; what it does not know it does
// not show. Texts are escaped by html/template. Everything stands in the order of
// the document, which kin-openapi's maps forget: it is taken from the lines that the
// loader keeps, and inside of an example from the YAML itself.
package reference

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

//go:embed page.html
var layout string

// Page is the page for an OpenAPI document in YAML. {{name}} marks where the
// dashboard puts the address of an asset.
func Page(openapi []byte) ([]byte, error) {
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true
	doc, err := loader.LoadFromData(openapi)
	d := document{T: doc}
	if err == nil {
		err = yaml.Unmarshal(openapi, &d.source)
	}
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	page, err := template.New("page.html").Delims("[[", "]]").Funcs(template.FuncMap{"prose": prose}).Parse(layout)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := page.Execute(&out, d.contents()); err != nil {
		return nil, fmt.Errorf("write the reference: %w", err)
	}
	return out.Bytes(), nil
}

// contents is what page.html shows.
type contents struct {
	Title, Version, Summary string
	Description             string
	Access                  []string // a text for each kind of credential
	Operations              []operation
	Objects                 []object
}

type operation struct {
	ID, Method, Path, Summary, Description string
	Open                                   bool // it needs no access key
	Parameters                             []field
	Responses                              []response
}

// field is a parameter or a property.
type field struct {
	Name, Place, Type, Link, Description, Example string
	Required                                      bool
}

type response struct {
	Status, Description string
	Bodies              []body // one of these
	Examples            []example
}

// body is a type in which an answer comes.
type body struct{ MediaType, Schema, Link string }

type example struct{ Summary, Text string }

type object struct {
	Name, Description string
	Type              string  // of what has no properties
	Fields            []field // in the order of the document
	Choices           []field // one of these
}

// document is openapi.yaml, and its examples as they are written.
type document struct {
	*openapi3.T
	source struct {
		Components struct {
			Examples map[string]struct{ Value yaml.Node }
		}
	}
}

// inOrder are the entries of one of the document's objects, as they stand in it.
func inOrder[V any](of map[string]V, origin func(V) *openapi3.Origin) iter.Seq2[string, V] {
	line := func(name string) int { return origin(of[name]).Key.Line }
	return func(yield func(string, V) bool) {
		for _, name := range slices.SortedFunc(maps.Keys(of), func(a, b string) int { return line(a) - line(b) }) {
			if !yield(name, of[name]) {
				return
			}
		}
	}
}

func ofSchema(s *openapi3.SchemaRef) *openapi3.Origin { return s.Origin }

func ofExample(e *openapi3.ExampleRef) *openapi3.Origin { return e.Origin }

func (d document) contents() contents {
	c := contents{
		Title: d.Info.Title, Version: d.Info.Version, Summary: d.Info.Summary, Description: d.Info.Description,
	}
	if d.Components != nil {
		schemes := d.Components.SecuritySchemes
		for _, s := range inOrder(schemes, func(s *openapi3.SecuritySchemeRef) *openapi3.Origin { return s.Origin }) {
			c.Access = append(c.Access, s.Value.Description)
		}
		for name, s := range inOrder(d.Components.Schemas, ofSchema) {
			c.Objects = append(c.Objects, d.object(name, s.Value))
		}
	}
	for path, item := range inOrder(d.Paths.Map(), func(p *openapi3.PathItem) *openapi3.Origin { return p.Origin }) {
		methods := item.Operations()
		for method, o := range inOrder(methods, func(o *openapi3.Operation) *openapi3.Origin { return o.Origin }) {
			c.Operations = append(c.Operations, d.operation(method, path, item.Parameters, o))
		}
	}
	return c
}

func (d document) operation(method, path string, shared openapi3.Parameters, of *openapi3.Operation) operation {
	o := operation{
		ID: of.OperationID, Method: method, Path: path, Summary: of.Summary, Description: of.Description,
		Open: of.Security != nil && len(*of.Security) == 0,
	}
	for _, p := range slices.Concat(shared, of.Parameters) {
		o.Parameters = append(o.Parameters, parameter(p.Value))
	}
	for status, r := range inOrder(of.Responses.Map(),
		func(r *openapi3.ResponseRef) *openapi3.Origin { return r.Origin }) {
		one := response{Status: status, Description: *r.Value.Description}
		for mediaType, content := range inOrder(r.Value.Content,
			func(m *openapi3.MediaType) *openapi3.Origin { return m.Origin }) {
			b := body{MediaType: mediaType}
			if b.Schema, b.Link = typeOf(content.Schema); b.Schema != "" {
				one.Bodies = append(one.Bodies, b)
			}
			for _, e := range inOrder(content.Examples, ofExample) {
				text, isText := e.Value.Value.(string)
				if !isText {
					source := d.source.Components.Examples[nameOf(e.Ref)].Value
					text = jsonText(&source)
				}
				one.Examples = append(one.Examples, example{e.Value.Summary, text})
			}
		}
		o.Responses = append(o.Responses, one)
	}
	return o
}

func parameter(p *openapi3.Parameter) field {
	f := field{Name: p.Name, Place: p.In, Description: p.Description, Required: p.Required}
	f.Type, f.Link = typeOf(p.Schema)
	if fallback := p.Schema.Value.Default; fallback != nil {
		f.Type += ", default " + fmt.Sprint(fallback)
	}
	if p.Schema.Value.MaxItems != nil {
		f.Type += ", may repeat"
	}
	switch e := p.Example.(type) {
	case nil:
		for _, first := range inOrder(p.Examples, ofExample) {
			f.Example = fmt.Sprint(first.Value.Value)
			break
		}
	case []any:
		f.Example = texts(e, ", ")
	default:
		f.Example = fmt.Sprint(e)
	}
	return f
}

func (d document) object(name string, s *openapi3.Schema) object {
	o := object{Name: name, Description: s.Description}
	for property, ref := range inOrder(s.Properties, ofSchema) {
		f := field{
			Name: property, Description: ref.Value.Description, Required: slices.Contains(s.Required, property),
		}
		f.Type, f.Link = typeOf(ref)
		if ref.Ref != "" && f.Description == d.Components.Schemas[f.Link].Value.Description {
			f.Description = "" // it stands where the link leads
		}
		o.Fields = append(o.Fields, f)
	}
	for _, choice := range s.OneOf {
		f := field{Description: choice.Value.Description}
		f.Type, f.Link = typeOf(choice)
		o.Choices = append(o.Choices, f)
	}
	if len(o.Fields) == 0 && len(o.Choices) == 0 {
		o.Type, _ = typeOf(&openapi3.SchemaRef{Value: s})
		if len(s.Examples) > 0 {
			o.Type += ", as " + fmt.Sprint(s.Examples[0])
		}
	}
	return o
}

// nameOf is the component that a reference leads to: Customer of
// "#/components/schemas/Customer".
func nameOf(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// typeOf is a schema's type in words, and the object that it refers to, if any.
func typeOf(ref *openapi3.SchemaRef) (words, link string) {
	switch {
	case ref == nil:
		return "", ""
	case ref.Ref != "":
		return nameOf(ref.Ref), nameOf(ref.Ref)
	}
	s := ref.Value
	switch {
	case s.Const != nil:
		return fmt.Sprint(s.Const), ""
	case s.Enum != nil:
		return texts(s.Enum, " | "), ""
	case s.Items != nil:
		w, link := typeOf(s.Items)
		if link == "" {
			w += "s"
		}
		return "list of " + w, link
	}
	words = strings.Join(s.Type.Slice(), " or ")
	if s.Format != "" {
		words += " (" + s.Format + ")"
	}
	number := func(f *float64) string { return strconv.FormatFloat(*f, 'f', -1, 64) }
	switch {
	case s.Min != nil && s.Max != nil:
		words += ", " + number(s.Min) + " to " + number(s.Max)
	case s.Min != nil:
		words += ", from " + number(s.Min)
	}
	return words, ""
}

func texts(values []any, separator string) string {
	all := make([]string, len(values))
	for i, v := range values {
		if all[i] = fmt.Sprint(v); v == nil {
			all[i] = "null"
		}
	}
	return strings.Join(all, separator)
}

// jsonText is an example as the API would send it: in the order of the document.
func jsonText(n *yaml.Node) string {
	var compact, out bytes.Buffer
	writeJSON(&compact, n)
	if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
		return compact.String()
	}
	return out.String()
}

func writeJSON(out *bytes.Buffer, n *yaml.Node) {
	switch {
	case n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode:
		brackets := map[yaml.Kind]string{yaml.MappingNode: "{}", yaml.SequenceNode: "[]"}[n.Kind]
		out.WriteByte(brackets[0])
		for i, child := range n.Content {
			switch {
			case i > 0 && n.Kind == yaml.MappingNode && i%2 == 1:
				out.WriteByte(':')
			case i > 0:
				out.WriteByte(',')
			}
			writeJSON(out, child)
		}
		out.WriteByte(brackets[1])
	case n.Tag == "!!null" || n.Tag == "!!bool" || n.Tag == "!!int" || n.Tag == "!!float":
		out.WriteString(n.Value)
	default:
		text, _ := json.Marshal(n.Value) // a text always can be
		out.Write(text)
	}
}
