package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// Shape is a table's keys and indexes, as template.yaml has them.
type Shape struct {
	Key     []string            // the partition key, and the sort key if there is one
	Indexes map[string][]string // their keys, by name
	TTL     string              // the attribute by which items are deleted; empty: none
}

// TableCheck looks at one of the four tables.
type TableCheck struct {
	Name   string
	Wanted Shape

	store  *Store
	reads  []probe
	writes []probe
}

// TableChecks lists a check of each of the four tables.
func (s *Store) TableChecks() []TableCheck {
	return []TableCheck{
		{s.tables.Partners, Shape{Key: []string{"pk", "sk"}, Indexes: map[string][]string{"ByName": {"pk", "sortKey"}, "ByAccount": {"accountId", "pk"}}}, s,
			[]probe{batchGetItem, queryItems, queryIndex, scanItems}, []probe{putItem, updateItem, deleteItem}},
		{s.tables.Customers, Shape{Key: []string{"accountId"}}, s,
			[]probe{getItem, batchGetItem, scanItems}, []probe{putItem, updateItem, deleteItem}},
		{s.tables.PriceLists, Shape{Key: []string{"log", "effectiveFrom"}}, s,
			[]probe{queryItems}, []probe{batchWriteItem}},
		{s.tables.Usage, Shape{Key: []string{"log", "at"}, Indexes: map[string][]string{"ById": {"byId", "at"}}, TTL: "expiresAt"}, s,
			[]probe{batchGetItem, queryItems, queryIndex, scanItems}, []probe{batchWriteItem, updateItem}},
	}
}

// HoldsUsage reports whether it is the table of usage records.
func (c TableCheck) HoldsUsage() bool { return c.Name == c.store.tables.Usage }

// Found is a table as it is.
type Found struct {
	Shape
	ServerTime time.Time // by the engine's clock, to the second; zero: it does not tell
	AskedAt    time.Time // by ours, when it said so
}

// Describe reads the table's shape, but for its TTL attribute.
func (c TableCheck) Describe(ctx context.Context) (Found, error) {
	out, err := call(ctx, "describe "+c.Name, c.store.db.DescribeTable, &dynamodb.DescribeTableInput{TableName: &c.Name})
	if err != nil {
		return Found{}, err
	}
	found := Found{Shape: Shape{Key: keyOf(out.Table.KeySchema), Indexes: make(map[string][]string)}}
	for _, index := range out.Table.GlobalSecondaryIndexes {
		found.Indexes[aws.ToString(index.IndexName)] = keyOf(index.KeySchema)
	}
	found.ServerTime, _ = awsmiddleware.GetServerTime(out.ResultMetadata)
	found.AskedAt, _ = awsmiddleware.GetResponseAt(out.ResultMetadata)
	return found, nil
}

// DescribeTTL reads by which attribute the table's items are deleted; empty: none
// are.
func (c TableCheck) DescribeTTL(ctx context.Context) (string, error) {
	out, err := call(ctx, "describe the TTL of "+c.Name, c.store.db.DescribeTimeToLive, &dynamodb.DescribeTimeToLiveInput{TableName: &c.Name})
	if err != nil {
		return "", err
	}
	ttl := out.TimeToLiveDescription
	if ttl == nil || ttl.TimeToLiveStatus != types.TimeToLiveStatusEnabled && ttl.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
		return "", nil
	}
	return aws.ToString(ttl.AttributeName), nil
}

func keyOf(schema []types.KeySchemaElement) []string {
	key := make([]string, len(schema))
	for _, element := range schema {
		at := 0
		if element.KeyType == types.KeyTypeRange {
			at = len(schema) - 1
		}
		key[at] = aws.ToString(element.AttributeName)
	}
	return key
}

// Forbidden lists the operations of the operator's commands that the credentials
// may not use on the table, as "dynamodb:Scan". To find out it reads a key that
// nobody has, and asks for writes that cannot happen: nothing changes. Any other
// failure than a refusal is an error.
func (c TableCheck) Forbidden(ctx context.Context) (reads, writes []string, err error) {
	if reads, err = c.try(ctx, c.reads); err != nil {
		return nil, nil, err
	}
	writes, err = c.try(ctx, c.writes)
	return reads, writes, err
}

func (c TableCheck) try(ctx context.Context, probes []probe) (forbidden []string, err error) {
	for _, p := range probes {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		err := p.call(ctx, c)
		cancel()
		if err == nil || isConditionFailed(err) {
			continue
		}
		if isDenied(err) {
			forbidden = append(forbidden, "dynamodb:"+p.operation)
			continue
		}
		return nil, translate(p.operation+" on "+c.Name, err)
	}
	return forbidden, nil
}

func isDenied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException"
}

// probe is a call that reports whether an operation is allowed, and does nothing.
type probe struct {
	operation string
	call      func(context.Context, TableCheck) error
}

// nobodys is a key that no item has: no partner, account or log is called so.
func (c TableCheck) nobodys() item {
	key := item{}
	for _, name := range c.Wanted.Key {
		key[name] = str("#doctor")
	}
	return key
}

// never is a condition that no item meets, nor the lack of one.
func (c TableCheck) never() *string {
	return aws.String("attribute_exists(#key) AND attribute_not_exists(#key)")
}

// names are those of never: DynamoDB reserves words such as "log".
func (c TableCheck) names() map[string]string { return map[string]string{"#key": c.Wanted.Key[0]} }

var (
	getItem = probe{"GetItem", func(ctx context.Context, c TableCheck) error {
		_, err := c.store.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &c.Name, Key: c.nobodys()})
		return err
	}}
	batchGetItem = probe{"BatchGetItem", func(ctx context.Context, c TableCheck) error {
		_, err := c.store.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{c.Name: {Keys: []item{c.nobodys()}}}})
		return err
	}}
	queryItems = probe{"Query", func(ctx context.Context, c TableCheck) error {
		return c.query(ctx, nil, c.Wanted.Key[0])
	}}
	queryIndex = probe{"Query", func(ctx context.Context, c TableCheck) error {
		for name, key := range c.Wanted.Indexes {
			if err := c.query(ctx, &name, key[0]); err != nil {
				return err
			}
		}
		return nil
	}}
	scanItems = probe{"Scan", func(ctx context.Context, c TableCheck) error {
		_, err := c.store.db.Scan(ctx, &dynamodb.ScanInput{TableName: &c.Name, Limit: aws.Int32(1), ProjectionExpression: aws.String("#key"), ExpressionAttributeNames: c.names()})
		return err
	}}
	putItem = probe{"PutItem", func(ctx context.Context, c TableCheck) error {
		_, err := c.store.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &c.Name, Item: c.nobodys(), ConditionExpression: c.never(), ExpressionAttributeNames: c.names()})
		return err
	}}
	updateItem = probe{"UpdateItem", func(ctx context.Context, c TableCheck) error {
		_, err := c.store.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &c.Name, Key: c.nobodys(), ConditionExpression: c.never(), ExpressionAttributeNames: c.names(),
			UpdateExpression: aws.String("SET doctor = :x"), ExpressionAttributeValues: item{":x": str("x")},
		})
		return err
	}}
	deleteItem = probe{"DeleteItem", func(ctx context.Context, c TableCheck) error {
		_, err := c.store.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &c.Name, Key: c.nobodys(), ConditionExpression: c.never(), ExpressionAttributeNames: c.names()})
		return err
	}}
	batchWriteItem = probe{"BatchWriteItem", func(ctx context.Context, c TableCheck) error {
		nothing := types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: c.nobodys()}}
		_, err := c.store.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{c.Name: {nothing}}})
		return err
	}}
)

func (c TableCheck) query(ctx context.Context, index *string, partition string) error {
	_, err := c.store.db.Query(ctx, &dynamodb.QueryInput{
		TableName: &c.Name, IndexName: index, Limit: aws.Int32(1),
		KeyConditionExpression:    aws.String("#key = :nobody"),
		ExpressionAttributeNames:  map[string]string{"#key": partition},
		ExpressionAttributeValues: item{":nobody": str("#doctor")},
	})
	return err
}
