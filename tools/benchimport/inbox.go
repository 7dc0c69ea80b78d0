package main

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"partnerview/internal/dev/local/bucket"
	"partnerview/internal/dev/local/lambda"
	"partnerview/internal/dev/template"
	"partnerview/internal/inbox"
	"partnerview/internal/ledger"
	"partnerview/internal/objects"
	"partnerview/tools/bulk"
	"partnerview/tools/procstat"
)

// maxFunctionMemory is what the function may take, whatever the size of a file.
const maxFunctionMemory = 256 << 20

const (
	inboxBucket = "bench-inbox"
	imports     = "ImportUsageFunction"
)

// inboxed loads the native file four times, each into an empty store: by the inbox's function in
// one call, between two loads by partnerctl, so that what else the machine does slows both alike;
// and by the function in short calls, of which some are killed. What they come to must be the same,
// to the last attribute.
func (b *bench) inboxed(ctx context.Context, kills int) error {
	bootstrap := filepath.Join(b.folder, imports, "bootstrap")
	if err := os.MkdirAll(filepath.Dir(bootstrap), 0o700); err != nil {
		return err
	}
	if err := lambda.Build(ctx, b.root, "functions/importusage", bootstrap); err != nil {
		return err
	}
	file := b.load.Files()[0]
	fmt.Printf("%s, %d lines, each time into an empty store:\n\n%-34s %9s %9s %9s\n", file.Name, file.Lines, "", "seconds", "a second", "MB")
	show := func(name string, u spent) {
		fmt.Printf("%-34s %9.1f %9.0f %9d\n", name, u.wall.Seconds(), rate{file.Lines, u.wall}.perSecond(), u.memory>>20)
	}
	byHand := func(s *stage) (spent, error) { return s.load1(ctx, file) }
	before, want, err := b.once(ctx, byHand)
	if err != nil {
		return err
	}
	show("partnerctl", before)
	inOne, got, err := b.once(ctx, func(s *stage) (spent, error) { return s.byInbox(ctx, bootstrap, file, 12*time.Minute, 0, 0) })
	if err == nil {
		err = same(want, got)
	}
	if err != nil {
		return fmt.Errorf("in one call: %w", err)
	}
	show("the inbox, in one call", inOne)
	after, _, err := b.once(ctx, byHand)
	if err != nil {
		return err
	}
	show("partnerctl", after)
	whole := max(2*inOne.wall, 10*time.Second)
	inParts, got, err := b.once(ctx, func(s *stage) (spent, error) {
		u, err := s.byInbox(ctx, bootstrap, file, whole, kills, inOne.wall)
		return u, errors.Join(err, s.totals(ctx))
	})
	if err == nil {
		err = same(want, got)
	}
	if err != nil {
		return fmt.Errorf("with kills: %w", err)
	}
	show(fmt.Sprintf("the inbox, calls of %.0f s, %d kills", whole.Seconds(), kills), inParts)
	fmt.Printf("\nThe inbox loads %.2f × as fast as partnerctl. Each came to the same %d items, attribute by attribute.\n",
		(before.wall+after.wall).Seconds()/2/inOne.wall.Seconds(), len(want))
	if most := max(inOne.memory, inParts.memory); most > maxFunctionMemory {
		return fmt.Errorf("the function took %d MB of memory, more than %d MB", most>>20, maxFunctionMemory>>20)
	}
	return nil
}

// once loads on an empty store, and reads back what that came to.
func (b *bench) once(ctx context.Context, load func(*stage) (spent, error)) (u spent, items map[string]string, err error) {
	s, err := b.newStage(ctx, "inbox")
	if err != nil {
		return u, nil, err
	}
	defer s.end()
	if u, err = load(s); err != nil {
		return u, nil, err
	}
	items = make(map[string]string)
	err = s.scan(ctx, "", func(it map[string]string) {
		var text strings.Builder
		for _, name := range slices.Sorted(maps.Keys(it)) {
			fmt.Fprintf(&text, "%s=%q ", name, it[name])
		}
		items[it["log"]+" "+it["at"]] = text.String()
	})
	return u, items, err
}

// same compares what two loads came to.
func same(want, got map[string]string) error {
	wrong := findings{what: "the table"}
	for key, item := range got {
		switch is, there := want[key]; {
		case !there:
			wrong.add("%s is there, and should not be", key)
		case is != item:
			wrong.add("is %s, not %s", item, is)
		}
	}
	for key := range want {
		if _, there := got[key]; !there {
			wrong.add("%s is missing", key)
		}
	}
	if wrong.wrong == 0 {
		return nil
	}
	return fmt.Errorf("%s differs in %d items:\n  %s", wrong.what, wrong.wrong, strings.Join(wrong.words, "\n  "))
}

// byInbox puts the file into a bucket, and calls the function, with whole as the time of a call,
// until the import has ended, as the state machine does. So many of the first calls are killed,
// each at some point of the time that the load took in one call.
func (s *stage) byInbox(ctx context.Context, bootstrap string, f bulk.File, whole time.Duration, kills int, within time.Duration) (u spent, err error) {
	server, err := bucket.Start(bucket.Config{Folder: s.store + "-objects", Buckets: []string{inboxBucket}})
	if err != nil {
		return u, err
	}
	defer server.Stop(ctx)
	state, err := s.upload(ctx, server.Endpoint, f)
	if err != nil {
		return u, err
	}
	function, err := s.function(bootstrap, server.Endpoint, whole)
	if err != nil {
		return u, err
	}
	defer function.Stop()
	begun := time.Now()
	for calls := 1; ; calls++ {
		ended := make(chan struct{})
		peak := make(chan int64)
		var point time.Duration // 0: it is not killed
		if calls <= kills {
			point = time.Duration(s.random.Int64N(int64(within*9/10))) + 1
		}
		go func() { peak <- watch(bootstrap, point, ended) }()
		answer, callErr := function.Invoke(ctx, state)
		close(ended)
		u.memory = max(u.memory, <-peak)
		var failed *lambda.Failure
		if errors.As(callErr, &failed) && calls <= kills {
			continue // with the state that it was given
		}
		if callErr != nil {
			return u, callErr
		}
		if calls > 1000 {
			return u, errors.New("the import does not end")
		}
		state = answer
		var is inbox.State
		if err := json.Unmarshal(answer, &is); err != nil {
			return u, err
		}
		switch is.Outcome {
		case inbox.Done:
			u.wall = time.Since(begun)
			return u, addsUp(is.Counts, f)
		case inbox.WasBusy:
			time.Sleep(100 * time.Millisecond)
		case inbox.More, inbox.Count:
		default:
			return u, fmt.Errorf("the import ends in %s: %s", is.Outcome, is.Error)
		}
	}
}

// upload puts the file into the inbox, and is the state with which its import begins.
func (s *stage) upload(ctx context.Context, endpoint string, f bulk.File) ([]byte, error) {
	text, err := os.ReadFile(s.path(f.Name))
	if err != nil {
		return nil, err
	}
	store, err := objects.NewStore(func(name string) string { return map[string]string{"AWS_ENDPOINT_URL_S3": endpoint}[name] })
	if err != nil {
		return nil, err
	}
	key := f.Format + "/" + f.Name
	if err := store.Put(ctx, inboxBucket, key, text); err != nil {
		return nil, err
	}
	return json.Marshal(inbox.State{Bucket: inboxBucket, Key: key, ETag: md5Of(text), Size: int64(len(text)), Time: bulk.Now(),
		Step: inbox.StepImport, ID: ledger.NewID(), Started: time.Now()})
}

// function is the function as the template has it, on this stage's tables.
func (s *stage) function(bootstrap, s3 string, whole time.Duration) (*lambda.Function, error) {
	t, err := template.Read(filepath.Join(s.root, "template.yaml"), s.tables)
	if err != nil {
		return nil, err
	}
	f, there := t.Function(imports)
	if !there {
		return nil, fmt.Errorf("template.yaml has no %s", imports)
	}
	env := maps.Clone(f.Environment)
	maps.Copy(env, map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": s.engine.Endpoint, "AWS_ENDPOINT_URL_S3": s3,
		"PARTNERVIEW_NOW": bulk.Now().Format("2006-01-02T15:04:05.000Z")})
	return lambda.New(lambda.Config{Name: imports, Bootstrap: bootstrap, Timeout: whole, MemoryMB: f.MemoryMB, Environment: env, MaxInstances: 1}), nil
}

func md5Of(text []byte) string {
	sum := md5.Sum(text)
	return hex.EncodeToString(sum[:])
}

// watch reads how much memory the function's process takes at most, until it has ended, and kills
// it at a point of its time.
func watch(bootstrap string, point time.Duration, ended <-chan struct{}) (most int64) {
	begun := time.Now()
	for {
		pid := processOf(bootstrap)
		if pid > 0 {
			most = max(most, procstat.PeakMemory(pid))
		}
		if point > 0 && pid > 0 && time.Since(begun) >= point {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
			point = 0
		}
		select {
		case <-ended:
			return most
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// processOf finds the child of this process that runs a binary; 0 where there is none.
func processOf(binary string) int {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", os.Getpid()))
	if err != nil {
		return 0
	}
	for _, task := range tasks {
		children, _ := os.ReadFile(task) // a thread may have ended
		for _, child := range strings.Fields(string(children)) {
			if path, err := os.Readlink("/proc/" + child + "/exe"); err == nil && path == binary {
				pid, _ := strconv.Atoi(child)
				return pid
			}
		}
	}
	return 0
}
