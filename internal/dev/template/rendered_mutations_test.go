package template_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestEachRenderedRuleCanFail breaks what is deployed in one place at a time. The
// rule that is named must see it.
func TestEachRenderedRuleCanFail(t *testing.T) {
	const (
		routes    = "each data route asks the authorizer, by credential and path"
		contract  = "the routes are those of openapi.yaml, and the dashboard's"
		stages    = "there is one API and one stage, and no function URL"
		tls       = "the gateway takes TLS 1.2 and later alone"
		plans     = "where plans are enforced, and only there, data routes ask for a key"
		methods   = "each route is throttled, and logs no queries"
		rights    = "no function may write, and no wildcard stands in its rights"
		guards    = "a partner's request reads tables by listed attributes only"
		invokers  = "nobody but the gateway may invoke a function"
		logs      = "each log group is kept for a chosen time, each function's log is one"
		accessLog = "the access log holds no address, no path and no query"
		refusals  = "whatever the gateway answers by itself is a problem"
		tables    = "tables are retained, protected, encrypted and restorable; usage ends"
		alarms    = "each alarm has a section in the runbook, and tells the topic"
		options   = "what costs something while idle is made only where it is asked for"
		functions = "each function is traced, is arm64, and may be given its own instances"
		pairs     = "parameters that go together are asked for together"
		boundary  = "each role is bounded where the account asks for it"
		issuer    = "the issuer is the parameters', off by default, and has an audience"
	)
	source, _ := readRendered(t, renderedFile)
	var plain any
	if err := json.Unmarshal(source, &plain); err != nil {
		t.Fatal(err)
	}
	text := compact(plain) // keys in order, no blanks
	seen := make(map[string]bool)
	for _, m := range []struct{ what, old, new, rule string }{
		{"the authorizer off a route", `"/customers/{accountId}/usage/{product}":{"get":{"responses":{},"security":[{"Fn::If":["EnforcesUsagePlans",{"api_key":[]},{"Ref":"AWS::NoValue"}]},{"PartnerAuthorizer":[]}]`, `"/customers/{accountId}/usage/{product}":{"get":{"responses":{},"security":[{"NONE":[]}]`, routes},
		{"no security at all", `,{"PartnerAuthorizer":[]}]`, `]`, routes},
		{"the path gone from the identity sources", `Authorization, context.path`, `Authorization`, routes},
		{"the credential gone from the identity sources", `method.request.header.Authorization, context.path`, `context.path`, routes},
		{"a longer cache", `"authorizerResultTtlInSeconds":60`, `"authorizerResultTtlInSeconds":300`, routes},
		{"a route that writes", `"/customers":{"get"`, `"/customers":{"post"`, routes},
		{"a route that is missing in openapi.yaml", `"/customers/{accountId}":{"get"`, `"/customers/{accountId}/invoices":{"get"`, contract},
		{"a route of openapi.yaml gone", `"/customers/{accountId}/usage/{product}/{recordId}":{"get"`, `"/{proxy+}":{"get"`, contract},
		{"a second stage", `"Type":"AWS::CloudWatch::Dashboard"`, `"Type":"AWS::ApiGateway::Stage"`, stages},
		{"a stage of the deployment's own", `"StageName":"v1","TracingEnabled"`, `"StageName":"Stage","TracingEnabled"`, stages},
		{"a function URL", `"Type":"AWS::CloudWatch::Dashboard"`, `"Type":"AWS::Lambda::Url"`, stages},
		{"old TLS", `"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"`, `"TLS_1_0"`, tls},
		{"two names for the API", `"disableExecuteApiEndpoint":{"Fn::If":["HasDomain",true,false]}`, `"disableExecuteApiEndpoint":false`, tls},
		{"a key asked for on the page", `"security":[{"NONE":[]}]`, `"security":[{"NONE":[]},{"api_key":[]}]`, routes},
		{"a key asked for without plans", `{"Fn::If":["EnforcesUsagePlans",{"api_key":[]},{"Ref":"AWS::NoValue"}]}`, `{"api_key":[]}`, routes},
		{"keys asked for while they are prepared", `"EnforcesUsagePlans":{"Fn::Equals":[{"Ref":"UsagePlans"},"true"]}`, `"EnforcesUsagePlans":{"Fn::Equals":[{"Ref":"UsagePlans"},"prepared"]}`, plans},
		{"plans by default", `"UsagePlans":{"AllowedValues":["false","prepared","true"],"Default":"false"`, `"UsagePlans":{"AllowedValues":["false","prepared","true"],"Default":"true"`, plans},
		{"keys that callers send", `"AUTHORIZER"`, `"HEADER"`, plans},
		{"a key that is no key of the gateway's", `"name":"x-api-key"`, `"name":"x-key"`, plans},
		{"a plan of another stage", `"Stage":{"Ref":"Apiv1Stage"}`, `"Stage":"v2"`, plans},
		{"a plan without a quota", `"Quota":{"Limit":{"Ref":"GoldQuota"},"Period":"MONTH"}`, `"Quota":{}`, plans},
		{"a key for all partners", `"Type":"AWS::CloudWatch::Dashboard"`, `"Type":"AWS::ApiGateway::ApiKey"`, plans},
		{"a stage that keeps serving the API of before", `"ApiDeploymentb6589fc6ab":`, `"ApiDeployment0ba760ab69":`, plans},
		{"a plan that costs everybody", `"Condition":"HasUsagePlans","Properties"`, `"Condition":"HasDomain","Properties"`, options},
		{"a gateway key read by an endpoint", `"dynamodb:Attributes":["pk","sk","sortKey",`, `"dynamodb:Attributes":["pk","sk","sortKey","gatewayKey",`, guards},
		{"a route's throttle gone", `{"DataTraceEnabled":false,"HttpMethod":"GET","LoggingLevel":"OFF","MetricsEnabled":{"Ref":"DetailedMetrics"},"ResourcePath":"/~1customers",`, `{"DataTraceEnabled":false,"HttpMethod":"GET","LoggingLevel":"OFF","MetricsEnabled":"false","ResourcePath":"/~1other",`, methods},
		{"queries in the execution log", `"LoggingLevel":"OFF"`, `"LoggingLevel":"INFO"`, methods},
		{"a scan added", `"Action":"dynamodb:Query"`, `"Action":["dynamodb:Query","dynamodb:Scan"]`, rights},
		{"a write action", `"Action":"dynamodb:GetItem"`, `"Action":"dynamodb:PutItem"`, rights},
		{"a wildcard of actions", `"Action":"dynamodb:GetItem"`, `"Action":"dynamodb:*"`, rights},
		{"a wildcard of resources", `"Fn::Sub":"${UsageTable.Arn}/index/ById"`, `"Fn::Sub":"${UsageTable.Arn}/*"`, rights},
		{"every log group", `"Resource":{"Fn::GetAtt":["GetUsageLogs","Arn"]}`, `"Resource":"*"`, rights},
		{"a managed policy", `"Policies":[{"PolicyDocument"`, `"ManagedPolicyArns":["arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"],"Policies":[{"PolicyDocument"`, rights},
		{"a policy beside the roles", `"Type":"AWS::CloudWatch::Dashboard"`, `"Type":"AWS::IAM::Policy"`, rights},
		{"an attribute added", `"dynamodb:Attributes":["log","at",`, `"dynamodb:Attributes":["log","at","content",`, guards},
		{"Select dropped", `"StringEquals":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES"}`, `"StringEquals":{}`, guards},
		{"Select of a query left to chance", `"StringEquals":{"dynamodb:Select"`, `"StringEqualsIfExists":{"dynamodb:Select"`, guards},
		{"requests without attributes", `"dynamodb:Attributes":"false"`, `"dynamodb:Attributes":"true"`, guards},
		{"anybody may invoke", `"Principal":"apigateway.amazonaws.com"`, `"Principal":"*"`, invokers},
		{"any API may invoke", `:execute-api:`, `:other:`, invokers},
		{"a log kept for ever", `"Properties":{"RetentionInDays":{"Ref":"LogRetentionDays"}}`, `"Properties":{}`, logs},
		{"the audit kept as shortly as other logs", `"RetentionInDays":{"Ref":"AuditRetentionDays"}`, `"RetentionInDays":{"Ref":"LogRetentionDays"}`, logs},
		{"a function's log elsewhere", `"LoggingConfig":{"LogGroup":{"Ref":"GetUsageLogs"}}`, `"LoggingConfig":{}`, logs},
		{"addresses in the access log", `$context.requestTime`, `$context.identity.sourceIp`, accessLog},
		{"paths in the access log", `$context.resourcePath`, `$context.path`, accessLog},
		{"a gateway response gone", `"INTEGRATION_TIMEOUT":{`, `"OTHER":{`, refusals},
		{"plain JSON", `'application/problem+json'`, `'application/json'`, refusals},
		{"a refusal that may be kept", `'no-store'`, `'max-age=60'`, refusals},
		{"point-in-time recovery off", `"PointInTimeRecoveryEnabled":true`, `"PointInTimeRecoveryEnabled":false`, tables},
		{"retention of a table off", `"PartnersTable":{"DeletionPolicy":"Retain"`, `"PartnersTable":{"DeletionPolicy":"Delete"`, tables},
		{"encryption off", `"SSEEnabled":true`, `"SSEEnabled":false`, tables},
		{"deletion protection off", `"DeletionProtectionEnabled":true`, `"DeletionProtectionEnabled":false`, tables},
		{"TTL attribute renamed", `"AttributeName":"expiresAt","Enabled":true`, `"AttributeName":"expires","Enabled":true`, tables},
		{"an alarm that tells nobody", `"AlarmActions":{"Fn::If":["HasNoAlarmTopic",{"Ref":"AWS::NoValue"},[{"Ref":"AlarmTopicArn"}]]}`, `"AlarmActions":[]`, alarms},
		{"an alarm without a section", `docs/runbook.md, LatencyAlarm.`, `docs/runbook.md.`, alarms},
		{"an alarm gone", `"DeniedAlarm":{`, `"AnotherAlarm":{`, alarms},
		{"a metric of another log", `"LogGroupName":{"Ref":"AccessLogs"}`, `"LogGroupName":{"Ref":"GetUsageLogs"}`, alarms},
		{"alarms that nobody sees", `"Condition":"HasAlarms","Properties"`, `"Condition":"HasDomain","Properties"`, options},
		{"a web ACL for everybody", `"Condition":"HasWebAcl"`, `"Condition":"HasDomain"`, options},
		{"tracing off", `"TracingConfig":{"Mode":"Active"}`, `"TracingConfig":{"Mode":"PassThrough"}`, functions},
		{"a function that runs without bound", `"ReservedConcurrentExecutions":{"Fn::If":["ReservesNoAuthorizer"`, `"ReservedConcurrentExecutions":{"Fn::If":["Never"`, functions},
		{"the audit deleted with the stack", `"GetUsageLogs":{"DeletionPolicy":"RetainExceptOnCreate"`, `"GetUsageLogs":{"DeletionPolicy":"Delete"`, logs},
		{"the page's function closed to other methods", `${Api}/*/*/*"`, `${Api}/*/GET/*"`, invokers},
		{"a method that API Gateway does not know", `"/{proxy+}":{"x-amazon-apigateway-any-method"`, `"/{proxy+}":{"any"`, invokers},
		{"a domain without a certificate", `"ADomainNeedsACertificate":{`, `"Another":{`, pairs},
		{"a web ACL that AWS refuses", `["1","2","3","4","5","6","7","8","9"]`, `["1"]`, pairs},
		{"an unbounded role", `"PermissionsBoundary":{"Fn::If":["HasNoBoundary",{"Ref":"AWS::NoValue"},{"Ref":"PermissionsBoundaryArn"}]},`, ``, boundary},
		{"tokens for anybody", `"OIDC_AUDIENCE":{"Ref":"OidcAudience"}`, `"OIDC_AUDIENCE":{"Ref":"OidcIssuer"}`, issuer},
		{"an issuer without an audience", `{"Fn::Not":[{"Fn::Equals":[{"Ref":"OidcAudience"},""]}]}`, `{"Fn::Not":[{"Fn::Equals":[{"Ref":"OidcIssuer"},""]}]}`, issuer},
		{"an issuer that nobody chose", `"OidcIssuer":{"AllowedPattern":"(https?://[^\\s?#]+)?","ConstraintDescription":"must be a URL without query and fragment, or empty.","Default":""`, `"OidcIssuer":{"Default":"https://login.example.com"`, issuer},
		{"a page that signs in without an issuer", `"OIDC_CLIENT_ID":{"Fn::If":["HasNoIssuer",{"Ref":"AWS::NoValue"},{"Ref":"OidcClientId"}]}`, `"OIDC_CLIENT_ID":{"Ref":"OidcClientId"}`, issuer},
	} {
		t.Run(m.what, func(t *testing.T) {
			broken := strings.Replace(text, m.old, m.new, 1)
			if broken == text {
				t.Fatalf("there is no %q to break", m.old)
			}
			doc, err := parseRendered([]byte(broken))
			if err != nil {
				t.Fatal(err)
			}
			if renderedRules[m.rule](doc) == nil {
				t.Errorf("the rule %q does not see it", m.rule)
			}
			seen[m.rule] = true
		})
	}
	for rule := range renderedRules {
		if !seen[rule] {
			t.Errorf("nothing here breaks the rule %q", rule)
		}
	}
}
