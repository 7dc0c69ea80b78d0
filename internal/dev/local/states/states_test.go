package states

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dev/local/lambda"
)

// conformance is what interpreters that are not ours made of the cases: scripts/states.py
// has written it.
type conformance struct {
	Outcomes map[string]struct {
		Status  Status
		Error   string
		Output  any
		Visited []string
	}
	Refused map[string][]string
}

// testCase is a definition, an input, and what the function answers, call by call; the last
// answer is given for ever.
type testCase struct {
	Definition json.RawMessage
	Input      json.RawMessage
	Answers    []struct {
		Merge  map[string]any
		Return any
		Fail   *struct{ ErrorType, ErrorMessage string }
		Hang   int
	}
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// ofTemplate is the definition of the template's state machine, as SAM renders it.
func ofTemplate(t *testing.T, id string) []byte {
	t.Helper()
	var rendered struct {
		Resources map[string]struct{ Properties json.RawMessage }
	}
	readJSON(t, "../../template/testdata/rendered.json", &rendered)
	var p struct {
		DefinitionString struct {
			Join []json.RawMessage `json:"Fn::Join"`
		}
		DefinitionSubstitutions map[string]struct {
			GetAtt []string `json:"Fn::GetAtt"`
		}
	}
	if err := json.Unmarshal(rendered.Resources[id].Properties, &p); err != nil {
		t.Fatal(err)
	}
	var lines []string
	if err := json.Unmarshal(p.DefinitionString.Join[1], &lines); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(lines, "\n")
	for name, value := range p.DefinitionSubstitutions {
		text = strings.ReplaceAll(text, "${"+name+"}", "arn:aws:lambda:us-east-1:123456789012:function:"+value.GetAtt[0])
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return compact.Bytes()
}

func TestExecutionsEndAsOtherInterpretersEndThem(t *testing.T) {
	var others conformance
	readJSON(t, "testdata/outcomes.json", &others)
	files, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(files) != len(others.Outcomes) {
		t.Fatalf("there are %d cases and %d outcomes (%v): make states", len(files), len(others.Outcomes), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			var c testCase
			readJSON(t, file, &c)
			if id := ""; json.Unmarshal(c.Definition, &id) == nil {
				c.Definition = ofTemplate(t, id)
			}
			synctest.Test(t, func(t *testing.T) {
				want, got := others.Outcomes[name], c.run(t, name)
				if got.Status != want.Status || got.Failure != nil && want.Error != "" && got.Failure.Name != want.Error {
					t.Errorf("it ended %s, %v; want %s, %s", got.Status, got.Failure, want.Status, want.Error)
				}
				if diff := cmp.Diff(want.Visited, got.Visited); diff != "" {
					t.Errorf("visited states (-other +ours): %s", diff)
				}
				var output any
				if got.Output != nil && json.Unmarshal(got.Output, &output) != nil {
					t.Fatalf("the output is %q", got.Output)
				}
				if of, ok := output.(map[string]any); ok {
					delete(of, "started")
				}
				if diff := cmp.Diff(want.Output, output); diff != "" {
					t.Errorf("output (-other +ours): %s", diff)
				}
			})
		})
	}
}

// run runs the case, with a clock that a bubble of synctest has.
func (c testCase) run(t *testing.T, name string) Outcome {
	t.Helper()
	calls := 0
	invoke := func(ctx context.Context, _ string, payload []byte) ([]byte, error) {
		a := c.Answers[min(calls, len(c.Answers)-1)]
		calls++
		if err := Sleep(ctx, time.Duration(a.Hang)*time.Second); err != nil {
			return nil, err
		}
		switch {
		case a.Fail != nil:
			return nil, &lambda.Failure{Type: a.Fail.ErrorType, Message: a.Fail.ErrorMessage}
		case a.Merge == nil:
			return json.Marshal(a.Return)
		}
		var merged map[string]any
		if err := json.Unmarshal(payload, &merged); err != nil {
			t.Fatal(err)
		}
		maps.Copy(merged, a.Merge)
		return json.Marshal(merged)
	}
	return parse(t, string(c.Definition)).Run(t.Context(), Config{Invoke: invoke}, Execution{Machine: name, Name: name, Input: c.Input})
}

func parse(t *testing.T, definition string) *Machine {
	t.Helper()
	m, err := Parse([]byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatOthersRefuseOfTheTemplatesDefinitionIsRefusedHere(t *testing.T) {
	var others conformance
	readJSON(t, "testdata/outcomes.json", &others)
	var faults map[string][2]string
	readJSON(t, "testdata/faults.json", &faults)
	definition := string(ofTemplate(t, "ImportStateMachine"))
	for name, change := range faults {
		if len(others.Refused[name]) == 0 {
			t.Errorf("%s: no other interpreter has refused it: make states", name)
		}
		broken := strings.Replace(definition, change[0], change[1], 1)
		if _, err := Parse([]byte(broken)); err == nil || broken == definition {
			t.Errorf("%s is read (%v)", name, err)
		}
	}
}

// one is a definition of one state, which follows the task that calls it.
func one(state string) string { return `{"StartAt":"A","States":{"A":` + state + `}}` }

const function = `"arn:aws:lambda:us-east-1:123456789012:function:F"`

func TestWhatIsNotKnownIsRefusedWhenItIsRead(t *testing.T) {
	for definition, want := range map[string]string{
		one(`{"Type":"Map","End":true}`):                                                                                             "A: a Map is not read",
		one(`{"Type":"Pass","End":true,"Assign":{"x":1}}`):                                                                           "of a Pass the field Assign is not read",
		one(`{"Type":"Pass","End":true,"endd":true}`):                                                                                "the field endd is not read",
		one(`{"Type":"Pass","end":true}`):                                                                                            "the field end is not read",
		one(`{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true}`):                                                "want the ARN of a Lambda function",
		one(`{"Type":"Pass","End":true,"Parameters":{"x.$":"States.UUID()"}}`):                                                       "no intrinsic function",
		one(`{"Type":"Pass","End":true,"InputPath":"$.a[*]"}`):                                                                       `"$.a[*]" is not read from "[*]" on`,
		one(`{"Type":"Pass","End":true,"InputPath":"$..a"}`):                                                                         `is not read from "..a" on`,
		one(`{"Type":"Pass","End":true,"ResultPath":"$.a[0]"}`):                                                                      "ResultPath: $.a[0] cannot be written to",
		one(`{"Type":"Pass","End":true,"ResultPath":"$$.a"}`):                                                                        "ResultPath: $$.a cannot be written to",
		one(`{"Type":"Choice","Choices":[{"Variable":"$.a","StringMatches":"*","Next":"A"}]}`):                                       "the comparison StringMatches is not read",
		one(`{"Type":"Choice","Choices":[{"Variable":"$.a","NumericEquals":"1","Next":"A"}]}`):                                       `NumericEquals: "1" is not what it compares with`,
		one(`{"Type":"Wait","Timestamp":"2026-11-29T00:00:00Z","End":true}`):                                                         "of a Wait the field Timestamp is not read",
		`{"StartAt":"A","QueryLanguage":"JSONata","States":{"A":{"Type":"Succeed"}}}`:                                                "only JSONPath is read",
		`{"StartAt":"A","States":{"A":{"Type":"Succeed"}},"Processor":1}`:                                                            "unknown field",
		one(`{"Type":"Task","Resource":` + function + `,"End":true,"Retry":[{"ErrorEquals":["States.Any"]}]}`):                       "there is no error States.Any",
		one(`{"Type":"Task","Resource":` + function + `,"End":true,"Retry":[{"ErrorEquals":["X"],"Interval":1}]}`):                   "the field Interval is not read",
		one(`{"Type":"Task","Resource":` + function + `,"End":true,"Catch":[{"errorEquals":["X"],"Next":"A"}]}`):                     "the field errorEquals is not read",
		`{"startAt":"A","States":{"A":{"Type":"Succeed"}}}`:                                                                          "the field startAt is not read",
		one(`{"Type":"Task","Resource":` + function + `,"End":true,"Retry":[{"ErrorEquals":["X"],"BackoffRate":0.5}]}`):              "BackoffRate: want at least 1",
		one(`{"Type":"Task","Resource":` + function + `,"End":true,"Retry":[{"ErrorEquals":["X"],"JitterStrategy":"SOME"}]}`):        "JitterStrategy: want FULL or NONE",
		one(`{"Type":"Task","Resource":` + function + `,"End":true,"Retry":[{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["X"]}]}`): "States.ALL must stand alone, and last",
		one(`{"Type":"Task","Resource":` + function + `,"End":true,"TimeoutSeconds":0}`):                                             "TimeoutSeconds: want 1 to",
		`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}}}`:                                   "no state ends an execution",
		one(`{"Type":"Choice","Choices":[{"Not":{"Variable":"$.a","IsNull":true,"Next":"A"},"Next":"A"}]}`):                          "a part of it has a Next of its own",
	} {
		if _, err := Parse([]byte(definition)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nis read as %v, want %q", definition, err, want)
		}
	}
}

// outcomeOf runs a definition with a function that is given, at once.
func outcomeOf(t *testing.T, definition, input string, invoke func(n int) ([]byte, error)) Outcome {
	t.Helper()
	calls := 0
	return parse(t, definition).Run(t.Context(), Config{
		Invoke: func(context.Context, string, []byte) ([]byte, error) { calls++; return invoke(calls) },
		Pause:  func(context.Context, time.Duration) error { return nil },
	}, Execution{Machine: "M", Name: "E", Input: []byte(input)})
}

// What moto does otherwise, Step Functions does as here: these are of its developer guide.
func TestErrorsHaveTheNamesThatStepFunctionsGivesThem(t *testing.T) {
	task := one(`{"Type":"Task","Resource":` + function + `,"End":true,"Parameters":{"x.$":"$.x"}}`)
	for want, err := range map[string]error{
		"Runtime.ExitError":               &lambda.Failure{Type: "Runtime.ExitError", Message: "signal: killed"},
		"Sandbox.Timedout":                &lambda.Failure{Type: "Sandbox.Timedout"},
		"Lambda.Unknown":                  &lambda.Failure{Message: "Runtime exited"},
		"Lambda.TooManyRequestsException": lambda.ErrBusy,
		"Lambda.ServiceException":         errors.New("the function cannot be started"),
	} {
		o := outcomeOf(t, task, `{"x":1}`, func(int) ([]byte, error) { return nil, err })
		if o.Status != Failed || o.Failure.Name != want {
			t.Errorf("%v ends as %s, %v", err, o.Status, o.Failure)
		}
	}
	caught := `,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}]}`
	for name, definition := range map[string]string{
		"States.Runtime":           `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.absent","StringEquals":"x","Next":"B"}],"Default":"B"},"B":{"Type":"Succeed"}}}`,
		"States.NoChoiceMatched":   `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.x","StringEquals":"x","Next":"B"}]},"B":{"Type":"Succeed"}}}`,
		"States.Runtime ":          `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":` + function + `,"End":true,"Parameters":{"x.$":"$.absent"}` + caught + `,"B":{"Type":"Succeed"}}}`,
		"States.DataLimitExceeded": `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":` + function + `,"End":true` + caught + `,"B":{"Type":"Succeed"}}}`,
	} {
		o := outcomeOf(t, definition, `{"x":1}`, func(int) ([]byte, error) { return []byte(`"` + strings.Repeat("x", 256<<10) + `"`), nil })
		if o.Status != Failed || o.Failure.Name != strings.TrimSpace(name) || slices.Contains(o.Visited, "B") {
			t.Errorf("%s: it ends as %s, %v, through %v", name, o.Status, o.Failure, o.Visited)
		}
	}
}

func TestAnElementOfAListIsReachedByItsNumber(t *testing.T) {
	o := outcomeOf(t, one(`{"Type":"Pass","End":true,"Parameters":{"second.$":"$.list[1]['a key']"}}`), `{"list":[1,{"a key":12345678901234567890}]}`, nil)
	if string(o.Output) != `{"second":12345678901234567890}` {
		t.Errorf("the output is %s, %v", o.Output, o.Failure)
	}
}

func TestTheContextObjectNamesTheExecution(t *testing.T) {
	calls := 0
	m := parse(t, one(`{"Type":"Task","Resource":`+function+`,"End":true,"Parameters":{"all.$":"$$"},"Retry":[{"ErrorEquals":["States.ALL"]}]}`))
	o := m.Run(t.Context(), Config{
		Invoke: func(_ context.Context, name string, payload []byte) ([]byte, error) {
			if calls++; calls == 1 {
				return nil, errors.New("again")
			}
			return payload, nil
		},
		Pause: func(context.Context, time.Duration) error { return nil },
		Now:   func() time.Time { return time.Date(2026, 11, 29, 16, 0, 0, 5e6, time.UTC) },
	}, Execution{Machine: "M", Name: "E", Input: []byte(`{"x":1}`)})
	const want = `{"all":{"Execution":{"Id":"arn:aws:states:us-east-1:123456789012:execution:M:E","Input":{"x":1},"Name":"E","StartTime":"2026-11-29T16:00:00.005Z"},` +
		`"State":{"EnteredTime":"2026-11-29T16:00:00.005Z","Name":"A","RetryCount":1},"StateMachine":{"Id":"arn:aws:states:us-east-1:123456789012:stateMachine:M","Name":"M"}}}`
	if string(o.Output) != want {
		t.Errorf("the context object is %s, %v", o.Output, o.Failure)
	}
}

func TestRetriesWaitLongerEachTimeUpToTheirMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := parse(t, one(`{"Type":"Task","Resource":`+function+`,"End":true,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":2,"BackoffRate":3,"MaxAttempts":4,"MaxDelaySeconds":20}]}`))
		var at []string
		begun := time.Now()
		m.Run(t.Context(), Config{Invoke: func(context.Context, string, []byte) ([]byte, error) {
			at = append(at, time.Since(begun).String())
			return nil, errors.New("no")
		}}, Execution{Input: []byte("{}")})
		if want := []string{"0s", "2s", "8s", "26s", "46s"}; !slices.Equal(at, want) {
			t.Errorf("it is called at %v, want %v", at, want)
		}
	})
}

func TestJitterTakesAPartOfTheDelay(t *testing.T) {
	r, shorter := retrier{JitterStrategy: "FULL", IntervalSeconds: new(10)}, 0
	for range 100 {
		if d := r.delay(0); d < 0 || d > 10*time.Second {
			t.Fatalf("it waits for %s", d)
		} else if d < 5*time.Second {
			shorter++
		}
	}
	if shorter == 0 || shorter == 100 {
		t.Errorf("%d of 100 are less than half of it", shorter)
	}
}

func TestExecutionsRunSideBySideAndEndWithTheirRunner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		m := parse(t, `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":60,"Next":"B"},"B":{"Type":"Fail","Error":"Ours","Cause":"a cause"}}}`)
		r := NewRunner("Machine", m, Config{}, &log)
		begun := time.Now()
		for n := range 5 {
			if err := r.Start(fmt.Sprint(n), []byte(`{"key":"+44 7700 900123"}`)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if got := len(log.all()); got != 5 || time.Since(begun) > 62*time.Second {
			t.Errorf("%d have ended after %s", got, time.Since(begun))
		}
		if err := r.Start("late", []byte("{}")); err != nil {
			t.Fatal(err)
		}
		r.Stop()
		told := log.all()
		if want := "Machine | execution late: ABORTED after 1 states, in A, Aborted\n"; told[len(told)-1] != want {
			t.Errorf("the last line is %q, want %q", told[len(told)-1], want)
		}
		if all := strings.Join(told, ""); strings.Contains(all, "7700") || strings.Contains(all, "a cause") || !strings.Contains(all, "FAILED after 2 states, in B, Ours") {
			t.Errorf("the log is %q", all)
		}
		if err := r.Start("later", nil); !errors.Is(err, ErrStopped) {
			t.Errorf("Start after Stop = %v", err)
		}
	})
}

// lines keeps what is written, a line a call.
type lines struct {
	mu  sync.Mutex
	got []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, string(p))
	return len(p), nil
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.got)
}
