package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"partnerview/tools/procstat"
)

// answerTimeout ends a process that does not answer.
const answerTimeout = 20 * time.Second

// trace is sampled: the function reports each call to the X-Ray daemon.
const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

// process is a function's, with the Lambda Runtime API of its own on loopback:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type process struct {
	name   string
	cmd    *exec.Cmd
	cancel context.CancelFunc
	server *http.Server
	said   bytes.Buffer // all that it writes
	began  time.Time    // just before exec

	ready    chan time.Time // once: it asks for its first event, and has started
	events   chan []byte    // what it is to answer; one at a time
	given    chan time.Time // when it was handed an event
	answered chan answer
}

// answer is when an answer was there, and what is wrong with it.
type answer struct {
	at  time.Time
	err error
}

// cores are where a function runs, and where the bench does.
type cores struct{ functions, own int }

// launch starts a function as Lambda does, on a core of its own. It is to be ended.
func launch(ctx context.Context, f *side, env variables, on cores) (*process, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &process{
		name: f.name, cancel: cancel, cmd: exec.CommandContext(ctx, f.run),
		ready: make(chan time.Time, 1), events: make(chan []byte, 1), given: make(chan time.Time, 1), answered: make(chan answer, 1),
	}
	p.server = &http.Server{Handler: p.runtimeAPI(ctx)}
	go func() { _ = p.server.Serve(listener) }() // ends with Close
	p.cmd.Env = append(append(variables{}, env...), "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String())
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.began = time.Now()
	if err := startOn(p.cmd, on.functions, on.own); err != nil {
		cancel()
		_ = p.server.Close()
		return nil, err
	}
	return p, nil
}

// hand gives the function an event; it must have answered the one before.
func (p *process) hand(event []byte) { p.events <- event }

// await waits for the answer to an event, and says when it was handed over and when
// the answer was there.
func (p *process) await(ctx context.Context) (given, answered time.Time, err error) {
	select {
	case a := <-p.answered:
		if err = a.err; err == nil {
			given, answered = <-p.given, a.at
		}
	case <-ctx.Done():
		err = errors.New("interrupted")
	case <-time.After(answerTimeout):
		err = fmt.Errorf("no answer within %s", answerTimeout)
	}
	return given, answered, err
}

// started waits until the function has started and asks for its first event.
func (p *process) started(ctx context.Context) (time.Time, error) {
	select {
	case at := <-p.ready:
		return at, nil
	case a := <-p.answered:
		return time.Time{}, a.err
	case <-ctx.Done():
		return time.Time{}, errors.New("interrupted")
	case <-time.After(answerTimeout):
		return time.Time{}, fmt.Errorf("it has not started within %s", answerTimeout)
	}
}

// end kills the process and returns the processor time of all its threads, user and
// system, and how many bytes of it were resident at most. What it wrote is told with
// why.
func (p *process) end(why error) (cpu time.Duration, peak int64, err error) {
	peak = procstat.PeakMemory(p.cmd.Process.Pid)
	p.cancel()
	_ = p.cmd.Process.Kill() // it may have ended by itself
	_ = p.cmd.Wait()         // tells that it was killed
	_ = p.server.Close()
	if why != nil {
		return 0, 0, fmt.Errorf("%s: %w\n%s", p.name, why, p.said.Bytes())
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime(), peak, nil
}

func (p *process) runtimeAPI(ctx context.Context) http.Handler {
	end := func(err error) {
		select {
		case p.answered <- answer{time.Now(), err}:
		default: // it was told already that this process is of no use
		}
	}
	var once sync.Once
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { p.ready <- time.Now() })
		var event []byte
		select {
		case event = <-p.events:
		case <-ctx.Done():
			return
		case <-r.Context().Done():
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", "bench")
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(answerTimeout).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:bench")
		h.Set("Lambda-Runtime-Trace-Id", trace)
		p.given <- time.Now()
		_, _ = w.Write(event) // a process that went away is noticed elsewhere
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{what}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = judge(r.PathValue("what"), body)
		}
		end(err)
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		end(errors.New("it reports that it cannot start"))
		w.WriteHeader(http.StatusAccepted)
	})
	return mux
}

// judge reports whether an answer is a good one: only that may be measured.
func judge(what string, body []byte) error {
	if what != "response" || !bytes.Contains(body, []byte(`"statusCode":200`)) && !bytes.Contains(body, []byte(`"Effect":"Allow"`)) {
		return fmt.Errorf("it answers with %s: %.400s", what, body)
	}
	return nil
}
