package dynamotest

import (
	"crypto/rand"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/dev/local/engine"
	"partnerview/internal/dev/template"
	"partnerview/internal/dynamo"
)

// NewStore makes a store on fresh, empty tables.
func (e *Engine) NewStore(t testing.TB) *dynamo.Store {
	t.Helper()
	return dynamo.NewStore(e.Client(t), e.NewTables(t))
}

// Client makes a client of the engine, as functions make theirs. Options may
// put something between the two, such as a recorder of calls.
func (e *Engine) Client(t testing.TB, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	return ClientOf(t, e.Endpoint(t), options...)
}

// ClientOf makes a client of an endpoint on this machine, such as a proxy that
// stands before the engine.
func ClientOf(t testing.TB, endpoint string, options ...func(*dynamodb.Options)) *dynamodb.Client {
	t.Helper()
	db, err := dynamo.NewClient(func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": endpoint}[name]
	}, options...)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// NewTables creates the tables of template.yaml, under names that no other test
// has. In an engine that goes on running they are deleted with the test.
func (e *Engine) NewTables(t testing.TB) dynamo.Tables {
	t.Helper()
	e.read.Do(func() { e.written, e.unread = written() })
	if e.unread != nil {
		t.Fatal(e.unread)
	}
	suffix := "-" + rand.Text()
	named := slices.Clone(e.written)
	for i, table := range named {
		named[i].Name = table.ID + suffix
	}
	tables := engine.NewTables(e.Endpoint(t))
	if e.foreign() == "" {
		defer tables.Close()
	} else {
		t.Cleanup(func() {
			defer tables.Close()
			if err := tables.Delete(); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := tables.Create(t.Context(), named); err != nil {
		t.Fatal(err)
	}
	return dynamo.Tables{
		Partners: "PartnersTable" + suffix, Customers: "CustomersTable" + suffix,
		PriceLists: "PriceListsTable" + suffix, Usage: "UsageTable" + suffix,
		Totals: "TotalsTable" + suffix, Ledger: "LedgerTable" + suffix,
	}
}

// written is the tables of template.yaml. Some tests make tables by the hundred, and with -race
// to read it each time took a tenth of theirs.
func written() ([]template.Table, error) {
	root, err := repositoryRoot()
	if err != nil {
		return nil, err
	}
	t, err := template.Read(filepath.Join(root, "template.yaml"), nil)
	if err != nil {
		return nil, err
	}
	return t.Tables, nil
}
