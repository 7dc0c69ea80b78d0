package template_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"partnerview"
)

func (d *rendered) body() any { return d.Resources["Api"].Properties["Body"] }

func (d *rendered) paths() map[string]any {
	m, _ := at(d.body(), "paths").(map[string]any)
	return m
}

// open are the routes that everybody may ask: the dashboard's.
var open = []string{"/", "/{proxy+}"}

func renderedRoutes(d *rendered, fail func(...error)) {
	scheme := at(d.body(), "components", "securitySchemes", "PartnerAuthorizer")
	fail(
		expect("the authorizer's type", `"request"`, at(scheme, "x-amazon-apigateway-authorizer", "type")),
		expect("its identity sources", `"method.request.header.Authorization, context.path"`, at(scheme, "x-amazon-apigateway-authorizer", "identitySource")),
	)
	// The default as it stands, and what the configured one was made with: CloudFormation gives texts.
	if ttl := compact(at(scheme, "x-amazon-apigateway-authorizer", "authorizerResultTtlInSeconds")); ttl != "60" && ttl != `"5"` {
		fail(fmt.Errorf("decisions are kept for %s s", ttl))
	}
	for path, methods := range d.paths() {
		for method, m := range methods.(map[string]any) {
			want := `[{"Fn::If":["EnforcesUsagePlans",{"api_key":[]},{"Ref":"AWS::NoValue"}]},{"PartnerAuthorizer":[]}]`
			if slices.Contains(open, path) {
				want = `[{"NONE":[]}]`
			}
			fail(expect(method+" "+path+": security", want, at(m, "security")))
			if method != "get" && !slices.Contains(open, path) {
				fail(fmt.Errorf("%s %s is a route, though this API only reads", method, path))
			}
		}
	}
}

func renderedPlans(d *rendered, fail func(...error)) {
	api := d.Resources["Api"].Properties
	fail(
		expect("plans are made", `{"Fn::Not":[{"Fn::Equals":[{"Ref":"UsagePlans"},"false"]}]}`, d.Conditions["HasUsagePlans"]),
		expect("plans are enforced", `{"Fn::Equals":[{"Ref":"UsagePlans"},"true"]}`, d.Conditions["EnforcesUsagePlans"]),
		expect("the default of UsagePlans", `"false"`, at(d.Parameters["UsagePlans"], "Default")),
		expect("where keys come from", `{"Fn::If":["EnforcesUsagePlans","AUTHORIZER",{"Ref":"AWS::NoValue"}]}`, api["ApiKeySourceType"]),
		expect("the scheme of keys", `{"Fn::If":["EnforcesUsagePlans",{"in":"header","name":"x-api-key","type":"apiKey"},{"Ref":"AWS::NoValue"}]}`,
			at(d.body(), "components", "securitySchemes", "api_key")),
		differ("plans", []string{"BronzePlan", "GoldPlan", "SilverPlan"}, d.of("AWS::ApiGateway::UsagePlan")),
		// SAM names a deployment by the text of the API, which no parameter changes, or, with AlwaysDeploy, by the time; the
		// time of this file is 0.
		differ("deployments", []string{"ApiDeploymentb6589fc6ab"}, d.of("AWS::ApiGateway::Deployment")),
	)
	for _, id := range d.of("AWS::ApiGateway::UsagePlan") {
		name, p := strings.TrimSuffix(id, "Plan"), d.Resources[id].Properties
		fail(
			expect(id+": stages", `[{"ApiId":{"Ref":"Api"},"Stage":{"Ref":"Apiv1Stage"}}]`, p["ApiStages"]),
			expect(id+": throttle", `{"BurstLimit":{"Ref":"`+name+`Burst"},"RateLimit":{"Ref":"`+name+`Rate"}}`, p["Throttle"]),
			expect(id+": quota", `{"Limit":{"Ref":"`+name+`Quota"},"Period":"MONTH"}`, p["Quota"]))
	}
	for _, kind := range []string{"AWS::ApiGateway::ApiKey", "AWS::ApiGateway::UsagePlanKey"} {
		if made := d.of(kind); made != nil {
			fail(fmt.Errorf("%s: keys are partnerctl's to make, one a partner", made))
		}
	}
}

func renderedContract(d *rendered, fail func(...error)) {
	contract := partnerview.OpenAPI()
	for path := range d.paths() {
		if !slices.Contains(open, path) && !strings.Contains(contract, "\n  "+path+":\n") {
			fail(fmt.Errorf("%s is not in openapi.yaml", path))
		}
	}
	_, promised, _ := strings.Cut(contract, "\npaths:\n")
	for line := range strings.Lines(promised) {
		if line[0] != ' ' && strings.TrimSpace(line) != "" {
			break // the next section
		}
		path, isPath := strings.CutPrefix(strings.TrimRight(line, ":\n"), "  /")
		if isPath && path != "openapi.yaml" && d.paths()["/"+path] == nil {
			fail(fmt.Errorf("/%s of openapi.yaml is no route", path))
		}
	}
}

func renderedStages(d *rendered, fail func(...error)) {
	fail(differ("APIs", []string{"Api"}, d.of("AWS::ApiGateway::RestApi")), differ("stages", []string{"Apiv1Stage"}, d.of("AWS::ApiGateway::Stage")),
		expect("the stage", `"v1"`, d.Resources["Apiv1Stage"].Properties["StageName"]))
	for id, r := range d.Resources {
		if r.Type == "AWS::Lambda::Url" || strings.HasPrefix(r.Type, "AWS::ApiGatewayV2::") {
			fail(fmt.Errorf("%s is a second way in", id))
		}
		if r.Type == "AWS::ApiGateway::Deployment" && r.Properties["StageName"] != nil {
			fail(fmt.Errorf("%s makes a stage", id))
		}
	}
}

func renderedTLS(d *rendered, fail func(...error)) {
	for _, id := range []string{"Api", "CustomDomain"} {
		fail(
			expect(id+": SecurityPolicy", `"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"`, d.Resources[id].Properties["SecurityPolicy"]),
			expect(id+": EndpointAccessMode", `"STRICT"`, d.Resources[id].Properties["EndpointAccessMode"]))
	}
	fail(expect("with a domain, API Gateway's own name", `{"Fn::If":["HasDomain",true,false]}`,
		at(d.body(), "servers", 0, "x-amazon-apigateway-endpoint-configuration", "disableExecuteApiEndpoint")))
}

func renderedMethods(d *rendered, fail func(...error)) {
	settings, _ := d.Resources["Apiv1Stage"].Properties["MethodSettings"].([]any)
	want := map[string][2]string{"/*": {"ThrottleRate", "ThrottleBurst"}, "/~1customers": {"ListThrottleRate", "ListThrottleBurst"},
		"/~1customers~1{accountId}~1usage~1{product}": {"UsageThrottleRate", "UsageThrottleBurst"},
		"/~1summary": {"SummaryThrottleRate", "SummaryThrottleBurst"}}
	got := make(map[string][2]string)
	for _, s := range settings {
		path, _ := at(s, "ResourcePath").(string)
		rate, _ := at(s, "ThrottlingRateLimit", "Ref").(string)
		burst, _ := at(s, "ThrottlingBurstLimit", "Ref").(string)
		got[path] = [2]string{rate, burst}
		fail(expect(path+": LoggingLevel", `"OFF"`, at(s, "LoggingLevel")), expect(path+": DataTraceEnabled", `false`, at(s, "DataTraceEnabled")))
	}
	fail(differ("throttles", want, got))
}

// rights are the statements of the functions' roles, by function.
func (d *rendered) rights(fail func(...error)) map[string][]any {
	of := make(map[string][]any)
	for _, id := range d.of("AWS::Lambda::Function") {
		role, _ := at(d.Resources[id].Properties, "Role", "Fn::GetAtt", 0).(string)
		r := d.Resources[role]
		if r.Type != "AWS::IAM::Role" || r.Properties["ManagedPolicyArns"] != nil {
			fail(fmt.Errorf("%s: the role %q is none of ours, or has managed policies", id, role))
		}
		policies, _ := r.Properties["Policies"].([]any)
		for _, p := range policies {
			statements, _ := at(p, "PolicyDocument", "Statement").([]any)
			of[id] = append(of[id], statements...)
		}
	}
	for id, r := range d.Resources {
		if strings.HasPrefix(r.Type, "AWS::IAM::") && r.Type != "AWS::IAM::Role" {
			fail(fmt.Errorf("%s: a %s gives rights beside the roles", id, r.Type))
		}
	}
	return of
}

func renderedRights(d *rendered, fail func(...error)) {
	for id, statements := range d.rights(fail) {
		if id == imports { // see renderedInboxRights
			continue
		}
		for _, s := range statements {
			action, resource := compact(at(s, "Action")), compact(at(s, "Resource"))
			switch {
			case action == `["logs:CreateLogStream","logs:PutLogEvents"]` && resource == `{"Fn::GetAtt":["`+strings.TrimSuffix(id, "Function")+`Logs","Arn"]}`:
			case action == `["xray:PutTraceSegments","xray:PutTelemetryRecords"]` && resource == `"*"`: // AWS gives these no resource
			case (action == `"dynamodb:GetItem"` || action == `"dynamodb:BatchGetItem"` || action == `"dynamodb:Query"`) && resource[0] == '{' && !strings.Contains(resource, "*") && strings.Contains(resource, "Table") && id != "DashboardFunction":
			default:
				fail(fmt.Errorf("%s may do %s on %s", id, action, resource))
			}
		}
	}
}

// may are the private attributes that a statement may read all the same.
var may = map[string]bool{
	"AuthorizerFunction, statement ProfilesAndGrants gatewayKey": true,
	"GetMeFunction, statement Names label":                       true, // of a key: no VIEWER# is among its leading keys
}

func renderedGuards(d *rendered, fail func(...error)) {
	for id, statements := range d.rights(fail) {
		if id == imports { // no partner's request reaches it
			continue
		}
		for _, s := range statements {
			action, _ := at(s, "Action").(string)
			if !strings.HasPrefix(action, "dynamodb:") {
				continue
			}
			name := fmt.Sprintf("%s, statement %v", id, at(s, "Sid"))
			operator := "StringEqualsIfExists"
			if action == "dynamodb:Query" {
				operator = "StringEquals"
			}
			fail(
				expect(name+": Select", `"SPECIFIC_ATTRIBUTES"`, at(s, "Condition", operator, "dynamodb:Select")),
				expect(name+": requests without attributes", `"false"`, at(s, "Condition", "Null", "dynamodb:Attributes")))
			attributes, _ := at(s, "Condition", "ForAllValues:StringEquals", "dynamodb:Attributes").([]any)
			if len(attributes) == 0 {
				fail(fmt.Errorf("%s lists no attributes", name))
			}
			for _, a := range attributes {
				if private := []any{"content", "contactName", "label", "subject", "subAccounts", "gatewayKeyId", "gatewayKey", "*"}; slices.Contains(private, a) && !may[fmt.Sprint(name, " ", a)] {
					fail(fmt.Errorf("%s may read %v", name, a))
				}
			}
		}
	}
}

// anyMethod is what API Gateway's OpenAPI has for all methods. "any" is nothing.
const anyMethod = "x-amazon-apigateway-any-method"

func renderedInvokers(d *rendered, fail func(...error)) {
	sources := make(map[string][]string) // by function: from where it may be invoked
	for _, id := range d.of("AWS::Lambda::Permission") {
		p := d.Resources[id].Properties
		source, ok := at(p, "SourceArn", "Fn::Sub", 0).(string)
		if !ok {
			source, _ = at(p, "SourceArn", "Fn::Sub").(string)
		}
		if strings.HasPrefix(id, "KeepWarm") { // renderedWarmth has these
			continue
		}
		if !strings.Contains(source, ":execute-api:") {
			fail(fmt.Errorf("%s is for any API: %s", id, compact(p["SourceArn"])))
		}
		fail(expect(id+": principal", `"apigateway.amazonaws.com"`, p["Principal"]))
		function, _ := at(p, "FunctionName", "Ref").(string)
		sources[function] = append(sources[function], source)
	}
	for path, methods := range d.paths() {
		for method, m := range methods.(map[string]any) {
			uri, _ := at(m, "x-amazon-apigateway-integration", "uri", "Fn::Sub").(string)
			_, function, _ := strings.Cut(uri, "functions/${")
			function, _, _ = strings.Cut(function, ".")
			var from string // a part of a source that covers the method
			switch method {
			case "get":
				from = "/GET/"
			case anyMethod:
				from = "/*/*/*" // stage, method, path
			default:
				fail(fmt.Errorf("%s: API Gateway knows no method %q", path, method))
			}
			if !slices.ContainsFunc(sources[function], func(s string) bool { return strings.Contains(s, from) }) {
				fail(fmt.Errorf("%s %s: the gateway may not invoke %s, only from %q", method, path, function, sources[function]))
			}
		}
	}
}

// renderedLogs asks that the functions that show data keep their logs, which hold the
// audit lines, as long as the audit is kept.
func renderedLogs(d *rendered, fail func(...error)) {
	const accessLogs = `{"Fn::GetAtt":["AccessLogs","Arn"]}`
	fail(
		expect("the default of LogRetentionDays", `30`, at(d.Parameters["LogRetentionDays"], "Default")),
		expect("the default of AuditRetentionDays", `400`, at(d.Parameters["AuditRetentionDays"], "Default")),
		differ("log groups", []string{"AccessLogs", "AuthorizerLogs", "DashboardLogs", "GetCustomerLogs", "GetMeLogs", "GetSummaryLogs", "GetUsageLogs", "ImportUsageLogs", "ListCustomersLogs"}, d.of("AWS::Logs::LogGroup")),
		expect("the access log's destination", `{"Fn::If":["CreatesGatewayLoggingRole",{"Fn::Select":[0,[`+accessLogs+`,{"Ref":"GatewayLoggingAccount"}]]},`+accessLogs+`]}`,
			at(d.Resources["Apiv1Stage"].Properties, "AccessLogSetting", "DestinationArn")),
	)
	for _, id := range d.of("AWS::Logs::LogGroup") {
		want, r := `{"Ref":"LogRetentionDays"}`, d.Resources[id]
		if slices.Contains([]string{"GetCustomerLogs", "GetMeLogs", "GetSummaryLogs", "GetUsageLogs", "ListCustomersLogs"}, id) {
			want = `{"Ref":"AuditRetentionDays"}`
			fail(expect(id+": policies", `["RetainExceptOnCreate","Retain"]`, []string{r.DeletionPolicy, r.UpdateReplacePolicy}))
		}
		fail(expect(id+": retention", want, d.Resources[id].Properties["RetentionInDays"]))
	}
	for _, id := range d.of("AWS::Lambda::Function") {
		fail(expect(id+": log group", `{"Ref":"`+strings.TrimSuffix(id, "Function")+`Logs"}`, at(d.Resources[id].Properties, "LoggingConfig", "LogGroup")))
	}
}

// renderedAccessLog lists what may be logged. The path is not among it: a client may
// write a number into one. The route's pattern and the granted account say as much.
func renderedAccessLog(d *rendered, fail func(...error)) {
	format, _ := at(d.Resources["Apiv1Stage"].Properties, "AccessLogSetting", "Format").(string)
	var fields map[string]string
	fail(json.Unmarshal([]byte(format), &fields))
	fail(differ("access log", []string{
		"$context.authorizer.accountId", "$context.authorizer.keyId", "$context.authorizer.partnerId",
		"$context.error.responseType", "$context.httpMethod", "$context.requestId", "$context.requestTime",
		"$context.resourcePath", "$context.responseLatency", "$context.responseLength", "$context.status", "$context.xrayTraceId",
	}, slices.Sorted(maps.Values(fields))))
}

// renderedRefusals asks that SAM leaves the refusals of template.yaml as they are.
func renderedRefusals(d *rendered, fail func(...error)) {
	t, err := parse(source())
	if err != nil {
		fail(err)
		return
	}
	want := make(map[string]any)
	for _, g := range t.GatewayResponses {
		headers := make(map[string]any)
		for name, v := range g.Headers {
			headers["gatewayresponse.header."+name] = "'" + v + "'"
		}
		want[g.Type] = map[string]any{"responseParameters": headers, "responseTemplates": map[string]any{"application/json": g.Body("$context.requestId")}}
		if g.Status != 0 {
			want[g.Type].(map[string]any)["statusCode"] = strconv.Itoa(g.Status)
		}
	}
	fail(differ("gateway responses", any(want), at(d.body(), "x-amazon-apigateway-gateway-responses")))
}

func renderedTables(d *rendered, fail func(...error)) {
	for _, id := range d.of("AWS::DynamoDB::Table") {
		r := d.Resources[id]
		fail(expect(id+": policies", `["Retain","Retain"]`, []string{r.DeletionPolicy, r.UpdateReplacePolicy}),
			expect(id+": deletion protection", `true`, r.Properties["DeletionProtectionEnabled"]),
			expect(id+": encryption", `true`, at(r.Properties, "SSESpecification", "SSEEnabled")),
			expect(id+": point-in-time recovery", `true`, at(r.Properties, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled")),
			expect(id+": billing", `"PAY_PER_REQUEST"`, r.Properties["BillingMode"]))
	}
	fail(
		differ("tables", []string{"CustomersTable", "LedgerTable", "PartnersTable", "PriceListsTable", "TotalsTable", "UsageTable"}, d.of("AWS::DynamoDB::Table")),
		expect("usage ends", `{"AttributeName":"expiresAt","Enabled":true}`, d.Resources["UsageTable"].Properties["TimeToLiveSpecification"]),
		expect("what the ledger tells of ends", `{"AttributeName":"expiresAt","Enabled":true}`, d.Resources["LedgerTable"].Properties["TimeToLiveSpecification"]))
}

func renderedAlarms(d *rendered, fail func(...error)) {
	runbook, err := os.ReadFile(root + "/docs/runbook.md")
	fail(err, differ("alarms", []string{"AuthorizerFailureAlarm", "DeniedAlarm", "FunctionThrottleAlarm", "GatewayThrottleAlarm", "ImportFailedAlarm",
		"LatencyAlarm", "NoImportAlarm", "RejectedLinesAlarm", "ServerErrorAlarm", "TableThrottleAlarm", "UndeliveredUploadAlarm"}, d.of("AWS::CloudWatch::Alarm")))
	for _, id := range d.of("AWS::CloudWatch::Alarm") {
		p := d.Resources[id].Properties
		for _, when := range []string{"AlarmActions", "OKActions"} {
			fail(expect(id+": "+when, `{"Fn::If":["HasNoAlarmTopic",{"Ref":"AWS::NoValue"},[{"Ref":"AlarmTopicArn"}]]}`, p[when]))
		}
		silence := `"notBreaching"`
		if id == "NoImportAlarm" { // which is about silence
			silence = `"breaching"`
			for _, over := range []string{"EvaluationPeriods", "DatapointsToAlarm"} {
				fail(expect(id+": "+over, `{"Ref":"ExpectImportHours"}`, p[over]))
			}
			fail(expect(id+": an hour", `[3600,1,"importsDone","LessThanThreshold"]`, []any{p["Period"], p["Threshold"], p["MetricName"], p["ComparisonOperator"]}))
		}
		fail(expect(id+": silence", silence, p["TreatMissingData"]))
		if !strings.Contains(string(runbook), "\n## "+id+"\n") {
			fail(fmt.Errorf("docs/runbook.md has no section %s", id))
		}
		if told, _ := p["AlarmDescription"].(string); !strings.HasSuffix(told, "See docs/runbook.md, "+id+".") {
			fail(fmt.Errorf("%s does not lead to the runbook: %s", id, told))
		}
	}
	for _, id := range d.of("AWS::Logs::MetricFilter") {
		fail(expect(id+": log group", `{"Ref":"AccessLogs"}`, d.Resources[id].Properties["LogGroupName"]))
	}
}

func renderedOptions(d *rendered, fail func(...error)) {
	want := map[string]string{"CustomDomain": "HasDomain", "CustomDomainMapping": "HasDomain", "WebAcl": "HasWebAcl", "WebAclOfTheStage": "HasWebAcl",
		"GatewayLoggingAccount": "CreatesGatewayLoggingRole", "GatewayLoggingRole": "CreatesGatewayLoggingRole", "Overview": "CreatesDashboard",
		"BronzePlan": "HasUsagePlans", "SilverPlan": "HasUsagePlans", "GoldPlan": "HasUsagePlans"}
	for _, id := range d.of("AWS::CloudWatch::Alarm") {
		want[id] = "HasAlarms"
	}
	for _, id := range ofTheInbox {
		want[id] = "HasInbox"
	}
	for _, id := range []string{"ImportFailedAlarm", "RejectedLinesAlarm", "UndeliveredUploadAlarm"} {
		want[id] = "HasInboxAlarms"
	}
	want["NoImportAlarm"] = "ExpectsImports"
	for id := range d.Resources {
		if strings.HasPrefix(id, "KeepWarm") {
			want[id] = "KeepsWarm"
		}
	}
	got := make(map[string]string)
	for id, r := range d.Resources {
		if r.Condition != "" {
			got[id] = r.Condition
		}
	}
	fail(differ("conditional resources", want, got))
}

func renderedFunctions(d *rendered, fail func(...error)) {
	for _, id := range d.of("AWS::Lambda::Function") {
		p := d.Resources[id].Properties
		reserve := `{"Fn::If":["ReservesNoFunction",{"Ref":"AWS::NoValue"},{"Ref":"FunctionConcurrency"}]}`
		least, most := 8.0, 9.0 // a request of ours ends after 8 s
		switch id {
		case imports:
			reserve, most = `{"Ref":"AWS::NoValue"}`, 720
		case "AuthorizerFunction":
			least, most = 5, 6
			reserve = strings.NewReplacer("ReservesNoFunction", "ReservesNoAuthorizer", "FunctionConcurrency", "AuthorizerConcurrency").Replace(reserve)
		}
		fail(expect(id+": reserved concurrency", reserve, p["ReservedConcurrentExecutions"]), expect(id+": tracing", `"Active"`, at(p, "TracingConfig", "Mode")),
			expect(id+": architecture", `["arm64"]`, p["Architectures"]), expect(id+": runtime", `"provided.al2023"`, p["Runtime"]), expect(id+": binary", `"bootstrap"`, p["Handler"]))
		if seconds, _ := p["Timeout"].(float64); seconds <= least || seconds > most {
			fail(fmt.Errorf("%s may take %v s: it ends its requests after %v s itself, and a partner gets an answer within 10 s", id, p["Timeout"], least))
		}
	}
}

// ofTheDashboard are the variables by which its page signs in, where there is an issuer.
var ofTheDashboard = map[string]string{
	"OIDC_ISSUER": "OidcIssuer", "OIDC_AUDIENCE": "OidcAudience", "OIDC_CLIENT_ID": "OidcClientId", "OIDC_SCOPE": "OidcScope",
	"OIDC_AUDIENCE_PARAMETER": "OidcAudienceParameter",
}

func renderedIssuer(d *rendered, fail func(...error)) {
	variables := at(d.Resources["AuthorizerFunction"].Properties, "Environment", "Variables")
	for variable, parameter := range map[string]string{"OIDC_ISSUER": "OidcIssuer", "OIDC_AUDIENCE": "OidcAudience", "OIDC_PARTNER_CLAIM": "OidcPartnerClaim", "OIDC_DEFAULT_ACCESS": "OidcDefaultAccess"} {
		fail(expect(variable, `{"Ref":"`+parameter+`"}`, at(variables, variable)))
	}
	variables = at(d.Resources["DashboardFunction"].Properties, "Environment", "Variables")
	for variable, parameter := range ofTheDashboard {
		fail(expect("the dashboard's "+variable, `{"Fn::If":["HasNoIssuer",{"Ref":"AWS::NoValue"},{"Ref":"`+parameter+`"}]}`, at(variables, variable)))
	}
	rule := d.Rules["AnIssuerNeedsAnAudience"]
	fail(expect("the default of OidcIssuer", `""`, at(d.Parameters["OidcIssuer"], "Default")),
		expect("an audience is asked for", `{"Fn::Not":[{"Fn::Equals":[{"Ref":"OidcIssuer"},""]}]}`, at(rule, "RuleCondition")),
		expect("the audience", `{"Fn::Not":[{"Fn::Equals":[{"Ref":"OidcAudience"},""]}]}`, at(rule, "Assertions", 0, "Assert")))
}

// renderedPairs are the rules that CloudFormation asks before it makes anything.
func renderedPairs(d *rendered, fail func(...error)) {
	empty := func(name string) string { return `{"Fn::Equals":[{"Ref":"` + name + `"},""]}` }
	given := func(name string) string { return `{"Fn::Not":[` + empty(name) + `]}` }
	want := map[string][]string{ // what it is asked for, and what must hold
		"AnIssuerNeedsAnAudience":  {given("OidcIssuer"), given("OidcAudience")},
		"AnAudienceNeedsAnIssuer":  {empty("OidcIssuer"), empty("OidcAudience"), empty("OidcClientId")},
		"ADomainNeedsACertificate": {given("DomainName"), given("DomainCertificateArn")},
		"ACertificateNeedsADomain": {empty("DomainName"), empty("DomainCertificateArn")},
		"AWebAclCountsTenRequestsAtLeast": {`null`,
			`{"Fn::Not":[{"Fn::Contains":[["1","2","3","4","5","6","7","8","9"],{"Ref":"WafRatePerAddress"}]}]}`},
	}
	got := make(map[string][]string)
	for name, rule := range d.Rules {
		got[name] = []string{compact(at(rule, "RuleCondition"))}
		assertions, _ := at(rule, "Assertions").([]any)
		for _, a := range assertions {
			got[name] = append(got[name], compact(at(a, "Assert")))
		}
	}
	fail(differ("rules for parameters", want, got))
}

func renderedBoundary(d *rendered, fail func(...error)) {
	for _, id := range d.of("AWS::IAM::Role") {
		fail(expect(id+": permissions boundary", `{"Fn::If":["HasNoBoundary",{"Ref":"AWS::NoValue"},{"Ref":"PermissionsBoundaryArn"}]}`,
			d.Resources[id].Properties["PermissionsBoundary"]))
	}
}

// renderedWarmth asks that the schedules call each function behind the API, and those alone,
// with the one event that is no request.
func renderedWarmth(d *rendered, fail func(...error)) {
	rules := []string{"KeepWarmCustomers", "KeepWarmUsage"}
	var called []string
	for _, rule := range rules {
		p := d.Resources[rule].Properties
		fail(expect(rule+": schedule", `{"Fn::Sub":"rate(${KeepWarm} minutes)"}`, p["ScheduleExpression"]))
		targets, _ := p["Targets"].([]any)
		if len(targets) == 0 || len(targets) > 5 {
			fail(fmt.Errorf("%s has %d targets; EventBridge takes five", rule, len(targets)))
		}
		for _, target := range targets {
			function, _ := at(target, "Id").(string)
			called = append(called, function)
			fail(expect(rule+": target", `{"Arn":{"Fn::GetAtt":["`+function+`","Arn"]},"Id":"`+function+`","Input":"{\"keepWarm\":true}"}`, target),
				expect(function+": who may call it", `{"Action":"lambda:InvokeFunction","FunctionName":{"Ref":"`+function+`"},"Principal":"events.amazonaws.com",`+
					`"SourceArn":{"Fn::GetAtt":["`+rule+`","Arn"]}}`, d.Resources["KeepWarm"+function].Properties))
		}
	}
	var behind []string // the API
	for _, id := range d.of("AWS::Lambda::Function") {
		if id != imports {
			behind = append(behind, id)
		}
	}
	slices.Sort(called)
	fail(differ("functions that are kept warm", behind, called), expect("when", `{"Fn::Not":[{"Fn::Equals":[{"Ref":"KeepWarm"},0]}]}`, d.Conditions["KeepsWarm"]))
}
