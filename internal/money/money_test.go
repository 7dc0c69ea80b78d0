package money

import (
	"strings"
	"testing"

	"golang.org/x/text/currency"
)

func TestParseIsExactAndTextIsPlain(t *testing.T) {
	cases := map[string]string{
		"0.0412":    "0.0412",
		"1520.7300": "1520.73",
		"0E-7":      "0",
		"0.0000000": "0",
		"-12.50":    "-12.5",
		"+3":        "3",
		"-0":        "0",
		"1e3":       "1000",
		"1E-18":     "0.000000000000000001",
		"1e18":      "1000000000000000000",
		"007.10":    "7.1",
		"0.1":       "0.1",
		"123456789012345678901234567890.123456789": "123456789012345678901234567890.123456789",
	}
	for text, want := range cases {
		d, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
		} else if got := Text(d); got != want {
			t.Errorf("Parse(%q) is written %q, want %q", text, got, want)
		}
	}
}

func TestParseRefusesWhatIsNoDecimal(t *testing.T) {
	long := make([]byte, 65)
	for i := range long {
		long[i] = '1'
	}
	for _, text := range []string{"", " ", "1,5", ".5", "5.", "NaN", "Infinity", "0x1F", "1e400", "1e19", "1E-19", "1e", "1e+", "--1", "+-1", "1_000", "1.2.3", "٣", "1e0000000000000000000099", string(long)} {
		if d, err := Parse(text); err == nil {
			t.Errorf("Parse(%q) = %s, want an error", text, d)
		}
	}
}

//fuzz:reaches money.go:Parse
func FuzzParse(f *testing.F) {
	for _, s := range []string{"0.0412", "1e18", "-1E-18", "1e400", "+", "9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(Text(d))
		if len(Text(d)) <= maxText && (err != nil || !again.Equal(d)) {
			t.Fatalf("Parse(%q) is written %q, which reads as %s, %v", text, Text(d), again, err)
		}
	})
}

// golang.org/x/text knows the currencies of 2017. What it has as money in use is
// known here too, but for units that only funds use, and what was withdrawn since.
func TestCurrenciesAreThoseInUse(t *testing.T) {
	const not = " ANG CUC HRK MRO SLL STD VEF ZWL USN USS CHE CHW COU MXV UYI BOV XSU XUA XDR "
	known := map[string]bool{}
	for it := currency.Query(currency.NonTender, currency.Historical); it.Next(); {
		known[it.Unit().String()] = true
	}
	for it := currency.Query(); it.Next(); {
		code := it.Unit().String()
		if !Currency(code).IsInUse() && !strings.Contains(not, " "+code+" ") {
			t.Errorf("%s is in use", code)
		}
	}
	newer := map[string]bool{"MRU": true, "SLE": true, "STN": true, "UYW": true, "VED": true, "VES": true, "XCG": true, "ZWG": true}
	seen := map[string]bool{}
	for code := range strings.FieldsSeq(currencies) {
		if seen[code] || len(code) != 3 || !known[code] && !newer[code] {
			t.Errorf("%s is no currency, or there twice", code)
		}
		seen[code] = true
	}
	for _, code := range []string{"EUR", "JPY", "VES", "XOF"} {
		if c, err := ParseCurrency(code); err != nil || !c.IsInUse() {
			t.Errorf("%s is refused", code)
		}
	}
	for _, code := range []string{"", "EURO", "eur", "EU", "DEM", "XXX", "XTS", "XAU", "ZZZ", " EU", "R J"} {
		if c, err := ParseCurrency(code); err == nil && c.IsInUse() {
			t.Errorf("%q is taken", code)
		}
	}
}
