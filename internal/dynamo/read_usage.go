package dynamo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/fault"
	"partnerview/internal/masking"
	"partnerview/internal/usage"
)

// maxPageBytes is how much of a log is read for one page; a page whose filter
// matches little is short rather than slow.
const maxPageBytes = 1 << 20

// bytesPerUnit is what a capacity unit stands for in an eventually consistent
// read: half a unit pays for 4 kB.
const bytesPerUnit = 8 << 10

// Log reads a page of a log. It reads in rounds, each larger than the one
// before, until the page is full, the log ends, or maxPageBytes are read; an
// unfiltered page takes one round.
func (s *Store) Log(ctx context.Context, log usage.Log, q usage.Query) (usage.Page, error) {
	in := query{
		op: "log " + log.Text(), table: s.tables.Usage,
		projection:  loggedAttributes,
		values:      item{":log": str(log.Key())},
		newestFirst: q.Order == usage.NewestFirst,
		limit:       q.Limit + 1, // one more, to know whether there is one
	}
	in.condition = periodCondition(q.Period, in.values)
	in.filter = filterExpression(q.Filter, in.values)
	if q.After != nil {
		var err error
		if in.start, err = s.startBehind(ctx, log, *q.After, in.newestFirst); err != nil {
			return usage.Page{}, err
		}
	}
	page := usage.Page{Records: make([]usage.Record, 0, q.Limit)}
	scanned, bytes := 0, 0
	var v usage.Version
	for {
		out, err := s.query(ctx, in)
		if err != nil {
			return usage.Page{}, err
		}
		for _, it := range out.Items {
			if err := decodeInto(&v, log, it); err != nil {
				return usage.Page{}, err
			}
			if isExpired(v.Record, q.Now) || !q.Filter.Matches(v.Record) {
				continue
			}
			if len(page.Records) == q.Limit {
				last := page.Records[q.Limit-1].Position()
				page.Next = &last
				return page, nil
			}
			page.Records = append(page.Records, v.Record)
		}
		if out.LastEvaluatedKey == nil {
			return page, nil
		}
		scanned += int(out.ScannedCount)
		bytes += bytesRead(out)
		room := (maxPageBytes - bytes) / max(1, bytes/max(1, scanned))
		if room <= 0 {
			end, err := s.shownPosition(ctx, log, out.LastEvaluatedKey)
			if err != nil {
				return usage.Page{}, err
			}
			page.Next = &end
			return page, nil
		}
		in.start, in.limit = out.LastEvaluatedKey, min(4*in.limit, room)
	}
}

// startBehind is the key behind which a page goes on. A raw position does not have
// the id of the key: that is looked for at its time. Where it is no longer there,
// as when it was mended, that millisecond is read again: rather twice than not at
// all.
func (s *Store) startBehind(ctx context.Context, log usage.Log, p usage.Position, newestFirst bool) (item, error) {
	if !p.Raw {
		return recordKey{log, p.String()}.item(), nil
	}
	keys, err := s.rawKeys(ctx, log, p)
	if err != nil {
		return nil, err
	}
	before, behind := millisecond(p.Timestamp)
	switch {
	case len(keys) > 0 && newestFirst:
		return keys[len(keys)-1], nil
	case len(keys) > 0:
		return keys[0], nil
	case newestFirst:
		before = behind
	}
	return recordKey{log, before}.item(), nil
}

// millisecond is what sorts before and behind every key of a time: an id begins
// with neither.
func millisecond(t time.Time) (before, behind string) {
	return usage.FormatTime(t) + "#", usage.FormatTime(t) + "#~"
}

// rawKeys are the keys of the records that a raw position is shown for, in their
// order: one, but for ids that differ in nothing but the digits that they tell.
func (s *Store) rawKeys(ctx context.Context, log usage.Log, p usage.Position) ([]item, error) {
	before, behind := millisecond(p.Timestamp)
	items, err := s.queryAll(ctx, query{
		op: "log " + log.Text(), table: s.tables.Usage,
		projection: loggedAttributes,
		condition:  "#log = :log AND #at BETWEEN :before AND :behind",
		values:     item{":log": str(log.Key()), ":before": str(before), ":behind": str(behind)},
	})
	if err != nil {
		return nil, err
	}
	var keys []item
	for _, it := range items {
		r := reader{item: it}
		if r.position(log) == p {
			keys = append(keys, item{"log": str(log.Key()), "at": it["at"]})
		}
	}
	return keys, nil
}

// shownPosition is a key as it may leave the store.
func (s *Store) shownPosition(ctx context.Context, log usage.Log, key item) (usage.Position, error) {
	r := reader{item: key}
	position := r.position(log)
	if r.err != nil {
		return position, badItem("position in log", log.Text(), r.err)
	}
	if !usage.HasNumber(position.ID) {
		return position, nil
	}
	// Whether the id tells a number only the rest of the record can say.
	it, err := s.get(ctx, "log "+log.Text(), s.tables.Usage, item{"log": key["log"], "at": key["at"]}, recordAttributes)
	if fault.Is(err, fault.NotFound) { // deleted meanwhile: as if it did
		var numbers masking.Endings
		numbers.Add(string(position.ID))
		return log.StoredPosition(position.String(), numbers)
	}
	if err != nil {
		return position, err
	}
	r = reader{item: it}
	return r.position(log), nil
}

// bytesRead is how much of the table a query read, by what it is charged for.
func bytesRead(out *dynamodb.QueryOutput) int {
	if out.ConsumedCapacity == nil || out.ConsumedCapacity.CapacityUnits == nil {
		return int(out.ScannedCount) << 10 // an engine that does not tell: as if each item had 1 kB
	}
	return int(*out.ConsumedCapacity.CapacityUnits * bytesPerUnit)
}

// periodCondition is the key condition of a period. Keys are a timestamp, "#"
// and more, so a bare timestamp sorts before every key of its instant: that makes
// the period half-open.
func periodCondition(p usage.Period, values item) string {
	if !p.From.IsZero() {
		values[":from"] = str(usage.FormatTime(p.From))
	}
	if !p.To.IsZero() {
		values[":to"] = str(usage.FormatTime(p.To))
	}
	switch {
	case !p.From.IsZero() && !p.To.IsZero():
		return "#log = :log AND #at BETWEEN :from AND :to"
	case !p.From.IsZero():
		return "#log = :log AND #at >= :from"
	case !p.To.IsZero():
		return "#log = :log AND #at < :to"
	}
	return "#log = :log"
}

// filterExpression lets DynamoDB drop what usage.Filter would, so that it need
// not travel. The last four digits are not among it: the engine must not compare
// what another pipeline may have stored unmasked.
func filterExpression(f usage.Filter, values item) string {
	var conditions []string
	if f.Direction != "" {
		values[":direction"] = str(string(f.Direction))
		conditions = append(conditions, "#direction = :direction")
	}
	oneOf := func(name string, words []string) {
		if len(words) == 0 {
			return
		}
		names := make([]string, len(words))
		for i, w := range words {
			names[i] = fmt.Sprintf(":%s%d", name, i)
			values[names[i]] = str(w)
		}
		conditions = append(conditions, "#"+name+" IN ("+strings.Join(names, ",")+")")
	}
	oneOf("status", texts(f.Statuses))
	oneOf("channel", texts(f.Channels))
	oneOf("country", texts(f.Countries))
	return strings.Join(conditions, " AND ")
}

func texts[W ~string](words []W) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return out
}

// Record reads one record by its id; the newest, should several timestamps bear
// the id. NotFound: there is none, or its retention has ended.
func (s *Store) Record(ctx context.Context, log usage.Log, id usage.RecordID, now time.Time) (usage.Record, error) {
	op := "record of " + log.Text() // not its id: it is the caller's, and may be a number
	at, err := s.keyByID(ctx, log, id)
	if err != nil {
		return usage.Record{}, err
	}
	if at == "" {
		return usage.Record{}, fault.New(fault.NotFound, op, nil)
	}
	// it may be gone since the index was written
	it, err := s.get(ctx, op, s.tables.Usage, recordKey{log, at}.item(), recordAttributes)
	if err != nil {
		return usage.Record{}, err
	}
	r, err := decodeRecord(log, it)
	if err != nil {
		return usage.Record{}, err
	}
	if isExpired(r, now) {
		return usage.Record{}, fault.New(fault.NotFound, op, nil)
	}
	return r, nil
}

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
		items, err := s.batchGet(ctx, op, s.tables.Usage, keys, recordAttributes, false)
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
	slices.SortFunc(records,
		func(a, b usage.Record) int { return strings.Compare(a.Position().String(), b.Position().String()) })
	return records, nil
}

// keyByID finds the sort key of the newest record that bears an id, or "" where
// there is none.
func (s *Store) keyByID(ctx context.Context, log usage.Log, id usage.RecordID) (at string, err error) {
	out, err := s.query(ctx, query{
		op: "record of " + log.Text(), table: s.tables.Usage, index: "ById",
		projection:  recordKeyAttributes,
		condition:   "#byId = :byId",
		values:      item{":byId": str(byID(log, id))},
		limit:       1,
		newestFirst: true,
	})
	if err != nil || len(out.Items) == 0 {
		return "", err
	}
	r := reader{item: out.Items[0]}
	if at = r.required("at"); r.err != nil {
		return "", badItem("key of a record", log.Text(), r.err)
	}
	return at, nil
}

// isExpired reports whether a record's retention has ended. DynamoDB deletes such
// a record within days, not at once; until then it is there, but not shown.
func isExpired(r usage.Record, now time.Time) bool {
	return !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt)
}
