// Costs prints what Partnerview costs a month, line by line, from what requests
// took where it was measured (measured.json) and AWS's list prices. The table in
// docs/deploy.md is its output, and a test compares the two.
//
//	make costs
//
// measured.json is written by: go test ./internal/e2e -run TestWhatARequestTakes -update
// inbox.json is by: go test ./internal/inbox -run TestWhatAnImportTakes -update
package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"partnerview/internal/dev/template"
)

func main() {
	if err := run(os.Stdout, "../template.yaml"); err != nil { // make runs it in tools
		fmt.Fprintln(os.Stderr, "costs:", err)
		os.Exit(1)
	}
}

//go:embed measured.json
var measuredJSON []byte

// measured is what one request took of a function.
type measured struct {
	ReadUnits     float64 // DynamoDB's, as its answers say
	DurationMs    float64 // median, warm
	LogBytes      float64 // of what the function prints
	ResponseBytes float64 // of the answer's body, before compression
}

// Prices in US dollars, US East (N. Virginia), without free tiers unless a line
// says so, as they were known when this was written. They change: look them up.
const (
	perMillionRequests    = 3.50         // API Gateway, REST, the first 333 million: aws.amazon.com/api-gateway/pricing
	perMillionInvocations = 0.20         // Lambda: aws.amazon.com/lambda/pricing
	perGBSecond           = 0.0000133334 // Lambda, arm64
	perMillionReadUnits   = 0.125        // DynamoDB, on demand: aws.amazon.com/dynamodb/pricing/on-demand
	perLogGB              = 0.50         // CloudWatch Logs, taken in: aws.amazon.com/cloudwatch/pricing
	perStoredLogGB        = 0.03         // CloudWatch Logs, a month
	perMetric             = 0.30         // CloudWatch, custom metrics
	perAlarmMetric        = 0.10         // CloudWatch alarms, for each metric that one looks at
	perMillionTraces      = 5.00         // X-Ray: aws.amazon.com/xray/pricing
	perTransferGB         = 0.09         // out to the internet: aws.amazon.com/ec2/pricing/on-demand
	secondsInMonth        = 30 * 24 * 3600.0
)

// What template.yaml makes, and how it is used.
const (
	metrics        = 8   // six in the functions' lines, two filters
	alarmMetrics   = 17  // of the seven alarms, two of which add several up
	accessLogBytes = 430 // of a line of the gateway's
	auditMonths    = 13  // AuditRetentionDays: 400
)

// route is a kind of request, its share of all, and the function that answers it.
type route struct {
	name     string
	share    float64
	function string
}

// mix is a partner that reads its customers' logs; 50 records are a page.
var mix = []route{{"list of 25 customers", 0.10, "ListCustomersFunction"}, {"customer", 0.10, "GetCustomerFunction"},
	{"page of 50 records", 0.68, "GetUsageFunction"}, {"record", 0.05, "GetUsageFunction"},
	{"month of a customer, by day and product", 0.04, "GetSummaryFunction"}, {"month of all customers, by customer", 0.01, "GetSummaryFunction"},
	{"who asks", 0.02, "GetMeFunction"}}

// Functions that no route of the mix names.
const (
	authorizer = "AuthorizerFunction"
	importer   = "ImportUsageFunction"
)

// memories are the functions' sizes in GB, as template.yaml has them.
type memories map[string]float64

func readMemories(path string) (memories, error) {
	deployed, err := template.Read(path, nil)
	if err != nil {
		return nil, err
	}
	sizes := memories{}
	for _, f := range deployed.Functions {
		sizes[f.ID] = float64(f.MemoryMB) / 1024
	}
	for _, r := range append(mix, route{function: authorizer}, route{function: importer}) {
		if sizes[r.function] == 0 {
			return nil, fmt.Errorf("%s has no function %s", path, r.function)
		}
	}
	return sizes, nil
}

// KeepWarm, as samconfig.toml has it for production.
const (
	keepWarmMinutes = 5
	warmLogBytes    = 350 // of what Lambda itself says of a call
)

// line is a line of the bill.
type line struct {
	what   string
	amount func(requests float64) float64 // in dollars
	how    string
}

func run(w io.Writer, templatePath string) error {
	sizes, err := readMemories(templatePath)
	if err != nil {
		return err
	}
	var took map[string]measured
	if err := json.Unmarshal(measuredJSON, &took); err != nil {
		return fmt.Errorf("measured.json: %w", err)
	}
	for _, r := range append(mix, route{name: "decision"}) {
		if _, ok := took[r.name]; !ok {
			return fmt.Errorf("measured.json has no %q", r.name)
		}
	}
	fmt.Fprintf(w, "| a request | share | read units | duration, ms | log, bytes | answer, bytes |\n|---|---:|---:|---:|---:|---:|\n")
	for _, r := range mix {
		m := took[r.name]
		fmt.Fprintf(w, "| %s | %.0f %% | %g | %.1f | %.0f | %.0f |\n", r.name, 100*r.share, m.ReadUnits, m.DurationMs, m.LogBytes, m.ResponseBytes)
	}
	d := took["decision"]
	fmt.Fprintf(w, "| the authorizer's decision on each | 100 %% | %g | %.1f | %.0f | – |\n\n", d.ReadUnits, d.DurationMs, d.LogBytes)

	if err := printBill(w, "a month", []float64{1e4, 1e6, 1e8}, []string{"10 k requests", "1 M", "100 M"}, bill(took, sizes), ""); err != nil {
		return err
	}
	return printInbox(w, sizes[importer])
}

// printBill prints what lines come to for some volumes, which heads name, and all of them together.
func printBill(w io.Writer, what string, volumes []float64, heads []string, lines []line, note string) error {
	fmt.Fprintf(w, "| %s, US$ | %s | how |\n|---|%s---|\n", what, strings.Join(heads, " | "), strings.Repeat("---:|", len(heads)))
	sums := make([]float64, len(volumes))
	for _, l := range lines {
		fmt.Fprintf(w, "| %s |", l.what)
		for i, n := range volumes {
			sums[i] += l.amount(n)
			fmt.Fprintf(w, " %.2f |", l.amount(n))
		}
		fmt.Fprintf(w, " %s |\n", l.how)
	}
	fmt.Fprint(w, "| **all** |")
	for _, sum := range sums {
		fmt.Fprintf(w, " **%.2f** |", sum)
	}
	_, err := fmt.Fprintf(w, "%s |\n", note)
	return err
}

// bill is the lines of a month's bill. Nothing is taken for granted that makes
// it smaller: each request asks the authorizer, as if no decision were cached.
func bill(took map[string]measured, sizes memories) []line {
	var units, gbSeconds, logBytes, responseBytes float64
	for _, r := range mix {
		m := took[r.name]
		units += r.share * m.ReadUnits
		gbSeconds += r.share * sizes[r.function] * math.Ceil(m.DurationMs) / 1000
		logBytes += r.share * m.LogBytes
		responseBytes += r.share * m.ResponseBytes
	}
	d := took["decision"]
	units += d.ReadUnits
	gbSeconds += sizes[authorizer] * math.Ceil(d.DurationMs) / 1000
	logBytes += d.LogBytes + accessLogBytes

	each := func(dollars float64) func(float64) float64 { return func(n float64) float64 { return n * dollars } }
	monthly := func(dollars float64) func(float64) float64 { return func(float64) float64 { return dollars } }
	// X-Ray's default rule takes the first request of a second and one of twenty of the others.
	traces := func(n float64) float64 {
		first := math.Min(n, secondsInMonth)
		return first + 0.05*(n-first)
	}
	warm := 0.0 // dollars a month, with KeepWarm=5: a call of 1 ms, its three lines in the log and its trace
	kept := 0   // functions behind the API: all but the inbox's
	for function, gb := range sizes {
		if function == importer {
			continue
		}
		kept++
		warm += secondsInMonth / 60 / keepWarmMinutes * (perMillionInvocations/1e6 + gb*0.001*perGBSecond + warmLogBytes*perLogGB/1e9 + perMillionTraces/1e6)
	}
	return []line{
		{"API Gateway", each(perMillionRequests / 1e6), "$3.50 a million"},
		{"Lambda, calls", each(2 * perMillionInvocations / 1e6), "two a request, $0.20 a million"},
		{"Lambda, time", each(gbSeconds * perGBSecond), fmt.Sprintf("%.5f GB-s a request, $0.0000133334 each", gbSeconds)},
		{"DynamoDB, reads", each(units * perMillionReadUnits / 1e6), fmt.Sprintf("%.2f units a request, $0.125 a million", units)},
		{"logs, taken in", each(logBytes * perLogGB / 1e9), fmt.Sprintf("%.0f bytes a request, $0.50 a GB", logBytes)},
		{"logs, kept", each(logBytes * auditMonths * perStoredLogGB / 1e9), fmt.Sprintf("%d months of them, $0.03 a GB and month", auditMonths)},
		{"X-Ray", func(n float64) float64 { return traces(n) * perMillionTraces / 1e6 }, "one a second and 5 % of the others, $5 a million"},
		{"answers sent", each(responseBytes * perTransferGB / 1e9), fmt.Sprintf("%.0f bytes a request before compression, $0.09 a GB", responseBytes)},
		{"kept warm", monthly(warm), fmt.Sprintf("%d functions every %d minutes, where KeepWarm says so; nine tenths are their traces", kept, keepWarmMinutes)},
		{"metrics", monthly(metrics * perMetric), fmt.Sprintf("%d, $0.30 each", metrics)},
		{"alarms", monthly(alarmMetrics * perAlarmMetric), fmt.Sprintf("on %d metrics, $0.10 each; none where nobody is told or shown", alarmMetrics)},
	}
}
