// Package metrics makes a line of a function's log carry metrics too, in CloudWatch's
// embedded metric format: CloudWatch takes each number that is named from the same line.
// So a metric costs no call, no library and no goroutine.
//
// The one dimension is the stack, "stack", which must stand on the line: a dimension
// more would multiply what metrics cost.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package metrics

import (
	"log/slog"
	"time"
)

// Metric is a number of the line that counts as a metric: its name there, and one of
// CloudWatch's units ("Count", "Milliseconds").
type Metric struct{ Name, Unit string }

// Of is what a line must have besides the numbers themselves.
func Of(which ...Metric) slog.Attr {
	return slog.Any("_aws",
		metadata{time.Now().UnixMilli(), []directive{{"Partnerview", [][]string{{"stack"}}, which}}})
}

type metadata struct {
	Timestamp         int64 // milliseconds since 1970
	CloudWatchMetrics []directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []Metric
}
