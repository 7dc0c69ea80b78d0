package usage

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"partnerview/internal/masking"
)

// A value that is taken has one spelling: reading that again changes nothing. What is
// refused is not repeated.
//
//fuzz:reaches values.go:ParseStatus values.go:parseWord values.go:ParseCountry values.go:ParseOperator
//fuzz:reaches values.go:Check values.go:ParseLast4 usage.go:ParseProduct usage.go:ParseAccountID id.go:ParseRecordID
func FuzzValues(f *testing.F) {
	for _, seed := range []string{
		"No-Answer", "WhatsApp", "gb", "23401", "31099", "447700", "0123", "sms", "video", "messaging", "acme_retail", "a&b.c-1", "u-1", "..", "",
		"+447700900123", "é", "ſtatus", strings.Repeat("x", 200), "1st", "ab", "\xff",
	} {
		f.Add(seed)
	}
	parsers := map[string]func(string) (string, error){
		"status": as(ParseStatus), "channel": as(ParseChannel), "category": as(ParseCategory), "country": as(ParseCountry), "operator": as(ParseOperator),
		"last4": as(ParseLast4), "product": as(ParseProduct), "account": as(ParseAccountID), "id": as(ParseRecordID),
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, parse := range parsers {
			value, err := parse(text)
			if err != nil {
				if value != "" || len(text) > 5 && masking.TellsDigits(text) && strings.Contains(err.Error(), text) {
					t.Fatalf("%s %q: %q, %v", name, text, value, err)
				}
				continue
			}
			if again, err := parse(value); err != nil || again != value || !utf8.ValidString(value) {
				t.Fatalf("%s %q is %q, and that is %q, %v", name, text, value, again, err)
			}
		}
		if err := Operator(text).Check(); err == nil && !IsMCC(text[:3]) {
			t.Fatalf("the operator %q is of no country", text)
		}
	})
}

// A time that is taken is written in one way, which is read as the same time.
//
//fuzz:reaches usage.go:ParseTime usage.go:hasTimeForm usage.go:matches usage.go:AppendTime
func FuzzTime(f *testing.F) {
	for _, seed := range []string{
		"2026-11-03T10:00:00Z", "2026-11-03t10:00:00.1239z", "2026-11-03T10:00:00+14:00", "2026-11-03T23:59:60Z", "2026-11-03T10:00:00,5Z",
		"2026-11-03T1:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2026-11-03T10:00:00.Z", "2026-11-03 10:00:00Z", "2026-11-03T10:00:00-24:00", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := ParseTime(text)
		if err != nil {
			return
		}
		written := FormatTime(at)
		again, err := ParseTime(written)
		if err != nil || !again.Equal(at) || len(written) != len(TimeLayout) {
			t.Fatalf("%q is %q, and that is %v, %v", text, written, again, err)
		}
		if standard, err := time.Parse(time.RFC3339, strings.ToUpper(text)); err != nil || standard.UTC().Truncate(time.Millisecond) != at {
			t.Fatalf("%q is %v; by the standard library %v, %v", text, at, standard, err)
		}
	})
}

// A place in a log, as cursors and keys have it, comes out as it went in; what the store has
// leaves it without the number of its record.
//
//fuzz:reaches id.go:ParsePosition id.go:splitPosition id.go:StoredPosition usage.go:ParseLogKey id.go:isHashed id.go:isUUID
func FuzzPosition(f *testing.F) {
	const at = "2026-11-03T10:00:00.120Z#"
	for _, id := range []string{
		"u-1", "~h-0123456789abcdef0123456789abcdef", "~u-1", "447700900123", "x-4477.0090-0123:1", "wamid.HBgMNDQ3NzAwOTAwMTIz", "é", "", "acme#sms",
		"00000000-0000-4000-8000-447700900123:2", "h-0123456789abcdef0123456789abcdef",
	} {
		f.Add(at+id, "acme_retail#sms")
	}
	f.Add("2026-11-03T10:00:00Z#u-1", "acme_retail")
	f.Add("yesterday#u-1", "#video")
	f.Add("u-1", "acme retail#sms")
	f.Fuzz(func(t *testing.T, text, key string) {
		if position, err := ParsePosition(text); err == nil && position.String() != text {
			t.Fatalf("%q is read as %q", text, position)
		}
		log, err := ParseLogKey(key)
		if err == nil && log.Key() != key {
			t.Fatalf("the log %q is read as %q", key, log.Key())
		}
		if err != nil {
			log = Log{"acme_retail", SMS}
		}
		var numbers masking.Endings
		numbers.Add("+447700900123")
		position, err := log.StoredPosition(text, numbers)
		if err != nil {
			return
		}
		if TellsNumber(position.ID, numbers) || IsWhatsApp(string(position.ID)) {
			t.Fatalf("%q leaves the store as %q", text, position)
		}
		if again, err := ParsePosition(position.String()); err != nil || fmt.Sprint(again) != fmt.Sprint(position) {
			t.Fatalf("%q is read as %v, %v", position, again, err)
		}
	})
}
