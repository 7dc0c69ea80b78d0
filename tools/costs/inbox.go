package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

//go:embed inbox.json
var inboxJSON []byte

// importTook is what the import of one file took: internal/inbox measures it, by
// go test ./internal/inbox -run TestWhatAnImportTakes -update
type importTook struct {
	Records, Logs int     // that the file has
	Calls         int     // of the function
	UsageWrites   float64 // units, without the index
	OtherWrites   float64 // of totals and the ledger
	Reads         float64 // units
	DurationMs    float64
	LogBytes      float64
	ResultBytes   float64
}

// List prices as those of main.go.
const (
	perMillionWriteUnits  = 0.625  // DynamoDB, on demand
	perMillionTransitions = 25.0   // Step Functions, standard: aws.amazon.com/step-functions/pricing
	perThousandPuts       = 0.005  // S3, PUT, COPY, LIST: aws.amazon.com/s3/pricing
	perThousandGets       = 0.0004 // S3, GET
)

// What template.yaml makes for the inbox, and how it is used.
const (
	transitions      = 5 // of an import in one call: the start, and four states
	puts             = 2 // the file itself, by whoever uploads it, and the result
	indexWrites      = 1 // units a record, of Usage's index ById
	inboxMetrics     = 6
	inboxAlarmMetric = 7 // of the four alarms, two of which add several up
)

// inboxBill is the lines of what a month's imports cost: files as the one that was
// measured, as many as come to the records.
func inboxBill(took importTook, memoryGB float64) []line {
	records := float64(took.Records)
	each := func(dollarsAFile float64) func(float64) float64 {
		return func(n float64) float64 { return math.Ceil(n/records) * dollarsAFile }
	}
	monthly := func(dollars float64, whenIdle bool) func(float64) float64 {
		return func(n float64) float64 {
			if n == 0 && !whenIdle {
				return 0
			}
			return dollars
		}
	}
	gbSeconds := memoryGB * math.Ceil(took.DurationMs) / 1000
	return []line{
		{"S3, uploads and results", each((puts*perThousandPuts + float64(took.Calls)*perThousandGets) / 1e3), "two puts and a get a file, $0.005 and $0.0004 a thousand"},
		{"EventBridge", each(0), "events of AWS's own services are free"},
		{"Step Functions", each(transitions * perMillionTransitions / 1e6), fmt.Sprintf("%d transitions a file, $25 a million", transitions)},
		{"Lambda", each(float64(took.Calls)*perMillionInvocations/1e6 + gbSeconds*perGBSecond), fmt.Sprintf("%.1f GB-s a file, and %d call", gbSeconds, took.Calls)},
		{"DynamoDB, records written", each((took.UsageWrites + records*indexWrites) * perMillionWriteUnits / 1e6),
			fmt.Sprintf("%g units a record, one of them the index's, $0.625 a million", took.UsageWrites/records+indexWrites)},
		{"DynamoDB, totals and ledger", each(took.OtherWrites * perMillionWriteUnits / 1e6), fmt.Sprintf("%g units a file of %d logs", took.OtherWrites, took.Logs)},
		{"DynamoDB, reads", each(took.Reads * perMillionReadUnits / 1e6), fmt.Sprintf("%.2f units a record: what is there already, and the count; $0.125 a million", took.Reads/records)},
		{"logs and traces", each((took.LogBytes*(perLogGB+perStoredLogGB)/1e9 + float64(took.Calls)*perMillionTraces/1e6)), fmt.Sprintf("%g bytes and a trace a file", took.LogBytes)},
		{"metrics", monthly(inboxMetrics*perMetric, false), fmt.Sprintf("%d, $0.30 each, in a month in which something arrives", inboxMetrics)},
		{"alarms", monthly(inboxAlarmMetric*perAlarmMetric, true), fmt.Sprintf("on %d metrics, $0.10 each; none where nobody is told or shown", inboxAlarmMetric)},
	}
}

func printInbox(w io.Writer, memoryGB float64) error {
	var took importTook
	if err := json.Unmarshal(inboxJSON, &took); err != nil {
		return fmt.Errorf("inbox.json: %w", err)
	}
	fmt.Fprintln(w)
	return printBill(w, "a month of the inbox", []float64{0, 1e4, 1e6, 1e8}, []string{"idle", "10 k records", "1 M", "100 M"},
		inboxBill(took, memoryGB), fmt.Sprintf(" files of %d records and %d logs each", took.Records, took.Logs))
}
