// Package problem is how the service says no: an error as RFC 9457 has it,
// application/problem+json, the same bytes whoever refuses.
//
// It owns the texts of all problems, those too with which API Gateway refuses
// (template.yaml spells them out), and the form that problems share with answers
// of data: their headers, and JSON without escapes that JSON does not need. It does
// not log: what a problem does not say is for the caller of [Of] to write down.
//
// A problem's texts are constant, but for those in Errors. None holds the cause of a
// failure.
package problem

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"partnerview/internal/fault"
)

// Problem is an error that the caller may read. It is one of those below, or made by
// [Invalid].
type Problem struct {
	Type      string           `json:"type"` // "about:blank": code says more than a URL would
	Title     string           `json:"title"`
	Status    int              `json:"status"`
	Detail    string           `json:"detail"`
	Code      string           `json:"code"`
	RequestID string           `json:"requestId"`
	Errors    []ParameterError `json:"errors,omitempty"`

	retryAfter string // seconds
}

// ParameterError says what is wrong with one parameter, and what is wanted.
type ParameterError struct {
	Parameter string `json:"parameter"`
	Detail    string `json:"detail"`
}

func (p Problem) Error() string { return p.Code }

func newProblem(status int, code, detail string) Problem {
	return Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// What the API refuses.
var (
	NoCustomer = newProblem(http.StatusNotFound, "customer_not_found",
		"There is no such customer among those assigned to you.")
	NoProduct = newProblem(http.StatusNotFound, "product_not_found",
		"This customer has no such product, or it is not assigned to you.")
	NoRecord = newProblem(http.StatusNotFound, "record_not_found", "There is no such record in this log.")
	NoRoute  = newProblem(http.StatusNotFound, "route_not_found",
		"There is no such route. The routes are listed in /v1/openapi.yaml.")
	NotAcceptable = newProblem(http.StatusNotAcceptable, "not_acceptable",
		"Accept names no type that this route has: every route has application/json, and lists have text/csv too.")
)

// What API Gateway refuses, and no function.
var (
	Unauthorized = newProblem(http.StatusUnauthorized, "unauthorized",
		"The access key or token is missing, malformed, unknown, expired or revoked. Send a valid one as: "+
			"Authorization: Bearer ...")
	TooLarge = newProblem(http.StatusRequestEntityTooLarge, "request_too_large",
		"The address and the headers of the request are together larger than 10,240 bytes. Send fewer or shorter ones.")
	TooManyRequests = newProblem(http.StatusTooManyRequests, "too_many_requests",
		"Too many requests. Wait as long as Retry-After says, then try again.")
	QuotaExceeded = newProblem(http.StatusTooManyRequests, "quota_exceeded",
		"The quota of your plan is used up until the next month begins, or until the operator gives you more.")
)

// What fails on our side.
var (
	Internal = newProblem(http.StatusInternalServerError, "internal",
		"Something went wrong on our side. If it happens again, tell us the requestId.")
	Unavailable = newProblem(http.StatusServiceUnavailable, "unavailable",
		"The service cannot answer right now. Wait as long as Retry-After says, then try again.").after("2")
)

func (p Problem) after(seconds string) Problem {
	p.retryAfter = seconds
	return p
}

// Invalid is the problem of a request whose parameters are wrong, each of them named.
func Invalid(parameters []ParameterError) Problem {
	p := newProblem(http.StatusBadRequest, "invalid_parameter", "The request has faults; errors names each.")
	p.Errors = parameters
	return p
}

// Of is the problem that an error is; or the one by which an error of any other kind
// is told, and false: the cause is not in it, and belongs in the log.
func Of(err error) (p Problem, itself bool) {
	switch {
	case errors.As(err, &p):
		return p, true
	case fault.Is(err, fault.Unavailable):
		return Unavailable, false
	}
	return Internal, false
}

// Send answers a request with the problem.
func (p Problem) Send(w http.ResponseWriter, requestID string) {
	p.RequestID = requestID
	body, err := JSON(p)
	if err != nil { // cannot happen: a problem is texts and a number
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	if p.retryAfter != "" {
		w.Header().Set("Retry-After", p.retryAfter)
	}
	Write(w, p.Status, "application/problem+json", body)
}

// Write answers with a body, of data or of a problem, and the headers that each has.
func Write(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the connection is gone: there is nobody to tell
}

// JSON writes a body as API Gateway's own answers have it: account IDs may hold "&",
// which is not escaped, and no newline ends it.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
