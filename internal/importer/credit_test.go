package importer

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// credits reads a file of credit, and writes its rows as a test expects them.
func credits(t testing.TB, file string) string { return creditsBy(t, file, UnsaidMark) }

func creditsBy(t testing.TB, file string, mark DecimalMark) string {
	t.Helper()
	var lines []string
	for row, err := range ReadCredit(strings.NewReader(file), CreditOptions{Now: now, Decimal: mark}) {
		switch {
		case err != nil:
			lines = append(lines, "ERROR "+err.Error())
		case row.Rejected != nil:
			lines = append(lines, fmt.Sprintf("%d REJECTED %s: %s", row.Rejected.Line, row.Rejected.Field, row.Rejected.Reason))
		default:
			lines = append(lines, fmt.Sprintf("%d %s %s%s %s", row.Line, row.Account, money.Text(row.Amount), row.Currency, usage.FormatTime(row.AsOf)))
		}
	}
	return strings.Join(lines, "\n")
}

func TestCreditFiles(t *testing.T) {
	const want = "2 acme_one 1520.73EUR 2026-06-01T00:00:00.000Z\n3 acme_two -0.5 2026-06-01T10:00:00.000Z"
	const rows = "acme_one,1520.7300,2026-06-01T00:00:00Z,EUR\nacme_two,-5e-1,2026-06-01 12:00:00+02:00,\n"
	const object = `{"accountId":"acme_one","amount":"1","asOf":"2026-06-01T00:00:00Z"}` + "\n"
	for _, c := range []struct{ name, file, want string }{
		{"CSV", "account,amount,as-of,currency\n" + rows, want},
		{"names as in the directory file", "accountId,remainingCredit,creditAsOf,currency\n" + rows, want},
		{"names as one likes them", "Account_ID,AMOUNT,As Of,Currency\n" + rows, want},
		{"CRLF, a byte order mark, quotes", "\xef\xbb\xbf\"account\",amount,asOf,currency\r\n" + strings.ReplaceAll(rows, "\n", "\r\n"), want},
		{"semicolons", strings.ReplaceAll("account,amount,asOf,currency\n"+rows, ",", ";"), want},
		{"columns that nobody asks for, in any order", "note,asOf,account,amount\nx,2026-06-01T00:00:00Z,acme_one,1\n", "2 acme_one 1 2026-06-01T00:00:00.000Z"},
		{"gzipped", string(gzipped([]byte("account,amount,asOf,currency\n" + rows))), want},
		{"NDJSON behind blank lines", "\n\n" + object, "3 acme_one 1 2026-06-01T00:00:00.000Z"},
		{"an amount as a number, digit by digit", strings.Replace(object, `"1"`, "0.10000000000000000001", 1), "1 acme_one 0.10000000000000000001 2026-06-01T00:00:00.000Z"},
		{"a null currency is not told", strings.Replace(object, "{", `{"currency":null,"name":"x",`, 1), "1 acme_one 1 2026-06-01T00:00:00.000Z"},
		{"an as-of a little ahead: clocks differ", strings.Replace(object, "2026-06-01T00:00:00Z", "2026-06-10T00:05:00Z", 1), "1 acme_one 1 2026-06-10T00:05:00.000Z"},

		{"an as-of in the future", strings.Replace(object, "2026-06-01T00:00:00Z", "2026-06-10T00:05:00.001Z", 1), "1 REJECTED asOf: lies in the future"},
		{"no account", strings.Replace(object, "acme_one", "", 1), "1 REJECTED accountId: is missing"},
		{"an account that cannot be", strings.Replace(object, "acme_one", "acme one", 1), "1 REJECTED accountId: must be 3 to 50 of A-Z a-z 0-9 - . _ &"},
		{"no amount", strings.Replace(object, `"1"`, "null", 1), "1 REJECTED amount: is missing"},
		{"an amount with a comma", strings.Replace(object, `"1"`, `"1,5"`, 1), "1 REJECTED amount: must be a decimal number, as 1520.73"},
		{"an amount out of bounds", strings.Replace(object, `"1"`, "1e400", 1), `1 REJECTED amount: "1e400" must be a decimal number, as 1520.73`},
		{"an amount that is a truth", strings.Replace(object, `"1"`, "true", 1), "1 REJECTED amount: must be decimal text, as 0.0412"},
		{"no as-of", strings.Replace(object, "asOf", "when", 1), "1 REJECTED asOf: is missing"},
		{"a day is no time", strings.Replace(object, "T00:00:00Z", "", 1), "1 REJECTED asOf: must be a time in RFC 3339, as 2026-11-03T10:00:00Z"},
		{"a currency that is none", strings.Replace(object, "{", `{"currency":"EURO",`, 1), `1 REJECTED currency: "EURO" is not an ISO 4217 code, as EUR`},
		{"a field twice", strings.Replace(object, "{", `{"account":"acme_two",`, 1), "1 REJECTED accountId: is there twice"},
		{"a broken line does not stop the next", object + "{\n" + object, "1 acme_one 1 2026-06-01T00:00:00.000Z\n2 REJECTED : is not a JSON object\n3 acme_one 1 2026-06-01T00:00:00.000Z"},
		{"too few columns", "account,amount,asOf\nacme_one,1\n", "2 REJECTED : has another number of fields than the header"},

		{"a cell left out, and one too many", "account,amount,asOf,currency\nacme_one,1,2026-06-01T00:00:00Z\nacme_two,2,2026-06-01T00:00:00Z,,\n",
			"2 acme_one 1 2026-06-01T00:00:00.000Z\n3 acme_two 2 2026-06-01T00:00:00.000Z"},
		{"a second header with other columns", "account,amount,asOf,currency\n" + rows + "\xef\xbb\xbfAs-Of,remainingCredit,accountId\n2026-06-02T00:00:00Z,7,acme_one\n",
			want + "\n5 acme_one 7 2026-06-02T00:00:00.000Z"},

		{"no header", "acme_one,1,2026-06-01T00:00:00Z\n", "ERROR the header has no column accountId: one with accountId, amount and asOf is needed"},
		{"two columns for one", "account,accountId,amount,asOf\n", "ERROR the header has two columns for accountId"},
		{"nothing", "", "ERROR the file is empty: there is no header"},
	} {
		same(t, c.name, c.want, credits(t, c.file))
	}
}

// 1.520 in a file with semicolons was loaded as one and a half, where a thousand and a
// half was meant.
func TestAmountsOfCreditAreNotGuessed(t *testing.T) {
	const either = ` may have a point for thousands or for decimals: say which by --decimal comma or --decimal point`
	for _, c := range []struct {
		separator, amount string
		mark              DecimalMark
		want              string // an amount, or why there is none
	}{
		{";", "1.520", UnsaidMark, `"1.520"` + either},
		{";", "-1.520", UnsaidMark, `"-1.520"` + either},
		{";", "0.520", UnsaidMark, `"0.520"` + either},
		{";", "12345.678", UnsaidMark, "may have a point for thousands or for decimals: say which by --decimal comma or --decimal point"},
		{";", "1520.73", UnsaidMark, "1520.73"},
		{";", "1.5200", UnsaidMark, "1.52"},
		{";", "1520", UnsaidMark, "1520"},
		{";", "1520,73", UnsaidMark, "must be a decimal number, as 1520.73; --decimal comma reads one with a comma"},
		{";", "1.520", DecimalPoint, "1.52"},
		{";", "1520,73", DecimalPoint, "must be a decimal number, as 1520.73"},
		{";", "1.520", DecimalComma, "1520"},
		{";", "-1.520,5", DecimalComma, "-1520.5"},
		{";", "1.234.567,89", DecimalComma, "1234567.89"},
		{";", "1520,73", DecimalComma, "1520.73"},
		{";", "1520.73", DecimalComma, `must be a decimal number with a comma, as 1520,73`},
		{";", "1,520,730", DecimalComma, "must be a decimal number with a comma, as 1520,73"},
		{";", "1e3", DecimalComma, `"1e3" must be a decimal number with a comma, as 1520,73`},
		{",", "1.520", UnsaidMark, "1.52"},
		{",", "1.520", DecimalComma, "1520"},
		{"\t", "1520,73", DecimalComma, "1520.73"},
	} {
		want := "2 REJECTED amount: " + c.want
		if !strings.Contains(c.want, " ") {
			want = "2 acme_one " + c.want + " 2026-06-01T00:00:00.000Z"
		}
		file := strings.Join([]string{"account", "amount", "asOf"}, c.separator) + "\n" + strings.Join([]string{"acme_one", c.amount, "2026-06-01T00:00:00Z"}, c.separator) + "\n"
		if got := creditsBy(t, file, c.mark); got != want {
			t.Errorf("%q behind %q, %q:\n got %s\nwant %s", c.amount, c.separator, c.mark, got, want)
		}
	}
	object := `{"accountId":"acme_one","amount":"1.520","asOf":"2026-06-01T00:00:00Z"}`
	if got := creditsBy(t, object, DecimalComma); got != "1 acme_one 1.52 2026-06-01T00:00:00.000Z" {
		t.Errorf("of JSON: %s", got)
	}
}

// examples takes out of a reason what it has of its own.
var examples = strings.NewReplacer("2026-11-03T10:00:00Z", "", "1520.73", "", "1520,73", "")

//fuzz:reaches credit.go:ReadCredit credit.go:openCredit credit.go:row credit.go:amount credit.go:readTexts
func FuzzCreditTellsNoNumber(f *testing.F) {
	f.Add([]byte("account,amount,as-of,currency\nacme_one,1520.7300,2026-06-01T00:00:00Z,EUR\n"))
	f.Add([]byte("account;amount;as-of;currency\nacme_one;1.520;2026-06-01T00:00:00Z;EUR\naccount;as-of;amount\nacme_one;2026-06-01T00:00:00Z;1520,73;\n"))
	f.Add([]byte("account,amount,asOf\n+447700900123,447700900123x,447700900123\n447700900123,1,2026-06-01T00:00:00Z\n"))
	f.Add([]byte(`{"accountId":"447700900123 ","amount":"+44 7700 900123","asOf":"447700900123","currency":"447700900123"}`))
	f.Add(gzipped([]byte("account,amount,asOf\n")))
	f.Fuzz(func(t *testing.T, file []byte) {
		last := 0
		for row, err := range ReadCredit(bytes.NewReader(file), CreditOptions{Now: now}) {
			if err != nil {
				if masking.HasFull(err.Error()) {
					t.Fatalf("%q: the error %q tells a number", file, err)
				}
				return
			}
			if row.Line <= last {
				t.Fatalf("%q: row %d is on line %d", file, last, row.Line)
			}
			last = row.Line
			if r := row.Rejected; r != nil && (masking.TellsDigits(r.Field) || masking.TellsDigits(examples.Replace(r.Reason)) || r.ID != "") {
				t.Fatalf("%q: the reason tells a number: %+v", file, r)
			}
			if row.Rejected == nil && (row.Account == "" || row.AsOf.IsZero() || row.AsOf.After(now.Add(maxAhead))) {
				t.Fatalf("%q: taken is %+v", file, row)
			}
		}
	})
}
