package importer

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// times are what people and programs write for one; only the first two tell when
// it was, and the first alone is RFC 3339.
var times = []string{"2026-05-03T10:00:00Z", "2026-05-03 10:00:00 UTC", "03/05/2026 10:00", "20260503T100000Z", "1777802400"}

// One file with every kind of bad line, between good ones.
func TestAFileWithEveryKindOfBadLineLoadsTheGoodOnes(t *testing.T) {
	tenMegabytes := strings.Repeat("x", 10<<20)
	native := "\xef\xbb\xbf" + strings.Join([]string{
		strings.TrimSpace(line(`,"content":"the first, behind a byte order mark"`)) + "\r",
		strings.TrimSpace(line(`,"content":"` + "\xff\xfe" + `"`)),
		strings.TrimSpace(line(`,"content":"` + tenMegabytes + `"`)),
		strings.TrimSpace(line(`,"content":"quotes \"inside\" quotes"`)),
		strings.TrimSpace(line(`,"content":"quotes "inside" quotes"`)),
		`u-1,acme_one,1,2026-05-03T10:00:00Z,"mixed formats"`,
		"\xef\xbb\xbf" + strings.TrimSpace(line("")), // a file that was appended to another
		strings.TrimSpace(strings.Replace(line(""), times[0], times[1], 1)),
		strings.TrimSpace(strings.Replace(line(""), times[0], times[2], 1)),
		strings.TrimSpace(strings.Replace(line(""), times[0], times[3], 1)),
		strings.TrimSpace(strings.Replace(line(""), `"`+times[0]+`"`, times[4], 1)),
		strings.TrimSpace(line(`,"recordedPrice":{"amount":1e400,"currency":"EUR"}`)),
		strings.TrimSpace(strings.Replace(line(`,"durationSeconds":-5`), "sms", "voice", 1)),
		strings.TrimSpace(line(`,"to":"+447700900123"`)),
	}, "\n")
	const noTime = "timestamp: must be a time in RFC 3339, as 2026-11-03T10:00:00Z [u-1]"
	want := []string{
		bare + " dropped=content",
		"2 REJECTED : is not UTF-8 []",
		"3 REJECTED : is longer than 1048576 bytes []",
		"4" + bare[1:] + " dropped=content",
		"5 REJECTED : is not a JSON object []",
		"6 REJECTED : is not a JSON object []",
		"7 REJECTED : is not a JSON object []",
		"8 REJECTED " + noTime, "9 REJECTED " + noTime, "10 REJECTED " + noTime,
		"11 REJECTED timestamp: must be text, in quotes [u-1]",
		`12 REJECTED recordedPrice.amount: "1e400" must be a decimal number, as 0.0412 [u-1]`,
		"13 REJECTED durationSeconds: must be a whole number from 0 to 9999999 [u-1]",
		"14" + bare[1:] + " to=****0123",
	}
	rows := readAll(t, strings.NewReader(native), Native, options())
	if diff := cmp.Diff(strings.Join(want, "\n"), described(rows)); diff != "" {
		t.Errorf("NDJSON (-want +got):\n%.3000s", diff)
	}
	again := readAll(t, bytes.NewReader(gzipped([]byte(native))), Native, options())
	if described(again) != described(rows) {
		t.Error("gzipped, it reads otherwise")
	}
}

func TestAnExportWithEveryKindOfBadLineLoadsTheGoodOnes(t *testing.T) {
	call := func(at, seconds, price, content string) string {
		return "u-1," + at + ",OUTBOUND,acme_one," + seconds + "," + price + ",EUR," + content
	}
	file := "\xef\xbb\xbf" + strings.Join([]string{
		"CallId,InitiatedAt,Direction,SubAccountId,DurationInSec,TotalPriceOfCall,UnitPriceCurrency,Content",
		call(times[0], "5", "0.1", "good"),
		call(times[0], "5", "0.1", "\xff\xfe"),
		call(times[0], "5", "0.1", strings.Repeat("x", 10<<20)),
		call(times[0], "5", "0.1", "one, too many"),
		"u-1," + times[0] + ",OUTBOUND",
		call(times[0], "5", "0.1", `"quotes ""inside"" quotes"`),
		call(times[0], "5", "0.1", `"quotes "inside" quotes"`),
		strings.TrimSpace(line("")), // mixed formats
		call(times[1], "5", "0.1", "good"),
		call(times[2], "5", "0.1", ""),
		call(times[3], "5", "0.1", ""),
		call(times[4], "5", "0.1", ""),
		call(times[0], "5", "1e400", ""),
		call(times[0], "-5", "0.1", ""),
		call(times[0], "5", "0.1", `"over two`),
		`lines"`,
		call(times[0], "5", "0.1", "last"),
	}, "\r\n")
	good := func(number string) string {
		return number + " acme_one#voice u-1 2026-05-03T10:00:00.000Z dir=outbound sec=5 price=0.1EUR"
	}
	const noTime = "InitiatedAt: must be a time in RFC 3339, as 2026-11-03T10:00:00Z [u-1]"
	const columns = " REJECTED : has another number of fields than the header []"
	want := []string{
		good("2"),
		good("3"), // its content is not kept
		"4 REJECTED : is longer than 1048576 bytes []",
		"5" + columns, "6" + columns,
		good("7"),
		"8 REJECTED : has a quote that is not closed, or not doubled within quotes []",
		"9 REJECTED : has a quote that is not closed, or not doubled within quotes []",
		good("10"),
		"11 REJECTED " + noTime, "12 REJECTED " + noTime, "13 REJECTED " + noTime,
		`14 REJECTED TotalPriceOfCall: "1e400" must be a decimal number, as 0.0412 [u-1]`,
		"15 REJECTED DurationInSec: must be a whole number from 0 to 9999999 [u-1]",
		good("16"), good("18"),
	}
	if diff := cmp.Diff(strings.Join(want, "\n"), described(readAll(t, strings.NewReader(file), ConnectVoice, options()))); diff != "" {
		t.Errorf("CSV (-want +got):\n%.3000s", diff)
	}
}

// Whatever follows gzip's mark, reading ends, and no line of it is made up.
func FuzzGzip(f *testing.F) {
	whole := gzipped([]byte(line("") + line("")))
	f.Add(whole[2:])
	f.Add(whole[2:20])
	f.Add(append(bytes.Clone(whole[2:]), whole...))
	f.Add(append(bytes.Clone(whole[2:]), "trailing"...))
	f.Fuzz(func(t *testing.T, rest []byte) {
		file := append([]byte{0x1f, 0x8b}, rest...)
		rows, err := readUntilError(bytes.NewReader(file), Native, options())
		for _, r := range rows {
			if r.Rejected == nil && r.Record.ID == "" {
				t.Fatalf("%q: a row of nothing (%v)", file, err)
			}
		}
	})
}
