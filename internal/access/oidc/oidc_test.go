package oidc_test

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerview/internal/access/oidc"
	"partnerview/internal/fault"
	"partnerview/internal/testkit/oidctest"
)

const audience = "https://api.example.com"

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

var quiet = slog.New(slog.DiscardHandler)

// rsaKey is one for all tests, since to make one takes its time.
var rsaKey oidctest.Key

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if rsaKey, err = new(oidctest.Issuer).NewKey(jose.RS256); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	rsaKey.ID = "rsa"
	return m.Run()
}

// start runs an issuer that publishes rsaKey and a key on a curve.
func start(t testing.TB) (*oidctest.Issuer, oidctest.Key) {
	t.Helper()
	issuer, err := oidctest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Close)
	curve := newKey(t, issuer)
	issuer.Publish(rsaKey, curve)
	return issuer, curve
}

func newKey(t testing.TB, issuer *oidctest.Issuer) oidctest.Key {
	t.Helper()
	key, err := issuer.NewKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func verifier(t testing.TB, issuer *oidctest.Issuer) *oidc.Verifier {
	return verifierOf(t, issuer.URL, "partner_id", quiet)
}

func verifierOf(t testing.TB, issuer, claim string, log *slog.Logger) *oidc.Verifier {
	t.Helper()
	v, err := oidc.New(oidc.Settings{Issuer: issuer, Audience: audience, PartnerClaim: claim, Local: true}, clock, log)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// must is a token, or the end of the test.
func must(t testing.TB) func(string, error) string {
	return func(token string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
}

// token is one of northwind's.
func token(t testing.TB, issuer *oidctest.Issuer, key oidctest.Key) string {
	t.Helper()
	return must(t)(key.Sign(claimsOf(issuer, nil)))
}

// claimsOf are northwind's, with a change; nil: without that claim.
func claimsOf(issuer *oidctest.Issuer, change map[string]any) map[string]any {
	claims := issuer.Claims(audience, "northwind", now)
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

// expect asks for a token's outcome: "ok", or the kind of the fault.
func expect(t *testing.T, v *oidc.Verifier, token, want, what string) {
	t.Helper()
	_, err := v.Verify(t.Context(), token)
	got := "ok"
	if err != nil {
		got = fault.KindOf(err).String()
	}
	if got != want {
		t.Errorf("%s: %s, want %s: %v", what, got, want, err)
	}
}

func TestSettings(t *testing.T) {
	for claim, c := range map[string]struct {
		issuer, audience, claim, engine string
		want                            string // in the error; empty: none
		off                             bool
	}{
		"without an issuer it is off":             {audience: audience, claim: "partner_id", off: true},
		"an issuer and all that it needs":         {issuer: "https://login.example.com/realms/a", audience: audience, claim: "partner_id"},
		"no audience":                             {issuer: "https://login.example.com", claim: "partner_id", want: "OIDC_AUDIENCE is empty"},
		"no claim for the partner":                {issuer: "https://login.example.com", audience: audience, want: "OIDC_PARTNER_CLAIM is empty"},
		"an issuer in clear text":                 {issuer: "http://login.example.com", audience: audience, claim: "partner_id", engine: "http://127.0.0.1:8000", want: "not an https URL"},
		"one on this machine, on a real database": {issuer: "http://127.0.0.1:9000", audience: audience, claim: "partner_id", want: "not an https URL"},
		"one on this machine, with an engine":     {issuer: "http://127.0.0.1:9000", audience: audience, claim: "partner_id", engine: "http://127.0.0.1:8000"},
		"one on localhost, with an engine":        {issuer: "http://localhost:9000", audience: audience, claim: "partner_id", engine: "http://127.0.0.1:8000"},
		"one on ::1, with an engine":              {issuer: "http://[::1]:9000", audience: audience, claim: "partner_id", engine: "http://127.0.0.1:8000"},
		"one whose name begins like this machine": {issuer: "http://localhost.example.com", audience: audience, claim: "partner_id", engine: "http://127.0.0.1:8000", want: "not an https URL"},
		"one with a query":                        {issuer: "https://login.example.com?tenant=1", audience: audience, claim: "partner_id", want: "a query or a fragment"},
		"one with a password":                     {issuer: "https://a:b@login.example.com", audience: audience, claim: "partner_id", want: "not the URL of a service"},
		"a word":                                  {issuer: "login", audience: audience, claim: "partner_id", want: "not the URL of a service"},
	} {
		t.Run(claim, func(t *testing.T) {
			env := map[string]string{"OIDC_ISSUER": c.issuer, "OIDC_AUDIENCE": c.audience, "OIDC_PARTNER_CLAIM": c.claim, "AWS_ENDPOINT_URL_DYNAMODB": c.engine}
			tokens, err := oidc.FromEnv(func(name string) string { return env[name] }, clock, quiet)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
			if (tokens == nil) != (c.off || c.want != "") {
				t.Errorf("got %v: without a verifier, tokens are refused; with a nil one, the first of them is a panic", tokens)
			}
		})
	}
}
