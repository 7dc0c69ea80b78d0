package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerview/internal/fault"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/problem"
	"partnerview/internal/usage"
)

// UsageReader reads logs, and what their prices follow from.
type UsageReader interface {
	// Log reads one page of a log. A page may be short and not be the last.
	Log(context.Context, usage.Log, usage.Query) (usage.Page, error)
	// Record reads one record whose retention has not ended; fault.NotFound:
	// there is none.
	Record(ctx context.Context, log usage.Log, id usage.RecordID, now time.Time) (usage.Record, error)
	// PriceLists reads a few of a log's price lists, newest first, from the
	// newest that is effective by upTo (zero: the newest of all). older tells
	// whether there may be more behind them.
	PriceLists(ctx context.Context, log usage.Log, upTo time.Time) (lists []*pricing.Indexed, older bool, err error)
}

var (
	getUsage = Route{Pattern: "GET /customers/{accountId}/usage/{product}", CSV: true, Parameters: []string{
		"from", "to", "direction", "status", "channel", "country", "fromLast4", "toLast4", "order", "limit", "cursor",
	}, Repeatable: []string{"status", "channel", "country"}} // one match is enough
	getRecord = Route{Pattern: "GET /customers/{accountId}/usage/{product}/{recordId}"}
)

const (
	recordsOnPage    = 50
	maxRecordsOnPage = 500
)

// GetUsage serves GET /customers/{accountId}/usage/{product}, a page of a log,
// and the same with /{recordId}, one record. Each record carries the price that
// the customer pays and why. 400 invalid_parameter, 404 customer_not_found,
// product_not_found, record_not_found.
func GetUsage(env Env, store UsageReader) http.Handler {
	u := usageEndpoints{env, store}
	return env.mux(map[string]endpoint{getUsage.Pattern: u.page, getRecord.Pattern: u.record})
}

type usageEndpoints struct {
	env   Env
	store UsageReader
}

// log is which log the path names. A product that the viewer may not see, because it
// is not granted or the customer does not have it, and a word that is none are the
// same 404, before anything is read.
func (u usageEndpoints) log(r *http.Request) (usage.Log, error) {
	viewer, err := u.env.customer(r)
	if err != nil {
		return usage.Log{}, err
	}
	product, err := usage.ParseProduct(r.PathValue("product"))
	if err != nil || !viewer.MaySee(product) {
		return usage.Log{}, problem.NoProduct
	}
	return usage.Log{Account: viewer.Account, Product: product}, nil
}

func (u usageEndpoints) page(r *http.Request) (response, error) {
	log, err := u.log(r)
	if err != nil {
		return response{}, err
	}
	p := readParams(r, usageRoute(log.Product))
	q := usageQuery(p)
	q.Now = u.env.Now()
	if err := p.err(); err != nil {
		return response{}, err
	}
	var page usage.Page
	book, err := u.read(r.Context(), log, newest(q), func(ctx context.Context) ([]usage.Record, error) {
		var err error
		page, err = u.store.Log(ctx, log, q)
		return page.Records, err
	})
	if err != nil {
		return response{}, err
	}
	body := usagePage{
		log: log, records: page.Records, prices: make([]pricing.Price, len(page.Records)), period: q.Period,
	}
	out := response{audit: entryOf(log, len(page.Records))}
	for i := range page.Records {
		body.prices[i] = book.Price(page.Records[i])
		out.audit.count(body.prices[i])
	}
	if page.Next != nil {
		out.next = p.seal(page.Next.String())
		body.next = out.next
	}
	out.body = body
	return out, nil
}

func (u usageEndpoints) record(r *http.Request) (response, error) {
	log, err := u.log(r)
	if err != nil {
		return response{}, err
	}
	if err := readParams(r, getRecord).err(); err != nil {
		return response{}, err
	}
	id, err := usage.ParseRecordID(r.PathValue("recordId"))
	if err != nil || usage.IsWhatsApp(string(id)) { // no record is shown under such an id
		return response{}, problem.NoRecord
	}
	var record usage.Record
	book, err := u.read(r.Context(), log, time.Time{}, func(ctx context.Context) ([]usage.Record, error) {
		var err error
		record, err = u.store.Record(ctx, log, id, u.env.Now())
		return []usage.Record{record}, err
	})
	if fault.Is(err, fault.NotFound) {
		return response{}, problem.NoRecord
	}
	if err != nil {
		return response{}, err
	}
	price := book.Price(record)
	out := response{body: usageRecord{record, price}, audit: entryOf(log, 1)}
	out.audit.count(price)
	return out, nil
}

// entryOf is the audit entry of so many records of a log.
func entryOf(log usage.Log, records int) *auditEntry {
	return &auditEntry{accounts: []usage.AccountID{log.Account}, product: log.Product, records: records}
}

// read reads records of a log with fetch and the price lists that cover them, both
// at the same time: the answer waits for one round trip, not two. fetch's error goes
// first.
func (u usageEndpoints) read(
	ctx context.Context, log usage.Log, upTo time.Time, fetch func(context.Context) ([]usage.Record, error),
) (pricing.Book, error) {
	var (
		notFetched, notListed error
		records               []usage.Record
		lists                 []*pricing.Indexed
		older                 bool
		reads                 sync.WaitGroup
	)
	reads.Go(func() {
		notListed = fault.Caught(func() (err error) {
			lists, older, err = u.store.PriceLists(ctx, log, upTo)
			return err
		})
	})
	notFetched = fault.Caught(func() (err error) { // even then the other must have ended
		records, err = fetch(ctx)
		return err
	})
	reads.Wait()
	if err := cmp.Or(notFetched, notListed); err != nil {
		return pricing.Book{}, err
	}
	for older && !covers(lists, records) {
		var more []*pricing.Indexed
		var err error
		if more, older, err = u.store.PriceLists(ctx, log, beforeAll(lists, records)); err != nil {
			return pricing.Book{}, err
		}
		lists = append(lists, more...)
	}
	return pricing.BookOf(log, lists...)
}

// covers reports whether lists, newest first, go back to the one that was in force
// at the oldest record.
func covers(lists []*pricing.Indexed, records []usage.Record) bool {
	if len(records) == 0 {
		return true
	}
	oldest, _ := span(records)
	return len(lists) > 0 && !lists[len(lists)-1].EffectiveFrom().After(oldest)
}

// beforeAll is where to read on: behind the lists that are there, and no later
// than the newest record, since what came into force after it does not matter.
func beforeAll(lists []*pricing.Indexed, records []usage.Record) time.Time {
	_, newest := span(records)
	if len(lists) > 0 {
		if before := lists[len(lists)-1].EffectiveFrom().Add(-time.Millisecond); before.Before(newest) {
			return before
		}
	}
	return newest
}

// span is the times of the oldest and the newest of some records, which stand
// in either order.
func span(records []usage.Record) (oldest, newest time.Time) {
	oldest, newest = records[0].Timestamp, records[len(records)-1].Timestamp
	if newest.Before(oldest) {
		oldest, newest = newest, oldest
	}
	return oldest, newest
}

// newest is a time that no record of the page can be later than, where the query
// tells one.
func newest(q usage.Query) time.Time {
	if q.Order == usage.NewestFirst && q.After != nil {
		return q.After.Timestamp
	}
	return q.Period.To
}

// usageRoute is the route with those parameters that make sense for a product: only
// messaging has channels.
func usageRoute(product usage.Product) Route {
	route := getUsage
	route.Parameters = slices.DeleteFunc(slices.Clone(route.Parameters), func(name string) bool {
		return name == "channel" && product != usage.Messaging
	})
	return route
}

func usageQuery(p *params) usage.Query {
	q := usage.Query{
		Period: p.period(),
		Filter: usage.Filter{
			Direction: usage.Direction(p.oneOf("direction", "", string(usage.Inbound), string(usage.Outbound))),
			Statuses: words(p, "status", "is a word such as delivered or no_answer, of at most 32 letters and _",
				usage.ParseStatus),
			Channels: words(p, "channel", "is a lower-case word such as whatsapp, of at most 32 characters",
				usage.ParseChannel),
			Countries: words(p, "country", "is an ISO 3166-1 alpha-2 code such as GB", usage.ParseCountry),
			FromLast4: p.last4("fromLast4"),
			ToLast4:   p.last4("toLast4"),
		},
		Order: usage.Order(p.oneOf("order", string(usage.NewestFirst), string(usage.OldestFirst),
			string(usage.NewestFirst))),
		Limit: p.limit(recordsOnPage, maxRecordsOnPage),
	}
	if key := p.open(); key != "" {
		after, err := usage.ParsePosition(key)
		if err != nil || !q.Period.Contains(after.Timestamp) {
			p.badCursor()
			return q
		}
		q.After = &after
	}
	return q
}

func (usagePage) csvHeader(http.Header) {} // the caller knows the period that it asked for

func (p usagePage) csvName() string {
	return "usage-" + string(p.log.Account) + "-" + string(p.log.Product)
}

// The columns of a log's lines: those of every product, with the product's own between,
// and behind them the price's.
var (
	recordColumns = []string{
		"id", "product", "timestamp", "direction", "status", "statusAt", "errorCode", "from", "to", "country",
	}
	priceColumns = []string{"priceStatus", "amount", "currency", "reason"}
	whyColumns   = []string{
		"unitPrice", "unit", "quantity", "setupFee", "incrementFirst", "incrementNext", "billableSeconds", "rate",
		"effectiveFrom", "roundingScale", "roundingMode",
	}
)

// productColumns are those that records of one product have and not all do.
func productColumns(product usage.Product) []string {
	switch product {
	case usage.SMS:
		return []string{"operator", "segments"}
	case usage.Voice:
		return []string{"operator", "durationSeconds"}
	case usage.Video:
		return []string{"durationSeconds", "participants", "participantSeconds"}
	case usage.Messaging:
		return []string{"channel", "category"}
	}
	return nil
}

func (p usagePage) writeCSV(w *csvWriter) {
	w.out = slices.Grow(w.out, (1+len(p.records))*recordBytes/2)
	w.header(slices.Concat(recordColumns, productColumns(p.log.Product), priceColumns, whyColumns)...)
	for i := range p.records {
		w.record(&p.records[i])
		w.price(&p.prices[i])
		w.endLine()
	}
}

// record writes the cells that jsonWriter.record writes as fields.
func (w *csvWriter) record(r *usage.Record) {
	w.plain(string(r.ID))
	w.plain(string(r.Product))
	w.time(r.Timestamp)
	w.text(string(r.Direction))
	w.text(string(r.Status))
	if r.StatusAt == nil {
		w.empty(1)
	} else {
		w.time(*r.StatusAt)
	}
	w.text(r.ErrorCode)
	w.masked(r.From)
	w.masked(r.To)
	w.text(string(r.Country))
	switch r.Product {
	case usage.SMS:
		w.plain(string(r.Operator))
		w.wholeOrEmpty(r.Segments)
	case usage.Voice:
		w.plain(string(r.Operator))
		w.wholeOrEmpty(r.DurationSeconds)
	case usage.Video:
		w.wholeOrEmpty(r.DurationSeconds)
		w.wholeOrEmpty(r.Participants)
		w.wholeOrEmpty(r.ParticipantSeconds)
	case usage.Messaging:
		w.text(string(r.Channel))
		w.text(string(r.Category))
	}
}

// price writes the cells of a price and of why it is what it is.
func (w *csvWriter) price(p *pricing.Price) {
	w.plain(string(p.Outcome))
	if p.Money == nil {
		w.empty(2)
	} else {
		w.plain(money.Text(p.Money.Amount))
		w.plain(string(p.Money.Currency))
	}
	w.plain(string(p.Reason))
	if p.Why == nil {
		w.empty(len(whyColumns))
		return
	}
	texts := w.rates.of(p.Why.Rate)
	w.plain(texts.unitPrice)
	w.plain(string(p.Why.Unit))
	w.whole(p.Why.Quantity)
	w.plain(texts.setupFee)
	if increment := p.Why.Rate.Increment; increment == (pricing.Increment{}) {
		w.empty(3)
	} else {
		w.whole(increment.First)
		w.whole(increment.Next)
		w.whole(p.Why.Billable)
	}
	w.text(selectorText(p.Why.Rate.Selectors))
	w.time(p.Why.EffectiveFrom)
	w.whole(int64(p.Why.Rounding.Scale))
	w.plain(string(p.Why.Rounding.Mode))
}

// selectorText writes what a rate is for as "direction=outbound;country=GB"; it is empty
// where the rate is for everything.
func selectorText(s pricing.Selectors) string {
	var named []string
	for _, selector := range selectorsOf(s) {
		if selector.value != "" {
			named = append(named, selector.name+"="+selector.value)
		}
	}
	return strings.Join(named, ";")
}
