package dynamotest

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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
		if name == "AWS_ENDPOINT_URL_DYNAMODB" {
			return endpoint
		}
		return ""
	}, options...)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// NewTables creates the tables of template.yaml, under names that no other test
// has.
func (e *Engine) NewTables(t testing.TB) dynamo.Tables {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	root, err := repositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	written, err := template.Read(filepath.Join(root, "template.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	db, suffix := e.Client(t), "-"+rand.Text()
	for _, table := range written.Tables {
		name := table.ID + suffix
		if _, err := db.CreateTable(ctx, schema(name, table)); err != nil {
			t.Fatal(err)
		}
		if err := dynamodb.NewTableExistsWaiter(db, quickly).Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, 10*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	return dynamo.Tables{
		Partners: "PartnersTable" + suffix, Customers: "CustomersTable" + suffix,
		PriceLists: "PriceListsTable" + suffix, Usage: "UsageTable" + suffix,
	}
}

func quickly(o *dynamodb.TableExistsWaiterOptions) {
	o.MinDelay, o.MaxDelay = 5*time.Millisecond, 50*time.Millisecond
}

func schema(name string, table template.Table) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: keySchema(table.Key)}
	for attribute, kind := range table.Attributes {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: &attribute, AttributeType: types.ScalarAttributeType(kind)})
	}
	for _, index := range table.Indexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &index.Name, KeySchema: keySchema(index.Key),
			Projection: &types.Projection{ProjectionType: types.ProjectionType(index.Projection), NonKeyAttributes: index.Included},
		})
	}
	return in
}

func keySchema(key template.Key) []types.KeySchemaElement {
	elements := []types.KeySchemaElement{{AttributeName: &key.Partition, KeyType: types.KeyTypeHash}}
	if key.Sort != "" {
		elements = append(elements, types.KeySchemaElement{AttributeName: &key.Sort, KeyType: types.KeyTypeRange})
	}
	return elements
}
