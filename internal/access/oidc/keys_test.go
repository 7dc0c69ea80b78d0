package oidc_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerview/internal/access/oidc"
	"partnerview/internal/access/oidc/oidctest"
	"partnerview/internal/fault"
)

// hands is a clock that a test turns.
type hands struct {
	mu sync.Mutex
	at time.Time
}

func (h *hands) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hands) turn(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

// ticking is a verifier whose keys age by a clock of the test's. Its tokens do
// not: they are held against a clock that stands.
func ticking(t testing.TB, issuer *oidctest.Issuer) (*oidc.Verifier, *hands) {
	h := &hands{at: now}
	v := verifier(t, issuer)
	v.SetClock(h.now)
	return v, h
}

// token is one of northwind's.
func token(t testing.TB, issuer *oidctest.Issuer, key oidctest.Key) string {
	t.Helper()
	return must(t)(key.Sign(issuer.Claims(audience, "northwind", now)))
}

// expect asks for a token's outcome: "ok", or the kind of the fault.
func expect(t *testing.T, v *oidc.Verifier, token, want, what string) {
	t.Helper()
	_, err := v.Verify(t.Context(), token)
	got := "ok"
	if err != nil {
		got = fault.KindOf(err).String()
	}
	if got != want {
		t.Errorf("%s: %s, want %s: %v", what, got, want, err)
	}
}

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

// What a forger sends costs the issuer one request a minute, and nobody waits.
func TestUnknownKeysAskTheIssuerOnceAMinute(t *testing.T) {
	issuer, key := start(t)
	v, hands := ticking(t, issuer)
	good := token(t, issuer, key)
	expect(t, v, good, "ok", "a known key")
	junk := token(t, issuer, newKey(t, issuer))
	const perSecond, seconds = 100, 180
	hands.turn(time.Minute)
	began := time.Now()
	for range seconds {
		for range perSecond {
			expect(t, v, junk, "unauthenticated", "a key that nobody knows")
		}
		hands.turn(time.Second)
	}
	if n := issuer.Asked(oidctest.KeysPath); n != 1+seconds/60 {
		t.Errorf("%d requests with unknown keys in %d s, %d a second: the issuer was asked %d times", perSecond*seconds, seconds, perSecond, n-1)
	}
	t.Logf("%d refusals took %v each", perSecond*seconds, time.Since(began)/(perSecond*seconds))
	expect(t, v, good, "ok", "a known key after that")
}

func TestConcurrentMissesShareOneFetch(t *testing.T) {
	issuer, key := start(t)
	v, hands := ticking(t, issuer)
	ask := func(token, want string) {
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { expect(t, v, token, want, "one of 100 at once") })
		}
		all.Wait()
	}
	ask(token(t, issuer, key), "ok")
	if n := issuer.Asked(oidctest.KeysPath); n != 1 {
		t.Errorf("100 tokens at once had the keys fetched %d times, want 1", n)
	}
	hands.turn(time.Minute)
	ask(token(t, issuer, newKey(t, issuer)), "unauthenticated")
	if n := issuer.Asked(oidctest.KeysPath); n != 2 {
		t.Errorf("100 unknown keys at once had the keys fetched %d times, want 1", n-1)
	}
}

func TestAKnownKeyDoesNotWaitForAFetch(t *testing.T) {
	issuer, key := start(t)
	v, hands := ticking(t, issuer)
	good, junk := token(t, issuer, key), token(t, issuer, newKey(t, issuer))
	expect(t, v, good, "ok", "a known key")
	for _, age := range []time.Duration{time.Minute, 2 * time.Hour} { // fresh, and due for a new one
		hands.turn(age)
		arrived, release := make(chan struct{}), make(chan struct{})
		issuer.Answer(oidctest.KeysPath, func(w http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-release
			_ = json.NewEncoder(w).Encode(issuer.KeySet())
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			expect(t, v, junk, "unauthenticated", "an unknown key")
		}()
		select {
		case <-arrived:
		case <-done:
			t.Fatal("an unknown key is refused without a word to the issuer")
		}
		expect(t, v, good, "ok", "a known key while the issuer is asked for another") // for ever, if it waited
		close(release)
		<-done
	}
}

func TestKeysRotateWhileItRuns(t *testing.T) {
	issuer, old := start(t)
	v, hands := ticking(t, issuer)
	before := token(t, issuer, old)
	expect(t, v, before, "ok", "the old key")

	fresh := newKey(t, issuer)
	after := token(t, issuer, fresh)
	issuer.Publish(old, fresh)
	hands.turn(59 * time.Second)
	expect(t, v, after, "unauthenticated", "a new key, less than a minute after the issuer was asked")
	hands.turn(time.Second)
	expect(t, v, after, "ok", "the new key, a minute after the issuer was asked")
	expect(t, v, before, "ok", "the old key beside it")

	issuer.Publish(fresh)
	hands.turn(time.Hour - time.Second)
	expect(t, v, before, "ok", "a withdrawn key, within the hour")
	hands.turn(time.Second)
	expect(t, v, before, "unauthenticated", "a withdrawn key, after an hour")
	expect(t, v, after, "ok", "the key that is left")

	issuer.Publish()
	hands.turn(time.Hour)
	expect(t, v, after, "unauthenticated", "the last key, withdrawn as well")
}

func TestAnIssuerThatIsDown(t *testing.T) {
	issuer, key := start(t)
	v, hands := ticking(t, issuer)
	good, junk := token(t, issuer, key), token(t, issuer, newKey(t, issuer))
	down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	issuer.Answer(oidctest.KeysPath, down)
	for range 100 {
		expect(t, v, good, "unavailable", "without any key")
	}
	if n := issuer.Asked(oidctest.KeysPath); n != 1 {
		t.Errorf("100 requests asked it %d times", n)
	}
	issuer.Answer(oidctest.KeysPath, nil)
	expect(t, v, good, "unavailable", "it is back, and was asked just now")
	hands.turn(10 * time.Second)
	expect(t, v, good, "ok", "it is back")

	issuer.Answer(oidctest.KeysPath, down)
	hands.turn(59 * time.Second)
	expect(t, v, junk, "unauthenticated", "an unknown key, while it was asked less than a minute ago, and knew")
	hands.turn(time.Second)
	expect(t, v, junk, "unavailable", "an unknown key, of which nobody can tell")
	expect(t, v, good, "ok", "a known key")
	asked := issuer.Asked(oidctest.KeysPath)
	for range 6*60 - 2 { // minutes
		hands.turn(time.Minute)
		expect(t, v, good, "ok", "a known key, in an outage")
	}
	if n := issuer.Asked(oidctest.KeysPath) - asked; n != 5*60 {
		t.Errorf("it was asked %d times in the five hours after the first", n)
	}
	hands.turn(time.Minute)
	expect(t, v, good, "unavailable", "a known key, six hours into an outage")
	issuer.Answer(oidctest.KeysPath, nil)
	hands.turn(10 * time.Second)
	expect(t, v, good, "ok", "after the outage")
}

// In an outage that nobody is hurt by yet, the log alone tells of it.
func TestAnOutageIsLoggedWhileKnownKeysServe(t *testing.T) {
	issuer, key := start(t)
	good := token(t, issuer, key)
	var log strings.Builder
	v, err := oidc.New(oidc.Settings{Issuer: issuer.URL, Audience: audience, PartnerClaim: "partner_id", Local: true}, clock, slog.New(slog.NewJSONHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	h := &hands{at: now}
	v.SetClock(h.now)
	expect(t, v, good, "ok", "the first token")
	if log.Len() != 0 {
		t.Errorf("while all is well it says %s", log.String())
	}
	issuer.Answer(oidctest.KeysPath, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	h.turn(time.Hour)
	for range 10 {
		expect(t, v, good, "ok", "a token in an outage")
	}
	if n := strings.Count(log.String(), issuer.URL+oidctest.KeysPath+" answers 502"); n != 1 || strings.Contains(log.String(), good[:40]) {
		t.Errorf("it says %s", log.String())
	}
}

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

// A request that has ended says nothing of the issuer: the next one asks again.
func TestARequestThatEndsDoesNotCountAsAFailureOfTheIssuer(t *testing.T) {
	issuer, key := start(t)
	v, _ := ticking(t, issuer)
	good := token(t, issuer, key)
	ctx, cancel := context.WithCancel(t.Context())
	issuer.Answer(oidctest.KeysPath, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := v.Verify(ctx, good); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the request that ended: %v", err)
	}
	issuer.Answer(oidctest.KeysPath, nil)
	expect(t, v, good, "ok", "the next request")
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

func TestSettings(t *testing.T) {
	for claim, c := range map[string]struct {
		issuer, audience, claim, engine string
		want                            string // in the error; empty: none
		off                             bool
	}{
		"without an issuer it is off":             {audience: audience, claim: "partner_id", off: true},
		"an issuer and all that it needs":         {issuer: "https://login.example.com/realms/a", audience: audience, claim: "partner_id"},
		"no audience":                             {issuer: "https://login.example.com", claim: "partner_id", want: "OIDC_AUDIENCE is empty"},
		"no claim for the partner":                {issuer: "https://login.example.com", audience: audience, want: "OIDC_PARTNER_CLAIM is empty"},
		"an issuer in clear text":                 {issuer: "http://login.example.com", audience: audience, claim: "partner_id", engine: "http://127.0.0.1:8000", want: "not an https URL"},
		"one on this machine, on a real database": {issuer: "http://127.0.0.1:9000", audience: audience, claim: "partner_id", want: "not an https URL"},
		"one on this machine, with an engine":     {issuer: "http://127.0.0.1:9000", audience: audience, claim: "partner_id", engine: "http://127.0.0.1:8000"},
		"one on localhost, with an engine":        {issuer: "http://localhost:9000", audience: audience, claim: "partner_id", engine: "http://127.0.0.1:8000"},
		"one on ::1, with an engine":              {issuer: "http://[::1]:9000", audience: audience, claim: "partner_id", engine: "http://127.0.0.1:8000"},
		"one whose name begins like this machine": {issuer: "http://localhost.example.com", audience: audience, claim: "partner_id", engine: "http://127.0.0.1:8000", want: "not an https URL"},
		"one with a query":                        {issuer: "https://login.example.com?tenant=1", audience: audience, claim: "partner_id", want: "a query or a fragment"},
		"one with a password":                     {issuer: "https://a:b@login.example.com", audience: audience, claim: "partner_id", want: "not the URL of a service"},
		"a word":                                  {issuer: "login", audience: audience, claim: "partner_id", want: "not the URL of a service"},
	} {
		t.Run(claim, func(t *testing.T) {
			env := map[string]string{"OIDC_ISSUER": c.issuer, "OIDC_AUDIENCE": c.audience, "OIDC_PARTNER_CLAIM": c.claim, "AWS_ENDPOINT_URL_DYNAMODB": c.engine}
			tokens, err := oidc.FromEnv(func(name string) string { return env[name] }, clock, quiet)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
			if (tokens == nil) != (c.off || c.want != "") {
				t.Errorf("got %v: without a verifier, tokens are refused; with a nil one, the first of them is a panic", tokens)
			}
		})
	}
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
