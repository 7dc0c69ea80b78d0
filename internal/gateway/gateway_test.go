package gateway

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// echo answers with what a handler gets to see.
func echo(w http.ResponseWriter, r *http.Request) {
	viewer, err := Viewer(r.Context())
	body, _ := io.ReadAll(r.Body)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"account": r.PathValue("accountId"), "product": r.PathValue("product"), "query": r.URL.Query(), "body": string(body),
		"viewer": viewer, "known": err == nil, "ours": fault.KindOf(err).String(), "requestId": RequestID(r.Context()),
	})
}

type seen struct {
	Account, Product, Body, RequestID string
	Query                             map[string][]string
	Viewer                            directory.Viewer
	Known                             bool
	Ours                              string // the kind of fault, where nobody is known
}

func send(t *testing.T, event events.APIGatewayProxyRequest) (seen, int) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /customers/{accountId}/usage/{product}", echo)
	mux.HandleFunc("GET /customers/{accountId}", echo)
	mux.HandleFunc("GET /customers", echo)
	response, err := Handler(mux, quiet)(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	var s seen
	if response.StatusCode == 200 {
		if err := json.Unmarshal([]byte(response.Body), &s); err != nil {
			t.Fatal(err)
		}
	}
	return s, response.StatusCode
}

func customerEvent(account string) events.APIGatewayProxyRequest {
	return events.APIGatewayProxyRequest{
		Resource: "/customers/{accountId}", Path: "/as/it/was/sent", HTTPMethod: "GET",
		PathParameters: map[string]string{"accountId": account},
		RequestContext: events.APIGatewayProxyRequestContext{
			RequestID:  "req-7",
			Authorizer: map[string]any{"partnerId": "northwind", "keyId": "k1", "narrowed": "no", "accountId": account, "products": "sms,voice", "integrationLatency": 12.0},
		},
	}
}

// The account that a handler sees is the one that was meant, whatever characters
// it holds, whether or not the gateway has decoded it, and whatever base path a
// custom domain puts before it.
func TestAnyAccountArrivesAsItWasMeant(t *testing.T) {
	for parameter, want := range map[string]string{
		"acme_retail": "acme_retail", "a.b": "a.b", "...": "...", "a-b": "a-b", "a+b": "a+b", "ä": "ä", "a;b": "a;b",
		"a&b": "a&b", "a%26b": "a&b", "a%2526b": "a%26b",
		"%zz": "%zz", "%25zz": "%zz",
		"a/b": "a/b", "a%2Fb": "a/b",
		"a?b=c": "a?b=c", "a%3Fb=c": "a?b=c",
		"a#b": "a#b", "a b": "a b", "a%20b": "a b",
	} {
		event := customerEvent(want)
		event.PathParameters["accountId"] = parameter
		s, status := send(t, event)
		if status != 200 || s.Account != want {
			t.Errorf("the parameter %q arrives as %q, status %d; want %q", parameter, s.Account, status, want)
		}
		if string(s.Viewer.Account) != want {
			t.Errorf("the granted account %q arrives as %q", want, s.Viewer.Account)
		}
	}
}

func TestViewerIsWhatTheAuthorizerSaid(t *testing.T) {
	s, _ := send(t, customerEvent("acme_retail"))
	want := northwind("acme_retail", usage.SMS, usage.Voice)
	if diff := cmp.Diff(want, s.Viewer); diff != "" || !s.Known || s.RequestID != "req-7" {
		t.Errorf("known %v, request %q, %s", s.Known, s.RequestID, diff)
	}
	// A claim that cannot be read must not be taken for any other: it is our fault. So
	// is one of an older version, but that passes.
	for claim, c := range map[string]struct {
		name  string
		value any
		kind  string
	}{
		"a product that there is not":     {"products", "sms,fax", "internal"},
		"none and yet one":                {"products", "none,sms", "internal"},
		"an empty word":                   {"products", "sms,", "internal"},
		"a number":                        {"products", 7.0, "unavailable"},
		"no word, which once was all":     {"products", "", "unavailable"},
		"nothing":                         {"products", nil, "unavailable"},
		"all customers, by an older one":  {"narrowed", nil, "unavailable"},
		"no word for whose list counts":   {"narrowed", "", "unavailable"},
		"nobody's":                        {"partnerId", "", "internal"},
		"a partner that is not even told": {"partnerId", nil, "internal"},
	} {
		event := customerEvent("acme_retail")
		event.RequestContext.Authorizer[c.name] = c.value
		s, _ := send(t, event)
		if s.Known {
			t.Errorf("%s, with %s = %v: %q reads acme_retail's %v and, of the list of customers, all that is on the list %q (none: all of its partner's)",
				claim, c.name, c.value, s.Viewer.Partner, s.Viewer.Products, s.Viewer.Narrowed)
		}
		if s.Ours != c.kind {
			t.Errorf("%s: with %s = %v the viewer is %+v, a fault of the kind %s, want %s", claim, c.name, c.value, s.Viewer, s.Ours, c.kind)
		}
	}
	event := customerEvent("acme_retail")
	event.RequestContext.Authorizer["accountId"] = nil // as on the list's path
	event.RequestContext.Authorizer["products"] = nil
	if s, _ := send(t, event); !s.Known || s.Viewer.Account != "" || s.Viewer.Products != nil {
		t.Errorf("on a path without a customer the viewer is %+v, known %v", s.Viewer, s.Known)
	}
}

// What the authorizer says of products arrives as it was meant, above all where
// there are none.
func TestProductsSurviveTheClaim(t *testing.T) {
	for _, products := range [][]usage.Product{nil, {usage.SMS}, usage.Products()} {
		decided := authorize(t, allow(northwind("acme_retail", products...)), authorizerEvent(bearer("Bearer x")))
		event := customerEvent("acme_retail")
		event.RequestContext.Authorizer = decided.Context
		if s, _ := send(t, event); !s.Known || !slices.Equal(s.Viewer.Products, products) {
			t.Errorf("%v comes back as %v, known %v", products, s.Viewer.Products, s.Known)
		}
	}
}

// Whose list bounds a viewer arrives as the authorizer said, and a viewer without one is
// not taken for one of the two.
func TestWhoseListCountsSurvivesTheClaim(t *testing.T) {
	for _, list := range []directory.ViewerID{"", "4fzyo82mXw3b", directory.PersonID("https://login.example.com", "somebody")} {
		viewer := northwind("")
		viewer.Narrowed = list
		event := customerEvent("acme_retail")
		event.RequestContext.Authorizer = authorize(t, allow(viewer), authorizerEvent(bearer("Bearer x"))).Context
		if s, _ := send(t, event); !s.Known || s.Viewer.Narrowed != list {
			t.Errorf("who is narrowed to the list %q lists the customers of %q, known %v", list, s.Viewer.Narrowed, s.Known)
		}
	}
}

// The adapter's header accessor trusts this header, which any client can send.
func TestAForgedContextHeaderChangesNothing(t *testing.T) {
	forged := `{"requestId":"forged","authorizer":{"partnerId":"southbank","accountId":"other","keyId":"x"}}`
	for _, name := range []string{"X-GoLambdaProxy-ApiGw-Context", "x-golambdaproxy-apigw-context", "X-GoLambdaProxy-ApiGw-StageVars"} {
		event := customerEvent("acme_retail")
		event.Headers = map[string]string{name: forged}
		event.MultiValueHeaders = map[string][]string{name: {forged}}
		s, _ := send(t, event)
		if s.Viewer.Partner != "northwind" || s.Viewer.Account != "acme_retail" || s.RequestID != "req-7" {
			t.Errorf("the header %s makes the viewer %+v, request %s", name, s.Viewer, s.RequestID)
		}
		event.RequestContext.Authorizer = nil
		if s, _ := send(t, event); s.Known {
			t.Errorf("without an authorizer the header %s makes the viewer %+v", name, s.Viewer)
		}
	}
}

func TestTheQueryArrivesWithItsRepeatsAndTheBodyDoesNot(t *testing.T) {
	event := customerEvent("acme_retail")
	event.MultiValueQueryStringParameters = map[string][]string{"status": {"sent", "a&b=c"}, "from": {"2026-11-03T10:00:00+02:00"}}
	event.Body, event.IsBase64Encoded = "not base 64!", true
	s, status := send(t, event)
	if diff := cmp.Diff(event.MultiValueQueryStringParameters, s.Query); diff != "" || status != 200 || s.Body != "" {
		t.Errorf("status %d, body %q, %s", status, s.Body, diff)
	}
}

// A request's log line tells what an operator needs, and nothing of what a
// caller may have put into the path or the query.
func TestTheLogLineHoldsNoQueryAndNoPath(t *testing.T) {
	var out strings.Builder
	event := customerEvent("acme_retail")
	event.Path = "/customers/447700900123"
	event.PathParameters["accountId"] = "447700900123"
	event.MultiValueQueryStringParameters = map[string][]string{"toLast4": {"0123"}, "x": {"447700900123"}}
	if _, err := Handler(http.NotFoundHandler(), slog.New(slog.NewJSONHandler(&out, nil)))(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "7700900123") || strings.Contains(out.String(), "toLast4") {
		t.Errorf("the line tells what was sent: %s", out.String())
	}
	if line["requestId"] != "req-7" || line["status"] != 404.0 || line["partnerId"] != "northwind" || line["resource"] != "/customers/{accountId}" {
		t.Errorf("the line lacks something: %s", out.String())
	}
}

func TestPathOfAGreedyParameterKeepsItsSlashes(t *testing.T) {
	for value, want := range map[string]string{"assets/app.js": "/assets/app.js", "a b/c?d": "/a%20b/c%3Fd", "a%20b/c": "/a%20b/c", "a%2Fb": "/a%2Fb", "": "/"} {
		if got := path("/{proxy+}", map[string]string{"proxy": value}); got != want {
			t.Errorf("path of %q is %q, want %q", value, got, want)
		}
	}
}

// A handler that waits for a database gets its answer out before Lambda ends it.
func TestARequestEndsBeforeLambdaDoes(t *testing.T) {
	var left time.Duration
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		if end, ok := r.Context().Deadline(); ok {
			left = time.Until(end)
		}
	})
	if _, err := Handler(h, quiet)(context.Background(), customerEvent("acme_retail")); err != nil {
		t.Fatal(err)
	}
	if left <= 0 || left > requestTimeout {
		t.Errorf("the request has %v left, want at most %v", left, requestTimeout)
	}
}

func TestTheClockIsFixedOnlyOnAnEngineOfOnesOwn(t *testing.T) {
	env := map[string]string{"PARTNERVIEW_NOW": "2026-06-04T00:00:00Z"}
	getenv := func(name string) string { return env[name] }
	clock, err := Clock(getenv)
	if err != nil || time.Since(clock()) > time.Minute {
		t.Errorf("on a real table the clock says %v, %v: an expired key would count again", clock(), err)
	}
	env["AWS_ENDPOINT_URL_DYNAMODB"] = "http://127.0.0.1:8000"
	if clock, err = Clock(getenv); err != nil || !clock().Equal(time.Date(2026, 6, 4, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("the fixed clock says %v, %v", clock(), err)
	}
	env["PARTNERVIEW_NOW"] = "yesterday"
	if _, err := Clock(getenv); err == nil {
		t.Error("a clock was made of yesterday")
	}
}

// The line of a request is also where CloudWatch finds the metrics: each metric
// that it announces must be a number of the same line, and the dimension a text.
func TestTheLogLineCarriesMetrics(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, nil)).With("stack", "partnerview-dev")
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		Consumed(r.Context(), 0.5)
		Consumed(r.Context(), 2)
		RecordMetrics(r.Context(), 50, 3)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	event := customerEvent("acme_retail")
	event.PathParameters["product"] = "sms"
	//lint:ignore SA1029 aws-lambda-go's key is a plain string
	ctx := context.WithValue(t.Context(), "x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
	if _, err := Handler(h, log)(ctx, event); err != nil {
		t.Fatal(err)
	}
	line := announced(t, out.String(), "requests", "errors", "durationMs", "consumedCapacity", "unratedRecords")
	for name, want := range map[string]any{
		"requests": 1.0, "errors": 1.0, "consumedCapacity": 2.5, "unratedRecords": 3.0, "records": 50.0,
		"product": "sms", "accountId": "acme_retail", "partnerId": "northwind", "traceId": "1-5759e988-bd862e3fe1be46a994272793",
	} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
}

// announced reads a line and checks that it announces exactly these metrics.
func announced(t *testing.T, text string, want ...string) map[string]any {
	t.Helper()
	var line map[string]any
	var head struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	for _, into := range []any{&line, &head} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
	if len(head.AWS.CloudWatchMetrics) != 1 || time.Since(time.UnixMilli(head.AWS.Timestamp)).Abs() > time.Minute {
		t.Fatalf("the line announces no metrics of now: %s", text)
	}
	d := head.AWS.CloudWatchMetrics[0]
	if diff := cmp.Diff([][]string{{"stack"}}, d.Dimensions); diff != "" || d.Namespace != "Partnerview" || line["stack"] != "partnerview-dev" {
		t.Errorf("the metrics are of %s, stack %v: %s", d.Namespace, line["stack"], diff)
	}
	var names []string
	for _, m := range d.Metrics {
		names = append(names, m.Name)
		if _, isNumber := line[m.Name].(float64); !isNumber || m.Unit == "" {
			t.Errorf("%s is %v %s: CloudWatch would drop it", m.Name, line[m.Name], m.Unit)
		}
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	return line
}
