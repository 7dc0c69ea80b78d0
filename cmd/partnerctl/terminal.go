package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"partnerview/internal/operator"
)

// style is how a terminal shows a text: the number of its escape sequence.
type style string

const (
	plain  style = ""
	bold   style = "1"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

func (s style) paint(text string) string {
	if s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// styleOf is the colour of a state: green is as it should be, red is not.
func styleOf(state string) style {
	switch state {
	case "active", "in force", "ok", "add", "rated":
		return green
	case "suspended", "revoked", "failed", "remove", "unrated":
		return red
	case "expired", "change", "future", "note":
		return yellow
	}
	return plain
}

func inColour(state string) cell { return cell{state, styleOf(state)} }

// wantsColour reports whether an output is a terminal whose person has not asked
// for plain text (https://no-color.org).
func wantsColour(out io.Writer) bool {
	return isTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func isTerminal(stream any) bool {
	f, isFile := stream.(*os.File)
	return isFile && term.IsTerminal(int(f.Fd()))
}

// printable makes a text that others wrote safe to show on a terminal. What
// would steer it (escape sequences, line ends, marks that turn the direction of
// writing round) and bytes that are no text are shown by their codes: a
// customer's name can then neither hide a line nor forge one. The joiners that
// some scripts and emoji need stay.
func printable(text string) string {
	var b strings.Builder
	for rest := text; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, rest[0])
		case isPrintable(r):
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		rest = rest[size:]
	}
	return b.String()
}

func isPrintable(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return r == nonJoiner || r == joiner || !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// printableLines is printable for a text of several lines.
func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// printf prints for people. The format is ours; what it is filled with may be
// others', and is made printable.
func (s *session) printf(format string, values ...any) {
	fmt.Fprintf(s.std.out, format, printables(values)...)
}

func printables(values []any) []any {
	safe := make([]any, len(values))
	for i, v := range values {
		switch text := v.(type) {
		case error:
			v = printableLines(text.Error())
		case fmt.Stringer:
			v = printable(text.String())
		default:
			if reflect.ValueOf(v).Kind() == reflect.String {
				v = printable(reflect.ValueOf(v).String())
			}
		}
		safe[i] = v
	}
	return safe
}

// counter tells on a terminal how far something is: told shows numbers in the
// place of those before, end takes them away. Elsewhere both do nothing.
func (s *session) counter(format string) (told func(...any), end func()) {
	if !isTerminal(s.std.err) {
		return func(...any) {}, func() {}
	}
	told = func(numbers ...any) { fmt.Fprintf(s.std.err, "\r"+format, numbers...) }
	return told, func() { fmt.Fprint(s.std.err, "\r\x1b[K") }
}

// caution is what the commands take that take something away from many.
type caution struct {
	DryRun bool `help:"Show what would be done, and do nothing."`
	Yes    bool `short:"y" help:"Do not ask first; for scripts."`
}

// check refuses to ask a program.
func (c caution) check(s *session) error {
	if s.json && !c.Yes && !c.DryRun {
		return misuseError("--output json does not ask: give --yes or --dry-run too")
	}
	return nil
}

// operation is what changes much at once: what it would do is shown, a name may have
// to be typed, and then it is done.
type operation struct {
	total int          // things that would change; 0: nothing is done
	typed string       // what has to be typed; empty: nobody is asked
	show  func()       // shows people what would change
	do    func() error // does it
	// What does it, and notes in the history what it has changed.
	operator *operator.Operator
	changed  func() []operator.Change
	tidy     func() error // does what is to be done where nothing changes; nil: nothing
	counts   bool         // whoever does it counts days anew, and those that were left open
	result   any          // for programs; what do finds out is in it, behind a pointer
	// What people read at the end: where there is nothing to do, after a dry run, and
	// when all is done.
	none, dry string
	done      func() string
}

// carryOut shows an operation and, if it is no dry run, does it.
func (s *session) carryOut(by caution, op operation) error {
	var noted error
	if !s.json {
		op.show()
	}
	if op.total == 0 && op.tidy != nil && !by.DryRun {
		if err := op.tidy(); err != nil {
			return err
		}
	}
	if op.total > 0 && !by.DryRun {
		if op.typed != "" {
			if err := by.confirm(s, op.typed); err != nil {
				return err
			}
		}
		err := op.do()
		if noted = s.note(op.operator, err, op.changed()...); err != nil {
			return noted
		}
	}
	if op.counts && !by.DryRun {
		if err := s.finishCounts(); err != nil {
			return errors.Join(noted, err)
		}
	}
	return cmp.Or(s.print(op.result, func() {
		switch {
		case op.total == 0:
			fmt.Fprint(s.std.out, op.none)
		case by.DryRun:
			fmt.Fprint(s.std.out, op.dry)
		default:
			fmt.Fprint(s.std.out, op.done())
		}
	}), noted)
}

// confirm has the person type a name after they were shown what will be done.
func (c caution) confirm(s *session, name string) error {
	if c.Yes {
		return nil
	}
	fmt.Fprintf(s.std.err, "Type %s to go on: ", name)
	typed := make(chan string, 1)
	go func() { // ends with what it waits for, or with the program
		line, _ := bufio.NewReader(s.std.in).ReadString('\n') // what ends early is compared as it is
		typed <- strings.TrimSpace(line)
	}()
	select {
	case <-s.ctx.Done():
		return s.ctx.Err()
	case line := <-typed:
		if !isTerminal(s.std.in) {
			fmt.Fprintln(s.std.err) // nobody has seen the line end that was read
		}
		if line == name {
			return nil
		}
	}
	return operator.UserError(fmt.Sprintf("nothing was done: %s was not typed. In a script give --yes; "+
		"--dry-run only shows", name))
}

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

// showOr prints a table with a head, or, where it has nothing but the head, what
// there is to say instead.
func (s *session) showOr(t *textTable, empty string, values ...any) {
	if len(t.rows) == 1 {
		s.printf(empty, values...)
		return
	}
	s.show(t)
}

// progress shows how far the load of a file is: a bar on a terminal, which goes by
// the bytes read, or else a line now and then. Both tell the rate and, where the
// file's size is known, the time that is left.
type progress struct {
	out   io.Writer
	name  string
	size  int64                    // in bytes; -1: unknown
	bar   *progressbar.ProgressBar // nil where there is no terminal
	now   func() time.Time
	begun time.Time

	mu   sync.Mutex
	done int64     // bytes read
	next time.Time // when a line, or another rate, is due
}

const (
	betweenLines = 10 * time.Second
	betweenRates = time.Second
)

// newProgress begins to show; size is the file's in bytes, or -1 where that is
// unknown.
func (s *session) newProgress(name string, size int64) *progress {
	p := &progress{out: s.std.err, name: name, size: size, now: time.Now, begun: time.Now()}
	p.next = p.begun.Add(betweenLines)
	if f, ok := s.std.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.next = p.begun.Add(betweenRates)
		p.bar = newBar(f, name, size)
	}
	return p
}

func newBar(w io.Writer, name string, size int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(name),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetPredictTime(true), // time gone, and left
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(),
	)
}

// Write is told of the bytes that were read.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	p.done += int64(len(b))
	p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Add(len(b)) // a bar that cannot be drawn is no reason to stop
	}
	return len(b), nil
}

// counts is told of what became of them.
func (p *progress) counts(c operator.UsageCounts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if now.Before(p.next) {
		return
	}
	gone := now.Sub(p.begun)
	rate := float64(c.Read) / gone.Seconds()
	if p.bar != nil {
		p.next = now.Add(betweenRates)
		p.bar.Describe(fmt.Sprintf("%s: %d records, %.0f a second", p.name, c.Read, rate))
		return
	}
	p.next = now.Add(betweenLines)
	fmt.Fprintf(p.out, "%s: %d read, %d written, %d rejected, %.0f a second%s\n", p.name, c.Read, c.Written,
		c.Rejected, rate, p.left(gone))
}

// left is how long the rest of the file takes at the rate so far.
func (p *progress) left(gone time.Duration) string {
	if p.size <= 0 || p.done == 0 {
		return ""
	}
	rest := time.Duration(float64(gone) * float64(p.size-p.done) / float64(p.done))
	return fmt.Sprintf(", about %s left", max(rest, 0).Round(time.Second))
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
