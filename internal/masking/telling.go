package masking

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// telling is how many digits of a number tell it: its last eight. What stands
// before them is written in many ways, as 0044, (0) or not at all.
const telling = 8

// Endings are the last eight digits of some full numbers, by which a text is
// searched for them. They must be compared, never kept. The zero Endings are
// those of no number.
type Endings []string

// Add adds the endings of the numbers in a raw value in any form: one of each
// run of 8 to 15 digits. What holds fewer digits, as a mask or a sender's name,
// adds none.
func (e *Endings) Add(raw string) {
	if len(raw) < telling {
		return
	}
	for run := range runs(raw) {
		if len(run) >= minDigits {
			*e = append(*e, run[len(run)-telling:])
		}
	}
}

// In reports whether a text tells one of the numbers: whether the ending stands in
// one of the text's runs of at most 15 digits. Longer runs are no numbers.
func (e Endings) In(text string) bool {
	if len(e) == 0 {
		return false
	}
	for run := range runs(text) {
		for _, ending := range e {
			if strings.Contains(run, ending) {
				return true
			}
		}
	}
	return false
}

// MayEnd reports whether a text may tell the number that a mask was made of, as
// far as the mask's last four digits can show that: whether a run of 8 to 15
// digits ends in them.
func (n Number) MayEnd(text string) bool {
	last := n.Last4()
	if last == "" {
		return false
	}
	for run := range runs(text) {
		if len(run) >= minDigits && strings.HasSuffix(run, last) {
			return true
		}
	}
	return false
}

// HasFull reports whether a text holds what may be somebody's full number: a run
// of 8 to 15 digits.
func HasFull(text string) bool {
	for run := range runs(text) {
		if len(run) >= minDigits {
			return true
		}
	}
	return false
}

// runs yields the runs of digits in a text that have at most 15, as ASCII: those
// that are unbroken, and those that are joined across separators. The text is
// folded before (NFKC, and the digits of all scripts), so that a full-width or an
// Arabic digit is one, and a no-break space a space.
func runs(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var unbroken, joined run
		parts := 0 // that the joined run has
		endPart := func() bool {
			if unbroken.n > 0 {
				parts++
			}
			return unbroken.end(yield)
		}
		endAll := func() bool {
			if !endPart() {
				return false
			}
			if parts < 2 { // the same again
				joined.n = 0
			}
			parts = 0
			return joined.end(yield)
		}
		for _, c := range folded(text) {
			digit, isDigit := decimal(c)
			switch {
			case isDigit:
				unbroken.add(digit)
				joined.add(digit)
			case isSeparator(c):
				if !endPart() {
					return
				}
			case !endAll():
				return
			}
		}
		endAll()
	}
}

// run gathers digits; how many they are counts on behind those that are kept.
type run struct {
	kept [maxDigits]byte
	n    int
}

func (r *run) add(digit byte) {
	if r.n < maxDigits {
		r.kept[r.n] = digit
	}
	r.n = min(r.n+1, maxDigits+1)
}

// end yields the digits, unless there are none or too many, and begins anew.
func (r *run) end(yield func(string) bool) bool {
	n := r.n
	r.n = 0
	return n == 0 || n > maxDigits || yield(string(r.kept[:n]))
}

// folded is a text's compatibility form (NFKC).
func folded(text string) string {
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			return norm.NFKC.String(text)
		}
	}
	return text
}

// decimal is the ASCII form of a decimal digit of any script. Unicode has them in
// tens, each from its zero on.
func decimal(c rune) (digit byte, ok bool) {
	if c < utf8.RuneSelf {
		return byte(c), c >= '0' && c <= '9'
	}
	for _, r := range unicode.Nd.R16 {
		if c >= rune(r.Lo) && c <= rune(r.Hi) {
			return '0' + byte((c-rune(r.Lo))%10), true
		}
	}
	for _, r := range unicode.Nd.R32 {
		if c >= rune(r.Lo) && c <= rune(r.Hi) {
			return '0' + byte((c-rune(r.Lo))%10), true
		}
	}
	return 0, false
}

// isSeparator reports whether a character may stand within a number: space, "-",
// ".", ",", "(", ")", their kin in other scripts, and what is not seen at all, such
// as the marks of direction that address books put around numbers.
func isSeparator(c rune) bool {
	if c < utf8.RuneSelf {
		return c == ' ' || c == '-' || c == '.' || c == ',' || c == '(' || c == ')' || c >= '\t' && c <= '\r'
	}
	return unicode.In(c, unicode.Z, unicode.Pd, unicode.Cf) || strings.ContainsRune(separators, c)
}

// separators are those that no class of Unicode has. NFKC has brought most kin to
// ASCII by itself.
const separators = "\u0085" + // next line
	"\u2212\u2043\u30fc" + // minus, hyphen bullet, the long stroke of kana
	"\u00b7\u0387\u2022\u2027\u2219\u22c5\u30fb\u3002\u06d4\u0701\u0702\u1362" + // dots
	"\u060c\u066b\u066c\u3001\u055d\u1363\u1802\u1808" + // commas
	"\ufd3e\ufd3f\u2768\u2769\u276a\u276b\u2985\u2986\u2e28\u2e29" // round brackets
