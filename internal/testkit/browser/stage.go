package browser

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerview/internal/api"
	"partnerview/internal/dashboard"
	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// Keys of the stage. Any other is refused.
const (
	StageKey      = "pvk_stage1_00000000000000000000000000000000000000000000000"
	StageEmptyKey = "pvk_stage2_00000000000000000000000000000000000000000000000" // of a partner without customers
)

// Stage is the dashboard with the API's handlers over data in memory, and faults
// on demand. It listens on loopback until Close.
type Stage struct {
	URL string // of the page, with the slash at its end

	server *httptest.Server
	store  memory
	issuer string
	mu     sync.Mutex
	faults []Fault
	asked  []string
	skip   int
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
	// Drop ends the connection without an answer.
	Drop bool
	// Times is how many requests the fault is for; 0: all.
	Times int
}

// NewStage opens a stage under the path "/v1". With an issuer, it takes its tokens too,
// without a look at their signature: that is the real authorizer's affair.
func NewStage(openapi []byte, signIn dashboard.SignIn) (*Stage, error) {
	requestID := func(ctx context.Context) string { id, _ := ctx.Value(requestIDKey{}).(string); return id }
	page, err := dashboard.Handler(openapi, dashboard.Gateway{RequestID: requestID, PublicPath: func(ctx context.Context) string { p, _ := ctx.Value(pathKey{}).(string); return p }}, signIn)
	if err != nil {
		return nil, err
	}
	s := &Stage{store: newMemory(time.Now()), issuer: signIn.Issuer}
	logs := skipping{s.store, s}
	env := api.Env{RequestID: requestID, Now: time.Now, Log: slog.New(slog.DiscardHandler), Viewer: func(ctx context.Context) (directory.Viewer, error) {
		v, _ := ctx.Value(viewerKey{}).(directory.Viewer)
		return v, nil // without one the API refuses
	}}
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.Handle("GET /customers", s.guard(api.ListCustomers(env, s.store)))
	mux.Handle("GET /customers/{account}", s.guard(api.GetCustomer(env, s.store)))
	mux.Handle("GET /customers/{account}/usage/{product}", s.guard(api.GetUsage(env, logs)))
	mux.Handle("GET /customers/{account}/usage/{product}/{record}", s.guard(api.GetUsage(env, logs)))
	s.server = httptest.NewServer(s.front(mux))
	s.URL = s.Under("/v1")
	return s, nil
}

// Under is the page's address below a base path: /v1, or /partners/api, as a custom
// domain may have.
func (s *Stage) Under(base string) string { return s.server.URL + base + "/" }

// Close ends the stage.
func (s *Stage) Close() { s.server.CloseClientConnections(); s.server.Close() }

// Inject puts faults in place of those before; none mends the stage.
func (s *Stage) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
}

// SkipPages makes that many pages of logs empty, with a cursor to the next.
func (s *Stage) SkipPages(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skip = n
}

func (s *Stage) skips() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skip--
	return s.skip >= 0
}

// Asked lists the API requests that came in, oldest first, as path and query.
func (s *Stage) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

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

// play does what a fault says, and tells whether the request goes on.
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
	_, _ = fmt.Fprintf(w, `{"type":"about:blank","title":%q,"status":%d,"detail":"Injected.","code":%q,"requestId":%q}`, http.StatusText(f.Status), f.Status, f.Code, id)
	return false
}

// guard is the authorizer of the stage.
func (s *Stage) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asked = append(s.asked, r.URL.RequestURI())
		s.mu.Unlock()
		viewer := directory.Viewer{Account: usage.AccountID(r.PathValue("account"))}
		switch credential := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); {
		case credential == StageKey || s.names(credential, "northwind"):
			viewer.Partner = "northwind"
		case credential == StageEmptyKey:
			viewer.Partner = "fresh-start"
		default:
			s.play(w, r, Fault{Status: http.StatusUnauthorized, Code: "unauthorized"})
			return
		}
		if viewer.Account != "" {
			c, err := s.store.Customer(r.Context(), viewer.Account)
			if err != nil {
				s.play(w, r, Fault{Status: http.StatusNotFound, Code: "customer_not_found"})
				return
			}
			viewer.Products = c.Products // all are granted
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), viewerKey{}, viewer)))
	})
}

// names tells whether a credential is a token of the stage's issuer for a partner, and
// has not ended.
func (s *Stage) names(credential, partner string) bool {
	parts := strings.Split(credential, ".")
	if s.issuer == "" || len(parts) != 3 {
		return false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	var claims struct {
		Issuer  string `json:"iss"`
		Partner string `json:"partner_id"`
		Ends    int64  `json:"exp"`
	}
	err = json.Unmarshal(text, &claims)
	return err == nil && claims.Issuer == s.issuer && claims.Partner == partner && time.Now().Unix() < claims.Ends
}

// skipping is a store whose pages may be empty and yet not the last, as a filtered
// page of a long log may be.
type skipping struct {
	memory
	stage *Stage
}

func (m skipping) Log(ctx context.Context, log usage.Log, q usage.Query) (usage.Page, error) {
	page, err := m.memory.Log(ctx, log, q)
	if err != nil || len(page.Records) == 0 || !m.stage.skips() {
		return page, err
	}
	if q.After != nil {
		return usage.Page{Next: q.After}, nil
	}
	before := page.Records[0].Position()
	before.Timestamp = before.Timestamp.Add(time.Millisecond)
	return usage.Page{Next: &before}, nil
}

// memory is the stage's store.
type memory struct {
	customers []directory.Customer         // in list order
	logs      map[usage.Log][]usage.Record // oldest first
	lists     map[usage.Log][]*pricing.Indexed
}

func (m memory) Customers(_ context.Context, partner directory.PartnerID, q directory.CustomerQuery) (directory.CustomerPage, error) {
	var page directory.CustomerPage
	for _, c := range m.customers {
		key := directory.SortKey(c.Name, c.Account)
		if partner != "northwind" || key <= q.After || !q.Search.Finds(c.Name, c.Account) || q.Product != "" && !slices.Contains(c.Products, q.Product) {
			continue
		}
		if len(page.Customers) == q.Limit {
			last := page.Customers[q.Limit-1]
			page.Next = directory.SortKey(last.Name, last.Account)
			break
		}
		page.Customers = append(page.Customers, c)
	}
	return page, nil
}

func (m memory) Customer(_ context.Context, account usage.AccountID) (directory.Customer, error) {
	for _, c := range m.customers {
		if c.Account == account {
			return c, nil
		}
	}
	return directory.Customer{}, fault.New(fault.NotFound, "customer", nil)
}

func (m memory) Log(_ context.Context, log usage.Log, q usage.Query) (usage.Page, error) {
	records := slices.Clone(m.logs[log])
	if q.Order == usage.NewestFirst {
		slices.Reverse(records)
	}
	var page usage.Page
	for _, r := range records {
		if q.After != nil && !behind(r.Position(), *q.After, q.Order) {
			continue
		}
		if !q.Period.Contains(r.Timestamp) || !q.Filter.Matches(r) {
			continue
		}
		if len(page.Records) == q.Limit {
			last := page.Records[q.Limit-1].Position()
			page.Next = &last
			break
		}
		page.Records = append(page.Records, r)
	}
	return page, nil
}

// behind tells whether a place comes after another in that order.
func behind(a, b usage.Position, order usage.Order) bool {
	c := strings.Compare(a.String(), b.String())
	if order == usage.NewestFirst {
		return c < 0
	}
	return c > 0
}

func (m memory) Record(_ context.Context, log usage.Log, id usage.RecordID, _ time.Time) (usage.Record, error) {
	for _, r := range m.logs[log] {
		if r.ID == id {
			return r, nil
		}
	}
	return usage.Record{}, fault.New(fault.NotFound, "record", nil)
}

func (m memory) PriceLists(_ context.Context, log usage.Log, _ time.Time) ([]*pricing.Indexed, bool, error) {
	return m.lists[log], false, nil
}
