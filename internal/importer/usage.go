package importer

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"partnerview/internal/usage"
)

// Format names what a usage file looks like.
type Format string

const (
	Native           Format = "native"                // NDJSON of all four products
	ConnectSMS       Format = "connect-sms-csv"       // 8x8 Connect's SMS logs
	ConnectMessaging Format = "connect-messaging-csv" // its Messaging Apps logs
	ConnectVoice     Format = "connect-voice-csv"     // its voice logs, a row a call leg
	// its delivery receipts of SMS, as NDJSON: news of records, no records
	ConnectReceipts Format = "connect-sms-receipts"
)

// Formats lists all formats, the native one first.
func Formats() []Format {
	return []Format{Native, ConnectSMS, ConnectMessaging, ConnectVoice, ConnectReceipts}
}

// ParseFormat reads a format's name.
func ParseFormat(s string) (Format, error) {
	names := make([]string, 0, len(Formats()))
	for _, f := range Formats() {
		if string(f) == s {
			return f, nil
		}
		names = append(names, string(f))
	}
	return "", fmt.Errorf("a format is %s", strings.Join(names, ", "))
}

// Endings are those that a file of the format has, before ".gz" where it is
// gzipped.
func (f Format) Endings() []string {
	if slices.ContainsFunc(exports(), func(e export) bool { return e.format == f }) {
		return []string{".csv"}
	}
	return []string{".ndjson", ".jsonl"}
}

// Products are those of which a file of the format may have records.
func (f Format) Products() []usage.Product {
	switch f {
	case ConnectSMS:
		return []usage.Product{usage.SMS}
	case ConnectMessaging:
		return []usage.Product{usage.Messaging}
	case ConnectVoice:
		return []usage.Product{usage.Voice}
	case ConnectReceipts:
		return nil
	}
	return usage.Products()
}

// DefaultRetentionMonths is how long records are kept where nothing else is said.
const DefaultRetentionMonths = 13

// Options say what a file alone does not tell.
type Options struct {
	// Accounts finds the customer that a name stands for: its account ID or one
	// of its sub-accounts. An account ID goes before another's sub-account.
	Accounts func(name string) (usage.AccountID, bool)
	// Account is whose records those are that name no account; empty: such a
	// record is rejected.
	Account usage.AccountID
	// RetentionMonths is how many months after its timestamp a record is kept;
	// 0 means DefaultRetentionMonths.
	RetentionMonths int
	// Period is what is wanted, by a record's timestamp and a receipt's status
	// time; what lies outside is passed over. The zero Period wants all.
	Period usage.Period
	// Now is the time: what its retention has ended for is rejected.
	Now time.Time
	// FromLine passes over the rows that begin on a line before it, which are read as far
	// as they must be to find the next; 0 passes over none.
	FromLine int
	// MaxUnpacked is how many bytes a gzipped file may unpack to; 0: any number.
	MaxUnpacked int64
}

// Row is what one line of usage, or one record of a CSV file, came to.
type Row struct {
	Line     int          // where it begins in the file (unpacked), from 1
	Rejected *Reject      // why it is not taken; nil: it is good, or outside
	Outside  bool         // it lies outside Options.Period: nothing else is told of it
	Record   usage.Record // masked; zero where there is none, as in a file of receipts
	Receipt  *usage.Receipt
	// Dropped names the fields that were left out of the record, each once. A
	// name that could itself be something private is "(other)", as is every one
	// beyond a hundred.
	Dropped []string
	// Unread are the values that could not be read into a field of the record, which
	// is unknown therefore.
	Unread []Unread
}

// Unread is a value that could not be read into a field that may be unknown.
type Unread struct {
	Field string // as records have it: "country", "operator", "recordedPrice"
	Value string // empty: it is too long, or has too many digits, to be shown
}

// Reject says why a line is not taken. As JSON it is a line of the file of
// rejected lines. It never holds the line itself, nor a value that could be a
// telephone number, a name or a text.
type Reject struct {
	Line   int            `json:"line"`
	Field  string         `json:"field,omitempty"` // empty: the line as a whole
	Reason string         `json:"reason"`
	ID     usage.RecordID `json:"id,omitempty"` // where the line has a valid one
}

// ReadUsage reads a file of usage, row by row, in the order of the file. The file
// may be gzipped, and begin with a byte order mark. Blank lines are no rows.
//
// A line that cannot be taken is a row with Rejected set, and the next is read.
// An error is a [FileError], about the file as a whole, and ends the sequence: it
// cannot be read any further, is of another format, or lacks a column that no
// record can do without. Memory is bounded, however long the file and its lines
// are.
func ReadUsage(r io.Reader, f Format, o Options) iter.Seq2[Row, error] {
	return sequence(func() (func() (Row, error), error) {
		rows, err := open(r, f, o)
		if lines, oneEach := rows.(interface{ skipTo(line int) }); oneEach && err == nil {
			lines.skipTo(o.FromLine)
		}
		return func() (Row, error) {
			number, fault, err := rows.next()
			for err == nil && number < o.FromLine {
				number, fault, err = rows.next()
			}
			switch {
			case err != nil:
				return Row{}, err
			case fault != "":
				return rejectedLine(number, fault), nil
			}
			return rows.row(number), nil
		}, err
	})
}

// sequence yields what next returns, which is io.EOF behind the last.
func sequence[R any](open func() (next func() (R, error), err error)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var row R
		next, err := open()
		for err == nil {
			if row, err = next(); err == nil && !yield(row, nil) {
				return
			}
		}
		if err != io.EOF {
			yield(*new(R), &FileError{err})
		}
	}
}

func rejectedLine(number int, reason string) Row {
	return Row{Line: number, Rejected: &Reject{Line: number, Reason: reason}}
}

// rows is a format's reader.
type rows interface {
	// next goes to the next line or record and returns its number, or the reason for
	// which it cannot be taken. The error is io.EOF behind the last.
	next() (number int, fault string, err error)
	// row reads the line at hand.
	row(number int) Row
}

func open(r io.Reader, f Format, o Options) (rows, error) {
	text, sample, err := unpack(r, o.MaxUnpacked)
	if err == nil {
		err = checkLook(sample, look(f))
	}
	if err != nil {
		return nil, err
	}
	for _, e := range exports() {
		if e.format == f {
			return openExport(text, o, e)
		}
	}
	switch f {
	case Native:
		return openNative(text, o), nil
	case ConnectReceipts:
		return openReceipts(text, o), nil
	}
	_, err = ParseFormat(string(f))
	return nil, err
}
