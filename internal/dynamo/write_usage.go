package dynamo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/usage"
)

// MaxUsageBatch is how many records WriteUsage takes at a time.
const MaxUsageBatch = maxBatchGet

var outcomeAttributes = project("log", "at", "status", "statusAt", "errorCode", "recordedAmount", "recordedCurrency")

// Written counts what became of a batch of records: together, as many as there
// were.
type Written struct {
	Records    int // written, whether new or in place of what was stored
	Duplicates int // not written, since a later one of the batch had the same key
}

// WriteUsage writes up to MaxUsageBatch records in place of those that have the
// same log, timestamp and id. Of several in the batch the last one wins. An
// outcome (status, its time, error code, recorded price) that is newer by
// StatusAt than the one that would replace it stays, whether it was stored or
// stands in the batch; without StatusAt it counts as oldest.
//
// Two calls at the same time must not hold the same record: each could miss
// what the other writes. Throttling and broken connections are tried again until
// ctx ends. After an error, some may be written; writing the batch again is safe.
func (s *Store) WriteUsage(ctx context.Context, records []usage.Record) (Written, error) {
	if len(records) > MaxUsageBatch {
		return Written{}, fmt.Errorf("dynamo: a batch of %d usage records; at most %d are taken", len(records), MaxUsageBatch)
	}
	merged, places := merge(records)
	stored, err := s.storedOutcomes(ctx, merged)
	if err != nil {
		return Written{}, err
	}
	for _, before := range stored {
		i := places[placeOf(before)]
		merged[i] = replaceBy(before, merged[i])
	}
	items := make([]item, len(merged))
	for i, r := range merged {
		items[i] = encodeRecord(r)
	}
	if err := s.putAll(ctx, "write usage", s.tables.Usage, items); err != nil {
		return Written{}, err
	}
	return Written{Records: len(merged), Duplicates: len(records) - len(merged)}, nil
}

// place is a record's key.
type place struct {
	log usage.Log
	at  string
}

func placeOf(r usage.Record) place { return place{r.Log, r.Position().String()} }

// merge leaves one record of each key, and tells where.
func merge(records []usage.Record) ([]usage.Record, map[place]int) {
	merged := make([]usage.Record, 0, len(records))
	places := make(map[place]int, len(records))
	for _, r := range records {
		key := placeOf(r)
		if i, again := places[key]; again {
			merged[i] = replaceBy(merged[i], r)
			continue
		}
		places[key] = len(merged)
		merged = append(merged, r)
	}
	return merged, places
}

// replaceBy is what is kept where a second record comes with the key of a first:
// the second, but for an outcome that the first has from a later time. The
// parts of an outcome stay together, so that the order of arrival does not
// matter.
func replaceBy(first, second usage.Record) usage.Record {
	if isLater(first.StatusAt, second.StatusAt) {
		second.Status, second.StatusAt = first.Status, first.StatusAt
		second.ErrorCode, second.RecordedPrice = first.ErrorCode, first.RecordedPrice
	}
	return second
}

func isLater(a, b *time.Time) bool { return a != nil && (b == nil || a.After(*b)) }

// storedOutcomes reads, of the records that are stored already, the outcomes
// and no more.
func (s *Store) storedOutcomes(ctx context.Context, records []usage.Record) ([]usage.Record, error) {
	const op = "read usage before writing"
	if len(records) == 0 {
		return nil, nil
	}
	logs := make(map[string]usage.Log)
	keys := make([]item, len(records))
	for i, r := range records {
		logs[r.Log.String()] = r.Log
		keys[i] = item{"log": str(r.Log.String()), "at": str(r.Position().String())}
	}
	var items []item
	err := persist(ctx, func() (err error) {
		items, err = s.batchGet(ctx, op, s.tables.Usage, types.KeysAndAttributes{
			Keys: keys, ConsistentRead: aws.Bool(true),
			ProjectionExpression: &outcomeAttributes.expression, ExpressionAttributeNames: outcomeAttributes.names,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	stored := make([]usage.Record, len(items))
	for i, it := range items {
		r := reader{item: it}
		if stored[i], err = decodeRecord(logs[r.text("log")], it); err != nil {
			return nil, err
		}
	}
	return stored, nil
}
