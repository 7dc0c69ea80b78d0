package dynamo

import (
	"context"
	"errors"
	"strings"
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

// TableCheck looks at one of the six tables.
type TableCheck struct {
	Name   string
	Wanted Shape

	store         *Store
	reads, writes []operation // of the operator's commands
}

// TableChecks lists a check of each of the six tables.
func (s *Store) TableChecks() []TableCheck {
	partners := Shape{
		Key:     []string{"pk", "sk"},
		Indexes: map[string][]string{"ByName": {"pk", "sortKey"}, "ByAccount": {"accountId", "pk"}},
	}
	records := Shape{Key: []string{"log", "at"}, Indexes: map[string][]string{"ById": {"byId", "at"}}, TTL: "expiresAt"}
	return []TableCheck{
		{s.tables.Partners, partners, s,
			[]operation{batchGetItem, queryItems, queryIndex, scan}, []operation{putItem, updateItem, deleteItem}},
		{s.tables.Customers, Shape{Key: []string{"accountId"}}, s,
			[]operation{getItem, batchGetItem, scan}, []operation{putItem, updateItem, deleteItem}},
		{s.tables.PriceLists, Shape{Key: []string{"log", "effectiveFrom"}}, s,
			[]operation{queryItems}, []operation{batchWriteItem}},
		{s.tables.Usage, records, s,
			[]operation{batchGetItem, queryItems, queryIndex, scan}, []operation{batchWriteItem, updateItem}},
		{s.tables.Totals, Shape{Key: []string{"pk", "sk"}}, s,
			[]operation{getItem, batchGetItem, queryItems, scan}, []operation{putItem, updateItem, batchWriteItem}},
		{s.tables.Ledger, Shape{Key: []string{"pk", "sk"}, TTL: "expiresAt"}, s,
			[]operation{batchGetItem, queryItems},
			[]operation{putItem, updateItem, deleteItem, batchWriteItem}},
	}
}

// HoldsPartners reports whether it is the table of partners, their viewers and grants.
func (c TableCheck) HoldsPartners() bool { return c.Name == c.store.tables.Partners }

// HoldsUsage reports whether it is the table of usage records.
func (c TableCheck) HoldsUsage() bool { return c.Name == c.store.tables.Usage }

// HoldsTotals reports whether it is the table of totals.
func (c TableCheck) HoldsTotals() bool { return c.Name == c.store.tables.Totals }

// HoldsLedger reports whether it is the table in which writers say what they are at.
func (c TableCheck) HoldsLedger() bool { return c.Name == c.store.tables.Ledger }

// Found is a table as it is.
type Found struct {
	Shape
	ServerTime time.Time // by the engine's clock, to the second; zero: it does not tell
	AskedAt    time.Time // by ours, when it said so
}

// Describe reads the table's shape, but for its TTL attribute.
func (c TableCheck) Describe(ctx context.Context) (Found, error) {
	out, err := call(ctx, "describe "+c.Name, c.store.db.DescribeTable,
		&dynamodb.DescribeTableInput{TableName: &c.Name})
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
	out, err := call(ctx, "describe the TTL of "+c.Name, c.store.db.DescribeTimeToLive,
		&dynamodb.DescribeTimeToLiveInput{TableName: &c.Name})
	if err != nil {
		return "", err
	}
	ttl := out.TimeToLiveDescription
	if ttl == nil || ttl.TimeToLiveStatus != types.TimeToLiveStatusEnabled &&
		ttl.TimeToLiveStatus != types.TimeToLiveStatusEnabling {
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

func (c TableCheck) try(ctx context.Context, operations []operation) (forbidden []string, err error) {
	for _, o := range operations {
		name := strings.TrimSuffix(string(o), ofIndex)
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		err := c.probe(ctx, o)
		cancel()
		var api smithy.APIError
		switch {
		case err == nil, isConditionFailed(err):
		case errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException":
			forbidden = append(forbidden, "dynamodb:"+name)
		default:
			return nil, translate(name+" on "+c.Name, err)
		}
	}
	return forbidden, nil
}

// operation is one of DynamoDB's, as policies name it.
type operation string

const (
	getItem        operation = "GetItem"
	batchGetItem   operation = "BatchGetItem"
	queryItems     operation = "Query"
	queryIndex               = queryItems + ofIndex
	scan           operation = "Scan"
	putItem        operation = "PutItem"
	updateItem     operation = "UpdateItem"
	deleteItem     operation = "DeleteItem"
	batchWriteItem operation = "BatchWriteItem"

	ofIndex = " of an index" // which has a right of its own
)

// probe makes a call that reports whether an operation is allowed, and does nothing.
func (c TableCheck) probe(ctx context.Context, o operation) error {
	db, table := c.store.db, &c.Name
	nobodys := item{} // a key that no item has: no partner, account or log is called so
	for _, name := range c.Wanted.Key {
		nobodys[name] = str("#doctor")
	}
	// met by no item, nor by the lack of one
	never := aws.String("attribute_exists(#key) AND attribute_not_exists(#key)")
	// DynamoDB reserves words such as "log"
	names := map[string]string{"#key": c.Wanted.Key[0]}
	var err error
	switch o {
	case getItem:
		_, err = db.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: nobodys})
	case batchGetItem:
		wanted := types.KeysAndAttributes{Keys: []item{nobodys}}
		_, err = db.BatchGetItem(ctx,
			&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{*table: wanted}})
	case queryItems:
		err = c.query(ctx, nil, c.Wanted.Key[0])
	case queryIndex:
		for name, key := range c.Wanted.Indexes {
			if err = c.query(ctx, &name, key[0]); err != nil {
				break
			}
		}
	case scan:
		_, err = db.Scan(ctx, &dynamodb.ScanInput{
			TableName: table, Limit: aws.Int32(1), ProjectionExpression: aws.String("#key"),
			ExpressionAttributeNames: names,
		})
	case putItem:
		_, err = db.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: table, Item: nobodys, ConditionExpression: never, ExpressionAttributeNames: names,
		})
	case updateItem:
		_, err = db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: table, Key: nobodys, ConditionExpression: never, ExpressionAttributeNames: names,
			UpdateExpression: aws.String("SET doctor = :x"), ExpressionAttributeValues: item{":x": str("x")},
		})
	case deleteItem:
		_, err = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: table, Key: nobodys, ConditionExpression: never, ExpressionAttributeNames: names,
		})
	case batchWriteItem:
		nothing := types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: nobodys}}
		_, err = db.BatchWriteItem(ctx,
			&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*table: {nothing}}})
	}
	return err
}

func (c TableCheck) query(ctx context.Context, index *string, partition string) error {
	_, err := c.store.db.Query(ctx, &dynamodb.QueryInput{
		TableName: &c.Name, IndexName: index, Limit: aws.Int32(1),
		KeyConditionExpression:    aws.String("#key = :nobody"),
		ExpressionAttributeNames:  map[string]string{"#key": partition},
		ExpressionAttributeValues: item{":nobody": str("#doctor")},
	})
	return err
}
