package operator

import (
	"context"
	"hash/fnv"
	"io"
	"iter"

	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

// usageLoad is one file on its way into the store, by as many lanes as calls may
// be under way. What is in memory is that many times two batches.
type usageLoad struct {
	store    *dynamo.Store
	how      dynamo.Writing
	receipts bool // the rows are receipts, not records
	tally    *tally
}

// deal gives each row to its lane, and tells of those that are not taken.
func (l *usageLoad) deal(ctx context.Context, rows iter.Seq2[importer.Row, error], lanes []chan importer.Row) error {
	for row, err := range rows {
		if err != nil {
			return err
		}
		if ctx.Err() != nil { // lines that are rejected wait for no lane
			return ctx.Err()
		}
		if err := l.tally.read(row); err != nil {
			return err
		}
		if row.Rejected != nil || row.Outside {
			continue
		}
		select {
		case lanes[laneOf(row, len(lanes))] <- row:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// laneOf is the same for records of the same key, and for receipts of the same
// record, in every run.
func laneOf(row importer.Row, lanes int) int {
	h := fnv.New32a()
	if r := row.Receipt; r != nil {
		_, _ = io.WriteString(h, r.Log.Key()+"#"+string(r.ID))
	} else {
		_, _ = io.WriteString(h, row.Record.Log.Key()+"#"+row.Record.Position().String())
	}
	return int(h.Sum32() % uint32(lanes))
}

// write writes a lane's rows in batches, until the lane is closed.
func (l *usageLoad) write(ctx context.Context, lane <-chan importer.Row) error {
	batch := make([]importer.Row, 0, dynamo.MaxUsageBatch)
	for row := range lane {
		if batch = append(batch, row); len(batch) < cap(batch) {
			continue
		}
		if err := l.flush(ctx, batch); err != nil {
			return err
		}
		batch = batch[:0]
	}
	if len(batch) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	return l.flush(ctx, batch)
}

func (l *usageLoad) flush(ctx context.Context, batch []importer.Row) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if l.receipts {
		return l.apply(ctx, batch)
	}
	records := make([]usage.Record, len(batch))
	for i, row := range batch {
		records[i] = row.Record
	}
	written, err := l.store.WriteUsageAs(ctx, records, l.how)
	if err != nil {
		return err
	}
	l.tally.written(written)
	return nil
}

// noRecord is why a receipt is rejected that is of no record.
const noRecord = "no record with this id is loaded: load the log first, and the receipts again"

func (l *usageLoad) apply(ctx context.Context, batch []importer.Row) error {
	receipts := make([]usage.Receipt, len(batch))
	for i, row := range batch {
		receipts[i] = *row.Receipt
	}
	written, missing, err := l.store.ApplyReceipts(ctx, receipts, l.how)
	if err != nil {
		return err
	}
	l.tally.written(written)
	for _, i := range missing {
		reject := importer.Reject{Line: batch[i].Line, Field: importer.ReceiptIDField, Reason: noRecord, ID: receipts[i].ID}
		if err := l.tally.rejected(reject); err != nil {
			return err
		}
	}
	return nil
}
