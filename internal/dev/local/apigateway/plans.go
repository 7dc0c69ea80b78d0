package apigateway

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"partnerview/internal/dev/template"
)

// PlanKey is the key by which a holder's requests are counted here, under a plan
// of the template, by its logical id: "BronzePlan.northwind". On AWS a key's value
// is random, and API Gateway knows its plan; here there is nobody to ask, so the
// value says it. An authorizer answers with it as with any other.
func PlanKey(plan, holder string) string { return plan + "." + holder }

// meters hold requests to the rate and burst of their key's plan. Quotas are not
// counted.
type meters struct {
	plans map[string]template.UsagePlan

	mu       sync.Mutex
	limiters map[string]*rate.Limiter // by key: as many as the authorizer names
}

// newMeters fails where a route asks for keys that would be read from somewhere
// else than the authorizer's answer.
func newMeters(t *template.Template) (*meters, error) {
	m := &meters{plans: make(map[string]template.UsagePlan), limiters: make(map[string]*rate.Limiter)}
	for _, p := range t.UsagePlans {
		m.plans[p.ID] = p
	}
	for _, r := range t.Routes {
		if r.Metered && (t.KeySource != "AUTHORIZER" || r.Authorizer == "") {
			return nil, fmt.Errorf("%s %s: only keys that an authorizer names are understood here", r.Method, r.Path)
		}
	}
	return m, nil
}

// count lets a request pass, or refuses it.
func (m *meters) count(key string, now time.Time) error {
	id, _, _ := strings.Cut(key, ".")
	plan, ok := m.plans[id]
	if !ok {
		return &refusal{kind: "INVALID_API_KEY", status: http.StatusForbidden}
	}
	if !m.limiter(key, plan).AllowN(now, 1) {
		return &refusal{kind: "THROTTLED", status: http.StatusTooManyRequests}
	}
	return nil
}

func (m *meters) limiter(key string, plan template.UsagePlan) *rate.Limiter {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.limiters[key] == nil {
		m.limiters[key] = rate.NewLimiter(rate.Limit(plan.Rate), plan.Burst)
	}
	return m.limiters[key]
}
