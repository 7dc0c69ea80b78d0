package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// pattern is what a rule asks of an event: of each field a list of what it may be, or more
// fields. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
type pattern struct {
	fields map[string]pattern
	one    []matcher // of which one must match; nil: fields
}

// matcher reports whether a field is what is asked for. Of a field that is a list, one of
// its elements must be.
type matcher func(value any, present bool) bool

// matchers are the comparisons that are read, by their names, with what each makes of its
// argument.
var matchers = map[string]func(argument any) (matcher, error){
	"prefix": ofText(strings.HasPrefix), "suffix": ofText(strings.HasSuffix),
	"equals-ignore-case": ofText(strings.EqualFold),
	"exists": func(argument any) (matcher, error) {
		wanted, ok := argument.(bool)
		if !ok {
			return nil, errors.New("want true or false")
		}
		return func(_ any, present bool) bool { return present == wanted }, nil
	},
}

func ofText(compare func(value, argument string) bool) func(any) (matcher, error) {
	return func(argument any) (matcher, error) {
		wanted, ok := argument.(string)
		if !ok {
			return nil, errors.New("want a text")
		}
		return func(value any, _ bool) bool {
			text, is := value.(string)
			return is && compare(text, wanted)
		}, nil
	}
}

// readPattern reads a pattern. What it does not know is an error that names the field.
func readPattern(v any) (pattern, error) {
	fields, ok := v.(map[string]any)
	if !ok || len(fields) == 0 {
		return pattern{}, errors.New("want fields, or a list of what one may be")
	}
	p := pattern{fields: make(map[string]pattern, len(fields))}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if strings.HasPrefix(name, "$") {
			return p, fmt.Errorf("%s is not read", name)
		}
		var err error
		if list, isList := fields[name].([]any); isList {
			p.fields[name], err = readMatchers(list)
		} else {
			p.fields[name], err = readPattern(fields[name])
		}
		if err != nil {
			return p, fmt.Errorf("%s: %w", name, err)
		}
	}
	return p, nil
}

func readMatchers(list []any) (p pattern, err error) {
	if len(list) == 0 {
		return p, errors.New("the list is empty, and nothing matches it")
	}
	for _, v := range list {
		m, err := readMatcher(v)
		if err != nil {
			return p, err
		}
		p.one = append(p.one, m)
	}
	return p, nil
}

func readMatcher(v any) (matcher, error) {
	switch v := v.(type) {
	case []any:
		return nil, errors.New("a list within a list is not read")
	case map[string]any:
		for name, argument := range v {
			known, ok := matchers[name]
			if !ok || len(v) != 1 {
				return nil, fmt.Errorf("the comparison %s is not read", name)
			}
			m, err := known(argument)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			return m, nil
		}
		return nil, errors.New("a comparison is empty")
	}
	return func(value any, present bool) bool { return present && value == v }, nil
}

// matches reports whether an event, or a part of one, is what is asked for.
func (p pattern) matches(value any, present bool) bool {
	if p.one == nil {
		of, _ := value.(map[string]any)
		for name, field := range p.fields {
			value, present := of[name]
			if !field.matches(value, present) {
				return false
			}
		}
		return true
	}
	values, isList := value.([]any)
	if !isList {
		values = []any{value}
	}
	return slices.ContainsFunc(values, func(value any) bool {
		return slices.ContainsFunc(p.one, func(is matcher) bool { return is(value, present) })
	})
}

// decode reads one JSON value, numbers as they are written.
func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return v, d.Decode(&v)
}
