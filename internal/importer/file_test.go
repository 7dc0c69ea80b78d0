package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
)

// wide is a text as UTF-16, without a byte order mark.
func wide(text string, high int) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		pair := [2]byte{byte(unit), byte(unit)}
		pair[high] = byte(unit >> 8)
		b.Write(pair[:])
	}
	return b.String()
}

// oneOfEach is a file of each format that has one good row, or several.
func oneOfEach(t testing.TB) map[look]string {
	return map[look]string{
		look(Native):           line(""),
		look(ConnectSMS):       string(fixture(t, "8x8-sms-log.csv")),
		look(ConnectMessaging): string(fixture(t, "8x8-chatapps-log.csv")),
		look(ConnectVoice):     string(fixture(t, "8x8-voice-log.csv")),
		look(ConnectReceipts):  string(fixture(t, "8x8-sms-dlr.ndjson")),
		creditLook:             "account,amount,as-of\nacme_one,1,2026-06-01T00:00:00Z\n",
		directoryLook:          "partners:\n  - {id: northwind, name: Northwind}\n",
	}
}

// readAs reads a file as what it should be, and counts what is good in it.
func readAs(is look, file io.Reader) (good int, err error) {
	switch is {
	case creditLook:
		for row, err := range ReadCredit(file, CreditOptions{Now: now}) {
			if err != nil {
				return good, err
			}
			if row.Rejected == nil {
				good++
			}
		}
		return good, nil
	case directoryLook:
		d, err := ParseDirectory(file, "directory.yaml")
		return len(d.Partners), err
	}
	rows, err := readUntilError(file, Format(is), options())
	for _, r := range rows {
		if r.Rejected == nil {
			good++
		}
	}
	return good, err
}

// Every format that is given as every other is told as what it is, plain, packed
// and behind what else a file may begin with.
func TestAFileOfAnotherFormatIsToldAsThat(t *testing.T) {
	told := map[look]string{
		creditLook: "looks like remaining credit: partnerctl import credit", directoryLook: "looks like a directory file: partnerctl apply -f",
	}
	files := oneOfEach(t)
	files[rejectsLook] = `{"line":1,"reason":"is not a JSON object"}` + "\n"
	files[arrayLook] = "[" + strings.TrimSpace(line("")) + ",\n" + strings.TrimSpace(line("")) + "]\n"
	files[spreadLook] = strings.NewReplacer("{", "{\n", ",", ",\n").Replace(line(""))
	told[rejectsLook], told[arrayLook], told[spreadLook] = "looks like a list of rejected lines", "looks like one JSON array", "over several lines"
	for is, text := range files {
		for name, file := range map[string]string{
			"as it is": text, "gzipped": string(gzipped([]byte(text))), "with a byte order mark": byteOrderMark + text, "with CR LF": strings.ReplaceAll(text, "\n", "\r\n"),
			"behind blank lines": "\n \n" + text,
		} {
			for should := range oneOfEach(t) {
				good, err := readAs(should, strings.NewReader(file))
				switch want := told[is]; {
				case should == is && (err != nil || good == 0):
					t.Errorf("%s, %s: %d good rows, %v", is, name, good, err)
				case should == is || should == directoryLook && (is == arrayLook || is == spreadLook): // any JSON may be a directory's
				case want == "" && (err == nil || !strings.Contains(err.Error(), "looks like --format "+string(is)+":")):
					t.Errorf("%s given as %s, %s: %v", is, should, name, err)
				case err == nil || !strings.Contains(err.Error(), want):
					t.Errorf("%s given as %s, %s: %v, want %q", is, should, name, err, want)
				}
			}
		}
	}
}

// What no format can be is told as what it is, whichever is asked for.
func TestAFileThatIsNoTextIsToldAsThat(t *testing.T) {
	for is, text := range oneOfEach(t) {
		for name, c := range map[string]struct{ file, want string }{
			"UTF-16, little-endian":       {wide(text, 1), "UTF-16"},
			"UTF-16, big-endian":          {wide(text, 0), "UTF-16"},
			"UTF-16 with a mark":          {"\xff\xfe" + wide(text, 1), "UTF-16"},
			"UTF-16 with a mark, gzipped": {string(gzipped([]byte("\xfe\xff" + wide(text, 0)))), "UTF-16"},
			"UTF-16 without one, gzipped": {string(gzipped([]byte(wide(text, 1)))), "UTF-16"},
			"CR alone":                    {strings.ReplaceAll(text, "\n", "\r"), "CR alone"},
			"CR alone, gzipped":           {string(gzipped([]byte(strings.ReplaceAll(text, "\n", "\r")))), "CR alone"},
			"gzipped twice":               {string(gzipped(gzipped([]byte(text)))), "gzipped twice"},
			"a zip archive":               {"PK\x03\x04\x14\x00" + text, "spreadsheet (.xlsx)"},
			"nothing but padding":         {strings.Repeat("\x00", 100), "zero bytes"},
		} {
			if c.want == "CR alone" && strings.Count(text, "\n") < 2 {
				continue // one line is one line
			}
			good, err := readAs(is, strings.NewReader(c.file))
			if err == nil || !strings.Contains(err.Error(), c.want) || good != 0 {
				t.Errorf("%s, %s: %d good rows, %v", is, name, good, err)
			}
		}
	}
}

// A gzipped file that is not whole gives what can be unpacked, and says what is
// wrong with it.
func TestAGzippedFileThatIsNotWholeGivesWhatItHas(t *testing.T) {
	const n = 2000
	var text bytes.Buffer
	for i := range n {
		text.WriteString(strings.Replace(line(""), "u-1", fmt.Sprintf("u-%d", i), 1))
	}
	whole := gzipped(text.Bytes())
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-8] ^= 1 // the checksum
	for name, c := range map[string]struct {
		file        []byte
		least, most int
		want        error
	}{
		"whole":                       {whole, n, n, nil},
		"in two members":              {append(bytes.Clone(whole), whole...), 2 * n, 2 * n, nil},
		"cut short":                   {whole[:len(whole)/2], 1, n - 1, errCutShort},
		"without its last byte":       {whole[:len(whole)-1], n, n, errCutShort},
		"padded to a block":           {append(bytes.Clone(whole), make([]byte, 512)...), n, n, errPadded},
		"with something behind it":    {append(bytes.Clone(whole), "\x00\x00<html>"...), n, n, errTrailing},
		"with another member's start": {append(bytes.Clone(whole), whole[:5]...), n, n, errCutShort},
		"damaged":                     {damaged, n - 1, n, errDamaged},
	} {
		for how, file := range map[string]io.Reader{"": bytes.NewReader(c.file), ", a byte at a time": iotest.OneByteReader(bytes.NewReader(c.file))} {
			good, err := readAs(look(Native), file)
			if !errors.Is(err, c.want) || good < c.least || good > c.most {
				t.Errorf("%s%s: %d good rows and %v, want %d to %d and %v", name, how, good, err, c.least, c.most, c.want)
			}
			if err != nil && !errors.As(err, new(*FileError)) {
				t.Errorf("%s%s: %T is no FileError", name, how, err)
			}
		}
	}
}

// What a spreadsheet says of its separator is no header, and counts.
func TestASeparatorLineIsPassedOver(t *testing.T) {
	for name, file := range map[string]string{
		"semicolons":        "sep=;\r\numid;createdat;direction;subaccountid;country\r\nu-1;2026-05-03T10:00:00Z;1;acme_one;GB\r\n",
		"commas":            "SEP=,\numid,createdat,direction,subaccountid,country\nu-1,2026-05-03T10:00:00Z,1,acme_one,GB\n",
		"one of its own":    "sep=|\numid|createdat|direction|subaccountid|country\nu-1|2026-05-03T10:00:00Z|1|acme_one|GB\n",
		"behind a BOM, tab": byteOrderMark + "sep=\t\numid\tcreatedat\tdirection\tsubaccountid\tcountry\nu-1\t2026-05-03T10:00:00Z\t1\tacme_one\tGB\n",
	} {
		if got, want := readText(t, ConnectSMS, file), "3 acme_one#sms u-1 2026-05-03T10:00:00.000Z dir=outbound in=GB"; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := credits(t, "sep=;\naccount;amount;asOf\nacme_one;1;2026-06-01T00:00:00Z\n"); got != "3 acme_one 1 2026-06-01T00:00:00.000Z" {
		t.Errorf("credit: %s", got)
	}
}

// Whatever follows gzip's mark, reading ends, and no line of it is made up.
//
//fuzz:reaches file.go:Read file.go:unpack
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
