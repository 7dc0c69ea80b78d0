package dynamo

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/fault"
)

// Store reads and writes the six tables. Its methods may be called from
// several goroutines. Each call to DynamoDB ends within three seconds, a scan's within twenty,
// or sooner if its context does; an error is a fault of package fault:
// Unavailable where trying again may help, NotFound where a method says so, else
// Internal. A write is tried again, call by call, until its context ends: it is
// the operator's, who can wait.
type Store struct {
	// Consumed is told the capacity units of each read, from several goroutines;
	// nil: nobody wants to know.
	Consumed func(context.Context, float64)

	db      *dynamodb.Client
	tables  Tables
	lists   listCache
	limiter *limiter // of the calls that write usage

	sheetBytes int // how long the text of a day's totals may be in one item; 0: maxSheetBytes
}

// NewStore makes a store of a client and the names of the tables that it will be
// asked for. What the client is answered counts only with its checksum.
func NewStore(db *dynamodb.Client, tables Tables) *Store {
	checked := dynamodb.New(db.Options(), func(o *dynamodb.Options) {
		o.HTTPClient = verified{o.HTTPClient}
		o.DisableValidateResponseChecksum = true // once is enough
	})
	return &Store{db: checked, tables: tables, limiter: newLimiter()}
}

// option changes how the client makes one call.
type option = func(*dynamodb.Options)

// call makes one call, which ends within callTimeout.
func call[In, Out any](ctx context.Context, op string,
	send func(context.Context, *In, ...option) (*Out, error), in *In, options ...option) (*Out, error) {
	return callWithin(ctx, callTimeout, op, send, in, options...)
}

func callWithin[In, Out any](ctx context.Context, limit time.Duration, op string,
	send func(context.Context, *In, ...option) (*Out, error), in *In, options ...option) (*Out, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	growStack()
	out, err := send(ctx, in, options...)
	return out, translate(op, err)
}

// growStack makes room on the stack for a call of the SDK, whose middleware is some
// sixty functions deep. A new goroutine begins with a small stack; grown step by
// step in the middle of a call, each step would copy and adjust all of those
// frames. The first call of a goroutine takes a tenth less time so
// (docs/decisions/042-stack.md).
//
//go:noinline
func growStack() {
	var room [24 << 10]byte
	runtime.KeepAlive(&room)
}

// translate makes a fault of an SDK error.
func translate(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case mayPass(err):
		return fault.New(fault.Unavailable, op, err)
	}
	return fault.New(fault.Internal, op, err)
}

// badItem says that what is stored cannot be read. Which item it is, is told;
// what it holds, is not.
func badItem(kind, key string, cause error) error {
	return fault.New(fault.Internal, fmt.Sprintf("dynamo: %s %q", kind, key), cause)
}

// IsMissingTable reports whether an error is that a table does not exist.
func IsMissingTable(err error) bool {
	missing := new(types.ResourceNotFoundException)
	return errors.As(err, &missing)
}

// isConditionFailed reports whether an error is that a write's condition does not
// hold.
func isConditionFailed(err error) bool {
	failed := new(types.ConditionalCheckFailedException)
	return errors.As(err, &failed)
}

// get reads one item. NotFound: there is none.
func (s *Store) get(ctx context.Context, op, table string, key item, p projection) (item, error) {
	out, err := call(ctx, op, s.db.GetItem, &dynamodb.GetItemInput{
		TableName: &table, Key: key,
		ProjectionExpression: &p.expression, ExpressionAttributeNames: p.names,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return nil, err
	}
	s.consumed(ctx, out.ConsumedCapacity)
	if out.Item == nil {
		return nil, fault.New(fault.NotFound, op, nil)
	}
	return out.Item, nil
}

func (s *Store) consumed(ctx context.Context, c *types.ConsumedCapacity) {
	if s.Consumed != nil && c != nil {
		s.Consumed(ctx, aws.ToFloat64(c.CapacityUnits))
	}
}

// getConsistent reads one item as the last write has left it. NotFound: there is
// none.
func (s *Store) getConsistent(ctx context.Context, op, table string, key item, p projection) (item, error) {
	items, err := s.batchGet(ctx, op, table, []item{key}, p, true)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, fault.New(fault.NotFound, op, nil)
	}
	return items[0], nil
}

// maxBatchGet is how many keys DynamoDB takes in one BatchGetItem.
const maxBatchGet = 100

// batchGet reads up to maxBatchGet items in one call; those that do not exist are
// not in the answer, whose order is DynamoDB's. Consistent, it sees every write that
// was answered before. Keys that DynamoDB leaves unprocessed under load are asked for
// again, a few times.
func (s *Store) batchGet(ctx context.Context, op, table string, keys []item, p projection, consistent bool,
	options ...option) ([]item, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	wanted := types.KeysAndAttributes{Keys: keys, ProjectionExpression: &p.expression,
		ExpressionAttributeNames: p.names}
	if consistent {
		wanted.ConsistentRead = &consistent
	}
	asked := map[string]types.KeysAndAttributes{table: wanted}
	var items []item
	for attempt := 0; len(asked) > 0; attempt++ {
		if attempt == 4 {
			return nil, fault.New(fault.Unavailable, op+": keys left unprocessed", nil)
		}
		if err := backoff(ctx, attempt); err != nil {
			return nil, fault.New(fault.Unavailable, op, err)
		}
		out, err := call(ctx, op, s.db.BatchGetItem,
			&dynamodb.BatchGetItemInput{RequestItems: asked, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal},
			options...)
		if err != nil {
			return nil, err
		}
		for _, c := range out.ConsumedCapacity {
			s.consumed(ctx, &c)
		}
		items = append(items, out.Responses[table]...)
		asked = out.UnprocessedKeys
	}
	return items, nil
}

// query is one Query call: a key condition over the names of its projection.
type query struct {
	op, table, index string
	projection       projection
	condition        string
	filter           string
	values           item
	start            item // ExclusiveStartKey
	limit            int  // items read, before the filter; 0: as many as 1 MB holds
	newestFirst      bool
	consistent       bool // sees every write that was answered before; not on an index
}

func (s *Store) query(ctx context.Context, q query) (*dynamodb.QueryOutput, error) {
	in := &dynamodb.QueryInput{
		TableName:                 &q.table,
		KeyConditionExpression:    &q.condition,
		ProjectionExpression:      &q.projection.expression,
		ExpressionAttributeNames:  q.projection.names,
		ExpressionAttributeValues: q.values,
		ExclusiveStartKey:         q.start,
		ScanIndexForward:          aws.Bool(!q.newestFirst),
		Select:                    types.SelectSpecificAttributes, // the roles' policies ask for it by name
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal,
	}
	if q.consistent {
		in.ConsistentRead = &q.consistent
	}
	if q.index != "" {
		in.IndexName = &q.index
	}
	if q.filter != "" {
		in.FilterExpression = &q.filter
	}
	if q.limit > 0 {
		in.Limit = aws.Int32(int32(q.limit))
	}
	out, err := call(ctx, q.op, s.db.Query, in)
	if err == nil {
		s.consumed(ctx, out.ConsumedCapacity)
	}
	return out, err
}

// queryAll reads every item of a query, page by page.
func (s *Store) queryAll(ctx context.Context, q query) ([]item, error) {
	return allPages(func(start item) ([]item, item, error) {
		q.start = start
		return s.queryPage(ctx, q)
	})
}

func (s *Store) queryPage(ctx context.Context, q query) (items []item, last item, err error) {
	out, err := s.query(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	return out.Items, out.LastEvaluatedKey, nil
}

// scan reads a whole table. It is for the operator's commands only: what it
// costs grows with the table.
func (s *Store) scan(ctx context.Context, op, table string, p projection) ([]item, error) {
	return allPages(func(start item) ([]item, item, error) { return s.scanPage(ctx, op, table, p, start) })
}

func (s *Store) scanPage(ctx context.Context, op, table string, p projection,
	start item) (items []item, last item, err error) {
	out, err := callWithin(ctx, scanTimeout, op, s.db.Scan, &dynamodb.ScanInput{
		TableName: &table, ProjectionExpression: &p.expression, ExpressionAttributeNames: p.names,
		ExclusiveStartKey: start, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, nil, err
	}
	return out.Items, out.LastEvaluatedKey, nil
}

// allPages reads page after page, each from the last key of the one before.
func allPages(page func(start item) (items []item, last item, err error)) ([]item, error) {
	var all []item
	for start := item(nil); ; {
		items, last, err := page(start)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if start = last; start == nil {
			return all, nil
		}
	}
}

// put writes one item in place of what has its key.
func (s *Store) put(ctx context.Context, op, table string, it item) error {
	return retryUnavailable(ctx, func() error {
		_, err := call(ctx, op, s.db.PutItem, &dynamodb.PutItemInput{TableName: &table, Item: it})
		return err
	})
}

// deleteItem deletes one item. It is no error if there is none.
func (s *Store) deleteItem(ctx context.Context, op, table string, key item) error {
	return retryUnavailable(ctx, func() error {
		_, err := call(ctx, op, s.db.DeleteItem, &dynamodb.DeleteItemInput{TableName: &table, Key: key})
		return err
	})
}

// update changes one item, and returns it as the input's ReturnValues ask. An error
// may be that the input's condition does not hold: isConditionFailed.
func (s *Store) update(ctx context.Context, op string, in *dynamodb.UpdateItemInput) (after item, err error) {
	err = retryUnavailable(ctx, func() (err error) {
		after, err = s.updateOnce(ctx, op, in)
		return err
	})
	return after, err
}

// updateLimited is update by an import of usage or credit.
func (s *Store) updateLimited(ctx context.Context, op string, in *dynamodb.UpdateItemInput) (after item, err error) {
	err = s.limited(ctx, func() (err error) {
		after, err = s.updateOnce(ctx, op, in, once)
		return err
	})
	return after, err
}

func (s *Store) updateOnce(ctx context.Context, op string, in *dynamodb.UpdateItemInput,
	options ...option) (after item, err error) {
	out, err := call(ctx, op, s.db.UpdateItem, in, options...)
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// maxBatchWrite is how many items DynamoDB takes in one BatchWriteItem.
const maxBatchWrite = 25

// putAll writes items, of which no two may have the same key.
func (s *Store) putAll(ctx context.Context, op, table string, items []item) error {
	requests := make([]types.WriteRequest, len(items))
	for i, it := range items {
		requests[i].PutRequest = &types.PutRequest{Item: it}
	}
	return s.writeAll(ctx, op, table, requests)
}

// deleteAll deletes items by their keys, of which no two may be the same. It is no
// error if one is not there.
func (s *Store) deleteAll(ctx context.Context, op, table string, keys []item) error {
	requests := make([]types.WriteRequest, len(keys))
	for i, key := range keys {
		requests[i].DeleteRequest = &types.DeleteRequest{Key: key}
	}
	return s.writeAll(ctx, op, table, requests)
}

// writeOnce makes one attempt to put and delete up to maxBatchWrite items. Those that DynamoDB
// leaves unprocessed under load are an error too.
func (s *Store) writeOnce(ctx context.Context, op, table string,
	requests []types.WriteRequest) (unprocessed []types.WriteRequest, err error) {
	out, err := call(ctx, op, s.db.BatchWriteItem,
		&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: requests}}, once)
	if err != nil {
		return nil, err
	}
	if unprocessed = out.UnprocessedItems[table]; len(unprocessed) > 0 {
		return unprocessed, fault.New(fault.Unavailable, op+": items left unprocessed", nil)
	}
	return nil, nil
}

// writeAll puts and deletes items in calls of maxBatchWrite, within the limiter.
// What DynamoDB leaves unprocessed under load is sent again. An error may come when
// some are written.
func (s *Store) writeAll(ctx context.Context, op, table string, requests []types.WriteRequest) error {
	for left := range slices.Chunk(requests, maxBatchWrite) {
		err := s.limited(ctx, func() error {
			unprocessed, err := s.writeOnce(ctx, op, table, left)
			if len(unprocessed) > 0 {
				left = unprocessed
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
