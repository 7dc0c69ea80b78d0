package operator

import (
	"fmt"
	"testing"
	"time"

	"partnerview/internal/usage"
)

func TestSameSecondForgetsWhatIsLongPast(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	s, noon := NewSameSecond(), time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC)
	record := func(id string, ms int) usage.Record {
		return usage.Record{ID: usage.RecordID(id), Timestamp: noon.Add(time.Duration(ms) * time.Millisecond)}
	}
	s.again(record("first", 0))
	for i := range maxYoung {
		s.again(record(fmt.Sprint(i), 0))
	}
	if !s.again(record("first", 1)) {
		t.Error("a record is forgotten after half a million others")
	}
	for i := range 2 * maxYoung {
		s.again(record(fmt.Sprint("later", i), 0))
	}
	if len(s.young) > maxYoung || len(s.old) > maxYoung || s.again(record("first", 2)) {
		t.Errorf("it knows %d and %d records, and grows", len(s.young), len(s.old))
	}
}
