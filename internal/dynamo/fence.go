package dynamo

import (
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Under is a copy of the store whose every call is sent only while the lease counts, its
// repetitions too: one that is not ends with ErrLeaseLost. It keeps no price list that
// was read before.
func (s *Store) Under(l *Lease) *Store {
	return s.through(func(next dynamodb.HTTPClient) dynamodb.HTTPClient { return &fence{l, next} })
}

// fence stands between the SDK, which has signed, and the network. A process that was put
// to sleep behind it sends too late; DynamoDB refuses that by the time of its signature.
type fence struct {
	lease *Lease
	next  dynamodb.HTTPClient
}

func (f *fence) Do(r *http.Request) (*http.Response, error) {
	writes := !reads(r)
	if err := f.lease.begin(writes); err != nil {
		return nil, err
	}
	if !writes {
		return f.next.Do(r)
	}
	var sent atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }}
	answered := false
	defer func() { f.lease.end(answered || !sent.Load()) }()
	answer, err := f.next.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	// One that DynamoDB failed at it may have carried out, or may yet.
	answered = err == nil && answer.StatusCode < http.StatusInternalServerError
	return answer, err
}

// reads reports whether a call changes nothing.
func reads(r *http.Request) bool {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch operation {
	case "GetItem", "BatchGetItem", "Query", "Scan":
		return true
	}
	return false
}

// begin lets a call through while the lease counts.
func (l *Lease) begin(writes bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.countsLocked()
	if err == nil && writes {
		l.underWay++
	}
	return err
}

// end is told how a write ended that begin let through.
func (l *Lease) end(answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underWay--
	if !answered {
		l.silent = l.now()
	}
	close(l.changed)
	l.changed = make(chan struct{})
}
