package dynamo

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// What whoever writes usage does to totals, under the writer's lease. All reads here are
// consistent. A month and a log are written on a condition: the mark that they bear. Of
// days there are many: 25 are written by one call, which takes no conditions, behind a call
// that reads under which marks they stand. That nobody writes between the two is what the
// lease is for, as it is for records; and within a lease each step, to open, to write, to
// count, begins when nothing of the one before can land any more ([Lease.Settled]).

const (
	writer      = "WRITER"
	openPrefix  = "OPEN#"
	laterPrefix = "LATER#"
)

var (
	underWayAttributes  = project("pk", "sk", "mark")
	countedDayAttribute = project("pk", "sk", "zone", "groups", "parts", "set", "coarse", "digest", "partsLeft",
		"updatedAt", "expiresAt", "mark", "stale")
	stampAttributes  = project("pk", "sk", "mark", "stale")
	totalsKeys       = project("pk", "sk")
	logKeptByWriters = project("pk", "sk", "firstDay", "lastDay", "statedThrough", "updatedAt", "mark", "stale")
	monthZone        = project("pk", "sk", "zone")
	whichDays        = project("pk", "sk", "groups", "parts", "expiresAt")
	partNames        = project("pk", "sk", "at")
	recordTimes      = project("log", "at")
	countAttributes  = projectRecord([]string{"log", "at"}, func(f recordField) bool {
		return !f.private && !slices.ContainsFunc(f.attributes, func(name string) bool {
			return slices.Contains([]string{"from", "to", "statusAt", "errorCode", "participants"}, name)
		})
	})
)

// errOvertaken is that an item bears the mark of a later writer: one's own lease is lost.
var errOvertaken = errors.New("a later writer has it")

// IsOvertaken reports whether an error is that a later holder of the lease has written
// what was to be written.
func IsOvertaken(err error) bool { return errors.Is(err, errOvertaken) }

func overtaken(op string) error { return fault.New(fault.Unavailable, op, errOvertaken) }

// writesAtOnce is how many calls a method makes side by side; the limiter holds all of a
// store's below that where the tables do not bear it.
const writesAtOnce = MaxWriters

// putAtOnce is putAll of any number of items, by calls side by side.
func (s *Store) putAtOnce(ctx context.Context, op, table string, items []item) error {
	batches := slices.Collect(slices.Chunk(items, maxBatchWrite))
	return atOnce(writesAtOnce, len(batches), func(i int) error { return s.putAll(ctx, op, table, batches[i]) })
}

// deleteAtOnce is deleteAll of any number of keys, by calls side by side.
func (s *Store) deleteAtOnce(ctx context.Context, op, table string, keys []item) error {
	batches := slices.Collect(slices.Chunk(keys, maxBatchWrite))
	return atOnce(writesAtOnce, len(batches), func(i int) error { return s.deleteAll(ctx, op, table, batches[i]) })
}

// itemKey is the key of an item of Totals or the Ledger.
type itemKey struct{ pk, sk string }

func keyIn(it item) itemKey {
	r := reader{item: it}
	return itemKey{r.text("pk"), r.text("sk")}
}

// itemsThere reads those of some items that exist, no two of which may be the same.
func (s *Store) itemsThere(ctx context.Context, op, table string, keys []item,
	p projection) (there map[itemKey]item, err error) {
	there = make(map[itemKey]item, len(keys))
	for batch := range slices.Chunk(keys, maxBatchGet) {
		err := retryUnavailable(ctx, func() error {
			items, err := s.batchGet(ctx, op, table, batch, p, true)
			for _, it := range items {
				there[keyIn(it)] = it
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return there, nil
}

// stamps say who wrote an item of totals last.
type stamps struct {
	mark  totals.Mark // of the count that made it; zero: none did
	stale totals.Mark // under which it is being written; zero: it is not
}

func (s *Store) stampsOf(ctx context.Context, op string, key item) (is stamps, err error) {
	err = retryUnavailable(ctx, func() error {
		it, err := s.getConsistent(ctx, op, s.tables.Totals, key, stampAttributes)
		if err != nil {
			return err
		}
		r := reader{item: it}
		is = stamps{r.mark("mark"), r.mark("stale")}
		if r.err != nil {
			return badItem("totals", op, r.err)
		}
		return nil
	})
	return is, err
}

// mark reads a mark; absent is the zero one.
func (r *reader) mark(name string) totals.Mark {
	text := r.text(name)
	if text == "" {
		return totals.Mark{}
	}
	m, err := totals.ParseMark(text)
	if err != nil {
		r.fail(name, "a mark")
	}
	return m
}

// settle makes one attempt to set attributes of an item of totals that is being written
// under a mark, and takes off it those of some others that are not set.
func (s *Store) settle(ctx context.Context, op string, key item, stale totals.Mark, set item, others ...string) error {
	in := dynamodb.UpdateItemInput{
		TableName: &s.tables.Totals, Key: key,
		ConditionExpression:       aws.String("#stale = :stale"),
		ExpressionAttributeNames:  map[string]string{"#stale": "stale"},
		ExpressionAttributeValues: item{":stale": str(stale.String())},
	}
	var sets, removes []string
	for name, v := range set {
		in.ExpressionAttributeNames["#"+name], in.ExpressionAttributeValues[":"+name] = name, v
		sets = append(sets, "#"+name+" = :"+name)
	}
	for _, name := range others {
		if _, isSet := set[name]; !isSet {
			in.ExpressionAttributeNames["#"+name] = name
			removes = append(removes, "#"+name)
		}
	}
	update := "SET " + strings.Join(sets, ", ")
	if len(removes) > 0 {
		update += " REMOVE " + strings.Join(removes, ", ")
	}
	in.UpdateExpression = &update
	_, err := s.updateOnce(ctx, op, &in, once)
	return err
}

// StoreMonth stores what a customer's month comes to, of those of its logs of which days
// were counted. Done, it takes it off what is being written; not done, a day of it is still
// open, or left for later, and it stays so. own is a mark of the caller's. IsOvertaken:
// another writer has it.
func (s *Store) StoreMonth(ctx context.Context, which totals.AccountMonth, zone directory.TimeZone,
	logs map[usage.Product]totals.MonthlyLog, own totals.Mark, done bool) error {
	op := "totals of " + string(which.Account) + " in " + string(which.Month)
	set := item{"zone": str(zone.String())}
	for product, of := range logs {
		document := item{"updatedAt": str(usage.FormatTime(of.UpdatedAt))}
		putText(document, "groups", of.Sheet.Text())
		putText(document, "lastDay", string(of.LastDay))
		if !of.ExpiresAt.IsZero() {
			document["expiresAt"] = num(of.ExpiresAt.Unix())
		}
		set[string(product)] = &types.AttributeValueMemberM{Value: document}
	}
	is, err := s.stampsOf(ctx, op, monthKey(which))
	if err != nil {
		return err
	}
	return s.settleShared(ctx, op, monthKey(which), own, is.stale, set, done)
}

// settleShared sets attributes of an item that several days share.
func (s *Store) settleShared(ctx context.Context, op string, key item, own, stale totals.Mark, set item, done bool,
	others ...string) error {
	if stale.Term != own.Term {
		return overtaken(op)
	}
	if done {
		set["mark"], others = str(stale.String()), append(others, "stale")
	}
	err := s.limited(ctx, func() error { return s.settle(ctx, op, key, stale, set, others...) })
	if isConditionFailed(err) {
		// An attempt of ours that was not answered, or somebody else.
		is, err := s.stampsOf(ctx, op, key)
		if err == nil && (!done || is.mark != stale || is.stale != totals.Mark{}) {
			err = overtaken(op)
		}
		return err
	}
	return err
}

// StoreLog stores how far a log is loaded and counted, after the given days of it were; see
// StoreMonth.
func (s *Store) StoreLog(ctx context.Context, log usage.Log, days []totals.Dated, now time.Time, own totals.Mark,
	done bool) error {
	op := "totals of " + log.Text()
	var it item
	var first, last totals.Day
	var newest time.Time
	err := retryUnavailable(ctx, func() (err error) {
		if it, err = s.getConsistent(ctx, op, s.tables.Totals, logStateKey(log), logKeptByWriters); err != nil {
			return err
		}
		r := reader{item: it}
		// No other day has changed since these two were found.
		from, to := r.day("firstDay"), r.day("lastDay")
		if r.err != nil {
			return badItem("totals of a log", log.Text(), r.err)
		}
		for _, d := range days {
			if from == "" || d.Day < from {
				from = d.Day
			}
			to = max(to, d.Day)
		}
		if first, err = s.dayWithRecords(ctx, log, from, to, now, false); err != nil || first == "" {
			last = ""
			return cmp.Or(err, s.newestRecord(ctx, log, &newest))
		}
		if last, err = s.dayWithRecords(ctx, log, from, to, now, true); err != nil {
			return err
		}
		return s.newestRecord(ctx, log, &newest)
	})
	if err != nil {
		return err
	}
	r := reader{item: it}
	updated, through, stale := r.time("updatedAt"), r.time("statedThrough"), r.mark("stale")
	if r.err != nil {
		return badItem("totals of a log", log.Text(), r.err)
	}
	for _, d := range days {
		if d.UpdatedAt.After(updated) {
			updated = d.UpdatedAt
		}
	}
	if newest.After(through) {
		through = newest
	}
	set := item{}
	putTime(set, "updatedAt", updated)
	putTime(set, "loadedThrough", through)
	putText(set, "firstDay", string(first))
	putText(set, "lastDay", string(last))
	return s.settleShared(ctx, op, logStateKey(log), own, stale, set, done, "firstDay", "lastDay", "loadedThrough")
}

// dayWithRecords is the first, or last, day of a log that has records of which none is past
// its retention; empty: there is none.
func (s *Store) dayWithRecords(ctx context.Context, log usage.Log, from, to totals.Day, now time.Time,
	last bool) (totals.Day, error) {
	condition, values := dayRange(log, from, to.Add(1))
	q := query{
		op: "days of " + log.Text(), table: s.tables.Totals, projection: whichDays, condition: condition,
		values: values, limit: 1, newestFirst: last, consistent: true,
	}
	for {
		out, err := s.query(ctx, q)
		if err != nil {
			return "", err
		}
		for _, it := range out.Items {
			d := reader{item: it}
			if d.text("groups") == "" && d.number("parts") == nil || totals.IsPast(d.seconds("expiresAt"), now) {
				continue
			}
			day, err := totals.ParseDay(strings.TrimPrefix(d.text("sk"), dayPrefix))
			if err = cmp.Or(err, d.err); err != nil {
				return "", badItem("totals of "+log.Text(), d.text("sk"), err)
			}
			return day, nil
		}
		if q.start = out.LastEvaluatedKey; q.start == nil {
			return "", nil
		}
		q.limit *= 8
	}
}

// newestRecord reads the time of a log's newest record; zero: it has none.
func (s *Store) newestRecord(ctx context.Context, log usage.Log, at *time.Time) error {
	var err error
	*at, _, err = s.recordTime(ctx, log, usage.Period{}, true)
	return err
}

// recordTime reads the time of the first record of a period, or of the last.
func (s *Store) recordTime(ctx context.Context, log usage.Log, p usage.Period,
	last bool) (at time.Time, found bool, err error) {
	q := query{
		op: "days of " + log.Text(), table: s.tables.Usage, projection: recordTimes,
		values: item{":log": str(log.Key())}, limit: 1, newestFirst: last, consistent: true,
	}
	q.condition = periodCondition(p, q.values)
	out, err := s.query(ctx, q)
	if err != nil || len(out.Items) == 0 {
		return time.Time{}, false, err
	}
	r := reader{item: out.Items[0]}
	at = r.position(log).Timestamp
	if r.err != nil {
		return time.Time{}, false, badItem("record of", log.Text(), r.err)
	}
	return at, true, nil
}

// LogDays lists the days of a log from one up to another, which it is without, that have
// records, in a zone, or totals: all that there is to count. An empty end is open. It takes
// a small read for each day with records, and reads the totals.
func (s *Store) LogDays(ctx context.Context, log usage.Log, zone *time.Location,
	from, to totals.Day) ([]totals.Day, error) {
	var p usage.Period
	first, behind := cmp.Or(from, "0001-01-01"), cmp.Or(to, "9999-12-31")
	if from != "" {
		p.From = from.Period(zone).From
	}
	if to != "" {
		p.To = to.Period(zone).From
	}
	var days []totals.Day
	condition, values := dayRange(log, first, behind)
	err := retryUnavailable(ctx, func() error {
		items, err := s.queryAll(ctx, query{
			op: "days of " + log.Text(), table: s.tables.Totals, projection: totalsKeys,
			condition: condition, values: values, consistent: true,
		})
		days = nil
		for _, it := range items {
			r := reader{item: it}
			day, err := totals.ParseDay(strings.TrimPrefix(r.text("sk"), dayPrefix))
			if err != nil {
				return badItem("totals of "+log.Text(), r.text("sk"), err)
			}
			days = append(days, day)
		}
		return err
	})
	for found := true; found && err == nil; {
		err = retryUnavailable(ctx, func() error {
			var at time.Time
			var err error
			if at, found, err = s.recordTime(ctx, log, p, false); err == nil && found {
				day := totals.DayOf(at, zone)
				days, p.From = append(days, day), day.Period(zone).To
			}
			return err
		})
		if !p.To.IsZero() && !p.From.Before(p.To) {
			break
		}
	}
	slices.Sort(days)
	return slices.Compact(days), err
}

// NoteLoaded notes when records of a log were loaded, and through when the log is said to
// be complete; zero: nothing was said. Neither goes back.
func (s *Store) NoteLoaded(ctx context.Context, log usage.Log, at, through time.Time) error {
	if err := s.raise(ctx, log, "loadedAt", at); err != nil || through.IsZero() {
		return err
	}
	if err := s.raise(ctx, log, "statedThrough", through); err != nil {
		return err
	}
	return s.raise(ctx, log, "loadedThrough", through)
}

// NotePricesChanged notes when a price list of a log was changed.
func (s *Store) NotePricesChanged(ctx context.Context, log usage.Log, at time.Time) error {
	return s.raise(ctx, log, "pricesChangedAt", at)
}

// raise sets a time of a log's state, unless it is later already.
func (s *Store) raise(ctx context.Context, log usage.Log, name string, at time.Time) error {
	_, err := s.updateLimited(ctx, "totals of "+log.Text(), &dynamodb.UpdateItemInput{
		TableName: &s.tables.Totals, Key: logStateKey(log),
		UpdateExpression:          aws.String("SET #name = :at"),
		ConditionExpression:       aws.String("attribute_not_exists(#name) OR #name < :at"),
		ExpressionAttributeNames:  map[string]string{"#name": name},
		ExpressionAttributeValues: item{":at": str(usage.FormatTime(at))},
	})
	if isConditionFailed(err) {
		return nil
	}
	return err
}

// PutReady says that from now on all that Usage holds is counted.
func (s *Store) PutReady(ctx context.Context, at time.Time) error {
	it := readyKey()
	it["at"] = str(usage.FormatTime(at))
	return s.put(ctx, "totals are ready", s.tables.Totals, it)
}

// UsageIsEmpty reports whether no record is stored at all.
func (s *Store) UsageIsEmpty(ctx context.Context) (empty bool, err error) {
	const op = "whether there is usage"
	for start := item(nil); ; {
		var out *dynamodb.ScanOutput
		err := retryUnavailable(ctx, func() (err error) {
			out, err = callWithin(ctx, scanTimeout, op, s.db.Scan, &dynamodb.ScanInput{
				TableName: &s.tables.Usage, ProjectionExpression: &recordTimes.expression,
				ExpressionAttributeNames: recordTimes.names, ExclusiveStartKey: start, Limit: aws.Int32(1),
				ConsistentRead: aws.Bool(true),
			})
			return err
		})
		if err != nil || len(out.Items) > 0 {
			return false, err
		}
		if start = out.LastEvaluatedKey; start == nil {
			return true, nil
		}
	}
}
