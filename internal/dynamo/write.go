package dynamo

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/fault"
)

// persist repeats a call for as long as it is Unavailable: writes are the
// operator's, who can wait for a table that is throttled or an engine that
// restarts. How long is the context's to say; the error is then the call's last.
// Every write here may be repeated, since it puts the same again.
func persist(ctx context.Context, call func() error) error {
	var last error
	for attempt := 0; ; attempt++ {
		if err := pause(ctx, attempt); err != nil {
			if last != nil {
				return last
			}
			return fault.New(fault.Unavailable, "not begun", err)
		}
		if last = call(); !fault.Is(last, fault.Unavailable) {
			return last
		}
	}
}

// put writes one item in place of what has its key.
func (s *Store) put(ctx context.Context, op, table string, it item) error {
	return persist(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: it})
		return translate(op, err)
	})
}

// deleteItem deletes one item. It is no error if there is none.
func (s *Store) deleteItem(ctx context.Context, op, table string, key item) error {
	return persist(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: key})
		return translate(op, err)
	})
}

// update changes one item. NotFound: the input's condition does not hold.
func (s *Store) update(ctx context.Context, op string, in *dynamodb.UpdateItemInput) error {
	return persist(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		_, err := s.db.UpdateItem(ctx, in)
		if none := new(types.ConditionalCheckFailedException); errors.As(err, &none) {
			return fault.New(fault.NotFound, op, nil)
		}
		return translate(op, err)
	})
}

// maxBatchWrite is how many items DynamoDB takes in one BatchWriteItem.
const maxBatchWrite = 25

// putAll writes items, of which no two may have the same key.
func (s *Store) putAll(ctx context.Context, op, table string, items []item) error {
	requests := make([]types.WriteRequest, len(items))
	for i, it := range items {
		requests[i] = types.WriteRequest{PutRequest: &types.PutRequest{Item: it}}
	}
	return s.writeAll(ctx, op, table, requests)
}

// writeAll puts and deletes items, of which no two may have the same key, in
// calls of maxBatchWrite, at the store's pace. What DynamoDB leaves unprocessed
// under load is sent again. The SDK does not try again by itself: a refusal that it
// hides would not slow us down. An error may come when some are written.
func (s *Store) writeAll(ctx context.Context, op, table string, requests []types.WriteRequest) error {
	for left := range slices.Chunk(requests, maxBatchWrite) {
		err := s.paced(ctx, func() error {
			ctx, cancel := context.WithTimeout(ctx, callTimeout)
			defer cancel()
			out, err := s.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: left}}, once)
			if err != nil {
				return translate(op, err)
			}
			if left = out.UnprocessedItems[table]; len(left) > 0 {
				return fault.New(fault.Unavailable, op+": items left unprocessed", nil)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// once keeps the SDK from trying a call again.
func once(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// queryAll reads every item of a query, page by page.
func (s *Store) queryAll(ctx context.Context, q query) ([]item, error) {
	var items []item
	for {
		out, err := s.query(ctx, q)
		if err != nil {
			return nil, err
		}
		items = append(items, out.Items...)
		if out.LastEvaluatedKey == nil {
			return items, nil
		}
		q.start = out.LastEvaluatedKey
	}
}

// scan reads a whole table. It is for the operator's commands only: what it
// costs grows with the table.
func (s *Store) scan(ctx context.Context, op, table string, p projection) ([]item, error) {
	page := func(start item) (*dynamodb.ScanOutput, error) {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		return s.db.Scan(ctx, &dynamodb.ScanInput{
			TableName: &table, ProjectionExpression: &p.expression, ExpressionAttributeNames: p.names,
			ExclusiveStartKey: start, ConsistentRead: aws.Bool(true),
		})
	}
	var items []item
	for start := item(nil); ; {
		out, err := page(start)
		if err != nil {
			return nil, translate(op, err)
		}
		items = append(items, out.Items...)
		if start = out.LastEvaluatedKey; start == nil {
			return items, nil
		}
	}
}
