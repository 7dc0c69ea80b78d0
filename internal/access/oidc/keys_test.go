package oidc_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerview/internal/fault"
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

// The one test that waits: two seconds, in real time.
func TestAnIssuerThatIsSlowIsGivenUp(t *testing.T) {
	issuer, key := start(t)
	good := token(t, issuer, key)
	for claim, answer := range map[string]http.HandlerFunc{
		"it says nothing": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a byte at a time": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(50 * time.Millisecond)
			}
		},
	} {
		for _, path := range []string{oidctest.DiscoveryPath, oidctest.KeysPath} {
			t.Run(claim+", "+path, func(t *testing.T) {
				t.Parallel()
				slow, err := oidctest.Start()
				if err != nil {
					t.Fatal(err)
				}
				defer slow.Close()
				slow.Answer(path, answer)
				v := verifier(t, slow)
				began := time.Now()
				expect(t, v, must(t)(key.Sign(slow.Claims(audience, "northwind", now))), "unavailable", "the first request")
				expect(t, v, must(t)(key.Sign(slow.Claims(audience, "northwind", now))), "unavailable", "the next, which does not wait again")
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("they took %v", took)
				}
			})
		}
	}
	expect(t, verifier(t, issuer), good, "ok", "another issuer meanwhile")
}

// Whatever is wrong with the issuer's documents is no fault of the caller's, and
// opens nothing.
func TestDocumentsThatAreNotTaken(t *testing.T) {
	issuer, key := start(t)
	good := token(t, issuer, key)
	document := func(issuer, keys string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]string{"issuer": issuer, "jwks_uri": keys})
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	set, err := json.Marshal(issuer.KeySet())
	if err != nil {
		t.Fatal(err)
	}
	var swollen bytes.Buffer
	z := gzip.NewWriter(&swollen)
	_, _ = z.Write(append(bytes.Repeat([]byte(" "), 10<<20), set...)) // to memory
	_ = z.Close()
	issuer.Answer("/elsewhere", says(string(set)))
	elsewhere := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }
	for claim, c := range map[string]struct {
		path   string
		answer http.HandlerFunc
		why    string // in the log
	}{
		"discovery of another issuer":      {oidctest.DiscoveryPath, document("https://login.example.com", issuer.URL+oidctest.KeysPath), "OIDC_ISSUER must be that"},
		"discovery with a slash more":      {oidctest.DiscoveryPath, document(issuer.URL+"/", issuer.URL+oidctest.KeysPath), "OIDC_ISSUER must be that"},
		"discovery that leads elsewhere":   {oidctest.DiscoveryPath, elsewhere, "answers 302"},
		"discovery that fails":             {oidctest.DiscoveryPath, status(500), "answers 500"},
		"discovery that is not there":      {oidctest.DiscoveryPath, status(404), "answers 404"},
		"discovery that is a page":         {oidctest.DiscoveryPath, says("<html>"), "no JSON"},
		"discovery that says things twice": {oidctest.DiscoveryPath, says(`{"issuer":"x","issuer":"` + issuer.URL + `"}`), "no JSON"},
		"discovery in other letters":       {oidctest.DiscoveryPath, says(`{"ISSUER":"` + issuer.URL + `","JWKS_URI":"` + issuer.URL + oidctest.KeysPath + `"}`), "OIDC_ISSUER must be that"},
		"discovery of 10 MB":               {oidctest.DiscoveryPath, says(strings.Repeat(" ", 10<<20) + "{}"), "more than 1 MB"},
		"keys in clear text, from afar":    {oidctest.DiscoveryPath, document(issuer.URL, "http://keys.example.com/keys"), "not an https URL"},
		"keys in a file":                   {oidctest.DiscoveryPath, document(issuer.URL, "file:///etc/passwd"), "not the URL of a service"},
		"no word of keys":                  {oidctest.DiscoveryPath, document(issuer.URL, ""), "not the URL of a service"},
		"keys that lead elsewhere":         {oidctest.KeysPath, elsewhere, "answers 302"},
		"keys that are not there":          {oidctest.KeysPath, status(404), "answers 404"},
		"keys with no content":             {oidctest.KeysPath, status(204), "answers 204"},
		"keys that are nothing":            {oidctest.KeysPath, says(""), "no JWK set"},
		"keys that are no set":             {oidctest.KeysPath, says("{}"), "no JWK set"},
		"keys of 10 MB":                    {oidctest.KeysPath, says(strings.Repeat(" ", 10<<20) + string(set)), "more than 1 MB"},
		"keys of 10 MB, small on their way": {oidctest.KeysPath, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(swollen.Bytes())
		}, "more than 1 MB"},
		"keys without end": {oidctest.KeysPath, func(w http.ResponseWriter, _ *http.Request) {
			for _, err := w.Write(nil); err == nil; _, err = w.Write(bytes.Repeat([]byte(" "), 64<<10)) {
			}
		}, "more than 1 MB"},
		"headers of 1 MB":    {oidctest.KeysPath, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, "headers exceeded"},
		"more than 100 keys": {oidctest.KeysPath, says(`{"keys":[` + strings.Repeat("{},", 100) + `{}]}`), "more than 100 keys"},
		"an answer that ends before its end": {oidctest.KeysPath, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9999")
			_, _ = w.Write(set)
		}, "EOF"},
	} {
		t.Run(claim, func(t *testing.T) {
			defer issuer.Answer(c.path, nil)
			issuer.Answer(c.path, c.answer)
			_, err := verifier(t, issuer).Verify(t.Context(), good)
			if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %v; want unavailable, since %s", err, c.why)
			}
		})
	}
	if n := issuer.Asked("/elsewhere"); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
	expect(t, verifier(t, issuer), good, "ok", "the issuer's own documents")
	issuer.Close()
	expect(t, verifier(t, issuer), good, "unavailable", "nobody at the issuer's address")
}

// An issuer's URL may end with a slash, which its discovery document's does not
// have twice.
func TestAnIssuerWithAPathAndASlash(t *testing.T) {
	issuer, key := start(t)
	url := issuer.URL + "/tenant/"
	issuer.Answer("/tenant"+oidctest.DiscoveryPath, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, url, issuer.URL+oidctest.KeysPath)
	})
	v := verifierOf(t, url, "partner_id", quiet)
	expect(t, v, must(t)(key.Sign(claimsOf(issuer, map[string]any{"iss": url}))), "ok", "a token of it")
}
