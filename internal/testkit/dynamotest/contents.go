package dynamotest

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/dynamo"
)

// Contents are what tables hold, item by item, to be put into others: in a test that begins
// anew again and again, that takes a small part of what a product takes to make them.
type Contents struct {
	items [][]map[string]types.AttributeValue // by the table's place in names
}

// names are all tables, always in the same order.
func names(t dynamo.Tables) []string {
	return []string{t.Partners, t.Customers, t.PriceLists, t.Usage, t.Totals, t.Ledger}
}

// Contents reads all items of tables.
func (e *Engine) Contents(t testing.TB, tables dynamo.Tables) (c Contents) {
	t.Helper()
	db := e.Client(t)
	for _, name := range names(tables) {
		var items []map[string]types.AttributeValue
		pages := dynamodb.NewScanPaginator(db, &dynamodb.ScanInput{TableName: &name})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, page.Items...)
		}
		c.items = append(c.items, items)
	}
	return c
}

// mostInABatch is how many items BatchWriteItem takes.
const mostInABatch = 25

// Fill puts contents into tables that are empty.
func (e *Engine) Fill(t testing.TB, tables dynamo.Tables, c Contents) {
	t.Helper()
	db := e.Client(t)
	for i, name := range names(tables) {
		for batch := range slices.Chunk(c.items[i], mostInABatch) {
			writes := make([]types.WriteRequest, len(batch))
			for i, item := range batch {
				writes[i].PutRequest = &types.PutRequest{Item: item}
			}
			in := dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{name: writes}}
			out, err := db.BatchWriteItem(t.Context(), &in)
			if err != nil {
				t.Fatal(err)
			}
			if len(out.UnprocessedItems) > 0 {
				t.Fatalf("the engine has not put all items into %s", name)
			}
		}
	}
}
