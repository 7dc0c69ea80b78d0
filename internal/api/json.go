package api

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"partnerview/internal/masking"
	"partnerview/internal/pricing"
	"partnerview/internal/problem"
	"partnerview/internal/usage"
)

// encode writes the body of an answer.
func encode(v any) ([]byte, error) {
	if v, ok := v.(jsonBody); ok {
		var w jsonWriter
		v.writeJSON(&w)
		return w.out, nil
	}
	return problem.JSON(v)
}

// jsonBody is a body with so many fields that it is worth writing them by name:
// for a page of 100 records encoding/json takes four times as long, since it
// finds out by reflection what is then written. Everything else is left to it.
type jsonBody interface{ writeJSON(*jsonWriter) }

// jsonWriter writes objects field by field, in the order of the calls. A text or
// a number that is empty or nil is null where the method says so.
type jsonWriter struct {
	out   []byte
	rates map[*pricing.Rate]rateTexts
}

func (w *jsonWriter) open(bracket byte)  { w.out = append(w.out, bracket) }
func (w *jsonWriter) close(bracket byte) { w.out = append(w.out, bracket) }

// next puts a comma before whatever is not the first in its object or list.
func (w *jsonWriter) next() {
	if last := len(w.out) - 1; last >= 0 && w.out[last] != '{' && w.out[last] != '[' {
		w.out = append(w.out, ',')
	}
}

// name begins a field; its value must follow.
func (w *jsonWriter) name(name string) {
	w.next()
	w.out = append(w.out, '"')
	w.out = append(w.out, name...)
	w.out = append(w.out, `":`...)
}

func (w *jsonWriter) null(name string) {
	w.name(name)
	w.out = append(w.out, "null"...)
}

func (w *jsonWriter) text(name, text string) {
	w.name(name)
	if !isPlain(text) {
		escaped, _ := json.Marshal(text) // a text is always JSON
		w.out = append(w.out, escaped...)
		return
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, text...)
	w.out = append(w.out, '"')
}

// isPlain tells whether a text stands in JSON as it is.
func isPlain(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (w *jsonWriter) textOrNull(name, text string) {
	if text == "" {
		w.null(name)
		return
	}
	w.text(name, text)
}

// masked writes a telephone number: nothing else may be given to write one.
func (w *jsonWriter) masked(name string, n masking.Number) { w.textOrNull(name, n.String()) }

func (w *jsonWriter) whole(name string, n int64) {
	w.name(name)
	w.out = strconv.AppendInt(w.out, n, 10)
}

func (w *jsonWriter) wholeOrNull(name string, n *int64) {
	if n == nil {
		w.null(name)
		return
	}
	w.whole(name, *n)
}

func (w *jsonWriter) time(name string, t time.Time) {
	w.name(name)
	w.out = append(w.out, '"')
	w.out = usage.AppendTime(w.out, t)
	w.out = append(w.out, '"')
}

func (w *jsonWriter) timeOrNull(name string, t time.Time) {
	if t.IsZero() {
		w.null(name)
		return
	}
	w.time(name, t)
}
