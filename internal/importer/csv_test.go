package importer

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// split reads a CSV text of three columns. A record is its fields, a rejected
// one its reason; the line on which it begins goes before.
func split(text string) (records [][]string) {
	c := csvRecords{lines: newLines(strings.NewReader(text)), separator: ',', columns: 3}
	for {
		number, err := c.next()
		if err == io.EOF {
			return records
		}
		record := []string{strconv.Itoa(number)}
		if err != nil {
			record = append(record, err.Error())
		} else {
			record = append(record, c.field(0), c.field(1), c.field(2))
		}
		records = append(records, record)
	}
}

func TestCSVRecords(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", "a,b,c\nd,e,f", "1 a|b|c\n2 d|e|f"},
		{"CRLF", "a,b,c\r\nd,e,f\r\n", "1 a|b|c\n2 d|e|f"},
		{"empty fields", ",,\n,b,\n", "1 ||\n2 |b|"},
		{"quotes", `"a","b,","c"` + "\n", "1 a|b,|c"},
		{"doubled quotes", `"""a""","b""b",""""` + "\n" + `"",e,f`, "1 \"a\"|b\"b|\"\n2 |e|f"},
		{"lines in quotes", "a,\"b\r\nb\n\nb\",c\nd,e,f\n", "1 a|b\r\nb\n\nb|c\n5 d|e|f"},
		{"quotes within a field are ordinary", `a"a,5" pipe,"c"` + "\n", "1 a\"a|5\" pipe|c"},
		{"white space around a field", " a , b ,c\n", "1 a|b|c"},
		{"blank lines", "\n\r\na,b,c\n\n", "3 a|b|c"},

		{"missing fields at the end are empty", "a,b\nd,e,f\n", "1 a|b|\n2 d|e|f"},
		{"all but the first may be missing", "a\nd,e,f\n", "1 a||\n2 d|e|f"},
		{"missing fields behind quotes", "\"a\",\"b\"\nd,e,f\n", "1 a|b|\n2 d|e|f"},
		{"surplus empty fields are nothing", "a,b,c,\nd,e,f,, \"\",\r\ng,h,\"i\ni\",,\nj,k,l,,", "1 a|b|c\n2 d|e|f\n3 g|h|i\ni\n5 j|k|l"},
		{"one too many", "a,b,c,d\nd,e,f\n", "1 " + notColumns + "\n2 d|e|f"},
		{"one too many behind an empty one", "a,b,c,,d\nd,e,f\n", "1 " + notColumns + "\n2 d|e|f"},
		{"a quote too many", "a,b,c,\"\nd,e,f\n", "1 " + notColumns + "\n2 d|e|f"},
		{"another character set", "a,b,\xff\nd,\"\n\xfe\",f\n", "1 a|b|\xff\n2 d|\xfe|f"},
		{"a line too long", "a,b,c\n" + strings.Repeat("x", 10<<20) + "\nd,e,f\n", "1 a|b|c\n2 " + tooLong + "\n3 d|e|f"},
		{"a last line too long", "a,b,c\n" + strings.Repeat("x", 10<<20), "1 a|b|c\n2 " + tooLong},

		{"text behind a quote", `a,"b"b,c` + "\nd,e,f\n", "1 " + strayQuote + "\n2 d|e|f"},
		{"a line of NDJSON", "a,b,c\n" + `{"a":"b","c":"d"}` + "\nd,e,f\n", "1 a|b|c\n2 " + strayQuote + "\n3 d|e|f"},
		{"a quote that is not closed", "a,\"b,c\nd,e,f\ng,h,i\n", "1 " + strayQuote + "\n2 d|e|f\n3 g|h|i"},
		{"a quote in the last line", "a,b,c\nd,e,\"f", "1 a|b|c\n2 " + strayQuote},
		{"before a line with quotes", "a,b,\"c\nd,\"e\",f\ng,h,i\n", "1 " + strayQuote + "\n2 d|e|f\n3 g|h|i"},
		{"before a record of several lines", "a,b,\"c\nd,e,\"f\nf\"\ng,h,i\n", "1 " + strayQuote + "\n2 d|e|f\nf\n4 g|h|i"},
		{"twice", "a,\"b,c\nd,e,f\ng,\"h,i\nj,k,l\n", "1 " + strayQuote + "\n2 d|e|f\n3 " + strayQuote + "\n4 j|k|l"},
		{"that makes a record too wide", "a,\"b,c\nd\",e,f\ng,h,i\n", "1 " + strayQuote + "\n2 d\"|e|f\n3 g|h|i"},
		{"that makes a record too narrow", "a,\"b,c\nd,e,f\"\ng,h,i\n", "1 " + strayQuote + "\n2 d|e|f\"\n3 g|h|i"},
		{"before more than a mebibyte of good lines", "a,\"b,c\n" + strings.Repeat("d,e,f\n", 200_000),
			"1 " + strayQuote + goodLines(2, 200_000)},
	} {
		var got []string
		for _, record := range split(c.text) {
			got = append(got, record[0]+" "+strings.Join(record[1:], "|"))
		}
		same(t, c.name, c.want, strings.Join(got, "\n"))
	}
}

func goodLines(from, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "\n%d d|e|f", from+i)
	}
	return b.String()
}

// Quotes that open on every line make the reader look at lines again; that must
// not multiply.
func TestStrayQuotesDoNotMakeTheWorkGrow(t *testing.T) {
	for name, text := range map[string]string{
		"each line opens one":            strings.Repeat("a,\"b,c\n", 60_000),
		"each line closes and opens one": strings.Repeat("x\",y,\"z\n", 60_000),
		"each line escapes one":          strings.Repeat("a,\"\"\"b,c\n", 60_000),
		"one, then short lines":          "\"" + strings.Repeat("\n", 500_000),
	} {
		start := time.Now()
		split(text)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: %v for %d bytes", name, took, len(text))
		}
	}
}

func TestTheSeparatorIsTheOneThatTheHeaderHas(t *testing.T) {
	for _, separator := range []string{",", ";", "\t"} {
		file := strings.ReplaceAll("umid,createdat,direction,subaccountid,body\nu-1,2026-05-03T10:00:00Z,1,acme_one,\"a,b;c\td\"\n", ",", "\x00")
		file = strings.ReplaceAll(strings.ReplaceAll(file, "a\x00b", "a,b"), "\x00", separator)
		got := readText(t, ConnectSMS, file)
		if want := "2 acme_one#sms u-1 2026-05-03T10:00:00.000Z dir=outbound"; got != want {
			t.Errorf("%q: got %s", separator, got)
		}
	}
}

// Where encoding/csv, which gives up at the first stray quote, reads a text at
// all, both read the same. (Of "\r\n" in quotes it makes "\n".)
//
//fuzz:reaches csv.go:split csv.go:quoted
func FuzzCSVRecordsAreThoseOfTheStandardLibrary(f *testing.F) {
	for _, fixture := range fixtureRecords {
		f.Add(lastThreeColumns(f, fixture.file))
	}
	f.Add("a,b,c,,\nd,e\nf,\"g\nh\",i,")
	f.Add("a,b,c\r\nd,\"e\"\"\n\",f")
	f.Fuzz(func(t *testing.T, text string) {
		reference := csv.NewReader(strings.NewReader(text))
		reference.FieldsPerRecord = 3
		want, err := reference.ReadAll()
		if err != nil || !utf8.ValidString(text) || strings.Contains(text, "\r") {
			return
		}
		got := split(text)
		if len(got) != len(want) {
			t.Fatalf("%q: %q, want %q", text, got, want)
		}
		for i, record := range want {
			for j, field := range record {
				if len(got[i]) != 4 || got[i][1+j] != strings.TrimSpace(field) {
					t.Errorf("%q: record %d is %q, want %q", text, i, got[i], record)
				}
			}
		}
	})
}

func lastThreeColumns(f *testing.F, name string) string {
	records, err := csv.NewReader(strings.NewReader(string(fixture(f, name)))).ReadAll()
	if err != nil {
		f.Fatal(err)
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	for _, r := range records {
		_ = w.Write(r[len(r)-3:])
	}
	w.Flush()
	return b.String()
}

func TestABrokenExportLosesOnlyItsBrokenLines(t *testing.T) {
	got := described(readAll(t, bytes.NewReader(testFile(t, "broken-quotes.csv")), ConnectSMS, options()))
	want := `2 acme_one#sms b-1 2026-05-04T09:00:00.000Z dir=outbound from=**** to=****0123 seg=1
3 REJECTED : has a quote that is not closed, or not doubled within quotes []
4 acme_one#sms b-3 2026-05-04T09:02:00.000Z dir=outbound from=**** to=****0125 seg=1
5 acme_one#sms b-4 2026-05-04T09:03:00.000Z dir=outbound from=**** to=****0126 seg=1
7 REJECTED : has a quote that is not closed, or not doubled within quotes []
8 acme_one#sms b-6 2026-05-04T09:05:00.000Z dir=outbound from=**** to=****0128 seg=1
9 REJECTED : has another number of fields than the header []
10 acme_one#sms b-8 2026-05-04T09:07:00.000Z dir=outbound from=**** to=****0147
11 acme_one#sms b-9 2026-05-04T09:08:00.000Z dir=outbound from=**** to=****0148 seg=1
12 REJECTED : has a quote that is not closed, or not doubled within quotes []`
	same(t, "the rows", want, got)
}
