package template_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// What the SAM translator makes of template.yaml: what is deployed, as against
// what is written. make rendered writes the files, and make deploy-check compares
// them with new ones.
const (
	renderedFile = "testdata/rendered.json"
	// The same with all that is optional turned on, and each parameter given to the
	// translator as CloudFormation gives it: a text.
	configuredFile = "testdata/rendered_configured.json"
)

type rendered struct {
	Metadata   struct{ SHA256OfTemplate string }
	Parameters map[string]any
	Rules      map[string]any
	Conditions map[string]any
	Resources  map[string]renderedResource
}

type renderedResource struct {
	Type, Condition, DeletionPolicy, UpdateReplacePolicy string
	Properties                                           map[string]any
}

func readRendered(t *testing.T, file string) ([]byte, *rendered) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := parseRendered(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return text, doc
}

func parseRendered(text string) (*rendered, error) {
	doc := new(rendered)
	return doc, json.Unmarshal([]byte(text), doc)
}

func TestTheRenderedTemplateIsOfThisTemplate(t *testing.T) {
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{renderedFile, configuredFile} {
		_, doc := readRendered(t, f)
		if sum := sha256.Sum256(source); hex.EncodeToString(sum[:]) != doc.Metadata.SHA256OfTemplate {
			t.Errorf("%s is not of this template.yaml; run: make rendered", f)
		}
	}
}

func TestTheRenderedTemplateKeepsTheRules(t *testing.T) {
	for _, f := range []string{renderedFile, configuredFile} {
		t.Run(f, func(t *testing.T) {
			text, _ := readRendered(t, f)
			holds(t, string(text), parseRendered, slices.Concat(renderedRules, inboxRules))
		})
	}
}

// Each rule is broken in one place at a time of what is deployed.
func TestEachRenderedRuleCanFail(t *testing.T) {
	text, _ := readRendered(t, renderedFile)
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	canFail(t, compact(plain), parseRendered, slices.Concat(renderedRules, inboxRules)) // keys in order, no blanks
}

// A parameter may change what SAM makes only where it is meant to.
func TestParametersChangeNothingElseOfWhatIsRendered(t *testing.T) {
	_, plain := readRendered(t, renderedFile)
	_, configured := readRendered(t, configuredFile)
	scheme := at(configured.body(), "components", "securitySchemes", "PartnerAuthorizer", "x-amazon-apigateway-authorizer")
	if err := expect("decisions are kept for the parameter's time", `"5"`, at(scheme, "authorizerResultTtlInSeconds")); err != nil {
		t.Error(err)
	}
	scheme.(map[string]any)["authorizerResultTtlInSeconds"] = 60.0
	if err := differ("what is rendered", plain, configured); err != nil {
		t.Error(err)
	}
}

// of are the ids of the resources of a type, in order.
func (d *rendered) of(typ string) (ids []string) {
	for id, r := range d.Resources {
		if r.Type == typ {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// at is a value inside a resource's properties; nil where there is none. A number
// leads into a list.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// compact is a value as JSON on one line: how two of any shape are compared.
func compact(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

func expect(what, want string, got any) error {
	if compact(got) != want {
		return fmt.Errorf("%s is %s, want %s", what, compact(got), want)
	}
	return nil
}

// renderedRules are what the rendered template must keep to. Each says what the
// SAM translator might do behind the back of template.yaml.
var renderedRules = []rule[*rendered]{
	{"each data route asks the authorizer, by credential and path", renderedRoutes, []change{
		{"the authorizer off a route",
			`"/customers/{accountId}/usage/{product}":{"get":{"responses":{},"security":[{"Fn::If":["EnforcesUsagePlans",{"api_key":[]},{"Ref":"AWS::NoValue"}]},{"PartnerAuthorizer":[]}]`,
			`"/customers/{accountId}/usage/{product}":{"get":{"responses":{},"security":[{"NONE":[]}]`},
		{"no security at all", `,{"PartnerAuthorizer":[]}]`, `]`},
		{"the path gone from the identity sources", `Authorization, context.path`, `Authorization`},
		{"the credential gone from the identity sources", `method.request.header.Authorization, context.path`,
			`context.path`},
		{"no cache time, which is 300 s", `"authorizerResultTtlInSeconds":60,`, ``},
		{"a longer cache", `"authorizerResultTtlInSeconds":60`, `"authorizerResultTtlInSeconds":300`},
		{"a route that writes", `"/customers":{"get"`, `"/customers":{"post"`},
		{"a key asked for on the page", `"security":[{"NONE":[]}]`, `"security":[{"NONE":[]},{"api_key":[]}]`},
		{"a key asked for without plans", `{"Fn::If":["EnforcesUsagePlans",{"api_key":[]},{"Ref":"AWS::NoValue"}]}`,
			`{"api_key":[]}`},
	}},
	{"the routes are those of openapi.yaml, and the dashboard's", renderedContract, []change{
		{"a route that is missing in openapi.yaml", `"/customers/{accountId}":{"get"`,
			`"/customers/{accountId}/invoices":{"get"`},
		{"a route of openapi.yaml gone", `"/customers/{accountId}/usage/{product}/{recordId}":{"get"`,
			`"/{proxy+}":{"get"`},
	}},
	{"there is one API and one stage, and no function URL", renderedStages, []change{
		{"a second stage", `"Type":"AWS::CloudWatch::Dashboard"`, `"Type":"AWS::ApiGateway::Stage"`},
		{"a stage of the deployment's own", `"StageName":"v1","TracingEnabled"`,
			`"StageName":"Stage","TracingEnabled"`},
		{"a function URL", `"Type":"AWS::CloudWatch::Dashboard"`, `"Type":"AWS::Lambda::Url"`},
	}},
	{"the gateway takes TLS 1.2 and later alone", renderedTLS, []change{
		{"old TLS", `"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"`, `"TLS_1_0"`},
		{"two names for the API", `"disableExecuteApiEndpoint":{"Fn::If":["HasDomain",true,false]}`,
			`"disableExecuteApiEndpoint":false`},
	}},
	{"where plans are enforced, and only there, data routes ask for a key", renderedPlans, []change{
		{"keys asked for while they are prepared", `"EnforcesUsagePlans":{"Fn::Equals":[{"Ref":"UsagePlans"},"true"]}`,
			`"EnforcesUsagePlans":{"Fn::Equals":[{"Ref":"UsagePlans"},"prepared"]}`},
		{"plans by default", `"UsagePlans":{"AllowedValues":["false","prepared","true"],"Default":"false"`,
			`"UsagePlans":{"AllowedValues":["false","prepared","true"],"Default":"true"`},
		{"keys that callers send", `"AUTHORIZER"`, `"HEADER"`},
		{"a key that is no key of the gateway's", `"name":"x-api-key"`, `"name":"x-key"`},
		{"a plan of another stage", `"Stage":{"Ref":"Apiv1Stage"}`, `"Stage":"v2"`},
		{"a plan without a quota", `"Quota":{"Limit":{"Ref":"GoldQuota"},"Period":"MONTH"}`, `"Quota":{}`},
		{"a key for all partners", `"Type":"AWS::CloudWatch::Dashboard"`, `"Type":"AWS::ApiGateway::ApiKey"`},
		{"a stage that keeps serving the API of before", `"ApiDeploymentb6589fc6ab":`, `"ApiDeployment0ba760ab69":`},
	}},
	{"each route is throttled, and logs no queries", renderedMethods, []change{
		{"a route's throttle gone",
			`{"DataTraceEnabled":false,"HttpMethod":"GET","LoggingLevel":"OFF","MetricsEnabled":{"Ref":"DetailedMetrics"},"ResourcePath":"/~1customers",`,
			`{"DataTraceEnabled":false,"HttpMethod":"GET","LoggingLevel":"OFF","MetricsEnabled":"false","ResourcePath":"/~1other",`},
		{"queries in the execution log", `"LoggingLevel":"OFF"`, `"LoggingLevel":"INFO"`},
		{"bodies in the execution log", `"DataTraceEnabled":false`, `"DataTraceEnabled":true`},
	}},
	{"no function may write, or reach anything but tables, its log and X-Ray, and no wildcard stands in its rights", renderedRights, []change{
		{"a scan added", `"Action":"dynamodb:Query"`, `"Action":["dynamodb:Query","dynamodb:Scan"]`},
		{"a write action", `"Action":"dynamodb:GetItem"`, `"Action":"dynamodb:PutItem"`},
		{"a write of totals", `"Action":"dynamodb:BatchGetItem"`, `"Action":["dynamodb:BatchGetItem","dynamodb:UpdateItem"]`},
		{"the inbox read", `"Action":"dynamodb:GetItem"`, `"Action":"s3:GetObject"`},
		{"the inbox listed", `"Action":"dynamodb:Query"`, `"Action":["dynamodb:Query","s3:ListBucket"]`},
		{"an import started", `"Action":"dynamodb:GetItem"`, `"Action":"states:StartExecution"`},
		{"an event sent", `"Action":["xray:PutTraceSegments","xray:PutTelemetryRecords"]`, `"Action":["xray:PutTraceSegments","xray:PutTelemetryRecords","events:PutEvents"]`},
		{"another function called", `"Action":["logs:CreateLogStream","logs:PutLogEvents"]`, `"Action":["logs:CreateLogStream","logs:PutLogEvents","lambda:InvokeFunction"]`},
		{"a wildcard of actions", `"Action":"dynamodb:GetItem"`, `"Action":"dynamodb:*"`},
		{"a wildcard of resources", `"Fn::Sub":"${UsageTable.Arn}/index/ById"`, `"Fn::Sub":"${UsageTable.Arn}/*"`},
		{"every log group", `"Resource":{"Fn::GetAtt":["GetUsageLogs","Arn"]}`, `"Resource":"*"`},
		{"a managed policy",
			`"Policies":[{"PolicyDocument"`,
			`"ManagedPolicyArns":["arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"],"Policies":[{"PolicyDocument"`},
		{"a policy beside the roles", `"Type":"AWS::CloudWatch::Dashboard"`, `"Type":"AWS::IAM::Policy"`},
	}},
	{"a partner's request reads tables by listed attributes only", renderedGuards, []change{
		{"a gateway key read by an endpoint", `"dynamodb:Attributes":["pk","sk","sortKey",`,
			`"dynamodb:Attributes":["pk","sk","sortKey","gatewayKey",`},
		{"who a person is, read by an endpoint", `"dynamodb:Attributes":["pk","sk","products"]`, `"dynamodb:Attributes":["pk","sk","subject","products"]`},
		{"an attribute added", `"dynamodb:Attributes":["log","at",`, `"dynamodb:Attributes":["log","at","content",`},
		{"Select dropped", `"StringEquals":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES"}`, `"StringEquals":{}`},
		{"Select of a query left to chance", `"StringEquals":{"dynamodb:Select"`,
			`"StringEqualsIfExists":{"dynamodb:Select"`},
		{"requests without attributes", `"dynamodb:Attributes":"false"`, `"dynamodb:Attributes":"true"`},
	}},
	{"nobody but the gateway may invoke a function", renderedInvokers, []change{
		{"anybody may invoke", `"Principal":"apigateway.amazonaws.com"`, `"Principal":"*"`},
		{"any API may invoke", `:execute-api:`, `:other:`},
		{"the page's function closed to other methods", `${Api}/*/*/*"`, `${Api}/*/GET/*"`},
		{"a method that API Gateway does not know", `"/{proxy+}":{"x-amazon-apigateway-any-method"`,
			`"/{proxy+}":{"any"`},
	}},
	{"where it is asked for, one instance of each function behind the API is kept, by an event that is no request", renderedWarmth, []change{
		{"a function that is forgotten", `{"Arn":{"Fn::GetAtt":["GetUsageFunction","Arn"]},"Id":"GetUsageFunction","Input":"{\"keepWarm\":true}"},`, ``},
		{"another event", `"Id":"GetUsageFunction","Input":"{\"keepWarm\":true}"`, `"Id":"GetUsageFunction","Input":"{}"`},
		{"any rule may call", `"Principal":"events.amazonaws.com","SourceArn":{"Fn::GetAtt":["KeepWarmUsage","Arn"]}`, `"Principal":"events.amazonaws.com"`},
		{"for everybody", `"KeepsWarm":{"Fn::Not":[{"Fn::Equals":[{"Ref":"KeepWarm"},0]}]}`, `"KeepsWarm":{"Fn::Not":[{"Fn::Equals":[{"Ref":"KeepWarm"},1]}]}`},
	}},
	{"each log group is kept for a chosen time, each function's log is one", renderedLogs, []change{
		{"a log kept for ever", `"Properties":{"RetentionInDays":{"Ref":"LogRetentionDays"}}`, `"Properties":{}`},
		{"the audit kept as shortly as other logs", `"RetentionInDays":{"Ref":"AuditRetentionDays"}`,
			`"RetentionInDays":{"Ref":"LogRetentionDays"}`},
		{"a function's log elsewhere", `"LoggingConfig":{"LogGroup":{"Ref":"GetUsageLogs"}}`, `"LoggingConfig":{}`},
		{"the audit deleted with the stack", `"GetUsageLogs":{"DeletionPolicy":"RetainExceptOnCreate"`,
			`"GetUsageLogs":{"DeletionPolicy":"Delete"`},
	}},
	{"the access log holds no address, no path and no query", renderedAccessLog, []change{
		{"addresses in the access log", `$context.requestTime`, `$context.identity.sourceIp`},
		{"paths in the access log", `$context.resourcePath`, `$context.path`},
	}},
	{"whatever the gateway answers by itself is a problem", renderedRefusals, []change{
		{"a gateway response gone", `"INTEGRATION_TIMEOUT":{`, `"OTHER":{`},
		{"plain JSON", `'application/problem+json'`, `'application/json'`},
		{"a refusal that may be kept", `'no-store'`, `'max-age=60'`},
	}},
	{"tables are retained, protected, encrypted and restorable; usage and what the ledger tells of end", renderedTables, []change{
		{"point-in-time recovery off", `"PointInTimeRecoveryEnabled":true`, `"PointInTimeRecoveryEnabled":false`},
		{"retention of a table off", `"PartnersTable":{"DeletionPolicy":"Retain"`,
			`"PartnersTable":{"DeletionPolicy":"Delete"`},
		{"encryption off", `"SSEEnabled":true`, `"SSEEnabled":false`},
		{"deletion protection off", `"DeletionProtectionEnabled":true`, `"DeletionProtectionEnabled":false`},
		{"deleted when replaced", `"Type":"AWS::DynamoDB::Table","UpdateReplacePolicy":"Retain"`,
			`"Type":"AWS::DynamoDB::Table","UpdateReplacePolicy":"Delete"`},
		{"provisioned capacity", `"BillingMode":"PAY_PER_REQUEST"`, `"BillingMode":"PROVISIONED"`},
		{"TTL attribute renamed", `"AttributeName":"expiresAt","Enabled":true`,
			`"AttributeName":"expires","Enabled":true`},
		{"TTL of usage off", `"Enabled":true}},"Type":"AWS::DynamoDB::Table","UpdateReplacePolicy":"Retain"},"WebAcl"`,
			`"Enabled":false}},"Type":"AWS::DynamoDB::Table","UpdateReplacePolicy":"Retain"},"WebAcl"`},
	}},
	{"each alarm has a section in the runbook, and tells the topic", renderedAlarms, []change{
		{"an alarm that tells nobody",
			`"AlarmActions":{"Fn::If":["HasNoAlarmTopic",{"Ref":"AWS::NoValue"},[{"Ref":"AlarmTopicArn"}]]}`,
			`"AlarmActions":[]`},
		{"an alarm without a section", `docs/runbook.md, LatencyAlarm.`, `docs/runbook.md.`},
		{"an alarm gone", `"DeniedAlarm":{`, `"AnotherAlarm":{`},
		{"days without an import that alarm nobody", `"TreatMissingData":"breaching"`, `"TreatMissingData":"notBreaching"`},
		{"an alarm after a fixed time", `"EvaluationPeriods":{"Ref":"ExpectImportHours"}`, `"EvaluationPeriods":24`},
		{"a metric of another log", `"LogGroupName":{"Ref":"AccessLogs"}`, `"LogGroupName":{"Ref":"GetUsageLogs"}`},
	}},
	{"what costs something while idle is made only where it is asked for", renderedOptions, []change{
		{"a plan that costs everybody", `"Condition":"HasUsagePlans","Properties"`,
			`"Condition":"HasDomain","Properties"`},
		{"alarms that nobody sees", `"Condition":"HasAlarms","Properties"`, `"Condition":"HasDomain","Properties"`},
		{"a web ACL for everybody", `"Condition":"HasWebAcl"`, `"Condition":"HasDomain"`},
	}},
	{"each function is traced, is arm64, and may be given its own instances", renderedFunctions, []change{
		{"another processor", `"Architectures":["arm64"]`, `"Architectures":["x86_64"]`},
		{"a function that outlasts the gateway's limit", `"Timeout":9`, `"Timeout":30`},
		{"tracing off", `"TracingConfig":{"Mode":"Active"}`, `"TracingConfig":{"Mode":"PassThrough"}`},
		{"a function that runs without bound", `"ReservedConcurrentExecutions":{"Fn::If":["ReservesNoAuthorizer"`,
			`"ReservedConcurrentExecutions":{"Fn::If":["Never"`},
	}},
	{"parameters that go together are asked for together", renderedPairs, []change{
		{"a domain without a certificate", `"ADomainNeedsACertificate":{`, `"Another":{`},
		{"a web ACL that AWS refuses", `["1","2","3","4","5","6","7","8","9"]`, `["1"]`},
	}},
	{"each role is bounded where the account asks for it", renderedBoundary, []change{
		{"an unbounded role",
			`"PermissionsBoundary":{"Fn::If":["HasNoBoundary",{"Ref":"AWS::NoValue"},{"Ref":"PermissionsBoundaryArn"}]},`,
			``},
	}},
	{"the issuer is the parameters', off by default, and has an audience", renderedIssuer, []change{
		{"tokens for anybody", `"OIDC_AUDIENCE":{"Ref":"OidcAudience"}`, `"OIDC_AUDIENCE":{"Ref":"OidcIssuer"}`},
		{"an issuer without an audience", `{"Fn::Not":[{"Fn::Equals":[{"Ref":"OidcAudience"},""]}]}`,
			`{"Fn::Not":[{"Fn::Equals":[{"Ref":"OidcIssuer"},""]}]}`},
		{"an issuer that nobody chose",
			`"OidcIssuer":{"AllowedPattern":"(https?://[^\\s?#]+)?","ConstraintDescription":"must be a URL without query and fragment, or empty.","Default":""`,
			`"OidcIssuer":{"Default":"https://login.example.com"`},
		{"a page that signs in without an issuer",
			`"OIDC_CLIENT_ID":{"Fn::If":["HasNoIssuer",{"Ref":"AWS::NoValue"},{"Ref":"OidcClientId"}]}`,
			`"OIDC_CLIENT_ID":{"Ref":"OidcClientId"}`},
	}},
}
