package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	"partnerview/tools/report"
)

// What is measured as Lambda runs it.
var (
	memories         = []int{128, 256, 512, 1024, fullCore} // MB
	measuredOnLambda = []string{"authorizer", "getusage", "listcustomers"}
)

// What Lambda costs on arm64 in us-east-1: https://aws.amazon.com/lambda/pricing/
const (
	perGBSecond           = 0.0000133334 // US dollars
	perMillionInvocations = 0.20
)

// restAfter is how long a function rests after each answer, in which a new period of
// its quota begins: partners do not ask without a pause.
const restAfter = quotaPeriod + 5*time.Millisecond

// invoked is what a function cost with the processor time of a memory size.
type invoked struct {
	inits  []time.Duration // from exec to asking for the first event, with a whole core
	firsts []time.Duration // of the first answer, TLS and all
	warm   []time.Duration // of those after it
	peaks  []int64         // bytes
}

// plan is what is to be run as Lambda does.
type plan struct {
	functions []*side
	starts    int // of each function and memory size
	warm      int // answers after the first of each start
}

// runs are a function's, by memory size.
type runs struct {
	*side
	bySize map[int]*invoked
}

// asOnLambda starts each function with a whole core, as Lambda does its init phase, and
// then has it answer with the quota of each memory size. All sizes and functions take
// turns. A refusal: others used the machine meanwhile.
func asOnLambda(ctx context.Context, p plan, q quota, env variables, on cores) ([]*runs, error) {
	var all []*runs
	for _, f := range p.functions {
		all = append(all, &runs{f, map[int]*invoked{}})
	}
	from, err := look()
	if err != nil {
		return nil, err
	}
	for i := range p.starts + 1 { // the first brings binary and certificates into the page cache
		for _, memory := range memories {
			for _, r := range all {
				if i <= 1 {
					r.bySize[memory] = new(invoked)
				}
				own := append(append(append(variables{}, env...), r.env...), "GOMEMLIMIT="+memoryLimit(memory))
				if err := r.bySize[memory].start(ctx, r.side, own, memory, p.warm, q, on); err != nil {
					return nil, err
				}
			}
		}
		to, err := look()
		if err != nil {
			return nil, err
		}
		if err := judgeMachine(from, to); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// memoryLimit is GOMEMLIMIT for a memory size, in the proportion that template.yaml has.
func memoryLimit(memoryMB int) string { return fmt.Sprintf("%dMiB", memoryMB*200/256) }

// start is one start and its answers.
func (v *invoked) start(ctx context.Context, f *side, env variables, memory, warm int, q quota, on cores) error {
	runtime.GC()
	time.Sleep(settle)
	p, err := launch(ctx, f, env, on)
	if err != nil {
		return err
	}
	err = v.answers(ctx, p, memory, warm, f.payload, q)
	err = errors.Join(err, q.free())
	_, peak, err := p.end(err)
	v.peaks = append(v.peaks, peak)
	return err
}

func (v *invoked) answers(ctx context.Context, p *process, memory, warm int, event []byte, q quota) error {
	if err := q.take(p.cmd.Process.Pid); err != nil {
		return err
	}
	ready, err := p.started(ctx)
	if err != nil {
		return err
	}
	if err := q.limit(share(memory)); err != nil {
		return err
	}
	v.inits = append(v.inits, ready.Sub(p.began))
	for i := range warm + 1 {
		p.hand(event)
		given, answered, err := p.await(ctx)
		switch {
		case err != nil:
			return err
		case i == 0:
			v.firsts = append(v.firsts, answered.Sub(given))
		default:
			v.warm = append(v.warm, answered.Sub(given))
		}
		time.Sleep(restAfter)
	}
	return nil
}

// perMillion is what a million answers of so long cost at a memory size, in US dollars;
// Lambda rounds each up to a millisecond.
func perMillion(memory int, took time.Duration) float64 {
	billed := math.Ceil(float64(took) / 1e6) // ms
	return perMillionInvocations + 1e6*billed/1000*float64(memory)/1024*perGBSecond
}

// lambdaTable shows what a function takes and costs by its memory.
func lambdaTable(all []*runs, p plan, q quota) report.Table {
	t := report.Table{
		Title: fmt.Sprintf("As Lambda runs it: a whole core until the function asks for its first event, then MB/%d of it (%s).", fullCore, q),
		Notes: []string{
			fmt.Sprintf("DynamoDB is canned answers behind TLS. Medians of %d starts in turn, and of %d warm answers with a rest after each. The price is of a million warm answers of the median (arm64, us-east-1).", p.starts, p.starts*p.warm),
		},
		Head: []string{"", "MB", "init ms", "first answer ms", "warm p50 ms", "warm p99 ms", "$ a million", "peak MiB"},
	}
	for _, r := range all {
		for _, memory := range memories {
			v := r.bySize[memory]
			warm := report.Median(v.warm, report.Itself)
			t.Rows = append(t.Rows, []string{
				r.name, fmt.Sprint(memory), ms(report.Median(v.inits, report.Itself)), ms(report.Median(v.firsts, report.Itself)), ms(warm), ms(report.Quantile(v.warm, 0.99, report.Itself)),
				fmt.Sprintf("%.2f", perMillion(memory, warm)), fmt.Sprintf("%.1f", float64(report.Quantile(v.peaks, 1, report.Itself))/(1<<20)),
			})
		}
	}
	return t
}
