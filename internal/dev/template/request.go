package template

import (
	"cmp"
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
	Attributes  []string // every top-level attribute named: projection, keys, conditions, filters, what is written
	Select      string   // as sent, or what DynamoDB takes where nothing says which; empty with a projection alone
	LeadingKeys []string // values of the partition key of the table or index
	Returns     string   // of a write, as sent: which values are returned; empty: none
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

// write is the body of a write, or one request of a batch, as far as IAM judges it.
type write struct {
	TableName, ReturnValues               string
	UpdateExpression, ConditionExpression string
	ExpressionAttributeNames              map[string]string
	Item, Key                             map[string]value
}

// batchedWrite is one request of a BatchWriteItem.
type batchedWrite struct{ PutRequest, DeleteRequest write }

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
// request for each table that it names, as IAM takes it. Of what neither reads nor writes items
// only the action and the table are read.
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
		case "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem":
			if request, err = t.write(request, byTable[table]); err != nil {
				return nil, err
			}
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
		if r.IndexName != "" {
			request.Select = "ALL_PROJECTED_ATTRIBUTES"
		}
	}
	named := make(map[string]bool)
	for _, expression := range []string{r.ProjectionExpression, r.KeyConditionExpression, r.FilterExpression} {
		if err := namedIn(expression, r.ExpressionAttributeNames, named); err != nil {
			return request, fmt.Errorf("%s on %s: %w", action, r.TableName, err)
		}
	}
	for _, key := range append(r.Keys, r.Key, r.ExclusiveStartKey) {
		for name := range key {
			named[name] = true
		}
	}
	request.Attributes = slices.Sorted(maps.Keys(named))
	request.LeadingKeys = r.leadingKeys(partition)
	return request, nil
}

// namedIn notes the attributes that an expression names.
func namedIn(expression string, names map[string]string, named map[string]bool) error {
	for _, name := range attributesIn(expression) {
		if real, ok := names[name]; ok {
			name = real
		}
		if strings.HasPrefix(name, "#") {
			return fmt.Errorf("%s stands for no attribute", name)
		}
		named[name] = true
	}
	return nil
}

// write reads what a write of items to a table names. body is the request's, or what a batch has
// for the table.
func (t *Template) write(request Request, body []byte) (Request, error) {
	table, ok := t.Table(request.Table)
	if !ok {
		return request, fmt.Errorf("%s: there is no table %q in the template", request.Action, request.Table)
	}
	writes := make([]write, 1)
	if request.Action == "dynamodb:BatchWriteItem" {
		var batch []batchedWrite
		if err := json.Unmarshal(body, &batch); err != nil {
			return request, fmt.Errorf("%s: %w", request.Action, err)
		}
		for _, b := range batch {
			writes = append(writes, b.PutRequest, b.DeleteRequest)
		}
	} else if err := json.Unmarshal(body, &writes[0]); err != nil {
		return request, fmt.Errorf("%s: %w", request.Action, err)
	}
	named := make(map[string]bool)
	for _, w := range writes {
		for _, expression := range []string{w.UpdateExpression, w.ConditionExpression} {
			if err := namedIn(expression, w.ExpressionAttributeNames, named); err != nil {
				return request, fmt.Errorf("%s on %s: %w", request.Action, request.Table, err)
			}
		}
		for _, attributes := range []map[string]value{w.Item, w.Key} {
			for name := range attributes {
				named[name] = true
			}
			if key, ok := attributes[table.Key.Partition]; ok {
				request.LeadingKeys = append(request.LeadingKeys, key.text())
			}
		}
		request.Returns = cmp.Or(w.ReturnValues, request.Returns)
	}
	request.Attributes = slices.Sorted(maps.Keys(named))
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
		"attribute_type", "begins_with", "contains", "size", "SET", "REMOVE", "ADD", "DELETE", "if_not_exists"}
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
