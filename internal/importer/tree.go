package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// node is a value of a YAML or JSON file, and where it stands.
type node struct {
	kind    kind
	line    int
	text    string   // of text, numbers and truths, as it is written: "0.1000"
	items   []*node  // of a list
	members []member // of an object, in order; a name may be there twice
}

type member struct {
	name  string
	line  int
	value *node
}

// kind is what a node is, as a fault says it.
type kind string

const (
	isText   kind = "text"
	isNumber kind = "a number"
	isTruth  kind = "true or false"
	isNull   kind = "null"
	isList   kind = "a list"
	isObject kind = "an object"
	// Aliases are not followed: a few lines of them can stand for gigabytes.
	isAlias  kind = "an alias"
	isTagged kind = "a tagged value"
)

const (
	maxDirectory = 32 << 20 // bytes
	maxDepth     = 16       // of a directory file's seven levels
)

// parseTree reads a file as JSON if it is JSON, else as YAML. The error is a
// Fault without its file's name, or what reading failed with.
func parseTree(r io.Reader, name string) (*node, error) {
	text, sample, err := unpack(r)
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
	case json.Valid(source) || path.Ext(name) == ".json":
		return parseJSON(source)
	}
	return parseYAML(source)
}

// lineAt is the number of the line that holds a byte.
func lineAt(source []byte, offset int64) int {
	return 1 + bytes.Count(source[:min(offset, int64(len(source)))], []byte("\n"))
}

func tooDeep(line int) error { return Fault{Line: line, Detail: "is nested too deeply"} }

// jsonTree builds the tree of a JSON text.
type jsonTree struct {
	source  []byte
	decoder *json.Decoder
	counted int64 // of the source, up to here
	line    int   // at counted
}

func parseJSON(source []byte) (*node, error) {
	var syntax *json.SyntaxError
	if err := json.Unmarshal(source, new(json.RawMessage)); errors.As(err, &syntax) {
		return nil, Fault{Line: lineAt(source, syntax.Offset-1), Detail: "is not JSON: " + syntax.Error()}
	}
	j := &jsonTree{source: source, decoder: json.NewDecoder(bytes.NewReader(source)), line: 1}
	j.decoder.UseNumber()
	return j.value(0)
}

// next is the next token; the tree's line is then that of its end.
func (j *jsonTree) next() (json.Token, error) {
	t, err := j.decoder.Token()
	end := j.decoder.InputOffset()
	j.line += bytes.Count(j.source[j.counted:end], []byte("\n"))
	j.counted = end
	return t, err
}

func (j *jsonTree) value(depth int) (*node, error) {
	t, err := j.next()
	if err != nil {
		return nil, err
	}
	n := &node{line: j.line}
	switch t := t.(type) {
	case nil:
		n.kind = isNull
	case bool:
		n.kind, n.text = isTruth, strconv.FormatBool(t)
	case json.Number:
		n.kind, n.text = isNumber, t.String()
	case string:
		n.kind, n.text = isText, t
	case json.Delim:
		if depth == maxDepth {
			return nil, tooDeep(n.line)
		}
		n.kind = isList
		if t == '{' {
			n.kind = isObject
		}
		return n, j.fill(n, depth)
	}
	return n, nil
}

// fill reads what a list or an object holds, its end included.
func (j *jsonTree) fill(n *node, depth int) error {
	for j.decoder.More() {
		var m member
		if n.kind == isObject {
			t, err := j.next()
			if err != nil {
				return err
			}
			m.name, _ = t.(string) // a member's name always is one
			m.line = j.line
		}
		var err error
		if m.value, err = j.value(depth + 1); err != nil {
			return err
		}
		if n.kind == isObject {
			n.members = append(n.members, m)
		} else {
			n.items = append(n.items, m.value)
		}
	}
	_, err := j.next()
	return err
}

func parseYAML(source []byte) (*node, error) {
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
	return fromYAML(document.Content[0], 0)
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

func fromYAML(y *yaml.Node, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, tooDeep(y.Line)
	}
	n := &node{line: y.Line, text: y.Value}
	switch y.Kind {
	case yaml.ScalarNode:
		n.kind = scalarKind(y.ShortTag())
	case yaml.SequenceNode:
		n.kind = isList
		for _, item := range y.Content {
			value, err := fromYAML(item, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, value)
		}
	case yaml.MappingNode:
		n.kind = isObject
		for i := 0; i+1 < len(y.Content); i += 2 {
			value, err := fromYAML(y.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			name := y.Content[i].Value // "" where it is no text, which no object has
			n.members = append(n.members, member{name, y.Content[i].Line, value})
		}
	default:
		n.kind = isAlias
	}
	return n, nil
}

func scalarKind(tag string) kind {
	switch tag {
	case "!!str", "!!timestamp":
		return isText
	case "!!int", "!!float":
		return isNumber
	case "!!bool":
		return isTruth
	case "!!null":
		return isNull
	}
	return isTagged
}
