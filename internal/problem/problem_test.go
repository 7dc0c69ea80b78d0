package problem_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"partnerview"
	"partnerview/internal/fault"
	"partnerview/internal/problem"
)

// The texts stand in problem.go; the contract must show the same, and every one.
func TestTheContractsExamplesAreTheProblems(t *testing.T) {
	type text struct {
		Title, Detail, Code string
		Status              any // a text in the examples of records
	}
	sent := map[string]text{}
	for _, p := range []problem.Problem{
		problem.Invalid(nil), problem.NoCustomer, problem.NoProduct, problem.NoRecord, problem.NoRoute,
		problem.NotAcceptable, problem.Unauthorized, problem.TooLarge, problem.TooManyRequests, problem.QuotaExceeded, problem.Internal, problem.Unavailable,
	} {
		sent[p.Code] = text{p.Title, p.Detail, p.Code, p.Status}
	}
	var contract struct {
		Components struct {
			Examples map[string]struct{ Value yaml.Node }
		}
	}
	if err := yaml.Unmarshal([]byte(partnerview.OpenAPI()), &contract); err != nil {
		t.Fatal(err)
	}
	shown := map[string]text{}
	for name, e := range contract.Components.Examples {
		if e.Value.Kind != yaml.MappingNode { // CSV
			continue
		}
		var is text
		if err := e.Value.Decode(&is); err != nil {
			t.Fatal(name, err)
		}
		if is.Code != "" && is.Status != nil { // the 414 is of the gateway alone
			shown[is.Code] = is
		}
	}
	if diff := cmp.Diff(shown, sent); diff != "" {
		t.Errorf("openapi.yaml (-) and what is sent (+) differ: %s", diff)
	}
}

func TestAnErrorIsToldByItsKindAndNeverByItsCause(t *testing.T) {
	for claim, c := range map[string]struct {
		err    error
		want   problem.Problem
		itself bool
	}{
		"a problem is told as it is":        {fmt.Errorf("page: %w", problem.NoRecord), problem.NoRecord, true},
		"what may pass is unavailable":      {fault.New(fault.Unavailable, "query", errors.New("canary")), problem.Unavailable, false},
		"what is ours is internal":          {fault.New(fault.Internal, "decode", errors.New("canary")), problem.Internal, false},
		"nothing of ours is told as a 404":  {fault.New(fault.NotFound, "table", nil), problem.Internal, false},
		"what nobody foresaw is internal":   {errors.New("canary"), problem.Internal, false},
		"a caller's fault is not made here": {fault.New(fault.Invalid, "canary", nil), problem.Internal, false},
	} {
		got, itself := problem.Of(c.err)
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(problem.Problem{})); diff != "" || itself != c.itself {
			t.Errorf("%s: itself %v, %s", claim, itself, diff)
		}
	}
}

func TestAProblemIsSentToTheLetter(t *testing.T) {
	for want, p := range map[string]problem.Problem{
		`503 2 {"type":"about:blank","title":"Service Unavailable","status":503,"detail":"The service cannot answer right now. Wait as long as Retry-After says, then try again.","code":"unavailable","requestId":"r&1"}`: problem.Unavailable,
		`400  {"type":"about:blank","title":"Bad Request","status":400,"detail":"The request has faults; errors names each.","code":"invalid_parameter","requestId":"r&1",` +
			`"errors":[{"parameter":"<x>","detail":"has no value"}]}`: problem.Invalid([]problem.ParameterError{{Parameter: "<x>", Detail: "has no value"}}),
	} {
		w := httptest.NewRecorder()
		p.Send(w, "r&1")
		if got := fmt.Sprintf("%d %s %s", w.Code, w.Header().Get("Retry-After"), w.Body); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		w.Header().Del("Retry-After")
		if diff := cmp.Diff(http.Header{
			"Content-Type": {"application/problem+json"}, "Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"},
			"Strict-Transport-Security": {"max-age=63072000; includeSubDomains"},
		}, w.Header()); diff != "" {
			t.Error(diff)
		}
	}
}
