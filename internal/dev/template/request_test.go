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
		{"another operation by its table alone", "PutItem", `{"TableName":"U","Item":{"log":{"S":"acme#sms"}}}`,
			[]template.Request{{Action: "dynamodb:PutItem", Table: "U"}}},
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
