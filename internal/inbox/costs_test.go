package inbox_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/inbox"
	"partnerview/internal/usage"
)

var update = flag.Bool("update", false, "write what was measured to tools/costs/inbox.json")

// importTook is what the import of one file took: tools/costs reckons with it.
type importTook struct {
	Records, Logs int     // that the file has
	Calls         int     // of the function
	UsageWrites   float64 // units, without the index
	OtherWrites   float64 // of totals and the ledger
	Reads         float64 // units
	DurationMs    float64
	LogBytes      int
	ResultBytes   int
}

// meter asks for the capacity of every call, writes too, and adds it up.
type meter struct {
	mu            sync.Mutex
	writes, reads map[string]float64 // by table
}

func (m *meter) Do(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	asked, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var body map[string]any
	if err := json.Unmarshal(asked, &body); err != nil {
		return nil, err
	}
	body["ReturnConsumedCapacity"] = "INDEXES"
	if asked, err = json.Marshal(body); err != nil {
		return nil, err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(asked)), int64(len(asked))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	m.add(operation, answer)
	return response, nil
}

func (m *meter) add(operation string, answer []byte) {
	type capacity struct {
		TableName     string
		CapacityUnits float64                         // AWS's and DynamoDB Local's are with those of indexes, dynalite's without
		Table         struct{ CapacityUnits float64 } // without
	}
	var told struct{ ConsumedCapacity json.RawMessage }
	if json.Unmarshal(answer, &told) != nil || told.ConsumedCapacity == nil {
		return
	}
	var of []capacity
	if json.Unmarshal(told.ConsumedCapacity, &of) != nil {
		of = make([]capacity, 1)
		_ = json.Unmarshal(told.ConsumedCapacity, &of[0])
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range of {
		if strings.Contains(operation, "Write") || strings.Contains(operation, "Put") || strings.Contains(operation, "Update") || strings.Contains(operation, "Delete") {
			m.writes[c.TableName] += c.Table.CapacityUnits
		} else {
			m.reads[c.TableName] += c.CapacityUnits
		}
	}
}

// A day's file of many customers, as a platform exports it each night.
func TestWhatAnImportTakes(t *testing.T) {
	const records, customers = 5000, 20
	tables := engine.NewTables(t)
	m := &meter{writes: map[string]float64{}, reads: map[string]float64{}}
	client := engine.Client(t, func(o *dynamodb.Options) { o.HTTPClient = m })
	s := stageOn(t, dynamo.NewStore(client, tables))
	var file strings.Builder
	for i := range customers {
		must(t, s.Store.PutCustomer(t.Context(), directory.Customer{Account: usage.AccountID(fmt.Sprintf("customer_%02d", i)), Name: "C", Products: usage.Products(), Currency: "EUR",
			Credit: directory.Credit{Mode: directory.Prepaid}}))
	}
	for n := range records {
		fmt.Fprintf(&file, `{"id":"msg-2026-11-%08x","accountId":"customer_%02d","product":"sms","timestamp":"2026-11-19T%02d:%02d:%02d.250Z","direction":"outbound","status":"delivered",`+
			`"from":"SHOP","to":"+447700900123","country":"GB","operator":"23410","segments":1,"statusAt":"2026-11-19T23:59:59Z"}`+"\n", n, n%customers, n/3600%24, n/60%60, n%60)
	}
	state := s.put("native/usage.ndjson", []byte(file.String()))
	clear(m.writes)
	clear(m.reads)
	begun := time.Now()
	answer := s.answer(state)
	took := importTook{Records: records, Logs: customers, Calls: answer.Calls, UsageWrites: m.writes[tables.Usage],
		OtherWrites: m.writes[tables.Totals] + m.writes[tables.Ledger], DurationMs: float64(time.Since(begun).Milliseconds()), LogBytes: s.log.Len()}
	for _, units := range m.reads {
		took.Reads += units
	}
	for _, key := range s.keys() {
		if strings.HasPrefix(key, "results/") {
			took.ResultBytes += len(s.read(key))
		}
	}
	if answer.Outcome != inbox.Done || len(m.writes) != 3 {
		t.Fatalf("the answer is %+v; written were %v", answer, m.writes)
	}
	const at = "../../tools/costs/inbox.json"
	if *update {
		text, err := json.MarshalIndent(took, "", "  ")
		must(t, err)
		must(t, os.WriteFile(at, append(text, '\n'), 0o644))
	}
	text, err := os.ReadFile(at)
	must(t, err)
	var want importTook
	must(t, json.Unmarshal(text, &want))
	for what, got := range map[string][2]float64{
		"calls": {float64(took.Calls), float64(want.Calls)}, "writes of usage": {took.UsageWrites, want.UsageWrites},
		"other writes": {took.OtherWrites, 1.05 * want.OtherWrites}, "reads": {took.Reads, 1.05 * want.Reads},
		"the log": {float64(took.LogBytes), 1.2 * float64(want.LogBytes)},
	} {
		if got[0] > got[1] {
			t.Errorf("%s: %v; tools/costs reckons with %v: run this test with -update, and then make costs for docs/deploy.md", what, got[0], got[1])
		}
	}
}
