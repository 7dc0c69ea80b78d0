package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// transformer makes a target's input of an event.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
type transformer struct {
	paths    map[string][]string // variable → the fields that lead to its value
	template string
}

var (
	placeholder = regexp.MustCompile(`<([A-Za-z0-9_-]+)>`)
	fieldPath   = regexp.MustCompile(`^\$((?:\.[A-Za-z0-9_-]+)*)$`)
)

// readTransformer reads paths and a template of JSON, in which <name> stands for a value
// where a value may stand, or for a text within a text.
func readTransformer(paths map[string]string, template string) (*transformer, error) {
	t := &transformer{paths: make(map[string][]string, len(paths)), template: template}
	for _, name := range slices.Sorted(maps.Keys(paths)) {
		m := fieldPath.FindStringSubmatch(paths[name])
		if m == nil {
			return nil, fmt.Errorf("InputPathsMap: %s: the path %s is not read: only fields are", name, paths[name])
		}
		t.paths[name] = strings.FieldsFunc(m[1], func(r rune) bool { return r == '.' })
	}
	for _, m := range placeholder.FindAllStringSubmatch(template, -1) {
		if _, named := t.paths[m[1]]; !named {
			return nil, fmt.Errorf("InputTemplate: %s has no path", m[0])
		}
	}
	return t, nil
}

// input is what the target gets of an event.
func (t *transformer) input(event any) ([]byte, error) {
	var faults []error
	inText := false
	var made bytes.Buffer
	for rest := t.template; ; {
		at := placeholder.FindStringSubmatchIndex(rest)
		if at == nil {
			made.WriteString(rest)
			break
		}
		before := rest[:at[0]]
		inText = inText != (quotes(before)%2 == 1)
		made.WriteString(before)
		value, err := find(event, t.paths[rest[at[2]:at[3]]])
		if err != nil {
			faults = append(faults, fmt.Errorf("<%s>: %w", rest[at[2]:at[3]], err))
		}
		made.Write(written(value, inText))
		rest = rest[at[1]:]
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if !json.Valid(made.Bytes()) {
		return nil, errors.New("what the template makes of the event is no JSON")
	}
	return made.Bytes(), nil
}

// quotes counts those that begin or end a text.
func quotes(s string) int { return strings.Count(s, `"`) - strings.Count(s, `\"`) }

// written is a value as JSON; within a text, a text without its quotes.
func written(value any, inText bool) []byte {
	text, _ := json.Marshal(value) // it was read as JSON
	if _, isText := value.(string); isText && inText {
		return text[1 : len(text)-1]
	}
	return text
}

func find(v any, fields []string) (any, error) {
	for _, field := range fields {
		of, ok := v.(map[string]any)
		if ok {
			v, ok = of[field]
		}
		if !ok {
			return nil, fmt.Errorf("the event has no %s", field)
		}
	}
	return v, nil
}
