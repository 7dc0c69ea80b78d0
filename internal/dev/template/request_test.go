package template_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dev/template"
)

func TestARequestNamesWhatItTouches(t *testing.T) {
	tmpl := read(t, map[string]string{"PartnersTable": "P", "CustomersTable": "C", "UsageTable": "U"})
	for _, c := range []struct {
		name, operation, body string
		want                  []template.Request
	}{
		{"an item by its key", "GetItem",
			`{"TableName":"P","Key":{"pk":{"S":"KEY#a"},"sk":{"S":"PROFILE"}},"ProjectionExpression":"#h,expiresAt","ExpressionAttributeNames":{"#h":"hash"},"ConsistentRead":true}`,
			[]template.Request{{Action: "dynamodb:GetItem", Table: "P", Attributes: []string{"expiresAt", "hash", "pk", "sk"}, LeadingKeys: []string{"KEY#a"}}}},
		{"an item without a projection is asked for whole", "GetItem", `{"TableName":"C","Key":{"accountId":{"S":"acme"}}}`,
			[]template.Request{{Action: "dynamodb:GetItem", Table: "C", Select: "ALL_ATTRIBUTES", Attributes: []string{"accountId"}, LeadingKeys: []string{"acme"}}}},
		{"a query by its conditions, filter and start", "Query",
			`{"TableName":"U","Select":"SPECIFIC_ATTRIBUTES","KeyConditionExpression":"#log = :l AND #at BETWEEN :from AND :to","FilterExpression":"begins_with(#s, :s) AND size(category) > :n OR channel IN (:a, :b)",
			"ProjectionExpression":"#from.first,rates[0].unit","ExpressionAttributeNames":{"#log":"log","#at":"at","#s":"status","#from":"from"},"ExpressionAttributeValues":{":l":{"S":"acme#sms"}},
			"ExclusiveStartKey":{"byId":{"S":"x"}},"Limit":5,"ScanIndexForward":false,"ReturnConsumedCapacity":"TOTAL"}`,
			[]template.Request{{Action: "dynamodb:Query", Table: "U", Select: "SPECIFIC_ATTRIBUTES", LeadingKeys: []string{"acme#sms"},
				Attributes: []string{"at", "byId", "category", "channel", "from", "log", "rates", "status"}}}},
		{"a query of an index by the index's key", "Query",
			`{"TableName":"U","IndexName":"ById","KeyConditionExpression":"byId = :id","ProjectionExpression":"at","ExpressionAttributeValues":{":id":{"S":"acme#sms#u-1"}}}`,
			[]template.Request{{Action: "dynamodb:Query", Table: "U", Index: "ById", Attributes: []string{"at", "byId"}, LeadingKeys: []string{"acme#sms#u-1"}}}},
		{"a batch by its tables", "BatchGetItem",
			`{"RequestItems":{"P":{"Keys":[{"pk":{"S":"PARTNER#a"},"sk":{"S":"PROFILE"}},{"pk":{"S":"PARTNER#b"},"sk":{"S":"PROFILE"}}],"ProjectionExpression":"#s","ExpressionAttributeNames":{"#s":"status"}},
			"C":{"Keys":[{"accountId":{"S":"acme"}}]}}}`,
			[]template.Request{
				{Action: "dynamodb:BatchGetItem", Table: "C", Select: "ALL_ATTRIBUTES", Attributes: []string{"accountId"}, LeadingKeys: []string{"acme"}},
				{Action: "dynamodb:BatchGetItem", Table: "P", Attributes: []string{"pk", "sk", "status"}, LeadingKeys: []string{"PARTNER#a", "PARTNER#b"}}}},
		{"an item that is put, by all that it has", "PutItem", `{"TableName":"U","Item":{"log":{"S":"acme#sms"},"to":{"S":"****0123"}},"ConditionExpression":"attribute_not_exists(#at)","ExpressionAttributeNames":{"#at":"at"}}`,
			[]template.Request{{Action: "dynamodb:PutItem", Table: "U", Attributes: []string{"at", "log", "to"}, LeadingKeys: []string{"acme#sms"}}}},
		{"a change by its key, expressions and what it returns", "UpdateItem",
			`{"TableName":"C","Key":{"accountId":{"S":"acme"}},"UpdateExpression":"SET #c = if_not_exists(remainingCredit, :c) REMOVE creditLimit","ConditionExpression":"creditAsOf <= :at","ExpressionAttributeNames":{"#c":"currency"},"ReturnValues":"ALL_NEW"}`,
			[]template.Request{{Action: "dynamodb:UpdateItem", Table: "C", Returns: "ALL_NEW", LeadingKeys: []string{"acme"},
				Attributes: []string{"accountId", "creditAsOf", "creditLimit", "currency", "remainingCredit"}}}},
		{"a deletion by its key", "DeleteItem", `{"TableName":"C","Key":{"accountId":{"S":"acme"}}}`,
			[]template.Request{{Action: "dynamodb:DeleteItem", Table: "C", Attributes: []string{"accountId"}, LeadingKeys: []string{"acme"}}}},
		{"a batch of writes by all of them", "BatchWriteItem",
			`{"RequestItems":{"U":[{"PutRequest":{"Item":{"log":{"S":"a#sms"},"to":{"S":"x"}}}},{"DeleteRequest":{"Key":{"log":{"S":"b#sms"},"at":{"S":"y"}}}}]}}`,
			[]template.Request{{Action: "dynamodb:BatchWriteItem", Table: "U", Attributes: []string{"at", "log", "to"}, LeadingKeys: []string{"a#sms", "b#sms"}}}},
		{"another operation by its table alone", "Scan", `{"TableName":"U","ProjectionExpression":"log"}`,
			[]template.Request{{Action: "dynamodb:Scan", Table: "U"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := tmpl.Requests("DynamoDB_20120810."+c.operation, []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARequestThatIsNotUnderstoodIsAnError(t *testing.T) {
	tmpl := read(t, nil)
	for _, c := range []struct{ name, operation, body, want string }{
		{"the projections' predecessor", "GetItem", `{"TableName":"UsageTable","AttributesToGet":["content"]}`, "AttributesToGet"},
		{"the filters' predecessor", "Query", `{"TableName":"UsageTable","QueryFilter":{}}`, "QueryFilter"},
		{"the same within a batch", "BatchGetItem", `{"RequestItems":{"UsageTable":{"AttributesToGet":["content"]}}}`, "AttributesToGet"},
		{"a write to a table of somebody else", "PutItem", `{"TableName":"Secrets","Item":{}}`, `no table "Secrets"`},
		{"a placeholder of a write for nothing", "UpdateItem", `{"TableName":"UsageTable","UpdateExpression":"SET #content = :c"}`, "#content stands for no attribute"},
		{"a table of somebody else", "Query", `{"TableName":"Secrets"}`, `no table "Secrets"`},
		{"a placeholder for nothing", "Query", `{"TableName":"UsageTable","ProjectionExpression":"#content"}`, "#content stands for no attribute"},
		{"what is no JSON", "Query", `{`, "Query"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := tmpl.Requests("DynamoDB_20120810."+c.operation, []byte(c.body)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
