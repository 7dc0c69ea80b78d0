package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"partnerview/internal/testkit/contract"
	"partnerview/internal/testkit/dynamotest"
)

// What happens to a function's process at one of its calls.
const (
	killed  = dynamotest.Fault("killed")
	stopped = dynamotest.Fault("stopped for 20 s")
)

// stopTime is how long a function is stopped.
const stopTime = 20 * time.Second

// processOf finds the process of the function that makes a call: a child of this one that runs its
// binary and calls this product's gate. 0: there is none.
func (p *product) processOf(call dynamotest.Call) int {
	function := strings.TrimPrefix(call.Token, "local-")
	children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", os.Getpid()))
	if err != nil {
		return 0
	}
	for _, file := range children {
		text, _ := os.ReadFile(file) // a thread may have ended
		for _, child := range strings.Fields(string(text)) {
			binary, err := os.Readlink("/proc/" + child + "/exe")
			environment, _ := os.ReadFile("/proc/" + child + "/environ")
			if err == nil && binary == filepath.Join(p.house.binaries, function, "bootstrap") &&
				strings.Contains(string(environment), p.gate.url+"\x00") {
				pid, _ := strconv.Atoi(child)
				return pid
			}
		}
	}
	return 0
}

// befalls is a strike that kills or stops the process that makes a call, which then reaches the
// engine. One that is stopped goes on after 20 s, if it is there still.
func (p *product) befalls(call string, what dynamotest.Fault) strike {
	return strike{call: call, fault: what, before: func(c dynamotest.Call) {
		pid := p.processOf(c)
		if pid == 0 {
			return
		}
		if what == killed {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			return
		}
		_ = syscall.Kill(pid, syscall.SIGSTOP)
		time.AfterFunc(stopTime, func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	}}
}

// life is a request or an upload during which a function is killed or stopped.
type life struct {
	request *known
	upload  *loaded
	call    string
	what    dynamotest.Fault
}

// lives kills and stops functions at each call that they make.
func (p *proof) lives(ctx context.Context) error {
	began := time.Now()
	lesson, err := p.house.learnRoutes(ctx)
	if err != nil {
		return err
	}
	defer lesson.end()
	var kills, stops []life
	for _, k := range lesson.learned {
		for _, call := range k.calls {
			kills, stops = append(kills, life{request: &k, call: call, what: killed}), append(stops, life{request: &k, call: call, what: stopped})
		}
	}
	for _, u := range uploads() {
		l, err := lesson.products[0].learnUpload(ctx, u)
		if err != nil {
			return err
		}
		for _, call := range l.calls {
			if !strings.HasPrefix(call, "S3 ") {
				kills, stops = append(kills, life{upload: &l, call: call, what: killed}), append(stops, life{upload: &l, call: call, what: stopped})
			}
		}
	}
	if !p.long { // by a key with a list of its own, and as a table, the same functions are killed
		p.shuffle(len(stops), func(i, j int) { stops[i], stops[j] = stops[j], stops[i] })
	}
	try := func(p *proof, at *product, l life) { at.tryLife(ctx, p, lesson.spec, l) }
	each(ctx, p, lesson.products, kills, false, try)
	drawn := each(ctx, p, lesson.products, stops, true, try)
	p.tally.say(fmt.Sprintf("killed at each of %d calls; stopped for 20 s at %d of them", len(kills), drawn), began)
	return nil
}

func (at *product) tryLife(ctx context.Context, p *proof, spec *contract.Spec, l life) {
	s := at.befalls(l.call, l.what)
	if l.upload != nil {
		at.tryUpload(ctx, p, uploadTrial{*l.upload, []strike{s}})
		return
	}
	at.tryRoute(ctx, p, spec, routeTrial{*l.request, []strike{s}})
}
