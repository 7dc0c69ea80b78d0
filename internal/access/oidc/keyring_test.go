package oidc_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerview/internal/access/oidc"
	"partnerview/internal/fault"
	"partnerview/internal/testkit/oidctest"
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
	v := verifierOf(t, issuer.URL, "partner_id", slog.New(slog.NewJSONHandler(&log, nil)))
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
