package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// jumped is the functions' clock, as it is found after a jump, and whether the key that ends ten days
// from now counts by it.
type jumped struct {
	by     time.Duration
	counts bool
}

func jumps() []jumped {
	const day = 24 * time.Hour
	return []jumped{{-400 * day, true}, {-time.Hour, true}, {0, true}, {10*day - time.Second, true}, {10 * day, false}, {800 * day, false}}
}

// clocks asks at clocks that have jumped. Whatever the time is, a key that was revoked opens nothing,
// a customer that is not granted is not there, and a list of customers shows no more.
func (p *proof) clocks(ctx context.Context) error {
	began := time.Now()
	fixed, err := time.Parse(time.RFC3339, now)
	if err != nil {
		return err
	}
	for _, jump := range jumps() {
		at, err := p.house.newProduct(ctx, fixed.Add(jump.by).Format(time.RFC3339))
		if err != nil {
			return err
		}
		at.askAfter(ctx, p, jump)
		at.end()
	}
	p.tally.say(fmt.Sprintf("%d clocks, by keys that count, are narrowed, end and were revoked", len(jumps())), began)
	return nil
}

func (at *product) askAfter(ctx context.Context, p *proof, jump jumped) {
	ending := http.StatusUnauthorized
	if jump.counts {
		ending = http.StatusOK
	}
	for _, want := range []struct {
		key, path string
		status    int
	}{
		{"whole", "/customers", http.StatusOK}, {"whole", "/customers/cedar_cars", http.StatusNotFound},
		{"narrow", "/customers/alder_cafe", http.StatusOK}, {"narrow", "/customers/birch_books", http.StatusNotFound},
		{"narrow", "/customers/alder_cafe/usage/voice", http.StatusNotFound},
		{"ending", "/customers", ending}, {"revoked", "/customers", http.StatusUnauthorized},
	} {
		got, err := at.ask(ctx, request{want.path, "application/json", want.key})
		if err == nil && got.status != want.status {
			err = fmt.Errorf("status %d, not %d: %.200s", got.status, want.status, got.body)
		}
		if err == nil && want.key == "whole" && want.status == http.StatusOK && strings.Contains(got.body, "cedar_cars") {
			err = fmt.Errorf("it shows a customer that is not granted: %.200s", got.body)
		}
		p.tally.add([]string{"clock"}, "right", fmt.Sprintf("%s by the key %s, the clock %s off", want.path, want.key, jump.by), err)
	}
}
