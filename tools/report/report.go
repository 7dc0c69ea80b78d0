// Package report is what the benches have in common: tables, for a terminal and for
// docs/performance.md, and the medians in them.
package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Table is what a part of the bench has measured.
type Table struct {
	Title string
	Notes []string
	Head  []string
	Rows  [][]string // as many texts each as the head has; the first names the row
}

// Text lays a table out for a terminal.
func (t Table) Text() string {
	widths := make([]int, len(t.Head))
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, line := range append([]string{t.Title}, t.Notes...) {
		b.WriteString(line + "\n")
	}
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		line := ""
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 || i == len(row)-1 {
				line += cell + space + "  "
			} else {
				line += space + cell + "  "
			}
		}
		b.WriteString("\n" + strings.TrimRight(line, " "))
	}
	return b.String() + "\n"
}

// Markdown is a table as docs/performance.md has it.
func (t Table) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", strings.Join(append([]string{t.Title}, t.Notes...), "\n"))
	fmt.Fprintf(&b, "\n| %s |\n|---|%s\n", strings.Join(t.Head, " | "), strings.Repeat("---:|", len(t.Head)-1))
	for _, row := range t.Rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}

// Median is that of a field; of an even number, the upper of the two in the middle.
func Median[T any, V int64 | float64 | time.Duration](all []T, field func(T) V) V {
	return Quantile(all, 0.5, field)
}

// Quantile is the value of a field below which a part of all lie, 0.99 for p99.
func Quantile[T any, V int64 | float64 | time.Duration](all []T, part float64, field func(T) V) V {
	values := make([]V, len(all))
	for i, one := range all {
		values[i] = field(one)
	}
	slices.Sort(values)
	return values[min(int(part*float64(len(values))), len(values)-1)]
}

// Itself is a field of what is a value already.
func Itself[V any](v V) V { return v }
