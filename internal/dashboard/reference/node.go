package reference

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// node is a place in the document. A reference stands for what it refers to;
// keys beside it go before the keys there.
type node struct {
	value    any
	root     yaml.MapSlice
	resolved bool // do not look behind its own reference again
}

type entry struct {
	name  string
	value node
}

// at goes down by keys; the zero node where there is no such place.
func (n node) at(keys ...string) node {
	for _, key := range keys {
		n = n.child(key)
	}
	return n
}

func (n node) child(key string) node {
	m, _ := n.value.(yaml.MapSlice)
	for _, item := range m {
		if item.Key == key {
			return node{value: item.Value, root: n.root}
		}
	}
	if ref, ok := n.ref(); ok {
		return n.lookUp(ref).child(key)
	}
	return node{root: n.root}
}

// ref is where a node refers to: "#/components/schemas/Customer".
func (n node) ref() (string, bool) {
	m, _ := n.value.(yaml.MapSlice)
	for _, item := range m {
		if item.Key == "$ref" && !n.resolved {
			text, ok := item.Value.(string)
			return text, ok
		}
	}
	return "", false
}

func (n node) lookUp(ref string) node {
	at := node{value: n.root, root: n.root}
	for _, key := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		at = at.child(key)
	}
	return at
}

// entries are the keys of a mapping, in the document's order, each value looked up.
func (n node) entries() []entry {
	m, _ := n.value.(yaml.MapSlice)
	all := make([]entry, 0, len(m))
	for _, item := range m {
		all = append(all, entry{fmt.Sprint(item.Key), node{value: item.Value, root: n.root}})
	}
	return all
}

// raw is the items of a list.
func (n node) raw() []node {
	list, _ := n.value.([]any)
	all := make([]node, len(list))
	for i, v := range list {
		all[i] = node{value: v, root: n.root}
	}
	return all
}

func (n node) items() []node { return n.raw() }

func (n node) has(keys ...string) bool { return n.at(keys...).value != nil }

// text is a scalar below a key, "" where there is none.
func (n node) text(key string) string { return scalar(n.child(key).value) }

// ownText is text, but of the node itself and not of what it refers to.
func (n node) ownText(key string) string {
	m, _ := n.value.(yaml.MapSlice)
	for _, item := range m {
		if item.Key == key {
			return scalar(item.Value)
		}
	}
	return ""
}

// exampleText is the first example, for parameters and values.
func (n node) exampleText() string {
	if _, ok := n.ref(); ok && !n.has("in") {
		return ""
	}
	if list := n.at("example").raw(); len(list) > 0 {
		return strings.Join(texts(list), ", ")
	}
	if e := n.text("example"); e != "" {
		return e
	}
	if list := n.at("examples").raw(); len(list) > 0 {
		return scalar(list[0].value)
	}
	for _, e := range n.at("examples").entries() {
		return e.value.text("value")
	}
	return ""
}

func scalar(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case yaml.MapSlice, []any:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}
