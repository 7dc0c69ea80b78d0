package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"partnerview/internal/testkit/dynamotest"
)

// What happens to a command's process at one of its calls.
const (
	killedBefore = dynamotest.Fault("killed before")
	killedAfter  = dynamotest.Fault("killed after")
)

// longestScan is how long a command may wait that reads a whole table, a call of which is given 20 s.
const longestScan = 25 * time.Second

// practised is a command, and what comes of it without a fault.
type practised struct {
	scenario
	out    string // empty: two runs do not print the same
	lines  map[string]bool
	events map[string]int
	calls  []string
	twice  bool // it was run again: see withoutLostKeys
}

// ofTheMoment is what a command prints of the time of day, and of what is drawn at random.
var ofTheMoment = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|pvk_\S+|[\d.]+ ?m?s\b`)

// rate is what an import prints that took a second or more.
var rate = regexp.MustCompile(`(?m)^\d+ records a second, .*\n`)

// printed is what a command prints on any stage.
func (s *stage) printed(text string) string {
	text = strings.NewReplacer(s.folder, "", s.suffix, "").Replace(rate.ReplaceAllString(text, ""))
	return ofTheMoment.ReplaceAllString(s.house.anonymous(text), "…")
}

// firstOther says in which line two texts differ first.
func firstOther(got, want string) error {
	wanted := strings.Split(want, "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(wanted) || line != wanted[i] {
			return fmt.Errorf("it prints %q, not %q", line, strings.Join(wanted[min(i, len(wanted)):min(i+1, len(wanted))], ""))
		}
	}
	return fmt.Errorf("it does not print %q", strings.TrimPrefix(want, got))
}

// practise runs a command twice without a fault.
func (s *stage) practise(ctx context.Context, c scenario) (p practised, err error) {
	p.scenario = c
	var outs [2]string
	var lines [2]map[string]bool
	for i := range 2 {
		if err := s.restore(ctx); err != nil {
			return p, err
		}
		s.gate.begin()
		said := s.runs1(ctx, c)
		p.calls, _ = s.gate.end()
		if said.code != 0 {
			return p, fmt.Errorf("%s: exit %d: %s%s", c, said.code, said.err, said.out)
		}
		all, err := s.contents(ctx)
		if err != nil {
			return p, err
		}
		outs[i], lines[i], p.events = s.printed(said.out), s.house.lines(all), events(all)
	}
	if p.lines = lines[0]; same(lines[0], lines[1]) != nil {
		return p, fmt.Errorf("%s, run twice: %w", c, same(lines[0], lines[1]))
	}
	if len(p.calls) == 0 {
		return p, fmt.Errorf("%s calls nothing", c)
	}
	if outs[0] == outs[1] {
		p.out = outs[0]
	}
	return p, s.restore(ctx)
}

func (s *stage) runs1(ctx context.Context, c scenario) said {
	return s.partnerctl(ctx, append(strings.Fields(c.command), c.args...)...)
}

// commandTrial is a command with what strikes it. A strike's fault may be the end of its process.
type commandTrial struct {
	of      practised
	strikes []strike
}

// commands strikes the calls of every command.
func (p *proof) commands(ctx context.Context) error {
	began := time.Now()
	var stages []*stage
	for range workers {
		s, err := p.house.newStage(ctx)
		if err != nil {
			return err
		}
		defer s.end()
		stages = append(stages, s)
	}
	all, err := stages[0].scenarios(ctx)
	if err != nil {
		return err
	}
	learned, err := practiseAll(ctx, p, stages, all)
	if err != nil {
		return err
	}
	trials, calls := p.commandTrials(learned)
	made := each(ctx, p, stages, trials, !p.long, func(p *proof, s *stage, t commandTrial) { s.tryCommand(ctx, p, t) })
	p.tally.say(fmt.Sprintf("%d commands, %d calls; of %d faults at each alone, in pairs and killed, %d: each call %d times and more",
		len(learned), calls, len(trials), made, made/max(calls, 1)), began)
	return nil
}

func practiseAll(ctx context.Context, p *proof, stages []*stage, all []scenario) (learned []practised, err error) {
	var mu sync.Mutex
	each(ctx, p, stages, all, false, func(_ *proof, s *stage, c scenario) {
		one, wrong := s.practise(ctx, c)
		mu.Lock()
		defer mu.Unlock()
		learned, err = append(learned, one), errors.Join(err, wrong)
	})
	slices.SortFunc(learned, func(a, b practised) int { return strings.Compare(a.command, b.command) })
	return learned, err
}

// commandTrials are the trials in rounds, so that each call is struck once before any is twice: each
// fault at each call, the process killed there, and then pairs.
func (p *proof) commandTrials(learned []practised) (trials []commandTrial, calls int) {
	var queues [][]commandTrial
	var pairs []commandTrial
	for _, c := range learned {
		for _, call := range c.calls {
			calls++
			var queue []commandTrial
			for _, fault := range append(faultsOf(call), killedBefore, killedAfter) {
				if c.writes || fault != killedBefore && fault != killedAfter {
					queue = append(queue, commandTrial{c, []strike{{call: call, fault: fault}}})
				}
			}
			other := c.calls[p.random.IntN(len(c.calls))]
			of := faultsOf(other)
			pairs = append(pairs, commandTrial{c, []strike{queue[0].strikes[0], {call: other, fault: of[p.random.IntN(len(of))]}}})
			p.shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
			queues = append(queues, queue)
		}
	}
	for round := 0; ; round++ {
		var these []commandTrial
		for _, queue := range queues {
			if round < len(queue) {
				these = append(these, queue[round])
			}
		}
		if len(these) == 0 {
			return append(trials, pairs...), calls
		}
		p.shuffle(len(these), func(i, j int) { these[i], these[j] = these[j], these[i] })
		trials = append(trials, these...)
	}
}

// armed are a trial's strikes, of which those that end the process know it.
func (s *stage) armed(strikes []strike) []strike {
	armed := slices.Clone(strikes)
	for i, one := range armed {
		if one.fault != killedBefore && one.fault != killedAfter {
			continue
		}
		armed[i].before = func(dynamotest.Call) {
			if pid := s.running.Load(); pid > 0 {
				_ = syscall.Kill(int(pid), syscall.SIGKILL)
			}
			if one.fault == killedBefore {
				dynamotest.Cut(nil)
			}
		}
	}
	return armed
}

func (s *stage) tryCommand(ctx context.Context, p *proof, t commandTrial) {
	outcome, wrong := s.outcomeOf(ctx, t)
	for again := 0; again < 2 && errors.Is(wrong, errTooLong); again++ {
		outcome, wrong = s.outcomeOf(ctx, t)
	}
	p.tally.add(kindsOf(t.strikes), outcome, fmt.Sprintf("%s, %v", t.of, t.strikes), wrong)
}

// outcomeOf runs a command with faults: it ends well and rightly, or says the way out, which is
// gone then.
func (s *stage) outcomeOf(ctx context.Context, t commandTrial) (outcome string, wrong error) {
	if err := s.restore(ctx); err != nil {
		return "", err
	}
	s.gate.begin(s.armed(t.strikes)...)
	first := s.runs1(ctx, t.of.scenario)
	s.gate.end()
	if first.took > mostOf(t.strikes) {
		return "", fmt.Errorf("%w: %s, exit %d, %s", errTooLong, first.took.Round(time.Millisecond), first.code, first.err)
	}
	if first.code == 0 {
		return "right", s.isRight(ctx, t.of, first)
	}
	if first.code != -1 && (first.code != 1 || !saysTheWayOut(first.err+first.out)) {
		return "", fmt.Errorf("exit %d: %s", first.code, first.err)
	}
	if !t.of.writes {
		return "said", nil
	}
	if check := s.partnerctl(ctx, "totals", "check"); check.code != 0 && !strings.Contains(check.out+check.err, "pending") {
		return "", fmt.Errorf("after it has failed, totals check says: %s%s", check.out, check.err)
	}
	again := s.runs1(ctx, t.of.scenario)
	if again.code != 0 && again.code != 1 {
		return "", fmt.Errorf("run again: exit %d: %s", again.code, again.err)
	}
	t.of.twice = true
	if err := s.isAsWanted(ctx, t.of); err != nil {
		return "", fmt.Errorf("exit %d (%s), run again: exit %d (%s): %w", first.code, strings.TrimSpace(first.err), again.code,
			strings.TrimSpace(again.err), err)
	}
	return "said, and mended by the same command", nil
}

// mostOf is how long a command may take that is struck so.
func mostOf(strikes []strike) time.Duration {
	for _, s := range strikes {
		if s.fault.IsSlow() && (strings.HasPrefix(s.call, "Scan ") || len(strikes) > 1) {
			return longestScan
		}
	}
	return longest
}

// saysTheWayOut reports whether a complaint tells what to do.
func saysTheWayOut(complaint string) bool {
	return strings.Contains(complaint, "again") || strings.Contains(complaint, "check that") || strings.Contains(complaint, "partnerctl ")
}

// isRight holds a command that has ended well to what it comes to without a fault.
func (s *stage) isRight(ctx context.Context, c practised, got said) error {
	if out := s.printed(got.out); c.out != "" && out != c.out {
		return firstOther(out, c.out)
	}
	if !c.writes {
		return nil
	}
	if err := s.isAsWanted(ctx, c); err != nil {
		return err
	}
	all, err := s.contents(ctx)
	if err != nil {
		return err
	}
	return told(maps.Clone(c.events), events(all))
}

// isAsWanted compares the tables with those of a run without a fault.
func (s *stage) isAsWanted(ctx context.Context, c practised) error {
	all, err := s.contents(ctx)
	if err != nil {
		return err
	}
	got := s.house.lines(all)
	if c.twice && strings.HasPrefix(c.command, "key ") {
		withoutLostKeys(got, c.lines)
	}
	return same(c.lines, got)
}

// withoutLostKeys leaves out access keys that a command has made which ended before it printed
// their secret: nobody has that, and the same command makes another.
func withoutLostKeys(got, want map[string]bool) {
	maps.DeleteFunc(got, func(line string, _ bool) bool { return !want[line] && strings.Contains(line, `pk="KEY#NEW"`) })
}
