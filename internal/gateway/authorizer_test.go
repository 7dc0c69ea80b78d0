package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

const (
	apiARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdefghij"
	arn    = apiARN + "/v1/GET/customers/acme_retail"
)

func authorizerEvent(headers map[string][]string) Asked {
	return Asked{
		Type: "REQUEST", MethodArn: arn, Resource: "/customers/{accountId}", MultiValueHeaders: headers,
		PathParameters: map[string]string{"accountId": "acme_retail"},
	}
}

func bearer(values ...string) map[string][]string {
	return map[string][]string{"authorization": values}
}

// northwind is a viewer of that partner; of no customer where account is empty.
func northwind(account usage.AccountID, products ...usage.Product) directory.Viewer {
	who := directory.Identity{Partner: "northwind", KeyID: "k1"}
	return directory.Viewer{Identity: who, Account: account, Products: products}
}

// always decides alike, whatever it is asked.
func always(d directory.Decision, err error) directory.Decide {
	return func(context.Context, string, *string) (directory.Decision, error) { return d, err }
}

func allow(v directory.Viewer) directory.Decide {
	return always(directory.Decision{Viewer: v, Allowed: true}, nil)
}

var refuse = always(directory.Decision{Viewer: northwind("")}, nil)

// authorize is the answer to an event.
func authorize(t *testing.T, decide directory.Decide, event Asked) Answered {
	t.Helper()
	got, err := Authorizer(decide, quiet)(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAnAllowNamesExactlyWhatWasAskedFor(t *testing.T) {
	decide := func(_ context.Context, authorization string, account *string) (directory.Decision, error) {
		if authorization != "Bearer x" || account == nil || *account != "acme_retail" {
			t.Errorf("asked for %q, %v", authorization, account)
		}
		return directory.Decision{Viewer: northwind("acme_retail", usage.SMS, usage.Voice), Allowed: true}, nil
	}
	got := authorize(t, decide, authorizerEvent(bearer("Bearer x")))
	s := got.PolicyDocument.Statement
	if len(s) != 1 || s[0].Effect != "Allow" || len(s[0].Resource) != 1 || s[0].Resource[0] != arn || len(s[0].Action) != 1 || s[0].Action[0] != "execute-api:Invoke" {
		t.Errorf("the policy is %+v: kept in the cache it would open other paths", s)
	}
	for name, want := range map[string]string{"partnerId": "northwind", "keyId": "k1", "narrowed": "no", "accountId": "acme_retail", "products": "sms,voice"} {
		if got.Context[name] != want {
			t.Errorf("the claim %s is %v, want %s", name, got.Context[name], want)
		}
	}
	if len(got.Context) != 5 || got.PrincipalID != "northwind" {
		t.Errorf("the claims are %v of %s: their size must not grow with the partner's customers", got.Context, got.PrincipalID)
	}
}

func TestADenyCarriesNoAccount(t *testing.T) {
	got := authorize(t, refuse, authorizerEvent(bearer("Bearer x")))
	if got.PolicyDocument.Statement[0].Effect != "Deny" || got.Context["accountId"] != nil {
		t.Errorf("got %+v", got)
	}
	if got := got.PolicyDocument.Statement[0].Resource; !slices.Equal(got, []string{apiARN + "/*"}) {
		t.Errorf("the Deny names %v", got)
	}
}

// What AWS compares with a policy, the path as it was sent or decoded, is nowhere
// said: an Allow names both, but never one that would open more.
func TestAnAllowNamesThePathAsSentAndDecoded(t *testing.T) {
	decide := allow(northwind("acme&co", usage.Products()...))
	for sent, want := range map[string][]string{
		"/customers/acme%26co":                {"/customers/acme%26co", "/customers/acme&co"},
		"/customers/acme&co/usage/sms/a%3A1":  {"/customers/acme&co/usage/sms/a%3A1", "/customers/acme&co/usage/sms/a:1"},
		"/customers/acme&co":                  {"/customers/acme&co"},
		"/customers/acme&co/usage/sms/%2A":    {"/customers/acme&co/usage/sms/%2A"}, // a wildcard when it is decoded
		"/customers/acme&co/usage/sms/%3F%3f": {"/customers/acme&co/usage/sms/%3F%3f"},
		"/customers/acme&co/usage/sms/%zz":    {"/customers/acme&co/usage/sms/%zz"},
		"/customers/acme&co/usage/sms/%252A":  {"/customers/acme&co/usage/sms/%252A", "/customers/acme&co/usage/sms/%2A"},
	} {
		event := authorizerEvent(bearer("Bearer x"))
		event.MethodArn = apiARN + "/v1/GET" + sent
		got := authorize(t, decide, event)
		for i := range want {
			want[i] = apiARN + "/v1/GET" + want[i]
		}
		if s := got.PolicyDocument.Statement; len(s) != 1 || s[0].Effect != "Allow" || !slices.Equal(s[0].Resource, want) {
			t.Errorf("%s: the policy is %+v, want an Allow of %v", sent, s, want)
		}
	}
}

// A policy for …/usage/* would open every product, and the gateway keeps it. One with a
// resource of more than 512 characters AWS takes for a failure of the authorizer's: any
// caller could make that happen, and set off the alarm.
func TestAPathThatNoPolicyMayNameIsRefused(t *testing.T) {
	longer := func(length int) string { return strings.Repeat("a", length-len(arn)) }
	for path, want := range map[string]string{
		longer(512): "Allow", longer(513): "Deny", longer(1600): "Deny",
		"/usage/*": "Deny", "/usage/sms/?": "Deny", "/usage/*/*": "Deny",
	} {
		event := authorizerEvent(bearer("Bearer x"))
		event.MethodArn += path
		got, err := Authorizer(allow(northwind("acme_retail", usage.Products()...)), quiet)(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		s := got.PolicyDocument.Statement[0]
		if s.Effect != want || want == "Deny" && got.Context["accountId"] != nil {
			t.Errorf("%d characters, %.20s: got %s with %v, want %s", len(event.MethodArn), path, s.Effect, got.Context, want)
		}
		for _, resource := range s.Resource {
			if len(resource) > 512 {
				t.Errorf("%d characters: a resource has %d", len(event.MethodArn), len(resource))
			}
		}
	}
}

func TestErrorsOfTheAuthorizer(t *testing.T) {
	for claim, c := range map[string]struct {
		err  error
		want string
	}{
		"a bad credential is exactly Unauthorized, which makes a 401":     {fault.New(fault.Unauthenticated, "key k1 is revoked", nil), "Unauthorized"},
		"a database that is down is no refusal, and its cause stays here": {fault.New(fault.Unavailable, "query", errors.New("secret")), "no decision: the cause is in the authorizer's log"},
		"an error that nobody foresaw is no refusal either":               {errors.New("secret"), "no decision: the cause is in the authorizer's log"},
	} {
		t.Run(claim, func(t *testing.T) {
			got, err := Authorizer(always(directory.Decision{}, c.err), quiet)(t.Context(), authorizerEvent(bearer("Bearer x")))
			if err == nil || err.Error() != c.want || len(got.PolicyDocument.Statement) != 0 {
				t.Errorf("got %+v, %v, want the error %q", got, err, c.want)
			}
		})
	}
}

func TestTheHeaderThatCounts(t *testing.T) {
	for claim, c := range map[string]struct {
		multi  map[string][]string
		single map[string]string
		want   string
	}{
		"the header's case does not matter":         {multi: map[string][]string{"AUTHORIZATION": {"Bearer a"}}, want: "Bearer a"},
		"without it there is no credential":         {multi: map[string][]string{"Host": {"x"}}},
		"two of them are none":                      {multi: bearer("Bearer a", "Bearer b")},
		"two spellings are two":                     {multi: map[string][]string{"Authorization": {"Bearer a"}, "authorization": {"Bearer b"}}},
		"single headers count where there are only": {single: map[string]string{"Authorization": "Bearer a"}, want: "Bearer a"},
	} {
		t.Run(claim, func(t *testing.T) {
			event := authorizerEvent(c.multi)
			event.Headers = c.single
			if got := authorization(event); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheAuthorizerMeansTheAccountThatTheEndpointSees(t *testing.T) {
	for parameter, want := range map[string]string{"a&b": "a&b", "a%26b": "a&b", "%25zz": "%zz", "a%2Fb": "a/b"} {
		decide := func(ctx context.Context, header string, account *string) (directory.Decision, error) {
			if account == nil || *account != want {
				t.Errorf("the parameter %q is taken for the account %v, want %q", parameter, account, want)
			}
			return refuse(ctx, header, account)
		}
		event := authorizerEvent(bearer("Bearer x"))
		event.PathParameters["accountId"] = parameter
		authorize(t, decide, event)
	}
}

func TestAPathWithoutAnAccountAsksForNone(t *testing.T) {
	decide := func(_ context.Context, _ string, account *string) (directory.Decision, error) {
		if account != nil {
			t.Errorf("asked for the account %q", *account)
		}
		return directory.Decision{Viewer: northwind(""), Allowed: true}, nil
	}
	event := authorizerEvent(bearer("Bearer x"))
	event.PathParameters = nil
	authorize(t, decide, event)
}

func TestTheAuthorizersLogHoldsNoCredential(t *testing.T) {
	var out strings.Builder
	event := authorizerEvent(bearer("Bearer pvk_secret"))
	event.QueryStringParameters = map[string]string{"toLast4": "0123"}
	if _, err := Authorizer(allow(northwind("")), slog.New(slog.NewJSONHandler(&out, nil)))(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "pvk_") || strings.Contains(out.String(), "0123") || !strings.Contains(out.String(), "northwind") {
		t.Errorf("the line is %s", out.String())
	}
}

func TestADecisionCountsAsDeniedOnlyWhereItIsARefusal(t *testing.T) {
	for claim, c := range map[string]struct {
		granted       bool
		err           error
		denied, error float64
	}{
		"granted":                            {granted: true},
		"not granted":                        {denied: 1},
		"a bad credential":                   {err: fault.New(fault.Unauthenticated, "key k1 is revoked", nil), denied: 1},
		"a database that is down is no such": {err: fault.New(fault.Unavailable, "query", nil), error: 1},
	} {
		t.Run(claim, func(t *testing.T) {
			var out strings.Builder
			decide := func(ctx context.Context, _ string, _ *string) (directory.Decision, error) {
				Consumed(ctx, 1.5)
				return directory.Decision{Viewer: northwind(""), Allowed: c.granted}, c.err
			}
			log := slog.New(slog.NewJSONHandler(&out, nil)).With("stack", "partnerview-dev")
			_, _ = Authorizer(decide, log)(t.Context(), authorizerEvent(bearer("Bearer x"))) // what it answers is tested above
			line := announced(t, out.String(), "denied", "errors", "consumedCapacity")
			if line["denied"] != c.denied || line["errors"] != c.error || line["consumedCapacity"] != 1.5 {
				t.Errorf("the line is %s", out.String())
			}
		})
	}
}

// The gateway counts by what the answer names; everything else that the
// authorizer says is seen by functions, logs and traces.
func TestAGatewayKeyIsInTheAnswerAndNowhereElse(t *testing.T) {
	for _, granted := range []bool{true, false} {
		for _, key := range []directory.Secret{"canary", ""} {
			decide := always(directory.Decision{Viewer: northwind("acme_retail"), Allowed: granted, GatewayKey: key}, nil)
			var log strings.Builder
			got, err := Authorizer(decide, slog.New(slog.NewJSONHandler(&log, nil)))(t.Context(), authorizerEvent(bearer("Bearer x")))
			if err != nil {
				t.Fatal(err)
			}
			answer, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if want := `"usageIdentifierKey":"canary"`; strings.Contains(string(answer), want) != (key != "") {
				t.Errorf("granted %v, key %q: the answer is %s", granted, key.Reveal(), answer)
			}
			got.UsageIdentifierKey = ""
			rest, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(rest)+log.String(), "canary") || strings.Contains(string(rest), "usageIdentifierKey") {
				t.Errorf("the key is elsewhere too: %s, %s", rest, log.String())
			}
		}
	}
}
