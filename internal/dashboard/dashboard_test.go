package dashboard

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/problem"
)

func newHandler(t *testing.T, gateway Gateway) http.Handler {
	t.Helper()
	h, err := Handler("openapi: 3.1.1\n", gateway, SignIn{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var localAddress = regexp.MustCompile(`(?:href|src)="([^"#]+)"`)

func TestDocumentsNameOnlyFilesThatAreServed(t *testing.T) {
	h := newHandler(t, Gateway{})
	for page, cache := range map[string]string{"/": "no-store", "/docs": "no-cache"} {
		document := get(h, page)
		if document.Code != http.StatusOK || document.Header().Get("Content-Type") != "text/html; charset=utf-8" || document.Header().Get("Cache-Control") != cache {
			t.Fatalf("%s: %d %v", page, document.Code, document.Header())
		}
		base, err := url.Parse("https://api.example.com/some/base" + page)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(document.Body.String(), "{{") {
			t.Errorf("%s has a name that nothing is put for", page)
		}
		found := 0
		for _, match := range localAddress.FindAllStringSubmatch(document.Body.String(), -1) {
			ref, err := url.Parse(match[1])
			if err != nil || ref.IsAbs() || strings.HasPrefix(match[1], "/") {
				t.Errorf("%s names %s, which is not relative to it", page, match[1])
				continue
			}
			at := strings.TrimPrefix(base.ResolveReference(ref).Path, "/some/base")
			if got := get(h, at); got.Code != http.StatusOK {
				t.Errorf("%s names %s: %d", page, match[1], got.Code)
			}
			found++
		}
		if found < 4 {
			t.Errorf("%s names %d files", page, found)
		}
	}
}

func TestAssetsAreKeptForEverUnderTheHashOfTheirContents(t *testing.T) {
	files := siteFiles("", "")
	h := newHandler(t, Gateway{})
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	assets := 0
	for path, f := range files {
		if !strings.HasPrefix(path, "/assets/") {
			continue
		}
		assets++
		sum := sha256.Sum256(f.content().body)
		if !strings.Contains(path, "-"+base64.RawURLEncoding.EncodeToString(sum[:12])+".") {
			t.Errorf("%s is not named by its contents", path)
		}
		w := get(h, path)
		if got := w.Header().Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
		if got := w.Header().Get("Content-Type"); got != types[path[strings.LastIndex(path, "."):]] {
			t.Errorf("%s: Content-Type %q", path, got)
		}
	}
	if assets != 4 {
		t.Errorf("%d assets", assets)
	}
}

func TestEveryAnswerIsSecured(t *testing.T) {
	h := newHandler(t, Gateway{})
	for _, path := range []string{"/", "/docs", "/openapi.yaml", "/nowhere"} {
		header := get(h, path).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
				"form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Referrer-Policy":            "no-referrer",
			"Strict-Transport-Security":  "max-age=63072000; includeSubDomains",
			"X-Content-Type-Options":     "nosniff",
			"X-Frame-Options":            "DENY",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

func TestNoDocumentHasScriptOrStyleInIt(t *testing.T) {
	h := newHandler(t, Gateway{})
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script[^>]*>[^<]|javascript:`)
	for _, page := range []string{"/", "/docs"} {
		if found := inline.FindString(get(h, page).Body.String()); found != "" {
			t.Errorf("%s holds %q, which its policy forbids", page, found)
		}
	}
}

func TestAnUnchangedDocumentIsNotSentAgain(t *testing.T) {
	h := newHandler(t, Gateway{})
	for _, path := range []string{"/", "/docs", "/openapi.yaml"} {
		etag := get(h, path).Header().Get("ETag")
		for _, known := range []string{etag, "W/" + etag, `"other", ` + etag} {
			w := get(h, path, "If-None-Match", known)
			if w.Code != http.StatusNotModified || w.Body.Len() != 0 || w.Header().Get("ETag") != etag {
				t.Errorf("%s, If-None-Match %s: %d", path, known, w.Code)
			}
		}
		if w := get(h, path, "If-None-Match", `"other"`); w.Code != http.StatusOK {
			t.Errorf("%s: %d for another version", path, w.Code)
		}
	}
}

func TestTheContractIsServedAsItIs(t *testing.T) {
	w := get(newHandler(t, Gateway{}), "/openapi.yaml")
	if w.Body.String() != "openapi: 3.1.1\n" || w.Header().Get("Content-Type") != "application/yaml" || w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("%q %v", w.Body.String(), w.Header())
	}
}

func TestWhatIsNotThereIsTheProblemOfTheAPI(t *testing.T) {
	h := newHandler(t, Gateway{RequestID: func(context.Context) string { return "id-1" }})
	want := httptest.NewRecorder()
	problem.NoRoute.Send(want, "id-1")
	check := func(name string, w *httptest.ResponseRecorder) {
		if w.Code != http.StatusNotFound || w.Body.String() != want.Body.String() {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		for header := range want.Header() {
			if diff := cmp.Diff(want.Header()[header], w.Header()[header]); diff != "" {
				t.Errorf("%s: %s: %s", name, header, diff)
			}
		}
	}
	for _, path := range []string{"/nowhere", "/index.html", "/assets/", "/assets/script.js", "/docs/", "/customers/acme/extra/more/still", "/../openapi.yaml", "//"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		check(path, w)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		check(method, w)
	}
}

func TestHeadHasTheHeadersAlone(t *testing.T) {
	w := httptest.NewRecorder()
	newHandler(t, Gateway{}).ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/", nil))
	if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("ETag") == "" {
		t.Errorf("%d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
}

func TestThePageIsRedirectedToItsSlash(t *testing.T) {
	for public, want := range map[string]string{
		"/v1":           "https://example.com/v1/",
		"/partners/api": "https://example.com/partners/api/",
		"/a:b":          "https://example.com/a:b/",
	} {
		h := newHandler(t, Gateway{PublicPath: func(context.Context) string { return public }})
		w := get(h, "/")
		if w.Code != http.StatusTemporaryRedirect || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", public, w.Code, w.Header())
			continue
		}
		base, err := url.Parse("https://example.com" + public)
		if err != nil {
			t.Fatal(err)
		}
		to, err := base.Parse(w.Header().Get("Location"))
		if err != nil || to.String() != want {
			t.Errorf("%s leads to %v (%v), not %s", public, to, err, want)
		}
		if got := get(h, "/docs"); got.Code != http.StatusOK {
			t.Errorf("%s: /docs is %d", public, got.Code)
		}
	}
	for _, public := range []string{"/v1/", "/", ""} {
		h := newHandler(t, Gateway{PublicPath: func(context.Context) string { return public }})
		if w := get(h, "/"); w.Code != http.StatusOK {
			t.Errorf("%q: %d", public, w.Code)
		}
	}
}

// The sizes count every byte of a first visit but the answers of the API, with
// a kilobyte of headers for each file, compressed as API Gateway does for whoever
// takes it, as all browsers do.
func TestTheFirstLoadIsUnder100kB(t *testing.T) {
	h, err := Handler("", Gateway{}, demoIssuer)
	if err != nil {
		t.Fatal(err)
	}
	document := get(h, "/")
	sum := sent(t, document.Body.Bytes())
	for _, match := range localAddress.FindAllStringSubmatch(document.Body.String(), -1) {
		if strings.HasPrefix(match[1], "assets/") {
			sum += sent(t, get(h, "/"+match[1]).Body.Bytes())
		}
	}
	if sum > 90_000 { // which leaves a log's first page its part of the 100 kB
		t.Errorf("the first load is %d bytes", sum)
	}
	t.Logf("%d bytes", sum)
}

// sent is how much goes over the wire for a file.
func sent(t *testing.T, body []byte) int {
	t.Helper()
	var wire bytes.Buffer
	w := gzip.NewWriter(&wire)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return wire.Len() + 1024
}
