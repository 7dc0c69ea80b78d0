package directory

import (
	"strings"
	"testing"
)

// What names a partner, a zone or a default is taken as it stands or not at all; a zone that is
// taken has a clock.
//
//fuzz:reaches directory.go:ParsePartnerID zone.go:ParseTimeZone viewer.go:ParseDefaultAccess
func FuzzNames(f *testing.F) {
	for _, seed := range []string{
		"northwind", "a-1", "North", "-a", strings.Repeat("a", 64), "", "Europe/Berlin", "UTC", "Local", "right/UTC", "../etc/passwd", "+02:00", "all", "none", "\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := ParsePartnerID(text); err == nil && (string(id) != text || strings.ContainsAny(text, "#/. ")) {
			t.Fatalf("the partner %q is taken as %q", text, id)
		}
		if zone, err := ParseTimeZone(text); err == nil {
			if _, err := zone.Location(); err != nil || zone.String() != text {
				t.Fatalf("the zone %q has no clock: %v", text, err)
			}
		}
		if access, err := ParseDefaultAccess(text); err == nil && access != SeesAll && access != SeesNone {
			t.Fatalf("the default %q is taken as %q", text, access)
		}
	})
}
