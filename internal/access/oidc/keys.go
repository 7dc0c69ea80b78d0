package oidc

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json" // case counts, and a name that stands twice is an error
)

const (
	// maxKeys is more than any issuer has in use at a time.
	maxKeys = 100
	// minRSABits is what RFC 7518, section 3.3, asks for.
	minRSABits = 2048
)

// keyRef is what a token's header says of the key that signed it.
type keyRef struct {
	id        string // kid; empty: it says nothing
	algorithm jose.SignatureAlgorithm
}

// key is a public key of the issuer's. It serves one algorithm, by its kind.
type key struct {
	keyRef
	public any
}

// keySet are an issuer's keys that can verify a token, in its order.
type keySet []key

// find gives the one key that fits. A token that names none is taken only where
// a single key could have signed it (OpenID Connect Core, section 10.1).
func (s keySet) find(ref keyRef) (any, bool) {
	var found []key
	for _, k := range s {
		if k.algorithm == ref.algorithm && (ref.id == "" || k.id == ref.id) {
			found = append(found, k)
		}
	}
	if len(found) != 1 {
		return nil, false
	}
	return found[0].public, true
}

// rawKey is what is read of a key: no private part, and no certificates, which
// a key that we trust already has no use for.
type rawKey struct {
	Type       string   `json:"kty"`
	ID         string   `json:"kid,omitempty"`
	Use        string   `json:"use,omitempty"`
	Operations []string `json:"key_ops,omitempty"`
	Algorithm  string   `json:"alg,omitempty"`
	N          string   `json:"n,omitempty"`
	E          string   `json:"e,omitempty"`
	Curve      string   `json:"crv,omitempty"`
	X          string   `json:"x,omitempty"`
	Y          string   `json:"y,omitempty"`
}

// parseKeys reads a JWK set (RFC 7517). Keys of other kinds, for other ends and
// of other forms are passed over, as section 5 asks.
func parseKeys(text []byte) (keySet, error) {
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &document); err != nil || document.Keys == nil {
		return nil, errors.New("it is no JWK set")
	}
	if len(document.Keys) > maxKeys {
		return nil, errors.New("it holds more than 100 keys")
	}
	set := keySet{}
	for _, text := range document.Keys {
		if k, ok := parseKey(text); ok {
			set = append(set, k)
		}
	}
	return set, nil
}

func parseKey(text []byte) (key, bool) {
	var raw rawKey
	if err := json.Unmarshal(text, &raw); err != nil {
		return key{}, false
	}
	if raw.Use != "" && raw.Use != "sig" || raw.Operations != nil && !slices.Contains(raw.Operations, "verify") {
		return key{}, false
	}
	public, err := json.Marshal(raw)
	if err != nil {
		return key{}, false
	}
	var parsed jose.JSONWebKey
	if err := parsed.UnmarshalJSON(public); err != nil {
		return key{}, false
	}
	k := key{keyRef: keyRef{id: raw.ID}, public: parsed.Key}
	switch p := parsed.Key.(type) {
	case *rsa.PublicKey:
		if p.N.BitLen() < minRSABits {
			return key{}, false
		}
		k.algorithm = jose.RS256
	case *ecdsa.PublicKey:
		if raw.Curve != "P-256" {
			return key{}, false
		}
		k.algorithm = jose.ES256
	default:
		return key{}, false
	}
	return k, raw.Algorithm == "" || raw.Algorithm == string(k.algorithm)
}
