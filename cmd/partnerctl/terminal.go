package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

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

// wantsColour tells whether an output is a terminal whose person has not asked
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
	clean := true
	for _, r := range text {
		clean = clean && isPrintable(r)
	}
	if clean && utf8.ValidString(text) {
		return text
	}
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

// counter tells on a terminal how far something is: told shows a number in the
// place of the one before, end takes it away. Elsewhere both do nothing.
func (s *session) counter(format string) (told func(int), end func()) {
	if !isTerminal(s.std.err) {
		return func(int) {}, func() {}
	}
	return func(n int) { fmt.Fprintf(s.std.err, "\r"+format, n) }, func() { fmt.Fprint(s.std.err, "\r\x1b[K") }
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
	return operator.Refusal(fmt.Sprintf("nothing was done: %s was not typed. In a script give --yes; --dry-run only shows", name))
}
