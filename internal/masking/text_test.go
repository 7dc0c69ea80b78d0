package masking_test

import (
	"testing"

	"partnerview/internal/masking"
)

func TestATextTellsNoMoreThanFourDigitsInARow(t *testing.T) {
	for text, want := range map[string]string{
		"sms-2026-11.csv.gz":             "sms-2026-11.csv.gz",
		"sms-20261127.csv":               "sms-****.csv",
		"447700900123":                   "****",
		"12345 1234":                     "**** 1234",
		"of +12025550123, 1234 of 54321": "of +****, 1234 of ****",
		"٤٤٧٧٠٠٩٠٠١٢٣.csv":               "****.csv",
		"Übersicht 7":                    "Übersicht 7",
		"":                               "",
	} {
		if got := masking.Text(text); got != want || masking.Text(got) != want {
			t.Errorf("%q is told as %q, and again as %q; want %q", text, got, masking.Text(got), want)
		}
	}
}
