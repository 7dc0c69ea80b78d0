package states

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Config is what executions need.
type Config struct {
	// Invoke calls a function, by the name at the end of its ARN. Its errors become those
	// of a task, see [Failure].
	Invoke func(ctx context.Context, function string, payload []byte) ([]byte, error)
	// Pause waits as long as a Wait or a Retry says, or until ctx ends, whose error it
	// returns. Nil: by the clock. Tests make it shorter; time limits are not its affair.
	Pause func(ctx context.Context, d time.Duration) error
	Now   func() time.Time // for the context object; nil: the time of day
}

// Status is how an execution ended, in Step Functions' words.
type Status string

// The statuses.
const (
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED" // ctx ended
)

// Outcome is what an execution came to.
type Outcome struct {
	Status  Status
	Output  []byte   // where it succeeded: JSON
	Failure *Failure // where it did not
	Visited []string // the states that it entered, in order; one a retry is not entered again
}

// Failure is an error in Step Functions' sense.
type Failure struct {
	Name  string // "States.Timeout", or what a function calls it
	Cause string
	fatal bool // no Retry and no Catch is for it
}

func (f *Failure) Error() string { return f.Name + ": " + f.Cause }

func runtimeFailure(format string, a ...any) *Failure {
	return &Failure{Name: "States.Runtime", Cause: fmt.Sprintf(format, a...), fatal: true}
}

// maxData is how many bytes the input or the output of a state may have.
const maxData = 256 << 10

// Execution is what one is begun with.
type Execution struct {
	Machine string // the state machine's name
	Name    string // of the execution
	Input   []byte // JSON
}

// run is an execution under way.
type run struct {
	*Machine
	Config
	context map[string]any
	visited []string
}

// errTimedOut is the cause of a context that a time limit of the definition has ended.
var errTimedOut = errors.New("the time limit of the definition is over")

// Run carries an execution out. It returns when that has ended, or ctx has.
func (m *Machine) Run(ctx context.Context, c Config, e Execution) Outcome {
	if c.Pause == nil {
		c.Pause = Sleep
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	r := &run{Machine: m, Config: c, context: contextOf(e, c.Now())}
	if m.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, m.timeout, errTimedOut)
		defer cancel()
	}
	input, err := decode(e.Input)
	if err != nil {
		return Outcome{Status: Failed, Failure: runtimeFailure("the input is no JSON: %v", err)}
	}
	r.context["Execution"].(map[string]any)["Input"] = input
	output, failed := r.states(ctx, input)
	o := Outcome{Visited: r.visited, Failure: failed}
	switch {
	case failed == nil:
		o.Status, o.Output = Succeeded, output
	case ctx.Err() == nil:
		o.Status = Failed
	case context.Cause(ctx) == errTimedOut:
		o.Status, o.Failure = TimedOut, &Failure{Name: "States.Timeout", Cause: errTimedOut.Error()}
	default:
		o.Status, o.Failure = Aborted, &Failure{Name: "Aborted", Cause: context.Cause(ctx).Error()}
	}
	return o
}

// contextOf is the context object at the start.
func contextOf(e Execution, now time.Time) map[string]any {
	arn := func(kind, name string) string {
		return "arn:aws:states:us-east-1:123456789012:" + kind + ":" + name
	}
	return map[string]any{
		"Execution": map[string]any{"Id": arn("execution", e.Machine+":"+e.Name), "Name": e.Name,
			"StartTime": now.UTC().Format(timeFormat)},
		"StateMachine": map[string]any{"Id": arn("stateMachine", e.Machine), "Name": e.Machine},
	}
}

const timeFormat = "2006-01-02T15:04:05.000Z"

// states goes from state to state.
func (r *run) states(ctx context.Context, data any) ([]byte, *Failure) {
	for s := r.Machine.states[r.startAt]; ; {
		r.visited = append(r.visited, s.name)
		r.context["State"] = map[string]any{"Name": s.name, "EnteredTime": r.Now().UTC().Format(timeFormat),
			"RetryCount": json.Number("0")}
		next, output, failed := r.state(ctx, s, data)
		if ctx.Err() != nil {
			return nil, &Failure{Name: "States.Timeout", fatal: true}
		}
		if failed != nil {
			return nil, failed
		}
		text, err := json.Marshal(output)
		switch {
		case err != nil:
			return nil, runtimeFailure("the output of %s: %v", s.name, err)
		case len(text) > maxData:
			return nil, &Failure{Name: "States.DataLimitExceeded", fatal: true,
				Cause: fmt.Sprintf("the state %s returned %d bytes, of at most %d", s.name, len(text), maxData)}
		case next == "":
			return text, nil
		}
		s, data = r.Machine.states[next], output
	}
}

// state does what one state says: which is next ("": it was the last), and its output.
func (r *run) state(ctx context.Context, s *state, raw any) (next string, output any, failed *Failure) {
	input, failed := s.InputPath.from(document{raw, r.context})
	if failed != nil {
		return "", nil, failed
	}
	next, output = s.Next, input
	switch s.Type {
	case "Fail":
		return "", nil, &Failure{Name: s.Error, Cause: s.Cause, fatal: true}
	case "Choice":
		if next, failed = s.choose(document{input, r.context}); failed != nil {
			return "", nil, failed
		}
	case "Wait":
		if err := r.Pause(ctx, time.Duration(*s.Seconds)*time.Second); err != nil {
			return "", nil, nil // ctx has ended, which the caller sees
		}
	case "Pass":
		if output, failed = s.pass(raw, document{input, r.context}); failed != nil {
			return "", nil, failed
		}
	case "Task":
		caught := ""
		if caught, output, failed = r.task(ctx, s, raw, input); failed != nil {
			return "", nil, failed
		}
		if caught != "" {
			return caught, output, nil // OutputPath is for what succeeds
		}
	}
	output, failed = s.OutputPath.from(document{output, r.context})
	return next, output, failed
}

func (s *state) choose(in document) (next string, failed *Failure) {
	for i := range s.Choices {
		holds, failed := s.Choices[i].holds(in)
		if failed != nil {
			return "", failed
		}
		if holds {
			return s.Choices[i].Next, nil
		}
	}
	if s.Default == "" {
		return "", &Failure{Name: "States.NoChoiceMatched", Cause: "no choice of " + s.name + " holds", fatal: true}
	}
	return s.Default, nil
}

func (s *state) pass(raw any, in document) (any, *Failure) {
	result, failed := s.Parameters.from(in)
	if failed != nil {
		return nil, failed
	}
	if len(s.Result) > 0 {
		var err error
		if result, err = decode(s.Result); err != nil {
			return nil, runtimeFailure("Result: %v", err)
		}
	}
	return s.ResultPath.into(raw, result)
}

// task calls the function, again where a retrier says so. caught is where a catcher leads
// to, with the output that goes along.
func (r *run) task(ctx context.Context, s *state, raw, input any) (caught string, output any, failed *Failure) {
	tries := make([]int, len(s.Retry))
	for count := 0; ; count++ {
		r.context["State"].(map[string]any)["RetryCount"] = json.Number(fmt.Sprint(count))
		output, failed := r.try(ctx, s, raw, input)
		if failed == nil || ctx.Err() != nil {
			return "", output, failed
		}
		at := slices.IndexFunc(s.Retry, func(of retrier) bool { return failed.is(of.ErrorEquals) })
		if at < 0 || tries[at] >= s.Retry[at].attempts() {
			return s.caught(raw, failed)
		}
		if err := r.Pause(ctx, s.Retry[at].delay(tries[at])); err != nil {
			return "", nil, failed
		}
		tries[at]++
	}
}

// try is one call of a task's function, from the parameters to the result in its place.
func (r *run) try(ctx context.Context, s *state, raw, input any) (any, *Failure) {
	parameters, failed := s.Parameters.from(document{input, r.context})
	if failed != nil {
		return nil, failed
	}
	text, err := json.Marshal(parameters)
	if err != nil {
		return nil, runtimeFailure("the parameters of %s: %v", s.name, err)
	}
	if s.TimeoutSeconds != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*s.TimeoutSeconds)*time.Second)
		defer cancel()
	}
	answer, err := r.Invoke(ctx, functionOf(s.Resource), text)
	if err != nil {
		if ctx.Err() != nil {
			return nil, &Failure{Name: "States.Timeout", Cause: "the task's time limit is over"}
		}
		return nil, taskFailure(err)
	}
	result, err := decode(answer)
	if err != nil {
		return nil, runtimeFailure("the function's answer is no JSON: %v", err)
	}
	if result, failed = s.ResultSelector.from(document{result, r.context}); failed != nil {
		return nil, failed
	}
	return s.ResultPath.into(raw, result)
}

// caught is where the first catcher for an error leads to.
func (s *state) caught(raw any, failed *Failure) (next string, output any, _ *Failure) {
	for _, c := range s.Catch {
		if failed.is(c.ErrorEquals) {
			output, unwritable := c.ResultPath.into(raw, map[string]any{"Error": failed.Name, "Cause": failed.Cause})
			return c.Next, output, unwritable
		}
	}
	return "", nil, failed
}

// is reports whether an error is one of those that are named. States.TaskFailed stands for
// all but a time limit's end.
func (f *Failure) is(names []string) bool {
	if f.fatal {
		return false
	}
	return slices.ContainsFunc(names, func(name string) bool {
		return name == f.Name || name == all || name == "States.TaskFailed" && f.Name != "States.Timeout"
	})
}

func (r retrier) interval() int {
	if r.IntervalSeconds == nil {
		return 1
	}
	return *r.IntervalSeconds
}

func (r retrier) attempts() int {
	if r.MaxAttempts == nil {
		return 3
	}
	return *r.MaxAttempts
}

// delay is how long is waited before the next try, when so many were retries already.
func (r retrier) delay(before int) time.Duration {
	rate := 2.0
	if r.BackoffRate != nil {
		rate = *r.BackoffRate
	}
	s := float64(r.interval()) * math.Pow(rate, float64(before))
	if r.MaxDelaySeconds != nil {
		s = min(s, float64(*r.MaxDelaySeconds))
	}
	if r.JitterStrategy == "FULL" {
		s *= rand.Float64()
	}
	return time.Duration(s * float64(time.Second))
}

// functionOf is the name at the end of a function's ARN; "" where it is none.
func functionOf(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) != 7 || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "function" {
		return ""
	}
	return parts[6]
}

// Sleep waits, or until ctx ends, whose error it returns.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
