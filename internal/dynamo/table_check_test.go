package dynamo_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dev/template"
	"partnerview/internal/dynamo"
)

// What is wanted of the tables is what template.yaml makes.
func TestWantedShapesAreThoseOfTheTemplate(t *testing.T) {
	written, err := template.Read(filepath.Join("..", "..", "template.yaml"), nil)
	must(t, err)
	want := make(map[string]dynamo.Shape)
	for _, table := range written.Tables {
		shape := dynamo.Shape{Key: keyOf(table.Key), TTL: table.TTL}
		for _, index := range table.Indexes {
			if shape.Indexes == nil {
				shape.Indexes = make(map[string][]string)
			}
			shape.Indexes[index.Name] = keyOf(index.Key)
		}
		want[table.ID] = shape
	}
	got := make(map[string]dynamo.Shape)
	store := dynamo.NewStore(engine.Client(t), dynamo.Tables{Partners: "PartnersTable", Customers: "CustomersTable", PriceLists: "PriceListsTable", Usage: "UsageTable", Totals: "TotalsTable", Ledger: "LedgerTable"})
	for _, table := range store.TableChecks() {
		got[table.Name] = table.Wanted
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-template +wanted):\n%s", diff)
	}
}

func keyOf(k template.Key) []string {
	if k.Sort == "" {
		return []string{k.Partition}
	}
	return []string{k.Partition, k.Sort}
}
