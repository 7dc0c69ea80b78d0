package template

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parseDocument reads YAML into maps, lists and texts. Every scalar is a text,
// as CloudFormation takes "10" for 10 and "true" for true; the short form of an
// intrinsic function becomes its long form, !Sub x → {"Fn::Sub": x}. Anchors and
// aliases are refused, since CloudFormation refuses them.
func parseDocument(source []byte) (map[string]any, error) {
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.Join(errors.New("want one YAML document, found more"), err)
	}
	v, err := plain(document.Content[0])
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
func plain(n *yaml.Node) (any, error) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return nil, fmt.Errorf("line %d: an anchor or an alias is not read", n.Line)
	}
	v, err := untagged(n)
	if err == nil && n.Style&yaml.TaggedStyle != 0 {
		v = intrinsic(strings.TrimPrefix(n.Tag, "!"), v)
	}
	return v, err
}

func untagged(n *yaml.Node) (any, error) {
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
			v, err := plain(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[key.Value] = v
		}
		return m, nil
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, e := range n.Content {
			v, err := plain(e)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	if n.Tag == "!!null" {
		return nil, nil
	}
	return n.Value, nil
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
