package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// table is what a part of the bench has measured.
type table struct {
	title string
	notes []string
	head  []string
	rows  [][]string // as many texts each as the head has; the first names the row
}

// text lays a table out for a terminal.
func (t table) text() string {
	widths := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, line := range append([]string{t.title}, t.notes...) {
		b.WriteString(line + "\n")
	}
	for _, row := range append([][]string{t.head}, t.rows...) {
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

// markdown is a table as docs/performance.md has it.
func (t table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", strings.Join(append([]string{t.title}, t.notes...), "\n"))
	fmt.Fprintf(&b, "\n| %s |\n|---|%s\n", strings.Join(t.head, " | "), strings.Repeat("---:|", len(t.head)-1))
	for _, row := range t.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}
