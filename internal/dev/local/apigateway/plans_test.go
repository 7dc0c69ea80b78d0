package apigateway

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// counted is the gateway of the product's own template, with functions that
// answer everybody, and an authorizer that knows each caller by the credential.
type counted struct {
	*setup
	keys map[string]string // by credential
}

func serveCounted(t *testing.T, plans string) *counted {
	t.Helper()
	values := map[string]string{"UsagePlans": plans, "BronzeRate": "2", "BronzeBurst": "3"}
	c := &counted{serveTemplate(t, product, values), make(map[string]string)}
	c.gate = func(e asking) (any, error) {
		effect := "Allow"
		if strings.Contains(e.MethodArn, "other") {
			effect = "Deny"
		}
		answer := policy(effect, e.MethodArn)
		answer["usageIdentifierKey"] = c.keys[e.Headers["Authorization"]]
		return answer, nil
	}
	c.gateway.Invoke = func(ctx context.Context, function string, event []byte) ([]byte, error) {
		if function == "AuthorizerFunction" {
			return c.invoke(ctx, "GateFunction", event)
		}
		return c.invoke(ctx, "EchoFunction", event)
	}
	return c
}

func (c *counted) as(who, path string) *httptest.ResponseRecorder {
	return c.ask("GET", "/v1"+path, "Authorization", who)
}

func (c *counted) passes(t *testing.T, when, who, path string) {
	t.Helper()
	if w := c.as(who, path); w.Code != 200 {
		t.Fatalf("%s: %s is answered with %d %s", when, path, w.Code, w.Body)
	}
}

func TestAPartnerIsHeldToTheRateAndBurstOfItsPlan(t *testing.T) {
	c := serveCounted(t, "true")
	c.keys = map[string]string{"north": PlanKey("BronzePlan", "northwind"), "gold": PlanKey("GoldPlan", "goldcoast")}
	for _, path := range []string{"/customers", "/customers/acme", "/customers/acme/usage/sms"} { // all count as one
		c.passes(t, "within a burst of 3", "north", path)
	}
	refused := c.as("north", "/customers/acme/usage/sms/u-1")
	c.want(t, refused, 429, "too_many_requests")
	if h := refused.Header(); h.Get("Retry-After") != "1" || h.Get("Content-Type") != "application/problem+json" {
		t.Errorf("its headers are %v", h)
	}
	for range 30 {
		c.passes(t, "a partner of another plan", "gold", "/customers")
	}
	c.want(t, c.as("north", "/customers/other"), 404, "customer_not_found") // said before it is counted
	c.passes(t, "the page, which has no key", "north", "/")
	c.want(t, c.as("north", "/customers"), 429, "too_many_requests")
	c.now = c.now.Add(500 * time.Millisecond) // half a second at two a second
	c.passes(t, "when there is room again", "north", "/customers")
	c.want(t, c.as("north", "/customers"), 429, "too_many_requests")
	c.now = c.now.Add(time.Hour)
	for range 3 {
		c.passes(t, "after a long while", "north", "/customers")
	}
	c.want(t, c.as("north", "/customers"), 429, "too_many_requests") // a burst is the most that is saved up
}

func TestAnothersFloodIsNotNoticed(t *testing.T) {
	c := serveCounted(t, "true")
	c.keys = map[string]string{"north": PlanKey("BronzePlan", "northwind"), "south": PlanKey("BronzePlan", "southbank")}
	for range 50 {
		c.as("north", "/customers")
	}
	for range 3 {
		c.passes(t, "the other", "south", "/customers")
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
				c.passes(t, "UsagePlans is "+plans, who, "/customers")
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
	config := serveCounted(t, "true").gateway.Config
	config.Template.KeySource = "HEADER"
	if _, err := New(config); err == nil {
		t.Error("it serves, and would refuse everybody")
	}
}
