package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"partnerview/internal/testkit/oidctest"
)

func TestATokenWithoutKidCountsWhereOneKeyAloneFits(t *testing.T) {
	issuer, curve := start(t)
	bare := func(key oidctest.Key) string {
		return must(t)(key.SignWith(nil, issuer.Claims(audience, "northwind", now)))
	}
	v := verifier(t, issuer)
	expect(t, v, bare(curve), "ok", "one key on a curve, one of RSA")
	expect(t, v, bare(rsaKey), "ok", "one key on a curve, one of RSA")
	second := newKey(t, issuer)
	issuer.Publish(rsaKey, curve, second)
	v = verifier(t, issuer)
	expect(t, v, bare(curve), "unauthenticated", "two keys on a curve")
	expect(t, v, bare(rsaKey), "ok", "two keys on a curve, one of RSA")
	second.ID = curve.ID
	issuer.Publish(curve, second)
	expect(t, verifier(t, issuer), token(t, issuer, curve), "unauthenticated", "two keys of the same kid")
	second.ID = ""
	issuer.Publish(second)
	expect(t, verifier(t, issuer), bare(second), "ok", "one key, without kid itself")
}

// Keys for other ends do not verify; and they do not take the good ones along.
func TestKeysThatDoNotCount(t *testing.T) {
	issuer, good := start(t)
	claims := issuer.Claims(audience, "northwind", now)
	raw := func(key oidctest.Key, change map[string]any) map[string]any {
		text, err := json.Marshal(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]any{}
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		for name, value := range change {
			if m[name] = value; value == nil {
				delete(m, name)
			}
		}
		return m
	}
	t.Setenv("GODEBUG", "rsa1024min=0") // else Go itself refuses to make one
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := oidctest.Key{ID: "weak", Algorithm: jose.RS256, Private: small}
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte(strings.Repeat("s", 32))
	for claim, c := range map[string]struct {
		key    oidctest.Key
		public any
		counts bool
	}{
		"as it is":                       {good, raw(good, nil), true},
		"without use and alg":            {good, raw(good, map[string]any{"use": nil, "alg": nil}), true},
		"to verify":                      {good, raw(good, map[string]any{"use": nil, "key_ops": []string{"verify"}}), true},
		"with a certificate that is odd": {good, raw(good, map[string]any{"x5c": []string{"MIIB"}, "x5t": "?"}), true},
		"with its private half":          {good, raw(good, map[string]any{"d": "AA"}), true},
		"with things nobody knows":       {good, raw(good, map[string]any{"ext": true, "nbf": 1}), true},
		"for encryption":                 {good, raw(good, map[string]any{"use": "enc"}), false},
		"to sign alone":                  {good, raw(good, map[string]any{"key_ops": []string{"sign"}}), false},
		"to do nothing":                  {good, raw(good, map[string]any{"key_ops": []string{}}), false},
		"for another algorithm":          {good, raw(good, map[string]any{"alg": "ES384"}), false},
		"of RSA, for another algorithm":  {rsaKey, raw(rsaKey, map[string]any{"alg": "PS256"}), false},
		"of RSA, of 1024 bits":           {weak, weak.Public(), false},
		"on another curve":               {oidctest.Key{ID: "wide", Algorithm: jose.ES384, Private: wide}, jose.JSONWebKey{Key: wide.Public(), KeyID: "wide"}, false},
		"of a point beside the curve":    {good, raw(good, map[string]any{"y": raw(good, nil)["x"]}), false},
		"a secret":                       {oidctest.Key{ID: "secret", Algorithm: jose.HS256, Private: secret}, jose.JSONWebKey{Key: secret, KeyID: "secret", Algorithm: "HS256"}, false},
		"of a kind nobody knows":         {good, raw(good, map[string]any{"kty": "XX"}), false},
		"of no kind":                     {good, raw(good, map[string]any{"kty": nil}), false},
		"no object":                      {good, 7, false},
	} {
		t.Run(claim, func(t *testing.T) {
			other := newKey(t, issuer)
			issuer.Answer(oidctest.KeysPath, func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{c.public, other.Public()}})
			})
			v := verifier(t, issuer)
			want := "unauthenticated"
			if c.counts {
				want = "ok"
			}
			expect(t, v, must(t)(c.key.Sign(claims)), want, "a token of it")
			expect(t, v, must(t)(other.Sign(claims)), "ok", "a token of the key beside it")
		})
	}
}
