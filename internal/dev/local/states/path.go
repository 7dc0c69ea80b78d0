package states

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
)

// path is a reference path, "$.detail.parts[0]['a key']", or one into the context object,
// "$$.Execution.Name". Filters, slices, wildcards and intrinsic functions are not read.
type path struct {
	text    string
	context bool // of the context object
	steps   []step
}

// step leads to a field, or to an element.
type step struct {
	field string
	index int // -1: a field
}

var stepPattern = regexp.MustCompile(`^(?:\.([A-Za-z_][A-Za-z0-9_-]*)|\['([^'\\]+)'\]|\[([0-9]{1,9})\])`)

// parsePath reads a path, and refuses what is more than a reference path.
func parsePath(text string) (path, error) {
	p := path{text: text}
	rest, isPath := strings.CutPrefix(text, "$")
	if !isPath {
		return p, fmt.Errorf("%q is no path: it must begin with $", text)
	}
	rest, p.context = strings.CutPrefix(rest, "$")
	for rest != "" {
		m := stepPattern.FindStringSubmatch(rest)
		if m == nil {
			return p, fmt.Errorf("the path %q is not read from %q on: only fields and elements are", text, rest)
		}
		s := step{field: m[1] + m[2], index: -1}
		if m[3] != "" {
			s.index, _ = strconv.Atoi(m[3]) // nine digits
		}
		p.steps = append(p.steps, s)
		rest = rest[len(m[0]):]
	}
	return p, nil
}

// get is what the path leads to; false where it leads nowhere.
func (p path) get(in document) (any, bool) {
	v := in.data
	if p.context {
		v = in.context
	}
	for _, s := range p.steps {
		switch of := v.(type) {
		case map[string]any:
			next, ok := of[s.field]
			if !ok || s.index >= 0 {
				return nil, false
			}
			v = next
		case []any:
			if s.index < 0 || s.index >= len(of) {
				return nil, false
			}
			v = of[s.index]
		default:
			return nil, false
		}
	}
	return v, true
}

// set is data with a value at the path; data itself stays as it is. Fields on the way are
// made where they are not there; what stands on it and is no object is an error.
func (p path) set(data, value any) (any, error) { return set(data, p.steps, value, p.text) }

func set(data any, steps []step, value any, text string) (any, error) {
	if len(steps) == 0 {
		return value, nil
	}
	of, ok := data.(map[string]any)
	if !ok && data != nil {
		return nil, fmt.Errorf("the path %s leads into what is no object", text)
	}
	within, err := set(of[steps[0].field], steps[1:], value, text)
	if err != nil {
		return nil, err
	}
	changed := maps.Clone(of)
	if changed == nil {
		changed = make(map[string]any)
	}
	changed[steps[0].field] = within
	return changed, nil
}

// optionalPath is a field that may be absent, null, or a path.
type optionalPath struct {
	path
	given, null bool
}

func (o *optionalPath) UnmarshalJSON(text []byte) (err error) {
	o.given = true
	if string(text) == "null" {
		o.null = true
		return nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	o.path, err = parsePath(s)
	return err
}

// from is what the path selects: all where it is absent, an empty object where it is null.
func (o optionalPath) from(in document) (any, *Failure) {
	switch {
	case !o.given:
		return in.data, nil
	case o.null:
		return map[string]any{}, nil
	}
	v, ok := o.get(in)
	if !ok {
		return nil, runtimeFailure("the path %s leads nowhere", o.text)
	}
	return v, nil
}

// into is the input of a state with its result at the path: the result alone where the
// path is absent, the input alone where it is null.
func (o optionalPath) into(input, result any) (any, *Failure) {
	switch {
	case o.null:
		return input, nil
	case !o.given:
		return result, nil
	}
	v, err := o.set(input, result)
	if err != nil {
		return nil, &Failure{Name: "States.ResultPathMatchFailure", Cause: err.Error()}
	}
	return v, nil
}
