package oidc_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"partnerview/internal/fault"
)

// Whatever is sent for a token is refused, and in a few words of ours, unless it
// says what the issuer has signed.
func FuzzToken(f *testing.F) {
	issuer, key := start(f)
	v := verifier(f, issuer)
	claims := issuer.Claims(audience, "northwind", now)
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
