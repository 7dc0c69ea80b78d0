package template_test

import (
	"os"
	"strings"
	"testing"

	"partnerview/internal/dev/template"
)

// TestEachRuleCanFail breaks the template in one place at a time. The break must
// be seen: by the rule that is named, or by the reading, whose error then holds
// the text.
func TestEachRuleCanFail(t *testing.T) {
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const (
		routes      = "a data route has the authorizer, and only the dashboard's have none"
		authorizer  = "the authorizer's cache goes by credential and path"
		tables      = "the tables are those of internal/dynamo/doc.go"
		protection  = "a table outlives mistakes"
		functions   = "a function is a small Go binary with a folder of its own"
		environment = "a function knows the names of the tables it reads, and no others"
		onlyReads   = "a function may read, and nothing else"
		wildcards   = "a right names one table or index, never a wildcard"
		guards      = "a right on a table is a right on listed attributes"
		ownRoles    = "a role belongs to one function"
		leadingKeys = "the Partners table is read by the kind of its keys"
		retention   = "a log is kept for a time that the operator chose"
		accessLog   = "the access log tells who asked for which route, and nothing of people"
		refusals    = "a refusal of the gateway is a problem with the contract's text"
		outputs     = "the stack tells partnerctl its tables"
	)
	for _, m := range []struct{ what, old, new, rule string }{
		{"a route opened", `Path: "/customers/{accountId}"}`, `Path: "/customers/{accountId}", Auth: {Authorizer: NONE}}`, routes},
		{"no default authorizer", "        DefaultAuthorizer: PartnerAuthorizer\n", "", routes},
		{"a route gone", "        Record:\n          Type: Api\n          Properties: {RestApiId: !Ref Api, Method: GET, Path: \"/customers/{accountId}/usage/{product}/{recordId}\"}\n", "", "reading: no function answers it"},
		{"a method that writes", "Method: GET, Path: /customers}", "Method: x-amazon-apigateway-any-method, Path: /customers}", "reading: no function answers it"},
		{"all methods, by a word that SAM loses", "Method: x-amazon-apigateway-any-method, Path: /,", "Method: ANY, Path: /,", "reading: SAM makes of ANY"},
		{"an API of its own", "Properties: {RestApiId: !Ref Api, Method: GET, Path: /customers}", "Properties: {Method: GET, Path: /customers}", "reading: it must name the template's API"},
		{"another stage", "StageName: v1", "StageName: v2", routes},
		{"decisions cached without the path", "              Context: [path]\n", "", authorizer},
		{"decisions cached without the credential", "              Headers: [Authorization]\n", "", authorizer},
		{"a credential in the query", "Headers: [Authorization]", "QueryStrings: [key]", "reading: only headers and the context"},
		{"a fixed cache time", "ReauthorizeEvery: !Ref AuthorizerTtlSeconds", "ReauthorizeEvery: 3600", authorizer},
		{"no cache time, which is 300 s", "              ReauthorizeEvery: !Ref AuthorizerTtlSeconds\n", "", authorizer},
		{"a token authorizer", "FunctionPayloadType: REQUEST", "FunctionPayloadType: TOKEN", "reading: only REQUEST"},
		{"an index gone", "        - IndexName: ById\n", "        - IndexName: ByID\n", tables},
		{"an index that copies everything", "Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [accountId, name, products]}", "Projection: {ProjectionType: ALL}", tables},
		{"TTL attribute renamed", "AttributeName: expiresAt, Enabled: true", "AttributeName: expires, Enabled: true", tables},
		{"TTL off", "AttributeName: expiresAt, Enabled: true", "AttributeName: expiresAt, Enabled: false", tables},
		{"no point-in-time recovery", "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false", protection},
		{"no encryption", "SSEEnabled: true", "SSEEnabled: false", protection},
		{"no deletion protection", "DeletionProtectionEnabled: true", "DeletionProtectionEnabled: false", protection},
		{"deleted with the stack", "    DeletionPolicy: Retain\n", "", protection},
		{"deleted when replaced", "    UpdateReplacePolicy: Retain\n", "", protection},
		{"provisioned capacity", "BillingMode: PAY_PER_REQUEST", "BillingMode: PROVISIONED", protection},
		{"another processor", "Architectures: [arm64]", "Architectures: [x86_64]", functions},
		{"a function that outlasts the gateway's patience", "    Timeout: 10\n", "    Timeout: 30\n", functions},
		{"no tracing", "    Tracing: Active\n", "", functions},
		{"a function without a folder", "ListCustomersFunction", "CustomersFunction", functions},
		{"a variable gone", "          PRICELISTS_TABLE: !Ref PriceListsTable\n", "", environment},
		{"a variable too many", "          CUSTOMERS_TABLE: !Ref CustomersTable\n      Events:\n        Get:", "          CUSTOMERS_TABLE: !Ref CustomersTable\n          USAGE_TABLE: !Ref UsageTable\n      Events:\n        Get:", environment},
		{"a variable for another table", "USAGE_TABLE: !Ref UsageTable", "USAGE_TABLE: !Ref PriceListsTable", environment},
		{"an authorizer that knows no audience", "          OIDC_AUDIENCE: !Ref OidcAudience\n", "", environment},
		{"a page that knows a client and no issuer", "OIDC_CLIENT_ID: !If [HasNoIssuer, !Ref \"AWS::NoValue\", !Ref OidcClientId]", "OIDC_CLIENT_ID: !Ref OidcClientId", environment},
		{"another claim for the partner", "    Default: partner_id\n", "    Default: sub\n", environment},
		{"a gateway key read by an endpoint", "dynamodb:Attributes: [pk, sk, sortKey, accountId, name, products]", "dynamodb:Attributes: [pk, sk, sortKey, accountId, name, products, gatewayKey]", guards},
		{"a scan", `Action: "dynamodb:Query"`, `Action: ["dynamodb:Query", "dynamodb:Scan"]`, onlyReads},
		{"a write", `Action: "dynamodb:GetItem"`, `Action: "dynamodb:PutItem"`, onlyReads},
		{"every action", `Action: "dynamodb:GetItem"`, `Action: "dynamodb:*"`, onlyReads},
		{"every table", "Resource: !GetAtt UsageTable.Arn", `Resource: "*"`, wildcards},
		{"every index", "/index/ById\n", "/index/*\n", wildcards},
		{"every log group", "Resource: !GetAtt GetUsageLogs.Arn", `Resource: "*"`, wildcards},
		{"an attribute too many", "[log, at, direction, status,", "[log, at, content, direction, status,", guards},
		{"a key that is not allowed", "[byId, at, log]", "[byId, log]", guards},
		{"Select free", "                  StringEquals: {\"dynamodb:Select\": SPECIFIC_ATTRIBUTES}\n", "", guards},
		{"Select of a query left to chance", "StringEquals: {\"dynamodb:Select\"", "StringEqualsIfExists: {\"dynamodb:Select\"", guards},
		{"a request that names no attribute", "\"Null\": {\"dynamodb:Attributes\": \"false\"}", "\"Null\": {\"dynamodb:Select\": \"false\"}", guards},
		{"a shared role", "Role: !GetAtt GetCustomerRole.Arn", "Role: !GetAtt ListCustomersRole.Arn", ownRoles},
		{"any key of the Partners table", `["KEY#*"]`, `["*"]`, leadingKeys},
		{"leading keys may be absent", `"Null": {"dynamodb:Attributes": "false", "dynamodb:LeadingKeys": "false"}`, `"Null": {"dynamodb:Attributes": "false"}`, leadingKeys},
		{"a log kept for ever", "      RetentionInDays: !Ref LogRetentionDays\n", "      LogGroupClass: STANDARD\n", retention},
		{"a log group that nobody made", "LogGroup: !Ref DashboardLogs", "LogGroup: somewhere", retention},
		{"an access log with addresses", `"requestId":"$context.requestId",`, `"ip":"$context.identity.sourceIp",`, accessLog},
		{"an access log with paths", "$context.resourcePath", "$context.path", accessLog},
		{"an execution log", `LoggingLevel: "OFF"`, `LoggingLevel: INFO`, accessLog},
		{"bodies in the execution log", "DataTraceEnabled: false", "DataTraceEnabled: true", accessLog},
		{"a denial that tells", "There is no such customer among those assigned to you.", "This customer is not assigned to you.", refusals},
		{"a refusal gone", "        INTEGRATION_TIMEOUT:\n", "        WAF_FILTERED:\n", refusals},
		{"our failure as the caller's", "        AUTHORIZER_FAILURE:\n          StatusCode: 503", "        AUTHORIZER_FAILURE:\n          StatusCode: 403", refusals},
		{"a status forced on all that callers did", "        DEFAULT_4XX:\n", "        DEFAULT_4XX:\n          StatusCode: 400\n", refusals},
		{"a function that dies is not to be tried again", "        DEFAULT_5XX:\n          StatusCode: 503\n", "        DEFAULT_5XX:\n          StatusCode: 500\n", refusals},
		{"plain JSON", "application/problem+json", "application/json", refusals},
		{"no challenge", "              WWW-Authenticate: \"'Bearer'\"\n", "", refusals},
		{"no word when to come back", "              Retry-After: \"'1'\"\n", "", refusals},
		{"an output renamed", "  UsageTable:\n    Description: Usage records.", "  Usage:\n    Description: Usage records.", outputs},
		{"a key that the authorizer named, as the caller's", "        INVALID_API_KEY:\n          StatusCode: 503", "        INVALID_API_KEY:\n          StatusCode: 403", refusals},
		{"metered by default", "  UsagePlans:\n    Type: String\n    Default: \"false\"", "  UsagePlans:\n    Type: String\n    Default: \"true\"", routes},
		{"a definition in place of the events", "      MergeDefinitions: true\n", "", "reading: a definition of its own may hold routes"},
		{"a route in the definition alone", "          \"/customers/{accountId}\":\n            get: {security", "          \"/customers/all\":\n            get: {security", "reading: GET /customers/all: the API's definition names it"},
		{"an answer in the definition", "            get: {security: [!If", "            get: {x-amazon-apigateway-integration: {}, security: [!If", "reading: unknown field \"x-amazon-apigateway-integration\""},
		{"a managed policy", "    Type: AWS::IAM::Role\n    Properties:\n", "    Type: AWS::IAM::Role\n    Properties:\n      ManagedPolicyArns: [some]\n", "reading: managed policies"},
		{"a policy beside the role", "  AccessLogs:\n", "  More:\n    Type: AWS::IAM::Policy\n  AccessLogs:\n", "reading: More: a AWS::IAM::Policy may give rights"},
		{"a SAM policy", "      Timeout: 6\n", "      Policies: [AmazonDynamoDBReadOnlyAccess]\n", "reading: not in Policies"},
		{"a statement by exclusion", `Action: "dynamodb:GetItem"`, `NotAction: "dynamodb:PutItem"`, `reading: unknown field "NotAction"`},
		{"a condition that is not modelled", "ForAllValues:StringEquals:", "ForAnyValue:StringEquals:", "reading: operator ForAnyValue"},
	} {
		t.Run(m.what, func(t *testing.T) {
			broken := strings.Replace(string(source), m.old, m.new, 1)
			if broken == string(source) {
				t.Fatalf("the template has no %q to break", m.old)
			}
			tmpl, err := template.Parse([]byte(broken), nil)
			if reading, ok := strings.CutPrefix(m.rule, "reading: "); ok {
				if err == nil || !strings.Contains(err.Error(), reading) {
					t.Errorf("reading it: %v, want an error with %q", err, reading)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if rules[m.rule](tmpl) == nil {
				t.Errorf("the rule %q does not see it", m.rule)
			}
		})
	}
}
