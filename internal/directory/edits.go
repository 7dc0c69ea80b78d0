package directory

import (
	"strings"
	"time"

	"partnerview/internal/usage"
)

// Edits are what a partner's profile says of how the partner was changed, so that the command of
// one operator does not undo what another's has done.
type Edits struct {
	// Version is another after each change of the partner's status, grants, people and lists;
	// empty: nobody has changed it since there are versions.
	Version string
	// Notes tell what single commands have changed since a directory file has said the same.
	Notes map[NoteOf]Note
}

// NoteOf is what a note is about.
type NoteOf string

// StatusNote is about whether the partner is suspended. ManyNotes stands for more notes than a
// profile may hold: each change of the partner is taken for one that they are about.
const (
	StatusNote NoteOf = "STATUS"
	ManyNotes  NoteOf = "*"
)

const (
	grantNote  = "GRANT#"
	viewerNote = "VIEWER#"
)

// GrantNote is about the partner's grant of a customer, or that there is none.
func GrantNote(account usage.AccountID) NoteOf { return NoteOf(grantNote + string(account)) }

// ViewerNote is about the list of a key or a person, and whether the person may look at all.
func ViewerNote(viewer ViewerID) NoteOf { return NoteOf(viewerNote + string(viewer)) }

// Account is the customer of a GrantNote; empty: it is another.
func (n NoteOf) Account() usage.AccountID { return behind[usage.AccountID](n, grantNote) }

// Viewer is the key or person of a ViewerNote; empty: it is another.
func (n NoteOf) Viewer() ViewerID { return behind[ViewerID](n, viewerNote) }

func behind[T ~string](n NoteOf, prefix string) T {
	if rest, is := strings.CutPrefix(string(n), prefix); is {
		return T(rest)
	}
	return ""
}

// Note is by which command, and when.
type Note struct {
	Command string // "grant add"
	At      time.Time
}

// maxNotes is how many notes a profile holds: some 70 bytes each, and each decision about the
// partner's requests reads the profile.
const maxNotes = 100

// Noted is what the notes are when a command has changed some things. Where they would be too
// many they become one.
func (e Edits) Noted(note Note, of []NoteOf) map[NoteOf]Note {
	after := make(map[NoteOf]Note, len(e.Notes)+len(of))
	for n, before := range e.Notes {
		after[n] = before
	}
	for _, n := range of {
		after[n] = note
	}
	if _, many := after[ManyNotes]; many && len(of) > 0 || len(after) > maxNotes {
		return map[NoteOf]Note{ManyNotes: note}
	}
	return after
}
