package directory

import (
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
	Next      string // a SortKey; empty: there are no more
}
