package apigateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"partnerview/internal/dev/local/lambda"
	"partnerview/internal/dev/template"
)

// authorizer is an authorizer of the template with what it decided before.
type authorizer struct {
	template.Authorizer
	cache *cache
}

// unauthorized is the error of an authorizer that means 401: the very text.
const unauthorized = "Unauthorized"

// authorize lets a request pass, or refuses it. A decision is kept by the values
// of all identity sources, an error never. What is kept is the policy: it is held
// against each request anew.
func (g *Gateway) authorize(ctx context.Context, a *authorizer, r *http.Request, x *exchange) error {
	methodARN := executeAPIARNPrefix + g.Template.Stage + "/" + r.Method + x.path
	if len(methodARN) > maxMethodARN {
		return &refusal{kind: "DEFAULT_4XX", status: http.StatusRequestURITooLong}
	}
	identity, ok := a.identity(r)
	if !ok {
		return &refusal{kind: "UNAUTHORIZED", status: http.StatusUnauthorized}
	}
	d, found := a.cache.get(identity)
	if !found {
		var err error
		if d, err = g.decide(ctx, a, r, x, methodARN); err != nil {
			return err
		}
		a.cache.put(identity, d)
	}
	x.granted, x.asked = d, g.Clock().Sub(x.start)
	if !d.allows(methodARN) {
		return &refusal{kind: "ACCESS_DENIED", status: http.StatusForbidden}
	}
	return nil
}

// identity is the key of a decision; false where a source is missing or empty.
func (a *authorizer) identity(r *http.Request) (string, bool) {
	var values []string
	for _, name := range a.Headers {
		values = append(values, strings.Join(r.Header.Values(name), ", "))
	}
	for range a.Context { // New allows the path alone
		values = append(values, r.URL.EscapedPath())
	}
	if slices.Contains(values, "") {
		return "", false
	}
	return strings.Join(values, "\x00"), true // which neither a header nor a path can hold
}

// decide asks the authorizer's function.
func (g *Gateway) decide(ctx context.Context, a *authorizer, r *http.Request, x *exchange,
	methodARN string) (*decision, error) {
	response, err := g.Invoke(ctx, a.Function, g.authorizerEvent(r, x, methodARN))
	var failed *lambda.Failure
	switch {
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	case errors.As(err, &failed) && failed.Message == unauthorized:
		return nil, &refusal{kind: "UNAUTHORIZED", status: http.StatusUnauthorized}
	case errors.As(err, &failed):
		return nil, &refusal{kind: "AUTHORIZER_FAILURE", status: http.StatusInternalServerError,
			cause: errors.New(failed.Type)}
	case errors.Is(err, context.DeadlineExceeded):
		return nil, &refusal{kind: "AUTHORIZER_FAILURE", status: http.StatusInternalServerError, cause: err}
	case err != nil: // it could not be reached
		return nil, &refusal{kind: "AUTHORIZER_CONFIGURATION_ERROR", status: http.StatusInternalServerError, cause: err}
	}
	d, err := parseDecision(response)
	if err != nil {
		return nil, &refusal{kind: "AUTHORIZER_CONFIGURATION_ERROR", status: http.StatusInternalServerError, cause: err}
	}
	return d, nil
}

// decision is what an authorizer answered.
type decision struct {
	principal  string
	statements []statement
	context    map[string]string // as functions get it: texts
	key        string            // of a usage plan; empty: it named none
}

// statement is one of a policy. IAM's other elements are refused: to pass over a
// condition would widen what was meant.
type statement struct {
	Effect           string
	Action, Resource oneOrMany
	Sid              string `json:",omitempty"`
}

// oneOrMany is a text or a list of texts, both of which a policy may have.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(o))
}

// parseDecision reads an authorizer's answer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func parseDecision(text []byte) (*decision, error) {
	var output struct {
		PrincipalID    string
		PolicyDocument *struct{ Statement []json.RawMessage }
		Context        map[string]any

		UsageIdentifierKey string
	}
	if err := json.Unmarshal(text, &output); err != nil {
		return nil, fmt.Errorf("the authorizer's answer cannot be read: %w", err)
	}
	if output.PolicyDocument == nil {
		return nil, errors.New("the authorizer's answer has no policy")
	}
	d := &decision{principal: output.PrincipalID, key: output.UsageIdentifierKey, context: make(map[string]string)}
	for _, raw := range output.PolicyDocument.Statement {
		var s statement
		in := json.NewDecoder(strings.NewReader(string(raw)))
		in.DisallowUnknownFields()
		if err := in.Decode(&s); err != nil {
			return nil, fmt.Errorf("a statement of the authorizer's policy is not understood: %w", err)
		}
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return nil, fmt.Errorf("a statement of the authorizer's policy has the effect %q", s.Effect)
		}
		for _, resource := range s.Resource {
			if n := utf8.RuneCountInString(resource); n > maxResource {
				return nil, fmt.Errorf("a resource of the authorizer's policy has %d characters, and may have %d",
					n, maxResource)
			}
		}
		d.statements = append(d.statements, s)
	}
	for name, value := range output.Context {
		switch v := value.(type) {
		case string:
			d.context[name] = v
		case bool:
			d.context[name] = strconv.FormatBool(v)
		case float64:
			d.context[name] = strconv.FormatFloat(v, 'f', -1, 64)
		default:
			return nil, fmt.Errorf("the authorizer's context %s is no text, number or boolean", name)
		}
	}
	return d, nil
}

// allows reports whether the policy lets a method be called: some statement allows
// it and none denies it.
func (d *decision) allows(methodARN string) bool {
	allowed := false
	for _, s := range d.statements {
		if !s.Action.match("execute-api:Invoke", "si") || !s.Resource.match(methodARN, "s") {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

// match reports whether one of IAM's patterns is a text's as a whole: * is any characters
// or none, slashes too; ? is one. The flags are of package regexp.
func (o oneOrMany) match(text, flags string) bool {
	return slices.ContainsFunc(o, func(pattern string) bool {
		expression := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		ok, err := regexp.MatchString("(?"+flags+")^"+expression+"$", text)
		return ok && err == nil
	})
}

// cache keeps decisions for a time. All are kept equally long, so the oldest is
// always the next to go.
type cache struct {
	ttl   time.Duration // 0: none is ever found again
	clock func() time.Time

	mu    sync.Mutex
	kept  map[string]entry
	order []string // of the keys in kept, the oldest first
}

type entry struct {
	decision *decision
	until    time.Time
}

// However many paths a caller thinks of, no more decisions are kept.
const maxKept = 10_000

func newCache(ttl time.Duration, clock func() time.Time) *cache {
	return &cache{ttl: ttl, clock: clock, kept: make(map[string]entry)}
}

func (c *cache) get(key string) (*decision, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.kept[key]
	return e.decision, ok && c.clock().Before(e.until)
}

func (c *cache) put(key string, d *decision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.clock()
	if e, kept := c.kept[key]; kept && now.Before(e.until) { // two have asked at the same time
		c.kept[key] = entry{d, e.until}
		return
	}
	for len(c.order) > 0 && (len(c.kept) >= maxKept || !now.Before(c.kept[c.order[0]].until)) {
		delete(c.kept, c.order[0])
		c.order = c.order[1:]
	}
	c.kept[key] = entry{d, now.Add(c.ttl)}
	c.order = append(c.order, key)
}
