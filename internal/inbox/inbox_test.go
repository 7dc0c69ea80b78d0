package inbox_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/inbox"
	"partnerview/internal/ledger"
	"partnerview/internal/objects"
	"partnerview/internal/usage"
)

// native is a file of so many SMS, over a week.
func native(records int) []byte {
	var b bytes.Buffer
	for n := range records {
		fmt.Fprintf(&b, `{"id":"m-%04d","accountId":"acme_retail","product":"sms","timestamp":"2026-11-%02dT10:00:00.%03dZ","direction":"outbound","status":"delivered",`+
			`"to":"+447700900123","segments":1}`+"\n", n, 1+n%7, n%1000)
	}
	return b.Bytes()
}

// exported is an export of so many SMS, in two files put one behind the other, whose columns stand in another order;
// each fifth message has a text of several lines.
func exported(records int) []byte {
	var b bytes.Buffer
	b.WriteString("umid,subaccountid,direction,createdat,status_value,msisdn,source,smscount,body\n")
	for n := range records {
		body := "hello"
		if n%5 == 0 {
			body = "\"two lines,\nand \"\"quotes\"\"\n\""
		}
		at := fmt.Sprintf("2026-11-%02dT10:00:00.%03dZ", 1+n%7, n%1000)
		if n == records/2 {
			b.WriteString("umid,createdat,subaccountid,direction,body,status_value,msisdn,source,smscount\n")
		}
		if n < records/2 {
			fmt.Fprintf(&b, "m-%04d,acme_eu,1,%s,delivered,+447700900123,Acme,1,%s\n", n, at, body)
		} else {
			fmt.Fprintf(&b, "m-%04d,%s,acme_eu,1,%s,delivered,+447700900123,Acme,1\n", n, at, body)
		}
	}
	return b.Bytes()
}

func packed(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text) // into memory
	_ = w.Close()
	return b.Bytes()
}

func TestAFileIsImportedInOneCall(t *testing.T) {
	s := newStage(t)
	body := native(30)
	answer := s.answer(s.put("native/usage.ndjson", body))
	if answer.Outcome != inbox.Done || answer.Calls != 1 || string(answer.Counts) != `{"read":30,"written":30,"duplicate":0,"rejected":0,"outside":0,"dropped":{}}` {
		t.Errorf("the answer is %+v", answer)
	}
	if got := len(s.records(usage.SMS)); got != 30 {
		t.Errorf("%d records are stored", got)
	}
	days, err := s.Store.DayTotals(t.Context(), []usage.Log{{Account: "acme_retail", Product: usage.SMS}}, "2026-11-01", "2026-11-08")
	must(t, err)
	if len(days) != 7 {
		t.Errorf("%d days are counted", len(days))
	}
	r := s.result(answer)
	if r.Outcome != "done" || r.File != "native/usage.ndjson" || r.Format != "native" || r.Calls != 1 || r.Bytes != int64(len(body)) || r.SHA256 == nil || len(*r.SHA256) != 64 || r.Error != "" {
		t.Errorf("the result is %+v", r)
	}
	e := s.entry(answer)
	if e.Who != "inbox" || e.Outcome != ledger.Done || e.Kind != ledger.Usage || e.Format != "native" || e.SHA256 != *r.SHA256 || e.Ended.IsZero() || e.Bytes != int64(len(body)) {
		t.Errorf("the ledger says %+v", e)
	}
	if want := []string{"native/usage.ndjson", "results/native/usage.ndjson." + e.ID + ".json"}; !slices.Equal(s.keys(), want) {
		t.Errorf("the bucket has %v, want %v", s.keys(), want)
	}
}

// A call may end behind any row: what all of them load together is what one loads.
func TestManyCallsLoadWhatOneLoads(t *testing.T) {
	for key, body := range map[string][]byte{
		"native/usage.ndjson": native(24), "native/usage.ndjson.gz": packed(native(24)),
		"connect-sms-csv/sms.csv": exported(24), "connect-sms-csv/account=acme_retail/sms.csv.gz": packed(exported(24)),
	} {
		t.Run(key, func(t *testing.T) {
			once := newStage(t)
			whole := once.answer(once.put(key, body))
			if whole.Outcome != inbox.Done || len(once.records(usage.SMS)) != 24 {
				t.Fatalf("in one call: %+v", whole)
			}
			s := newStage(t)
			s.Clock = ticking(time.Minute) // so that a call of twelve loads some rows
			answer, calls := s.inTime(s.put(key, body), 12*time.Minute)
			if answer.Outcome != inbox.Done || calls < 3 || answer.Calls != calls {
				t.Errorf("in %d calls: %+v", calls, answer)
			}
			if diff := cmp.Diff(once.records(usage.SMS), s.records(usage.SMS)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(string(whole.Counts), string(answer.Counts)); diff != "" {
				t.Error(diff)
			}
			if answer.SHA256 != whole.SHA256 || answer.SHA256 == "" {
				t.Errorf("SHA-256 %q and %q", whole.SHA256, answer.SHA256)
			}
			e := s.entry(answer)
			if e.AccountCount != 1 || len(e.Accounts) != 1 || usage.FormatTime(e.From) != "2026-11-01T10:00:00.000Z" || usage.FormatTime(e.To) != "2026-11-07T10:00:00.020Z" {
				t.Errorf("the ledger says that it has touched %+v", e)
			}
			if e.Outcome != ledger.Done || e.SHA256 != answer.SHA256 {
				t.Errorf("the ledger says %+v", e)
			}
		})
	}
}

func TestWhoWritesIsWaitedForInTheStateMachine(t *testing.T) {
	s := newStage(t)
	lease, err := s.Store.TakeLease(t.Context(), leaseOf("apply"))
	must(t, err)
	begins := s.put("native/usage.ndjson", native(3))
	begun := time.Now()
	answer := s.answer(begins)
	if answer.Outcome != inbox.WasBusy || answer.Busy == nil || answer.Busy.What != "apply" || answer.Busy.Where != "host/1" || answer.Busy.Since.IsZero() {
		t.Errorf("the answer is %+v", answer)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it waited for %v", took)
	}
	if e := s.entryOf(begins); e.Outcome != ledger.Running {
		t.Errorf("the ledger says %+v", e)
	}
	must(t, lease.GiveBack(t.Context()))
	if answer = s.answer(answer); answer.Outcome != inbox.Done || answer.Busy != nil || len(s.records(usage.SMS)) != 3 {
		t.Errorf("then it answers %+v", answer)
	}
}

func TestTwoFilesAtOnceForOneAccountTakeTurns(t *testing.T) {
	s := newStage(t)
	all := bytes.SplitAfter(native(200), []byte("\n"))
	states := []inbox.State{s.put("native/one.ndjson", bytes.Join(all[:120], nil)), s.put("native/two.ndjson", bytes.Join(all[80:], nil))}
	var group sync.WaitGroup
	for i := range states {
		group.Go(func() {
			for range 20 {
				answer, err := s.Call(t.Context(), states[i])
				if err != nil {
					t.Error(err)
					return
				}
				if states[i] = answer; hasEnded(answer.Outcome) {
					return
				}
			}
		})
	}
	group.Wait()
	for _, answer := range states {
		if answer.Outcome != inbox.Done {
			t.Errorf("%s ends in %+v", answer.Key, answer)
		}
	}
	if got := len(s.records(usage.SMS)); got != 200 {
		t.Errorf("%d records are stored", got)
	}
}

func TestTheSameFileTwiceIsToldAndChangesNothing(t *testing.T) {
	s := newStage(t)
	body := native(5)
	first := s.answer(s.put("native/usage.ndjson", body))
	again := s.begins("native/usage.ndjson", body)
	again.Started = now.Add(time.Hour)
	second := s.answer(again)
	if r := s.result(second); second.Outcome != inbox.Done || r.LoadedBefore == nil || r.LoadedBefore.ID != s.entry(first).ID || r.LoadedBefore.Who != "inbox" {
		t.Errorf("the result is %+v", r)
	}
	if r := s.result(first); r.LoadedBefore != nil {
		t.Errorf("the first was loaded before, too: %+v", r)
	}
	if got := len(s.records(usage.SMS)); got != 5 {
		t.Errorf("%d records are stored", got)
	}
}

func TestAFileThatIsReplacedBeforeItIsReadHasAnImportOfItsOwn(t *testing.T) {
	s := newStage(t)
	former := s.put("native/usage.ndjson", native(3))
	next := s.put("native/usage.ndjson", native(9))
	answer := s.answer(former)
	if answer.Outcome != inbox.Replaced || s.entry(answer).Outcome != ledger.Replaced || s.result(answer).Outcome != "replaced" {
		t.Errorf("the former ends in %+v", answer)
	}
	if len(s.records(usage.SMS)) != 0 || !slices.Contains(s.keys(), "native/usage.ndjson") {
		t.Errorf("%v, and the bucket has %v", s.records(usage.SMS), s.keys())
	}
	if answer := s.answer(next); answer.Outcome != inbox.Done || len(s.records(usage.SMS)) != 9 {
		t.Errorf("the next ends in %+v", answer)
	}
}

// replaced lends a file whose connection breaks at its end, and is replaced by then.
type replaced struct{ inbox.Bucket }

func TestWhatWasWrittenOfAFileThatIsReplacedStays(t *testing.T) {
	s := newStage(t)
	begins := s.put("native/usage.ndjson", native(60))
	s.Files = replaced{s.Files}
	answer := s.answer(begins)
	if answer.Outcome != inbox.Replaced || len(s.records(usage.SMS)) != 60 || !slices.Contains(s.keys(), "native/usage.ndjson") {
		t.Errorf("it ends in %+v with %d records", answer, len(s.records(usage.SMS)))
	}
}

func (r replaced) Open(ctx ctx, bucket, key, etag string) (io.ReadCloser, error) {
	file, err := r.Bucket.Open(ctx, bucket, key, etag)
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(file, failing{objects.ErrReplaced}), file}, err
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// What cannot be imported is told, put aside and noted, each with its reason.
func TestAFileThatCannotBeImportedIsPutAsideWithItsReason(t *testing.T) {
	unknown := bytes.ReplaceAll(native(150), []byte("acme_retail"), []byte("nobody_here"))
	for key, c := range map[string]struct {
		body    []byte
		want    string
		records int // that are stored all the same
	}{
		"native/deep/er/usage.ndjson":             {native(1), "the file stands in no folder of the inbox", 0},
		"native/acme/usage.ndjson":                {native(1), "must be account=ID", 0},
		"native/account=a/usage.ndjson":           {native(1), "names no account: an account ID is 3 to 50", 0},
		"native/account=nobody_here/usage.ndjson": {native(1), "nobody_here", 0},
		"credit/account=acme_retail/credit.csv":   {native(1), "it belongs into credit/ itself", 0},
		"native/unknown.ndjson":                   {unknown, "each of the first 100 lines is rejected for one reason: accountId", 0},
		"native/cut.ndjson.gz":                    {packed(native(600))[:2000], "its gzip data is cut short", -1},
		"native/damaged.ndjson.gz":                {append(packed(native(3)), "more"...), "the file is damaged", 3},
		"connect-sms-csv/usage.ndjson":            {native(3), "the file looks like --format native", 0},
		"native/sms.csv":                          {exported(3), "the file looks like --format connect-sms-csv", 0},
		"connect-voice-csv/empty.csv":             {nil, "the file is empty", 0},
		"credit/usage.ndjson":                     {native(3), "the file looks like --format native", 0},
	} {
		t.Run(key, func(t *testing.T) {
			s := newStage(t)
			answer := s.answer(s.put(key, c.body))
			r := s.result(answer)
			if answer.Outcome != inbox.Failed || r.Outcome != "failed" || !strings.Contains(r.Error, c.want) || answer.Error != r.Error {
				t.Errorf("the answer is %+v, the result %+v; want %q in it", answer, r, c.want)
			}
			if e := s.entry(answer); e.Outcome != ledger.Failed || e.Error != r.Error {
				t.Errorf("the ledger says %+v", e)
			}
			if keys := s.keys(); slices.Contains(keys, key) || !slices.Contains(keys, "failed/"+key) || !bytes.Equal(s.read("failed/"+key), c.body) {
				t.Errorf("the bucket has %v", keys)
			}
			if got := len(s.records(usage.SMS)); got != c.records && (c.records >= 0 || got == 0) {
				t.Errorf("%d records are stored, want %d", got, c.records)
			}
		})
	}
}

func TestAFolderThatSomebodyMakesIsNoFile(t *testing.T) {
	s := newStage(t)
	if answer := s.answer(s.put("native/account=acme_retail/", nil)); answer.Outcome != inbox.Done || len(s.keys()) != 1 {
		t.Errorf("the answer is %+v, the bucket has %v", answer, s.keys())
	}
}

func TestLinesThatAreRejectedAreListedByCall(t *testing.T) {
	s := newStage(t)
	s.Clock = ticking(time.Minute)
	var body bytes.Buffer
	for n, line := range bytes.SplitAfter(native(20), []byte("\n")) {
		if n%2 == 1 {
			line = bytes.ReplaceAll(line, []byte("outbound"), []byte("+447700900123"))
		}
		body.Write(line)
	}
	answer, calls := s.inTime(s.put("native/usage.ndjson", body.Bytes()), 12*time.Minute)
	r := s.result(answer)
	if answer.Outcome != inbox.Done || r.Outcome != "rejected" || s.entry(answer).Outcome != ledger.Rejected || calls < 3 {
		t.Errorf("in %d calls: %+v, %+v", calls, answer, r)
	}
	var lists []byte
	for _, key := range r.Rejected {
		lists = append(lists, s.read(key)...)
	}
	if n := bytes.Count(lists, []byte("\n")); n != 10 || bytes.Contains(lists, []byte("900123")) || !bytes.HasPrefix(lists, []byte(`{"line":2,"field":"direction","reason":`)) {
		t.Errorf("%d lines are listed: %s", n, lists)
	}
}

// A hundred lines that are all rejected tell of a wrong file only where they are its first.
func TestLinesThatAreAllRejectedBehindGoodOnesEndNoImport(t *testing.T) {
	s := newStage(t)
	s.Clock = ticking(time.Second)
	body := append(native(40), bytes.ReplaceAll(native(400), []byte("acme_retail"), []byte("nobody_here"))...)
	answer, calls := s.inTime(s.put("native/usage.ndjson", body), 3*time.Minute)
	if answer.Outcome != inbox.Done || calls < 3 || s.result(answer).Outcome != "rejected" || len(s.records(usage.SMS)) != 40 {
		t.Errorf("after %d calls: %+v", calls, answer)
	}
}

func TestCreditIsRenewedAndNothingElseOfACustomer(t *testing.T) {
	s := newStage(t)
	answer := s.answer(s.put("credit/credit.csv", []byte("account,amount,as-of,currency\nacme_retail,231.40,2026-11-20T10:00:00Z,EUR\nnobody_here,1,2026-11-20T10:00:00Z,EUR\n")))
	if answer.Outcome != inbox.Done || string(answer.Counts) != `{"read":2,"written":1,"unchanged":0,"older":0,"rejected":1}` {
		t.Errorf("the answer is %+v", answer)
	}
	c, err := s.Store.GetCustomer(t.Context(), "acme_retail")
	must(t, err)
	if c.Credit.Remaining == nil || c.Credit.Remaining.String() != "231.4" || c.Name != "Acme" {
		t.Errorf("the customer is %+v", c)
	}
	if e := s.entry(answer); e.Kind != ledger.Credit || e.Format != "" || e.Outcome != ledger.Rejected {
		t.Errorf("the ledger says %+v", e)
	}
	if r := s.result(answer); r.Format != "credit" || len(r.Rejected) != 1 {
		t.Errorf("the result is %+v", r)
	}
}

// receiptOf is a receipt that a message was not delivered.
func receiptOf(id string) string {
	return `{"namespace":"SMS","eventType":"outbound_message_status_changed","payload":{"umid":"` + id + `","subAccountId":"acme_eu","status":{"state":"undelivered","timestamp":"2026-11-09T10:00:00Z"}}}` + "\n"
}

func TestReceiptsRenewWhatIsLoaded(t *testing.T) {
	s := newStage(t)
	s.answer(s.put("connect-sms-csv/sms.csv", exported(2)))
	answer := s.answer(s.put("connect-sms-receipts/dlr.ndjson", []byte(receiptOf("m-0000")+receiptOf("m-9999"))))
	if answer.Outcome != inbox.Done || string(answer.Counts) != `{"read":2,"written":1,"duplicate":0,"rejected":1,"outside":0,"dropped":{}}` {
		t.Errorf("the answer is %+v with %s", answer, answer.Counts)
	}
}
