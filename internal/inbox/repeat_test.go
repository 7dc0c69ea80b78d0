package inbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/inbox"
	"partnerview/internal/ledger"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

func TestAFileIsDeletedOnceItIsImportedWhereNoneIsKept(t *testing.T) {
	s := newStage(t)
	s.KeepsNone = true
	s.answer(s.put("native/usage.ndjson", native(3)))
	s.answer(s.put("native/bad.ndjson", exported(3)))
	for _, key := range s.keys() {
		if strings.HasPrefix(key, "native/") {
			t.Errorf("%s is still there", key)
		}
	}
	if !slices.Contains(s.keys(), "failed/native/bad.ndjson") {
		t.Error("what failed is not put aside")
	}
}

// EventBridge may tell of an upload twice.
func TestAnUploadThatIsToldOfTwiceIsImportedOnceWhereNoFileIsKept(t *testing.T) {
	s := newStage(t)
	s.KeepsNone = true
	first := s.put("native/usage.ndjson", native(3))
	second := s.begins("native/usage.ndjson", native(3))
	second.Started = now.Add(time.Second)
	done := s.answer(first)
	answer := s.answer(second)
	if r := s.result(answer); answer.Outcome != inbox.Done || r.LoadedBefore == nil || r.LoadedBefore.ID != s.entry(done).ID {
		t.Errorf("the second ends in %+v, %+v", answer, r)
	}
	taken := s.begins("native/another.ndjson", native(3))
	if answer := s.answer(taken); answer.Outcome != inbox.Failed || !strings.Contains(answer.Error, "not there any more") {
		t.Errorf("one that somebody took away ends in %+v", answer)
	}
}

// meanwhile puts another file in the place of one when a result is written.
type meanwhile struct {
	inbox.Bucket
	key string
}

func (m meanwhile) Put(ctx ctx, bucket, key string, body []byte) error {
	if strings.HasPrefix(key, "results/") {
		if err := m.Bucket.Put(ctx, bucket, m.key, native(9)); err != nil {
			return err
		}
	}
	return m.Bucket.Put(ctx, bucket, key, body)
}

func TestAnotherFileIsNeitherDeletedNorMovedInItsPlace(t *testing.T) {
	for name, body := range map[string][]byte{"imported": native(3), "failed": exported(3)} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.KeepsNone = true
			begins := s.put("native/usage.ndjson", body)
			s.Files = meanwhile{s.Files, "native/usage.ndjson"}
			s.answer(begins)
			if !bytes.Equal(s.read("native/usage.ndjson"), native(9)) || slices.Contains(s.keys(), "failed/native/usage.ndjson") {
				t.Errorf("the bucket has %v", s.keys())
			}
		})
	}
}

// cutShort is a bucket and an engine of which one fails from a call on.
type cutShort struct {
	inbox.Bucket
	left int // calls that come through
}

var errCut = fault.New(fault.Unavailable, "cut", nil)

func (c *cutShort) pass() error {
	if c.left--; c.left < 0 {
		return errCut
	}
	return nil
}

func (c *cutShort) Open(ctx ctx, bucket, key, etag string) (io.ReadCloser, error) {
	if err := c.pass(); err != nil {
		return nil, err
	}
	return c.Bucket.Open(ctx, bucket, key, etag)
}

func (c *cutShort) Put(ctx ctx, bucket, key string, body []byte) error {
	return errors.Join(c.pass(), c.Bucket.Put(ctx, bucket, key, body)) // the answer is lost
}

func (c *cutShort) Move(ctx ctx, bucket, key, etag, to string) error {
	if err := c.pass(); err != nil {
		return err
	}
	return c.Bucket.Move(ctx, bucket, key, etag, to)
}

func (c *cutShort) Delete(ctx ctx, bucket, key, etag string) error {
	if err := c.pass(); err != nil {
		return err
	}
	return c.Bucket.Delete(ctx, bucket, key, etag)
}

// A call that ends at any step is made again with the same state, and comes to what one comes to that
// was not interrupted.
func TestACallThatEndedAnywhereIsRepeatedToTheSameEnd(t *testing.T) {
	bad := append(bytes.Clone(native(4)), "{}\n"...)
	for name, body := range map[string][]byte{"imported": bad, "failed": exported(3)} {
		t.Run(name, func(t *testing.T) {
			for left := 0; ; left++ {
				s := newStage(t)
				s.KeepsNone = true
				begins := s.put("native/usage.ndjson", body)
				whole := s.Files
				cut := &cutShort{whole, left}
				s.Files = cut
				_, err := s.call(t.Context(), begins)
				if cut.left >= 0 && err == nil { // nothing was cut
					if left < 3 {
						t.Errorf("the bucket was asked %d times", left)
					}
					return
				}
				if err == nil {
					t.Fatalf("it takes a call that is cut for one that came through, after %d", left)
				}
				s.Files = whole
				answer := s.answer(begins)
				r := s.result(answer)
				if want := map[string]string{"imported": "rejected", "failed": "failed"}[name]; r.Outcome != want || answer.Outcome != map[string]inbox.Outcome{"imported": inbox.Done, "failed": inbox.Failed}[name] {
					t.Errorf("cut after %d calls, it ends in %+v, %+v", left, answer, r)
				}
				results := slices.DeleteFunc(s.keys(), func(key string) bool { return !strings.HasSuffix(key, ".json") })
				if len(results) != 1 || slices.Contains(s.keys(), "native/usage.ndjson") {
					t.Errorf("cut after %d calls, there are %v", left, s.keys())
				}
			}
		})
	}
}

func TestAnAnswerThatWasLostIsGivenAgain(t *testing.T) {
	s := newStage(t)
	s.KeepsNone = true
	for key, body := range map[string][]byte{"native/usage.ndjson": native(4), "native/bad.ndjson": exported(3)} {
		begins := s.put(key, body)
		first := s.answer(begins)
		keys := s.keys()
		second := s.answer(begins)
		if first.Outcome != second.Outcome || string(first.Counts) != string(second.Counts) || first.SHA256 != second.SHA256 {
			t.Errorf("%s: first %+v, then %+v", key, first, second)
		}
		if diff := cmp.Diff(keys, s.keys()); diff != "" {
			t.Error(diff)
		}
	}
}

// A count that does not fit into a call goes on in the next, which loads nothing.
func TestACountThatTakesLongGoesOnInTheNextCall(t *testing.T) {
	proxy, tables := engine.NewProxy(t), engine.NewTables(t)
	s := stageOn(t, dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables))
	begins := s.put("native/usage.ndjson", native(30))
	release := make(chan struct{})
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if c.Operation == "Query" && strings.Contains(string(c.Body), tables.Usage) { // the count reads the records
			<-release
		}
		return false
	})
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
	defer cancel()
	answer, err := s.call(ctx, begins)
	must(t, err)
	if answer.Outcome != inbox.Count || answer.Step != inbox.StepCount || !strings.Contains(string(answer.Counts), `"written":30`) {
		t.Errorf("the answer is %+v", answer)
	}
	second, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	other, err := s.call(second, s.put("native/other.ndjson", native(3))) // which counts what stands open first
	must(t, err)
	if other.Outcome != inbox.More || other.Line != 0 || other.Counts != nil {
		t.Errorf("of another file the answer is %+v", other)
	}
	close(release)
	proxy.Meddle(nil)
	proxy.Calls()
	if answer = s.answer(answer); answer.Outcome != inbox.Done || s.entry(answer).Outcome != ledger.Done || answer.SHA256 == "" {
		t.Errorf("then it answers %+v", answer)
	}
	for _, c := range proxy.Calls() {
		if c.Operation == "BatchWriteItem" && strings.Contains(string(c.Body), tables.Usage) {
			t.Error("the second call writes usage")
		}
	}
	if other = s.answer(other); other.Outcome != inbox.Done {
		t.Errorf("of another file it then answers %+v", other)
	}
	days, err := s.Store.DayTotals(t.Context(), []usage.Log{{Account: "acme_retail", Product: usage.SMS}}, "2026-11-01", "2026-11-08")
	must(t, err)
	for _, d := range days {
		if d.Stale {
			t.Errorf("%v is not counted", d)
		}
	}
}

func TestCallsThatFailedTooOftenAreToldOf(t *testing.T) {
	s := newStage(t)
	state := s.put("native/+447700900123.ndjson", native(3))
	state.Step, state.Failure = inbox.StepFail, &inbox.Failure{Error: "Runtime.ExitError", Cause: `{"errorMessage":"+447700900123"}`}
	answer := s.answer(state)
	r := s.result(answer)
	if answer.Outcome != inbox.Failed || !strings.Contains(r.Error, "ended in Runtime.ExitError each time") || r.Outcome != "failed" || s.entry(answer).Error != r.Error {
		t.Errorf("the answer is %+v, the result %+v", answer, r)
	}
	if !slices.Contains(s.keys(), "failed/native/+447700900123.ndjson") {
		t.Errorf("the bucket has %v", s.keys())
	}
}

func TestAnImportThatHasEndedIsNotGivenUp(t *testing.T) {
	s := newStage(t)
	state := s.put("native/usage.ndjson", native(3))
	s.answer(state)
	state.Step, state.Failure = inbox.StepFail, &inbox.Failure{Error: "Lambda.ServiceException"}
	if answer := s.answer(state); answer.Outcome != inbox.Done || s.entry(answer).Outcome != ledger.Done || !slices.Contains(s.keys(), "native/usage.ndjson") {
		t.Errorf("it is told as %+v", answer)
	}
}

// What fails for now is an error, which the state machine tries again: the file stays, and nothing is told.
func TestWhatMayPassIsAnErrorAndNotTheFilesFault(t *testing.T) {
	s := newStage(t)
	begins := s.put("native/usage.ndjson", native(3))
	s.Files = &cutShort{s.Files, 0}
	if answer, err := s.call(t.Context(), begins); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%+v, %v", answer, err)
	}
	if len(s.keys()) != 1 {
		t.Errorf("the bucket has %v", s.keys())
	}
	s.Files = nil // a mistake of ours
	if answer, err := s.call(t.Context(), begins); err == nil || !strings.Contains(err.Error(), "panic with a") {
		t.Errorf("%+v, %v", answer, err)
	}
}

// No number, name or text of a file is in what a call answers, logs, writes of it or notes, and no name of a
// file with five digits in a row.
func TestNothingThatIsToldHoldsANumberANameOrAText(t *testing.T) {
	s := newStage(t)
	const canary = "900123"
	line := func(id, direction string) string {
		return fmt.Sprintf(`{"id":%q,"accountId":"acme_retail","product":"sms","timestamp":"2026-11-02T10:00:00Z","direction":%q,"status":"delivered","to":"+447700900123",`+
			`"contactName":"Canary 447700900123","content":"call +447700900123"}`+"\n", id, direction)
	}
	answers := []inbox.State{
		s.answer(s.put("native/447700900123.ndjson", []byte(line("m-1", "outbound")+line("447700900123", "outbound")+line("m-2", "+447700900123")))),
		s.answer(s.put("native/account=447700900123/447700900123.ndjson", native(1))),
		s.answer(s.put("native/447700900123/447700900123.ndjson", native(1))),
		s.answer(s.put("connect-sms-csv/447700900123.csv", []byte(line("m-1", "outbound")))),
	}
	told := s.log.String()
	for _, answer := range answers {
		entry, err := json.Marshal(s.entry(answer))
		must(t, err)
		of := answer
		of.Key, of.Lists = "", nil // where the file stands, and its lists
		state, err := json.Marshal(of)
		must(t, err)
		told += string(entry) + string(state)
	}
	for _, key := range s.keys() {
		if strings.HasPrefix(key, "results/") {
			var r map[string]any
			text := s.read(key)
			if json.Unmarshal(text, &r) == nil {
				delete(r, "rejected") // keys of the bucket
				text, _ = json.Marshal(r)
			}
			told += string(text)
		}
	}
	if strings.Contains(told, canary) || strings.Contains(told, "Canary") || !strings.Contains(told, "****") {
		t.Errorf("told of: %s", told)
	}
}

// A holder that was a call of the same import is no reason to wait for nine minutes.
func TestTheHolderIsToldByTheImport(t *testing.T) {
	s := newStage(t)
	begins := s.put("native/usage.ndjson", native(3))
	id := s.answer(begins)
	wish := leaseOf("import usage")
	wish.Work = s.entry(id).ID
	_, err := s.Store.TakeLease(t.Context(), wish) // and dies
	must(t, err)
	other := s.begins("native/usage.ndjson", native(3))
	answer := s.answer(other)
	if answer.Outcome != inbox.WasBusy {
		t.Errorf("the answer is %+v", answer)
	}
	o := operator.New(s.Store, s.Now)
	o.Patience, o.Work = time.Millisecond, wish.Work
	var busy *dynamo.LeaseBusy
	if err := o.CountOpen(t.Context()); !errors.As(err, &busy) || !busy.Former || time.Until(busy.FreeAt) > 2*time.Minute {
		t.Errorf("the same import waits until %v (%v)", busy, err)
	}
}
