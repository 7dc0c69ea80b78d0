package importer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// minSecret is from how many digits on a text may be a telephone number.
const minSecret = 8

// hasNumber tells whether a text holds eight digits in a row, separated or not:
// it may be anybody's telephone number.
func hasNumber(text string) bool {
	run := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case isDigit(c):
			if run++; run == minSecret {
				return true
			}
		case isSeparator(c):
		default:
			run = 0
		}
	}
	return false
}

// quoted is a value in quotes with a space behind, for the start of a reason, or
// nothing where the value could be more than a word from a list of words: a
// number, a name, a text that slipped into a wrong column.
func quoted(value string) string {
	if !isTellable(value, 32) {
		return ""
	}
	return `"` + value + `" `
}

// isTellable tells whether a text is one word of ASCII, short, and without the
// digits of a telephone number.
func isTellable(s string, most int) bool {
	if s == "" || len(s) > most || countDigits(s) >= minSecret {
		return false
	}
	return strings.Trim(s, letters+"0123456789_-.+:") == ""
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// isShowable tells whether a value that could not be read may be shown: one that is
// short, and has fewer digits than tell a number or its end.
func isShowable(field, value string) bool {
	most := 4
	if field == operatorField {
		most = 5
	}
	length, digits := 0, 0
	for _, r := range value {
		if length++; unicode.IsNumber(r) {
			digits++
		}
	}
	return length <= 24 && digits <= most && utf8.ValidString(value)
}

const (
	maxFieldName  = 64
	maxFieldNames = 100
	otherField    = "(other)"
)

// fieldNames gives out the names of fields of unknown origin: a bounded number,
// and only such as may be told.
type fieldNames map[string]string

func (names fieldNames) tell(raw []byte) string {
	if name, known := names[string(raw)]; known {
		return name
	}
	if len(names) >= maxFieldNames || !isTellable(string(raw), maxFieldName) {
		return otherField
	}
	name := string(raw)
	names[name] = name
	return name
}

func countDigits(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		if isDigit(s[i]) {
			n++
		}
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isSeparator tells whether c may stand between the digits of a number, or of
// an id made of one.
func isSeparator(c byte) bool { return strings.IndexByte(" -.()+_:/", c) >= 0 }
