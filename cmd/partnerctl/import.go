package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"partnerview/internal/importer"
	"partnerview/internal/operator"
)

type importUsageCommand struct {
	Files   []string        `arg:"" name:"FILE" help:"Files to load, gzipped or not; - is standard input."`
	Format  formatArgument  `default:"native" placeholder:"NAME" help:"What the files look like: ${formats}. Default: native."`
	Account accountArgument `placeholder:"ID" help:"The customer of records that name no account."`
	Rejects string          `placeholder:"PATH" type:"path" help:"Where lines that cannot be taken are listed. Default: FILE.rejected.ndjson."`
}

func (importUsageCommand) Help() string {
	return `Lines that cannot be taken are listed with their number, field and reason, and the rest is loaded; the exit code is then 3. To load a file again replaces its records by the same. An import that was interrupted is simply run again.

Example: partnerctl import usage --format connect-sms-csv sms-2026-05.csv.gz`
}

const stdin = "-"

func (c *importUsageCommand) Run(s *session) error {
	if err := c.check(); err != nil {
		return err
	}
	o, err := s.operator(customersTable, usageTable)
	if err != nil {
		return err
	}
	rejects := newRejects(c.Rejects, len(c.Files) > 1)
	total := operator.UsageCounts{Dropped: map[string]int{}}
	begun := time.Now()
	for _, file := range c.Files {
		counts, err := c.load(s, o, file, rejects)
		total = total.Add(counts)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	if err := rejects.close(); err != nil {
		return err
	}
	if s.json {
		if err := s.printJSON(total); err != nil {
			return err
		}
	} else {
		s.printCounts(total, time.Since(begun), rejects.written)
	}
	if total.Rejected > 0 {
		return errRejected
	}
	return nil
}

// check finds what is wrong with the files before the first is loaded.
func (c *importUsageCommand) check() error {
	seen := make(map[string]bool)
	for _, file := range c.Files {
		path := file
		if file != stdin {
			info, err := os.Stat(file)
			if err != nil {
				return err
			}
			if info.IsDir() {
				return operator.Refusal(fmt.Sprintf("%s is a folder: name its files, as %s", file, filepath.Join(file, "*")))
			}
			if path, err = filepath.Abs(file); err != nil {
				return err
			}
		}
		if seen[path] {
			return misuseError(file + " is named twice")
		}
		seen[path] = true
	}
	for _, file := range c.Files {
		list, err := filepath.Abs(newRejects(c.Rejects, false).pathFor(file))
		if err != nil {
			return err
		}
		if seen[list] {
			return misuseError(fmt.Sprintf("%s is to be loaded, and would be overwritten by the list of rejected lines of %s: leave it out, or give another --rejects", list, file))
		}
	}
	return nil
}

// load loads one file.
func (c *importUsageCommand) load(s *session, o *operator.Operator, file string, rejects *rejects) (operator.UsageCounts, error) {
	in, size := s.std.in, int64(-1)
	if file != stdin {
		f, err := os.Open(file)
		if err != nil {
			return operator.UsageCounts{}, err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
		in = f
	}
	progress := s.newProgress(file, size)
	defer progress.end()
	counts, err := o.ImportUsage(s.ctx, io.TeeReader(in, progress), operator.UsageImport{
		Format:   c.Format.format,
		Account:  c.Account.id,
		Rejected: func(r importer.Reject) error { return rejects.add(file, r) },
		Progress: progress.counts,
	})
	if err != nil {
		return counts, err
	}
	return counts, rejects.endOf(file)
}

func (s *session) printCounts(c operator.UsageCounts, took time.Duration, rejected []string) {
	s.table(func(w io.Writer) {
		fmt.Fprintf(w, "read\t%d\n", c.Read)
		fmt.Fprintf(w, "written\t%d\n", c.Written)
		fmt.Fprintf(w, "duplicate\t%d\n", c.Duplicate)
		fmt.Fprintf(w, "rejected\t%d\n", c.Rejected)
	})
	if len(c.Dropped) > 0 {
		var fields []string
		for _, field := range slices.Sorted(maps.Keys(c.Dropped)) {
			fields = append(fields, fmt.Sprintf("%s (%d)", field, c.Dropped[field]))
		}
		s.printf("Dropped fields: %s\n", strings.Join(fields, ", "))
	}
	if len(rejected) > 0 {
		s.printf("Why lines were rejected: %s\n", strings.Join(rejected, ", "))
	}
	if seconds := took.Seconds(); seconds >= 1 {
		s.printf("%.0f records a second, in %.0f s\n", float64(c.Read)/seconds, seconds)
	}
}
