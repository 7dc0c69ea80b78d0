// Package events is EventBridge on one machine: rules with patterns, which hand what they
// make of an event to a target, again and again where that fails, and give it up to the log.
//
// It knows neither where events come from nor what a target is. Of patterns and of
// transformers it reads a subset, and refuses the rest when a rule is made.
package events

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Rule is a rule of the template with one target.
type Rule struct {
	Name       string            // logical id; it begins each line of the log
	Pattern    any               // as the template has it: maps, lists, texts
	InputPaths map[string]string // name → "$.detail.object.key"
	Template   string            // of the target's input; empty: the event as it is
	Retries    int               // how often a delivery is tried again
	MaxAge     time.Duration     // how old an event may be that is tried again
}

// Config says where events go.
type Config struct {
	// Target gets the input that a rule makes of an event.
	Target func(ctx context.Context, input []byte) error
	// Pause waits between tries, or until ctx ends, whose error it returns.
	Pause func(ctx context.Context, d time.Duration) error
	Log   io.Writer // gets a line for what is given up, in place of a dead-letter queue
}

// Bus hands events to one rule's target.
type Bus struct {
	Config
	rule      Rule
	pattern   pattern
	transform *transformer // nil: the event as it is

	ctx    context.Context // ends with Stop
	cancel context.CancelFunc

	mu      sync.Mutex
	stopped bool
	under   sync.WaitGroup
}

// New makes a bus with a rule. Its error names what is not read of it.
func New(rule Rule, c Config) (*Bus, error) {
	p, err := readPattern(rule.Pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: the pattern: %w", rule.Name, err)
	}
	b := &Bus{Config: c, rule: rule, pattern: p}
	if rule.Template != "" {
		if b.transform, err = readTransformer(rule.InputPaths, rule.Template); err != nil {
			return nil, fmt.Errorf("%s: %w", rule.Name, err)
		}
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b, nil
}

// Put takes an event, and delivers it where the rule matches, without being waited for.
func (b *Bus) Put(event []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.stopped {
		b.under.Go(func() { b.deliver(event) })
	}
}

// Stop ends deliveries that are tried again, and returns when none is under way.
func (b *Bus) Stop() {
	b.mu.Lock()
	b.stopped = true
	b.mu.Unlock()
	b.cancel()
	b.under.Wait()
}

func (b *Bus) deliver(event []byte) {
	v, err := decode(event)
	if err != nil {
		b.giveUp(err)
		return
	}
	if !b.pattern.matches(v, true) {
		return
	}
	input := event
	if b.transform != nil {
		if input, err = b.transform.input(v); err != nil { // it is the same each time
			b.giveUp(err)
			return
		}
	}
	begun, delay := time.Now(), time.Second
	for try := 0; ; try++ {
		if err = b.Target(b.ctx, input); err == nil {
			return
		}
		if b.ctx.Err() != nil || try >= b.rule.Retries || time.Since(begun)+delay > b.rule.MaxAge {
			break
		}
		if b.Pause(b.ctx, delay) != nil {
			break
		}
		delay = min(2*delay, maxDelay)
	}
	b.giveUp(fmt.Errorf("after %s: %w", time.Since(begun).Round(time.Second), err))
}

// maxDelay is how long EventBridge waits at most between two tries, as far as is known.
const maxDelay = time.Minute

// giveUp tells of an event that would lie in the dead-letter queue. Of the event itself
// nothing is told: its key may be a name that somebody made up.
func (b *Bus) giveUp(why error) {
	if b.Log != nil && !errors.Is(why, context.Canceled) {
		fmt.Fprintf(b.Log, "%s | an event started nothing, and lies in the dead-letter queue: %v\n", b.rule.Name, why)
	}
}
