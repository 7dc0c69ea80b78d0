package e2e_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"partnerview/internal/dynamo"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

const sinceEver = "updatedSince=2020-01-01T00:00:00Z"

// summedTo is what a summary by customer, day and product comes to, by customer and
// product: its records. Of one customer's, account is that customer.
func summedTo(t *testing.T, credential, path, account string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for _, r := range whole[summaryRow](t, credential, path) {
		if r.Key.Customer == "" {
			r.Key.Customer = account
		}
		if r.Records > 0 {
			all[r.Key.Customer+" "+r.Key.Product] += r.Records
		}
	}
	return all
}

// linesOf are the lines of a table to its end, each by its columns' names.
func linesOf(t *testing.T, credential, path string) (lines []map[string]string) {
	t.Helper()
	for next := path; next != ""; {
		a := pv.get(t, credential, next, "Accept", "text/csv")
		if a.status != 200 {
			t.Fatalf("GET %s as CSV: %d %s", next, a.status, a.body)
		}
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		must(t, err)
		for _, row := range rows[1:] {
			line := map[string]string{}
			for i, name := range rows[0] {
				line[name] = row[i]
			}
			lines = append(lines, line)
		}
		next = ""
		if link, _, more := strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">"); more {
			_, query, _ := strings.Cut(link, "?")
			before, _, _ := strings.Cut(path, "?")
			next = before + "?" + query
		}
	}
	return lines
}

// loadedOf is how many records of a customer's product the sample has.
func loadedOf(t *testing.T, account string, product usage.Product) int64 {
	t.Helper()
	return int64(len(load(t).records[usage.Log{Account: usage.AccountID(account), Product: product}]))
}

// Who asks for sums is told those of its own customers, and of their products that it may
// see, by every way: in sums of all, of one, of no group, as JSON and as CSV; and how far
// the logs of these are loaded, and of no others.
func TestSumsAreOfWhatTheViewerSees(t *testing.T) {
	n := newNarrow(t, "narrow-sums")
	viewers := map[string]string{"a narrowed key": n.key, "a person with a list": n.token, "southbank, some of whose grants are narrowed": pv.Key(t, "southbank"),
		"northwind": pv.Key(t, "northwind"), "westmarch": pv.Key(t, "westmarch")}
	type customer struct {
		AccountID string
		Products  []usage.Product
	}
	foreign := map[string]bool{}
	for _, grants := range grantsOfSample(t) {
		for account := range grants {
			foreign[account] = true
		}
	}
	for who, credential := range viewers {
		sees := map[string]customer{}
		for _, c := range whole[customer](t, credential, "/customers?limit=100") {
			sees[c.AccountID] = c
		}
		const by = "groupBy=customer&groupBy=day&groupBy=product&limit=1000"
		sums := summedTo(t, credential, "/summary?"+by+"&"+sinceEver, "")
		lines := map[string]int64{}
		counted := map[string]bool{}
		for _, line := range linesOf(t, credential, "/summary?"+by+"&"+sinceEver) {
			if line["records"] == "" || line["records"] == "0" {
				continue // a further currency of a row
			}
			var n int64
			_, err := fmt.Sscan(line["records"], &n)
			must(t, err)
			lines[line["customer"]+" "+line["product"]] += n
			counted[line["customer"]+" "+line["day"]+" "+line["product"]] = true
		}
		if !maps.Equal(sums, lines) || len(counted) < len(sums) {
			t.Errorf("%s: CSV sums up to %v, JSON to %v", who, lines, sums)
		}
		var ofAll int64
		want := map[string]bool{}
		for account, c := range sees {
			for _, product := range c.Products {
				at := account + " " + string(product)
				want[at] = true
				if ofAll += sums[at]; sums[at] < loadedOf(t, account, product) {
					t.Errorf("%s: the sums have %d records of %s; %d were loaded", who, sums[at], at, loadedOf(t, account, product))
				}
			}
		}
		asked := slices.Sorted(maps.Keys(sees))
		asked = append(asked[:min(len(asked), 5)], "mueller_soehne", "harbourline_freight", "zoes_cafe")
		for _, account := range asked {
			c, isSeen := sees[account]
			if !isSeen {
				continue
			}
			own := summedTo(t, credential, customerPath(account)+"/summary?groupBy=day&groupBy=product&limit=1000&"+sinceEver, account)
			for _, line := range linesOf(t, credential, customerPath(account)+"/summary?groupBy=day&groupBy=product&limit=1000&"+sinceEver) {
				if !want[account+" "+line["product"]] {
					t.Errorf("%s: the sums of %s as CSV have %v", who, account, line)
				}
			}
			var logs struct {
				Data []struct{ Product usage.Product }
			}
			pv.read(t, credential, customerPath(account)+"/usage", &logs)
			var products []usage.Product
			for _, l := range logs.Data {
				products = append(products, l.Product)
			}
			if !slices.Equal(products, c.Products) {
				t.Errorf("%s: the logs of %s are %v, and its products %v", who, account, products, c.Products)
			}
			for _, product := range usage.Products() {
				if at := account + " " + string(product); own[at] != sums[at] {
					t.Errorf("%s: %s has %d records in its own sums, %d in those of all", who, at, own[at], sums[at])
				}
				path := customerPath(account) + "/summary?groupBy=day&groupBy=product&product=" + string(product) + "&" + sinceEver
				if rows := whole[summaryRow](t, credential, path); len(rows) > 0 && !slices.Contains(c.Products, product) {
					t.Errorf("%s: GET %s tells of what is hidden: %+v", who, path, rows)
				}
			}
		}
		for _, product := range usage.Products() {
			for _, r := range whole[summaryRow](t, credential, "/summary?groupBy=customer&groupBy=day&limit=1000&"+sinceEver+"&product="+string(product)) {
				if !want[r.Key.Customer+" "+string(product)] {
					t.Errorf("%s is told of the %s of %s", who, product, r.Key.Customer)
				}
			}
		}
		for at := range sums {
			if !want[at] {
				t.Errorf("%s is told sums of %s", who, at)
			}
		}
		// What is hidden does not show in a sum without groups either.
		var ofDays int64
		for _, r := range whole[summaryRow](t, credential, "/summary?groupBy=day&limit=1000&"+sinceEver) {
			ofDays += r.Records
		}
		if ofDays != ofAll || ofAll == 0 {
			t.Errorf("%s: all days come to %d records, all customers to %d", who, ofDays, ofAll)
		}
		others := slices.DeleteFunc(slices.Sorted(maps.Keys(foreign)), func(account string) bool { return sees[account].AccountID != "" })
		for _, account := range append(others[:min(len(others), 5)], "no_such_account") {
			for _, path := range []string{"/summary", "/usage"} {
				pv.wants(t, who, credential, customerPath(account)+path, 404, "customer_not_found")
				pv.wants(t, who, credential, customerPath(account)+path, 404, "customer_not_found", "Accept", "text/csv")
			}
		}
		pv.wants(t, who, credential, "/customers/mueller_soehne/usage", map[bool]int{true: 406, false: 404}[sees["mueller_soehne"].AccountID != ""],
			map[bool]string{true: "not_acceptable", false: "customer_not_found"}[sees["mueller_soehne"].AccountID != ""], "Accept", "text/csv")
	}
}

// callsOf is what a function sent for a request: its calls, sorted, and the units they took.
func callsOf(t *testing.T, key, path, function string) (calls []string, units float64, took time.Duration, a answer) {
	t.Helper()
	for _, s := range pv.Proxy.During(func() {
		began := time.Now()
		a = pv.get(t, key, path)
		took = time.Since(began)
	}) {
		if s.Function == function {
			calls, units = append(calls, s.Operation), units+s.Units
		}
	}
	if a.status != 200 {
		t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	slices.Sort(calls)
	return calls, units, took, a
}

// putDays stores the totals of a month's days of a customer's products as a count does,
// under the lease: each day the same groups, so many records in each. The sheets are
// summed record by record.
func putDays(t *testing.T, account usage.AccountID, month totals.Month, groups, each int) (records int) {
	t.Helper()
	direct := dynamo.NewStore(dynamotest.ClientOf(t, pv.DynamodbEndpoint), pv.Tables)
	lease, err := direct.TakeLease(t.Context(), dynamo.LeaseWish{What: "test", Where: "internal/e2e"})
	must(t, err)
	defer func() { must(t, lease.GiveBack(t.Context())) }()
	s, mark := direct.Under(lease), lease.NextMark()
	zone, err := s.AccountZone(t.Context(), account)
	must(t, err)
	ofMonth := map[usage.Product]totals.MonthlyLog{}
	var all []totals.OpenDay
	counted := map[usage.Log][]totals.Dated{}
	for p, product := range usage.Products() {
		log := usage.Log{Account: account, Product: product}
		sheet := totals.Sheet{}
		quantity := int64(61)
		for g := p; g < groups; g += len(usage.Products()) {
			r := usage.Record{Log: log, Direction: "outbound", Status: usage.Status(fmt.Sprintf("status_%c%c", 'a'+g/26, 'a'+g%26)), Country: []usage.Country{"GB", "DE", "FR"}[g%3], Segments: &quantity}
			price := pricing.Price{Outcome: pricing.Recorded, Money: &money.Money{Currency: "EUR", Amount: decimal.RequireFromString("0.0412")}}
			for range each {
				sheet.Add(r, price)
				records++
			}
		}
		records += (month.Span().Days() - 1) * (groups/len(usage.Products()) + map[bool]int{true: 1}[p < groups%len(usage.Products())]) * each
		var days []totals.LogDay
		for day := month.First(); day < month.Next().First(); day = day.Add(1) {
			days = append(days, totals.LogDay{Log: log, Day: day})
		}
		must(t, s.OpenDays(t.Context(), mark, days))
		for _, d := range days {
			open := totals.OpenDay{LogDay: d, Mark: mark}
			days, err := s.StoreDays(t.Context(), []totals.Counted{{OpenDay: open, Zone: zone, Sheet: sheet}}, nil, lease.Now)
			must(t, err)
			counted[log] = append(counted[log], days[0].Dated)
			all = append(all, open)
		}
		ofMonth[product] = totals.SumMonth(slices.Values(counted[log]), clock)
	}
	must(t, s.StoreMonth(t.Context(), totals.AccountMonth{Account: account, Month: month}, zone, ofMonth, mark, true))
	for log, days := range counted {
		must(t, s.StoreLog(t.Context(), log, days, clock, mark, true))
	}
	must(t, s.CloseDays(t.Context(), all))
	return records
}

// putMonths stores the totals of a month of customers in UTC as a count does, under the
// lease, with one day in it: of each product so many records with a price and as many
// without.
func putMonths(t *testing.T, accounts []usage.AccountID, month totals.Month, each int64) {
	t.Helper()
	direct := dynamo.NewStore(dynamotest.ClientOf(t, pv.DynamodbEndpoint), pv.Tables)
	lease, err := direct.TakeLease(t.Context(), dynamo.LeaseWish{What: "test", Where: "internal/e2e"})
	must(t, err)
	defer func() { must(t, lease.GiveBack(t.Context())) }()
	s, mark := direct.Under(lease), lease.NextMark()
	sheet := totals.Sheet{
		{Price: pricing.Recorded, Currency: "EUR"}: {Records: each, Amount: decimal.RequireFromString("41.2")},
		{Price: pricing.Unrated}:                   {Records: each},
	}
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(8)
	for _, account := range accounts {
		group.Go(func() error {
			open := totals.OpenDay{LogDay: totals.LogDay{Log: usage.Log{Account: account, Product: usage.SMS}, Day: month.First()}, Mark: mark}
			if err := s.OpenDays(ctx, mark, []totals.LogDay{open.LogDay}); err != nil {
				return err
			}
			days, err := s.StoreDays(ctx, []totals.Counted{{OpenDay: open, Sheet: sheet}}, nil, lease.Now)
			if err != nil {
				return err
			}
			months := map[usage.Product]totals.MonthlyLog{}
			for _, product := range usage.Products() {
				months[product] = totals.SumMonth(slices.Values([]totals.Dated{days[0].Dated}), clock)
			}
			if err := s.StoreMonth(ctx, totals.AccountMonth{Account: account, Month: month}, "", months, mark, true); err != nil {
				return err
			}
			return s.CloseDays(ctx, []totals.OpenDay{open})
		})
	}
	must(t, group.Wait())
}

// What a month's summary of a customer takes does not grow with its records: totals do not.
// The records of this test are not loaded, which would take half an hour: the days' totals
// are summed from as many, one by one, and stored as a count stores them.
func TestAMonthOfAMillionRecordsTakesWhatOneOfAThousandDoes(t *testing.T) {
	const groups = 50 // a day, over all products
	pv.operates(t, `
customers:
  - {accountId: sums_few, name: Few, products: [sms, voice, video, messaging], currency: EUR, billingMode: postpaid, timeZone: Europe/Berlin}
  - {accountId: sums_many, name: Many, products: [sms, voice, video, messaging], currency: EUR, billingMode: postpaid, timeZone: Europe/Berlin}
partners: [{id: sums, name: Sums, customers: [{accountId: sums_few}, {accountId: sums_many}]}]`, "apply", "-f", "-")
	few, many := putDays(t, "sums_few", "2026-10", groups, 1), putDays(t, "sums_many", "2026-10", groups, 700)
	if few > 2000 || many < 1_000_000 {
		t.Fatalf("%d and %d records", few, many)
	}
	key := pv.newKey(t, "sums")
	for query, most := range map[string]struct {
		units float64
		calls []string
	}{
		"?from=2026-10-01&to=2026-11-01&groupBy=day":                                           {60, []string{"GetItem", "GetItem", "Query", "Query", "Query", "Query"}},
		"?from=2026-10-01&to=2026-11-01&groupBy=day&groupBy=status&groupBy=country&limit=1000": {60, []string{"GetItem", "GetItem", "Query", "Query", "Query", "Query"}},
		"?from=2026-10-01&to=2026-11-01&groupBy=month&groupBy=product":                         {3, []string{"BatchGetItem", "GetItem", "GetItem"}},
		"?groupBy=day&groupBy=product&limit=1000&updatedSince=2020-01-01T00:00:00Z":            {60, []string{"BatchGetItem", "GetItem", "GetItem", "Query", "Query", "Query", "Query"}},
	} {
		fewCalls, fewUnits, fewTook, _ := callsOf(t, key, "/customers/sums_few/summary"+query, "GetSummaryFunction")
		calls, units, took, a := callsOf(t, key, "/customers/sums_many/summary"+query, "GetSummaryFunction")
		t.Logf("%s: %d records take %v, %v units, %v; %d records %v units, %v", query, many, calls, units, took.Round(time.Millisecond), few, fewUnits, fewTook.Round(time.Millisecond))
		// The digits of a count are longer: half a unit is 4 kB.
		if !slices.Equal(calls, fewCalls) || units > fewUnits+4*0.5 {
			t.Errorf("%s: %d records take %v, %v units, and %d take %v, %v units", query, many, calls, units, few, fewCalls, fewUnits)
		}
		if !slices.Equal(calls, most.calls) || units > most.units {
			t.Errorf("%s takes %v, %v units, want %v, at most %v", query, calls, units, most.calls, most.units)
		}
		var page struct {
			Data     []summaryRow
			Complete bool
		}
		must(t, json.Unmarshal([]byte(a.body), &page))
		var records int64
		for _, r := range page.Data {
			records += r.Records
		}
		if !strings.Contains(query, "country") && (records != int64(many) || !page.Complete) { // that is one page of several
			t.Errorf("%s comes to %d records, want %d; complete %v", query, records, many, page.Complete)
		}
	}
}

// Whole months of a thousand customers are one item each, and the customers another.
func TestAMonthOfAThousandCustomersTakesTwoItemsEach(t *testing.T) {
	const customers = 1000
	var directory, grants strings.Builder
	var accounts []usage.AccountID
	for i := range customers {
		account := usage.AccountID(fmt.Sprintf("thousand_%04d", i))
		accounts = append(accounts, account)
		fmt.Fprintf(&directory, "  - {accountId: %s, name: Customer %04d, products: [sms, voice, video, messaging], currency: EUR, billingMode: postpaid}\n", account, i)
		fmt.Fprintf(&grants, "{accountId: %s}, ", account)
	}
	pv.operates(t, "partners:\n  - {id: thousand, name: Thousand, customers: ["+grants.String()+"]}\ncustomers:\n"+directory.String(), "apply", "-f", "-")
	putMonths(t, accounts, "2026-10", 1_000)
	var texts []string
	for _, account := range accounts {
		texts = append(texts, string(account))
	}
	key := pv.newKey(t, "thousand")
	pv.get(t, key, "/summary?groupBy=month") // it is warm
	for query, rows := range map[string]int{"": 1, "&groupBy=customer&limit=1000": customers, "&groupBy=product&groupBy=priceStatus": 8, "&groupBy=month": 1} {
		path := "/summary?from=2026-10-01&to=2026-11-01" + query
		calls, units, took, a := callsOf(t, key, path, "GetSummaryFunction")
		kinds := map[string]int{}
		for _, c := range calls {
			kinds[c]++
		}
		t.Logf("GET %s over %d customers: %v, %v units, %v", path, customers, kinds, units, took.Round(time.Millisecond))
		if units > 1100 || len(calls) > 40 {
			t.Errorf("GET %s takes %v, %v units, want at most 1,100 units and 40 calls", path, kinds, units)
		}
		var page struct {
			Data     []summaryRow
			Complete bool
		}
		must(t, json.Unmarshal([]byte(a.body), &page))
		var sum int64
		for _, r := range page.Data {
			sum += r.Records
		}
		if len(page.Data) != rows || sum != 8*1_000*customers || !page.Complete {
			t.Errorf("GET %s: %d rows of %d records, want %d of %d; complete %v", path, len(page.Data), sum, rows, 8*1_000*customers, page.Complete)
		}
		// Each account is in one audit line of the answer.
		id := a.header.Get("x-amzn-RequestId")
		var named []string
		if !eventually(func() bool {
			named = nil
			for _, l := range pv.lines(t, func(l logLine) bool { return l.Audit && l.RequestID == id }) {
				if len(l.AccountIDs) > 500 {
					t.Errorf("an audit line names %d accounts", len(l.AccountIDs))
				}
				named = append(named, l.AccountIDs...)
			}
			return len(named) >= customers
		}) || !slices.Equal(named, texts) {
			t.Errorf("GET %s: the audit names %d accounts, want each of the %d once", path, len(named), customers)
		}
	}
}
