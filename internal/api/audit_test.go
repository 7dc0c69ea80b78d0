package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/api"
	"partnerview/internal/usage"
)

// audited asks with a log that is read: the audit lines that an answer left, and
// what it counted.
func audited(t *testing.T, make func(api.Env) http.Handler, viewer any, target string) (status int, lines []map[string]any, counted [2]int) {
	t.Helper()
	var out bytes.Buffer
	e := env()
	e.Log = slog.New(slog.NewJSONHandler(&out, nil))
	e.RecordMetrics = func(_ context.Context, records, unrated int) {
		counted = [2]int{counted[0] + records, counted[1] + unrated}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", target, nil)
	make(e).ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), viewerKey{}, viewer)))
	for text := range strings.Lines(out.String()) {
		var line map[string]any
		must(t, json.Unmarshal([]byte(text), &line))
		if line["audit"] == true {
			if len(text) > 32<<10 {
				t.Errorf("GET %s: a line of %d bytes", target, len(text))
			}
			delete(line, "time")
			lines = append(lines, line)
		}
	}
	if w.Code != http.StatusOK && strings.Contains(w.Body.String(), "Acme") {
		t.Errorf("GET %s: refused, and shown all the same: %s", target, w.Body)
	}
	return w.Code, lines, counted
}

func TestEveryAnswerWithDataLeavesOneAuditLine(t *testing.T) {
	s := acme(t)
	list := func(e api.Env) http.Handler { return api.ListCustomers(e, s) }
	get := func(e api.Env) http.Handler { return api.GetCustomer(e, s) }
	me := func(e api.Env) http.Handler { return api.GetMe(e, s) }
	log := func(e api.Env) http.Handler { return api.GetUsage(e, s) }
	summed := newShelf(t, acmeRetail, bAndB, zulu)
	summed.days = threeCustomers(t).days
	sums := func(e api.Env) http.Handler { return api.GetSummary(e, summed) }
	const usage = "GET /customers/{accountId}/usage/{product}"
	acme := []any{"acme_retail"}
	for _, c := range []struct {
		handler  func(api.Env) http.Handler
		target   string
		route    string
		accounts []any
		product  string
		records  int
		unrated  int
	}{
		{list, "/customers", "GET /customers", acme, "", 1, 0},
		{list, "/customers?search=nobody", "GET /customers", []any{}, "", 0, 0},
		{get, "/customers/acme_retail", "GET /customers/{accountId}", acme, "", 1, 0},
		{me, "/me", "GET /me", []any{}, "", 0, 0},
		{get, "/customers/acme_retail/usage", "GET /customers/{accountId}/usage", acme, "", 4, 0},
		{sums, "/customers/acme_retail/summary?groupBy=product", "GET /customers/{accountId}/summary", acme, "", 3, 0},
		{sums, "/customers/acme_retail/summary?from=2020-01-01&to=2020-02-01", "GET /customers/{accountId}/summary", acme, "", 0, 0},
		{sums, "/summary", "GET /summary", []any{"Zulu", "acme_retail", "b&b"}, "", 1, 0},
		{sums, "/summary?product=messaging", "GET /summary", []any{"Zulu", "acme_retail", "b&b"}, "", 1, 0}, // that there is none of the others is told too
		{sums, "/summary?groupBy=customer&limit=2", "GET /summary", []any{"Zulu", "acme_retail"}, "", 2, 0},
		{log, "/customers/acme_retail/usage/sms", usage, acme, "sms", 4, 1},
		{log, "/customers/acme_retail/usage/sms?limit=1", usage, acme, "sms", 1, 1},
		{log, "/customers/acme_retail/usage/sms?status=nothing", usage, acme, "sms", 0, 0},
		{log, "/customers/acme_retail/usage/voice/c-1", usage + "/{recordId}", acme, "voice", 1, 0},
		{log, "/customers/acme_retail/usage/messaging/m-1:1", usage + "/{recordId}", acme, "messaging", 1, 1},
	} {
		status, lines, counted := audited(t, c.handler, north, c.target)
		want := []map[string]any{{
			"level": "INFO", "msg": "shown", "audit": true, "requestId": "req-1", "route": c.route, "partnerId": "northwind", "keyId": "k",
			"accountIds": c.accounts, "product": c.product, "records": float64(c.records),
		}}
		if diff := cmp.Diff(want, lines); diff != "" || status != http.StatusOK {
			t.Errorf("GET %s: %d, %s", c.target, status, diff)
		}
		if counted != [2]int{c.records, c.unrated} {
			t.Errorf("GET %s: counted %v, want %d records, %d unrated", c.target, counted, c.records, c.unrated)
		}
	}
	for _, c := range []struct {
		handler func(api.Env) http.Handler
		viewer  any
		target  string
	}{
		{list, north, "/customers?limit=0"}, {list, nil, "/customers"}, {get, north, "/customers/other"}, {get, north, "/customers/acme_retail?x=1"}, {me, nil, "/me"}, {me, north, "/me?x=1"},
		{get, north, "/customers/acme_retail/usage?x=1"}, {get, north, "/customers/other/usage"}, {sums, north, "/customers/other/summary"}, {sums, north, "/summary?limit=0"}, {sums, nil, "/summary"},
		{log, narrow, "/customers/acme_retail/usage/sms"}, {log, north, "/customers/acme_retail/usage/sms/none"}, {log, north, "/customers/acme_retail/usage/fax"}, {log, north, "/elsewhere"},
	} {
		if status, lines, counted := audited(t, c.handler, c.viewer, c.target); status == http.StatusOK || lines != nil || counted != [2]int{} {
			t.Errorf("GET %s is refused with %d, and yet the audit says %v", c.target, status, lines)
		}
	}
}

// Whoever adds an endpoint cannot forget the audit: it answers nothing.
func TestAnEndpointThatDoesNotSayWhatItShowsAnswersNothing(t *testing.T) {
	if status, lines, _ := audited(t, api.Forgetful, north, "/customers"); status != http.StatusInternalServerError || lines != nil {
		t.Errorf("it answers %d, and the audit says %v", status, lines)
	}
}

// CloudWatch cuts a line of more than 256 kB. Each account is in one line, of which none
// is long, and what is counted is counted once.
func TestAnAnswerOnThousandsOfCustomersLeavesSeveralAuditLines(t *testing.T) {
	for customers, lines := range map[int]int{0: 1, 1: 1, 500: 1, 501: 2, 2000: 4, 2001: 5} {
		accounts := make([]usage.AccountID, customers)
		for i := range accounts {
			accounts[i] = usage.AccountID(fmt.Sprintf("%0*d%s", 4, i, strings.Repeat("&", 46))) // the longest there are
		}
		status, written, counted := audited(t, func(e api.Env) http.Handler { return api.Showing(e, accounts) }, north, "/customers")
		if status != http.StatusOK || len(written) != lines || counted != [2]int{customers, 7} {
			t.Fatalf("%d customers: %d, %d lines, want %d; counted %v", customers, status, len(written), lines, counted)
		}
		var named []usage.AccountID
		records := 0
		for i, line := range written {
			if line["requestId"] != "req-1" || line["keyId"] != "k" {
				t.Errorf("%d customers, line %d is of %v by %v", customers, i, line["requestId"], line["keyId"])
			}
			if part, parts := line["part"], line["parts"]; lines > 1 && (part != float64(i+1) || parts != float64(lines)) || lines == 1 && part != nil {
				t.Errorf("%d customers, line %d is part %v of %v", customers, i, part, parts)
			}
			for _, account := range line["accountIds"].([]any) {
				named = append(named, usage.AccountID(account.(string)))
			}
			records += int(line["records"].(float64))
		}
		if !slices.Equal(named, accounts) || records != customers {
			t.Errorf("%d customers: %d are named, %d records", customers, len(named), records)
		}
	}
}
