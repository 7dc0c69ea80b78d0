package importer

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/language"

	"partnerview/internal/usage"
)

func TestCountriesOfCalls(t *testing.T) {
	a := newAtlas()
	for _, c := range []struct {
		name, callingCode string
		want              usage.Country
	}{
		{"UNITED STATES", "1", "US"},
		{"Canada", "1", "CA"}, // the name goes before a calling code that several share
		{"", "65", "SG"},
		{"", "+852", "HK"},
		{"Viet Nam", "84", "VN"},
		{"Nowhere", "1", ""},
		{"Nowhere", "44", ""}, // shared with Guernsey, Jersey and the Isle of Man
		{"Nowhere", "7", ""},
		{"Nowhere", "6", ""},
		{"Nowhere", "659", ""},
		{"Nowhere", "60MY", ""},
		{"", "", ""},
	} {
		if got := a.find(c.name, c.callingCode); got != c.want {
			t.Errorf("%q, %q: %q, want %q", c.name, c.callingCode, got, c.want)
		}
	}
}

func TestCountriesByTheirOtherNames(t *testing.T) {
	a := newAtlas()
	for names, want := range map[string]usage.Country{
		"gb,GBR,UK,U.K.,uk,United Kingdom,united kingdom,Great Britain,United Kingdom of Great Britain and Northern Ireland": "GB",
		"us,USA,usa,U.S.A.,U.S.,United States,UNITED STATES OF AMERICA,The United States of America":                         "US",
		"Saint Lucia,St. Lucia,ST LUCIA,LCA": "LC",
		"Russian Federation,Russia,RUS":      "RU",
		"Iran,Iran (Islamic Republic of),\"Iran, Islamic Republic of\",Islamic Republic of Iran": "IR",
		"Republic of Korea,\"Korea, Republic of\",South Korea,Korea (Republic of)":               "KR",
		"Democratic People's Republic of Korea,North Korea":                                      "KP",
		"China,People's Republic of China":                                                       "CN",
		"Taiwan,Republic of China":                                                               "TW",
		"Congo,Republic of the Congo":                                                            "CG",
		"Democratic Republic of the Congo,DR Congo,COD":                                          "CD",
		"Türkiye,Turkey,TURKIYE,Republic of Türkiye":                                             "TR",
		"Czechia,Czech Republic":                                                                 "CZ",
		"Eswatini,Swaziland":                                                                     "SZ",
		"North Macedonia,Macedonia":                                                              "MK",
		"Bahamas,The Bahamas,Bahamas (the),Commonwealth of the Bahamas":                          "BS",
		"Bolivia (Plurinational State of)":                                                       "BO",
		"Netherlands,Netherlands (Kingdom of the),Kingdom of the Netherlands":                    "NL",
		"Republic of Ireland,Ireland":                                                            "IE",
		"Dominica,Commonwealth of Dominica":                                                      "DM",
		"Viet Nam,Vietnam":                                                                       "VN",
		"Singapore,sg":                                                                           "SG",
		"Hong Kong SAR China,Hong Kong":                                                          "HK",
		"Cote d'Ivoire,Côte d’Ivoire":                                                            "CI",
		"Bosnia and Herzegovina":                                                                 "BA",
		"Kosovo":                                                                                 "XK",
		"Macao,Macau SAR":                                                                        "MO",
		"Republic of Nowhere,Korea,States,Republic of,of,Saint,England":                          "",
	} {
		list, err := csv.NewReader(strings.NewReader(names)).Read() // some are in quotes
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range list {
			if got := a.find(name, ""); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	}
	for key, code := range a.byOtherName {
		if other := a.byName[key]; other != "" && other != code {
			t.Errorf("%q is %s and %s", key, other, code)
		}
		if !code.IsAssigned() {
			t.Errorf("%q stands for %q, which is none", key, code)
		}
	}
}

func TestEachCountryHasANameOfItsOwnAndEachCallingCodeACountry(t *testing.T) {
	a := newAtlas()
	if n := len(slices.Collect(usage.Countries())); n != 250 || len(a.byName) != n {
		t.Errorf("%d codes with %d names, want the 249 of ISO 3166-1 and XK", n, len(a.byName))
	}
	for code := range usage.Countries() {
		if region, err := language.ParseRegion(string(code)); err != nil || !region.IsCountry() || region.String() != string(code) {
			t.Errorf("%s is no country: %v", code, err)
		}
	}
	entries := strings.Fields(callingCodes)
	if len(entries) != len(a.byCallingCode) {
		t.Errorf("a calling code is there twice")
	}
	for _, entry := range entries {
		digits, code := entry[:len(entry)-2], entry[len(entry)-2:]
		if !usage.Country(code).IsAssigned() || countDigits(digits) != len(digits) || len(digits) < 2 || len(digits) > 3 {
			t.Errorf("%s is no calling code and country", entry)
		}
		for _, other := range entries {
			if other != entry && strings.HasPrefix(other, digits) {
				t.Errorf("%s begins as %s does", other, entry)
			}
		}
	}
}
