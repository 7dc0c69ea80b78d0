package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"partnerview/internal/dev/local"
	"partnerview/internal/testkit/contract"
	"partnerview/internal/testkit/dynamotest"
)

// longest is how long an answer may take, whatever happens under it.
const longest = 10 * time.Second

// paths asks for each route of openapi.yaml, with whatever makes it call more.
var paths = map[string][]string{
	"/customers":                                        {"/customers?count=true", "/customers?search=a&product=sms"},
	"/customers/{accountId}":                            {"/customers/alder_cafe"},
	"/customers/{accountId}/summary":                    {"/customers/alder_cafe/summary?groupBy=day&groupBy=product&from=2026-10-15&to=2026-11-20"},
	"/customers/{accountId}/usage":                      {"/customers/alder_cafe/usage"},
	"/customers/{accountId}/usage/{product}":            {"/customers/alder_cafe/usage/sms", "/customers/alder_cafe/usage/sms?limit=1&order=asc"},
	"/customers/{accountId}/usage/{product}/{recordId}": {"/customers/alder_cafe/usage/sms/s-1"},
	"/summary":      {"/summary?groupBy=customer&groupBy=month&from=2026-10-01&to=2026-11-20"},
	"/me":           {"/me"},
	"/openapi.yaml": {"/openapi.yaml"},
}

// request is one that is asked again and again.
type request struct{ path, accept, key string }

func (r request) String() string { return "GET " + r.path + " as " + r.accept + " by the key " + r.key }

// requests are all of them: every route, as JSON and CSV, by a key that sees all and by one with a
// list of its own. An error: a route of the contract is not among them.
func requests(spec *contract.Spec) (all []request, err error) {
	for _, route := range spec.Routes() {
		_, pattern, _ := strings.Cut(route.Pattern, " ")
		if len(paths[pattern]) == 0 {
			return nil, fmt.Errorf("openapi.yaml has %s, of which nothing is asked here", route.Pattern)
		}
		for _, path := range paths[pattern] {
			all = append(all, request{path, "application/json", "whole"}, request{path, "application/json", "narrow"})
			if route.CSV {
				all = append(all, request{path, "text/csv", "narrow"}, request{path, "text/csv", "whole"})
			}
		}
	}
	return all, nil
}

// answer is what is compared.
type answer struct {
	status int
	header http.Header
	body   string
	took   time.Duration
}

// product is a running product on a stage.
type product struct {
	*stage
	stack *local.Stack
	lines lineWatch
	s3    *s3Gate
}

// newProduct starts the product behind a stage's gate.
func (h *house) newProduct(ctx context.Context, at string) (_ *product, err error) {
	p := &product{s3: new(s3Gate)}
	if p.stage, err = h.newStage(ctx); err != nil {
		return nil, err
	}
	clock, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return nil, err
	}
	parameters := p.names()
	parameters["AuthorizerTtlSeconds"] = "0"
	p.stack, err = local.Start(ctx, local.Options{Root: h.root, Parameters: parameters, Endpoint: p.gate.url,
		Binaries: h.binaries, Prebuilt: true, Now: clock, InboxPause: 100 * time.Millisecond, InboxThrough: p.s3.through,
		Requests: &p.lines, Logs: &p.lines})
	if err != nil {
		p.stage.end()
	}
	return p, err
}

func (p *product) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_ = p.stack.Stop(ctx) // its tables go with the engine
	p.stage.end()
}

// products starts several.
func (h *house) products(ctx context.Context, n int) (all []*product, end func(), err error) {
	end = func() {
		var ending sync.WaitGroup
		for _, p := range all {
			ending.Go(p.end)
		}
		ending.Wait()
	}
	for range n {
		p, err := h.newProduct(ctx, now)
		if err != nil {
			end()
			return nil, nil, err
		}
		all = append(all, p)
	}
	return all, end, nil
}

func (p *product) ask(ctx context.Context, r request) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	asked, err := http.NewRequestWithContext(ctx, http.MethodGet, p.stack.BaseURL+r.path, nil)
	if err != nil {
		return a, err
	}
	asked.Header.Set("Authorization", "Bearer "+p.house.keys[r.key])
	asked.Header.Set("Accept", r.accept)
	began := time.Now()
	response, err := http.DefaultClient.Do(asked)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body), time.Since(began)}, err
}

// judge says what an answer is where a fault was: the right one, or that we cannot answer now.
func judge(want, got answer) (outcome string, wrong error) {
	var problem struct{ Code string }
	switch {
	case got.took > longest:
		return "", fmt.Errorf("%w: %s", errTooLong, got.took.Round(time.Millisecond))
	case got.status == want.status && got.body == want.body &&
		got.header.Get("Content-Type") == want.header.Get("Content-Type"):
		return "right", nil
	case got.status != http.StatusServiceUnavailable:
		return "", fmt.Errorf("status %d, not %d: %.200s", got.status, want.status, got.body)
	case json.Unmarshal([]byte(got.body), &problem) != nil || problem.Code != "unavailable":
		return "", fmt.Errorf("a 503 that is not the problem unavailable: %.200s", got.body)
	case got.header.Get("Retry-After") == "":
		return "", errors.New("a 503 without Retry-After")
	}
	return "503", nil
}

// known is a request, what it is answered without a fault, and by which calls.
type known struct {
	request
	answer
	calls []string
}

// learn asks each request without a fault, twice: the first time, functions start.
func (p *product) learn(ctx context.Context, spec *contract.Spec, all []request) (learned []known, err error) {
	for _, r := range all {
		k := known{request: r}
		for range 2 {
			p.gate.begin()
			if k.answer, err = p.ask(ctx, r); err != nil {
				return nil, err
			}
			k.calls, _ = p.gate.end()
		}
		if k.status != http.StatusOK {
			return nil, fmt.Errorf("%s: %d %s", r, k.status, k.body)
		}
		if err := spec.CheckAnswer(http.MethodGet, strings.Split(r.path, "?")[0], k.status, k.header, []byte(k.body)); err != nil {
			return nil, err
		}
		learned = append(learned, k)
	}
	return learned, nil
}

// lesson is a product for each worker, and what the first of them answers without a fault.
type lesson struct {
	spec     *contract.Spec
	products []*product
	learned  []known
	end      func() // of the products
}

// learnRoutes starts the products and asks for everything.
func (h *house) learnRoutes(ctx context.Context) (l lesson, err error) {
	if l.spec, err = contract.Load(); err != nil {
		return l, err
	}
	all, err := requests(l.spec)
	if err != nil {
		return l, err
	}
	if l.products, l.end, err = h.products(ctx, workers); err != nil {
		return l, err
	}
	if l.learned, err = l.products[0].learn(ctx, l.spec, all); err != nil {
		l.end()
	}
	return l, err
}

// routes strikes the calls of every route.
func (p *proof) routes(ctx context.Context) error {
	began := time.Now()
	lesson, err := p.house.learnRoutes(ctx)
	if err != nil {
		return err
	}
	defer lesson.end()
	learned := lesson.learned
	if !p.long { // each call of each route is made by one of the two, as it is for either format
		learned = halfOf(learned)
	}
	singles, more, calls := p.trialsOf(learned)
	try := func(p *proof, at *product, t routeTrial) { at.tryRoute(ctx, p, lesson.spec, t) }
	each(ctx, p, lesson.products, singles, false, try)
	drawn := each(ctx, p, lesson.products, more, true, try)
	p.tally.say(fmt.Sprintf("%d requests, %d calls, each fault at each alone; of %d more, that come again or in pairs, %d",
		len(learned), calls, len(more), drawn), began)
	return nil
}

// halfOf are the first and third, fifth and so on: of each path, JSON by a key that sees all and a
// table by one with a list of its own.
func halfOf(learned []known) (half []known) {
	for i := 0; i < len(learned); i += 2 {
		half = append(half, learned[i])
	}
	return half
}

// routeTrial is a request with what strikes it.
type routeTrial struct {
	of      known
	strikes []strike
}

// trialsOf are each fault at each call, and what is tried after those, as far as there is time:
// the same faults again and again, and pairs.
func (p *proof) trialsOf(learned []known) (singles, more []routeTrial, calls int) {
	for _, k := range learned {
		calls += len(k.calls)
		var ofThis []strike
		for _, call := range k.calls {
			for _, fault := range dynamotest.Faults() {
				if !fault.Strikes(strings.Fields(call)[0]) {
					continue
				}
				s := strike{call: call, fault: fault}
				singles, ofThis = append(singles, routeTrial{k, []strike{s}}), append(ofThis, s)
				if s.stubborn = true; !fault.IsSlow() {
					more = append(more, routeTrial{k, []strike{s}})
				}
			}
		}
		for i, first := range ofThis {
			for _, second := range ofThis[i+1:] {
				if first.call != second.call {
					more = append(more, routeTrial{k, []strike{first, second}})
				}
			}
		}
	}
	p.shuffle(len(singles), func(i, j int) { singles[i], singles[j] = singles[j], singles[i] })
	p.shuffle(len(more), func(i, j int) { more[i], more[j] = more[j], more[i] })
	return singles, more, calls
}

// tryRoute makes a trial. One that takes too long is made again, twice at most: what takes long each
// time is not the machine's doing.
func (at *product) tryRoute(ctx context.Context, p *proof, spec *contract.Spec, t routeTrial) {
	outcome, err := at.answers(ctx, spec, t)
	for again := 0; again < 2 && errors.Is(err, errTooLong); again++ {
		outcome, err = at.answers(ctx, spec, t)
	}
	p.tally.add(kindsOf(t.strikes), outcome, fmt.Sprintf("%s, %v", t.of.request, t.strikes), err)
}

func (at *product) answers(ctx context.Context, spec *contract.Spec, t routeTrial) (outcome string, wrong error) {
	at.gate.begin(t.strikes...)
	got, err := at.ask(ctx, t.of.request)
	at.gate.end()
	if err != nil {
		return "", err
	}
	if outcome, err = judge(t.of.answer, got); err != nil {
		return "", err
	}
	return outcome, spec.CheckAnswer(http.MethodGet, strings.Split(t.of.path, "?")[0], got.status, got.header, []byte(got.body))
}

// errTooLong is an answer that came late.
var errTooLong = fmt.Errorf("it took more than %s", longest)
