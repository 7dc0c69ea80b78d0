package dynamo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// behindAll sorts behind every sort key that is stored.
const behindAll = "\U0010FFFF"

// StoredLogs lists the logs that have records or totals, of accounts too that are no
// customers, by their keys bytewise. What it costs grows with their number, not with that of the records:
// each scan asks for one item, behind the last of the log that was found before.
func (s *Store) StoredLogs(ctx context.Context) (logs []usage.Log, err error) {
	find := func(table, partition, sort string) error {
		p := project(partition, sort)
		for start := item(nil); ; {
			var out *dynamodb.ScanOutput
			err := retryUnavailable(ctx, func() (err error) {
				out, err = callWithin(ctx, scanTimeout, "logs", s.db.Scan, &dynamodb.ScanInput{
					TableName: &table, ProjectionExpression: &p.expression, ExpressionAttributeNames: p.names,
					ExclusiveStartKey: start, Limit: aws.Int32(1), ConsistentRead: aws.Bool(true),
				})
				return err
			})
			if err != nil {
				return err
			}
			for _, it := range out.Items {
				r := reader{item: it}
				if log, err := usage.ParseLogKey(r.text(partition)); err == nil {
					logs = append(logs, log)
				}
			}
			if start = out.LastEvaluatedKey; start == nil {
				return nil
			}
			start = item{partition: start[partition], sort: str(behindAll)}
		}
	}
	if err := cmp.Or(find(s.tables.Usage, "log", "at"), find(s.tables.Totals, "pk", "sk")); err != nil {
		return nil, err
	}
	slices.SortFunc(logs, func(a, b usage.Log) int { return strings.Compare(a.Key(), b.Key()) })
	return slices.Compact(logs), nil
}

// Rebuild is how far a rebuild of totals has come that was not ended.
type Rebuild struct {
	Wanted string        // of what, in the words of whoever began it
	Done   totals.LogDay // the last day that was counted
	At     time.Time
}

const rebuildName = "REBUILD"

var rebuildAttributes = project("pk", "sk", "wanted", "log", "day", "at")

func rebuildKey() item { return item{"pk": str(writer), "sk": str(rebuildName)} }

// LastRebuild reads how far a rebuild has come; the zero one: none is under way.
func (s *Store) LastRebuild(ctx context.Context) (last Rebuild, err error) {
	err = retryUnavailable(ctx, func() error {
		items, err := s.batchGet(ctx, "rebuild of totals", s.tables.Ledger, []item{rebuildKey()}, rebuildAttributes,
			true)
		if err != nil || len(items) == 0 {
			return err
		}
		r := reader{item: items[0]}
		last = Rebuild{Wanted: r.text("wanted"), At: r.time("at"), Done: totals.LogDay{Day: r.day("day")}}
		if last.Done.Log, err = usage.ParseLogKey(r.text("log")); err != nil {
			r.fail("log", "a log's key")
		}
		if r.err != nil {
			return badItem("rebuild", rebuildName, r.err)
		}
		return nil
	})
	return last, err
}

// PutRebuild notes how far a rebuild has come.
func (s *Store) PutRebuild(ctx context.Context, b Rebuild) error {
	it := rebuildKey()
	it["wanted"], it["log"], it["day"] = str(b.Wanted), str(b.Done.Log.Key()), str(string(b.Done.Day))
	it["at"] = str(usage.FormatTime(b.At))
	return s.put(ctx, fmt.Sprintf("rebuild of totals, to %s", b.Done.Day), s.tables.Ledger, it)
}

// EndRebuild notes that none is under way.
func (s *Store) EndRebuild(ctx context.Context) error {
	return s.deleteItem(ctx, "rebuild of totals", s.tables.Ledger, rebuildKey())
}
