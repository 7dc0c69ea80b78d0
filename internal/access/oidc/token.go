package oidc

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"partnerview/internal/directory"
)

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

// claims are what a token says.
type claims struct {
	jwt.Claims
	ClientID        string `json:"client_id"` // RFC 9068
	AuthorizedParty string `json:"azp"`       // OpenID Connect Core, section 2
	all             map[string]any
}

// unverified are a token's claims, whoever made it. A claim that stands there
// twice is an error, since two readers could mean two different ones.
func (t token) unverified() (claims, error) {
	var c claims
	if err := t.jwt.UnsafeClaimsWithoutVerification(&c, &c.all); err != nil {
		return claims{}, refuse("its claims are malformed")
	}
	return c, nil
}

// verified are the claims of a token that a key has signed.
func (t token) verified(key any) (claims, error) {
	var c claims
	if err := t.jwt.Claims(key, &c, &c.all); err != nil {
		return claims{}, refuse("its signature is wrong")
	}
	return c, nil
}

// identify says whose a token is by its claims, if they are for us and for now.
func (v *Verifier) identify(c claims) (directory.Identity, error) {
	if c.Expiry == nil {
		return directory.Identity{}, refuse("it never expires")
	}
	if err := c.ValidateWithLeeway(jwt.Expected{
		Issuer: v.settings.Issuer, AnyAudience: jwt.Audience{v.settings.Audience}, Time: v.now(),
	}, skew); err != nil {
		return directory.Identity{}, refuse(strings.TrimPrefix(err.Error(), "go-jose/go-jose/jwt: ")) // constants that say which claim
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
	return directory.Identity{Partner: partner, KeyID: keyID(v.settings.Issuer, who)}, nil
}

// keyID names a person or a program in logs: the same each time, and without
// telling who, since a subject may be an address or a name.
func keyID(issuer, who string) string {
	sum := sha256.Sum256([]byte(issuer + "\n" + who))
	return "oidc-" + hex.EncodeToString(sum[:8])
}
