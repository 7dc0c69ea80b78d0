package template

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Request is one request to DynamoDB, as IAM judges it.
type Request struct {
	Action      string   // "dynamodb:Query"
	Table       string   // the table's name
	Index       string   // empty: the table itself
	Attributes  []string // every top-level attribute named: projection, keys, conditions, filters
	Select      string   // as sent, or "ALL_ATTRIBUTES" where nothing says which; empty with a projection alone
	LeadingKeys []string // values of the partition key of the table or index
}

// read is the body of a read, or what a batch has for one table, field for field as
// DynamoDB's API has it. Fields that are not here, such as the expressions'
// predecessors, are refused: they may name attributes.
type read struct {
	TableName, IndexName, Select string
	KeyConditionExpression       string
	FilterExpression             string
	ProjectionExpression         string
	ExpressionAttributeNames     map[string]string
	ExpressionAttributeValues    map[string]value
	Key, ExclusiveStartKey       map[string]value
	Keys                         []map[string]value // in a batch only
	Limit                        int
	ScanIndexForward             bool
	ConsistentRead               bool
	ReturnConsumedCapacity       string
}

// value is an attribute's value: {"S": "PARTNER#northwind"}.
type value map[string]any

func (v value) text() string {
	for _, x := range v {
		return fmt.Sprint(x)
	}
	return ""
}

// Requests reads what a client sent to DynamoDB: the header X-Amz-Target
// ("DynamoDB_20120810.Query") and the body. A BatchGetItem or BatchWriteItem is one
// request for each table that it names, as IAM takes it. Of other than reads only the action
// and the table are read.
func (t *Template) Requests(target string, body []byte) (requests []Request, err error) {
	_, operation, _ := strings.Cut(target, ".")
	var outer struct {
		TableName    string
		RequestItems map[string]json.RawMessage
	}
	if err := json.Unmarshal(body, &outer); err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	byTable := outer.RequestItems
	if !strings.HasPrefix(operation, "Batch") {
		byTable = map[string]json.RawMessage{outer.TableName: body}
	}
	for _, table := range slices.Sorted(maps.Keys(byTable)) {
		request := Request{Action: "dynamodb:" + operation, Table: table}
		switch operation {
		case "GetItem", "Query", "BatchGetItem":
			var r read
			if err := decodeStrictly(byTable[table], &r); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", operation, table, err)
			}
			r.TableName = table
			if request, err = t.request(request.Action, r); err != nil {
				return nil, err
			}
		}
		requests = append(requests, request)
	}
	return requests, nil
}

func (t *Template) request(action string, r read) (Request, error) {
	request := Request{Action: action, Table: r.TableName, Index: r.IndexName, Select: r.Select}
	table, ok := t.Table(r.TableName)
	if !ok {
		return request, fmt.Errorf("%s: there is no table %q in the template", action, r.TableName)
	}
	partition := table.Key.Partition
	for _, i := range table.Indexes {
		if i.Name == r.IndexName {
			partition = i.Key.Partition
		}
	}
	if r.Select == "" && r.ProjectionExpression == "" {
		request.Select = "ALL_ATTRIBUTES"
	}
	named := make(map[string]bool)
	for _, expression := range []string{r.ProjectionExpression, r.KeyConditionExpression, r.FilterExpression} {
		for _, name := range attributesIn(expression) {
			if real, ok := r.ExpressionAttributeNames[name]; ok {
				name = real
			}
			if strings.HasPrefix(name, "#") {
				return request, fmt.Errorf("%s on %s: %s stands for no attribute", action, r.TableName, name)
			}
			named[name] = true
		}
	}
	for _, key := range append(r.Keys, r.Key, r.ExclusiveStartKey) {
		for name := range key {
			named[name] = true
		}
	}
	for name := range named {
		request.Attributes = append(request.Attributes, name)
	}
	slices.Sort(request.Attributes)
	request.LeadingKeys = r.leadingKeys(partition)
	return request, nil
}

// leadingKeys are the values that a read gives for the partition key.
func (r read) leadingKeys(partition string) (keys []string) {
	for _, key := range append(r.Keys, r.Key) {
		if v, ok := key[partition]; ok {
			keys = append(keys, v.text())
		}
	}
	for _, equal := range equality.FindAllStringSubmatch(r.KeyConditionExpression, -1) {
		name, place := equal[1], equal[2]
		if name == partition || r.ExpressionAttributeNames[name] == partition {
			keys = append(keys, r.ExpressionAttributeValues[place].text())
		}
	}
	return keys
}

var (
	equality = regexp.MustCompile(`(#?\w+)\s*=\s*(:\w+)`)
	word     = regexp.MustCompile(`[#:]?\w+(?:\.#?\w+|\[\d+\])*`)
	notNames = []string{"AND", "OR", "NOT", "BETWEEN", "IN", "attribute_exists", "attribute_not_exists",
		"attribute_type", "begins_with", "contains", "size"}
)

// attributesIn are the top-level attributes that an expression names, with their
// placeholders unresolved: "#a.b[0] = :v" names #a.
func attributesIn(expression string) (names []string) {
	for _, w := range word.FindAllString(expression, -1) {
		w = w[:strings.IndexAny(w+".", ".[")]
		if w[0] != ':' && !slices.Contains(notNames, w) {
			names = append(names, w)
		}
	}
	return names
}
