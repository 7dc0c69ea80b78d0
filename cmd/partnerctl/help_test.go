package main

import (
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// parserOf is the parser that run uses.
func parserOf(t *testing.T) *kong.Kong {
	t.Helper()
	parser, err := newParser(&commandLine{}, streams{strings.NewReader(""), io.Discard, io.Discard}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

// Every command shows an example that may be pasted: on one line of a narrow
// terminal, and right.
func TestEveryCommandHasHelpWithAnExampleThatCanBeTyped(t *testing.T) {
	d := newDesk(t)
	all := d.must("--help")
	leaves := parserOf(t).Model.Leaves(true)
	if len(leaves) < 24 {
		t.Errorf("there are %d commands, too few to be all", len(leaves))
	}
	for _, leaf := range leaves {
		name := strings.TrimPrefix(leaf.FullPath(), "partnerctl ")
		help := d.must(append(strings.Fields(name), "--help")...)
		_, example, found := strings.Cut(help, "\nExample: ")
		example, _, _ = strings.Cut(example, "\n")
		if !found || !strings.HasPrefix(example+" ", "partnerctl "+name+" ") || leaf.Help == "" || !strings.Contains(all, name) {
			t.Errorf("%s: the help is\n%s", name, help)
			continue
		}
		words := strings.Fields(example) // none of them has quotes
		if strings.ContainsAny(example, `"'`) || words[len(words)-1] == "" {
			t.Errorf("%s: the example %q needs a shell to be read", name, example)
		}
		if _, err := parserOf(t).Parse(words[1:]); err != nil {
			t.Errorf("%s: the example cannot be typed: %v", name, err)
		}
		if detail := leaf.Target.Addr().Interface().(kong.HelpProvider).Help(); !strings.HasSuffix(detail, "Example: "+example) {
			t.Errorf("%s: the example is cut by the terminal's width: %q", name, example)
		}
	}
}
