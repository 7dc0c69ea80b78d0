package masking

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"
)

func TestMask(t *testing.T) {
	cases := []struct{ claim, raw, want string }{
		{"an E.164 number keeps its last four", "+447700900123", "****0123"},
		{"a number without its plus does too", "447700900123", "****0123"},
		{"separators are passed over", "+44 (0)7700-900.123", "****0123"},
		{"a bracket may stand before the plus", "(+44) 7700 900123", "****0123"},
		{"eight digits are the fewest", "20255501", "****5501"},
		{"seven digits are too few", "2025550", "****"},
		{"fifteen digits are the most", "447700900123456", "****3456"},
		{"sixteen digits are too many", "4477009001234567", "****"},
		{"the mask does not tell the length", "12025550147", "****0147"},
		{"a second plus is no number", "++447700900123", "****"},
		{"a plus between digits is no number", "44+7700900123", "****"},
		{"a plus behind is no number", "447700900123+", "****"},
		{"a sender's name shows nothing", "SampleCo", "****"},
		{"a short code shows nothing", "12345", "****"},
		{"an e-mail address shows nothing", "jo7700900123@example.com", "****"},
		{"a number masked in another form has no last four", "+44770090xxxx", "****"},
		{"a number masked with stars before it too", "*******0123", "****"},
		{"our own mask stays as it is", "****0123", "****0123"},
		{"our own bare mask stays as it is", "****", "****"},
		{"our mask with a letter in it is not ours", "****01a3", "****"},
		{"our mask with a digit more is not ours", "****01234", "****"},
		{"a spreadsheet's float shows nothing", "447700900118.0", "****"},
		{"nor does it with a plus and a blank behind", "+447700900118.0 ", "****"},
		{"a group of two zeros is a number's own", "+44 7700 90.01.00", "****0100"},
		{"Arabic-Indic digits show nothing", "+٤٤٧٧٠٠٩٠٠١٢٣", "****"},
		{"full-width digits show nothing", "４４７７００９００１２３", "****"},
		{"a no-break space is no separator", "+44\u00a07700\u00a0900123", "****"},
		{"a tab is no separator", "447700\t900123", "****"},
		{"a letter O is no zero", "4477OO900123", "****"},
		{"bytes that are no text show nothing", "\xff\xfe447700900123", "****"},
		{"nothing is no number", "", ""},
		{"blanks are no number", " \t\u00a0\n", ""},
	}
	for _, c := range cases {
		t.Run(c.claim, func(t *testing.T) {
			n := Mask(c.raw)
			if n.String() != c.want {
				t.Errorf("Mask(%q) = %q, want %q", c.raw, n, c.want)
			}
			if n.IsNull() != (c.want == "") {
				t.Errorf("IsNull() = %v for %q", n.IsNull(), c.want)
			}
			wantLast := ""
			if len(c.want) == 8 {
				wantLast = c.want[4:]
			}
			if n.Last4() != wantLast {
				t.Errorf("Last4() = %q, want %q", n.Last4(), wantLast)
			}
		})
	}
}

func TestNumberIsWrittenAsJSONTextOrNull(t *testing.T) {
	got, err := json.Marshal([]Number{Mask("+12025550147"), Mask("SampleCo"), Mask(""), {}})
	if err != nil {
		t.Fatal(err)
	}
	if want := `["****0147","****",null,null]`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Whatever goes in, what comes out is null, the bare mask, or the mask with the
// last four ASCII digits of the input, and masking it again changes nothing.
//
//fuzz:reaches masking.go:Mask masking.go:Digits masking.go:isMask
func FuzzMask(f *testing.F) {
	for _, s := range []string{"+447700900123", "****0123", "", " ", "+44770090xxxx", "(202) 555-0147", "447700900118.0", "٤٤٧٧٠٠٩٠٠١٢٣", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		n := Mask(raw)
		if again := Mask(n.String()); again != n {
			t.Fatalf("Mask(%q) = %q, and masked again %q", raw, n, again)
		}
		switch s := n.String(); {
		case s == "":
			if strings.TrimFunc(raw, unicode.IsSpace) != "" {
				t.Fatalf("Mask(%q) is null, but something was there", raw)
			}
		case s == "****":
		case len(s) == 8 && strings.HasPrefix(s, "****"):
			digits := strings.Map(func(c rune) rune {
				if c >= '0' && c <= '9' {
					return c
				}
				return -1
			}, raw)
			if !strings.HasSuffix(digits, s[4:]) {
				t.Fatalf("Mask(%q) = %q, which are not its last digits", raw, s)
			}
		default:
			t.Fatalf("Mask(%q) = %q, which is no mask", raw, s)
		}
	})
}

func ExampleMask() {
	for _, raw := range []string{"+44 7700 900123", "SampleCo", "****0123", "+44770090xxxx"} {
		fmt.Printf("%-16s %s\n", raw, Mask(raw))
	}
	// Output:
	// +44 7700 900123  ****0123
	// SampleCo         ****
	// ****0123         ****0123
	// +44770090xxxx    ****
}
