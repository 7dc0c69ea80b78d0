package template_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partnerview/internal/dev/template"
	"partnerview/internal/problem"
)

func tables(t *template.Template, fail func(...error)) {
	type shape struct {
		Key     template.Key
		Indexes []template.Index
		TTL     string
	}
	got := make(map[string]shape)
	for _, table := range t.Tables {
		got[table.ID] = shape{table.Key, table.Indexes, table.TTL}
		keys := []template.Key{table.Key}
		for _, i := range table.Indexes {
			keys = append(keys, i.Key)
		}
		want := make(map[string]string)
		for _, k := range keys {
			want[k.Partition] = "S"
			if k.Sort != "" {
				want[k.Sort] = "S"
			}
		}
		fail(differ(table.ID+": key attributes", want, table.Attributes))
	}
	fail(differ("tables", map[string]shape{
		"PartnersTable": {Key: template.Key{Partition: "pk", Sort: "sk"}, Indexes: []template.Index{
			{Name: "ByName", Key: template.Key{Partition: "pk", Sort: "sortKey"}, Projection: "INCLUDE", Included: []string{"accountId", "name", "products"}},
			{Name: "ByAccount", Key: template.Key{Partition: "accountId", Sort: "pk"}, Projection: "KEYS_ONLY"},
		}},
		"CustomersTable":  {Key: template.Key{Partition: "accountId"}},
		"PriceListsTable": {Key: template.Key{Partition: "log", Sort: "effectiveFrom"}},
		"UsageTable": {Key: template.Key{Partition: "log", Sort: "at"}, TTL: "expiresAt", Indexes: []template.Index{
			{Name: "ById", Key: template.Key{Partition: "byId", Sort: "at"}, Projection: "KEYS_ONLY"},
		}},
		"TotalsTable": {Key: template.Key{Partition: "pk", Sort: "sk"}},
		"LedgerTable": {Key: template.Key{Partition: "pk", Sort: "sk"}, TTL: "expiresAt"},
	}, got))
}

func functions(t *template.Template, fail func(...error)) {
	var ids []string
	for _, f := range t.Functions {
		ids = append(ids, f.ID)
		if _, err := os.Stat(filepath.Join(root, f.Folder, "main.go")); err != nil {
			fail(fmt.Errorf("%s: %w", f.ID, err))
		}
	}
	makefile, err := os.ReadFile(root + "/Makefile")
	_, list, _ := strings.Cut(string(makefile), "\nFUNCTIONS := ")
	list, _, _ = strings.Cut(list, "\n")
	fail(err, differ("functions in the Makefile", strings.Fields(list), ids))
}

func outputs(t *template.Template, fail func(...error)) {
	fail(differ("outputs", map[string]string{
		"ApiUrl":        "https://Api.execute-api.us-east-1.amazonaws.com/v1",
		"PartnersTable": "PartnersTable", "CustomersTable": "CustomersTable",
		"PriceListsTable": "PriceListsTable", "UsageTable": "UsageTable",
		"TotalsTable": "TotalsTable", "LedgerTable": "LedgerTable", "InboxBucket": "InboxBucket",
	}, t.Outputs))
}

func routes(t *template.Template, fail func(...error)) {
	const partner = "PartnerAuthorizer"
	fail(
		differ("stage", "v1", t.Stage),
		differ("routes", []template.Route{
			{Method: "ANY", Path: "/", Function: "DashboardFunction"},
			{Method: "GET", Path: "/customers", Function: "ListCustomersFunction", Authorizer: partner},
			{Method: "GET", Path: "/customers/{accountId}", Function: "GetCustomerFunction", Authorizer: partner},
			{Method: "GET", Path: "/customers/{accountId}/summary", Function: "GetSummaryFunction", Authorizer: partner},
			{Method: "GET", Path: "/customers/{accountId}/usage", Function: "GetCustomerFunction", Authorizer: partner},
			{Method: "GET", Path: "/customers/{accountId}/usage/{product}", Function: "GetUsageFunction", Authorizer: partner},
			{Method: "GET", Path: "/customers/{accountId}/usage/{product}/{recordId}", Function: "GetUsageFunction", Authorizer: partner},
			{Method: "GET", Path: "/me", Function: "GetMeFunction", Authorizer: partner},
			{Method: "GET", Path: "/summary", Function: "GetSummaryFunction", Authorizer: partner},
			{Method: "ANY", Path: "/{proxy+}", Function: "DashboardFunction"},
		}, t.Routes),
		differ("authorizers", []template.Authorizer{{
			Name: partner, Function: "AuthorizerFunction",
			Headers: []string{"Authorization"}, Context: []string{"path"}, TTL: 60e9,
		}}, t.Authorizers),
	)
}

func refusals(t *template.Template, fail func(...error)) {
	type refusal struct {
		status       int
		code, detail string
		header       string // besides those that all have
	}
	of := func(p problem.Problem, header string) refusal { return refusal{p.Status, p.Code, p.Detail, header} }
	noRoute, unavailable := of(problem.NoRoute, ""), of(problem.Unavailable, "Retry-After: 2")
	want := map[string]refusal{
		"UNAUTHORIZED":                   of(problem.Unauthorized, "WWW-Authenticate: Bearer"),
		"ACCESS_DENIED":                  of(problem.NoCustomer, ""),
		"MISSING_AUTHENTICATION_TOKEN":   noRoute,
		"INVALID_SIGNATURE":              noRoute,
		"EXPIRED_TOKEN":                  noRoute,
		"RESOURCE_NOT_FOUND":             noRoute,
		"THROTTLED":                      of(problem.TooManyRequests, "Retry-After: 1"),
		"QUOTA_EXCEEDED":                 of(problem.QuotaExceeded, "Retry-After: 3600"),
		"INVALID_API_KEY":                unavailable, // no caller sends one
		"AUTHORIZER_FAILURE":             unavailable,
		"AUTHORIZER_CONFIGURATION_ERROR": unavailable,
		"INTEGRATION_FAILURE":            unavailable,
		"INTEGRATION_TIMEOUT":            unavailable,
		"REQUEST_TOO_LARGE":              of(problem.TooLarge, ""),
		"DEFAULT_4XX": {0, "invalid_parameter",
			"The request cannot be taken as it is. The routes and their parameters are listed in /v1/openapi.yaml.", ""},
		"API_CONFIGURATION_ERROR": of(problem.Internal, ""),
		"DEFAULT_5XX":             unavailable, // a function that died
	}
	// A response that keeps its status names the class's, as RFC 9110, section 15, takes an unknown one.
	class := map[string]int{"DEFAULT_4XX": 400}
	var got []string
	for _, g := range t.GatewayResponses {
		w := want[g.Type]
		got = append(got, g.Type)
		status := ""
		if w.status != 0 {
			status = fmt.Sprintf(`"status":%d,`, w.status)
		}
		headers := map[string]string{
			"Content-Type": "application/problem+json", "Cache-Control": "no-store",
			"Strict-Transport-Security": "max-age=63072000; includeSubDomains", "X-Content-Type-Options": "nosniff",
		}
		if name, v, ok := strings.Cut(w.header, ": "); ok {
			headers[name] = v
		}
		fail(
			differ(g.Type+": status", w.status, g.Status),
			differ(g.Type+": headers", headers, g.Headers),
			differ(g.Type+": body", fmt.Sprintf(`{"type":"about:blank","title":%q,%s"detail":%q,"code":%q,"requestId":"r-1"}`,
				http.StatusText(cmp.Or(w.status, class[g.Type])), status, w.detail, w.code), g.Body("r-1")))
	}
	fail(differ("gateway responses", slices.Sorted(maps.Keys(want)), got))
}

func TestUsagePlansAreOffPreparedOrEnforced(t *testing.T) {
	asItIs := func(text string) (string, error) { return text, nil }
	holds(t, source(), asItIs, planRules)
	canFail(t, source(), asItIs, planRules)
}

var planRules = []rule[string]{
	{"usage plans are off, prepared or enforced", plansIn, []change{
		{"a data route that is not counted",
			"          \"/customers\":\n            get: {security: [!If [EnforcesUsagePlans, {api_key: []}, !Ref \"AWS::NoValue\"]]}\n",
			""},
		{"keys asked for while they are prepared", "get: {security: [!If [EnforcesUsagePlans,",
			"get: {security: [!If [HasUsagePlans,"},
		{"a plan that is made for everybody",
			"  GoldPlan:\n    Type: AWS::ApiGateway::UsagePlan\n    Condition: HasUsagePlans\n",
			"  GoldPlan:\n    Type: AWS::ApiGateway::UsagePlan\n"},
		{"a plan of no stage", "      ApiStages: [{ApiId: !Ref Api, Stage: !Ref Api.Stage}]\n", ""},
		{"a plan without a quota", "      Quota: {Limit: !Ref SilverQuota, Period: MONTH}\n", ""},
		{"a plan with another's rate", "RateLimit: !Ref BronzeRate", "RateLimit: !Ref GoldRate"},
		{"keys that callers send", "AUTHORIZER, !Ref \"AWS::NoValue\"]", "HEADER, !Ref \"AWS::NoValue\"]"},
		{"an authorizer that names no keys", "          USAGE_PLANS: !Ref UsagePlans\n", ""},
		{"a plan that partnerctl does not find", "    Value: !Ref SilverPlan\n", "    Value: !Ref GoldPlan\n"},
	}},
}

// plansIn holds a template to what its parameter UsagePlans promises, in each of
// its three values: off, there is nothing of it; prepared, there are plans and
// nobody asks for a key; enforced, each data route is counted, by a key that the
// authorizer names, and the dashboard is not.
func plansIn(source string, fail func(...error)) {
	for _, value := range []string{"false", "prepared", "true"} {
		t, err := template.Parse([]byte(source), map[string]string{"UsagePlans": value})
		if err != nil {
			fail(err)
			return
		}
		plans, outputs, keys := []template.UsagePlan(nil), []string(nil), "HEADER"
		if value != "false" {
			plans = []template.UsagePlan{
				{ID: "BronzePlan", Name: "partnerview-bronze", Stages: []string{"Api/v1"}, Rate: 5, Burst: 20, Quota: 200_000, QuotaPeriod: "MONTH"},
				{ID: "GoldPlan", Name: "partnerview-gold", Stages: []string{"Api/v1"}, Rate: 50, Burst: 100, Quota: 20_000_000, QuotaPeriod: "MONTH"},
				{ID: "SilverPlan", Name: "partnerview-silver", Stages: []string{"Api/v1"}, Rate: 20, Burst: 40, Quota: 2_000_000, QuotaPeriod: "MONTH"},
			}
			outputs = []string{"BronzePlan", "GoldPlan", "SilverPlan"}
		}
		if value == "true" {
			keys = "AUTHORIZER"
		}
		var told []string
		for name, id := range t.Outputs {
			if strings.HasSuffix(name, "Plan") && name == id {
				told = append(told, name)
			}
		}
		slices.Sort(told)
		authorizer, _ := t.Function("AuthorizerFunction")
		fail(
			differ(value+": plans", plans, t.UsagePlans),
			differ(value+": outputs", outputs, told),
			differ(value+": where keys come from", keys, t.KeySource),
			differ(value+": what the authorizer knows", value, authorizer.Environment["USAGE_PLANS"]))
		for _, r := range t.Routes {
			if want := value == "true" && r.Authorizer != ""; r.Metered != want {
				fail(fmt.Errorf("%s: %s %s is metered: %v", value, r.Method, r.Path, r.Metered))
			}
		}
	}
}
