package main

import (
	"strings"
	"testing"
)

// An argument is read as what it can be, or refused; lengths and counts are never negative.
//
//fuzz:reaches arguments.go:parseTime arguments.go:parseSpan arguments.go:parseExpiry arguments.go:parseCount arguments.go:parseSeconds
//fuzz:reaches arguments.go:parseWord arguments.go:parseKeyID arguments.go:parseCredit arguments.go:parseRecordID arguments.go:parseRecorded
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{
		"90d", "2w", "1w2d3h4m5.5s", "36h", "0d", "99999w99999d", "2562047h", "-1h", "2026-11-03", "2026-11-03T10:00:00Z", "0000-01-01", "12", "-1", "9223372036854775808", "whatsapp",
		"No-Answer", "pvk_4fzyo82mXw3b_x", "4fzyo82mXw3b", "unknown", "1520.73", "1e400", "wamid.HBgM+/=", "u-1", "..", "0.0412EUR", "0.0412 EUR", "EUR", "", "+44 7700 900123", "é",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if length, err := parseSpan(text); err == nil && length < 0 {
			t.Fatalf("%q lasts %v", text, length)
		}
		if n, err := parseCount(text); err == nil && n < 0 {
			t.Fatalf("%q counts %d", text, n)
		}
		if n, err := parseSeconds(text); err == nil && n < 0 {
			t.Fatalf("%q has %d seconds", text, n)
		}
		if at, err := parseTime(text); err == nil && (at.Year() < 0 || at.Year() > 9999) {
			t.Fatalf("%q is %v", text, at)
		}
		if end, err := parseExpiry(text); err == nil && end.After < 0 {
			t.Fatalf("%q ends after %v", text, end.After)
		}
		if word, err := parseWord(text); err == nil && strings.ToLower(string(word)) != string(word) {
			t.Fatalf("%q is the word %q", text, word)
		}
		if key, err := parseKeyID(text); err == nil && !strings.Contains(text, key.id) || err != nil && len(text) > 7 && strings.Contains(err.Error(), text) {
			t.Fatalf("%q is the key %q, %v", text, key.id, err)
		}
		if id, err := parseRecordID(text); err == nil && string(id) != text {
			t.Fatalf("%q is the id %q", text, id)
		}
		_, _ = parseCredit(text)
		if price, err := parseRecorded(text); err == nil && len(price.Currency) != 3 {
			t.Fatalf("%q is the price %v", text, price)
		}
	})
}
