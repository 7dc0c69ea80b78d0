package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
)

func TestColumnsStandInLineWhateverTheScript(t *testing.T) {
	table := newTable("name", "x")
	for _, name := range []string{"Acme", "東京商事", "Cafe\u0301", "👩‍👩‍👧 Söhne", "ﾊﾝｶｸ"} {
		table.add(name, "|")
	}
	var out bytes.Buffer
	table.write(&out, false)
	// As a terminal draws it: a Chinese character and an emoji take two places, a
	// combining accent and the parts of an emoji none.
	want := "name      x\n" +
		"Acme      |\n" +
		"東京商事  |\n" +
		"Cafe\u0301      |\n" +
		"👩‍👩‍👧 Söhne  |\n" +
		"ﾊﾝｶｸ      |\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLongNamesAreCutBetweenCharacters(t *testing.T) {
	for name, want := range map[string]string{
		"Acme":                           "Acme",
		strings.Repeat("x", 40):          strings.Repeat("x", 40),
		strings.Repeat("x", 41):          strings.Repeat("x", 39) + "…",
		strings.Repeat("東", 20):          strings.Repeat("東", 20),
		strings.Repeat("東", 21):          strings.Repeat("東", 19) + "…", // 38 places and one: another would make 41
		strings.Repeat("e\u0301", 50):    strings.Repeat("e\u0301", 39) + "…",
		strings.Repeat("👩‍👩‍👧", 21):      strings.Repeat("👩‍👩‍👧", 19) + "…",
		strings.Repeat("x", 38) + "\x1b": strings.Repeat("x", 38) + `\…`,
	} {
		if got := shortened(name); got != want {
			t.Errorf("%q is shown as %q, want %q", name, got, want)
		}
	}
}

func TestPrintableLeavesNothingThatSteersATerminal(t *testing.T) {
	for text, want := range map[string]string{
		"Acme Größe 東京 👩‍👧":  "Acme Größe 東京 👩‍👧",
		"a\x1b[2Jb":          `a\x1b[2Jb`,
		"a\r\nb\tc":          `a\x0d\x0ab\x09c`,
		"a\u009b31mb":        `a\u009b31mb`, // the one-byte form of an escape sequence
		"gpj.\u202eexe":      `gpj.\u202eexe`,
		"a\u2028b\u2066c":    `a\u2028b\u2066c`,
		"bad \xff\xfe bytes": `bad \xff\xfe bytes`,
		"a\x00\x7f":          `a\x00\x7f`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is printed as %q, want %q", text, got, want)
		}
	}
}

// Whatever the text: what is printed is text, on one line, and says the same when
// it is made printable again.
func TestWhateverIsMadePrintableIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		for _, got := range []string{printable(text), shortened(text)} {
			if !utf8.ValidString(got) || printable(got) != got || strings.ContainsFunc(got, unicode.IsControl) {
				t.Fatalf("%q is printed as %q", text, got)
			}
		}
		if width := uniseg.StringWidth(shortened(text)); width > maxNameWidth {
			t.Fatalf("%q is cut to %d places", text, width)
		}
	})
}

// Whoever named a customer or a partner cannot write to the operator's terminal.
func TestNamesReachTheTerminalOnlyAsText(t *testing.T) {
	d := newDeskWithDirectory(t)
	hostile := "Evil\x1b]0;owned\x07\n\u202eGmbH"
	store := dynamo.NewStore(engine.Client(t), d.tables)
	for _, err := range []error{
		store.PutPartner(t.Context(), directory.Partner{ID: "hostile", Name: hostile, Status: directory.Active}),
		store.PutCustomer(t.Context(), directory.Customer{Account: "evil", Name: hostile, Products: products([]string{"sms"}), Currency: "EUR", SubAccounts: []string{hostile},
			Credit: directory.Credit{Mode: directory.Prepaid}}),
		store.PutGrant(t.Context(), directory.Grant{Partner: "hostile", Account: "evil", CustomerName: hostile}),
	} {
		check(t, err)
	}
	d.must("key", "create", "--partner", "hostile", "--label", "x")
	rename := d.write("rename.yaml", "customers: [{accountId: evil, name: Good}]")
	for _, args := range [][]string{
		{"partner", "list"}, {"partner", "show", "hostile"}, {"grant", "list", "--partner", "hostile"}, {"customer", "list"},
		{"customer", "show", "evil"}, {"apply", "-f", rename, "--dry-run"}, {"customer", "set-credit", "evil", "--remaining", "1", "--dry-run"},
	} {
		out := d.must(args...)
		if strings.ContainsAny(out, "\x1b\x07\u202e") || !strings.Contains(out, `Evil\x1b]0;owned\x07\x0a\u202eGmbH`) && args[1] != "set-credit" {
			t.Errorf("partnerctl %s says %q", strings.Join(args, " "), out)
		}
	}
}
