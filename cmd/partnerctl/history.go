package main

import (
	"errors"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/ledger"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type historyCommand struct {
	Partner directory.PartnerID `placeholder:"ID" help:"Only what had to do with this partner."`
	Account usage.AccountID     `placeholder:"ID" help:"Only what had to do with this customer."`
	Since   time.Time           `placeholder:"TIME" help:"Only from this time on, such as 2026-06-01. Default: all of the last 400 days."`
}

// listedHistory is the result for programs.
type listedHistory struct {
	History []listedEvent `json:"history"`
}

type listedEvent struct {
	EventID      string                `json:"eventId"`
	At           string                `json:"at"`
	Who          string                `json:"who"`
	Command      string                `json:"command"`
	Text         string                `json:"text"`
	Partners     []directory.PartnerID `json:"partners"` // the first 100
	PartnerCount int                   `json:"partnerCount"`
	Accounts     []usage.AccountID     `json:"accounts"` // the first 100
	AccountCount int                   `json:"accountCount"`
	Summary      []ledger.Count        `json:"summary"`
	Incomplete   bool                  `json:"incomplete"`
}

func (c *historyCommand) Run(s *session) error {
	o, err := s.operator(ledgerTable)
	if err != nil {
		return err
	}
	out := listedHistory{[]listedEvent{}}
	query := operator.HistoryQuery{Partner: c.Partner, Account: c.Account, Since: c.Since}
	for e, err := range o.History(s.ctx, query) {
		if err != nil {
			return err
		}
		out.History = append(out.History, listedEvent{e.ID, usage.FormatTime(e.At), e.Who, e.Command, e.Text,
			append([]directory.PartnerID{}, e.Partners...), e.PartnerCount,
			append([]usage.AccountID{}, e.Accounts...), e.AccountCount, append([]ledger.Count{}, e.Summary...),
			e.Incomplete})
	}
	return s.print(out, func() {
		t := newTable("when", "by", "command", "what")
		for _, e := range out.History {
			if e.Incomplete {
				e.Text = "not all of: " + e.Text
			}
			t.add(e.At, e.Who, e.Command, e.Text)
		}
		s.showOr(t, "The ledger has no such change.\n")
	})
}

// note puts into the history what the command has changed, or, where failed is an error, was
// about to: what of it is written nobody knows. A command that is
// interrupted still has a moment for it.
func (s *session) note(o *operator.Operator, failed error, changes ...operator.Change) error {
	if errors.As(failed, new(operator.Refused)) {
		return failed // nothing was written
	}
	e := operator.EventOf(s.command, changes)
	e.At, e.Who, e.Incomplete = s.now(), s.who(), failed != nil
	ctx, cancel := lastMoment(s.ctx)
	defer cancel()
	if err := o.NoteEvent(ctx, e); err != nil {
		err = &notNoted{"what was changed stands, but the history does not have it", err}
		return errors.Join(failed, err)
	}
	return failed
}

// changer connects to the tables that a command needs that changes something, and notes it.
func (s *session) changer(needed ...table) (*operator.Operator, error) {
	return s.operator(append(needed, ledgerTable)...)
}
