package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
)

// answer is the SHA-256 of what an answer shows: its kind, its link to the next page, and
// its body.
type answer [sha256.Size]byte

func answerOf(header http.Header, body []byte) answer {
	shown := header.Get("Content-Type") + "\n" + header.Get("Link") + "\n"
	return sha256.Sum256(append([]byte(shown), body...))
}

// judge is the client's transport: it sends what it is given, and holds each answer
// against what its asker must get.
type judge struct {
	send   http.RoundTripper
	owners map[answer]ask // of what was answered before the load
	faults *atomic.Bool   // whether the database fails now and then: else no 503 is excused

	next    atomic.Int64
	pending sync.Map // of numbers: the ask

	mu       sync.Mutex
	statuses map[int]int
	limited  map[string]int // answers within its plan, by a bronze partner
	wrong    []string       // the first of them
	wrongs   int
	mixedUp  int
}

// shownWrong is how many wrong answers are told.
const shownWrong = 10

func newJudge(send http.RoundTripper, known []ask, faults *atomic.Bool) (*judge, error) {
	j := &judge{send: send, owners: make(map[answer]ask), faults: faults, statuses: make(map[int]int), limited: make(map[string]int)}
	for _, a := range known {
		if other, taken := j.owners[a.got]; taken {
			return nil, fmt.Errorf("%s, and gets what this gets: %s: mixed up, nobody would know", a, other)
		}
		j.owners[a.got] = a
	}
	return j, nil
}

// expect gives an ask a number, which its request bears.
func (j *judge) expect(a ask) int64 {
	n := j.next.Add(1)
	j.pending.Store(n, a)
	return n
}

// RoundTrip sends a request without its number, and judges the answer.
func (j *judge) RoundTrip(r *http.Request) (*http.Response, error) {
	n, err := strconv.ParseInt(r.Header.Get(number), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("a request that nobody asked for: %w", err)
	}
	found, known := j.pending.LoadAndDelete(n)
	if !known {
		return nil, fmt.Errorf("request %d was not asked for", n)
	}
	one := found.(ask)
	r = r.Clone(r.Context())
	for _, ours := range []string{number, "X-Vegeta-Attack", "X-Vegeta-Seq"} {
		r.Header.Del(ours)
	}
	response, err := j.send.RoundTrip(r)
	if err != nil {
		j.note(one, 0, fmt.Sprintf("is not answered: %v", err))
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	if closeErr := response.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		j.note(one, 0, fmt.Sprintf("is answered in part: %v", err))
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	j.note(one, response.StatusCode, j.verdict(one, response, body))
	return response, nil
}

// note counts an answer; fault is empty where it is right.
func (j *judge) note(a ask, status int, fault string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.statuses[status]++
	if a.bronze && status != http.StatusTooManyRequests && status != 0 {
		j.limited[a.who]++
	}
	if fault == "" {
		return
	}
	if j.wrongs++; len(j.wrong) < shownWrong {
		j.wrong = append(j.wrong, a.String()+", and "+fault)
	}
}

// verdict is what is wrong with an answer; empty: nothing.
func (j *judge) verdict(a ask, r *http.Response, body []byte) string {
	if r.StatusCode == http.StatusOK {
		return j.whose(a, answerOf(r.Header, body))
	}
	var want string
	switch {
	case r.StatusCode == http.StatusUnauthorized && a.wish == unauthorized:
		want = "unauthorized"
	case r.StatusCode == http.StatusNotFound && a.wish == notThere:
		want = "customer_not_found"
	case r.StatusCode == http.StatusTooManyRequests && a.bronze:
		want = "too_many_requests"
	case r.StatusCode == http.StatusServiceUnavailable && j.faults.Load():
		want = "unavailable"
	default:
		return fmt.Sprintf("is answered with %d", r.StatusCode)
	}
	return badProblem(r, body, want)
}

// whose says who was answered, where that is not the asker with what it asked for.
func (j *judge) whose(a ask, got answer) string {
	if a.wish == itsOwn && got == a.got {
		return ""
	}
	owner, known := j.owners[got]
	switch {
	case known:
		j.mu.Lock()
		defer j.mu.Unlock()
		j.mixedUp++
		return "gets what this gets: " + owner.String()
	case a.wish == itsOwn:
		return "gets something else than before the load"
	}
	return "is shown something"
}

// badProblem is what is wrong with a problem; empty: nothing.
func badProblem(r *http.Response, body []byte, code string) string {
	var p struct {
		Type, Title, Detail, Code, RequestID string
		Status                               int
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	retry := r.Header.Get("Retry-After")
	switch err := d.Decode(&p); {
	case err != nil:
		return fmt.Sprintf("the %d is no problem: %v", r.StatusCode, err)
	case r.Header.Get("Content-Type") != "application/problem+json" || p.Status != r.StatusCode || p.Code != code || p.RequestID == "":
		return fmt.Sprintf("the %d is the problem %q, not the documented %q", r.StatusCode, p.Code, code)
	case (r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusServiceUnavailable) && retry == "":
		return fmt.Sprintf("the %d does not say when to come back", r.StatusCode)
	case r.StatusCode == http.StatusUnauthorized && r.Header.Get("WWW-Authenticate") != "Bearer":
		return "the 401 does not say what is wanted"
	}
	return ""
}
