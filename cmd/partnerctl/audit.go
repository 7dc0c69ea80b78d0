package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/operator"
	"partnerview/internal/spreadsheet"
	"partnerview/internal/usage"
)

type auditCommand struct {
	Account usage.AccountID      `required:"" placeholder:"ID" help:"The customer's account ID. Capitals count."`
	From    time.Time            `placeholder:"TIME" help:"Only from this time on, such as 2026-11-01 or 2026-11-01T08:00:00Z. Default: 30 days before --to."`
	To      time.Time            `placeholder:"TIME" help:"Only before this time. Default: now."`
	Partner *directory.PartnerID `placeholder:"ID" help:"Only what this partner was shown."`
}

// auditPeriod is how far back is looked where nothing is said.
const auditPeriod = 30 * 24 * time.Hour

// auditLogFile is the variable that names the file of audit lines of one machine.
const auditLogFile = "AUDIT_LOG"

// auditLog is where audit lines are: the log groups of a stack, or a file.
type auditLog interface {
	// Logs are what is read.
	Logs() []readLog
	// Lines are those that may be audit lines of the period that have the account
	// (and the partner, if it is not empty), each once, and maybe others. One that
	// cannot be had is an error: nothing is left out silently.
	Lines(ctx context.Context, q auditQuery, take func(line string)) error
}

// auditQuery is what is asked of a log.
type auditQuery struct {
	account usage.AccountID
	partner directory.PartnerID
	usage.Period
}

// readLog is a log that was read.
type readLog struct {
	Log      string `json:"log"`
	KeptDays *int32 `json:"keptDays"` // null: no line goes by its age
	Since    string `json:"since"`    // all lines from then on are there
	since    time.Time
}

// shownLooks is the result for programs.
type shownLooks struct {
	AccountID  usage.AccountID  `json:"accountId"`
	From       string           `json:"from"`
	To         string           `json:"to"`
	Looks      []shownLook      `json:"looks"`
	Partners   []lookingPartner `json:"partners"`
	Logs       []readLog        `json:"logs"`
	Unreadable int              `json:"unreadable"`
}

type shownLook struct {
	Time        string              `json:"time"`
	PartnerID   directory.PartnerID `json:"partnerId"`
	PartnerName *string             `json:"partnerName"`
	KeyID       string              `json:"keyId"`
	Who         *string             `json:"who"`
	State       *string             `json:"state"`
	What        operator.Shown      `json:"what"`
	Product     *usage.Product      `json:"product"`
	Records     *int                `json:"records"`
	RequestID   string              `json:"requestId"`
}

type lookingPartner struct {
	PartnerID   directory.PartnerID `json:"partnerId"`
	PartnerName *string             `json:"partnerName"`
	Looks       int                 `json:"looks"`
	Records     int                 `json:"records"`
}

func (c *auditCommand) Run(s *session) error {
	q := auditQuery{account: c.Account, Period: usage.Period{From: c.From, To: c.To}}
	if c.Partner != nil {
		q.partner = *c.Partner
	}
	if q.To.IsZero() {
		q.To = s.now().UTC()
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-auditPeriod)
	}
	if !q.From.Before(q.To) {
		return misuseError("--from must be before --to: the period is from the one up to, and without, the other")
	}
	o, err := s.operator(partnersTable, customersTable)
	if err != nil {
		return err
	}
	log, err := s.auditLog()
	if err != nil {
		return err
	}
	looks, unreadable, err := readLooks(s.ctx, log, q)
	if err != nil {
		return err
	}
	who, err := o.Onlookers(s.ctx, looks)
	if err != nil {
		return err
	}
	out := shownLooks{
		AccountID: c.Account, From: usage.FormatTime(q.From), To: usage.FormatTime(q.To), Looks: listLooks(looks, who),
		Logs: log.Logs(), Unreadable: unreadable,
	}
	out.Partners = countLooks(out.Looks)
	if err := s.showLooks(out); err != nil {
		return err
	}
	if len(looks) == 0 && !s.json {
		if err := s.tellUnknownCustomer(o, c.Account); err != nil {
			return err
		}
	}
	if unreadable > 0 {
		fmt.Fprintf(s.std.err, "partnerctl: %s could not be read, and may be of looks that are missing here\n",
			count(unreadable, "line"))
		return errRejected
	}
	return nil
}

// auditLog finds where the audit lines are.
func (s *session) auditLog() (auditLog, error) {
	if s.connection.Stack != "" {
		return s.stackLogs()
	}
	if path := os.Getenv(auditLogFile); path != "" {
		return openAuditFile(path)
	}
	return nil, operator.UserError("which log? On AWS give --stack NAME; on one machine set " + auditLogFile +
		" to the file that make run has printed")
}

// readLooks reads the looks of the period, and counts the lines that cannot be read.
func readLooks(ctx context.Context, log auditLog, q auditQuery) (looks []operator.Look, unreadable int, err error) {
	err = log.Lines(ctx, q, func(line string) {
		look, found, err := operator.ReadLook([]byte(line), q.account)
		switch {
		case err != nil:
			unreadable++
		case found && (q.partner == "" || look.Partner == q.partner) && !look.At.Before(q.From) && look.At.Before(q.To):
			looks = append(looks, look)
		}
	})
	return looks, unreadable, err
}

func listLooks(looks []operator.Look, who []operator.Onlooker) []shownLook {
	out := make([]shownLook, len(looks))
	for i, l := range looks {
		out[i] = shownLook{
			Time: usage.FormatTime(l.At), PartnerID: l.Partner, PartnerName: textOrNil(who[i].PartnerName),
			KeyID: l.KeyID, Who: textOrNil(who[i].Name), State: textOrNil(who[i].State),
			What: l.What, Product: textOrNil(l.Product), RequestID: l.RequestID,
		}
		if l.Product != "" {
			out[i].Records = &l.Records
		}
	}
	return out
}

// countLooks counts by partner, in the order of their IDs.
func countLooks(looks []shownLook) []lookingPartner {
	out := []lookingPartner{}
	for _, l := range looks {
		i, found := slices.BinarySearchFunc(out, l.PartnerID, func(p lookingPartner, id directory.PartnerID) int {
			return cmp.Compare(p.PartnerID, id)
		})
		if !found {
			out = slices.Insert(out, i, lookingPartner{PartnerID: l.PartnerID, PartnerName: l.PartnerName})
		}
		out[i].Looks++
		if l.Records != nil {
			out[i].Records += *l.Records
		}
	}
	return out
}

// showLooks writes the result in the form that was asked for. What people read at the
// end stands apart from the lines of CSV.
func (s *session) showLooks(out shownLooks) error {
	switch {
	case s.json:
		return s.printJSON(out)
	case s.csv:
		summary := *s
		summary.std.out = s.std.err
		defer summary.summarise(out)
		return writeLooks(s.std.out, out.Looks)
	}
	t := newTable("time", "partner", "who", "what", "records")
	for _, l := range out.Looks {
		records := "-"
		if l.Records != nil {
			records = strconv.Itoa(*l.Records)
		}
		t.add(l.Time, partnerText(l.PartnerID, l.PartnerName), whoText(l), whatText(l), records)
	}
	if len(out.Looks) > 0 {
		s.show(t)
		s.printf("\n")
	}
	s.summarise(out)
	return nil
}

// summarise tells how many looks there were, of which period, and by what that is
// known.
func (s *session) summarise(out shownLooks) {
	by := make([]string, len(out.Partners))
	looks := 0
	for i, p := range out.Partners {
		looks += p.Looks
		by[i] = fmt.Sprintf("%s %s, %s", partnerText(p.PartnerID, p.PartnerName), count(p.Looks, "look"),
			count(p.Records, "record"))
	}
	if looks == 0 {
		s.printf("Nobody was shown data of %s from %s up to %s, as far as these logs tell.\n", out.AccountID, out.From,
			out.To)
	} else {
		s.printf("%s at %s from %s up to %s: %s.\n", count(looks, "look"), out.AccountID, out.From, out.To,
			strings.Join(by, "; "))
	}
	for _, log := range out.Logs {
		kept, missing := "", ""
		if log.KeptDays != nil {
			kept = fmt.Sprintf(" (kept for %s)", count(*log.KeptDays, "day"))
		}
		if log.Since > out.From { // both are usage.FormatTime's
			missing = ": what was before is not there"
		}
		s.printf("  %s%s has all lines since %s%s\n", log.Log, kept, log.Since, missing)
	}
}

// tellUnknownCustomer tells of an account that may be misspelt: an answer that finds
// nothing would be taken for the truth.
func (s *session) tellUnknownCustomer(o *operator.Operator, account usage.AccountID) error {
	_, err := o.ShowCustomer(s.ctx, account)
	if unknown := operator.UserError(""); errors.As(err, &unknown) {
		fmt.Fprintf(s.std.err, "There is no customer %s now: check how it is written\n", account)
		return nil
	}
	return err
}

func partnerText(id directory.PartnerID, name *string) string {
	if name == nil {
		return string(id)
	}
	return fmt.Sprintf("%s (%s)", id, shortened(*name))
}

// whoText is "their billing export (4fzyo82mXw3b)", or the key ID where no more is
// known. A state that is not as it should be stands behind the ID.
func whoText(l shownLook) string {
	known := l.KeyID
	if l.State != nil && *l.State != "active" {
		known += ", " + *l.State
	}
	if l.Who == nil {
		return known
	}
	return fmt.Sprintf("%s (%s)", shortened(*l.Who), known)
}

// whatText is "customer", "list", "sms log" or "one sms record".
func whatText(l shownLook) string {
	switch {
	case l.Product == nil:
		return string(l.What)
	case l.What == operator.ShownRecord:
		return fmt.Sprintf("one %s record", *l.Product)
	}
	return fmt.Sprintf("%s %s", *l.Product, l.What)
}

// writeLooks writes CSV as RFC 4180 has it.
func writeLooks(w io.Writer, looks []shownLook) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write([]string{"time", "partnerId", "partnerName", "keyId", "who", "state", "what", "product", "records",
		"requestId"}) // Flush keeps the first error
	for _, l := range looks {
		records := ""
		if l.Records != nil {
			records = strconv.Itoa(*l.Records)
		}
		_ = out.Write([]string{l.Time, string(l.PartnerID), guarded(l.PartnerName), l.KeyID, guarded(l.Who),
			textOf(l.State), string(l.What), textOf(l.Product), records, l.RequestID})
	}
	out.Flush()
	return out.Error()
}

// guarded is a text of others that a spreadsheet does not take for a formula.
func guarded(text *string) string { return spreadsheet.Guard(textOf(text)) }

func textOf[T ~string](text *T) string {
	if text == nil {
		return ""
	}
	return string(*text)
}

// auditFile is the file that the product on one machine writes. Its first line says
// since when it has all lines.
type auditFile struct {
	path  string
	since time.Time
}

func openAuditFile(path string) (auditFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return auditFile{}, err
	}
	defer file.Close()
	line, err := bufio.NewReader(file).ReadBytes('\n')
	var first struct{ Time time.Time }
	if err != nil || json.Unmarshal(line, &first) != nil || first.Time.IsZero() {
		return auditFile{}, operator.UserError(fmt.Sprintf("%s is not a log of make run: check %s", path, auditLogFile))
	}
	return auditFile{path, first.Time}, nil
}

func (f auditFile) Logs() []readLog {
	return []readLog{{Log: f.path, Since: usage.FormatTime(f.since)}}
}

func (f auditFile) Lines(ctx context.Context, _ auditQuery, take func(string)) error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	for r := bufio.NewReader(file); ctx.Err() == nil; {
		line, err := r.ReadString('\n')
		if line != "" {
			take(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
