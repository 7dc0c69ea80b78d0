package directory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/usage"
)

func TestMoreNotesThanAProfileHoldsBecomeOne(t *testing.T) {
	at := time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
	note, later := directory.Note{Command: "grant remove", At: at}, directory.Note{Command: "grant add", At: at.Add(time.Hour)}
	var of []directory.NoteOf
	for n := range 99 {
		of = append(of, directory.GrantNote(usage.AccountID(fmt.Sprint("acc-", n))))
	}
	e := directory.Edits{Notes: map[directory.NoteOf]directory.Note{directory.StatusNote: note}}
	hundred := e.Noted(note, of)
	if len(hundred) != 100 || len(e.Notes) != 1 {
		t.Errorf("of 99 beside one there are %d, and before %d", len(hundred), len(e.Notes))
	}
	again := directory.Edits{Notes: hundred}.Noted(later, of[:1])
	if len(again) != 100 || again[of[0]] != later || again[of[1]] != note {
		t.Errorf("of one again: %d, %v, %v", len(again), again[of[0]], again[of[1]])
	}
	many := directory.Edits{Notes: hundred}.Noted(later, []directory.NoteOf{directory.ViewerNote("4fzyo82mXw3b")})
	if want := map[directory.NoteOf]directory.Note{directory.ManyNotes: later}; !cmp.Equal(many, want) {
		t.Errorf("of one more: %v", many)
	}
	if more := (directory.Edits{Notes: many}).Noted(later, of[:1]); len(more) != 1 {
		t.Errorf("and then: %v", more)
	}
}

func TestANoteSaysWhatItIsAbout(t *testing.T) {
	if n := directory.GrantNote("b&b"); n.Account() != "b&b" || n.Viewer() != "" {
		t.Errorf("of a grant: %q, %q", n.Account(), n.Viewer())
	}
	if n := directory.ViewerNote("4fzyo82mXw3b"); n.Viewer() != "4fzyo82mXw3b" || n.Account() != "" {
		t.Errorf("of a key: %q, %q", n.Viewer(), n.Account())
	}
	if n := directory.StatusNote; n.Account() != "" || n.Viewer() != "" {
		t.Errorf("of a status: %q, %q", n.Account(), n.Viewer())
	}
	if key, person := directory.ViewerID("4fzyo82mXw3b"), directory.PersonID("https://login.example.com/", "ann"); key.IsPerson() || !person.IsPerson() {
		t.Errorf("a person is %v, a key %v", person.IsPerson(), key.IsPerson())
	}
}
