package dynamo_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/testkit/dynamotest"
)

// writerProcess is in the environment of a process that TestAnotherWriter is the whole of.
const writerProcess = "PARTNERVIEW_TEST_WRITER"

type writerOrders struct {
	Endpoint string
	Tables   dynamo.Tables
	Times    dynamo.LeaseTimes
}

// TestAnotherWriter is another process, where one is asked for: it takes the lease and
// writes customers until it may not.
func TestAnotherWriter(t *testing.T) {
	orders, asked := os.LookupEnv(writerProcess)
	if !asked {
		return
	}
	var o writerOrders
	must(t, json.Unmarshal([]byte(orders), &o))
	s := dynamo.NewStore(dynamotest.ClientOf(t, o.Endpoint), o.Tables)
	l, err := s.TakeLease(t.Context(), dynamo.LeaseWish{What: "import usage", Where: strconv.Itoa(os.Getpid()), Times: o.Times})
	must(t, err)
	fmt.Println("\nhas the lease")
	go func() {
		for range time.Tick(o.Times.Renew) {
			_ = l.Renew(t.Context()) // that it is lost the writes notice
		}
	}()
	under := s.Under(l)
	for i := 0; err == nil; i++ {
		err = under.PutCustomer(t.Context(), customer("acme_retail", fmt.Sprint("Acme ", i)))
	}
	fmt.Printf("\nended: lost %v: %v\n", errors.Is(err, dynamo.ErrLeaseLost), err)
}

// otherWriter starts another process that writes, and returns when it has the lease.
func otherWriter(t *testing.T, o writerOrders) (*os.Process, *bufio.Scanner) {
	t.Helper()
	orders, err := json.Marshal(o)
	must(t, err)
	cmd := exec.Command(os.Args[0], "-test.run=^TestAnotherWriter$")
	cmd.Env = append(os.Environ(), writerProcess+"="+string(orders))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	said := bufio.NewScanner(out)
	for said.Scan() {
		if said.Text() == "has the lease" {
			return cmd.Process, said
		}
	}
	t.Fatal("the other writer has not got the lease")
	return nil, nil
}

// Nobody waits for its parent to notice that the process is dead.
func TestAHolderThatWasKilledIsWaitedForOnlyAsLongAsItsLastWritesMayTake(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	times := dynamo.StandardLeaseTimes()
	other, _ := otherWriter(t, writerOrders{proxy.URL, tables, times})
	late := time.Duration(0)
	wish := dynamo.LeaseWish{What: "apply", Times: times, Now: func() time.Time { return time.Now().Add(late) }}
	s := newStore(t, tables)
	busy := func() *dynamo.LeaseBusy {
		t.Helper()
		_, err := s.TakeLease(t.Context(), wish)
		var busy *dynamo.LeaseBusy
		if !errors.As(err, &busy) {
			t.Fatalf("another has the lease: %v", err)
		}
		return busy
	}
	alive := busy()
	if in := time.Until(alive.FreeAt); alive.Gone || in < 8*time.Minute || alive.Where != strconv.Itoa(other.Pid) {
		t.Errorf("while it lives: %+v, free in %v", alive, in)
	}
	must(t, other.Signal(syscall.SIGSTOP))
	if busy().Gone {
		t.Error("one that sleeps is taken for gone")
	}
	must(t, other.Kill())
	for deadline := time.Now().Add(10 * time.Second); wish.Refused == nil; {
		if dead := busy(); dead.Gone {
			wish.Refused = dead
		} else if time.Now().After(deadline) {
			t.Fatal("it does not count as gone")
		}
	}
	if in := time.Until(wish.Refused.FreeAt); in < 59*time.Second || in > time.Minute {
		t.Errorf("free in %v", in)
	}
	wish.Times.Gone = 20 * time.Second // the clock may be 30 s off, and no more
	wish.Refused = nil
	wish.Refused = busy()
	late = 19 * time.Second
	if again := busy(); !again.FreeAt.Equal(wish.Refused.FreeAt) {
		t.Errorf("it is waited for anew: until %v, and then until %v", wish.Refused.FreeAt, again.FreeAt)
	}
	late = 21 * time.Second
	l, err := s.TakeLease(t.Context(), wish)
	must(t, err)
	if l.Term() != 2 {
		t.Errorf("term %d", l.Term())
	}
}

// On AWS a function is on a machine that has copies; beside an engine of one's own it is on this one.
func TestAFunctionThatWasKilledOnThisMachineIsKnownToBeGone(t *testing.T) {
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
	tables := engine.NewTables(t)
	other, _ := otherWriter(t, writerOrders{engine.Endpoint(t), tables, dynamo.StandardLeaseTimes()})
	must(t, other.Kill())
	s := newStore(t, tables)
	for deadline := time.Now().Add(10 * time.Second); ; {
		_, err := s.TakeLease(t.Context(), dynamo.LeaseWish{What: "import usage", Times: dynamo.StandardLeaseTimes()})
		var busy *dynamo.LeaseBusy
		if !errors.As(err, &busy) {
			t.Fatalf("another has the lease: %v", err)
		}
		if busy.Gone {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not count as gone")
		}
	}
}

func TestAWriterThatWasStoppedForLongerThanItsLeaseWritesNothingWhenItWakes(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	times := dynamo.LeaseTimes{Renew: time.Second, Lost: 2 * time.Second, Free: 2500 * time.Millisecond, Gone: time.Millisecond, Apart: 30 * time.Second}
	asleep, wake := make(chan struct{}), make(chan struct{})
	puts := 0
	proxy.Meddle(func(c dynamotest.Call, _ dynamotest.Answer) bool {
		if c.Operation != "PutItem" {
			return false
		}
		if puts++; puts == 3 { // in the middle of its work, with a write under way
			close(asleep)
			<-wake
		}
		return false
	})
	other, said := otherWriter(t, writerOrders{proxy.URL, tables, times})
	<-asleep
	must(t, other.Signal(syscall.SIGSTOP))
	s := newStore(t, tables)
	wish := dynamo.LeaseWish{What: "apply", Times: times}
	var l *dynamo.Lease
	for err := error(errors.New("not tried")); err != nil; {
		if l, err = s.TakeLease(t.Context(), wish); err != nil && !errors.As(err, &wish.Refused) {
			t.Fatal(err)
		}
	}
	if wish.Refused == nil || wish.Refused.Gone {
		t.Errorf("refused: %+v", wish.Refused)
	}
	proxy.Calls()
	close(wake)
	must(t, other.Signal(syscall.SIGCONT))
	ended := ""
	for said.Scan() && ended == "" {
		if strings.HasPrefix(said.Text(), "ended: ") {
			ended = said.Text()
		}
	}
	if !strings.HasPrefix(ended, "ended: lost true") {
		t.Errorf("it ended so: %q", ended)
	}
	for _, c := range proxy.Calls() {
		if c.Operation == "PutItem" {
			t.Error("it writes")
		}
	}
	if l.Term() != 2 {
		t.Errorf("term %d", l.Term())
	}
}
