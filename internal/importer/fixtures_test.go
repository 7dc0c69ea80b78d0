package importer

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// The records of the three sample exports, worked out by hand from the files and
// their README. Masked endpoints (+44770090xxxx, 658000xxxx) have no last four.
var fixtureRecords = []struct {
	file   string
	format Format
	want   string
}{
	{"8x8-sms-log.csv", ConnectSMS, `
2 acme_one#sms 00000000-0000-4000-8000-000000000101 2026-05-04T09:00:03.400Z dir=outbound status=delivered at=2026-05-04T09:00:07.120Z from=**** to=**** in=GB op=23401 seg=1 price=0.0412EUR
3 acme_one#sms 00000000-0000-4000-8000-000000000102 2026-05-04T09:01:02.050Z dir=outbound status=delivered at=2026-05-04T09:01:12.000Z from=**** to=**** in=GB op=23402 seg=3 price=0.1236EUR
4 acme_one#sms 00000000-0000-4000-8000-000000000103 2026-05-04T09:02:31.770Z dir=outbound status=undelivered at=2026-05-04T09:02:40.900Z err=43 from=****0100 to=**** in=US op=310099 seg=1 price=0.0083EUR
5 acme_one#sms 00000000-0000-4000-8000-000000000104 2026-05-04T09:05:00.000Z dir=outbound status=undelivered at=2026-05-04T11:10:00.000Z err=46 from=****0100 to=**** in=US op=310099 seg=2 price=0EUR
6 acme_one#sms 00000000-0000-4000-8000-000000000105 2026-05-31T23:59:58.010Z dir=outbound status=sent at=2026-05-31T23:59:59.990Z from=**** to=**** in=SG op=52503 seg=1 price=0.0339EUR
7 acme_one#sms 00000000-0000-4000-8000-000000000106 2026-06-01T00:00:00.000Z dir=outbound status=queued at=2026-06-01T00:00:00.000Z from=**** to=**** in=SG op=52503 seg=1 price=0.0339EUR
8 acme_one#sms 00000000-0000-4000-8000-000000000107 2026-06-01T08:30:00.500Z dir=outbound status=rejected at=2026-06-01T08:30:00.500Z err=15 from=**** to=**** seg=1
9 acme_one#sms 00000000-0000-4000-8000-000000000108 2026-06-01T10:15:29.400Z dir=inbound status=delivered at=2026-06-01T10:15:30.000Z from=**** to=****0099 in=SG op=52503 seg=1 price=0.0117EUR
10 acme_one#sms 00000000-0000-4000-8000-000000000109 2026-06-02T07:44:41.000Z dir=outbound status=read at=2026-06-02T07:45:00.000Z from=**** to=**** in=SG op=52505 seg=2 price=0.0678EUR
11 acme_two#sms 00000000-0000-4000-8000-000000000110 2026-06-03T12:00:01.000Z dir=outbound status=delivered at=2026-06-03T12:00:09.000Z from=**** to=****0123 in=GB op=23401 seg=1 price=0.0671SGD
12 acme_two#sms 00000000-0000-4000-8000-000000000111 2026-06-03T12:05:02.000Z dir=outbound status=delivered at=2026-06-03T12:05:10.000Z from=**** to=****0147 in=US op=310099 seg=1 price=0.0125471SGD
14 acme_two#sms 00000000-0000-4000-8000-000000000112 2026-06-03T12:05:59.800Z dir=inbound status=delivered at=2026-06-03T12:06:00.000Z from=****0161 to=****0100 in=US op=310099 seg=1 price=0SGD
`},
	{"8x8-chatapps-log.csv", ConnectMessaging, `
2 acme_one#messaging 00000000-0000-4000-8000-000000000201:1 2026-05-06T10:00:05.310Z dir=outbound status=read at=2026-05-06T10:00:31.000Z to=****0123 in=GB channel=whatsapp
3 acme_one#messaging 00000000-0000-4000-8000-000000000201:1 2026-05-06T10:00:05.310Z dir=outbound status=read at=2026-05-06T10:00:31.000Z to=****0123 in=GB channel=whatsapp
4 acme_one#messaging 00000000-0000-4000-8000-000000000202:1 2026-05-06T10:05:00.400Z dir=outbound status=undelivered at=2026-05-06T10:05:02.000Z err=61 to=**** in=SG channel=whatsapp
5 acme_one#messaging 00000000-0000-4000-8000-000000000203:1 2026-05-06T10:10:00.000Z dir=outbound status=undelivered at=2026-05-06T10:10:02.000Z err=1 to=**** in=SG channel=viber
6 acme_one#messaging 00000000-0000-4000-8000-000000000203:2 2026-05-06T10:11:02.000Z dir=outbound status=delivered at=2026-05-06T10:11:09.000Z to=**** in=SG channel=sms
7 acme_one#messaging 00000000-0000-4000-8000-000000000204:1 2026-05-07T01:00:00.000Z dir=outbound status=sent at=2026-05-07T01:00:01.000Z channel=line
8 acme_one#messaging 00000000-0000-4000-8000-000000000205:1 2026-05-07T02:20:00.000Z dir=outbound status=read at=2026-05-07T02:20:45.000Z to=**** in=GB channel=rcs
9 acme_one#messaging 00000000-0000-4000-8000-000000000206:1 2026-05-07T03:00:00.070Z dir=outbound status=delivered at=2026-05-07T03:00:03.000Z channel=zalo
10 acme_one#messaging 00000000-0000-4000-8000-000000000207:1 2026-05-07T04:00:00.000Z dir=inbound status=received at=2026-05-07T04:00:00.000Z from=**** in=US channel=whatsapp
11 acme_one#messaging 00000000-0000-4000-8000-000000000208:1 2026-05-07T05:00:00.900Z dir=outbound status=delivered at=2026-05-07T05:00:02.000Z in=US channel=whatsapp
`},
	{"8x8-voice-log.csv", ConnectVoice, `
2 acme_one#voice 00000000-0000-4000-8000-000000000401 2026-05-10T01:00:00.000Z dir=outbound status=completed from=****0099 to=****0012 in=SG op=52503 sec=37 price=0.0185EUR
3 acme_one#voice 00000000-0000-4000-8000-000000000402 2026-05-10T01:10:00.000Z dir=outbound status=completed from=****0099 to=****0123 in=GB op=23401 sec=61 price=0.09EUR
4 acme_one#voice 00000000-0000-4000-8000-000000000403 2026-05-10T01:20:00.000Z dir=outbound status=no_answer from=****0099 to=****0147 in=US op=310099 sec=0 price=0EUR
5 acme_one#voice 00000000-0000-4000-8000-000000000404 2026-05-10T02:00:00.000Z dir=inbound status=completed from=****0456 to=****0099 in=GB op=23401 sec=149 price=0.045EUR
6 acme_one#voice 00000000-0000-4000-8000-000000000405 2026-05-10T02:00:12.000Z dir=outbound status=completed from=****0099 to=****0161 in=US op=310099 sec=130 price=0.0462EUR
7 acme_one#voice 00000000-0000-4000-8000-000000000406 2026-05-10T03:00:00.000Z dir=inbound status=completed from=**** to=****0099 in=US op=310099 sec=39 price=0.0117EUR
8 acme_one#voice 00000000-0000-4000-8000-000000000407 2026-05-10T03:00:25.000Z dir=outbound status=busy from=****0099 to=**** in=SG op=52503 sec=0 price=0EUR
9 acme_one#voice 00000000-0000-4000-8000-000000000408 2026-05-31T23:59:50.000Z dir=outbound status=completed from=****0099 to=****0199 in=US op=310099 sec=22 price=0.0105EUR
`},
}

// They are read a byte at a time here, and in one go below.
func TestEveryRecordOfTheSampleExportsIsReadAsWorkedOutByHand(t *testing.T) {
	for _, f := range fixtureRecords {
		rows := readAll(t, iotest.OneByteReader(bytes.NewReader(fixture(t, f.file))), f.format, options())
		same(t, f.file, strings.TrimSpace(f.want), described(rows))
		for _, r := range rows {
			if want := r.Record.Timestamp.AddDate(0, 13, 0); !r.Record.ExpiresAt.Equal(want) {
				t.Errorf("%s: %s expires at %v, want %v", f.file, r.Record.ID, r.Record.ExpiresAt, want)
			}
		}
	}
}

// An export may be saved again by a spreadsheet or a script.
func TestAnExportReadsTheSameHoweverItIsSaved(t *testing.T) {
	for _, f := range fixtureRecords {
		original := fixture(t, f.file)
		variants := map[string][]byte{
			"as it is":                      original,
			"with a byte order mark":        append([]byte("\xef\xbb\xbf"), original...),
			"with LF for CRLF":              bytes.ReplaceAll(original, []byte("\r\n"), []byte("\n")),
			"without the last line's end":   bytes.TrimRight(original, "\r\n"),
			"gzipped":                       gzipped(original),
			"gzipped in two members":        append(gzipped(original[:700]), gzipped(original[700:])...),
			"with the header in other case": upperHeader(original),
		}
		for name, variant := range variants {
			rows := readAll(t, bytes.NewReader(variant), f.format, options())
			if diff := cmp.Diff(strings.TrimSpace(f.want), described(rows)); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", f.file, name, diff)
			}
		}
	}
}

func upperHeader(file []byte) []byte {
	header, rest, _ := bytes.Cut(file, []byte("\n"))
	header = bytes.ReplaceAll(bytes.ToUpper(header), []byte("_"), nil)
	return append(append(header, '\n'), rest...)
}

// Worked out by hand from the file and its README: a price where the platform
// tells one, in the digits that it has.
const fixtureReceipts = `1 acme_one#sms 00000000-0000-4000-8000-000000000102 status=sent at=2026-05-04T09:01:05.000Z price=0.1236EUR
2 acme_one#sms 00000000-0000-4000-8000-000000000102 status=delivered at=2026-05-04T09:01:12.000Z price=0.1236EUR
3 acme_one#sms 00000000-0000-4000-8000-000000000120 status=undelivered at=2026-05-04T09:12:40.900Z err=43
4 acme_one#sms 00000000-0000-4000-8000-000000000121 status=delivered at=2026-06-01T00:00:04.250Z price=0.0339EUR
5 acme_one#sms 00000000-0000-4000-8000-000000000122 status=rejected at=2026-06-01T08:31:00.500Z err=15
6 acme_two#sms 00000000-0000-4000-8000-000000000123 status=undelivered at=2026-06-03T12:15:10.000Z err=46 price=0.0250942SGD`

func TestEveryReceiptOfTheSampleIsReadAsWorkedOutByHand(t *testing.T) {
	file := fixture(t, "8x8-sms-dlr.ndjson")
	for name, variant := range map[string][]byte{
		"as it is": file, "gzipped": gzipped(file), "with a byte order mark": append([]byte("\xef\xbb\xbf"), file...),
		"with CRLF": bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")),
	} {
		rows := readAll(t, bytes.NewReader(variant), ConnectReceipts, options())
		same(t, name, fixtureReceipts, described(rows))
	}
}
