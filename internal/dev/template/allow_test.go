package template_test

import (
	"strings"
	"testing"

	"partnerview/internal/dev/template"
)

// TestARightIsNarrow asks for a little more than a function may, one thing at a
// time; the refusal names the function and what it asked for.
func TestARightIsNarrow(t *testing.T) {
	tmpl, err := template.Read(file, map[string]string{"PartnersTable": "partners-x", "UsageTable": "usage-x"})
	if err != nil {
		t.Fatal(err)
	}
	keyOf := template.Request{Action: "dynamodb:GetItem", Table: "partners-x", Attributes: []string{"pk", "sk", "hash"}, LeadingKeys: []string{"KEY#a"}}
	grants := template.Request{Action: "dynamodb:BatchGetItem", Table: "partners-x", Attributes: []string{"pk", "sk", "products"}, LeadingKeys: []string{"PARTNER#a", "PARTNER#a"}}
	log := template.Request{Action: "dynamodb:Query", Table: "usage-x", Attributes: []string{"log", "at", "from"}, Select: "SPECIFIC_ATTRIBUTES", LeadingKeys: []string{"acme#sms"}}
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
			`statement ProfileAndGrant: dynamodb:LeadingKeys "KEY#a"`},
		{"a hash among the grants", "AuthorizerFunction", with(grants, func(r *template.Request) { r.Attributes = []string{"pk", "hash"} }),
			`statement ProfileAndGrant: dynamodb:Attributes "hash" is not among`},
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
				t.Error("allowed")
			case c.refusal != "" && !strings.Contains(err.Error(), c.refusal):
				t.Errorf("refused with %q, want %q in it", err, c.refusal)
			}
		})
	}
}
