package template

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// resolver fills in the intrinsic functions of a document.
type resolver struct {
	resources  map[string]map[string]any
	globals    map[string]any
	conditions map[string]any
	outputs    map[string]any
	values     map[string]string // parameters and named resources
	parameters map[string]string
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
	switch name {
	case "Ref":
		id, _ := argument.(string)
		if id == "AWS::NoValue" {
			return noValue, nil
		}
		return r.ref(id)
	case "Fn::GetAtt":
		list, _ := argument.([]any)
		if len(list) != 2 {
			return nil, fmt.Errorf("%s: want a resource and an attribute, not %v", name, argument)
		}
		return r.attribute(fmt.Sprint(list[0]), fmt.Sprint(list[1]))
	case "Fn::Sub":
		text, ok := argument.(string)
		if !ok {
			return nil, fmt.Errorf("%s: only a text is understood", name)
		}
		return r.sub(text)
	case "Fn::If":
		list, _ := argument.([]any)
		if len(list) != 3 {
			return nil, fmt.Errorf("%s: want a condition and two values", name)
		}
		holds, err := r.holds(fmt.Sprint(list[0]))
		if err != nil {
			return nil, err
		}
		if holds {
			return r.resolve(list[1])
		}
		return r.resolve(list[2])
	case "Fn::Select":
		list, _ := argument.([]any)
		if len(list) != 2 {
			return nil, fmt.Errorf("%s: want an index and a list", name)
		}
		index, err := strconv.Atoi(fmt.Sprint(list[0]))
		from, ok := list[1].([]any)
		if err != nil || !ok || index < 0 || index >= len(from) {
			return nil, fmt.Errorf("%s: want an index and a list that is long enough", name)
		}
		return r.resolve(from[index])
	}
	return nil, fmt.Errorf("%s is not understood", name)
}

// holds tells whether a named condition is true.
func (r *resolver) holds(name string) (bool, error) {
	holds, err := r.condition(r.conditions[name])
	if err != nil {
		return false, fmt.Errorf("condition %s: %w", name, err)
	}
	return holds, nil
}

// condition understands Fn::Equals of two values, Fn::Not and Fn::Or of conditions,
// and a condition by its name.
func (r *resolver) condition(v any) (bool, error) {
	m, _ := v.(map[string]any)
	if name, ok := m["Condition"].(string); ok && len(m) == 1 && r.conditions[name] != nil {
		return r.holds(name)
	}
	if of, ok := m["Fn::Not"].([]any); ok && len(m) == 1 && len(of) == 1 {
		holds, err := r.condition(of[0])
		return !holds, err
	}
	if of, ok := m["Fn::Or"].([]any); ok && len(m) == 1 && len(of) > 1 {
		for _, one := range of {
			if holds, err := r.condition(one); holds || err != nil {
				return holds, err
			}
		}
		return false, nil
	}
	sides, _ := m["Fn::Equals"].([]any)
	if len(m) != 1 || len(sides) != 2 {
		return false, errors.New("only Fn::Equals of two values, Fn::Not, Fn::Or and named conditions are understood")
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

// exists tells whether a resource or an output does, by its condition.
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
