package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// court is a judge of two partners, and a server that answers each with its own.
type court struct {
	*judge
	t      *testing.T
	url    string
	asks   []ask
	faults atomic.Bool
}

// newCourt has the judge send through what a test puts between.
func newCourt(t *testing.T, between func(http.RoundTripper) http.RoundTripper, serve http.HandlerFunc) *court {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	c := &court{t: t, url: server.URL}
	for _, who := range []string{"north", "south"} {
		a := ask{who: who, route: "the list", path: "/customers", credential: "Bearer " + who}
		a.got = answerOf(http.Header{"Content-Type": {"application/json"}}, []byte(listOf(who)))
		c.asks = append(c.asks, a)
	}
	var err error
	if c.judge, err = newJudge(between(http.DefaultTransport), c.asks, &c.faults); err != nil {
		t.Fatal(err)
	}
	return c
}

func listOf(who string) string { return `{"data":["a customer of ` + who + `"]}` }

func eachItsOwn(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, listOf(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
}

func nothing(send http.RoundTripper) http.RoundTripper { return send }

func (c *court) ask(a ask) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.url+a.path, nil)
	if err != nil {
		c.t.Error(err)
		return
	}
	r.Header = a.header()
	r.Header.Set(number, strconv.FormatInt(c.expect(a), 10))
	response, err := (&http.Client{Transport: c.judge}).Do(r)
	if err != nil {
		c.t.Error(err)
		return
	}
	response.Body.Close()
}

// swapping gives each of two answers to whoever asked for the other.
type swapping struct {
	send  http.RoundTripper
	mine  chan *http.Response // the answer of whoever came first
	other chan *http.Response
	turns atomic.Int32
}

func (s *swapping) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := s.send.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if s.turns.Add(1) == 1 {
		s.mine <- response
		return <-s.other, nil
	}
	s.other <- response
	return <-s.mine, nil
}

func TestAnswersThatAreMixedUpAreCaught(t *testing.T) {
	c := newCourt(t, func(send http.RoundTripper) http.RoundTripper {
		return &swapping{send: send, mine: make(chan *http.Response, 1), other: make(chan *http.Response, 1)}
	}, eachItsOwn)
	var both sync.WaitGroup
	for _, a := range c.asks {
		both.Go(func() { c.ask(a) })
	}
	both.Wait()
	if c.mixedUp != 2 || c.wrongs != 2 || !strings.Contains(strings.Join(c.wrong, "\n"), "north asks for the list (/customers), and gets what this gets: south asks for") {
		t.Errorf("two answers are swapped, and the judge says: %d mixed up, %q", c.mixedUp, c.wrong)
	}
}

func TestAnAnswerThatIsItsAskersIsRight(t *testing.T) {
	c := newCourt(t, nothing, eachItsOwn)
	for _, a := range c.asks {
		c.ask(a)
	}
	if c.wrongs != 0 || c.statuses[200] != 2 {
		t.Errorf("%q, %v", c.wrong, c.statuses)
	}
}

func TestAnAnswerThatHasChangedIsCaught(t *testing.T) {
	c := newCourt(t, nothing, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"data":[]}`)
	})
	c.ask(c.asks[0])
	if c.wrongs != 1 || !strings.Contains(c.wrong[0], "something else than before") {
		t.Errorf("%q", c.wrong)
	}
}

func TestWhatIsShownToABadCredentialIsCaught(t *testing.T) {
	c := newCourt(t, nothing, eachItsOwn)
	bad := c.asks[0]
	bad.wish, bad.who = unauthorized, ""
	c.ask(bad)
	if c.wrongs != 1 || c.mixedUp != 1 {
		t.Errorf("%q", c.wrong)
	}
}

func TestAnErrorIsRightForWhomItIsDocumented(t *testing.T) {
	const problem = `{"type":"about:blank","title":"No","status":%d,"detail":"No.","code":"%s","requestId":"r-1"}`
	for _, c := range []struct {
		claim, code   string
		status        int
		wish          wish
		bronze, fails bool
		right         bool
	}{
		{"a bad credential is refused", "unauthorized", 401, unauthorized, false, false, true},
		{"a good credential is refused", "unauthorized", 401, itsOwn, false, true, false},
		{"another's customer is not there", "customer_not_found", 404, notThere, false, false, true},
		{"one's own customer is not there", "customer_not_found", 404, itsOwn, false, true, false},
		{"a bad credential is told what there is not", "customer_not_found", 404, unauthorized, false, false, false},
		{"whoever exceeds its plan is held back", "too_many_requests", 429, itsOwn, true, false, true},
		{"whoever does not is held back", "too_many_requests", 429, itsOwn, false, true, false},
		{"the database fails", "unavailable", 503, itsOwn, false, true, true},
		{"the database fails for a bad credential", "unavailable", 503, unauthorized, false, true, true},
		{"nothing fails, and it is not available", "unavailable", 503, itsOwn, false, false, false},
		{"a failure is ours by another name", "internal", 503, itsOwn, false, true, false},
		{"a failure that nobody documents", "internal", 500, itsOwn, false, true, false},
	} {
		t.Run(c.claim, func(t *testing.T) {
			court := newCourt(t, nothing, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/problem+json")
				w.Header().Set("Retry-After", "1")
				w.Header().Set("WWW-Authenticate", "Bearer")
				w.WriteHeader(c.status)
				fmt.Fprintf(w, problem, c.status, c.code)
			})
			court.faults.Store(c.fails)
			a := court.asks[0]
			a.wish, a.bronze = c.wish, c.bronze
			court.ask(a)
			if right := court.wrongs == 0; right != c.right {
				t.Errorf("it is right: %v, want %v; %q", right, c.right, court.wrong)
			}
		})
	}
}

func TestAProblemThatTellsMoreThanDocumentedIsCaught(t *testing.T) {
	c := newCourt(t, nothing, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(401)
		_, _ = io.WriteString(w, `{"type":"about:blank","title":"","status":401,"detail":"","code":"unauthorized","requestId":"r","partner":"north"}`)
	})
	bad := c.asks[0]
	bad.wish = unauthorized
	c.ask(bad)
	if c.wrongs != 1 {
		t.Errorf("%q", c.wrong)
	}
}

func TestTwoThatGetTheSameAreRefused(t *testing.T) {
	same := ask{who: "north", route: "the list"}
	if _, err := newJudge(http.DefaultTransport, []ask{same, same}, new(atomic.Bool)); err == nil {
		t.Error("mixed up, nobody would know")
	}
}
