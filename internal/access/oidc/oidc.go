// Package oidc tells whose a token of one OIDC issuer is: a person's who has
// signed in there, or a program's that got it with the client-credentials grant.
//
// It owns what must be true of a token (docs/access.md, "Tokens"), and the
// issuer's keys: where they come from, how long they are kept and how often they
// are asked for. It owns no cryptography: go-jose verifies. It does not know
// partners, but for the form of their IDs: whether there is such a partner, and
// what it may see, is for package access.
//
// What must hold: only RS256 and ES256, with a key of the issuer's own set and of
// the kind that the algorithm names, never one that the token brings along. What
// is wrong with a token is a refusal; keys that cannot be had are a failure of
// ours and never a refusal. Nothing is asked for before there is a token that
// could count, and nothing runs when no request does: Lambda freezes a function
// between two of them. No error holds what a token said: its claims may be about
// people, and what a forger puts there is not ours to log.
//
// If it errs, a stranger reads a partner's customers.
package oidc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/fault"
)

// Settings name the issuer, and what its tokens must say.
type Settings struct {
	// Issuer is the issuer's URL as it stands in its tokens' iss, to the letter:
	// "https://login.example.com". Its discovery document is below it.
	Issuer string
	// Audience is what a token's aud must be, or contain.
	Audience string
	// PartnerClaim is the claim that holds the partner's ID, at the top of the
	// claims: "partner_id", "https://example.com/partner".
	PartnerClaim string
	// Local lets an issuer on this machine be asked without TLS.
	Local bool
}

// FromEnv makes what verifies tokens of OIDC_ISSUER, OIDC_AUDIENCE and
// OIDC_PARTNER_CLAIM; nil, and nothing else, where OIDC_ISSUER is empty. An issuer
// without TLS is let through as a fixed clock is: on this machine, with an engine
// of one's own.
func FromEnv(getenv func(string) string, now func() time.Time, log *slog.Logger) (access.Tokens, error) {
	if getenv("OIDC_ISSUER") == "" {
		return nil, nil
	}
	v, err := New(Settings{
		Issuer: getenv("OIDC_ISSUER"), Audience: getenv("OIDC_AUDIENCE"), PartnerClaim: getenv("OIDC_PARTNER_CLAIM"),
		Local: getenv("AWS_ENDPOINT_URL_DYNAMODB") != "",
	}, now, log)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Verifier verifies tokens of one issuer. It may be used by several goroutines.
type Verifier struct {
	settings Settings
	now      func() time.Time
	keys     *keyring
}

// New makes a Verifier; now is what tokens' times are held against, log is told
// when the issuer does not answer, even while known keys still serve. It asks
// nobody for anything. Each error names the variable that is to be mended.
func New(s Settings, now func() time.Time, log *slog.Logger) (*Verifier, error) {
	switch {
	case s.Audience == "":
		return nil, errors.New("OIDC_AUDIENCE is empty: without it, a token that the issuer made for any other " +
			"service would count here")
	case s.PartnerClaim == "":
		return nil, errors.New("OIDC_PARTNER_CLAIM is empty: no token could name its partner")
	case strings.ContainsAny(s.Issuer, "?#"):
		return nil, fmt.Errorf("OIDC_ISSUER: %q is no issuer: it has a query or a fragment", s.Issuer)
	}
	if err := allowed(s.Issuer, s.Local); err != nil {
		return nil, fmt.Errorf("OIDC_ISSUER: %w", err)
	}
	return &Verifier{settings: s, now: now, keys: newKeyring(newSource(s), log)}, nil
}

// allowed checks that keys may come from a URL: by TLS, or from this machine
// where that is allowed.
func allowed(text string, local bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("%q is not the URL of a service", text)
	case u.Scheme == "https", u.Scheme == "http" && local && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%q is not an https URL (http is for an issuer on this machine, with a database of its own)",
		text)
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// Verify says whose a token is.
//
// fault.Unauthenticated: it is no token of this issuer for us, or does not count
// now. fault.Unavailable: the issuer's keys cannot be had.
func (v *Verifier) Verify(ctx context.Context, text string) (directory.Identity, error) {
	token, err := parse(text)
	if err != nil {
		return directory.Identity{}, err
	}
	// Before the issuer is asked for anything: what could not count anyway is
	// refused by what it says of itself.
	var said, verified claims
	if token.jwt.UnsafeClaimsWithoutVerification(&said, &said.all) != nil {
		return directory.Identity{}, refuse("its claims are malformed")
	}
	if _, err := v.identify(said); err != nil {
		return directory.Identity{}, err
	}
	key, err := v.keys.find(ctx, token.key)
	if err != nil {
		return directory.Identity{}, err
	}
	if token.jwt.Claims(key, &verified, &verified.all) != nil {
		return directory.Identity{}, refuse("its signature is wrong")
	}
	return v.identify(verified)
}

// refuse makes the error for a token that does not count; why is for the log
// only, and one of our own texts.
func refuse(why string) error { return fault.New(fault.Unauthenticated, "token: "+why, nil) }

const (
	// maxToken is more than any issuer's token has that fits beside API Gateway's
	// other headers, 10,240 bytes in all. What is larger is not looked at.
	maxToken = 8 << 10
	// skew is how far our clock and the issuer's may be apart.
	skew = time.Minute
)

// algorithms are what a token may be signed with: what OIDC asks every issuer
// for, and its likes on curves. None of them has a secret that we would share.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}

// types are the values of typ that an access token may have (RFC 7519, section
// 5.1; RFC 9068, section 2.1), in lower case. Many issuers leave it out. Tokens for
// other ends (logout+jwt, dpop+jwt) say so there.
var types = []string{"jwt", "at+jwt", "application/at+jwt"}

// token is a JWT that is well-formed, and no more than that.
type token struct {
	jwt *jwt.JSONWebToken
	key keyRef
}

// parse reads a token's form and header. The keys that a header can bring along
// or point at (jwk, x5c, jku, x5u) are for other protocols, and not looked at.
func parse(text string) (token, error) {
	if len(text) > maxToken {
		return token{}, refuse("longer than 8 kB")
	}
	parsed, err := jwt.ParseSigned(text, algorithms) // its errors quote the token
	if err != nil {
		return token{}, refuse("no JWT, or not signed with RS256 or ES256")
	}
	header := parsed.Headers[0]
	if _, has := header.ExtraHeaders["crit"]; has {
		return token{}, refuse("crit asks for something that is not known here")
	}
	if typ, has := header.ExtraHeaders[jose.HeaderType]; has {
		name, _ := typ.(string)
		if !slices.Contains(types, strings.ToLower(name)) {
			return token{}, refuse("its type is not that of an access token")
		}
	}
	return token{parsed, keyRef{header.KeyID, jose.SignatureAlgorithm(header.Algorithm)}}, nil
}

// claims are what a token says. One that stands there twice is an error, since two
// readers could mean two different ones.
type claims struct {
	jwt.Claims
	ClientID        string `json:"client_id"` // RFC 9068
	AuthorizedParty string `json:"azp"`       // OpenID Connect Core, section 2
	all             map[string]any
}

// identify says whose a token is by its claims, if they are for us and for now.
func (v *Verifier) identify(c claims) (directory.Identity, error) {
	if c.Expiry == nil {
		return directory.Identity{}, refuse("it never expires")
	}
	if err := c.ValidateWithLeeway(jwt.Expected{
		Issuer: v.settings.Issuer, AnyAudience: jwt.Audience{v.settings.Audience}, Time: v.now(),
	}, skew); err != nil {
		// Its errors are constants that say which claim.
		return directory.Identity{}, refuse(strings.TrimPrefix(err.Error(), "go-jose/go-jose/jwt: "))
	}
	name, ok := c.all[v.settings.PartnerClaim].(string)
	if !ok {
		return directory.Identity{}, refuse("the claim for the partner is missing, or no text")
	}
	partner, err := directory.ParsePartnerID(name)
	if err != nil {
		return directory.Identity{}, refuse("the claim for the partner is not a partner's ID")
	}
	// A program's token has its client for a subject, or may have none.
	who := cmp.Or(c.Subject, c.ClientID, c.AuthorizedParty)
	if who == "" {
		return directory.Identity{}, refuse("it does not say who it was made for")
	}
	return directory.Identity{
		Partner: partner, KeyID: directory.TokenKeyID(v.settings.Issuer, who),
		Narrowed: directory.PersonID(v.settings.Issuer, who),
	}, nil
}
