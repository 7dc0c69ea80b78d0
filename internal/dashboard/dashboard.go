// Package dashboard is what a partner's employee opens in a browser: a page that
// calls the API with the credential of the person who signed in: an access key, or
// tokens of the issuer that the page is told of.
//
// It owns the page (web/: HTML, style, plain JavaScript modules, pictures; web/bundled/
// is what ./bundle makes of them), its addresses and its headers; it serves openapi.yaml
// and a readable form of it, and answers every path that is not its own with the problem
// route_not_found. It has no data and reads none: what the page shows comes from the API
// alone.
//
// The page refers to everything relative to itself, so that it works under any
// stage and any base path of a domain. Scripts and styles have the hash of their
// contents in their names and may be kept for ever; the documents name them. The page
// itself is not stored, so that Back never shows what somebody saw who has signed out.
// Should the headers of [secure] fall away, a name that holds markup would still be
// shown as text, since no script turns a text into markup, but nothing would stop a
// mistake in that rule any more.
package dashboard

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"partnerview/internal/problem"
)

// Gateway is what the page needs to know of the gateway before it. Either
// function may be nil.
type Gateway struct {
	// RequestID is the id of the request, for problems.
	RequestID func(context.Context) string
	// PublicPath is the path that the client asked for, stage and base path
	// included: "/v1". The page itself lives at "/v1/", since its addresses are
	// relative; without the slash it is redirected there.
	PublicPath func(context.Context) string
}

// Handler serves the page at /, its assets, /openapi.yaml, and /docs, which shows
// openapi.yaml readably. Paths come without the gateway's stage. An error means that
// signIn has no issuer's URL.
func Handler(openapi string, gateway Gateway, signIn SignIn) (http.Handler, error) {
	issuer, noElement := signIn.element()
	policy, noPolicy := signIn.policy()
	if err := errors.Join(noElement, noPolicy); err != nil {
		return nil, err
	}
	return &handler{siteFiles(openapi, issuer), gateway, policy}, nil
}

type handler struct {
	files   map[string]file // by path
	gateway Gateway
	policy  string // of the page; all else has contentSecurityPolicy
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.notFound(w, r)
		return
	}
	if to, ok := h.missingSlash(r); ok {
		w.Header().Set("Location", to)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	f, ok := h.files[r.URL.Path]
	if !ok {
		h.notFound(w, r)
		return
	}
	if r.URL.Path == "/" {
		w.Header().Set("Content-Security-Policy", h.policy)
	}
	f.serve(w, r)
}

// missingSlash is where the page is, relative to an address of it that lacks the
// slash at its end. From /v1 the page's assets/… would be looked for at /assets/….
func (h *handler) missingSlash(r *http.Request) (string, bool) {
	if r.URL.Path != "/" || h.gateway.PublicPath == nil {
		return "", false
	}
	public := h.gateway.PublicPath(r.Context())
	if public == "" || strings.HasSuffix(public, "/") {
		return "", false
	}
	// "./" keeps a colon in the last segment from being read as a scheme.
	return "./" + public[strings.LastIndex(public, "/")+1:] + "/", true
}

// notFound answers as the API does where there is no such route.
func (h *handler) notFound(w http.ResponseWriter, r *http.Request) {
	var id string
	if h.gateway.RequestID != nil {
		id = h.gateway.RequestID(r.Context())
	}
	problem.NoRoute.Send(w, id)
}

// contentSecurityPolicy lets the page load its own files and call its own API, and
// nothing else: no other origin, no inline script or style, no text made markup, no
// frame around it.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// secure sets the headers of every answer.
func secure(header http.Header) {
	header.Set("Content-Security-Policy", contentSecurityPolicy)
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
}
