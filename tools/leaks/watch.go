package main

import (
	"encoding/base64"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// watch looks for what may not be seen in whatever the product emits. How it reads digits
// shares no code with internal/masking. It tells three things apart:
//
//   - a canary: the word stands in each name and content that goes in;
//   - a run of five digits or more, of any script, that nothing explains: neither a time, an
//     id or a digest, nor an operator that there is. Within a longer word, as in base64, a
//     run counts where it holds five digits of a number that went in;
//   - the last eight digits of a number that went in, or five of those with which they all
//     begin, with separators between.
//
// What is written in another way is read in that way too: percent-encoding, the escapes of
// JSON and HTML, base64.
type watch struct {
	endings   map[string]bool // the last eight digits of each number
	windows   map[string]bool // each five digits in a row of each
	begins    map[string]bool // those five that every number of a range has
	operators map[string]bool

	texts int
	bytes int64
	found map[string]int // leaks, by what is said of them
}

func newWatch(operators []string) *watch {
	w := &watch{endings: map[string]bool{}, windows: map[string]bool{}, begins: map[string]bool{}, operators: map[string]bool{}, found: map[string]int{}}
	for _, five := range strings.Fields("44770 47700 77009 70090 12025 20255 25550 55501") {
		w.begins[five] = true
	}
	for _, operator := range operators {
		w.operators[operator] = true
	}
	return w
}

// expect makes a number known that goes in.
func (w *watch) expect(n number) {
	w.endings[string(n[len(n)-8:])] = true
	for i := 0; i+5 <= len(n); i++ {
		w.windows[string(n[i:i+5])] = true
	}
}

// look searches a text; where says what it is of.
func (w *watch) look(where, text string) {
	w.texts++
	w.bytes += int64(len(text))
	w.search(where, text)
	if strings.Contains(text, "%") {
		if decoded, err := url.PathUnescape(text); err == nil {
			w.search(where+", percent-decoded", decoded)
		}
	}
	if strings.Contains(text, `\u`) {
		w.search(where+", unescaped", escape.ReplaceAllStringFunc(text, func(s string) string {
			code, err := strconv.ParseUint(s[2:], 16, 16)
			if err != nil {
				return s
			}
			return string(rune(code))
		}))
	}
	if strings.Contains(text, "&") {
		w.search(where+", as HTML", html.UnescapeString(text))
	}
	for _, token := range base64Form.FindAllString(text, -1) {
		for start := range min(4, len(token)) {
			rest := strings.NewReplacer("+", "-", "/", "_").Replace(token[start:])
			decoded, err := base64.RawURLEncoding.DecodeString(rest[:len(rest)-len(rest)%4])
			if err == nil && readable(decoded) {
				w.search(where+", out of base64", string(decoded))
			}
		}
	}
}

var (
	escape     = regexp.MustCompile(`\\u[0-9a-fA-F]{4}`)
	base64Form = regexp.MustCompile(`[0-9A-Za-z+/_-]{16,}`)
)

// readable reports whether bytes are mostly text: what else base64 seems to hold is chance.
func readable(b []byte) bool {
	letters := 0
	for _, c := range string(b) {
		if c != utf8.RuneError && (unicode.IsPrint(c) || c == '\n') {
			letters++
		}
	}
	return letters*10 >= len(b)*9
}

// shapes are what explains digits: each is taken out before runs are sought.
var shapes = []*regexp.Regexp{
	regexp.MustCompile(`\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?( ?(Z|UTC)|[+-]\d\d:?\d\d)?)?`),
	regexp.MustCompile(`(?i)[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}`),
	regexp.MustCompile(`\b([0-9a-f]{64}|[0-9a-f]{32})\b`),
	regexp.MustCompile(`\bpvk_[0-9A-Za-z_]+`),
	regexp.MustCompile(`("nextCursor": ?"|cursor=)[0-9A-Za-z_-]+`), // which are read out of base64
	regexp.MustCompile(`(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}\b`),
	regexp.MustCompile(`\b\d{10}-\d{9}\b`),                  // a mark of totals
	regexp.MustCompile(`"expiresAt":\{"Value":"\d{10}"\}`),  // of a log within a month, in seconds since 1970
	regexp.MustCompile(`"where":\{"Value":"[\w.-]+/\d+"\}`), // a host and a process of it
	regexp.MustCompile(`/partnerview-(leaks|audit)-\d+\b`),  // a folder and a file of this run's own
	regexp.MustCompile(`"Timestamp":\d{13}\b`),              // of metrics
	regexp.MustCompile(`"hoursSinceImport":[\de.-]+`),
	regexp.MustCompile(`"traceId":"1-[0-9a-f]{8}-[0-9a-f]{24}"`),
	regexp.MustCompile(`must be a whole number from 0 to \d{5}\b`), // which is a rule's, and no line's
	regexp.MustCompile(`max-age=63072000;|max-age=31536000,|X-Amz-Apigw-Id: [0-9a-f]+=?`),
	regexp.MustCompile(`("(bytes|tookMs|durationMs|decisionMs)": ?|Content-Length: )[\d.]+`),
}

// search looks for leaks in a text as it stands.
func (w *watch) search(where, text string) {
	text = asASCII(text)
	if at := strings.Index(strings.ToLower(text), "canary"); at >= 0 {
		w.leak(where, "a canary", text, at, at+6)
	}
	for _, shape := range shapes {
		text = shape.ReplaceAllString(text, "|")
	}
	for _, at := range unbroken.FindAllStringIndex(text, -1) {
		run := text[at[0]:at[1]]
		if w.operators[run] || withinWord(text, at) && !w.holds(run, w.windows, 5) {
			continue
		}
		w.leak(where, fmt.Sprintf("%d digits in a row", len(run)), text, at[0], at[1])
	}
	for _, at := range joined.FindAllStringIndex(text, -1) {
		run := strings.Map(onlyDigits, text[at[0]:at[1]])
		if w.holds(run, w.endings, 8) || w.holds(run, w.begins, 5) {
			w.leak(where, "a number in groups", text, at[0], at[1])
		}
	}
}

var (
	unbroken = regexp.MustCompile(`[0-9]{5,}`)
	joined   = regexp.MustCompile(`[0-9][0-9 ().\-\t\x{200e}\x{202a}\x{202c}]{3,}[0-9]`)
)

// holds reports whether a run of digits has one of a set's, which have so many each.
func (w *watch) holds(run string, of map[string]bool, length int) bool {
	for i := 0; i+length <= len(run); i++ {
		if of[run[i:i+length]] {
			return true
		}
	}
	return false
}

// withinWord reports whether a run has a letter or a "_" beside it.
func withinWord(text string, at []int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
	behind, _ := utf8.DecodeRuneInString(text[at[1]:])
	return unicode.IsLetter(before) || before == '_' || unicode.IsLetter(behind) || behind == '_'
}

// asASCII is a text with its digits of all scripts as ASCII, and compatible forms brought
// together.
func asASCII(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return strings.Map(asciiDigit, norm.NFKC.String(text))
		}
	}
	return text
}

// asciiDigit is a decimal digit as ASCII. Unicode has the digits of a script in tens, and
// blocks of tens without a gap between begin at a table's entry.
func asciiDigit(c rune) rune {
	if c < utf8.RuneSelf || !unicode.IsDigit(c) {
		return c
	}
	first := c
	for unicode.IsDigit(first - 1) {
		first--
	}
	return '0' + (c-first)%10
}

func onlyDigits(c rune) rune {
	if c < '0' || c > '9' {
		return -1
	}
	return c
}

// leak notes what was found, with some characters around it. All numbers are of nobody.
func (w *watch) leak(where, what, text string, from, to int) {
	around := text[max(0, from-40):min(len(text), to+40)]
	w.found[fmt.Sprintf("%s: %s: %q", where, what, strings.ToValidUTF8(around, "?"))]++
}
