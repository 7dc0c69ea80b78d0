package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// objects reads NDJSON: a JSON object a line.
type objects struct{ lines *lines }

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

// nextObject reads a line, passing over blank ones, and tells its number. The
// object stays as it is until the next call. fault is the reason for which the
// line cannot be taken; the error is io.EOF behind the last line, or what the
// stream failed with.
func (o objects) nextObject() (number int, object []byte, fault string, err error) {
	for {
		number = o.lines.number
		end, err := o.lines.lineEnd(0)
		switch {
		case errors.Is(err, errTooLong):
			o.lines.skipLine()
			return number, nil, tooLong, nil
		case err != nil:
			return number, nil, "", err
		}
		whole := o.lines.window()[:end]
		line := bytes.TrimSpace(whole)
		o.lines.advance(end) // the bytes stay until the next call of lineEnd
		switch {
		case len(line) == 0:
		case isZeros(whole):
			return number, nil, onlyZeros, nil
		case !utf8.Valid(line):
			return number, nil, notUTF8, nil
		case line[0] != '{' || !json.Valid(line):
			if line[0] == '{' && whole[end-1] != '\n' && line[len(line)-1] != '}' {
				return number, nil, cutShort, nil
			}
			return number, nil, notJSON, nil
		default:
			return number, line, "", nil
		}
	}
}

func rejectedLine(number int, reason string) Row {
	return Row{Line: number, Rejected: &Reject{Line: number, Reason: reason}}
}

// jsonText is the text of a field that is text or null, or was not there.
func (d *draft) jsonText(field string, value []byte) string {
	if value == nil || string(value) == "null" {
		return ""
	}
	if value[0] != '"' {
		d.fail(field, "must be text, in quotes")
		return ""
	}
	return unquote(value)
}

// jsonDecimal is the text of a decimal. It may also be a JSON number, which is
// taken as it is written: it never goes through a float.
func (d *draft) jsonDecimal(field string, value []byte) string {
	switch {
	case value == nil || string(value) == "null":
		return ""
	case value[0] == '"':
		return unquote(value)
	case value[0] != '-' && !isDigit(value[0]):
		d.fail(field, "must be decimal text, as 0.0412")
		return ""
	}
	return string(value)
}

// jsonWord is the text of a word or a number.
func (d *draft) jsonWord(field string, value []byte) string {
	if value != nil && isDigit(value[0]) {
		return string(value)
	}
	return d.jsonText(field, value)
}
