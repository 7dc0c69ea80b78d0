package dynamo_test

import (
	"encoding/json"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

func TestRecordsOfAnIDAreFoundAtAllTheirTimes(t *testing.T) {
	s := engine.NewStore(t)
	later := now.Add(time.Hour)
	expired := record(acmeSMS, "u-1", now.Add(time.Minute))
	expired.ExpiresAt = now.Add(-time.Hour)
	write(t, s, record(acmeSMS, "u-1", later), expired, record(acmeSMS, "u-1", now), record(acmeSMS, "u-10", now),
		record(usage.Log{Account: "acme_retail", Product: usage.Voice}, "u-1", now))
	got, err := s.RecordsByID(t.Context(), acmeSMS, "u-1")
	must(t, err)
	var times []time.Time
	for _, r := range got {
		times = append(times, r.Timestamp)
	}
	if want := []time.Time{now, now.Add(time.Minute), later}; !slices.EqualFunc(times, want, time.Time.Equal) {
		t.Errorf("found at %v, want %v", times, want)
	}
	if got, err := s.RecordsByID(t.Context(), acmeSMS, "nobody"); err != nil || len(got) != 0 {
		t.Errorf("an unknown id: %v, %v", got, err)
	}
}

func TestDeletionDeletesWhatItIsToldAndTriesAgainWhatIsLeft(t *testing.T) {
	s, proxy, direct := proxied(t)
	var places []usage.Position
	var batch []usage.Record
	for i := range 60 {
		r := record(acmeSMS, name("u-%02d", i), now)
		if batch = append(batch, r); i > 0 {
			places = append(places, r.Position())
		}
	}
	write(t, direct, batch...)
	places = append(places, usage.Position{Timestamp: now, ID: "nobody"}) // is no error
	var calls atomic.Int32
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if c.Operation != "BatchWriteItem" || calls.Add(1)%2 == 0 {
			return false
		}
		var in struct{ RequestItems json.RawMessage }
		if json.Unmarshal(c.Body, &in) != nil {
			return false
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte(`{"UnprocessedItems":` + string(in.RequestItems) + `}`)) // nothing processed
		return true
	})
	for range 2 {
		must(t, s.DeleteUsage(t.Context(), acmeSMS, places))
	}
	if got := ids(walk(t, direct, acmeSMS, usage.Query{Limit: 100, Now: now.AddDate(-1, 0, 0)}, nil)); !slices.Equal(got, []string{"u-00"}) {
		t.Errorf("left are %v", got)
	}
}
