package importer

import (
	"bytes"
	"encoding/json"
	"iter"
)

// members goes through the members of a JSON object in order, those of nested
// objects not. Names are unescaped, values as they stand. The text must be a
// valid object: [json.Valid] is the judge of that, this only finds the seams,
// which is several times faster than to decode into a map.
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		rest := bytes.TrimLeft(object, " \t\r\n{")
		for rest[0] == '"' {
			end := stringEnd(rest)
			name := rest[1 : end-1]
			if bytes.IndexByte(name, '\\') >= 0 {
				name = []byte(unquote(rest[:end]))
			}
			rest = bytes.TrimLeft(rest[end:], " \t\r\n:")
			end = valueEnd(rest)
			if !yield(name, rest[:end]) {
				return
			}
			rest = bytes.TrimLeft(rest[end:], " \t\r\n,")
		}
	}
}

// textsIn yields every text and number in a JSON value, whatever it is; none where
// there is no value.
func textsIn(value []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		if len(value) > 0 && value[0] == '"' {
			yield(unquote(value))
			return
		}
		d := json.NewDecoder(bytes.NewReader(value))
		d.UseNumber()
		for {
			token, err := d.Token()
			if err != nil { // the end: the value is valid
				return
			}
			switch v := token.(type) {
			case string:
				if !yield(v) {
					return
				}
			case json.Number:
				if !yield(v.String()) {
					return
				}
			}
		}
	}
}

// valueEnd is where the JSON value at the start of s ends.
func valueEnd(s []byte) int {
	switch s[0] {
	case '"':
		return stringEnd(s)
	case '{', '[':
		depth := 0
		for i := 0; ; i++ {
			switch s[i] {
			case '"':
				i += stringEnd(s[i:]) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	return bytes.IndexAny(s, " \t\r\n,]}")
}

// stringEnd is where the JSON string at the start of s ends, quotes included.
func stringEnd(s []byte) int {
	for i := 1; ; i++ {
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// unquote is the text of a valid JSON string.
func unquote(s []byte) string {
	if inner := s[1 : len(s)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var text string
	_ = json.Unmarshal(s, &text) // it is valid
	return text
}
