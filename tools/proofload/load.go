package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"partnerview/internal/dynamo"
)

// So many requests are under way at a time; the next is sent when one is answered.
const workers = 8

// The small plan: what a partner is asked for before the load fits into its burst.
const (
	bronzeRate  = 1
	bronzeBurst = 12
)

const requestTimeout = 30 * time.Second

// loadRun is the load of one engine.
type loadRun struct {
	engine string
	began  time.Time
}

func newLoad(engine string) *loadRun { return &loadRun{engine, time.Now()} }

// says prints what is done now.
func (l *loadRun) says(format string, a ...any) {
	fmt.Printf("%-20s %4.0f s  %s\n", l.engine, time.Since(l.began).Seconds(), fmt.Sprintf(format, a...))
}

// run starts a product on an engine, fills it, asks everything once, and then loads it.
func (l *loadRun) run(ctx context.Context, endpoint string, lasting time.Duration) (o outcome, err error) {
	before, err := newProxy(endpoint)
	if err != nil {
		return o, err
	}
	defer before.close()
	p, err := startProduct(ctx, before.url)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	l.says("the product serves")
	db, err := dynamo.NewClient(func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": endpoint}[name]
	})
	if err != nil {
		return o, err
	}
	all, err := load(ctx, dynamo.NewStore(db, p.tables))
	if err != nil {
		return o, err
	}
	l.says("%d partners with %d customers and %d records are loaded", partners, partners*customersOf, partners*recordsOf)
	questions, err := asksOf(ctx, p.base, all)
	if err != nil {
		return o, err
	}
	own := append(questions.own, questions.bronze...)
	j, err := newJudge(http.DefaultTransport.(*http.Transport).Clone(), own, &before.failing)
	if err != nil {
		return o, err
	}
	l.says("each partner has asked alone: %d different answers", len(j.owners))
	o = l.attack(ctx, p, questions, j, before, lasting)
	l.says("loaded with %d requests", o.requests)
	return o, ctx.Err()
}

// attack loads the product, and samples the memory of its functions.
func (l *loadRun) attack(ctx context.Context, p *product, questions asks, j *judge, before *proxy, lasting time.Duration) outcome {
	attacker := vegeta.NewAttacker(vegeta.Client(&http.Client{Transport: j, Timeout: requestTimeout}),
		vegeta.Workers(workers), vegeta.MaxWorkers(workers))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	watching, enough := context.WithCancel(ctx)
	m := new(memory)
	var watcher sync.WaitGroup
	watcher.Go(func() { m.watch(watching, p.cmd.Process.Pid) })
	before.failing.Store(true)
	metrics := new(vegeta.Metrics)
	asFastAsAnswered := vegeta.Rate{}
	for result := range attacker.Attack(questions.targeter(p.base, j), asFastAsAnswered, lasting, "") {
		metrics.Add(result)
	}
	metrics.Close()
	before.failing.Store(false)
	enough()
	watcher.Wait()
	return outcome{
		engine: l.engine, lasting: lasting, requests: int(metrics.Requests), perSecond: metrics.Rate,
		p50: metrics.Latencies.P50, p99: metrics.Latencies.P99, trends: m.trends(lasting/3, lasting),
		calls: before.calls.Load(), failed: before.failed.Load(),
		statuses: j.statuses, wrong: j.wrong, wrongs: j.wrongs, mixedUp: j.mixedUp, withinPlan: j.limited,
	}
}

// asksOf makes all requests, and asks those that show something, one after the other.
func asksOf(ctx context.Context, base string, all []partner) (asks, error) {
	var made asks
	for _, p := range all {
		own := routes(p)
		for i := range own {
			if err := own[i].alone(ctx, base); err != nil {
				return made, err
			}
		}
		bad, err := badCredentials(p)
		if err != nil {
			return made, err
		}
		made.bad, made.strangers = append(made.bad, bad...), append(made.strangers, strangers(p)...)
		if p.bronze() {
			made.bronze = append(made.bronze, own...)
		} else {
			made.own = append(made.own, own...)
		}
	}
	return made, nil
}

// alone asks while nobody else does, and keeps the answer.
func (a *ask) alone(ctx context.Context, base string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+a.path, nil)
	if err != nil {
		return err
	}
	request.Header = a.header()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s, alone, and is answered with %s: %s", a, response.Status, body)
	}
	a.got = answerOf(response.Header, body)
	return nil
}
