package dynamo

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerview/internal/usage"
)

// rounds lets n calls in at once and out again, that many times.
func rounds(t *testing.T, l *limiter, times, n int, refused bool) {
	t.Helper()
	for range times {
		var cuts []int
		for range n {
			c, err := l.acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			cuts = append(cuts, c)
		}
		for _, c := range cuts {
			l.release(c, refused)
		}
	}
}

func TestLimiterHalvesWhenRefusedAndRecoversOneByOne(t *testing.T) {
	l := newLimiter()
	expect := func(when string, limit int) {
		t.Helper()
		if l.limit != limit || l.running != 0 {
			t.Errorf("%s: limit %d, running %d; want a limit of %d", when, l.limit, l.running, limit)
		}
	}
	rounds(t, l, 1, MaxWriters, true)
	expect("all were refused at once", MaxWriters/2)
	rounds(t, l, 1, MaxWriters/2, true)
	expect("and again", MaxWriters/4)
	rounds(t, l, 5, 1, true)
	expect("for good: one always may", 1)
	rounds(t, l, 1, 1, false)
	expect("one went well", 2)
	rounds(t, l, 1, 1, false)
	expect("one of two", 2)
	rounds(t, l, 1, 1, false)
	expect("both of two", 3)
	rounds(t, l, 100, 1, false)
	expect("all went well for long", MaxWriters)
}

func TestLimiterAdmitsNoMoreThanItsLimitAndInOrder(t *testing.T) {
	l := newLimiter()
	l.limit = 1
	cuts, err := l.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	order := make(chan int, 2)
	for i := range 2 {
		waiting := len(l.waiting)
		go func() {
			c, _ := l.acquire(context.Background())
			order <- i
			l.release(c, true) // a refusal, so that the limit stays 1
		}()
		for { // until it stands in line
			l.mu.Lock()
			n := len(l.waiting)
			l.mu.Unlock()
			if n > waiting {
				break
			}
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.acquire(gone); err == nil {
		t.Error("who has gone is let in")
	}
	select {
	case i := <-order:
		t.Errorf("%d was let in while the only turn was taken", i)
	default:
	}
	l.release(cuts, true)
	if first, second := <-order, <-order; first != 0 || second != 1 {
		t.Errorf("let in were %d, then %d", first, second)
	}
}

// Each way in which DynamoDB says that it is asked too much slows the writers
// down, at once: the SDK must not hide it by trying again.
func TestEveryRefusalOfAWriteReachesTheLimiter(t *testing.T) {
	const throttled = `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"too much"}`
	const broken = `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"sorry"}`
	const unprocessed = `{"UnprocessedItems":{"usage":[{"PutRequest":{"Item":{"log":{"S":"acme_retail#sms"}}}}]}}`
	for name, refusal := range map[string]struct {
		operation string
		status    int
		body      string
	}{
		"throttled":           {"BatchWriteItem", 400, throttled},
		"left unprocessed":    {"BatchWriteItem", 200, unprocessed},
		"failed":              {"BatchWriteItem", 500, broken},
		"a read is throttled": {"BatchGetItem", 400, throttled},
	} {
		t.Run(name, func(t *testing.T) {
			var refused atomic.Bool
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				status, body := 200, "{}"
				if strings.HasSuffix(r.Header.Get("X-Amz-Target"), refusal.operation) && refused.CompareAndSwap(false, true) {
					status, body = refusal.status, refusal.body
				}
				w.Header().Set("X-Amz-Crc32", fmt.Sprint(crc32.ChecksumIEEE([]byte(body))))
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}))
			defer server.Close()
			db, err := NewClient(func(name string) string {
				return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": server.URL}[name]
			})
			if err != nil {
				t.Fatal(err)
			}
			s := NewStore(db, Tables{Usage: "usage"})
			records := []usage.Record{{Log: usage.Log{Account: "acme_retail", Product: usage.SMS}, ID: "u-1"}}
			if _, err := s.WriteUsage(t.Context(), records); err != nil {
				t.Fatal(err)
			}
			if s.limiter.cuts != 1 || s.limiter.running != 0 {
				t.Errorf("the limit was cut %d times, want once; %d calls are under way", s.limiter.cuts, s.limiter.running)
			}
		})
	}
}

// Many who were refused together do not come back together.
func TestTheSDKsOwnTriesWaitAtRandom(t *testing.T) {
	r := retryer()
	for attempt, most := range map[int]time.Duration{1: 50 * time.Millisecond, 2: 100 * time.Millisecond, 9: 300 * time.Millisecond} {
		seen := map[time.Duration]bool{}
		for range 20 {
			wait, err := r.RetryDelay(attempt, context.DeadlineExceeded)
			if err != nil || wait < most/2 || wait >= most {
				t.Fatalf("after attempt %d it waits %s, %v; want %s to %s", attempt, wait, err, most/2, most)
			}
			seen[wait] = true
		}
		if len(seen) < 10 {
			t.Errorf("after attempt %d it waits one of only %d times", attempt, len(seen))
		}
	}
}
