package apigateway

import (
	"context"
	"errors"
	"net/http"
	"strings"

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
	for _, v := range values {
		if v == "" {
			return "", false
		}
	}
	return strings.Join(values, "\x00"), true // which neither a header nor a path can hold
}

// decide asks the authorizer's function.
func (g *Gateway) decide(ctx context.Context, a *authorizer, r *http.Request, x *exchange, methodARN string) (*decision, error) {
	response, err := g.Invoke(ctx, a.Function, g.authorizerEvent(r, x, methodARN))
	var failed *lambda.Failure
	switch {
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	case errors.As(err, &failed) && failed.Message == unauthorized:
		return nil, &refusal{kind: "UNAUTHORIZED", status: http.StatusUnauthorized}
	case errors.As(err, &failed):
		return nil, &refusal{kind: "AUTHORIZER_FAILURE", status: http.StatusInternalServerError, cause: errors.New(failed.Type)}
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
