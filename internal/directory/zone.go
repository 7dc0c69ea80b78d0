package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// TimeZone is an IANA name, as in "Europe/Berlin"; empty is UTC.
type TimeZone string

// ParseTimeZone checks that there is such a zone. The empty text is none, and so is a name
// that only some machines have: that of their own clock, or of clocks with leap seconds.
func ParseTimeZone(s string) (TimeZone, error) {
	zone := TimeZone(s)
	folder, _, _ := strings.Cut(strings.ToLower(s), "/")
	ofMachines := []string{"", "local", "localtime", "posix", "posixrules", "right", "factory"}
	if _, err := zone.Location(); err != nil || slices.Contains(ofMachines, folder) {
		return "", fmt.Errorf("a time zone is an IANA name such as Europe/Berlin, America/New_York or UTC, " +
			"and no offset such as +02:00")
	}
	return zone, nil
}

// Location is the zone's clock. An error: this machine does not know the zone.
func (z TimeZone) Location() (*time.Location, error) { return time.LoadLocation(string(z)) }

// String is the zone's name, "UTC" where none was said.
func (z TimeZone) String() string {
	if z == "" {
		return "UTC"
	}
	return string(z)
}
