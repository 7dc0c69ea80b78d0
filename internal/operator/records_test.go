package operator_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

const wamid = "wamid.HBgMNDQ3NzAwOTAwMTIzFQ+/8=="

// rawLog stores records of an account as another program, or an earlier version of
// this one, may have: one a minute. It returns how many ids of them tell something.
func rawLog(t *testing.T, tables dynamo.Tables, account usage.AccountID) (records, telling int) {
	t.Helper()
	type attributes = map[string]string
	for i, it := range []attributes{
		{"id": wamid, "to": "447700900123", "contactName": "Contact A", "content": "Sample text"},
		{"id": "wamid.HBgMNDQ3NzAwOTAwMTIz", "to": "****0123"},
		{"id": "447700900123", "to": "00447700900123"},
		{"id": "447700900123-3EB0", "from": "447700900123:15@s.whatsapp.net"},
		{"id": "07700900123", "contactName": "+44 7700 900123"},
		{"id": "x447700900123", "from": "****", "to": "****0123"},
		{"id": "447700900124", "to": "+447700900123"},
		{"id": "447700900125", "from": "****", "to": "****0123"},
		{"id": "00000000-0000-4000-8000-447700900123:1", "to": "****0123"},
		{"id": "m-1", "to": "****0123"},
	} {
		records++
		if i < 6 {
			telling++
		}
		log := usage.Log{Account: account, Product: usage.Messaging}
		item := map[string]types.AttributeValue{}
		id := it["id"]
		delete(it, "id")
		it["log"], it["at"], it["byId"] = log.Key(), usage.FormatTime(now.Add(time.Duration(i)*time.Minute))+"#"+id, log.Key()+"#"+id
		it["status"], it["channel"] = "sent", "whatsapp"
		for name, text := range it {
			item[name] = &types.AttributeValueMemberS{Value: text}
		}
		_, err := engine.Client(t).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &tables.Usage, Item: item})
		must(t, err)
	}
	return records, telling
}

// itemsOf is all that is stored of an account, by its minute.
func itemsOf(t *testing.T, tables dynamo.Tables, account usage.AccountID) map[string][]map[string]string {
	t.Helper()
	out, err := engine.Client(t).Scan(t.Context(), &dynamodb.ScanInput{TableName: &tables.Usage})
	must(t, err)
	items := make(map[string][]map[string]string)
	for _, it := range out.Items {
		texts := make(map[string]string)
		for name, v := range it {
			if s, ok := v.(*types.AttributeValueMemberS); ok {
				texts[name] = s.Value
			}
		}
		if strings.HasPrefix(texts["log"], string(account)+"#") {
			at, _, _ := strings.Cut(texts["at"], "#")
			items[at] = append(items[at], texts)
		}
	}
	return items
}

// assertMended fails unless each minute has one record, and six of them another id.
func assertMended(t *testing.T, tables dynamo.Tables, account usage.AccountID, records int) {
	t.Helper()
	items := itemsOf(t, tables, account)
	if len(items) != records {
		t.Errorf("%d records are left of %d", len(items), records)
	}
	for at, of := range items {
		text := fmt.Sprint(of)
		if len(of) != 1 || strings.Contains(text, "wamid") || strings.Contains(text, "movedTo") {
			t.Errorf("at %s there is %s", at, text)
		}
		for _, raw := range []string{"#447700900123", "x447700900123", "#07700900123"} {
			if strings.Contains(text, raw) {
				t.Errorf("at %s there is still %s", at, text)
			}
		}
	}
}

func TestIDsThatTellANumberAreMended(t *testing.T) {
	tables := engine.NewTables(t)
	s := dynamo.NewStore(engine.Client(t), tables)
	o := operator.New(s, clock)
	records, telling := rawLog(t, tables, "acc-a")
	rawLog(t, tables, "acc-b")
	want := operator.IDCounts{Examined: records, Logs: []operator.LogIDCount{{Log: usage.Log{Account: "acc-a", Product: usage.Messaging}, WhatsApp: 2, Full: 3, Masked: 1, Unsure: 1}}}
	before := itemsOf(t, tables, "acc-b")
	counts, err := o.CountIDs(t.Context(), operator.IDMending{Account: "acc-a"})
	must(t, err)
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if finding := idFinding(t, o); finding.OK() || finding.Detail != fmt.Sprintf("%d ids contain a number, of %d records", 2*telling, 2*records) {
		t.Errorf("doctor: %+v", finding)
	}

	// The first record was loaded anew since, and has news under its hash.
	log := usage.Log{Account: "acc-a", Product: usage.Messaging}
	hashed, err := log.RecordID(wamid)
	must(t, err)
	later := now.Add(time.Hour)
	_, err = s.WriteUsage(t.Context(), []usage.Record{{Log: log, ID: hashed, Timestamp: now, Status: usage.Delivered, StatusAt: &later}})
	must(t, err)

	want.Moved, want.Examined = telling, records+1
	counts, err = o.MendIDs(t.Context(), operator.IDMending{Account: "acc-a"})
	must(t, err)
	counts.Examined = want.Examined // what was moved may be seen again
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("mended (-want +got):\n%s", diff)
	}
	assertMended(t, tables, "acc-a", records)
	if diff := cmp.Diff(before, itemsOf(t, tables, "acc-b")); diff != "" {
		t.Errorf("another account's records were changed:\n%s", diff)
	}
	r, err := s.Record(t.Context(), log, hashed, now)
	must(t, err)
	if r.Status != usage.Delivered || r.Raw {
		t.Errorf("WhatsApp's record is %+v", r)
	}
	for _, of := range itemsOf(t, tables, "acc-a") {
		id := of[0]["at"][len(usage.TimeLayout)+1:]
		if of[0]["byId"] != log.Key()+"#"+id {
			t.Errorf("the index has %s for %s", of[0]["byId"], id)
		}
		if strings.HasPrefix(id, "h-") && (of[0]["contactName"]+of[0]["content"] != "" || !strings.HasPrefix(of[0]["to"]+of[0]["from"]+"****", "****")) {
			t.Errorf("what was moved has %v", of[0])
		}
	}

	counts, err = o.MendIDs(t.Context(), operator.IDMending{Unsure: true})
	must(t, err)
	if counts.Moved != telling+2 {
		t.Errorf("all others, and the unsure: %+v", counts)
	}
	assertMended(t, tables, "acc-b", records)
	counts, err = o.MendIDs(t.Context(), operator.IDMending{Unsure: true})
	must(t, err)
	if counts.Moved != 0 || len(counts.Logs) != 0 || counts.Examined != 2*records {
		t.Errorf("again: %+v", counts)
	}
	if finding := idFinding(t, o); !finding.OK() {
		t.Errorf("doctor: %+v", finding)
	}
}

func idFinding(t *testing.T, o *operator.Operator) operator.Finding {
	t.Helper()
	for _, f := range o.Examine(t.Context(), true) {
		if f.Check == "ids" {
			return f
		}
	}
	t.Fatal("doctor says nothing of ids")
	return operator.Finding{}
}

// Whatever write it is that the mending does not come to, none is lost, and when it
// is run again each is there once.
func TestMendingThatIsInterruptedLosesAndDoublesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	mended := operator.New(dynamo.NewStore(engine.Client(t), tables), clock)
	mended.LeaseTimes = leaseOfTheDead
	o := operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock)
	for n := 0; ; n++ {
		account := usage.AccountID(fmt.Sprintf("acc-%d", n))
		records, _ := rawLog(t, tables, account)
		var mu sync.Mutex
		writes := 0
		proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
			mu.Lock()
			defer mu.Unlock()
			if isWrite(c.Operation) && !strings.Contains(string(c.Body), `"LEASE"`) {
				writes++
			}
			if writes > n {
				dynamotest.Refuse(w, "AccessDeniedException")
			}
			return writes > n
		})
		_, err := o.MendIDs(t.Context(), operator.IDMending{Account: account})
		items := itemsOf(t, tables, account)
		if len(items) != records {
			t.Fatalf("without write %d, %d records of %d are left", n, len(items), records)
		}
		if err == nil {
			if n < 6 { // an update for each of four, a put, a delete, and what days and totals need
				t.Errorf("it took %d writes", n)
			}
			return
		}
		_, err = mended.MendIDs(t.Context(), operator.IDMending{Account: account})
		must(t, err)
		assertMended(t, tables, account, records)
	}
}

func TestMendingThatIsCancelledFinishesWhatItIsMoving(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	o := operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock)
	records, telling := rawLog(t, tables, "acc-a")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	proxy.Meddle(func(c dynamotest.Call, _ dynamotest.Answer) bool {
		if c.Operation == "BatchWriteItem" && strings.Contains(string(c.Body), tables.Usage) { // the put
			cancel()
		}
		return false
	})
	if counts, err := o.MendIDs(ctx, operator.IDMending{}); ctx.Err() == nil || counts.Moved != telling {
		t.Errorf("cancelled: %v, it has moved %+v: %v", ctx.Err(), counts, err)
	}
	assertMended(t, tables, "acc-a", records)
}
