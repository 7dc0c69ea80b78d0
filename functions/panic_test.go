package functions_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"partnerview/internal/access"
	"partnerview/internal/api"
	"partnerview/internal/directory"
	"partnerview/internal/gateway"
	"partnerview/internal/pricing"
	"partnerview/internal/problem"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// broken is a store with a mistake in it: every call panics, with something in
// its hands that nobody may read.
type broken struct{}

const number = "+447700900123"

func (broken) CustomersWithMonths(context.Context, directory.Identity, directory.CustomerQuery, []totals.Month) (directory.CustomerPage, totals.Spending, error) {
	panic(number)
}
func (broken) EveryCustomer(context.Context, directory.Identity, directory.CustomerQuery, []totals.Month) (directory.CustomerPage, totals.Spending, bool, error) {
	panic(number)
}
func (broken) Spending(context.Context, []usage.AccountID, []totals.Month) (totals.Spending, error) {
	panic(number)
}
func (broken) Self(context.Context, directory.Identity) (directory.Self, error)      { panic(number) }
func (broken) Customer(context.Context, usage.AccountID) (directory.Customer, error) { panic(number) }
func (broken) Log(context.Context, usage.Log, usage.Query) (usage.Page, error)       { panic(number) }
func (broken) Record(context.Context, usage.Log, usage.RecordID, time.Time) (usage.Record, error) {
	panic(number)
}
func (broken) PriceLists(context.Context, usage.Log, time.Time) ([]*pricing.Indexed, bool, error) {
	panic(number)
}
func (broken) DayTotals(context.Context, []usage.Log, totals.Day, totals.Day) ([]totals.Dated, error) {
	panic(number)
}
func (broken) MonthTotals(context.Context, []totals.AccountMonth) (map[totals.AccountMonth]totals.Monthly, error) {
	panic(number)
}
func (broken) LogTotals(context.Context, []usage.Log) ([]totals.LogState, error) { panic(number) }
func (broken) TotalsReady(context.Context) (bool, error)                         { panic(number) }
func (broken) CustomerProducts(context.Context, usage.AccountID) ([]usage.Product, error) {
	panic(number)
}
func (broken) AccessKey(context.Context, string) (directory.AccessKey, error) { panic(number) }
func (broken) Standing(context.Context, directory.PartnerID, directory.ViewerID, usage.AccountID) (directory.Standing, error) {
	panic(number)
}

// halfWritten has begun to answer when it panics.
func halfWritten(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(number))
	panic(number)
}

// A mistake of ours ends one request: not the process, with all the others that
// it would have served.
func TestAPanicIsAnsweredAndNotTheEnd(t *testing.T) {
	env := api.Env{Viewer: gateway.Viewer, RequestID: gateway.RequestID, Now: func() time.Time { return now }, Log: quiet}
	for event, handler := range map[string]func(api.Env) http.Handler{
		"listcustomers/testdata/event.json":       func(e api.Env) http.Handler { return api.ListCustomers(e, broken{}) },
		"getcustomer/testdata/event.json":         func(e api.Env) http.Handler { return api.GetCustomer(e, broken{}) },
		"getcustomer/testdata/usage-event.json":   func(e api.Env) http.Handler { return api.GetCustomer(e, broken{}) },
		"getsummary/testdata/event.json":          func(e api.Env) http.Handler { return api.GetSummary(e, broken{}) },
		"getsummary/testdata/customer-event.json": func(e api.Env) http.Handler { return api.GetSummary(e, broken{}) },
		"getme/testdata/event.json":               func(e api.Env) http.Handler { return api.GetMe(e, broken{}) },
		"getusage/testdata/event.json":            func(e api.Env) http.Handler { return api.GetUsage(e, broken{}) },
		"getusage/testdata/record-event.json":     func(e api.Env) http.Handler { return api.GetUsage(e, broken{}) },
		"listcustomers/testdata/event.json#page":  func(api.Env) http.Handler { return http.HandlerFunc(halfWritten) }, // as the dashboard's
	} {
		t.Run(event, func(t *testing.T) {
			var recorded events.APIGatewayProxyRequest
			read(t, strings.TrimSuffix(event, "#page"), &recorded)
			var log strings.Builder
			env.Log = slog.New(slog.NewJSONHandler(&log, nil))
			got, err := gateway.Handler(handler(env), env.Log)(t.Context(), recorded)
			if err != nil {
				t.Fatal(err)
			}
			want := httptest.NewRecorder()
			problem.Internal.Send(want, "c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
			if got.StatusCode != 500 || got.Body != want.Body.String() {
				t.Errorf("got %d %s", got.StatusCode, got.Body)
			}
			header := http.Header(got.MultiValueHeaders)
			header.Del("Vary") // of one that an endpoint has caught
			if diff := cmp.Diff(want.Header(), header); diff != "" {
				t.Error(diff)
			}
			wantStack(t, log.String())
		})
	}
}

func TestAPanicOfTheAuthorizerIsNoDecision(t *testing.T) {
	var event events.APIGatewayCustomAuthorizerRequestTypeRequest
	read(t, "authorizer/testdata/event.json", &event)
	key := wellFormed(t)
	for name, values := range event.MultiValueHeaders {
		if strings.EqualFold(name, "Authorization") {
			values[0] = "Bearer " + key
		}
	}
	var log strings.Builder
	decide := access.NewGuard(broken{}, func() time.Time { return now }).Decide
	got, err := gateway.Authorizer(decide, slog.New(slog.NewJSONHandler(&log, nil)))(t.Context(), event)
	if err == nil || err.Error() == "Unauthorized" || len(got.PolicyDocument.Statement) > 0 || strings.Contains(err.Error(), number) {
		t.Errorf("got %+v, %v; want an error that is no refusal", got, err)
	}
	wantStack(t, log.String())
}

// wantStack checks that one line of a log tells where a panic was, and no line what
// it was.
func wantStack(t *testing.T, log string) {
	t.Helper()
	told := 0
	for text := range strings.Lines(log) {
		var line struct{ Cause string }
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line.Cause, "panic with a string at partnerview/functions_test.") && strings.Contains(line.Cause, "(panic_test.go:") {
			told++
		}
	}
	if told != 1 || strings.Contains(log, "7700900123") {
		t.Errorf("the panic is told %d times, want once and without its value: %s", told, log)
	}
}
