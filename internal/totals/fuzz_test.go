package totals

import (
	"maps"
	"testing"
	"time"
)

// What is stored of totals comes out as it went in, or not at all.
//
//fuzz:reaches text.go:ParseSheet text.go:Lines text.go:count mark.go:ParseMark day.go:ParseDay
func FuzzStored(f *testing.F) {
	for _, seed := range []string{
		"", "outbound|delivered|GB|||rated|EUR|120|142||||5.04", "outbound|delivered|GB|||rated|EUR|120|142||||5.04\n|||||unrated||1|||||",
		"|||||unrated||1|||||\n|||||unrated||1|||||", "|||||unrated||0|||||", "|||||rated|EUR|1|||||1e3", "|||||rated|EUR|1|-1||||1", "|||||rated|EUR|1|||||x", "||||",
		"0000000012-000000034", "12-34", "9999999999-999999999", "2026-11-03", "2026-02-30", "0000-01-01", "2026-1-1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if sheet, err := ParseSheet(text); err == nil {
			again, err := ParseSheet(sheet.Text())
			same := func(a, b Sums) bool {
				return a.Amount.Equal(b.Amount) && a.Records == b.Records && a.Segments == b.Segments && a.DurationSeconds == b.DurationSeconds &&
					a.ParticipantSeconds == b.ParticipantSeconds && a.BillableSeconds == b.BillableSeconds
			}
			if err != nil || !maps.EqualFunc(sheet, again, same) {
				t.Fatalf("%q is read as %v, and again as %v, %v", text, sheet, again, err)
			}
		}
		if mark, err := ParseMark(text); err == nil && mark.String() != text {
			t.Fatalf("the mark %q is read as %v", text, mark)
		}
		if day, err := ParseDay(text); err == nil && text > "0001-01-02" && text < "9999-12-30" && (string(day) != text || day.Add(1).Add(-1) != day || !day.Period(time.UTC).Contains(day.begins(time.UTC))) {
			t.Fatalf("the day %q is read as %v", text, day)
		}
	})
}
