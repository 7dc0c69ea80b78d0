package operator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/totals"
)

// LogAges reads how far each log is loaded, the oldest first; one into which nothing was
// loaded since there are totals is before all others.
func (o *Operator) LogAges(ctx context.Context) ([]totals.LogState, error) {
	logs, err := o.store.StoredLogs(ctx)
	if err != nil {
		return nil, err
	}
	states, err := o.store.LogTotals(ctx, logs)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(states, func(a, b totals.LogState) int {
		return cmp.Or(a.LoadedThrough.Compare(b.LoadedThrough), strings.Compare(a.Key(), b.Key()))
	})
	return states, nil
}

// freshness says through when logs are loaded. No age is a fault of itself: a customer may
// have stopped.
func (o *Operator) freshness(ctx context.Context, table dynamo.TableCheck) Finding {
	f := Finding{Check: "logs", Table: table.Name}
	logs, err := o.LogAges(ctx)
	switch {
	case err != nil:
		f.Detail, f.Remedy = "they could not be looked at: "+oneLine(err), "run partnerctl doctor again"
		return f
	case len(logs) == 0:
		f.Detail = "nothing was loaded yet"
		return f
	}
	const most = 5
	var oldest []string
	for _, l := range logs[:min(most, len(logs))] {
		oldest = append(oldest, fmt.Sprintf("%s %s %s", l.Account, l.Product, AgeText(l.LoadedThrough, o.now())))
	}
	f.Detail = fmt.Sprintf("logs: %d; the newest is loaded through %s; the oldest: %s", len(logs),
		AgeText(logs[len(logs)-1].LoadedThrough, o.now()), strings.Join(oldest, ", "))
	if len(logs) > most {
		f.Detail += "; doctor --logs shows all"
	}
	return f
}

// AgeText is how long ago a time was: "26 days ago", "3 h ago", "now"; "never" for none.
func AgeText(t, now time.Time) string {
	age := now.Sub(t)
	switch {
	case t.IsZero():
		return "never"
	case age < time.Minute:
		return "now"
	case age < time.Hour:
		return fmt.Sprintf("%d min ago", int(age.Minutes()))
	case age < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(age.Hours()))
	}
	return fmt.Sprintf("%d days ago", int(age.Hours()/24))
}
