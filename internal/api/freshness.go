package api

import (
	"net/http"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

var getFreshness = Route{Pattern: "GET /customers/{accountId}/usage"}

// freshness serves GET /customers/{accountId}/usage: the customer's logs that the viewer
// may see, and how far each is loaded. 404 customer_not_found.
func freshness(env Env, store CustomerStore) endpoint {
	return func(r *http.Request) (response, error) {
		viewer, err := env.customer(r)
		if err != nil {
			return response{}, err
		}
		if err := readParams(r, getFreshness).err(); err != nil {
			return response{}, err
		}
		logs := make([]usage.Log, len(viewer.Products))
		for i, p := range viewer.Products {
			logs[i] = usage.Log{Account: viewer.Account, Product: p}
		}
		var c directory.Customer
		var states []totals.LogState
		err = bothOf(
			func() (err error) { c, err = visibleCustomer(r.Context(), store, viewer); return err },
			func() (err error) {
				if len(logs) > 0 {
					states, err = store.LogTotals(r.Context(), logs)
				}
				return err
			},
		)
		if err != nil {
			return response{}, err
		}
		known := make(map[usage.Product]totals.LogState, len(states))
		for _, state := range states {
			known[state.Product] = state
		}
		body := logsJSON{Data: make([]logJSON, len(c.Products)), TimeZone: c.TimeZone.String()}
		for i, p := range c.Products {
			body.Data[i] = logOf(p, known[p])
		}
		return response{body: body, audit: &auditEntry{
			accounts: []usage.AccountID{c.Account}, records: len(body.Data),
		}}, nil
	}
}

type logsJSON struct {
	Data     []logJSON `json:"data"`
	TimeZone string    `json:"timeZone"`
}

type logJSON struct {
	Product         usage.Product `json:"product"`
	FirstDay        *totals.Day   `json:"firstDay"`
	LastDay         *totals.Day   `json:"lastDay"`
	LoadedThrough   *string       `json:"loadedThrough"`
	LoadedAt        *string       `json:"loadedAt"`
	UpdatedAt       *string       `json:"updatedAt"`
	PricesChangedAt *string       `json:"pricesChangedAt"`
}

// logOf is how far a log is loaded. A log that nothing was ever loaded into is all null.
func logOf(p usage.Product, state totals.LogState) logJSON {
	day := func(d totals.Day) *totals.Day {
		if d == "" {
			return nil
		}
		return &d
	}
	at := func(t time.Time) *string {
		if t.IsZero() {
			return nil
		}
		return new(usage.FormatTime(t))
	}
	return logJSON{
		Product: p, FirstDay: day(state.FirstDay), LastDay: day(state.LastDay), LoadedThrough: at(state.LoadedThrough),
		LoadedAt: at(state.LoadedAt), UpdatedAt: at(state.UpdatedAt), PricesChangedAt: at(state.PricesChangedAt),
	}
}
