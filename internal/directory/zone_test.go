package directory

import (
	"testing"
	_ "time/tzdata"
)

func TestParseTimeZone(t *testing.T) {
	for _, good := range []string{"UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Marquesas", "America/Argentina/Ushuaia", "Etc/GMT+5", "CET"} {
		if got, err := ParseTimeZone(good); err != nil || got.String() != good {
			t.Errorf("%q is %q, %v", good, got, err)
		}
	}
	for _, bad := range []string{"", "Local", "local", "localtime", "posixrules", "posix/Europe/Berlin", "right/UTC", "Factory", "Europe/Nowhere", "+02:00", "UTC+2", "Berlin", "../UTC", "/etc/localtime", " UTC"} {
		if got, err := ParseTimeZone(bad); err == nil {
			t.Errorf("%q is taken for %q", bad, got)
		}
	}
	if got := TimeZone("").String(); got != "UTC" {
		t.Errorf("a customer of whom no zone is said lives by %s", got)
	}
}
