package operator

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/dynamo"
	"partnerview/internal/usage"
)

// IDMending says which stored records get another id, since theirs tells a number.
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

// MendIDs gives ids that tell nothing to the records whose ids tell a number: to
// WhatsApp's the hash by which an import finds them, to others one at random, since
// the hash of a number would soon tell the number. Interrupted, it finishes what it
// is moving, and to run it again moves the rest: none is lost, and none stays twice.
// The same records must not be loaded meanwhile.
func (o *Operator) MendIDs(ctx context.Context, m IDMending) (IDCounts, error) {
	return o.examineIDs(ctx, m, 0, func(ids []dynamo.TellingID) (int, error) { return o.moveIDs(ctx, ids) })
}

// examineIDs goes through the records, as far as most where it is not 0, and moves
// those that are to be.
func (o *Operator) examineIDs(ctx context.Context, m IDMending, most int, move func([]dynamo.TellingID) (int, error)) (counts IDCounts, err error) {
	logs := make(map[usage.Log]LogIDCount)
	defer func() { // also of what was done before an error
		counts.Logs = slices.SortedFunc(maps.Values(logs), func(a, b LogIDCount) int {
			return cmp.Or(cmp.Compare(a.Account, b.Account), slices.Index(usage.Products(), a.Product)-slices.Index(usage.Products(), b.Product))
		})
	}()
	for examination := o.store.ExamineIDs(m.Account); most == 0 || counts.Examined < most; {
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

func (o *Operator) nextIDs(ctx context.Context, examination *dynamo.IDExamination) (dynamo.ExaminedIDs, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return examination.Next(ctx)
}

const (
	moveBatch   = 25 // records of one call
	movesAtOnce = 4  // calls
)

// moveIDs moves some records. What is being moved when ctx ends is moved to its end.
func (o *Operator) moveIDs(ctx context.Context, ids []dynamo.TellingID) (moved int, err error) {
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
			limited, cancel := context.WithTimeout(finishing, patience)
			defer cancel()
			n, err := o.store.MendIDs(limited, batch, func() (usage.RecordID, error) {
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
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-later.Done():
		}
	})
	return later, func() { stop(); cancel() }
}
