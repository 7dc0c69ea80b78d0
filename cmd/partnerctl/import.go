package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerview/internal/importer"
	"partnerview/internal/ledger"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type importUsageCommand struct {
	Files        []string        `arg:"" name:"FILE" help:"Files and folders to load, gzipped or not; - is standard input. Of a folder those files are loaded that end as the format's do (.ndjson, .jsonl or .csv, and .gz behind it), in the order of their names; its sub-folders are not."`
	Format       importer.Format `default:"native" placeholder:"NAME" help:"What the files look like: ${formats}. Default: native."`
	Account      usage.AccountID `placeholder:"ID" help:"The customer of records that name no account."`
	Since        time.Time       `placeholder:"TIME" help:"Load only what is from this time on, such as 2026-06-01 or 2026-06-01T12:00:00Z: records by their timestamp, receipts by the time of their status."`
	Until        time.Time       `placeholder:"TIME" help:"Load only what is before this time."`
	DryRun       bool            `help:"Read and count, list what would be rejected, and write nothing."`
	CountChanges bool            `help:"Compare records with what is stored, and count the new, changed and unchanged ones. Unchanged records are not written again."`
	Rejects      string          `placeholder:"PATH" type:"path" help:"Where lines that cannot be taken are listed. Default: FILE.rejected.ndjson. A list of an earlier run is replaced, no other file is."`
	KeepGoing    bool            `help:"Go on even if the first hundred lines of a file are all rejected for one reason, which otherwise ends its load."`
	Through      time.Time       `placeholder:"TIME" help:"Until when all usage is loaded then, of the accounts in the files and of --account: a day without records before it is one without usage, and no longer one that was not loaded yet."`
}

// importedUsage is the result for programs.
type importedUsage struct {
	DryRun bool `json:"dryRun"`
	operator.UsageCounts
	loadSummary
}

func (c *importUsageCommand) Run(s *session) error {
	period := usage.Period{From: c.Since, To: c.Until}
	if !period.From.IsZero() && !period.To.IsZero() && !period.From.Before(period.To) {
		return misuseError("--since must be before --until: the period between them is empty")
	}
	files, err := s.inputs(c.Files, c.Format.Endings(), c.Rejects)
	if err != nil {
		return err
	}
	if !c.Through.IsZero() && len(c.Format.Products()) == 0 {
		return misuseError("--through is for logs: receipts say nothing of which records there are")
	}
	if importer.IsAhead(c.Through, s.now()) {
		return misuseError("--through lies in the future: of a time that has not come nobody can have loaded " +
			"all usage, and what was said of a log is never taken back")
	}
	needed := []table{customersTable, usageTable}
	if !c.DryRun {
		needed = append(needed, countingTables()...)
	}
	o, err := s.operator(needed...)
	if err != nil {
		return err
	}
	total := operator.UsageCounts{Dropped: map[string]int{}}
	begun := time.Now()
	var loaded loadSummary
	diary := s.notes(o, ledger.Usage, string(c.Format), c.DryRun)
	err = o.LoadUsage(s.ctx, operator.UsageImport{
		Format: c.Format, Account: c.Account, Period: period, Through: c.Through, DryRun: c.DryRun,
		CountChanges: c.CountChanges, KeepGoing: c.KeepGoing, SameSecond: operator.NewSameSecond(),
	}, func(one operator.UsageLoader) (err error) {
		loaded, err = s.load(files, c.Rejects, diary,
			func(in io.Reader, shown *progress, reject func(importer.Reject) error) (loadCounts, error) {
				counts, err := one(in, reject, shown.counts)
				total = total.Add(counts)
				return loadCounts{counts.Read, counts.Written, counts.Rejected, counts, counts.Touched}, err
			})
		return err
	})
	if err != nil && loaded.Error == "" {
		loaded.Error = explain(s.ctx, err)
	}
	took := time.Since(begun)
	return s.endLoad(err, importedUsage{c.DryRun, total, loaded}, total.Read, total.Rejected, func() {
		s.printUsage(total)
		s.printRejects(loaded, c.DryRun)
		s.printAgain(loaded.Again)
		if seconds := took.Seconds(); seconds >= 1 {
			s.printf("%.0f records a second, in %.0f s\n", float64(total.Read)/seconds, seconds)
		}
	})
}

func (s *session) printUsage(c operator.UsageCounts) {
	t := newTable()
	t.add("read", c.Read)
	t.add("written", c.Written)
	if changes := c.Changes; changes != nil {
		t.add("  new", changes.New)
		t.add("  changed", changes.Changed)
		t.add("  unchanged", changes.Unchanged)
	}
	t.add("duplicate", c.Duplicate)
	t.add("rejected", c.Rejected)
	if c.Outside > 0 {
		t.add("outside", c.Outside)
	}
	s.show(t)
	if len(c.Dropped) > 0 {
		var fields []string
		for _, field := range slices.Sorted(maps.Keys(c.Dropped)) {
			fields = append(fields, fmt.Sprintf("%s (%d)", field, c.Dropped[field]))
		}
		s.printf("Dropped fields: %s\n", strings.Join(fields, ", "))
	}
	if c.SameSecond > 0 {
		s.printf("At two times of one second, and so two records each: %s. Was a log exported with fractions of a "+
			"second, and without?\n", count(c.SameSecond, "id"))
	}
	for _, field := range slices.Sorted(maps.Keys(c.Unread)) {
		shown := ""
		for _, value := range c.UnreadValues[field] {
			shown += fmt.Sprintf(", %q", value)
		}
		if shown != "" {
			shown = ", as" + shown[1:]
		}
		s.printf("Unread, and left unknown: %s (%d%s)\n", field, c.Unread[field], shown)
	}
}

type importCreditCommand struct {
	Files     []string `arg:"" name:"FILE" help:"Files and folders to load, CSV or NDJSON, gzipped or not; - is standard input. Of a folder the files that end in .csv, .ndjson or .jsonl are loaded, with .gz behind it or not."`
	DryRun    bool     `help:"Read and count, list what would be rejected, and write nothing."`
	Rejects   string   `placeholder:"PATH" type:"path" help:"Where lines that cannot be taken are listed. Default: FILE.rejected.ndjson. A list of an earlier run is replaced, no other file is."`
	Decimal   string   `enum:",point,comma" default:"" placeholder:"MARK" help:"How amounts in CSV are written: point, such as 1520.73, or comma, such as 1520,73 or 1.520,73. Without it, with a point; and where semicolons separate the columns, an amount as 1.520, which may be either, is rejected."`
	KeepGoing bool     `help:"Go on even if the first hundred lines of a file are all rejected for one reason, which otherwise ends its load."`
}

// importedCredit is the result for programs.
type importedCredit struct {
	DryRun bool `json:"dryRun"`
	operator.CreditCounts
	loadSummary
}

func (c *importCreditCommand) Run(s *session) error {
	files, err := s.inputs(c.Files, []string{".csv", ".ndjson", ".jsonl"}, c.Rejects)
	if err != nil {
		return err
	}
	needed := []table{customersTable}
	if !c.DryRun {
		needed = append(needed, ledgerTable)
	}
	o, err := s.operator(needed...)
	if err != nil {
		return err
	}
	var total operator.CreditCounts
	loaded, err := s.load(files, c.Rejects, s.notes(o, ledger.Credit, "", c.DryRun),
		func(in io.Reader, _ *progress, reject func(importer.Reject) error) (loadCounts, error) {
			counts, err := o.ImportCredit(s.ctx, in, operator.CreditImport{DryRun: c.DryRun,
				Decimal: importer.DecimalMark(c.Decimal), KeepGoing: c.KeepGoing, Rejected: reject})
			total = total.Add(counts)
			return loadCounts{counts.Read, counts.Written, counts.Rejected, counts, counts.Touched}, err
		})
	return s.endLoad(err, importedCredit{c.DryRun, total, loaded}, total.Read, total.Rejected, func() {
		t := newTable()
		t.add("read", total.Read)
		t.add("written", total.Written)
		t.add("unchanged", total.Unchanged)
		t.add("older", total.Older)
		t.add("rejected", total.Rejected)
		s.show(t)
		s.printRejects(loaded, c.DryRun)
		s.printAgain(loaded.Again)
	})
}
