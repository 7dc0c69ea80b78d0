package api_test

import (
	"testing"

	"partnerview/internal/directory"
	"partnerview/internal/usage"
)

func TestAnUnknownSummary(t *testing.T) {
	w := ask(t, canned{}, north, "/customers/acme_retail/summary?groupBy=day&groupBy=product")
	t.Log(w.Code, w.Body)
	w = ask(t, canned{}, north, "/customers/acme_retail/summary")
	t.Log(w.Code, w.Body)
	w = ask(t, canned{}, north, "/customers/acme_retail/usage")
	t.Log(w.Code, w.Body)
	w = ask(t, canned{}, directory.Viewer{Identity: northwind, Account: "acme_retail", Products: []usage.Product{usage.Voice}}, "/customers/acme_retail/summary?groupBy=priceStatus&updatedSince=2026-11-03T00:00:00Z&groupBy=day")
	t.Log(w.Code, w.Body)
}
