package local

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"partnerview/internal/dev/local/events"
	"partnerview/internal/dev/template"
)

func TestOnlyABucketThatTellsEventBridgeStartsAnything(t *testing.T) {
	var mu sync.Mutex
	var got []string
	bus, err := events.New(events.Rule{Name: "R", Pattern: map[string]any{"source": []any{"aws.s3"}}}, events.Config{
		Target: func(_ context.Context, input []byte) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, string(input))
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	i := &inbox{buses: []*events.Bus{bus}}
	put := i.created([]template.Bucket{{Name: "loud", Tells: true}, {Name: "quiet"}})
	event := func(bucket string) string { return `{"source":"aws.s3","detail":{"bucket":{"name":"` + bucket + `"}}}` }
	for _, bucket := range []string{"quiet", "loud", "another"} {
		put([]byte(event(bucket)))
	}
	if err := i.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, []string{event("loud")}) {
		t.Errorf("the target got %q", got)
	}
}

func TestAPauseIsAsLongAsTheTemplateSaysOrAsMayBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for most, want := range map[time.Duration]time.Duration{0: time.Minute, time.Second: time.Second, time.Hour: time.Minute} {
			begun := time.Now()
			if err := pauseOf(most)(t.Context(), time.Minute); err != nil || time.Since(begun) != want {
				t.Errorf("with at most %s it took %s, %v", most, time.Since(begun), err)
			}
		}
	})
}

func TestABucketHasANameThatS3Takes(t *testing.T) {
	for values, want := range map[string]string{"": "partnerview-inboxbucket-abc", "given": "given"} {
		names := map[string]string{"InboxBucket": values}
		bucketNames(&template.Template{Buckets: []template.Bucket{{ID: "InboxBucket"}}}, names, "ABC")
		if names["InboxBucket"] != want {
			t.Errorf("with %q it is %q", values, names["InboxBucket"])
		}
	}
}

func TestWhatAKilledRunHasLeftIsDeletedAtTheNextStart(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	orphan := filepath.Join(os.TempDir(), fmt.Sprintf("partnerview-inbox-%d-1", ended.Process.Pid))
	alive := filepath.Join(os.TempDir(), fmt.Sprintf("partnerview-inbox-%d-1", os.Getppid()))
	for _, folder := range []string{orphan, alive} {
		if err := os.MkdirAll(filepath.Join(folder, "deeper"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	i := new(inbox)
	if err := i.place(""); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	if err != nil || len(left) != 2 || !slices.Contains(left, alive) || !slices.Contains(left, i.folder) {
		t.Errorf("there are %v (%v), want %s and %s", left, err, alive, i.folder)
	}
}

// A definition that cannot be run ends the start, with the state in the error, and leaves nothing.
func TestAStateMachineThatIsNotReadEndsTheStart(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := new(Stack)
	_, err := s.startInbox(Options{}, &template.Template{Buckets: []template.Bucket{{ID: "B", Name: "bucket"}},
		StateMachines: []template.StateMachine{{ID: "M", Definition: []byte(`{"StartAt":"A","States":{"A":{"Type":"Map"}}}`)}}}, nil)
	if err == nil || !strings.Contains(err.Error(), "the template's state machine M: A: a Map is not read") {
		t.Errorf("it starts: %v", err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("it leaves %v", left)
	}
}
