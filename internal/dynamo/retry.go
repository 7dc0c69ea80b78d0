package dynamo

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"partnerview/internal/fault"
)

// What is tried again, for how long, and how it waits. Only what may pass is:
// mayPass says which errors do. Every write may be repeated, since it puts the same
// again, or has a condition.
//
//	what                    by whom           until                       waits
//	a call                  retryer, the SDK  3 tries or callTimeout;     as backoff, up to 300 ms
//	                                          a scan's: scanTimeout
//	keys left unprocessed   batchGet          4 tries or callTimeout      backoff
//	a command's write       retryUnavailable  its context ends            backoff between calls of the SDK's 3 tries
//	a batch of writes, and  Store.limited     its context ends            backoff, and for the limiter; the SDK
//	an import's other calls                                               does not try again (once)
//
// backoff is 25 to 50 ms before the second try, and doubles up to 2 s. The contexts
// of writes are made in internal/operator: writeTimeout is how long one write may
// take, startTimeout how long an import waits for a store that does not answer yet.

// callTimeout bounds one call with its retries: a caller waits no longer for a
// table that does not answer.
const callTimeout = 3 * time.Second

// scanTimeout bounds a call that reads 1 MB of a whole table, for a command: an engine on
// a busy machine may need longer for it than a request may wait.
const scanTimeout = 20 * time.Second

// retryer is the SDK's, with short waits: DynamoDB's hiccups pass in milliseconds,
// and a partner's request waits meanwhile.
func retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		// Its own would wait for exactly MaxBackoff each time, where that is less than a second.
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return pause(attempt, 300*time.Millisecond), nil
		})
	})
}

// once keeps the SDK from trying a call again: a refusal that it hides would not
// slow the limiter down.
func once(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// noCode is what the SDK calls the error of an answer that names none: it is not DynamoDB's.
const noCode = "UnknownError"

// mayPass reports whether trying again may help: the time was up, no answer came or
// none that could be read, DynamoDB held the call back or failed itself. A missing
// table, a refused permission, a malformed request, and whatever nobody foresaw stay
// as they are however often one tries.
func mayPass(err error) bool {
	var (
		canceled   *smithy.CanceledError
		unreadable *smithy.DeserializationError
		tired      ratelimit.QuotaExceededError // the SDK itself tries no more: too much has failed lately
		api        smithy.APIError
		status     interface{ HTTPStatusCode() int }
	)
	switch {
	case errors.Is(err, ErrLeaseLost):
		return false
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &canceled),
		errors.As(err, &unreadable), errors.As(err, &tired):
		return true
	case errors.As(err, &api) && (api.ErrorFault() == smithy.FaultServer || api.ErrorCode() == noCode),
		errors.As(err, &status) && status.HTTPStatusCode() >= 500:
		return true
	}
	// What the SDK would try again: throttling, by its codes, and what breaks on the way.
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

// backoff waits before another attempt: nothing before the first, then twice as
// long each time with a random part, so that many who were refused together do
// not come back together. It ends early, with an error, when ctx does.
func backoff(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(pause(attempt, 2*time.Second))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause is how long to wait before another attempt, after so many.
func pause(attempt int, most time.Duration) time.Duration {
	longest := min(25*time.Millisecond<<min(attempt, 10), most)
	return longest/2 + rand.N(longest/2)
}

// retryUnavailable repeats a call for as long as it is Unavailable: commands can
// wait for a table that is throttled or an engine that restarts. When the context
// ends the error is the call's last.
func retryUnavailable(ctx context.Context, call func() error) error {
	var last error
	for attempt := 0; ; attempt++ {
		if err := backoff(ctx, attempt); err != nil {
			if last != nil {
				return last
			}
			return fault.New(fault.Unavailable, "not begun", err)
		}
		if last = call(); !fault.Is(last, fault.Unavailable) {
			return last
		}
	}
}

// limited is retryUnavailable within the store's limiter: nothing is held while a
// refused call waits for its next try.
func (s *Store) limited(ctx context.Context, call func() error) error {
	return retryUnavailable(ctx, func() error {
		cuts, err := s.limiter.acquire(ctx)
		if err != nil {
			return fault.New(fault.Unavailable, "waiting to write", err)
		}
		err = call()
		s.limiter.release(cuts, fault.Is(err, fault.Unavailable))
		return err
	})
}

// MaxWriters is how many calls a store makes at the same time to write usage;
// more callers wait for each other.
const MaxWriters = 8

// limiter bounds how many calls are under way at once by what the table bears: each
// time that it refuses, half as many, and one more after as many successes as
// there may be calls (additive increase, multiplicative decrease, as TCP does).
// So several writers find the rate of a throttled table, share it, and follow it
// up again, without a clock.
type limiter struct {
	mu      sync.Mutex
	limit   int // 1 to MaxWriters
	running int
	good    int // successes since the limit last changed
	cuts    int // how often the limit was halved
	waiting []chan struct{}
}

func newLimiter() *limiter { return &limiter{limit: MaxWriters} }

// acquire waits for its turn, and returns what release wants to know.
func (l *limiter) acquire(ctx context.Context) (cuts int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running < l.limit {
		l.running++
		return l.cuts, nil
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	l.mu.Unlock()
	select {
	case <-turn:
	case <-ctx.Done():
		err = ctx.Err()
	}
	l.mu.Lock()
	if err != nil {
		l.forget(turn)
	}
	return l.cuts, err
}

// forget gives up waiting, or the turn that came just then.
func (l *limiter) forget(turn chan struct{}) {
	if i := slices.Index(l.waiting, turn); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		return
	}
	l.running--
	l.admit()
}

// release ends a call. Calls that were refused together halve the limit once: what
// began before the last cut says nothing of the limit since.
func (l *limiter) release(cuts int, refused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	switch {
	case refused && cuts == l.cuts:
		l.limit, l.good, l.cuts = max(1, l.limit/2), 0, l.cuts+1
	case !refused:
		if l.good++; l.good >= l.limit && l.limit < MaxWriters {
			l.limit, l.good = l.limit+1, 0
		}
	}
	l.admit()
}

// admit lets in who has waited longest, as far as the limit goes.
func (l *limiter) admit() {
	for l.running < l.limit && len(l.waiting) > 0 {
		l.running++
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
	}
}
