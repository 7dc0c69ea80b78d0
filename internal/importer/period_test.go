package importer

import (
	"strings"
	"testing"

	"partnerview/internal/usage"
)

func TestWhatLiesOutsideThePeriodIsPassedOver(t *testing.T) {
	from, err := usage.ParseTime("2026-05-03T10:00:00Z")
	if err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Period = usage.Period{From: from, To: from.AddDate(0, 0, 1)}
	at := func(time string) string { return strings.Replace(line(""), "2026-05-03T10:00:00Z", time, 1) }
	for _, c := range []struct {
		name    string
		format  Format
		file    string
		outside bool
		fault   bool
	}{
		{"its first millisecond is in it", Native, at("2026-05-03T10:00:00Z"), false, false},
		{"its end is not", Native, at("2026-05-04T10:00:00Z"), true, false},
		{"nor is the millisecond before it", Native, at("2026-05-03T09:59:59.999Z"), true, false},
		{"the last millisecond is in it", Native, at("2026-05-04T09:59:59.999Z"), false, false},
		{"what is wrong outside of it is not told", Native, strings.Replace(at("2020-05-04T10:00:00Z"), `"sms"`, `"fax"`, 1), true, false},
		{"what is wrong in it is", Native, strings.Replace(line(""), `"sms"`, `"fax"`, 1), false, true},
		{"a line without a time may lie in it", Native, at("soon"), false, true},
		{"an export goes by its column", ConnectSMS, smsRow("createdat", "2026-05-04T10:00:00Z"), true, false},
		{"a receipt goes by its status", ConnectReceipts, receipt("05-03", "05-02"), true, false},
		{"so that one may lie in it", ConnectReceipts, receipt(), false, false},
	} {
		row := readAll(t, strings.NewReader(c.file), c.format, o)[0]
		if row.Outside != c.outside || (row.Rejected != nil) != c.fault {
			t.Errorf("%s: outside %v, rejected %+v", c.name, row.Outside, row.Rejected)
		}
	}
}
