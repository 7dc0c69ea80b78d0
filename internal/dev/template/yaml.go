package template

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// parseDocument reads YAML into maps, lists and texts. Every scalar is a text,
// as CloudFormation takes "10" for 10 and "true" for true; the short form of an
// intrinsic function becomes its long form, !Sub x → {"Fn::Sub": x}. Anchors and
// aliases are refused, since CloudFormation refuses them.
func parseDocument(source []byte) (map[string]any, error) {
	file, err := parser.ParseBytes(source, 0)
	if err != nil {
		return nil, err
	}
	if len(file.Docs) != 1 {
		return nil, fmt.Errorf("want one YAML document, found %d", len(file.Docs))
	}
	v, err := plain(file.Docs[0].Body)
	if err != nil {
		return nil, err
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("want a mapping at the top")
	}
	return doc, nil
}

func plain(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return plainMap(n.Values)
	case *ast.MappingValueNode:
		return plainMap([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		list := make([]any, 0, len(n.Values))
		for _, e := range n.Values {
			v, err := plain(e)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case *ast.TagNode:
		v, err := plain(n.Value)
		if err != nil {
			return nil, err
		}
		return intrinsic(strings.TrimPrefix(n.Start.Value, "!"), v), nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.StringNode:
		return n.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	case *ast.NullNode:
		return nil, nil
	}
	return nil, fmt.Errorf("line %d: a %s is not read", n.GetToken().Position.Line, n.Type())
}

func plainMap(pairs []*ast.MappingValueNode) (any, error) {
	m := make(map[string]any, len(pairs))
	for _, p := range pairs {
		key, ok := p.Key.(ast.ScalarNode)
		if !ok {
			return nil, fmt.Errorf("line %d: a key must be a text", p.GetToken().Position.Line)
		}
		v, err := plain(p.Value)
		if err != nil {
			return nil, err
		}
		m[fmt.Sprint(key.GetValue())] = v
	}
	return m, nil
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
