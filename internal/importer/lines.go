package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"unicode/utf8"
)

// maxRecord is how many bytes one record may have. A usage record has some
// hundred; the content of a message, which an export may carry along, some
// thousand.
const maxRecord = 1 << 20

// errTooLong: no line ends within maxRecord bytes of the window's start.
var errTooLong = errors.New("longer than a record may be")

// lines is a window that slides over a stream, from the start of one line on to
// as many following lines as fit in maxRecord bytes. That lets a reader look
// ahead over several lines and then go on behind the first of them.
type lines struct {
	src        io.Reader
	buf        []byte
	start, end int   // the window is buf[start:end]
	err        error // what src ended with
	number     int   // of the line at start, from 1
}

func newLines(src io.Reader) *lines {
	return &lines{src: src, buf: make([]byte, 64<<10), number: 1}
}

// window holds at least what lineEnd has found. Its bytes stay as they are until
// the next lineEnd or skipLine.
func (l *lines) window() []byte { return l.buf[l.start:l.end] }

// lineEnd finds the end, newline included, of the line that begins at offset
// from in the window, and reads on where it must. The last line may lack its
// newline. The error is errTooLong, io.EOF where no line begins, or what the
// stream failed with; a line that the failure cut short is not told as one.
func (l *lines) lineEnd(from int) (int, error) {
	searched := from
	for {
		w := l.window()
		if i := bytes.IndexByte(w[searched:], '\n'); i >= 0 {
			if end := searched + i + 1; end <= maxRecord {
				return end, nil
			}
			return 0, errTooLong
		}
		searched = len(w)
		switch {
		case len(w) > maxRecord:
			return 0, errTooLong
		case l.err == nil:
			l.fill()
		case l.err == io.EOF && len(w) > from:
			return len(w), nil
		default:
			return 0, l.err
		}
	}
}

// advance moves the window's start behind n of its bytes.
func (l *lines) advance(n int) {
	l.number += bytes.Count(l.buf[l.start:l.start+n], []byte{'\n'})
	l.start += n
}

// skipLine moves the window's start behind the next newline, however far it is,
// or to where the stream ends or fails; lineEnd then tells that.
func (l *lines) skipLine() {
	for {
		if i := bytes.IndexByte(l.window(), '\n'); i >= 0 {
			l.advance(i + 1)
			return
		}
		l.start, l.end = 0, 0
		if l.err != nil {
			return
		}
		l.fill()
	}
}

// fill reads once, after making room: by moving the window to the buffer's start
// or, where it fills the buffer, by doubling that.
func (l *lines) fill() {
	if l.end == len(l.buf) {
		to := l.buf
		if l.start == 0 {
			to = make([]byte, 2*len(l.buf))
		}
		l.end = copy(to, l.window())
		l.start, l.buf = 0, to
	}
	for range 100 {
		n, err := l.src.Read(l.buf[l.end:])
		l.end += n
		l.err = err
		if n > 0 || err != nil {
			return
		}
	}
	l.err = io.ErrNoProgress
}

// objects reads NDJSON: a JSON object a line.
type objects struct {
	lines   *lines
	current []byte // until the next
}

// skipTo passes over the lines before one, without a look at what they are.
func (o *objects) skipTo(line int) {
	for l := o.lines; l.number < line && (l.err == nil || len(l.window()) > 0); {
		l.skipLine()
	}
}

// Reasons for which a line as a whole is rejected.
const (
	tooLong = "is longer than 1048576 bytes"
	notUTF8 = "is not UTF-8"
	notJSON = "is not a JSON object"
	// A file that was copied in part, or preallocated, or truncated while
	// something still wrote to it.
	cutShort  = "is cut short: the file ends within it"
	onlyZeros = "is nothing but zero bytes: the file is padded, or has a hole"
)

// isZeros reports whether a line is padding.
func isZeros(line []byte) bool {
	return line[0] == 0 && len(bytes.Trim(line, "\x00\r\n")) == 0
}

// next reads a line, passing over blank ones, and returns its number. fault is the
// reason for which the line cannot be taken; the error is io.EOF behind the last line,
// or what the stream failed with.
func (o *objects) next() (number int, fault string, err error) {
	for {
		number = o.lines.number
		end, err := o.lines.lineEnd(0)
		switch {
		case errors.Is(err, errTooLong):
			o.lines.skipLine()
			return number, tooLong, nil
		case err != nil:
			return number, "", err
		}
		whole := o.lines.window()[:end]
		line := bytes.TrimSpace(whole)
		o.lines.advance(end) // the bytes stay until the next call of lineEnd
		switch {
		case len(line) == 0:
		case isZeros(whole):
			return number, onlyZeros, nil
		case !utf8.Valid(line):
			return number, notUTF8, nil
		case line[0] != '{' || !json.Valid(line):
			if line[0] == '{' && whole[end-1] != '\n' && line[len(line)-1] != '}' {
				return number, cutShort, nil
			}
			return number, notJSON, nil
		default:
			o.current = line
			return number, "", nil
		}
	}
}

// members goes through the members of a JSON object in order, those of nested
// objects not. Names are unescaped, values as they stand. The text must be a
// valid object: [json.Valid] is the judge of that, this only finds the seams. To
// decode into a map takes six times as long, and the decoder's tokens thirty times.
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
