package dynamo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/pricing"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

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
	var v usage.Version
	for i, it := range items {
		if err := decodeInto(&v, p.log, it); err != nil {
			return nil, false, err
		}
		records[i] = v.Record
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

// CountedDays reads the days of a log from one up to another, which it is without, by day.
func (s *Store) CountedDays(ctx context.Context, log usage.Log,
	from, to totals.Day) (days map[totals.Day]CountedDay, err error) {
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

// MaxDaysAtOnce is how many days StoreDays takes.
const MaxDaysAtOnce = maxBatchWrite

// StoreDays stores what days of a log come to, no two of which may be the same, and takes
// them off what is being written. former is what CountedDays had of them; where that comes
// to the same, the day has not changed, and its UpdatedAt stays. Else that is now, taken for
// each attempt, and never before a millisecond behind the former. It returns the days as they
// stand, with coarse sheets. IsOvertaken: one is not open under its mark, and none is stored.
func (s *Store) StoreDays(ctx context.Context, days []totals.Counted, former map[totals.Day]CountedDay,
	now func() time.Time) ([]CountedDay, error) {
	op := fmt.Sprintf("totals of %s on %s and %d more days", days[0].Log.Text(), days[0].Day, len(days)-1)
	if err := s.areOpen(ctx, op, days); err != nil {
		return nil, err
	}
	stored := make([]CountedDay, len(days))
	var calls [][]item
	place, changed, size := make(map[itemKey]int), make([]bool, len(days)), 0
	for i, c := range days {
		it, bytes, err := s.dayItem(ctx, c, former[c.Day], now(), &stored[i])
		if err != nil {
			return nil, err
		}
		changed[i] = stored[i].UpdatedAt.IsZero()
		place[keyIn(it)] = i
		if size += bytes; len(calls) == 0 || size > s.sizeOfCall() {
			calls, size = append(calls, nil), bytes
		}
		calls[len(calls)-1] = append(calls[len(calls)-1], it)
	}
	for _, left := range calls {
		err := s.limited(ctx, func() (err error) {
			requests := make([]types.WriteRequest, len(left))
			at := now()
			for n, it := range left {
				i := place[keyIn(it)]
				if changed[i] {
					stored[i].UpdatedAt = later(at, former[days[i].Day].UpdatedAt)
				}
				it["updatedAt"] = str(usage.FormatTime(stored[i].UpdatedAt))
				requests[n].PutRequest = &types.PutRequest{Item: it}
			}
			unprocessed, err := s.writeOnce(ctx, op, s.tables.Totals, requests)
			if len(unprocessed) > 0 {
				left = nil
				for _, r := range unprocessed {
					left = append(left, r.PutRequest.Item)
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return stored, nil
}

// sizeOfCall is how many bytes of sheets one call writes: it ends within callTimeout.
func (s *Store) sizeOfCall() int { return partsOfCall * s.maxSheet() }

// areOpen is overtaken where a day does not stand open under its mark.
func (s *Store) areOpen(ctx context.Context, op string, days []totals.Counted) error {
	keys := make([]item, len(days))
	for i, c := range days {
		keys[i] = dayKey(c.LogDay)
	}
	there, err := s.itemsThere(ctx, op, s.tables.Totals, keys, stampAttributes)
	if err != nil {
		return err
	}
	for i, c := range days {
		r := reader{item: there[keyIn(keys[i])]}
		if r.mark("stale") != c.Mark || r.err != nil {
			return overtaken(op)
		}
	}
	return nil
}

// dayItem is the item of a day without its updatedAt, and how long its sheet is there. Of a
// day that has not changed it sets out's UpdatedAt. What does not go into an item stands in
// parts before it returns.
func (s *Store) dayItem(ctx context.Context, c totals.Counted, former CountedDay, at time.Time,
	out *CountedDay) (it item, bytes int, err error) {
	op := "totals of " + c.Log.Text() + " on " + string(c.Day)
	text := c.Sheet.Text()
	*out = CountedDay{head: digest(text), Dated: totals.Dated{
		Log: c.Log, Day: c.Day, Zone: c.Zone, Sheet: c.Sheet.Coarse(), ExpiresAt: c.ExpiresAt,
	}}
	if !former.UpdatedAt.IsZero() && former.head == out.head && former.Zone.String() == c.Zone.String() &&
		former.Expired(at) == out.Expired(at) {
		out.UpdatedAt = former.UpdatedAt
	}
	if len(text) > s.maxSheet() {
		out.set, out.parts = former.set, former.parts
		if former.head != out.head || former.parts == 0 {
			out.set = c.Mark.String()
			if out.parts, err = s.putParts(ctx, op, c, at); err != nil {
				return nil, 0, err
			}
		}
	}
	if former.parts > 0 || former.partsLeft || out.parts > 0 {
		if out.partsLeft, err = s.deleteOldParts(ctx, op, c.LogDay, at, former.set, out.set); err != nil {
			return nil, 0, err
		}
	}
	it = dayKey(c.LogDay)
	it["zone"], it["mark"] = str(c.Zone.String()), str(c.Mark.String())
	if out.parts > 0 {
		text = out.Sheet.Text()
		it["parts"], it["set"], it["digest"] = num(int64(out.parts)), str(out.set), str(out.head)
		it["coarse"] = str(text)
	} else {
		putText(it, "groups", text)
	}
	if out.partsLeft {
		it["partsLeft"] = str(yes)
	}
	if !c.ExpiresAt.IsZero() {
		it["expiresAt"] = num(c.ExpiresAt.Unix())
	}
	return it, len(text), nil
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
