package masking

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func TestEndingsFindANumberInWhateverSpelling(t *testing.T) {
	for _, c := range []struct {
		claim, raw, text string
		want             bool
	}{
		{"the number itself", "+447700900123", "447700900123", true},
		{"an international prefix is not part of it", "00447700900123", "447700900123", true},
		{"nor is a trunk prefix in brackets", "+44 (0)7700 900123", "447700900123", true},
		{"the national form tells it too", "+44 7700 900123", "07700900123", true},
		{"and without its trunk prefix", "+12025550104", "2025550104", true},
		{"the address of an app", "447700900123:15@s.whatsapp.net", "447700900123-3EB0", true},
		{"the first of two numbers", "+447700900123 +447700900124", "447700900123", true},
		{"the second of two numbers", "+447700900123/+447700900124", "447700900124", true},
		{"no-break spaces", "+44\u00a07700\u00a0900123", "447700900123", true},
		{"no-break hyphens", "+44\u20117700\u2011900123", "447700900123", true},
		{"full-width digits", "\uff0b\uff14\uff14\uff17\uff17\uff10\uff10\uff19\uff10\uff10\uff11\uff12\uff13", "447700900123", true},
		{"Arabic digits", "+٤٤٧٧٠٠٩٠٠١٢٣", "447700900123", true},
		{"marks of direction around it", "\u202a+44\u200e7700\u200e900123\u202c", "447700900123", true},
		{"commas within it", "4477,0090,0123", "447700900123", true},
		{"an ideographic comma within it", "447700\u3001900123", "447700900123", true},
		{"the text has separators", "+447700900123", "a-44.7700-900123:1", true},
		{"the text has full-width digits", "+447700900123", "７７００９００１２３", true},
		{"eight digits are enough", "20255501", "x20255501", true},
		{"the ending within a longer run", "+447700900123", "m447700900123001", true},
		{"a date behind the number", "+447700900123", "447700900123-20261120", true},
		{"seven digits are no number", "2025550", "2025550", false},
		{"sixteen digits are no number", "4477009001234567", "4477009001234567", false},
		{"a run of sixteen tells none", "+447700900123", "4477009001230001", false},
		{"nor does a joined one", "+447700900123", "4477-0090-0123-0001", false},
		{"an underscore ends a run", "+447700900123", "4477_0090_0123", false},
		{"a colon ends a run", "+447700900123", "44770:0900123", false},
		{"another number", "+447700900123", "447700900124", false},
		{"the last seven digits alone", "+447700900123", "x0900123", false},
		{"a mask has no ending", "****0123", "447700900123", false},
		{"a number masked by somebody else has none", "+44770xxx0123", "447700900123", false},
		{"a sender's name has none", "SampleCo", "447700900123", false},
		{"nothing has none", "", "447700900123", false},
	} {
		t.Run(c.claim, func(t *testing.T) {
			var e Endings
			e.Add(c.raw)
			if got := e.In(c.text); got != c.want {
				t.Errorf("%q tells %q: %v, want %v", c.text, c.raw, got, c.want)
			}
		})
	}
}

func TestAMaskShowsWhatMayEndInItsDigits(t *testing.T) {
	for text, want := range map[string]bool{
		"447700900123": true, "a-4477.0090-0123:1": true, "447700900123-3EB0": true, "99990123": true,
		"9990123": false, "447700900124": false, "447700900123001": false, "4477009001230123": false, "u-0123": false, "": false,
	} {
		if got := Mask("+447700900123").MayEnd(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	if Mask("SampleCo").MayEnd("447700900123") || (Number{}).MayEnd("447700900123") {
		t.Error("a mask without digits shows nothing")
	}
	if !HasFull("a-4477.0090-0123:1") || HasFull("u-4477009") || HasFull("4477009001234567") {
		t.Error("HasFull")
	}
}

// slowRuns is the rule of docs/formats.md word by word: every stretch of a text
// that is digits, or digits with separators between them, and cannot be longer.
func slowRuns(text string) (found []string) {
	letters := []rune(norm.NFKC.String(text))
	digit := func(c rune) (byte, bool) {
		if !unicode.Is(unicode.Nd, c) {
			return 0, false
		}
		zero := c
		for unicode.Is(unicode.Nd, zero-1) {
			zero--
		}
		return fmt.Sprint((c - zero) % 10)[0], true
	}
	for _, separated := range []bool{false, true} {
		within := func(i int) bool {
			if i < 0 || i >= len(letters) {
				return false
			}
			_, ok := digit(letters[i])
			return ok || separated && isSeparator(letters[i])
		}
		for i := range letters {
			if !within(i) || within(i-1) {
				continue
			}
			var digits []byte
			for j := i; within(j); j++ {
				if d, ok := digit(letters[j]); ok {
					digits = append(digits, d)
				}
			}
			if n := len(digits); n > 0 && n <= 15 {
				found = append(found, string(digits))
			}
		}
	}
	return found
}

func slowlyTells(text, raw string) bool {
	for _, number := range slowRuns(raw) {
		if len(number) < 8 {
			continue
		}
		for _, run := range slowRuns(text) {
			if strings.Contains(run, number[len(number)-8:]) {
				return true
			}
		}
	}
	return false
}

//fuzz:reaches telling.go:Add telling.go:In telling.go:runs telling.go:decimal
func FuzzEndings(f *testing.F) {
	f.Add("+44 (0)7700 900123", "a-44.7700-900123:1")
	f.Add("+447700900123 +447700900124", "447700900124-3EB0")
	f.Add("７７００９００１２３", "٧٧٠٠٩٠٠١٢٣")
	f.Add("447700900123:15@s.whatsapp.net", "4477009001230001")
	f.Add("\U0001d7e07700900123", "\U0001d7d87700900123")
	f.Add("\u202a+44\u200b7700\ufeff900123\u202c", "7700 900123,1")
	f.Add("20255501", "2025-5501\xff")
	f.Fuzz(func(t *testing.T, raw, text string) {
		var e Endings
		e.Add(raw)
		if got, want := e.In(text), slowlyTells(text, raw); got != want {
			t.Fatalf("%q tells %q: %v, want %v", text, raw, got, want)
		}
		fast, slow := slices.Collect(runs(text)), slowRuns(text)
		slices.Sort(fast)
		slices.Sort(slow)
		if fast, slow = slices.Compact(fast), slices.Compact(slow); !slices.Equal(fast, slow) {
			t.Fatalf("the runs of %q are %q, want %q", text, fast, slow)
		}
	})
}

// What NFKC leaves is still a digit or a separator where people take it for one.
func TestSeparatorsHaveTheirKin(t *testing.T) {
	kin := map[string]string{
		"space":   " \t\u00a0\u1680\u2002\u2007\u2009\u200a\u202f\u205f\u3000\u200b\u2060\ufeff",
		"hyphen":  "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2e3a\ufe58\ufe63\uff0d",
		"point":   ".\u00b7\u2024\u3002\uff0e\uff61\ufe52\u06d4",
		"comma":   ",\u060c\u066b\u066c\u3001\ufe50\uff0c\uff64",
		"bracket": "()\ufd3e\ufd3f\u207d\u207e\u208d\u208e\ufe59\ufe5a\uff08\uff09\u2768\u2769",
	}
	for name, characters := range kin {
		for _, c := range characters {
			if got := slices.Collect(runs("4477" + string(c) + "0090")); !slices.Contains(got, "44770090") {
				t.Errorf("%s %U does not separate: %q", name, c, got)
			}
		}
	}
	for _, c := range "+/_:;@#*|xO\u00d7" {
		if got := slices.Collect(runs("4477" + string(c) + "0090")); slices.Contains(got, "44770090") {
			t.Errorf("%U separates", c)
		}
	}
	n := 0
	for c := rune(0); c <= unicode.MaxRune; c++ {
		if unicode.Is(unicode.Nd, c) {
			d, ok := decimal(c)
			if want := byte('0' + n%10); !ok || d != want {
				t.Fatalf("%U is %c, want %c", c, d, want)
			}
			n++
		}
	}
}
