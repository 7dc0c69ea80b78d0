package directory

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"partnerview/internal/usage"
)

func TestVisibleIsWhatIsBothEnabledAndGranted(t *testing.T) {
	p := func(words ...usage.Product) []usage.Product { return words }
	for claim, c := range map[string]struct{ enabled, granted, want []usage.Product }{
		"a grant of nothing in particular shows all":      {p(usage.Voice, usage.SMS), nil, p(usage.SMS, usage.Voice)},
		"a narrowed grant hides the rest":                 {p(usage.SMS, usage.Voice), p(usage.Voice), p(usage.Voice)},
		"a grant does not enable a product":               {p(usage.SMS), p(usage.SMS, usage.Video), p(usage.SMS)},
		"where they do not meet, nothing is shown":        {p(usage.SMS), p(usage.Video), p()},
		"the order is sms, voice, video, messaging":       {p(usage.Messaging, usage.Video, usage.Voice, usage.SMS), nil, usage.Products()},
		"a customer without products shows none, not nil": {nil, nil, p()},
	} {
		t.Run(claim, func(t *testing.T) {
			got := Visible(c.enabled, c.granted, nil, usage.Products())
			if got == nil || !slices.Equal(got, c.want) {
				t.Errorf("Visible(%v, %v) = %#v, want %v", c.enabled, c.granted, got, c.want)
			}
		})
	}
}

func TestSortKeyOrdersByNameThenAccount(t *testing.T) {
	inOrder := []string{
		SortKey("Acme", "acme_2"),
		SortKey("ACME", "acme_3"), // the same name but for its case
		SortKey("Acme Retail", "acme_1"),
		SortKey("Acme-Retail", "acme_0"),
		SortKey("Zürich", "aaa"),
		SortKey("Ägäis", "aaa"), // by bytes: not a dictionary's order, but the same everywhere
	}
	if !slices.IsSorted(inOrder) {
		t.Errorf("not in order: %q", inOrder)
	}
	long := SortKey(strings.Repeat("名", 400), "acme_retail")
	if len(long) > 1024 || !utf8.ValidString(long) || !strings.HasSuffix(long, "\x00acme_retail") {
		t.Errorf("a long name's key has %d bytes, valid %v: %q", len(long), utf8.ValidString(long), long[len(long)-20:])
	}
}

// docs/access.md shows how to find the lines of a subject that one knows.
func TestATokensKeyIDIsTheDocumentedOne(t *testing.T) {
	if got := TokenKeyID("https://login.example.com", "4f1c7d52-8a0e-4f6b-9c11-2f7f4e5d0b3a"); got != "oidc-4d81a6000c44f301" {
		t.Errorf("got %s", got)
	}
}

func TestParsePartnerID(t *testing.T) {
	for _, good := range []string{"northwind", "a1", "0-0", strings.Repeat("a", 63)} {
		if _, err := ParsePartnerID(good); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
	for _, bad := range []string{"", "a", "-ab", "North", "a_b", "a#b", strings.Repeat("a", 64)} {
		if _, err := ParsePartnerID(bad); err == nil {
			t.Errorf("%q is taken for a partner's id", bad)
		}
	}
}

// Read as "all", a "none" would show each person of a partner all of its customers.
func TestWhatSomebodySeesOfWhomNothingIsSaid(t *testing.T) {
	for text, want := range map[string]DefaultAccess{"": SeesAll, "all": SeesAll, "none": SeesNone} {
		if got, err := ParseDefaultAccess(text); got != want || err != nil {
			t.Errorf("by %q, somebody of whom nothing is said sees %q of the partner's customers, want %q: %v", text, got, want, err)
		}
	}
	for _, text := range []string{"None", "no", "all ", "false"} {
		if got, err := ParseDefaultAccess(text); err == nil {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}
