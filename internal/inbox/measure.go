package inbox

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"partnerview/internal/ledger"
	"partnerview/internal/metrics"
)

// What the last call of an import counts in its line. Calls before it count nothing: their
// numbers are in its own.
var (
	recordsRead    = metrics.Metric{Name: "recordsRead", Unit: "Count"}
	recordsWritten = metrics.Metric{Name: "recordsWritten", Unit: "Count"}
	linesRejected  = metrics.Metric{Name: "linesRejected", Unit: "Count"}
	importsDone    = metrics.Metric{Name: "importsDone", Unit: "Count"}
	importsFailed  = metrics.Metric{Name: "importsFailed", Unit: "Count"}
	// hoursSinceImport is how long nothing had been imported when this one ended well.
	hoursSinceImport = metrics.Metric{Name: "hoursSinceImport", Unit: "None"}
)

// measures are the metrics of an import that ends with this call.
func (c *call) measures(ctx context.Context) []slog.Attr {
	var counts struct{ Read, Written, Rejected int }
	if c.Counts != nil {
		_ = json.Unmarshal(c.Counts, &counts) // they are our own
	}
	done, failed := 0, 0
	switch c.Outcome {
	case Done:
		done = 1
	case Failed:
		failed = 1
	}
	which := []metrics.Metric{recordsRead, recordsWritten, linesRejected, importsDone, importsFailed}
	attributes := []slog.Attr{slog.Int(recordsRead.Name, counts.Read), slog.Int(recordsWritten.Name, counts.Written),
		slog.Int(linesRejected.Name, counts.Rejected), slog.Int(importsDone.Name, done),
		slog.Int(importsFailed.Name, failed)}
	if before, found := c.lastSuccess(ctx); found && done == 1 {
		which = append(which, hoursSinceImport)
		attributes = append(attributes, slog.Float64(hoursSinceImport.Name, c.clock().Sub(before).Hours()))
	}
	return append(attributes, metrics.Of(which...))
}

// lastSuccess is when the import before this one ended well, whoever made it. Where that
// cannot be read it is not known: no import fails for it.
func (c *call) lastSuccess(ctx context.Context) (time.Time, bool) {
	for former, err := range c.operator().Imports(ctx, c.clock().AddDate(0, 0, -ledger.KeptDays), false) {
		if err != nil {
			break
		}
		if former.ID != importID(c.ID) && (former.Outcome == ledger.Done || former.Outcome == ledger.Rejected) {
			return former.Ended, true
		}
	}
	return time.Time{}, false
}
