package template_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"partnerview/internal/dev/template"
	"partnerview/internal/problem"
)

func routes(t *template.Template) error {
	const partner = "PartnerAuthorizer"
	return errors.Join(
		differ("stage", "v1", t.Stage),
		differ("routes", []template.Route{
			{Method: "ANY", Path: "/", Function: "DashboardFunction"},
			{Method: "GET", Path: "/customers", Function: "ListCustomersFunction", Authorizer: partner},
			{Method: "GET", Path: "/customers/{accountId}", Function: "GetCustomerFunction", Authorizer: partner},
			{Method: "GET", Path: "/customers/{accountId}/usage/{product}", Function: "GetUsageFunction", Authorizer: partner},
			{Method: "GET", Path: "/customers/{accountId}/usage/{product}/{recordId}", Function: "GetUsageFunction", Authorizer: partner},
			{Method: "ANY", Path: "/{proxy+}", Function: "DashboardFunction"},
		}, t.Routes),
	)
}

func authorizer(t *template.Template) error {
	return errors.Join(
		differ("authorizers", []template.Authorizer{{
			Name: "PartnerAuthorizer", Function: "AuthorizerFunction",
			Headers: []string{"Authorization"}, Context: []string{"path"}, TTL: 60e9,
		}}, t.Authorizers),
		differ("default of AuthorizerTtlSeconds", "60", t.Parameters["AuthorizerTtlSeconds"]),
	)
}

func refusals(t *template.Template) error {
	type refusal struct {
		status       int
		code, detail string
		header       string // besides those that all have
	}
	of := func(p problem.Problem, header string) refusal { return refusal{p.Status, p.Code, p.Detail, header} }
	noRoute, unavailable := of(problem.NoRoute, ""), of(problem.Unavailable, "Retry-After: 2")
	want := map[string]refusal{
		"UNAUTHORIZED":                   of(problem.Unauthorized, "WWW-Authenticate: Bearer"),
		"ACCESS_DENIED":                  of(problem.NoCustomer, ""),
		"MISSING_AUTHENTICATION_TOKEN":   noRoute,
		"INVALID_SIGNATURE":              noRoute,
		"EXPIRED_TOKEN":                  noRoute,
		"RESOURCE_NOT_FOUND":             noRoute,
		"THROTTLED":                      of(problem.TooManyRequests, "Retry-After: 1"),
		"QUOTA_EXCEEDED":                 of(problem.QuotaExceeded, "Retry-After: 3600"),
		"INVALID_API_KEY":                unavailable, // no caller sends one
		"AUTHORIZER_FAILURE":             unavailable,
		"AUTHORIZER_CONFIGURATION_ERROR": unavailable,
		"INTEGRATION_FAILURE":            unavailable,
		"INTEGRATION_TIMEOUT":            unavailable,
		"DEFAULT_4XX": {0, "invalid_parameter",
			"The request cannot be taken as it is. The routes and their parameters are listed in /v1/openapi.yaml.", ""},
		"API_CONFIGURATION_ERROR": of(problem.Internal, ""),
		"DEFAULT_5XX":             unavailable, // a function that died
	}
	// A response that keeps its status names the class's, as RFC 9110, section 15, takes an unknown one.
	class := map[string]int{"DEFAULT_4XX": 400}
	var faults []error
	var got []string
	for _, g := range t.GatewayResponses {
		w := want[g.Type]
		got = append(got, g.Type)
		status := ""
		if w.status != 0 {
			status = fmt.Sprintf(`"status":%d,`, w.status)
		}
		headers := map[string]string{
			"Content-Type": "application/problem+json", "Cache-Control": "no-store",
			"Strict-Transport-Security": "max-age=63072000; includeSubDomains", "X-Content-Type-Options": "nosniff",
		}
		if name, v, ok := strings.Cut(w.header, ": "); ok {
			headers[name] = v
		}
		faults = append(faults,
			differ(g.Type+": status", w.status, g.Status),
			differ(g.Type+": headers", headers, g.Headers),
			differ(g.Type+": body", fmt.Sprintf(`{"type":"about:blank","title":%q,%s"detail":%q,"code":%q,"requestId":"r-1"}`,
				http.StatusText(cmp.Or(w.status, class[g.Type])), status, w.detail, w.code), g.Body("r-1")))
	}
	return errors.Join(append(faults, differ("gateway responses", slices.Sorted(maps.Keys(want)), got))...)
}
