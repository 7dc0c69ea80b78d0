package template_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerview/internal/dev/template"
)

// tableOf is which table a function's variable names.
var tableOf = map[string]string{
	"PARTNERS_TABLE": "PartnersTable", "CUSTOMERS_TABLE": "CustomersTable",
	"PRICELISTS_TABLE": "PriceListsTable", "USAGE_TABLE": "UsageTable",
}

// settings are a function's variables besides the tables', as the defaults of
// the parameters make them.
var settings = map[string]map[string]string{
	"AuthorizerFunction": {"OIDC_ISSUER": "", "OIDC_AUDIENCE": "", "OIDC_PARTNER_CLAIM": "partner_id", "USAGE_PLANS": "false"},
}

func environment(t *template.Template) error {
	var faults []error
	for _, f := range t.Functions {
		readable := make(map[string]bool)
		for _, s := range reads(f) {
			table, _, _ := strings.Cut(tablePart(s.Resources[0]), "/")
			readable[table] = true
		}
		// The metrics' dimension, and how the heap is collected.
		want := map[string]string{"STACK": "partnerview", "GOGC": "400", "GOMEMLIMIT": "200MiB"}
		for variable, table := range tableOf {
			if readable[table] {
				want[variable] = table
			}
		}
		maps.Copy(want, settings[f.ID])
		faults = append(faults, differ(f.ID+": environment", want, f.Environment))
	}
	return errors.Join(faults...)
}

// reads are a function's statements on DynamoDB.
func reads(f template.Function) (statements template.Statements) {
	for _, s := range f.Statements {
		if strings.HasPrefix(s.Actions[0], "dynamodb:") {
			statements = append(statements, s)
		}
	}
	return statements
}

// tablePart is "UsageTable" or "UsageTable/index/ById" of an ARN.
func tablePart(arn string) string {
	_, part, _ := strings.Cut(arn, ":table/")
	return part
}

func onlyReads(t *template.Template) error {
	allowed := []string{
		"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query",
		"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords",
	}
	var faults []error
	for _, f := range t.Functions {
		for _, s := range f.Statements {
			for _, a := range s.Actions {
				if !slices.Contains(allowed, a) {
					faults = append(faults, fmt.Errorf("%s may do %s", f.ID, a))
				}
			}
			if f.ID == "DashboardFunction" && strings.HasPrefix(s.Actions[0], "dynamodb:") {
				faults = append(faults, fmt.Errorf("%s has a right on a table", f.ID))
			}
		}
	}
	return errors.Join(faults...)
}

func noWildcards(t *template.Template) error {
	var faults []error
	for _, f := range t.Functions {
		for _, s := range f.Statements {
			for _, resource := range s.Resources {
				switch {
				case strings.HasPrefix(s.Actions[0], "xray:") && resource == "*": // AWS gives these no resource
				case strings.HasPrefix(s.Actions[0], "logs:") && resource == "arn:aws:logs:us-east-1:123456789012:log-group:"+f.LogGroup+":*": // its streams
				case strings.HasPrefix(s.Actions[0], "dynamodb:") && len(s.Actions) == 1 && len(s.Resources) == 1 && tablePart(resource) != "" && !strings.Contains(resource, "*"):
				default:
					faults = append(faults, fmt.Errorf("%s: statement %s: %v on %s", f.ID, s.ID, s.Actions, resource))
				}
			}
		}
	}
	return errors.Join(faults...)
}

// attributeGuards asks of each read that it lists its attributes, that the list
// holds the keys of what it reads (DynamoDB cannot use a key that is not
// allowed), and none that people could be known by.
func attributeGuards(t *template.Template) error {
	var faults []error
	for _, f := range t.Functions {
		for _, s := range reads(f) {
			fail := func(format string, args ...any) {
				faults = append(faults, fmt.Errorf("%s: statement %s: "+format, append([]any{f.ID, s.ID}, args...)...))
			}
			by := make(map[string][]string)
			for _, c := range s.Conditions {
				by[c.Operator+" "+c.Key] = c.Values
			}
			attributes := by["ForAllValues:StringEquals dynamodb:Attributes"]
			if len(attributes) == 0 || by["Null dynamodb:Attributes"] == nil {
				fail("no list of attributes")
			}
			selects := "StringEqualsIfExists dynamodb:Select"
			if s.Actions[0] == "dynamodb:Query" {
				selects = "StringEquals dynamodb:Select"
			}
			if !slices.Equal(by[selects], []string{"SPECIFIC_ATTRIBUTES"}) {
				fail("Select is not bound")
			}
			id, index, _ := strings.Cut(tablePart(s.Resources[0]), "/index/")
			table, ok := t.Table(id)
			if !ok {
				fail("there is no table %s", id)
			}
			keys := []template.Key{table.Key}
			for _, i := range table.Indexes {
				if i.Name == index {
					keys = append(keys, i.Key)
				}
			}
			for _, k := range keys {
				for _, attribute := range []string{k.Partition, k.Sort} {
					if attribute != "" && !slices.Contains(attributes, attribute) {
						fail("key attribute %s is missing", attribute)
					}
				}
			}
			for _, private := range []string{"contactName", "content", "label", "subAccounts", "gatewayKeyId", "gatewayKey"} {
				if slices.Contains(attributes, private) && !(private == "gatewayKey" && f.ID+" "+s.ID == "AuthorizerFunction ProfileAndGrant") {
					fail("may read %s", private)
				}
			}
		}
	}
	return errors.Join(faults...)
}

func ownRoles(t *template.Template) error {
	of := make(map[string]string)
	var faults []error
	for _, f := range t.Functions {
		if other, taken := of[f.Role]; taken {
			faults = append(faults, fmt.Errorf("%s and %s share %s", f.ID, other, f.Role))
		}
		of[f.Role] = f.ID
	}
	return errors.Join(faults...)
}

func leadingKeys(t *template.Template) error {
	want := map[string][]string{
		"AuthorizerFunction Key":             {"KEY#*"},
		"AuthorizerFunction ProfileAndGrant": {"PARTNER#*"},
		"ListCustomersFunction GrantsByName": {"PARTNER#*"},
	}
	got := make(map[string][]string)
	for _, f := range t.Functions {
		for _, s := range reads(f) {
			if !strings.HasPrefix(tablePart(s.Resources[0]), "PartnersTable") {
				continue
			}
			name := f.ID + " " + s.ID
			got[name] = nil
			present := slices.ContainsFunc(s.Conditions, func(c template.Condition) bool {
				return c.Operator == "Null" && c.Key == "dynamodb:LeadingKeys"
			})
			for _, c := range s.Conditions {
				if present && c.Operator == "ForAllValues:StringLike" && c.Key == "dynamodb:LeadingKeys" {
					got[name] = c.Values
				}
			}
		}
	}
	return differ("leading keys", want, got)
}
