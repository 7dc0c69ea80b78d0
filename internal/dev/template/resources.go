package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	typeTable        = "AWS::DynamoDB::Table"
	typeFunction     = "AWS::Serverless::Function"
	typeAPI          = "AWS::Serverless::Api"
	typeLogGroup     = "AWS::Logs::LogGroup"
	typeRole         = "AWS::IAM::Role"
	typePlan         = "AWS::ApiGateway::UsagePlan"
	typeBucket       = "AWS::S3::Bucket"
	typeBucketPolicy = "AWS::S3::BucketPolicy"
	typeQueue        = "AWS::SQS::Queue"
	typeRule         = "AWS::Events::Rule"
	typeStateMachine = "AWS::Serverless::StateMachine"
)

// reading is a template half read: what must be put together at the end.
type reading struct {
	*resolver
	t          *Template
	statements map[string]Statements // by role
	events     []event
	api        string              // logical id of the one API
	metered    map[string]bool     // by method and path: "GET /customers"
	standard   string              // authorizer of the routes that name none
	folders    map[string][]string // by the name of a bucket: the keys that it takes
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
		folders:    make(map[string][]string),
	}
	for _, id := range ids {
		if err := rd.resource(id); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	for i, f := range rd.t.Functions {
		statements, ok := rd.statements[f.Role]
		if !ok {
			return nil, fmt.Errorf("%s: role %q is not in the template, or has managed policies, "+
				"whose rights are not seen here", f.ID, f.Role)
		}
		rd.t.Functions[i].Statements = statements
	}
	if err := errors.Join(rd.routes(), rd.inbox()); err != nil {
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
	case typ == typeRole:
		return rd.role(id)
	case typ == typePlan:
		return rd.plan(id)
	case typ == typeBucket:
		return rd.bucket(id)
	case typ == typeBucketPolicy:
		return rd.bucketPolicy(id)
	case typ == typeRule:
		return rd.rule(id)
	case typ == typeStateMachine:
		return rd.stateMachine(id)
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

// decodeStrictly refuses what it does not know: it may be a right or a route.
func decodeStrictly(source []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(source))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// properties reads a resource's properties into a struct; see decode.
func (r *resolver) properties(id string, into any) error {
	return r.decode(r.resources[id]["Properties"], into)
}

func (r *resolver) typeOf(id string) string {
	typ, _ := r.resources[id]["Type"].(string)
	return typ
}

type keySchema []struct{ AttributeName, KeyType string }

func (k keySchema) key() (key Key) {
	for _, e := range k {
		if e.KeyType == "HASH" {
			key.Partition = e.AttributeName
		} else {
			key.Sort = e.AttributeName
		}
	}
	return key
}

func (rd *reading) table(id string) error {
	var p struct {
		TimeToLiveSpecification struct {
			AttributeName string
			Enabled       bool `json:",string"`
		}
		AttributeDefinitions   []struct{ AttributeName, AttributeType string }
		KeySchema              keySchema
		GlobalSecondaryIndexes []struct {
			IndexName  string
			KeySchema  keySchema
			Projection struct {
				ProjectionType   string
				NonKeyAttributes []string
			}
		}
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	table := Table{ID: id, Name: rd.values[id], Key: p.KeySchema.key(), Attributes: make(map[string]string)}
	if p.TimeToLiveSpecification.Enabled {
		table.TTL = p.TimeToLiveSpecification.AttributeName
	}
	for _, a := range p.AttributeDefinitions {
		table.Attributes[a.AttributeName] = a.AttributeType
	}
	for _, i := range p.GlobalSecondaryIndexes {
		table.Indexes = append(table.Indexes, Index{
			Name: i.IndexName, Key: i.KeySchema.key(),
			Projection: i.Projection.ProjectionType, Included: i.Projection.NonKeyAttributes,
		})
	}
	rd.t.Tables = append(rd.t.Tables, table)
	return nil
}

// event is an event of a function that is a route.
type event struct {
	function                string
	RestApiId, Method, Path string
	Auth                    struct{ Authorizer string }
}

func (rd *reading) function(id string) error {
	var p struct {
		Role                string
		Timeout, MemorySize int `json:",string"`
		Environment         struct{ Variables map[string]string }
		Policies            any
		Events              map[string]struct {
			Type       string
			Properties event
		}
	}
	p.Timeout, p.MemorySize = 3, 128 // what SAM takes where neither says
	if err := rd.decode(rd.globals["Function"], &p); err != nil {
		return fmt.Errorf("in Globals: %w", err)
	}
	if err := rd.properties(id, &p); err != nil {
		return err
	}
	if p.Policies != nil {
		return fmt.Errorf("its rights must stand in its role, where they are seen, not in Policies")
	}
	_, role, _ := strings.Cut(p.Role, ":role/")
	rd.t.Functions = append(rd.t.Functions, Function{
		ID: id, Folder: folder(id), Timeout: time.Duration(p.Timeout) * time.Second, MemoryMB: p.MemorySize,
		Environment: p.Environment.Variables, Role: role,
	})
	for name, e := range p.Events {
		if e.Type != "Api" {
			return fmt.Errorf("event %s: a %s is not understood", name, e.Type)
		}
		e.Properties.function = id
		rd.events = append(rd.events, e.Properties)
	}
	return nil
}

// folder is where a function's main package is. The Makefile's target
// build-<logical id> goes by the same rule: GetUsageFunction is functions/getusage.
func folder(id string) string {
	return "functions/" + strings.ToLower(strings.TrimSuffix(id, "Function"))
}
