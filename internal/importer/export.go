package importer

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
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
	x.records.key = columnKey
	for _, name := range e.needs {
		x.records.needs = append(x.records.needs, columnKey(name))
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
	return x.useHeader()
}

// useHeader takes the record at hand for the names of the columns from here on.
func (x *exportRows) useHeader() error {
	clear(x.header)
	clear(x.at)
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
func columnKey(name string) string {
	return strings.ToLower(strings.ReplaceAll(bareName(name), "_", ""))
}

// bareName is a column's name without the byte order mark that stands before the
// first where files were put one behind the other, and the quotes behind that.
func bareName(name string) string { return strings.Trim(strings.TrimPrefix(name, byteOrderMark), ` "`) }

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
// such column. What is not UTF-8 cannot be kept, and is a fault.
func (x *exportRows) text(column string) string {
	text := x.raw(column)
	if !utf8.ValidString(text) {
		x.draft.fail(column, notUTF8)
		return ""
	}
	return text
}

// raw is text in whatever character set it is: of a column that is not kept, that
// does not matter.
func (x *exportRows) raw(column string) string {
	if at := x.column(column); at >= 0 {
		return x.records.field(at)
	}
	return ""
}

// col is a column's name, and what the record at hand has there.
func (x *exportRows) col(column string) (name, text string) { return column, x.text(column) }

func (x *exportRows) next() (Row, error) {
	number, err := x.records.next()
	for ; err == errHeader; number, err = x.records.next() {
		if err := x.useHeader(); err != nil {
			return Row{}, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err != nil {
		if reason := broken(""); errors.As(err, &reason) {
			return rejectedLine(number, string(reason)), nil
		}
		return Row{}, err
	}
	x.draft.begin()
	x.read(x)
	row := x.draft.row(number)
	if row.Rejected != nil && x.records.isShort() {
		// It may be the rest of a message that ran over several lines, of which
		// nothing is told.
		return rejectedLine(number, notColumns), nil
	}
	return row, nil
}
