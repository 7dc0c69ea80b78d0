package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"partnerview/internal/problem"
	"partnerview/internal/usage"
)

// params reads a request's query and gathers every fault in it, so that a
// caller mends all at once.
//
// The methods that read a parameter see only what has passed the checks of
// readParams: a value is never empty, and of a parameter that does not repeat there
// is one. A parameter that has not passed is to them as if it had not been sent.
type params struct {
	path   string
	values url.Values // those that passed
	errors []problem.ParameterError
	// unacceptable is set where the caller accepts none of the types that the route has.
	unacceptable error
}

// maxRepeats is how often: DynamoDB compares with at most 100 values.
const maxRepeats = 100

// readParams checks what is common to all parameters: that the route and the
// product have them, that they have a value, and that a single one comes once. It also
// checks that the route has a type which the caller accepts.
func readParams(r *http.Request, route Route) *params {
	p := &params{path: r.URL.Path, values: make(url.Values)}
	known := route.Parameters
	_, p.unacceptable = formOf(r, route.CSV)
	sent, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		p.reject("query", "is not a well-formed query string: separate parameters with &, "+
			"and percent-encode other characters")
	}
	for name, values := range sent {
		switch {
		case !slices.Contains(known, name):
			p.reject(clip(name), "is not a parameter here; there "+listOf(known))
		case slices.Contains(values, ""):
			p.reject(name, "has no value; give it one or leave it out")
		case len(values) > 1 && !slices.Contains(route.Repeatable, name):
			p.reject(name, "is given more than once; give it once")
		case len(values) > maxRepeats:
			p.reject(name, fmt.Sprintf("is given more than %d times", maxRepeats))
		default:
			p.values[name] = values
		}
	}
	return p
}

func listOf(known []string) string {
	if len(known) == 0 {
		return "are none"
	}
	return "are " + strings.Join(known, ", ")
}

// clip shortens a name that a caller made up, and leaves out what could be a
// person's: digits of any script beyond four.
func clip(name string) string {
	const most = 40
	digits := 0
	return strings.Map(func(c rune) rune {
		if unicode.IsDigit(c) {
			if digits++; digits > 4 {
				return '*'
			}
		}
		return c
	}, strings.ToValidUTF8(name[:min(len(name), most)], ""))
}

func (p *params) reject(parameter, detail string) {
	p.errors = append(p.errors, problem.ParameterError{Parameter: parameter, Detail: detail})
}

// err is the problem that names every fault, in the order of the parameters'
// names, or says that the answer would be of no type that the caller accepts; nil where
// there is none.
func (p *params) err() error {
	if len(p.errors) == 0 {
		return p.unacceptable
	}
	slices.SortStableFunc(p.errors, func(a, b problem.ParameterError) int {
		return strings.Compare(a.Parameter, b.Parameter)
	})
	return problem.Invalid(p.errors)
}

// text reads a text of at most so many bytes.
func (p *params) text(name string, most int) string {
	s := p.values.Get(name)
	if len(s) > most {
		p.reject(name, fmt.Sprintf("is longer than %d bytes", most))
		return ""
	}
	return s
}

// limit reads how many entries a page may have.
func (p *params) limit(standard, most int) int {
	s := p.values.Get("limit")
	if s == "" {
		return standard
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most || s[0] == '+' {
		p.reject("limit", fmt.Sprintf("is a whole number from 1 to %d", most))
		return standard
	}
	return n
}

// oneOf reads one of a few words; standard where it is absent.
func (p *params) oneOf(name, standard string, words ...string) string {
	s := p.values.Get(name)
	if s == "" {
		return standard
	}
	if !slices.Contains(words, s) {
		p.reject(name, "is one of "+strings.Join(words, ", "))
		return standard
	}
	return s
}

// instant reads an RFC 3339 time, or a date, which is its midnight in UTC.
func (p *params) instant(name string) time.Time {
	s := p.values.Get(name)
	if s == "" {
		return time.Time{}
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil && day.Year() > 0 {
		return day
	}
	t, err := usage.ParseTime(s)
	if err != nil {
		p.reject(name, "is a date such as 2026-11-03 (midnight UTC) or an RFC 3339 time such as "+
			"2026-11-03T10:00:00Z (write + as %2B)")
	}
	return t
}

// period reads from and to, half-open.
func (p *params) period() usage.Period {
	period := usage.Period{From: p.instant("from"), To: p.instant("to")}
	if !period.From.IsZero() && !period.To.IsZero() && !period.From.Before(period.To) {
		p.reject("to", "must be later than from: the period runs from from until just before to")
	}
	return period
}

// words reads a repeatable parameter, each value brought to its stored form.
func words[T ~string](p *params, name, want string, parse func(string) (T, error)) []T {
	var words []T
	for _, v := range p.values[name] {
		w, err := parse(v)
		if err != nil {
			p.reject(name, want)
			return nil
		}
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	return words
}

// last4 reads four digits. A longer run of digits is refused without saying it
// again.
func (p *params) last4(name string) usage.Last4 {
	s := p.values.Get(name)
	if s == "" {
		return ""
	}
	last, err := usage.ParseLast4(s)
	if err != nil {
		p.reject(name, err.Error())
	}
	return last
}

// A cursor is a version, a check and the last entry's key, in base64url. The
// check is a truncated SHA-256 over the path, the filters as they were sent and
// the key. It is no signature, and needs none: a cursor has no power, since the
// log always comes from the path and the partner from the authorizer. It tells
// a damaged cursor, or one of another list, from a good one. To clients it is opaque;
// only our own page reads the time out of a log's key (timeOfCursor in web/log.js).
const (
	cursorVersion = 1
	checkBytes    = 12
	maxCursor     = 2048
)

// seal makes the cursor of a key of this request's list.
func (p *params) seal(key string) string {
	raw := append([]byte{cursorVersion}, p.check(key)...)
	return base64.RawURLEncoding.EncodeToString(append(raw, key...))
}

// open reads the key from the request's cursor; empty where there is none. It is
// called when all other parameters have been read: where one of them is at fault,
// nobody can say what list the cursor is of, and only its form is judged.
func (p *params) open() string {
	text := p.values.Get("cursor")
	if text == "" {
		return ""
	}
	const start = 1 + checkBytes
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text[:min(len(text), maxCursor)])
	if err != nil || len(raw) <= start || raw[0] != cursorVersion {
		p.badCursor()
		return ""
	}
	if len(p.errors) > 0 {
		return ""
	}
	if subtle.ConstantTimeCompare(raw[1:start], p.check(string(raw[start:]))) != 1 {
		p.badCursor()
		return ""
	}
	return string(raw[start:])
}

func (p *params) badCursor() {
	p.reject("cursor",
		"is not one of this list: send nextCursor unchanged, with the same path and filters as before; "+
			"only limit may change")
}

func (p *params) check(key string) []byte {
	filters := maps.Clone(p.values)
	delete(filters, "limit")
	delete(filters, "cursor")
	h := sha256.New()
	for _, part := range []string{p.path, filters.Encode(), key} {
		h.Write([]byte{cursorVersion, byte(len(part) >> 8), byte(len(part))})
		h.Write([]byte(part))
	}
	return h.Sum(nil)[:checkBytes]
}

// nextLink is the Link header of a page: the same request with another cursor,
// relative to this one, so that it holds behind any stage or domain.
func nextLink(r *http.Request, cursor string) string {
	values := maps.Clone(r.URL.Query())
	values["cursor"] = []string{cursor}
	return "<?" + url.Values(values).Encode() + `>; rel="next"`
}
