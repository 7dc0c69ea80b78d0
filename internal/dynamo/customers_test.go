package dynamo_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// list reads a partner's customers from end to end, as account IDs.
func list(t *testing.T, s *dynamo.Store, partner directory.PartnerID, q directory.CustomerQuery) []string {
	t.Helper()
	all := []string{}
	for range 1000 {
		page, err := s.Customers(t.Context(), directory.Identity{Partner: partner}, q)
		must(t, err)
		if len(page.Customers) > q.Limit {
			t.Fatalf("a page of %d customers for a limit of %d", len(page.Customers), q.Limit)
		}
		for _, c := range page.Customers {
			all = append(all, string(c.Account))
		}
		if page.Next == "" {
			return all
		}
		q.After = page.Next
	}
	t.Fatal("the pages do not end")
	return nil
}

// The customers of the partner northwind in the order of its list. The names are
// written so that neither their bytes nor the account IDs have that order.
var northwind = []struct {
	account  usage.AccountID
	name     string
	products []usage.Product // of the grant
}{
	{"z-last", "acme", nil},
	{"A.first", "Acme Retail", []usage.Product{usage.SMS, usage.Voice}},
	{"B&B", "ＡＣＭＥ retail", nil}, // full width, the same when normalised
	{"c_3", "Bäckerei Öztürk", nil},
	{"d-4", "STRASSE", []usage.Product{usage.Video}},
	{"e-5", "Straße", nil},
	{"f-6", "Ωμέγα", nil},
	{"g-7", "Якорь", []usage.Product{usage.SMS}},
	{"h-8", "株式会社みどり", nil},
}

func loadNorthwind(t *testing.T, s *dynamo.Store) {
	t.Helper()
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Name: "Northwind", Status: directory.Active}))
	for _, c := range slices.Backward(northwind) {
		grant(t, s, "northwind", customer(c.account, c.name), c.products...)
	}
	grant(t, s, "other", customer("theirs", "Acme of others"))
	must(t, s.PutGrant(t.Context(), directory.Grant{Partner: "northwind", Account: "vanished", CustomerName: "Acme that was deleted"}))
}

func accounts(from, to int) []string {
	out := []string{}
	for _, c := range northwind[from:to] {
		out = append(out, string(c.account))
	}
	return out
}

func TestListIsInOrderOfNamesForEveryLimit(t *testing.T) {
	s := engine.NewStore(t)
	loadNorthwind(t, s)
	for limit := 1; limit <= len(northwind)+3; limit++ {
		if diff := cmp.Diff(accounts(0, len(northwind)), list(t, s, "northwind", directory.CustomerQuery{Limit: limit})); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
	if got := list(t, s, "nobody", directory.CustomerQuery{Limit: 10}); len(got) != 0 {
		t.Errorf("a partner without grants sees %v", got)
	}
}

func TestSearchFindsWhatContainsTheText(t *testing.T) {
	s := engine.NewStore(t)
	loadNorthwind(t, s)
	for text, want := range map[string][]string{
		"ACME":     {"z-last", "A.first", "B&B"},
		"strasse":  {"d-4", "e-5"},
		"ß":        {"d-4", "e-5"},
		"みど":       {"h-8"},
		"b&b":      {"B&B"},
		"ΩΜΈΓΑ":    {"f-6"},
		"ωμεγα":    {"f-6"},
		"ozt back": {"c_3"},
		"tail a":   {"A.first", "B&B"},
		"theirs":   {},
		"vanished": {},
		"nothing":  {},
	} {
		for limit := 1; limit <= 4; limit++ {
			got := list(t, s, "northwind", directory.CustomerQuery{Search: directory.NewSearch(text), Limit: limit})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("search %q, limit %d (-want +got):\n%s", text, limit, diff)
			}
		}
	}
}

func TestProductFilterGoesByWhatIsBothEnabledAndGranted(t *testing.T) {
	s := engine.NewStore(t)
	loadNorthwind(t, s)
	voiceless := customer("z-last", "acme")
	voiceless.Products = []usage.Product{usage.SMS}
	must(t, s.PutCustomer(t.Context(), voiceless))

	for limit := 1; limit <= 4; limit++ {
		got := list(t, s, "northwind", directory.CustomerQuery{Product: usage.Voice, Limit: limit})
		if diff := cmp.Diff([]string{"A.first", "B&B", "c_3", "e-5", "f-6", "h-8"}, got); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
	got := list(t, s, "northwind", directory.CustomerQuery{Product: usage.Voice, Search: directory.NewSearch("acme"), Limit: 1})
	if diff := cmp.Diff([]string{"A.first", "B&B"}, got); diff != "" {
		t.Errorf("with a search (-want +got):\n%s", diff)
	}
}

func TestListShowsProductsThatTheGrantAllows(t *testing.T) {
	s := engine.NewStore(t)
	c := customer("acme_retail", "Acme")
	c.Products = []usage.Product{usage.Messaging, usage.Voice, usage.SMS}
	amount := decimal.RequireFromString("1520.73")
	c.Credit.Remaining, c.Credit.AsOf = &amount, new(now)
	grant(t, s, "wide", c)
	grant(t, s, "narrow", c, usage.Video, usage.SMS)

	for partner, want := range map[directory.PartnerID][]usage.Product{
		"wide":   {usage.SMS, usage.Voice, usage.Messaging},
		"narrow": {usage.SMS},
	} {
		page, err := s.Customers(t.Context(), directory.Identity{Partner: partner}, directory.CustomerQuery{Limit: 10})
		must(t, err)
		shown := c
		shown.Products = want
		if diff := cmp.Diff([]directory.Customer{shown}, page.Customers); diff != "" {
			t.Errorf("%s (-want +got):\n%s", partner, diff)
		}
	}
}

func TestCustomerComesBackAsItWasWritten(t *testing.T) {
	s := engine.NewStore(t)
	want := customer("acme_retail", "Acme Retail GmbH")
	remaining, limit := decimal.RequireFromString("-12.5"), decimal.RequireFromString("0")
	want.Credit = directory.Credit{Mode: directory.Postpaid, Remaining: &remaining, Limit: &limit, AsOf: new(now.Add(time.Millisecond))}
	want.SubAccounts = []string{"acme_hq", "acme_otp"}
	must(t, s.PutCustomer(t.Context(), want))

	all, err := s.AllCustomers(t.Context())
	must(t, err)
	if diff := cmp.Diff([]directory.Customer{want}, all); diff != "" {
		t.Errorf("all customers (-want +got):\n%s", diff)
	}
	got, err := s.Customer(t.Context(), "acme_retail")
	must(t, err)
	want.SubAccounts = nil // not a partner's to see
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("one customer (-want +got):\n%s", diff)
	}
	products, err := s.CustomerProducts(t.Context(), "acme_retail")
	must(t, err)
	if !slices.Equal(products, usage.Products()) {
		t.Errorf("products are %v", products)
	}
	for _, absent := range []usage.AccountID{"ACME_RETAIL", "acme"} {
		if _, err := s.Customer(t.Context(), absent); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: got %v, want not found", absent, err)
		}
	}
}

func TestACustomerWhoseTimeZoneHasChangedIsNotReplacedByOneOfBefore(t *testing.T) {
	s := engine.NewStore(t)
	in := func(zone directory.TimeZone) directory.Customer {
		return directory.Customer{Account: "acme", Name: "Acme", Currency: "EUR", TimeZone: zone, Credit: directory.Credit{Mode: directory.Prepaid}}
	}
	must(t, s.ReplaceCustomer(t.Context(), "", in("Europe/Berlin"))) // there is none
	must(t, s.ReplaceCustomer(t.Context(), "", in("Europe/Berlin"))) // the answer was lost
	must(t, s.ReplaceCustomer(t.Context(), "Europe/Berlin", in("Europe/Berlin")))
	must(t, s.PutCustomer(t.Context(), in("Asia/Kathmandu")))
	if err := s.ReplaceCustomer(t.Context(), "Europe/Berlin", in("Europe/Berlin")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want Unavailable", err)
	}
	must(t, s.PutCustomer(t.Context(), in("UTC")))
	must(t, s.ReplaceCustomer(t.Context(), "", in("")))
	must(t, s.ReplaceCustomer(t.Context(), "UTC", in("UTC")))
}

func TestLongListFilteredByProductIsReadInBoundedPages(t *testing.T) {
	s, proxy, direct := proxied(t)
	for i := range 520 {
		c := customer(usage.AccountID(name("acc-%03d", i)), name("Customer %03d", i))
		if c.Products = []usage.Product{usage.SMS}; i == 519 {
			c.Products = []usage.Product{usage.Video}
		}
		grant(t, direct, "northwind", c)
	}
	page, err := s.Customers(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Product: usage.Video, Limit: 25})
	must(t, err)
	if len(page.Customers) != 0 || page.Next == "" {
		t.Errorf("got %d customers and next %q; want an empty page that tells where to go on", len(page.Customers), page.Next)
	}
	if calls := proxy.Operations(); len(calls) > 6 {
		t.Errorf("the page took %d calls: %s", len(calls), strings.Join(calls, ", "))
	}
	if got := list(t, s, "northwind", directory.CustomerQuery{Product: usage.Video, Limit: 25}); !slices.Equal(got, []string{"acc-519"}) {
		t.Errorf("reading on finds %v", got)
	}
}

func renew(t *testing.T, s *dynamo.Store, amount string, asOf time.Time) bool {
	t.Helper()
	renewed, err := s.RenewCredit(t.Context(), "acme_retail", decimal.RequireFromString(amount), "EUR", asOf)
	must(t, err)
	return renewed
}

func stored(t *testing.T, s *dynamo.Store) directory.Customer {
	t.Helper()
	all, err := s.AllCustomers(t.Context())
	must(t, err)
	return all[0]
}

func TestOlderCreditNeverReplacesANewer(t *testing.T) {
	s := engine.NewStore(t)
	c := customer("acme_retail", "Acme")
	limit := decimal.RequireFromString("100")
	c.Credit.Limit, c.SubAccounts = &limit, []string{"acme_hq"}
	must(t, s.PutCustomer(t.Context(), c))
	for _, step := range []struct {
		claim   string
		amount  string
		at      int // seconds after now
		renewed bool
		want    string
	}{
		{"one that tells no time is older than all", "1", 0, true, "1"},
		{"a newer one replaces", "2.50", 2, true, "2.5"},
		{"an older one does not", "3", 1, false, "2.5"},
		{"of the same time, the later to come", "-4", 2, true, "-4"},
	} {
		if got := renew(t, s, step.amount, now.Add(time.Duration(step.at)*time.Second)); got != step.renewed {
			t.Errorf("%s: renewed is %v", step.claim, got)
		}
		if got := stored(t, s).Credit.Remaining.String(); got != step.want {
			t.Errorf("%s: stored is %s, want %s", step.claim, got, step.want)
		}
	}
	amount := decimal.RequireFromString("-4")
	c.Credit.Remaining, c.Credit.AsOf = &amount, new(now.Add(2*time.Second))
	if diff := cmp.Diff(c, stored(t, s)); diff != "" {
		t.Errorf("something else of the customer has changed (-want +got):\n%s", diff)
	}
}

func TestCreditOfNobodyAndOfAnotherCurrency(t *testing.T) {
	s := engine.NewStore(t)
	if _, err := s.RenewCredit(t.Context(), "acme_retail", decimal.Zero, "EUR", now); !fault.Is(err, fault.NotFound) {
		t.Errorf("of nobody: %v", err)
	}
	if all, err := s.AllCustomers(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("a customer was made of a credit: %v, %v", all, err)
	}
	must(t, s.PutCustomer(t.Context(), customer("acme_retail", "Acme")))
	if _, err := s.RenewCredit(t.Context(), "acme_retail", decimal.Zero, "USD", now); !fault.Is(err, fault.Unavailable) {
		t.Errorf("in another currency: %v", err)
	}
	if c := stored(t, s); c.Credit.Remaining != nil {
		t.Errorf("it was written: %+v", c)
	}
}

// Our own write, whose answer was lost, is tried again, and is no other's.
func TestCreditIsWrittenThroughThrottlingAndLostAnswers(t *testing.T) {
	s, proxy, direct := proxied(t)
	must(t, direct.PutCustomer(t.Context(), customer("acme_retail", "Acme")))
	tries := 0
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		tries++
		switch tries {
		case 1:
			dynamotest.Throttle(w)
			return true
		case 2:
			renew(t, direct, "5", now)
			dynamotest.Cut(w)
		}
		return false
	})
	if !renew(t, s, "5", now) {
		t.Error("it counts as older")
	}
}
