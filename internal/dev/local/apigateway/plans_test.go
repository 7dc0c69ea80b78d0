package apigateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"partnerview/internal/dev/template"
)

// counted is the gateway of the product's own template, with functions that
// answer everybody, and an authorizer that knows each caller by the credential.
type counted struct {
	*setup
	keys map[string]string // by credential
}

func serveCounted(t *testing.T, plans string) *counted {
	t.Helper()
	read, err := template.Read("../../../../template.yaml", map[string]string{"UsagePlans": plans, "BronzeRate": "2", "BronzeBurst": "3"})
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{&setup{backend: new(backend), log: new(bytes.Buffer), now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}, make(map[string]string)}
	c.gate = func(e events.APIGatewayCustomAuthorizerRequestTypeRequest) (any, error) {
		effect := "Allow"
		if strings.Contains(e.MethodArn, "other") {
			effect = "Deny"
		}
		answer := policy(effect, e.MethodArn)
		answer["usageIdentifierKey"] = c.keys[e.Headers["Authorization"]]
		return answer, nil
	}
	invoke := func(ctx context.Context, function string, event []byte) ([]byte, error) {
		if function == "AuthorizerFunction" {
			return c.invoke(ctx, "GateFunction", event)
		}
		return c.invoke(ctx, "EchoFunction", event)
	}
	if c.gateway, err = New(Config{Template: read, Domain: "127.0.0.1:3000", Invoke: invoke, Log: c.log, Clock: func() time.Time { return c.now }}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *counted) as(who, path string) *httptest.ResponseRecorder {
	return c.ask("GET", "/v1"+path, "Authorization", who)
}

func TestAPartnerIsHeldToTheRateAndBurstOfItsPlan(t *testing.T) {
	c := serveCounted(t, "true")
	c.keys = map[string]string{"north": PlanKey("BronzePlan", "northwind"), "gold": PlanKey("GoldPlan", "goldcoast")}
	for i, path := range []string{"/customers", "/customers/acme", "/customers/acme/usage/sms"} { // all count as one
		if w := c.as("north", path); w.Code != 200 {
			t.Errorf("request %d of a burst of 3 is answered with %d %s", i+1, w.Code, w.Body)
		}
	}
	refused := c.as("north", "/customers/acme/usage/sms/u-1")
	c.want(t, refused, 429, "too_many_requests")
	if h := refused.Header(); h.Get("Retry-After") != "1" || h.Get("Content-Type") != "application/problem+json" {
		t.Errorf("its headers are %v", h)
	}
	for range 30 {
		if w := c.as("gold", "/customers"); w.Code != 200 {
			t.Fatalf("a partner of another plan is answered with %d", w.Code)
		}
	}
	c.want(t, c.as("north", "/customers/other"), 404, "customer_not_found") // said before it is counted
	if w := c.as("north", "/"); w.Code != 200 {
		t.Errorf("the page is answered with %d: it has no key", w.Code)
	}
	c.want(t, c.as("north", "/customers"), 429, "too_many_requests")
	c.now = c.now.Add(500 * time.Millisecond) // half a second at two a second
	if w := c.as("north", "/customers"); w.Code != 200 {
		t.Errorf("when there is room again it is answered with %d", w.Code)
	}
	c.want(t, c.as("north", "/customers"), 429, "too_many_requests")
	c.now = c.now.Add(time.Hour)
	for range 3 {
		if w := c.as("north", "/customers"); w.Code != 200 {
			t.Errorf("after a long while it is answered with %d", w.Code)
		}
	}
	c.want(t, c.as("north", "/customers"), 429, "too_many_requests") // a burst is the most that is saved up
}

func TestAnothersFloodIsNotNoticed(t *testing.T) {
	c := serveCounted(t, "true")
	c.keys = map[string]string{"north": PlanKey("BronzePlan", "northwind"), "south": PlanKey("BronzePlan", "southbank")}
	for range 50 {
		c.as("north", "/customers")
	}
	for i := range 3 {
		if w := c.as("south", "/customers"); w.Code != 200 {
			t.Errorf("request %d of the other is answered with %d", i+1, w.Code)
		}
	}
}

func TestAKeyThatNoPlanHasIsOurFault(t *testing.T) {
	c := serveCounted(t, "true")
	c.keys = map[string]string{"gone": "n0SuchKey", "elsewhere": PlanKey("PlatinumPlan", "northwind")}
	for _, who := range []string{"gone", "elsewhere", "without"} {
		w := c.as(who, "/customers")
		c.want(t, w, 503, "unavailable")
		if w.Header().Get("Retry-After") != "2" {
			t.Errorf("its headers are %v", w.Header())
		}
	}
	if len(c.requests) > 0 {
		t.Error("a request that nobody counted got through")
	}
	if !strings.Contains(c.log.String(), "INVALID_API_KEY") || strings.Contains(c.log.String(), "n0SuchKey") {
		t.Errorf("the log is %s", c.log)
	}
}

func TestWhereNothingIsEnforcedNobodyIsCounted(t *testing.T) {
	for _, plans := range []string{"false", "prepared"} {
		c := serveCounted(t, plans)
		c.keys = map[string]string{"north": PlanKey("BronzePlan", "northwind")}
		for range 50 {
			for _, who := range []string{"north", "without"} {
				if w := c.as(who, "/customers"); w.Code != 200 {
					t.Fatalf("UsagePlans is %s: answered with %d %s", plans, w.Code, w.Body)
				}
			}
		}
	}
}

// API Gateway hands the key to functions as it does with one that a caller sent.
func TestAFunctionIsToldTheKeyWhereAWSDoes(t *testing.T) {
	c := serveCounted(t, "true")
	c.keys = map[string]string{"north": PlanKey("BronzePlan", "northwind")}
	c.as("north", "/customers")
	if len(c.requests) != 1 || c.requests[0].RequestContext.Identity.APIKey != "BronzePlan.northwind" {
		t.Fatalf("the function got %+v", c.requests)
	}
	claims, err := json.Marshal(c.requests[0].RequestContext.Authorizer)
	if err != nil || bytes.Contains(claims, []byte("BronzePlan")) {
		t.Errorf("the claims are %s, %v", claims, err)
	}
}

func TestKeysThatCallersWouldSendAreNotUnderstood(t *testing.T) {
	read, err := template.Read("../../../../template.yaml", map[string]string{"UsagePlans": "true"})
	if err != nil {
		t.Fatal(err)
	}
	read.KeySource = "HEADER"
	if _, err := New(Config{Template: read, Invoke: func(context.Context, string, []byte) ([]byte, error) { return nil, errors.ErrUnsupported }}); err == nil {
		t.Error("it serves, and would refuse everybody")
	}
}
