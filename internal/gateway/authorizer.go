package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/metrics"
)

// authorizeTimeout ends a decision that waits for DynamoDB before Lambda does.
const authorizeTimeout = 5 * time.Second

// errUnauthorized is the one error that API Gateway takes for a 401; the text
// must be exactly this. Any other error is AUTHORIZER_FAILURE, a 503, and is not
// cached.
var errUnauthorized = errors.New("Unauthorized")

// Asked and Answered are an authorizer's event and its answer, by shorter names.
type (
	Asked    = events.APIGatewayCustomAuthorizerRequestTypeRequest
	Answered = events.APIGatewayCustomAuthorizerResponse
)

// ServeAuthorizer runs the authorizer as a Lambda function; it does not return.
func ServeAuthorizer(decide directory.Decide, log *slog.Logger) {
	serve(Authorizer(decide, log))
}

// Authorizer makes a Lambda handler for API Gateway's REQUEST authorizer events.
// An Allow names exactly the method and path that were asked for, so that a decision
// that API Gateway keeps can open no other. Not granted is a Deny, and so is a path
// that no Allow can name. A panic is no decision, and the function lives on.
func Authorizer(decide directory.Decide, log *slog.Logger) func(context.Context, Asked) (Answered, error) {
	return func(ctx context.Context, event Asked) (Answered, error) {
		ctx, cancel := context.WithTimeout(ctx, authorizeTimeout)
		defer cancel()
		ctx, stats := withStats(ctx)
		start := time.Now()
		log := log.With("requestId", event.RequestContext.RequestID, "traceId", traceID(ctx), "resource",
			event.Resource)
		var account *string
		if sent, ok := event.PathParameters["accountId"]; ok {
			id := unescape(sent)
			account = &id
		}
		var decision directory.Decision
		err := fault.Caught(func() (err error) {
			decision, err = decide(ctx, authorization(event), account)
			return err
		})
		unknown := fault.Is(err, fault.Unauthenticated)
		failed := err != nil && !unknown
		granted := decision.Allowed && canName(event.MethodArn)
		log = log.With(denied.Name, oneIf(!granted && !failed), failures.Name, oneIf(failed),
			"decisionMs", milliseconds(time.Since(start)), consumedCapacity.Name, stats.units,
			metrics.Of(denied, failures, consumedCapacity))
		if unknown {
			log.InfoContext(ctx, "unauthorized", "why", err.Error())
			return Answered{}, errUnauthorized
		}
		if failed {
			log.ErrorContext(ctx, "no decision", "cause", err)
			return Answered{}, errors.New("no decision: the cause is in the authorizer's log")
		}
		log.InfoContext(ctx, "authorized", "granted", granted,
			"partnerId", decision.Partner, "keyId", decision.KeyID, "accountId", decision.Account)
		return policyOf(event.MethodArn, decision, granted), nil
	}
}

// authorization is the credential's header; empty where it is missing, or sent
// more than once, since then nobody can say which of them counts.
func authorization(event Asked) string {
	var found []string
	for name, values := range event.MultiValueHeaders {
		if strings.EqualFold(name, "Authorization") {
			found = append(found, values...)
		}
	}
	if len(event.MultiValueHeaders) == 0 {
		for name, value := range event.Headers {
			if strings.EqualFold(name, "Authorization") {
				found = append(found, value)
			}
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// maxResource is how many characters a resource of a policy may have. API Gateway
// takes a longer one for a failure of the authorizer's: a 503, and an alarm.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
const maxResource = 512

// canName reports whether a policy can name a method and path, and nothing but it. One
// with a wildcard in it would make a policy for more than itself.
func canName(methodARN string) bool {
	return len(methodARN) <= maxResource && !strings.ContainsAny(methodARN, "*?")
}

// allowed are the resources of an Allow: the method and path as they were sent, and
// decoded, since AWS does not say which of the two it compares. Both are the same
// path, and of the same customer: an account's ID has no slash.
func allowed(methodARN string) []string {
	if decoded, err := url.PathUnescape(methodARN); err == nil && decoded != methodARN && canName(decoded) {
		return []string{methodARN, decoded}
	}
	return []string{methodARN}
}

// refused are the resources of a Deny: all of the API. It need not name a path that
// may be longer than a resource: API Gateway keeps a decision by credential and path,
// so that it refuses no other.
func refused(methodARN string) []string {
	api, _, _ := strings.Cut(methodARN, "/")
	return []string{api + "/*"}
}

// policyOf is the answer to API Gateway: a policy, and what the endpoints are told.
func policyOf(methodARN string, d directory.Decision, granted bool) Answered {
	effect, resources := "Deny", refused(methodARN)
	claims := map[string]any{
		partnerIDClaim: string(d.Partner), keyIDClaim: d.KeyID, narrowedClaim: cmp.Or(string(d.Narrowed), notNarrowed),
	}
	if granted {
		effect, resources = "Allow", allowed(methodARN)
		if d.Account != "" {
			claims[accountIDClaim] = string(d.Account)
			claims[productsClaim] = claimOf(d.Products)
		}
	}
	return Answered{
		PrincipalID: string(d.Partner),
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: resources,
			}},
		},
		Context:            claims,
		UsageIdentifierKey: d.GatewayKey.Reveal(), // never among the claims, which functions and the access log see
	}
}
