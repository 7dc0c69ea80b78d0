package local

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"partnerview/internal/dev/local/bucket"
	"partnerview/internal/dev/local/events"
	"partnerview/internal/dev/local/lambda"
	"partnerview/internal/dev/local/states"
	"partnerview/internal/dev/template"
)

// inbox is the bucket, and what follows from an upload: the template's rules and its
// state machines.
type inbox struct {
	server    *bucket.Server
	folder    string
	temporary bool // goes with the product
	buses     []*events.Bus
	runners   map[string]*states.Runner // by logical id
}

// startInbox starts the template's bucket; nil where it has none. Nobody is told yet where it
// is, but the functions, which are made next.
func (s *Stack) startInbox(o Options, t *template.Template, log io.Writer) (_ *inbox, err error) {
	if len(t.Buckets) == 0 {
		return nil, nil
	}
	i := &inbox{runners: make(map[string]*states.Runner)}
	defer func() {
		if err != nil {
			i.stop(context.Background())
		}
	}()
	pause := pauseOf(o.InboxPause)
	for _, m := range t.StateMachines {
		machine, err := states.Parse(m.Definition)
		if err != nil {
			return nil, fmt.Errorf("the template's state machine %s: %w", m.ID, err)
		}
		i.runners[m.ID] = states.NewRunner(m.ID, machine, states.Config{Invoke: s.invoke, Pause: pause}, log)
	}
	for _, r := range t.Rules {
		runner := i.runners[r.Target] // the template's reading says that it is there
		bus, err := events.New(events.Rule{Name: r.ID, Pattern: r.Pattern, InputPaths: r.InputPaths,
			Template: r.Template, Retries: r.Retries, MaxAge: r.MaxAge},
			events.Config{Target: begin(runner), Pause: pause, Log: log})
		if err != nil {
			return nil, fmt.Errorf("the template's rule %w", err)
		}
		i.buses = append(i.buses, bus)
	}
	if err := i.place(o.Path); err != nil {
		return nil, err
	}
	return i, i.serve(t.Buckets, o.InboxThrough, log)
}

// begin starts an execution for an event, under a name that EventBridge could give it.
func begin(runner *states.Runner) func(context.Context, []byte) error {
	return func(_ context.Context, input []byte) error {
		return runner.Start(lambda.NewRequestID()+"_"+lambda.NewRequestID(), input)
	}
}

// place finds the folder of the objects.
func (i *inbox) place(path string) (err error) {
	if path == "" {
		removeOrphans()
		i.temporary = true
		i.folder, err = os.MkdirTemp("", fmt.Sprintf("%s%d-", folderPrefix, os.Getpid()))
		return err
	}
	i.folder, err = filepath.Abs(filepath.Join(path, "inbox"))
	return err
}

// folderPrefix begins the name of a folder that goes with its process, whose id follows.
const folderPrefix = "partnerview-inbox-"

// removeOrphans deletes the folders of runs that were killed: uploads hold full numbers. What
// cannot be deleted, as another user's, is left.
func removeOrphans() {
	folders, err := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	if err != nil {
		return // the pattern is sound but where the folder of all has a strange name
	}
	for _, folder := range folders {
		of, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), folderPrefix), "-")
		if pid, err := strconv.Atoi(of); err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(folder)
		}
	}
}

func (i *inbox) serve(buckets []template.Bucket, through func(http.Handler) http.Handler, log io.Writer) (err error) {
	config := bucket.Config{Folder: i.folder, Log: log, Created: i.created(buckets), Through: through,
		Folders: make(map[string][]string, len(buckets))}
	for _, b := range buckets {
		config.Buckets = append(config.Buckets, b.Name)
		config.Folders[b.Name] = b.Folders
	}
	i.server, err = bucket.Start(config)
	return err
}

// created hands the events of those buckets that tell EventBridge of their objects to all
// rules.
func (i *inbox) created(buckets []template.Bucket) func([]byte) {
	tells := make(map[string]bool, len(buckets))
	for _, b := range buckets {
		tells[b.Name] = b.Tells
	}
	return func(event []byte) {
		var of struct {
			Detail struct{ Bucket struct{ Name string } }
		}
		if json.Unmarshal(event, &of) != nil || !tells[of.Detail.Bucket.Name] {
			return
		}
		for _, bus := range i.buses {
			bus.Put(event)
		}
	}
}

// stop takes no more uploads and ends what follows from those before. A nil inbox is none.
func (i *inbox) stop(ctx context.Context) error {
	if i == nil {
		return nil
	}
	for _, bus := range i.buses {
		bus.Stop()
	}
	for _, runner := range i.runners {
		runner.Stop()
	}
	if i.server != nil {
		i.server.Stop(ctx)
	}
	if i.temporary && i.folder != "" {
		return os.RemoveAll(i.folder)
	}
	return nil
}

// pauseOf waits no longer than most, where that is not 0.
func pauseOf(most time.Duration) func(context.Context, time.Duration) error {
	return func(ctx context.Context, d time.Duration) error {
		if most > 0 {
			d = min(d, most)
		}
		return states.Sleep(ctx, d)
	}
}

// bucketNames gives the buckets of a template names that S3 takes: of parameters, or new
// ones that end as the tables' do.
func bucketNames(t *template.Template, values map[string]string, suffix string) {
	for _, b := range t.Buckets {
		values[b.ID] = cmp.Or(values[b.ID], strings.ToLower("partnerview-"+b.ID+"-"+suffix))
	}
}
