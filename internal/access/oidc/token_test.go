package oidc_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerview/internal/fault"
	"partnerview/internal/testkit/oidctest"
)

// encoded is a token of parts that no library would make: nobody signs it.
func encoded(header, claims any, signature []byte) string {
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	return part(header) + "." + part(claims) + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestATokenCounts(t *testing.T) {
	issuer, curve := start(t)
	v := verifier(t, issuer)
	with := func(change map[string]any) map[string]any { return claimsOf(issuer, change) }
	at := func(seconds int) int64 { return now.Unix() + int64(seconds) }
	ids := map[string]string{}
	for claim, c := range map[string]struct {
		key    oidctest.Key
		claims map[string]any
	}{
		"signed with RS256":                             {rsaKey, with(nil)},
		"signed with ES256":                             {curve, with(nil)},
		"for us among others":                           {curve, with(map[string]any{"aud": []string{"https://other.example.com", audience}})},
		"for us alone, as a list":                       {curve, with(map[string]any{"aud": []string{audience}})},
		"expired 60 s ago, by clocks that are apart":    {curve, with(map[string]any{"exp": at(-60)})},
		"valid in 60 s":                                 {curve, with(map[string]any{"nbf": at(60)})},
		"made in 60 s":                                  {curve, with(map[string]any{"iat": at(60)})},
		"valid already":                                 {curve, with(map[string]any{"nbf": at(-60)})},
		"without iat":                                   {curve, with(map[string]any{"iat": nil})},
		"with times in fractions":                       {curve, with(map[string]any{"exp": float64(at(100)) + .5})},
		"of a program, by client_id":                    {curve, with(map[string]any{"sub": nil, "client_id": "user-of-northwind"})},
		"of a program, by azp":                          {curve, with(map[string]any{"sub": nil, "azp": "user-of-northwind"})},
		"with claims that nobody here knows":            {curve, with(map[string]any{"roles": []string{"x"}, "Partner_ID": "southbank", "EXP": 1, "name": "Somebody"})},
		"of a person who used a client of the issuer's": {curve, with(map[string]any{"azp": "dashboard", "client_id": "dashboard"})},
	} {
		t.Run(claim, func(t *testing.T) {
			who, err := v.Verify(t.Context(), must(t)(c.key.Sign(c.claims)))
			if err != nil || who.Partner != "northwind" {
				t.Fatalf("got %+v, %v", who, err)
			}
			ids[who.KeyID] = claim
		})
	}
	if len(ids) != 1 {
		t.Errorf("one person has the key IDs %v: the audit could not tell that it is one", ids)
	}
	if other, err := v.Verify(t.Context(), must(t)(curve.Sign(with(map[string]any{"sub": "somebody else"})))); err != nil || ids[other.KeyID] != "" ||
		len(other.KeyID) != len("oidc-")+16 || strings.Contains(other.KeyID, "somebody") {
		t.Errorf("another person's key ID is %q, %v", other.KeyID, err)
	}
}

func TestATypeCounts(t *testing.T) {
	issuer, key := start(t)
	v := verifier(t, issuer)
	for typ, counts := range map[any]bool{
		"JWT": true, "jwt": true, "at+jwt": true, "AT+JWT": true, "application/at+jwt": true,
		"": false, "logout+jwt": false, "dpop+jwt": false, "JOSE": false, 7: false,
	} {
		token := must(t)(key.SignWith(map[jose.HeaderKey]any{"kid": key.ID, "typ": typ}, claimsOf(issuer, nil)))
		if _, err := v.Verify(t.Context(), token); (err == nil) != counts || err != nil && !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("typ %v: %v", typ, err)
		}
	}
	if _, err := v.Verify(t.Context(), must(t)(key.SignWith(map[jose.HeaderKey]any{"kid": key.ID}, claimsOf(issuer, nil)))); err != nil {
		t.Errorf("without typ: %v", err)
	}
}

// Each of these is a token that somebody could be let in by. secret is in all
// of them: no error may quote what a token says.
func TestATokenThatDoesNotCountIsRefused(t *testing.T) {
	const secret = "447700900123"
	issuer, curve := start(t)
	stranger := newKey(t, issuer)
	claims := func(change map[string]any) map[string]any {
		claims := claimsOf(issuer, change)
		claims["phone"] = secret
		return claims
	}
	sign := must(t)
	signed := func(change map[string]any) string { return sign(curve.Sign(claims(change))) }
	header := func(change map[jose.HeaderKey]any) map[jose.HeaderKey]any {
		h := map[jose.HeaderKey]any{"typ": "JWT", "kid": curve.ID}
		maps.Copy(h, change)
		return h
	}
	hmac := func(secret []byte) string {
		return sign(oidctest.Key{Algorithm: jose.HS256, Private: secret}.SignWith(map[jose.HeaderKey]any{"kid": rsaKey.ID}, claims(nil)))
	}
	public := rsaKey.Public()
	der, err := x509.MarshalPKIXPublicKey(public.Key)
	if err != nil {
		t.Fatal(err)
	}
	jwk, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	at := func(seconds int) int64 { return now.Unix() + int64(seconds) }
	good := signed(nil)
	parts := strings.Split(good, ".")
	text := func(payload string) string { return sign(curve.SignText(header(nil), []byte(payload))) }
	for claim, token := range map[string]string{
		"alg none":                               encoded(map[string]string{"alg": "none", "kid": curve.ID}, claims(nil), nil),
		"alg None":                               encoded(map[string]string{"alg": "None", "kid": curve.ID}, claims(nil), nil),
		"no alg":                                 encoded(map[string]string{"kid": curve.ID}, claims(nil), nil),
		"HS256 with the public key as PEM":       hmac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"HS256 with the public key as DER":       hmac(der),
		"HS256 with the public key as JWK":       hmac(jwk),
		"PS256, by a key of the issuer's":        sign(oidctest.Key{Algorithm: jose.PS256, Private: rsaKey.Private}.SignWith(map[jose.HeaderKey]any{"kid": rsaKey.ID}, claims(nil))),
		"RS512, by a key of the issuer's":        sign(oidctest.Key{Algorithm: jose.RS512, Private: rsaKey.Private}.SignWith(map[jose.HeaderKey]any{"kid": rsaKey.ID}, claims(nil))),
		"a key on a curve used as RS256":         sign(rsaKey.SignWith(header(nil), claims(nil))),
		"an RSA key used as ES256":               sign(curve.SignWith(header(map[jose.HeaderKey]any{"kid": rsaKey.ID}), claims(nil))),
		"another's signature":                    sign(stranger.SignWith(header(nil), claims(nil))),
		"no signature":                           parts[0] + "." + parts[1] + ".",
		"another token's signature":              parts[0] + "." + parts[1] + "." + strings.Split(signed(map[string]any{"jti": "2"}), ".")[2],
		"claims of another token":                parts[0] + "." + strings.Split(signed(map[string]any{"partner_id": "southbank"}), ".")[1] + "." + parts[2],
		"a key that nobody knows":                sign(stranger.Sign(claims(nil))),
		"a key that it brings along, in jwk":     sign(stranger.SignWith(header(map[jose.HeaderKey]any{"kid": stranger.ID, "jwk": stranger.Public()}), claims(nil))),
		"a key that it points at, in jku":        sign(stranger.SignWith(header(map[jose.HeaderKey]any{"kid": stranger.ID, "jku": issuer.URL + "/jku"}), claims(nil))),
		"a key that it points at, in x5u":        sign(stranger.SignWith(header(map[jose.HeaderKey]any{"kid": stranger.ID, "x5u": issuer.URL + "/x5u"}), claims(nil))),
		"a known kid, and another key in jwk":    sign(stranger.SignWith(header(map[jose.HeaderKey]any{"jwk": stranger.Public()}), claims(nil))),
		"crit":                                   sign(curve.SignWith(header(map[jose.HeaderKey]any{"crit": []string{"exp"}, "exp": 1}), claims(nil))),
		"crit of a thing that the library knows": sign(curve.SignWith(header(map[jose.HeaderKey]any{"crit": []string{"b64"}, "b64": true}), claims(nil))),
		"crit that is empty":                     sign(curve.SignWith(header(map[jose.HeaderKey]any{"crit": []string{}}), claims(nil))),
		"a kid that is a number":                 sign(curve.SignWith(header(map[jose.HeaderKey]any{"kid": 1}), claims(nil))),
		"another issuer":                         signed(map[string]any{"iss": "https://login.example.com"}),
		"the issuer with a slash more":           signed(map[string]any{"iss": issuer.URL + "/"}),
		"the issuer in other letters":            signed(map[string]any{"iss": strings.ToUpper(issuer.URL)}),
		"no issuer":                              signed(map[string]any{"iss": nil}),
		"an issuer that is a list":               signed(map[string]any{"iss": []string{issuer.URL}}),
		"another audience":                       signed(map[string]any{"aud": "https://other.example.com"}),
		"other audiences":                        signed(map[string]any{"aud": []string{"https://other.example.com", audience + "/"}}),
		"no audience":                            signed(map[string]any{"aud": nil}),
		"a list of no audiences":                 signed(map[string]any{"aud": []string{}}),
		"an audience that is an object":          signed(map[string]any{"aud": map[string]string{audience: audience}}),
		"an audience among numbers":              signed(map[string]any{"aud": []any{audience, 1}}),
		"expired 61 s ago":                       signed(map[string]any{"exp": at(-61)}),
		"no exp":                                 signed(map[string]any{"exp": nil}),
		"exp null":                               text(`{"iss":"` + issuer.URL + `","aud":"` + audience + `","sub":"` + secret + `","partner_id":"northwind","exp":null}`),
		"an exp that is a text":                  signed(map[string]any{"exp": fmt.Sprint(at(300))}),
		"an exp beyond all time":                 signed(map[string]any{"exp": 1e300}),
		"valid in 61 s":                          signed(map[string]any{"nbf": at(61)}),
		"an nbf that is a text":                  signed(map[string]any{"nbf": "now"}),
		"made in 61 s":                           signed(map[string]any{"iat": at(61)}),
		"no partner":                             signed(map[string]any{"partner_id": nil}),
		"a partner that is a number":             signed(map[string]any{"partner_id": 7}),
		"a partner that is a list":               signed(map[string]any{"partner_id": []string{"northwind"}}),
		"a partner that is true":                 signed(map[string]any{"partner_id": true}),
		"a partner in capitals":                  signed(map[string]any{"partner_id": "Northwind"}),
		"an empty partner":                       signed(map[string]any{"partner_id": ""}),
		"another item's key for a partner":       signed(map[string]any{"partner_id": "northwind#KEY"}),
		"nobody for a subject":                   signed(map[string]any{"sub": nil}),
		"a subject that is a number":             signed(map[string]any{"sub": 7}),
		"two partners":                           text(`{"iss":"` + issuer.URL + `","aud":"` + audience + `","sub":"` + secret + `","partner_id":"northwind","partner_id":"southbank","exp":` + fmt.Sprint(at(300)) + `}`),
		"two expiries":                           text(`{"iss":"` + issuer.URL + `","aud":"` + audience + `","sub":"` + secret + `","partner_id":"northwind","exp":1,"exp":` + fmt.Sprint(at(300)) + `}`),
		"claims that are a list":                 text(`["` + secret + `"]`),
		"claims that are no JSON":                text(secret),
		"no claims":                              parts[0] + ".." + parts[2],
		"a token within a token, as one that is encrypted has": good + ".a.b",
		"an encrypted token":          encrypted(t, good),
		"a token of 10 kB":            signed(map[string]any{"groups": strings.Repeat("x", 7000)}),
		"a token of nothing but dots": strings.Repeat(".", 8000),
		"dots alone":                  "..",
		"nothing":                     "",
		"a space in it":               parts[0] + "." + parts[1] + ". " + parts[2],
		"padding":                     parts[0] + "." + parts[1] + "." + parts[2] + "==",
		"not base64url":               parts[0] + "." + parts[1] + ".+/" + parts[2],
		"a word":                      "hunter2",
	} {
		t.Run(claim, func(t *testing.T) {
			if claim == "a token of 10 kB" && len(token) < 9000 {
				t.Fatalf("it has %d bytes", len(token))
			}
			who, err := verifier(t, issuer).Verify(t.Context(), token)
			if !fault.Is(err, fault.Unauthenticated) || who.Partner != "" || who.KeyID != "" {
				t.Fatalf("got %+v, %v; want a refusal", who, err)
			}
			if strings.Contains(err.Error(), secret) || len(err.Error()) > 150 {
				t.Errorf("the log's text quotes the token: %v", err)
			}
		})
	}
	if _, err := verifier(t, issuer).Verify(t.Context(), good); err != nil {
		t.Errorf("the token that they all derive from: %v", err)
	}
	if issuer.Asked("/jku")+issuer.Asked("/x5u") != 0 {
		t.Error("a token had the issuer asked for what it points at")
	}
}

// encrypted is a signed token within an encrypted one.
func encrypted(t *testing.T, token string) string {
	public := rsaKey.Public()
	e, err := jose.NewEncrypter(jose.A128GCM, jose.Recipient{Algorithm: jose.RSA_OAEP, Key: public.Key}, (&jose.EncrypterOptions{}).WithContentType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := e.Encrypt([]byte(token))
	if err != nil {
		t.Fatal(err)
	}
	return must(t)(o.CompactSerialize())
}

// What cannot count costs nobody anything: the issuer is not asked for keys.
func TestATokenThatCannotCountHasNobodyAsked(t *testing.T) {
	issuer, key := start(t)
	v := verifier(t, issuer)
	claims := claimsOf(issuer, map[string]any{"exp": now.Add(-time.Hour).Unix()})
	for _, token := range []string{"hunter2", "a.b.c", encoded(map[string]string{"alg": "none"}, claims, nil), must(t)(key.Sign(claims))} {
		if _, err := v.Verify(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("got %v", err)
		}
	}
	if n := issuer.Asked(oidctest.DiscoveryPath); n != 0 {
		t.Errorf("the issuer was asked %d times", n)
	}
}

func TestTheClaimForThePartnerIsTheConfiguredOne(t *testing.T) {
	issuer, key := start(t)
	const name = "https://example.com/partner"
	v := verifierOf(t, issuer.URL, name, quiet)
	claims := claimsOf(issuer, nil)
	if _, err := v.Verify(t.Context(), must(t)(key.Sign(claims))); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("without %s: %v", name, err)
	}
	claims[name] = "southbank"
	if who, err := v.Verify(t.Context(), must(t)(key.Sign(claims))); err != nil || who.Partner != "southbank" {
		t.Errorf("got %+v, %v", who, err)
	}
}

// Whatever is sent for a token is refused, and in a few words of ours, unless it
// says what the issuer has signed.
//
//fuzz:reaches oidc.go:parse
func FuzzToken(f *testing.F) {
	issuer, key := start(f)
	v := verifier(f, issuer)
	claims := claimsOf(issuer, nil)
	good := must(f)(key.Sign(claims))
	signed, _, _ := strings.Cut(good[strings.IndexByte(good, '.')+1:], ".")
	payload, err := base64.RawURLEncoding.DecodeString(signed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(must(f)(rsaKey.Sign(claims)))
	f.Add(must(f)(key.SignWith(map[jose.HeaderKey]any{"jwk": key.Public(), "crit": []string{"b64"}, "b64": false, "typ": "at+jwt"}, claims)))
	f.Add(encoded(map[string]any{"alg": "none", "kid": 1}, claims, nil))
	f.Add(encoded(map[string]any{"alg": "ES256", "x5c": []string{"MIIB"}}, []int{1}, []byte("x")))
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		who, err := v.Verify(t.Context(), text)
		if err != nil {
			if !fault.Is(err, fault.Unauthenticated) || who.Partner != "" || len(err.Error()) > 150 {
				t.Fatalf("%q is answered with %+v, %v", text, who, err)
			}
			return
		}
		parts := strings.Split(text, ".")
		said, err := base64.RawURLEncoding.DecodeString(parts[1])
		if who.Partner != "northwind" || err != nil || string(said) != string(payload) {
			t.Fatalf("%q is let in as %+v: nobody has signed it", text, who)
		}
	})
}
