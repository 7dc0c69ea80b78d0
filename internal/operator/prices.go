package operator

import (
	"context"
	"fmt"

	"partnerview/internal/fault"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// ShowPrices reads the price lists of a customer's product, oldest first.
// Refusal: there is no such customer.
func (o *Operator) ShowPrices(ctx context.Context, log usage.Log) ([]pricing.List, error) {
	if _, err := o.ShowCustomer(ctx, log.Account); err != nil {
		return nil, err
	}
	return o.store.AllPriceLists(ctx, log)
}

// Explained is a record's price, and what became of every rate of the list that
// was in force.
type Explained struct {
	Price    pricing.Price
	Verdicts []pricing.Verdict
}

// ExplainPrice prices a record by price lists of its log.
func ExplainPrice(r usage.Record, lists []pricing.List) (Explained, error) {
	book, err := pricing.NewBook(r.Log, lists)
	if err != nil {
		return Explained{}, err
	}
	return Explained{book.Price(r), book.Verdicts(r)}, nil
}

// FindRecord reads one record by its id, as the API shows it. Refusal: there is
// none, or its retention has ended.
func (o *Operator) FindRecord(ctx context.Context, log usage.Log, id usage.RecordID) (usage.Record, error) {
	for _, id := range storedIDs(log, id) {
		r, err := o.store.Record(ctx, log, id, o.now())
		if !fault.Is(err, fault.NotFound) {
			return r, err
		}
	}
	return usage.Record{}, Refusal(fmt.Sprintf("there is no %s record of %s with this id: partnerctl usage get shows a period's", log.Product, log.Account))
}
