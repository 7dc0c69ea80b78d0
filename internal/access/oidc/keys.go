package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json" // case counts, and a name that stands twice is an error

	"partnerview/internal/fault"
)

const (
	// refreshAfter is how long a key that the issuer has withdrawn may live on.
	refreshAfter = time.Hour
	// dropAfter is how long keys serve while the issuer does not answer: for its
	// outage, and no longer.
	dropAfter = 6 * time.Hour
	// askEvery is how often the issuer is asked at most, by tokens of a key that
	// is not known, too. An unknown key is a new one once in months, else junk.
	askEvery = time.Minute
	// askAgainEvery is the same while there are no keys at all, since nobody is
	// answered until then.
	askAgainEvery = 10 * time.Second
)

// keyring keeps an issuer's keys. The issuer is asked by a request that needs a
// key, in its own time: there is no goroutine. One asks at a time, and those who
// need the same answer wait for it.
type keyring struct {
	source source
	log    *slog.Logger
	now    func() time.Time
	asking chan struct{} // full while somebody asks

	mu sync.Mutex
	state
}

type state struct {
	keys    keySet
	got     time.Time // when keys were had; zero: never
	asked   time.Time // when the issuer was asked last, in vain or not
	failure error     // what came of it; nil: keys
}

func newKeyring(s source, log *slog.Logger) *keyring {
	return &keyring{source: s, log: log, now: wallClock, asking: make(chan struct{}, 1)}
}

// wallClock leaves the monotonic clock aside: that may stand still while Lambda
// has frozen us.
func wallClock() time.Time { return time.Now().Round(0) }

// find gives the issuer's key for a token. fault.Unauthenticated: it has no such
// key. fault.Unavailable: that cannot be told, since the issuer does not answer.
func (k *keyring) find(ctx context.Context, ref keyRef) (any, error) {
	for {
		s := k.snapshot()
		age := k.now().Sub(s.got)
		key, known := s.keys.find(ref)
		known = known && age < dropAfter
		if known && age < refreshAfter {
			return key, nil
		}
		if !k.mayAsk(s) {
			switch {
			case known:
				return key, nil
			case s.failure != nil:
				return nil, fault.New(fault.Unavailable, "keys of the issuer", s.failure)
			}
			return nil, refuse("no key of the issuer's fits")
		}
		select {
		case k.asking <- struct{}{}:
		default:
			if known {
				return key, nil // somebody else is at it
			}
			select {
			case k.asking <- struct{}{}:
			case <-ctx.Done():
				return nil, fault.New(fault.Unavailable, "keys of the issuer", ctx.Err())
			}
		}
		err := k.ask(ctx)
		<-k.asking
		if err != nil {
			return nil, fault.New(fault.Unavailable, "keys of the issuer", err)
		}
	}
}

func (k *keyring) snapshot() state {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state
}

// mayAsk reports whether it is time to ask the issuer again.
func (k *keyring) mayAsk(s state) bool {
	now := k.now()
	wait := askEvery
	if now.Sub(s.got) >= dropAfter {
		wait = askAgainEvery
	}
	return now.Sub(s.asked) >= wait
}

// ask asks the issuer, unless somebody has while we waited. What comes of it is
// in the state; the error is that of a request that has ended itself, which
// says nothing of the issuer.
func (k *keyring) ask(ctx context.Context) error {
	if !k.mayAsk(k.snapshot()) {
		return nil
	}
	asked := k.now()
	keys, err := k.source.keys(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil { // those whom known keys serve would not tell
		k.log.WarnContext(ctx, "the issuer does not give its keys", "cause", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked, k.failure = asked, err
	if err == nil {
		k.keys, k.got = keys, asked
	}
	return nil
}

const (
	// fetchTimeout bounds discovery and keys together. The authorizer has 5 s in
	// all, and its database wants some of them.
	fetchTimeout = 2 * time.Second
	// maxDocument bounds what is read of either; a hundred keys have 40 kB.
	maxDocument = 1 << 20
	// maxHeaders bounds the answer's headers.
	maxHeaders = 64 << 10
)

// source is where an issuer's keys come from.
type source struct {
	issuer string
	local  bool
	client *http.Client
}

func newSource(s Settings) source {
	return source{s.Issuer, s.Local, &http.Client{
		Transport: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: fetchTimeout}).DialContext, TLSHandshakeTimeout: fetchTimeout,
			DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeaders,
		},
		// An issuer's documents are where they say they are. Who can bend the way
		// could else show us keys of his own.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// keys asks the issuer where its keys are, and then for them. Nothing is left
// open afterwards: the process may be frozen for an hour.
// https://openid.net/specs/openid-connect-discovery-1_0.html, section 4
func (s source) keys(ctx context.Context) (keySet, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	at := strings.TrimSuffix(s.issuer, "/") + "/.well-known/openid-configuration"
	text, err := s.get(ctx, at)
	if err != nil {
		return nil, err
	}
	var document struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("%s is no JSON of the kind", at)
	}
	if document.Issuer != s.issuer {
		return nil, fmt.Errorf("%s is of the issuer %.200q: OIDC_ISSUER must be that, to the letter",
			at, document.Issuer)
	}
	if err := allowed(document.JWKSURI, s.local); err != nil {
		return nil, fmt.Errorf("%s: jwks_uri: %w", at, err)
	}
	if text, err = s.get(ctx, document.JWKSURI); err != nil {
		return nil, err
	}
	keys, err := parseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", document.JWKSURI, err)
	}
	return keys, nil
}

func (s source) get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return nil, err // it names the URL
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d", url, response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", url, err)
	case len(text) > maxDocument:
		return nil, fmt.Errorf("%s: %w", url, errTooLarge)
	}
	return text, nil
}

var errTooLarge = errors.New("more than 1 MB")

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

func parseKey(text []byte) (k key, serves bool) {
	var raw rawKey
	if json.Unmarshal(text, &raw) != nil || raw.Use != "" && raw.Use != "sig" ||
		raw.Operations != nil && !slices.Contains(raw.Operations, "verify") {
		return key{}, false
	}
	var parsed jose.JSONWebKey
	public, err := json.Marshal(raw)
	if err != nil || parsed.UnmarshalJSON(public) != nil {
		return key{}, false
	}
	k.id, k.public = raw.ID, parsed.Key
	switch p := parsed.Key.(type) {
	case *rsa.PublicKey:
		k.algorithm, serves = jose.RS256, p.N.BitLen() >= minRSABits
	case *ecdsa.PublicKey:
		k.algorithm, serves = jose.ES256, raw.Curve == "P-256"
	}
	return k, serves && (raw.Algorithm == "" || raw.Algorithm == string(k.algorithm))
}
