package dynamo

import (
	"context"
	"errors"
	"slices"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// What the API reads of totals: eventually consistent, by keys and attributes that the
// roles' policies name.

const (
	// totalsAtOnce is how many calls one request makes side by side.
	totalsAtOnce = 24
	// partTries is how often a day is read again whose parts were replaced meanwhile.
	partTries = 4
)

// DayTotals reads the days of logs from one day up to another, which it is without, as
// the logs are listed and by day; a day that never had a record is not among them. It
// takes one Query a log, and for a day with more groups than an item holds one more.
//
// Among them are days without records, days that were opened and are not counted yet
// (stale, with an empty sheet and no UpdatedAt), and days of which a record is past its
// retention: [totals.Dated.Expired], which are no rows. Unavailable: a day was replaced
// over and over while it was read.
func (s *Store) DayTotals(ctx context.Context, logs []usage.Log, from, to totals.Day) ([]totals.Dated, error) {
	if from >= to {
		return nil, nil
	}
	found := make([][]totals.Dated, len(logs))
	err := atOnce(totalsAtOnce, len(logs), func(i int) (err error) {
		found[i], err = s.daysOfLog(ctx, logs[i], from, to, false)
		return err
	})
	if err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

// StoredDays is DayTotals of one log that sees every write that was answered before.
func (s *Store) StoredDays(ctx context.Context, log usage.Log, from, to totals.Day) (days []totals.Dated, err error) {
	if from >= to {
		return nil, nil
	}
	err = retryUnavailable(ctx, func() error {
		days, err = s.daysOfLog(ctx, log, from, to, true)
		return err
	})
	return days, err
}

func (s *Store) daysOfLog(ctx context.Context, log usage.Log, from, to totals.Day,
	consistent bool) ([]totals.Dated, error) {
	condition, values := dayRange(log, from, to)
	items, err := s.queryAll(ctx, query{
		op: opOfDays(log, from, to), table: s.tables.Totals, projection: dayAttributes,
		condition: condition, values: values, consistent: consistent,
	})
	if err != nil {
		return nil, err
	}
	days := make([]totals.Dated, len(items))
	for i, it := range items {
		d, err := decodeDay(log, it)
		if err == nil && d.parts > 0 {
			d, err = s.withParts(ctx, d, consistent)
		}
		if err != nil {
			return nil, err
		}
		days[i] = d.Dated
	}
	return days, nil
}

// withParts reads the sheet of a day of parts. Where one is missing the day was counted
// again meanwhile, or this reader sees its parts later than its head: the head is read
// again.
func (s *Store) withParts(ctx context.Context, d storedDay, consistent bool) (storedDay, error) {
	for attempt := 0; ; attempt++ {
		sheet, err := s.readParts(ctx, d, consistent)
		if err == nil {
			d.Sheet = sheet
			return d, nil
		}
		if !errors.Is(err, errPartMissing) || attempt == partTries {
			return d, err
		}
		if err := backoff(ctx, attempt); err != nil {
			return d, fault.New(fault.Unavailable, "totals of "+d.Log.Text(), err)
		}
		items, err := s.batchGet(ctx, "totals of "+d.Log.Text(), s.tables.Totals,
			[]item{dayKey(totals.LogDay{Log: d.Log, Day: d.Day})}, dayAttributes, consistent)
		if err != nil {
			return d, err
		}
		if len(items) == 0 {
			return d, fault.New(fault.Unavailable, "totals of "+d.Log.Text(), errPartMissing)
		}
		if d, err = decodeDay(d.Log, items[0]); err != nil || d.parts == 0 {
			return d, err
		}
	}
}

// MonthTotals reads months, in calls of a hundred; those of which nothing was ever
// counted or opened are not in it.
func (s *Store) MonthTotals(ctx context.Context,
	months []totals.AccountMonth) (map[totals.AccountMonth]totals.Monthly, error) {
	keys := make([]item, len(months))
	for i, m := range months {
		keys[i] = monthKey(m)
	}
	items, err := s.batchGetAll(ctx, "totals of months", s.tables.Totals, keys, monthAttributes)
	if err != nil {
		return nil, err
	}
	found := make(map[totals.AccountMonth]totals.Monthly, len(items))
	for _, it := range items {
		which, m, err := decodeMonth(it)
		if err != nil {
			return nil, err
		}
		found[which] = m
	}
	return found, nil
}

// batchGetAll reads any number of items, no two of which may be the same, by calls side
// by side.
func (s *Store) batchGetAll(ctx context.Context, op, table string, keys []item, p projection) ([]item, error) {
	batches := slices.Collect(slices.Chunk(keys, maxBatchGet))
	found := make([][]item, len(batches))
	err := atOnce(totalsAtOnce, len(batches), func(i int) (err error) {
		found[i], err = s.batchGet(ctx, op, table, batches[i], p, false)
		return err
	})
	return slices.Concat(found...), err
}

// LogTotals reads how far logs are loaded and counted, in the order in which they are
// asked for; those into which nothing was ever loaded are not among them.
func (s *Store) LogTotals(ctx context.Context, logs []usage.Log) ([]totals.LogState, error) {
	keys := make([]item, len(logs))
	for i, log := range logs {
		keys[i] = logStateKey(log)
	}
	items, err := s.batchGetAll(ctx, "totals of logs", s.tables.Totals, keys, logStateAttributes)
	if err != nil {
		return nil, err
	}
	states := make([]totals.LogState, len(items))
	for i, it := range items {
		if states[i], err = decodeLogState(it); err != nil {
			return nil, err
		}
	}
	place := make(map[usage.Log]int, len(logs))
	for i, log := range logs {
		place[log] = i
	}
	slices.SortFunc(states, func(a, b totals.LogState) int { return place[a.Log] - place[b.Log] })
	return states, nil
}

// TotalsReady reports whether all that Usage holds is counted.
func (s *Store) TotalsReady(ctx context.Context) (bool, error) {
	_, err := s.get(ctx, "whether totals are ready", s.tables.Totals, readyKey(), readyAttributes)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

func decodeLogState(it item) (totals.LogState, error) {
	r := reader{item: it}
	log, err := usage.ParseLogKey(r.required("pk"))
	if err != nil {
		r.fail("pk", "a log's")
	}
	l := totals.LogState{
		Log: log, FirstDay: r.day("firstDay"), LastDay: r.day("lastDay"), LoadedThrough: r.time("loadedThrough"),
		LoadedAt: r.time("loadedAt"), UpdatedAt: r.time("updatedAt"), PricesChangedAt: r.time("pricesChangedAt"),
		Stale: r.text("stale") != "",
	}
	if r.err != nil {
		return totals.LogState{}, badItem("totals of a log", log.Text(), r.err)
	}
	return l, nil
}

// day reads a day; absent is the empty one.
func (r *reader) day(name string) totals.Day {
	text := r.text(name)
	if text == "" {
		return ""
	}
	day, err := totals.ParseDay(text)
	if err != nil {
		r.fail(name, "a day")
	}
	return day
}

func decodeMonth(it item) (totals.AccountMonth, totals.Monthly, error) {
	r := reader{item: it}
	which := totals.AccountMonth{Account: usage.AccountID(r.required("pk"))}
	sk := r.required("sk")
	if len(sk) != len(monthPrefix+"2006-01") {
		r.fail("sk", "a month's")
	} else {
		which.Month = totals.Month(sk[len(monthPrefix):])
	}
	m := totals.Monthly{
		Zone: directory.TimeZone(r.text("zone")), Stale: r.text("stale") != "",
		Logs: make(map[usage.Product]totals.MonthlyLog),
	}
	for _, product := range usage.Products() {
		of := r.document(string(product))
		if of == nil {
			continue
		}
		sheet, err := totals.ParseSheet(of.text("groups"))
		if err != nil {
			of.fail("groups", "a sheet: "+err.Error())
		}
		m.Logs[product] = totals.MonthlyLog{
			Sheet: sheet, LastDay: of.day("lastDay"), UpdatedAt: of.time("updatedAt"),
			ExpiresAt: of.seconds("expiresAt"),
		}
		if end := m.Logs[product].ExpiresAt; !end.IsZero() && (m.ExpiresAt.IsZero() || end.Before(m.ExpiresAt)) {
			m.ExpiresAt = end
		}
		if m.Logs[product].UpdatedAt.IsZero() {
			of.fail("updatedAt", "there")
		}
		if of.err != nil {
			r.fail(string(product), "a month's: "+of.err.Error())
		}
	}
	if len(m.Logs) > 0 {
		r.required("zone")
	} else if !m.Stale { // one that was opened and never counted is stale
		r.fail("stale", "there, and neither is a log")
	}
	if r.err != nil {
		return which, m, badItem("totals of "+string(which.Account), sk, r.err)
	}
	return which, m, nil
}
