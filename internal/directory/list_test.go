package directory

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"partnerview/internal/usage"
)

// The cases hold for the page's own filters too, whose test reads the same file.
func TestSearchFoldsCaseAndAccentsAndTakesWordsInAnyOrder(t *testing.T) {
	text, err := os.ReadFile("testdata/search.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Claim, Search, Name string
		Found               bool
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if got := NewSearch(c.Search).Finds(c.Name, "no-such-0"); got != c.Found {
			t.Errorf("%s: search %q finds %q: %v, want %v", c.Claim, c.Search, c.Name, got, c.Found)
		}
	}
}

func TestSearchFindsAccountIDs(t *testing.T) {
	for _, c := range []struct {
		text    string
		account usage.AccountID
		found   bool
	}{
		{"X-1", "x-1", true},
		{"x-2", "x-1", false},
		{"x-1 acme", "X-1", true}, // one word here, one in the name
		{"b&b", "B&B", true},
		{"b.b", "B&B", false},
		{"RÉTAIL_01", "acme_retail_01", true},
		{"1 2", "acme-12", true},
	} {
		if got := NewSearch(c.text).Finds("Acme", c.account); got != c.found {
			t.Errorf("search %q finds Acme (%s): %v, want %v", c.text, c.account, got, c.found)
		}
	}
}

func TestTheOrderKnowsNothingOfFoldedAccents(t *testing.T) {
	if Normalise("Müller") != "müller" || SortKey("Łódź", "a-1") != "łódź\x00a-1" {
		t.Error("the stored sort key has changed")
	}
}

// names draws texts of the scripts that are folded and of some that are not, with marks
// wherever they may stand.
func names() *rapid.Generator[string] {
	letter := rapid.OneOf(
		rapid.RuneFrom([]rune("abzIİıßẞøŁđæŒþ.&%-_0 ")),
		rapid.RuneFrom(nil, unicode.Latin, unicode.Greek, unicode.Cyrillic),
		rapid.RuneFrom(nil, unicode.Arabic, unicode.Hebrew, unicode.Devanagari, unicode.Hiragana),
		rapid.RuneFrom([]rune("가각한국하")),
		rapid.RuneFrom(nil, unicode.Mn),
	)
	return rapid.StringOfN(letter, 1, 30, -1)
}

func TestSearchProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := names().Draw(t, "name")
		words := rapid.Permutation(strings.Fields(name)).Draw(t, "words")
		text := strings.Join(words, " ")
		withoutAccents := foldForSearch(name)
		for claim, search := range map[string]string{
			"its own words":         text,
			"a part of a word":      strings.Join(parts(t, words), " "),
			"words without accents": withoutAccents,
			"words taken apart":     norm.NFD.String(text),
			"words put together":    norm.NFC.String(text),
			"words in other forms":  norm.NFKD.String(text),
			"words in capitals":     strings.ToUpper(foldForSearch(text)),
		} {
			if !NewSearch(search).Finds(name, "x-1") {
				t.Fatalf("%s: search %q does not find %q", claim, search, name)
			}
		}
		if again := foldForSearch(withoutAccents); again != withoutAccents {
			t.Fatalf("%q is folded to %q, and that to %q", name, withoutAccents, again)
		}
	})
}

// parts cuts each word where its letters begin: a mark without its letter is another text.
func parts(t *rapid.T, words []string) []string {
	cut := slices.Clone(words)
	for i, word := range cut {
		letters := []rune(word)
		from := rapid.IntRange(0, len(letters)-1).Draw(t, "from")
		for from < len(letters) && unicode.IsMark(letters[from]) {
			from++
		}
		cut[i] = string(letters[from:])
	}
	return cut
}

func TestWhatIsFoundByMoreWordsIsFoundByFewer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name, one, other := names().Draw(t, "name"), names().Draw(t, "one"), names().Draw(t, "other")
		both := NewSearch(one+" "+other).Finds(name, "x-1")
		if each := NewSearch(one).Finds(name, "x-1") && NewSearch(other).Finds(name, "x-1"); both != each {
			t.Fatalf("%q and %q: together %v, each %v", one, other, both, each)
		}
	})
}
