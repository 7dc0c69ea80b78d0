package browser

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerview"
	"partnerview/internal/access"
	"partnerview/internal/access/oidc"
	"partnerview/internal/api"
	"partnerview/internal/dashboard"
	"partnerview/internal/dev/local/issuer"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// Stage is the page, the API's handlers and the authorizer over a real engine, all in the
// test's own process, with faults on demand. It listens on loopback until the test ends.
type Stage struct {
	URL string // of the page, with the slash at its end

	server *httptest.Server
	mu     sync.Mutex
	faults []Fault
	asked  []string
	skip   int
	lines  int // how many pages of lines are left that stand in for a log
	held   int // how many requests were held
	atWork int // how many requests are not answered yet
}

// Fault changes the answers to the requests whose path and query contain Match.
type Fault struct {
	Match string
	// Delay is how long the answer waits; Hold, that it waits until the channel is closed.
	Delay time.Duration
	Hold  <-chan struct{}
	// Status, when set, is answered as the problem of that code.
	Status int
	Code   string
	// Parameter, when set, is the one that the problem names.
	Parameter string
	// Drop ends the connection without an answer.
	Drop bool
	// Times is how many requests the fault is for; 0: all.
	Times int
}

// stage opens a stage for one test, under the path "/v1". With an issuer's URL, people may
// sign in there too.
func stage(t *testing.T, issuerURL string) (*Stage, Site) {
	t.Helper()
	on := stageData(t)
	guard := access.NewGuard(on.store, time.Now)
	log := slog.New(slog.DiscardHandler)
	var signIn dashboard.SignIn
	if issuerURL != "" {
		tokens, err := oidc.New(oidc.Settings{Issuer: issuerURL, Audience: issuer.Audience, PartnerClaim: "partner_id", Local: true}, time.Now, log)
		if err != nil {
			t.Fatal(err)
		}
		guard.Tokens = tokens
		if err := on.admit(t.Context(), issuerURL); err != nil {
			t.Fatal(err)
		}
		signIn = dashboard.SignIn{Issuer: issuerURL, ClientID: issuer.ClientID, Scope: issuer.Scope, Ask: map[string]string{"resource": issuer.Audience}}
	}
	s := &Stage{}
	requestID := func(ctx context.Context) string { id, _ := ctx.Value(requestIDKey{}).(string); return id }
	publicPath := func(ctx context.Context) string { path, _ := ctx.Value(pathKey{}).(string); return path }
	page, err := dashboard.Handler(partnerview.OpenAPI(), dashboard.Gateway{RequestID: requestID, PublicPath: publicPath}, signIn)
	if err != nil {
		t.Fatal(err)
	}
	env := api.Env{RequestID: requestID, Now: time.Now, Log: log, Viewer: func(ctx context.Context) (directory.Viewer, error) {
		viewer, _ := ctx.Value(viewerKey{}).(directory.Viewer)
		return viewer, nil // without one the API refuses
	}}
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.Handle("GET /customers", s.guarded(guard, api.ListCustomers(env, on.store)))
	mux.Handle("GET /customers/{account}", s.guarded(guard, api.GetCustomer(env, on.store)))
	mux.Handle("GET /customers/{account}/usage/{product}", s.guarded(guard, api.GetUsage(env, skipping{on.store, s})))
	mux.Handle("GET /customers/{account}/usage/{product}/{record}", s.guarded(guard, api.GetUsage(env, on.store)))
	mux.Handle("GET /customers/{account}/usage", s.guarded(guard, api.GetCustomer(env, on.store)))
	mux.Handle("GET /customers/{account}/summary", s.guarded(guard, api.GetSummary(env, on.store)))
	mux.Handle("GET /summary", s.guarded(guard, api.GetSummary(env, on.store)))
	mux.Handle("GET /me", s.guarded(guard, api.GetMe(env, on.store)))
	s.server = httptest.NewServer(s.front(mux))
	t.Cleanup(func() { s.server.CloseClientConnections(); s.server.Close() })
	s.URL = s.Under("/v1")
	return s, Site{URL: s.URL, Key: on.key, Account: "acme_retail", Issuer: issuerURL}
}

// Under is the page's address below a base path: /v1, or /partners/api, as a custom
// domain may have.
func (s *Stage) Under(base string) string { return s.server.URL + base + "/" }

// Inject puts faults in place of those before; none mends the stage.
func (s *Stage) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
}

// forget makes the stage as it was at first.
func (s *Stage) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.asked, s.skip, s.lines, s.held = nil, nil, 0, 0, 0
}

// SkipPages makes that many pages of logs empty, with a cursor to the next.
func (s *Stage) SkipPages(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skip = n
}

// InventLines makes the next answer in CSV, and those after it, so many pages of 500 lines each.
func (s *Stage) InventLines(pages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = pages
}

// invents answers with a page of lines, if one is left.
func (s *Stage) invents(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	left := s.lines
	if left > 0 && r.Header.Get("Accept") == "text/csv" {
		s.lines--
	} else {
		left = 0
	}
	s.mu.Unlock()
	if left == 0 {
		return false
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	if left > 1 {
		w.Header().Set("Link", `<?cursor=`+strings.Repeat("A", left)+`>; rel="next"`)
	}
	_, _ = fmt.Fprint(w, "id,note\r\n", strings.Repeat(strings.Repeat("0", 20)+`,"`+strings.Repeat("a line, and\r\n", 26)+"\"\r\n", 500))
	return true
}

func (s *Stage) skips() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skip--
	return s.skip >= 0
}

// Asked lists the API requests that came in, oldest first, as path and query, but for the
// one that the frame around all views sends; AskedMe counts that.
func (s *Stage) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.asked), func(asked string) bool { return asked == "/me" })
}

func (s *Stage) AskedMe() int { return s.count(func() int { return len(s.asked) }) - len(s.Asked()) }

// Held counts the requests that a fault has held, and AtWork those of any kind that are not
// answered yet.
func (s *Stage) Held() int   { return s.count(func() int { return s.held }) }
func (s *Stage) AtWork() int { return s.count(func() int { return s.atWork }) }

func (s *Stage) count(of func() int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return of()
}

type (
	requestIDKey struct{}
	pathKey      struct{}
	viewerKey    struct{}
)

func (s *Stage) front(next http.Handler) http.Handler {
	var mu sync.Mutex
	count := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.atWork++
		s.mu.Unlock()
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.atWork--
		}()
		mu.Lock()
		count++
		ctx := context.WithValue(r.Context(), requestIDKey{}, fmt.Sprintf("5e6f7a80-0000-4000-8000-%012d", count))
		mu.Unlock()
		ctx = context.WithValue(ctx, pathKey{}, r.URL.Path)
		for _, base := range []string{"/v1", "/partners/api"} {
			if below, ok := strings.CutPrefix(r.URL.Path, base); ok {
				r.URL.Path = "/" + strings.TrimPrefix(below, "/")
				break
			}
		}
		if s.invents(w, r) {
			return
		}
		if f, ok := s.faultOf(r.RequestURI); ok && !s.play(w, r.WithContext(ctx), f) {
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (s *Stage) faultOf(uri string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.Times < 0 || !strings.Contains(uri, f.Match) {
			continue
		}
		if f.Times == 1 {
			f.Times = -1
		} else if f.Times > 1 {
			f.Times--
		}
		return *f, true
	}
	return Fault{}, false
}

// play does what a fault says, and reports whether the request goes on.
func (s *Stage) play(w http.ResponseWriter, r *http.Request, f Fault) bool {
	select {
	case <-time.After(f.Delay):
	case <-r.Context().Done():
		return false
	}
	if f.Hold != nil {
		s.mu.Lock()
		s.held++
		s.mu.Unlock()
		select {
		case <-f.Hold:
		case <-r.Context().Done():
			return false
		}
	}
	if f.Drop {
		panic(http.ErrAbortHandler) // the way in which net/http lets a handler end a connection
	}
	if f.Status == 0 {
		return true
	}
	id, _ := r.Context().Value(requestIDKey{}).(string)
	w.Header().Set("Content-Type", "application/problem+json")
	if f.Status == http.StatusTooManyRequests || f.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	w.WriteHeader(f.Status)
	faulty := ""
	if f.Parameter != "" {
		faulty = fmt.Sprintf(`,"errors":[{"parameter":%q,"detail":"is not answered"}]`, f.Parameter)
	}
	_, _ = fmt.Fprintf(w, `{"type":"about:blank","title":%q,"status":%d,"detail":"Injected.","code":%q,"requestId":%q%s}`, http.StatusText(f.Status), f.Status, f.Code, id, faulty)
	return false
}

// guarded asks the product's authorizer before a route, as the gateway does, and asks both again
// where they could not answer: one engine serves all tests at once, on a machine that they keep
// busy, and a store waits no longer than people would. What the page makes of that is shown by a Fault.
func (s *Stage) guarded(guard *access.Guard, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.RequestURI())
		s.mu.Unlock()
		answer := s.answer(guard, next, r)
		for deadline := time.Now().Add(waitTimeout); answer.Code == http.StatusServiceUnavailable && r.Context().Err() == nil && time.Now().Before(deadline); {
			answer = s.answer(guard, next, r)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = answer.Body.WriteTo(w)
	})
}

func (s *Stage) answer(guard *access.Guard, next http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	var account *string
	if named := r.PathValue("account"); named != "" {
		account = &named
	}
	decision, err := guard.Decide(r.Context(), r.Header.Get("Authorization"), account)
	switch {
	case fault.Is(err, fault.Unauthenticated):
		s.play(w, r, Fault{Status: http.StatusUnauthorized, Code: "unauthorized"})
	case err != nil:
		s.play(w, r, Fault{Status: http.StatusServiceUnavailable, Code: "unavailable"})
	case !decision.Allowed:
		s.play(w, r, Fault{Status: http.StatusNotFound, Code: "customer_not_found"})
	default:
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), viewerKey{}, decision.Viewer)))
	}
	return w
}

// skipping is a store whose pages may be empty and yet not the last, as a filtered
// page of a long log may be. It does not leave out the hostile words of one customer's
// records, as the store does: the page is to stand them too.
type skipping struct {
	*dynamo.Store
	stage *Stage
}

func (k skipping) Log(ctx context.Context, log usage.Log, q usage.Query) (usage.Page, error) {
	page, err := k.Store.Log(ctx, log, q)
	for i := range page.Records {
		if r := &page.Records[i]; log.Account == "hostile_import" && r.Status == "" { // as it was stored
			r.Status, r.ErrorCode, r.Channel, r.Country = usage.Status(Hostile), Hostile, Hostile, `"><svg/onload=window.hostile=3>`
		}
	}
	if err != nil || len(page.Records) == 0 || !k.stage.skips() {
		return page, err
	}
	if q.After != nil {
		return usage.Page{Next: q.After}, nil
	}
	before := page.Records[0].Position()
	before.Timestamp = before.Timestamp.Add(time.Millisecond)
	return usage.Page{Next: &before}, nil
}
