package main

import (
	"errors"
	"fmt"
	"io"

	"partnerview/internal/importer"
	"partnerview/internal/operator"
)

type importCreditCommand struct {
	Files     []string `arg:"" name:"FILE" help:"Files and folders to load, CSV or NDJSON, gzipped or not; - is standard input. Of a folder the files that end in .csv, .ndjson or .jsonl are loaded, with .gz behind it or not."`
	DryRun    bool     `help:"Read and count, list what would be rejected, and write nothing."`
	Rejects   string   `placeholder:"PATH" type:"path" help:"Where lines that cannot be taken are listed. Default: FILE.rejected.ndjson. A list of an earlier run is replaced, no other file is."`
	Decimal   string   `enum:",point,comma" default:"" placeholder:"MARK" help:"How amounts in CSV are written: point, as 1520.73, or comma, as 1520,73 or 1.520,73. Without it, with a point; and where semicolons separate the columns, an amount as 1.520, which may be either, is rejected."`
	KeepGoing bool     `help:"Go on where the first hundred lines of a file are all rejected for one reason, which else ends its load."`
}

func (importCreditCommand) Help() string {
	return `A line tells an account, what it has left, and as of when; it may tell the currency, which must then be the customer's. A credit never replaces one of a later time, so files may come in any order, and an import that was interrupted is simply run again. Nothing but the credit of a customer changes.

Example: partnerctl import credit credit-2026-06-01.csv`
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
	o, err := s.operator(customersTable)
	if err != nil {
		return err
	}
	var total operator.CreditCounts
	loaded, err := s.load(files, c.Rejects, func(in io.Reader, _ *progress, reject func(importer.Reject) error) (loadCounts, error) {
		counts, err := o.ImportCredit(s.ctx, in, operator.CreditImport{DryRun: c.DryRun, Decimal: importer.DecimalMark(c.Decimal), KeepGoing: c.KeepGoing, Rejected: reject})
		total = total.Add(counts)
		return loadCounts{counts.Read, counts.Written}, err
	})
	switch {
	case s.json:
		err = errors.Join(err, s.printJSON(importedCredit{c.DryRun, total, loaded}))
	case err == nil || total.Read > 0:
		s.printCredit(total, c.DryRun, loaded)
	}
	if err == nil && total.Rejected > 0 {
		return errRejected
	}
	return err
}

func (s *session) printCredit(c operator.CreditCounts, dry bool, loaded loadSummary) {
	s.table(func(w io.Writer) {
		fmt.Fprintf(w, "read\t%d\n", c.Read)
		fmt.Fprintf(w, "written\t%d\n", c.Written)
		fmt.Fprintf(w, "unchanged\t%d\n", c.Unchanged)
		fmt.Fprintf(w, "older\t%d\n", c.Older)
		fmt.Fprintf(w, "rejected\t%d\n", c.Rejected)
	})
	s.printRejects(loaded)
	if dry {
		s.printf("A dry run: nothing was written.\n")
	}
}
