package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerview/internal/dev/template"
	"partnerview/internal/testkit/producttest"
	"partnerview/internal/usage"
)

// However the database fails, partners are told that it is our fault and that
// they may try again, soon enough; and nothing of it is remembered.
func TestADatabaseThatFailsIsA503(t *testing.T) {
	paths := []string{"/customers", "/me", "/summary", "/customers/mueller_soehne", "/customers/mueller_soehne/usage/sms", "/customers/mueller_soehne/usage/sms/u-1"}
	for claim, m := range map[string]producttest.Mode{"down": producttest.Down, "throttling": producttest.Throttling, "slow": producttest.Slow} {
		t.Run(claim, func(t *testing.T) {
			defer pv.Proxy.Set(producttest.Passing)
			// A key that the gateway has no decision for: it is the authorizer that fails.
			unknown := pv.newKey(t, "northwind")
			known := pv.Key(t, "northwind")
			for _, path := range paths {
				pv.Proxy.Set(producttest.Passing)
				for range 2 { // the decision is in the cache, fresh
					pv.get(t, known, path)
				}
				pv.Proxy.Set(m)
				for who, key := range map[string]string{"the endpoint": known, "the authorizer": unknown} {
					start := time.Now()
					pv.wants(t, who, key, path, 503, "unavailable")
					if took := time.Since(start); took > 10*time.Second {
						t.Errorf("%s on %s took %v", who, path, took)
					}
				}
			}
			pv.Proxy.Set(producttest.Passing)
			for _, path := range paths[:5] {
				pv.wants(t, "after the database came back: the failure was kept as a refusal", unknown, path, 200, "")
			}
		})
	}
}

// What a page costs, counted at the wire.
func TestAPageCostsOneRoundTripAndAListTwo(t *testing.T) {
	big := biggestLog(t)
	for _, c := range []struct {
		path, function string
		want           []string // calls, sorted
		most           float64  // capacity units, but those of a BatchGetItem
	}{
		// 100 records of about 300 bytes: 4 units; the price lists are 1 more.
		{logPath(big) + "?limit=100", "GetUsageFunction", []string{"Query", "Query"}, 8},
		{logPath(big) + "?limit=100&order=asc", "GetUsageFunction", []string{"Query", "Query"}, 8},
		// The customers and, beside them, what they spend this month.
		{"/customers?limit=25", "ListCustomersFunction", []string{"BatchGetItem", "BatchGetItem", "Query"}, 2},
		{"/customers?search=and", "ListCustomersFunction", []string{"BatchGetItem", "BatchGetItem", "Query"}, 2},
		{customerPath("mueller_soehne"), "GetCustomerFunction", []string{"BatchGetItem", "GetItem"}, 0.5},
		{"/me", "GetMeFunction", []string{"BatchGetItem", "Query"}, 1},
	} {
		var calls []string
		var units float64
		key := pv.newKey(t, "northwind") // no decision is kept for it: the authorizer is asked as well
		var authorizer []string
		for _, s := range pv.Proxy.During(func() { pv.get(t, key, c.path) }) {
			if s.Function == "AuthorizerFunction" {
				authorizer = append(authorizer, s.Operation)
				continue
			}
			if s.Function != c.function {
				t.Errorf("%s is answered by %s", c.path, s.Function)
			}
			calls = append(calls, s.Operation)
			if s.Operation != "BatchGetItem" {
				units += s.Units
			}
		}
		slices.Sort(calls)
		if !slices.Equal(calls, c.want) || units > c.most {
			t.Errorf("%s costs %v and %.1f units, want %v and at most %.1f", c.path, calls, units, c.want, c.most)
		}
		// The key; then the partner and the grant, and beside them the customer, where the path names one.
		decision := []string{"GetItem", "BatchGetItem"}
		if strings.HasPrefix(c.path, "/customers/") {
			decision = []string{"GetItem", "BatchGetItem", "GetItem"}
		}
		if len(authorizer) > 1 {
			slices.Sort(authorizer[1:]) // which of two at once comes first, nobody can say
		}
		if !slices.Equal(authorizer, decision) {
			t.Errorf("the authorizer's decision on %s costs %v, want %v", c.path, authorizer, decision)
		}
	}
}

func biggestLog(t *testing.T) usage.Log {
	t.Helper()
	var best usage.Log
	for log, records := range load(t).records {
		if viewerOf(t, log) == "northwind" && len(records) > len(load(t).records[best]) {
			best = log
		}
	}
	return best
}

// Every request that a function has sent while these tests ran is held against
// that function's own statements in template.yaml, as IAM would.
func TestEveryRequestToTheTablesIsWithinItsRole(t *testing.T) {
	key := pv.Key(t, "northwind")
	log := usage.Log{Account: "mueller_soehne", Product: usage.SMS}
	var first usagePage
	pv.read(t, key, logPath(log)+"?limit=1", &first)
	for _, path := range []string{ // each kind of request, should this test run alone
		"/me", "/customers", "/customers?search=a&product=sms", customerPath("mueller_soehne"), logPath(log),
		logPath(log) + "?status=sent&country=gb&direction=outbound&toLast4=0123&from=2026-10-01&to=2026-11-01&order=asc",
		"/customers/mueller_soehne/usage/messaging?channel=whatsapp", logPath(log) + "/" + first.Data[0].ID, logPath(log) + "?cursor=" + first.NextCursor + "&limit=1",
		customerPath("mueller_soehne") + "/usage", customerPath("mueller_soehne") + "/summary?groupBy=day&groupBy=status", "/summary?groupBy=customer&groupBy=month&from=2026-10-01&to=2026-11-01",
		"/summary?groupBy=day&updatedSince=2026-01-01T00:00:00Z", "/customers?credit=low&count=true",
	} {
		pv.wants(t, "a request of each kind", key, path, 200, "")
	}
	tables := pv.Tables
	written, err := template.Read(pv.root+"/template.yaml", map[string]string{
		"PartnersTable": tables.Partners, "CustomersTable": tables.Customers, "PriceListsTable": tables.PriceLists, "UsageTable": tables.Usage,
		"TotalsTable": tables.Totals, "LedgerTable": tables.Ledger,
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, s := range pv.Proxy.Calls() {
		function, ok := written.Function(s.Function)
		if !ok {
			t.Fatalf("a request of %q, which is no function of the template", s.Function)
		}
		requests, err := written.Requests(s.Target, s.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range requests {
			seen[fmt.Sprint(s.Function, " ", s.Operation, " ", r.Index)]++
			if r.Table == tables.Totals {
				seen[fmt.Sprint(s.Function, " ", s.Operation, " of totals")]++
			}
			if err := function.Allow(r); err != nil {
				t.Errorf("IAM would refuse: %v", err)
			}
		}
	}
	for _, want := range []string{"AuthorizerFunction GetItem ", "AuthorizerFunction BatchGetItem ", "ListCustomersFunction Query ByName", "ListCustomersFunction BatchGetItem ",
		"GetCustomerFunction GetItem ", "GetMeFunction BatchGetItem ", "GetMeFunction Query ByName", "GetUsageFunction GetItem ", "GetUsageFunction Query ", "GetUsageFunction Query ById",
		"GetSummaryFunction Query ByName", "GetSummaryFunction BatchGetItem ", "GetSummaryFunction GetItem ", "GetSummaryFunction GetItem of totals", "GetSummaryFunction BatchGetItem of totals",
		"GetSummaryFunction Query of totals", "GetCustomerFunction BatchGetItem of totals", "ListCustomersFunction BatchGetItem of totals"} {
		if seen[want] == 0 {
			t.Errorf("no request of the kind %q was seen; there were %v", want, seen)
		}
	}
}
