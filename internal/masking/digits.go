package masking

import "strings"

// TellsDigits reports whether a text has more digits in a row than are ever told of a
// number: five or more, of any script. Separators within a number are passed over, and so
// are "_", ":", "/" and "+". The digits may be a person's number or a piece of one, of which
// another field has the rest; whoever stores or shows a text of somebody else's choice,
// and knows no better what it is, leaves such a text out. [Text] blanks the digits alone.
func TellsDigits(text string) bool {
	digits := 0
	for _, c := range folded(text) {
		if _, isDigit := decimal(c); isDigit {
			if digits++; digits > toldDigits {
				return true
			}
		} else if !isSeparator(c) && !strings.ContainsRune("_:/+", c) {
			digits = 0
		}
	}
	return false
}
