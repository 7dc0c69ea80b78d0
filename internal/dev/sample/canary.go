package sample

import (
	"encoding/base64"
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Leaks finds what must not be seen: it returns the canaries of the sample data
// and of testdata/fixtures that stand in a text, sorted and each once; nil where
// there are none. Tests put every byte through it that the system emits: bodies,
// headers, cursors, logs, CSV, pages, files of rejected lines.
//
// A canary is
//   - a marked name, content, note, sender name, e-mail address or app user: it
//     holds "canary", in any case, or one of the fixtures' own words;
//   - a full telephone number of the fictional ranges, with or without its
//     country code, however it is punctuated, in ASCII, full-width or Arabic
//     digits;
//   - such a number masked by somebody else, as +44770090xxxx, which tells more
//     of it than we would;
//   - a short code that the sample's customers send from.
//
// Base64, as in a cursor, is looked into. Our own masks (****0123) are no
// canaries, and neither is any id, amount or time of the sample.
func Leaks(text string) []string {
	found := plainLeaks(text)
	for token := range base64Tokens(text) {
		if decoded, err := base64.RawURLEncoding.DecodeString(token); err == nil {
			found = append(found, plainLeaks(string(decoded))...)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// markers are canaries wherever they stand, in lower case.
func markers() []string {
	return []string{
		"canary",
		// What testdata/fixtures has: contents, sender, app users.
		"sample text for", "for contact b", "sample, for contact", "line one, ", "sample_visit", "**masked**",
		"sampleco", "sample-line-user", "90000000000000000001", "90000000000000000002",
		// Numbers that the platform masked in its own way.
		"770090x", "202555x", "658000x",
	}
}

// numberRange is a range of telephone numbers without the country code: the
// digits that it begins with, and how many follow.
type numberRange struct {
	start string
	more  int
}

// numberRanges are those of the sample, and +65 8000 00xx of the fixtures.
func numberRanges() []numberRange {
	return []numberRange{{"7700900", 3}, {"20255501", 2}, {"65800000", 2}}
}

func plainLeaks(text string) []string {
	var found []string
	lower := strings.ToLower(text)
	for _, m := range markers() {
		if strings.Contains(lower, m) {
			found = append(found, m)
		}
	}
	for groups := range digitRuns(text) {
		digits := strings.Join(groups, "")
		for _, r := range numberRanges() {
			found = append(found, r.in(digits)...)
		}
		for _, digits := range groups {
			if digits == shortCodeGB || digits == shortCodeUS {
				found = append(found, digits)
			}
		}
	}
	return found
}

// in returns the numbers of the range among the digits of a run.
func (r numberRange) in(digits string) []string {
	var found []string
	for i := 0; ; {
		next := strings.Index(digits[i:], r.start)
		if next < 0 {
			return found
		}
		i += next
		if end := i + len(r.start) + r.more; end <= len(digits) {
			found = append(found, digits[i:end])
		}
		i++
	}
}

// digitRuns yields the runs of digits in a text, as ASCII and in the groups in
// which they stand: "+44 (0)7700 900123" is 44, 0, 7700, 900123. A run ends with the
// first character that is neither a digit nor punctuation of a number.
func digitRuns(text string) iter.Seq[[]string] {
	const digits, punctuation = "0123456789", " -.()+\u00a0\u2009\u202f\u2010\u2011\u2013"
	isNot := func(characters string) func(rune) bool {
		return func(r rune) bool { return !strings.ContainsRune(characters, r) }
	}
	text = strings.Map(toASCII, strings.ReplaceAll(text, "%20", " "))
	return func(yield func([]string) bool) {
		for run := range strings.FieldsFuncSeq(text, isNot(digits+punctuation)) {
			if !yield(strings.FieldsFunc(run, isNot(digits))) {
				return
			}
		}
	}
}

// toASCII is the ASCII form of a digit in one of the sample's scripts.
func toASCII(r rune) rune {
	for _, zero := range "０٠" {
		if r >= zero && r <= zero+9 {
			return r - zero + '0'
		}
	}
	return r
}

// base64Tokens yields what may be base64 in a text, in its alphabet for URLs: the
// runs of either alphabet, from each of the four places at which a group of
// characters can begin.
func base64Tokens(text string) iter.Seq[string] {
	text = strings.NewReplacer("+", "-", "/", "_").Replace(text)
	return func(yield func(string) bool) {
		isOther := func(r rune) bool {
			return r >= utf8.RuneSelf || r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		}
		for run := range strings.FieldsFuncSeq(text, isOther) {
			for start := 0; start < 4 && len(run)-start >= 12; start++ {
				token := run[start:]
				if len(token)%4 == 1 { // no encoding has that length
					token = token[:len(token)-1]
				}
				if !yield(token) {
					return
				}
			}
		}
	}
}
