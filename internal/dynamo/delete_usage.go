package dynamo

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/usage"
)

// RecordsByID reads every record of a log that bears an id, oldest first, those
// too whose retention has ended. There is mostly one, since ids are the
// platform's; none is no error.
func (s *Store) RecordsByID(ctx context.Context, log usage.Log, id usage.RecordID) ([]usage.Record, error) {
	op := "records " + string(id) + " of " + log.Text()
	places, err := s.queryAll(ctx, query{
		op: op, table: s.tables.Usage, index: "ById",
		projection: recordPlaceAttributes,
		condition:  "#byId = :byId",
		values:     item{":byId": str(byID(log, id))},
	})
	if err != nil {
		return nil, err
	}
	var records []usage.Record
	for batch := range slices.Chunk(places, maxBatchGet) {
		keys := make([]item, len(batch))
		for i, it := range batch {
			keys[i] = item{"log": it["log"], "at": it["at"]}
		}
		items, err := s.getAll(ctx, op, s.tables.Usage, keys, recordAttributes)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			r, err := decodeRecord(log, it)
			if err != nil {
				return nil, err
			}
			records = append(records, r)
		}
	}
	slices.SortFunc(records, func(a, b usage.Record) int { return strings.Compare(a.Position().String(), b.Position().String()) })
	return records, nil
}

// DeleteUsage deletes records of a log by their places, of which no two may be
// the same. A record that is not there is no error: to delete again is safe.
func (s *Store) DeleteUsage(ctx context.Context, log usage.Log, places []usage.Position) error {
	requests := make([]types.WriteRequest, len(places))
	for i, place := range places {
		key := item{"log": str(log.Key()), "at": str(place.String())}
		requests[i] = types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}}
	}
	return s.writeAll(ctx, "delete usage of "+log.Text(), s.tables.Usage, requests)
}
