package usage

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Each parser brings what it takes to the form that records have, and says of what it
// refuses what is wanted.
func TestValuesAreReadInWhateverSpelling(t *testing.T) {
	for _, c := range []struct {
		value string
		parse func(string) (string, error)
		good  map[string]string // what is taken, and as what
		bad   []string
		want  string // part of the error
	}{
		{"a status", as(ParseStatus),
			map[string]string{"delivered": "delivered", "No-Answer": "no_answer", "in progress": "in_progress", "_": "_", strings.Repeat("s", 32): strings.Repeat("s", 32)},
			[]string{"", "status_7", "SIP 480", "zugestellt!", "é", "\u017fent", strings.Repeat("s", 33)}, "letters"},
		{"a channel", as(ParseChannel), map[string]string{"WhatsApp": "whatsapp", "a1_b": "a1_b", strings.Repeat("c", 32): strings.Repeat("c", 32)},
			[]string{"", "1st", "_a", "two words", "a-b", "é", "\u212aakao", strings.Repeat("c", 33)}, "a letter, then"},
		{"a category", as(ParseCategory), map[string]string{"Marketing": "marketing"}, []string{"", "one two"}, "a letter, then"},
		{"a country", as(ParseCountry), map[string]string{"GB": "GB", "gb": "GB", "xx": "XX"}, []string{"", "G", "GBR", "G1", "é", "49", "u\u017f"}, "two letters"},
		{"an operator", as(ParseOperator), map[string]string{"23401": "23401", "310099": "310099", "31099": "31099"},
			[]string{"", "3109", "310.0", "3100990", "３１００９９", "Operator A"}, "5 or 6 digits"},
		{"the last four", as(ParseLast4), map[string]string{"0123": "0123"}, []string{"", "123", "01234", "012a", "٠١٢٣", "+447700900123"}, "four digits"},
	} {
		for text, want := range c.good {
			if got, err := c.parse(text); got != want || err != nil {
				t.Errorf("%s, %q: %q and %v, want %q", c.value, text, got, err, want)
			}
		}
		for _, text := range c.bad {
			if got, err := c.parse(text); got != "" || !strings.Contains(fmt.Sprint(err), c.want) || len(text) > 8 && strings.Contains(err.Error(), text) {
				t.Errorf("%s, %q: %q and %v", c.value, text, got, err)
			}
		}
	}
}

// as is a parser of texts, so that parsers stand in one table.
func as[T ~string](parse func(string) (T, error)) func(string) (string, error) {
	return func(s string) (string, error) { v, err := parse(s); return string(v), err }
}

func TestOperatorsHaveAsManyDigitsAsTheirCountrysDo(t *testing.T) {
	for _, good := range []Operator{
		"310099", "23401", "26201", "20801", "208500", "338050", "33805", "00101", "001001",
	} {
		if err := good.Check(); err != nil {
			t.Errorf("%s is refused: %v", good, err)
		}
	}
	for bad, want := range map[Operator]string{
		"31099": "3 digits, as all of MCC 310", "31015": "3 digits", "234001": "2 digits, as all of MCC 234", "302720x": "5 or 6 digits", "": "5 or 6 digits",
		"99801": "an MCC that is in use", "447700": "an MCC that is in use",
	} {
		if err := bad.Check(); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q: %v, want %s", bad, err, want)
		}
	}
}

func TestWhichCountriesThereAre(t *testing.T) {
	for code, want := range map[Country]bool{"GB": true, "XK": true, "ZZ": false, "gb": false, "": false, " A": false, "D A": false} {
		if code.IsAssigned() != want || want != slices.Contains(slices.Collect(Countries()), code) {
			t.Errorf("%q is assigned: %v, want %v", code, !want, want)
		}
	}
}
