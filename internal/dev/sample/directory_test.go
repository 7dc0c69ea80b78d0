package sample_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"partnerview/internal/dev/sample"
	"partnerview/internal/importer"
	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// file is a directory file as it is written: what the importer fills in is not in it.
type file struct {
	Partners []struct {
		ID, Name, Status string
		Customers        []grant
	}
	Customers  []customer
	PriceLists []priceList `yaml:"priceLists"`
}

type grant struct {
	AccountID string `yaml:"accountId"`
	Products  []string
}

type customer struct {
	AccountID       string `yaml:"accountId"`
	Name            string
	Products        []string
	Currency        string
	BillingMode     string   `yaml:"billingMode"`
	RemainingCredit *string  `yaml:"remainingCredit"`
	CreditLimit     *string  `yaml:"creditLimit"`
	CreditAsOf      string   `yaml:"creditAsOf"`
	SubAccounts     []string `yaml:"subAccounts"`
}

type priceList struct {
	AccountID     string `yaml:"accountId"`
	Product       string
	EffectiveFrom string `yaml:"effectiveFrom"`
	Currency      string
	ChargeOn      string `yaml:"chargeOn"`
	Rounding      struct {
		Scale int
		Mode  string
	}
	Rates []rate
}

type rate struct {
	Direction, Channel, Category, Country, Operator string
	UnitPrice                                       string `yaml:"unitPrice"`
	SetupFee                                        string `yaml:"setupFee"`
	Increment                                       struct{ First, Next int }
}

// noon is the time of most tests here: a working day, after the fixtures'.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func render(t *testing.T, now time.Time) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "sample", "directory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := sample.Directory(string(text), now)
	if err != nil {
		t.Fatal(err)
	}
	return rendered
}

func read(t *testing.T, now time.Time) file {
	t.Helper()
	var f file
	decoder := yaml.NewDecoder(bytes.NewReader(render(t, now)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil {
		t.Fatalf("as of %s the directory is not what FORMATS says: %v", now, err)
	}
	return f
}

func (f file) customer(account string) (customer, bool) {
	i := slices.IndexFunc(f.Customers, func(c customer) bool { return c.AccountID == account })
	if i < 0 {
		return customer{}, false
	}
	return f.Customers[i], true
}

func TestDirectoryTimesAreRelativeToNow(t *testing.T) {
	text := "{{ago 45}} {{ahead 14}} {{hoursAgo 25}}"
	for _, test := range []struct{ name, now, want string }{
		{"on an ordinary day", "2026-11-20T12:34:56.789Z", "2026-10-06T00:00:00Z 2026-12-04T00:00:00Z 2026-11-19T11:34:56Z"},
		{"across a leap day", "2028-03-14T00:00:00Z", "2028-01-29T00:00:00Z 2028-03-28T00:00:00Z 2028-03-12T23:00:00Z"},
		{"across a year's end", "2026-12-31T23:59:59Z", "2026-11-16T00:00:00Z 2027-01-14T00:00:00Z 2026-12-30T22:59:59Z"},
		{"in UTC wherever now is", "2026-11-20T01:00:00+09:00", "2026-10-05T00:00:00Z 2026-12-03T00:00:00Z 2026-11-18T15:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339Nano, test.now)
			if err != nil {
				t.Fatal(err)
			}
			got, err := sample.Directory(text, now)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestDirectoryNamesAFaultyWord(t *testing.T) {
	for _, text := range []string{"{{yesterday}}", "{{ago}}", `{{ago "45"}}`} {
		if _, err := sample.Directory(text, noon); err == nil || !strings.Contains(err.Error(), "directory.yaml:1") {
			t.Errorf("%s: got %v, want an error with its line", text, err)
		}
	}
}

// Every reference and every form in the directory holds, whenever it is rendered.
func TestDirectoryIsWellFormed(t *testing.T) {
	for _, now := range []time.Time{
		noon,
		time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 12, 31, 23, 59, 59, 999e6, time.UTC),
		time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 6, 3, 12, 5, 0, 0, time.UTC),
	} {
		t.Run(now.Format(time.RFC3339), func(t *testing.T) {
			d := load(t, now).directory
			products := map[usage.AccountID][]usage.Product{}
			for _, c := range d.Customers {
				products[c.Account] = c.Products.Value
				if asOf := c.CreditAsOf.Value; asOf != nil && asOf.After(now) {
					t.Errorf("customer %s: credit as of %s", c.Account, asOf)
				}
				if slices.ContainsFunc(c.SubAccounts.Value, func(s importer.SubAccount) bool { return s.Name == string(c.Account) }) {
					t.Errorf("customer %s is a sub-account of its own", c.Account)
				}
			}
			for _, p := range d.Partners {
				for _, g := range p.Grants.Value {
					if products[g.Account] == nil {
						t.Errorf("partner %s: %q is no customer", p.ID, g.Account)
					}
				}
			}
			for _, l := range d.PriceLists {
				if !slices.Contains(products[l.Log.Account], l.Log.Product) {
					t.Errorf("%s has a list, and %s has %v", l.Log.Text(), l.Log.Account, products[l.Log.Account])
				}
			}
		})
	}
}

// What testdata/README.md promises of the directory.
func TestDirectoryShowsWhatItPromises(t *testing.T) {
	f := read(t, noon)

	currencies, granted := map[string]int{}, map[string][]string{}
	for _, c := range f.Customers {
		currencies[c.Currency]++
	}
	if len(f.Customers) != 40 || len(currencies) != 6 || currencies["JPY"] == 0 || currencies["KWD"] == 0 {
		t.Errorf("%d customers in %v; want 40 in 6 currencies, yen and dinars among them", len(f.Customers), currencies)
	}

	sizes, status, narrowed := map[string]int{}, map[string]string{}, map[string]int{}
	for _, p := range f.Partners {
		sizes[p.ID], status[p.ID] = len(p.Customers), p.Status
		for _, g := range p.Customers {
			granted[g.AccountID] = append(granted[g.AccountID], p.ID)
			if len(g.Products) > 0 {
				narrowed[p.ID]++
			}
		}
	}
	if sizes["northwind"] != 30 || sizes["southbank"] != 15 || sizes["eastgate"] == 0 || sizes["westmarch"] != 3 || sizes["newhaven"] != 0 {
		t.Errorf("partners have %v customers", sizes)
	}
	if len(sizes) != 5 || status["eastgate"] != "suspended" || narrowed["southbank"] != 5 {
		t.Errorf("statuses %v, narrowed grants %v", status, narrowed)
	}
	if granted["brolly-library"] != nil {
		t.Errorf("brolly-library is for nobody; granted to %v", granted["brolly-library"])
	}
	if !slices.Equal(granted["harbourline_freight"], []string{"northwind", "southbank", "eastgate"}) {
		t.Errorf("harbourline_freight is granted to %v", granted["harbourline_freight"])
	}

	for _, claim := range []struct {
		name string
		is   func(customer) bool
		want int
	}{
		{"has one product", func(c customer) bool { return len(c.Products) == 1 }, 11},
		{"has four products", func(c customer) bool { return len(c.Products) == 4 }, 2},
		{"pays by invoice, and no credit is told", func(c customer) bool { return c.BillingMode == "postpaid" && c.RemainingCredit == nil }, 8},
		{"pays by invoice, and what is left is told", func(c customer) bool { return c.BillingMode == "postpaid" && c.RemainingCredit != nil }, 1},
		{"is prepaid, and its credit unknown", func(c customer) bool { return c.BillingMode == "prepaid" && c.RemainingCredit == nil }, 2},
		{"is overdrawn", func(c customer) bool { return credit(t, c) < 0 }, 3},
		{"has used up its credit exactly", func(c customer) bool { return c.RemainingCredit != nil && credit(t, c) == 0 }, 1},
		{"is low on credit", func(c customer) bool { return c.Currency != "KWD" && credit(t, c) > 0 && credit(t, c) < 5 }, 2},
		{"has credit that is older than a day", func(c customer) bool { return c.CreditAsOf != "" && c.CreditAsOf < "2026-11-19T12" }, 3},
		{"has a name of 200 characters", func(c customer) bool { return utf8.RuneCountInString(c.Name) == 200 }, 1},
		{"has an ID of 50 characters", func(c customer) bool { return len(c.AccountID) == 50 }, 1},
		{"has an ID of 3 characters", func(c customer) bool { return len(c.AccountID) == 3 }, 1},
		{"has a name that looks like HTML", func(c customer) bool { return strings.ContainsAny(c.Name, "<>") }, 2},
		{"has a name that looks like a formula", func(c customer) bool { return strings.HasPrefix(c.Name, "=") }, 1},
		{"has the name of another", func(c customer) bool { return c.Name == "Kitebird Couriers" }, 2},
	} {
		var are []string
		for _, c := range f.Customers {
			if claim.is(c) {
				are = append(are, c.AccountID)
			}
		}
		if len(are) != claim.want {
			t.Errorf("%s: %d of the customers %v, want %d", claim.name, len(are), are, claim.want)
		}
	}
	for _, mark := range []string{".", "-", "_", "&"} {
		if !slices.ContainsFunc(f.Customers, func(c customer) bool { return strings.Contains(c.AccountID, mark) }) {
			t.Errorf("no account ID has a %q", mark)
		}
	}
	for _, script := range []string{"Latin", "Greek", "Cyrillic", "Hebrew", "Arabic", "Han", "Hiragana", "Hangul", "Thai", "Devanagari"} {
		if !slices.ContainsFunc(f.Customers, func(c customer) bool {
			return strings.ContainsFunc(c.Name, func(r rune) bool { return unicode.Is(unicode.Scripts[script], r) })
		}) {
			t.Errorf("no customer has a name in %s", script)
		}
	}
}

// credit is about what a customer has left; 0 where it is unknown.
func credit(t *testing.T, c customer) float64 {
	t.Helper()
	if c.RemainingCredit == nil {
		return 0
	}
	d, err := money.Parse(*c.RemainingCredit)
	if err != nil {
		t.Fatal(err)
	}
	return d.InexactFloat64()
}

func TestPriceListsShowWhatTheyPromise(t *testing.T) {
	f := read(t, noon)
	is := map[string]int{}
	perLog := map[string][]string{}
	for _, l := range f.PriceLists {
		is[l.Product]++
		is["chargeOn "+l.ChargeOn]++
		is["rounding "+l.Rounding.Mode]++
		perLog[l.AccountID+"#"+l.Product] = append(perLog[l.AccountID+"#"+l.Product], l.EffectiveFrom)
		for _, r := range l.Rates {
			if r.Increment.First != 0 {
				is[fmt.Sprintf("increment %d/%d", r.Increment.First, r.Increment.Next)]++
			}
			if r.Operator != "" {
				is["operator"]++
			}
			if r.Category != "" {
				is["category"]++
			}
			if r.SetupFee != "" {
				is["set-up fee"]++
			}
			if r.UnitPrice == "0" {
				is["price of 0"]++
			}
			if r == (rate{UnitPrice: r.UnitPrice, SetupFee: r.SetupFee, Increment: r.Increment}) {
				is["rate for every record"]++
			}
		}
	}
	for _, feature := range []string{
		"sms", "voice", "video", "messaging", "chargeOn submitted", "chargeOn delivered", "rounding half-up", "rounding half-even", "rounding up",
		"increment 1/1", "increment 6/6", "increment 30/6", "increment 60/60",
		"operator", "category", "set-up fee", "price of 0", "rate for every record",
	} {
		if is[feature] == 0 {
			t.Errorf("no price list shows %q: %v", feature, is)
		}
	}
	changed := 0
	for _, from := range perLog {
		if slices.Contains(from, "2026-10-06T00:00:00Z") && len(from) > 1 {
			changed++
		}
	}
	if changed < 5 {
		t.Errorf("prices change in the middle of the 90 days for %d logs; want 5 at least", changed)
	}
	if from := perLog["harbourline_freight#sms"]; len(from) != 3 || from[2] <= "2026-11-20" {
		t.Errorf("harbourline_freight's SMS has lists from %v; want three, the last of them to come", from)
	}
}

// The files of testdata/fixtures are of customers that an active partner sees.
func TestDirectoryHasTheCustomersOfTheFixtures(t *testing.T) {
	f := read(t, noon)
	for _, name := range []string{"sample_one_hq", "sample_one_chat", "sample_one_voice", "sample-two.otp"} {
		i := slices.IndexFunc(f.Customers, func(c customer) bool { return slices.Contains(c.SubAccounts, name) })
		if i < 0 {
			t.Errorf("no customer has the sub-account %s", name)
			continue
		}
		account := f.Customers[i].AccountID
		if !slices.ContainsFunc(f.Partners[0].Customers, func(g grant) bool { return g.AccountID == account && g.Products == nil }) {
			t.Errorf("%s does not see the whole of %s", f.Partners[0].ID, account)
		}
	}
	for _, l := range f.PriceLists {
		if strings.HasPrefix(l.AccountID, "sample_") && !strings.HasPrefix(l.EffectiveFrom, "2026-0") {
			t.Errorf("%s#%s is from %s: the lists of the fixtures do not move", l.AccountID, l.Product, l.EffectiveFrom)
		}
	}
}

func TestAnUploadIsOfTheLastMinutes(t *testing.T) {
	now := time.Date(2026, 11, 29, 0, 3, 0, 5, time.FixedZone("", 3600))
	got, err := sample.Upload(`{"timestamp": "{{minutesAgo 5}}"}`, now)
	if want := `{"timestamp": "2026-11-28T22:58:00Z"}`; string(got) != want || err != nil {
		t.Errorf("Upload = %s, %v; want %s", got, err, want)
	}
	if _, err := sample.Upload("{{minutesAgo}}", now); err == nil || !strings.Contains(err.Error(), "usage.ndjson:1") {
		t.Errorf("a faulty word is told as %v", err)
	}
}
