package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// priceLists plans the lists of the file. Those of one log are written together:
// an interruption between two of them would leave a log that has lists, where the
// second, if it is of the past, could no longer be added.
func (p *planner) priceLists() {
	var logs []usage.Log
	lists := make(map[usage.Log][]pricing.List)
	for i, entry := range p.file.PriceLists {
		if !p.priceList(entry, fmt.Sprintf("priceLists[%d]", i)) {
			continue
		}
		if lists[entry.Log] == nil {
			logs = append(logs, entry.Log)
		}
		lists[entry.Log] = append(lists[entry.Log], entry.List)
	}
	for _, log := range logs {
		if p.plan.lists == nil {
			p.plan.lists = make(map[usage.Log]listChange)
		}
		p.plan.lists[log] = listChange{put: lists[log]}
		p.in(stepPriceLists, func(ctx context.Context, s *dynamo.Store) error { return s.PutPriceLists(ctx, log, lists[log]) })
	}
}

// priceList checks one list and tells whether it has to be written.
func (p *planner) priceList(entry importer.PriceList, path string) bool {
	customer, exists := p.after[entry.Log.Account]
	switch {
	case !exists:
		p.fail(entry.Line, path+".accountId", "%q is no customer: it is neither in this file nor stored", entry.Log.Account)
	case customer.Currency != "" && customer.Currency != entry.List.Currency:
		p.fail(entry.CurrencyLine, path+".currency", "%s is not the customer's currency, which is %s", entry.List.Currency, customer.Currency)
	}
	revision, err := dynamo.Revision(entry.Log, entry.List)
	if err != nil {
		p.fail(entry.Line, path, "%v", errors.Unwrap(err)) // without the operation: the line says which list
		return false
	}
	from, stored := entry.List.EffectiveFrom, p.lists[entry.Log]
	at := slices.IndexFunc(stored, func(h pricing.ListHeader) bool { return h.EffectiveFrom.Equal(from) })
	change := Change{Kind: PriceListKind, Action: Add, AccountID: entry.Log.Account, Product: entry.Log.Product, EffectiveFrom: usage.FormatTime(from)}
	if at >= 0 {
		if stored[at].Revision == revision {
			return false
		}
		change.Action = Alter
	}
	p.change(change)
	if len(stored) > 0 && !from.After(p.now) {
		p.correct(entry, path, change.Action)
	}
	return true
}

// correct allows a list that changes prices of the past, or refuses it.
func (p *planner) correct(entry importer.PriceList, path string, action Action) {
	c := correctionOf(entry.Log, usage.Period{From: entry.List.EffectiveFrom, To: p.until(entry)})
	if p.correctPast {
		p.plan.Corrections = append(p.plan.Corrections, c)
		return
	}
	what := "changes a list that is in force since then"
	if action == Add {
		what = "is a new list from before now, where lists exist"
	}
	end := "to this day and on"
	if c.To != "" {
		end = "until " + c.To
	}
	p.fail(entry.Line, path+".effectiveFrom", "%s: prices of %s from %s %s would become others; give --correct-past if they shall", what, entry.Log.Text(), c.From, end)
}

// until is when the next list of the log takes over from an entry, stored or in
// the file; zero if there is none.
func (p *planner) until(entry importer.PriceList) (next time.Time) {
	later := func(from time.Time) {
		if from.After(entry.List.EffectiveFrom) && (next.IsZero() || from.Before(next)) {
			next = from
		}
	}
	for _, h := range p.lists[entry.Log] {
		later(h.EffectiveFrom)
	}
	for _, other := range p.file.PriceLists {
		if other.Log == entry.Log {
			later(other.List.EffectiveFrom)
		}
	}
	return next
}
