package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/ledger"
	"partnerview/internal/masking"
	"partnerview/internal/objects"
	"partnerview/internal/operator"
)

// who loads what comes by the inbox, in the ledger's words.
const who = "inbox"

// isOfTheFile reports whether an error says what is wrong with the file itself.
func isOfTheFile(err error) bool {
	return errors.As(err, new(*importer.FileError)) && !errors.Is(err, objects.ErrReplaced) &&
		!fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.NotFound)
}

// entry is what the ledger says of the import now.
func (c *call) entry(outcome ledger.Outcome) ledger.Import {
	i := ledger.Import{ID: importID(c.ID), Who: who, Source: ledger.Source(c.Key), SHA256: c.SHA256, Bytes: c.Size,
		Kind: ledger.Usage, Format: string(c.file.format), Counts: c.Counts, Started: c.Started, Outcome: outcome,
		Error: c.Error}
	if c.file.format == "" {
		i.Kind = ledger.Credit
	}
	if outcome != ledger.Running {
		i.Ended = c.clock()
	}
	c.Touched.Note(&i)
	return i
}

// begin notes that the import is under way, unless it has ended already: then its answer was
// lost, and is given again.
func (c *call) begin(ctx context.Context) (ended bool, err error) {
	o := c.operator()
	for former, err := range o.Imports(ctx, c.Started.Add(-time.Second), false) {
		if err != nil {
			return false, err
		}
		if former.ID != importID(c.ID) {
			continue
		}
		if outcome, ended := outcomeOf[former.Outcome]; ended {
			c.Outcome, c.Counts, c.SHA256, c.Error = outcome, former.Counts, former.SHA256, former.Error
			return true, c.putAway(ctx)
		}
		return false, nil
	}
	return false, o.NoteImport(ctx, c.entry(ledger.Running))
}

// outcomeOf is what the state machine is told of an import that has ended.
var outcomeOf = map[ledger.Outcome]Outcome{
	ledger.Done: Done, ledger.Rejected: Done, ledger.Failed: Failed, ledger.Replaced: Replaced,
}

// gone ends the import of a file that is not there: it was imported and deleted by another
// execution, since an upload may be told of twice, or somebody has taken it away.
func (c *call) gone(ctx context.Context) error {
	for former, err := range c.operator().Imports(ctx, c.Time, false) {
		if err != nil {
			return err
		}
		if former.Outcome.Loaded() && former.Source == ledger.Source(c.Key) && former.Bytes == c.Size {
			c.SHA256 = former.SHA256
			return c.end(ctx, Done, nil)
		}
	}
	return c.fail(ctx, errors.New("the file is not there any more, or may not be read"))
}

// fail ends the import of a file that cannot be imported, and puts the file aside.
func (c *call) fail(ctx context.Context, why error) error { return c.end(ctx, Failed, why) }

// giveUp ends the import of a file whose calls have failed too often.
func (c *call) giveUp(ctx context.Context) error {
	c.file, _ = fileOf(c.Key) // else it would not have come to this
	if ended, err := c.begin(ctx); ended || err != nil {
		return err // only its answers were lost
	}
	word := "an error"
	if c.Failure != nil {
		word = masking.Text(c.Failure.Error)
	}
	return c.fail(ctx, fmt.Errorf("the import ended in %s each time that it was tried; the function's log has the "+
		"cause. What was written stays, and to import the file again is safe", word))
}

// result is what is told of an import beside its file's name.
type result struct {
	ID           string          `json:"id"` // the ledger's
	Outcome      ledger.Outcome  `json:"outcome"`
	File         string          `json:"file"` // masked
	Format       string          `json:"format"`
	Account      string          `json:"account,omitempty"` // that the folder names, of a file that was imported
	Bytes        int64           `json:"bytes"`
	SHA256       *string         `json:"sha256"` // null: it was not read to its end
	Uploaded     time.Time       `json:"uploaded"`
	Started      time.Time       `json:"started"`
	Ended        time.Time       `json:"ended"`
	Calls        int             `json:"calls"`
	Counts       json.RawMessage `json:"counts"`             // as partnerctl's JSON has them; null: no line was read
	Rejected     []string        `json:"rejected,omitempty"` // keys of the lists of rejected lines
	Unlisted     int             `json:"unlisted,omitempty"` // rejected lines that are in none
	LoadedBefore *before         `json:"loadedBefore,omitempty"`
	Error        string          `json:"error,omitempty"`
}

// before is an import by which the same bytes were loaded.
type before struct {
	ID      string    `json:"id"`
	Who     string    `json:"who"`
	Started time.Time `json:"started"`
}

// end writes what came of the import: the result, then the ledger's entry, and then puts the file
// away. It may be repeated, whatever of it was done: from its start before the ledger has said that
// the import has ended, and from then on by begin.
func (c *call) end(ctx context.Context, outcome Outcome, why error) error {
	c.Outcome = outcome
	if why != nil {
		c.Error = masking.Text(why.Error())
	}
	noted := c.noted()
	if err := c.writeResult(ctx, noted); err != nil {
		return err
	}
	if err := c.operator().NoteImport(ctx, c.entry(noted)); err != nil {
		return err
	}
	c.measured = c.measures(ctx)
	return c.putAway(ctx)
}

// noted is the outcome in the ledger's words.
func (c *call) noted() ledger.Outcome {
	var counts struct{ Rejected int }
	switch c.Outcome {
	case Failed:
		return ledger.Failed
	case Replaced:
		return ledger.Replaced
	}
	if c.Counts != nil && json.Unmarshal(c.Counts, &counts) == nil && counts.Rejected > 0 {
		return ledger.Rejected
	}
	return ledger.Done
}

// putAway moves a file that failed, and deletes one that was imported where none is kept. One
// that is there no more, or is another by now, is left alone.
func (c *call) putAway(ctx context.Context) error {
	var err error
	switch {
	case c.Outcome == Failed && c.Size <= objects.MaxMove:
		err = c.Files.Move(ctx, c.Bucket, c.Key, c.ETag, failedKey(c.State))
	case c.Outcome == Done && c.KeepsNone:
		err = c.Files.Delete(ctx, c.Bucket, c.Key, c.ETag)
	}
	if errors.Is(err, objects.ErrReplaced) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

func (c *call) writeResult(ctx context.Context, noted ledger.Outcome) error {
	former, err := c.loadedBefore(ctx, c.operator())
	if err != nil {
		return err
	}
	r := result{ID: importID(c.ID), Outcome: noted, File: masking.Text(c.Key), Format: c.file.kind(),
		Bytes: c.Size, Uploaded: c.Time.UTC(), Started: c.Started.UTC(),
		Ended: c.clock().UTC().Truncate(time.Millisecond), Calls: c.Calls + 1, Counts: c.Counts, Rejected: c.Lists,
		Unlisted: c.Unlisted, LoadedBefore: former, Error: c.Error}
	if c.SHA256 != "" {
		r.SHA256 = &c.SHA256
	}
	if c.Outcome != Failed { // else it may be anything
		r.Account = string(c.file.account)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return c.Files.Put(ctx, c.Bucket, resultKey(c.State, ".json"), append(text, '\n'))
}

func (c *call) loadedBefore(ctx context.Context, o *operator.Operator) (*before, error) {
	i, found, err := o.LoadedBefore(ctx, c.SHA256)
	if err != nil || !found || i.ID == importID(c.ID) {
		return nil, err
	}
	return &before{i.ID, i.Who, i.Started}, nil
}
