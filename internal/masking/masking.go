// Package masking is the only maker of masked telephone numbers.
//
// There are people behind each log line. A [Number] shows at most the last four
// digits of the number it was made from, behind a mask of fixed width, so that
// not even the length of the number is told. The field inside a Number is
// unexported: a package that holds one cannot have come by it without [Mask],
// and a response type whose fields are Numbers cannot leak.
//
// The package owns the rule and nothing else. It is a leaf: it imports no
// package of this project. The rule stands in docs/privacy.md.
package masking

import "strings"

// stars stands for everything of a number but its last four digits.
const stars = "****"

// A telephone number has 8 to 15 digits: 15 is the most that ITU-T E.164
// allows, and below 8 the last four would be half of the number or more.
const (
	minDigits = 8
	maxDigits = 15
)

// Number is a masked number: "****0123", or "****" where no last four digits
// can be told. The zero Number is "there is none", JSON null.
type Number struct{ masked string }

// Mask makes a Number of a raw value in any form, and is idempotent: the mask
// of a mask is that mask, so a number may be masked when written and again when
// read.
//
// One leading "+" and the separators space, "-", ".", "(" and ")" are passed
// over; what is left must be 8 to 15 ASCII digits. Anything else (a short code, a
// sender name, an e-mail address, another script's digits, a number masked in
// another form such as +44770090xxxx, one that a spreadsheet made a fraction of, as
// 447700900123.0) becomes "****" alone. A blank value is
// no number at all.
func Mask(raw string) Number {
	if strings.TrimSpace(raw) == "" {
		return Number{}
	}
	if isMask(raw) {
		return Number{raw}
	}
	digits, ok := Digits(raw)
	if !ok {
		return Number{stars}
	}
	return Number{stars + digits[len(digits)-4:]}
}

// Digits returns the ASCII digits of a value that has the form of a telephone
// number, and whether it has. The result is the full number: it must be
// compared, never kept. It serves to find numbers where none may be, as in an
// error code or a record's id.
func Digits(raw string) (digits string, ok bool) {
	if strings.HasSuffix(strings.TrimRight(raw, " "), ".0") {
		return "", false // the 0 is none of its digits
	}
	var buf [maxDigits]byte
	n, plus := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c >= '0' && c <= '9':
			if n == maxDigits {
				return "", false
			}
			buf[n] = c
			n++
		case c == '+' && n == 0 && !plus:
			plus = true
		case c == ' ' || c == '-' || c == '.' || c == '(' || c == ')':
		default:
			return "", false
		}
	}
	if n < minDigits {
		return "", false
	}
	return string(buf[:n]), true
}

// isMask reports whether s is already one of our own masks.
func isMask(s string) bool {
	if s == stars {
		return true
	}
	return len(s) == len(stars)+4 && strings.HasPrefix(s, stars) && strings.Trim(s[len(stars):], "0123456789") == ""
}

// IsNull reports whether there is no number: none was recorded.
func (n Number) IsNull() bool { return n.masked == "" }

// String is the mask, "****0123" or "****"; empty where there is no number.
func (n Number) String() string { return n.masked }

// Last4 is the last four digits, or empty where none can be told.
func (n Number) Last4() string {
	if len(n.masked) != len(stars)+4 {
		return ""
	}
	return n.masked[len(stars):]
}

// MarshalJSON writes the mask as a string, and null where there is no number.
func (n Number) MarshalJSON() ([]byte, error) {
	if n.IsNull() {
		return []byte("null"), nil
	}
	return []byte(`"` + n.masked + `"`), nil // stars and digits: nothing to escape
}
