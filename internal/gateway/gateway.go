// Package gateway joins API Gateway and Lambda to net/http: it makes requests of
// proxy events and answers of responses, reads who the authorizer found, and
// turns the authorizer's own events into decisions.
//
// It owns what is peculiar to API Gateway: how paths are escaped, which errors
// become which refusals, what a policy looks like. It does not know what the
// handlers do.
//
// Identity is read only from the request's context, where the adapter puts what
// API Gateway says. The adapter can also read it from a header, which any client
// can send: that accessor is never used.
package gateway

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/metrics"
	"partnerview/internal/problem"
	"partnerview/internal/usage"
)

// requestTimeout ends a request that waits for DynamoDB before Lambda ends the
// function: the caller gets a 503 that says so.
const requestTimeout = 8 * time.Second

// Serve runs a handler as a Lambda function; it does not return.
func Serve(h http.Handler, log *slog.Logger) { serve(Handler(h, log)) }

// Exit ends a function that cannot start: a setting is missing or wrong.
func Exit(log *slog.Logger, err error) {
	log.Error("the function cannot start", "cause", err)
	os.Exit(1)
}

// Log writes one JSON object a line, which CloudWatch Logs can search. Each names
// the stack, STACK, whose metrics some of them carry.
func Log(getenv func(string) string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stdout, nil)).With("stack", getenv("STACK"))
}

// Clock is the time of day; or, where AWS_ENDPOINT_URL_DYNAMODB points at an
// engine of one's own, the fixed time that PARTNERVIEW_NOW names, so that sample
// data does not age. On a real table the variable is ignored: it would bring
// expired keys back to life.
func Clock(getenv func(string) string) (func() time.Time, error) {
	text := getenv("PARTNERVIEW_NOW")
	if text == "" || getenv("AWS_ENDPOINT_URL_DYNAMODB") == "" {
		return time.Now, nil
	}
	fixed, err := usage.ParseTime(text)
	if err != nil {
		return nil, fmt.Errorf("PARTNERVIEW_NOW: %w", err)
	}
	return func() time.Time { return fixed }, nil
}

// Handler makes a Lambda handler for API Gateway's proxy events of an HTTP
// handler. Request bodies are dropped: nothing here reads one. A handler that
// panics is answered for with the problem internal, and the function lives on.
func Handler(
	h http.Handler, log *slog.Logger,
) func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	adapter := httpadapter.New(h)
	return func(ctx context.Context, event events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		ctx, stats := withStats(ctx)
		var response events.APIGatewayProxyResponse
		err := fault.Caught(func() (err error) {
			event.Path = path(event.Resource, event.PathParameters)
			event.Body, event.IsBase64Encoded = "", false
			response, err = adapter.ProxyWithContext(ctx, event)
			return err
		})
		if err != nil {
			id := event.RequestContext.RequestID
			log.ErrorContext(ctx, "request failed", "requestId", id, "code", problem.Internal.Code, "cause", err)
			w := core.NewProxyResponseWriter() // a new one: the handler may have begun to answer
			problem.Internal.Send(w, id)
			response, _ = w.GetProxyResponse() // it fails only without a status
		}
		logRequest(ctx, log, event, response.StatusCode, stats, time.Since(start))
		return response, nil
	}
}

// logRequest writes the one line that every request leaves. The path is told
// by its resource, the account and the product, never as sent: what a caller puts
// elsewhere in a path or a query is not ours to keep.
func logRequest(
	ctx context.Context, log *slog.Logger, event events.APIGatewayProxyRequest, status int, stats *requestStats,
	took time.Duration,
) {
	claims := claimsOf(event.RequestContext)
	product, err := usage.ParseProduct(event.PathParameters["product"])
	if err != nil {
		product = ""
	}
	log.LogAttrs(ctx, slog.LevelInfo, "request",
		slog.String("requestId", event.RequestContext.RequestID),
		slog.String("traceId", traceID(ctx)),
		slog.String("method", event.HTTPMethod),
		slog.String("resource", event.Resource),
		slog.Int("status", status),
		slog.String("partnerId", claims[partnerIDClaim]),
		slog.String("keyId", claims[keyIDClaim]),
		slog.String("accountId", claims[accountIDClaim]),
		slog.String("product", string(product)),
		slog.Int("records", stats.records),
		slog.Int(requests.Name, 1),
		slog.Int(failures.Name, oneIf(status >= 500)),
		slog.Float64(duration.Name, milliseconds(took)),
		slog.Float64(consumedCapacity.Name, stats.units),
		slog.Int(unratedRecords.Name, stats.unrated),
		metrics.Of(requests, failures, duration, consumedCapacity, unratedRecords))
}

// path rebuilds the path of a request from the resource that API Gateway matched
// and its parameters. The adapter would join the event's own path to a URL as it
// stands; behind a custom domain that also begins with the domain's base path. A
// greedy parameter, {proxy+}, keeps its slashes.
func path(resource string, parameters map[string]string) string {
	segments := strings.Split(resource, "/")
	for i, segment := range segments {
		name, isParameter := strings.CutPrefix(segment, "{")
		if !isParameter {
			continue
		}
		name, greedy := strings.CutSuffix(strings.TrimSuffix(name, "}"), "+")
		values := []string{parameters[name]}
		if greedy {
			values = strings.Split(parameters[name], "/")
		}
		for j, value := range values {
			values[j] = url.PathEscape(unescape(value))
		}
		segments[i] = strings.Join(values, "/")
	}
	return strings.Join(segments, "/")
}

// unescape decodes a path parameter. A REST API passes parameters on as they were
// sent, percent-encoded; other gateways decode them. What cannot be decoded has
// been already. The authorizer and the endpoint decode alike, so that both speak
// of the same account.
func unescape(parameter string) string {
	if plain, err := url.PathUnescape(parameter); err == nil {
		return plain
	}
	return parameter
}

// The authorizer's claims in the request's context: texts, since API Gateway
// carries nothing else.
const (
	partnerIDClaim = "partnerId"
	keyIDClaim     = "keyId"
	narrowedClaim  = "narrowed"
	accountIDClaim = "accountId"
	productsClaim  = "products"
)

func claimsOf(c events.APIGatewayProxyRequestContext) map[string]string {
	claims := make(map[string]string, len(c.Authorizer))
	for name, v := range c.Authorizer {
		if s, ok := v.(string); ok {
			claims[name] = s
		}
	}
	return claims
}

// Viewer is who the authorizer found to be asking. A fault.Internal: the request
// did not come through it, or carries a claim that cannot be read. A
// fault.Unavailable: it carries a decision of an older authorizer, which did not say
// what may be seen; API Gateway has kept it, and will forget it.
func Viewer(ctx context.Context) (directory.Viewer, error) {
	c, _ := core.GetAPIGatewayContextFromContext(ctx)
	claims := claimsOf(c)
	if claims[partnerIDClaim] == "" {
		return directory.Viewer{}, fault.New(fault.Internal, "the authorizer's context is missing", nil)
	}
	who := directory.Identity{Partner: directory.PartnerID(claims[partnerIDClaim]), KeyID: claims[keyIDClaim]}
	switch narrowed := claims[narrowedClaim]; narrowed {
	case "":
		return directory.Viewer{}, fault.New(fault.Unavailable,
			"the authorizer's context does not say whose list counts", nil)
	case notNarrowed:
	default:
		who.Narrowed = directory.ViewerID(narrowed)
	}
	account := usage.AccountID(claims[accountIDClaim])
	if account == "" {
		return directory.Viewer{Identity: who}, nil
	}
	if claims[productsClaim] == "" {
		return directory.Viewer{}, fault.New(fault.Unavailable, "the authorizer's context names no products", nil)
	}
	products, err := productsOf(claims[productsClaim])
	if err != nil {
		return directory.Viewer{}, fault.New(fault.Internal, "the authorizer's context", err)
	}
	return directory.Viewer{Identity: who, Account: account, Products: products}, nil
}

// notNarrowed is the claim of a viewer who sees all of its partner's customers. It is a
// word, so that a claim that was lost is not taken for it; as long as no ViewerID is.
const notNarrowed = "no"

// noProducts is the claim of a viewer who may see none of a customer's products. It
// is a word, so that a claim that is empty or was lost is not taken for it. No claim
// says "all": a viewer's products are named one by one.
const noProducts = "none"

// claimOf writes the products that a viewer may see: "sms,voice".
func claimOf(products []usage.Product) string {
	return cmp.Or(directory.JoinProducts(products), noProducts)
}

// productsOf reads what claimOf wrote. A word that is no product is an error.
func productsOf(claim string) ([]usage.Product, error) {
	if claim == noProducts {
		return nil, nil
	}
	var products []usage.Product
	for word := range strings.SplitSeq(claim, ",") {
		p, err := usage.ParseProduct(word)
		if err != nil {
			return nil, fmt.Errorf("the claim %s cannot be read: %w", productsClaim, err)
		}
		products = append(products, p)
	}
	return products, nil
}

// RequestID is the id that API Gateway gave the request.
func RequestID(ctx context.Context) string {
	c, _ := core.GetAPIGatewayContextFromContext(ctx)
	return c.RequestID
}

// PublicPath is the path that the client asked for, with the stage and a custom
// domain's base path, escaped: "/v1/customers".
func PublicPath(ctx context.Context) string {
	c, _ := core.GetAPIGatewayContextFromContext(ctx)
	return c.Path
}
