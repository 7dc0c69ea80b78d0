package template

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Statement is one statement of a role's policy. Only Allow statements are
// modelled; a role with another kind is an error when the template is read.
type Statement struct {
	ID         string // its Sid; may be empty
	Actions    []string
	Resources  []string // ARNs, resolved
	Conditions []Condition
}

// Condition is one test of one condition key. All conditions of a statement
// must hold.
type Condition struct {
	Operator string   // "ForAllValues:StringEquals"
	Key      string   // "dynamodb:Attributes"
	Values   []string // any of them
}

// Statements are the rights of one role: what no statement allows is refused.
type Statements []Statement

// texts is a text or a list of texts, both of which IAM takes.
type texts []string

func (t *texts) UnmarshalJSON(source []byte) error {
	if len(source) > 0 && source[0] == '"' {
		*t = make(texts, 1)
		return json.Unmarshal(source, &(*t)[0])
	}
	return json.Unmarshal(source, (*[]string)(t))
}

// role reads a role's statements. One that is not understood is an error. A role
// with managed policies is not read: that it is given to a function is an error.
func (rd *reading) role(id string) error {
	var p struct {
		ManagedPolicyArns []string
		Policies          []struct {
			PolicyName     string
			PolicyDocument struct{ Statement []json.RawMessage }
		}
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	if len(p.ManagedPolicyArns) > 0 {
		return nil
	}
	all := make(Statements, 0)
	for _, policy := range p.Policies {
		statements, err := readStatements(policy.PolicyDocument.Statement)
		if err != nil {
			return fmt.Errorf("policy %s: %w", policy.PolicyName, err)
		}
		all = append(all, statements...)
	}
	rd.statements[id] = all
	return nil
}

// ReadPolicy reads the statements of a policy document, as it is attached to who
// runs a command. A statement that is not understood is an error.
func ReadPolicy(source []byte) (Statements, error) {
	var p struct {
		Version   string
		Statement []json.RawMessage
	}
	if err := decodeStrictly(source, &p); err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	return readStatements(p.Statement)
}

func readStatements(sources []json.RawMessage) (statements Statements, err error) {
	for _, source := range sources {
		s, err := readStatement(source)
		if err != nil {
			return nil, fmt.Errorf("statement %s: %w", s.ID, err)
		}
		statements = append(statements, s)
	}
	return statements, nil
}

func readStatement(source []byte) (Statement, error) {
	var p struct {
		Sid, Effect      string
		Action, Resource texts
		Condition        map[string]map[string]texts
	}
	err := decodeStrictly(source, &p) // there may be a NotAction, a NotResource
	s := Statement{ID: p.Sid, Actions: p.Action, Resources: p.Resource}
	switch {
	case err != nil:
		return s, err
	case p.Effect != "Allow":
		return s, fmt.Errorf("effect %s is not understood", p.Effect)
	case len(s.Actions) == 0 || len(s.Resources) == 0:
		return s, fmt.Errorf("it names no action or no resource")
	}
	for operator, keys := range p.Condition {
		for key, values := range keys {
			c := Condition{Operator: operator, Key: key, Values: values}
			if err := c.understood(); err != nil {
				return s, err
			}
			s.Conditions = append(s.Conditions, c)
		}
	}
	slices.SortFunc(s.Conditions, func(a, b Condition) int {
		return cmp.Or(cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.Key, b.Key))
	})
	return s, nil
}

// Allow judges a request by the function's rights, and says in its error which
// function may not do what. It models IAM as far as the template uses it:
// statements that allow, resources and actions by their exact names, and the
// operators of [Condition].
func (f Function) Allow(r Request) error {
	if err := f.Statements.Allow(r); err != nil {
		return fmt.Errorf("%s: %w", f.ID, err)
	}
	return nil
}

// Allow judges a request by these statements: nil if one of them allows it.
func (s Statements) Allow(r Request) error {
	on, resource := r.Table, tableARN(r.Table)
	if r.Index != "" {
		on, resource = r.Table+"/"+r.Index, indexARN(r.Table, r.Index)
	}
	var refusals []error
	for _, statement := range s {
		if !slices.Contains(statement.Actions, r.Action) || !slices.Contains(statement.Resources, resource) {
			continue
		}
		err := statement.holds(r)
		if err == nil {
			return nil
		}
		refusals = append(refusals, fmt.Errorf("statement %s: %w", statement.ID, err))
	}
	if refusals == nil {
		return fmt.Errorf("%s on %s: no statement names it", r.Action, on)
	}
	return fmt.Errorf("%s on %s: %w", r.Action, on, errors.Join(refusals...))
}

func (s Statement) holds(r Request) error {
	for _, c := range s.Conditions {
		if err := c.holds(r); err != nil {
			return err
		}
	}
	return nil
}

// values is what a request has for a condition key; nil where the key is absent.
func (r Request) values(key string) []string {
	switch key {
	case "dynamodb:Attributes":
		return r.Attributes
	case "dynamodb:LeadingKeys":
		return r.LeadingKeys
	case "dynamodb:ReturnValues":
		if r.Returns != "" {
			return []string{r.Returns}
		}
	case "dynamodb:Select":
		if r.Select != "" {
			return []string{r.Select}
		}
	}
	return nil
}

// understood is an error for an operator or key that holds does not model.
func (c Condition) understood() error {
	switch c.Key {
	case "dynamodb:Attributes", "dynamodb:LeadingKeys", "dynamodb:Select", "dynamodb:ReturnValues":
	default:
		return fmt.Errorf("condition key %s is not understood", c.Key)
	}
	switch c.Operator {
	case "StringEquals", "StringEqualsIfExists", "ForAllValues:StringEquals", "ForAllValues:StringLike":
		return nil
	case "Null":
		if len(c.Values) == 1 && c.Values[0] == "false" {
			return nil
		}
		return fmt.Errorf("condition operator Null of %s: only false is understood", c.Key)
	}
	return fmt.Errorf("condition operator %s is not understood", c.Operator)
}

// holds is nil if the request meets the condition. ForAllValues is true of a
// key that is absent, as in IAM: that is why Null stands beside it.
func (c Condition) holds(r Request) error {
	values := r.values(c.Key)
	switch c.Operator {
	case "Null":
		if len(values) == 0 {
			return fmt.Errorf("%s is missing", c.Key)
		}
		return nil
	case "StringEquals":
		if len(values) == 0 {
			return fmt.Errorf("%s is missing", c.Key)
		}
	}
	for _, v := range values {
		if !slices.ContainsFunc(c.Values, func(want string) bool { return c.matches(v, want) }) {
			return fmt.Errorf("%s %q is not among those it may name", c.Key, v)
		}
	}
	return nil
}

func (c Condition) matches(value, want string) bool {
	if prefix, ok := strings.CutSuffix(want, "*"); ok && strings.HasSuffix(c.Operator, "StringLike") {
		return strings.HasPrefix(value, prefix)
	}
	return value == want
}
