package template_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dev/template"
)

const (
	root = "../../.."
	file = root + "/template.yaml"
)

// source is template.yaml.
var source = sync.OnceValue(func() string {
	text, _ := os.ReadFile(file) // where it is not there, it is no template
	return string(text)
})

// rule is what a template must keep to, by the claim that it makes, and changes
// of the template that break it, one at a time.
type rule[T any] struct {
	claim  string
	check  func(of T, fail func(...error)) // of which it is told errors, and nils
	breaks []change
}

// faults are what is wrong with a template by the rule; nil: nothing.
func (r rule[T]) faults(of T) error {
	var all []error
	r.check(of, func(some ...error) { all = append(all, some...) })
	return errors.Join(all...)
}

// change is one of a text, by what it does.
type change struct{ what, old, new string }

// of is the text with the change made.
func (c change) of(t *testing.T, text string) string {
	t.Helper()
	changed := strings.Replace(text, c.old, c.new, 1)
	if changed == text {
		t.Fatalf("there is no %q to change", c.old)
	}
	return changed
}

// holds asks that a text keeps to rules, as parse reads it.
func holds[T any](t *testing.T, text string, parse func(string) (T, error), rules []rule[T]) {
	t.Helper()
	read, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		t.Run(r.claim, func(t *testing.T) {
			if err := r.faults(read); err != nil {
				t.Error(err)
			}
		})
	}
}

// canFail asks of each rule that it sees each change that breaks it, and that
// there is one.
func canFail[T any](t *testing.T, text string, parse func(string) (T, error), rules []rule[T]) {
	t.Helper()
	for _, r := range rules {
		if len(r.breaks) == 0 {
			t.Errorf("nothing here breaks the rule %q", r.claim)
		}
		for _, c := range r.breaks {
			t.Run(c.what, func(t *testing.T) {
				t.Parallel()
				read, err := parse(c.of(t, text))
				if err != nil {
					t.Fatal(err)
				}
				if r.faults(read) == nil {
					t.Errorf("the rule %q does not see it", r.claim)
				}
			})
		}
	}
}

func parse(text string) (*template.Template, error) { return template.Parse([]byte(text), nil) }

// read is the template, with values for its parameters and resources.
func read(t *testing.T, values map[string]string) *template.Template {
	t.Helper()
	read, err := template.Parse([]byte(source()), values)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestTheTemplateKeepsTheRules(t *testing.T) {
	holds(t, source(), parse, rules)
}

func TestEachRuleCanFail(t *testing.T) {
	canFail(t, source(), parse, rules)
	for _, u := range unreadable {
		t.Run(u.what, func(t *testing.T) {
			t.Parallel()
			if _, err := parse(u.of(t, source())); err == nil || !strings.Contains(err.Error(), u.want) {
				t.Errorf("reading it: %v, want an error with %q", err, u.want)
			}
		})
	}
}

func differ(what string, want, got any) error {
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("%s (-want +got):\n%s", what, diff)
	}
	return nil
}

// rules are those of template.yaml that concern its reading. All others are asked of
// what is deployed (renderedRules). Rights stand in policy_test.go, others in rules_test.go.
var rules = []rule[*template.Template]{
	{"a data route has the authorizer, and only the dashboard's have none", routes, []change{
		{"a route opened", `Path: "/customers/{accountId}"}`,
			`Path: "/customers/{accountId}", Auth: {Authorizer: NONE}}`},
		{"no default authorizer", "        DefaultAuthorizer: PartnerAuthorizer\n", ""},
		{"another stage", "StageName: v1", "StageName: v2"},
		{"metered by default", "  UsagePlans:\n    Type: String\n    Default: \"false\"",
			"  UsagePlans:\n    Type: String\n    Default: \"true\""},
	}},
	{"the tables are those of internal/dynamo/doc.go", tables, []change{
		{"an index gone", "        - IndexName: ById\n", "        - IndexName: ByID\n"},
		{"an index that copies everything",
			"Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [accountId, name, products]}",
			"Projection: {ProjectionType: ALL}"},
		{"TTL attribute renamed", "AttributeName: expiresAt, Enabled: true", "AttributeName: expires, Enabled: true"},
		{"TTL off", "AttributeName: expiresAt, Enabled: true", "AttributeName: expiresAt, Enabled: false"},
		{"a ledger that keeps all for ever",
			"      TimeToLiveSpecification: {AttributeName: expiresAt, Enabled: true}\n      AttributeDefinitions:\n        - {AttributeName: pk,",
			"      AttributeDefinitions:\n        - {AttributeName: pk,"},
	}},
	{"a function has a folder of its own, and a target of the Makefile", functions, []change{
		{"a function without a folder", "  ListCustomersFunction:\n", "  CustomersFunction:\n"},
	}},
	{"a function knows the names of the tables it reads, and no others", environment, []change{
		{"a variable gone", "          PRICELISTS_TABLE: !Ref PriceListsTable\n", ""},
		{"a variable too many",
			"          PARTNERS_TABLE: !Ref PartnersTable\n      Events:\n        Get:",
			"          PARTNERS_TABLE: !Ref PartnersTable\n          USAGE_TABLE: !Ref UsageTable\n      Events:\n        Get:"},
		{"a variable for another table", "USAGE_TABLE: !Ref UsageTable", "USAGE_TABLE: !Ref PriceListsTable"},
		{"an authorizer that knows no audience", "          OIDC_AUDIENCE: !Ref OidcAudience\n", ""},
		{"a page that knows a client and no issuer",
			"OIDC_CLIENT_ID: !If [HasNoIssuer, !Ref \"AWS::NoValue\", !Ref OidcClientId]",
			"OIDC_CLIENT_ID: !Ref OidcClientId"},
		{"another claim for the partner", "    Default: partner_id\n", "    Default: sub\n"},
		{"people who see nothing after an update", "    Default: all\n", "    Default: none\n"},
	}},
	{"a right on a table is one on its keys", keyAttributes, []change{
		{"a key that is not allowed", "[byId, at, log]", "[byId, log]"},
	}},
	{"a role belongs to one function", ownRoles, []change{
		{"a shared role", "Role: !GetAtt GetCustomerRole.Arn", "Role: !GetAtt ListCustomersRole.Arn"},
	}},
	{"the Partners table is read by the kind of its keys", leadingKeys, []change{
		{"any key of the Partners table", `["KEY#*"]`, `["*"]`},
		{"any key of it beside a viewer's list", `["PARTNER#*", "VIEWER#*"]`, `["*"]`},
		{"any list, beside a viewer's own", `["PARTNER#*", "VIEWER#*"]`, `["*"]`},
		{"leading keys may be absent", `"Null": {"dynamodb:Attributes": "false", "dynamodb:LeadingKeys": "false"}`,
			`"Null": {"dynamodb:Attributes": "false"}`},
	}},
	{"a refusal of the gateway is a problem with the contract's text", refusals, []change{
		{"a denial that tells", "There is no such customer among those assigned to you.",
			"This customer is not assigned to you."},
		{"a refusal gone", "        INTEGRATION_TIMEOUT:\n", "        WAF_FILTERED:\n"},
		{"our failure as the caller's", "        AUTHORIZER_FAILURE:\n          StatusCode: 503",
			"        AUTHORIZER_FAILURE:\n          StatusCode: 403"},
		{"a status forced on all that callers did", "        DEFAULT_4XX:\n",
			"        DEFAULT_4XX:\n          StatusCode: 400\n"},
		{"a function that dies is not to be tried again", "        DEFAULT_5XX:\n          StatusCode: 503\n",
			"        DEFAULT_5XX:\n          StatusCode: 500\n"},
		{"plain JSON", "application/problem+json", "application/json"},
		{"no challenge", "              WWW-Authenticate: \"'Bearer'\"\n", ""},
		{"no word when to come back", "              Retry-After: \"'1'\"\n", ""},
		{"a key that the authorizer named, as the caller's", "        INVALID_API_KEY:\n          StatusCode: 503",
			"        INVALID_API_KEY:\n          StatusCode: 403"},
	}},
	{"the stack tells partnerctl its tables", outputs, []change{
		{"an output renamed", "  UsageTable:\n    Description: Usage records.",
			"  Usage:\n    Description: Usage records."},
	}},
}

// unreadable are changes of the template by which a right or a route would be
// hidden from the rules: the reading refuses them, with the text.
var unreadable = []struct {
	change
	want string
}{
	{change{"a route gone",
		"        Record:\n          Type: Api\n          Properties: {RestApiId: !Ref Api, Method: GET, Path: \"/customers/{accountId}/usage/{product}/{recordId}\"}\n",
		""}, "no function answers it"},
	{change{"a method that writes", "Method: GET, Path: /customers}",
		"Method: x-amazon-apigateway-any-method, Path: /customers}"}, "no function answers it"},
	{change{"all methods, by a word that SAM loses", "Method: x-amazon-apigateway-any-method, Path: /,",
		"Method: ANY, Path: /,"}, "SAM makes of ANY"},
	{change{"an API of its own", "Properties: {RestApiId: !Ref Api, Method: GET, Path: /customers}",
		"Properties: {Method: GET, Path: /customers}"}, "it must name the template's API"},
	{change{"a credential in the query", "Headers: [Authorization]",
		"QueryStrings: [key]"}, "only headers and the context"},
	{change{"a token authorizer", "FunctionPayloadType: REQUEST", "FunctionPayloadType: TOKEN"}, "only REQUEST"},
	{change{"a definition in place of the events", "      MergeDefinitions: true\n",
		""}, "a definition of its own may hold routes"},
	{change{"a route in the definition alone",
		"          \"/customers/{accountId}\":\n            get: {security",
		"          \"/customers/all\":\n            get: {security"}, "GET /customers/all: the API's definition names it"},
	{change{"an answer in the definition",
		"            get: {security: [!If",
		"            get: {x-amazon-apigateway-integration: {}, security: [!If"}, "unknown field \"x-amazon-apigateway-integration\""},
	{change{"a managed policy", "    Type: AWS::IAM::Role\n    Properties:\n",
		"    Type: AWS::IAM::Role\n    Properties:\n      ManagedPolicyArns: [some]\n"}, "managed policies"},
	{change{"a policy beside the role", "  AccessLogs:\n",
		"  More:\n    Type: AWS::IAM::Policy\n  AccessLogs:\n"}, "More: a AWS::IAM::Policy may give rights"},
	{change{"a SAM policy", "      Timeout: 6\n",
		"      Policies: [AmazonDynamoDBReadOnlyAccess]\n"}, "not in Policies"},
	{change{"a statement by exclusion", `Action: "dynamodb:GetItem"`,
		`NotAction: "dynamodb:PutItem"`}, `unknown field "NotAction"`},
	{change{"a condition that is not modelled", "ForAllValues:StringEquals:",
		"ForAnyValue:StringEquals:"}, "operator ForAnyValue"},
}
