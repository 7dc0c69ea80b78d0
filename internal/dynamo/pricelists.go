package dynamo

import (
	"context"
	"sync"
	"time"

	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// listsAtOnce is how many price lists one call reads: the list in force and the
// ones before it, enough for a page unless prices change daily.
const listsAtOnce = 3

// PriceLists reads a log's price lists, newest first, from the newest that is
// effective by upTo; a zero upTo starts with the newest of all. It reads a few;
// older tells whether there may be more behind them.
func (s *Store) PriceLists(ctx context.Context, log usage.Log, upTo time.Time) (lists []*pricing.Indexed, older bool, err error) {
	in := query{
		op: "price lists of " + log.Text(), table: s.tables.PriceLists,
		projection:  priceListAttributes,
		condition:   "#log = :log",
		values:      item{":log": str(log.Key())},
		limit:       listsAtOnce,
		newestFirst: true,
	}
	if !upTo.IsZero() {
		in.condition += " AND #effectiveFrom <= :upTo"
		in.values[":upTo"] = str(usage.FormatTime(upTo))
	}
	out, err := s.query(ctx, in)
	if err != nil {
		return nil, false, err
	}
	for _, it := range out.Items {
		l, err := s.lists.parsed(log.Product, it)
		if err != nil {
			return nil, false, err
		}
		lists = append(lists, l)
	}
	return lists, out.LastEvaluatedKey != nil, nil
}

// maxCachedLists bounds the parsed lists that a process keeps; a list of 2,000
// rates takes about half a megabyte.
const maxCachedLists = 32

// listCache keeps parsed price lists by key and revision. The items are read on
// every request, so a changed list is never missed: only the parsing is saved.
type listCache struct {
	mu    sync.Mutex
	lists map[listKey]*pricing.Indexed
}

type listKey struct{ log, effectiveFrom, revision string }

func (c *listCache) parsed(product usage.Product, it item) (*pricing.Indexed, error) {
	r := reader{item: it}
	key := listKey{r.text("log"), r.text("effectiveFrom"), r.text("revision")}
	c.mu.Lock()
	l, ok := c.lists[key]
	c.mu.Unlock()
	if ok && key.revision != "" {
		return l, nil
	}
	list, err := decodePriceList(it)
	if err != nil {
		return nil, err
	}
	if l, err = pricing.Index(product, list); err != nil {
		return nil, badItem("price list", listName(key.log, key.effectiveFrom), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists == nil || len(c.lists) >= maxCachedLists {
		c.lists = make(map[listKey]*pricing.Indexed)
	}
	c.lists[key] = l
	return l, nil
}
