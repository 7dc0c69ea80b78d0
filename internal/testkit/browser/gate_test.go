package browser

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerview/internal/dev/local/issuer"
)

// gate stands before an issuer, under whose name that one is known. It counts what
// tokens are asked for with, and can fail or change the answers.
type gate struct {
	URL    string
	server *httptest.Server

	mu     sync.Mutex
	to     *url.URL
	down   bool
	change func(tokens map[string]any) // of what /token answers; nil: none
	tell   func(about map[string]any)  // changes the discovery document; nil: nothing
	refuse string                      // answers every request for tokens with this error; empty: none
	grants []string                    // the grant types that tokens were asked for with
	asked  []string                    // path and query of every request
}

func newGate(t *testing.T) *gate {
	g := &gate{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			g.mu.Lock()
			defer g.mu.Unlock()
			r.SetURL(g.to)
			r.Out.Host = r.In.Host // so that the issuer names its endpoints as we are named
		},
		ModifyResponse: g.pass,
		ErrorLog:       log.New(io.Discard, "", 0), // of callers that have left
	}
	g.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refusal := g.note(r); refusal != "" {
			w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"` + refusal + `","error_description":"Injected."}`))
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(g.server.Close)
	g.URL = g.server.URL
	return g
}

// note keeps what is asked, and ends the connection while the gate is down.
func (g *gate) note(r *http.Request) (refusal string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.down || g.to == nil {
		panic(http.ErrAbortHandler) // the way in which net/http lets a handler end a connection
	}
	g.asked = append(g.asked, r.URL.RequestURI())
	if r.URL.Path != "/token" || r.Method != http.MethodPost {
		return ""
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "invalid_request"
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "invalid_request"
	}
	g.grants = append(g.grants, form.Get("grant_type"))
	return g.refuse
}

// pass changes tokens and the discovery document on their way out.
func (g *gate) pass(r *http.Response) error {
	g.mu.Lock()
	change := map[string]func(map[string]any){"/token": g.change, "/.well-known/openid-configuration": g.tell}[r.Request.URL.Path]
	g.mu.Unlock()
	if change == nil || r.StatusCode != http.StatusOK {
		return nil
	}
	var answer map[string]any
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		return err
	}
	change(answer)
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header.Del("Content-Length")
	return nil
}

func (g *gate) set(what func(*gate)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	what(g)
}

// forget makes the gate as it was at first, before the same issuer.
func (g *gate) forget() {
	g.set(func(g *gate) { g.down, g.change, g.tell, g.refuse, g.grants, g.asked = false, nil, nil, "", nil, nil })
}

// granted counts the requests for tokens with a grant.
func (g *gate) granted(grant string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Count(strings.Join(g.grants, " "), grant)
}

// saw reports whether anything was asked with that in its address.
func (g *gate) saw(text string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Contains(strings.Join(g.asked, "\n"), text)
}

// lead starts an issuer behind the gate, for the page of a site.
func (g *gate) lead(t *testing.T, page string) {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	started, err := issuer.Start(t.Context(), root, issuer.Config{
		Page: page, URL: g.URL, Lifetime: 10 * time.Minute,
		Users: []issuer.User{
			{Login: "nora", Password: "demo-northwind", Name: "Nora Northwind", Partner: "northwind"},
			{Login: "nia", Password: "demo-three", Name: "Nia Northwind", Partner: "northwind"},
			{Login: "nils", Password: "demo-none", Name: "Nils Northwind", Partner: "northwind"},
			{Login: "edda", Password: "demo-eastgate", Name: "Edda Eastgate", Partner: "eastgate"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(started.Stop)
	to, err := url.Parse(started.At)
	if err != nil {
		t.Fatal(err)
	}
	g.set(func(g *gate) { g.to = to })
}

// idToken changes the claims of the ID token among tokens. The page does not check its
// signature, and need not.
func idToken(change func(claims map[string]any)) func(map[string]any) {
	return func(tokens map[string]any) {
		jwt, _ := tokens["id_token"].(string)
		parts := strings.Split(jwt, ".")
		if len(parts) != 3 {
			return
		}
		var claims map[string]any
		text, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || json.Unmarshal(text, &claims) != nil {
			return
		}
		change(claims)
		text, err = json.Marshal(claims)
		if err != nil {
			return
		}
		parts[1] = base64.RawURLEncoding.EncodeToString(text)
		tokens["id_token"] = strings.Join(parts, ".")
	}
}
