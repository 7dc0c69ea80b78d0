package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/testkit/producttest"
)

// summaryRow is a row by customer, day and product.
type summaryRow struct {
	Key                        struct{ Customer, Day, Product string }
	Records, Segments, Unrated int64
	DurationSeconds            *int64
	Charged                    []struct {
		Currency, Amount string
		Records          int64
	}
}

// kept is a copy of all rows: by customer, day and product, each as it came.
type kept map[string]string

func (k kept) put(t *testing.T, row []byte) {
	t.Helper()
	var r summaryRow
	if err := json.Unmarshal(row, &r); err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	must(t, json.Compact(&compact, row))
	key := r.Key.Customer + " " + r.Key.Day + " " + r.Key.Product
	if k[key] != "" {
		t.Errorf("there are two rows of %s", key)
	}
	k[key] = compact.String()
}

// client is a partner's program of docs/api.md that keeps a copy, in a folder of its own.
type client struct {
	run  func(t *testing.T, base string)
	copy func(t *testing.T) kept
}

// shellClient and goClient are the programs of docs/api.md as they stand.
func shellClient(t *testing.T, key string) client {
	folder := t.TempDir()
	program := block(t, "sh sync.sh")
	return client{
		func(t *testing.T, base string) { t.Helper(); runAt(t, folder, base, key, "sh", "-c", program) },
		func(t *testing.T) kept {
			t.Helper()
			text, err := os.ReadFile(filepath.Join(folder, "copy.ndjson"))
			must(t, err)
			rows := kept{}
			for line := range bytes.Lines(text) {
				rows.put(t, line)
			}
			return rows
		},
	}
}

func goClient(t *testing.T, key string) client {
	folder := t.TempDir()
	program := filepath.Join(folder, "sync")
	runAt(t, folder, "", "", "go", append([]string{"build", "-o", program}, sources(t, "sync.go", "get.go")...)...)
	return client{
		func(t *testing.T, base string) { t.Helper(); runAt(t, folder, base, key, program) },
		func(t *testing.T) kept {
			t.Helper()
			text, err := os.ReadFile(filepath.Join(folder, "copy.json"))
			must(t, err)
			var file struct{ Days map[string][]json.RawMessage }
			must(t, json.Unmarshal(text, &file))
			rows := kept{}
			for _, day := range file.Days {
				for _, row := range day {
					rows.put(t, row)
				}
			}
			return rows
		},
	}
}

// runAt runs a partner's program to its end, which must be a good one.
func runAt(t *testing.T, folder, base, key, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "PARTNERVIEW_URL="+base, "PARTNERVIEW_KEY="+key)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}

// counted serves a product at another address and counts the requests.
func counted(t *testing.T, p *producttest.Product) (base string, requests *atomic.Int64) {
	t.Helper()
	target, err := url.Parse(p.BaseURL)
	must(t, err)
	requests = new(atomic.Int64)
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: target.Scheme, Host: target.Host})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + target.Path, requests
}

// Who keeps a copy by the programs of docs/api.md has what the API has: through all that
// happens to usage and prices of 40 customers, in four time zones, and with few requests.
func TestTheGuidesProgramsKeepACopy(t *testing.T) {
	needTools(t)
	const customers, days = 40, 13
	p := another(t) // by the clock: what changed when is told by DynamoDB's
	today := time.Now().UTC().Truncate(24 * time.Hour)
	at := func(day, hour int) string {
		return today.AddDate(0, 0, day-days).Add(time.Duration(hour) * time.Hour).Format(time.RFC3339)
	}
	operates := func(stdin string, arguments ...string) {
		t.Helper()
		out, complaint, code := p.partnerctlAt(t, time.Now().UTC().Format(time.RFC3339), stdin, arguments...)
		if code != 0 {
			t.Fatalf("partnerctl %v: exit %d: %s%s", arguments, code, out, complaint)
		}
	}
	account := func(i int) string { return fmt.Sprintf("client_%02d", i) }
	zones := []string{"UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Marquesas"}
	var directory, grants strings.Builder
	for i := range customers {
		fmt.Fprintf(&directory, "  - {accountId: %s, name: Client %02d, products: [sms, voice], currency: EUR, billingMode: postpaid, timeZone: %s, subAccounts: [%[1]s_sub]}\n",
			account(i), i, zones[i%len(zones)])
		fmt.Fprintf(&grants, "{accountId: %s}, ", account(i))
	}
	list := func(i int, price string) string {
		return fmt.Sprintf("  - {accountId: %s, product: sms, effectiveFrom: %s, currency: EUR, chargeOn: delivered, rates: [{direction: outbound, unitPrice: %q}]}\n",
			account(i), at(-30, 0), price)
	}
	operates("partners:\n  - {id: keeper, name: Keeper, customers: ["+grants.String()+"]}\ncustomers:\n"+directory.String()+
		"priceLists:\n"+list(1, "0.081")+list(2, "0.0333")+list(3, "0.07"), "apply", "--yes", "--correct-past", "-f", "-")

	record := func(i, day, hour int, product, id, more string) string {
		return fmt.Sprintf(`{"accountId":%q,"product":%q,"id":%q,"timestamp":%q,"direction":"outbound","to":"+447700900123","country":"GB"%s}`+"\n",
			account(i), product, id, at(day, hour), more)
	}
	umid := func(i, day int) string { return fmt.Sprintf("00000000-0000-4000-8000-0000%04d%04d", i, day) }
	var usage strings.Builder
	for i := range customers {
		for day := range days {
			usage.WriteString(record(i, day, 1+day, "sms", umid(i, day), fmt.Sprintf(`,"status":"sent","statusAt":%q,"segments":%d`, at(day, 1+day), 1+day%3)))
			usage.WriteString(record(i, day, 23-day, "voice", fmt.Sprintf("v-%d-%d", i, day), fmt.Sprintf(`,"status":"completed","durationSeconds":%d,"recordedPrice":{"amount":"0.0%d1","currency":%q}`,
				30+day, 1+day, []string{"EUR", "USD"}[day%2])))
		}
	}
	operates(usage.String(), "import", "usage", "-")

	key := p.createKey(t, time.Now().UTC().Format(time.RFC3339), "keeper", "--expires", "48h").Key
	base, requests := counted(t, p.Product)
	clients := map[string]client{"sync.sh": shellClient(t, key), "sync.go": goClient(t, key)}
	whole := func() kept {
		t.Helper()
		rows := kept{}
		path := fmt.Sprintf("/summary?groupBy=customer&groupBy=day&groupBy=product&limit=1000&from=%s&to=%s", at(-60, 0)[:10], at(days+2, 0)[:10])
		for next := path; next != ""; {
			var page struct {
				Data       []json.RawMessage
				Complete   bool
				NextCursor string
			}
			p.read(t, key, next, &page)
			if !page.Complete {
				t.Errorf("GET %s is not complete", next)
			}
			for _, row := range page.Data {
				rows.put(t, row)
			}
			if next = ""; page.NextCursor != "" {
				next = path + "&cursor=" + page.NextCursor
			}
		}
		return rows
	}
	// brings both copies up to date, in so many requests at most.
	brings := func(base string, most int64) {
		t.Helper()
		for name, c := range clients {
			before := requests.Load()
			c.run(t, base)
			if n := requests.Load() - before; n > most {
				t.Errorf("%s takes %d requests, want %d at most", name, n, most)
			}
		}
	}
	last := kept{}
	equal := func(after string, changed bool) {
		t.Helper()
		want := whole()
		if changed == maps.Equal(want, last) {
			t.Errorf("%s: the summary has changed: %v", after, !changed)
		}
		last = want
		for name, c := range clients {
			if diff := cmp.Diff(want, c.copy(t)); diff != "" {
				t.Errorf("%s: the copy of %s (+) is not what the API says (-):\n%.3000s", after, name, diff)
			}
		}
	}

	brings(base, 3)
	equal("the first time", true)
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"late records", func() {
			var late strings.Builder
			for i := 0; i < customers; i += 3 {
				late.WriteString(record(i, 4, 12, "sms", fmt.Sprintf("late-%d", i), `,"status":"delivered","segments":2`))
				late.WriteString(record(i, -9, 12, "voice", fmt.Sprintf("early-%d", i), `,"status":"completed"`))
				late.WriteString(record(i, -9, 12, "video", fmt.Sprintf("hidden-%d", i), `,"participantSeconds":90`)) // not the customer's product
			}
			operates(late.String(), "import", "usage", "-")
		}},
		{"receipts", func() {
			var receipts strings.Builder
			for i := range customers {
				for day := i % 2; day < days; day += 2 {
					state := []string{"delivered", "undelivered"}[day/2%2]
					fmt.Fprintf(&receipts, `{"eventType":"outbound_message_status_changed","payload":{"umid":%q,"subAccountId":"%s_sub","status":{"state":%q,"timestamp":%q},"price":{"total":0.0412,"currency":"EUR"}}}`+"\n",
						umid(i, day), account(i), state, at(day, 2+day))
				}
			}
			operates(receipts.String(), "import", "usage", "--format", "connect-sms-receipts", "-")
		}},
		{"a deletion", func() {
			operates("", "usage", "delete", account(5), "--product", "sms", "--id", umid(5, 6), "--yes")                     // a product of a day
			operates("", "usage", "delete", account(8), "--from", at(10, 0), "--to", at(12, 0), "--yes")                     // whole days
			operates("", "usage", "delete", account(39), "--yes")                                                            // all there is
			operates(record(39, 3, 5, "sms", "again", `,"segments":1`), "import", "usage", "-")                              // and something again
			operates("", "usage", "delete", account(1), "--product", "voice", "--from", at(0, 0), "--to", at(5, 0), "--yes") // half of some days
		}},
		{"a corrected price list", func() {
			operates("priceLists:\n"+list(1, "0.0905")+list(4, "0.011"), "apply", "--yes", "--correct-past", "-f", "-")
		}},
		{"a list withdrawn", func() {
			operates("", "price", "withdraw", account(2), "sms", "--from", at(-30, 0), "--correct-past", "--yes")
		}},
		{"another time zone", func() {
			operates(fmt.Sprintf("customers: [{accountId: %s, timeZone: Asia/Tokyo}]", account(7)), "apply", "--yes", "-f", "-")
		}},
		{"prices that are counted later, and asked for before", func() {
			operates("priceLists:\n"+list(3, "0.5"), "apply", "--yes", "--correct-past", "--totals", "later", "-f", "-")
			brings(base, 3)
			var pending struct {
				Complete     bool
				PendingCount int
			}
			p.read(t, key, "/summary?groupBy=day&from="+at(0, 0)[:10], &pending)
			if pending.Complete || pending.PendingCount == 0 {
				t.Errorf("while they are left for later it says %+v", pending)
			}
			operates("", "totals", "rebuild", "--account", account(3))
		}},
	} {
		step.do()
		brings(base, 3)
		equal(step.name, true)
	}
	if t.Failed() {
		return
	}
	sumsOfLogs(t, p, key, last, account(1), account(2), account(3), account(4), account(5), account(6), account(7), account(8), account(39))

	// What changed in the last ten minutes comes again. By a clock that is further on, that is nothing.
	later, err := producttest.Start(pv.root, pv.bin, p.DynamodbEndpoint, append(sameTables(p), "--empty", "--now", time.Now().UTC().Add(25*time.Minute).Format(time.RFC3339))...)
	must(t, err)
	defer func() { must(t, later.Stop()) }()
	base, requests = counted(t, later)
	brings(base, 3)
	brings(base, 1)
	equal("where nothing has changed", false)
	if n := len(last); n < customers*days*2-100 {
		t.Errorf("the copy has %d rows: too few to show anything", n)
	}
}

// sameTables are the arguments by which a second product serves the first one's tables.
func sameTables(p *product) (arguments []string) {
	for id, name := range map[string]string{
		"PartnersTable": p.Tables.Partners, "CustomersTable": p.Tables.Customers, "PriceListsTable": p.Tables.PriceLists,
		"UsageTable": p.Tables.Usage, "TotalsTable": p.Tables.Totals, "LedgerTable": p.Tables.Ledger,
	} {
		arguments = append(arguments, "--parameter", id+"="+name)
	}
	return arguments
}

// sumsOfLogs compares the rows of some customers with the records that their logs list.
func sumsOfLogs(t *testing.T, p *product, key string, rows kept, accounts ...string) {
	t.Helper()
	type sum struct {
		records, segments, seconds, unrated int64
		charged                             map[string]string // amount and records, by currency
	}
	got, want := map[string]sum{}, map[string]sum{}
	for k, text := range rows {
		var r summaryRow
		must(t, json.Unmarshal([]byte(text), &r))
		if !slices.Contains(accounts, r.Key.Customer) {
			continue
		}
		s := sum{records: r.Records, segments: r.Segments, unrated: r.Unrated, charged: map[string]string{}}
		if r.DurationSeconds != nil {
			s.seconds = *r.DurationSeconds
		}
		for _, c := range r.Charged {
			amount, ok := new(big.Rat).SetString(c.Amount)
			if !ok {
				t.Fatalf("%s: %q is no amount", k, c.Amount)
			}
			s.charged[c.Currency] = fmt.Sprint(amount.FloatString(20), " ", c.Records)
		}
		got[k] = s
	}
	type listed struct {
		Timestamp                 time.Time
		Segments, DurationSeconds int64
		Price                     struct{ Amount, Currency string }
	}
	for _, account := range accounts {
		var customer struct{ TimeZone string }
		p.read(t, key, "/customers/"+account, &customer)
		zone, err := time.LoadLocation(customer.TimeZone)
		must(t, err)
		for _, product := range []string{"sms", "voice"} {
			amounts, counts := map[string]*big.Rat{}, map[string]int64{}
			for next := "?"; next != ""; {
				var page struct {
					Data       []listed
					NextCursor string
				}
				p.read(t, key, "/customers/"+account+"/usage/"+product+next+"limit=500", &page)
				for _, r := range page.Data {
					k := account + " " + r.Timestamp.In(zone).Format(time.DateOnly) + " " + product
					s := want[k]
					s.records, s.segments, s.seconds = s.records+1, s.segments+r.Segments, s.seconds+r.DurationSeconds
					if s.charged == nil {
						s.charged = map[string]string{}
					}
					if currency := r.Price.Currency; currency == "" {
						s.unrated++
					} else {
						amount, ok := new(big.Rat).SetString(r.Price.Amount)
						if !ok {
							t.Fatalf("%s: %q is no amount", k, r.Price.Amount)
						}
						at := k + " " + currency
						if amounts[at] == nil {
							amounts[at] = new(big.Rat)
						}
						amounts[at].Add(amounts[at], amount)
						counts[at]++
						s.charged[currency] = fmt.Sprint(amounts[at].FloatString(20), " ", counts[at])
					}
					want[k] = s
				}
				if next = ""; page.NextCursor != "" {
					next = "?cursor=" + page.NextCursor + "&"
				}
			}
		}
	}
	if len(want) < 100 {
		t.Errorf("only %d rows are compared", len(want))
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sum{})); diff != "" {
		t.Errorf("the sums of the listed records (-) are not the summary's (+):\n%.3000s", diff)
	}
}
