package dynamo_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"partnerview/internal/dynamo"
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
	r.Status, r.ErrorCode, r.StatusAt, r.RecordedPrice = o.status, o.code, nil, o.money()
	if o.at != 0 {
		r.StatusAt = new(now.Add(time.Duration(o.at) * time.Second))
	}
	return r
}

func (o outcome) money() *money.Money {
	if o.price == "" {
		return nil
	}
	return &money.Money{Amount: decimal.RequireFromString(o.price), Currency: "EUR"}
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

func TestDeletionDeletesWhatItIsToldAndTriesAgainWhatIsLeft(t *testing.T) {
	s, proxy, direct := proxied(t)
	var positions []usage.Position
	var batch []usage.Record
	for i := range 60 {
		r := record(acmeSMS, name("u-%02d", i), now)
		if batch = append(batch, r); i > 0 {
			positions = append(positions, r.Position())
		}
	}
	write(t, direct, batch...)
	positions = append(positions, usage.Position{Timestamp: now, ID: "nobody"}) // is no error
	var calls atomic.Int32
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if c.Operation != "BatchWriteItem" || calls.Add(1)%2 == 0 {
			return false
		}
		dynamotest.Unprocessed(c, w)
		return true
	})
	for range 2 {
		must(t, s.DeleteUsage(t.Context(), acmeSMS, positions))
	}
	if got := ids(walk(t, direct, acmeSMS, usage.Query{Limit: 100, Now: now.AddDate(-1, 0, 0)}, nil)); !slices.Equal(got, []string{"u-00"}) {
		t.Errorf("left are %v", got)
	}
}
