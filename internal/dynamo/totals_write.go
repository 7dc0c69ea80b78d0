package dynamo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/pricing"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// What whoever writes usage does to totals, under the writer's lease. All reads here are
// consistent. Every write has a condition or puts the same again, so that it may be
// repeated, and one that comes late, of a writer that lost the lease, changes nothing: its
// mark is the lower one.

const (
	writer      = "WRITER"
	openPrefix  = "OPEN#"
	laterPrefix = "LATER#"
)

func underWayKey(prefix string, d totals.LogDay) item {
	return item{"pk": str(writer), "sk": str(prefix + d.Log.Key() + "#" + string(d.Day))}
}

var (
	underWayAttributes  = project("pk", "sk", "mark")
	countedDayAttribute = project("pk", "sk", "zone", "groups", "parts", "set", "coarse", "digest", "partsLeft",
		"updatedAt", "expiresAt", "mark", "stale")
	stampAttributes  = project("pk", "sk", "mark", "stale", "updatedAt")
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

// OpenDays makes days known as being written, before anything is written into them: to
// the ledger first, so that whoever comes after a crash finds them, and then to readers, on
// the day, its month and its log, which are created where they are not. All bear the one
// mark, which must be above every mark of before. When it returns, all days are open; after
// an error some may be, and to open them again is safe. IsOvertaken: a later writer has one.
func (s *Store) OpenDays(ctx context.Context, mark totals.Mark, days []totals.LogDay) error {
	return s.OpenMoreDays(ctx, mark, days, new(SharedMarks))
}

// SharedMarks are the months and logs that a writer has made stale and has not counted since.
// These are not marked again for each of their days: a count asks of their mark only that it is
// of its own lease. The zero value has none.
type SharedMarks struct {
	mu   sync.Mutex
	made map[string]bool
}

func (m *SharedMarks) have(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.made[name]
}

func (m *SharedMarks) add(names map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.made == nil {
		m.made = make(map[string]bool)
	}
	maps.Copy(m.made, names)
}

// OpenMoreDays is OpenDays beside what the same writer has marked under the same lease.
func (s *Store) OpenMoreDays(ctx context.Context, mark totals.Mark, days []totals.LogDay, marked *SharedMarks) error {
	var puts []types.WriteRequest
	var stale []item
	seen, shared := make(map[string]bool), make(map[string]bool)
	for _, d := range days {
		open := underWayKey(openPrefix, d)
		month := totals.AccountMonth{Account: d.Account, Month: d.Day.Month()}
		for _, key := range []item{dayKey(d), logStateKey(d.Log), monthKey(month)} {
			r := reader{item: key}
			name := r.text("pk") + "\x00" + r.text("sk")
			if seen[name] || marked.have(name) {
				continue
			}
			seen[name] = true
			stale = append(stale, key)
			if strings.HasPrefix(r.text("sk"), dayPrefix) {
				open["mark"] = str(mark.String())
				puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: open}})
			} else {
				shared[name] = true
			}
		}
	}
	batches := slices.Collect(slices.Chunk(puts, maxBatchWrite))
	err := atOnce(writesAtOnce, len(batches), func(i int) error {
		return s.writeAll(ctx, "open days", s.tables.Ledger, batches[i])
	})
	if err != nil {
		return err
	}
	err = atOnce(writesAtOnce, len(stale), func(i int) error { return s.markStale(ctx, mark, stale[i]) })
	if err == nil {
		marked.add(shared)
	}
	return err
}

// overLowerMark is that mark and stale are each not there, or lower. It is written out: dynalite
// takes two and a half times as long to read it with parentheses, which for small records was
// a tenth of an import.
const overLowerMark = "attribute_not_exists(#mark) AND attribute_not_exists(#stale) OR " +
	"attribute_not_exists(#mark) AND #stale <= :mark OR " +
	"#mark < :mark AND attribute_not_exists(#stale) OR " +
	"#mark < :mark AND #stale <= :mark"

// markStale sets stale on an item of totals over a lower mark. A higher one of the same
// writer, who marks days of one log from several goroutines, is as good.
func (s *Store) markStale(ctx context.Context, mark totals.Mark, key item) error {
	r := reader{item: key}
	op := "open " + r.text("pk") + " " + r.text("sk")
	_, err := s.updateLimited(ctx, op, &dynamodb.UpdateItemInput{
		TableName: &s.tables.Totals, Key: key,
		UpdateExpression:          aws.String("SET #stale = :mark"),
		ConditionExpression:       aws.String(overLowerMark),
		ExpressionAttributeNames:  map[string]string{"#stale": "stale", "#mark": "mark"},
		ExpressionAttributeValues: item{":mark": str(mark.String())},
	})
	if !isConditionFailed(err) {
		return err
	}
	is, err := s.stampsOf(ctx, op, key)
	shared := !strings.HasPrefix(r.text("sk"), dayPrefix)
	if err == nil && (!shared || is.stale.Term != mark.Term || is.stale.Number < mark.Number) {
		err = overtaken(op)
	}
	return err
}

// stamps say who wrote an item of totals last.
type stamps struct {
	mark      totals.Mark // of the count that made it; zero: none did
	stale     totals.Mark // under which it is being written; zero: it is not
	updatedAt time.Time   // of a day or log
}

func (s *Store) stampsOf(ctx context.Context, op string, key item) (is stamps, err error) {
	err = retryUnavailable(ctx, func() error {
		it, err := s.getConsistent(ctx, op, s.tables.Totals, key, stampAttributes)
		if err != nil {
			return err
		}
		r := reader{item: it}
		is = stamps{r.mark("mark"), r.mark("stale"), r.time("updatedAt")}
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

// DaysUnderWay reads the days that are open, and those that are left for later, each by
// account, product and day bytewise. A day may be both.
func (s *Store) DaysUnderWay(ctx context.Context) (open, later []totals.OpenDay, err error) {
	if open, err = s.underWay(ctx, openPrefix); err != nil {
		return nil, nil, err
	}
	later, err = s.underWay(ctx, laterPrefix)
	return open, later, err
}

// DaysUnderWayOf is DaysUnderWay of one account.
func (s *Store) DaysUnderWayOf(ctx context.Context, account usage.AccountID) (open, later []totals.OpenDay, err error) {
	if open, err = s.underWay(ctx, openPrefix+string(account)+"#"); err != nil {
		return nil, nil, err
	}
	later, err = s.underWay(ctx, laterPrefix+string(account)+"#")
	return open, later, err
}

func (s *Store) underWay(ctx context.Context, prefix string) (days []totals.OpenDay, err error) {
	var items []item
	err = retryUnavailable(ctx, func() error {
		items, err = s.queryAll(ctx, query{
			op: "days under way", table: s.tables.Ledger, projection: underWayAttributes,
			condition:  "#pk = :pk AND begins_with(#sk, :prefix)",
			values:     item{":pk": str(writer), ":prefix": str(prefix)},
			consistent: true,
		})
		return err
	})
	for _, it := range items {
		r := reader{item: it}
		sk := r.text("sk")
		_, name, _ := strings.Cut(sk, "#")
		at := max(strings.LastIndexByte(name, '#'), 0)
		log, notLog := usage.ParseLogKey(name[:at])
		day, notDay := totals.ParseDay(strings.TrimPrefix(name[at:], "#"))
		d := totals.OpenDay{LogDay: totals.LogDay{Log: log, Day: day}, Mark: r.mark("mark")}
		if d.Mark == (totals.Mark{}) {
			r.fail("mark", "there")
		}
		if bad := cmp.Or(notLog, notDay, r.err); bad != nil {
			return nil, badItem("open day", sk, bad)
		}
		days = append(days, d)
	}
	return days, err
}

// AccountZone is the zone of a customer's days. Of a customer that was deleted it is that
// of the newest month which is known of it, so that its days stay what they were; else
// UTC.
func (s *Store) AccountZone(ctx context.Context, account usage.AccountID) (zone directory.TimeZone, err error) {
	err = retryUnavailable(ctx, func() error {
		c, err := s.GetCustomer(ctx, account)
		zone = c.TimeZone
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		out, err := s.query(ctx, query{
			op: "time zone of " + string(account), table: s.tables.Totals, projection: monthZone,
			condition:   "#pk = :pk AND begins_with(#sk, :month)",
			filter:      "attribute_exists(#zone)",
			values:      item{":pk": str(string(account)), ":month": str(monthPrefix)},
			newestFirst: true, consistent: true,
		})
		if err == nil && len(out.Items) > 0 {
			r := reader{item: out.Items[0]}
			zone, err = directory.TimeZone(r.text("zone")), r.err
		}
		return err
	})
	return zone, err
}

// ListsToCount reads all price lists of a log.
func (s *Store) ListsToCount(ctx context.Context, log usage.Log) (lists []pricing.List, err error) {
	err = retryUnavailable(ctx, func() error {
		lists, err = s.AllPriceLists(ctx, log)
		return err
	})
	return lists, err
}

// RecordPages goes through the records of a log, page by page and oldest first.
type RecordPages struct {
	store  *Store
	log    usage.Log
	period usage.Period
	start  item
	done   bool
}

// RecordsToCount begins to read the records of a period of a log, those too whose
// retention has ended: all that a count asks of them, which is not their ids, their numbers,
// nor when their status was told.
func (s *Store) RecordsToCount(log usage.Log, p usage.Period) *RecordPages {
	return &RecordPages{store: s, log: log, period: p}
}

// Next reads up to a megabyte of records, and is false behind the last. Throttling and
// broken connections are tried again until ctx ends; after an error it may be called
// again.
func (p *RecordPages) Next(ctx context.Context) (records []usage.Record, more bool, err error) {
	if p.done {
		return nil, false, nil
	}
	in := query{
		op: "count " + p.log.Text(), table: p.store.tables.Usage, projection: countAttributes,
		values: item{":log": str(p.log.Key())}, start: p.start, consistent: true,
	}
	in.condition = periodCondition(p.period, in.values)
	var items []item
	err = retryUnavailable(ctx, func() (err error) {
		items, p.start, err = p.store.queryPage(ctx, in)
		return err
	})
	if err != nil {
		p.start = in.start
		return nil, false, err
	}
	p.done = p.start == nil
	records = make([]usage.Record, len(items))
	for i, it := range items {
		if records[i], err = decodeRecord(p.log, it); err != nil {
			return nil, false, err
		}
	}
	return records, true, nil
}

// CountedDay is what stands of a day before it is counted again.
type CountedDay struct {
	totals.Dated        // its sheet is the coarse one
	head         string // of the sheet's text: digest
	parts        int
	set          string
	partsLeft    bool // parts of former counts may be there
}

// CountedDays reads the days of a log's month, by day.
func (s *Store) CountedDays(ctx context.Context, log usage.Log,
	month totals.Month) (days map[totals.Day]CountedDay, err error) {
	from, to := month.First(), month.Next().First()
	condition, values := dayRange(log, from, to)
	var items []item
	err = retryUnavailable(ctx, func() error {
		items, err = s.queryAll(ctx, query{
			op: opOfDays(log, from, to), table: s.tables.Totals, projection: countedDayAttribute,
			condition: condition, values: values, consistent: true,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	days = make(map[totals.Day]CountedDay, len(items))
	for _, it := range items {
		d, err := decodeDay(log, it)
		if err != nil {
			return nil, err
		}
		r := reader{item: it}
		c := CountedDay{Dated: d.Dated, parts: d.parts, set: d.set, partsLeft: r.text("partsLeft") == yes}
		if d.parts > 0 {
			c.head = r.required("digest")
			if c.Sheet, err = totals.ParseSheet(r.required("coarse")); err != nil {
				r.fail("coarse", "a sheet: "+err.Error())
			}
		} else {
			c.head, c.Sheet = digest(r.text("groups")), d.Sheet.Coarse()
		}
		if r.err != nil {
			return nil, badItem("totals of "+log.Text(), r.text("sk"), r.err)
		}
		days[d.Day] = c
	}
	return days, nil
}

// StoreDay stores what a day comes to, and takes it off what is being written, if it is
// still open under its mark. former is what CountedDays had of it; where that comes to the
// same, the day has not changed, and its UpdatedAt stays. Else that is now, taken for each
// attempt, and never before a millisecond behind the former. It returns the day as it
// stands, with a coarse sheet. IsOvertaken: another writer has it.
func (s *Store) StoreDay(ctx context.Context, c totals.Counted, former CountedDay,
	now func() time.Time) (CountedDay, error) {
	op := "totals of " + c.Log.Text() + " on " + string(c.Day)
	text := c.Sheet.Text()
	out := CountedDay{head: digest(text), Dated: totals.Dated{
		Log: c.Log, Day: c.Day, Zone: c.Zone, Sheet: c.Sheet.Coarse(), ExpiresAt: c.ExpiresAt,
	}}
	at := now()
	same := !former.UpdatedAt.IsZero() && former.head == out.head && former.Zone.String() == c.Zone.String() &&
		former.Expired(at) == out.Expired(at)
	if len(text) > s.maxSheet() {
		out.set, out.parts = former.set, former.parts
		if former.head != out.head || former.parts == 0 {
			var err error
			out.set = c.Mark.String()
			if out.parts, err = s.putParts(ctx, op, c, at); err != nil {
				return CountedDay{}, err
			}
		}
	}
	if former.parts > 0 || former.partsLeft || out.parts > 0 {
		var err error
		if out.partsLeft, err = s.deleteOldParts(ctx, op, c.LogDay, at, former.set, out.set); err != nil {
			return CountedDay{}, err
		}
	}
	it := item{"zone": str(c.Zone.String()), "mark": str(c.Mark.String())}
	if out.parts > 0 {
		it["parts"], it["set"], it["digest"] = num(int64(out.parts)), str(out.set), str(out.head)
		it["coarse"] = str(out.Sheet.Text())
	} else {
		putText(it, "groups", text)
	}
	if out.partsLeft {
		it["partsLeft"] = str(yes)
	}
	if !c.ExpiresAt.IsZero() {
		it["expiresAt"] = num(c.ExpiresAt.Unix())
	}
	err := s.limited(ctx, func() error {
		if out.UpdatedAt = former.UpdatedAt; !same {
			out.UpdatedAt = later(now(), former.UpdatedAt)
		}
		it["updatedAt"] = str(usage.FormatTime(out.UpdatedAt))
		return s.settle(ctx, op, dayKey(c.LogDay), c.Mark, it, "groups", "parts", "set", "digest", "coarse",
			"partsLeft", "expiresAt", "stale")
	})
	if isConditionFailed(err) {
		// An attempt of ours that was not answered, or somebody else.
		is, err := s.stampsOf(ctx, op, dayKey(c.LogDay))
		if err == nil && (is.mark != c.Mark || is.stale != totals.Mark{}) {
			err = overtaken(op)
		}
		out.UpdatedAt = is.updatedAt
		return out, err
	}
	return out, err
}

// later is now, or else the next millisecond behind what was: the order of changes is
// that of their times.
func later(now, former time.Time) time.Time {
	now = now.UTC().Truncate(time.Millisecond)
	if next := former.Add(time.Millisecond); now.Before(next) {
		return next
	}
	return now
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

// putParts writes the sheet of a day in parts, which its head is to name.
func (s *Store) putParts(ctx context.Context, op string, c totals.Counted, at time.Time) (parts int, err error) {
	var items []item
	var part []string
	size := 0
	flush := func() {
		key := fmt.Sprintf("%s%04d", partsPrefix(c.Day, c.Mark.String()), len(items)+1)
		items = append(items, item{
			"pk": str(c.Log.Key()), "sk": str(key), "groups": str(strings.Join(part, "\n")),
			"at": str(usage.FormatTime(at)),
		})
		part, size = nil, 0
	}
	for _, line := range c.Sheet.Lines() {
		if size += len(line) + 1; size > s.maxSheet() && len(part) > 0 {
			flush()
			size = len(line) + 1
		}
		part = append(part, line)
	}
	flush()
	batches := slices.Collect(slices.Chunk(items, partsOfCall))
	return len(items), atOnce(writesAtOnce, len(batches), func(i int) error {
		return s.putAll(ctx, op, s.tables.Totals, batches[i])
	})
}

// partsOfCall is how many parts are written by one call: it takes 16 MB and 25 items, and
// ends within callTimeout.
const partsOfCall = 4

// partsStay is how long parts stay that neither the head nor the one before it names. A
// reader who comes later all the same misses a part, and reads the head again.
const partsStay = 24 * time.Hour

// deleteOldParts deletes the parts of a day's former counts but the last and this one that
// are older than partsStay. left: some that are not this count's stay.
func (s *Store) deleteOldParts(ctx context.Context, op string, d totals.LogDay, now time.Time,
	sets ...string) (left bool, err error) {
	var items []item
	err = retryUnavailable(ctx, func() error {
		items, err = s.queryAll(ctx, query{
			op: op, table: s.tables.Totals, projection: partNames,
			condition: "#pk = :pk AND begins_with(#sk, :day)",
			values:    item{":pk": str(d.Log.Key()), ":day": str(partPrefix + string(d.Day) + "#")},
		})
		return err
	})
	if err != nil {
		return false, err
	}
	var old []item
	for _, it := range items {
		r := reader{item: it}
		set := strings.TrimPrefix(r.text("sk"), partPrefix+string(d.Day)+"#")
		set, _, _ = strings.Cut(set, "#")
		kept := slices.Contains(sets, set) || now.Sub(r.time("at")) < partsStay
		if r.err != nil {
			return false, badItem("totals of "+d.Log.Text(), r.text("sk"), r.err)
		}
		switch {
		case !kept:
			old = append(old, item{"pk": it["pk"], "sk": it["sk"]})
		case set != sets[len(sets)-1]:
			left = true
		}
	}
	return left || sets[0] != "" && sets[0] != sets[len(sets)-1], s.deleteAll(ctx, op, s.tables.Totals, old)
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
			op: "days of " + log.Text(), table: s.tables.Totals, projection: project("pk", "sk"),
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

// CloseDay takes a day off the ledger that was counted: first from those that were left for
// later, unless that was under a higher mark, then, if it is still open under this mark,
// from the open ones.
func (s *Store) CloseDay(ctx context.Context, d totals.OpenDay, wasLater bool) error {
	if wasLater {
		if err := s.deleteUnderWay(ctx, laterPrefix, d, "#mark <= :mark"); err != nil {
			return err
		}
	}
	return s.deleteUnderWay(ctx, openPrefix, d, "#mark = :mark")
}

func (s *Store) deleteUnderWay(ctx context.Context, prefix string, d totals.OpenDay, condition string) error {
	op := "close " + d.Log.Text() + " " + string(d.Day)
	err := s.limited(ctx, func() error {
		_, err := call(ctx, op, s.db.DeleteItem, &dynamodb.DeleteItemInput{
			TableName: &s.tables.Ledger, Key: underWayKey(prefix, d.LogDay),
			ConditionExpression:       aws.String("attribute_not_exists(#mark) OR " + condition),
			ExpressionAttributeNames:  map[string]string{"#mark": "mark"},
			ExpressionAttributeValues: item{":mark": str(d.Mark.String())},
		}, once)
		return err
	})
	if isConditionFailed(err) {
		return nil
	}
	return err
}

// LeaveForLater makes of an open day one that only totals rebuild counts. It stays stale.
func (s *Store) LeaveForLater(ctx context.Context, d totals.OpenDay) error {
	op := "leave " + d.Log.Text() + " " + string(d.Day)
	it := underWayKey(laterPrefix, d.LogDay)
	it["mark"] = str(d.Mark.String())
	err := s.limited(ctx, func() error {
		_, err := call(ctx, op, s.db.PutItem, &dynamodb.PutItemInput{
			TableName: &s.tables.Ledger, Item: it,
			ConditionExpression:       aws.String("attribute_not_exists(#mark) OR #mark <= :mark"),
			ExpressionAttributeNames:  map[string]string{"#mark": "mark"},
			ExpressionAttributeValues: item{":mark": it["mark"]},
		}, once)
		return err
	})
	if err != nil && !isConditionFailed(err) {
		return err
	}
	return s.deleteUnderWay(ctx, openPrefix, d, "#mark = :mark")
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
