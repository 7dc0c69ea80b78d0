package masking

import "strings"

// toldDigits is how many digits in a row a text may tell.
const toldDigits = 4

// Text is a text that may be told where somebody else has chosen it, such as the name of a
// file: each run of five digits or more, of any script, is four stars. It is idempotent.
// What is known to be a number is masked by [Mask].
func Text(text string) string {
	var b strings.Builder
	run, digits := 0, 0 // where the run of digits begins, and how many it has
	end := func(at int) {
		if digits > toldDigits {
			b.WriteString(stars)
		} else {
			b.WriteString(text[run:at])
		}
		digits = 0
	}
	for i, c := range text {
		if _, isDigit := decimal(c); isDigit {
			if digits == 0 {
				run = i
			}
			digits++
			continue
		}
		if digits > 0 {
			end(i)
		}
		b.WriteRune(c)
	}
	if digits > 0 {
		end(len(text))
	}
	return b.String()
}
