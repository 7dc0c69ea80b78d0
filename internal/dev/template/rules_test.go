package template_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dev/template"
)

const (
	root = "../../.."
	file = root + "/template.yaml"
)

// rules are what template.yaml must keep to, each by the claim it makes.
// TestTheTemplateKeepsTheRules holds the template to them; mutations_test.go
// shows of each that it can fail.
var rules = map[string]func(*template.Template) error{
	"a data route has the authorizer, and only the dashboard's have none":   routes,
	"the authorizer's cache goes by credential and path":                    authorizer,
	"the tables are those of internal/dynamo/doc.go":                        tables,
	"a table outlives mistakes":                                             protection,
	"a function is a small Go binary with a folder of its own":              functions,
	"a function knows the names of the tables it reads, and no others":      environment,
	"a function may read, and nothing else":                                 onlyReads,
	"a right names one table or index, never a wildcard":                    noWildcards,
	"a right on a table is a right on listed attributes":                    attributeGuards,
	"a role belongs to one function":                                        ownRoles,
	"the Partners table is read by the kind of its keys":                    leadingKeys,
	"a log is kept for a time that the operator chose":                      retention,
	"the access log tells who asked for which route, and nothing of people": accessLog,
	"a refusal of the gateway is a problem with the contract's text":        refusals,
	"the stack tells partnerctl its tables":                                 outputs,
}

func TestTheTemplateKeepsTheRules(t *testing.T) {
	tmpl, err := template.Read(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	for claim, rule := range rules {
		t.Run(claim, func(t *testing.T) {
			if err := rule(tmpl); err != nil {
				t.Error(err)
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
