package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"partnerview/internal/testkit/dynamotest"
)

// lineWatch takes the lines of a product, and tells of those that end an execution of the inbox.
type lineWatch struct {
	mu    sync.Mutex
	ended chan string // the line; nil: nobody waits
}

func (l *lineWatch) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended != nil && bytes.Contains(text, []byte("| execution ")) {
		select {
		case l.ended <- string(text):
		default: // two at once: the first counts
		}
	}
	return len(text), nil
}

// next is where the next execution's end is told.
func (l *lineWatch) next() <-chan string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = make(chan string, 1)
	return l.ended
}

// s3Gate stands before a product's bucket and strikes the requests of functions, which are signed.
type s3Gate struct {
	mu      sync.Mutex
	counts  map[string]int
	calls   []string
	strikes []strike
}

// s3Faults are those that S3 can have. What it sends is vouched for by TLS and its checksums alone.
func s3Faults() []dynamotest.Fault {
	return []dynamotest.Fault{dynamotest.Dropped, dynamotest.Reset, dynamotest.Delayed, dynamotest.Late, dynamotest.Lost,
		dynamotest.Failing, dynamotest.Throttled, dynamotest.Truncated}
}

func (g *s3Gate) begin(strikes ...strike) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counts, g.calls, g.strikes = map[string]int{}, nil, strikes
}

func (g *s3Gate) end() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.strikes = nil
	return g.calls
}

func (g *s3Gate) through(bucket http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, struck := g.note(r)
		if !struck {
			bucket.ServeHTTP(w, r)
			return
		}
		fail(s.fault, w, r, bucket)
	})
}

// note names a function's request, as "GET native 1", and finds what strikes it.
func (g *s3Gate) note(r *http.Request) (strike, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.Header.Get("Authorization") == "" || g.counts == nil {
		return strike{}, false
	}
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	folder, _, _ := strings.Cut(key, "/")
	name := "S3 " + r.Method + " " + folder
	g.counts[name]++
	name = fmt.Sprintf("%s %d", name, g.counts[name])
	g.calls = append(g.calls, name)
	for _, s := range g.strikes {
		if s.call == name {
			return s, true
		}
	}
	return strike{}, false
}

// fail answers a request to S3 with a fault.
func fail(fault dynamotest.Fault, w http.ResponseWriter, r *http.Request, bucket http.Handler) {
	wait := func() {
		select {
		case <-time.After(dynamotest.FaultDelay):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
	switch fault {
	case dynamotest.Delayed:
		wait()
		bucket.ServeHTTP(w, r)
	case dynamotest.Failing:
		http.Error(w, "<Error><Code>InternalError</Code></Error>", http.StatusInternalServerError)
	case dynamotest.Throttled:
		http.Error(w, "<Error><Code>SlowDown</Code></Error>", http.StatusServiceUnavailable)
	case dynamotest.Late, dynamotest.Lost, dynamotest.Truncated:
		done := httptest.NewRecorder()
		bucket.ServeHTTP(done, r)
		if fault == dynamotest.Lost {
			panic(http.ErrAbortHandler)
		}
		for name, values := range done.Header() {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", fmt.Sprint(done.Body.Len()))
		if fault == dynamotest.Late {
			wait()
			w.WriteHeader(done.Code)
			_, _ = w.Write(done.Body.Bytes())
			return
		}
		w.WriteHeader(done.Code)
		_, _ = w.Write(done.Body.Bytes()[:done.Body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case dynamotest.Reset:
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0)
			}
			_ = conn.Close()
			return
		}
		panic(http.ErrAbortHandler)
	default:
		panic(http.ErrAbortHandler)
	}
}

// upload is a file that is put into the inbox.
type upload struct{ folder, file string }

func uploads() []upload {
	return []upload{{"native", "more.ndjson"}, {"credit", "credit.csv"}}
}

// longestImport is how long an import of the inbox may take: a call that is not answered is waited
// for, and the state machine tries again.
const longestImport = 2 * time.Minute

// receives puts a file into the inbox and waits for its import's end. It must have been imported.
func (p *product) receives(ctx context.Context, u upload, text []byte) error {
	ended := p.lines.next()
	url := p.stack.InboxURL + "/" + u.folder + "/" + u.file
	put, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(put)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("the upload: %s, %w", response.Status, err)
	}
	select {
	case line := <-ended:
		if !strings.Contains(line, "SUCCEEDED") {
			return errors.New(strings.TrimSpace(line))
		}
		return nil
	case <-time.After(longestImport):
		return errors.New("the import does not end")
	case <-ctx.Done():
		return ctx.Err()
	}
}
