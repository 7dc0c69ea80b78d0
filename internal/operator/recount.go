package operator

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/dynamo"
	"partnerview/internal/pricing"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// Recount is what a plan makes be counted anew: all days with records that a price list
// or a time zone changes.
type Recount struct {
	Days    int   `json:"days"`
	Records int64 `json:"records"` // of those days, by their totals: as many are read
}

// changesTotals reports whether a plan's writes need the lease.
func (p Plan) changesTotals() bool { return p.deletes || len(p.lists) > 0 || len(p.zones) > 0 }

// The first and the last day of all.
const (
	firstDay totals.Day = "0001-01-01"
	lastDay  totals.Day = "9999-12-31"
)

// dayFinder finds on which day an instant is for a log's customer, in the zone that is stored.
type dayFinder func(log usage.Log, t time.Time) (totals.LogDay, error)

// daysOf finds the stored days whose totals a plan changes, of each log by day.
func daysOf(ctx context.Context, s *dynamo.Store, p Plan, find dayFinder) ([]totals.Dated, error) {
	var logs []usage.Log
	for log := range p.lists {
		if !slices.Contains(p.zones, log.Account) {
			logs = append(logs, log)
		}
	}
	for _, account := range p.zones {
		for _, product := range usage.Products() {
			logs = append(logs, usage.Log{Account: account, Product: product})
		}
	}
	slices.SortFunc(logs, compareLogs)
	found := make([][]totals.Dated, len(logs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for i, log := range logs {
		group.Go(func() (err error) {
			if slices.Contains(p.zones, log.Account) {
				found[i], err = s.StoredDays(ctx, log, firstDay, lastDay)
			} else {
				found[i], err = p.lists[log].days(ctx, s, log, find)
			}
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(found...), err
}

func compareLogs(a, b usage.Log) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account),
		cmp.Compare(slices.Index(usage.Products(), a.Product), slices.Index(usage.Products(), b.Product)))
}

// days are the log's days from the effect of each changed list on, until another list that
// does not change takes over.
func (c listChange) days(ctx context.Context, s *dynamo.Store, log usage.Log, find dayFinder) ([]totals.Dated, error) {
	stored, err := s.PriceListHeaders(ctx, log)
	if err != nil {
		return nil, err
	}
	days := make(map[totals.Day]totals.Dated)
	for _, period := range c.periods(stored) {
		first, err := find(log, period.From)
		if err != nil {
			return nil, err
		}
		behind := lastDay
		if !period.To.IsZero() {
			last, err := find(log, period.To.Add(-time.Nanosecond))
			if err != nil {
				return nil, err
			}
			behind = last.Day.Add(1)
		}
		within, err := s.StoredDays(ctx, log, first.Day, behind)
		if err != nil {
			return nil, err
		}
		for _, d := range within {
			days[d.Day] = d
		}
	}
	return slices.SortedFunc(maps.Values(days),
		func(a, b totals.Dated) int { return cmp.Compare(a.Day, b.Day) }), nil
}

// periods are those in which another list is in force than before.
func (c listChange) periods(stored []pricing.ListHeader) (periods []usage.Period) {
	for _, from := range c.times() {
		period := usage.Period{From: from}
		for _, h := range stored {
			stays := !slices.ContainsFunc(c.times(), h.EffectiveFrom.Equal)
			if stays && h.EffectiveFrom.After(from) && (period.To.IsZero() || h.EffectiveFrom.Before(period.To)) {
				period.To = h.EffectiveFrom
			}
		}
		periods = append(periods, period)
	}
	return periods
}

// times are those from which on lists change.
func (c listChange) times() []time.Time {
	times := slices.Clone(c.withdrawn)
	for _, l := range c.put {
		times = append(times, l.EffectiveFrom)
	}
	return times
}

// recount finds what a plan makes be counted anew; nil: nothing.
func (o *Operator) recount(ctx context.Context, p Plan) (*Recount, error) {
	if !p.changesTotals() {
		return nil, nil
	}
	days, err := daysOf(ctx, o.store, p, o.dayFinder(ctx))
	if err != nil {
		return nil, err
	}
	r := new(Recount)
	for _, d := range days {
		if records := recordsOf(d.Sheet); records > 0 || d.Stale {
			r.Days++
			r.Records += records
		}
	}
	if r.Days == 0 {
		return nil, nil
	}
	return r, nil
}

// dayFinder reads zones as they are now: nobody need hold the lease for what is only told.
func (o *Operator) dayFinder(ctx context.Context) dayFinder {
	return func(log usage.Log, t time.Time) (totals.LogDay, error) {
		zone, err := o.store.AccountZone(ctx, log.Account)
		if err != nil {
			return totals.LogDay{}, err
		}
		clock, err := zone.Location()
		if err != nil {
			return totals.LogDay{}, err
		}
		return totals.LogDay{Log: log, Day: totals.DayOf(t, clock)}, nil
	}
}

// openPlanned opens, before anything is written, all days that a plan changes.
func (w *writer) openPlanned(ctx context.Context, p Plan) error {
	stored, err := daysOf(ctx, w.store, p, w.dayOf)
	if err != nil {
		return err
	}
	wanted := make(map[totals.LogDay]bool)
	for _, d := range stored {
		day := totals.LogDay{Log: d.Log, Day: d.Day}
		wanted[day] = true
		if slices.Contains(p.zones, d.Account) { // its records may be another day's then
			for by := -mostMoved; by <= mostMoved; by++ {
				wanted[totals.LogDay{Log: d.Log, Day: d.Day.Add(by)}] = true
			}
		}
	}
	days := slices.SortedFunc(maps.Keys(wanted), func(a, b totals.LogDay) int {
		return cmp.Or(compareLogs(a.Log, b.Log), cmp.Compare(a.Day, b.Day))
	})
	for some := range slices.Chunk(days, daysOpenedAtOnce) {
		if err := w.openAll(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// mostMoved is by how many days a record can move when its customer's zone changes: in each
// it is at most one day from UTC's.
const mostMoved = 2

// daysOpenedAtOnce is how many days are opened within the time of one write.
const daysOpenedAtOnce = 500

// zonesOfOld finds customers that are made anew, of whom there are totals of before, with
// days of another zone.
func (p *planner) zonesOfOld(ctx context.Context, s *dynamo.Store) error {
	changes := make([]bool, len(p.made))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for i, account := range p.made {
		group.Go(func() error {
			zone, err := s.AccountZone(reading, account)
			changes[i] = zone.String() != p.after[account].TimeZone.String()
			return err
		})
	}
	err := group.Wait()
	for i, account := range p.made {
		if changes[i] {
			p.plan.zones = append(p.plan.zones, account)
		}
	}
	return err
}
