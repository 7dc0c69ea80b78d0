package states

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// faults are what is wrong with a definition as a whole: states that lead nowhere, or to
// which nothing leads, and what a field may not say.
func (m *Machine) faults() (faults []error) {
	if m.states[m.startAt] == nil {
		return []error{fmt.Errorf("StartAt: there is no state %q", m.startAt)}
	}
	for _, name := range slices.Sorted(maps.Keys(m.states)) {
		if err := m.states[name].fault(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
		for _, next := range m.states[name].nexts() {
			if m.states[next] == nil {
				faults = append(faults, fmt.Errorf("%s: there is no state %q to go on with", name, next))
			}
		}
	}
	if len(faults) > 0 {
		return faults
	}
	reached, ends := m.reach()
	for _, name := range slices.Sorted(maps.Keys(m.states)) {
		if !reached[name] {
			faults = append(faults, fmt.Errorf("%s: nothing leads to it", name))
		}
	}
	if !ends {
		faults = append(faults, errors.New("no state ends an execution"))
	}
	return faults
}

// reach is which states an execution can come to, and whether one of them ends it.
func (m *Machine) reach() (reached map[string]bool, ends bool) {
	reached = map[string]bool{m.startAt: true}
	for queue := []string{m.startAt}; len(queue) > 0; queue = queue[1:] {
		s := m.states[queue[0]]
		ends = ends || s.End || s.Type == "Succeed" || s.Type == "Fail"
		for _, next := range s.nexts() {
			if !reached[next] {
				reached[next] = true
				queue = append(queue, next)
			}
		}
	}
	return reached, ends
}

// nexts are the states that may follow.
func (s *state) nexts() (all []string) {
	for _, next := range []string{s.Next, s.Default} {
		if next != "" {
			all = append(all, next)
		}
	}
	for _, c := range s.Choices {
		all = append(all, c.Next)
	}
	for _, c := range s.Catch {
		all = append(all, c.Next)
	}
	return all
}

func (s *state) fault() error {
	goesOn := s.Type == "Task" || s.Type == "Wait" || s.Type == "Pass"
	switch {
	case goesOn && (s.Next != "") == s.End:
		return errors.New("it needs a Next, or an End that is true, and not both")
	case s.Type == "Choice" && len(s.Choices) == 0:
		return errors.New("it has no Choices")
	case s.Type == "Wait" && (s.Seconds == nil || *s.Seconds < 0):
		return errors.New("its Seconds: want a number that is not negative")
	case s.Type == "Task" && functionOf(s.Resource) == "":
		return fmt.Errorf("its Resource: want the ARN of a Lambda function, found %q", s.Resource)
	case s.ResultPath.context || slices.ContainsFunc(s.ResultPath.steps, func(at step) bool { return at.index >= 0 }):
		return fmt.Errorf("ResultPath: %s cannot be written to", s.ResultPath.text)
	case len(s.Result) > 0 && s.Parameters != nil:
		return errors.New("a Result and Parameters do not go together")
	}
	if _, err := seconds("TimeoutSeconds", s.TimeoutSeconds); err != nil {
		return err
	}
	for i := range s.Choices {
		if s.Choices[i].Next == "" {
			return fmt.Errorf("choice %d has no Next", i+1)
		}
		if hasNext(s.Choices[i].nested()) {
			return fmt.Errorf("choice %d: a part of it has a Next of its own", i+1)
		}
	}
	return errors.Join(s.retryFault(), s.catchFault())
}

func hasNext(rules []rule) bool {
	return slices.ContainsFunc(rules, func(r rule) bool { return r.Next != "" || hasNext(r.nested()) })
}

func (s *state) retryFault() error {
	for i, r := range s.Retry {
		if err := errorsFault(r.ErrorEquals, i == len(s.Retry)-1); err != nil {
			return fmt.Errorf("retrier %d: %w", i+1, err)
		}
		switch {
		case r.IntervalSeconds != nil && *r.IntervalSeconds < 1:
			return fmt.Errorf("retrier %d: IntervalSeconds: want at least 1", i+1)
		case r.MaxAttempts != nil && *r.MaxAttempts < 0:
			return fmt.Errorf("retrier %d: MaxAttempts: want at least 0", i+1)
		case r.BackoffRate != nil && *r.BackoffRate < 1:
			return fmt.Errorf("retrier %d: BackoffRate: want at least 1", i+1)
		case r.MaxDelaySeconds != nil && *r.MaxDelaySeconds < 1:
			return fmt.Errorf("retrier %d: MaxDelaySeconds: want at least 1", i+1)
		case r.JitterStrategy != "" && r.JitterStrategy != "NONE" && r.JitterStrategy != "FULL":
			return fmt.Errorf("retrier %d: JitterStrategy: want FULL or NONE, found %s", i+1, r.JitterStrategy)
		}
	}
	return nil
}

func (s *state) catchFault() error {
	for i, c := range s.Catch {
		if err := errorsFault(c.ErrorEquals, i == len(s.Catch)-1); err != nil {
			return fmt.Errorf("catcher %d: %w", i+1, err)
		}
	}
	return nil
}

// all is the name that stands for every error.
const all = "States.ALL"

// known are the names of Step Functions' own errors. No others may begin with States.
var known = []string{all, "States.TaskFailed", "States.Timeout", "States.Permissions", "States.Runtime",
	"States.ResultPathMatchFailure", "States.ParameterPathFailure", "States.NoChoiceMatched",
	"States.DataLimitExceeded", "States.HeartbeatTimeout", "States.IntrinsicFailure"}

func errorsFault(names []string, last bool) error {
	if len(names) == 0 {
		return errors.New("ErrorEquals is empty")
	}
	for _, name := range names {
		if strings.HasPrefix(name, "States.") && !slices.Contains(known, name) {
			return fmt.Errorf("there is no error %s", name)
		}
		if name == all && (len(names) > 1 || !last) {
			return fmt.Errorf("%s must stand alone, and last", all)
		}
	}
	return nil
}
