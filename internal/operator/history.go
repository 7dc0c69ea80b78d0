package operator

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/ledger"
	"partnerview/internal/usage"
)

// NoteEvent puts what a command has changed into the history. It is to be called when the change
// is made, or has failed.
func (o *Operator) NoteEvent(ctx context.Context, e ledger.Event) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	e.At = milliseconds(e.At)
	return o.store.PutEvent(ctx, e)
}

// HistoryQuery says which events are wanted: of a partner, an account, or all where these are
// empty, since a time, or as long as they are kept where that is zero.
type HistoryQuery struct {
	Partner directory.PartnerID
	Account usage.AccountID
	Since   time.Time
}

// History lists what operators have changed, the newest first. An event that touched more
// partners or accounts than it names is in every list: it may have to do with those that are
// asked for. It reads as far as the caller goes on; an error ends it.
func (o *Operator) History(ctx context.Context, q HistoryQuery) iter.Seq2[ledger.Event, error] {
	return func(yield func(ledger.Event, error) bool) {
		for e, err := range o.store.Events(ctx, q.Since, o.now()) {
			if err == nil && !e.MayConcern(q.Partner, q.Account) {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// EventOf is what the history says of some changes. It tells no names: of people their
// IDs, of other names only that they change.
func EventOf(command string, changes []Change) ledger.Event {
	e := ledger.Event{ID: ledger.NewID(), Command: command}
	partners, accounts := make(map[directory.PartnerID]bool), make(map[usage.AccountID]bool)
	var texts []string
	for _, c := range changes {
		partners[c.PartnerID], accounts[c.AccountID] = true, true
		i := slices.IndexFunc(e.Summary, func(s ledger.Count) bool {
			return s.Kind == string(c.Kind) && s.Action == string(c.Action)
		})
		if i < 0 {
			i = len(e.Summary)
			e.Summary = append(e.Summary, ledger.Count{Kind: string(c.Kind), Action: string(c.Action)})
		}
		e.Summary[i].Count++
		if len(texts) < toldChanges {
			texts = append(texts, changeText(c, string(c.ViewerID)))
		}
	}
	if more := len(changes) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	e.Text = strings.Join(texts, "; ")
	e.Of(named(partners), named(accounts))
	return e
}

// toldChanges is how many changes the line of an event tells.
const toldChanges = 5

func named[T ~string](all map[T]bool) (named []T) {
	for one := range all {
		if one != "" {
			named = append(named, one)
		}
	}
	return named
}

// toldFields are those whose values the history tells: none of them is a name.
var toldFields = []string{"products", "currency", "billingMode", "remainingCredit", "creditLimit", "creditAsOf",
	"timeZone", "status", "narrowed", "expiresAt", "revokedAt", "plan"}

// changeText is a change in words, "change grant northwind acme_retail (products: all → sms)"; viewer
// is how the person or key on whose list a grant stands is called.
func changeText(c Change, viewer string) string {
	words := []string{string(c.Action), string(c.Kind), string(c.PartnerID), viewer, string(c.AccountID),
		string(c.Product), c.EffectiveFrom, c.KeyID}
	text := strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), " ")
	if c.Kind == UsageKind {
		text += fmt.Sprintf(" (records: %d)", c.Records)
	}
	var fields []string
	for _, f := range c.Fields {
		switch {
		case !slices.Contains(toldFields, f.Field):
			fields = append(fields, f.Field)
		case c.Action == Add:
			fields = append(fields, f.Field+": "+f.To)
		default:
			fields = append(fields, fmt.Sprintf("%s: %s → %s", f.Field, cmp.Or(f.From, "(none)"),
				cmp.Or(f.To, "(none)")))
		}
	}
	if len(fields) > 0 {
		text += " (" + strings.Join(fields, "; ") + ")"
	}
	return text
}
