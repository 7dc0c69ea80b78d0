package directory

import (
	"fmt"
	"strings"
	"time"
)

// TimeZone is an IANA name, as in "Europe/Berlin"; empty is UTC.
type TimeZone string

// ParseTimeZone checks that there is such a zone. The empty text is none.
func ParseTimeZone(s string) (TimeZone, error) {
	zone := TimeZone(s)
	if _, err := zone.Location(); err != nil || s == "" || strings.EqualFold(s, "local") {
		return "", fmt.Errorf("a time zone is an IANA name such as Europe/Berlin or UTC")
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
