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

// Examined is one of the four tables, to be looked at.
type Examined struct {
	Name   string
	Wanted Shape

	store  *Store
	reads  []probe
	writes []probe
}

// Examine lists the four tables, to be looked at one by one.
func (s *Store) Examine() []Examined {
	return []Examined{
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
func (e Examined) HoldsUsage() bool { return e.Name == e.store.tables.Usage }

// Found is a table as it is.
type Found struct {
	Shape
	ServerTime time.Time // by the engine's clock, to the second; zero: it does not tell
	AskedAt    time.Time // by ours, when it said so
}

// Describe reads the table's shape, but for its TTL attribute.
func (e Examined) Describe(ctx context.Context) (Found, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := e.store.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &e.Name})
	if err != nil {
		return Found{}, translate("describe "+e.Name, err)
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
func (e Examined) DescribeTTL(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := e.store.db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &e.Name})
	if err != nil {
		return "", translate("describe the TTL of "+e.Name, err)
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
func (e Examined) Forbidden(ctx context.Context) (reads, writes []string, err error) {
	if reads, err = e.try(ctx, e.reads); err != nil {
		return nil, nil, err
	}
	writes, err = e.try(ctx, e.writes)
	return reads, writes, err
}

func (e Examined) try(ctx context.Context, probes []probe) (forbidden []string, err error) {
	for _, p := range probes {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		err := p.call(ctx, e)
		cancel()
		if err == nil || isCondition(err) {
			continue
		}
		if isDenied(err) {
			forbidden = append(forbidden, "dynamodb:"+p.operation)
			continue
		}
		return nil, translate(p.operation+" on "+e.Name, err)
	}
	return forbidden, nil
}

func isDenied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException"
}

func isCondition(err error) bool {
	never := new(types.ConditionalCheckFailedException)
	return errors.As(err, &never)
}

// probe is a call that tells whether an operation is allowed, and does nothing.
type probe struct {
	operation string
	call      func(context.Context, Examined) error
}

// nobodys is a key that no item has: no partner, account or log is called so.
func (e Examined) nobodys() item {
	key := item{}
	for _, name := range e.Wanted.Key {
		key[name] = str("#doctor")
	}
	return key
}

// never is a condition that no item meets, nor the lack of one.
func (e Examined) never() *string {
	return aws.String("attribute_exists(#key) AND attribute_not_exists(#key)")
}

// names are those of never: DynamoDB reserves words such as "log".
func (e Examined) names() map[string]string { return map[string]string{"#key": e.Wanted.Key[0]} }

var (
	getItem = probe{"GetItem", func(ctx context.Context, e Examined) error {
		_, err := e.store.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &e.Name, Key: e.nobodys()})
		return err
	}}
	batchGetItem = probe{"BatchGetItem", func(ctx context.Context, e Examined) error {
		_, err := e.store.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{e.Name: {Keys: []item{e.nobodys()}}}})
		return err
	}}
	queryItems = probe{"Query", func(ctx context.Context, e Examined) error {
		return e.query(ctx, nil, e.Wanted.Key[0])
	}}
	queryIndex = probe{"Query", func(ctx context.Context, e Examined) error {
		for name, key := range e.Wanted.Indexes {
			if err := e.query(ctx, &name, key[0]); err != nil {
				return err
			}
		}
		return nil
	}}
	scanItems = probe{"Scan", func(ctx context.Context, e Examined) error {
		_, err := e.store.db.Scan(ctx, &dynamodb.ScanInput{TableName: &e.Name, Limit: aws.Int32(1), ProjectionExpression: aws.String("#key"), ExpressionAttributeNames: e.names()})
		return err
	}}
	putItem = probe{"PutItem", func(ctx context.Context, e Examined) error {
		_, err := e.store.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &e.Name, Item: e.nobodys(), ConditionExpression: e.never(), ExpressionAttributeNames: e.names()})
		return err
	}}
	updateItem = probe{"UpdateItem", func(ctx context.Context, e Examined) error {
		_, err := e.store.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &e.Name, Key: e.nobodys(), ConditionExpression: e.never(), ExpressionAttributeNames: e.names(),
			UpdateExpression: aws.String("SET doctor = :x"), ExpressionAttributeValues: item{":x": str("x")},
		})
		return err
	}}
	deleteItem = probe{"DeleteItem", func(ctx context.Context, e Examined) error {
		_, err := e.store.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &e.Name, Key: e.nobodys(), ConditionExpression: e.never(), ExpressionAttributeNames: e.names()})
		return err
	}}
	batchWriteItem = probe{"BatchWriteItem", func(ctx context.Context, e Examined) error {
		nothing := types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: e.nobodys()}}
		_, err := e.store.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{e.Name: {nothing}}})
		return err
	}}
)

func (e Examined) query(ctx context.Context, index *string, partition string) error {
	_, err := e.store.db.Query(ctx, &dynamodb.QueryInput{
		TableName: &e.Name, IndexName: index, Limit: aws.Int32(1),
		KeyConditionExpression:    aws.String("#key = :nobody"),
		ExpressionAttributeNames:  map[string]string{"#key": partition},
		ExpressionAttributeValues: item{":nobody": str("#doctor")},
	})
	return err
}
