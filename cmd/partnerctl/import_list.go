package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"partnerview/internal/ledger"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type importListCommand struct {
	Failed bool      `help:"Only imports that failed: those that say so, and those that began a day ago and have not said how they ended."`
	Since  time.Time `placeholder:"TIME" help:"Only imports that began at this time or later, such as 2026-06-01. Default: all of the last 400 days."`
}

// listedImports is the result for programs.
type listedImports struct {
	Imports []listedImport `json:"imports"`
}

type listedImport struct {
	ImportID     string            `json:"importId"`
	StartedAt    string            `json:"startedAt"`
	EndedAt      *string           `json:"endedAt"`
	Outcome      ledger.Outcome    `json:"outcome"`
	Who          string            `json:"who"`
	Source       string            `json:"source"`
	SHA256       *string           `json:"sha256"` // null: it was not read to its end
	Bytes        int64             `json:"bytes"`
	Kind         ledger.Kind       `json:"kind"`
	Format       *string           `json:"format"`
	From         *string           `json:"from"`
	To           *string           `json:"to"`
	Counts       json.RawMessage   `json:"counts"`
	Accounts     []usage.AccountID `json:"accounts"` // the first 100
	AccountCount int               `json:"accountCount"`
	Error        *string           `json:"error"`
}

func listImport(i operator.Import) listedImport {
	return listedImport{i.ID, usage.FormatTime(i.Started), timeOrNil(i.Ended), i.Outcome, i.Who, i.Source,
		textOrNil(i.SHA256), i.Bytes, i.Kind, textOrNil(i.Format), timeOrNil(i.From), timeOrNil(i.To), i.Counts,
		append([]usage.AccountID{}, i.Accounts...), i.AccountCount, textOrNil(i.Error)}
}

// lineCounts are what a person is shown of the counts.
func (l listedImport) lineCounts() (c struct{ Read, Written, Rejected int }) {
	_ = json.Unmarshal(l.Counts, &c) // of one that runs there are none
	return c
}

func (c *importListCommand) Run(s *session) error {
	o, err := s.operator(ledgerTable)
	if err != nil {
		return err
	}
	out := listedImports{[]listedImport{}}
	for i, err := range o.Imports(s.ctx, c.Since, c.Failed) {
		if err != nil {
			return err
		}
		out.Imports = append(out.Imports, listImport(i))
	}
	return s.print(out, func() {
		t := newTable("started", "import", "outcome", "read", "written", "rejected", "format", "source", "by")
		for _, l := range out.Imports {
			n := l.lineCounts()
			t.add(l.StartedAt, l.ImportID, inColour(string(l.Outcome)), n.Read, n.Written, n.Rejected,
				cmp.Or(orDash(l.Format), string(l.Kind)), shortened(l.Source), l.Who)
		}
		s.showOr(t, "The ledger has no such import.\n")
	})
}

type importShowCommand struct {
	ID string `arg:"" name:"ID" help:"The import's id, as import list shows it."`
}

func (c *importShowCommand) Run(s *session) error {
	o, err := s.operator(ledgerTable)
	if err != nil {
		return err
	}
	i, err := o.Import(s.ctx, strings.ToLower(c.ID))
	if err != nil {
		return err
	}
	out := listImport(i)
	return s.print(out, func() { s.show(importTable(out)) })
}

func importTable(l listedImport) *textTable {
	t := newTable()
	row := func(head string, value any) { t.add(cell{head, bold}, value) }
	row("import", l.ImportID)
	row("outcome", inColour(string(l.Outcome)))
	row("by", l.Who)
	row("source", l.Source)
	row("kind", strings.TrimSpace(string(l.Kind)+" "+strings.TrimPrefix(orDash(l.Format), "-")))
	row("started", l.StartedAt)
	row("ended", orDash(l.EndedAt))
	row("bytes", l.Bytes)
	row("SHA-256", orDash(l.SHA256))
	n := l.lineCounts()
	row("read", n.Read)
	row("written", n.Written)
	row("rejected", n.Rejected)
	row("from", orDash(l.From))
	row("to", orDash(l.To))
	row("customers", accountsText(l.Accounts, l.AccountCount))
	row("error", orDash(l.Error))
	return t
}

// accountsText names some accounts, and says how many more there are.
func accountsText(named []usage.AccountID, all int) string {
	words := make([]string, len(named))
	for i, account := range named {
		words[i] = string(account)
	}
	text := cmp.Or(strings.Join(words, ", "), "-")
	if more := all - len(named); more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}
