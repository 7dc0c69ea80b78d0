package dynamotest

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/dynamo"
)

// ChargesForWhatIsNotThere reports whether the engine counts units for the keys of a
// BatchGetItem that it does not find, as AWS and dynalite do, and DynamoDB Local does
// not. Where it does not, a test cannot compare units. The tables are those of a test.
func (e *Engine) ChargesForWhatIsNotThere(t testing.TB, tables dynamo.Tables) bool {
	t.Helper()
	nobody := map[string]types.AttributeValue{"accountId": &types.AttributeValueMemberS{Value: "nobody"}}
	keys := types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{nobody}}
	out, err := e.Client(t).BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{
		RequestItems:           map[string]types.KeysAndAttributes{tables.Customers: keys},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.ConsumedCapacity) == 1 && *out.ConsumedCapacity[0].CapacityUnits > 0
}
