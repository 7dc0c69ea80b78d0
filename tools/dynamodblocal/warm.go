package dynamodblocal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/dev/local/engine"
	"partnerview/internal/dev/template"
)

// The engine is warm when it was asked often enough, and a round of calls, one of each
// operation, then took no longer than a call may that the product waits for.
const (
	leastRounds = 30
	warmRound   = time.Second
)

// Warm calls each operation of the engine that the product uses until it answers as it will
// later: a JVM loads and compiles as it is asked, and its first calls take longer than the
// product waits for any (internal/dynamo/retry.go).
func (e *Engine) Warm(ctx context.Context) error {
	table := template.Table{ID: "WarmUp", Name: "warm-up", Key: template.Key{Partition: "k", Sort: "s"},
		Attributes: map[string]string{"k": "S", "s": "S"}}
	tables := engine.NewTables(e.Endpoint)
	defer tables.Close()
	if _, err := tables.Create(ctx, []template.Table{table}); err != nil {
		return fmt.Errorf("warm up DynamoDB Local: %w", err)
	}
	w := warmer{tables.DB, table.Name}
	for n := 1; ; n++ {
		began := time.Now()
		if err := w.round(ctx); err != nil {
			return errors.Join(fmt.Errorf("warm up DynamoDB Local: %w", err), tables.Delete())
		}
		if n >= leastRounds && time.Since(began) < warmRound {
			return tables.Delete()
		}
	}
}

type warmer struct {
	db    *dynamodb.Client
	table string
}

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

// round is one call of each operation, with expressions as the product writes them.
func (w warmer) round(ctx context.Context) error {
	key := item{"k": text("key"), "s": text("sort")}
	named := map[string]string{"#k": "k", "#s": "s", "#n": "n"}
	full := item{"k": text("key"), "s": text("sort"), "n": &types.AttributeValueMemberN{Value: "1"},
		"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{text("one")}}}
	_, put := w.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &w.table, Item: full,
		ConditionExpression: aws.String("attribute_not_exists(#k) OR #n <> :n"), ExpressionAttributeNames: map[string]string{"#k": "k", "#n": "n"},
		ExpressionAttributeValues: item{":n": &types.AttributeValueMemberN{Value: "0"}}})
	_, update := w.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &w.table, Key: key,
		UpdateExpression: aws.String("SET #n = :n REMOVE #l"), ExpressionAttributeNames: map[string]string{"#n": "n", "#l": "l"},
		ExpressionAttributeValues: item{":n": &types.AttributeValueMemberN{Value: "2"}}})
	_, get := w.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &w.table, Key: key,
		ProjectionExpression: aws.String("#k, #s, #n"), ExpressionAttributeNames: named})
	_, query := w.db.Query(ctx, &dynamodb.QueryInput{TableName: &w.table,
		KeyConditionExpression: aws.String("#k = :k AND #s BETWEEN :a AND :z"), FilterExpression: aws.String("#n IN (:n)"),
		ProjectionExpression: aws.String("#k, #s, #n"), Select: types.SelectSpecificAttributes, ExpressionAttributeNames: named,
		ExpressionAttributeValues: item{":k": text("key"), ":a": text("a"), ":z": text("z"), ":n": &types.AttributeValueMemberN{Value: "2"}}})
	_, scan := w.db.Scan(ctx, &dynamodb.ScanInput{TableName: &w.table, Limit: aws.Int32(1)})
	_, batchGet := w.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{w.table: {Keys: []item{key}}}})
	_, batchWrite := w.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{w.table: {{PutRequest: &types.PutRequest{Item: full}}}}})
	_, remove := w.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &w.table, Key: key})
	return errors.Join(put, update, get, query, scan, batchGet, batchWrite, remove)
}
