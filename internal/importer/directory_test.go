package importer

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

var update = flag.Bool("update", false, "write the golden files anew")

func parseText(text, name string) (Directory, error) {
	return ParseDirectory(strings.NewReader(text), name)
}

func set[T any](line int, value T) Field[T] { return Field[T]{line, value} }

func dec(s string) *decimal.Decimal { d := decimal.RequireFromString(s); return &d }

func TestADirectoryFileIsReadKeyByKey(t *testing.T) {
	got, err := ParseDirectory(bytes.NewReader(testFile(t, "directory.yaml")), "directory.yaml")
	if err != nil {
		t.Fatal(err)
	}
	november := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	january := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	want := Directory{
		File: "directory.yaml",
		Partners: []Partner{
			{Line: 3, ID: "northwind", Name: set(4, "Northwind Resellers"), Status: set(5, directory.Active), Grants: set(6, []Grant{
				{Line: 7, Account: "acme_retail", Products: []usage.Product{usage.SMS, usage.Voice}},
				{Line: 9, Account: "kaffee&co"},
			})},
			{Line: 10, ID: "southbound", Status: set(11, directory.Suspended), Grants: set(12, []Grant{})},
			{Line: 13, ID: "unchanged-2"},
		},
		Customers: []Customer{
			{Line: 15, Account: "acme_retail", Name: set(16, "Acme Retail GmbH"), Products: set(17, usage.Products()), Currency: set(18, money.Currency("EUR")),
				BillingMode: set(19, directory.Prepaid), RemainingCredit: set(20, dec("1520.73")), CreditLimit: set(21, dec("0")), CreditAsOf: set(22, &november),
				SubAccounts: set(23, []SubAccount{{23, "acme_retail_hq"}, {23, "acme_retail_otp"}})},
			{Line: 24, Account: "kaffee&co", Name: set(25, "株式会社カフェ"), Products: set(26, []usage.Product{usage.SMS}), Currency: set(27, money.Currency("JPY")),
				BillingMode: set(28, directory.Postpaid), RemainingCredit: set[*decimal.Decimal](29, nil), CreditAsOf: set[*time.Time](30, nil)},
			{Line: 31, Account: "007", RemainingCredit: set(32, dec("-12.5"))},
		},
		PriceLists: []PriceList{
			{Line: 34, CurrencyLine: 37, Log: usage.Log{Account: "acme_retail", Product: usage.SMS}, List: pricing.List{
				EffectiveFrom: january, Currency: "EUR", ChargeOn: pricing.OnSubmitted, Rounding: pricing.Rounding{Scale: 4, Mode: pricing.HalfEven},
				Rates: []pricing.Rate{
					{Selectors: pricing.Selectors{Direction: usage.Outbound, Country: "NO", Operator: "00101"}, UnitPrice: *dec("0.075")},
					{Selectors: pricing.Selectors{Direction: usage.Outbound, Country: "NO", Operator: "00102"}, UnitPrice: *dec("0.1")},
					{Selectors: pricing.Selectors{Direction: usage.Inbound}},
				}}},
			{Line: 43, CurrencyLine: 46, Log: usage.Log{Account: "acme_retail", Product: usage.Voice}, List: pricing.List{
				EffectiveFrom: january.Add(123 * time.Millisecond), Currency: "EUR", Rounding: pricing.DefaultRounding(),
				Rates: []pricing.Rate{
					{Selectors: pricing.Selectors{Direction: usage.Outbound, Country: "GB"}, UnitPrice: *dec("0.012"), SetupFee: *dec("0.005"), Increment: pricing.Increment{First: 30, Next: 6}},
					{UnitPrice: *dec("0.01"), Increment: pricing.DefaultIncrement()},
				}}},
			{Line: 50, CurrencyLine: 53, Log: usage.Log{Account: "acme_retail", Product: usage.Messaging}, List: pricing.List{
				EffectiveFrom: january, Currency: "EUR", ChargeOn: pricing.OnDelivered, Rounding: pricing.DefaultRounding(),
				Rates: []pricing.Rate{
					{Selectors: pricing.Selectors{Direction: usage.Outbound, Channel: "whatsapp", Category: "marketing", Country: "DE"}, UnitPrice: *dec("0.1131")},
				}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// testdata/faults.txt is to be read beside testdata/faults.yaml, line by line.
func TestEveryFaultIsNamedAtOnceWithItsLine(t *testing.T) {
	const golden = "testdata/faults.txt"
	_, err := ParseDirectory(bytes.NewReader(testFile(t, "faults.yaml")), "faults.yaml")
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error %v", err)
	}
	got := err.Error() + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "the rows", string(testFile(t, "faults.txt")), got)
}

func TestAbsentAndEmptyAreNotTheSame(t *testing.T) {
	stored := []Grant{{Account: "acme_retail"}}
	for _, c := range []struct {
		text string
		want int
	}{{`{"partners":[{"id":"northwind"}]}`, 1}, {`{"partners":[{"id":"northwind","customers":[]}]}`, 0}} {
		d, err := parseText(c.text, "x.json")
		if err != nil {
			t.Fatal(err)
		}
		if left := d.Partners[0].Grants.Or(stored); len(left) != c.want {
			t.Errorf("%s leaves %d grants, want %d", c.text, len(left), c.want)
		}
	}
}

func TestJSONAndYAMLAreReadTheSame(t *testing.T) {
	yaml, err := parseText("customers:\n- accountId: acme_retail\n  name: \"\\U0001F600 \\\\ \\u00e9\"\n  remainingCredit: 0.10\n", "x")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"indented with tabs":     "{\n\"customers\":[{\"accountId\":\"acme_retail\",\n\t\"name\":\"\\ud83d\\ude00 \\\\ \\u00e9\",\n\t\"remainingCredit\":0.10}]}",
		"with a byte order mark": "\xef\xbb\xbf{\n\"customers\":[{\"accountId\":\"acme_retail\",\r\n\"name\":\"\\ud83d\\ude00 \\\\ é\",\r\n\"remainingCredit\":\"0.1\"}]}\r\n",
	} {
		got, err := parseText(text, "x")
		if diff := cmp.Diff(yaml, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestFilesThatAreNoDirectory(t *testing.T) {
	deep := maxDepth + 2
	for _, c := range []struct{ name, file, text, want string }{
		{"nothing", "d.yaml", "", "d.yaml:1: the file is empty"},
		{"white space", "d.yaml", " \n", "d.yaml:1: the file is empty"},
		{"a comment", "d.yaml", "# nothing yet\n", "d.yaml:1: the file is empty"},
		{"a text", "d.yaml", "hello", "d.yaml:1: must be an object, not text"},
		{"a list", "d.json", "\n[]", "d.json:2: must be an object, not a list"},
		{"an offset for a time zone", "d.yaml", "customers:\n- {accountId: acme, timeZone: '+02:00'}",
			"d.yaml:2: customers[0].timeZone: \"+02:00\": a time zone is an IANA name such as Europe/Berlin, America/New_York or UTC, and no offset such as +02:00"},
		{"a machine's own clock", "d.yaml", "customers: [{accountId: acme, timeZone: Local}]",
			"d.yaml:1: customers[0].timeZone: \"Local\": a time zone is an IANA name such as Europe/Berlin, America/New_York or UTC, and no offset such as +02:00"},
		{"bad YAML", "d.yaml", "partners:\n  - id: [\n", "d.yaml:2: is not YAML: did not find expected node content"},
		{"tabs in YAML", "d.yaml", "partners:\n\t- id: x\n", "d.yaml:2: is not YAML: found character that cannot start any token"},
		{"bad JSON", "d.json", "{\n\"partners\": [\n{]}", "d.json:3: is not JSON: invalid character ']' looking for beginning of object key string"},
		{"JSON cut short", "d.json", "{\n\"partners\": [\n", "d.json:2: is not JSON: unexpected end of JSON input"},
		{"two documents", "d.yaml", "partners: []\n---\ncustomers: []\n", "d.yaml:2: is a second document; a file has one"},
		{"bad UTF-8", "d.yaml", "partners:\n- id: \xff\n", "d.yaml:2: the file is not UTF-8"},
		{"nested YAML", "d.yaml", "partners: " + strings.Repeat("[", deep) + strings.Repeat("]", deep), "d.yaml:1: is nested too deeply"},
		{"nested JSON", "d.json", "\n" + strings.Repeat("[", deep) + strings.Repeat("]", deep), "d.json:2: is nested too deeply"},
		{"nested without end", "d.yaml", "partners: " + strings.Repeat("[", 1_000_000), "d.yaml:1: is not YAML: exceeded max depth of 10000"},
		{"an alias of itself", "d.yaml", "partners: &p\n- *p\n", "d.yaml:2: partners[0]: must be an object, not an alias"},
		{"merged keys", "d.yaml", "customers:\n- <<: &c {accountId: acme_retail}\n  name: x\n",
			"d.yaml:2: customers[0].\"<<\": unknown key\nd.yaml:2: customers[0].accountId: is missing"},
		{"keys that are no text", "d.yaml", "[a, b]: c\n", "d.yaml:1: \"\": unknown key"},
		{"too large", "d.yaml", strings.Repeat("#", maxDirectory+1), "d.yaml:1: the file is larger than 32 MB"},
	} {
		_, err := parseText(c.text, c.file)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

// Aliases could make gigabytes of these lines.
func TestAliasesAreNotFollowed(t *testing.T) {
	text := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := byte('b'); c < 'z'; c++ {
		before := string(c - 1)
		text += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+before+",", 9), ",") + "]\n"
	}
	if _, err := parseText(text, "bomb.yaml"); err == nil || len(err.Error()) > 10_000 {
		t.Errorf("error %.200v", err)
	}
}

func TestWhatReadingFailsWithIsNoFault(t *testing.T) {
	lost := errors.New("disk lost")
	_, err := ParseDirectory(iotest.ErrReader(lost), "d.yaml")
	if !errors.Is(err, lost) || errors.As(err, new(Faults)) {
		t.Errorf("error %v", err)
	}
}

func TestMistypedKeysAreRecognised(t *testing.T) {
	keys := []string{"accountId", "name", "products", "currency", "billingMode"}
	for word, want := range map[string]string{
		"nmae": "name", "account_id": "accountId", "AccountID": "accountId", "product": "products", "curency": "currency",
		"x": "", "colour": "", "notes": "", "": "",
	} {
		if got := nearest(word, keys); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestTheDocumentedExamplesAreRead(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```(yaml|json)\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	read := map[string]int{}
	for _, b := range blocks {
		read[b[1]]++
		if b[1] == "yaml" {
			if _, err := parseText(b[2], "docs/formats.md"); err != nil {
				t.Error(err)
			}
			continue
		}
		o := options()
		o.Accounts = func(name string) (usage.AccountID, bool) { return usage.AccountID(name), true }
		o.Now = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		for _, r := range readAll(t, strings.NewReader(b[2]), Native, o) {
			if r.Rejected != nil {
				t.Errorf("docs/formats.md: %s", describe(r))
			}
		}
	}
	if read["yaml"] == 0 || read["json"] == 0 {
		t.Errorf("docs/formats.md has examples %v", read)
	}
}

// longRun is from how many digits on a text may be a telephone number.
var longRun = regexp.MustCompile(`[0-9]{8}`)

func TestFaultsTellNoNumber(t *testing.T) {
	for text, want := range map[string]string{
		`"+447700900123" must be x`:                 `"****0123" must be x`,
		`"call (020) 7946-0123 or +1 202 555 0147"`: `"call (****0123 or ****0147"`,
		"12345678": "****5678",
		`"2026-11-20": a time is RFC 3339, as 2026-11-03T10:00:00Z`: `"2026-11-20": a time is RFC 3339, as 2026-11-03T10:00:00Z`,
		"2026-11-20 447700900123":                                   "2026-11-20 ****0123",
		`"1,520.73" is not`:                                         `"1,520.73" is not`,
		"rates[1234567]":                                            "rates[1234567]",
	} {
		if got := withoutNumbers(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

//fuzz:reaches directory.go:ParseDirectory directory.go:parsePartner directory.go:parseCustomer
//fuzz:reaches directory.go:parsePriceList directory.go:parseRate document.go:parseYAML document.go:parseJSON
func FuzzDirectory(f *testing.F) {
	f.Add(testFile(f, "directory.yaml"), "d.yaml")
	f.Add(testFile(f, "faults.yaml"), "d.yaml")
	f.Add([]byte(`{"partners":[{"id":"northwind","customers":[]}]}`), "d.json")
	f.Add([]byte(`{"partners":null,"customers":[{"accountId":"acme_retail","name":true,"creditLimit":null,"remainingCredit":1e3},7,{"name":[]}],"priceLists":{}}`), "d.json")
	f.Add([]byte("priceLists:\n- {accountId: acme_retail, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{operator: '31099', unitPrice: 1}, {country: ZZ, unitPrice: 1}]}\n"), "d.yaml")
	f.Add([]byte("partners: &p\n- *p\n"), "d.yaml")
	f.Add([]byte("a: 1\rb: 2"), "d.yaml") // an error of the file as a whole
	f.Add([]byte("a: |\n b\n? [c]\n: !t {<<: *a}\n"), "")
	f.Add([]byte("+447700900123: x\npartners:\n- {id: 'call +44 7700 900-123', name: n, '12025550147': 1}\ncustomers: [{accountId: 447700900123, currency: '2026-01-01 +12025550147'}]\n"), "d.yaml")
	f.Fuzz(func(t *testing.T, text []byte, name string) {
		d, err := ParseDirectory(bytes.NewReader(text), name)
		lines := len(text) + 1 // YAML has more kinds of line ends than one would think
		var faults Faults
		if err != nil && (!errors.As(err, &faults) || len(faults) == 0) && !errors.As(err, new(*FileError)) {
			t.Fatalf("%q: an error that is no fault: %v", text, err)
		}
		for i, fault := range faults {
			if fault.Line < 1 || fault.Line > lines || fault.File != name || i > 0 && fault.Line < faults[i-1].Line {
				t.Errorf("%q: fault %d is %#v", text, i, fault)
			}
			if longRun.MatchString(fault.Path + " " + fault.Detail) {
				t.Errorf("%q: fault %d tells a number: %#v", text, i, fault)
			}
		}
		for _, l := range d.PriceLists {
			if more := l.List.Validate(l.Log.Product); len(more) > 0 || l.Log.Account == "" || l.Line == 0 || l.CurrencyLine == 0 {
				t.Errorf("%q: a list with faults: %v", text, more)
			}
		}
		for _, p := range d.Partners {
			if p.ID == "" || p.Line == 0 || p.Name.IsSet() && p.Name.Value == "" {
				t.Errorf("%q: partner %+v", text, p)
			}
		}
		for _, c := range d.Customers {
			if c.Account == "" || c.Line == 0 || c.Products.IsSet() && len(c.Products.Value) == 0 {
				t.Errorf("%q: customer %+v", text, c)
			}
		}
	})
}

func TestOperatorOfAPriceListThatNoRecordHasIsAWarning(t *testing.T) {
	const file = `priceLists:
  - accountId: acme_retail
    product: sms
    effectiveFrom: 2026-01-01T00:00:00Z
    currency: EUR
    rates:
      - {operator: "310099", unitPrice: "0.05"}
      - {operator: "31099", unitPrice: "0.99"}
`
	d, err := ParseDirectory(strings.NewReader(file), "d.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := `d.yaml:8: priceLists[0].rates[1].operator: "31099" must have an MNC of 3 digits, as all of MCC 310 have: no record has it`
	if len(d.Warnings) != 1 || d.Warnings[0].Error() != want || len(d.PriceLists) != 1 {
		t.Errorf("the warnings are %q, want %q", d.Warnings, want)
	}
}
