package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerview/internal/testkit/recording"
)

// testCase is a request, and what its role must say to it.
type testCase struct {
	request
	must string // allowed, refused, or alike: whatever both evaluators say
	what string // what it asks for, for a person
}

const (
	allowed = "allowed"
	refused = "refused"
	alike   = "alike"
)

// request is one of a recording, or one for something that is not in the inbox.
type request struct {
	recording.Request
	Resource string `json:"resource,omitempty"` // an ARN
}

const importer = "ImportUsageFunction"

// kindsOfKeys are what the keys of partners and of who writes begin with.
var kindsOfKeys = []string{"PARTNER#", "KEY#", "VIEWER#", "NOBODY#"}

// mayAsk are the kinds of keys in the table of partners that a role may name, by operation.
// It is docs/access.md's, and not read from the template.
var mayAsk = map[string][]string{
	"AuthorizerFunction GetItem": {"KEY#"}, "AuthorizerFunction BatchGetItem": {"PARTNER#", "VIEWER#"},
	"ListCustomersFunction Query": {"PARTNER#", "VIEWER#"}, "ListCustomersFunction BatchGetItem": {"PARTNER#"},
	"GetSummaryFunction Query": {"PARTNER#", "VIEWER#"}, "GetSummaryFunction BatchGetItem": {"PARTNER#"},
	"GetMeFunction Query": {"PARTNER#", "VIEWER#"}, "GetMeFunction BatchGetItem": {"PARTNER#", "KEY#", "VIEWER#"},
}

// nobodysAttributes may be read by no endpoint, in no table.
var nobodysAttributes = []string{"content", "contactName", "subject", "email"}

// casesOf are all the cases: what was sent, what asks for more, and what each role would say
// to the requests of the others.
func casesOf(sent []recording.Request, r rights) (cases []testCase, err error) {
	kinds := make(map[string]recording.Request) // one of each, for what is made of them
	for _, s := range sent {
		cases = append(cases, testCase{request{Request: s}, allowed, "as it was recorded"})
		kinds[kindOf(s)] = s
	}
	roles := rolesOf(sent)
	for _, f := range r.template.Functions {
		if f.ID != "DashboardFunction" && !slices.Contains(roles, f.ID) {
			return nil, fmt.Errorf("no request of %s was recorded: make proof-iam records them", f.ID)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		s := kinds[kind]
		if s.Target == "" {
			continue
		}
		if s.Role != commands {
			more, err := thatAskForMore(s)
			if err != nil {
				return nil, err
			}
			cases = append(cases, more...)
		}
		for role := range maps.Keys(r.byRole) {
			if role != s.Role {
				other := s
				other.Role = role
				cases = append(cases, testCase{request{Request: other}, alike, "as " + s.Role + " sends it"})
			}
		}
	}
	for _, f := range r.template.Functions {
		cases = append(cases, forNobody(f.ID)...)
	}
	return cases, nil
}

// kindOf is what requests have in common that differ only in values.
func kindOf(s recording.Request) string {
	var body map[string]any
	if json.Unmarshal(s.Body, &body) != nil {
		return s.Role + s.Action
	}
	tables := fmt.Sprint(body["TableName"], body["IndexName"])
	if items, ok := body["RequestItems"].(map[string]any); ok {
		tables = fmt.Sprint(slices.Sorted(maps.Keys(items)))
	}
	names := []string{}
	for _, field := range []string{"ProjectionExpression", "UpdateExpression", "FilterExpression", "Select"} {
		names = append(names, fmt.Sprint(body[field]))
	}
	return strings.Join([]string{s.Role, s.Target, tables, strings.Join(names, " ")}, " ")
}

// thatAskForMore are a function's request with one thing changed, each of which must be refused.
func thatAskForMore(s recording.Request) (cases []testCase, err error) {
	operation := strings.TrimPrefix(s.Target, "DynamoDB_20120810.")
	add := func(what string, change func(body map[string]any)) {
		body := make(map[string]any)
		if err = json.Unmarshal(s.Body, &body); err != nil {
			return
		}
		if items, ok := body["RequestItems"].(map[string]any); ok && operation == "BatchGetItem" {
			for _, table := range items {
				change(table.(map[string]any))
			}
		} else {
			change(body)
		}
		changed := request{Request: s}
		if changed.Body, err = json.Marshal(body); err == nil {
			cases = append(cases, testCase{changed, refused, what})
		}
	}
	if s.Role != importer && slices.Contains([]string{"GetItem", "BatchGetItem", "Query"}, operation) {
		for _, attribute := range nobodysAttributes {
			add(attribute+" too", func(body map[string]any) {
				body["ProjectionExpression"] = fmt.Sprint(body["ProjectionExpression"], ", ", attribute)
			})
		}
		add("whole items", func(body map[string]any) {
			delete(body, "ProjectionExpression")
			delete(body, "Select")
		})
		for _, table := range append(slices.Clone(tables), "OtherTable") {
			if id := recording.TableOf(table); operation != "BatchGetItem" && table != "OtherTable" && !strings.Contains(string(s.Body), id) {
				add("the same of "+table, func(body map[string]any) { body["TableName"] = id; delete(body, "IndexName") })
			}
		}
	}
	if s.Role != importer && operation == "Query" {
		add("how many there are", func(body map[string]any) { body["Select"] = "COUNT"; delete(body, "ProjectionExpression") })
		add("whole items, by Select", func(body map[string]any) { body["Select"] = "ALL_ATTRIBUTES"; delete(body, "ProjectionExpression") })
		add("without Select", func(body map[string]any) { delete(body, "Select") })
	}
	if may := mayAsk[s.Role+" "+operation]; may != nil && strings.Contains(string(s.Body), recording.TableOf("PartnersTable")) {
		for _, kind := range kindsOfKeys {
			if !slices.Contains(may, kind) {
				add("a key of "+kind, func(body map[string]any) { rename(body, kind) })
			}
		}
	}
	if s.Role == importer && strings.Contains(string(s.Body), recording.TableOf("LedgerTable")) && operation == "Query" {
		add("who changed whose access", func(body map[string]any) { rename(body, "PARTNER#") })
	}
	if s.Role == importer && operation == "UpdateItem" && strings.Contains(string(s.Body), recording.TableOf("CustomersTable")) {
		add("a customer's name set", func(body map[string]any) {
			body["UpdateExpression"] = fmt.Sprint(body["UpdateExpression"], " REMOVE products")
		})
		add("a customer's line returned", func(body map[string]any) { body["ReturnValues"] = "ALL_NEW" })
	}
	return cases, err
}

// rename lets each text that begins as a key does begin as another kind does.
func rename(node any, kind string) {
	switch node := node.(type) {
	case map[string]any:
		for name, value := range node {
			if text, ok := value.(string); ok && name == "S" {
				for _, known := range append(slices.Clone(kindsOfKeys), "IMPORTS#", "WRITER") {
					if strings.HasPrefix(text, known) {
						node[name] = kind + strings.TrimPrefix(text, known)
					}
				}
				continue
			}
			rename(value, kind)
		}
	case []any:
		for _, value := range node {
			rename(value, kind)
		}
	}
}

// forNobody are requests that a function's role must refuse, whatever the function is.
func forNobody(role string) (cases []testCase) {
	add := func(action, resource string) {
		cases = append(cases, testCase{request{Request: recording.Request{Role: role, Action: action}, Resource: resource}, refused, "what no function may"})
	}
	const in = ":us-east-1:123456789012:"
	for _, id := range tables {
		table := "arn:aws:dynamodb" + in + "table/" + recording.TableOf(id)
		for _, action := range []string{"DeleteItem", "DescribeTable", "DeleteTable", "UpdateTable", "PartiQLSelect", "PartiQLUpdate", "ExportTableToPointInTime", "UpdateTimeToLive"} {
			add("dynamodb:"+action, table)
		}
		if role != importer || id == "PartnersTable" {
			for _, action := range []string{"Scan", "PutItem", "UpdateItem", "BatchWriteItem"} {
				add("dynamodb:"+action, table)
			}
		}
		add("dynamodb:Query", table+"-of-another-stack")
	}
	const bucket = "arn:aws:s3:::partnerview-inboxbucket-1"
	for _, key := range []string{"results/x.json", "failed/x.json", "elsewhere/x.json"} {
		add("s3:GetObject", bucket+"/"+key)
		add("s3:DeleteObject", bucket+"/"+key)
	}
	add("s3:PutObject", bucket+"/native/usage.ndjson")
	add("s3:PutObject", "arn:aws:s3:::partnerview-inboxbucket-2/results/x.json")
	add("s3:ListBucket", bucket)
	add("s3:PutBucketPolicy", bucket)
	add("lambda:InvokeFunction", "arn:aws:lambda"+in+"function:partnerview-"+importer+"-1")
	add("states:StartExecution", "arn:aws:states"+in+"stateMachine:partnerview-ImportStateMachine-1")
	add("logs:GetLogEvents", "arn:aws:logs"+in+"log-group:partnerview-GetUsageLogs-1:log-stream:x")
	add("logs:DeleteLogGroup", "arn:aws:logs"+in+"log-group:partnerview-GetUsageLogs-1")
	add("iam:PassRole", "arn:aws:iam::123456789012:role/partnerview")
	add("sts:AssumeRole", "arn:aws:iam::123456789012:role/partnerview")
	return cases
}
