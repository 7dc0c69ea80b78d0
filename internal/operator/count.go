package operator

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/pricing"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// countedAtOnce is how many logs are counted side by side. What is in memory is as many
// pages of records, and the sheets of as many days.
const countedAtOnce = 8

// countDays counts days that are open under marks of the lease that the store is under,
// after every write into them was answered: it sums each day's records anew, stores what
// they come to, then their months and logs, and takes them off the ledger. now is
// DynamoDB's time. progress is told how many days are counted of how many, one call after
// the other; it may be nil.
//
// An account is counted month by month, each to its end before the next, so that what an
// interruption leaves is less than a month of each account that was under way; the days
// stay open that were not closed, and to count them again changes nothing. Days of one log
// that follow each other are one stream of pages.
//
// A day is told from its neighbours by its customer's zone; of a customer that was
// deleted, by the zone that its days had.
func countDays(ctx context.Context, s *dynamo.Store, now func() time.Time, days []totals.OpenDay,
	progress func(counted, of int)) error {
	c := &count{store: s, now: now, logs: make(chan struct{}, countedAtOnce), progress: progress}
	marks := make(map[totals.LogDay]totals.Mark, len(days))
	for _, d := range days {
		if before, again := marks[d.LogDay]; !again || before.String() < d.Mark.String() {
			marks[d.LogDay] = d.Mark
		}
		if c.own.String() < d.Mark.String() {
			c.own = d.Mark
		}
	}
	c.of = len(marks)
	accounts := make(map[usage.AccountID][]totals.OpenDay)
	for d, mark := range marks {
		accounts[d.Account] = append(accounts[d.Account], totals.OpenDay{LogDay: d, Mark: mark})
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(countedAtOnce)
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		group.Go(func() error { return c.account(ctx, account, accounts[account]) })
	}
	return group.Wait()
}

// count is one count of days.
type count struct {
	store *dynamo.Store
	now   func() time.Time
	own   totals.Mark   // the highest
	logs  chan struct{} // holds one for each log that is being counted

	mu          sync.Mutex
	counted, of int
	progress    func(counted, of int)
}

func (c *count) oneMore() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counted++
	if c.progress != nil {
		c.progress(c.counted, c.of)
	}
}

// within gives one step of a count its time.
func within(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return step(ctx)
}

// calendar is by what a customer's days are told apart, and what the clock says.
type calendar struct {
	directory.TimeZone
	clock *time.Location
}

func calendarOf(ctx context.Context, s *dynamo.Store, account usage.AccountID) (c calendar, err error) {
	err = within(ctx, func(ctx context.Context) error {
		c.TimeZone, err = s.AccountZone(ctx, account)
		return err
	})
	if err != nil {
		return c, err
	}
	if c.clock, err = c.Location(); err != nil {
		return c, fmt.Errorf("the time zone of %s: %w", account, err)
	}
	return c, nil
}

// account counts days of one customer.
func (c *count) account(ctx context.Context, account usage.AccountID, days []totals.OpenDay) error {
	zone, err := calendarOf(ctx, c.store, account)
	if err != nil {
		return err
	}
	months := make(map[totals.Month]map[usage.Log][]totals.OpenDay)
	books := make(map[usage.Log]pricing.Book)
	for _, d := range days {
		month := d.Day.Month()
		if months[month] == nil {
			months[month] = make(map[usage.Log][]totals.OpenDay)
		}
		months[month][d.Log] = append(months[month][d.Log], d)
		if _, known := books[d.Log]; !known {
			if books[d.Log], err = bookOf(ctx, c.store, d.Log); err != nil {
				return err
			}
		}
	}
	for _, month := range slices.Sorted(maps.Keys(months)) {
		m := monthCount{count: c, AccountMonth: totals.AccountMonth{Account: account, Month: month}, zone: zone}
		if err := m.run(ctx, months[month], books); err != nil {
			return err
		}
	}
	return nil
}

// bookOf reads all price lists of a log.
func bookOf(ctx context.Context, s *dynamo.Store, log usage.Log) (book pricing.Book, err error) {
	err = within(ctx, func(ctx context.Context) error {
		lists, err := s.ListsToCount(ctx, log)
		if err == nil {
			book, err = pricing.NewBook(log, lists)
		}
		return err
	})
	return book, err
}

// monthCount counts days of one month of a customer.
type monthCount struct {
	*count
	totals.AccountMonth
	zone calendar
}

func (m monthCount) run(ctx context.Context, open map[usage.Log][]totals.OpenDay,
	books map[usage.Log]pricing.Book) error {
	var mu sync.Mutex
	month := make(map[usage.Product]totals.MonthlyLog)
	counted := make(map[usage.Log][]totals.Dated)
	group, logCtx := errgroup.WithContext(ctx)
	for log, days := range open {
		slices.SortFunc(days, func(a, b totals.OpenDay) int { return cmp.Compare(a.Day, b.Day) })
		group.Go(func() error {
			select {
			case m.logs <- struct{}{}:
				defer func() { <-m.logs }()
			case <-logCtx.Done():
				return logCtx.Err()
			}
			sums, stored, err := m.log(logCtx, log, days, books[log])
			mu.Lock()
			defer mu.Unlock()
			month[log.Product], counted[log] = sums, stored
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	left, err := m.whatIsLeft(ctx, open)
	if err != nil {
		return err
	}
	err = within(ctx, func(ctx context.Context) error {
		return m.store.StoreMonth(ctx, m.AccountMonth, m.zone.TimeZone, month, m.own, !left.month)
	})
	if err != nil {
		return err
	}
	group, logCtx = errgroup.WithContext(ctx)
	for log, days := range counted {
		group.Go(func() error {
			return within(logCtx, func(ctx context.Context) error {
				return m.store.StoreLog(ctx, log, days, m.now(), m.own, !left.logs[log])
			})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return m.close(ctx, open, left)
}

// log counts days of one log and stores them; sums is what its month comes to then.
func (m monthCount) log(ctx context.Context, log usage.Log, days []totals.OpenDay,
	book pricing.Book) (sums totals.MonthlyLog, stored []totals.Dated, err error) {
	var all map[totals.Day]dynamo.CountedDay
	err = within(ctx, func(ctx context.Context) error {
		all, err = m.store.CountedDays(ctx, log, m.Month)
		return err
	})
	if err != nil {
		return sums, nil, err
	}
	for run := range runs(days) {
		marks := make(map[totals.Day]totals.Mark, len(run))
		names := make([]totals.Day, len(run))
		for i, d := range run {
			marks[d.Day], names[i] = d.Mark, d.Day
		}
		err := sheets(ctx, m.store, log, names, m.zone.clock, book, m.now(), func(d daySheet) error {
			return within(ctx, func(ctx context.Context) error {
				day, err := m.store.StoreDay(ctx, totals.Counted{
					OpenDay: totals.OpenDay{LogDay: totals.LogDay{Log: log, Day: d.day}, Mark: marks[d.day]},
					Zone:    m.zone.TimeZone, Sheet: d.sheet, ExpiresAt: d.expiresAt,
				}, all[d.day], m.now)
				all[d.day], stored = day, append(stored, day.Dated)
				m.oneMore()
				return err
			})
		})
		if err != nil {
			return sums, nil, err
		}
	}
	return totals.SumMonth(func(yield func(totals.Dated) bool) {
		for _, d := range all {
			if !yield(d.Dated) {
				return
			}
		}
	}, m.now()), stored, nil
}

// runs parts days, which are in their order, into such as follow each other.
func runs(days []totals.OpenDay) func(yield func([]totals.OpenDay) bool) {
	return func(yield func([]totals.OpenDay) bool) {
		for len(days) > 0 {
			n := 1
			for n < len(days) && days[n].Day == days[n-1].Day.Add(1) {
				n++
			}
			if !yield(days[:n]) {
				return
			}
			days = days[n:]
		}
	}
}

// daySheet is what a day's records come to.
type daySheet struct {
	day       totals.Day
	sheet     totals.Sheet // without the records that are past their retention
	expiresAt time.Time    // the earliest of all its records'; zero: never
}

// sheets sums the records of days of a log that follow each other, in one stream of pages,
// and tells each day as it is whole.
func sheets(ctx context.Context, s *dynamo.Store, log usage.Log, days []totals.Day, zone *time.Location,
	book pricing.Book, now time.Time, each func(daySheet) error) error {
	periods := make([]usage.Period, len(days))
	for i, day := range days {
		periods[i] = day.Period(zone)
	}
	i, of := 0, daySheet{days[0], make(totals.Sheet), time.Time{}}
	next := func() error {
		whole := of
		if i++; i < len(days) {
			of = daySheet{days[i], make(totals.Sheet), time.Time{}}
		}
		return each(whole)
	}
	pages := s.RecordsToCount(log, usage.Period{From: periods[0].From, To: periods[len(days)-1].To})
	for more := true; more; {
		var records []usage.Record
		err := within(ctx, func(ctx context.Context) (err error) {
			records, more, err = pages.Next(ctx)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range records {
			for !r.Timestamp.Before(periods[i].To) {
				if err := next(); err != nil {
					return err
				}
			}
			if end := r.ExpiresAt; !end.IsZero() && (of.expiresAt.IsZero() || end.Before(of.expiresAt)) {
				of.expiresAt = end
			}
			if !totals.IsPast(r.ExpiresAt, now) {
				of.sheet.Add(r, book.Price(r))
			}
		}
	}
	for i < len(days) {
		if err := next(); err != nil {
			return err
		}
	}
	return nil
}

// leftOpen is what of a month's customer is not counted when the month is: the days of
// others, and of this one what was opened or left under other marks since.
type leftOpen struct {
	month bool
	logs  map[usage.Log]bool
	later map[totals.LogDay]bool // of the days that were counted: they were left for later once
}

// whatIsLeft asks the ledger, on which a day stands before anything of it is stale, and
// until it is counted.
func (m monthCount) whatIsLeft(ctx context.Context, counted map[usage.Log][]totals.OpenDay) (leftOpen, error) {
	left := leftOpen{logs: make(map[usage.Log]bool), later: make(map[totals.LogDay]bool)}
	var open, later []totals.OpenDay
	err := within(ctx, func(ctx context.Context) (err error) {
		open, later, err = m.store.DaysUnderWayOf(ctx, m.Account)
		return err
	})
	if err != nil {
		return left, err
	}
	marks := make(map[totals.LogDay]totals.Mark)
	for _, days := range counted {
		for _, d := range days {
			marks[d.LogDay] = d.Mark
		}
	}
	add := func(d totals.OpenDay) {
		left.logs[d.Log] = true
		left.month = left.month || d.Day.Month() == m.Month
	}
	for _, d := range open {
		if mark, ours := marks[d.LogDay]; !ours || mark != d.Mark {
			add(d)
		}
	}
	for _, d := range later {
		if mark, ours := marks[d.LogDay]; !ours || mark.String() < d.Mark.String() {
			add(d)
		} else {
			left.later[d.LogDay] = true
		}
	}
	return left, nil
}

// close takes the counted days off the ledger.
func (m monthCount) close(ctx context.Context, counted map[usage.Log][]totals.OpenDay, left leftOpen) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(dynamo.MaxWriters)
	for _, days := range counted {
		for _, d := range days {
			group.Go(func() error {
				return within(ctx, func(ctx context.Context) error {
					return m.store.CloseDay(ctx, d, left.later[d.LogDay])
				})
			})
		}
	}
	return group.Wait()
}
