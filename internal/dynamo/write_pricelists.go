package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

var priceListHeaderAttributes = project("log", "effectiveFrom", "currency", "revision")

// PriceListHeaders reads which price lists a log has, oldest first.
func (s *Store) PriceListHeaders(ctx context.Context, log usage.Log) ([]pricing.ListHeader, error) {
	items, err := s.queryAll(ctx, query{
		op: "price lists of " + log.Text(), table: s.tables.PriceLists,
		projection: priceListHeaderAttributes,
		condition:  "#log = :log",
		values:     item{":log": str(log.Key())},
		consistent: true,
	})
	if err != nil {
		return nil, err
	}
	headers := make([]pricing.ListHeader, len(items))
	for i, it := range items {
		r := reader{item: it}
		headers[i] = pricing.ListHeader{
			EffectiveFrom: r.time("effectiveFrom"), Currency: money.Currency(r.text("currency")), Revision: r.text("revision"),
		}
		if r.err != nil {
			return nil, badItem("price list", log.Text(), r.err)
		}
	}
	return headers, nil
}

// AllPriceLists reads a log's price lists with their rates, oldest first.
func (s *Store) AllPriceLists(ctx context.Context, log usage.Log) ([]pricing.List, error) {
	items, err := s.queryAll(ctx, query{
		op: "price lists of " + log.Text(), table: s.tables.PriceLists,
		projection: priceListAttributes,
		condition:  "#log = :log",
		values:     item{":log": str(log.Key())},
		consistent: true,
	})
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
	requests := make([]types.WriteRequest, len(effectiveFrom))
	for i, from := range effectiveFrom {
		key := item{"log": str(log.Key()), "effectiveFrom": str(usage.FormatTime(from))}
		requests[i] = types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}}
	}
	return s.writeAll(ctx, "delete price lists of "+log.Text(), s.tables.PriceLists, requests)
}
