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

	"partnerview/internal/dynamo"
	"partnerview/internal/money"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// Rebuild is what a rebuild of totals counts.
type Rebuild struct {
	Days    int   `json:"days"`    // with records, or with totals
	Records int64 `json:"records"` // of their months, as far as these are counted: as many are read, or more
	// Resumed is how many of the days were counted by a rebuild of the same that was
	// interrupted within the last day: they are left out.
	Resumed int `json:"resumed"`
}

// resumable is how long after its last step a rebuild is gone on with that was interrupted.
const resumable = 24 * time.Hour

// PlanRebuild finds what a rebuild counts, without reading the records; progress is told how
// many days it has found, one call after the other, and may be nil. UserError: the account is
// no customer's, and there is nothing of it.
func (o *Operator) PlanRebuild(ctx context.Context, wanted DaysWanted, progress func(days int)) (r Rebuild, err error) {
	days, skipped, err := o.daysToRebuild(ctx, o.store, wanted, progress)
	if err == nil && len(days)+skipped == 0 {
		err = o.knows(ctx, wanted)
	}
	if err != nil {
		return r, err
	}
	r.Days, r.Resumed = len(days), skipped
	products := make(map[totals.AccountMonth]map[usage.Product]bool)
	var months []totals.AccountMonth
	for _, d := range days {
		month := totals.AccountMonth{Account: d.Account, Month: d.Day.Month()}
		if products[month] == nil {
			products[month] = make(map[usage.Product]bool)
			months = append(months, month)
		}
		products[month][d.Product] = true
	}
	sums, err := o.store.MonthTotals(ctx, months)
	for month, sum := range sums {
		for product, log := range sum.Logs {
			if products[month][product] {
				r.Records += recordsOf(log.Sheet)
			}
		}
	}
	return r, err
}

// RebuildTotals counts anew all days that have records or totals, those too that were left for
// later, and tells progress how many of them are counted. What something else wrote into the
// table is in the totals from then on. Where all there is was wanted, it says at its end that
// all of Usage is counted. Interrupted, it goes on where it was, if it is run again within a
// day.
func (o *Operator) RebuildTotals(ctx context.Context, wanted DaysWanted, progress func(days, of int)) error {
	return o.writing(ctx, "totals rebuild", func(ctx context.Context, w *writer) error {
		days, _, err := o.daysToRebuild(ctx, w.store, wanted, nil)
		if err != nil {
			return err
		}
		done := 0
		for some := range slices.Chunk(days, daysRebuiltAtOnce) {
			if err := w.openAll(ctx, some); err != nil {
				return err
			}
			if err := w.count(ctx, func(n, _ int) { progress(done+n, len(days)) }); err != nil {
				return err
			}
			done += len(some)
			err := within(ctx, func(ctx context.Context) error {
				return w.store.PutRebuild(ctx,
					dynamo.Rebuild{Wanted: wanted.text(), Done: some[len(some)-1], At: w.lease.Now()})
			})
			if err != nil {
				return err
			}
		}
		return within(ctx, func(ctx context.Context) error {
			if wanted.whole() {
				if err := w.store.PutReady(ctx, o.now()); err != nil {
					return err
				}
			}
			return w.store.EndRebuild(ctx)
		})
	})
}

// daysRebuiltAtOnce is how many days are pending at a time while totals are rebuilt.
const daysRebuiltAtOnce = 500

// text names what is wanted, for one who goes on with it.
func (w DaysWanted) text() string { return fmt.Sprint(w.Account, w.Products, w.from(), w.to()) }

// daysToRebuild finds the days that are wanted, by account, product and day, without those
// that an interrupted rebuild of the same has counted.
func (o *Operator) daysToRebuild(ctx context.Context, s *dynamo.Store, wanted DaysWanted,
	progress func(days int)) (days []totals.LogDay, skipped int, err error) {
	logs, err := o.logsWanted(ctx, s, wanted)
	if err != nil {
		return nil, 0, err
	}
	found := make([][]totals.LogDay, len(logs))
	var mu sync.Mutex
	sofar := 0
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for i, log := range logs {
		group.Go(func() error {
			zone, err := calendarOf(reading, s, log.Account)
			if err != nil {
				return err
			}
			days, err := s.LogDays(reading, log, zone.clock, wanted.From, wanted.To)
			for _, day := range days {
				found[i] = append(found[i], totals.LogDay{Log: log, Day: day})
			}
			mu.Lock()
			defer mu.Unlock()
			if sofar += len(days); progress != nil {
				progress(sofar)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, 0, err
	}
	days = slices.Concat(found...)
	last, err := s.LastRebuild(ctx)
	if err != nil || last.Wanted != wanted.text() || o.wallClock().Sub(last.At) > resumable {
		return days, 0, err
	}
	open, later, err := s.DaysUnderWay(ctx)
	again := make(map[totals.LogDay]bool) // they were written into since
	for _, d := range slices.Concat(open, later) {
		again[d.LogDay] = true
	}
	left := slices.DeleteFunc(slices.Clone(days), func(d totals.LogDay) bool {
		return !again[d] && compareDays(d, last.Done) <= 0
	})
	return left, len(days) - len(left), err
}

func compareDays(a, b totals.LogDay) int {
	return cmp.Or(compareLogs(a.Log, b.Log), cmp.Compare(a.Day, b.Day))
}

// logsWanted are the logs of which there may be something, by account and product.
func (o *Operator) logsWanted(ctx context.Context, s *dynamo.Store, wanted DaysWanted) (logs []usage.Log, err error) {
	if wanted.Account != "" {
		return Selection{Account: wanted.Account, Products: wanted.Products}.logs(), nil
	}
	if logs, err = s.StoredLogs(ctx); err != nil {
		return nil, err
	}
	logs = slices.DeleteFunc(logs, func(log usage.Log) bool {
		return len(wanted.Products) > 0 && !slices.Contains(wanted.Products, log.Product)
	})
	slices.SortFunc(logs, compareLogs)
	return logs, nil
}

func recordsOf(s totals.Sheet) (n int64) {
	for _, sums := range s {
		n += sums.Records
	}
	return n
}

// TotalsCheck is what a comparison of totals with the records has found.
type TotalsCheck struct {
	Ready       bool // all that is stored of usage is counted
	Days        int
	Records     int64
	Pending     []totals.LogDay // that were not compared, since they are not counted yet
	Differences []TotalsDifference
}

// TotalsDifference is a day, or a month or log of one, whose totals are not what its records
// come to.
type TotalsDifference struct {
	usage.Log
	Of              string // "2026-11-03", "2026-11", or "log"
	Stored, Counted string // in words: "1200 records, 96.12 EUR, 20 unrated"
}

// checkedAtOnce is how many logs are compared side by side.
const checkedAtOnce = 4

// CheckTotals counts days anew, as RebuildTotals does, compares what they come to with what
// is stored, and writes nothing; progress is told how many records it has read, one call
// after the other.
// Where whole logs are compared, so are their months. Days of which a record is past its
// retention are no rows, and not compared.
func (o *Operator) CheckTotals(ctx context.Context, wanted DaysWanted,
	progress func(records int64)) (TotalsCheck, error) {
	logs, err := o.logsWanted(ctx, o.store, wanted)
	if err != nil {
		return TotalsCheck{}, err
	}
	found := make([]TotalsCheck, len(logs))
	var mu sync.Mutex
	read := int64(0)
	whole := ctx
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(checkedAtOnce)
	for i, log := range logs {
		group.Go(func() error {
			c := logCheck{store: o.store, log: log, now: o.now(), found: &found[i], read: func(n int64) {
				mu.Lock()
				defer mu.Unlock()
				read += n
				progress(read)
			}}
			return c.run(ctx, wanted)
		})
	}
	err = group.Wait()
	var all TotalsCheck
	for _, f := range found {
		all.Days += f.Days
		all.Records += f.Records
		all.Pending = append(all.Pending, f.Pending...)
		all.Differences = append(all.Differences, f.Differences...)
	}
	if err == nil {
		all.Ready, err = o.store.TotalsReady(whole)
	}
	if err == nil && all.Days+len(all.Pending) == 0 {
		err = o.knows(whole, wanted)
	}
	return all, err
}

// knows is an error where an account is wanted of which there is nothing, and which is no
// customer's.
func (o *Operator) knows(ctx context.Context, wanted DaysWanted) error {
	if wanted.Account == "" {
		return nil
	}
	_, err := o.ShowCustomer(ctx, wanted.Account)
	return err
}

// logCheck compares the totals of a log.
type logCheck struct {
	store *dynamo.Store
	log   usage.Log
	now   time.Time
	found *TotalsCheck
	read  func(int64)
}

func (c logCheck) run(ctx context.Context, wanted DaysWanted) error {
	zone, err := calendarOf(ctx, c.store, c.log.Account)
	if err != nil {
		return err
	}
	days, err := c.store.LogDays(ctx, c.log, zone.clock, wanted.From, wanted.To)
	if err != nil || len(days) == 0 {
		return err
	}
	unsure, err := c.compare(ctx, zone, days, false)
	for _, day := range unsure { // somebody may have written meanwhile
		for last := false; err == nil; last = true {
			var again []totals.Day
			if again, err = c.compare(ctx, zone, []totals.Day{day}, last); len(again) == 0 || last {
				break
			}
		}
	}
	if err != nil || wanted.From != "" || wanted.To != "" {
		return err
	}
	return c.months(ctx)
}

// compare compares days, and returns those that differ; the last time those are told as
// differences.
func (c logCheck) compare(ctx context.Context, zone calendar, days []totals.Day, last bool) ([]totals.Day, error) {
	book, err := bookOf(ctx, c.store, c.log)
	if err != nil {
		return nil, err
	}
	stored, err := c.stored(ctx, days[0], days[len(days)-1].Add(1))
	if err != nil {
		return nil, err
	}
	counted := make(map[totals.Day]daySheet)
	open := make([]totals.OpenDay, len(days))
	for i, day := range days {
		open[i].Day = day
	}
	for run := range runs(open, func(totals.Day) bool { return false }) {
		err := sheets(ctx, c.store, c.log, run, zone.clock, book, c.now, func(d daySheet) error {
			counted[d.day] = d
			c.read(recordsOf(d.sheet))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var unsure []totals.Day
	for _, day := range days {
		before, of := stored[day], counted[day]
		same := before.Sheet.Text() == of.sheet.Text() &&
			(len(of.sheet) == 0 || before.Zone.String() == zone.TimeZone.String())
		past := before.Expired(c.now) || totals.IsPast(of.expiresAt, c.now)
		switch {
		case !same && !past && !before.Stale && !last:
			unsure = append(unsure, day)
			continue
		case before.Stale:
			c.found.Pending = append(c.found.Pending, totals.LogDay{Log: c.log, Day: day})
			continue
		case !same && !past:
			c.differs(string(day), sheetText(before.Sheet, before.Zone.String()),
				sheetText(of.sheet, zone.TimeZone.String()))
		}
		c.found.Days++
		c.found.Records += recordsOf(of.sheet)
	}
	return unsure, nil
}

func (c logCheck) stored(ctx context.Context, from, to totals.Day) (map[totals.Day]totals.Dated, error) {
	days := make(map[totals.Day]totals.Dated)
	err := within(ctx, func(ctx context.Context) error {
		found, err := c.store.StoredDays(ctx, c.log, from, to)
		for _, d := range found {
			days[d.Day] = d
		}
		return err
	})
	return days, err
}

func (c logCheck) differs(of, stored, counted string) {
	if stored == counted {
		stored += ", in other groups"
	}
	c.found.Differences = append(c.found.Differences, TotalsDifference{c.log, of, stored, counted})
}

// months compares the months of a log with its stored days. Months are read as the API
// reads them, so that one that was stored just now may still be the former: what differs is
// read again.
func (c logCheck) months(ctx context.Context) error {
	differing, err := c.differingMonths(ctx)
	if err != nil || len(differing) == 0 {
		return err
	}
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	differing, err = c.differingMonths(ctx)
	for _, d := range differing {
		c.differs(d.Of, d.Stored, d.Counted)
	}
	return err
}

func (c logCheck) differingMonths(ctx context.Context) (differing []TotalsDifference, err error) {
	days, err := c.stored(ctx, firstDay, lastDay)
	if err != nil {
		return nil, err
	}
	byMonth := make(map[totals.Month][]totals.Dated)
	for _, d := range days {
		byMonth[d.Day.Month()] = append(byMonth[d.Day.Month()], d)
	}
	var wanted []totals.AccountMonth
	for _, month := range slices.Sorted(maps.Keys(byMonth)) {
		wanted = append(wanted, totals.AccountMonth{Account: c.log.Account, Month: month})
	}
	var stored map[totals.AccountMonth]totals.Monthly
	err = within(ctx, func(ctx context.Context) error {
		stored, err = c.store.MonthTotals(ctx, wanted)
		return err
	})
	for _, month := range wanted {
		is := stored[month]
		summedFromDays := is.Stale || totals.IsPast(is.ExpiresAt, c.now) ||
			slices.ContainsFunc(byMonth[month.Month], func(d totals.Dated) bool { return d.Stale || d.Expired(c.now) })
		if summedFromDays {
			continue
		}
		got, want := is.Logs[c.log.Product].Sheet, totals.SumMonth(slices.Values(byMonth[month.Month]), c.now).Sheet
		if got.Text() != want.Text() {
			zone := is.Zone.String()
			differing = append(differing,
				TotalsDifference{c.log, string(month.Month), sheetText(got, zone), sheetText(want, zone)})
		}
	}
	return differing, err
}

// sheetText says in words what a sheet comes to.
func sheetText(s totals.Sheet, zone string) string {
	text := fmt.Sprintf("%d records", recordsOf(s))
	if recordsOf(s) == 1 {
		text = "1 record"
	}
	for _, row := range totals.Rows([]totals.Dated{{Sheet: s}}, nil, false) {
		for _, charged := range row.Charged {
			text += fmt.Sprintf(", %s %s", money.Text(charged.Amount), charged.Currency)
		}
		if row.Unrated > 0 {
			text += fmt.Sprintf(", %d unrated", row.Unrated)
		}
	}
	if zone != "UTC" {
		text += " (" + zone + ")"
	}
	return text
}
