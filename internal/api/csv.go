package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerview/internal/masking"
	"partnerview/internal/problem"
	"partnerview/internal/spreadsheet"
	"partnerview/internal/usage"
)

// A list is answered as JSON or, to who asks for it by Accept, as CSV; what is not a
// list as JSON alone. Errors are problems, whatever a caller accepts.
const (
	jsonType = "application/json"
	csvType  = "text/csv"
	// csvContent is RFC 4180's type with its parameters.
	csvContent = "text/csv; charset=utf-8; header=present"
)

// formOf is in which of its types a route answers a request: the one that the caller
// likes better; of two that are liked equally the one that is named more closely, else
// JSON. Without Accept it is JSON. A problem.NotAcceptable: in neither.
func formOf(r *http.Request, hasCSV bool) (mediaType string, err error) {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if strings.Trim(accept, ", \t") == "" {
		return jsonType, nil
	}
	ranges := mediaRanges(accept)
	asJSON, asCSV := likingOf(jsonType, ranges), liking{}
	if hasCSV {
		asCSV = likingOf(csvType, ranges)
	}
	switch {
	case asJSON.quality == 0 && asCSV.quality == 0:
		return "", problem.NotAcceptable
	case asCSV.quality > asJSON.quality, asCSV.quality == asJSON.quality && asCSV.closeness > asJSON.closeness:
		return csvType, nil
	}
	return jsonType, nil
}

// mediaRange is one element of Accept, such as "text/*;q=0.8".
type mediaRange struct {
	name    string // "text/*"
	quality float64
}

// mediaRanges reads Accept (RFC 9110, section 12.5.1). Parameters other than q are passed
// over, and so is an element that cannot be read. A lone *, which is no media range, is
// what old HTTP clients send for */*.
func mediaRanges(accept string) []mediaRange {
	var ranges []mediaRange
	for element := range strings.SplitSeq(accept, ",") {
		name, parameters, _ := strings.Cut(element, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "*" {
			name = "*/*"
		}
		m := mediaRange{name, 1}
		readable := name != ""
		for parameter := range strings.SplitSeq(parameters, ";") {
			key, value, _ := strings.Cut(parameter, "=")
			if !strings.EqualFold(strings.TrimSpace(key), "q") {
				continue
			}
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			readable = readable && err == nil && q >= 0 && q <= 1
			m.quality = q
		}
		if readable {
			ranges = append(ranges, m)
		}
	}
	return ranges
}

// liking is how much a type is liked: by the range that names it most closely.
type liking struct {
	quality   float64
	closeness int // 3 by its name, 2 as text/*, 1 as */*
}

func likingOf(mediaType string, ranges []mediaRange) liking {
	kind, _, _ := strings.Cut(mediaType, "/")
	var best liking
	for _, m := range ranges {
		closeness := 1 + slices.Index([]string{"*/*", kind + "/*", mediaType}, m.name)
		if closeness == 0 {
			continue
		}
		if closeness > best.closeness || closeness == best.closeness && m.quality > best.quality {
			best = liking{m.quality, closeness}
		}
	}
	return best
}

// csvBody is a body that is a list, and can be answered as lines.
type csvBody interface {
	// csvName is what the file is called, without ".csv".
	csvName() string
	// csvHeader sets headers for what stands beside the list in JSON, but for nextCursor,
	// which is in Link.
	csvHeader(http.Header)
	// writeCSV writes the header line, then the lines of the list's entries.
	writeCSV(*csvWriter)
}

// encodeCSV writes the body of an answer.
func encodeCSV(body csvBody) []byte {
	var w csvWriter
	body.writeCSV(&w)
	return w.out
}

// disposition says by which name a browser keeps a file.
func disposition(body csvBody) string {
	return `attachment; filename="` + fileName(body.csvName()) + `.csv"`
}

// fileName is a name of nothing but letters, digits, "-", "_" and dots within: what any
// system takes for a file.
func fileName(name string) string {
	name = strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.':
			return c
		}
		return '_'
	}, name)
	return strings.Trim(name, ".-")
}

// csvWriter writes lines cell by cell, in the order of the calls, as RFC 4180 has them:
// what is null in JSON is empty, and each line ends with CR LF.
type csvWriter struct {
	out    []byte
	inLine bool
	rates  textsOfRates
}

// next puts a comma before whatever is not the first in its line.
func (w *csvWriter) next() {
	if w.inLine {
		w.out = append(w.out, ',')
	}
	w.inLine = true
}

func (w *csvWriter) endLine() {
	w.out = append(w.out, '\r', '\n')
	w.inLine = false
}

// header writes the names of the columns.
func (w *csvWriter) header(columns ...string) {
	for _, column := range columns {
		w.plain(column)
	}
	w.endLine()
}

// text writes what people have worded, such as a name. One that begins like a formula
// gets a ' before it.
func (w *csvWriter) text(text string) { w.plain(spreadsheet.Guard(text)) }

// plain writes what is no text of people: an id, a word of our own, a number, an amount.
// It is never changed, so that a program has it as it is.
func (w *csvWriter) plain(text string) {
	w.next()
	if !strings.ContainsAny(text, ",\"\r\n") {
		w.out = append(w.out, text...)
		return
	}
	w.out = append(w.out, '"')
	w.out = append(w.out, strings.ReplaceAll(text, `"`, `""`)...)
	w.out = append(w.out, '"')
}

// plainOrEmpty writes what is null in JSON where it is nil.
func (w *csvWriter) plainOrEmpty(text *string) {
	if text == nil {
		w.empty(1)
		return
	}
	w.plain(*text)
}

// empty writes that many empty cells.
func (w *csvWriter) empty(cells int) {
	for range cells {
		w.next()
	}
}

// masked writes a telephone number: nothing else may be given to write one.
func (w *csvWriter) masked(n masking.Number) { w.plain(n.String()) }

func (w *csvWriter) whole(n int64) {
	w.next()
	w.out = strconv.AppendInt(w.out, n, 10)
}

func (w *csvWriter) wholeOrEmpty(n *int64) {
	if n == nil {
		w.empty(1)
		return
	}
	w.whole(*n)
}

func (w *csvWriter) time(t time.Time) {
	w.next()
	if !t.IsZero() {
		w.out = usage.AppendTime(w.out, t)
	}
}
