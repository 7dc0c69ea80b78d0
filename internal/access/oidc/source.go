package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"
)

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
		return nil, fmt.Errorf("%s is of the issuer %.200q: OIDC_ISSUER must be that, to the letter", at, document.Issuer)
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
