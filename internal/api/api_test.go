package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"golang.org/x/text/unicode/norm"

	"partnerview/internal/api"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/testkit/contract"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

var engine dynamotest.Engine

func TestMain(m *testing.M) { os.Exit(engine.Run(m)) }

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// viewerKey is where tests put who asks.
type viewerKey struct{}

func env() api.Env {
	return api.Env{
		Viewer: func(ctx context.Context) (directory.Viewer, error) {
			v, ok := ctx.Value(viewerKey{}).(directory.Viewer)
			if !ok {
				return v, errors.New("nobody")
			}
			return v, nil
		},
		RequestID: func(context.Context) string { return "req-1" },
		Now:       func() time.Time { return now },
		Log:       slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// store is everything that the handlers read.
type store interface {
	api.SpendingList
	api.SpendingCustomer
	api.UsageReader
	api.SelfReader
	api.SummaryReader
}

// ask sends a GET as a viewer, to the handler that serves the path.
func ask(t *testing.T, s store, viewer any, target string, accept ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", target, nil)
	r.Header["Accept"] = accept
	if viewer != nil {
		r = r.WithContext(context.WithValue(r.Context(), viewerKey{}, viewer))
	}
	handler := api.ListCustomers(env(), s)
	switch strings.Count(r.URL.EscapedPath(), "/") {
	case 2, 3:
		handler = api.GetCustomer(env(), s)
	case 4, 5:
		handler = api.GetUsage(env(), s)
	}
	switch path.Base(r.URL.Path) {
	case "me":
		handler = api.GetMe(env(), s)
	case "summary":
		handler = api.GetSummary(env(), s)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	keepsContract(t, r, w)
	return w
}

var description = sync.OnceValues(contract.Load)

// keepsContract holds an answer against openapi.yaml, and a page's Link against
// its nextCursor, which OpenAPI cannot.
func keepsContract(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	spec, err := description()
	must(t, err)
	w.Header().Set("X-Amzn-Requestid", env().RequestID(r.Context())) // API Gateway adds it to each answer
	if err := spec.CheckAnswer(r.Method, r.URL.EscapedPath(), w.Code, w.Header(), w.Body.Bytes()); err != nil {
		t.Errorf("%s breaks openapi.yaml: %v", r.URL, err)
	}
	more := strings.Contains(w.Body.String(), `"nextCursor":"`)
	csv := strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv")
	if filed := w.Header().Get("Content-Disposition") != ""; filed != csv {
		t.Errorf("%s: it is CSV: %v, it has a name for a file: %v", r.URL, csv, filed)
	}
	if csv {
		return
	}
	if linked := w.Header().Get("Link") != ""; linked != more {
		t.Errorf("%s: there is a next page: %v, there is a Link: %v", r.URL, more, linked)
	}
}

func TestTheRoutesAreThoseOfTheContract(t *testing.T) {
	spec, err := description()
	must(t, err)
	promised := map[string]api.Route{}
	for _, r := range spec.Routes() {
		if r.Pattern != "GET /openapi.yaml" { // functions/dashboard serves it
			promised[r.Pattern] = api.Route(r)
		}
	}
	served := map[string]api.Route{}
	for _, r := range api.Routes() {
		served[r.Pattern] = r
	}
	if diff := cmp.Diff(promised, served, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("openapi.yaml (-) and the routes (+) differ: %s", diff)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func at(text string) time.Time {
	parsed, err := usage.ParseTime(text)
	if err != nil {
		panic(err)
	}
	return parsed
}

func dec(text string) *decimal.Decimal {
	d, err := money.Parse(text)
	if err != nil {
		panic(err)
	}
	return &d
}

func n(i int64) *int64 { return &i }

// north sees acme_retail whole; narrow sees only its voice.
var (
	northwind = directory.Identity{Partner: "northwind", KeyID: "k"}
	north     = directory.Viewer{Identity: northwind, Account: "acme_retail", Products: usage.Products()}
	narrow    = directory.Viewer{Identity: northwind, Account: "acme_retail", Products: []usage.Product{usage.Voice}}
)

// acme is a store with one customer that has a record of every product.
func acme(t *testing.T) *dynamo.Store {
	t.Helper()
	s := engine.NewStore(t)
	ctx := t.Context()
	asOf := at("2026-11-20T00:00:00Z")
	must(t, s.PutCustomer(ctx, directory.Customer{
		Account: "acme_retail", Name: "Acme Retail <b>GmbH</b> & Söhne", Currency: "EUR",
		Products: []usage.Product{usage.Messaging, usage.SMS, usage.Voice, usage.Video},
		Credit:   directory.Credit{Mode: directory.Prepaid, Remaining: dec("1520.7300"), AsOf: &asOf},
		TimeZone: "Europe/Berlin",
	}))
	must(t, s.PutPartner(ctx, directory.Partner{ID: "northwind", Name: "Northwind", Status: directory.Active}))
	must(t, s.PutGrant(ctx, directory.Grant{Partner: "northwind", Account: "acme_retail", CustomerName: "Acme Retail"}))
	list := func(product usage.Product, rates ...pricing.Rate) {
		t.Helper()
		l := pricing.List{EffectiveFrom: at("2026-01-01T00:00:00Z"), Currency: "EUR", Rounding: pricing.DefaultRounding(), Rates: rates}
		if product == usage.SMS || product == usage.Messaging {
			l.ChargeOn = pricing.OnSubmitted
		}
		must(t, s.PutPriceLists(ctx, usage.Log{Account: "acme_retail", Product: product}, []pricing.List{l}))
	}
	outbound := func(country usage.Country) pricing.Selectors {
		return pricing.Selectors{Direction: usage.Outbound, Country: country}
	}
	list(usage.SMS, pricing.Rate{Selectors: outbound("GB"), UnitPrice: *dec("0.081")})
	list(usage.Voice, pricing.Rate{Selectors: outbound("GB"), UnitPrice: *dec("0.0120"), SetupFee: *dec("0.005"), Increment: pricing.Increment{First: 60, Next: 60}})
	list(usage.Video, pricing.Rate{UnitPrice: *dec("0.004"), Increment: pricing.Increment{First: 1, Next: 1}})
	record := func(r usage.Record) usage.Record {
		r.Account = "acme_retail"
		return r
	}
	statusAt := at("2026-11-03T10:00:05Z")
	_, err := s.WriteUsage(ctx, []usage.Record{
		record(usage.Record{Log: usage.Log{Product: usage.SMS}, ID: "u-1", Timestamp: at("2026-11-03T10:00:00.12Z"), Direction: usage.Outbound, Status: usage.Delivered, StatusAt: &statusAt,
			From: masking.Mask("SampleCo"), To: masking.Mask("+447700900123"), Country: "GB", Operator: "23401", Segments: n(2)}),
		record(usage.Record{Log: usage.Log{Product: usage.SMS}, ID: "u-2", Timestamp: at("2026-11-04T10:00:00Z"), Direction: usage.Outbound, Status: usage.Failed, ErrorCode: "43", Segments: n(1)}),
		record(usage.Record{Log: usage.Log{Product: usage.SMS}, ID: "u-3", Timestamp: at("2025-12-04T10:00:00Z"), Direction: usage.Outbound, Status: usage.Sent, Segments: n(1),
			RecordedPrice: &money.Money{Amount: *dec("0.0412"), Currency: "SGD"}}),
		record(usage.Record{Log: usage.Log{Product: usage.SMS}, ID: "u-4", Timestamp: at("2026-11-05T10:00:00Z")}),
		record(usage.Record{Log: usage.Log{Product: usage.SMS}, ID: "u-5", Timestamp: at("2025-10-05T10:00:00Z"), ExpiresAt: now}),
		record(usage.Record{Log: usage.Log{Product: usage.Voice}, ID: "c-1", Timestamp: at("2026-11-03T10:00:00Z"), Direction: usage.Outbound, Status: usage.Completed,
			From: masking.Mask("+12025550147"), To: masking.Mask("+447700900456"), Country: "GB", DurationSeconds: n(61)}),
		record(usage.Record{Log: usage.Log{Product: usage.Video}, ID: "v-1", Timestamp: at("2026-11-03T10:00:00Z"), Status: usage.Completed, DurationSeconds: n(90), Participants: n(3), ParticipantSeconds: n(250)}),
		record(usage.Record{Log: usage.Log{Product: usage.Messaging}, ID: "m-1:1", Timestamp: at("2026-11-03T10:00:00Z"), Direction: usage.Inbound, Status: usage.Received, Channel: "whatsapp", Category: "service",
			From: masking.Mask("12025550199")}),
	})
	must(t, err)
	return s
}

// The answers are written out here as FORMATS.md has them: every field, in order.
func TestAnswersToTheLetter(t *testing.T) {
	s := acme(t)
	customer := `{"accountId":"acme_retail","name":"Acme Retail <b>GmbH</b> & Söhne","products":["sms","voice","video","messaging"],"currency":"EUR","timeZone":"Europe/Berlin",` +
		`"remainingCredit":{"amount":"1520.73","currency":"EUR","billingMode":"prepaid","creditLimit":null,"asOf":"2026-11-20T00:00:00.000Z"},"spend":null}`
	sms := `{"id":"u-1","product":"sms","timestamp":"2026-11-03T10:00:00.120Z","direction":"outbound","status":"delivered","statusAt":"2026-11-03T10:00:05.000Z","errorCode":null,` +
		`"from":"****","to":"****0123","country":"GB","operator":"23401","segments":2,` +
		`"price":{"status":"rated","amount":"0.162","currency":"EUR","reason":null,"explanation":{"unitPrice":"0.081","unit":"segment","quantity":2,"setupFee":"0","increment":null,"billableSeconds":null,` +
		`"rate":{"direction":"outbound","country":"GB"},"effectiveFrom":"2026-01-01T00:00:00.000Z","rounding":{"scale":6,"mode":"half-up"}}}}`
	free := `{"id":"u-2","product":"sms","timestamp":"2026-11-04T10:00:00.000Z","direction":"outbound","status":"failed","statusAt":null,"errorCode":"43","from":null,"to":null,"country":null,"operator":null,"segments":1,` +
		`"price":{"status":"free","amount":"0","currency":"EUR","reason":"status","explanation":null}}`
	recorded := `{"id":"u-3","product":"sms","timestamp":"2025-12-04T10:00:00.000Z","direction":"outbound","status":"sent","statusAt":null,"errorCode":null,"from":null,"to":null,"country":null,"operator":null,"segments":1,` +
		`"price":{"status":"recorded","amount":"0.0412","currency":"SGD","reason":"no_price_list","explanation":null}}`
	unrated := `{"id":"u-4","product":"sms","timestamp":"2026-11-05T10:00:00.000Z","direction":null,"status":null,"statusAt":null,"errorCode":null,"from":null,"to":null,"country":null,"operator":null,"segments":null,` +
		`"price":{"status":"unrated","amount":null,"currency":null,"reason":"quantity_unknown","explanation":null}}`
	voice := `{"id":"c-1","product":"voice","timestamp":"2026-11-03T10:00:00.000Z","direction":"outbound","status":"completed","statusAt":null,"errorCode":null,"from":"****0147","to":"****0456","country":"GB","operator":null,"durationSeconds":61,` +
		`"price":{"status":"rated","amount":"0.029","currency":"EUR","reason":null,"explanation":{"unitPrice":"0.012","unit":"minute","quantity":61,"setupFee":"0.005","increment":{"first":60,"next":60},"billableSeconds":120,` +
		`"rate":{"direction":"outbound","country":"GB"},"effectiveFrom":"2026-01-01T00:00:00.000Z","rounding":{"scale":6,"mode":"half-up"}}}}`
	video := `{"id":"v-1","product":"video","timestamp":"2026-11-03T10:00:00.000Z","direction":null,"status":"completed","statusAt":null,"errorCode":null,"from":null,"to":null,"country":null,"durationSeconds":90,"participants":3,"participantSeconds":250,` +
		`"price":{"status":"rated","amount":"0.016667","currency":"EUR","reason":null,"explanation":{"unitPrice":"0.004","unit":"participant-minute","quantity":250,"setupFee":"0","increment":{"first":1,"next":1},"billableSeconds":250,` +
		`"rate":{},"effectiveFrom":"2026-01-01T00:00:00.000Z","rounding":{"scale":6,"mode":"half-up"}}}}`
	messaging := `{"id":"m-1:1","product":"messaging","timestamp":"2026-11-03T10:00:00.000Z","direction":"inbound","status":"received","statusAt":null,"errorCode":null,"from":"****0199","to":null,"country":null,"channel":"whatsapp","category":"service",` +
		`"price":{"status":"unrated","amount":null,"currency":null,"reason":"no_price_list","explanation":null}}`
	page := func(rng string, records ...string) string {
		return `{"data":[` + strings.Join(records, ",") + `],"range":` + rng + `,"nextCursor":null}`
	}
	const all = `{"from":null,"to":null}`
	base := "/customers/acme_retail"
	for target, want := range map[string]string{
		"/customers":                    `{"data":[` + customer + `],"total":null,"nextCursor":null}`,
		base:                            customer,
		base + "/usage/sms":             page(all, unrated, free, sms, recorded),
		base + "/usage/sms?order=asc":   page(all, recorded, sms, free, unrated),
		base + "/usage/voice":           page(all, voice),
		base + "/usage/video":           page(all, video),
		base + "/usage/messaging":       page(all, messaging),
		base + "/usage/sms/u-1":         sms,
		base + "/usage/messaging/m-1:1": messaging,
		base + "/usage/sms?from=2026-11-03&to=2026-11-04T10:00:00Z":  page(`{"from":"2026-11-03T00:00:00.000Z","to":"2026-11-04T10:00:00.000Z"}`, sms),
		base + "/usage/sms?status=FAILED&status=sent":                page(all, free, recorded),
		base + "/usage/sms?status=No-such+status":                    page(all),
		base + "/usage/sms?country=gb":                               page(all, sms),
		base + "/usage/sms?toLast4=0123":                             page(all, sms),
		base + "/usage/sms?fromLast4=0123":                           page(all),
		base + "/usage/sms?direction=inbound":                        page(all),
		base + "/usage/messaging?channel=WhatsApp&direction=inbound": page(all, messaging),
		"/customers?search=ACME&product=video":                       `{"data":[` + customer + `],"total":null,"nextCursor":null}`,
		"/me":                                                        `{"partnerId":"northwind","partnerName":"Northwind","keyId":"k","label":null,"customers":1,"partnerCustomers":1,"narrowed":false}`,
		"/customers?search=nobody":                                   `{"data":[],"total":null,"nextCursor":null}`,
	} {
		t.Run(target, func(t *testing.T) {
			w := ask(t, s, north, target)
			if w.Code != 200 || w.Body.String() != want {
				t.Errorf("status %d\n got %s\nwant %s", w.Code, w.Body, want)
			}
			wantHeaders(t, w, "application/json")
		})
	}
}

func wantHeaders(t *testing.T, w *httptest.ResponseRecorder, contentType string) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Type": contentType, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"Strict-Transport-Security": "max-age=63072000; includeSubDomains",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

type problemJSON struct {
	Type, Title, Detail, Code, RequestID string
	Status                               int
	Errors                               []struct{ Parameter, Detail string }
}

func wantProblem(t *testing.T, w *httptest.ResponseRecorder, status int, code string, parameters ...string) {
	t.Helper()
	var p problemJSON
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("no problem: %v: %s", err, w.Body)
	}
	var named []string
	for _, e := range p.Errors {
		named = append(named, e.Parameter)
		if e.Detail == "" {
			t.Errorf("the fault of %s does not say what is wrong", e.Parameter)
		}
	}
	if w.Code != status || p.Status != status || p.Code != code || !slices.Equal(named, parameters) {
		t.Errorf("got %d %s naming %v, want %d %s naming %v: %s", w.Code, p.Code, named, status, code, parameters, w.Body)
	}
	if p.RequestID != "req-1" || p.Title != http.StatusText(status) || p.Type != "about:blank" || p.Detail == "" {
		t.Errorf("an incomplete problem: %s", w.Body)
	}
	wantHeaders(t, w, "application/problem+json")
}

func TestBadParametersAreNamedEach(t *testing.T) {
	s := acme(t)
	const log = "/customers/acme_retail/usage/sms"
	for target, parameters := range map[string][]string{
		"/customers?foo=1":                                 {"foo"},
		"/customers?limit=0":                               {"limit"},
		"/customers?limit=101":                             {"limit"},
		"/customers?limit=abc&product=fax&x=1":             {"limit", "product", "x"},
		"/customers?search=":                               {"search"},
		"/customers?search=a&search=b":                     {"search"},
		"/customers?search=" + strings.Repeat("a", 801):    {"search"},
		"/customers?cursor=abc":                            {"cursor"},
		"/customers?credit=enough&count=yes":               {"count", "credit"},
		"/customers?count=true&count=true":                 {"count"},
		"/customers/acme_retail?limit=1":                   {"limit"},
		"/me?limit=1":                                      {"limit"},
		log + "/u-1?order=asc":                             {"order"},
		log + "?limit=0":                                   {"limit"},
		log + "?limit=501":                                 {"limit"},
		log + "?limit=+5":                                  {"limit"},
		log + "?limit=5.0":                                 {"limit"},
		log + "?limit=99999999999999999999":                {"limit"},
		log + "?from=yesterday":                            {"from"},
		log + "?from=2026-13-01":                           {"from"},
		log + "?from=2026-11-03T1:00:00Z":                  {"from"},
		log + "?from=2026-11-03T10:00:00,5Z":               {"from"},
		log + "?to=2026-11-03T10:00:00%2B24:00":            {"to"},
		log + "?from=2026-11-03T10:00:00+02:00":            {"from"}, // the + is a space
		log + "?to=2026-11-03T10:00":                       {"to"},
		log + "?from=2026-11-03&to=2026-11-03":             {"to"},
		log + "?from=2026-11-04&to=2026-11-03":             {"to"},
		log + "?channel=whatsapp":                          {"channel"}, // SMS has none
		log + "?direction=up":                              {"direction"},
		log + "?order=newest":                              {"order"},
		log + "?order=asc&order=asc":                       {"order"},
		log + "?status=4711":                               {"status"},
		log + "?status=":                                   {"status"},
		log + "?country=GBR":                               {"country"},
		log + "?toLast4=123":                               {"toLast4"},
		log + "?toLast4=447700900123":                      {"toLast4"},
		log + "?toLast4=٠١٢٣":                              {"toLast4"},
		log + "?to=x&from=y&limit=z&toLast4=w":             {"from", "limit", "to", "toLast4"},
		log + "?a=%zz":                                     {"query"},
		log + "?limit=5;order=asc":                         {"query"},
		log + "?Limit=5":                                   {"Limit"},
		"/customers/acme_retail/usage/messaging?channel=9": {"channel"},
		log + "?" + strings.Repeat("status=a&", 101):       {"status"},
	} {
		t.Run(target[:min(len(target), 80)], func(t *testing.T) {
			wantProblem(t, ask(t, s, north, target), 400, "invalid_parameter", parameters...)
		})
	}
}

// A caller who puts a number where it does not belong gets no echo of it.
func TestErrorsDoNotRepeatNumbers(t *testing.T) {
	s := acme(t)
	for _, target := range []string{
		"/customers/acme_retail/usage/sms?toLast4=447700900123",
		"/customers/acme_retail/usage/sms?447700900123=1",
		"/customers/acme_retail/usage/sms?" + url.QueryEscape("４４７７００９００１２３") + "=1",
		"/customers/acme_retail/usage/sms?from=447700900123",
		"/customers/acme_retail/usage/sms?country=447700900123",
		"/customers/acme_retail/usage/sms/447700900123",
		"/customers?cursor=447700900123",
	} {
		if w := ask(t, s, north, target); strings.Contains(norm.NFKC.String(w.Body.String()), "7700900123") {
			t.Errorf("%s is answered with the number: %s", target, w.Body)
		}
	}
}

func TestNotFound(t *testing.T) {
	s := acme(t)
	gone := directory.Viewer{Identity: northwind, Account: "gone_account"}
	for _, c := range []struct {
		viewer directory.Viewer
		target string
		code   string
	}{
		{gone, "/customers/gone_account", "customer_not_found"},
		{north, "/customers/acme_retail/usage/fax", "product_not_found"},
		{north, "/customers/acme_retail/usage/SMS", "product_not_found"},
		{narrow, "/customers/acme_retail/usage/sms", "product_not_found"},
		{narrow, "/customers/acme_retail/usage/sms?limit=0", "product_not_found"}, // what is not there takes no parameters
		{narrow, "/customers/acme_retail/usage/sms/u-1", "product_not_found"},
		{narrow, "/customers/acme_retail/usage/sms/u-1?limit=0", "product_not_found"},
		{narrow, "/customers/acme_retail/usage/sms/a%20b", "product_not_found"},
		{north, "/customers/acme_retail/usage/fax?limit=0", "product_not_found"},
		{north, "/customers/acme_retail/usage/sms/nope", "record_not_found"},
		{north, "/customers/acme_retail/usage/sms/u-5", "record_not_found"}, // past its retention
		{north, "/customers/acme_retail/usage/voice/u-1", "record_not_found"},
		{north, "/customers/acme_retail/usage/sms/a%20b", "record_not_found"},
		{north, "/customers/acme_retail/usage/sms/a%2Fb", "record_not_found"},
		{north, "/customers/acme_retail/usage/sms/", "route_not_found"},
		{north, "/customers/acme_retail/", "route_not_found"},
		{north, "/customers/acme_retail/usage/..", "route_not_found"},
		{north, "/customers/acme_retail/usage/%2E%2E", "route_not_found"},
		{north, "/customers/acme_retail/usage/sms/..", "route_not_found"},
		{north, "/customers/acme_retail//usage/sms", "route_not_found"},
	} {
		t.Run(c.target, func(t *testing.T) { wantProblem(t, ask(t, s, c.viewer, c.target), 404, c.code) })
	}
}

// The account that the authorizer granted is the only one that is read, whatever
// the path says.
func TestOnlyTheGrantedAccountIsServed(t *testing.T) {
	s := acme(t)
	must(t, s.PutCustomer(t.Context(), directory.Customer{Account: "other", Name: "Other", Currency: "EUR", Products: usage.Products(), Credit: directory.Credit{Mode: directory.Postpaid}}))
	for _, path := range []string{"", "/usage/sms", "/usage/sms/u-1"} {
		w := ask(t, s, north, "/customers/other"+path)
		wantProblem(t, w, 404, "customer_not_found")
		w = ask(t, s, directory.Viewer{Identity: northwind}, "/customers/acme_retail"+path)
		wantProblem(t, w, 404, "customer_not_found")
		// Nobody was identified: that is our fault, and nothing is served.
		w = ask(t, s, nil, "/customers/acme_retail"+path)
		wantProblem(t, w, 500, "internal")
	}
	wantProblem(t, ask(t, s, nil, "/customers"), 500, "internal")
	wantProblem(t, ask(t, s, directory.Viewer{}, "/customers"), 500, "internal")
}

// How long a refusal takes would tell what there is to read: nothing is read for it.
func TestNothingIsReadForARefusal(t *testing.T) {
	none := directory.Viewer{Identity: northwind, Account: "acme_retail"}
	for _, viewer := range []directory.Viewer{narrow, none} {
		for _, path := range []string{"sms", "sms?limit=500", "sms/u-1", "sms/nope", "fax", "fax/u-1"} {
			wantProblem(t, ask(t, untouchable{}, viewer, "/customers/acme_retail/usage/"+path), 404, "product_not_found")
		}
	}
}

// untouchable is a store that must not be asked: with no methods behind it, to do so
// panics.
type untouchable struct{ store }

func TestANarrowedGrantShowsOnlyItsProducts(t *testing.T) {
	w := ask(t, acme(t), narrow, "/customers/acme_retail")
	if !strings.Contains(w.Body.String(), `"products":["voice"]`) {
		t.Errorf("got %s", w.Body)
	}
	none := directory.Viewer{Identity: northwind, Account: "acme_retail"}
	if w := ask(t, acme(t), none, "/customers/acme_retail"); !strings.Contains(w.Body.String(), `"products":[]`) {
		t.Errorf("a viewer who may see no product is shown %s", w.Body)
	}
}

// broken injects failures into a store.
type broken struct {
	store
	err error
}

func (b broken) CustomersWithMonths(context.Context, directory.Identity, directory.CustomerQuery, []totals.Month) (directory.CustomerPage, totals.Spending, error) {
	return directory.CustomerPage{}, totals.Spending{}, b.err
}
func (b broken) EveryCustomer(context.Context, directory.Identity, directory.CustomerQuery, []totals.Month) (directory.CustomerPage, totals.Spending, bool, error) {
	return directory.CustomerPage{}, totals.Spending{}, false, b.err
}
func (b broken) Spending(context.Context, []usage.AccountID, []totals.Month) (totals.Spending, error) {
	return totals.Spending{}, b.err
}
func (b broken) Customer(context.Context, usage.AccountID) (directory.Customer, error) {
	return directory.Customer{}, b.err
}
func (b broken) Log(context.Context, usage.Log, usage.Query) (usage.Page, error) {
	return usage.Page{}, b.err
}
func (b broken) Record(context.Context, usage.Log, usage.RecordID, time.Time) (usage.Record, error) {
	return usage.Record{}, b.err
}

func TestOurOwnFailureIsToldAsOursAndNotInDetail(t *testing.T) {
	secret := errors.New("table arn:aws:dynamodb:secret of +447700900123")
	for _, target := range []string{"/customers", "/customers?count=true", "/customers/acme_retail", "/customers/acme_retail/usage/sms", "/customers/acme_retail/usage/sms/u-1"} {
		w := ask(t, broken{acme(t), fault.New(fault.Unavailable, "query", secret)}, north, target)
		wantProblem(t, w, 503, "unavailable")
		if w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		w = ask(t, broken{acme(t), secret}, north, target)
		wantProblem(t, w, 500, "internal")
		if strings.Contains(w.Body.String(), "secret") {
			t.Errorf("the cause is told: %s", w.Body)
		}
	}
}

func TestCursors(t *testing.T) {
	s := acme(t)
	const log = "/customers/acme_retail/usage/sms"
	first := ask(t, s, north, log+"?limit=1&direction=outbound")
	var page struct {
		Data       []struct{ ID string }
		NextCursor string
	}
	must(t, json.Unmarshal(first.Body.Bytes(), &page))
	cursor := page.NextCursor
	if cursor == "" || page.Data[0].ID != "u-2" {
		t.Fatalf("the first page is %s", first.Body)
	}
	good := log + "?direction=outbound&cursor=" + cursor
	w := ask(t, s, north, good+"&limit=500")
	if !strings.Contains(w.Body.String(), `"u-1"`) || strings.Contains(w.Body.String(), `"u-2"`) {
		t.Errorf("the second page is %s", w.Body)
	}
	link := first.Header().Get("Link")
	target, ok := strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
	if !ok || !strings.HasPrefix(target, "?") {
		t.Fatalf("Link: %s", link)
	}
	if w := ask(t, s, north, log+target); !strings.Contains(w.Body.String(), `"u-1"`) {
		t.Errorf("the page behind Link %s is %s", target, w.Body)
	}

	bad := map[string]string{
		"of other filters":         log + "?direction=inbound&cursor=" + cursor,
		"of no filters":            log + "?cursor=" + cursor,
		"of another order":         log + "?direction=outbound&order=asc&cursor=" + cursor,
		"of another period":        log + "?direction=outbound&from=2026-01-01&cursor=" + cursor,
		"of another product":       "/customers/acme_retail/usage/voice?direction=outbound&cursor=" + cursor,
		"of the customers":         "/customers?cursor=" + cursor,
		"with something behind it": good + "A",
		"with another alphabet":    log + "?direction=outbound&cursor=" + url.QueryEscape("+/="+cursor[3:]),
		"empty but for a version":  log + "?direction=outbound&cursor=AQ",
		"of ten thousand bytes":    log + "?direction=outbound&cursor=" + strings.Repeat("A", 10_000),
	}
	for i := range cursor {
		bad[fmt.Sprintf("cut to %d", i)] = log + "?direction=outbound&cursor=" + cursor[:i]
		flipped := []byte(cursor)
		flipped[i] ^= 1
		bad[fmt.Sprintf("with character %d changed", i)] = log + "?direction=outbound&cursor=" + url.QueryEscape(string(flipped))
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, c := range alphabet { // the last character has bits to spare
		if ended := cursor[:len(cursor)-1] + string(c); ended != cursor {
			bad["ending in "+string(c)] = log + "?direction=outbound&cursor=" + ended
		}
	}
	for claim, target := range bad {
		if w := ask(t, s, north, target); w.Code != 400 || !strings.Contains(w.Body.String(), `"parameter":"cursor"`) {
			t.Errorf("a cursor %s is answered with %d %s", claim, w.Code, w.Body)
		}
	}
	other := directory.Viewer{Identity: northwind, Account: "other_account", Products: usage.Products()}
	if w := ask(t, s, other, "/customers/other_account/usage/sms?direction=outbound&cursor="+cursor); w.Code != 400 {
		t.Errorf("a cursor of another customer is answered with %d %s", w.Code, w.Body)
	}
}

// A cursor holds no secret, so anybody can make one. One that names a place
// outside the period, or no place at all, is a 400 and not our failure.
func TestAForgedCursorIsRefusedBeforeTheDatabase(t *testing.T) {
	s := acme(t)
	for _, key := range []string{"2020-01-01T00:00:00.000Z#u-1", "u-1", "2026-11-03T10:00:00.000Z#", "2026-11-03T10:00:00.000Z#\xff", "\x00"} {
		query := url.Values{"from": {"2026-11-01"}, "to": {"2026-11-30"}}
		query.Set("cursor", api.Seal("/customers/acme_retail/usage/sms", query, key))
		wantProblem(t, ask(t, s, north, "/customers/acme_retail/usage/sms?"+query.Encode()), 400, "invalid_parameter", "cursor")
	}
	for _, key := range []string{"\xff\xfe", strings.Repeat("x", 1025)} {
		query := url.Values{"cursor": {api.Seal("/customers", nil, key)}}
		wantProblem(t, ask(t, s, north, "/customers?"+query.Encode()), 400, "invalid_parameter", "cursor")
	}
}

// Every route's parameters stand in its table, and usage is priced by all lists
// that cover the page, however many there are.
func TestAPageAcrossManyPriceLists(t *testing.T) {
	s := engine.NewStore(t)
	ctx := t.Context()
	log := usage.Log{Account: "acme_retail", Product: usage.SMS}
	must(t, s.PutCustomer(ctx, directory.Customer{Account: log.Account, Name: "Acme", Currency: "EUR", Products: usage.Products(), Credit: directory.Credit{Mode: directory.Postpaid}}))
	var lists []pricing.List
	var records []usage.Record
	start := at("2026-01-01T00:00:00Z")
	for day := range 20 {
		from := start.AddDate(0, 0, day)
		price := decimal.NewFromInt(int64(day + 1))
		lists = append(lists, pricing.List{EffectiveFrom: from, Currency: "EUR", ChargeOn: pricing.OnSubmitted, Rounding: pricing.DefaultRounding(), Rates: []pricing.Rate{{UnitPrice: price}}})
		records = append(records, usage.Record{Log: log, ID: usage.RecordID(fmt.Sprintf("r-%02d", day)), Timestamp: from, Direction: usage.Outbound, Status: usage.Sent, Segments: n(1)})
	}
	must(t, s.PutPriceLists(ctx, log, lists))
	_, err := s.WriteUsage(ctx, records)
	must(t, err)
	for _, query := range []string{"", "?order=asc", "?to=2026-01-21", "?from=2026-01-05&order=asc&to=2026-01-08", "?limit=3&order=asc"} {
		w := ask(t, s, north, "/customers/acme_retail/usage/sms"+query)
		var page struct {
			Data []struct {
				ID    string
				Price struct{ Amount string }
			}
		}
		must(t, json.Unmarshal(w.Body.Bytes(), &page))
		if len(page.Data) == 0 {
			t.Fatalf("%s: %s", query, w.Body)
		}
		for _, r := range page.Data {
			var day int
			_, err := fmt.Sscanf(r.ID, "r-%d", &day)
			must(t, err)
			if diff := cmp.Diff(fmt.Sprint(day+1), r.Price.Amount); diff != "" {
				t.Errorf("%s: record %s is not priced by its own day's list: %s", query, r.ID, diff)
			}
		}
	}
}
