package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"partnerview/internal/ledger"
	"partnerview/internal/masking"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// importDiary notes the files of a command in the ledger, each when it begins and again when it
// has ended. The nil diary notes nothing, as of a dry run.
type importDiary struct {
	s      *session
	o      *operator.Operator
	kind   ledger.Kind
	format string
	again  []loadedBefore
}

// loadedBefore is a file of which the same bytes were loaded before, for programs.
type loadedBefore struct {
	File      string `json:"file"`
	ImportID  string `json:"importId"`
	Who       string `json:"who"`
	StartedAt string `json:"startedAt"`
}

// notes makes a diary of what a command imports.
func (s *session) notes(o *operator.Operator, kind ledger.Kind, format string, dryRun bool) *importDiary {
	if dryRun {
		return nil
	}
	return &importDiary{s: s, o: o, kind: kind, format: format}
}

// begin notes that a file begins.
func (d *importDiary) begin(file string) (*operator.Import, error) {
	if d == nil {
		return nil, nil
	}
	i := &operator.Import{ID: ledger.NewID(), Who: d.s.who(), Source: sourceOf(file), Kind: d.kind, Format: d.format,
		Started: d.s.now(), Outcome: ledger.Running}
	return i, d.o.NoteImport(d.s.ctx, *i)
}

func sourceOf(file string) string {
	if file == stdin {
		return "stdin"
	}
	return ledger.Source(file)
}

// end notes what came of a file, of which was read what read says: err is why not all was
// loaded, nil: all was. It remembers where the same bytes were loaded before. A command that is
// interrupted still has a moment for it.
func (d *importDiary) end(i *operator.Import, file string, read *ledger.Digest, counts loadCounts, err error) error {
	if d == nil {
		return nil
	}
	i.Bytes, i.SHA256, i.Ended = read.Bytes, read.SHA256(), d.s.now()
	counts.touched.Note(i)
	text, notJSON := json.Marshal(counts.all)
	if notJSON != nil {
		return notJSON
	}
	i.Counts = text
	switch {
	case err != nil:
		i.Outcome, i.Error = ledger.Failed, noteText(d.s.ctx, err, file)
	case counts.rejected > 0:
		i.Outcome = ledger.Rejected
	default:
		i.Outcome = ledger.Done
	}
	ctx, cancel := lastMoment(d.s.ctx)
	defer cancel()
	before, found, asked := d.o.LoadedBefore(ctx, i.SHA256)
	if found {
		d.again = append(d.again, loadedBefore{file, before.ID, before.Who, usage.FormatTime(before.Started)})
	}
	if noted := errors.Join(asked, d.o.NoteImport(ctx, *i)); noted != nil {
		stands := fmt.Sprintf("what was loaded of %s stands, but the ledger has not got its end: load it again, "+
			"and nothing is loaded twice", file)
		return &notNoted{stands, noted}
	}
	return nil
}

// lastMoment is a context for what is noted at the end, when ctx may have ended: it has a second
// from then on, and half a minute else.
func lastMoment(ctx context.Context) (context.Context, context.CancelFunc) {
	later, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, cancel) })
	return later, func() { stop(); cancel() }
}

// noteTimeout is how long a command that has done its work tries to note it.
const noteTimeout = 30 * time.Second

// notNoted is that something was done which the ledger does not tell: what stands. It is no
// failure of what was done, and so does not show which kind its cause is of.
type notNoted struct {
	done string
	err  error
}

func (n *notNoted) Error() string { return n.done + ": " + oneLine(n.err) }

// quoted are values, of a line that is rejected perhaps.
var quoted = regexp.MustCompile(`"[^"]*"`)

// noteText is what the ledger says of an error: neither a value of the file, nor where on this
// machine the file is.
func noteText(ctx context.Context, err error, file string) string {
	text := ""
	if path, isPath := errors.AsType[*fs.PathError](err); isPath && ctx.Err() == nil {
		text = path.Err.Error()
	} else {
		text = oneLine(errors.New(explain(ctx, err)))
	}
	text = quoted.ReplaceAllString(strings.ReplaceAll(text, file, sourceOf(file)), `"…"`)
	return masking.Text(text)
}

// printAgain says which files were loaded before.
func (s *session) printAgain(again []loadedBefore) {
	for _, before := range again {
		at, _ := usage.ParseTime(before.StartedAt)
		s.printf("%s was loaded on %s by %s already (partnerctl import show %s); again: nothing changes, but for what "+
			"was rejected then, or changed or deleted since\n",
			before.File, at.Format("2 Jan 2006"), before.Who, before.ImportID)
	}
}
