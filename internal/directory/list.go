package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"partnerview/internal/usage"
)

// maxSortName is how many bytes of a normalised name take part in the order:
// with the account ID they fit in an index key of 1,024 bytes.
const maxSortName = 900

// Normalise is the form in which names are ordered: NFKC, full case folding, NFKC
// again. "ＡＣＭＥ Straße" and "acme STRASSE" are the same.
func Normalise(name string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name)))
}

// SortKey orders a partner's customers: by the bytes of the normalised name,
// then by account ID. The NUL between sorts below every character of a name.
func SortKey(name string, account usage.AccountID) string {
	n := Normalise(name)
	if len(n) > maxSortName {
		n = n[:maxSortName]
		for !utf8.ValidString(n) {
			n = n[:len(n)-1]
		}
	}
	return n + "\x00" + string(account)
}

// CustomerQuery asks for one page of a partner's customers.
type CustomerQuery struct {
	Search  Search
	Product usage.Product // only customers that show this product; empty: all
	Limit   int           // 1 to 100
	After   string        // a SortKey: continue behind it; empty: from the start
}

// CustomerPage is a run of a partner's customers in the order of [SortKey], each
// with its Products narrowed to what is both enabled and granted.
// Only Next tells whether there are more.
type CustomerPage struct {
	Customers []Customer
	Keys      []string // the SortKey of each
	Next      string   // a SortKey; empty: there are no more
}

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
		folded.WriteRune(r)
	}
	return norm.NFC.String(plainLetters.Replace(folded.String()))
}

// plainLetters are what people write where their keyboard lacks a Latin letter that
// Unicode does not take apart: a stroke, a lost dot, a ligature. ß is "ss" by case folding.
var plainLetters = strings.NewReplacer(
	"ø", "o", "ł", "l", "đ", "d", "ð", "d", "ħ", "h", "ŧ", "t", "ı", "i", "æ", "ae", "œ", "oe", "þ", "th",
)
