package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/api"
	"partnerview/internal/directory"
	"partnerview/internal/masking"
	"partnerview/internal/pricing"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// products are what a path may have in the place of a product: each of them, one
// that the viewer may not see, and two that are none.
var products = []string{"sms", "voice", "video", "messaging", "fax", ""}

// samples are values that a parameter takes and such that it does not.
var samples = map[string][]string{
	"credit": {"low", "exhausted", "enough"}, "count": {"true", "false", "1"},
	"search": {"acme", "\xff", strings.Repeat("ﷺ", 300)}, "product": {"sms", "fax"}, "limit": {"1", "0", "+5"},
	"cursor": {"AAAA", "AZpewJYnKhUSlS9IQDIwMjYtMTEtMjNUMTM6Mzc6MjUuODc1WiNtLWVaelZNQ045blk0dQ", "="},
	"from":   {"2026-11-01", "2026-11-03T10:00:00.120Z", "0000-01-01"}, "to": {"2026-12-31", "9999-12-31T23:59:59-14:00"},
	"direction": {"inbound", "up"}, "status": {"no_answer", "NO-ANSWER", "9"}, "channel": {"whatsapp", "9", "É"}, "country": {"gb", "ı"},
	"fromLast4": {"0123", "٠١٢٣"}, "toLast4": {"0123", "123"}, "order": {"asc", "newest"}, "unknown": {"1"},
	"groupBy": {"day", "month", "customer", "weather"}, "updatedSince": {"2026-11-03T10:00:00Z", "0001-01-01T00:00:00Z", "2026-11-03"},
}

// parameters are all that any route takes, and one that none does.
func parameters() []string {
	names := []string{"unknown"}
	for _, r := range api.Routes() {
		for _, name := range r.Parameters {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// spellings are the ways in which a parameter can be in a query: without "=", with
// nothing behind it, with a value, with several, and more often than it may.
func spellings(name string) []string {
	spelt := []string{name, name + "=", name + "=&" + name, name + "=%zz", name + "=;" + name + "=a", strings.Repeat(name+"=a&", 101)}
	for _, value := range samples[name] {
		one := name + "=" + url.QueryEscape(value)
		spelt = append(spelt, one, one+"&"+one, one+"&"+name+"=", name+"&"+one, one+"&limit=1&cursor=AAAA")
	}
	return spelt
}

// Each parameter in each spelling, of each route and product. These are too many to
// be seeds: a fuzzer first runs all of them.
func TestEveryParameterOfEveryRoute(t *testing.T) {
	for route, of := range api.Routes() {
		for product := range products {
			if product > 0 && !strings.Contains(of.Pattern, "{product}") {
				continue
			}
			for _, name := range parameters() {
				for _, query := range spellings(name) {
					isAnswered(t, route, product, "u-1", query)
				}
			}
		}
	}
}

// FuzzEveryRoute asks each route, of each product, with whatever a caller may write
// into the query.
//
//fuzz:reaches params.go:readParams params.go:open params.go:check params.go:limit params.go:instant
//fuzz:reaches params.go:period params.go:last4 summary.go:readSummary summary.go:groups
func FuzzEveryRoute(f *testing.F) {
	for route := range api.Routes() {
		for product := range products {
			f.Add(uint8(route), uint8(product), "u-1", "channel=&status&country=gb&limit=1")
		}
	}
	for route, of := range api.Routes() {
		for _, name := range of.Parameters {
			for _, value := range samples[name] {
				one := name + "=" + url.QueryEscape(value)
				f.Add(uint8(route), uint8(0), "u-1", one)
				f.Add(uint8(route), uint8(0), "u-1", one+"&"+name+"=day&"+name+"=month")
			}
		}
	}
	for _, record := range []string{"", "..", "%2F", "447700900123", strings.Repeat("x", 200), "\xff"} {
		f.Add(uint8(3), uint8(0), record, "")
	}
	f.Fuzz(func(t *testing.T, route, product uint8, record, query string) {
		isAnswered(t, int(route), int(product), record, query)
	})
}

// isAnswered checks that a request, by the places of its route and product, is
// answered with 200 or a problem of the caller's own, and that whether the viewer may
// see what is asked for is told before anything else.
func isAnswered(t *testing.T, route, product int, record, query string) {
	t.Helper()
	pattern := api.Routes()[route%len(api.Routes())].Pattern
	asked := products[product%len(products)]
	target := strings.NewReplacer("{accountId}", "acme_retail", "{product}", asked, "{recordId}", url.PathEscape(record)).
		Replace(strings.TrimPrefix(pattern, "GET "))
	r, err := http.NewRequest("GET", target, nil)
	must(t, err)
	r.URL.RawQuery = query
	viewer := north
	viewer.Products = []usage.Product{usage.SMS, usage.Voice, usage.Messaging} // not video
	r = r.WithContext(context.WithValue(r.Context(), viewerKey{}, viewer))
	w := httptest.NewRecorder()
	handlers(canned{})[pattern].ServeHTTP(w, r)

	var p struct{ Code string }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%s?%q is answered with no JSON: %s", target, query, w.Body)
	}
	unseen := strings.Contains(pattern, "{product}") && !slices.Contains(viewer.Products, usage.Product(asked))
	switch {
	case unseen && (w.Code != 404 || p.Code != "product_not_found" && p.Code != "route_not_found"):
		t.Fatalf("%s?%q, which the viewer may not see, is answered with %d: %s", target, query, w.Code, w.Body)
	case !unseen && w.Code == 404 && p.Code != "record_not_found" && p.Code != "route_not_found",
		w.Code != 200 && w.Code != 400 && w.Code != 404:
		t.Fatalf("%s?%q is answered with %d: %s", target, query, w.Code, w.Body)
	}
}

// handlers are those of all routes over a store, by pattern.
func handlers(s store) map[string]http.Handler {
	of := make(map[string]http.Handler)
	for _, r := range api.Routes() {
		switch {
		case strings.HasSuffix(r.Pattern, "/summary"):
			of[r.Pattern] = api.GetSummary(env(), s)
		case strings.Contains(r.Pattern, "{product}"):
			of[r.Pattern] = api.GetUsage(env(), s)
		case strings.Contains(r.Pattern, "{accountId}"):
			of[r.Pattern] = api.GetCustomer(env(), s)
		case r.Pattern == "GET /me":
			of[r.Pattern] = api.GetMe(env(), s)
		default:
			of[r.Pattern] = api.ListCustomers(env(), s)
		}
	}
	return of
}

// canned is a store that has one of everything and a page behind each page. It
// takes no time, which is what fuzzing needs.
type canned struct{}

func (canned) CustomersWithMonths(context.Context, directory.Identity, directory.CustomerQuery, []totals.Month) (directory.CustomerPage, totals.Spending, error) {
	c, err := canned{}.Customer(context.Background(), "acme_retail")
	return directory.CustomerPage{Customers: []directory.Customer{c}, Next: directory.SortKey(c.Name, c.Account)}, totals.Spending{Ready: true}, err
}

func (canned) EveryCustomer(context.Context, directory.Identity, directory.CustomerQuery, []totals.Month) (directory.CustomerPage, totals.Spending, bool, error) {
	c, err := canned{}.Customer(context.Background(), "acme_retail")
	return directory.CustomerPage{Customers: []directory.Customer{c, c}, Keys: []string{"acme\x00acme", "acme\x00acme2"}}, totals.Spending{Ready: true}, true, err
}

func (canned) Spending(context.Context, []usage.AccountID, []totals.Month) (totals.Spending, error) {
	return totals.Spending{}, nil
}

func (canned) Customer(_ context.Context, account usage.AccountID) (directory.Customer, error) {
	return directory.Customer{Account: account, Name: "Acme Retail", Products: usage.Products(), Currency: "EUR", Credit: directory.Credit{Mode: directory.Prepaid}}, nil
}

func (canned) Self(context.Context, directory.Identity) (directory.Self, error) {
	one := 1
	return directory.Self{PartnerName: "Northwind", Customers: &one, PartnerCustomers: &one}, nil
}

func (canned) DayTotals(_ context.Context, logs []usage.Log, from, to totals.Day) (days []totals.Dated, err error) {
	for _, log := range logs {
		if day := totals.Day("2026-11-03"); from <= day && day < to {
			days = append(days, totals.Dated{Log: log, Day: day, Sheet: cannedSheet, UpdatedAt: at("2026-11-04T02:10:00Z"), Stale: log.Product == usage.Voice})
		}
	}
	return days, nil
}

var cannedSheet = totals.Sheet{{Direction: usage.Outbound, Status: usage.Delivered, Price: pricing.Rated, Currency: "EUR"}: {Records: 2, Amount: decimal.New(162, -3)}}

func (canned) MonthTotals(_ context.Context, months []totals.AccountMonth) (map[totals.AccountMonth]totals.Monthly, error) {
	found := make(map[totals.AccountMonth]totals.Monthly)
	for _, m := range months {
		found[m] = totals.Monthly{Logs: map[usage.Product]totals.MonthlyLog{
			usage.SMS: {Sheet: cannedSheet.Coarse(), LastDay: m.Month.First(), UpdatedAt: at("2026-11-04T02:10:00Z")}}}
	}
	return found, nil
}

func (canned) LogTotals(_ context.Context, logs []usage.Log) (states []totals.LogState, err error) {
	for _, log := range logs {
		states = append(states, totals.LogState{Log: log, FirstDay: "2026-11-03", LastDay: "2026-11-03", UpdatedAt: at("2026-11-04T02:10:00Z")})
	}
	return states, nil
}

func (canned) TotalsReady(context.Context) (bool, error) { return true, nil }

func (canned) Log(ctx context.Context, log usage.Log, q usage.Query) (usage.Page, error) {
	r, err := canned{}.Record(ctx, log, "u-1", q.Now)
	place := r.Position()
	return usage.Page{Records: []usage.Record{r}, Next: &place}, err
}

func (canned) Record(_ context.Context, log usage.Log, id usage.RecordID, now time.Time) (usage.Record, error) {
	return usage.Record{Log: log, ID: id, Timestamp: now.AddDate(0, 0, -1), Direction: usage.Outbound, Status: usage.Delivered, To: masking.Mask("+447700900123"), Segments: n(1)}, nil
}

func (canned) PriceLists(_ context.Context, log usage.Log, _ time.Time) ([]*pricing.Indexed, bool, error) {
	l := pricing.List{EffectiveFrom: at("2026-01-01T00:00:00Z"), Currency: "EUR", Rounding: pricing.DefaultRounding(), Rates: []pricing.Rate{{UnitPrice: decimal.New(81, -3)}}}
	if log.Product == usage.SMS || log.Product == usage.Messaging {
		l.ChargeOn = pricing.OnSubmitted
	}
	if log.Product == usage.Voice || log.Product == usage.Video {
		l.Rates[0].Increment = pricing.Increment{First: 60, Next: 60}
	}
	indexed, err := pricing.Index(log.Product, l)
	return []*pricing.Indexed{indexed}, false, err
}
