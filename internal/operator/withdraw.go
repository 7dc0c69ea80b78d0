package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// PlanWithdrawal finds what it takes that the price list of a log that takes
// effect at a time is no more. The one before it, if any, then holds on until the
// next. One that has taken effect changes prices of the past, and is withdrawn
// only with correctPast; the plan's Corrections tell which. Refusal: there is no
// such list, or it has taken effect.
func (o *Operator) PlanWithdrawal(ctx context.Context, log usage.Log, from time.Time, correctPast bool) (Plan, error) {
	stored, err := o.store.PriceListHeaders(ctx, log)
	if err != nil {
		return Plan{}, err
	}
	at := slices.IndexFunc(stored, func(h pricing.ListHeader) bool { return h.EffectiveFrom.Equal(from) })
	if at < 0 {
		return Plan{}, Refusal(fmt.Sprintf("there is no price list of %s from %s: %s", log.Text(), usage.FormatTime(from), listsText(log, stored)))
	}
	p := Plan{
		Changes: []Change{{Kind: PriceListKind, Action: Remove, AccountID: log.Account, Product: log.Product, EffectiveFrom: usage.FormatTime(from)}},
		lists:   map[usage.Log]listChange{log: {withdrawn: []time.Time{from}}},
	}
	p.steps[stepPriceLists] = []write{func(ctx context.Context, s *dynamo.Store) error {
		return s.DeletePriceLists(ctx, log, []time.Time{from})
	}}
	if from.After(o.now()) {
		return p, nil
	}
	period := usage.Period{From: from}
	if at+1 < len(stored) {
		period.To = stored[at+1].EffectiveFrom
	}
	c := correctionOf(log, period)
	if !correctPast {
		end := "to this day and on"
		if c.To != "" {
			end = "until " + c.To
		}
		return Plan{}, Refusal(fmt.Sprintf("that list took effect already: prices of %s from %s %s would become others; give --correct-past if they shall", log.Text(), c.From, end))
	}
	p.Corrections = []Correction{c}
	return p, nil
}

func correctionOf(log usage.Log, period usage.Period) Correction {
	c := Correction{AccountID: log.Account, Product: log.Product, From: usage.FormatTime(period.From)}
	if !period.To.IsZero() {
		c.To = usage.FormatTime(period.To)
	}
	return c
}

// listsText tells which lists there are.
func listsText(log usage.Log, stored []pricing.ListHeader) string {
	if len(stored) == 0 {
		return fmt.Sprintf("%s has none for %s", log.Account, log.Product)
	}
	begins := make([]string, len(stored))
	for i, h := range stored {
		begins[i] = usage.FormatTime(h.EffectiveFrom)
	}
	return "there are those from " + strings.Join(begins, ", ")
}
