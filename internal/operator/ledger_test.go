package operator_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"partnerview/internal/ledger"
	"partnerview/internal/operator"
)

func noted(id string, started time.Time, outcome ledger.Outcome) operator.Import {
	return operator.Import{ID: id, Who: "ann", Source: "sms.csv", SHA256: "00ff", Kind: ledger.Usage, Started: started, Outcome: outcome}
}

func TestImportsAreFoundByTimeByFailureAndById(t *testing.T) {
	o, _ := newOperator(t)
	for _, i := range []operator.Import{
		noted("done", now, ledger.Done), noted("runs", now.Add(-time.Hour), ledger.Running), noted("killed", now.AddDate(0, 0, -2), ledger.Running),
		noted("failed", now.AddDate(0, -3, 0), ledger.Failed),
	} {
		must(t, o.NoteImport(t.Context(), i))
	}
	list := func(since time.Time, failedOnly bool) (ids []string) {
		for i, err := range o.Imports(t.Context(), since, failedOnly) {
			must(t, err)
			ids = append(ids, i.ID)
		}
		return ids
	}
	if got := list(time.Time{}, false); !slices.Equal(got, []string{"done", "runs", "killed", "failed"}) {
		t.Errorf("all are %v", got)
	}
	if got := list(now.AddDate(0, -1, 0), false); !slices.Equal(got, []string{"done", "runs", "killed"}) {
		t.Errorf("of a month are %v", got)
	}
	if got := list(time.Time{}, true); !slices.Equal(got, []string{"killed", "failed"}) {
		t.Errorf("failed are %v", got)
	}
	if i, err := o.Import(t.Context(), "failed"); err != nil || i.Outcome != ledger.Failed {
		t.Errorf("by its id: %+v, %v", i, err)
	}
	if _, err := o.Import(t.Context(), "nobody"); !errors.As(err, new(operator.UserError)) {
		t.Errorf("one that is not there: %v", err)
	}
}

func TestASecondImportOfTheSameBytesKnowsOfTheFirst(t *testing.T) {
	o, _ := newOperator(t)
	if _, before, err := o.LoadedBefore(t.Context(), "00ff"); before || err != nil {
		t.Errorf("before the first: %v, %v", before, err)
	}
	must(t, o.NoteImport(t.Context(), noted("first", now.Add(-time.Hour), ledger.Running)))
	must(t, o.NoteImport(t.Context(), noted("first", now.Add(-time.Hour), ledger.Done)))
	if i, before, err := o.LoadedBefore(t.Context(), "00ff"); !before || i.ID != "first" || err != nil {
		t.Errorf("before the second: %+v, %v, %v", i, before, err)
	}
	if _, before, err := o.LoadedBefore(t.Context(), ""); before || err != nil {
		t.Errorf("a file that was not read to its end: %v, %v", before, err)
	}
}
