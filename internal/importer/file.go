package importer

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// FileError says why a file as a whole cannot be read, or not to its end. What
// was read of it before is as good as ever.
type FileError struct{ Err error }

func (e *FileError) Error() string { return e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// What is wrong with a file as a whole, whatever its format.
var (
	errCutShort = errors.New("the file ends too early: its gzip data is cut short")
	errDamaged  = errors.New("the file is damaged: its gzip data does not unpack to what was packed")
	errPadded   = errors.New("the file is padded: zero bytes follow its gzip data, " +
		"which may lack what was to come there")
	errTrailing    = errors.New("the file is damaged: something that is no gzip data follows its gzip data")
	errUTF16       = errors.New("the file is UTF-16 or UTF-32; save it as UTF-8")
	errOnlyCR      = errors.New("the file has CR alone as its line ends; save it with LF or CR LF")
	errOnlyZeros   = errors.New("the file holds zero bytes and nothing else")
	errPackedTwice = errors.New("the file is gzipped twice; unpack it once")
)

const (
	byteOrderMark = "\xef\xbb\xbf" // of UTF-8
	gzipMark      = "\x1f\x8b"
)

// archives are what a file may be in place of text, by their first bytes.
var archives = []struct{ mark, name string }{
	{gzipMark, ""},
	{"PK\x03\x04", "a zip archive or a spreadsheet (.xlsx); unpack it, or save it as CSV in UTF-8"},
	{"\xd0\xcf\x11\xe0", "an old spreadsheet (.xls); save it as CSV in UTF-8"},
	{"\x28\xb5\x2f\xfd", "packed by zstd; unpack it, or pack it by gzip"},
	{"\xfd7zXZ\x00", "packed by xz; unpack it, or pack it by gzip"},
	{"BZh", "packed by bzip2; unpack it, or pack it by gzip"},
	{"%PDF-", "a PDF"},
}

// sampleSize is how many bytes of a text are looked at before it is read.
const sampleSize = 8 << 10

// unpack undoes gzip, of at most so many bytes (0: of any number), passes over a byte
// order mark, and shows the start of the text, at most sampleSize bytes. What is no text
// that could be read line by line is an error.
func unpack(r io.Reader, most int64) (text *bufio.Reader, sample []byte, err error) {
	text = bufio.NewReaderSize(r, sampleSize)
	mark, err := text.Peek(len(gzipMark))
	if err != nil && err != io.EOF { // a shorter file is one too
		return nil, nil, err
	}
	if string(mark) == gzipMark {
		packed, err := newGzipText(text, most)
		if err != nil {
			return nil, nil, err
		}
		text = bufio.NewReaderSize(packed, sampleSize)
	}
	if start, _ := text.Peek(len(byteOrderMark)); string(start) == byteOrderMark {
		if _, err := text.Discard(len(byteOrderMark)); err != nil {
			return nil, nil, err
		}
	}
	// What the stream fails with is told again behind the lines that it gave.
	sample, _ = text.Peek(sampleSize)
	return text, sample, checkText(sample)
}

// checkText finds what is no UTF-8 text with lines.
func checkText(sample []byte) error {
	for _, a := range archives {
		switch {
		case !bytes.HasPrefix(sample, []byte(a.mark)):
		case a.mark == gzipMark:
			return errPackedTwice
		default:
			return errors.New("the file is " + a.name)
		}
	}
	if bytes.HasPrefix(sample, []byte("\xff\xfe")) || bytes.HasPrefix(sample, []byte("\xfe\xff")) || isWide(sample) {
		return errUTF16
	}
	switch cr := bytes.IndexByte(sample, '\r'); {
	case len(sample) > 0 && len(bytes.Trim(sample, "\x00")) == 0:
		return errOnlyZeros
	case cr >= 0 && cr < len(sample)-1 && bytes.IndexByte(sample, '\n') < 0:
		return errOnlyCR
	}
	return nil
}

// isWide reports whether a text is UTF-16 or UTF-32 without a byte order mark:
// what begins with an ASCII character, as every format does, then has zero bytes
// beside it, and as many all along.
func isWide(sample []byte) bool {
	zeros := bytes.Count(sample, []byte{0})
	first := bytes.Count(sample[:min(4, len(sample))], []byte{0})
	return len(sample) >= 4 && first > 0 && first < 4 && zeros*5 >= len(sample)*2
}

// gzipText unpacks gzip data, member by member, and tells what is wrong with it
// and behind it.
type gzipText struct {
	packed   *bufio.Reader
	member   *gzip.Reader
	most     int64 // bytes that it may unpack to; 0: any number
	unpacked int64
	err      error // what it ended with
}

func newGzipText(packed *bufio.Reader, most int64) (*gzipText, error) {
	member, err := gzip.NewReader(packed)
	if err != nil {
		return nil, gzipError(err)
	}
	member.Multistream(false)
	return &gzipText{packed: packed, member: member, most: most}, nil
}

func (g *gzipText) Read(p []byte) (n int, err error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err = g.member.Read(p)
	if g.unpacked += int64(n); g.most > 0 && g.unpacked > g.most {
		g.err = fmt.Errorf("the file unpacks to more than %d MiB: split it, or load it unpacked", g.most>>20)
		return 0, g.err
	}
	if err == io.EOF {
		err = g.nextMember()
	}
	g.err = gzipError(err)
	return n, g.err
}

// nextMember goes on with the next member; io.EOF: there is none.
func (g *gzipText) nextMember() error {
	start, err := g.packed.Peek(len(gzipMark))
	switch {
	case len(start) == 0:
		return err
	case string(start) == gzipMark:
		if err = g.member.Reset(g.packed); err == nil {
			g.member.Multistream(false)
		}
		return err
	}
	for {
		b, err := g.packed.ReadByte()
		switch {
		case err == io.EOF:
			return errPadded
		case err != nil:
			return err
		case b != 0:
			return errTrailing
		}
	}
}

// gzipError says in words what is wrong with gzip data; what reading it failed
// with stays as it is.
func gzipError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errCutShort
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, new(flate.CorruptInputError)):
		return errDamaged
	}
	return err
}

// look is what a file looks like: one of the formats of usage, or one of these.
type look string

const (
	unknownLook   look = ""
	creditLook    look = "credit"
	directoryLook look = "directory"
	listLook      look = "list" // of a viewer's customers: recognised as no other
	rejectsLook   look = "rejects"
	arrayLook     look = "array"  // of JSON
	spreadLook    look = "spread" // JSON objects of several lines each
)

// lookOf is what a text is by its start: the first line that is one of
// the formats' decides.
func lookOf(sample []byte) look {
	var lines [][]byte
	for line := range bytes.Lines(sample) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			lines = append(lines, line)
		}
	}
	for n, line := range lines {
		found := unknownLook
		switch {
		case n == 0 && (string(line) == "[" || bytes.HasPrefix(line, []byte("[{"))):
			found = arrayLook
		case string(line) == "{":
			found = lookOfSpread(lines[n+1:])
		case line[0] == '{':
			found = lookOfObject(line)
		default:
			found = lookOfText(string(line))
		}
		if found != unknownLook {
			return found
		}
	}
	return unknownLook
}

// lookOfSpread knows the lines behind one that only opens an object.
func lookOfSpread(lines [][]byte) look {
	if len(lines) == 0 || lines[0][0] != '"' {
		return unknownLook
	}
	if name, _, _ := strings.Cut(string(lines[0][1:]), `"`); isDirectoryKey(name) {
		return directoryLook
	}
	return spreadLook
}

func isDirectoryKey(name string) bool {
	return name == "partners" || name == "customers" || name == "priceLists"
}

func lookOfObject(line []byte) look {
	if !json.Valid(line) {
		return unknownLook
	}
	has := map[string]bool{}
	for name := range members(line) {
		has[string(name)] = true
	}
	switch {
	case has["id"] && has["timestamp"]:
		return look(Native)
	case has[payloadField]:
		return look(ConnectReceipts)
	case has["line"] && has["reason"]:
		return rejectsLook
	case isCredit(has):
		return creditLook
	case has["partners"] || has["customers"] || has["priceLists"]:
		return directoryLook
	}
	return unknownLook
}

// lookOfText knows the header of a CSV file, and the keys of a directory file.
func lookOfText(line string) look {
	if key, _, found := strings.Cut(line, ":"); found && isDirectoryKey(key) {
		return directoryLook
	}
	has := map[string]bool{}
	for _, name := range strings.Split(line, string(mostFrequent([]byte(line), ",;\t"))) {
		has[columnKey(strings.TrimSpace(name))] = true
	}
	for _, e := range exports() {
		lacking := slices.ContainsFunc(e.needs, func(name string) bool { return !has[columnKey(name)] })
		if !lacking && !(e.lacks != "" && has[e.lacks]) {
			return look(e.format)
		}
	}
	if isCredit(has) {
		return creditLook
	}
	return unknownLook
}

// isCredit reports whether a line has the names that a file of credit needs.
func isCredit(names map[string]bool) bool {
	fields := map[string]bool{}
	for name := range names {
		fields[creditNames[creditKey(name)]] = true
	}
	return fields[CreditAccountField] && fields[amountField] && fields[asOfField]
}

// checkLook refuses a file that looks like something else than it should be.
func checkLook(sample []byte, should look) error {
	is := lookOf(sample)
	if is == unknownLook || is == should || should == directoryLook && (is == arrayLook || is == spreadLook) {
		return nil // a directory may be JSON of any form
	}
	said := map[look]string{
		creditLook:    "remaining credit: partnerctl import credit loads it",
		directoryLook: "a directory file: partnerctl apply -f brings it into force",
		rejectsLook:   "a list of rejected lines, not like the file that they were in",
		arrayLook:     "one JSON array; write one object a line, without commas between them",
		spreadLook:    "JSON whose objects go over several lines; write one object a line",
	}[is]
	return errors.New("the file looks like " +
		cmp.Or(said, "--format "+string(is)+": partnerctl import usage loads it so"))
}
