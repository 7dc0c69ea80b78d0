package gateway

import (
	"context"
	"strings"
	"sync"
	"time"

	"partnerview/internal/metrics"
)

// requestStats are what one request took and showed. What reads tables does so from
// several goroutines at a time.
type requestStats struct {
	mu               sync.Mutex
	records, unrated int
	units            float64
}

type statsKey struct{}

func withStats(ctx context.Context) (context.Context, *requestStats) {
	t := new(requestStats)
	return context.WithValue(ctx, statsKey{}, t), t
}

// RecordMetrics counts the records that an answer holds, and those of them without a
// price, into the line that its request leaves.
func RecordMetrics(ctx context.Context, records, unrated int) {
	if t, ok := ctx.Value(statsKey{}).(*requestStats); ok {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.records += records
		t.unrated += unrated
	}
}

// Consumed counts DynamoDB's capacity units into the line that the request
// leaves.
func Consumed(ctx context.Context, units float64) {
	if t, ok := ctx.Value(statsKey{}).(*requestStats); ok {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.units += units
	}
}

var (
	requests         = metrics.Metric{Name: "requests", Unit: "Count"}
	failures         = metrics.Metric{Name: "errors", Unit: "Count"} // our own: 5xx
	denied           = metrics.Metric{Name: "denied", Unit: "Count"} // decisions, not requests: API Gateway keeps them
	duration         = metrics.Metric{Name: "durationMs", Unit: "Milliseconds"}
	consumedCapacity = metrics.Metric{Name: "consumedCapacity", Unit: "Count"}
	unratedRecords   = metrics.Metric{Name: "unratedRecords", Unit: "Count"}
)

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// traceID is X-Ray's id of a request's trace, "1-5759e988-bd862e3fe1be46a994272793",
// as aws-lambda-go hands it on; empty where there is none.
func traceID(ctx context.Context) string {
	sent, _ := ctx.Value("x-amzn-trace-id").(string)
	_, rest, _ := strings.Cut(sent, "Root=")
	id, _, _ := strings.Cut(rest, ";")
	return id
}
