package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"
)

// SignIn is the issuer at which people may sign in, besides with access keys. The
// zero value is none.
type SignIn struct {
	Issuer   string // as tokens name it: "https://login.example.com/realms/partners"
	ClientID string // the page's public client
	Scope    string // "openid profile"
	// Ask is what a token for the API is asked for with: {"resource": "https://api.example.com"}
	// by RFC 8707. Empty where the issuer knows.
	Ask map[string]string
}

// SignInFromEnv reads the variables that template.yaml sets where there is an issuer.
// Without an issuer, or without a client for the page, people sign in with access keys.
func SignInFromEnv(getenv func(string) string) (SignIn, error) {
	s := SignIn{Issuer: getenv("OIDC_ISSUER"), ClientID: getenv("OIDC_CLIENT_ID"), Scope: getenv("OIDC_SCOPE")}
	if s.Issuer == "" || s.ClientID == "" {
		return SignIn{}, nil
	}
	if s.Scope == "" {
		s.Scope = "openid"
	}
	switch parameter := getenv("OIDC_AUDIENCE_PARAMETER"); parameter {
	case "resource", "audience":
		s.Ask = map[string]string{parameter: getenv("OIDC_AUDIENCE")}
	case "none":
	default:
		return SignIn{}, fmt.Errorf("OIDC_AUDIENCE_PARAMETER is %q, not resource, audience or none", parameter)
	}
	if _, err := s.origin(); err != nil {
		return SignIn{}, err
	}
	return s, nil
}

// hostSigns are what an issuer's host and port consist of: none ends a source or a
// directive of the policy, in which they stand.
const hostSigns = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]"

// origin is the issuer's, "https://login.example.com"; empty without one. Plain http is
// for an issuer on this machine.
func (s SignIn) origin() (string, error) {
	if s.Issuer == "" {
		return "", nil
	}
	at, err := url.Parse(s.Issuer)
	if err != nil || at.Hostname() == "" || strings.Trim(at.Host, hostSigns) != "" {
		return "", errors.New("OIDC_ISSUER is not the URL of an issuer")
	}
	loopback := at.Hostname() == "127.0.0.1" || at.Hostname() == "localhost" || at.Hostname() == "::1"
	if at.Scheme != "https" && !(at.Scheme == "http" && loopback) {
		return "", errors.New("OIDC_ISSUER must begin with https://")
	}
	return at.Scheme + "://" + strings.ToLower(at.Host), nil
}

// element tells the page of the issuer, without a script in the document. Empty
// without one: then the document is that of access keys alone.
func (s SignIn) element() (string, error) {
	if s.Issuer == "" {
		return "", nil
	}
	text, err := json.Marshal(struct {
		Issuer   string            `json:"issuer"`
		ClientID string            `json:"clientId"`
		Scope    string            `json:"scope"`
		Ask      map[string]string `json:"ask,omitempty"`
	}{s.Issuer, s.ClientID, s.Scope, s.Ask})
	if err != nil {
		return "", err
	}
	return "\n" + `<meta name="issuer" content="` + html.EscapeString(string(text)) + `">`, nil
}

// policy is the Content-Security-Policy of the page: with an issuer, it may ask that
// one too, for its endpoints and for tokens.
func (s SignIn) policy() (string, error) {
	origin, err := s.origin()
	if err != nil || origin == "" {
		return contentSecurityPolicy, err
	}
	return strings.Replace(contentSecurityPolicy, "connect-src 'self'", "connect-src 'self' "+origin, 1), nil
}
