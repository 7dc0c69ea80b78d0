package apigateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"partnerview/internal/dev/local/lambda"
	"partnerview/internal/dev/template"
)

// What the functions are asked with.
type (
	request = events.APIGatewayProxyRequest
	asking  = events.APIGatewayCustomAuthorizerRequestTypeRequest
)

// backend plays the functions of testdata/template.yaml, and notes their events.
type backend struct {
	mu       sync.Mutex
	requests []request
	asked    []asking

	gate func(asking) (any, error)  // nil: allow what was asked for
	echo func(request) (any, error) // nil: 200
}

func (b *backend) invoke(ctx context.Context, function string, event []byte) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var response any = map[string]any{"statusCode": 200, "body": `{"ok":true}`}
	var err error
	switch function {
	case "GateFunction":
		var e asking
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, err
		}
		b.asked = append(b.asked, e)
		response = policy("Allow", e.MethodArn)
		if b.gate != nil {
			response, err = b.gate(e)
		}
	case "EchoFunction":
		var e request
		if err := json.Unmarshal(event, &e); err != nil {
			return nil, err
		}
		b.requests = append(b.requests, e)
		if b.echo != nil {
			response, err = b.echo(e)
		}
	}
	if err != nil {
		return nil, err
	}
	if raw, ok := response.(json.RawMessage); ok {
		return raw, ctx.Err()
	}
	text, err := json.Marshal(response)
	return text, errors.Join(err, ctx.Err())
}

func policy(effect string, resources ...string) map[string]any {
	return map[string]any{
		"principalId": "northwind",
		"policyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{
			map[string]any{"Action": []string{"execute-api:Invoke"}, "Effect": effect, "Resource": resources},
		}},
		"context": map[string]any{"partnerId": "northwind", "thingId": "acme", "n": 7, "yes": true},
	}
}

type setup struct {
	*backend
	gateway *Gateway
	log     *bytes.Buffer
	now     time.Time
}

// product is the template that is deployed.
const product = "../../../../template.yaml"

func serve(t *testing.T, values map[string]string) *setup {
	t.Helper()
	return serveTemplate(t, "../testdata/template.yaml", values)
}

func serveTemplate(t *testing.T, path string, values map[string]string) *setup {
	t.Helper()
	read, err := template.Read(path, values)
	if err != nil {
		t.Fatal(err)
	}
	s := &setup{backend: new(backend), log: new(bytes.Buffer), now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	s.gateway, err = New(Config{Template: read, Domain: "127.0.0.1:3000", Invoke: s.invoke, Log: s.log, Clock: func() time.Time { return s.now }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends a request with a credential unless headers say otherwise.
func (s *setup) ask(method, target string, headers ...string) *httptest.ResponseRecorder {
	return s.send(method, target, "", headers...)
}

func (s *setup) send(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer key")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		for value := range strings.SplitSeq(headers[i+1], "|") {
			if value != "" {
				r.Header.Add(headers[i], value)
			}
		}
	}
	w := httptest.NewRecorder()
	s.gateway.ServeHTTP(w, r)
	return w
}

func (s *setup) want(t *testing.T, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	var body struct{ Code, RequestID string }
	json.Unmarshal(w.Body.Bytes(), &body)
	if w.Code != status || body.Code != code {
		t.Errorf("the answer is %d %s, want %d %s", w.Code, w.Body, status, code)
	}
	if id := w.Header().Get("x-amzn-RequestId"); id == "" || code != "" && body.RequestID != id {
		t.Errorf("the header says request %q, the body %q", id, body.RequestID)
	}
}

func TestTheMostSpecificRouteOfTheMethodAnswers(t *testing.T) {
	for _, c := range []struct {
		method, path, resource string // "": no route
		parameters             map[string]string
	}{
		{"GET", "/v1", "/", nil},
		{"GET", "/v1/", "/", nil},
		{"GET", "/v1/things", "/things", nil},
		{"GET", "/v1/things/", "/things", nil},
		{"GET", "/v1/things/acme", "/things/{thingId}", map[string]string{"thingId": "acme"}},
		{"GET", "/v1/things/acme/", "/things/{thingId}", map[string]string{"thingId": "acme"}},
		{"GET", "/v1/things/special", "/things/special", nil},
		{"POST", "/v1/things/special", "/things/{thingId}", map[string]string{"thingId": "special"}},
		{"GET", "/v1/things/a&b.c-d_e", "/things/{thingId}", map[string]string{"thingId": "a&b.c-d_e"}},
		{"GET", "/v1/things/a/parts/b", "/things/{thingId}/parts/{part}", map[string]string{"thingId": "a", "part": "b"}},
		{"GET", "/v1/things/special/parts/b", "/things/{thingId}/parts/{part}", map[string]string{"thingId": "special", "part": "b"}},
		// What has no route of its own goes to the greedy one.
		{"GET", "/v1/things/a/parts", "/{proxy+}", map[string]string{"proxy": "things/a/parts"}},
		{"GET", "/v1/things/a/parts/b/c/", "/{proxy+}", map[string]string{"proxy": "things/a/parts/b/c"}},
		{"GET", "/v1/THINGS", "/{proxy+}", map[string]string{"proxy": "THINGS"}},
		{"GET", "/v1//things", "/{proxy+}", map[string]string{"proxy": "/things"}},
		{"GET", "/v1/things//", "/{proxy+}", map[string]string{"proxy": "things/"}},
		{"GET", "/v1/things//parts/b", "/{proxy+}", map[string]string{"proxy": "things//parts/b"}},
		{"POST", "/v1/things", "", nil},
		{"HEAD", "/v1/things", "", nil},
		{"OPTIONS", "/v1/things/acme", "", nil},
		{"DELETE", "/v1/nothing", "", nil},
		{"GET", "/things", "", nil},
		{"GET", "/v11/things", "", nil},
		{"GET", "/v1x", "", nil},
		// Escapes stay as they were sent: a slash in one is none.
		{"GET", "/v1/things/a%2Fb", "/things/{thingId}", map[string]string{"thingId": "a%2Fb"}},
		{"GET", "/v1/things/%25zz", "/things/{thingId}", map[string]string{"thingId": "%25zz"}},
		{"GET", "/v1/things/%3F", "/things/{thingId}", map[string]string{"thingId": "%3F"}},
		{"GET", "/v1/things/a%26b", "/things/{thingId}", map[string]string{"thingId": "a%26b"}},
		{"GET", "/v1/things/%2e%2e", "/things/{thingId}", map[string]string{"thingId": "%2e%2e"}},
		{"GET", "/v1/things/%C3%A4%20", "/things/{thingId}", map[string]string{"thingId": "%C3%A4%20"}},
		{"GET", "/v1/%74hings", "/{proxy+}", map[string]string{"proxy": "%74hings"}},
	} {
		s := serve(t, nil)
		w := s.ask(c.method, c.path)
		if c.resource == "" {
			if w.Code != 404 || len(s.requests)+len(s.asked) > 0 {
				t.Errorf("%s %s: %d %s, want 404 without a question", c.method, c.path, w.Code, w.Body)
			}
			continue
		}
		if len(s.requests) != 1 {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
			continue
		}
		event := s.requests[0]
		if event.Resource != c.resource || !maps.Equal(event.PathParameters, c.parameters) {
			t.Errorf("%s %s goes to %s with %v, want %s with %v", c.method, c.path, event.Resource, event.PathParameters, c.resource, c.parameters)
		}
		if want := strings.TrimPrefix(c.path, "/v1"); event.Path != want && want != "" {
			t.Errorf("%s %s: the event's path is %s", c.method, c.path, event.Path)
		}
	}
}

func TestTheRootLeadsToTheStage(t *testing.T) {
	w := serve(t, nil).ask("GET", "/")
	if w.Code != http.StatusFound || w.Header().Get("Location") != "/v1/" {
		t.Errorf("GET / answers %d to %q", w.Code, w.Header().Get("Location"))
	}
}

func TestAFunctionGetsTheRequestAsItWasSent(t *testing.T) {
	s := serve(t, nil)
	s.ask("GET", "/v1/things/acme?a=1&b=x%20y&a=2&plus=a+b&amp=%26&percent=100%25&bad=%zz&empty=&bare;semi=1", "X-Twice", "one|two", "X-Forwarded-For", "203.0.113.7", "Connection", "keep-alive")
	event := s.requests[0]
	for name, want := range map[string][]string{
		"a": {"1", "2"}, "b": {"x y"}, "plus": {"a b"}, "amp": {"&"}, "percent": {"100%"}, "bad": {"%zz"}, "empty": {""}, "bare": {""}, "semi": {"1"},
	} {
		if got := event.MultiValueQueryStringParameters[name]; !slices.Equal(got, want) {
			t.Errorf("query parameter %s arrives as %q, want %q", name, got, want)
		}
		if got := event.QueryStringParameters[name]; got != want[len(want)-1] {
			t.Errorf("of the query parameter %s the one value is %q, want the last", name, got)
		}
	}
	if got := event.MultiValueHeaders["X-Twice"]; !slices.Equal(got, []string{"one", "two"}) || event.Headers["X-Twice"] != "two" {
		t.Errorf("a header sent twice arrives as %q and %q", got, event.Headers["X-Twice"])
	}
	if got := event.Headers["X-Forwarded-For"]; got != "203.0.113.7, 192.0.2.1" {
		t.Errorf("X-Forwarded-For is %q", got)
	}
	if event.Headers["Host"] != "127.0.0.1:3000" || event.Headers["Connection"] != "" {
		t.Errorf("the headers are %v", event.Headers)
	}
	c := event.RequestContext
	if c.Path != "/v1/things/acme" || c.Stage != "v1" || c.ResourcePath != "/things/{thingId}" || c.HTTPMethod != "GET" || c.Identity.SourceIP != "192.0.2.1" ||
		c.DomainName != "127.0.0.1:3000" || c.RequestTime != "20/Nov/2026:12:00:00 +0000" || c.RequestTimeEpoch != s.now.UnixMilli() || len(c.RequestID) != 36 {
		t.Errorf("the context is %+v", c)
	}
}

func TestARequestWithoutAQueryHasNone(t *testing.T) {
	s := serve(t, nil)
	s.ask("GET", "/v1/things")
	if event := s.requests[0]; event.QueryStringParameters != nil || event.PathParameters != nil {
		t.Errorf("the event has %v and %v", event.QueryStringParameters, event.PathParameters)
	}
}

func TestABodyArrivesAsTextOrInBase64(t *testing.T) {
	for body, want := range map[string]request{
		"hello":    {Body: "hello"},
		"\xff\x00": {Body: "/wA=", IsBase64Encoded: true},
	} {
		s := serve(t, nil)
		s.send("POST", "/v1/things/acme", body)
		if got := s.requests[0]; got.Body != want.Body || got.IsBase64Encoded != want.IsBase64Encoded {
			t.Errorf("%q arrives as %q, base64 %v", body, got.Body, got.IsBase64Encoded)
		}
	}
}

func TestWhatTheAuthorizerSaysReachesTheFunctionAndNothingElseDoes(t *testing.T) {
	s := serve(t, nil)
	forged := `{"authorizer":{"partnerId":"other"}}`
	s.ask("GET", "/v1/things/acme", "X-GoLambdaProxy-ApiGw-Context", forged)
	claims := s.requests[0].RequestContext.Authorizer
	for name, want := range map[string]any{"partnerId": "northwind", "n": "7", "yes": "true", "principalId": "northwind", "integrationLatency": 0.0} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	if got := s.requests[0].Headers["X-Golambdaproxy-Apigw-Context"]; got != forged {
		t.Errorf("a forged header arrives as %q: it is the function's business, and must be seen by its tests", got)
	}
	s.ask("GET", "/v1/elsewhere")
	if claims := s.requests[1].RequestContext.Authorizer; claims != nil {
		t.Errorf("on an open route the authorizer is said to say %v", claims)
	}
}

func TestTheAuthorizerIsAskedWithTheRequestAndItsMethodsARN(t *testing.T) {
	s := serve(t, nil)
	s.ask("GET", "/v1/things/a%26b/?x=1")
	event := s.asked[0]
	if event.Type != "REQUEST" || event.MethodArn != "arn:aws:execute-api:us-east-1:123456789012:local/v1/GET/things/a%26b/" ||
		event.Resource != "/things/{thingId}" || event.Path != "/things/a%26b/" || event.PathParameters["thingId"] != "a%26b" ||
		event.Headers["Authorization"] != "Bearer key" || event.QueryStringParameters["x"] != "1" || event.RequestContext.Path != "/v1/things/a%26b/" {
		t.Errorf("the event is %+v", event)
	}
	if event.RequestContext.RequestID != s.requests[0].RequestContext.RequestID {
		t.Error("authorizer and function are told different request ids")
	}
}

func TestWithoutAnIdentityNobodyIsAsked(t *testing.T) {
	for _, sent := range []string{"", " "} {
		s := serve(t, nil)
		w := s.ask("GET", "/v1/things", "Authorization", strings.TrimSpace(sent))
		s.want(t, w, 401, "unauthorized")
		if len(s.asked) > 0 {
			t.Error("the authorizer was asked")
		}
		if w.Header().Get("WWW-Authenticate") != "Bearer" || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("the headers are %v", w.Header())
		}
	}
}

func TestADecisionIsKeptPerCredentialAndPathForItsTime(t *testing.T) {
	s := serve(t, map[string]string{"Ttl": "60"})
	for i, step := range []struct {
		path, key string
		wait      time.Duration
		asked     int
	}{
		{"/v1/things/acme", "one", 0, 1},
		{"/v1/things/acme?x=1", "one", 0, 1},
		{"/v1/things/acme/", "one", 0, 2},
		{"/v1/things/other", "one", 0, 3},
		{"/v1/things/acme", "two", 0, 4},
		{"/v1/things/acme", "one|two", 0, 5},
		{"/v1/things/acme", "one", 59 * time.Second, 5},
		{"/v1/things/acme", "one", time.Second, 6},
		{"/v1/things/acme", "one", 0, 6},
	} {
		s.now = s.now.Add(step.wait)
		s.ask("GET", step.path, "Authorization", step.key)
		if len(s.asked) != step.asked {
			t.Errorf("step %d: the authorizer was asked %d times, want %d", i, len(s.asked), step.asked)
		}
	}
}

func TestWithoutATimeNoDecisionIsKept(t *testing.T) {
	s := serve(t, map[string]string{"Ttl": "0"})
	s.ask("GET", "/v1/things")
	s.ask("GET", "/v1/things")
	if len(s.asked) != 2 {
		t.Errorf("the authorizer was asked %d times, want 2", len(s.asked))
	}
}

func TestADenialIsKeptAndAnErrorIsNot(t *testing.T) {
	for _, c := range []struct {
		claim  string
		gate   func(asking) (any, error)
		status int
		code   string
		asked  int
	}{
		{"a denial", func(e asking) (any, error) { return policy("Deny", e.MethodArn), nil }, 404, "thing_not_found", 1},
		{"a policy for something else", gating(policy("Allow", "arn:aws:execute-api:us-east-1:123456789012:local/v1/GET/other"), nil), 404, "thing_not_found", 1},
		{"the error Unauthorized", gating(nil, &lambda.Failure{Type: "errorString", Message: "Unauthorized"}), 401, "unauthorized", 2},
		{"another error", gating(nil, &lambda.Failure{Type: "errorString", Message: "unauthorized"}), 503, "unavailable", 2},
		{"a crash", gating(nil, &lambda.Failure{Type: "Runtime.ExitError", Message: "exit status 1"}), 503, "unavailable", 2},
		{"no instance left", gating(nil, lambda.ErrBusy), 503, "misconfigured", 2},
		{"no time left", gating(nil, context.DeadlineExceeded), 503, "unavailable", 2},
		{"an answer without a policy", gating(map[string]any{"principalId": "x"}, nil), 503, "misconfigured", 2},
		{"a policy for more characters than a resource may have", func(e asking) (any, error) {
			return policy("Allow", e.MethodArn+strings.Repeat("/", 513-len(e.MethodArn))), nil
		}, 503, "misconfigured", 2},
		{"a denial with as many as it may have", func(e asking) (any, error) {
			return policy("Deny", e.MethodArn+strings.Repeat("*", 512-len(e.MethodArn))), nil
		}, 404, "thing_not_found", 1},
		{"an answer that is no object", gating("Allow", nil), 503, "misconfigured", 2},
	} {
		t.Run(c.claim, func(t *testing.T) {
			s := serve(t, nil)
			s.gate = c.gate
			for range 2 {
				s.want(t, s.ask("GET", "/v1/things/acme"), c.status, c.code)
			}
			if len(s.asked) != c.asked || len(s.requests) > 0 {
				t.Errorf("the authorizer was asked %d times, want %d, and the function %d times", len(s.asked), c.asked, len(s.requests))
			}
		})
	}
}

func gating(response any, err error) func(asking) (any, error) {
	return func(asking) (any, error) { return response, err }
}

// The cache's key has no method; the policy has.
func TestADecisionForOneMethodOpensNoOther(t *testing.T) {
	s := serve(t, nil)
	s.ask("GET", "/v1/things/acme")
	s.want(t, s.ask("POST", "/v1/things/acme"), 404, "thing_not_found")
	if len(s.asked) != 1 {
		t.Errorf("the authorizer was asked %d times", len(s.asked))
	}
}

func TestFailuresBehindTheGateway(t *testing.T) {
	for _, c := range []struct {
		claim  string
		echo   func(request) (any, error)
		status int
		code   string
	}{
		{"a function that fails", echoing(nil, &lambda.Failure{Type: "Runtime.ExitError"}), 502, "internal"},
		{"a function that runs out of its time", echoing(nil, &lambda.Failure{Type: "Sandbox.Timedout"}), 502, "internal"},
		{"the gateway's own limit", echoing(nil, context.DeadlineExceeded), 503, "integration_timeout"},
		{"a function that cannot be started", echoing(nil, errors.New("no such file")), 503, "integration_failure"},
		{"all instances busy", echoing(nil, lambda.ErrBusy), 503, "integration_failure"},
		{"no object", echoing("hello", nil), 502, "internal"},
		{"null", echoing(json.RawMessage("null"), nil), 502, "internal"},
		{"nothing", echoing(json.RawMessage(""), nil), 502, "internal"},
		{"an unknown field", echoing(map[string]any{"statusCode": 200, "message": "hi"}, nil), 502, "internal"},
		{"a status that is none", echoing(map[string]any{"statusCode": "ok"}, nil), 502, "internal"},
		{"a status below 200", echoing(map[string]any{"statusCode": 99}, nil), 502, "internal"},
		{"a body that is no text", echoing(map[string]any{"statusCode": 200, "body": map[string]any{}}, nil), 502, "internal"},
		{"a header that is no text", echoing(map[string]any{"statusCode": 200, "headers": map[string]any{"X": []string{"a"}}}, nil), 502, "internal"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			s := serve(t, nil)
			s.echo = c.echo
			s.want(t, s.ask("GET", "/v1/things"), c.status, c.code)
		})
	}
}

// As template.yaml has it: whatever happens to a function, the caller is told to try
// again, and when.
func TestAFunctionThatDoesNotAnswerIsToBeTriedAgain(t *testing.T) {
	for claim, answer := range map[string]struct {
		response string
		err      error
	}{
		"it dies":                      {err: &lambda.Failure{Type: "Runtime.ExitError"}},
		"it runs out of its own time":  {err: &lambda.Failure{Type: "Sandbox.Timedout"}},
		"it takes longer than the API": {err: context.DeadlineExceeded},
		"it cannot be started":         {err: errors.New("no such file")},
		"it has no instance left":      {err: lambda.ErrBusy},
		"it answers with what is none": {response: `{"statusCode": "ok"}`},
		"it answers with nothing":      {response: ``},
	} {
		t.Run(claim, func(t *testing.T) {
			s := serveTemplate(t, product, nil)
			s.gateway.Invoke = func(context.Context, string, []byte) ([]byte, error) { return []byte(answer.response), answer.err }
			for _, path := range []string{"/v1/", "/v1/customers/acme_retail"} { // an endpoint; the authorizer
				w := s.ask("GET", path)
				var p struct {
					Status int
					Code   string
				}
				if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 503 || p.Status != 503 || p.Code != "unavailable" || w.Header().Get("Retry-After") == "" {
					t.Errorf("%s: %d, Retry-After %q: %s", path, w.Code, w.Header().Get("Retry-After"), w.Body)
				}
			}
		})
	}
}

func echoing(response any, err error) func(request) (any, error) {
	return func(request) (any, error) { return response, err }
}

func TestAResponseBecomesTheAnswer(t *testing.T) {
	s := serve(t, nil)
	s.echo = echoing(map[string]any{
		"statusCode": 418, "body": "short and stout", "isBase64Encoded": false,
		"headers":           map[string]any{"X-One": "1", "X-Both": "a", "Date": "yesterday", "WWW-Authenticate": "Basic", "X-Flag": true},
		"multiValueHeaders": map[string]any{"X-Many": []string{"1", "2"}, "X-Both": []string{"a", "b"}, "Content-Type": []string{"text/plain"}},
	}, nil)
	w := s.ask("GET", "/v1/things")
	if w.Code != 418 || w.Body.String() != "short and stout" {
		t.Errorf("the answer is %d %s", w.Code, w.Body)
	}
	for name, want := range map[string][]string{
		"X-One": {"1"}, "X-Many": {"1", "2"}, "X-Both": {"a", "b"}, "Content-Type": {"text/plain"}, "X-Flag": {"true"}, "Content-Length": {"15"},
		"Date": nil, "X-Amzn-Remapped-Date": {"yesterday"}, "Www-Authenticate": nil, "X-Amzn-Remapped-Www-Authenticate": {"Basic"},
	} {
		if got := w.Header()[name]; !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	s.echo = echoing(map[string]any{}, nil)
	if w := s.ask("GET", "/v1/things"); w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("an empty response becomes %d %v", w.Code, w.Header())
	}
}

func TestAnAnswerIsCompressedForThoseWhoAskWhereTheTemplateWantsIt(t *testing.T) {
	s := serve(t, nil)
	for _, c := range []struct {
		accept string
		length int
		want   bool
	}{
		{"gzip", 1024, true}, {"br, gzip;q=0.5", 2000, true}, {"gzip", 1023, false}, {"", 5000, false}, {"identity", 5000, false}, {"gzip;q=0", 5000, false}, {"br", 5000, false},
	} {
		body := strings.Repeat("x", c.length)
		s.echo = echoing(map[string]any{"statusCode": 200, "body": body}, nil)
		w := s.ask("GET", "/v1/things", "Accept-Encoding", c.accept)
		got := w.Body.String()
		if zipped := w.Header().Get("Content-Encoding") == "gzip"; zipped != c.want {
			t.Errorf("%d bytes for one who accepts %q are compressed: %v", c.length, c.accept, zipped)
		} else if zipped {
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(z)
			if got = string(plain); err != nil {
				t.Fatal(err)
			}
		}
		if got != body {
			t.Errorf("%d bytes for one who accepts %q arrive as %.30q…", c.length, c.accept, got)
		}
	}
}

func TestWhatIsTooLargeIsRefused(t *testing.T) {
	s := serve(t, nil)
	s.want(t, s.ask("GET", "/v1/things", "X-Large", strings.Repeat("x", maxHead)), 431, "bad_request")
	s.want(t, s.ask("GET", "/v1/things?x="+strings.Repeat("x", maxHead)), 431, "bad_request")
	s.want(t, s.ask("GET", "/v1/things/"+strings.Repeat("x", maxMethodARN)), 414, "bad_request")
	for length, want := range map[int]int{maxBody + 1: 413, maxEvent: 413, 1 << 20: 200} {
		if w := s.send("POST", "/v1/things/acme", strings.Repeat("x", length)); w.Code != want {
			t.Errorf("a body of %d bytes: %d %.100s", length, w.Code, w.Body)
		}
	}
}

func TestATypeWithoutAResponseInTheTemplateReadsAsAPIGatewayPutsIt(t *testing.T) {
	s := serve(t, nil)
	bare := *s.gateway.Template
	bare.GatewayResponses = nil
	s.gateway.Template = &bare
	if w := s.ask("POST", "/v1/things"); w.Code != 403 || w.Body.String() != `{"message":"Forbidden"}` {
		t.Errorf("the answer is %d %s", w.Code, w.Body)
	}
}

func TestTheLogTellsNothingThatACallerMadeUp(t *testing.T) {
	const number = "+447700900123"
	s := serve(t, nil)
	s.ask("GET", "/v1/things/acme?number="+number)
	s.gate = func(e asking) (any, error) { return policy("Deny", e.MethodArn), nil }
	s.ask("GET", "/v1/things/"+number)
	s.ask("GET", "/v1/things/acme?number="+number, "Authorization", "Bearer other")
	s.echo = echoing(map[string]any{"statusCode": 404}, nil)
	s.ask("GET", "/v1/"+number)
	s.ask("PUT", "/v1/"+number)
	s.ask("GET", "/"+number)
	s.ask("CALL-"+strings.TrimPrefix(number, "+"), "/v1/things")
	s.echo = echoing(nil, &lambda.Failure{Type: "Runtime.ExitError", Message: number})
	s.ask("GET", "/v1/elsewhere")
	want := `GET /v1/things/acme 200 0ms northwind
GET /v1/things/{thingId} 404 0ms northwind ACCESS_DENIED
GET /v1/things/acme 404 0ms northwind ACCESS_DENIED
GET /v1/{proxy+} 404 0ms
PUT (no route) 404 0ms INVALID_SIGNATURE
GET (no route) 404 0ms INVALID_SIGNATURE
(other) (no route) 404 0ms INVALID_SIGNATURE
GET /v1/{proxy+} 502 0ms DEFAULT_5XX: Runtime.ExitError
`
	if got := s.log.String(); got != want {
		t.Errorf("the log is\n%s\nwant\n%s", got, want)
	}
}

func TestWhatTheServerCannotReadIsRefusedInTheTemplatesWordsToo(t *testing.T) {
	s := serve(t, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s.gateway, MaxHeaderBytes: 16 << 10}
	go server.Serve(s.gateway.Listen(listener))
	defer server.Close()
	for _, c := range []struct{ send, want string }{
		{"GET /v1/things/%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400 Bad Request"},
		{"GET /v1/things HTTP/1.1\r\n\r\n", "400 Bad Request"},
		{"nonsense\r\n\r\n", "400 Bad Request"},
		{"GET /v1/things HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 32<<10) + "\r\n\r\n", "431 Request Header Fields Too Large"},
	} {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(conn, c.send)
		answer, _ := io.ReadAll(conn) // it ends as the server closes, or breaks off where it has not read all
		conn.Close()
		if got := string(answer); !strings.HasPrefix(got, "HTTP/1.1 "+c.want+"\r\n") || !strings.Contains(got, `{"code":"bad_request","requestId":"`) {
			t.Errorf("%.40q is answered by\n%s", c.send, got)
		}
	}
}

func TestPoliciesAreReadAsIAMReadsThem(t *testing.T) {
	const arn = "arn:aws:execute-api:us-east-1:123456789012:local/v1/GET/things/acme"
	statement := func(effect, action, resource string) string {
		return fmt.Sprintf(`{"Effect":%q,"Action":%q,"Resource":%q}`, effect, action, resource)
	}
	for _, c := range []struct {
		claim, statements string
		allowed           bool
	}{
		{"the very ARN", statement("Allow", "execute-api:Invoke", arn), true},
		{"lists", `{"Effect":"Allow","Action":["s3:Get","execute-api:Invoke"],"Resource":["x","` + arn + `"]}`, true},
		{"a star takes slashes too", statement("Allow", "execute-api:Invoke", "arn:aws:execute-api:*/GET/*"), true},
		{"a star takes nothing too", statement("Allow", "execute-api:Invoke", arn+"*"), true},
		{"several stars", statement("Allow", "execute-api:*", "*/v1/*/things/*me"), true},
		{"a question mark is one character", statement("Allow", "execute-api:Invoke", arn[:len(arn)-1]+"?"), true},
		{"a question mark is not none", statement("Allow", "execute-api:Invoke", arn+"?"), false},
		{"actions fold case", statement("Allow", "Execute-API:invoke", arn), true},
		{"resources do not", statement("Allow", "execute-api:Invoke", strings.ToUpper(arn)), false},
		{"another action", statement("Allow", "execute-api:ManageConnections", arn), false},
		{"another path", statement("Allow", "execute-api:Invoke", arn+"x"), false},
		{"the beginning alone", statement("Allow", "execute-api:Invoke", arn[:len(arn)-1]), false},
		{"a denial goes before", statement("Allow", "*", "*") + "," + statement("Deny", "execute-api:Invoke", arn), false},
		{"a denial of something else", statement("Deny", "execute-api:Invoke", arn+"x") + "," + statement("Allow", "*", "*"), true},
		{"nothing", "", false},
	} {
		d, err := parseDecision([]byte(`{"principalId":"x","policyDocument":{"Statement":[` + c.statements + `]}}`))
		if err != nil {
			t.Errorf("%s: %v", c.claim, err)
		} else if got := d.allows(arn); got != c.allowed {
			t.Errorf("%s: allowed is %v", c.claim, got)
		}
	}
	for claim, output := range map[string]string{
		"a condition":      `{"policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}]}}`,
		"NotResource":      `{"policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","NotResource":"x"}]}}`,
		"another effect":   `{"policyDocument":{"Statement":[{"Effect":"Perhaps","Action":"*","Resource":"*"}]}}`,
		"a nested context": `{"policyDocument":{"Statement":[]},"context":{"a":{"b":1}}}`,
	} {
		if _, err := parseDecision([]byte(output)); err == nil {
			t.Errorf("%s is taken", claim)
		}
	}
}

func TestNoMoreDecisionsAreKeptThanFit(t *testing.T) {
	now := time.Unix(0, 0)
	c := newCache(time.Minute, func() time.Time { return now })
	d := new(decision)
	for i := range maxKept + 10 {
		c.put(fmt.Sprint(i), d)
	}
	if len(c.kept) != maxKept || len(c.order) != maxKept {
		t.Errorf("%d are kept, in an order of %d", len(c.kept), len(c.order))
	}
	if _, found := c.get("9"); found {
		t.Error("the oldest are kept")
	}
	if _, found := c.get(fmt.Sprint(maxKept + 9)); !found {
		t.Error("the newest is not kept")
	}
	now = now.Add(time.Minute)
	c.put("late", d)
	if len(c.kept) != 1 || len(c.order) != 1 {
		t.Errorf("%d are kept, in an order of %d, though all but one have run out", len(c.kept), len(c.order))
	}
}

func TestIdentitySourcesThatAreNotPlayedAreRefused(t *testing.T) {
	read := serve(t, nil).gateway.Template
	read.Authorizers[0].Context = []string{"identity.sourceIp"}
	if _, err := New(Config{Template: read}); err == nil {
		t.Error("it is taken, and would be passed over")
	}
}
