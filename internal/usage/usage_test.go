package usage

import (
	"slices"
	"strings"
	"testing"
	"time"

	"partnerview/internal/masking"
)

func TestParseAccountID(t *testing.T) {
	for _, good := range []string{"acme_retail", "a.b", "A-1", "x&y", "...", strings.Repeat("a", 50)} {
		if _, err := ParseAccountID(good); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
	for _, bad := range []string{"", "ab", strings.Repeat("a", 51), "a b c", "acme/retail", "acme#sms", "acme%26", "ácme", "acme\x00", "acme*"} {
		if id, err := ParseAccountID(bad); err == nil {
			t.Errorf("%q is taken for the account %q", bad, id)
		}
	}
}

func TestParseRecordID(t *testing.T) {
	for _, good := range []string{"u-1", "00000000-0000-4000-8000-000000000201:1", strings.Repeat("x", 128), "...", ".a", "-"} {
		if _, err := ParseRecordID(good); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", 129), "a#b", "a b", "+447700900123", ".", ".."} {
		if _, err := ParseRecordID(bad); err == nil {
			t.Errorf("%q is taken for a record's id", bad)
		}
	}
}

func TestParseTimeCutsToTheMillisecondInUTC(t *testing.T) {
	cases := map[string]string{
		"2026-05-04T09:00:03.4Z":          "2026-05-04T09:00:03.400Z",
		"2026-05-04T09:00:03.999999999Z":  "2026-05-04T09:00:03.999Z",
		"2026-05-04T11:00:03+02:00":       "2026-05-04T09:00:03.000Z",
		"2026-12-31T23:30:00-01:00":       "2027-01-01T00:30:00.000Z",
		"2026-05-04t09:00:03.4z":          "2026-05-04T09:00:03.400Z",
		"2026-05-04T09:00:03-00:00":       "2026-05-04T09:00:03.000Z",
		"2026-05-04T09:00:03+23:59":       "2026-05-03T09:01:03.000Z",
		"2028-02-29T23:59:59.0000000001Z": "2028-02-29T23:59:59.000Z",
	}
	for text, want := range cases {
		got, err := ParseTime(text)
		if err != nil || FormatTime(got) != want {
			t.Errorf("ParseTime(%q) = %s, %v, want %s", text, FormatTime(got), err, want)
		}
	}
	for _, bad := range []string{"", "2026-05-04", "2026-05-04 09:00:03", "04/05/2026", "2026-13-01T00:00:00Z", "0000-06-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "1777885203",
		"2026-05-04T9:00:03Z", "2026-05-04T09:00:03,4Z", "2026-05-04T09:00:03.Z", "2026-05-04T09:00Z", "2026-05-04T09:00:03", "2026-05-04T24:00:00Z",
		"2026-06-30T23:59:60Z", "2026-02-29T00:00:00Z", "2026-05-04T09:00:03+24:00", "2026-05-04T09:00:03+02:60", "2026-05-04T09:00:03+0200",
		"2026-05-04T09:00:03+02", "2026-05-04T09:00:03+2:00", "2026-05-04T09:00:03 Z", " 2026-05-04T09:00:03Z", "2026-05-04T09:00:03Z ", "20260504T090003Z",
		"+2026-05-04T09:00:03Z", "12026-05-04T09:00:03Z", "2026-5-4T09:00:03Z", "2026-05-04T09:00:03\u2212" + "02:00", "2026-05-04T09:00:0３Z"} {
		if got, err := ParseTime(bad); err == nil {
			t.Errorf("ParseTime(%q) = %s, want an error", bad, got)
		}
	}
}

func TestPeriodIsHalfOpen(t *testing.T) {
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	one := noon.Add(time.Hour)
	p := Period{noon, one}
	for at, in := range map[time.Time]bool{noon: true, one: false, one.Add(-time.Millisecond): true, noon.Add(-time.Millisecond): false} {
		if p.Contains(at) != in {
			t.Errorf("Contains(%s) = %v, want %v", at, !in, in)
		}
	}
	if !(Period{}).Contains(noon) {
		t.Error("a period without ends leaves something out")
	}
}

// The text of a position is a key of the table: its order must be the log's.
func TestPositionsSortAsTheirTexts(t *testing.T) {
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	var inOrder []Position
	for _, id := range []RecordID{"-", ".", "1", "10", "2", "A", "a"} {
		inOrder = append(inOrder, Position{Timestamp: noon, ID: id})
	}
	inOrder = append(inOrder, Position{Timestamp: noon.Add(time.Millisecond), ID: "-"})
	var texts []string
	for _, p := range inOrder {
		texts = append(texts, p.String())
		again, err := ParsePosition(p.String())
		if err != nil || again != p {
			t.Errorf("ParsePosition(%q) = %v, %v", p.String(), again, err)
		}
	}
	if !slices.IsSorted(texts) {
		t.Errorf("the texts are not in the order of the positions: %q", texts)
	}
	for _, bad := range []string{"", "#", "u-1", "2026-05-04T12:00:00Z#u-1", "2026-05-04T12:00:00.000Z", "2026-05-04T12:00:00.000Z#", "2026-05-04T12:00:00.000Z#a b",
		"2026-05-04t12:00:00.000z#u-1", "2026-05-04T12:00:00.0000#u-1",
		"2026-05-04T12:00:00.000Z#~u-1", "2026-05-04T12:00:00.000Z#wamid.+"} {
		if p, err := ParsePosition(bad); err == nil {
			t.Errorf("ParsePosition(%q) = %v, want an error", bad, p)
		}
	}
}

func TestFilterMatches(t *testing.T) {
	r := Record{Direction: Outbound, Status: Delivered, Channel: "whatsapp", Country: "GB", From: masking.Mask("SampleCo"), To: masking.Mask("+447700900123")}
	for claim, c := range map[string]struct {
		filter Filter
		want   bool
	}{
		"no condition matches all":                  {Filter{}, true},
		"the direction must be equal":               {Filter{Direction: Inbound}, false},
		"one of several statuses is enough":         {Filter{Statuses: []Status{Read, Delivered}}, true},
		"none of several statuses is not":           {Filter{Statuses: []Status{Read, Failed}}, false},
		"one of several countries is enough":        {Filter{Countries: []Country{"DE", "GB"}}, true},
		"another channel does not match":            {Filter{Channels: []Channel{"viber"}}, false},
		"the last four are those of the mask":       {Filter{ToLast4: "0123"}, true},
		"other digits do not match":                 {Filter{ToLast4: "9001"}, false},
		"a mask without digits matches no digits":   {Filter{FromLast4: "0000"}, false},
		"all conditions must hold, not just one":    {Filter{Direction: Outbound, Countries: []Country{"DE"}}, false},
		"conditions that all hold match the record": {Filter{Direction: Outbound, Statuses: []Status{Delivered}, Channels: []Channel{"whatsapp"}, Countries: []Country{"GB"}, ToLast4: "0123"}, true},
	} {
		t.Run(claim, func(t *testing.T) {
			if got := c.filter.Matches(r); got != c.want {
				t.Errorf("%+v matches: %v, want %v", c.filter, got, c.want)
			}
		})
	}
}
