package api

import (
	"net/http"

	"partnerview/internal/fault"
)

// problem is an error as RFC 9457 has it, application/problem+json. Its texts
// are constant but for those in Errors; template.yaml gives the gateway's own
// refusals the same bytes.
type problem struct {
	Type      string           `json:"type"` // "about:blank": code says more than a URL would
	Title     string           `json:"title"`
	Status    int              `json:"status"`
	Detail    string           `json:"detail"`
	Code      string           `json:"code"`
	RequestID string           `json:"requestId"`
	Errors    []parameterFault `json:"errors,omitempty"`

	retryAfter string // seconds
}

// parameterFault says what is wrong with one parameter, and what is wanted.
type parameterFault struct {
	Parameter string `json:"parameter"`
	Detail    string `json:"detail"`
}

func (p problem) Error() string { return p.Code }

func newProblem(status int, code, detail string) problem {
	return problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

var (
	errNoCustomer = newProblem(http.StatusNotFound, "customer_not_found", "There is no such customer among those assigned to you.")
	errNoProduct  = newProblem(http.StatusNotFound, "product_not_found", "This customer has no such product, or it is not assigned to you.")
	errNoRecord   = newProblem(http.StatusNotFound, "record_not_found", "There is no such record in this log.")
	errNoRoute    = newProblem(http.StatusNotFound, "route_not_found", "There is no such route. The routes are listed in /v1/openapi.yaml.")
)

// problemOf is the problem for an error of which the caller may know the kind
// only.
func problemOf(kind fault.Kind) problem {
	if kind == fault.Unavailable {
		p := newProblem(http.StatusServiceUnavailable, "unavailable", "The service cannot answer right now. Wait as long as Retry-After says, then try again.")
		p.retryAfter = "2"
		return p
	}
	return newProblem(http.StatusInternalServerError, "internal", "Something went wrong on our side. If it happens again, tell us the requestId.")
}

// invalid is the problem of a request with faults in its parameters.
func invalid(faults []parameterFault) problem {
	p := newProblem(http.StatusBadRequest, "invalid_parameter", "The request has faults; errors names each.")
	p.Errors = faults
	return p
}
