package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/dev/local/lambda"
	"partnerview/internal/dev/template"
)

// tables makes the tables of a template in an engine. What the engine has no use
// for (encryption, recovery, the deletion of what is past its time) is left out.
type tables struct {
	db   *dynamodb.Client
	http *http.Client
	made []string
}

// No engine on one machine looks at credentials, but the SDK wants some; and
// DynamoDB Local keeps tables apart by them, so all use the same.
const dummyCredential = "local"

const (
	createTimeout = 30 * time.Second
	deleteTimeout = 5 * time.Second
)

func newTables(endpoint string) *tables {
	t := &tables{http: &http.Client{Transport: new(http.Transport)}}
	t.db = dynamodb.New(dynamodb.Options{
		BaseEndpoint: &endpoint,
		Region:       lambda.Region,
		HTTPClient:   t.http,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: dummyCredential, SecretAccessKey: dummyCredential}, nil
		}),
	})
	return t
}

// CreateTables makes the tables of a template in an engine, as Start does, and
// returns when they can be used.
func CreateTables(ctx context.Context, endpoint string, wanted []template.Table) error {
	t := newTables(endpoint)
	defer t.close()
	_, err := t.create(ctx, wanted)
	return err
}

// create makes the tables that are not there, waits until all can be used, and
// says how many it has made.
func (t *tables) create(ctx context.Context, wanted []template.Table) (made int, err error) {
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	for _, table := range wanted {
		_, err := t.db.CreateTable(ctx, schema(table))
		var exists *types.ResourceInUseException
		if errors.As(err, &exists) {
			continue
		}
		if err != nil {
			return 0, oneLine(fmt.Errorf("create the table %s: %w", table.ID, err))
		}
		t.made = append(t.made, table.Name)
	}
	waiter := dynamodb.NewTableExistsWaiter(t.db, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 500*time.Millisecond
	})
	for _, table := range wanted {
		if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table.Name}, createTimeout); err != nil {
			return 0, oneLine(fmt.Errorf("wait for the table %s: %w", table.ID, err))
		}
	}
	return len(t.made), nil
}

// delete removes the tables that were made.
func (t *tables) delete() error {
	ctx, cancel := context.WithTimeout(context.Background(), deleteTimeout)
	defer cancel()
	var errs []error
	for _, name := range t.made {
		if _, err := t.db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			errs = append(errs, oneLine(fmt.Errorf("delete the table %s: %w", name, err)))
		}
	}
	t.made = nil
	return errors.Join(errs...)
}

// close lets go of the connections.
func (t *tables) close() { t.http.CloseIdleConnections() }

func schema(table template.Table) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: &table.Name, BillingMode: types.BillingModePayPerRequest, KeySchema: keySchema(table.Key)}
	for name, typ := range table.Attributes {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &name, AttributeType: types.ScalarAttributeType(typ),
		})
	}
	for _, x := range table.Indexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &x.Name, KeySchema: keySchema(x.Key),
			Projection: &types.Projection{ProjectionType: types.ProjectionType(x.Projection), NonKeyAttributes: x.Included},
		})
	}
	return in
}

func keySchema(k template.Key) []types.KeySchemaElement {
	schema := []types.KeySchemaElement{{AttributeName: &k.Partition, KeyType: types.KeyTypeHash}}
	if k.Sort != "" {
		schema = append(schema, types.KeySchemaElement{AttributeName: &k.Sort, KeyType: types.KeyTypeRange})
	}
	return schema
}
