package oidc_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"partnerview/internal/access/oidc"
	"partnerview/internal/fault"
	"partnerview/internal/testkit/oidctest"
)

func TestNobodyAtTheIssuersAddress(t *testing.T) {
	issuer, key := start(t)
	good := token(t, issuer, key)
	v := verifier(t, issuer)
	issuer.Close()
	expect(t, v, good, "unavailable", "a closed port")
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
}

// An issuer's URL may end with a slash, which its discovery document's does not
// have twice.
func TestAnIssuerWithAPathAndASlash(t *testing.T) {
	issuer, key := start(t)
	url := issuer.URL + "/tenant/"
	issuer.Answer("/tenant"+oidctest.DiscoveryPath, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, url, issuer.URL+oidctest.KeysPath)
	})
	v, err := oidc.New(oidc.Settings{Issuer: url, Audience: audience, PartnerClaim: "partner_id", Local: true}, clock, quiet)
	if err != nil {
		t.Fatal(err)
	}
	claims := issuer.Claims(audience, "northwind", now)
	claims["iss"] = url
	expect(t, v, must(t)(key.Sign(claims)), "ok", "a token of it")
}
