package importer

import (
	"fmt"
	"strings"
	"testing"

	"partnerview/internal/usage"
)

// unreadOf is what the rows of a file have unread, and the values that may be shown.
func unreadOf(rows []Row) string {
	var all []string
	for _, r := range rows {
		for _, u := range r.Unread {
			all = append(all, fmt.Sprintf("%s=%s", u.Field, u.Value))
		}
	}
	return strings.Join(all, " ")
}

// Fields that were silently null changed prices, and nobody knew.
func TestWhatCannotBeReadIsTold(t *testing.T) {
	const sms, call = "2 acme_one#sms u-1 2026-05-03T10:00:00.000Z dir=outbound", "2 acme_one#voice u-1 2026-05-03T10:00:00.000Z dir=outbound"
	for _, c := range []struct {
		name         string
		format       Format
		file         string
		want, unread string
	}{
		{"all three digits of a network", ConnectSMS, smsRow("mcc", "310", "mnc", "099"), sms + " op=310099", ""},
		{"a network that lost its 0", ConnectSMS, smsRow("mcc", "310", "mnc", "99"), sms, "operator=310 99"},
		{"one of two digits", ConnectSMS, smsRow("mcc", "234", "mnc", "1"), sms, "operator=234 1"},
		{"codes that became floats", ConnectSMS, smsRow("mcc", "310", "mnc", "15.0"), sms, "operator="},
		{"a float of fewer digits", ConnectSMS, smsRow("mcc", "", "mnc", "15.0"), sms, "operator=15.0"},
		{"a country code alone is none", ConnectSMS, smsRow("mcc", "310", "mnc", ""), sms, ""},
		{"a network without its country", ConnectSMS, smsRow("mcc", "", "mnc", "01"), sms, "operator=01"},
		{"a country that nobody knows", ConnectSMS, smsRow("country", "Nowhere"), sms, "country=Nowhere"},
		{"the same of a message", ConnectMessaging, messagingRow("country", "ZZ"), strings.Replace(sms, "#sms u-1", "#messaging u-1:1", 1), "country=ZZ"},
		{"the same of a call", ConnectVoice, voiceRow("DestinationCountry", "Nowhere", "DestinationCountryCode", "44"), call, "country=Nowhere"},
		{"a calling code of several countries", ConnectVoice, voiceRow("DestinationCountryCode", "44"), call, "country=44"},
		{"a value that is long", ConnectSMS, smsRow("country", strings.Repeat("x", 25)), sms, "country="},
		{"a number in a wrong column", ConnectSMS, smsRow("country", "447700900123"), sms, "country="},
		{"five digits of any script", ConnectSMS, smsRow("country", "٤٤٧٧٠"), sms, "country="},
		{"four digits", ConnectSMS, smsRow("country", "0123"), sms, "country=0123"},
		{"six digits of an operator", ConnectSMS, smsRow("mcc", "3101", "mnc", "50"), sms, "operator="},
		{"an amount without its currency", ConnectSMS, smsRow("price_total", "0.04"), sms, "recordedPrice=0.04"},
		{"a 0 without its currency", ConnectSMS, smsRow("price_total", "0.00"), sms, ""},
		{"a currency alone", ConnectSMS, smsRow("price_currency", "EUR"), sms, ""},
		{"a network that lost its 0, native", Native, line(`,"operator":"31099"`), bare, "operator=31099"},
	} {
		rows := readAll(t, strings.NewReader(c.file), c.format, options())
		if got, unread := described(rows), unreadOf(rows); got != c.want || unread != c.unread {
			t.Errorf("%s:\n got %s (%s)\nwant %s (%s)", c.name, got, unread, c.want, c.unread)
		}
	}
}

func TestCountriesByTheirOtherNames(t *testing.T) {
	a := newAtlas()
	for names, want := range map[string]usage.Country{
		"gb,GBR,UK,U.K.,uk,United Kingdom,Great Britain,United Kingdom of Great Britain and Northern Ireland": "GB",
		"us,USA,usa,U.S.A.,U.S.,United States,UNITED STATES OF AMERICA,The United States of America":          "US",
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
		"Macao,Macau SAR":                                                                        "MO",
		"Republic of Nowhere,Korea,States,Republic of,of,Saint,England":                          "",
	} {
		for _, name := range splitNames(names) {
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

// splitNames takes a list of names apart, of which some are in quotes.
func splitNames(list string) []string {
	records := csvRecords{lines: newLines(strings.NewReader(list)), separator: ','}
	if _, err := records.next(); err != nil {
		return nil
	}
	names := make([]string, len(records.ends))
	for i := range names {
		names[i] = records.field(i)
	}
	return names
}

func TestOperatorOfAPriceListThatNoRecordHasIsAWarning(t *testing.T) {
	const file = `priceLists:
  - accountId: acme_retail
    product: sms
    effectiveFrom: 2026-01-01T00:00:00Z
    currency: EUR
    rates:
      - {operator: "310099", unitPrice: "0.05"}
      - {operator: "31099", unitPrice: "0.99"}
`
	d, err := ParseDirectory(strings.NewReader(file), "d.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := `d.yaml:8: priceLists[0].rates[1].operator: "31099" must have an MNC of 3 digits, as all of MCC 310 have: no record has it`
	if len(d.Warnings) != 1 || d.Warnings[0].Error() != want || len(d.PriceLists) != 1 {
		t.Errorf("the warnings are %q, want %q", d.Warnings, want)
	}
}
