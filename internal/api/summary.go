package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/money"
	"partnerview/internal/problem"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// SummaryReader reads what usage comes to. What it reads may be some seconds old.
type SummaryReader interface {
	CustomerReader
	FreshnessReader
	// EveryCustomer is as in SpendingList.
	EveryCustomer(context.Context, directory.Identity, directory.CustomerQuery, []totals.Month) (
		page directory.CustomerPage, spending totals.Spending, isWhole bool, err error)
	// DayTotals reads the days of logs in a span, whose ends are not open, in no order. A
	// day that never had a record is not in it.
	DayTotals(ctx context.Context, logs []usage.Log, from, to totals.Day) ([]totals.Dated, error)
	// MonthTotals reads the months that are there.
	MonthTotals(context.Context, []totals.AccountMonth) (map[totals.AccountMonth]totals.Monthly, error)
	// TotalsReady reports whether all that was ever loaded is counted.
	TotalsReady(context.Context) (bool, error)
}

// FreshnessReader reads how far logs are loaded.
type FreshnessReader interface {
	// LogTotals reads the state of those of the logs that anything was loaded into.
	LogTotals(context.Context, []usage.Log) ([]totals.LogState, error)
}

var (
	getSummary         = summaryRoute("GET /summary")
	getCustomerSummary = summaryRoute("GET /customers/{accountId}/summary")
)

func summaryRoute(pattern string) Route {
	return Route{
		Pattern:    pattern,
		Parameters: []string{"from", "to", "groupBy", "product", "updatedSince", "limit", "cursor"},
		Repeatable: []string{"groupBy", "product"}, CSV: true,
	}
}

const (
	rowsOnPage      = 200
	maxRowsOnPage   = 1000
	maxGroups       = 3
	maxPendingShown = 100
	maxSummaryDays  = 400
	// maxDaysRead is how many days, each of a customer and a product, a summary may be
	// summed from.
	maxDaysRead = 60_000
	// margin is how long before updatedSince a day's last change may lie: clocks and
	// reads that lag behind make a client see some days twice, and miss none.
	margin = 10 * time.Minute
)

// GetSummary serves GET /customers/{accountId}/summary and GET /summary: what the usage
// of a customer, or of all that the viewer may see, comes to, by groups. 400
// invalid_parameter, 404 customer_not_found.
func GetSummary(env Env, store SummaryReader) http.Handler {
	s := summaryEndpoints{env, store}
	return env.mux(map[string]endpoint{getSummary.Pattern: s.ofAll, getCustomerSummary.Pattern: s.ofOne})
}

type summaryEndpoints struct {
	env   Env
	store SummaryReader
}

func (s summaryEndpoints) ofOne(r *http.Request) (response, error) {
	viewer, err := s.env.customer(r)
	if err != nil {
		return response{}, err
	}
	return s.answer(r, []totals.Dimension{}, func(ctx context.Context) ([]directory.Customer, error) {
		c, err := visibleCustomer(ctx, s.store, viewer)
		return []directory.Customer{c}, err
	})
}

func (s summaryEndpoints) ofAll(r *http.Request) (response, error) {
	viewer, err := s.env.viewer(r)
	if err != nil {
		return response{}, err
	}
	return s.answer(r, []totals.Dimension{totals.ByCustomer}, func(ctx context.Context) ([]directory.Customer, error) {
		return allCustomers(ctx, s.store, viewer.Identity)
	})
}

// visibleCustomer reads the customer that was granted, as the viewer may see it: with its
// products as they are now, of those that the authorizer found. What was taken away since
// is gone at once.
func visibleCustomer(ctx context.Context, store CustomerReader, viewer directory.Viewer) (directory.Customer, error) {
	c, err := store.Customer(ctx, viewer.Account)
	if fault.Is(err, fault.NotFound) {
		return directory.Customer{}, problem.NoCustomer
	}
	if err != nil {
		return directory.Customer{}, err
	}
	c.Products = slices.DeleteFunc(directory.Visible(c.Products, nil), func(p usage.Product) bool {
		return !viewer.MaySee(p)
	})
	return c, nil
}

// allCustomers reads all customers that a viewer may see, in the order of their accounts.
// More than a summary may cover are a fault of the request.
func allCustomers(ctx context.Context, store SummaryReader, who directory.Identity) ([]directory.Customer, error) {
	page, _, isWhole, err := store.EveryCustomer(ctx, who, directory.CustomerQuery{Limit: maxCounted}, nil)
	if err != nil {
		return nil, err
	}
	if !isWhole {
		return nil, problem.Invalid([]problem.ParameterError{{Parameter: "query", Detail: fmt.Sprintf(
			"is answered to who sees %d customers at most; ask for each customer by itself", maxCounted)}})
	}
	slices.SortFunc(page.Customers, func(a, b directory.Customer) int { return cmp.Compare(a.Account, b.Account) })
	return page.Customers, nil
}

// answer sums up the usage of the customers that the route is of. The route has the
// dimensions of its own besides those that each has.
func (s summaryEndpoints) answer(r *http.Request, own []totals.Dimension,
	customersOf func(context.Context) ([]directory.Customer, error)) (response, error) {
	p := readParams(r, getSummary)
	q := readSummary(p, own, s.env.Now())
	if err := p.err(); err != nil {
		return response{}, err
	}
	var customers []directory.Customer
	var ready bool
	err := bothOf(
		func() (err error) { customers, err = customersOf(r.Context()); return err },
		func() (err error) { ready, err = s.store.TotalsReady(r.Context()); return err },
	)
	if err != nil {
		return response{}, err
	}
	zone, sameZone := zoneOf(customers)
	if err := q.resolve(p, zone, sameZone); err != nil {
		return response{}, err
	}
	reading := &summaryReading{query: q, store: s.store, ready: ready, now: s.env.Now(), daysLeft: maxDaysRead,
		zones: make(map[usage.AccountID]directory.TimeZone, len(customers)),
		table: totals.NewTable(q.by, totals.Page{After: q.after, Most: q.limit, Emptied: !q.since.IsZero()})}
	for _, c := range customers {
		location, err := c.TimeZone.Location()
		if err != nil {
			return response{}, fault.New(fault.Internal, "time zone of "+string(c.Account), err)
		}
		c.Products = slices.DeleteFunc(c.Products, func(p usage.Product) bool { return !q.asksFor(p) })
		reading.zones[c.Account] = c.TimeZone
		reading.accounts = append(reading.accounts, summedAccount{c, totals.DayOf(q.asOf, location)})
	}
	if err := reading.check(); err != nil {
		return response{}, err
	}
	if err := reading.read(r.Context()); err != nil {
		return response{}, err
	}
	rows, more, pending := reading.table.Result()
	body := summaryPage{account: usage.AccountID(r.PathValue("accountId")), by: q.by, rows: rows, span: q.span,
		asOf: q.asOf, pending: pending, counted: ready && !reading.unsure}
	if sameZone {
		body.zone = zone.String()
	}
	if more {
		body.next = p.seal(q.cursor(rows[len(rows)-1].Key))
	}
	out := response{body: body, next: body.next}
	out.audit = &auditEntry{accounts: reading.shown(rows, more), records: len(rows)}
	return out, nil
}

// zoneOf is the one time zone of all customers. Where they have several, or there is no
// customer, it is UTC, and not the same.
func zoneOf(customers []directory.Customer) (zone directory.TimeZone, same bool) {
	for i, c := range customers {
		if i > 0 && c.TimeZone.String() != zone.String() {
			return "", false
		}
		zone = c.TimeZone
	}
	return zone, len(customers) > 0
}

// summaryQuery is what a summary asks for.
type summaryQuery struct {
	by       []totals.Dimension
	products []usage.Product // empty: all that are visible
	span     totals.Span     // until it is resolved, an end that was not sent is empty
	resolved bool            // by the first page: the cursor has it
	since    time.Time       // zero: whenever it changed
	limit    int
	after    *totals.Key
	asOf     time.Time // when the first page began
}

// readSummary reads a summary's parameters. own are the dimensions that only this route
// has.
func readSummary(p *params, own []totals.Dimension, now time.Time) summaryQuery {
	q := summaryQuery{
		by:       p.groups(own),
		products: words(p, "product", "is one of sms, voice, video, messaging", usage.ParseProduct),
		span:     p.span(),
		since:    p.time("updatedSince"),
		limit:    p.limit(rowsOnPage, maxRowsOnPage),
		asOf:     now,
	}
	if p.values.Has("updatedSince") && q.since.IsZero() {
		q.since = q.since.Add(time.Millisecond) // so that the first of all times is one too
	}
	if p.values.Has("updatedSince") && !slices.Contains(q.by, totals.ByDay) {
		p.reject("updatedSince", "tells which days have changed, and needs groupBy=day")
	}
	q.limitSpan(p)
	if key := p.open(); key != "" && !q.resume(key) {
		p.badCursor()
	}
	return q
}

// limitSpan refuses a span of too many days, once both its ends are known.
func (q *summaryQuery) limitSpan(p *params) {
	switch {
	case q.span.From == "" || q.span.To == "":
	case q.span.IsEmpty():
		p.reject("to", "must be later than from: the days run from from until the day before to")
	case q.since.IsZero() && q.span.Days() > maxSummaryDays:
		p.reject("from", fmt.Sprintf("is more than %d days before to, or before tomorrow where to is not given",
			maxSummaryDays))
	}
}

// resolve puts the running month in place of what was not sent: in the zone of all
// customers or, where they have several, so that today is over in none of them.
func (q *summaryQuery) resolve(p *params, zone directory.TimeZone, sameZone bool) error {
	if q.resolved || !q.since.IsZero() {
		return nil
	}
	location, err := zone.Location()
	if err != nil {
		return fault.New(fault.Internal, "time zone "+zone.String(), err)
	}
	today := totals.DayOf(q.asOf, location)
	if q.span.From == "" {
		q.span.From = today.Month().First()
	}
	if q.span.To == "" {
		end := today.Add(1)
		if !sameZone {
			end = today.Add(2)
		}
		q.span.To = max(end, q.span.From.Add(1))
	}
	q.limitSpan(p)
	return p.err()
}

func (q *summaryQuery) asksFor(p usage.Product) bool {
	return len(q.products) == 0 || slices.Contains(q.products, p)
}

func (q *summaryQuery) groupedBy(d totals.Dimension) bool { return slices.Contains(q.by, d) }

func (q *summaryQuery) groupedFirst(d totals.Dimension) bool { return len(q.by) > 0 && q.by[0] == d }

// byMonths reports whether months tell as much as days.
func (q *summaryQuery) byMonths() bool {
	return !slices.ContainsFunc(q.by, func(d totals.Dimension) bool {
		switch d {
		case totals.ByCustomer, totals.ByMonth, totals.ByProduct, totals.ByPriceStatus:
			return false
		}
		return true
	})
}

// cursor is where the page behind a row begins, and what all pages of a summary share.
// NUL is in no key.
func (q *summaryQuery) cursor(key totals.Key) string {
	parts := []string{usage.FormatTime(q.asOf), string(q.span.From), string(q.span.To)}
	return strings.Join(append(parts, key[:len(q.by)]...), "\x00")
}

// resume reads what cursor wrote.
func (q *summaryQuery) resume(text string) bool {
	const shared = 3
	parts := strings.Split(text, "\x00")
	if len(parts) != shared+len(q.by) {
		return false
	}
	asOf, err := usage.ParseTime(parts[0])
	if err != nil {
		return false
	}
	span := totals.Span{From: totals.Day(parts[1]), To: totals.Day(parts[2])}
	for _, day := range []totals.Day{span.From, span.To} {
		if open := day == "" && !q.since.IsZero(); !open && !isDay(string(day)) {
			return false
		}
	}
	closed := span.From != "" && span.To != ""
	if closed && span.IsEmpty() || closed && q.since.IsZero() && span.Days() > maxSummaryDays ||
		q.span.From != "" && q.span.From != span.From || q.span.To != "" && q.span.To != span.To {
		return false
	}
	q.after = new(totals.Key)
	copy(q.after[:], parts[shared:])
	q.asOf, q.span, q.resolved = asOf, span, true
	return true
}

// isDay reports whether a text is a day that others may follow.
func isDay(s string) bool {
	d, err := totals.ParseDay(s)
	return err == nil && d >= "0001-01-01" && d < "9999-12-31"
}

// span reads from and to as days.
func (p *params) span() totals.Span {
	day := func(name string) totals.Day {
		s := p.values.Get(name)
		if s != "" && !isDay(s) {
			p.reject(name, "is a day such as 2026-11-03")
			return ""
		}
		return totals.Day(s)
	}
	span := totals.Span{From: day("from"), To: day("to")}
	if p.values.Has("to") && !p.values.Has("from") {
		p.reject("to", "needs from: the days run from from until the day before to")
	}
	return span
}

// time reads an RFC 3339 time.
func (p *params) time(name string) time.Time {
	s := p.values.Get(name)
	if s == "" {
		return time.Time{}
	}
	t, err := usage.ParseTime(s)
	if err != nil {
		p.reject(name, "is an RFC 3339 time such as 2026-11-03T10:00:00Z (write + as %2B)")
	}
	return t
}

// groups reads what rows are grouped by.
func (p *params) groups(own []totals.Dimension) []totals.Dimension {
	known := append(slices.Clone(own), totals.ByDay, totals.ByMonth, totals.ByProduct, totals.ByDirection,
		totals.ByStatus, totals.ByCountry, totals.ByChannel, totals.ByPriceStatus)
	var by []totals.Dimension
	for _, word := range p.values["groupBy"] {
		d := totals.Dimension(word)
		switch {
		case !slices.Contains(known, d):
			names := make([]string, len(known))
			for i, k := range known {
				names[i] = string(k)
			}
			p.reject("groupBy", "is one of "+strings.Join(names, ", "))
			return nil
		case slices.Contains(by, d):
			p.reject("groupBy", "names "+string(d)+" twice")
			return nil
		}
		by = append(by, d)
	}
	switch {
	case len(by) > maxGroups:
		p.reject("groupBy", fmt.Sprintf("is given more than %d times", maxGroups))
		return nil
	case slices.Contains(by, totals.ByDay) && slices.Contains(by, totals.ByMonth):
		p.reject("groupBy", "is day or month, not both")
		return nil
	}
	return by
}

// summaryPage is a page of a summary.
type summaryPage struct {
	account usage.AccountID // empty: it is of all customers
	by      []totals.Dimension
	rows    []totals.Row
	span    totals.Span
	zone    string // empty: there is not one for all
	counted bool   // false: nobody knows how many days are yet to be counted
	pending []totals.LogDay
	asOf    time.Time
	next    string // a cursor; empty: there is no next page
}

// complete reports whether the rows are all that there is to know.
func (p summaryPage) complete() bool { return p.counted && len(p.pending) == 0 }

// rowBytes is about what one row takes as JSON.
const rowBytes = 300

func (p summaryPage) writeJSON(w *jsonWriter) {
	w.out = slices.Grow(w.out, (1+len(p.rows))*rowBytes)
	w.open('{')
	w.name("data")
	w.open('[')
	for i := range p.rows {
		w.next()
		w.row(&p.rows[i], p.by)
	}
	w.close(']')
	w.name("range")
	w.open('{')
	w.text("from", string(p.span.From))
	w.text("to", string(p.span.To))
	w.close('}')
	w.text("timeZone", p.zone)
	w.name("complete")
	w.out = strconv.AppendBool(w.out, p.complete())
	w.name("pending")
	w.open('[')
	for _, d := range p.pending[:min(len(p.pending), maxPendingShown)] {
		w.next()
		w.open('{')
		w.text("accountId", string(d.Account))
		w.text("product", string(d.Product))
		w.text("day", string(d.Day))
		w.close('}')
	}
	w.close(']')
	if p.counted {
		w.whole("pendingCount", int64(len(p.pending)))
	} else {
		w.null("pendingCount")
	}
	w.time("asOf", p.asOf)
	w.text("nextCursor", p.next)
	w.close('}')
}

// quantity is how much of something a row's records come to. It is not told where none of
// their products has it.
type quantity struct {
	name string
	n    int64
	told bool
}

// quantitiesOf are a row's, in the order of answers.
func quantitiesOf(r *totals.Row) [4]quantity {
	has := func(of ...usage.Product) bool {
		return slices.ContainsFunc(r.Products, func(p usage.Product) bool { return slices.Contains(of, p) })
	}
	return [...]quantity{
		{"segments", r.Sums.Segments, has(usage.SMS)},
		{"durationSeconds", r.Sums.DurationSeconds, has(usage.Voice, usage.Video)},
		{"participantSeconds", r.Sums.ParticipantSeconds, has(usage.Video)},
		{"billableSeconds", r.Sums.BillableSeconds, has(usage.Voice, usage.Video)},
	}
}

// row writes what the records of a key come to.
func (w *jsonWriter) row(r *totals.Row, by []totals.Dimension) {
	w.open('{')
	w.name("key")
	w.open('{')
	for i, dimension := range by {
		w.text(string(dimension), r.Key[i])
	}
	w.close('}')
	w.whole("records", r.Sums.Records)
	for _, q := range quantitiesOf(r) {
		if q.told {
			w.whole(q.name, q.n)
		} else {
			w.null(q.name)
		}
	}
	w.name("charged")
	w.open('[')
	for _, c := range r.Charged {
		w.next()
		w.open('{')
		w.text("currency", string(c.Currency))
		w.text("amount", money.Text(c.Amount))
		w.whole("records", c.Records)
		w.close('}')
	}
	w.close(']')
	w.whole("unrated", r.Unrated)
	w.time("updatedAt", r.UpdatedAt)
	w.close('}')
}

func (p summaryPage) csvName() string {
	name := []string{"summary"}
	for _, part := range []string{string(p.account), string(p.span.From), string(p.span.To)} {
		if part != "" {
			name = append(name, part)
		}
	}
	return strings.Join(name, "-")
}

func (p summaryPage) csvHeader(h http.Header) {
	h.Set("Complete", strconv.FormatBool(p.complete()))
	if p.counted {
		h.Set("Pending-Count", strconv.Itoa(len(p.pending)))
	}
	h.Set("As-Of", usage.FormatTime(p.asOf))
}

// writeCSV writes a line for each currency of a row, and one where there is none. What a
// row has once stands in its first line alone, so that a column can be added up.
func (p summaryPage) writeCSV(w *csvWriter) {
	w.out = slices.Grow(w.out, (1+len(p.rows))*rowBytes)
	w.header("customer", "day", "month", "product", "direction", "status", "country", "channel", "priceStatus",
		"records", "segments", "durationSeconds", "participantSeconds", "billableSeconds",
		"currency", "amount", "chargedRecords", "unrated", "updatedAt")
	for i := range p.rows {
		r := &p.rows[i]
		for line := range max(1, len(r.Charged)) {
			w.key(r.Key, p.by)
			w.summedUp(r, line)
			w.time(r.UpdatedAt)
			w.endLine()
		}
	}
}

// key writes the cells of all dimensions; those that were not asked for are empty.
func (w *csvWriter) key(key totals.Key, by []totals.Dimension) {
	value := func(d totals.Dimension) string {
		if i := slices.Index(by, d); i >= 0 {
			return key[i]
		}
		return ""
	}
	for _, d := range []totals.Dimension{totals.ByCustomer, totals.ByDay, totals.ByMonth, totals.ByProduct} {
		w.plain(value(d))
	}
	for _, d := range []totals.Dimension{totals.ByDirection, totals.ByStatus, totals.ByCountry, totals.ByChannel} {
		w.text(value(d))
	}
	w.plain(value(totals.ByPriceStatus))
}

// summedUp writes the counts of a row, and its charge of the line's number.
func (w *csvWriter) summedUp(r *totals.Row, line int) {
	quantities := quantitiesOf(r)
	if line == 0 {
		w.whole(r.Sums.Records)
		for _, q := range quantities {
			if q.told {
				w.whole(q.n)
			} else {
				w.empty(1)
			}
		}
	} else {
		w.empty(1 + len(quantities))
	}
	if line < len(r.Charged) {
		c := r.Charged[line]
		w.plain(string(c.Currency))
		w.plain(money.Text(c.Amount))
		w.whole(c.Records)
	} else {
		w.empty(3)
	}
	if line == 0 {
		w.whole(r.Unrated)
	} else {
		w.empty(1)
	}
}
