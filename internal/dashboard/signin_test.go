package dashboard

import (
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var demoIssuer = SignIn{
	Issuer: "https://login.example.com/realms/partners", ClientID: "dashboard", Scope: "openid profile",
	Ask: map[string]string{"resource": "https://api.example.com"},
}

func withIssuer(t *testing.T, s SignIn) http.Handler {
	t.Helper()
	h, err := Handler("openapi: 3.1.1\n", Gateway{}, s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var issuerElement = regexp.MustCompile(`\n<meta name="issuer" content="([^"]*)">`)

func TestThePageMayAskItsIssuerAndNothingElse(t *testing.T) {
	h := withIssuer(t, demoIssuer)
	const with = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' https://login.example.com; " +
		"form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	if got := get(h, "/").Header().Get("Content-Security-Policy"); got != with {
		t.Errorf("the page's policy is %s", got)
	}
	for _, path := range []string{"/docs", "/openapi.yaml", "/nowhere"} {
		if got := get(h, path).Header().Get("Content-Security-Policy"); got != contentSecurityPolicy {
			t.Errorf("%s, which asks nobody, has the policy %s", path, got)
		}
	}
}

func TestTheDocumentTellsTheIssuer(t *testing.T) {
	match := issuerElement.FindStringSubmatch(get(withIssuer(t, demoIssuer), "/").Body.String())
	if match == nil {
		t.Fatal("it does not")
	}
	var told map[string]any
	if err := json.Unmarshal([]byte(html.UnescapeString(match[1])), &told); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"issuer": demoIssuer.Issuer, "clientId": "dashboard", "scope": "openid profile", "ask": map[string]any{"resource": "https://api.example.com"}}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutAnIssuerThePageIsThatOfKeysAlone(t *testing.T) {
	with, without := get(withIssuer(t, demoIssuer), "/"), get(withIssuer(t, SignIn{}), "/")
	if got := issuerElement.ReplaceAllString(with.Body.String(), ""); got != without.Body.String() {
		t.Error("the documents differ in more than the issuer")
	}
	if got := without.Header().Get("Content-Security-Policy"); got != contentSecurityPolicy {
		t.Errorf("the policy is %s", got)
	}
	if with.Header().Get("ETag") == without.Header().Get("ETag") {
		t.Error("a browser that has the one takes it for the other")
	}
}

func TestSignInFromEnv(t *testing.T) {
	from := func(variables map[string]string) (SignIn, error) {
		return SignInFromEnv(func(name string) string { return variables[name] })
	}
	all := func(change ...string) map[string]string {
		v := map[string]string{"OIDC_ISSUER": demoIssuer.Issuer, "OIDC_AUDIENCE": "https://api.example.com", "OIDC_CLIENT_ID": "dashboard", "OIDC_SCOPE": "openid profile", "OIDC_AUDIENCE_PARAMETER": "resource"}
		for i := 0; i+1 < len(change); i += 2 {
			v[change[i]] = change[i+1]
		}
		return v
	}
	changed := func(change func(*SignIn)) SignIn {
		s := demoIssuer
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		variables map[string]string
		want      SignIn
	}{
		"all":                       {all(), demoIssuer},
		"no variable":               {nil, SignIn{}},
		"an issuer for programs":    {all("OIDC_CLIENT_ID", ""), SignIn{}},
		"a client without issuer":   {all("OIDC_ISSUER", ""), SignIn{}},
		"no scope":                  {all("OIDC_SCOPE", ""), changed(func(s *SignIn) { s.Scope = "openid" })},
		"the parameter audience":    {all("OIDC_AUDIENCE_PARAMETER", "audience"), changed(func(s *SignIn) { s.Ask = map[string]string{"audience": "https://api.example.com"} })},
		"an issuer that knows":      {all("OIDC_AUDIENCE_PARAMETER", "none"), changed(func(s *SignIn) { s.Ask = nil })},
		"an issuer of this machine": {all("OIDC_ISSUER", "http://127.0.0.1:4000"), changed(func(s *SignIn) { s.Issuer = "http://127.0.0.1:4000" })},
	} {
		got, err := from(c.variables)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, issuer := range []string{"http://login.example.com", "login.example.com", "https://", "https://:443", "https://a;script-src.example", "https://a b.example", "javascript://127.0.0.1", "https://*.example.com", "https://a,b.example", "https://user@login.example.com;x"} {
		if s, err := from(all("OIDC_ISSUER", issuer)); err == nil || strings.Contains(err.Error(), issuer) && len(issuer) > 8 {
			t.Errorf("%s: %v, %v", issuer, s, err)
		}
	}
	if _, err := from(all("OIDC_AUDIENCE_PARAMETER", "aud")); err == nil {
		t.Error("any parameter will do")
	}
}
