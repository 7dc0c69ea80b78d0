package template_test

import (
	"strings"
	"testing"
	"time"

	"partnerview/internal/dev/template"
)

func TestReferencesAreFilledIn(t *testing.T) {
	tmpl := read(t, map[string]string{
		"AuthorizerTtlSeconds": "2", "UsageTable": "usage-x",
	})
	authorizer, _ := tmpl.Authorizer("PartnerAuthorizer")
	f, _ := tmpl.Function("GetUsageFunction")
	table, _ := tmpl.Table("usage-x")
	for what, ok := range map[string]bool{
		"the authorizer's TTL":             authorizer.TTL == 2*time.Second,
		"a function's variable":            f.Environment["USAGE_TABLE"] == "usage-x",
		"a table of which nothing is said": f.Environment["PRICELISTS_TABLE"] == "PriceListsTable",
		"a table by its name":              table.ID == "UsageTable",
		"an output":                        tmpl.Outputs["UsageTable"] == "usage-x",
		"a setting of all functions":       f.Timeout == 9*time.Second,
		"a setting of one function":        f.MemoryMB == 512,
	} {
		if !ok {
			t.Errorf("%s is wrong", what)
		}
	}
}

func TestARefusalWithoutItsOwnTextHasTheDefaults(t *testing.T) {
	tmpl := read(t, nil)
	for _, c := range []struct {
		typ    string
		status int
		want   string
		code   int
	}{
		{"ACCESS_DENIED", 403, `"customer_not_found"`, 404},
		{"BAD_REQUEST_PARAMETERS", 400, `"invalid_parameter"`, 400},
		{"API_CONFIGURATION_ERROR", 502, `"internal"`, 500},
		{"DEFAULT_5XX", 502, `"unavailable"`, 503},
	} {
		g, ok := tmpl.GatewayResponse(c.typ, c.status)
		if body := g.Body("r-1"); !ok || g.Status != c.code || !strings.Contains(body, c.want) || !strings.Contains(body, `"requestId":"r-1"`) {
			t.Errorf("%s is answered with %d %s", c.typ, g.Status, body)
		}
	}
}

func TestConditionsAreWorkedOut(t *testing.T) {
	const source = "Parameters:\n  A: {Type: String, Default: \"\"}\n  B: {Type: String, Default: \"false\"}\nConditions:\n" +
		"  NoA: !Equals [!Ref A, \"\"]\n  B: !Equals [!Ref B, \"true\"]\n  AOrB: !Or [!Not [!Condition NoA], !Condition B]\n" +
		"Resources:\n  T: {Type: \"AWS::DynamoDB::Table\"}\nOutputs:\n  Either: {Condition: AOrB, Value: !Select [1, [y, !If [B, z, x]]]}\n"
	for claim, c := range map[string]struct {
		values map[string]string
		want   string
	}{
		"neither holds": {nil, ""}, "the first holds": {map[string]string{"A": "a"}, "x"}, "the second holds": {map[string]string{"B": "true"}, "z"},
	} {
		tmpl, err := template.Parse([]byte(source), c.values)
		if err != nil {
			t.Fatal(err)
		}
		if got := tmpl.Outputs["Either"]; got != c.want {
			t.Errorf("%s: the output is %q", claim, got)
		}
	}
}

// Each of these templates would hide something; the error names where.
func TestATemplateThatIsNotUnderstoodIsAnError(t *testing.T) {
	const function = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      "
	for _, c := range []struct{ name, source, want string }{
		{"no YAML", "a: [", ""},
		{"two documents", "a: 1\n---\nb: 2\n", "one YAML document"},
		{"an alias", "Resources:\n  A: &a {Type: x}\n  B: *a\n", "line 2: an anchor or an alias is not read"},
		{"a key twice", "Resources:\n  A: {Type: x}\n  A: {Type: y}\n", "line 3: the key A"},
		{"a reference to nothing", function + "Role: !Ref Nobody\n", `F: Role: reference to "Nobody"`},
		{"an attribute of nothing", function + "Role: !GetAtt Nobody.Arn\n", "F: Role: Nobody.Arn: there is no such resource"},
		{"an attribute other than the ARN", function + "Role: !GetAtt F.Version\n", "F: Role: F.Version: only Arn"},
		{"a placeholder for nothing", function + "Role: !Sub ${Nobody}\n", `reference to "Nobody"`},
		{"a function of CloudFormation's that is not modelled", function + "Role: !ImportValue Role\n", "F: Role: Fn::ImportValue is not understood"},
		{"a condition that is not modelled", "Conditions:\n  C: !Not [x]\nResources:\n  F: {Type: x, Condition: C}\n", "F: condition C"},
		{"a condition that nobody made", "Conditions:\n  C: !Or [!Condition D, !Equals [a, b]]\nResources:\n  F: {Type: x, Condition: C}\n", "F: condition C"},
		{"a function without a role", function + "Handler: bootstrap\n", `F: role ""`},
		{"an event that is no route", function + "Events: {E: {Type: Schedule}}\n", "F: event E: a Schedule"},
		{"a parameter without a value", "Parameters:\n  P: {Type: String}\n", "parameter P"},
		{"routes in a definition", "Resources:\n  Api:\n    Type: AWS::Serverless::Api\n    Properties: {DefinitionUri: api.yaml}\n", "Api: a definition of its own"},
		{"two APIs", "Resources:\n  A: {Type: AWS::Serverless::Api}\n  B: {Type: AWS::Serverless::Api}\n", "B: there is an API already"},
		{"a header from the request", "Resources:\n  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      GatewayResponses:\n        THROTTLED: {ResponseParameters: {Headers: {X: method.request.header.X}}}\n", "Api: gateway response THROTTLED: header X"},
		{"a denial", "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      Policies:\n        - {PolicyName: p, PolicyDocument: {Statement: [{Sid: S, Effect: Deny}]}}\n", "R: policy p: statement S: effect Deny"},
		{"rights on nothing", "Resources:\n  R:\n    Type: AWS::IAM::Role\n    Properties:\n      Policies:\n        - {PolicyName: p, PolicyDocument: {Statement: [{Sid: S, Effect: Allow, Action: a}]}}\n", "R: policy p: statement S: it names no action"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := template.Parse([]byte(c.source), nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	if _, err := template.Read(file, map[string]string{"UsagTable": "x"}); err == nil || !strings.Contains(err.Error(), "UsagTable") {
		t.Errorf("a value for nothing: got %v, want an error that names it", err)
	}
}
