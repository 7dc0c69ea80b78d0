package operator

import (
	"context"
	"iter"
	"time"

	"partnerview/internal/ledger"
)

// Import is what the ledger says of one file that was loaded, or is being loaded.
type Import = ledger.Import

// ImportOutcome is what came of it.
type ImportOutcome = ledger.Outcome

// NoteImport puts what is known of an import into the ledger, whole: what was said before under
// the same Started and ID is replaced. It is to be called when the file begins, with
// ledger.Running, so that one that is killed stays visible, and again when it has ended.
func (o *Operator) NoteImport(ctx context.Context, i Import) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	i.Started, i.Ended = milliseconds(i.Started), milliseconds(i.Ended)
	return o.store.PutImport(ctx, i)
}

func milliseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// LoadedBefore finds the newest import by which the same bytes were loaded, and reports whether
// there is one. To be told of a former one it must be asked before the present one is noted as
// done.
func (o *Operator) LoadedBefore(ctx context.Context, sha256 string) (Import, bool, error) {
	if sha256 == "" {
		return Import{}, false, nil
	}
	i, err := o.store.LastImport(ctx, sha256, o.now())
	return i, err == nil, unlessNotFound(err)
}

// Imports lists the imports that began since a time, the newest first, or of these only those
// that have failed (ledger.Import.HasFailed). Zero: all that the ledger keeps. It reads as far
// as the caller goes on; an error ends it.
func (o *Operator) Imports(ctx context.Context, since time.Time, failedOnly bool) iter.Seq2[Import, error] {
	return func(yield func(Import, error) bool) {
		for i, err := range o.store.Imports(ctx, since, o.now()) {
			if err == nil && failedOnly && !i.HasFailed(o.now()) {
				continue
			}
			if !yield(i, err) {
				return
			}
		}
	}
}

// Import finds an import by its id. UserError: there is none.
func (o *Operator) Import(ctx context.Context, id string) (Import, error) {
	for i, err := range o.Imports(ctx, time.Time{}, false) {
		if err != nil || i.ID == id {
			return i, err
		}
	}
	return Import{}, userErrorf("the ledger has no import %q of the last %d days: partnerctl import list shows those "+
		"that it has", id, ledger.KeptDays)
}
