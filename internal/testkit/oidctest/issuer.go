// Package oidctest is an OIDC issuer for tests: discovery and keys over HTTP on
// loopback, and tokens signed with those keys by the library that verifies them.
//
// It owns what an issuer's side of a test needs: keys that come and go, answers
// that fail, hang or swell, and a count of what was asked for. It signs whatever
// it is told to; it has no clients, no people and no way to sign in.
package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Where an issuer's documents are, below its URL.
const (
	DiscoveryPath = "/.well-known/openid-configuration"
	KeysPath      = "/keys"
)

// Issuer is a running issuer. Its fields may be read, and its methods called, by
// several goroutines.
type Issuer struct {
	URL string // "http://127.0.0.1:40001", as it stands in its tokens

	server *http.Server
	served chan struct{}

	mu       sync.Mutex
	keys     []Key
	answers  map[string]http.Handler // in place of its own, by path
	asked    map[string]int
	made     int
	document map[string]any
}

// Key is a pair of keys. Its public half may be among the issuer's, or not.
type Key struct {
	ID        string
	Algorithm jose.SignatureAlgorithm
	Private   any // *ecdsa.PrivateKey or *rsa.PrivateKey
}

// Start starts an issuer without keys. Close ends it.
func Start() (*Issuer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i := &Issuer{
		URL:    "http://" + listener.Addr().String(),
		served: make(chan struct{}), answers: make(map[string]http.Handler), asked: make(map[string]int),
	}
	i.document = map[string]any{"issuer": i.URL, "jwks_uri": i.URL + KeysPath,
		"response_types_supported": []string{"code"}}
	i.server = &http.Server{Handler: http.HandlerFunc(i.answer), ReadHeaderTimeout: time.Minute}
	go func() {
		defer close(i.served)
		_ = i.server.Serve(listener) // until Close
	}()
	return i, nil
}

// Close ends it, requests under way too: from then on nobody answers there.
func (i *Issuer) Close() {
	_ = i.server.Close()
	<-i.served
}

func (i *Issuer) answer(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.asked[r.URL.Path]++
	handler := i.answers[r.URL.Path]
	i.mu.Unlock()
	switch {
	case handler != nil:
		handler.ServeHTTP(w, r)
	case r.URL.Path == DiscoveryPath:
		writeJSON(w, i.document)
	case r.URL.Path == KeysPath:
		writeJSON(w, i.KeySet())
	default:
		http.NotFound(w, r)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that went away is the test's affair
}

// Answer answers a path with something else from now on; nil brings its own
// answer back.
func (i *Issuer) Answer(path string, handler http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if handler == nil {
		delete(i.answers, path)
		return
	}
	i.answers[path] = handler
}

// Asked counts the requests for a path.
func (i *Issuer) Asked(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked[path]
}

// Publish makes these the issuer's keys, and withdraws all others.
func (i *Issuer) Publish(keys ...Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

// KeySet is what the issuer publishes.
func (i *Issuer) KeySet() jose.JSONWebKeySet {
	i.mu.Lock()
	defer i.mu.Unlock()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range i.keys {
		set.Keys = append(set.Keys, k.Public())
	}
	return set
}

// NewKey makes a key with an id of its own, and does not publish it. An RSA key
// takes its time.
func (i *Issuer) NewKey(algorithm jose.SignatureAlgorithm) (Key, error) {
	i.mu.Lock()
	i.made++
	k := Key{ID: "key-" + strconv.Itoa(i.made), Algorithm: algorithm}
	i.mu.Unlock()
	var err error
	switch algorithm {
	case jose.ES256:
		k.Private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.RS256:
		k.Private, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		err = fmt.Errorf("oidctest: no key for %s", algorithm)
	}
	return k, err
}

// Public is a key as the issuer publishes it.
func (k Key) Public() jose.JSONWebKey {
	whole := jose.JSONWebKey{Key: k.Private, KeyID: k.ID, Algorithm: string(k.Algorithm), Use: "sig"}
	return whole.Public()
}

// Sign makes a token of claims, with the key's id in its header, and typ "JWT".
func (k Key) Sign(claims map[string]any) (string, error) {
	return k.SignWith(map[jose.HeaderKey]any{jose.HeaderType: "JWT", "kid": k.ID}, claims)
}

// SignWith makes a token with a header of one's own; alg is set.
func (k Key) SignWith(header map[jose.HeaderKey]any, claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return k.SignText(header, payload)
}

// SignText makes a token of claims as they are written, in JSON or not.
func (k Key) SignText(header map[jose.HeaderKey]any, payload []byte) (string, error) {
	key := jose.SigningKey{Algorithm: k.Algorithm, Key: k.Private}
	signer, err := jose.NewSigner(key, &jose.SignerOptions{ExtraHeaders: header})
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Claims are those of a token that counts: for an audience and a partner, from
// five minutes before to five minutes after a time. They may be changed.
func (i *Issuer) Claims(audience, partner string, at time.Time) map[string]any {
	return map[string]any{
		"iss": i.URL, "aud": audience, "sub": "user-of-" + partner, "partner_id": partner,
		"iat": at.Add(-5 * time.Minute).Unix(), "exp": at.Add(5 * time.Minute).Unix(),
	}
}
