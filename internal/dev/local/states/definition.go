// Package states runs a state machine of Step Functions on one machine: a definition in
// the Amazon States Language, as template.yaml has it, with Lambda functions for its tasks.
//
// It is a subset, and says so: what it does not know (another type of state, a field, a
// comparison, an intrinsic function, JSONata) is refused when the definition is read, and
// never passed over. What it knows it does as Step Functions does: scripts/states.py has
// the same definitions run by moto and asl-validator, and a test holds the outcomes and
// the visited states against that.
//
// It owns definitions and executions. It starts no function and keeps no history: an
// execution ends with the process that runs it. https://states-language.net/ is the
// language; limits and names of errors are of the Step Functions developer guide.
package states

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Machine is a definition that was read and found whole.
type Machine struct {
	startAt string
	states  map[string]*state
	timeout time.Duration // of an execution; 0: none
}

// state is a state of any type; which fields each may have stands in fieldsOf.
type state struct {
	name string

	Type, Comment, Next        string
	End                        bool
	InputPath, OutputPath      optionalPath
	ResultPath                 optionalPath
	Parameters, ResultSelector *payload
	Resource                   string // of a Task: the ARN of a function
	TimeoutSeconds             *int
	Retry                      []retrier
	Catch                      []catcher
	Choices                    []rule
	Default                    string
	Seconds                    *int
	Result                     json.RawMessage
	Error, Cause               string
}

// retrier says after which errors a task is tried again, and when.
type retrier struct {
	ErrorEquals     []string
	Comment         string
	IntervalSeconds *int
	MaxAttempts     *int
	BackoffRate     *float64
	MaxDelaySeconds *int
	JitterStrategy  string
}

// catcher says where an execution goes on after errors.
type catcher struct {
	ErrorEquals []string
	Comment     string
	Next        string
	ResultPath  optionalPath
}

var inAndOut = []string{"InputPath", "OutputPath"}

// fieldsOf says which types of states are read, and with which fields.
var fieldsOf = map[string][]string{
	"Task": append([]string{"Resource", "Next", "End", "Parameters", "ResultSelector", "ResultPath", "TimeoutSeconds",
		"Retry", "Catch"}, inAndOut...),
	"Choice":  append([]string{"Choices", "Default"}, inAndOut...),
	"Wait":    append([]string{"Seconds", "Next", "End"}, inAndOut...),
	"Pass":    append([]string{"Result", "Next", "End", "Parameters", "ResultPath"}, inAndOut...),
	"Succeed": inAndOut,
	"Fail":    {"Error", "Cause"},
}

// Parse reads a definition, in JSON. Its error names every fault, with the state.
func Parse(definition []byte) (*Machine, error) {
	var d struct {
		Comment, StartAt, Version, QueryLanguage string
		TimeoutSeconds                           *int
		States                                   map[string]json.RawMessage
	}
	if err := strictly(definition, &d); err != nil {
		return nil, err
	}
	if err := exactly(definition, "Comment", "StartAt", "Version", "QueryLanguage", "TimeoutSeconds",
		"States"); err != nil {
		return nil, err
	}
	m := &Machine{startAt: d.StartAt, states: make(map[string]*state, len(d.States))}
	var faults []error
	if d.QueryLanguage != "" && d.QueryLanguage != "JSONPath" {
		faults = append(faults, fmt.Errorf("QueryLanguage: only JSONPath is read, not %s", d.QueryLanguage))
	}
	if d.Version != "" && d.Version != "1.0" {
		faults = append(faults, fmt.Errorf("the version: want 1.0, found %s", d.Version))
	}
	var err error
	if m.timeout, err = seconds("TimeoutSeconds", d.TimeoutSeconds); err != nil {
		faults = append(faults, err)
	}
	for _, name := range slices.Sorted(maps.Keys(d.States)) {
		s, err := readState(name, d.States[name])
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
			continue
		}
		m.states[name] = s
	}
	if len(faults) == 0 {
		faults = m.faults()
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return m, nil
}

func readState(name string, text []byte) (*state, error) {
	s := &state{name: name}
	if err := json.Unmarshal(text, &struct{ Type *string }{&s.Type}); err != nil {
		return nil, fmt.Errorf("the type: %w", err)
	}
	allowed, known := fieldsOf[s.Type]
	if !known {
		return nil, fmt.Errorf("a %s is not read: there are %s", s.Type,
			strings.Join(slices.Sorted(maps.Keys(fieldsOf)), ", "))
	}
	if err := exactly(text, append([]string{"Type", "Comment"}, allowed...)...); err != nil {
		return nil, fmt.Errorf("of a %s %w", s.Type, err)
	}
	return s, strictly(text, s)
}

func (r *retrier) UnmarshalJSON(text []byte) error {
	type plain retrier
	return errors.Join(exactly(text, "ErrorEquals", "Comment", "IntervalSeconds", "MaxAttempts", "BackoffRate",
		"MaxDelaySeconds", "JitterStrategy"), json.Unmarshal(text, (*plain)(r)))
}

func (c *catcher) UnmarshalJSON(text []byte) error {
	type plain catcher
	return errors.Join(exactly(text, "ErrorEquals", "Comment", "Next", "ResultPath"), json.Unmarshal(text, (*plain)(c)))
}

// exactly refuses an object with other fields than these. A name counts as it is written:
// encoding/json would take "next" for "Next", which Step Functions does not.
func exactly(text []byte, fields ...string) error {
	var of map[string]json.RawMessage
	if err := json.Unmarshal(text, &of); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if !slices.Contains(fields, name) {
			return fmt.Errorf("the field %s is not read", name)
		}
	}
	return nil
}

// strictly reads one JSON value into a struct, and refuses fields that it does not have.
func strictly(text []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// seconds is a time limit: 0 where there is none.
func seconds(field string, n *int) (time.Duration, error) {
	const most = 99_999_999 // Step Functions'
	if n == nil {
		return 0, nil
	}
	if *n < 1 || *n > most {
		return 0, fmt.Errorf("%s: want 1 to %d, found %d", field, most, *n)
	}
	return time.Duration(*n) * time.Second, nil
}
