package api

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/problem"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// A summary is summed from days or, where whole months are asked for by no finer groups,
// from months. A month that cannot be taken as it is, is summed from its days: one that
// is being counted, so that the days are named; one of another time zone than the
// customer's; one of which some days are past their retention.
//
// Rows that begin with the customer are read in the order of customers, and no further
// than the page reaches.

// summedAccount is a customer with those of its products that the summary is of.
type summedAccount struct {
	directory.Customer
	today totals.Day // when the first page began
}

func (a summedAccount) logs() []usage.Log { return logsOf([]summedAccount{a}) }

func logsOf(accounts []summedAccount) (logs []usage.Log) {
	for _, a := range accounts {
		for _, p := range a.Products {
			logs = append(logs, usage.Log{Account: a.Account, Product: p})
		}
	}
	return logs
}

// summaryReading reads a page of a summary into a table.
type summaryReading struct {
	query    summaryQuery
	store    SummaryReader
	accounts []summedAccount // in the order of their IDs
	zones    map[usage.AccountID]directory.TimeZone
	ready    bool
	now      time.Time
	table    *totals.Table

	daysLeft int  // how many days may still be read in place of months
	unsure   bool // some months are as they were counted last: too many days would tell which are
}

// check refuses what takes more days than a summary may.
func (s *summaryReading) check() error {
	if !s.query.since.IsZero() {
		return nil // how many these are is known when the logs have been looked at
	}
	days := 0
	for _, a := range s.accounts {
		n := s.query.span.Days()
		if s.query.byMonths() {
			head, _, tail := s.query.span.Months()
			n = head.Days()
			if !s.isRunning(a, tail) {
				n += tail.Days()
			}
		}
		days += n * len(a.Products)
	}
	if days > maxDaysRead {
		return tooManyDays(days)
	}
	return nil
}

func tooManyDays(days int) error {
	return problem.Invalid([]problem.ParameterError{{Parameter: "groupBy", Detail: fmt.Sprintf(
		"takes %d customers × products × days, more than %d; ask for fewer days or "+
			"products, or for whole months by customer, month, product and priceStatus alone", days, maxDaysRead)}})
}

// isRunning reports whether a span that begins with a month may hold all of it, although
// the month goes on: it reaches beyond the customer's today.
func (s *summaryReading) isRunning(a summedAccount, tail totals.Span) bool {
	return !tail.IsEmpty() && tail.To > a.today
}

// read reads what the page needs.
func (s *summaryReading) read(ctx context.Context) error {
	accounts := s.accounts
	inOrder := s.query.groupedFirst(totals.ByCustomer)
	if after := s.query.after; inOrder && after != nil {
		for len(accounts) > 0 && string(accounts[0].Account) < after[0] {
			accounts = accounts[1:]
		}
	}
	for len(accounts) > 0 && !(inOrder && s.table.IsFull()) {
		n := min(len(accounts), s.atOnce(inOrder))
		if err := s.readOf(ctx, accounts[:n]); err != nil {
			return err
		}
		accounts = accounts[n:]
	}
	return nil
}

// atOnce is how many customers are read at a time: where the rows go on by customer,
// about as many as the page needs, else as many as may stand in memory.
func (s *summaryReading) atOnce(inOrder bool) int {
	const (
		daysInMemory = 6_000
		fewest       = 5
	)
	if !s.query.since.IsZero() {
		if s.query.groupedBy(totals.ByCustomer) {
			return 100
		}
		return len(s.accounts) // which day has changed is known of all customers together
	}
	if s.query.byMonths() {
		if inOrder && len(s.query.by) == 1 {
			return s.query.limit + 1
		}
		return 500
	}
	n := daysInMemory / (s.query.span.Days() * len(usage.Products()))
	if inOrder && s.query.groupedBy(totals.ByDay) {
		n = min(n, 1+s.query.limit/s.query.span.Days())
	}
	return max(n, fewest)
}

func (s *summaryReading) readOf(ctx context.Context, accounts []summedAccount) error {
	switch {
	case !s.query.since.IsZero():
		return s.readChanges(ctx, accounts)
	case s.query.byMonths():
		return s.readMonths(ctx, accounts)
	}
	days, err := s.daysOf(ctx, s.span(), logsOf(accounts))
	s.add(days)
	return err
}

// span is the days that the page may show.
func (s *summaryReading) span() totals.Span {
	span := totals.Span{From: cmp.Or(s.query.span.From, "0001-01-01"), To: cmp.Or(s.query.span.To, "9999-12-31")}
	if after := s.query.after; after != nil && s.query.groupedFirst(totals.ByDay) {
		span.From = max(span.From, totals.Day(after[0]))
	}
	return span
}

// readMonths adds whole months, and the days that are in none.
func (s *summaryReading) readMonths(ctx context.Context, accounts []summedAccount) error {
	head, whole, tail := s.query.span.Months()
	var wanted []wantedMonth
	var ended []summedAccount // those of whom more than the tail may be known
	for _, a := range accounts {
		if len(a.Products) == 0 {
			continue
		}
		for _, m := range whole {
			wanted = append(wanted, wantedMonth{summedAccount: a, month: m, span: m.Span()})
		}
		if s.isRunning(a, tail) {
			wanted = append(wanted, wantedMonth{summedAccount: a, month: tail.From.Month(), span: tail})
		} else {
			ended = append(ended, a)
		}
	}
	keys := make([]totals.AccountMonth, len(wanted))
	for i, w := range wanted {
		keys[i] = totals.AccountMonth{Account: w.Account, Month: w.month}
	}
	var months map[totals.AccountMonth]totals.Monthly
	var days, more []totals.Dated
	err := bothOf(
		func() (err error) {
			if len(keys) > 0 {
				months, err = s.store.MonthTotals(ctx, keys)
			}
			return err
		},
		func() error {
			return bothOf(
				func() (err error) { days, err = s.daysOf(ctx, head, logsOf(accounts)); return err },
				func() (err error) { more, err = s.daysOf(ctx, tail, logsOf(ended)); return err },
			)
		},
	)
	if err != nil {
		return err
	}
	s.add(days)
	s.add(more)
	byDays := make(map[totals.Span][]usage.Log)
	for i, w := range wanted {
		if month, found := months[keys[i]]; s.takesDays(w, month, found) {
			byDays[w.span] = append(byDays[w.span], w.logs()...)
		} else {
			s.add(w.sheets(month))
		}
	}
	for span, logs := range byDays {
		days, err := s.daysOf(ctx, span, logs)
		if err != nil {
			return err
		}
		s.add(days)
	}
	return nil
}

// wantedMonth is a month of a customer, or those days of it that lie in the summary.
type wantedMonth struct {
	summedAccount
	month totals.Month
	span  totals.Span
}

// sheets are those of the logs that the summary is of, and of no other.
func (w wantedMonth) sheets(m totals.Monthly) []totals.Dated {
	var sheets []totals.Dated
	for _, log := range w.logs() {
		if of, exists := m.Logs[log.Product]; exists {
			sheets = append(sheets,
				totals.Dated{Log: log, Day: w.month.First(), Sheet: of.Sheet, UpdatedAt: of.UpdatedAt})
		}
	}
	return sheets
}

// takesDays reports whether a month must be summed from its days. Where that would be too
// many of them, what was counted last must do, and nobody can say what is yet to be.
func (s *summaryReading) takesDays(w wantedMonth, m totals.Monthly, found bool) bool {
	if !found && s.ready {
		return false // it has no records
	}
	whole := found && !m.Stale && m.Zone.String() == w.TimeZone.String()
	for _, p := range w.Products {
		of := m.Logs[p]
		whole = whole && of.LastDay < w.span.To && !totals.IsPast(of.ExpiresAt, s.now)
	}
	if whole {
		return false
	}
	if n := w.span.Days() * len(w.Products); n <= s.daysLeft {
		s.daysLeft -= n
		return true
	}
	s.unsure = true
	return false
}

// readChanges adds the days that have changed: a day of a customer as a whole, with all its
// products, since a client replaces what it has of it. Where rows are not by customer, that
// is a day of all of them.
func (s *summaryReading) readChanges(ctx context.Context, accounts []summedAccount) error {
	states, err := s.statesOf(ctx, logsOf(accounts))
	if err != nil {
		return err
	}
	touched := make(map[usage.AccountID]bool)
	for _, state := range states {
		if state.Stale || s.hasChanged(state.UpdatedAt) {
			touched[s.whose(state.Log)] = true
		}
	}
	var logs []usage.Log
	n := 0
	for _, state := range states {
		if touched[s.whose(state.Log)] {
			logs = append(logs, state.Log)
			n += s.daysIn(state)
		}
	}
	if n > maxDaysRead && !s.query.groupedBy(totals.ByCustomer) {
		return tooManyDays(n)
	}
	days, err := s.daysOf(ctx, s.span(), logs)
	if err != nil {
		return err
	}
	type customerDay struct {
		usage.AccountID
		totals.Day
	}
	changed := make(map[customerDay]bool)
	for _, d := range days {
		if s.hasChanged(d.UpdatedAt) {
			changed[customerDay{s.whose(d.Log), d.Day}] = true
		}
	}
	for _, d := range days {
		if wasCounted := !d.UpdatedAt.IsZero(); wasCounted && changed[customerDay{s.whose(d.Log), d.Day}] {
			s.table.Add(d)
		}
		if d.Stale {
			s.table.Pend(d)
		}
	}
	return nil
}

func (s *summaryReading) statesOf(ctx context.Context, logs []usage.Log) ([]totals.LogState, error) {
	if len(logs) == 0 {
		return nil, nil
	}
	return s.store.LogTotals(ctx, logs)
}

func (s *summaryReading) hasChanged(updatedAt time.Time) bool {
	return !updatedAt.IsZero() && !updatedAt.Before(s.query.since.Add(-margin))
}

// whose is the customer whose day changes as a whole; empty, where rows are not by
// customer: all of them together.
func (s *summaryReading) whose(log usage.Log) usage.AccountID {
	if s.query.groupedBy(totals.ByCustomer) {
		return log.Account
	}
	return ""
}

// daysIn is about how many days of a log lie in the summary.
func (s *summaryReading) daysIn(state totals.LogState) int {
	if state.FirstDay == "" {
		return 0
	}
	span := totals.Span{From: max(state.FirstDay, s.query.span.From), To: state.LastDay.Add(1)}
	if s.query.span.To != "" {
		span.To = min(span.To, s.query.span.To)
	}
	return span.Days()
}

// daysOf reads the days that are rows: not those of which a record is past its
// retention, unless it is being counted anew, as one of another zone than the customer's is.
func (s *summaryReading) daysOf(ctx context.Context, span totals.Span, logs []usage.Log) ([]totals.Dated, error) {
	if len(logs) == 0 || span.IsEmpty() {
		return nil, nil
	}
	days, err := s.store.DayTotals(ctx, logs, span.From, span.To)
	kept := days[:0]
	for _, d := range days {
		d.Stale = d.Stale || d.Zone.String() != s.zones[d.Account].String()
		if d.Expired(s.now) {
			if !d.Stale {
				continue
			}
			d.Sheet, d.UpdatedAt = nil, time.Time{} // what it will come to nobody knows
		}
		kept = append(kept, d)
	}
	return kept, err
}

func (s *summaryReading) add(days []totals.Dated) {
	for _, d := range days {
		s.table.Add(d)
		if d.Stale {
			s.table.Pend(d)
		}
	}
}

// shown lists the customers that a page tells of, even if only that there is nothing: of
// rows by customer those that it has come to, else all.
func (s *summaryReading) shown(rows []totals.Row, more bool) []usage.AccountID {
	inOrder := s.query.groupedFirst(totals.ByCustomer)
	accounts := []usage.AccountID{}
	for _, a := range s.accounts {
		if inOrder && s.query.after != nil && string(a.Account) < s.query.after[0] ||
			inOrder && more && string(a.Account) > rows[len(rows)-1].Key[0] {
			continue
		}
		accounts = append(accounts, a.Account)
	}
	return accounts
}
