package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"partnerview/internal/fault"
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
	getUsage = Route{"GET /customers/{accountId}/usage/{product}", []string{
		"from", "to", "direction", "status", "channel", "country", "fromLast4", "toLast4", "order", "limit", "cursor",
	}}
	getRecord = Route{"GET /customers/{accountId}/usage/{product}/{recordId}", nil}
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
	p := readParams(r, usageParameters(log.Product))
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
	body := usagePage{records: page.Records, prices: make([]pricing.Price, len(page.Records)), period: q.Period}
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
	if err := readParams(r, getRecord.Parameters).err(); err != nil {
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

// usageParameters are those of the route that make sense for a product: only
// messaging has channels.
func usageParameters(product usage.Product) []string {
	return slices.DeleteFunc(slices.Clone(getUsage.Parameters), func(name string) bool {
		return name == "channel" && product != usage.Messaging
	})
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
