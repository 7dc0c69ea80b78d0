package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

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
	case "dynamodb:Attributes", "dynamodb:LeadingKeys", "dynamodb:Select":
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
