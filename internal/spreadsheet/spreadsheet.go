// Package spreadsheet guards the texts of CSV files against spreadsheets, which take
// a cell that begins like a formula for one, and run it.
// https://owasp.org/www-community/attacks/CSV_Injection
package spreadsheet

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Guard is a text with a leading ' where a spreadsheet might take it for a formula:
// where it begins with = + - @, a tab or a line end, or a form of one of these that
// Unicode has for compatibility, such as the full-width ＝. So that [Unguard] has the text
// again, one that already has a ' before such a character gets another.
func Guard(text string) string {
	if beginsFormula(text) {
		return "'" + text
	}
	return text
}

// Unguard is the text that Guard was given.
func Unguard(cell string) string {
	if text, quoted := strings.CutPrefix(cell, "'"); quoted && beginsFormula(text) {
		return text
	}
	return cell
}

func beginsFormula(text string) bool {
	text = strings.TrimLeft(text, "'")
	first, size := utf8.DecodeRuneInString(text)
	if first >= utf8.RuneSelf {
		first, _ = utf8.DecodeRuneInString(norm.NFKC.String(text[:size]))
	}
	return size > 0 && strings.ContainsRune("=+-@\t\r\n", first)
}
