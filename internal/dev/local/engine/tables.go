package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/dev/local/lambda"
	"partnerview/internal/dev/template"
)

// Tables makes the tables of a template in an engine. What the engine has no use
// for (encryption, recovery, the deletion of what is past its time) is left out.
type Tables struct {
	DB   *dynamodb.Client
	http *http.Client
	made []string
}

// Credential is both parts of everybody's. No engine on one machine looks at
// credentials, but the SDK wants some; and DynamoDB Local keeps tables apart by
// them, so all use the same.
const Credential = "local"

const (
	createTimeout = 30 * time.Second
	deleteTimeout = 10 * time.Second
)

// NewTables makes nothing yet in the engine of an endpoint. It is to be closed.
func NewTables(endpoint string) *Tables {
	t := &Tables{http: &http.Client{Transport: new(http.Transport)}}
	t.DB = dynamodb.New(dynamodb.Options{
		BaseEndpoint: &endpoint,
		Region:       lambda.Region,
		HTTPClient:   t.http,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: Credential, SecretAccessKey: Credential}, nil
		}),
	})
	return t
}

// Create makes the tables that are not there, waits until all can be used, and
// says how many it has made.
func (t *Tables) Create(ctx context.Context, wanted []template.Table) (made int, err error) {
	ctx, cancel := context.WithTimeout(ctx, createTimeout)
	defer cancel()
	for _, table := range wanted {
		_, err := t.DB.CreateTable(ctx, schema(table))
		var exists *types.ResourceInUseException
		if errors.As(err, &exists) {
			continue
		}
		if err != nil {
			return 0, oneLine(fmt.Errorf("create the table %s: %w", table.ID, err))
		}
		t.made = append(t.made, table.Name)
	}
	waiter := dynamodb.NewTableExistsWaiter(t.DB, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 5*time.Millisecond, 500*time.Millisecond
	})
	for _, table := range wanted {
		if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table.Name}, createTimeout); err != nil {
			return 0, oneLine(fmt.Errorf("wait for the table %s: %w", table.ID, err))
		}
	}
	return len(t.made), nil
}

// Delete removes the tables that were made and waits until they are gone: an engine answers when it has begun,
// and lists a table until it is done.
func (t *Tables) Delete() error {
	ctx, cancel := context.WithTimeout(context.Background(), deleteTimeout)
	defer cancel()
	waiter := dynamodb.NewTableNotExistsWaiter(t.DB, func(o *dynamodb.TableNotExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 5*time.Millisecond, 500*time.Millisecond
	})
	var errs []error
	var going []string
	for _, name := range t.made {
		if _, err := t.DB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			errs = append(errs, oneLine(fmt.Errorf("delete the table %s: %w", name, err)))
			continue
		}
		going = append(going, name)
	}
	for _, name := range going {
		if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, deleteTimeout); err != nil {
			errs = append(errs, oneLine(fmt.Errorf("wait for the table %s to be gone: %w", name, err)))
		}
	}
	t.made = nil
	return errors.Join(errs...)
}

// Close lets go of the connections.
func (t *Tables) Close() { t.http.CloseIdleConnections() }

func schema(table template.Table) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{TableName: &table.Name, BillingMode: types.BillingModePayPerRequest,
		KeySchema: keySchema(table.Key)}
	for name, typ := range table.Attributes {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &name, AttributeType: types.ScalarAttributeType(typ),
		})
	}
	for _, x := range table.Indexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &x.Name, KeySchema: keySchema(x.Key),
			Projection: &types.Projection{ProjectionType: types.ProjectionType(x.Projection),
				NonKeyAttributes: x.Included},
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

// oneLine makes an error fit to be shown as it is.
func oneLine(err error) error {
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}
