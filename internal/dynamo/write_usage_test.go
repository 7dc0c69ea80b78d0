package dynamo_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// outcome is a record's, as "status@second code price"; second "-" is no time.
type outcome struct {
	status usage.Status
	at     int // seconds after now; 0: not told
	code   string
	price  string
}

func (o outcome) on(r usage.Record) usage.Record {
	r.Status, r.ErrorCode, r.StatusAt, r.RecordedPrice = o.status, o.code, nil, nil
	if o.at != 0 {
		r.StatusAt = instant(now.Add(time.Duration(o.at) * time.Second))
	}
	if o.price != "" {
		r.RecordedPrice = &money.Money{Amount: decimal.RequireFromString(o.price), Currency: "EUR"}
	}
	return r
}

func TestNewerOutcomeIsNeverReplacedByAnOlder(t *testing.T) {
	tests := []struct {
		name          string
		first, second outcome
		want          outcome
	}{
		{"a newer one replaces", outcome{"sent", 1, "", "0.1"}, outcome{"delivered", 2, "", "0.2"}, outcome{"delivered", 2, "", "0.2"}},
		{"an older one does not", outcome{"delivered", 2, "", "0.2"}, outcome{"sent", 1, "E1", "0.1"}, outcome{"delivered", 2, "", "0.2"}},
		{"of the same time, the one that is further along", outcome{"failed", 1, "E1", ""}, outcome{"sent", 1, "", "0.1"}, outcome{"failed", 1, "E1", "0.1"}},
		{"without a time, the later to come", outcome{"sent", 0, "E1", "0.1"}, outcome{"failed", 0, "", "0.2"}, outcome{"failed", 0, "", "0.2"}},
		{"one without a time counts as oldest", outcome{"delivered", 1, "", "0.1"}, outcome{"sent", 0, "E1", "0.2"}, outcome{"delivered", 1, "", "0.1"}},
		{"and any time as newer", outcome{"delivered", 0, "E1", "0.1"}, outcome{"sent", 1, "", "0.2"}, outcome{"sent", 1, "", "0.2"}},
		{"its parts stay together", outcome{"failed", 2, "E1", ""}, outcome{"sent", 1, "", "0.1"}, outcome{"failed", 2, "E1", ""}},
	}
	for _, tt := range tests {
		first, second := tt.first.on(record(acmeSMS, "u-1", now)), tt.second.on(record(acmeSMS, "u-1", now))
		first.Country, second.Country = "GB", "DE"
		want := tt.want.on(second) // all but the outcome is the second's
		check := func(how string, s *dynamo.Store) {
			t.Helper()
			got, err := s.Record(t.Context(), acmeSMS, "u-1", now)
			must(t, err)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(masking.Number{})); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", tt.name, how, diff)
			}
		}
		s := engine.NewStore(t)
		write(t, s, first, second)
		check("in one batch", s)
		s = engine.NewStore(t)
		write(t, s, first)
		write(t, s, second)
		check("in two batches", s)
		write(t, s, first, second)
		check("and once more", s)
	}
}

func TestBatchCountsWhatItWritesOnce(t *testing.T) {
	s := engine.NewStore(t)
	batch := []usage.Record{
		record(acmeSMS, "u-1", now),
		record(acmeSMS, "u-2", now),
		record(acmeSMS, "u-1", now),
		record(acmeSMS, "u-1", now.Add(time.Millisecond)),                              // another timestamp, another record
		record(usage.Log{Account: "acme_retail", Product: usage.Voice}, "u-1", now),    // another log
		record(usage.Log{Account: "acme_retail2", Product: usage.SMS}, "u-1", now),     // another account
		record(acmeSMS, "u-1", now.Add(time.Microsecond).In(time.FixedZone("", 3600))), // the same millisecond
		record(usage.Log{Account: "acme_retail", Product: usage.SMS}, "u-3", now.AddDate(1, 0, 0)),
	}
	for range 2 { // importing again counts alike: it replaces
		got, err := s.WriteUsage(t.Context(), batch)
		must(t, err)
		if want := (dynamo.Written{Records: 6, Duplicates: 2}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if got := ids(walk(t, s, acmeSMS, usage.Query{Limit: 10, Order: usage.OldestFirst, Now: now}, nil)); !slices.Equal(got, []string{"u-1", "u-2", "u-1", "u-3"}) {
		t.Errorf("stored are %v", got)
	}
	if got, err := s.WriteUsage(t.Context(), nil); err != nil || got != (dynamo.Written{}) {
		t.Errorf("an empty batch: %+v, %v", got, err)
	}
	if _, err := s.WriteUsage(t.Context(), make([]usage.Record, dynamo.MaxUsageBatch+1)); err == nil {
		t.Error("a batch that is too large is taken")
	}
}

func TestBatchOf100TakesOneReadAndFourWrites(t *testing.T) {
	s, proxy, _ := proxied(t)
	var batch []usage.Record
	for i := range dynamo.MaxUsageBatch {
		batch = append(batch, record(acmeSMS, name("u-%d", i), now))
	}
	write(t, s, batch...)
	want := []string{"BatchGetItem", "BatchWriteItem", "BatchWriteItem", "BatchWriteItem", "BatchWriteItem"}
	if got := proxy.Operations(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestUnprocessedItemsAreWrittenInTheEnd(t *testing.T) {
	s, proxy, direct := proxied(t)
	var calls atomic.Int32
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		n := calls.Add(1)
		switch {
		case c.Operation == "BatchWriteItem" && n%2 == 0: // nothing processed
			var in struct{ RequestItems json.RawMessage }
			if json.Unmarshal(c.Body, &in) != nil {
				return false
			}
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			_, _ = w.Write([]byte(`{"UnprocessedItems":` + string(in.RequestItems) + `}`))
			return true
		case c.Operation == "BatchGetItem" && n < 3:
			var in struct{ RequestItems json.RawMessage }
			if json.Unmarshal(c.Body, &in) != nil {
				return false
			}
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			_, _ = w.Write([]byte(`{"Responses":{},"UnprocessedKeys":` + string(in.RequestItems) + `}`))
			return true
		}
		return false
	})
	batch := sampleLog()
	got, err := s.WriteUsage(t.Context(), batch)
	must(t, err)
	if got.Records != len(batch) {
		t.Errorf("counted %d of %d", got.Records, len(batch))
	}
	stored := walk(t, direct, acmeSMS, usage.Query{Limit: 100, Now: now.AddDate(-1, 0, 0)}, nil)
	if len(stored) != len(batch) {
		t.Errorf("stored %d of %d", len(stored), len(batch))
	}
}

func TestWritesOutlastThrottlingAndARestartOfTheEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	own := dynamotest.Start(t)
	s := own.NewStore(t)
	own.Stop()
	done := make(chan error, 1)
	go func() {
		_, err := s.WriteUsage(t.Context(), []usage.Record{record(acmeSMS, "u-1", now)})
		done <- err
	}()
	time.Sleep(700 * time.Millisecond) // beyond the tries that a request would make
	own.Restart(t)
	select {
	case err := <-done:
		must(t, err)
	case <-time.After(15 * time.Second):
		t.Fatal("the write did not go on after the restart")
	}
	_, err := s.Record(t.Context(), acmeSMS, "u-1", now)
	must(t, err)
}

func TestWriteEndsWithItsContext(t *testing.T) {
	s, proxy, _ := proxied(t)
	proxy.Meddle(func(_ dynamotest.Call, w dynamotest.Answer) bool { dynamotest.Throttle(w); return true })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := s.WriteUsage(ctx, []usage.Record{record(acmeSMS, "u-1", now)})
	if !fault.Is(err, fault.Unavailable) || time.Since(begun) > 2*time.Second {
		t.Errorf("after %s: %v; want unavailable when the context ends", time.Since(begun), err)
	}
}

func TestWriteThatIsRefusedIsNotTriedAgain(t *testing.T) {
	s, proxy, _ := proxied(t)
	proxy.Meddle(func(_ dynamotest.Call, w dynamotest.Answer) bool {
		dynamotest.Refuse(w, "AccessDeniedException")
		return true
	})
	if _, err := s.WriteUsage(t.Context(), []usage.Record{record(acmeSMS, "u-1", now)}); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v, want internal", err)
	}
	if calls := proxy.Operations(); len(calls) != 1 {
		t.Errorf("it was tried %d times", len(calls))
	}
}
