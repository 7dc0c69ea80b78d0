package importer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"partnerview/internal/usage"
)

// Who in a partner has customers of their own, and how a list of them is written.

const (
	maxSubject    = 1000 // characters: more than any issuer's
	maxIssuer     = 1000
	maxViewerName = 100
)

// NeedsIssuer reports whether the file has viewers who name no issuer.
func (d Directory) NeedsIssuer() bool {
	return slices.ContainsFunc(d.Partners, func(p Partner) bool {
		return slices.ContainsFunc(p.Viewers.Value, func(v Viewer) bool { return v.Issuer == "" })
	})
}

// ParseSubject reads who a token is made for, as its sub has it, to the letter: 1 to
// 1,000 characters.
func ParseSubject(text string) (string, error) { return plainText(text, maxSubject) }

// ParseViewerName reads what the operator calls a viewer: 1 to 100 characters.
func ParseViewerName(text string) (string, error) { return plainText(text, maxViewerName) }

// ParseIssuer reads an OIDC issuer, as its tokens' iss has it, to the letter: a URL
// without query and fragment.
func ParseIssuer(text string) (string, error) {
	text, err := plainText(text, maxIssuer)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsAny(text, "?# ") {
		return "", fmt.Errorf("%s is no issuer: write the URL that stands in the iss of its tokens", shown(text))
	}
	return text, nil
}

// plainText takes a text of some characters, none of them a control character.
func plainText(text string, most int) (string, error) {
	switch n := utf8.RuneCountInString(text); {
	case strings.TrimSpace(text) == "":
		return "", errors.New("must not be empty")
	case n > most:
		return "", fmt.Errorf("has %d characters; at most %d are taken", n, most)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "", errors.New("must not hold control characters such as line ends")
	}
	return text, nil
}

// ParseListed reads a customer of a viewer's list: "acme_retail", or only some of its
// products, "acme_retail=sms,voice".
func ParseListed(text string) (Grant, error) {
	id, words, some := strings.Cut(text, "=")
	account, err := usage.ParseAccountID(id)
	if err != nil {
		return Grant{}, fmt.Errorf("%s: %w", shown(id), err)
	}
	g := Grant{Account: account}
	if !some {
		return g, nil
	}
	for _, word := range strings.Split(words, ",") {
		product, err := parseProduct(strings.TrimSpace(word))
		switch {
		case err != nil:
			return Grant{}, err
		case slices.Contains(g.Products, product):
			return Grant{}, fmt.Errorf("%s is there twice", product)
		}
		g.Products = append(g.Products, product)
	}
	inOrder(g.Products)
	return g, nil
}

// ParseList reads a viewer's list, a customer a line as [ParseListed] has it. Empty lines
// and those that begin with # are passed over. The name is for faults.
//
// The error is Faults, with all that is wrong, or a [FileError]: it cannot be read, or is
// no text.
func ParseList(r io.Reader, name string) ([]Grant, error) {
	text, sample, err := unpack(r, 0)
	if err == nil {
		err = checkLook(sample, listLook)
	}
	if err != nil {
		return nil, &FileError{fmt.Errorf("read %s: %w", name, err)}
	}
	c := newChecklist(name)
	var list []Grant
	scanner := bufio.NewScanner(text)
	for line := 1; scanner.Scan(); line++ {
		entry := strings.TrimSpace(scanner.Text())
		if entry == "" || entry[0] == '#' {
			continue
		}
		g, err := ParseListed(entry)
		if err != nil {
			c.fail(line, "", "%s", err)
			continue
		}
		g.Line = line
		list = append(list, g)
	}
	if err := scanner.Err(); err != nil {
		return nil, &FileError{fmt.Errorf("read %s: %w", name, err)}
	}
	if len(list) == 0 && len(c.faults) == 0 {
		c.fail(1, "", "names no customer: a viewer's list has at least one")
	}
	given := lineBook[usage.AccountID]{}
	for _, g := range list {
		given.once(c, g.Account, g.Line, "")
	}
	return list, c.err()
}
