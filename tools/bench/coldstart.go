package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// start is what one cold start cost.
type start struct {
	wall time.Duration // from exec to the first answer, over the Runtime API
	cpu  time.Duration // of the process and all its threads, user and system
	peak int64         // bytes resident at most; 0 where the system does not tell
}

// startTimeout ends a process that does not answer.
const startTimeout = 10 * time.Second

// trace is sampled: the function reports each call to the X-Ray daemon.
const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

// coldStart starts a function as Lambda does, hands it one event, and ends its
// process once it has answered.
func coldStart(f *function, env variables) (start, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return start{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	invocation := &invocation{payload: f.payload, deadline: time.Now().Add(startTimeout), answered: make(chan error, 1)}
	server := &http.Server{Handler: invocation.runtimeAPI(), BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = server.Serve(listener) }() // ends with Close
	defer server.Close()

	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, f.run)
	cmd.Env = append(env, "AWS_LAMBDA_RUNTIME_API="+listener.Addr().String())
	cmd.Stdout, cmd.Stderr = &said, &said
	runtime.GC() // none of this program's while the function starts
	time.Sleep(settle)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return start{}, err
	}
	select {
	case err = <-invocation.answered:
	case <-ctx.Done():
		err = fmt.Errorf("no answer within %s", startTimeout)
	}
	s := start{wall: time.Since(began), peak: peakMemory(cmd.Process.Pid)}
	_ = cmd.Process.Kill() // it may have ended by itself
	_ = cmd.Wait()         // tells that it was killed
	s.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if err != nil {
		return s, fmt.Errorf("%s: %w\n%s", f.name, err, said.Bytes())
	}
	return s, nil
}

// settle is a rest before each start: what ran just before then neither helps
// nor hurts it.
const settle = 10 * time.Millisecond

// invocation is the Lambda Runtime API of one process, with work for one call:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type invocation struct {
	payload  []byte
	deadline time.Time
	given    atomic.Bool
	answered chan error // the first answer, judged
}

func (i *invocation) end(err error) {
	select {
	case i.answered <- err:
	default:
	}
}

func (i *invocation) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		if i.given.Swap(true) { // a function asks again when it has answered
			<-r.Context().Done()
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", "bench")
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:bench")
		h.Set("Lambda-Runtime-Trace-Id", trace)
		_, _ = w.Write(i.payload) // a process that went away is noticed elsewhere
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{what}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = judge(r.PathValue("what"), body)
		}
		i.end(err)
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		i.end(errors.New("it reports that it cannot start"))
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

// peakMemory reads how much of a live process was resident at most. Only Linux
// tells; the figure of wait4 is no use, since a process inherits the peak of the
// one that started it.
func peakMemory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(after, " kB")
	kB, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return kB << 10
}
