package template_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerview/internal/dev/template"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// tableOf is which table a function's variable names.
var tableOf = map[string]string{
	"PARTNERS_TABLE": "PartnersTable", "CUSTOMERS_TABLE": "CustomersTable",
	"PRICELISTS_TABLE": "PriceListsTable", "USAGE_TABLE": "UsageTable",
	"TOTALS_TABLE": "TotalsTable", "LEDGER_TABLE": "LedgerTable",
}

// settings are a function's variables besides the tables', as the defaults of
// the parameters make them.
var settings = map[string]map[string]string{
	"AuthorizerFunction": {"OIDC_ISSUER": "", "OIDC_AUDIENCE": "", "OIDC_PARTNER_CLAIM": "partner_id", "OIDC_DEFAULT_ACCESS": "all", "USAGE_PLANS": "false"},
	"GetSummaryFunction": {"GOMEMLIMIT": "1500MiB"}, // of 1,769 MB
	imports:              {"INBOX_DAYS": "7"},
}

func environment(t *template.Template, fail func(...error)) {
	for _, f := range t.Functions {
		readable := make(map[string]bool)
		for _, s := range reads(f) {
			table, _, _ := strings.Cut(tablePart(s.Resources[0]), "/")
			readable[table] = true
		}
		// The metrics' dimension, and how the heap is collected.
		want := map[string]string{"STACK": "partnerview", "GOGC": "400", "GOMEMLIMIT": "200MiB"}
		for variable, table := range tableOf {
			if readable[table] {
				want[variable] = table
			}
		}
		maps.Copy(want, settings[f.ID])
		fail(differ(f.ID+": environment", want, f.Environment))
	}
}

// reads are a function's statements on DynamoDB.
func reads(f template.Function) (statements template.Statements) {
	for _, s := range f.Statements {
		if strings.HasPrefix(s.Actions[0], "dynamodb:") {
			statements = append(statements, s)
		}
	}
	return statements
}

// tablePart is "UsageTable" or "UsageTable/index/ById" of an ARN.
func tablePart(arn string) string {
	_, part, _ := strings.Cut(arn, ":table/")
	return part
}

// keyAttributes asks of each read that the attributes it may name hold the keys of
// what it reads: DynamoDB cannot use a key that is not allowed.
func keyAttributes(t *template.Template, fail func(...error)) {
	for _, f := range t.Functions {
		for _, s := range reads(f) {
			var attributes []string
			for _, c := range s.Conditions {
				if c.Operator+" "+c.Key == "ForAllValues:StringEquals dynamodb:Attributes" {
					attributes = c.Values
				}
			}
			if f.ID == imports && attributes == nil { // renderedInbox lists what it may do
				continue
			}
			id, index, _ := strings.Cut(tablePart(s.Resources[0]), "/index/")
			table, ok := t.Table(id)
			if !ok {
				fail(fmt.Errorf("%s: statement %s: there is no table %s", f.ID, s.ID, id))
			}
			keys := []template.Key{table.Key}
			for _, i := range table.Indexes {
				if i.Name == index {
					keys = append(keys, i.Key)
				}
			}
			for _, k := range keys {
				for _, attribute := range []string{k.Partition, k.Sort} {
					if attribute != "" && !slices.Contains(attributes, attribute) {
						fail(fmt.Errorf("%s: statement %s: key attribute %s is missing", f.ID, s.ID, attribute))
					}
				}
			}
		}
	}
}

func ownRoles(t *template.Template, fail func(...error)) {
	of := make(map[string]string)
	for _, f := range t.Functions {
		if other, taken := of[f.Role]; taken {
			fail(fmt.Errorf("%s and %s share %s", f.ID, other, f.Role))
		}
		of[f.Role] = f.ID
	}
}

func leadingKeys(t *template.Template, fail func(...error)) {
	want := map[string][]string{
		"AuthorizerFunction Key":               {"KEY#*"},
		"AuthorizerFunction ProfilesAndGrants": {"PARTNER#*", "VIEWER#*"},
		"ListCustomersFunction GrantsByName":   {"PARTNER#*", "VIEWER#*"},
		"ListCustomersFunction PartnersGrants": {"PARTNER#*"},
		"GetSummaryFunction GrantsByName":      {"PARTNER#*", "VIEWER#*"},
		"GetSummaryFunction PartnersGrants":    {"PARTNER#*"},
		"GetMeFunction Names":                  {"PARTNER#*", "KEY#*"},
		"GetMeFunction Lists":                  {"PARTNER#*", "VIEWER#*"},
		"GetMeFunction OnTheOtherList":         {"PARTNER#*", "VIEWER#*"},
	}
	got := make(map[string][]string)
	for _, f := range t.Functions {
		for _, s := range reads(f) {
			if !strings.HasPrefix(tablePart(s.Resources[0]), "PartnersTable") {
				continue
			}
			name := f.ID + " " + s.ID
			got[name] = nil
			present := slices.ContainsFunc(s.Conditions, func(c template.Condition) bool {
				return c.Operator == "Null" && c.Key == "dynamodb:LeadingKeys"
			})
			for _, c := range s.Conditions {
				if present && c.Operator == "ForAllValues:StringLike" && c.Key == "dynamodb:LeadingKeys" {
					got[name] = c.Values
				}
			}
		}
	}
	fail(differ("leading keys", want, got))
}

// TestARightIsNarrow asks for a little more than a function may, one thing at a
// time; the refusal names the function and what it asked for.
func TestARightIsNarrow(t *testing.T) {
	tmpl := read(t, map[string]string{"PartnersTable": "partners-x", "UsageTable": "usage-x", "TotalsTable": "totals-x"})
	keyOf := template.Request{Action: "dynamodb:GetItem", Table: "partners-x", Attributes: []string{"pk", "sk", "hash"}, LeadingKeys: []string{"KEY#a"}}
	grants := template.Request{Action: "dynamodb:BatchGetItem", Table: "partners-x", Attributes: []string{"pk", "sk", "products"}, LeadingKeys: []string{"PARTNER#a", "PARTNER#a"}}
	log := template.Request{Action: "dynamodb:Query", Table: "usage-x", Attributes: []string{"log", "at", "from"}, Select: "SPECIFIC_ATTRIBUTES", LeadingKeys: []string{"acme#sms"}}
	byName := template.Request{Action: "dynamodb:Query", Table: "partners-x", Index: "ByName", Attributes: []string{"pk", "sk", "sortKey", "name", "products"},
		Select: "SPECIFIC_ATTRIBUTES", LeadingKeys: []string{"VIEWER#a#b"}}
	with := func(r template.Request, change func(*template.Request)) template.Request {
		change(&r)
		return r
	}
	for _, c := range []struct {
		name, function string
		request        template.Request
		refusal        string // empty: allowed
	}{
		{"a key's hash", "AuthorizerFunction", keyOf, ""},
		{"with Select", "AuthorizerFunction", with(keyOf, func(r *template.Request) { r.Select = "SPECIFIC_ATTRIBUTES" }), ""},
		{"the whole key", "AuthorizerFunction", with(keyOf, func(r *template.Request) { r.Select = "ALL_ATTRIBUTES" }),
			`AuthorizerFunction: dynamodb:GetItem on partners-x: statement Key: dynamodb:Select "ALL_ATTRIBUTES" is not among`},
		{"a partner as if it were a key", "AuthorizerFunction", with(keyOf, func(r *template.Request) { r.LeadingKeys = []string{"PARTNER#a"} }),
			`statement Key: dynamodb:LeadingKeys "PARTNER#a" is not among`},
		{"no attribute named", "AuthorizerFunction", with(keyOf, func(r *template.Request) { r.Attributes = nil }), "dynamodb:Attributes is missing"},
		{"no key named", "AuthorizerFunction", with(keyOf, func(r *template.Request) { r.LeadingKeys = nil }), "dynamodb:LeadingKeys is missing"},
		{"a profile and a grant", "AuthorizerFunction", grants, ""},
		{"a key among the grants", "AuthorizerFunction", with(grants, func(r *template.Request) { r.LeadingKeys = []string{"PARTNER#a", "KEY#a"} }),
			`statement ProfilesAndGrants: dynamodb:LeadingKeys "KEY#a"`},
		{"a hash among the grants", "AuthorizerFunction", with(grants, func(r *template.Request) { r.Attributes = []string{"pk", "hash"} }),
			`statement ProfilesAndGrants: dynamodb:Attributes "hash" is not among`},
		{"a viewer's list beside its partner's", "AuthorizerFunction", with(grants, func(r *template.Request) { r.LeadingKeys = []string{"PARTNER#a", "VIEWER#a#b"} }), ""},
		{"a person's subject", "AuthorizerFunction", with(grants, func(r *template.Request) { r.Attributes = []string{"pk", "sk", "status", "subject"} }),
			`statement ProfilesAndGrants: dynamodb:Attributes "subject" is not among`},
		{"what the operator calls a person", "AuthorizerFunction", with(grants, func(r *template.Request) { r.Attributes = []string{"pk", "sk", "label"} }),
			`statement ProfilesAndGrants: dynamodb:Attributes "label" is not among`},
		{"a viewer's list by name", "ListCustomersFunction", byName, ""},
		{"a key by name", "ListCustomersFunction", with(byName, func(r *template.Request) { r.LeadingKeys = []string{"KEY#a"} }),
			`statement GrantsByName: dynamodb:LeadingKeys "KEY#a"`},
		{"a partner's grants, beside a list", "ListCustomersFunction", grants, ""},
		{"somebody's list, in place of its partner's grants", "ListCustomersFunction", with(grants, func(r *template.Request) { r.LeadingKeys = []string{"VIEWER#a#b"} }),
			`statement PartnersGrants: dynamodb:LeadingKeys "VIEWER#a#b"`},
		{"whether a person has been removed", "ListCustomersFunction", with(grants, func(r *template.Request) { r.Attributes = []string{"pk", "sk", "status"} }),
			`statement PartnersGrants: dynamodb:Attributes "status" is not among`},
		{"a page of a log", "GetUsageFunction", log, ""},
		{"a page and the content", "GetUsageFunction", with(log, func(r *template.Request) { r.Attributes = append(r.Attributes, "content") }),
			`GetUsageFunction: dynamodb:Query on usage-x: statement Log: dynamodb:Attributes "content" is not among`},
		{"a page without Select", "GetUsageFunction", with(log, func(r *template.Request) { r.Select = "" }), "dynamodb:Select is missing"},
		{"a count", "GetUsageFunction", with(log, func(r *template.Request) { r.Select = "COUNT" }), `dynamodb:Select "COUNT" is not among`},
		{"a page from the index", "GetUsageFunction", with(log, func(r *template.Request) { r.Index = "ById" }),
			`GetUsageFunction: dynamodb:Query on usage-x/ById: statement RecordKeyById: dynamodb:Attributes "from" is not among`},
		{"an index that is not there", "GetUsageFunction", with(log, func(r *template.Request) { r.Index = "ByTime" }), "no statement names it"},
		{"a scan", "GetUsageFunction", with(log, func(r *template.Request) { r.Action = "dynamodb:Scan" }), "GetUsageFunction: dynamodb:Scan on usage-x: no statement names it"},
		{"another function's table", "GetCustomerFunction", log, "GetCustomerFunction: dynamodb:Query on usage-x: no statement names it"},
		{"a table by its logical id", "GetUsageFunction", with(log, func(r *template.Request) { r.Table = "UsageTable" }), "no statement names it"},
		{"a customer's months", "GetSummaryFunction", template.Request{Action: "dynamodb:BatchGetItem", Table: "totals-x", Attributes: []string{"pk", "sk", "sms", "stale"}}, ""},
		{"whether all is counted", "GetSummaryFunction", template.Request{Action: "dynamodb:GetItem", Table: "totals-x", Attributes: []string{"pk", "sk", "at"}, LeadingKeys: []string{"READY"}}, ""},
		{"a day by its key, in place of whether all is counted", "GetSummaryFunction", template.Request{Action: "dynamodb:GetItem", Table: "totals-x", Attributes: []string{"pk", "sk", "at"}, LeadingKeys: []string{"acme#sms"}},
			`statement Ready: dynamodb:LeadingKeys "acme#sms" is not among`},
		{"records, for sums", "GetSummaryFunction", log, "GetSummaryFunction: dynamodb:Query on usage-x: no statement names it"},
		{"totals of days, for one customer's line", "GetCustomerFunction", template.Request{Action: "dynamodb:Query", Table: "totals-x", Attributes: []string{"pk", "sk", "groups"}, Select: "SPECIFIC_ATTRIBUTES"},
			"GetCustomerFunction: dynamodb:Query on totals-x: no statement names it"},
		{"a person's label", "GetMeFunction", template.Request{Action: "dynamodb:BatchGetItem", Table: "partners-x", Attributes: []string{"pk", "sk", "label"}, LeadingKeys: []string{"VIEWER#a#b"}},
			`GetMeFunction: dynamodb:BatchGetItem on partners-x: statement Names: dynamodb:LeadingKeys "VIEWER#a#b" is not among`},
		{"which accounts are on a viewer's list", "GetMeFunction", template.Request{Action: "dynamodb:BatchGetItem", Table: "partners-x", Attributes: []string{"pk", "sk"}, LeadingKeys: []string{"VIEWER#a#b", "VIEWER#a#b"}}, ""},
		{"a key's hash, for the label's function", "GetMeFunction", with(keyOf, func(r *template.Request) { r.Action = "dynamodb:BatchGetItem" }), `dynamodb:Attributes "hash" is not among`},
		{"anything, for the dashboard", "DashboardFunction", log, "DashboardFunction: dynamodb:Query on usage-x: no statement names it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, ok := tmpl.Function(c.function)
			if !ok {
				t.Fatalf("there is no %s", c.function)
			}
			err := f.Allow(c.request)
			switch {
			case c.refusal == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.refusal != "" && err == nil:
				t.Errorf("%s may read it: %s", c.function, c.name)
			case c.refusal != "" && !strings.Contains(err.Error(), c.refusal):
				t.Errorf("refused with %q, want %q in it", err, c.refusal)
			}
		})
	}
}

// sender is a DynamoDB that has one item for every question and keeps what it
// was asked.
type sender struct {
	t        *testing.T
	template *template.Template

	mu       sync.Mutex
	requests []template.Request
}

func (s *sender) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	target := r.Header.Get("X-Amz-Target")
	requests, err := s.template.Requests(target, body)
	if err != nil {
		s.t.Errorf("%v in %s", err, body)
	}
	s.mu.Lock()
	s.requests = append(s.requests, requests...)
	s.mu.Unlock()
	const item = `{"accountId":{"S":"acme"},"sortKey":{"S":"acme\u0000acme"},"name":{"S":"Acme"},"currency":{"S":"EUR"},"billingMode":{"S":"prepaid"},
		"products":{"L":[{"S":"sms"}]},"log":{"S":"acme#sms"},"at":{"S":"2026-11-03T10:00:00.120Z#u-1"},"byId":{"S":"acme#sms#u-1"},
		"status":{"S":"active"},"pk":{"S":"PARTNER#northwind"},"sk":{"S":"GRANT#acme"}}`
	answer := `{"Item":` + item + `}`
	switch {
	case strings.HasSuffix(target, "Query") && strings.Contains(string(body), "TotalsTable"): // of two parts one is missing
		answer = `{"Items":[{"pk":{"S":"acme#sms"},"sk":{"S":"DAY#2026-11-03"},"zone":{"S":"UTC"},"parts":{"N":"2"},"set":{"S":"x"},"updatedAt":{"S":"2026-11-03T10:00:00.120Z"}}],"Count":1}`
	case strings.HasSuffix(target, "Query") && strings.Contains(string(body), "PriceListsTable"):
		answer = `{"Items":[],"Count":0}`
	case strings.HasSuffix(target, "Query"):
		answer = `{"Items":[` + item + `],"Count":1}`
	case strings.HasSuffix(target, "BatchGetItem"):
		answer = `{"Responses":{},"UnprocessedKeys":{}}`
	}
	dynamotest.Succeed(w, []byte(answer))
}

// TestAFunctionsRightsAreWhatItSends sends each read that a function makes of
// the store, over the wire, and compares it with the function's rights: it has
// each right that it needs, and needs each attribute that it has a right to.
// That the functions make these reads and no others is shown end to end, by
// the tests of the whole product.
func TestAFunctionsRightsAreWhatItSends(t *testing.T) {
	tmpl := read(t, nil)
	log := usage.Log{Account: "acme", Product: usage.SMS}
	now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	last4 := usage.Filter{Direction: "inbound", Statuses: []usage.Status{"sent"}, Channels: []usage.Channel{"rcs"}, Countries: []usage.Country{"GB"}, ToLast4: "0123"}
	reads := map[string]func(context.Context, *dynamo.Store){
		"AuthorizerFunction": func(ctx context.Context, s *dynamo.Store) {
			s.AccessKey(ctx, "4fzyo82mXw3b")
			s.Standing(ctx, "northwind", "", "acme")
			s.Standing(ctx, "northwind", "4fzyo82mXw3b", "acme")
			s.CustomerProducts(ctx, "acme")
		},
		"ListCustomersFunction": func(ctx context.Context, s *dynamo.Store) {
			months := []totals.Month{"2026-11"}
			s.CustomersWithMonths(ctx, directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 25}, months)
			s.CustomersWithMonths(ctx, directory.Identity{Partner: "northwind", Narrowed: "4fzyo82mXw3b"}, directory.CustomerQuery{Limit: 25}, months)
			s.CustomersWithMonths(ctx, directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 25, Search: directory.NewSearch("a"), Product: usage.SMS, After: "a"}, months)
			s.EveryCustomer(ctx, directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 2000}, months)
		},
		"GetCustomerFunction": func(ctx context.Context, s *dynamo.Store) {
			s.Customer(ctx, "acme")
			s.Spending(ctx, []usage.AccountID{"acme"}, []totals.Month{"2026-11"})
			s.LogTotals(ctx, []usage.Log{log})
		},
		"GetSummaryFunction": func(ctx context.Context, s *dynamo.Store) {
			s.EveryCustomer(ctx, directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 500}, nil)
			s.EveryCustomer(ctx, directory.Identity{Partner: "northwind", Narrowed: "4fzyo82mXw3b"}, directory.CustomerQuery{Limit: 500}, nil)
			s.Customer(ctx, "acme")
			s.TotalsReady(ctx)
			s.LogTotals(ctx, []usage.Log{log})
			s.MonthTotals(ctx, []totals.AccountMonth{{Account: "acme", Month: "2026-11"}})
			s.DayTotals(ctx, []usage.Log{log}, "2026-11-01", "2026-12-01")
		},
		"GetMeFunction": func(ctx context.Context, s *dynamo.Store) {
			s.Self(ctx, directory.Identity{Partner: "northwind", KeyID: "4fzyo82mXw3b", Narrowed: "4fzyo82mXw3b"})
		},
		"GetUsageFunction": func(ctx context.Context, s *dynamo.Store) {
			s.PriceLists(ctx, log, now)
			s.Log(ctx, log, usage.Query{Limit: 50, Now: now, Filter: last4, Period: usage.Period{From: now, To: now.Add(1)}, After: &usage.Position{Timestamp: now, ID: "u-1"}})
			s.Record(ctx, log, "u-1", now)
		},
	}
	for id, read := range reads {
		t.Run(id, func(t *testing.T) {
			f, ok := tmpl.Function(id)
			if !ok {
				t.Fatal("there is no such function")
			}
			engine := &sender{t: t, template: tmpl}
			server := httptest.NewServer(engine)
			defer server.Close()
			env := map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": server.URL}
			for variable, table := range f.Environment {
				env[variable] = table
			}
			getenv := func(name string) string { return env[name] }
			db, err := dynamo.NewClient(getenv)
			if err != nil {
				t.Fatal(err)
			}
			// What the reads make of the answers does not matter here; what they send does.
			read(t.Context(), dynamo.NewStore(db, dynamo.TablesFromEnv(getenv)))
			named := make(map[string]bool)
			for _, r := range engine.requests {
				if err := f.Allow(r); err != nil {
					t.Error(err)
				}
				for _, a := range r.Attributes {
					named[r.Action+" "+r.Table+"/"+r.Index+" "+a] = true
				}
			}
			for _, s := range f.Statements {
				table, index, _ := strings.Cut(tablePart(s.Resources[0]), "/index/")
				for _, c := range s.Conditions {
					for _, a := range c.Values {
						if c.Key == "dynamodb:Attributes" && c.Operator != "Null" &&
							!named[s.Actions[0]+" "+table+"/"+index+" "+a] && !isKey(tmpl, table, a) {
							t.Errorf("statement %s allows %s, which is never asked for", s.ID, a)
						}
					}
				}
			}
		})
	}
}

func isKey(tmpl *template.Template, table, attribute string) bool {
	t, _ := tmpl.Table(table)
	return slices.Contains([]string{t.Key.Partition, t.Key.Sort}, attribute)
}
