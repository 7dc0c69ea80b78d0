package operator

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

// One operator's command does not undo another's work. Each plan that changes a partner's status,
// grants, people or lists claims the partner before it writes: by its version, which must be the
// one that the plan was made of. And a command that changes a single thing leaves a note of it in
// the profile: a file that says otherwise is not applied, unless it may overwrite that; one that
// says the same takes the note away.

// The commands that change a partner, as notes name them.
const (
	grantAdd       = "grant add"
	grantRemove    = "grant remove"
	partnerSuspend = "partner suspend"
	partnerResume  = "partner resume"
	viewerAdd      = "viewer add"
	viewerRemove   = "viewer remove"
	keyCreate      = "key create"
	keyNarrow      = "key narrow"
	keyWiden       = "key widen"
)

// claim is a partner that a plan changes.
type claim struct {
	partner directory.PartnerID
	exists  bool
	before  string // its version
	after   directory.Edits
}

// Undo is what a command has changed, and a file changes to what it says.
type Undo struct {
	PartnerID directory.PartnerID `json:"partnerId"`
	AccountID usage.AccountID     `json:"accountId,omitempty"` // of the grant
	ViewerID  directory.ViewerID  `json:"viewerId,omitempty"`  // of the key or person
	Command   string              `json:"command"`             // "grant add"
	At        string              `json:"at"`                  // in usage.TimeLayout
	Changes   []Change            `json:"changes"`             // that the file makes of it
}

// Refused is a UserError of a plan of which nothing was written.
type Refused struct{ UserError }

func (r Refused) Unwrap() error { return r.UserError }

// Refusal is why a plan may not be carried out as it is; nil: it may.
func (p Plan) Refusal() error {
	if len(p.Undoes) == 0 || p.Overwrite {
		return nil
	}
	var lines strings.Builder
	for _, u := range p.Undoes {
		for _, c := range u.Changes {
			fmt.Fprintf(&lines, "  %s, %s; the file: %s\n", u.Command, u.At,
				changeText(c, cmp.Or(c.Subject, string(c.ViewerID))))
		}
	}
	return Refused{UserError("nothing was written: the file would undo what commands have done since it last said " +
		"the same:\n" + lines.String() + "Put that into the file, or give --overwrite. By whom it was done, " +
		"partnerctl history tells")}
}

// ClearsNotes reports whether a plan takes notes of commands away, or leaves some.
func (p Plan) ClearsNotes() bool { return len(p.claims) > 0 }

// claim takes the partners that a plan changes, before anything is written.
func (o *Operator) claim(ctx context.Context, p Plan) error {
	if err := p.Refusal(); err != nil {
		return err
	}
	for _, c := range p.claims {
		is, err := o.claimOne(ctx, c)
		if err == nil && !is {
			err = Refused{UserError(fmt.Sprintf("nothing was written: %s was changed by somebody else since it was "+
				"read. Run the command again, and look at what it would do", c.partner))}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *Operator) claimOne(ctx context.Context, c claim) (is bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if c.exists {
		return o.store.PutEdits(ctx, c.partner, c.before, c.after)
	}
	return o.isMade(ctx, c)
}

// isMade reports whether a partner that is to be made is not there yet, or by this plan.
func (o *Operator) isMade(ctx context.Context, c claim) (bool, error) {
	edits, err := o.store.Edits(ctx, c.partner)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	return err == nil && edits.Version == c.after.Version, err
}

// stillClaimed asks whether the partners that a plan has claimed are as it left them.
func (o *Operator) stillClaimed(ctx context.Context, p Plan) error {
	for _, c := range p.claims {
		is, err := o.isStill(ctx, c)
		if err == nil && !is {
			err = userErrorf("%s was changed by somebody else while this command waited: what it was to take away "+
				"is taken away, and nothing else written. Run it again, and look at what it would do", c.partner)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *Operator) isStill(ctx context.Context, c claim) (bool, error) {
	if !c.exists {
		return o.isMade(ctx, c)
	}
	edits, err := o.store.Edits(ctx, c.partner)
	return err == nil && edits.Version == c.after.Version, unlessNotFound(err)
}

// editsOf reads how a partner was changed, before anything else of it. Of one that is not stored
// that is nothing.
func (p *planner) editsOf(ctx context.Context, store *dynamo.Store, id directory.PartnerID) (directory.Edits, error) {
	if p.edits != nil {
		return *p.edits, nil
	}
	edits, err := store.Edits(ctx, id)
	return edits, unlessNotFound(err)
}

// newVersion is one that nobody else gives.
func newVersion() string { return rand.Text()[:16] }

// readEdits is editsOf for a command that reads of one partner before it plans.
func (o *Operator) readEdits(ctx context.Context, id directory.PartnerID) (*directory.Edits, error) {
	edits, err := o.store.Edits(ctx, id)
	return &edits, unlessNotFound(err)
}

// notedLists reads the lists of the keys and people that notes are about, where a file says which
// customers their partner has.
func (p *planner) notedLists(ctx context.Context, store *dynamo.Store, entry importer.Partner,
	edits directory.Edits) (map[directory.ViewerID]grantList, error) {
	if p.command != "" || !entry.Grants.IsSet() {
		return nil, nil
	}
	lists := make(map[directory.ViewerID]grantList)
	for of := range edits.Notes {
		if viewer := of.Viewer(); viewer != "" {
			grants, err := store.GrantsOf(ctx, entry.ID, viewer)
			if err != nil {
				return nil, err
			}
			lists[viewer] = byAccount(grants)
		}
	}
	return lists, nil
}

// settle claims the partners that change, and leaves or takes away their notes.
func (p *planner) settle() {
	for _, entry := range p.file.Partners {
		stored := p.partners[entry.ID]
		changes := p.changesOf(entry.ID)
		var after map[directory.NoteOf]directory.Note
		if p.command != "" {
			note := directory.Note{Command: p.command, At: milliseconds(p.now)}
			after = stored.edits.Noted(note, p.leaves(changes))
		} else {
			after = p.judge(entry, stored, changes)
		}
		if len(changes) > 0 || len(after) != len(stored.edits.Notes) {
			p.plan.claims = append(p.plan.claims, claim{entry.ID, stored.exists, stored.edits.Version,
				directory.Edits{Version: stored.next, Notes: after}})
		}
	}
}

// changesOf are the plan's changes of a partner, but for those of names alone.
func (p *planner) changesOf(partner directory.PartnerID) []Change {
	return slices.DeleteFunc(slices.Clone(p.plan.Changes), func(c Change) bool {
		ofNames := c.Action == Alter && !slices.ContainsFunc(c.Fields, func(f FieldChange) bool {
			return f.Field != "name" && f.Field != "customerName"
		})
		return c.PartnerID != partner || ofNames
	})
}

// noteOf is what a change of a partner is about, as a note says it.
func noteOf(c Change) directory.NoteOf {
	switch {
	case c.ViewerID != "":
		return directory.ViewerNote(c.ViewerID)
	case c.KeyID != "":
		return directory.ViewerNote(directory.ViewerID(c.KeyID))
	case c.AccountID != "":
		return directory.GrantNote(c.AccountID)
	}
	return directory.StatusNote
}

// leaves is what a command's notes are about. A key that is made has nothing that was otherwise.
func (p *planner) leaves(changes []Change) (of []directory.NoteOf) {
	if p.command == keyCreate {
		return nil
	}
	for _, c := range changes {
		of = append(of, noteOf(c))
	}
	return of
}

// judge holds a partner's notes against a file: what the file does not tell of stays, what it
// agrees with goes, and what it would undo is told, and goes.
func (p *planner) judge(entry importer.Partner, stored storedPartner,
	changes []Change) map[directory.NoteOf]directory.Note {
	after := make(map[directory.NoteOf]directory.Note)
	for _, of := range slices.Sorted(maps.Keys(stored.edits.Notes)) {
		note := stored.edits.Notes[of]
		undone := slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { return !stored.undoes(c, of) })
		switch {
		case len(undone) > 0:
			p.plan.Undoes = append(p.plan.Undoes,
				Undo{entry.ID, of.Account(), of.Viewer(), note.Command, usage.FormatTime(note.At), undone})
		case !tells(entry, of):
			after[of] = note
		}
	}
	return after
}

// tells reports whether a file says anything of what a note is about. Of keys no file does: it
// tells which customers their partner has.
func tells(entry importer.Partner, of directory.NoteOf) bool {
	switch {
	case of == directory.StatusNote:
		return entry.Status.IsSet()
	case of.Viewer().IsPerson():
		return entry.Viewers.IsSet()
	}
	return entry.Grants.IsSet()
}

// undoes reports whether a change undoes what a note is about: it is of the same or, of a list,
// takes from the partner of what is on it.
func (s storedPartner) undoes(c Change, of directory.NoteOf) bool {
	if of == directory.ManyNotes || noteOf(c) == of {
		return true
	}
	_, listed := s.noted[of.Viewer()][c.AccountID]
	return listed && c.Kind == GrantKind && c.ViewerID == "" && takesAway(c)
}

// takesAway reports whether a grant gives less than before.
func takesAway(c Change) bool {
	if c.Action != Alter {
		return c.Action == Remove
	}
	for _, f := range c.Fields {
		if f.Field != "products" || f.To == allProducts {
			continue
		}
		for product := range strings.SplitSeq(f.From, ",") {
			if !slices.Contains(strings.Split(f.To, ","), product) {
				return true
			}
		}
	}
	return false
}
