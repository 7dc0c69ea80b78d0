package template

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parseDocument reads YAML into maps, lists and texts. Every scalar is a text,
// as CloudFormation takes "10" for 10 and "true" for true; the short form of an
// intrinsic function becomes its long form, !Sub x → {"Fn::Sub": x}. Anchors and
// aliases are refused, since CloudFormation refuses them.
func parseDocument(source []byte) (map[string]any, error) { return parse(source, asText) }

// parseTyped reads YAML likewise, but with numbers, booleans and texts as YAML has them:
// what is no business of CloudFormation's, as a state machine's definition, is told apart
// by it.
func parseTyped(source []byte) (map[string]any, error) { return parse(source, asTyped) }

// scalar is what becomes of a scalar.
type scalar func(*yaml.Node) (any, error)

func asText(n *yaml.Node) (any, error) {
	if n.Tag == "!!null" {
		return nil, nil
	}
	return n.Value, nil
}

func asTyped(n *yaml.Node) (v any, err error) {
	switch n.Tag {
	case "!!int", "!!float", "!!bool", "!!null":
		return v, n.Decode(&v)
	}
	return n.Value, nil
}

func parse(source []byte, of scalar) (map[string]any, error) {
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.Join(errors.New("want one YAML document, found more"), err)
	}
	v, err := of.plain(document.Content[0])
	if err != nil {
		return nil, err
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("want a mapping at the top")
	}
	return doc, nil
}

// plain is a node and all below it; a tag of its own makes it an intrinsic function.
func (of scalar) plain(n *yaml.Node) (any, error) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return nil, fmt.Errorf("line %d: an anchor or an alias is not read", n.Line)
	}
	v, err := of.untagged(n)
	if err == nil && n.Style&yaml.TaggedStyle != 0 {
		v = intrinsic(strings.TrimPrefix(n.Tag, "!"), v)
	}
	return v, err
}

func (of scalar) untagged(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Kind != yaml.ScalarNode || key.Style&yaml.TaggedStyle != 0 {
				return nil, fmt.Errorf("line %d: a key must be a text", key.Line)
			}
			if _, twice := m[key.Value]; twice {
				return nil, fmt.Errorf("line %d: the key %s is there already", key.Line, key.Value)
			}
			v, err := of.plain(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[key.Value] = v
		}
		return m, nil
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, e := range n.Content {
			v, err := of.plain(e)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	return of(n)
}

// intrinsic is the long form of a short one. !GetAtt a.b is the only one whose
// argument changes its shape.
func intrinsic(tag string, argument any) any {
	switch tag {
	case "Ref", "Condition":
		return map[string]any{tag: argument}
	case "GetAtt":
		if s, ok := argument.(string); ok {
			id, attribute, _ := strings.Cut(s, ".")
			argument = []any{id, attribute}
		}
	}
	return map[string]any{"Fn::" + tag: argument}
}

// resolver fills in the intrinsic functions of a document.
type resolver struct {
	resources  map[string]map[string]any
	globals    map[string]any
	conditions map[string]any
	outputs    map[string]any
	values     map[string]string // parameters and named resources
	parameters map[string]string
	typed      map[string]any // the resources, with numbers and booleans
}

func newResolver(doc map[string]any, values map[string]string) (*resolver, error) {
	r := &resolver{
		resources:  make(map[string]map[string]any),
		globals:    section(doc, "Globals"),
		conditions: section(doc, "Conditions"),
		outputs:    section(doc, "Outputs"),
		values:     make(map[string]string),
		parameters: make(map[string]string),
	}
	for id, v := range section(doc, "Resources") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: want a mapping", id)
		}
		r.resources[id] = m
		r.values[id] = id
	}
	for name, v := range section(doc, "Parameters") {
		m, _ := v.(map[string]any)
		value, given := values[name]
		if !given {
			value, given = m["Default"].(string)
		}
		if !given {
			return nil, fmt.Errorf("parameter %s: it has no default, and no value was given", name)
		}
		r.values[name], r.parameters[name] = value, value
	}
	for name, value := range values {
		if _, known := r.values[name]; !known {
			return nil, fmt.Errorf("%s: there is no such parameter or resource", name)
		}
		r.values[name] = value
	}
	return r, nil
}

func section(doc map[string]any, name string) map[string]any {
	m, _ := doc[name].(map[string]any)
	return m
}

// resolve returns v with every intrinsic function in it filled in.
func (r *resolver) resolve(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		list := make([]any, 0, len(v))
		for _, e := range v {
			e, err := r.resolve(e)
			if err != nil {
				return nil, err
			}
			if e != noValue {
				list = append(list, e)
			}
		}
		return list, nil
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					return r.call(name, argument)
				}
			}
		}
		m := make(map[string]any, len(v))
		for k, e := range v {
			e, err := r.resolve(e)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			if e != noValue {
				m[k] = e
			}
		}
		return m, nil
	}
	return v, nil
}

// noValue is what AWS::NoValue yields: the property or element is left out.
var noValue any = &struct{ _ byte }{}

func (r *resolver) call(name string, argument any) (any, error) {
	text, isText := argument.(string)
	list, _ := argument.([]any)
	switch {
	case name == "Ref" && text == "AWS::NoValue":
		return noValue, nil
	case name == "Ref":
		return r.ref(text)
	case name == "Fn::Sub" && isText:
		return r.sub(text)
	case name == "Fn::GetAtt" && len(list) == 2:
		return r.attribute(fmt.Sprint(list[0]), fmt.Sprint(list[1]))
	case name == "Fn::If" && len(list) == 3:
		holds, err := r.holds(fmt.Sprint(list[0]))
		if err != nil {
			return nil, err
		}
		if holds {
			return r.resolve(list[1])
		}
		return r.resolve(list[2])
	case name == "Fn::Select" && len(list) == 2:
		index, err := strconv.Atoi(fmt.Sprint(list[0]))
		from, _ := list[1].([]any)
		if err != nil || index < 0 || index >= len(from) {
			return nil, fmt.Errorf("%s: want an index and a list that is long enough", name)
		}
		return r.resolve(from[index])
	}
	return nil, fmt.Errorf("%s is not understood of %v", name, argument)
}

// holds reports whether a named condition is true.
func (r *resolver) holds(name string) (bool, error) {
	holds, err := r.condition(r.conditions[name])
	if err != nil {
		return false, fmt.Errorf("condition %s: %w", name, err)
	}
	return holds, nil
}

// condition understands Fn::Equals of two values, Fn::Not, Fn::And and Fn::Or of
// conditions, and a condition by its name.
func (r *resolver) condition(v any) (bool, error) {
	m, _ := v.(map[string]any)
	if name, ok := m["Condition"].(string); ok && len(m) == 1 && r.conditions[name] != nil {
		return r.holds(name)
	}
	if of, ok := m["Fn::Not"].([]any); ok && len(m) == 1 && len(of) == 1 {
		holds, err := r.condition(of[0])
		return !holds, err
	}
	for name, decides := range map[string]bool{"Fn::And": false, "Fn::Or": true} {
		if of, ok := m[name].([]any); ok && len(m) == 1 && len(of) > 1 {
			for _, one := range of {
				if holds, err := r.condition(one); holds == decides || err != nil {
					return holds, err
				}
			}
			return !decides, nil
		}
	}
	sides, _ := m["Fn::Equals"].([]any)
	if len(m) != 1 || len(sides) != 2 {
		return false, errors.New("only Fn::Equals of two values, Fn::Not, Fn::And, Fn::Or and named conditions " +
			"are understood")
	}
	left, err := r.resolve(sides[0])
	if err != nil {
		return false, err
	}
	right, err := r.resolve(sides[1])
	if err != nil {
		return false, err
	}
	return left == right, nil
}

// exists reports whether a resource or an output does, by its condition.
func (r *resolver) exists(of any) (bool, error) {
	m, _ := of.(map[string]any)
	if name, ok := m["Condition"].(string); ok {
		return r.holds(name)
	}
	return true, nil
}

// ids are the logical ids of the resources that exist under the template's
// conditions, in order.
func (r *resolver) ids() ([]string, error) {
	var ids []string
	for id, resource := range r.resources {
		exists, err := r.exists(resource)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		if exists {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Where nothing is deployed, references to the account and its region yield
// these. 123456789012 is the account number of AWS's own examples.
var pseudoParameters = map[string]string{
	"AWS::AccountId": "123456789012",
	"AWS::Partition": "aws",
	"AWS::Region":    "us-east-1",
	"AWS::StackName": "partnerview",
	"AWS::URLSuffix": "amazonaws.com",
}

func (r *resolver) ref(id string) (string, error) {
	if v, ok := pseudoParameters[id]; ok {
		return v, nil
	}
	if v, ok := r.values[id]; ok {
		return v, nil
	}
	if api, ok := strings.CutSuffix(id, ".Stage"); ok && r.resources[api]["Type"] == typeAPI { // SAM's own resource
		properties, _ := r.resources[api]["Properties"].(map[string]any)
		stage, ok := properties["StageName"].(string)
		if ok {
			return stage, nil
		}
	}
	return "", fmt.Errorf("reference to %q: there is no such parameter or resource", id)
}

var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

// sub fills in ${Name} and ${Name.Attribute}; ${!x} stands for the text ${x}.
func (r *resolver) sub(text string) (string, error) {
	var faults []error
	filled := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := p[2 : len(p)-1]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		var v string
		var err error
		if id, attribute, ok := strings.Cut(name, "."); ok {
			v, err = r.attribute(id, attribute)
		} else {
			v, err = r.ref(name)
		}
		if err != nil {
			faults = append(faults, err)
		}
		return v
	})
	return filled, errors.Join(faults...)
}

// attribute is what !GetAtt yields. Only ARNs are ever asked for.
func (r *resolver) attribute(id, attribute string) (string, error) {
	resource, ok := r.resources[id]
	if !ok {
		return "", fmt.Errorf("%s.%s: there is no such resource", id, attribute)
	}
	if attribute != "Arn" {
		return "", fmt.Errorf("%s.%s: only Arn is understood", id, attribute)
	}
	name := r.values[id]
	switch resource["Type"] {
	case typeTable:
		return tableARN(name), nil
	case typeFunction:
		return arn("lambda", "function:"+name), nil
	case typeLogGroup:
		return arn("logs", "log-group:"+name+":*"), nil
	case typeBucket:
		return bucketARN(name), nil
	case typeQueue:
		return arn("sqs", name), nil
	case typeStateMachine:
		return arn("states", "stateMachine:"+name), nil
	case typeRole:
		return fmt.Sprintf("arn:%s:iam::%s:role/%s", pseudoParameters["AWS::Partition"],
			pseudoParameters["AWS::AccountId"], name), nil
	}
	return "", fmt.Errorf("%s.Arn: the ARN of a %v is not understood", id, resource["Type"])
}

func arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", pseudoParameters["AWS::Partition"], service,
		pseudoParameters["AWS::Region"], pseudoParameters["AWS::AccountId"], resource)
}

func bucketARN(name string) string {
	return "arn:" + pseudoParameters["AWS::Partition"] + ":s3:::" + name
}
func tableARN(name string) string        { return arn("dynamodb", "table/"+name) }
func indexARN(table, name string) string { return tableARN(table) + "/index/" + name }
