package template_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dev/template"
)

func TestTheInboxIsReadAsItDeploys(t *testing.T) {
	tmpl := read(t, map[string]string{"InboxBucket": "a-bucket"})
	if len(tmpl.Buckets) != 1 || len(tmpl.Rules) != 1 || len(tmpl.StateMachines) != 1 {
		t.Fatalf("there are %d buckets, %d rules and %d state machines", len(tmpl.Buckets), len(tmpl.Rules), len(tmpl.StateMachines))
	}
	want := template.Bucket{ID: "InboxBucket", Name: "a-bucket", Tells: true, Folders: append(folders(), "results/", "failed/")}
	slices.Sort(want.Folders)
	slices.Sort(tmpl.Buckets[0].Folders)
	if diff := cmp.Diff(want, tmpl.Buckets[0]); diff != "" {
		t.Errorf("the bucket: %s", diff)
	}
	r := tmpl.Rules[0]
	if r.ID != "InboxRule" || r.Target != "ImportStateMachine" || r.Retries != 185 || r.MaxAge != 24*time.Hour || r.InputPaths["key"] != "$.detail.object.key" {
		t.Errorf("the rule: %+v", r)
	}
	if text, _ := json.Marshal(r.Pattern); !strings.Contains(string(text), `"bucket":{"name":["a-bucket"]}`) {
		t.Errorf("its pattern is %s", text)
	}
	without := read(t, map[string]string{"Inbox": "false"})
	if len(without.Buckets)+len(without.Rules)+len(without.StateMachines) != 0 {
		t.Error("without an inbox something of it is read")
	}
}

// What SAM hands to CloudFormation is the same definition: numbers are numbers in both.
func TestTheStateMachineIsReadAsSAMRendersIt(t *testing.T) {
	_, doc := readRendered(t, renderedFile)
	p := doc.Resources["ImportStateMachine"].Properties
	text := ""
	for _, line := range at(p, "DefinitionString", "Fn::Join").([]any)[1].([]any) {
		text += line.(string) + "\n"
	}
	for name, value := range at(p, "DefinitionSubstitutions").(map[string]any) {
		text = strings.ReplaceAll(text, "${"+name+"}", "arn:aws:lambda:us-east-1:123456789012:function:"+value.(map[string]any)["Fn::GetAtt"].([]any)[0].(string))
	}
	var want, got any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(read(t, nil).StateMachines[0].Definition, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-rendered +read): %s", diff)
	}
}

func TestWhatIsNotUnderstoodOfAnInboxIsAnError(t *testing.T) {
	const start = "Resources:\n  B: {Type: AWS::S3::Bucket, Properties: "
	for source, want := range map[string]string{
		start + "{NotificationConfiguration: {LambdaConfigurations: [x]}}}":                                                                                                                                          "B: only EventBridge is understood",
		start + "{}}\n  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref B, PolicyDocument: {Statement: [{Effect: Allow, Principal: \"*\", Action: \"s3:*\"}]}}}":                                          "P: statement : only what is denied to everybody",
		start + "{}}\n  P: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: C, PolicyDocument: {Statement: [{Effect: Deny, Principal: \"*\", Action: \"s3:PutObject\", NotResource: [\"arn:aws:s3:::C/x/*\"]}]}}}": "a policy is of the bucket C",
		"Resources:\n  R: {Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 minute)}}":                                                                                                               "R: only a rule that is on, with a pattern and one target",
		"Resources:\n  R: {Type: AWS::Events::Rule, Properties: {State: DISABLED, EventPattern: {source: [x]}, Targets: [{Arn: \"arn:aws:states:r:1:stateMachine:M\"}]}}":                                            "R: only a rule that is on",
		"Resources:\n  R: {Type: AWS::Events::Rule, Properties: {EventPattern: {source: [x]}, Targets: [{Arn: \"arn:aws:lambda:x\"}]}}":                                                                              "R: only a state machine is understood as the target",
		"Resources:\n  R: {Type: AWS::Events::Rule, Properties: {EventPattern: {source: [x]}, Targets: [{Arn: \"arn:aws:states:r:1:stateMachine:M\"}]}}":                                                             "R: its target M is not in the template",
		"Resources:\n  M: {Type: AWS::Serverless::StateMachine, Properties: {Type: EXPRESS}}":                                                                                                                        "M: a state machine that is EXPRESS is not understood",
		"Resources:\n  M: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: x}}":                                                                                                                     "M: only a Definition that stands in the template",
		"Resources:\n  M: {Type: AWS::Serverless::StateMachine, Properties: {Policies: [x]}}":                                                                                                                        "M: its rights must stand in its role",
	} {
		if _, err := template.Parse([]byte(source), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nis read as %v, want %q", source, err, want)
		}
	}
}
