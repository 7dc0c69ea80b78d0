// Command benchscale measures what answers cost as logs and partners grow: calls to
// DynamoDB, read units and time, against an engine on this machine. Calls and units are
// what AWS would count too; the time is the engine's, and compares rows alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/api"
	"partnerview/internal/dev/local/engine"
	"partnerview/internal/dev/template"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
	"partnerview/tools/report"
)

// timeLimit is how long all may take.
const timeLimit = time.Hour

func main() {
	records := flag.Int("records", 100_000, "the largest log; smaller ones are a tenth each, down to 1,000")
	customers := flag.Int("customers", 10_000, "the largest partner; smaller ones are a tenth each, down to 10")
	rounds := flag.Int("rounds", 30, "how often each question is asked")
	markdown := flag.Bool("markdown", false, "a table as docs/performance.md has it")
	hot := flag.Bool("hot", false, "simulate programs that read one partition, and nothing else")
	flag.Parse()
	if *hot {
		show(hotTable(), *markdown)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	s := sizes{logs: decades(1000, *records), partners: decades(10, *customers)}
	t, err := run(ctx, s, *rounds, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchscale:", err)
		os.Exit(1)
	}
	show(t, *markdown)
}

func show(t report.Table, markdown bool) {
	if markdown {
		fmt.Println(t.Markdown())
		return
	}
	fmt.Println(t.Text())
}

// sizes are what is measured: logs by their records, partners by their customers.
type sizes struct{ logs, partners []int }

// decades are the powers of ten from one to another.
func decades(from, to int) (all []int) {
	for n := from; n <= to; n *= 10 {
		all = append(all, n)
	}
	return all
}

// stage is an engine in memory, with the tables of template.yaml.
type stage struct {
	engine *engine.Engine
	db     *dynamodb.Client
	store  *dynamo.Store
	names  dynamo.Tables
	calls  atomic.Int64 // that were sent to the engine
	units  atomic.Int64 // of reads, in thousandths
}

// newStage starts an engine. It is to be stopped.
func newStage(ctx context.Context) (*stage, error) {
	running, err := engine.Start(ctx, ".", "", 0)
	if err != nil {
		return nil, err
	}
	s := &stage{engine: running}
	if err := s.tables(ctx); err != nil {
		running.Stop()
		return nil, err
	}
	return s, nil
}

func (s *stage) tables(ctx context.Context) error {
	written, err := template.Read("template.yaml", nil)
	if err != nil {
		return err
	}
	byID := map[string]*string{
		"PartnersTable": &s.names.Partners, "CustomersTable": &s.names.Customers, "PriceListsTable": &s.names.PriceLists,
		"UsageTable": &s.names.Usage, "TotalsTable": &s.names.Totals, "LedgerTable": &s.names.Ledger,
	}
	for i := range written.Tables {
		table := &written.Tables[i]
		table.Name = "scale-" + table.ID
		if name, ours := byID[table.ID]; ours {
			*name = table.Name
		}
	}
	maker := engine.NewTables(s.engine.Endpoint)
	defer maker.Close()
	if _, err := maker.Create(ctx, written.Tables); err != nil {
		return err
	}
	getenv := func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": s.engine.Endpoint}[name]
	}
	if s.db, err = dynamo.NewClient(getenv, func(o *dynamodb.Options) { o.HTTPClient = counting{o.HTTPClient, &s.calls} }); err != nil {
		return err
	}
	s.store = dynamo.NewStore(s.db, s.names)
	s.store.Consumed = func(_ context.Context, units float64) { s.units.Add(int64(1000 * units)) }
	return nil
}

// counting is a client's transport that counts what is sent.
type counting struct {
	dynamodb.HTTPClient
	sent *atomic.Int64
}

func (c counting) Do(r *http.Request) (*http.Response, error) {
	c.sent.Add(1)
	return c.HTTPClient.Do(r)
}

// run fills an engine, has the days counted, and asks all questions.
func run(ctx context.Context, of sizes, rounds int, progress io.Writer) (t report.Table, err error) {
	s, err := newStage(ctx)
	if err != nil {
		return t, err
	}
	defer s.engine.Stop()
	began := time.Now()
	if err := s.fill(ctx, of); err != nil {
		return t, err
	}
	fmt.Fprintf(progress, "filled in %.0f s\n", time.Since(began).Seconds())
	began = time.Now()
	if err := operator.New(s.store, clock).RebuildTotals(ctx, operator.DaysWanted{}, func(int, int) {}); err != nil {
		return t, err
	}
	fmt.Fprintf(progress, "counted in %.0f s\n", time.Since(began).Seconds())
	t = report.Table{
		Title: fmt.Sprintf("Answers by the size of what they are read from; %s %s/%s, %d CPUs, dynalite, p50 of %d.",
			runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds),
		Head: []string{"", "of", "calls", "read units", "p50 ms", "answer kB"},
	}
	for _, q := range questions(of) {
		row, err := s.ask(ctx, q, rounds)
		if err != nil {
			return t, fmt.Errorf("%s of %s: %w", q.name, q.of, err)
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

// handler is the API without its gateway, for a viewer.
func (s *stage) handler(viewer directory.Viewer) http.Handler {
	env := api.Env{
		Viewer:    func(context.Context) (directory.Viewer, error) { return viewer, nil },
		RequestID: func(context.Context) string { return "scale" },
		Now:       clock, Log: slog.New(slog.DiscardHandler),
	}
	mux := http.NewServeMux()
	mux.Handle("GET /customers", api.ListCustomers(env, s.store))
	mux.Handle("GET /summary", api.GetSummary(env, s.store))
	mux.Handle("GET /customers/{accountId}/summary", api.GetSummary(env, s.store))
	mux.Handle("GET /customers/{accountId}/usage/{product}", api.GetUsage(env, s.store))
	return mux
}

// clock is the time as of which all is asked.
func clock() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

// errNoCursor is a page behind which there is none, where one was expected.
var errNoCursor = errors.New("there is no page behind it")

var smsOnly = []usage.Product{usage.SMS}
