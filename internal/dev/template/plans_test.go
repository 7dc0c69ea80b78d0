package template_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"partnerview/internal/dev/template"
)

// plansIn holds a template to what its parameter UsagePlans promises, in each of
// its three values: off, there is nothing of it; prepared, there are plans and
// nobody asks for a key; enforced, each data route is counted, by a key that the
// authorizer names, and the dashboard is not.
func plansIn(source []byte) error {
	var faults []error
	for _, value := range []string{"false", "prepared", "true"} {
		t, err := template.Parse(source, map[string]string{"UsagePlans": value})
		if err != nil {
			return err
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
		faults = append(faults,
			differ(value+": plans", plans, t.UsagePlans),
			differ(value+": outputs", outputs, told),
			differ(value+": where keys come from", keys, t.KeySource),
			differ(value+": what the authorizer knows", value, authorizer.Environment["USAGE_PLANS"]))
		for _, r := range t.Routes {
			if want := value == "true" && r.Authorizer != ""; r.Metered != want {
				faults = append(faults, fmt.Errorf("%s: %s %s is metered: %v", value, r.Method, r.Path, r.Metered))
			}
		}
	}
	return errors.Join(faults...)
}

func TestUsagePlansAreOffPreparedOrEnforced(t *testing.T) {
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := plansIn(source); err != nil {
		t.Error(err)
	}
	for _, m := range []struct{ what, old, new string }{
		{"a data route that is not counted", "          \"/customers\":\n            get: {security: [!If [EnforcesUsagePlans, {api_key: []}, !Ref \"AWS::NoValue\"]]}\n", ""},
		{"keys asked for while they are prepared", "get: {security: [!If [EnforcesUsagePlans,", "get: {security: [!If [HasUsagePlans,"},
		{"a plan that is made for everybody", "  GoldPlan:\n    Type: AWS::ApiGateway::UsagePlan\n    Condition: HasUsagePlans\n", "  GoldPlan:\n    Type: AWS::ApiGateway::UsagePlan\n"},
		{"a plan of no stage", "      ApiStages: [{ApiId: !Ref Api, Stage: !Ref Api.Stage}]\n", ""},
		{"a plan without a quota", "      Quota: {Limit: !Ref SilverQuota, Period: MONTH}\n", ""},
		{"a plan with another's rate", "RateLimit: !Ref BronzeRate", "RateLimit: !Ref GoldRate"},
		{"keys that callers send", "AUTHORIZER, !Ref \"AWS::NoValue\"]", "HEADER, !Ref \"AWS::NoValue\"]"},
		{"an authorizer that names no keys", "          USAGE_PLANS: !Ref UsagePlans\n", ""},
		{"a plan that partnerctl does not find", "    Value: !Ref SilverPlan\n", "    Value: !Ref GoldPlan\n"},
	} {
		t.Run(m.what, func(t *testing.T) {
			broken := strings.Replace(string(source), m.old, m.new, 1)
			if broken == string(source) {
				t.Fatalf("the template has no %q to break", m.old)
			}
			if plansIn([]byte(broken)) == nil {
				t.Error("nobody sees it")
			}
		})
	}
}
