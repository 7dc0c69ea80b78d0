package dynamo_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/totals"
)

// world is a time that passes when a test says so, for the engine and every machine.
type world struct {
	after atomic.Int64
	deaf  atomic.Int32 // how many answers to an update are lost, of those that come next
}

func (w *world) now() time.Time { return now.Add(time.Duration(w.after.Load())) }

func (w *world) pass(d time.Duration) { w.after.Add(int64(d)) }

// clock is that of a machine which is so far ahead of the engine's.
func (w *world) clock(ahead time.Duration) func() time.Time {
	return func() time.Time { return w.now().Add(ahead) }
}

// dates makes the engine's answers bear the world's time, and the SDK try again at once.
func (w *world) dates(o *dynamodb.Options) {
	o.Retryer = retry.AddWithMaxBackoffDelay(o.Retryer, time.Millisecond)
	next := o.HTTPClient
	o.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
		answer, err := next.Do(r)
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".UpdateItem") && w.deaf.Add(-1) >= 0 {
			return nil, io.ErrUnexpectedEOF
		}
		if err == nil {
			answer.Header.Set("Date", w.now().UTC().Format(http.TimeFormat))
		}
		return answer, err
	})
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// stage is an engine in a world, with a proxy before it.
type stage struct {
	*world
	*dynamotest.Proxy
	tables dynamo.Tables
}

func newStage(t *testing.T) *stage {
	return &stage{new(world), engine.NewProxy(t), engine.NewTables(t)}
}

// store is one of a process of its own.
func (s *stage) store(t *testing.T) *dynamo.Store {
	return dynamo.NewStore(dynamotest.ClientOf(t, s.URL, s.dates), s.tables)
}

// wish is for the times of AWS.
func (s *stage) wish(what string) dynamo.LeaseWish {
	return dynamo.LeaseWish{What: what, Where: "host/" + what, Times: dynamo.StandardLeaseTimes(), Now: s.now}
}

func (s *stage) take(t *testing.T, what string) *dynamo.Lease {
	t.Helper()
	l, err := s.store(t).TakeLease(t.Context(), s.wish(what))
	must(t, err)
	return l
}

func (s *stage) busy(t *testing.T, wish dynamo.LeaseWish) *dynamo.LeaseBusy {
	t.Helper()
	_, err := s.store(t).TakeLease(t.Context(), wish)
	var busy *dynamo.LeaseBusy
	if !errors.As(err, &busy) {
		t.Fatalf("%s took the lease: %v", wish.What, err)
	}
	return busy
}

func (s *stage) writes() (n int) {
	for _, name := range s.Operations() {
		if name != "BatchGetItem" {
			n++
		}
	}
	return n
}

// isUpdate is of writes to the lease.
func isUpdate(c dynamotest.Call) bool { return c.Operation == "UpdateItem" }

func TestWhoWaitsForTheLeaseIsToldByWhomAndGetsItWhenItIsGivenBack(t *testing.T) {
	s := newStage(t)
	first := s.take(t, "import usage")
	s.pass(15 * time.Second)
	must(t, first.Renew(t.Context()))
	busy := s.busy(t, s.wish("apply"))
	if busy.What != "import usage" || busy.Where != "host/import usage" || !busy.Since.Equal(now) ||
		!busy.Renewed.Equal(now.Add(15*time.Second)) || busy.Gone || !busy.FreeAt.Equal(now.Add(15*time.Second+9*time.Minute)) {
		t.Errorf("told of %+v", busy)
	}
	must(t, first.GiveBack(t.Context()))
	must(t, first.GiveBack(t.Context())) // no error twice
	second := s.take(t, "apply")
	if first.Term() != 1 || second.Term() != 2 {
		t.Errorf("terms %d and %d", first.Term(), second.Term())
	}
	must(t, first.GiveBack(t.Context())) // and what is another's by now stays
	if busy := s.busy(t, s.wish("doctor")); busy.What != "apply" {
		t.Errorf("told of %+v", busy)
	}
}

func TestMarksAreInOrderOverTermsAndFromSeveralGoroutines(t *testing.T) {
	s := newStage(t)
	var last totals.Mark
	for range 3 {
		l := s.take(t, "import usage")
		var mu sync.Mutex
		seen := map[totals.Mark]bool{}
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 10 {
					m := l.NextMark()
					mu.Lock()
					if seen[m] || m.String() <= last.String() {
						t.Errorf("%v comes after %v, or twice", m, last)
					}
					seen[m] = true
					mu.Unlock()
				}
			})
		}
		group.Wait()
		for m := range seen {
			if m.String() > last.String() {
				last = m
			}
		}
		must(t, l.GiveBack(t.Context()))
	}
	if want := (totals.Mark{Term: 3, Number: 80}); last != want {
		t.Errorf("the last mark is %v, want %v", last, want)
	}
}

func TestALeaseThatIsNotRenewedIsFreeAfterNineMinutesByTheEnginesClock(t *testing.T) {
	s := newStage(t)
	behind := s.wish("a clock that is behind")
	behind.Now = s.clock(-29 * time.Second)
	s.take(t, "import usage")
	s.pass(9*time.Minute - time.Second)
	s.busy(t, s.wish("too early"))
	s.pass(time.Second)
	_, err := s.store(t).TakeLease(t.Context(), behind)
	must(t, err)
}

// The state machine begins no call of an import before the one before it has ended, or has failed in its
// eyes. One that lives all the same renews the lease, and is not taken for ended; one that renews it no
// longer writes no longer than Lost, and what it has sent by then is over after Gone.
func TestAFormerCallOfTheSameWorkIsWaitedForUntilNothingOfItCanLand(t *testing.T) {
	s := newStage(t)
	wish := s.wish("import usage")
	wish.Work = "k2b7"
	first, err := s.store(t).TakeLease(t.Context(), wish)
	must(t, err)
	for range 10 { // it lives, whatever the state machine says
		s.pass(20 * time.Second)
		must(t, first.Renew(t.Context()))
		if busy := s.busy(t, wish); !busy.Former || busy.Gone || !busy.FreeAt.Equal(s.now().Add(2*time.Minute)) {
			t.Fatalf("while it lives: %+v", busy)
		}
	}
	other := s.wish("import usage")
	other.Work = "another"
	s.pass(2*time.Minute - time.Second)
	if busy := s.busy(t, other); busy.Former || busy.FreeAt.Before(s.now().Add(7*time.Minute)) {
		t.Errorf("for others it is like any: %+v", busy)
	}
	s.busy(t, wish)
	if s.pass(time.Second); !first.Lost() {
		t.Error("the first may write when the next begins")
	}
	next, err := s.store(t).TakeLease(t.Context(), wish)
	must(t, err)
	if next.Term() != 2 {
		t.Errorf("term %d", next.Term())
	}
	must(t, next.GiveBack(t.Context()))
	s.take(t, "apply")
	if busy := s.busy(t, s.wish("import usage")); busy.Former {
		t.Errorf("two that are of no such work: %+v", busy)
	}
}

func TestOfTwoThatTakeTheLeaseAtOnceExactlyOneGetsIt(t *testing.T) {
	for _, free := range []struct {
		name    string
		prepare func(*testing.T, *stage)
	}{
		{"never taken", func(*testing.T, *stage) {}},
		{"given back", func(t *testing.T, s *stage) { must(t, s.take(t, "before").GiveBack(t.Context())) }},
		{"run out", func(t *testing.T, s *stage) { s.take(t, "before"); s.pass(9 * time.Minute) }},
	} {
		t.Run(free.name, func(t *testing.T) {
			s := newStage(t)
			free.prepare(t, s)
			const rivals = 4
			var read sync.WaitGroup // all have read the lease before one writes
			read.Add(rivals)
			var tries atomic.Int32
			s.Meddle(func(c dynamotest.Call, _ dynamotest.Answer) bool {
				if isUpdate(c) && tries.Add(1) <= rivals {
					read.Done()
					read.Wait()
				}
				return false
			})
			var got, refused atomic.Int32
			var group sync.WaitGroup
			for range rivals {
				store := s.store(t)
				group.Go(func() {
					_, err := store.TakeLease(t.Context(), s.wish("rival"))
					var busy *dynamo.LeaseBusy
					switch {
					case err == nil:
						got.Add(1)
					case errors.As(err, &busy):
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			group.Wait()
			if got.Load() != 1 || refused.Load() != rivals-1 {
				t.Errorf("%d got it, %d were refused", got.Load(), refused.Load())
			}
		})
	}
}

func TestNothingIsSentWhenTheLastRenewalBeganAMinuteAgo(t *testing.T) {
	s := newStage(t)
	l := s.take(t, "import usage")
	under := s.store(t).Under(l)
	s.pass(59 * time.Second)
	write(t, under, record(acmeSMS, "u-1", now))
	s.writes()
	s.pass(time.Second)
	for what, call := range map[string]func(context.Context) error{
		"a renewal": l.Renew,
		"a read":    func(ctx context.Context) error { _, err := under.GetCustomer(ctx, "acme_retail"); return err },
		"a write":   func(ctx context.Context) error { return under.PutCustomer(ctx, customer("acme_retail", "Acme")) },
	} {
		err := call(t.Context())
		if !errors.Is(err, dynamo.ErrLeaseLost) || fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := s.Operations(); len(n) > 0 {
		t.Errorf("sent all the same: %v", n)
	}
	if !l.Lost() {
		t.Error("it is not lost")
	}
}

func TestARenewalKeepsTheLeaseFromItsBeginningOn(t *testing.T) {
	s := newStage(t)
	l := s.take(t, "import usage")
	s.pass(20 * time.Second)
	s.Meddle(func(c dynamotest.Call, _ dynamotest.Answer) bool { // it is answered 30 s later
		s.pass(30 * time.Second)
		return false
	})
	must(t, l.Renew(t.Context()))
	s.Meddle(nil)
	if s.pass(29 * time.Second); l.Lost() {
		t.Error("lost after 59 s")
	}
	if s.pass(time.Second); !l.Lost() {
		t.Error("it counts for a minute from the answer")
	}
}

func TestALeaseThatWasLostStaysLost(t *testing.T) {
	s := newStage(t)
	l := s.take(t, "import usage")
	s.Meddle(func(c dynamotest.Call, _ dynamotest.Answer) bool { s.pass(time.Minute); return false })
	if err := l.Renew(t.Context()); !errors.Is(err, dynamo.ErrLeaseLost) {
		t.Errorf("a renewal that was answered after a minute: %v", err)
	}
	s.Meddle(nil)
	if err := l.Renew(t.Context()); !errors.Is(err, dynamo.ErrLeaseLost) {
		t.Errorf("the one after that: %v", err)
	}
	s.pass(-time.Minute) // somebody sets the clock back
	if !l.Lost() {
		t.Error("it counts again")
	}
}

func TestAnAttemptThatIsRepeatedIsHeldBackToo(t *testing.T) {
	s := newStage(t)
	l := s.take(t, "import usage")
	s.Operations()
	s.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		s.pass(time.Minute) // asleep while the answer is on its way
		dynamotest.Throttle(w)
		return true
	})
	err := s.store(t).Under(l).PutCustomer(t.Context(), customer("acme_retail", "Acme"))
	if !errors.Is(err, dynamo.ErrLeaseLost) {
		t.Error(err)
	}
	if sent := s.Operations(); len(sent) != 1 {
		t.Errorf("sent: %v", sent)
	}
}

func TestAWriterThatSleptWhileAnotherTookTheLease(t *testing.T) {
	s := newStage(t)
	first := s.take(t, "import usage")
	s.pass(10 * time.Minute)
	s.take(t, "apply")
	s.pass(-10*time.Minute + 30*time.Second) // its wall clock does not know that it slept
	err := first.Renew(t.Context())
	if !errors.Is(err, dynamo.ErrLeaseLost) || !strings.Contains(err.Error(), `"apply" (host/apply) has taken it`) {
		t.Errorf("its renewal: %v", err)
	}
	s.Operations()
	if err := s.store(t).Under(first).PutCustomer(t.Context(), customer("acme_retail", "Acme")); !errors.Is(err, dynamo.ErrLeaseLost) {
		t.Errorf("its write: %v", err)
	}
	if sent := s.Operations(); len(sent) > 0 {
		t.Errorf("sent: %v", sent)
	}
}

func TestAClockThatIsFiveMinutesOffMayNotWrite(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"ahead": 5 * time.Minute, "behind": -5 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			wish := s.wish("import usage")
			wish.Now = s.clock(ahead)
			_, err := s.store(t).TakeLease(t.Context(), wish)
			var wrong *dynamo.WrongClock
			if !errors.As(err, &wrong) || !strings.Contains(err.Error(), "clock is 5m0s "+name) && !strings.Contains(err.Error(), "clock is 4m59s "+name) {
				t.Errorf("%v", err)
			}
			if n := s.writes(); n > 0 {
				t.Errorf("%d writes", n)
			}
			var off atomic.Int64
			wish.Now = func() time.Time { return s.now().Add(time.Duration(off.Load())) }
			l, err := s.store(t).TakeLease(t.Context(), wish)
			must(t, err)
			off.Store(int64(ahead)) // somebody sets it in the middle
			if err := l.Renew(t.Context()); !errors.Is(err, dynamo.ErrLeaseLost) {
				t.Errorf("its renewal: %v", err)
			}
			if !l.Lost() {
				t.Error("it counts")
			}
		})
	}
}

func TestAClockAFewSecondsOffIsCorrected(t *testing.T) {
	s := newStage(t)
	wish := s.wish("import usage")
	wish.Now = s.clock(20 * time.Second)
	l, err := s.store(t).TakeLease(t.Context(), wish)
	must(t, err)
	if apart := l.Now().Sub(s.now()); apart < 0 || apart > time.Second {
		t.Errorf("its time is %v from DynamoDB's", apart)
	}
}

// cutUpdates loses the answers to the next updates, or cuts these off before they reach
// the engine.
func (s *stage) cutUpdates(times int32, landed bool) {
	if s.deaf.Store(0); landed {
		s.deaf.Store(times)
		return
	}
	var cut atomic.Int32
	s.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if isUpdate(c) && cut.Add(1) <= times {
			dynamotest.Cut(w)
		}
		return false
	})
}

func TestALostAnswerLosesNothing(t *testing.T) {
	for name, landed := range map[string]bool{"the write landed": true, "it did not": false} {
		for _, times := range []int32{1, 4} { // within the SDK's tries, and beyond
			t.Run(name, func(t *testing.T) {
				s := newStage(t)
				s.cutUpdates(times, landed)
				l := s.take(t, "import usage")
				if l.Term() != 1 {
					t.Errorf("term %d", l.Term())
				}
				s.pass(20 * time.Second)
				s.cutUpdates(times, landed)
				for err := l.Renew(t.Context()); err != nil; err = l.Renew(t.Context()) {
					if !fault.Is(err, fault.Unavailable) {
						t.Fatal(err)
					}
					s.pass(time.Second)
				}
				if s.pass(59 * time.Second); l.Lost() {
					t.Error("the renewal does not count")
				}
				s.cutUpdates(times, landed)
				must(t, l.GiveBack(t.Context()))
				s.Meddle(nil)
				s.take(t, "apply")
			})
		}
	}
}

func TestALeaseWhoseEveryRenewalIsCutOffIsLost(t *testing.T) {
	s := newStage(t)
	l := s.take(t, "import usage")
	s.cutUpdates(1000, false)
	for range 2 {
		s.pass(20 * time.Second)
		if err := l.Renew(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
		if l.Lost() {
			t.Error("lost too early")
		}
	}
	s.pass(20 * time.Second)
	s.Meddle(nil)
	if err := l.Renew(t.Context()); !errors.Is(err, dynamo.ErrLeaseLost) {
		t.Errorf("a renewal that begins a minute after the former: %v", err)
	}
}

// settles reports whether a lease does at this time of the world.
func (s *stage) settles(t *testing.T, l *dynamo.Lease) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := l.Settled(ctx)
	if err != nil && !fault.Is(err, fault.Unavailable) {
		t.Fatal(err)
	}
	return err == nil
}

func TestAWriteThatWasNeverAnsweredIsWaitedForAMinute(t *testing.T) {
	for name, answer := range map[string]func(dynamotest.Answer){
		"the connection broke": dynamotest.Cut,
		"DynamoDB failed": func(w dynamotest.Answer) {
			w.WriteHeader(http.StatusInternalServerError)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			l := s.take(t, "import usage")
			under := s.store(t).Under(l)
			if !s.settles(t, l) {
				t.Error("it does not settle before anything is sent")
			}
			var cut atomic.Bool
			s.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
				if c.Operation != "PutItem" || !cut.CompareAndSwap(false, true) {
					return false
				}
				answer(w)
				return true
			})
			must(t, under.PutCustomer(t.Context(), customer("acme_retail", "Acme"))) // at the second try
			for range 3 {
				s.pass(19 * time.Second)
				must(t, l.Renew(t.Context()))
				if s.settles(t, l) {
					t.Error("it settles too early")
				}
			}
			if s.pass(3 * time.Second); !s.settles(t, l) {
				t.Error("it does not settle after a minute")
			}
		})
	}
}

// The race detector finds what is read of a write's end without its turn.
func TestSomeMayWaitForWritesWhileOthersEnd(t *testing.T) {
	s := newStage(t)
	l := s.take(t, "import usage")
	under := s.store(t).Under(l)
	var asked atomic.Int32
	s.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if c.Operation != "PutItem" || asked.Add(1)%2 == 0 {
			return false
		}
		dynamotest.Cut(w)
		return true
	})
	written := make(chan error, 1)
	go func() {
		var err error
		for range 20 {
			err = errors.Join(err, under.PutCustomer(t.Context(), customer("acme_retail", "Acme")))
		}
		written <- err
	}()
	for {
		s.settles(t, l)
		select {
		case err := <-written:
			must(t, err)
			return
		default:
		}
	}
}

func TestAnAnswerOfWhateverKindSettlesAWriteAndAReadNeedsNone(t *testing.T) {
	s := newStage(t)
	l := s.take(t, "import usage")
	under := s.store(t).Under(l)
	s.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if c.Operation == "PutItem" {
			dynamotest.Refuse(w, "AccessDeniedException")
		} else {
			dynamotest.Cut(w)
		}
		return true
	})
	if err := under.PutCustomer(t.Context(), customer("acme_retail", "Acme")); !fault.Is(err, fault.Internal) {
		t.Error(err)
	}
	if _, err := under.GetCustomer(t.Context(), "acme_retail"); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if !s.settles(t, l) {
		t.Error("it does not settle")
	}
}

func TestAWriteThatIsUnderWayHoldsBackTheCountAndTheGivingBack(t *testing.T) {
	s := newStage(t)
	l := s.take(t, "import usage")
	under := s.store(t).Under(l)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	s.Meddle(func(c dynamotest.Call, _ dynamotest.Answer) bool {
		if c.Operation == "PutItem" {
			close(arrived)
			<-goOn
		}
		return false
	})
	var group sync.WaitGroup
	group.Go(func() { must(t, under.PutCustomer(t.Context(), customer("acme_retail", "Acme"))) })
	<-arrived
	if s.settles(t, l) {
		t.Error("it settles")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := l.GiveBack(ctx); !fault.Is(err, fault.Unavailable) {
		t.Errorf("giving it back: %v", err)
	}
	s.busy(t, s.wish("apply"))
	close(goOn)
	group.Wait()
	must(t, l.GiveBack(t.Context()))
	s.take(t, "apply")
	if err := under.PutCustomer(t.Context(), customer("acme_retail", "Acme")); !errors.Is(err, dynamo.ErrLeaseLost) {
		t.Errorf("a write behind the giving back: %v", err)
	}
}

func TestTimesAreSettingsOnAnEngineOfOnesOwnAlone(t *testing.T) {
	s := newStage(t)
	l := s.take(t, "import usage")
	if l.Times() != dynamo.StandardLeaseTimes() {
		t.Errorf("as asked for: %+v", l.Times())
	}
	must(t, l.GiveBack(t.Context()))
	wish := s.wish("import usage")
	wish.Times = dynamo.LeaseTimes{}
	l, err := s.store(t).TakeLease(t.Context(), wish)
	must(t, err)
	want := dynamo.StandardLeaseTimes()
	if want.Gone = 100 * time.Millisecond; l.Times() != want {
		t.Errorf("by default here: %+v", l.Times())
	}
	must(t, l.GiveBack(t.Context()))
	elsewhere := dynamotest.ClientOf(t, s.URL, s.dates, func(o *dynamodb.Options) {
		next := o.HTTPClient
		proxy := strings.TrimPrefix(s.URL, "http://")
		o.BaseEndpoint = aws.String("http://dynamodb.example.com")
		o.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
			r.URL.Host = proxy
			return next.Do(r)
		})
	})
	wish.Times = dynamo.LeaseTimes{Renew: 1, Lost: 1, Free: 1, Gone: 1, Apart: time.Hour}
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
	l, err = dynamo.NewStore(elsewhere, s.tables).TakeLease(t.Context(), wish)
	must(t, err)
	if l.Times() != dynamo.StandardLeaseTimes() {
		t.Errorf("elsewhere: %+v", l.Times())
	}
	held, err := engine.Client(t).GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &s.tables.Ledger,
		Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "WRITER"}, "sk": &types.AttributeValueMemberS{Value: "LEASE"}}})
	must(t, err)
	if process := held.Item["process"].(*types.AttributeValueMemberS).Value; process != "" {
		t.Errorf("a function on AWS says that its process is %q", process)
	}
}
