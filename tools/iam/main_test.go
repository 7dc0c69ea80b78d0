package main

import (
	"strings"
	"testing"

	"partnerview/internal/testkit/recording"
)

const keyOfPartner = `{"TableName": "partnerview-PartnersTable-1", "Key": {"pk": {"S": "KEY#a"}, "sk": {"S": "PROFILE"}}, "ProjectionExpression": "pk, sk"}`

func TestWhatIsNotAsItMustBeIsAFault(t *testing.T) {
	t.Chdir("../..")
	ours, err := readRights()
	if err != nil {
		t.Fatal(err)
	}
	sent := testCase{request{Request: recording.Request{Role: "AuthorizerFunction", Target: "DynamoDB_20120810.GetItem", Body: []byte(keyOfPartner)}}, allowed, "as it was recorded"}
	read := part{Action: "dynamodb:GetItem", Resource: "arn:aws:dynamodb:us-east-1:123456789012:table/partnerview-PartnersTable-1",
		Context: map[string]any{"dynamodb:Attributes": []any{"pk", "sk"}, "dynamodb:LeadingKeys": []any{"KEY#a"}}}
	other := read
	other.Context = map[string]any{"dynamodb:Attributes": []any{"pk", "sk"}}
	unknown := read
	unknown.Ignored = []string{"dynamodb:LeadingKeys"}
	for want, c := range map[string]struct {
		must    string
		verdict verdict
	}{
		"":                                   {allowed, verdict{true, []part{read}}},
		"it is refused, and must be allowed": {allowed, verdict{false, []part{read}}},
		"it is allowed, and must be refused": {refused, verdict{true, []part{read}}},
		"ours says allowed, iam-simulate refused":                    {alike, verdict{false, []part{read}}},
		`ours reads dynamodb:LeadingKeys as ["KEY#a"], and it is []`: {allowed, verdict{true, []part{other}}},
		"AWS's reference has no dynamodb:LeadingKeys":                {allowed, verdict{true, []part{unknown}}},
		"ours takes it for 1 requests, iam-simulate for 0":           {allowed, verdict{true, nil}},
	} {
		sent.must = c.must
		faults, counts := compare([]testCase{sent}, []verdict{c.verdict}, ours)
		if said := strings.Join(faults, "; "); want == "" && (said != "" || counts[allowed] != 1) || !strings.Contains(said, want) {
			t.Errorf("it says %q of %+v, want %q", said, c, want)
		}
	}
}

func TestAFunctionThatSentNothingIsAnError(t *testing.T) {
	t.Chdir("../..")
	ours, err := readRights()
	if err != nil {
		t.Fatal(err)
	}
	_, err = casesOf([]recording.Request{{Role: "AuthorizerFunction", Target: "DynamoDB_20120810.GetItem", Body: []byte(keyOfPartner)}}, ours)
	if err == nil || !strings.Contains(err.Error(), "no request of ") {
		t.Errorf("it goes on: %v", err)
	}
}
