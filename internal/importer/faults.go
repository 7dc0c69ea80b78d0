package importer

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"partnerview/internal/masking"
)

// Fault is one thing that is wrong in a directory file.
type Fault struct {
	File   string // as the operator named it: "directory.yaml"
	Line   int    // from 1
	Path   string // "customers[0].currency"; empty: the file as a whole
	Detail string // `"EURO" is not an ISO 4217 code`
}

// Error is "directory.yaml:12: customers[0].currency: "EURO" is not an ISO 4217
// code".
func (f Fault) Error() string {
	text := fmt.Sprintf("%s:%d: ", f.File, f.Line)
	if f.Path != "" {
		text += f.Path + ": "
	}
	return text + f.Detail
}

// Faults are all that is wrong in a directory file, in the order of its lines.
// As an error they have a line each.
type Faults []Fault

func (fs Faults) Error() string {
	texts := make([]string, len(fs))
	for i, f := range fs {
		texts[i] = f.Error()
	}
	return strings.Join(texts, "\n")
}

// checklist collects the faults of a file while it is read.
type checklist struct {
	file   string
	faults Faults
	// warnings are about what can be, and hardly was meant.
	warnings Faults
	blamed   map[string]bool // paths that have a fault
}

func newChecklist(file string) *checklist { return &checklist{file: file, blamed: map[string]bool{}} }

func (c *checklist) fail(line int, path, format string, args ...any) {
	c.faults = append(c.faults, Fault{c.file, line, withoutNumbers(path), withoutNumbers(fmt.Sprintf(format, args...))})
	c.blamed[path] = true
}

func (c *checklist) warn(line int, path, format string, args ...any) {
	c.warnings = append(c.warnings,
		Fault{c.file, line, withoutNumbers(path), withoutNumbers(fmt.Sprintf(format, args...))})
}

// blames reports whether a path has a fault, or one of those that it lies in: what
// could not be read has no other fault than that.
func (c *checklist) blames(path string) bool {
	for path != "" && !c.blamed[path] {
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return path != ""
}

// err is all faults, or nil.
func (c *checklist) err() error {
	if len(c.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(c.faults, func(a, b Fault) int { return a.Line - b.Line })
	return c.faults
}

// A directory file has no place for a telephone number, but one may get there; a
// date has as many digits.
var (
	numberLike = regexp.MustCompile(`\+?\p{Nd}(?:[\s\p{Z}.()-]{0,3}\p{Nd}){7,}`)
	dateLike   = regexp.MustCompile(`^\d{4}-\d\d-\d\d`)
)

// withoutNumbers is a text in which what may be a telephone number is masked.
func withoutNumbers(text string) string {
	return numberLike.ReplaceAllStringFunc(text, func(number string) string {
		if date := dateLike.FindString(number); date != "" {
			return date + withoutNumbers(number[len(date):])
		}
		if digits, isNumber := masking.Digits(number); isNumber {
			return masking.Mask(digits).String()
		}
		return "****"
	})
}

// shown is a value of a directory file as a fault quotes it.
func shown(value string) string {
	const most = 60
	if letters := []rune(value); len(letters) > most {
		value = string(letters[:most]) + "…"
	}
	return fmt.Sprintf("%q", value)
}

// nearest is the one of some words that a mistyped one may stand for, or empty.
func nearest(word string, words []string) string {
	best, least := "", 3
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < least && d < len(w)/2+1 {
			best, least = w, d
		}
	}
	return best
}

// distance is how many letters must be put in, taken out or changed to make b of
// a (Levenshtein), as far as that is of interest: words whose lengths differ
// much are far apart.
func distance(a, b string) int {
	if len(a) > len(b)+2 || len(b) > len(a)+2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// maxToldDigits is how many digits a value may have that is told of a line that was not
// taken: as many as are shown of a number.
const maxToldDigits = 4

// quoted is a value in quotes with a space behind, for the start of a reason, or
// nothing where the value could be more than a word from a list of words: a
// number, a name, a text that slipped into a wrong column.
func quoted(value string) string {
	if !isTellable(value, 32) {
		return ""
	}
	return `"` + value + `" `
}

// isTellable reports whether a text is one word of ASCII, short, and with fewer digits
// than a piece of a telephone number has.
func isTellable(s string, most int) bool {
	return s != "" && len(s) <= most && countDigits(s) <= maxToldDigits && strings.Trim(s, alphanumeric+"_-.+:") == ""
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// isShowable reports whether a value that could not be read may be shown: one that is
// short, and has fewer digits than tell a number or its end.
func isShowable(value string) bool {
	length, digits := 0, 0
	for _, r := range value {
		if length++; unicode.IsNumber(r) {
			digits++
		}
	}
	return length <= 24 && digits <= maxToldDigits && utf8.ValidString(value)
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

func countDigits(s string) (n int) {
	for _, c := range []byte(s) {
		if isDigit(c) {
			n++
		}
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
