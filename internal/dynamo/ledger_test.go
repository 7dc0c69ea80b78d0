package dynamo_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/ledger"
	"partnerview/internal/usage"
)

func anImport(id string, started time.Time) ledger.Import {
	return ledger.Import{ID: id, Who: "ann", Source: "sms.csv.gz", SHA256: "00ff", Bytes: 7, Kind: ledger.Usage, Format: "connect-sms-csv",
		From: now.Add(-time.Hour), To: now, Counts: json.RawMessage(`{"read":2}`), Accounts: []usage.AccountID{"acme_retail"}, AccountCount: 1,
		Started: started, Ended: started.Add(time.Second), Outcome: ledger.Done}
}

func importsOf(t *testing.T, s *dynamo.Store, since, at time.Time) []ledger.Import {
	t.Helper()
	var all []ledger.Import
	for i, err := range s.Imports(t.Context(), since, at) {
		must(t, err)
		all = append(all, i)
	}
	return all
}

func TestAnImportComesBackAsItWasPutLast(t *testing.T) {
	s := engine.NewStore(t)
	running := ledger.Import{ID: "a", Who: "ann", Source: "stdin", Kind: ledger.Credit, Started: now, Outcome: ledger.Running}
	must(t, s.PutImport(t.Context(), running))
	if got := importsOf(t, s, now, now); !cmp.Equal(got, []ledger.Import{running}) {
		t.Errorf("while it runs: %s", cmp.Diff(got, []ledger.Import{running}))
	}
	done := anImport("a", now)
	must(t, s.PutImport(t.Context(), done))
	if got := importsOf(t, s, time.Time{}, now); !cmp.Equal(got, []ledger.Import{done}) {
		t.Errorf("done: %s", cmp.Diff(got, []ledger.Import{done}))
	}
}

func TestImportsAreListedNewestFirstOverMonthsAndPages(t *testing.T) {
	s := engine.NewStore(t)
	var want []string
	for n := range 8 { // a page holds 1 MB
		i := anImport(fmt.Sprint("id", n), now.AddDate(0, 0, -20*n))
		text, err := json.Marshal(string(make([]byte, 40_000)))
		must(t, err)
		i.Counts = text
		want = append(want, i.ID)
		for k := range 3 {
			i.ID = fmt.Sprint(want[n], "-", 2-k)
			i.Started = i.Started.Add(time.Millisecond)
			must(t, s.PutImport(t.Context(), i))
		}
	}
	var got []string
	for _, i := range importsOf(t, s, now.AddDate(0, 0, -100), now) {
		got = append(got, i.ID)
	}
	var all []string
	for _, id := range want[:6] {
		all = append(all, id+"-0", id+"-1", id+"-2")
	}
	if !slices.Equal(got, all) {
		t.Errorf("listed are %v, want %v", got, all)
	}
}

func TestTheNewestLoadedImportOfTheSameBytesIsFound(t *testing.T) {
	s := engine.NewStore(t)
	last := func() (string, error) {
		i, err := s.LastImport(t.Context(), "00ff", now)
		return i.ID, err
	}
	if _, err := last(); !fault.Is(err, fault.NotFound) {
		t.Fatalf("of bytes that nobody has loaded: %v", err)
	}
	for _, outcome := range []ledger.Outcome{ledger.Running, ledger.Failed, ledger.Replaced} {
		i := anImport(string(outcome), now)
		i.Outcome = outcome
		must(t, s.PutImport(t.Context(), i))
		if id, err := last(); !fault.Is(err, fault.NotFound) {
			t.Errorf("one that is %s was loaded: %s, %v", outcome, id, err)
		}
	}
	must(t, s.PutImport(t.Context(), anImport("new", now.Add(-time.Hour))))
	rejected := anImport("old", now.Add(-2*time.Hour))
	rejected.Outcome = ledger.Rejected
	must(t, s.PutImport(t.Context(), rejected)) // which began before the other, and ended behind it
	if id, err := last(); id != "new" || err != nil {
		t.Errorf("the newest is %q, %v", id, err)
	}
	rejected.ID, rejected.Started = "newer", now
	must(t, s.PutImport(t.Context(), rejected))
	if id, err := last(); id != "newer" || err != nil {
		t.Errorf("then it is %q, %v", id, err)
	}
}

// DynamoDB deletes what is past its time some days later.
func TestNothingOfTheLedgerIsToldAfterFourHundredDays(t *testing.T) {
	s := engine.NewStore(t)
	must(t, s.PutImport(t.Context(), anImport("a", now)))
	end := now.AddDate(0, 0, 400)
	if got := importsOf(t, s, time.Time{}, end.Add(-time.Second)); len(got) != 1 {
		t.Errorf("a second before, %d are listed", len(got))
	}
	if _, err := s.LastImport(t.Context(), "00ff", end.Add(-time.Second)); err != nil {
		t.Errorf("a second before: %v", err)
	}
	if got := importsOf(t, s, time.Time{}, end); len(got) != 0 {
		t.Errorf("then %d are", len(got))
	}
	if _, err := s.LastImport(t.Context(), "00ff", end); !fault.Is(err, fault.NotFound) {
		t.Errorf("then: %v", err)
	}
}
