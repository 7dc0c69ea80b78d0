package oidc

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Whatever is in a key set, what comes out are public keys of the two kinds, each
// for its own algorithm.
//
//fuzz:reaches keys.go:parseKeys keys.go:parseKey
func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"EC","kid":"a","use":"sig","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","kid":"c","crv":"P-384","x":"sNlYHAfC6o9fpGgeI1mHYPzbA6hePoft6jkkwqcgFerW0CVNGCvOj9rVVXQ90CKu","y":"w4-9VRc7Gx7K2YbknVOEleVncy_XfZZwmj_psGvpgAcq_PbAcQ7HDOHsllVhm2fo"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","kid":"b","alg":"RS256","n":"AQAB","e":"AQAB"},{"kty":"oct","k":"AAAA"},7,null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := parseKeys(text)
		if err != nil && set != nil || len(set) > maxKeys {
			t.Fatalf("%q: %d keys, %v", text, len(set), err)
		}
		for _, k := range set {
			switch p := k.public.(type) {
			case *rsa.PublicKey:
				if k.algorithm == jose.RS256 && p.N.BitLen() >= minRSABits {
					continue
				}
			case *ecdsa.PublicKey:
				if k.algorithm == jose.ES256 && p.Curve.Params().BitSize == 256 {
					continue
				}
			}
			t.Fatalf("%q holds a %T for %s", text, k.public, k.algorithm)
		}
	})
}

// SetClock gives the keys' age another clock; until then it is the time of day.
func (v *Verifier) SetClock(now func() time.Time) { v.keys.now = now }
