package events

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const event = `{"source":"aws.s3","time":"2026-11-29T16:00:00Z","resources":["arn:one","arn:two"],"detail":{"bucket":{"name":"b"},"object":{"key":"native/a \"b\".ndjson","size":12345678901234567890}}}`

func TestAPatternMatchesAsEventBridgesDoes(t *testing.T) {
	e, err := decode([]byte(event))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		`{"source":["aws.s3"]}`:                                 true,
		`{"source":["aws.sns","aws.s3"]}`:                       true,
		`{"source":["aws.sns"]}`:                                false,
		`{"source":["aws"]}`:                                    false,
		`{"resources":["arn:two"]}`:                             true,
		`{"resources":["arn:three"]}`:                           false,
		`{"absent":["x"]}`:                                      false,
		`{"absent":[null]}`:                                     false,
		`{"detail":{"object":{"size":[12345678901234567890]}}}`: true,
		`{"detail":{"object":{"key":[{"prefix":"credit/"},{"prefix":"native/"}]}}}`:          true,
		`{"detail":{"object":{"key":[{"prefix":"results/"}]}}}`:                              false,
		`{"detail":{"object":{"key":[{"suffix":".ndjson"}]}},"source":["aws.sns"]}`:          false,
		`{"detail":{"object":{"key":[{"suffix":".ndjson"}]}}}`:                               true,
		`{"detail":{"bucket":{"name":[{"equals-ignore-case":"B"}]}}}`:                        true,
		`{"detail":{"bucket":{"name":[{"exists":true}]},"object":{"x":[{"exists":false}]}}}`: true,
		`{"detail":{"object":{"key":[{"exists":false}]}}}`:                                   false,
		`{"source":{"deeper":["x"]}}`:                                                        false,
	} {
		v, err := decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		p, err := readPattern(v)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := p.matches(e, true); got != want {
			t.Errorf("%s matches: %v", text, got)
		}
	}
}

func TestWhatIsNotKnownOfARuleIsRefusedWhenItIsMade(t *testing.T) {
	for text, want := range map[string]string{
		`{"source":[{"anything-but":"x"}]}`: "source: the comparison anything-but is not read",
		`{"source":[{"prefix":"a","x":1}]}`: "is not read",
		`{"source":[{"prefix":1}]}`:         "prefix: want a text",
		`{"source":"aws.s3"}`:               "source: want fields, or a list",
		`{"source":[]}`:                     "the list is empty",
		`{"$or":[{"source":["x"]}]}`:        "$or is not read",
		`{"source":[["x"]]}`:                "a list within a list",
	} {
		v, _ := decode([]byte(text))
		if _, err := New(Rule{Name: "R", Pattern: v}, Config{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is read as %v, want %q", text, err, want)
		}
	}
	any := map[string]any{"source": []any{"aws.s3"}}
	for _, c := range []struct{ path, template, want string }{
		{"$.detail.object.key", "<other>", "<other> has no path"},
		{"$.detail[0]", "<key>", "the path $.detail[0] is not read"},
		{"detail", "<key>", "the path detail is not read"},
	} {
		if _, err := New(Rule{Name: "R", Pattern: any, InputPaths: map[string]string{"key": c.path}, Template: c.template}, Config{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v is read as %v", c, err)
		}
	}
}

func TestATransformerWritesValuesAsTheyAre(t *testing.T) {
	tr, err := readTransformer(map[string]string{"key": "$.detail.object.key", "size": "$.detail.object.size", "detail": "$.detail.bucket"},
		`{"key": <key>, "size": <size>, "all": <detail>, "text": "at \"<key>\": <size>"}`)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := decode([]byte(event))
	got, err := tr.input(e)
	const want = `{"key": "native/a \"b\".ndjson", "size": 12345678901234567890, "all": {"name":"b"}, "text": "at \"native/a \"b\".ndjson\": 12345678901234567890"}`
	if string(got) != want || err != nil {
		t.Errorf("the input is %s, %v", got, err)
	}
}

// matching is a rule for every event of S3.
var matching = Rule{Name: "R", Pattern: map[string]any{"source": []any{"aws.s3"}}, InputPaths: map[string]string{"key": "$.detail.object.key"},
	Template: `{"key": <key>}`, Retries: 3, MaxAge: time.Hour}

// target counts inputs, fails so many of them, and keeps what is logged.
type target struct {
	mu    sync.Mutex
	fails int
	got   []string
	log   strings.Builder
}

func (x *target) take(_ context.Context, input []byte) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.got = append(x.got, string(input))
	if x.fails--; x.fails >= 0 {
		return errors.New("not now")
	}
	return nil
}

func (x *target) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.log.Write(p)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func TestATargetThatFailsIsTriedAgainAndThenGivenUpInTheLog(t *testing.T) {
	const input = `{"key": "native/a \"b\".ndjson"}`
	for _, c := range []struct {
		name  string
		fails int
		want  []string
		log   string
	}{
		{"it comes through", 0, []string{input}, ""},
		{"the third try does", 2, []string{input, input, input}, ""},
		{"none does", 9, []string{input, input, input, input}, "R | an event started nothing, and lies in the dead-letter queue: after 7s: not now\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &target{fails: c.fails}
				b, err := New(matching, Config{Target: x.take, Pause: pause, Log: x})
				if err != nil {
					t.Fatal(err)
				}
				b.Put([]byte(event))
				b.Put([]byte(`{"source":"aws.sns"}`))
				time.Sleep(time.Minute)
				synctest.Wait()
				b.Stop()
				if !slices.Equal(x.got, c.want) || x.log.String() != c.log {
					t.Errorf("the target got %q, and the log %q", x.got, &x.log)
				}
			})
		})
	}
}

func TestAnEventThatLacksWhatTheTransformerNeedsIsGivenUpAtOnce(t *testing.T) {
	x := new(target)
	b, err := New(matching, Config{Target: x.take, Pause: pause, Log: x})
	if err != nil {
		t.Fatal(err)
	}
	b.Put([]byte(`{"source":"aws.s3","detail":{}}`))
	b.under.Wait()
	b.Stop()
	if len(x.got) != 0 || !strings.Contains(x.log.String(), "<key>: the event has no object") {
		t.Errorf("the target got %q, and the log %q", x.got, &x.log)
	}
}

func TestStopEndsWhatIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := &target{fails: 9}
		b, err := New(matching, Config{Target: x.take, Pause: pause, Log: x})
		if err != nil {
			t.Fatal(err)
		}
		b.Put([]byte(event))
		synctest.Wait()
		b.Stop()
		b.Put([]byte(event))
		if len(x.got) != 1 {
			t.Errorf("the target got %q", x.got)
		}
	})
}
