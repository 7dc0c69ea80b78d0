package importer

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"partnerview/internal/usage"
)

// A viewer's list is read line by line as each of its entries is, whatever stands in it, and
// what is wrong is told without a number.
//
//fuzz:reaches viewers.go:ParseList viewers.go:ParseListed viewers.go:ParseSubject viewers.go:ParseIssuer viewers.go:plainText faults.go:withoutNumbers
func FuzzViewers(f *testing.F) {
	for _, seed := range []string{
		"acme_retail\n# only some\nquay_market=sms, voice\n\n", "acme_retail=fax", "acme_retail=sms,sms", "acme_retail\nacme_retail", "+44 7700 900123", "４４７７００９００１２３", "",
		"#\n", "acme_retail=", "\xff\xfe", "auth0|5f2c", "a\x00b", strings.Repeat("x", 3000), "https://login.example.com/", "http://login.example.com", "https://u:p@h/?q#f", "https://",
	} {
		f.Add(seed)
	}
	number := regexp.MustCompile(`\p{Nd}{8}`)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseList(strings.NewReader(text), "list")
		var fatal *FileError
		if err != nil && !errors.As(err, &fatal) && number.MatchString(err.Error()) {
			t.Fatalf("%q: the fault tells a number: %v", text, err)
		}
		if err == nil && len(list) == 0 {
			t.Fatalf("%q is a list of nobody", text)
		}
		for _, g := range list {
			if again, err := usage.ParseAccountID(string(g.Account)); err != nil || again != g.Account || g.Line < 1 {
				t.Fatalf("%q has the account %q", text, g.Account)
			}
		}
		for name, parse := range map[string]func(string) (string, error){"subject": ParseSubject, "name": ParseViewerName, "issuer": ParseIssuer} {
			if got, err := parse(text); err == nil && (got != text || strings.ContainsAny(got, "\n\x00")) {
				t.Fatalf("the %s %q is taken as %q", name, text, got)
			}
		}
	})
}

// A country that is found is one that there is, by whatever name; times of exports are those of
// RFC 3339.
//
//fuzz:reaches country.go:find country.go:shortName country.go:simplified connect.go:parseExportTime
func FuzzCountryNames(f *testing.F) {
	for _, seed := range [][2]string{
		{"United Kingdom", "44"}, {"Republic of Malta", ""}, {"Iran (Islamic Republic of)", ""}, {"The Gambia", ""}, {"USA", "+1"}, {"côte d’ivoire", "225"}, {"Hong Kong SAR China", ""},
		{"Nowhere", "65"}, {"2026-05-06 10:00:31 UTC", "2026-05-06T10:00:31Z"}, {"2026-05-06 10:00:31", ""}, {"\xff", "\xff"}, {"447700900123", "447700900123"},
	} {
		f.Add(seed[0], seed[1])
	}
	atlas := newAtlas()
	f.Fuzz(func(t *testing.T, name, callingCode string) {
		if country := atlas.find(name, callingCode); country != "" && !country.IsAssigned() {
			t.Fatalf("%q, %q is the country %q", name, callingCode, country)
		}
		if at, err := parseExportTime(name); err == nil && at.Year() < 1 {
			t.Fatalf("%q is no time", name)
		}
	})
}
