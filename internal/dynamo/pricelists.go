package dynamo

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerview/internal/fault"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

var (
	priceListHeaderAttributes = project("log", "effectiveFrom", "currency", "revision")
	priceListAttributes       = project("log", "effectiveFrom", "currency", "chargeOn", "scale", "mode", "rates",
		"revision")
)

func priceListKey(log usage.Log, effectiveFrom time.Time) item {
	return item{"log": str(log.Key()), "effectiveFrom": str(usage.FormatTime(effectiveFrom))}
}

// listsAtOnce is how many price lists one call reads: the list in force and the
// ones before it, enough for a page unless prices change daily.
const listsAtOnce = 3

// PriceLists reads a log's price lists, newest first, from the newest that is
// effective by upTo; a zero upTo starts with the newest of all. It reads a few;
// older reports whether there may be more behind them.
func (s *Store) PriceLists(ctx context.Context, log usage.Log,
	upTo time.Time) (lists []*pricing.Indexed, older bool, err error) {
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

// PriceListHeaders reads which price lists a log has, oldest first.
func (s *Store) PriceListHeaders(ctx context.Context, log usage.Log) ([]pricing.ListHeader, error) {
	items, err := s.allPriceLists(ctx, log, priceListHeaderAttributes)
	if err != nil {
		return nil, err
	}
	headers := make([]pricing.ListHeader, len(items))
	for i, it := range items {
		r := reader{item: it}
		headers[i] = pricing.ListHeader{
			EffectiveFrom: r.time("effectiveFrom"), Currency: money.Currency(r.text("currency")),
			Revision: r.text("revision"),
		}
		if r.err != nil {
			return nil, badItem("price list", log.Text(), r.err)
		}
	}
	return headers, nil
}

// AllPriceLists reads a log's price lists with their rates, oldest first.
func (s *Store) AllPriceLists(ctx context.Context, log usage.Log) ([]pricing.List, error) {
	items, err := s.allPriceLists(ctx, log, priceListAttributes)
	if err != nil {
		return nil, err
	}
	lists := make([]pricing.List, len(items))
	for i, it := range items {
		if lists[i], err = decodePriceList(it); err != nil {
			return nil, err
		}
	}
	return lists, nil
}

// allPriceLists reads the items of a log's price lists, oldest first.
func (s *Store) allPriceLists(ctx context.Context, log usage.Log, p projection) ([]item, error) {
	return s.queryAll(ctx, query{
		op: "price lists of " + log.Text(), table: s.tables.PriceLists,
		projection: p,
		condition:  "#log = :log",
		values:     item{":log": str(log.Key())},
		consistent: true,
	})
}

// Revision is what pricing.ListHeader.Revision would be if the list were stored. It
// does not depend on when the list takes effect, nor on the order of its rates.
// Invalid: the list is too large to be stored.
func Revision(log usage.Log, l pricing.List) (string, error) {
	it, err := encodePriceList(log, l)
	if err != nil {
		return "", err
	}
	r := reader{item: it}
	return r.text("revision"), nil
}

// PutPriceLists writes lists of one log in place of those that take effect at
// the same times, all in one call up to 25: interrupted, it leaves all of
// them or none, unless the engine itself fails. Invalid: a list is too
// large to be stored; then none is written.
func (s *Store) PutPriceLists(ctx context.Context, log usage.Log, lists []pricing.List) error {
	items := make([]item, len(lists))
	for i, l := range lists {
		var err error
		if items[i], err = encodePriceList(log, l); err != nil {
			return err
		}
	}
	return s.putAll(ctx, "write price lists of "+log.Text(), s.tables.PriceLists, items)
}

// DeletePriceLists deletes the lists of a log that take effect at these times, no
// two of which may be the same, all in one call up to 25. A list that is not there
// is no error.
func (s *Store) DeletePriceLists(ctx context.Context, log usage.Log, effectiveFrom []time.Time) error {
	keys := make([]item, len(effectiveFrom))
	for i, from := range effectiveFrom {
		keys[i] = priceListKey(log, from)
	}
	return s.deleteAll(ctx, "delete price lists of "+log.Text(), s.tables.PriceLists, keys)
}

// A list's rates are one text: DynamoDB then reads and the SDK decodes one
// attribute, where 2,000 rates as a list of maps would be 10,000. An example:
//
//	[{"direction":"outbound","country":"GB","unitPrice":"0.012","setupFee":"0.005","first":60,"next":60}]
type rateJSON struct {
	Direction usage.Direction `json:"direction,omitempty"`
	Channel   usage.Channel   `json:"channel,omitempty"`
	Category  usage.Category  `json:"category,omitempty"`
	Country   usage.Country   `json:"country,omitempty"`
	Operator  usage.Operator  `json:"operator,omitempty"`
	UnitPrice string          `json:"unitPrice"`
	SetupFee  string          `json:"setupFee,omitempty"`
	First     int64           `json:"first,omitempty"`
	Next      int64           `json:"next,omitempty"`
}

// MaxRatesBytes is how long the text of a list's rates may be: an item of
// DynamoDB holds 400 kB.
const MaxRatesBytes = 300_000

func encodePriceList(log usage.Log, l pricing.List) (item, error) {
	rates := make([]rateJSON, len(l.Rates))
	for i, r := range l.Rates {
		rates[i] = rateJSON{
			Direction: r.Direction, Channel: r.Channel, Category: r.Category, Country: r.Country, Operator: r.Operator,
			UnitPrice: money.Text(r.UnitPrice), First: r.Increment.First, Next: r.Increment.Next,
		}
		if !r.SetupFee.IsZero() {
			rates[i].SetupFee = money.Text(r.SetupFee)
		}
	}
	slices.SortFunc(rates, compareSelectors) // a list in another order is the same list, and has the same revision
	text, err := json.Marshal(rates)
	if err != nil {
		return nil, fmt.Errorf("rates of %s: %w", log.Text(), err)
	}
	if len(text) > MaxRatesBytes {
		return nil, fault.New(fault.Invalid, "price list of "+log.Text(),
			fmt.Errorf("its rates take %d bytes; at most %d are stored", len(text), MaxRatesBytes))
	}
	it := priceListKey(log, l.EffectiveFrom)
	it["currency"], it["rates"] = str(string(l.Currency)), str(string(text))
	it["scale"], it["mode"] = num(int64(l.Rounding.Scale)), str(string(l.Rounding.Mode))
	putText(it, "chargeOn", string(l.ChargeOn))
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%s|%d|%s|%s", l.Currency, l.ChargeOn, l.Rounding.Scale, l.Rounding.Mode,
		text))
	it["revision"] = str(base64.RawURLEncoding.EncodeToString(sum[:12]))
	return it, nil
}

func compareSelectors(a, b rateJSON) int {
	return cmp.Or(
		cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.Country, b.Country), cmp.Compare(a.Category, b.Category),
		cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Direction, b.Direction),
	)
}

// listName is a price list as messages name it, by its key.
func listName(log, effectiveFrom string) string {
	return strings.Replace(log, "#", " ", 1) + " from " + effectiveFrom
}

func decodePriceList(it item) (pricing.List, error) {
	r := reader{item: it}
	name := listName(r.required("log"), r.required("effectiveFrom"))
	l := pricing.List{
		EffectiveFrom: r.time("effectiveFrom"),
		Currency:      money.Currency(r.required("currency")),
		ChargeOn:      pricing.ChargeOn(r.text("chargeOn")),
		Rounding:      pricing.Rounding{Mode: pricing.RoundingMode(r.required("mode"))},
	}
	if scale := r.number("scale"); scale != nil && *scale >= 0 && *scale <= 18 {
		l.Rounding.Scale = int32(*scale)
	} else {
		r.fail("scale", "a number from 0 to 18")
	}
	var rates []rateJSON
	if err := json.Unmarshal([]byte(r.required("rates")), &rates); err != nil {
		r.fail("rates", "a list of rates")
	}
	l.Rates = make([]pricing.Rate, len(rates))
	for i, rate := range rates {
		out := pricing.Rate{
			Selectors: pricing.Selectors{Direction: rate.Direction, Channel: rate.Channel, Category: rate.Category,
				Country: rate.Country, Operator: rate.Operator},
			Increment: pricing.Increment{First: rate.First, Next: rate.Next},
		}
		var err error
		if out.UnitPrice, err = money.Parse(rate.UnitPrice); err != nil {
			r.fail("rates", fmt.Sprintf("a list of rates: rate %d: %v", i, err))
		}
		if rate.SetupFee != "" {
			if out.SetupFee, err = money.Parse(rate.SetupFee); err != nil {
				r.fail("rates", fmt.Sprintf("a list of rates: rate %d: %v", i, err))
			}
		}
		l.Rates[i] = out
	}
	if r.err != nil {
		return pricing.List{}, badItem("price list", name, r.err)
	}
	return l, nil
}
