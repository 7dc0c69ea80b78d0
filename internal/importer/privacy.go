package importer

import (
	"strings"

	"partnerview/internal/masking"
)

// minSecret is from how many digits on a text may be a telephone number.
const minSecret = 8

// numbersIn collects the runs of eight digits and more in a raw from or to,
// passing over separators. They serve to find the number elsewhere in the
// record, must not be kept longer than it takes to read it, and go beyond
// [masking.Digits]: "tel:+44 7700 900123" has one too.
func numbersIn(raw string) []string {
	if digits, ok := masking.Digits(raw); ok {
		return []string{digits}
	}
	if countDigits(raw) < minSecret {
		return nil
	}
	var runs []string
	var run []byte
	end := func() {
		if len(run) >= minSecret {
			runs = append(runs, string(run))
		}
		run = run[:0]
	}
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case isDigit(c):
			run = append(run, c)
		case isSeparator(c):
		default:
			end()
		}
	}
	end()
	return runs
}

// repeats tells whether a text holds one of the numbers, separated or not.
func repeats(text string, numbers []string) bool {
	if len(numbers) == 0 || countDigits(text) < minSecret {
		return false
	}
	bare := make([]byte, 0, 64)
	for i := 0; i < len(text); i++ {
		if !isSeparator(text[i]) {
			bare = append(bare, text[i])
		}
	}
	for _, n := range numbers {
		if strings.Contains(string(bare), n) {
			return true
		}
	}
	return false
}

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
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && !isDigit(c) && strings.IndexByte("_-.+:", c) < 0 {
			return false
		}
	}
	return true
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
