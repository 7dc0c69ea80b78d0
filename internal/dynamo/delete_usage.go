package dynamo

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/usage"
)

// RecordsByID reads every record of a log that bears an id, oldest first, those
// too whose retention has ended. There is mostly one, since ids are the
// platform's; none is no error.
func (s *Store) RecordsByID(ctx context.Context, log usage.Log, id usage.RecordID) ([]usage.Record, error) {
	op := "records of " + log.Text() // not their id: it is the caller's, and may be a number
	found, err := s.queryAll(ctx, query{
		op: op, table: s.tables.Usage, index: "ById",
		projection: recordKeyAttributes,
		condition:  "#byId = :byId",
		values:     item{":byId": str(byID(log, id))},
	})
	if err != nil {
		return nil, err
	}
	var records []usage.Record
	for batch := range slices.Chunk(found, maxBatchGet) {
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

// DeleteUsage deletes records of a log by their positions. A record that is not there
// is no error: to delete again is safe.
func (s *Store) DeleteUsage(ctx context.Context, log usage.Log, positions []usage.Position) error {
	keys := make(map[string]bool, len(positions)) // a call may have each but once
	for _, p := range positions {
		if !p.Raw {
			keys[p.String()] = true
			continue
		}
		raw, err := s.rawKeys(ctx, log, p)
		if err != nil {
			return err
		}
		for _, key := range raw {
			r := reader{item: key}
			keys[r.text("at")] = true
		}
	}
	return s.deleteAll(ctx, log, slices.Collect(maps.Keys(keys)))
}

// deleteAll deletes records of a log by their sort keys, of which no two may be the
// same.
func (s *Store) deleteAll(ctx context.Context, log usage.Log, keys []string) error {
	requests := make([]types.WriteRequest, len(keys))
	for i, at := range keys {
		requests[i] = types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: recordKey{log, at}.item()}}
	}
	return s.writeAll(ctx, "delete usage of "+log.Text(), s.tables.Usage, requests)
}
