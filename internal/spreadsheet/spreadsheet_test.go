package spreadsheet

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTextsThatBeginLikeAFormulaAreGuarded(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"Acme Retail":                "Acme Retail",
		"=HYPERLINK(\"x\")":          "'=HYPERLINK(\"x\")",
		"+1":                         "'+1",
		"-1":                         "'-1",
		"@SUM(1)":                    "'@SUM(1)",
		"\t=1":                       "'\t=1",
		"\r=1":                       "'\r=1",
		"\n=1":                       "'\n=1",
		"＝1+1":                       "'＝1+1",
		"＋1":                         "'＋1",
		"－1":                         "'－1",
		"＠x":                         "'＠x",
		"﹣1":                         "'﹣1",
		"⁺1":                         "'⁺1",
		"'=1":                        "''=1",
		"''":                         "''",
		"'Acme":                      "'Acme",
		"a=1":                        "a=1",
		"\xff=":                      "\xff=",
		"Ärzte":                      "Ärzte",
		strings.Repeat("'", 3) + "@": strings.Repeat("'", 4) + "@",
	} {
		if got := Guard(text); got != want {
			t.Errorf("Guard(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestAGuardComesOffAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringOf(rapid.RuneFrom([]rune("'=+-@\t\r\n＝a "))), rapid.String()).Draw(t, "text")
		if got := Unguard(Guard(text)); got != text {
			t.Fatalf("%q comes back as %q", text, got)
		}
	})
}
