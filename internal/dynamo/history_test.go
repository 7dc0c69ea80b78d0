package dynamo_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/ledger"
	"partnerview/internal/usage"
)

func TestAnEventComesBackAsItWasPutForFourHundredDays(t *testing.T) {
	s := engine.NewStore(t)
	e := ledger.Event{ID: "a", At: now, Who: "ann", Command: "grant add", Text: "add grant northwind acme_retail", Incomplete: true,
		Partners: []directory.PartnerID{"northwind"}, PartnerCount: 1, Accounts: []usage.AccountID{"acme_retail"}, AccountCount: 1,
		Summary: []ledger.Count{{Kind: "grant", Action: "add", Count: 1}}}
	older := ledger.Event{ID: "b", At: now.AddDate(0, -2, 0), Command: "apply"}
	must(t, s.PutEvent(t.Context(), older))
	must(t, s.PutEvent(t.Context(), e))
	list := func(since, at time.Time) (all []ledger.Event) {
		for e, err := range s.Events(t.Context(), since, at) {
			must(t, err)
			all = append(all, e)
		}
		return all
	}
	if diff := cmp.Diff([]ledger.Event{e, older}, list(time.Time{}, now)); diff != "" {
		t.Errorf("the history (-want +got):\n%s", diff)
	}
	if got := list(now, now); len(got) != 1 {
		t.Errorf("since now are %+v", got)
	}
	if got := list(time.Time{}, now.AddDate(0, 0, 400)); len(got) != 0 {
		t.Errorf("after 400 days are %+v", got)
	}
}
