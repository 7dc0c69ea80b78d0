package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/fault"
)

// Store reads and writes the four tables. Its methods may be called from
// several goroutines. Each call to DynamoDB ends within three seconds,
// or sooner if its context does; an error is a fault of package fault:
// Unavailable where trying again may help, NotFound where a method says so, else
// Internal. A write is tried again, call by call, until its context ends: it is
// the operator's, who can wait.
type Store struct {
	// Consumed is told the capacity units of each read, from several goroutines;
	// nil: nobody wants to know.
	Consumed func(context.Context, float64)

	db     *dynamodb.Client
	tables Tables
	lists  listCache
	pace   *pace // of the calls that write usage
}

// NewStore makes a store of a client and the names of the tables that it will be
// asked for.
func NewStore(db *dynamodb.Client, tables Tables) *Store {
	return &Store{db: db, tables: tables, pace: newPace()}
}

// get reads one item, or nil where there is none.
func (s *Store) get(ctx context.Context, op, table string, key item, p projection) (item, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	growStack()
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:                &table,
		Key:                      key,
		ProjectionExpression:     &p.expression,
		ExpressionAttributeNames: p.names,
		ReturnConsumedCapacity:   types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return nil, translate(op, err)
	}
	s.consumed(ctx, out.ConsumedCapacity)
	return out.Item, nil
}

func (s *Store) consumed(ctx context.Context, c *types.ConsumedCapacity) {
	if s.Consumed != nil && c != nil {
		s.Consumed(ctx, aws.ToFloat64(c.CapacityUnits))
	}
}

// maxBatchGet is how many keys DynamoDB takes in one BatchGetItem.
const maxBatchGet = 100

// getAll reads up to maxBatchGet items in one call; those that do not exist are
// not in the answer, whose order is DynamoDB's. Keys that DynamoDB leaves
// unprocessed under load are asked for again, a few times.
func (s *Store) getAll(ctx context.Context, op, table string, keys []item, p projection) ([]item, error) {
	return s.batchGet(ctx, op, table, types.KeysAndAttributes{
		Keys:                     keys,
		ProjectionExpression:     &p.expression,
		ExpressionAttributeNames: p.names,
	})
}

func (s *Store) batchGet(ctx context.Context, op, table string, wanted types.KeysAndAttributes, options ...func(*dynamodb.Options)) ([]item, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	asked := map[string]types.KeysAndAttributes{table: wanted}
	var items []item
	for attempt := 0; len(asked) > 0; attempt++ {
		if attempt == 4 {
			return nil, fault.New(fault.Unavailable, op+": keys left unprocessed", nil)
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, fault.New(fault.Unavailable, op, err)
		}
		growStack()
		out, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: asked, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}, options...)
		if err != nil {
			return nil, translate(op, err)
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
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
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
	growStack()
	out, err := s.db.Query(ctx, in)
	if err != nil {
		return nil, translate(q.op, err)
	}
	s.consumed(ctx, out.ConsumedCapacity)
	return out, nil
}
