package sample_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/importer"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// loaded is the directory as the operator's tool has it after apply.
type loaded struct {
	directory importer.Directory
	accounts  map[string]usage.AccountID
	books     map[usage.Log]pricing.Book
}

// load reads the directory as of now, and makes it ready for records.
func load(t *testing.T, now time.Time) loaded {
	t.Helper()
	d, err := importer.ParseDirectory(bytes.NewReader(render(t, now)), "directory.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Warnings) > 0 {
		t.Errorf("the sample's directory has warnings:\n%v", d.Warnings)
	}
	l := loaded{d, map[string]usage.AccountID{}, map[usage.Log]pricing.Book{}}
	for _, c := range d.Customers {
		l.accounts[string(c.Account)] = c.Account
		for _, sub := range c.SubAccounts.Value {
			l.accounts[sub.Name] = c.Account
		}
	}
	lists := map[usage.Log][]pricing.List{}
	for _, p := range d.PriceLists {
		lists[p.Log] = append(lists[p.Log], p.List)
	}
	for log, of := range lists {
		if l.books[log], err = pricing.NewBook(log, of); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// take reads usage as of now, all of which must be taken.
func (l loaded) take(t *testing.T, file io.Reader, format importer.Format, now time.Time) []importer.Row {
	t.Helper()
	var rows []importer.Row
	for row, err := range importer.ReadUsage(file, format, importer.Options{
		Now:      now,
		Accounts: func(name string) (usage.AccountID, bool) { id, ok := l.accounts[name]; return id, ok },
	}) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Rejected != nil {
			t.Fatalf("%+v is not taken", *row.Rejected)
		}
		rows = append(rows, row)
	}
	return rows
}

// The sample takes the operator's own path: the importer takes the directory
// and every record, and pricing them with the directory's lists comes to every
// outcome, for every reason, of every product that can have it.
func TestSampleComesToEveryOutcome(t *testing.T) {
	l := load(t, noon)
	outcomes, dropped := map[string]int{}, map[string]int{}
	ratedFrom := map[usage.Log]map[string]bool{} // the lists that rate a log's records
	rows := l.take(t, bytes.NewReader(generate(t, noon, count)), importer.Native, noon)
	for _, row := range rows {
		for _, field := range row.Dropped {
			dropped[field]++
		}
		p := l.books[row.Record.Log].Price(row.Record)
		outcomes[fmt.Sprintf("%s %s %s", row.Record.Product, p.Outcome, p.Reason)]++
		if p.Why == nil {
			continue
		}
		if ratedFrom[row.Record.Log] == nil {
			ratedFrom[row.Record.Log] = map[string]bool{}
		}
		ratedFrom[row.Record.Log][usage.FormatTime(p.Why.EffectiveFrom)] = true
		if p.Money.Amount.IsZero() {
			outcomes["rated at 0"]++
		}
		if p.Why.Rate.Operator != "" {
			outcomes["rated by operator"]++
		}
		if !p.Why.Rate.SetupFee.IsZero() {
			outcomes["rated with a set-up fee"]++
		}
	}
	if len(rows) != count {
		t.Errorf("%d records were taken, want %d", len(rows), count)
	}
	if dropped["contactName"] != count || dropped["content"] != count || dropped["agentNote"] == 0 || dropped["errorCode"] == 0 || len(dropped) != 4 {
		t.Errorf("dropped %v; want each name and content, some notes and error codes, and nothing else", dropped)
	}

	want := []string{"rated at 0", "rated by operator", "rated with a set-up fee"}
	for product, own := range map[string][]string{
		"sms":       {"free status", "free nothing_billable", "recorded quantity_unknown", "unrated quantity_unknown"},
		"voice":     {"free nothing_billable", "recorded quantity_unknown", "unrated quantity_unknown"},
		"video":     {"free nothing_billable", "recorded quantity_unknown", "unrated quantity_unknown"},
		"messaging": {"free status"},
	} {
		for _, o := range append(own, "rated ", "recorded no_price_list", "unrated no_price_list", "recorded no_rate", "unrated no_rate") {
			want = append(want, product+" "+o)
		}
	}
	for _, o := range want {
		if outcomes[o] == 0 {
			t.Errorf("no record is %s", o)
		}
	}
	changed := 0
	for _, from := range ratedFrom {
		if len(from) > 1 {
			changed++
		}
	}
	if changed != 6 {
		t.Errorf("%d logs are rated by more than one list, want 6", changed)
	}
}

// Worked out by hand from testdata/fixtures and the lists of their customers.
func TestFixturesArePartlyRated(t *testing.T) {
	l := load(t, noon)
	for _, test := range []struct {
		file   string
		format importer.Format
		prices map[string]string // by the end of the id
	}{
		{"8x8-sms-log.csv", importer.ConnectSMS, map[string]string{
			"101": "rated 0.039",        // of the operator's rate
			"102": "rated 0.1236",       // 3 × 0.0412
			"103": "recorded 0.0083",    // in May, nowhere but Great Britain
			"104": "recorded 0",         // a known 0
			"105": "recorded 0.0339",    // two seconds before the list of June
			"106": "free 0",             // queued
			"107": "free 0",             // rejected
			"108": "rated 0.0117",       // inbound
			"109": "rated 0.0678",       // 2 × 0.0339
			"110": "rated 0.067",        // 0.06705, half to even
			"111": "recorded 0.0125471", // not rounded
			"112": "recorded 0",
		}},
		{"8x8-chatapps-log.csv", importer.ConnectMessaging, map[string]string{
			"201:1": "rated 0.0423",
			"202:1": "free 0",       // undelivered
			"203:1": "free 0",       // undelivered
			"203:2": "rated 0.0339", // so it went by SMS
			"204:1": "free 0",       // sent is not delivered
			"205:1": "unrated",
			"206:1": "unrated",
			"207:1": "rated 0",
			"208:1": "unrated", // WhatsApp, but not to Great Britain
		}},
		{"8x8-voice-log.csv", importer.ConnectVoice, map[string]string{
			"401": "rated 0.0185", // 37 s of 0.0300 a minute
			"402": "rated 0.1",    // 61 s count as 120, and 0.0100 for the set-up
			"403": "free 0",
			"404": "rated 0.045", // 149 s count as 150
			"405": "recorded 0.0462",
			"406": "rated 0.0126", // 39 s count as 42
			"407": "free 0",
			"408": "recorded 0.0105",
		}},
	} {
		t.Run(test.file, func(t *testing.T) {
			file, err := os.Open(filepath.Join("..", "..", "..", "testdata", "fixtures", test.file))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			got := map[string]string{}
			for _, row := range l.take(t, file, test.format, noon) {
				p := l.books[row.Record.Log].Price(row.Record)
				price := string(p.Outcome)
				if p.Money != nil {
					price += " " + money.Text(p.Money.Amount)
				}
				got[strings.TrimPrefix(string(row.Record.ID), "00000000-0000-4000-8000-000000000")] = price
			}
			if diff := cmp.Diff(test.prices, got); diff != "" {
				t.Errorf("prices (- by hand, + here):\n%s", diff)
			}
		})
	}
}
