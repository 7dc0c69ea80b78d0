package directory

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"partnerview/internal/usage"
)

// Search finds customers by words: parts of the name or of the account ID, each of
// them somewhere in one of the two, in any order. Words end at white space alone, so
// that "a.b", "&" and "100%" are searched as they are. Both sides are compared folded:
// whatever the case, the compatibility form and, of Latin, Greek and Cyrillic letters,
// the accents. The order of customers ([SortKey]) knows nothing of it.
type Search struct{ words []string }

// NewSearch prepares a search; the empty text finds all.
func NewSearch(text string) Search {
	words := strings.Fields(text)
	for i, word := range words {
		words[i] = foldForSearch(word)
	}
	return Search{words}
}

// IsEmpty reports whether the search finds everything.
func (s Search) IsEmpty() bool { return len(s.words) == 0 }

// Finds reports whether a customer is found.
func (s Search) Finds(name string, account usage.AccountID) bool {
	if s.IsEmpty() {
		return true
	}
	name = foldForSearch(name)
	id := strings.ToLower(string(account))
	for _, word := range s.words {
		if !strings.Contains(name, word) && !strings.Contains(id, word) {
			return false
		}
	}
	return true
}

// foldForSearch is the form in which a text is compared: that of [Normalise] without the
// accents of Latin, Greek and Cyrillic, "Müller" as "muller", "Łódź" as "lodz". The marks
// of other scripts tell words apart (Arabic, Hebrew, Indic vowels, か and が), so they stay.
// The page folds alike: internal/dashboard/web/search.js.
func foldForSearch(text string) string {
	var folded strings.Builder
	accented := false // whether a mark here would be an accent
	for _, r := range norm.NFD.String(Normalise(text)) {
		if unicode.Is(unicode.Mn, r) {
			if !accented {
				folded.WriteRune(r)
			}
			continue
		}
		accented = unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic)
		if plain, ok := plainLetter(r); ok {
			folded.WriteString(plain)
		} else {
			folded.WriteRune(r)
		}
	}
	return norm.NFC.String(folded.String())
}

// plainLetter is what people write where their keyboard lacks a Latin letter that Unicode
// does not take apart: a stroke, a lost dot, a ligature. ß is "ss" by case folding.
func plainLetter(r rune) (string, bool) {
	switch r {
	case 'ø':
		return "o", true
	case 'ł':
		return "l", true
	case 'đ', 'ð':
		return "d", true
	case 'ħ':
		return "h", true
	case 'ŧ':
		return "t", true
	case 'ı':
		return "i", true
	case 'æ':
		return "ae", true
	case 'œ':
		return "oe", true
	case 'þ':
		return "th", true
	default:
		return "", false
	}
}
