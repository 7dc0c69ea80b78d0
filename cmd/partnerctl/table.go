package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/rivo/uniseg"
)

// textTable is rows of text in columns that are as wide as their widest cell, as
// a terminal draws it: a Chinese character takes two places, a combining accent
// none.
type textTable struct {
	indent string
	rows   [][]cell
}

// cell is a text with the style that it has where colours are wanted.
type cell struct {
	text  string
	style style
}

// newTable begins a table with the heads of its columns; none: it has no head.
func newTable(heads ...string) *textTable {
	t := &textTable{}
	if len(heads) > 0 {
		row := make([]cell, len(heads))
		for i, head := range heads {
			row[i] = cell{head, bold}
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// add adds a row of cells and of values that are written as fmt does.
func (t *textTable) add(values ...any) {
	row := make([]cell, len(values))
	for i, v := range values {
		c, styled := v.(cell)
		if !styled {
			c = cell{text: fmt.Sprint(v)}
		}
		row[i] = cell{printable(c.text), c.style}
	}
	t.rows = append(t.rows, row)
}

const betweenColumns = 2

// shortened is a name as a list shows it: one that takes more places than most
// is cut, lest it push all other columns off the screen. What shows a single
// thing, and --output json, have it whole.
func shortened(name string) string {
	name = printable(name)
	if uniseg.StringWidth(name) <= maxNameWidth {
		return name
	}
	kept, width, state := 0, 0, -1
	for rest := name; ; {
		var places int
		var character string
		character, rest, places, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if width += places; width >= maxNameWidth {
			return name[:kept] + "…"
		}
		kept += len(character)
	}
}

const maxNameWidth = 40

func (t *textTable) write(w io.Writer, colour bool) {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], uniseg.StringWidth(c.text))
		}
	}
	var out strings.Builder
	for _, row := range t.rows {
		line := t.indent
		for i, c := range row {
			text := c.text
			if colour {
				text = c.style.paint(text)
			}
			line += text + strings.Repeat(" ", widths[i]-uniseg.StringWidth(c.text)+betweenColumns)
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, _ = io.WriteString(w, out.String()) // as with every print: an output that is gone is not ours to tell
}

// show prints a table.
func (s *session) show(t *textTable) { t.write(s.std.out, s.colour) }

// table prints lines whose columns are parted by tabs.
func (s *session) table(fill func(io.Writer)) {
	var lines bytes.Buffer
	fill(&lines)
	t := newTable()
	for line := range strings.Lines(lines.String()) {
		var row []any
		for column := range strings.SplitSeq(strings.TrimSuffix(line, "\n"), "\t") {
			row = append(row, column)
		}
		t.add(row...)
	}
	s.show(t)
}
