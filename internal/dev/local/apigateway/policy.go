package apigateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decision is what an authorizer answered.
type decision struct {
	principal  string
	statements []statement
	context    map[string]string // as functions get it: texts
	key        string            // of a usage plan; empty: it named none
}

// statement is one of a policy. IAM's other elements are refused: to pass over a
// condition would widen what was meant.
type statement struct {
	Effect           string
	Action, Resource oneOrMany
	Sid              string `json:",omitempty"`
}

// oneOrMany is a text or a list of texts, both of which a policy may have.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(o))
}

// parseDecision reads an authorizer's answer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func parseDecision(text []byte) (*decision, error) {
	var output struct {
		PrincipalID    string
		PolicyDocument *struct{ Statement []json.RawMessage }
		Context        map[string]any

		UsageIdentifierKey string
	}
	if err := json.Unmarshal(text, &output); err != nil {
		return nil, fmt.Errorf("the authorizer's answer cannot be read: %w", err)
	}
	if output.PolicyDocument == nil {
		return nil, errors.New("the authorizer's answer has no policy")
	}
	d := &decision{principal: output.PrincipalID, key: output.UsageIdentifierKey, context: make(map[string]string)}
	for _, raw := range output.PolicyDocument.Statement {
		var s statement
		in := json.NewDecoder(strings.NewReader(string(raw)))
		in.DisallowUnknownFields()
		if err := in.Decode(&s); err != nil {
			return nil, fmt.Errorf("a statement of the authorizer's policy is not understood: %w", err)
		}
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return nil, fmt.Errorf("a statement of the authorizer's policy has the effect %q", s.Effect)
		}
		for _, resource := range s.Resource {
			if n := utf8.RuneCountInString(resource); n > maxResource {
				return nil, fmt.Errorf("a resource of the authorizer's policy has %d characters, and may have %d", n, maxResource)
			}
		}
		d.statements = append(d.statements, s)
	}
	for name, value := range output.Context {
		switch v := value.(type) {
		case string:
			d.context[name] = v
		case bool:
			d.context[name] = strconv.FormatBool(v)
		case float64:
			d.context[name] = strconv.FormatFloat(v, 'f', -1, 64)
		default:
			return nil, fmt.Errorf("the authorizer's context %s is no text, number or boolean", name)
		}
	}
	return d, nil
}

// allows tells whether the policy lets a method be called: some statement allows
// it and none denies it.
func (d *decision) allows(methodARN string) bool {
	allowed := false
	for _, s := range d.statements {
		if !s.Action.matches("execute-api:invoke", strings.ToLower) || !s.Resource.matches(methodARN, asItIs) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

func asItIs(s string) string { return s }

func (o oneOrMany) matches(text string, fold func(string) string) bool {
	for _, pattern := range o {
		if glob(fold(pattern), text) {
			return true
		}
	}
	return false
}

// glob tells whether a pattern of IAM's matches a text as a whole: * is any
// characters or none, slashes too; ? is one.
func glob(pattern, text string) bool {
	star, resume := -1, 0 // where the last star is, and how far it has taken text
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0: // let the star take one more
			resume++
			p, t = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
