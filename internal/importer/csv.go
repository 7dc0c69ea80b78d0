package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// csvRecords splits a stream of comma-separated values (RFC 4180) into records.
// The separator may also be a semicolon or a tab: the platform does not say which
// it uses, and spreadsheets change it.
//
// A field in quotes may hold separators, line ends and doubled quotes. In a field
// that does not begin with a quote, quotes are ordinary characters.
//
// Spreadsheets and scripts leave empty fields at a line's end out, or add some: a
// record of one line may have fewer fields than the header, and any may have empty
// ones behind them. Only the last line of a file must have all or a line end, since a
// file that was cut short looks the same.
//
// A quote that is opened by mistake would swallow all lines behind it. So a
// record of several lines is given up when it turns out to be wrong: text behind
// a closing quote, fewer fields than the header, or text behind them, longer than
// maxRecord, the end of the file. Then only its first line is lost, and reading
// goes on with the second. A line is looked at again no more often than the
// header has columns, since one field too many is enough to give up.
type csvRecords struct {
	lines     *lines
	separator byte // 0: what a first line "sep=;" says, or that of "," ";" and tab which the header has most of
	columns   int  // how many fields a record has; 0: any number, for the header
	// A line that has all of these columns, by their keys, is a header again.
	needs []string
	key   func(name string) string // what all spellings of a column's name have in common; empty: nobody asks for it

	text []byte // the fields of the record at hand, one behind the other
	ends []int  // where in text each ends
}

// broken is the reason for which a record cannot be read, although the next may.
type broken string

func (b broken) Error() string { return string(b) }

const (
	strayQuote  = "has a quote that is not closed, or not doubled within quotes"
	notColumns  = "has another number of fields than the header"
	lastIsShort = "is where the file ends, without a line end and with fewer fields than the header: " +
		"it may be cut short"
)

// errHeader: the record at hand is a header that comes again, as in files that were
// put one behind the other.
var errHeader = errors.New("a header comes again")

// next reads a record, passing over blank lines, and returns the number of its
// first line. The error is broken, errHeader, io.EOF behind the last record, or what
// the stream failed with.
func (c *csvRecords) next() (number int, err error) {
	for {
		number = c.lines.number
		line, err := c.lines.lineEnd(0)
		switch {
		case errors.Is(err, errTooLong):
			c.lines.skipLine()
			return number, broken(tooLong)
		case err != nil:
			return number, err
		case len(bytes.TrimSpace(c.lines.window()[:line])) == 0:
			c.lines.advance(line)
			continue
		case isZeros(c.lines.window()[:line]):
			c.lines.advance(line)
			return number, broken(onlyZeros)
		}
		if c.separator == 0 {
			if separator, said := separatorLine(c.lines.window()[:line]); said {
				c.separator = separator
				c.lines.advance(line)
				continue
			}
			c.separator = mostFrequent(c.lines.window()[:line], ",;\t")
		}
		again := c.columns > 0 && len(c.needs) > 0 && c.isHeader(c.lines.window()[:line])
		if again {
			c.columns = 0
		}
		end, err := c.split(line)
		if err == nil && c.isShort() && !bytes.HasSuffix(c.lines.window()[:end], []byte("\n")) {
			err = broken(lastIsShort)
		}
		switch {
		case err == nil && again:
			err = errHeader
		case err != nil && !errors.As(err, new(broken)):
			return number, err
		case err != nil:
			end = line
		}
		c.lines.advance(end)
		return number, err
	}
}

// isHeader reports whether a line has all the names of columns that are needed.
func (c *csvRecords) isHeader(line []byte) bool {
	found := 0
	for cell := range bytes.SplitSeq(withoutNewline(line), []byte{c.separator}) {
		if len(cell) > 0 && !isDigit(cell[0]) && slices.Contains(c.needs, c.key(string(cell))) {
			found++
		}
	}
	return found >= len(c.needs)
}

// separatorLine reads what spreadsheets write before a header: "sep=;".
func separatorLine(line []byte) (separator byte, said bool) {
	const begins = "sep="
	line = withoutNewline(line)
	if len(line) != len(begins)+1 || !strings.EqualFold(string(line[:len(begins)]), begins) {
		return 0, false
	}
	return line[len(begins)], true
}

// mostFrequent is the one of some bytes that a text has most of, the first where
// they draw.
func mostFrequent(text []byte, of string) byte {
	most := of[0]
	for _, b := range []byte(of) {
		if bytes.Count(text, []byte{b}) > bytes.Count(text, []byte{most}) {
			most = b
		}
	}
	return most
}

// split takes apart the record at the window's start, whose first line ends at
// line, and returns where it ends.
func (c *csvRecords) split(line int) (end int, err error) {
	c.text, c.ends = c.text[:0], c.ends[:0]
	first, at := line, 0
	for {
		w := c.lines.window()[:line]
		stop := len(withoutNewline(w))
		if at < stop && w[at] == '"' {
			if at, line, err = c.quoted(at+1, line); err != nil {
				return 0, err
			}
			w = c.lines.window()[:line]
			stop = len(withoutNewline(w))
		} else {
			length := bytes.IndexByte(w[at:stop], c.separator)
			if length < 0 {
				length = stop - at
			}
			c.text = append(c.text, w[at:at+length]...)
			at += length
		}
		c.ends = append(c.ends, len(c.text))

		switch {
		case at < stop && w[at] != c.separator:
			return 0, broken(strayQuote)
		case len(c.ends) == c.columns && c.isEmpty(w[at:stop]), at == stop && (c.columns == 0 || line == first):
			return line, nil
		case at == stop || len(c.ends) == c.columns:
			if line != first {
				return 0, broken(strayQuote)
			}
			return 0, broken(notColumns)
		}
		at++
	}
}

// isEmpty reports whether the rest of a line has empty fields alone.
func (c *csvRecords) isEmpty(rest []byte) bool {
	return len(bytes.Trim(bytes.ReplaceAll(rest, []byte(`""`), nil), string(c.separator)+" ")) == 0
}

// isShort reports whether the record at hand has fewer fields than the header.
func (c *csvRecords) isShort() bool { return len(c.ends) < c.columns }

// quoted appends a field in quotes to the text, from behind its opening quote on
// and over as many lines as it takes. It returns where the closing quote has been
// passed, and where that line ends.
func (c *csvRecords) quoted(at, line int) (int, int, error) {
	for {
		w := c.lines.window()[:line]
		length := bytes.IndexByte(w[at:], '"')
		switch {
		case length >= 0 && at+length+1 < line && w[at+length+1] == '"':
			c.text = append(c.text, w[at:at+length+1]...)
			at += length + 2
		case length >= 0:
			c.text = append(c.text, w[at:at+length]...)
			return at + length + 1, line, nil
		default:
			c.text = append(c.text, w[at:]...)
			at = line
			var err error
			line, err = c.lines.lineEnd(at)
			if errors.Is(err, errTooLong) || err == io.EOF {
				err = broken(strayQuote)
			}
			if err != nil {
				return 0, 0, err
			}
		}
	}
}

func withoutNewline(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// field is the text of a field of the record at hand, in whatever character set the
// file has it; empty where the record is too short to have it.
func (c *csvRecords) field(i int) string {
	if i >= len(c.ends) {
		return ""
	}
	start := 0
	if i > 0 {
		start = c.ends[i-1]
	}
	return string(bytes.TrimSpace(c.text[start:c.ends[i]]))
}

// csvTable is a CSV file with a header. Columns are found by their names there,
// whatever their order; those that nobody asks for are passed over.
type csvTable struct {
	csvRecords
	at map[string]int // where the columns stand, by key
}

const maxColumns = 1000

// openTable reads the header. Which columns it may lack is for the caller.
func openTable(text io.Reader, key func(string) string, needs ...string) (*csvTable, error) {
	t := &csvTable{csvRecords: csvRecords{lines: newLines(text), key: key}}
	if _, err := t.csvRecords.next(); err != nil {
		switch {
		case err == io.EOF:
			return nil, errors.New("the file is empty: there is no header")
		case errors.As(err, new(broken)):
			return nil, fmt.Errorf("the header %w; is the file of this format?", err)
		}
		return nil, err
	}
	for _, name := range needs {
		t.needs = append(t.needs, key(name))
	}
	return t, t.useHeader()
}

// useHeader takes the record at hand for the names of the columns from here on.
func (t *csvTable) useHeader() error {
	t.columns = len(t.ends)
	if t.columns > maxColumns {
		return fmt.Errorf("the header has more than %d columns", maxColumns)
	}
	t.at = make(map[string]int, t.columns)
	names := map[string]bool{}
	for i := range t.ends {
		name := t.field(i)
		plain, key := columnKey(name), t.key(name)
		if names[plain] && plain != "" {
			return fmt.Errorf("the header has a column %stwice", quoted(name))
		}
		names[plain] = true
		if _, twice := t.at[key]; twice && key != "" {
			return fmt.Errorf("the header has two columns for %s", key)
		}
		t.at[key] = i
	}
	return nil
}

// absent are those of the names that the header has no column for.
func (t *csvTable) absent(names ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, there := t.at[t.key(name)]
		return there
	})
}

// columnKey is a column's name in lower case and without underscores, without the byte
// order mark that stands before the first where files were put one behind the other,
// and the quotes behind that.
func columnKey(name string) string {
	return strings.ToLower(strings.ReplaceAll(bareName(name), "_", ""))
}

func bareName(name string) string { return strings.Trim(strings.TrimPrefix(name, byteOrderMark), ` "`) }

// next reads a record, and returns the number of its first line, or a reason for which
// it cannot be taken. The error is io.EOF behind the last record, a second header that
// cannot be one, or what the stream failed with.
func (t *csvTable) next() (number int, fault string, err error) {
	number, err = t.csvRecords.next()
	for ; err == errHeader; number, err = t.csvRecords.next() {
		if err := t.useHeader(); err != nil {
			return number, "", fmt.Errorf("line %d: %w", number, err)
		}
	}
	if reason := broken(""); errors.As(err, &reason) {
		return number, string(reason), nil
	}
	return number, "", err
}

// raw is what the record at hand has in a column, in whatever character set it is;
// empty too where there is no such column.
func (t *csvTable) raw(key string) string {
	if at, there := t.at[key]; there {
		return t.field(at)
	}
	return ""
}
