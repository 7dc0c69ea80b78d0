package operator_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// countedFile is a customer whose prices are of the past.
const countedFile = `
customers:
  - {accountId: acc-a, name: Alpha, products: [sms, voice, messaging], currency: EUR, billingMode: prepaid}
  - {accountId: acc-b, name: Beta, products: [sms], currency: USD, billingMode: prepaid}
priceLists:
  - {accountId: acc-a, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{country: GB, unitPrice: "0.04"}, {unitPrice: "0.1"}]}
  - {accountId: acc-a, product: sms, effectiveFrom: 2026-06-02T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.2"}]}
`

// countedUsage has records of five days, one of them twice.
func countedUsage() string {
	var b strings.Builder
	for i := range 12 {
		at := time.Date(2026, 5, 30, 23, 30, 0, 0, time.UTC).Add(time.Duration(i) * 7 * time.Hour)
		country := []string{"GB", "DE"}[i%2]
		fmt.Fprintf(&b, `{"accountId":"acc-a","product":"sms","id":"m-%d","timestamp":%q,"direction":"outbound","status":"sent","country":%q,"segments":%d,"statusAt":%q}`+"\n",
			i, at.Format(time.RFC3339), country, i%3+1, at.Format(time.RFC3339))
		if i%4 == 0 {
			fmt.Fprintf(&b, `{"accountId":"acc-a","product":"voice","id":"c-%d","timestamp":%q,"direction":"outbound","durationSeconds":61,"recordedPrice":{"amount":"0.0412","currency":"EUR"}}`+"\n",
				i, at.Format(time.RFC3339))
		}
	}
	b.WriteString(`{"accountId":"acc-b","product":"sms","id":"m-1","timestamp":"2026-06-01T10:00:00Z","direction":"outbound","segments":2}` + "\n")
	return b.String()
}

const countedReceipts = `{"payload": {"umid": "m-3", "subAccountId": "acc-a", "status": {"state": "rejected", "timestamp": "2026-06-05T09:00:07Z"}}}
{"payload": {"umid": "m-8", "subAccountId": "acc-a", "status": {"state": "delivered", "timestamp": "2026-06-05T09:00:09Z"}}}
`

const correctedFile = `
priceLists:
  - {accountId: acc-a, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.05"}]}
  - {accountId: acc-a, product: voice, effectiveFrom: 2026-05-31T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.6"}]}
`

// command is a command that changes totals.
type command func(t *testing.T, ctx context.Context, o *operator.Operator) error

func importing(file string, in operator.UsageImport) command {
	return func(_ *testing.T, ctx context.Context, o *operator.Operator) error {
		_, err := o.ImportUsage(ctx, strings.NewReader(file), in)
		return err
	}
}

// applying carries out a plan; where there is nothing to do any more, what was left open is counted, as partnerctl does.
func applying(plan planning) command {
	return func(_ *testing.T, ctx context.Context, o *operator.Operator) error {
		p, err := plan(ctx, o)
		if _, isUser := err.(operator.UserError); isUser || err == nil && len(p.Changes) == 0 {
			_, err = o.FinishCounts(ctx)
			return err
		}
		if err != nil {
			return err
		}
		return o.Apply(ctx, p)
	}
}

// countingCommands are all commands that change totals, over what countedUsage has loaded.
func countingCommands() map[string]command {
	return map[string]command{
		"import":        importing(countedUsage()+strings.ReplaceAll(countedUsage(), `"id":"m-`, `"id":"n-`), operator.UsageImport{Through: now}),
		"count changes": importing(strings.ReplaceAll(countedUsage(), `"status":"sent"`, `"status":"failed"`), operator.UsageImport{CountChanges: true}),
		"receipts":      importing(countedReceipts, operator.UsageImport{Format: "connect-sms-receipts"}),
		"usage delete": func(_ *testing.T, ctx context.Context, o *operator.Operator) error {
			n, err := o.DeleteRecords(ctx, func(int) {}, operator.Selection{Account: "acc-a", Products: []usage.Product{usage.SMS},
				Period: usage.Period{From: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}}, operator.Selection{Account: "acc-b"})
			if err == nil && n == 0 {
				_, err = o.FinishCounts(ctx)
			}
			return err
		},
		"apply": applying(func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			file, err := importer.ParseDirectory(strings.NewReader(correctedFile), "directory.yaml")
			if err != nil {
				return operator.Plan{}, err
			}
			return o.Plan(ctx, file, true)
		}),
		"price withdraw": applying(func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanWithdrawal(ctx, usage.Log{Account: "acc-a", Product: usage.SMS}, time.Date(2026, 6, 2, 0, 0, 0, 0, time.UTC), true)
		}),
		"customer delete": applying(func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanCustomerDeletion(ctx, "acc-a", true)
		}),
		"totals rebuild": func(_ *testing.T, ctx context.Context, o *operator.Operator) error {
			return o.RebuildTotals(ctx, operator.DaysWanted{}, func(int, int) {})
		},
	}
}

// loadCounted loads what the commands change, and checks that it is counted.
func loadCounted(t *testing.T, s *dynamo.Store) {
	t.Helper()
	o := operator.New(s, clock)
	apply(t, o, countedFile)
	must(t, importing(countedUsage(), operator.UsageImport{})(t, t.Context(), o))
}

func TestAfterEachCommandTotalsAreWhatTheRecordsComeTo(t *testing.T) {
	for name, run := range countingCommands() {
		t.Run(name, func(t *testing.T) {
			o, s := newOperator(t)
			loadCounted(t, s)
			assertExact(t, s, "before", "acc-a", "acc-b")
			before := storedTotals(t, s)
			must(t, run(t, t.Context(), o))
			assertExact(t, s, "after "+name, "acc-a", "acc-b")
			if after := storedTotals(t, s); (before == after) != (name == "totals rebuild") {
				t.Errorf("the totals have changed: %v", before != after)
			}
			if ready, err := s.TotalsReady(t.Context()); !ready || err != nil {
				t.Errorf("ready: %v, %v", ready, err)
			}
			checked, err := o.CheckTotals(t.Context(), operator.DaysWanted{}, func(int64) {})
			if err != nil || len(checked.Differences)+len(checked.Pending) > 0 {
				t.Errorf("check: %+v, %v", checked, err)
			}
		})
	}
}

// storedTotals are all days of both accounts as text.
func storedTotals(t *testing.T, s *dynamo.Store) string {
	t.Helper()
	var b strings.Builder
	for _, account := range []usage.AccountID{"acc-a", "acc-b"} {
		for _, product := range usage.Products() {
			days, err := s.StoredDays(t.Context(), usage.Log{Account: account, Product: product}, "0001-01-01", "9999-12-31")
			must(t, err)
			for _, d := range days {
				fmt.Fprintf(&b, "%s %s %s %s\n%s\n", account, product, d.Day, d.Zone, d.Sheet.Text())
			}
		}
	}
	return b.String()
}

// Whatever write it is that a command does not come to, the totals are exact when the same
// command has run again, and until then say which days are pending.
func TestACommandThatIsInterruptedAtAnyWriteLeavesExactTotals(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	t.Parallel()
	first := engine.NewTables(t)
	loadCounted(t, dynamo.NewStore(engine.Client(t), first))
	counted := engine.Contents(t, first)
	for name, run := range countingCommands() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 0; ; n += 1 + rand.IntN(1+n/2) { // others in each run: the failure names it
				tables, proxy := engine.NewTables(t), engine.NewProxy(t)
				direct := dynamo.NewStore(engine.Client(t), tables)
				engine.Fill(t, tables, counted)
				ctx, cancel := context.WithCancel(t.Context())
				var mu sync.Mutex
				writes := 0
				proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
					if !isWrite(c.Operation) || strings.Contains(string(c.Body), `"LEASE"`) {
						return false
					}
					mu.Lock()
					defer mu.Unlock()
					if writes++; writes <= n {
						return false
					}
					cancel()
					dynamotest.Cut(w)
					return true
				})
				o := operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock)
				err := run(t, ctx, o)
				cancel()
				proxy.Close()
				if err == nil {
					if n < 8 {
						t.Errorf("it took %d writes", n)
					}
					return
				}
				again := operator.New(direct, clock)
				again.LeaseTimes = leaseOfTheDead
				must(t, run(t, t.Context(), again))
				assertExact(t, direct, fmt.Sprintf("interrupted at write %d, and run again", n), "acc-a", "acc-b")
				if t.Failed() {
					return
				}
			}
		})
	}
}

func TestTotalsLeftForLaterArePendingUntilTheyAreRebuilt(t *testing.T) {
	o, s := newOperator(t)
	loadCounted(t, s)
	p, err := o.Plan(t.Context(), parse(t, correctedFile), true)
	must(t, err)
	if p.Recount == nil || p.Recount.Days == 0 || p.Recount.Records == 0 {
		t.Errorf("the plan counts %+v anew", p.Recount)
	}
	p.Later = true
	must(t, o.Apply(t.Context(), p))
	pending, err := o.Pending(t.Context())
	must(t, err)
	if len(pending.Open) > 0 || len(pending.Later) != p.Recount.Days {
		t.Errorf("open %v, later %v; the plan had %+v", pending.Open, pending.Later, p.Recount)
	}
	if checked, err := o.CheckTotals(t.Context(), operator.DaysWanted{}, func(int64) {}); err != nil || len(checked.Differences) > 0 || len(checked.Pending) != p.Recount.Days {
		t.Errorf("check: %+v, %v", checked, err)
	}
	must(t, importing(countedUsage(), operator.UsageImport{})(t, t.Context(), o)) // counts what it touches: these too
	must(t, o.RebuildTotals(t.Context(), operator.DaysWanted{Account: "acc-a"}, func(int, int) {}))
	assertExact(t, s, "rebuilt", "acc-a", "acc-b")
}

// A rebuild that goes on where one was interrupted counts the days too that were left for
// later since.
func TestARebuildThatGoesOnCountsWhatWasLeftForLaterMeanwhile(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	s := dynamo.NewStore(engine.Client(t), tables)
	loadCounted(t, s)
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		atItsEnd := c.Operation == "DeleteItem" && strings.Contains(string(c.Body), `"REBUILD"`)
		if atItsEnd {
			dynamotest.Refuse(w, "AccessDeniedException")
		}
		return atItsEnd
	})
	err := operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock).RebuildTotals(t.Context(), operator.DaysWanted{}, func(int, int) {})
	if err == nil {
		t.Fatal("the rebuild is not interrupted")
	}
	o := operator.New(s, clock)
	p, err := o.Plan(t.Context(), parse(t, correctedFile), true)
	must(t, err)
	p.Later = true
	must(t, o.Apply(t.Context(), p))
	planned, err := o.PlanRebuild(t.Context(), operator.DaysWanted{}, nil)
	if err != nil || planned.Days != p.Recount.Days || planned.Resumed == 0 {
		t.Errorf("it would count %+v, %v: %d days were left for later", planned, err, p.Recount.Days)
	}
	must(t, o.RebuildTotals(t.Context(), operator.DaysWanted{}, func(int, int) {}))
	assertExact(t, s, "rebuilt", "acc-a", "acc-b")
}

func TestCheckFindsWhatSomethingElseHasWrittenAndRebuildMendsIt(t *testing.T) {
	o, s := newOperator(t)
	loadCounted(t, s)
	log := usage.Log{Account: "acc-a", Product: usage.SMS}
	segments := int64(3)
	behind := []usage.Record{
		{Log: log, ID: "behind-1", Timestamp: time.Date(2026, 6, 1, 1, 0, 0, 0, time.UTC), Segments: &segments},
		{Log: log, ID: "behind-2", Timestamp: time.Date(2026, 4, 1, 1, 0, 0, 0, time.UTC), Segments: &segments},
		{Log: usage.Log{Account: "nobody", Product: usage.Voice}, ID: "behind-3", Timestamp: time.Date(2026, 4, 2, 1, 0, 0, 0, time.UTC)},
	}
	_, err := s.WriteUsage(t.Context(), behind)
	must(t, err)
	before := storedTotals(t, s)
	checked, err := o.CheckTotals(t.Context(), operator.DaysWanted{}, func(int64) {})
	must(t, err)
	var found []string
	for _, d := range checked.Differences {
		found = append(found, string(d.Account)+" "+d.Of)
	}
	if got := strings.Join(found, ", "); got != "acc-a 2026-04-01, acc-a 2026-06-01, nobody 2026-04-02" {
		t.Errorf("check found %s: %+v", got, checked.Differences)
	}
	if after := storedTotals(t, s); after != before {
		t.Error("check has written")
	}
	checked, err = o.CheckTotals(t.Context(), operator.DaysWanted{From: "2026-05-01", To: "2026-06-02", Account: "acc-a"}, func(int64) {})
	if err != nil || len(checked.Differences) != 1 || checked.Differences[0].Of != "2026-06-01" {
		t.Errorf("check of a period: %+v, %v", checked, err)
	}
	planned, err := o.PlanRebuild(t.Context(), operator.DaysWanted{}, nil)
	if err != nil || planned.Days < 8 || planned.Records < 12 {
		t.Errorf("the rebuild counts %+v, %v", planned, err)
	}
	must(t, o.RebuildTotals(t.Context(), operator.DaysWanted{}, func(int, int) {}))
	assertExact(t, s, "rebuilt", "acc-a", "acc-b", "nobody")
}

// On tables that had usage before only a rebuild says that all is counted.
func TestOnlyARebuildMakesTotalsReadyWhereThereWasUsageBefore(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, countedFile)
	_, err := s.WriteUsage(t.Context(), []usage.Record{{Log: usage.Log{Account: "acc-a", Product: usage.SMS}, ID: "old", Timestamp: now.AddDate(0, -1, 0)}})
	must(t, err)
	must(t, importing(countedUsage(), operator.UsageImport{})(t, t.Context(), o))
	if ready, err := s.TotalsReady(t.Context()); ready || err != nil {
		t.Errorf("ready after an import: %v, %v", ready, err)
	}
	must(t, o.RebuildTotals(t.Context(), operator.DaysWanted{Account: "acc-a"}, func(int, int) {}))
	if ready, err := s.TotalsReady(t.Context()); ready || err != nil {
		t.Errorf("ready after a rebuild of one account: %v, %v", ready, err)
	}
	must(t, o.RebuildTotals(t.Context(), operator.DaysWanted{}, func(int, int) {}))
	if ready, err := s.TotalsReady(t.Context()); !ready || err != nil {
		t.Errorf("ready after a rebuild: %v, %v", ready, err)
	}
	assertExact(t, s, "rebuilt", "acc-a", "acc-b")
}

func TestAnImportSaysUntilWhenALogIsWhole(t *testing.T) {
	o, s := newOperator(t)
	loadCounted(t, s)
	sms, voice := usage.Log{Account: "acc-a", Product: usage.SMS}, usage.Log{Account: "acc-a", Product: usage.Voice}
	stateOf := func(log usage.Log) totals.LogState {
		t.Helper()
		states, err := s.LogTotals(t.Context(), []usage.Log{log})
		must(t, err)
		if len(states) != 1 {
			t.Fatalf("there are %d states", len(states))
		}
		return states[0]
	}
	newest := time.Date(2026, 6, 3, 4, 30, 0, 0, time.UTC)
	if got := stateOf(sms); !got.LoadedThrough.Equal(newest) || !got.LoadedAt.Equal(now) || got.FirstDay != "2026-05-30" || got.LastDay != "2026-06-03" {
		t.Errorf("after an import: %+v", got)
	}
	must(t, importing("", operator.UsageImport{Account: "acc-a", Through: now.Add(-time.Hour)})(t, t.Context(), o))
	for _, log := range []usage.Log{sms, voice} {
		if got := stateOf(log); !got.LoadedThrough.Equal(now.Add(-time.Hour)) {
			t.Errorf("after an import of nothing, with what was said: %+v", got)
		}
	}
	if got := stateOf(sms); !got.PricesChangedAt.Equal(now) {
		t.Errorf("prices have changed at %v", got.PricesChangedAt)
	}
}

// Between the zones farthest from each other a record moves by two days.
func TestARecordThatMovesByTwoDaysIsCountedWhereItIs(t *testing.T) {
	for _, move := range [][2]string{{"Pacific/Kiritimati", "Pacific/Pago_Pago"}, {"Pacific/Pago_Pago", "Pacific/Kiritimati"}} {
		o, s := newOperator(t)
		in := func(zone string) {
			apply(t, o, strings.Replace(countedFile, "name: Alpha", "name: Alpha, timeZone: "+zone, 1))
		}
		in(move[0])
		must(t, importing(`{"accountId":"acc-a","product":"sms","id":"m-1","timestamp":"2026-06-09T10:30:00Z","direction":"outbound"}`,
			operator.UsageImport{})(t, t.Context(), o))
		in(move[1])
		assertExact(t, s, fmt.Sprint(move), "acc-a")
	}
}

// An eventually consistent read may miss what was written a moment before.
func TestWhoWritesReadsConsistently(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	o := operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock)
	loadCounted(t, dynamo.NewStore(engine.Client(t), tables))
	must(t, importing(countedUsage(), operator.UsageImport{})(t, t.Context(), o))
	must(t, o.RebuildTotals(t.Context(), operator.DaysWanted{}, func(int, int) {}))
	counts := 0
	for _, c := range proxy.Calls() {
		body := string(c.Body)
		if isWrite(c.Operation) || strings.Contains(body, `"READY"`) { // which is only ever put
			continue
		}
		if c.Operation == "Query" && strings.Contains(body, tables.Usage) {
			counts++
		}
		if !strings.Contains(body, `"ConsistentRead":true`) {
			t.Errorf("%s reads what may be out of date: %s", c.Operation, body)
		}
	}
	if counts == 0 {
		t.Error("no records were read")
	}
}

// A write that was cut off may land until LeaseTimes.Gone is over, also when another try of it
// was answered: in place of what was written since.
func TestNothingIsCountedWhileAWriteMayStillLand(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	o := operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock)
	o.LeaseTimes = dynamo.StandardLeaseTimes()
	o.LeaseTimes.Gone = 2 * time.Second
	apply(t, o, countedFile)
	var mu sync.Mutex
	var cut, counted time.Time
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		mu.Lock()
		defer mu.Unlock()
		if !strings.Contains(string(c.Body), tables.Usage) {
			return false
		}
		switch {
		case c.Operation == "BatchWriteItem" && cut.IsZero():
			cut = time.Now()
			dynamotest.Cut(w)
			return true
		case c.Operation == "Query" && counted.IsZero():
			counted = time.Now()
		}
		return false
	})
	must(t, importing(countedUsage(), operator.UsageImport{})(t, t.Context(), o))
	if took := counted.Sub(cut); cut.IsZero() || took < o.LeaseTimes.Gone {
		t.Errorf("records were counted %v after a write of them was cut off, which may land for %v", took, o.LeaseTimes.Gone)
	}
	assertExact(t, dynamo.NewStore(engine.Client(t), tables), "imported", "acc-a", "acc-b")
}

// A day that was left open is counted, and opened again by the same command; what the count
// has sent in vain until then must not make it whole when it lands after all.
func TestWhatACountHasSentLandsBeforeTheNextDayIsOpened(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	tables := engine.NewTables(t)
	direct := dynamo.NewStore(engine.Client(t), tables)
	day := totals.LogDay{Log: usage.Log{Account: "acc-b", Product: usage.SMS}, Day: "2026-06-01"}
	landed := make(chan struct{})
	var once sync.Once
	client := engine.Client(t, func(o *dynamodb.Options) {
		next := o.HTTPClient
		o.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			writes := strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".BatchWriteItem")
			lost := false
			if writes && bytes.Contains(body, []byte("DAY#")) && bytes.Contains(body, []byte(`"updatedAt"`)) {
				once.Do(func() {
					lost = true
					again := r.Clone(context.WithoutCancel(r.Context()))
					again.Body = io.NopCloser(bytes.NewReader(body))
					go func() {
						defer close(landed)
						time.Sleep(700 * time.Millisecond)
						if answer, err := next.Do(again); err != nil || answer.StatusCode != http.StatusOK {
							t.Errorf("the late write did not land: %v", err)
						}
					}()
				})
			}
			if lost {
				httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{}) // it was sent
				return nil, io.ErrUnexpectedEOF
			}
			if writes && bytes.Contains(body, []byte(tables.Usage)) {
				<-landed
				days, err := direct.StoredDays(r.Context(), day.Log, day.Day, day.Day.Add(1))
				if err != nil || len(days) != 1 || !days[0].Stale {
					t.Errorf("while it is written into, the day is %+v, %v", days, err)
				}
			}
			return next.Do(r)
		})
	})
	o := operator.New(dynamo.NewStore(client, tables), clock)
	o.LeaseTimes = dynamo.StandardLeaseTimes()
	o.LeaseTimes.Gone = time.Second
	apply(t, o, countedFile)
	must(t, direct.OpenDays(t.Context(), totals.Mark{Term: 0, Number: 1}, []totals.LogDay{day}))
	one := `{"accountId":"acc-b","product":"sms","id":"m-1","timestamp":"2026-06-01T10:00:00Z","direction":"outbound","segments":2}`
	must(t, importing(one, operator.UsageImport{})(t, t.Context(), o))
	assertExact(t, direct, "imported", "acc-b")
}

// doer is a client of the network that is one function.
type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
