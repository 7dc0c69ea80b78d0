// Package functions_test replays recorded API Gateway events against each
// function's handler, as its main.go builds it, on a real engine: through the
// adapter, and once more over plain HTTP, since both must answer alike.
package functions_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"partnerview/internal/access"
	"partnerview/internal/api"
	"partnerview/internal/dev/template"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/gateway"
	"partnerview/internal/masking"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

var engine dynamotest.Engine

func TestMain(m *testing.M) { os.Exit(engine.Run(m)) }

const account = usage.AccountID("acme&co.retail_1")

var (
	now   = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
)

func stored(t *testing.T) *dynamo.Store {
	t.Helper()
	store := engine.NewStore(t)
	segments := int64(1)
	_, err := store.WriteUsage(t.Context(), []usage.Record{{
		Log: usage.Log{Account: account, Product: usage.SMS}, ID: "u-1", Timestamp: time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC),
		Direction: usage.Outbound, Status: usage.Delivered, To: masking.Mask("+447700900123"), Segments: &segments,
	}})
	for _, err := range []error{
		err,
		store.PutCustomer(t.Context(), directory.Customer{Account: account, Name: "Acme & Co", Products: []usage.Product{usage.SMS, usage.Video}, Currency: "EUR", Credit: directory.Credit{Mode: directory.Postpaid}}),
		store.PutPartner(t.Context(), directory.Partner{ID: "northwind", Name: "Northwind", Status: directory.Active}),
		store.PutGrant(t.Context(), directory.Grant{Partner: "northwind", Account: account, CustomerName: "Acme & Co"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(source, into); err != nil {
		t.Fatal(err)
	}
}

func TestRecordedEventsThroughTheAdapterAndOverHTTP(t *testing.T) {
	store := stored(t)
	env := func(viewer func(context.Context) (directory.Viewer, error), requestID func(context.Context) string) api.Env {
		return api.Env{Viewer: viewer, RequestID: requestID, Now: func() time.Time { return now }, Log: quiet}
	}
	customer := `{"accountId":"acme&co.retail_1","name":"Acme & Co","products":["sms","video"],"currency":"EUR","timeZone":"UTC","remainingCredit":{"amount":null,"currency":"EUR","billingMode":"postpaid","creditLimit":null,"asOf":null},"spend":null}`
	record := `{"id":"u-1","product":"sms","timestamp":"2026-11-03T10:00:00.000Z","direction":"outbound","status":"delivered","statusAt":null,"errorCode":null,"from":null,"to":"****0123","country":null,"operator":null,"segments":1,` +
		`"price":{"status":"unrated","amount":null,"currency":null,"reason":"no_price_list","explanation":null}}`
	unloaded := func(product string) string {
		return `{"product":"` + product + `","firstDay":null,"lastDay":null,"loadedThrough":null,"loadedAt":null,"updatedAt":null,"pricesChangedAt":null}`
	}
	uncounted := `{"data":[],"range":{"from":"2026-11-01","to":"2026-11-04"},"timeZone":"UTC","complete":false,"pending":[],"pendingCount":null,"asOf":"` +
		usage.FormatTime(now) + `","nextCursor":null}`
	for _, c := range []struct {
		event   string
		handler func(api.Env) http.Handler
		want    string
	}{
		{"listcustomers/testdata/event.json", func(e api.Env) http.Handler { return api.ListCustomers(e, store) }, `{"data":[` + customer + `],"total":null,"nextCursor":null}`},
		{"getcustomer/testdata/event.json", func(e api.Env) http.Handler { return api.GetCustomer(e, store) }, customer},
		{"getcustomer/testdata/usage-event.json", func(e api.Env) http.Handler { return api.GetCustomer(e, store) },
			`{"data":[` + unloaded("sms") + "," + unloaded("video") + `],"timeZone":"UTC"}`},
		{"getsummary/testdata/event.json", func(e api.Env) http.Handler { return api.GetSummary(e, store) }, uncounted},
		{"getsummary/testdata/customer-event.json", func(e api.Env) http.Handler { return api.GetSummary(e, store) }, uncounted},
		{"getme/testdata/event.json", func(e api.Env) http.Handler { return api.GetMe(e, store) },
			`{"partnerId":"northwind","partnerName":"Northwind","keyId":"4fzyo82mXw3b","label":null,"customers":1,"partnerCustomers":1,"narrowed":false}`},
		{"getusage/testdata/event.json", func(e api.Env) http.Handler { return api.GetUsage(e, store) }, `{"data":[` + record + `],"range":{"from":"2026-11-01T00:00:00.000Z","to":null},"nextCursor":null}`},
		{"getusage/testdata/record-event.json", func(e api.Env) http.Handler { return api.GetUsage(e, store) }, record},
	} {
		t.Run(filepath.Dir(c.event), func(t *testing.T) {
			var event events.APIGatewayProxyRequest
			read(t, c.event, &event)
			got, err := gateway.Handler(c.handler(env(gateway.Viewer, gateway.RequestID)), quiet)(t.Context(), event)
			if err != nil || got.StatusCode != 200 || got.Body != c.want {
				t.Fatalf("through the adapter: %d, %v\n got %s\nwant %s", got.StatusCode, err, got.Body, c.want)
			}
			viewer := directory.Viewer{Identity: directory.Identity{Partner: "northwind", KeyID: "4fzyo82mXw3b"}, Account: account, Products: []usage.Product{usage.SMS, usage.Video}}
			over := env(func(context.Context) (directory.Viewer, error) { return viewer, nil }, func(context.Context) string { return event.RequestContext.RequestID })
			w := httptest.NewRecorder()
			c.handler(over).ServeHTTP(w, httptest.NewRequest("GET", event.Path+"?"+url.Values(event.MultiValueQueryStringParameters).Encode(), nil))
			if diff := cmp.Diff(got.Body, w.Body.String()); diff != "" || w.Code != got.StatusCode {
				t.Errorf("over HTTP the answer differs: %d %s", w.Code, diff)
			}
			for name := range got.MultiValueHeaders {
				if diff := cmp.Diff(got.MultiValueHeaders[name], w.Header()[name]); diff != "" {
					t.Errorf("over HTTP the header %s differs: %s", name, diff)
				}
			}
		})
	}
}

// A route that is missing in the template is not deployed; one that has no
// authorizer is open to everybody.
func TestTheTemplateDeploysEachRouteBehindTheAuthorizer(t *testing.T) {
	want := map[string]bool{}
	for _, r := range api.Routes() {
		want[r.Pattern] = true
	}
	// With usage plans, the list of routes in the API's DefinitionBody says which are counted.
	for plans, is := range map[string]func(template.Route) bool{
		"false": func(r template.Route) bool { return r.Authorizer != "" },
		"true":  func(r template.Route) bool { return r.Metered },
	} {
		stack, err := template.Read("../template.yaml", map[string]string{"UsagePlans": plans})
		if err != nil {
			t.Fatal(err)
		}
		deployed := map[string]bool{}
		for _, r := range stack.Routes {
			if is(r) {
				deployed[r.Method+" "+r.Path] = true
			}
		}
		if diff := cmp.Diff(want, deployed); diff != "" {
			t.Errorf("UsagePlans %s: the API's routes (-) and those that are guarded, and counted (+) differ: %s", plans, diff)
		}
	}
}

func wellFormed(t *testing.T) string {
	t.Helper()
	key, _, _, err := access.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestTheRecordedAuthorizerEvent(t *testing.T) {
	store := stored(t)
	key, id, hash, err := access.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.PutAccessKey(t.Context(), directory.AccessKey{ID: id, Partner: "northwind", SecretHash: hash, CreatedAt: now}); err != nil {
		t.Fatal(err)
	}
	var event events.APIGatewayCustomAuthorizerRequestTypeRequest
	read(t, "authorizer/testdata/event.json", &event)
	decide := gateway.Authorizer(access.NewGuard(store, func() time.Time { return now }).Decide, quiet)
	if got, err := decide(t.Context(), event); err == nil || err.Error() != "Unauthorized" {
		t.Errorf("the event's own credential is answered with %+v, %v", got, err)
	}
	for name, values := range event.MultiValueHeaders {
		if strings.EqualFold(name, "Authorization") {
			values[0] = "Bearer " + key
		}
	}
	got, err := decide(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	if s := got.PolicyDocument.Statement[0]; s.Effect != "Allow" || s.Resource[0] != event.MethodArn || got.Context["accountId"] != string(account) {
		t.Errorf("got %+v with %v", s, got.Context)
	}
}
