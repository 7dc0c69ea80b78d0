package operator

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/dynamo"
	"partnerview/internal/usage"
)

// Selection says which of a customer's records are meant: those that meet every
// condition which is given.
type Selection struct {
	Account  usage.AccountID
	Products []usage.Product // empty: all
	Period   usage.Period
	IDs      []usage.RecordID // the platform's; WhatsApp's may be given as they are
	Last4    string           // the last four digits of from or to
}

func (s Selection) logs() []usage.Log {
	var logs []usage.Log
	for _, p := range usage.Products() {
		if len(s.Products) == 0 || slices.Contains(s.Products, p) {
			logs = append(logs, usage.Log{Account: s.Account, Product: p})
		}
	}
	return logs
}

// storedIDs are the ids under which the selection's may be stored in a log.
func (s Selection) storedIDs(log usage.Log) (ids []usage.RecordID) {
	for _, id := range s.IDs {
		for _, stored := range storedIDs(log, id) {
			if !slices.Contains(ids, stored) {
				ids = append(ids, stored)
			}
		}
	}
	return ids
}

// storedIDs are those under which a record may be stored that the platform calls
// so: one of WhatsApp's is mostly hashed, but another program may have stored it as
// it is.
func storedIDs(log usage.Log, id usage.RecordID) []usage.RecordID {
	if hashed, err := log.RecordID(string(id)); err == nil && hashed != id {
		return []usage.RecordID{hashed, id}
	}
	return []usage.RecordID{id}
}

func (s Selection) has(r usage.Record) bool {
	return s.Period.Contains(r.Timestamp) && (s.Last4 == "" || r.From.Last4() == s.Last4 || r.To.Last4() == s.Last4)
}

// Records reads the records of a selection, product by product and each oldest
// first, as they are asked for. Those whose retention has ended by now are not
// among them.
func (o *Operator) Records(ctx context.Context, s Selection) iter.Seq2[usage.Record, error] {
	return o.records(ctx, s, o.now())
}

// pageOfRecords is how many records are read at a time.
const pageOfRecords = 500

// records reads the records whose retention has not ended by a time; zero: all.
func (o *Operator) records(ctx context.Context, s Selection, now time.Time) iter.Seq2[usage.Record, error] {
	return func(yield func(usage.Record, error) bool) {
		for _, log := range s.logs() {
			for page, err := range o.pages(ctx, log, s, now) {
				if err != nil {
					yield(usage.Record{}, err)
					return
				}
				for _, r := range page {
					if s.has(r) && !yield(r, nil) {
						return
					}
				}
			}
		}
	}
}

// pages reads a log: those records that bear the selection's ids, or else those
// of its period.
func (o *Operator) pages(
	ctx context.Context, log usage.Log, s Selection, now time.Time,
) iter.Seq2[[]usage.Record, error] {
	return func(yield func([]usage.Record, error) bool) {
		for _, id := range s.storedIDs(log) {
			records, err := o.store.RecordsByID(ctx, log, id)
			records = slices.DeleteFunc(records, func(r usage.Record) bool {
				return !now.IsZero() && !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt)
			})
			if !yield(records, err) || err != nil {
				return
			}
		}
		if len(s.IDs) > 0 {
			return
		}
		for q := (usage.Query{Period: s.Period, Order: usage.OldestFirst, Limit: pageOfRecords, Now: now}); ; {
			page, err := o.store.Log(ctx, log, q)
			if !yield(page.Records, err) || err != nil || page.Next == nil {
				return
			}
			q.After = page.Next
		}
	}
}

// RecordCount is how many records of a product a selection has, and from when.
type RecordCount struct {
	Product     usage.Product
	Records     int
	First, Last time.Time
}

// CountRecords counts what DeleteRecords would delete, by product; one without
// any is left out. It reads every record of the selection.
func (o *Operator) CountRecords(ctx context.Context, s Selection) ([]RecordCount, error) {
	var counts []RecordCount
	for r, err := range o.records(ctx, s, time.Time{}) {
		if err != nil {
			return nil, err
		}
		if last := len(counts) - 1; last < 0 || counts[last].Product != r.Product {
			counts = append(counts, RecordCount{Product: r.Product, First: r.Timestamp, Last: r.Timestamp})
		}
		c := &counts[len(counts)-1]
		c.Records++
		if r.Timestamp.Before(c.First) { // records by id come in the order of the ids
			c.First = r.Timestamp
		}
		if r.Timestamp.After(c.Last) {
			c.Last = r.Timestamp
		}
	}
	return counts, nil
}

const (
	deleteBatch   = 25 // records of one call
	deletesAtOnce = 8  // calls
)

// DeleteRecords deletes the records of selections, those too whose retention
// has ended, counts them, and counts their days anew. It tells progress how many are
// deleted so far, from one goroutine. Interrupted, it has deleted some; to run it again
// deletes the rest. A record that is loaded meanwhile may stay.
func (o *Operator) DeleteRecords(
	ctx context.Context, progress func(int), selections ...Selection,
) (deleted int, err error) {
	err = o.writing(ctx, "usage delete", func(ctx context.Context, w *writer) error {
		for _, s := range selections {
			if err := o.deleteRecords(ctx, w, s, func(n int) { deleted += n; progress(deleted) }); err != nil {
				return err
			}
		}
		return nil
	})
	return deleted, err
}

// deleteRecords tells how many more are deleted.
func (o *Operator) deleteRecords(ctx context.Context, w *writer, s Selection, progress func(more int)) error {
	batch := make([]usage.Record, 0, deletesAtOnce*deleteBatch)
	flush := func() error {
		touched := make([]dynamo.Touched, len(batch))
		for i, r := range batch {
			touched[i] = dynamo.Touched{Log: r.Log, Timestamp: r.Timestamp}
		}
		if err := w.openDaysOf(ctx, touched); err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		for part := range slices.Chunk(batch, deleteBatch) {
			keys := make([]usage.Position, len(part))
			for i, r := range part {
				keys[i] = r.Position()
			}
			group.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, writeTimeout)
				defer cancel()
				return w.store.DeleteUsage(ctx, part[0].Log, keys)
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		progress(len(batch))
		batch = batch[:0]
		return nil
	}
	for r, err := range o.records(ctx, s, time.Time{}) {
		if err != nil {
			return err
		}
		if full := len(batch) == cap(batch); full || len(batch) > 0 && batch[0].Log != r.Log {
			if err := flush(); err != nil {
				return err
			}
		}
		batch = append(batch, r)
	}
	return flush()
}

// IDMending says which stored records get another id, since theirs contains a number.
type IDMending struct {
	Account usage.AccountID // empty: all that are stored
	// Unsure takes those too of which nobody can say: their id has 8 to 15 digits in a
	// row, and nothing is known of the number of one of their ends.
	Unsure bool
	// Progress is told how many records were looked at and moved so far, one call
	// after the other.
	Progress func(examined, moved int)
}

func (m IDMending) takes(t usage.Telling) bool { return t != usage.TellsUnsure || m.Unsure }

// IDCounts say what was found in the ids of stored records.
type IDCounts struct {
	Examined   int          // records that were looked at
	Unreadable int          // those that are no records of this product's form, and stay as they are
	Logs       []LogIDCount // of logs that have any, by account and product
	Moved      int
}

// LogIDCount counts the ids of a log that may not be kept, by what they tell.
type LogIDCount struct {
	usage.Log
	WhatsApp, Full, Masked, Unsure int
}

// Mended is how many records of the log a mending takes.
func (c LogIDCount) Mended(m IDMending) int {
	n := c.WhatsApp + c.Full + c.Masked
	if m.Unsure {
		n += c.Unsure
	}
	return n
}

func (c *LogIDCount) count(t usage.Telling) {
	switch t {
	case usage.TellsWhatsApp:
		c.WhatsApp++
	case usage.TellsFull:
		c.Full++
	case usage.TellsMasked:
		c.Masked++
	case usage.TellsUnsure:
		c.Unsure++
	}
}

// CountIDs counts the records that MendIDs would take. It reads all that are stored.
func (o *Operator) CountIDs(ctx context.Context, m IDMending) (IDCounts, error) {
	return o.examineIDs(ctx, m, 0, nil)
}

// MendIDs gives ids that tell nothing to the records whose ids contain a number: to
// WhatsApp's the hash by which an import finds them, to others one at random, since
// the hash of a number would soon tell the number. Interrupted, it finishes what it
// is moving, and to run it again moves the rest: none is lost, and none stays twice.
// The days of what was moved are counted anew.
func (o *Operator) MendIDs(ctx context.Context, m IDMending) (counts IDCounts, err error) {
	moved := 0 // before a lease was lost
	err = o.writing(ctx, "usage mend-ids", func(ctx context.Context, w *writer) (err error) {
		counts, err = o.examineIDs(ctx, m, 0,
			func(ids []dynamo.TellingID) (int, error) { return o.moveIDs(ctx, w, ids) })
		counts.Moved += moved
		moved = counts.Moved
		return err
	})
	return counts, err
}

// examineIDs goes through the records, as far as most where it is not 0, and moves
// those that are to be.
func (o *Operator) examineIDs(
	ctx context.Context, m IDMending, most int, move func([]dynamo.TellingID) (int, error),
) (counts IDCounts, err error) {
	logs := make(map[usage.Log]LogIDCount)
	defer func() { // also of what was done before an error
		counts.Logs = slices.SortedFunc(maps.Values(logs), func(a, b LogIDCount) int {
			return cmp.Or(cmp.Compare(a.Account, b.Account),
				slices.Index(usage.Products(), a.Product)-slices.Index(usage.Products(), b.Product))
		})
	}()
	for examination := o.store.CheckIDs(m.Account); most == 0 || counts.Examined < most; {
		page, more, err := o.nextIDs(ctx, examination)
		if err != nil || !more {
			return counts, err
		}
		counts.Examined += page.Records
		counts.Unreadable += page.Unreadable
		var taken []dynamo.TellingID
		for _, id := range page.Telling {
			c := logs[id.Log]
			c.Log = id.Log
			c.count(id.Telling)
			logs[id.Log] = c
			if m.takes(id.Telling) {
				taken = append(taken, id)
			}
		}
		if move != nil {
			moved, err := move(taken)
			counts.Moved += moved
			if err != nil {
				return counts, err
			}
		}
		if m.Progress != nil {
			m.Progress(counts.Examined, counts.Moved)
		}
	}
	return counts, nil
}

func (o *Operator) nextIDs(ctx context.Context, examination *dynamo.IDCheck) (dynamo.CheckedIDs, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return examination.Next(ctx)
}

const (
	moveBatch   = 25 // records of one call
	movesAtOnce = 4  // calls
)

// moveIDs moves some records. What is being moved when ctx ends is moved to its end.
func (o *Operator) moveIDs(ctx context.Context, w *writer, ids []dynamo.TellingID) (moved int, err error) {
	touched := make([]dynamo.Touched, len(ids))
	for i, id := range ids {
		touched[i] = id.Touched
	}
	if err := w.openDaysOf(ctx, touched); err != nil {
		return 0, err
	}
	finishing, cancel := finish(ctx)
	defer cancel()
	var mu sync.Mutex // of moved, and of the source of randomness
	var group errgroup.Group
	group.SetLimit(movesAtOnce)
	for batch := range slices.Chunk(ids, moveBatch) {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			limited, cancel := context.WithTimeout(finishing, writeTimeout)
			defer cancel()
			n, err := w.store.MendIDs(limited, batch, func() (usage.RecordID, error) {
				mu.Lock()
				defer mu.Unlock()
				return usage.NewHashedID(o.random)
			})
			mu.Lock()
			defer mu.Unlock()
			moved += n
			return err
		})
	}
	err = group.Wait()
	return moved, err
}

// grace is how long what has begun may take when it is interrupted.
const grace = time.Second

// finish is a context that ends a little later than ctx is cancelled.
func finish(ctx context.Context) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return later, func() { stop(); cancel() }
}
