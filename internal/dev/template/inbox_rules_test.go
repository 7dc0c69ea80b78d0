package template_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"partnerview/internal/dev/template"
	"partnerview/internal/importer"
)

// imports is the one function that writes. No route leads to it.
const imports = "ImportUsageFunction"

// ofTheInbox is all that Inbox=false leaves out, but for alarms.
var ofTheInbox = []string{"ImportStateMachine", "ImportStateMachineRole", imports, "ImportUsageLogs", "ImportUsageRole", "InboxBucket",
	"InboxBucketPolicy", "InboxDeadLetters", "InboxDeadLettersPolicy", "InboxRule", "InboxRuleRole"}

// folders are those of the inbox that start an import.
func folders() (names []string) {
	for _, f := range importer.Formats() {
		names = append(names, string(f)+"/")
	}
	return append(names, "credit/")
}

func TestWithoutAnInboxNothingOfItIsMade(t *testing.T) {
	without := read(t, map[string]string{"Inbox": "false"})
	if _, there := without.Function(imports); there {
		t.Error("the function is made all the same")
	}
	if _, there := without.Outputs["InboxBucket"]; there {
		t.Error("the stack tells of a bucket")
	}
	_, doc := readRendered(t, renderedFile)
	for id, r := range doc.Resources {
		if (strings.Contains(id, "Inbox") || strings.Contains(id, "Import")) && !slices.Contains([]string{"HasInbox", "HasInboxAlarms", "ExpectsImports"}, r.Condition) {
			t.Errorf("%s is made without an inbox", id)
		}
	}
	if err := expect("alarms of the inbox", `{"Fn::And":[{"Condition":"HasInbox"},{"Condition":"HasAlarms"}]}`, doc.Conditions["HasInboxAlarms"]); err != nil {
		t.Error(err)
	}
	if err := expect("an alarm of no import", `{"Fn::And":[{"Condition":"HasInboxAlarms"},{"Fn::Not":[{"Fn::Equals":[{"Ref":"ExpectImportHours"},0]}]}]}`,
		doc.Conditions["ExpectsImports"]); err != nil {
		t.Error(err)
	}
}

// docs/policies/upload.json is for what brings files: it may put them into the folders, and see nothing.
func TestWhoUploadsMayUploadAndNothingElse(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/policies/upload.json")
	if err != nil {
		t.Fatal(err)
	}
	statements, err := template.ReadPolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	var into []string
	for _, folder := range folders() {
		into = append(into, "arn:aws:s3:::partnerview-inboxbucket-*/"+folder+"*")
	}
	want := template.Statements{{ID: "FilesOfTheInbox", Actions: []string{"s3:PutObject", "s3:AbortMultipartUpload"}, Resources: into}}
	if err := differ("what who uploads may do", want, statements); err != nil {
		t.Error(err)
	}
}

// A partner's request goes through the gateway, and no route of it leads to the function.
func TestNoRouteLeadsToTheInbox(t *testing.T) {
	tmpl := read(t, nil)
	for _, r := range tmpl.Routes {
		if r.Function == imports {
			t.Errorf("%s %s leads to it", r.Method, r.Path)
		}
	}
	if slices.ContainsFunc(tmpl.Authorizers, func(a template.Authorizer) bool { return a.Function == imports }) {
		t.Error("it is an authorizer")
	}
	if text, _ := readRendered(t, renderedFile); strings.Contains(string(text), "functions/${"+imports) {
		t.Error("an integration of the gateway names it")
	}
}

var inboxRules = []rule[*rendered]{
	{"the bucket is private, encrypted and its owner's, and takes nothing without TLS or outside its folders", renderedBucket, []change{
		{"public lists", `"BlockPublicAcls":true`, `"BlockPublicAcls":false`},
		{"a public policy", `"BlockPublicPolicy":true`, `"BlockPublicPolicy":false`},
		{"public all the same", `"RestrictPublicBuckets":true`, `"RestrictPublicBuckets":false`},
		{"not encrypted", `{"SSEAlgorithm":"AES256"}`, `{}`},
		{"objects of others", `"BucketOwnerEnforced"`, `"ObjectWriter"`},
		{"lost with the stack", `"InboxBucket":{"Condition":"HasInbox","DeletionPolicy":"Retain"`, `"InboxBucket":{"Condition":"HasInbox","DeletionPolicy":"Delete"`},
		{"uploads without TLS", `{"Bool":{"aws:SecureTransport":"false"}}`, `{"Bool":{"aws:SecureTransport":"maybe"}}`},
		{"a bucket policy that allows", `"Effect":"Deny","NotResource"`, `"Effect":"Allow","NotResource"`},
		{"uploads anywhere", `{"Fn::Sub":"${InboxBucket.Arn}/credit/*"},{"Fn::Sub":"${InboxBucket.Arn}/results/*"}`, `{"Fn::Sub":"${InboxBucket.Arn}/*"}`},
	}},
	{"what is in the bucket is gone after its time", renderedLifecycle, []change{
		{"raw files kept for ever", `"Prefix":"native/","Status":"Enabled"`, `"Prefix":"native/","Status":"Disabled"`},
		{"failed files kept for ever", `"Prefix":"failed/"`, `"Prefix":"faulty/"`},
		{"a file kept as long as its results", `{"Fn::If":["KeepsNoFiles",1,{"Ref":"InboxDays"}]}`, `400`},
		{"0 days, which S3 refuses", `{"Fn::If":["KeepsNoFiles",1,{"Ref":"InboxDays"}]}`, `{"Ref":"InboxDays"}`},
		{"halves of uploads kept", `"DaysAfterInitiation":1`, `"DaysAfterInitiation":365`},
	}},
	{"uploads start imports, and what an import writes starts nothing", renderedInboxRule, []change{
		{"results that start imports", `{"prefix":"native/"}`, `{"prefix":""}`},
		{"failed files that start imports", `{"prefix":"native/"}`, `{"prefix":"failed/"}`},
		{"a folder that starts nothing", `{"prefix":"connect-voice-csv/"},`, ``},
		{"any bucket's files", `"name":[{"Ref":"InboxBucket"}]`, `"name":["x"]`},
		{"other events", `"Object Created"`, `"Object Deleted"`},
		{"events that are lost", `"DeadLetterConfig":{"Arn":{"Fn::GetAtt":["InboxDeadLetters","Arn"]}},`, ``},
		{"more of the event than is needed", `"size":"$.detail.object.size"`, `"size":"$.detail"`},
		{"lost events in the clear", `"SqsManagedSseEnabled":true`, `"SqsManagedSseEnabled":false`},
		{"anybody's events among the lost", `"aws:SourceArn"`, `"aws:Source"`},
	}},
	{"each step of an import has one right", renderedInboxRoles, []change{
		{"a rule that starts any state machine", `"Action":"states:StartExecution","Effect":"Allow","Resource":{"Fn::GetAtt":["ImportStateMachine","Arn"]}`,
			`"Action":"states:StartExecution","Effect":"Allow","Resource":"*"`},
		{"a state machine that calls any function", `"Action":"lambda:InvokeFunction","Effect":"Allow","Resource":{"Fn::GetAtt":["ImportUsageFunction","Arn"]}`,
			`"Action":"lambda:InvokeFunction","Effect":"Allow","Resource":"*"`},
		{"anybody who takes the role", `"Service":"states.amazonaws.com"`, `"AWS":"*"`},
		{"short executions, which may run twice", `"StateMachineType":"STANDARD"`, `"StateMachineType":"EXPRESS"`},
	}},
	{"the import may do what it does, and nothing else", renderedInboxRights, []change{
		{"a look at partners", `"Resource":{"Fn::GetAtt":["LedgerTable","Arn"]}`, `"Resource":{"Fn::GetAtt":["PartnersTable","Arn"]}`},
		{"a customer renamed", `"dynamodb:Attributes":["accountId","currency","remainingCredit","creditAsOf"]`, `"dynamodb:Attributes":["accountId","currency","remainingCredit","creditAsOf","name"]`},
		{"a customer written over", `"Action":["dynamodb:BatchGetItem","dynamodb:Scan"]`, `"Action":["dynamodb:BatchGetItem","dynamodb:Scan","dynamodb:PutItem"]`},
		{"the history of changes written", `["IMPORTS#*","WRITER"]`, `["*"]`},
		{"results read", `{"Action":"s3:PutObject","Effect":"Allow"`, `{"Action":["s3:PutObject","s3:GetObject"],"Effect":"Allow"`},
		{"uploads overwritten", `"Action":["s3:GetObject","s3:DeleteObject"]`, `"Action":["s3:GetObject","s3:DeleteObject","s3:PutObject"]`},
		{"all of the bucket", `{"Fn::Sub":"${InboxBucket.Arn}/native/*"}`, `{"Fn::Sub":"${InboxBucket.Arn}/*"}`},
		{"another bucket", `{"Fn::Sub":"${InboxBucket.Arn}/native/*"}`, `"*"`},
	}},
}

func renderedBucket(d *rendered, fail func(...error)) {
	bucket := d.Resources["InboxBucket"]
	fail(
		differ("buckets", []string{"InboxBucket"}, d.of("AWS::S3::Bucket")),
		expect("the bucket's policies", `["Retain","Retain"]`, []string{bucket.DeletionPolicy, bucket.UpdateReplacePolicy}),
		expect("public access", `{"BlockPublicAcls":true,"BlockPublicPolicy":true,"IgnorePublicAcls":true,"RestrictPublicBuckets":true}`,
			bucket.Properties["PublicAccessBlockConfiguration"]),
		expect("encryption", `{"ServerSideEncryptionConfiguration":[{"ServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}`, bucket.Properties["BucketEncryption"]),
		expect("ownership", `{"Rules":[{"ObjectOwnership":"BucketOwnerEnforced"}]}`, bucket.Properties["OwnershipControls"]),
		expect("notifications", `{"EventBridgeConfiguration":{"EventBridgeEnabled":true}}`, bucket.Properties["NotificationConfiguration"]))
	var taken []string
	for _, folder := range append(folders(), "results/", "failed/") {
		taken = append(taken, `{"Fn::Sub":"${InboxBucket.Arn}/`+folder+`*"}`)
	}
	statements := at(d.Resources["InboxBucketPolicy"].Properties, "PolicyDocument", "Statement")
	fail(expect("the bucket's policy", `[{"Action":"s3:*","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":"*","Resource":[`+
		`{"Fn::GetAtt":["InboxBucket","Arn"]},{"Fn::Sub":"${InboxBucket.Arn}/*"}],"Sid":"TLS"},`+
		`{"Action":"s3:PutObject","Effect":"Deny","NotResource":[`+strings.Join(taken, ",")+`],"Principal":"*","Sid":"Folders"}]`, statements))
}

func renderedLifecycle(d *rendered, fail func(...error)) {
	days := map[string]string{"results/": "400"}
	for _, folder := range append(folders(), "failed/") {
		days[folder] = `{"Fn::If":["KeepsNoFiles",1,{"Ref":"InboxDays"}]}`
	}
	got, unfinished := map[string]string{}, any(nil)
	rules, _ := at(d.Resources["InboxBucket"].Properties, "LifecycleConfiguration", "Rules").([]any)
	for _, r := range rules {
		switch prefix, _ := at(r, "Prefix").(string); {
		case at(r, "Status") != "Enabled":
			fail(fmt.Errorf("the rule %v does nothing", at(r, "Id")))
		case prefix == "":
			unfinished = at(r, "AbortIncompleteMultipartUpload", "DaysAfterInitiation")
		default:
			got[prefix] = compact(at(r, "ExpirationInDays"))
		}
	}
	fail(differ("days by folder", days, got), expect("days of an unfinished upload", `1`, unfinished),
		expect("no days", `{"Fn::Equals":[{"Ref":"InboxDays"},0]}`, d.Conditions["KeepsNoFiles"]),
		expect("the default of InboxDays", `7`, at(d.Parameters["InboxDays"], "Default")),
		expect("the default of Inbox", `"true"`, at(d.Parameters["Inbox"], "Default")))
}

func renderedInboxRule(d *rendered, fail func(...error)) {
	var keys []string
	for _, folder := range folders() {
		keys = append(keys, `{"prefix":"`+folder+`"}`)
	}
	rule, queue := d.Resources["InboxRule"].Properties, d.Resources["InboxDeadLetters"].Properties
	fail(
		differ("rules", []string{"InboxRule", "KeepWarmCustomers", "KeepWarmUsage"}, d.of("AWS::Events::Rule")),
		expect("the pattern", `{"detail":{"bucket":{"name":[{"Ref":"InboxBucket"}]},"object":{"key":[`+strings.Join(keys, ",")+`]}},`+
			`"detail-type":["Object Created"],"source":["aws.s3"]}`, rule["EventPattern"]),
		expect("the targets", `[{"Arn":{"Fn::GetAtt":["ImportStateMachine","Arn"]},"DeadLetterConfig":{"Arn":{"Fn::GetAtt":["InboxDeadLetters","Arn"]}},"Id":"import",`+
			`"InputTransformer":{"InputPathsMap":{"bucket":"$.detail.bucket.name","etag":"$.detail.object.etag","key":"$.detail.object.key",`+
			`"size":"$.detail.object.size","time":"$.time"},"InputTemplate":"{\"bucket\": <bucket>, \"key\": <key>, \"etag\": <etag>, \"size\": <size>, \"time\": <time>}"},`+
			`"RetryPolicy":{"MaximumEventAgeInSeconds":86400,"MaximumRetryAttempts":185},"RoleArn":{"Fn::GetAtt":["InboxRuleRole","Arn"]}}]`, rule["Targets"]),
		expect("lost events are encrypted", `true`, queue["SqsManagedSseEnabled"]),
		expect("lost events are kept", `1209600`, queue["MessageRetentionPeriod"]),
		expect("who sends lost events", `[{"Action":"sqs:*","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":"*",`+
			`"Resource":{"Fn::GetAtt":["InboxDeadLetters","Arn"]},"Sid":"TLS"},{"Action":"sqs:SendMessage","Condition":{"ArnEquals":{"aws:SourceArn":{"Fn::GetAtt":["InboxRule","Arn"]}}},`+
			`"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Resource":{"Fn::GetAtt":["InboxDeadLetters","Arn"]},"Sid":"Rule"}]`,
			at(d.Resources["InboxDeadLettersPolicy"].Properties, "PolicyDocument", "Statement")))
}

func renderedInboxRoles(d *rendered, fail func(...error)) {
	for role, want := range map[string][2]string{
		"InboxRuleRole":          {"events.amazonaws.com", `"states:StartExecution","Effect":"Allow","Resource":{"Fn::GetAtt":["ImportStateMachine","Arn"]}`},
		"ImportStateMachineRole": {"states.amazonaws.com", `"lambda:InvokeFunction","Effect":"Allow","Resource":{"Fn::GetAtt":["ImportUsageFunction","Arn"]}`},
	} {
		p := d.Resources[role].Properties
		policies, _ := p["Policies"].([]any)
		fail(
			expect(role+": who takes it", `[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"`+want[0]+`"}}]`, at(p, "AssumeRolePolicyDocument", "Statement")),
			expect(role+": policies", `1`, len(policies)),
			expect(role+": rights", `[{"Action":`+want[1]+`}]`, at(p, "Policies", 0, "PolicyDocument", "Statement")))
	}
	machine := d.Resources["ImportStateMachine"].Properties
	fail(differ("state machines", []string{"ImportStateMachine"}, d.of("AWS::StepFunctions::StateMachine")),
		expect("the state machine's type", `"STANDARD"`, machine["StateMachineType"]),
		expect("the state machine's role", `{"Fn::GetAtt":["ImportStateMachineRole","Arn"]}`, machine["RoleArn"]))
}

// renderedInboxRights compares all that the function may do. docs/security.md says why it may.
func renderedInboxRights(d *rendered, fail func(...error)) {
	arns := func(names ...string) string {
		for i, name := range names {
			names[i] = `{"Fn::Sub":"${InboxBucket.Arn}/` + name + `*"}`
		}
		return "[" + strings.Join(names, ",") + "]"
	}
	table := func(name string) string { return `{"Fn::GetAtt":["` + name + `","Arn"]}` }
	statement := func(sid, actions, resource, condition string) string {
		if condition != "" {
			condition = `"Condition":` + condition + `,`
		}
		return `{"Action":` + actions + `,` + condition + `"Effect":"Allow","Resource":` + resource + sid + `}`
	}
	sid := func(name string) string { return `,"Sid":"` + name + `"` }
	want := []string{
		statement("", `["logs:CreateLogStream","logs:PutLogEvents"]`, table("ImportUsageLogs"), ""),
		statement("", `["xray:PutTraceSegments","xray:PutTelemetryRecords"]`, `"*"`, ""),
		statement(sid("Uploads"), `["s3:GetObject","s3:DeleteObject"]`, arns(folders()...), ""),
		statement(sid("Outcomes"), `"s3:PutObject"`, arns("results/", "failed/"), ""),
		statement(sid("Customers"), `["dynamodb:BatchGetItem","dynamodb:Scan"]`, table("CustomersTable"), ""),
		statement(sid("Credit"), `"dynamodb:UpdateItem"`, table("CustomersTable"),
			`{"ForAllValues:StringEquals":{"dynamodb:Attributes":["accountId","currency","remainingCredit","creditAsOf"]},"Null":{"dynamodb:Attributes":"false"},`+
				`"StringEqualsIfExists":{"dynamodb:ReturnValues":"NONE"}}`),
		statement(sid("PriceLists"), `"dynamodb:Query"`, table("PriceListsTable"), ""),
		statement(sid("Usage"), `["dynamodb:BatchGetItem","dynamodb:Query","dynamodb:Scan","dynamodb:BatchWriteItem","dynamodb:UpdateItem"]`, table("UsageTable"), ""),
		statement(sid("UsageById"), `"dynamodb:Query"`, `{"Fn::Sub":"${UsageTable.Arn}/index/ById"}`, ""),
		statement(sid("Totals"), `["dynamodb:GetItem","dynamodb:BatchGetItem","dynamodb:Query","dynamodb:PutItem","dynamodb:UpdateItem","dynamodb:BatchWriteItem"]`, table("TotalsTable"), ""),
		statement(sid("Ledger"), `["dynamodb:BatchGetItem","dynamodb:Query","dynamodb:PutItem","dynamodb:UpdateItem","dynamodb:BatchWriteItem"]`, table("LedgerTable"),
			`{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["IMPORTS#*","WRITER"]},"Null":{"dynamodb:LeadingKeys":"false"}}`),
	}
	var got []string
	for _, s := range d.rights(fail)[imports] {
		got = append(got, compact(s))
	}
	fail(differ("what the import may do", want, got))
}
