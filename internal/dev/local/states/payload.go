package states

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// document is what paths are read in: the data of a state, and the context object.
type document struct{ data, context any }

// payload is a payload template: JSON in which a field "name.$" has a path for its value.
// Nil: there is none.
type payload struct{ value any }

func (p *payload) UnmarshalJSON(text []byte) (err error) {
	v, err := decode(text)
	if err != nil {
		return err
	}
	p.value, err = prepare(v)
	return err
}

// prepare parses the paths of a template.
func prepare(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		prepared := make(map[string]any, len(v))
		for name, of := range v {
			text, isText := of.(string)
			plain, dynamic := strings.CutSuffix(name, ".$")
			var err error
			switch {
			case !dynamic:
				prepared[name], err = prepare(of)
			case !isText || strings.HasPrefix(text, "States."):
				err = fmt.Errorf("%s: only a path is read, no intrinsic function", name)
			default:
				prepared[plain], err = parsePath(text)
			}
			if err != nil {
				return nil, err
			}
		}
		if len(prepared) < len(v) {
			return nil, fmt.Errorf("a field stands there with and without .$")
		}
		return prepared, nil
	case []any:
		prepared := make([]any, len(v))
		for i, of := range v {
			var err error
			if prepared[i], err = prepare(of); err != nil {
				return nil, err
			}
		}
		return prepared, nil
	}
	return v, nil
}

// from fills the template in.
func (p *payload) from(in document) (any, *Failure) {
	if p == nil {
		return in.data, nil
	}
	return fill(p.value, in)
}

func fill(v any, in document) (any, *Failure) {
	switch v := v.(type) {
	case path:
		found, ok := v.get(in)
		if !ok {
			return nil, runtimeFailure("the path %s leads nowhere", v.text)
		}
		return found, nil
	case map[string]any:
		filled := make(map[string]any, len(v))
		for name, of := range v {
			var failed *Failure
			if filled[name], failed = fill(of, in); failed != nil {
				return nil, failed
			}
		}
		return filled, nil
	case []any:
		filled := make([]any, len(v))
		for i, of := range v {
			var failed *Failure
			if filled[i], failed = fill(of, in); failed != nil {
				return nil, failed
			}
		}
		return filled, nil
	}
	return v, nil
}

// decode reads one JSON value, numbers as they are written.
func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("want one JSON value, found more")
	}
	return v, nil
}
