package template

import (
	"encoding/json"
	"fmt"
	"strings"
)

const (
	typeTable    = "AWS::DynamoDB::Table"
	typeFunction = "AWS::Serverless::Function"
	typeAPI      = "AWS::Serverless::Api"
	typeLogGroup = "AWS::Logs::LogGroup"
	typeRole     = "AWS::IAM::Role"
	typePlan     = "AWS::ApiGateway::UsagePlan"
)

// reading is a template half read: what must be put together at the end.
type reading struct {
	*resolver
	t          *Template
	statements map[string]Statements // by role
	events     []event
	api        string          // logical id of the one API
	metered    map[string]bool // by method and path: "GET /customers"
	standard   string          // authorizer of the routes that name none
}

func (r *resolver) template() (*Template, error) {
	ids, err := r.ids()
	if err != nil {
		return nil, err
	}
	rd := &reading{
		resolver:   r,
		t:          &Template{Parameters: r.parameters, Outputs: make(map[string]string)},
		statements: make(map[string]Statements),
	}
	for _, id := range ids {
		if err := rd.resource(id); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	for i, f := range rd.t.Functions {
		statements, ok := rd.statements[f.Role]
		if !ok {
			return nil, fmt.Errorf("%s: role %q is not in the template, or has managed policies, whose rights are not seen here", f.ID, f.Role)
		}
		rd.t.Functions[i].Statements = statements
	}
	if err := rd.routes(); err != nil {
		return nil, err
	}
	for name, v := range r.outputs {
		exists, err := r.exists(v)
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
		if !exists {
			continue
		}
		var output struct{ Value string }
		if err := r.decode(v, &output); err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
		rd.t.Outputs[name] = output.Value
	}
	return rd.t, nil
}

func (rd *reading) resource(id string) error {
	switch typ := rd.typeOf(id); {
	case typ == typeTable:
		return rd.table(id)
	case typ == typeFunction:
		return rd.function(id)
	case typ == typeAPI:
		return rd.gateway(id)
	case typ == typeLogGroup:
		return rd.logGroup(id)
	case typ == typeRole:
		return rd.role(id)
	case typ == typePlan:
		return rd.plan(id)
	case strings.HasPrefix(typ, "AWS::IAM::"):
		return fmt.Errorf("a %s may give rights that are not seen here; write them into the role", typ)
	}
	return nil
}

// decode resolves v and reads it into a struct. Every scalar is a text, so
// numbers and booleans need the "string" option in the struct's tags.
func (r *resolver) decode(v any, into any) error {
	resolved, err := r.resolve(v)
	if err != nil {
		return err
	}
	text, err := json.Marshal(resolved)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// properties reads a resource's properties into a struct; see decode.
func (r *resolver) properties(id string, into any) error {
	return r.decode(r.resources[id]["Properties"], into)
}

func (r *resolver) typeOf(id string) string {
	typ, _ := r.resources[id]["Type"].(string)
	return typ
}

func (rd *reading) logGroup(id string) error {
	var p struct {
		RetentionInDays int `json:",string"`
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	rd.t.LogGroups = append(rd.t.LogGroups, LogGroup{ID: id, Name: rd.values[id], RetentionDays: p.RetentionInDays})
	return nil
}
