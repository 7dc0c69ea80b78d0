package template

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

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
	statements := make(Statements, 0)
	for _, policy := range p.Policies {
		for _, source := range policy.PolicyDocument.Statement {
			s, err := readStatement(source)
			if err != nil {
				return fmt.Errorf("policy %s: statement %s: %w", policy.PolicyName, s.ID, err)
			}
			statements = append(statements, s)
		}
	}
	rd.statements[id] = statements
	return nil
}

// ReadPolicy reads the statements of a policy document, as it is attached to who
// runs a command. A statement that is not understood is an error.
func ReadPolicy(source []byte) (Statements, error) {
	var p struct {
		Version   string
		Statement []json.RawMessage
	}
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	var statements Statements
	for _, source := range p.Statement {
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
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.DisallowUnknownFields() // NotAction, NotResource
	err := decoder.Decode(&p)
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
