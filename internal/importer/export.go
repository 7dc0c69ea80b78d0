package importer

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// export says how a CSV export of the platform becomes records.
type export struct {
	needs []string // the columns that no record can do without, besides the account's
	read  func(*exportRows)
}

// exportRows reads a CSV export. Columns are found by their names in the header,
// whatever their order, case and underscores; those that nobody asks for are
// passed over.
type exportRows struct {
	records csvRecords
	header  map[string]int // by columnKey
	at      map[string]int // columns that were asked for, by the name asked for; -1: there is none
	draft   draft
	read    func(*exportRows)
	atlas   atlas // made for the first call
}

const maxColumns = 1000

// The columns that name the account, in every export that has them.
const (
	subAccountColumn = "subAccountId"
	accountColumn    = "accountId"
)

func openExport(text io.Reader, o Options, e export) (rows, error) {
	x := &exportRows{
		records: csvRecords{lines: newLines(text)},
		header:  map[string]int{}, at: map[string]int{},
		draft: newDraft(o), read: e.read,
	}
	if err := x.readHeader(); err != nil {
		return nil, err
	}
	var absent []string
	for _, name := range e.needs {
		if x.column(name) < 0 {
			absent = append(absent, name)
		}
	}
	if len(absent) > 0 {
		return nil, fmt.Errorf("the header has no column %s: is the file of this format?", strings.Join(absent, ", "))
	}
	if x.column(subAccountColumn) < 0 && x.column(accountColumn) < 0 && o.Account == "" {
		return nil, fmt.Errorf("the header has neither %s nor %s, and no account is given for the file", subAccountColumn, accountColumn)
	}
	return x, nil
}

func (x *exportRows) readHeader() error {
	if _, err := x.records.next(); err != nil {
		switch {
		case err == io.EOF:
			return errors.New("the file is empty: there is no header")
		case errors.As(err, new(broken)):
			return fmt.Errorf("the header %w; is the file of this format?", err)
		}
		return err
	}
	x.records.columns = len(x.records.ends)
	if x.records.columns > maxColumns {
		return fmt.Errorf("the header has more than %d columns", maxColumns)
	}
	for i := range x.records.ends {
		name := x.records.field(i)
		key := columnKey(name)
		if _, twice := x.header[key]; twice && key != "" {
			return fmt.Errorf("the header has a column %stwice", quoted(name))
		}
		x.header[key] = i
	}
	return nil
}

// columnKey is what all spellings of a column's name have in common.
func columnKey(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// column is where a column stands, or -1.
func (x *exportRows) column(name string) int {
	at, asked := x.at[name]
	if !asked {
		var found bool
		if at, found = x.header[columnKey(name)]; !found {
			at = -1
		}
		x.at[name] = at
	}
	return at
}

// text is what the record at hand has in a column; empty too where there is no
// such column.
func (x *exportRows) text(column string) string {
	if at := x.column(column); at >= 0 {
		return x.records.field(at)
	}
	return ""
}

// col is a column's name, and what the record at hand has there.
func (x *exportRows) col(column string) (name, text string) { return column, x.text(column) }

func (x *exportRows) next() (Row, error) {
	number, err := x.records.next()
	if err != nil {
		if reason := broken(""); errors.As(err, &reason) {
			return rejectedLine(number, string(reason)), nil
		}
		return Row{}, err
	}
	x.draft.begin()
	x.read(x)
	return x.draft.row(number), nil
}
