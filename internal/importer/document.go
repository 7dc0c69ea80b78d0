package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxDirectory = 32 << 20 // bytes
	maxDepth     = 16       // of a directory file's seven levels
)

// parseDocument reads a file as JSON if it is JSON, else as YAML, into nodes that know
// their lines and their texts as they are written. The error is a Fault without its
// file's name, or what reading failed with.
func parseDocument(r io.Reader, name string) (*yaml.Node, error) {
	text, sample, err := unpack(r, 0)
	if err == nil {
		err = checkLook(sample, directoryLook)
	}
	if err != nil {
		return nil, err
	}
	source, err := io.ReadAll(io.LimitReader(text, maxDirectory+1))
	switch {
	case err != nil:
		return nil, err
	case len(source) > maxDirectory:
		return nil, Fault{Line: 1, Detail: fmt.Sprintf("the file is larger than %d MB", maxDirectory>>20)}
	case len(bytes.TrimSpace(source)) == 0:
		return nil, Fault{Line: 1, Detail: "the file is empty"}
	case !utf8.Valid(source):
		valid := bytes.ToValidUTF8(source, nil)
		same := 0
		for same < len(valid) && valid[same] == source[same] {
			same++
		}
		return nil, Fault{Line: lineAt(source, int64(same)), Detail: "the file is not UTF-8"}
	}
	parse := parseYAML
	if json.Valid(source) || path.Ext(name) == ".json" {
		parse = parseJSON
	}
	root, err := parse(source)
	if err == nil {
		err = checkDepth(root, 0)
	}
	return root, err
}

// lineAt is the number of the line that holds a byte.
func lineAt(source []byte, offset int64) int {
	return 1 + bytes.Count(source[:min(offset, int64(len(source)))], []byte("\n"))
}

func checkDepth(n *yaml.Node, depth int) error {
	if depth > maxDepth {
		return Fault{Line: n.Line, Detail: "is nested too deeply"}
	}
	for _, inner := range n.Content {
		if err := checkDepth(inner, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// jsonReader makes the nodes of a JSON text, which not every YAML parser reads: it may
// have surrogate pairs, and tabs before a line.
type jsonReader struct {
	source  []byte
	decoder *json.Decoder
	counted int64 // of the source, up to here
	line    int   // at counted
}

func parseJSON(source []byte) (*yaml.Node, error) {
	var syntax *json.SyntaxError
	if err := json.Unmarshal(source, new(json.RawMessage)); errors.As(err, &syntax) {
		return nil, Fault{Line: lineAt(source, syntax.Offset-1), Detail: "is not JSON: " + syntax.Error()}
	}
	j := &jsonReader{source: source, decoder: json.NewDecoder(bytes.NewReader(source)), line: 1}
	j.decoder.UseNumber()
	return j.node()
}

// next is the next token; the reader's line is then that of its end.
func (j *jsonReader) next() (json.Token, error) {
	t, err := j.decoder.Token()
	end := j.decoder.InputOffset()
	j.line += bytes.Count(j.source[j.counted:end], []byte("\n"))
	j.counted = end
	return t, err
}

// node reads a value, or the name of a member: as in YAML, an object's content is
// name, value, name, value.
func (j *jsonReader) node() (*yaml.Node, error) {
	t, err := j.next()
	if err != nil {
		return nil, err
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: j.line}
	switch t := t.(type) {
	case nil:
		n.Tag = "!!null"
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(t)
	case json.Number:
		n.Tag, n.Value = "!!float", t.String()
	case string:
		n.Tag, n.Value = "!!str", t
	case json.Delim:
		n.Kind = yaml.SequenceNode
		if t == '{' {
			n.Kind = yaml.MappingNode
		}
		for j.decoder.More() {
			inner, err := j.node()
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, inner)
		}
		_, err = j.next() // the end
	}
	return n, err
}

func parseYAML(source []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	var document yaml.Node
	err := decoder.Decode(&document)
	if err == nil {
		var second yaml.Node
		if err = decoder.Decode(&second); err == nil {
			return nil, Fault{Line: max(second.Line, 1), Detail: "is a second document; a file has one"}
		}
	}
	switch {
	case err != io.EOF:
		return nil, yamlFault(err)
	case len(document.Content) == 0:
		return nil, Fault{Line: 1, Detail: "the file is empty"}
	}
	return document.Content[0], nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// yamlFault takes the line out of the library's text, the only place that has it.
func yamlFault(err error) error {
	line := 1
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
	}
	return Fault{Line: line, Detail: "is not YAML: " + withoutNumbers(yamlLine.ReplaceAllString(err.Error(), ""))}
}

// What a node is, as a fault says it.
const (
	isText   = "text"
	isNumber = "a number"
	isBool   = "true or false"
	isNull   = "null"
	isList   = "a list"
	isObject = "an object"
	// Aliases are not followed: a few lines of them can stand for gigabytes.
	isAlias  = "an alias"
	isTagged = "a tagged value"
)

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return isList
	case yaml.MappingNode:
		return isObject
	case yaml.AliasNode:
		return isAlias
	}
	switch n.ShortTag() {
	case "!!str", "!!timestamp":
		return isText
	case "!!int", "!!float":
		return isNumber
	case "!!bool":
		return isBool
	case "!!null":
		return isNull
	}
	return isTagged
}

// object reads the keys of one object. What is wrong with them goes to the checklist;
// the reader goes on with an empty value.
type object struct {
	*checklist
	node    *yaml.Node
	path    string
	members map[string]member
}

type member struct {
	line  int // of the key
	value *yaml.Node
}

// object opens a node that must be an object with no other keys than these, none
// of them twice.
func (c *checklist) object(n *yaml.Node, path string, keys ...string) (object, bool) {
	o := object{c, n, path, make(map[string]member, len(n.Content)/2)}
	if kind := kindOf(n); kind != isObject {
		c.fail(n.Line, path, "must be an object, not %s", kind)
		return o, false
	}
	for pair := range slices.Chunk(n.Content, 2) {
		key, line := pair[0].Value, pair[0].Line // "" where it is no text, which no object has
		first, twice := o.members[key]
		switch {
		case !slices.Contains(keys, key):
			detail := "unknown key"
			if meant := nearest(key, keys); meant != "" {
				detail += "; did you mean " + meant + "?"
			}
			c.fail(line, o.at(keyText(key)), "%s", detail)
		case twice:
			c.fail(line, o.at(key), "is there twice, first on line %d", first.line)
		default:
			o.members[key] = member{line, pair[1]}
		}
	}
	return o, true
}

// at is the path of a key.
func (o object) at(key string) string { return strings.TrimPrefix(o.path+"."+key, ".") }

// keyText is an unknown key as a path has it: in quotes if it is more than a word.
func keyText(key string) string {
	if isTellable(key, maxFieldName) && !strings.ContainsAny(key, ".:") {
		return key
	}
	return shown(key)
}

// need finds the fault that a key is left out.
func (o object) need(key string) {
	if _, there := o.members[key]; !there {
		o.fail(o.node.Line, o.at(key), "is missing")
	}
}

// scalar reads a key that may be left out. A number is taken as it is written, so
// that 0.10 is exactly that, and 01234 keeps its zero.
func scalar[T any](o object, key string, parse func(string) (T, error)) Field[T] {
	m, there := o.members[key]
	if !there {
		return Field[T]{}
	}
	return Field[T]{m.line, item(o.checklist, m.value, o.at(key), parse)}
}

// needed reads a key that must be there.
func needed[T any](o object, key string, parse func(string) (T, error)) Field[T] {
	o.need(key)
	return scalar(o, key, parse)
}

// nullable reads a key that may be left out, or null.
func nullable[T any](o object, key string, parse func(string) (T, error)) Field[*T] {
	if m, there := o.members[key]; there && kindOf(m.value) == isNull {
		return Field[*T]{Line: m.line}
	}
	f := scalar(o, key, parse)
	if !f.IsSet() {
		return Field[*T]{}
	}
	return Field[*T]{f.Line, &f.Value}
}

// item reads one value.
func item[T any](c *checklist, n *yaml.Node, path string, parse func(string) (T, error)) (value T) {
	switch kind := kindOf(n); kind {
	case isText, isNumber:
		v, err := parse(n.Value)
		if err != nil {
			c.fail(n.Line, path, "%s", err)
			return value
		}
		return v
	case isBool:
		c.fail(n.Line, path, "must be text, not %s: put it in quotes", kind)
	case isNull:
		c.fail(n.Line, path, "must not be null: leave the key out, or give it a value")
	case isAlias:
		c.fail(n.Line, path, "must be text, not %s: write it out", kind)
	default:
		c.fail(n.Line, path, "must be text, not %s", kind)
	}
	return value
}

// listOf reads a key that may be left out, and is a list else. An empty list is
// set, and not nil.
func listOf[T any](o object, key string, parse func(*checklist, *yaml.Node, string) T) Field[[]T] {
	m, there := o.members[key]
	if !there {
		return Field[[]T]{}
	}
	f := Field[[]T]{m.line, []T{}}
	switch kind := kindOf(m.value); kind {
	case isNull:
		o.fail(m.line, o.at(key), "must not be null: leave the key out, or write a list")
	case isList:
		for i, n := range m.value.Content {
			f.Value = append(f.Value, parse(o.checklist, n, fmt.Sprintf("%s[%d]", o.at(key), i)))
		}
	default:
		o.fail(m.value.Line, o.at(key), "must be a list, not %s", kind)
	}
	return f
}

// lineOf is where a path below a node stands, or the last part of it that is there.
func lineOf(n *yaml.Node, path string) int {
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) }) {
		next := child(n, part)
		if next == nil {
			break
		}
		n = next
	}
	return n.Line
}

func child(n *yaml.Node, name string) *yaml.Node {
	if i, err := strconv.Atoi(name); err == nil && n.Kind == yaml.SequenceNode && i < len(n.Content) {
		return n.Content[i]
	}
	if n.Kind == yaml.MappingNode {
		for pair := range slices.Chunk(n.Content, 2) {
			if pair[0].Value == name {
				return pair[1]
			}
		}
	}
	return nil
}
