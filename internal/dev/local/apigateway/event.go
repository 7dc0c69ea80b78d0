package apigateway

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"partnerview/internal/dev/local/lambda"
)

// sent is what a request says, in the form in which both kinds of events have it.
type sent struct {
	headers, query           map[string]string // of several values the last
	allHeaders, allQuery     map[string][]string
	sourceIP, userAgent      string
	contextPath, requestTime string
	requestEpoch             int64
}

func (g *Gateway) read(r *http.Request, x *exchange) sent {
	s := sent{
		userAgent:    r.UserAgent(),
		contextPath:  r.URL.EscapedPath(),
		requestTime:  x.start.UTC().Format("02/Jan/2006:15:04:05 -0700"),
		requestEpoch: x.start.UnixMilli(),
	}
	s.sourceIP, _, _ = net.SplitHostPort(r.RemoteAddr)
	s.query, s.allQuery = parseQuery(r.URL.RawQuery)
	s.headers, s.allHeaders = make(map[string]string), make(map[string][]string)
	for name, values := range r.Header {
		if !hopByHop[name] {
			s.headers[name], s.allHeaders[name] = values[len(values)-1], values
		}
	}
	set := func(name, value string) { s.headers[name], s.allHeaders[name] = value, []string{value} }
	set("Host", g.Domain)
	set("X-Amzn-Trace-Id", "Root=1-"+traceRoot(x.id))
	set("X-Forwarded-For",
		strings.TrimPrefix(strings.Join(r.Header.Values("X-Forwarded-For"), ", ")+", "+s.sourceIP, ", "))
	set("X-Forwarded-Proto", "https") // a function never sees anything else
	set("X-Forwarded-Port", "443")
	return s
}

// hopByHop are the headers of one connection, which no function gets to see.
var hopByHop = map[string]bool{"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true,
	"Trailer": true, "Transfer-Encoding": true, "Upgrade": true}

func traceRoot(requestID string) string {
	hex := strings.ReplaceAll(requestID, "-", "")
	return hex[:8] + "-" + hex[8:]
}

// parseQuery decodes a query as API Gateway does before it passes it on: a plus
// is a space, and a semicolon separates like an ampersand. What cannot be decoded
// stays as it was sent.
func parseQuery(raw string) (last map[string]string, all map[string][]string) {
	for pair := range strings.FieldsFuncSeq(raw, func(c rune) bool { return c == '&' || c == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		if last == nil {
			last, all = make(map[string]string), make(map[string][]string)
		}
		last[name] = value
		all[name] = append(all[name], value)
	}
	return last, all
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// proxyEvent is what the function of a route gets.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
func (g *Gateway) proxyEvent(r *http.Request, x *exchange, body []byte) []byte {
	s := g.read(r, x)
	event := events.APIGatewayProxyRequest{
		Resource: x.route.Path, Path: x.path, HTTPMethod: r.Method,
		Headers: s.headers, MultiValueHeaders: s.allHeaders,
		QueryStringParameters: s.query, MultiValueQueryStringParameters: s.allQuery,
		PathParameters: x.parameters,
		RequestContext: events.APIGatewayProxyRequestContext{
			AccountID: lambda.Account, APIID: apiID, ResourceID: apiID, Stage: g.Template.Stage,
			ResourcePath: x.route.Path, Path: s.contextPath,
			HTTPMethod: r.Method, Protocol: r.Proto, RequestID: x.id, ExtendedRequestID: extendedID(x.id),
			RequestTime: s.requestTime, RequestTimeEpoch: s.requestEpoch, DomainName: g.Domain, DomainPrefix: apiID,
			Identity: events.APIGatewayRequestIdentity{SourceIP: s.sourceIP, UserAgent: s.userAgent},
		},
		Body: string(body),
	}
	if !utf8.Valid(body) {
		event.Body, event.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	if x.granted != nil {
		claims := map[string]any{"principalId": x.granted.principal, "integrationLatency": x.asked.Milliseconds()}
		for name, value := range x.granted.context {
			claims[name] = value
		}
		event.RequestContext.Authorizer = claims
		if x.route.Metered {
			event.RequestContext.Identity.APIKey = x.granted.key // which a function must not tell
		}
	}
	return mustJSON(event)
}

// authorizerEvent is what a REQUEST authorizer gets.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
func (g *Gateway) authorizerEvent(r *http.Request, x *exchange, methodARN string) []byte {
	s := g.read(r, x)
	return mustJSON(events.APIGatewayCustomAuthorizerRequestTypeRequest{
		Type: "REQUEST", MethodArn: methodARN, Resource: x.route.Path, Path: x.path, HTTPMethod: r.Method,
		Headers: s.headers, MultiValueHeaders: s.allHeaders,
		QueryStringParameters: s.query, MultiValueQueryStringParameters: s.allQuery,
		PathParameters: x.parameters,
		RequestContext: events.APIGatewayCustomAuthorizerRequestTypeRequestContext{
			AccountID: lambda.Account, APIID: apiID, ResourceID: apiID, Stage: g.Template.Stage,
			ResourcePath: x.route.Path, Path: s.contextPath,
			HTTPMethod: r.Method, RequestID: x.id,
			Identity: events.APIGatewayCustomAuthorizerRequestTypeRequestIdentity{SourceIP: s.sourceIP},
		},
	})
}

// mustJSON writes an event. Its types are maps, texts and numbers: there is none
// that cannot be written.
func mustJSON(event any) []byte {
	text, err := json.Marshal(event)
	if err != nil {
		return nil
	}
	return text
}
