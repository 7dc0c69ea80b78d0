// Package reference writes openapi.yaml as a page that people read.
//
// It is run by its test, which holds ../web/reference.html against openapi.yaml
// and writes it anew with -update. So the function that serves the page needs no
// reader of YAML, and starts without one.
//
// It knows as much of OpenAPI as openapi.yaml uses; what it does not know it does
// not show. Texts are escaped by html/template.
package reference

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed page.html
var layout string

// Page is the page for an OpenAPI document in YAML. {{name}} marks where the
// dashboard puts the address of an asset.
func Page(openapi []byte) ([]byte, error) {
	var root yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(openapi, &root, yaml.UseOrderedMap()); err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	d := document{node{value: root, root: root}}
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
	Answers                                []answer
}

// field is a parameter or a property.
type field struct {
	Name, Place, Type, Link, Description, Example string
	Required                                      bool
}

type answer struct {
	Status, Description, Schema, Link string
	Examples                          []example
}

type example struct{ Summary, Text string }

type object struct {
	Name, Description string
	Type              string  // of what has no properties
	Fields            []field // in the order of the document
	Choices           []field // one of these
}

type document struct{ root node }

func (d document) contents() contents {
	info := d.root.at("info")
	c := contents{
		Title: info.text("title"), Version: info.text("version"), Summary: info.text("summary"), Description: info.text("description"),
	}
	for _, scheme := range d.root.at("components", "securitySchemes").entries() {
		c.Access = append(c.Access, scheme.value.text("description"))
	}
	for _, path := range d.root.at("paths").entries() {
		for _, method := range path.value.entries() {
			if method.name == "parameters" {
				continue
			}
			c.Operations = append(c.Operations, operationOf(path.name, method.name, path.value, method.value))
		}
	}
	for _, schema := range d.root.at("components", "schemas").entries() {
		c.Objects = append(c.Objects, objectOf(schema.name, schema.value))
	}
	return c
}

func operationOf(path, method string, shared, n node) operation {
	o := operation{
		ID: n.text("operationId"), Method: strings.ToUpper(method), Path: path,
		Summary: n.text("summary"), Description: n.text("description"),
		Open: n.has("security") && len(n.at("security").items()) == 0,
	}
	for _, p := range append(shared.at("parameters").items(), n.at("parameters").items()...) {
		schema := p.at("schema")
		f := field{Name: p.text("name"), Place: p.text("in"), Description: p.text("description"), Required: p.text("required") == "true", Example: p.exampleText()}
		f.Type, f.Link = typeOf(schema)
		if fallback := schema.text("default"); fallback != "" {
			f.Type += ", default " + fallback
		}
		if p.has("schema", "maxItems") {
			f.Type += ", may repeat"
		}
		o.Parameters = append(o.Parameters, f)
	}
	for _, response := range n.at("responses").entries() {
		a := answer{Status: response.name, Description: response.value.text("description")}
		for _, content := range response.value.at("content").entries() {
			if content.value.has("schema") {
				a.Schema, a.Link = typeOf(content.value.at("schema"))
			}
			for _, e := range content.value.at("examples").entries() {
				a.Examples = append(a.Examples, example{e.value.text("summary"), jsonText(e.value.at("value").value)})
			}
		}
		o.Answers = append(o.Answers, a)
	}
	return o
}

func objectOf(name string, n node) object {
	o := object{Name: name, Description: n.text("description")}
	required := n.at("required").items()
	for _, property := range n.at("properties").entries() {
		f := field{Name: property.name, Description: property.value.ownText("description"), Example: property.value.exampleText()}
		f.Type, f.Link = typeOf(property.value)
		f.Required = slices.ContainsFunc(required, func(r node) bool { return r.value == property.name })
		if f.Description == "" && f.Link == "" {
			f.Description = property.value.text("description")
		}
		o.Fields = append(o.Fields, f)
	}
	for _, choice := range n.at("oneOf").raw() {
		f := field{Description: choice.text("description")}
		f.Type, f.Link = typeOf(choice)
		o.Choices = append(o.Choices, f)
	}
	if len(o.Fields) == 0 && len(o.Choices) == 0 {
		o.Type, _ = typeOf(node{value: n.value, root: n.root, resolved: true})
		if e := n.exampleText(); e != "" {
			o.Type += ", as " + e
		}
	}
	return o
}

// typeOf is a schema's type in words, and the object that it refers to, if any.
func typeOf(n node) (words, link string) {
	if ref, ok := n.ref(); ok {
		name := ref[strings.LastIndex(ref, "/")+1:]
		return name, name
	}
	switch {
	case n.has("const"):
		return n.text("const"), ""
	case n.has("enum"):
		return strings.Join(texts(n.at("enum").items()), " | "), ""
	case n.has("allOf"):
		return typeOf(n.at("allOf").raw()[0])
	case n.has("anyOf"):
		var all []string
		for _, choice := range n.at("anyOf").raw() {
			w, _ := typeOf(choice)
			all = append(all, w)
		}
		return strings.Join(all, " or "), ""
	case n.has("items"):
		w, link := typeOf(n.at("items"))
		if n.at("items").text("type") != "" && link == "" {
			return "list of " + w + "s", ""
		}
		return "list of " + w, link
	}
	types := texts(n.at("type").items())
	if len(types) == 0 {
		types = []string{n.text("type")}
	}
	words = strings.Join(types, " or ")
	if format := n.text("format"); format != "" {
		words += " (" + format + ")"
	}
	switch low, high := n.text("minimum"), n.text("maximum"); {
	case low != "" && high != "":
		words += ", " + low + " to " + high
	case low != "":
		words += ", from " + low
	}
	return words, ""
}

func texts(nodes []node) []string {
	all := make([]string, len(nodes))
	for i, n := range nodes {
		all[i] = scalar(n.value)
	}
	return all
}

// jsonText is an example as the API would send it: in the order of the document.
func jsonText(v any) string {
	ordered, err := yaml.MarshalWithOptions(v, yaml.JSON())
	if err != nil {
		return fmt.Sprint(v)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(ordered), "", "  "); err != nil {
		return string(ordered)
	}
	return out.String()
}
