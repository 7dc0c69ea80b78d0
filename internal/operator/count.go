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
// pages of records, and of each log the sheets of at most MaxDaysAtOnce days.
const countedAtOnce = 8

// groupsAtOnce is with how many groups days are stored that wait to be stored together.
const groupsAtOnce = 20_000

// countDays counts days that are open under marks of the lease that the store is under,
// after every write into them was answered: it sums each day's records anew, stores what
// they come to, then their months and logs, and takes them off the ledger. now is
// DynamoDB's time. progress is told how many days are counted of how many, one call after
// the other; it may be nil.
//
// An account is counted in rounds of one month, or of several that have few days, each to
// its end before the next, so that what an interruption leaves is less than a round of each
// account that was under way; the days stay open that were not closed, and to count them
// again changes nothing. Days of one log that follow each other are one stream of pages.
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
	slices.SortFunc(days, func(a, b totals.OpenDay) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), compareLogs(a.Log, b.Log))
	})
	books := make(map[usage.Log]pricing.Book)
	for _, d := range days {
		if _, known := books[d.Log]; !known {
			if books[d.Log], err = bookOf(ctx, c.store, d.Log); err != nil {
				return err
			}
		}
	}
	for days := range rounds(days) {
		r := round{count: c, account: account, zone: zone, open: make(map[usage.Log][]totals.OpenDay)}
		for _, d := range days {
			r.open[d.Log] = append(r.open[d.Log], d)
		}
		if err := r.run(ctx, books); err != nil {
			return err
		}
	}
	return nil
}

// daysARound is with how many days a round of a customer's count takes no further month.
const daysARound = 400

// rounds parts days, which are in their order, into whole months, of several where they have
// few days.
func rounds(days []totals.OpenDay) func(yield func([]totals.OpenDay) bool) {
	return func(yield func([]totals.OpenDay) bool) {
		for len(days) > 0 {
			whole, n := 0, 1 // up to where months are whole and not too many days
			for ; n <= len(days); n++ {
				if n == len(days) || days[n].Day.Month() != days[n-1].Day.Month() {
					if whole > 0 && n > daysARound {
						break
					}
					whole = n
				}
			}
			if !yield(days[:whole]) {
				return
			}
			days = days[whole:]
		}
	}
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

// round counts days of a customer, of one month or several.
type round struct {
	*count
	account usage.AccountID
	zone    calendar
	open    map[usage.Log][]totals.OpenDay // of each log in their order
}

// logCount is what a round has counted of a log.
type logCount struct {
	days   []totals.Dated
	months map[totals.Month]totals.MonthlyLog // in which these are
}

func (r round) run(ctx context.Context, books map[usage.Log]pricing.Book) error {
	var mu sync.Mutex
	counted := make(map[usage.Log]logCount)
	group, logCtx := errgroup.WithContext(ctx)
	for log := range r.open {
		group.Go(func() error {
			select {
			case r.logs <- struct{}{}:
				defer func() { <-r.logs }()
			case <-logCtx.Done():
				return logCtx.Err()
			}
			of, err := r.log(logCtx, log, books[log])
			mu.Lock()
			defer mu.Unlock()
			counted[log] = of
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	left, err := r.whatIsLeft(ctx)
	if err != nil {
		return err
	}
	months := make(map[totals.Month]map[usage.Product]totals.MonthlyLog)
	for log, of := range counted {
		for month, sums := range of.months {
			if months[month] == nil {
				months[month] = make(map[usage.Product]totals.MonthlyLog)
			}
			months[month][log.Product] = sums
		}
	}
	for _, month := range slices.Sorted(maps.Keys(months)) {
		err := within(ctx, func(ctx context.Context) error {
			return r.store.StoreMonth(ctx, totals.AccountMonth{Account: r.account, Month: month}, r.zone.TimeZone,
				months[month], r.own, !left.months[month])
		})
		if err != nil {
			return err
		}
	}
	group, logCtx = errgroup.WithContext(ctx)
	for log, of := range counted {
		group.Go(func() error {
			return within(logCtx, func(ctx context.Context) error {
				return r.store.StoreLog(ctx, log, of.days, r.now(), r.own, !left.logs[log])
			})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return within(ctx, func(ctx context.Context) error {
		return r.store.CloseDays(ctx, slices.Concat(slices.Collect(maps.Values(r.open))...))
	})
}

// log counts the round's days of one log and stores them.
func (r round) log(ctx context.Context, log usage.Log, book pricing.Book) (of logCount, err error) {
	days := r.open[log]
	marks := make(map[totals.Day]totals.Mark, len(days))
	of.months = make(map[totals.Month]totals.MonthlyLog)
	for _, d := range days {
		marks[d.Day] = d.Mark
		of.months[d.Day.Month()] = totals.MonthlyLog{}
	}
	var all map[totals.Day]dynamo.CountedDay
	err = within(ctx, func(ctx context.Context) error {
		first, last := days[0].Day.Month(), days[len(days)-1].Day.Month()
		all, err = r.store.CountedDays(ctx, log, first.First(), last.Next().First())
		return err
	})
	if err != nil {
		return of, err
	}
	var batch []totals.Counted
	var groups int
	store := func() error {
		if len(batch) == 0 {
			return nil
		}
		days := batch
		batch, groups = nil, 0
		return within(ctx, func(ctx context.Context) error {
			stored, err := r.store.StoreDays(ctx, days, all, r.now)
			for _, day := range stored {
				all[day.Day], of.days = day, append(of.days, day.Dated)
				r.oneMore()
			}
			return err
		})
	}
	for run := range runs(days, func(day totals.Day) bool { return len(all[day].Sheet) == 0 }) {
		err := sheets(ctx, r.store, log, run, r.zone.clock, book, r.now(), func(d daySheet) error {
			mark, open := marks[d.day]
			if !open {
				return nil
			}
			batch = append(batch, totals.Counted{
				OpenDay: totals.OpenDay{LogDay: totals.LogDay{Log: log, Day: d.day}, Mark: mark},
				Zone:    r.zone.TimeZone, Sheet: d.sheet, ExpiresAt: d.expiresAt,
			})
			if groups += len(d.sheet); len(batch) == dynamo.MaxDaysAtOnce || groups > groupsAtOnce {
				return store()
			}
			return nil
		})
		if err != nil {
			return of, err
		}
	}
	if err := store(); err != nil {
		return of, err
	}
	for month := range of.months {
		of.months[month] = totals.SumMonth(func(yield func(totals.Dated) bool) {
			for day, d := range all {
				if day.Month() == month && !yield(d.Dated) {
					return
				}
			}
		}, r.now())
	}
	return of, nil
}

// runs parts days, which are in their order, into such as follow each other; between two
// there may be days of which empty says that they have no records, which are in the run too.
func runs(days []totals.OpenDay, empty func(totals.Day) bool) func(yield func([]totals.Day) bool) {
	return func(yield func([]totals.Day) bool) {
		for len(days) > 0 {
			run := []totals.Day{days[0].Day}
			days = days[1:]
			for len(days) > 0 {
				longer := run
				next := run[len(run)-1].Add(1)
				for ; next < days[0].Day && empty(next); next = next.Add(1) {
					longer = append(longer, next)
				}
				if next != days[0].Day {
					break
				}
				run, days = append(longer, next), days[1:]
			}
			if !yield(run) {
				return
			}
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

// leftOpen is what of a customer is not counted when a round is: the days of others, and of
// the round's what was opened or left under other marks since.
type leftOpen struct {
	months map[totals.Month]bool
	logs   map[usage.Log]bool
}

// whatIsLeft asks the ledger, on which a day stands before anything of it is stale, and
// until it is counted.
func (r round) whatIsLeft(ctx context.Context) (leftOpen, error) {
	left := leftOpen{make(map[totals.Month]bool), make(map[usage.Log]bool)}
	var open, later []totals.OpenDay
	err := within(ctx, func(ctx context.Context) (err error) {
		open, later, err = r.store.DaysUnderWayOf(ctx, r.account)
		return err
	})
	if err != nil {
		return left, err
	}
	marks := make(map[totals.LogDay]totals.Mark)
	for _, days := range r.open {
		for _, d := range days {
			marks[d.LogDay] = d.Mark
		}
	}
	add := func(d totals.OpenDay) { left.logs[d.Log], left.months[d.Day.Month()] = true, true }
	for _, d := range open {
		if mark, ours := marks[d.LogDay]; !ours || mark != d.Mark {
			add(d)
		}
	}
	for _, d := range later {
		if mark, ours := marks[d.LogDay]; !ours || mark.String() < d.Mark.String() {
			add(d)
		}
	}
	return left, nil
}
