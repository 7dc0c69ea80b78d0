package operator_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
)

// world is tables on a real engine, and the time there. Its clock runs, and can be put
// forward: the engine's answers bear its dates.
type world struct {
	endpoint string
	tables   dynamo.Tables
	direct   *dynamo.Store // past all faults
	http     http.RoundTripper
	engine   *dynamotest.Engine
	whole    bool // the last run went to its end: nobody has the lease, and no day is open

	ahead atomic.Int64 // of this machine's clock
}

func newWorld(t testing.TB, engine *dynamotest.Engine) *world {
	t.Helper()
	return &world{endpoint: engine.Endpoint(t), http: &http.Transport{MaxIdleConnsPerHost: 64}, engine: engine}
}

// begin puts the clock to a time, and makes tables where there are none that are at rest:
// with a clock that is put back, nobody would wait a lease out.
func (w *world) begin(t testing.TB, now time.Time) error {
	w.ahead.Store(int64(time.Until(now)))
	if !w.whole {
		w.tables = w.engine.NewTables(t)
		w.direct = dynamo.NewStore(w.engine.Client(t), w.tables)
		first := w.process(t.Context())
		first.renew = time.Minute
		if _, err := first.operator(t).ImportUsage(t.Context(), strings.NewReader(""), operator.UsageImport{}); err != nil {
			return err
		}
	}
	w.whole = false
	return nil
}

func (w *world) now() time.Time { return time.Now().Round(0).UTC().Add(time.Duration(w.ahead.Load())) }

func (w *world) pass(d time.Duration) { w.ahead.Add(int64(d)) }

// process is one that uses the tables: its way to the engine, on which one thing may
// happen, and its clock.
type process struct {
	*world
	skew  time.Duration // its clock is ahead of the engine's
	renew time.Duration // LeaseTimes.Renew
	// What happens, when its nth call, or write, comes. nil: nothing.
	nth    int
	writes bool // are counted, and not all calls
	lag    int  // behind how many others a call comes that comes late
	behind bool // it happens when the engine has answered
	meets  func() outcome

	ctx  context.Context
	kill context.CancelFunc
	gate sync.RWMutex // held while something happens: its other calls have ended, or wait

	mu    sync.Mutex
	calls int
	late  *lateCall
	dead  atomic.Bool
}

// outcome is what becomes of a call.
type outcome int

const (
	passes    outcome = iota
	isLost            // on its way to the engine
	isUnheard         // the answer is lost
	comesLate         // the caller hears nothing, and the engine gets the call within LeaseTimes.Gone
	isRefused         // as not allowed
	isTooOld          // refused, since it was signed too long ago
)

// lateCall is on its way when its caller has given up already.
type lateCall struct {
	request *http.Request
	body    []byte
	since   time.Time
	behind  int // how many calls that are sent later
}

// signatureCounts is for how long DynamoDB takes a call after it was signed.
const signatureCounts = 5 * time.Minute

type signedAt struct{}

// gone is LeaseTimes.Gone of the tests.
const gone = 20 * time.Millisecond

func (w *world) process(ctx context.Context) *process {
	p := &process{world: w}
	p.ctx, p.kill = context.WithCancel(ctx)
	return p
}

// dies ends the process: nothing that it sends arrives any more.
func (p *process) dies() {
	p.dead.Store(true)
	p.kill()
}

func (p *process) now() time.Time { return p.world.now().Add(p.skew) }

// operator is one that works in the process.
func (p *process) operator(t testing.TB) *operator.Operator {
	db, err := dynamo.NewClient(func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": p.endpoint}[name]
	}, func(o *dynamodb.Options) {
		o.HTTPClient = p
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 3, time.Millisecond })
	})
	if err != nil {
		t.Fatal(err)
	}
	o := operator.New(dynamo.NewStore(db, p.tables), p.now)
	o.LeaseClock = p.now
	o.LeaseTimes = dynamo.StandardLeaseTimes()
	o.LeaseTimes.Gone, o.LeaseTimes.Renew = gone, p.renew
	return o
}

// Do carries a call to the engine.
func (p *process) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.WithContext(context.WithValue(r.Context(), signedAt{}, p.world.now()))
	p.arriveLate()
	meets, behind := p.happens(r)
	if meets == nil {
		return p.bring(r, body, passes)
	}
	var answer *http.Response
	if behind {
		answer, err = p.bring(r, body, passes)
	}
	p.gate.Lock()
	becomes := meets()
	p.gate.Unlock()
	switch {
	case !behind:
		return p.bring(r, body, becomes)
	case becomes == passes:
		return answer, err
	}
	return nil, lost(r)
}

// bring is what a caller hears of a call.
func (p *process) bring(r *http.Request, body []byte, becomes outcome) (*http.Response, error) {
	if p.dead.Load() || r.Context().Err() != nil {
		becomes = isLost
	}
	switch becomes {
	case isLost:
		return nil, lost(r)
	case isUnheard:
		if answer, err := p.carry(r, body); err == nil {
			answer.Body.Close()
		}
		return nil, lost(r)
	case comesLate:
		p.mu.Lock()
		p.late = &lateCall{r, body, time.Now(), p.lag}
		p.mu.Unlock()
		return nil, lost(r)
	case isRefused:
		return p.refuse(r, "com.amazon.coral.service#AccessDeniedException"), nil
	case isTooOld:
		return p.refuse(r, "com.amazon.coral.service#InvalidSignatureException"), nil
	}
	return p.carry(r, body)
}

func (p *process) refuse(r *http.Request, code string) *http.Response {
	body := `{"__type":"` + code + `","message":"Signature expired or other refusal of the test"}`
	return &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{"Date": {p.world.now().Format(http.TimeFormat)}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// happens counts a call, and is what happens at it; nil: nothing.
func (p *process) happens(r *http.Request) (meets func() outcome, behind bool) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.writes || isWrite(operation) {
		p.calls++
	}
	if p.meets != nil && p.calls == p.nth {
		meets, p.meets = p.meets, nil
	}
	return meets, p.behind
}

// arriveLate brings the engine a call that has been on its way, unless that is over.
func (p *process) arriveLate() {
	p.mu.Lock()
	call := p.late
	if call != nil {
		if call.behind--; call.behind > 0 {
			call = nil
		} else {
			p.late = nil
		}
	}
	p.mu.Unlock()
	if call != nil && time.Since(call.since) < gone*9/10 {
		if answer, err := p.carry(call.request, call.body); err == nil {
			answer.Body.Close()
		}
	}
}

func (p *process) carry(r *http.Request, body []byte) (*http.Response, error) {
	p.gate.RLock()
	defer p.gate.RUnlock()
	if signed, _ := r.Context().Value(signedAt{}).(time.Time); p.world.now().Sub(signed) > signatureCounts {
		return p.refuse(r, "com.amazon.coral.service#InvalidSignatureException"), nil
	}
	r = r.Clone(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer, err := p.http.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err = io.ReadAll(answer.Body)
	answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	answer.Header.Set("Date", p.world.now().Format(http.TimeFormat))
	return answer, err
}

// lost is how a connection fails on which a call was sent already.
func lost(r *http.Request) error {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	return &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
}
