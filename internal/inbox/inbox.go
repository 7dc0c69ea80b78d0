package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/objects"
	"partnerview/internal/operator"
)

// Bucket is where files are put, as objects.Store keeps them: its errors are that store's.
type Bucket interface {
	Open(ctx context.Context, bucket, key, etag string) (io.ReadCloser, error)
	Put(ctx context.Context, bucket, key string, body []byte) error
	Move(ctx context.Context, bucket, key, etag, to string) error
	Delete(ctx context.Context, bucket, key, etag string) error
}

// Inbox imports files, a call at a time. Calls may be made at the same time: the writer's
// lease lets one of them write.
type Inbox struct {
	Files Bucket
	Store *dynamo.Store
	Now   func() time.Time // of records
	Clock func() time.Time // by which a call's time is over; nil: time.Now
	Log   *slog.Logger
	// KeepsNone deletes a file as soon as it is imported; else it stands until its time is over.
	KeepsNone bool
}

// KeepsNone reads INBOX_DAYS: whether files are kept for no day.
func KeepsNone(days string) (bool, error) {
	n, err := strconv.Atoi(days)
	if err != nil || n < 0 {
		return false, fmt.Errorf("INBOX_DAYS is %q: want a number of days", days)
	}
	return n == 0, nil
}

// How a call's time is spent: it is what Lambda gives it, 12 minutes by the template.
const (
	readShare = 8.0 / 12  // of it rows are loaded
	workShare = 10.0 / 12 // of it days are counted too; the rest is for what a call says at its end
)

// patience is how long a call waits for somebody who writes. The state machine waits longer,
// and for nothing.
const patience = 5 * time.Second

// maxUnpacked bounds a gzipped file, in bytes.
const maxUnpacked = 2 << 30

// Call makes one call. An error means that the same call may be tried again; what cannot be
// mended so is an outcome. A panic is an error.
func (i *Inbox) Call(ctx context.Context, s State) (answer State, err error) {
	begun := i.clock()
	var measures []slog.Attr
	err = fault.Caught(func() error {
		answer, measures, err = i.call(ctx, s)
		return err
	})
	i.log(ctx, answer, err, i.clock().Sub(begun), measures)
	return answer, err
}

func (i *Inbox) clock() time.Time {
	if i.Clock == nil {
		return time.Now()
	}
	return i.Clock()
}

func (i *Inbox) call(ctx context.Context, s State) (State, []slog.Attr, error) {
	s.Outcome, s.Busy, s.Error = "", nil, ""
	begun := i.clock()
	whole := time.Hour // where nobody says
	if end, limited := ctx.Deadline(); limited {
		whole = end.Sub(begun)
	}
	share := func(of float64) time.Time { return begun.Add(time.Duration(of * float64(whole))) }
	c := &call{Inbox: i, State: s, read: share(readShare), work: share(workShare)}
	var err error
	switch {
	case isFolder(s.Key):
		c.Outcome = Done // somebody has made a folder
	case s.Step == StepImport:
		err = c.load(ctx)
	case s.Step == StepCount:
		err = c.count(ctx)
	case s.Step == StepFail:
		err = c.giveUp(ctx)
	default:
		err = fmt.Errorf("there is no step %q", s.Step)
	}
	c.Calls++
	return c.State, c.measured, err
}

// log leaves a line a call. No key is in it.
func (i *Inbox) log(ctx context.Context, s State, err error, took time.Duration, measures []slog.Attr) {
	level := slog.LevelInfo
	attributes := []slog.Attr{slog.String("import", importID(s.ID)), slog.String("step", string(s.Step)),
		slog.String("outcome", string(s.Outcome)), slog.Int("calls", s.Calls), slog.Int("line", s.Line),
		slog.Int64("bytes", s.Size), slog.String("counts", string(s.Counts)), slog.Int64("tookMs", took.Milliseconds())}
	if err != nil {
		level = slog.LevelError
		attributes = append(attributes, slog.Any("cause", err))
	}
	i.Log.LogAttrs(ctx, level, "import", append(attributes, measures...)...)
}

// call is one call: what it was given, which becomes its answer, and its time.
type call struct {
	*Inbox
	State
	file file
	read time.Time // until then rows are loaded
	work time.Time // until then days are counted

	measured []slog.Attr // metrics, once the import has ended
}

func (c *call) operator() *operator.Operator {
	o := operator.New(c.Store, c.Now)
	o.Patience, o.Where, o.Work = patience, "inbox, import "+importID(c.ID), importID(c.ID)
	return o
}

// load loads rows from the state's line on, and counts the days that they touch.
func (c *call) load(ctx context.Context) error {
	var err error
	if c.file, err = fileOf(c.Key); err != nil {
		return c.fail(ctx, err)
	}
	if c.Size > objects.MaxMove {
		return c.fail(ctx, errors.New("the file is larger than 5 GiB: split it, or pack it"))
	}
	if done, err := c.begin(ctx); done || err != nil {
		return err
	}
	working, cancel := context.WithDeadline(ctx, c.work)
	defer cancel()
	if c.file.format == "" {
		err = c.loadCredit(working)
	} else {
		err = c.loadUsage(working)
	}
	if err != nil {
		return c.judge(ctx, err)
	}
	return nil
}

// judge says what an error of loading means: an outcome, or that the call may be tried again.
func (c *call) judge(ctx context.Context, err error) error {
	var busy *dynamo.LeaseBusy
	var userError operator.UserError
	switch {
	case errors.As(err, &busy):
		c.Outcome, c.Busy = WasBusy, &Busy{What: busy.What, Where: busy.Where, Since: busy.Since}
		return nil
	case errors.Is(err, objects.ErrReplaced):
		return c.end(ctx, Replaced, err)
	case fault.Is(err, fault.NotFound):
		return c.gone(ctx)
	case fault.Is(err, fault.Unavailable):
		return err
	case errors.As(err, new(*importer.FileError)), errors.As(err, &userError):
		return c.fail(ctx, err)
	}
	return err
}

// count counts the days that stand open, those of the file among them.
func (c *call) count(ctx context.Context) error {
	file, err := fileOf(c.Key)
	if err != nil {
		return err
	}
	c.file = file
	working, cancel := context.WithDeadline(ctx, c.work)
	defer cancel()
	err = c.operator().CountOpen(working)
	switch {
	case err == nil:
		return c.end(ctx, Done, nil)
	case ctx.Err() == nil && working.Err() != nil: // it has counted some
		c.Outcome = Count
		return nil
	}
	return c.judge(ctx, err)
}
