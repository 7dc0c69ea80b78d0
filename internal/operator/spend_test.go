package operator_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"partnerview/internal/api"
	"partnerview/internal/directory"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// What a customer spends is what its logs of the month say, from the first import on,
// and whoever sees fewer products sees less of it.
func TestSpendIsTheSumOfTheMonthsLogs(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, `
partners:
  - {id: northwind, name: Northwind, customers: [{accountId: acme}, {accountId: beta, products: [sms]}]}
customers:
  - {accountId: acme, name: Acme, products: [sms, voice], currency: EUR, billingMode: prepaid, timeZone: Asia/Kathmandu, remainingCredit: "0.7"}
  - {accountId: beta, name: Beta, products: [sms, voice], currency: EUR, billingMode: prepaid, remainingCredit: "100"}
priceLists:
  - {accountId: acme, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.081"}]}
`)
	ask := func(target string, into any) {
		t.Helper()
		env := api.Env{
			Viewer: func(context.Context) (directory.Viewer, error) {
				return directory.Viewer{Identity: directory.Identity{Partner: "northwind", KeyID: "k"}, Account: "acme", Products: usage.Products()}, nil
			},
			RequestID: func(context.Context) string { return "req-1" }, Now: clock, Log: slog.New(slog.DiscardHandler),
		}
		w := httptest.NewRecorder()
		handler := map[bool]http.Handler{true: api.GetUsage(env, s), false: api.ListCustomers(env, s)}[strings.Contains(target, "/usage/")]
		if !strings.Contains(target, "/usage/") && strings.Contains(target, "/acme") {
			handler = api.GetCustomer(env, s)
		}
		handler.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		must(t, json.Unmarshal(w.Body.Bytes(), into))
	}
	type customer struct {
		AccountID string
		Spend     *struct{ Amount string }
	}
	spends := func(want ...string) {
		t.Helper()
		var page struct{ Data []customer }
		ask("/customers", &page)
		var one customer
		ask("/customers/acme", &one)
		for i, c := range append(page.Data, one) {
			got := "null"
			if c.Spend != nil {
				got = c.Spend.Amount
			}
			if got != want[i%2] {
				t.Errorf("%s spends %s, want %s", c.AccountID, got, want[i%2])
			}
		}
	}
	spends("null", "null") // nothing says yet that all is counted
	importUsage(t, o, `{"accountId":"acme","product":"sms","id":"m-0","timestamp":"2026-05-31T18:14:59Z","direction":"outbound","segments":100}
{"accountId":"acme","product":"sms","id":"m-1","timestamp":"2026-05-31T18:15:00Z","direction":"outbound","segments":2}
{"accountId":"acme","product":"sms","id":"m-2","timestamp":"2026-06-15T11:00:00Z","direction":"outbound","segments":3}
{"accountId":"acme","product":"voice","id":"c-1","timestamp":"2026-06-15T11:00:00Z","durationSeconds":60,"recordedPrice":{"amount":"0.05","currency":"EUR"}}
{"accountId":"acme","product":"voice","id":"c-2","timestamp":"2026-06-15T11:00:00Z","durationSeconds":60,"recordedPrice":{"amount":"9","currency":"USD"}}
{"accountId":"beta","product":"voice","id":"c-3","timestamp":"2026-06-15T11:00:00Z","durationSeconds":60,"recordedPrice":{"amount":"7","currency":"EUR"}}
`, operator.UsageImport{})
	spends("0.455", "0")
	sum := decimal.Zero
	for _, product := range []string{"sms", "voice"} {
		var page struct {
			Data []struct {
				Price struct {
					Amount   decimal.Decimal
					Currency string
				}
			}
		}
		ask("/customers/acme/usage/"+product+"?from=2026-05-31T18:15:00Z", &page)
		for _, r := range page.Data {
			if r.Price.Currency == "EUR" {
				sum = sum.Add(r.Price.Amount)
			}
		}
	}
	if sum.String() != "0.455" {
		t.Errorf("the logs say %s", sum)
	}
	// 8.1 in May and 0.455 in 15 days of June: 0.7 do not last for a week.
	for target, want := range map[string]string{"/customers?credit=low": "acme", "/customers?credit=exhausted": ""} {
		var page struct{ Data []customer }
		if ask(target, &page); len(page.Data) > 1 || strings.Join(accountIDs(page.Data, func(c customer) string { return c.AccountID }), "") != want {
			t.Errorf("GET %s finds %v, want %s", target, page.Data, want)
		}
	}
	apply(t, o, "customers: [{accountId: acme, timeZone: UTC}]") // and counts anew
	spends("0.293", "0")
}

func accountIDs[T any](list []T, of func(T) string) (ids []string) {
	for _, e := range list {
		ids = append(ids, of(e))
	}
	return ids
}
