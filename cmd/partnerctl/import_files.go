package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"partnerview/internal/importer"
	"partnerview/internal/ledger"
	"partnerview/internal/operator"
)

const stdin = "-"

// loader loads what is in one file, and tells of the lines that it does not take.
type loader func(in io.Reader, shown *progress, reject func(importer.Reject) error) (loadCounts, error)

// loadCounts say how much of a file was loaded.
type loadCounts struct {
	read, written, rejected int
	all                     any               // as programs get them
	touched                 *operator.Touched // nil: nothing was written
}

// inputs finds the files that are named, those of folders in the order of their
// names, and what is wrong with them before the first is loaded.
func (s *session) inputs(named, endings []string, rejects string) ([]string, error) {
	var files []string
	for _, name := range named {
		if name == stdin {
			files = append(files, name)
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, name)
			continue
		}
		found, err := s.filesOf(name, endings)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	if err := checkNames(files); err != nil {
		return nil, err
	}
	return files, s.checkOutputs(files, rejects)
}

// Why something in a folder is passed over.
const (
	endsOtherwise = "end otherwise"
	isHidden      = "are hidden"
	leadsNowhere  = "are links to nowhere"
	isIrregular   = "are no regular files"
)

// filesOf lists a folder's own files with one of the endings, in any case. What
// is passed over is told by name, but for folders and lists of rejected lines.
func (s *session) filesOf(folder string, endings []string) ([]string, error) {
	entries, err := os.ReadDir(folder) // in the order of names
	if err != nil {
		return nil, err
	}
	var files []string
	passed := map[string][]string{}
	for _, entry := range entries {
		path, name := filepath.Join(folder, entry.Name()), strings.ToLower(entry.Name())
		info, err := os.Stat(path) // where a link leads
		why := ""
		switch {
		case strings.HasPrefix(name, "."):
			why = isHidden
		case errors.Is(err, fs.ErrNotExist):
			why = leadsNowhere
		case err == nil && info.IsDir() || strings.HasSuffix(name, rejectsEnding):
			continue
		case !slices.ContainsFunc(endings,
			func(e string) bool { return strings.HasSuffix(strings.TrimSuffix(name, ".gz"), e) }):
			why = endsOtherwise
		case err == nil && !info.Mode().IsRegular():
			why = isIrregular
		default: // what cannot be looked at will say why when it is opened
			files = append(files, path)
			continue
		}
		passed[why] = append(passed[why], printable(entry.Name()))
	}
	if len(files) == 0 {
		return nil, operator.UserError(fmt.Sprintf("%s is a folder without a file that ends in %s: "+
			"name the files themselves", folder, strings.Join(endings, ", ")))
	}
	for _, why := range []string{endsOtherwise, isHidden, leadsNowhere, isIrregular} {
		if names := passed[why]; len(names) > 0 {
			fmt.Fprintf(s.std.err, "%s: passed over, since they %s: %s\n", printable(folder), why,
				strings.Join(names, ", "))
		}
	}
	return files, nil
}

// checkNames finds files that are named twice.
func checkNames(files []string) error {
	seen := make(map[string]bool)
	for _, file := range files {
		path := file
		if file != stdin {
			var err error
			if path, err = filepath.Abs(file); err != nil {
				return err
			}
		}
		if seen[path] {
			return misuseError(file + " is named twice")
		}
		seen[path] = true
	}
	return nil
}

// checkOutputs refuses to load what the run itself writes, under whatever name:
// it would never come to an end, or destroy what it is to load.
func (s *session) checkOutputs(files []string, rejects string) error {
	inputs := make([]fs.FileInfo, len(files))
	for i, file := range files {
		inputs[i] = s.stat(file)
	}
	loads := func(output fs.FileInfo) (string, bool) {
		for i, in := range inputs {
			if output != nil && in != nil && os.SameFile(in, output) {
				return files[i], true
			}
		}
		return "", false
	}
	for _, file := range files {
		list := rejectsPath(rejects, file)
		if in, found := loads(s.stat(list)); found {
			return misuseError(fmt.Sprintf("%s is to be loaded, and would be overwritten by %s, "+
				"the list of rejected lines of %s: leave it out, or give another --rejects", in, list, file))
		}
		if rejects != "" {
			break // it is the list of all
		}
	}
	for _, stream := range []io.Writer{s.std.out, s.std.err} {
		if in, found := loads(dataOf(stream)); found {
			return misuseError(in +
				" is to be loaded, and what this command prints goes into it: " +
				"leave it out, or send the output elsewhere")
		}
	}
	return nil
}

// stat is what a file is, if it holds data; else nil.
func (s *session) stat(name string) fs.FileInfo {
	if name == stdin {
		return dataOf(s.std.in)
	}
	if info, err := os.Stat(name); err == nil && holdsData(info) {
		return info
	}
	return nil // where it cannot be opened, the import will say why
}

// dataOf is what a stream of ours is, if it is a file that holds data; else nil.
func dataOf(stream any) fs.FileInfo {
	if f, isFile := stream.(*os.File); isFile {
		if info, err := f.Stat(); err == nil && holdsData(info) {
			return info
		}
	}
	return nil
}

// holdsData reports whether what is written to a file can be read from it again:
// not so of a terminal, nor of /dev/null.
func holdsData(info fs.FileInfo) bool {
	return info.Mode().IsRegular() || info.Mode()&fs.ModeNamedPipe != 0
}

// loadSummary is what there is to say of a load besides its counts.
type loadSummary struct {
	Reasons  []rejectCount  `json:"reasons,omitempty"`  // the three most frequent
	Unlisted int            `json:"unlisted,omitempty"` // rejected lines that are in no list
	Failed   []failedFile   `json:"failed,omitempty"`   // files that could not be loaded whole
	Again    []loadedBefore `json:"loadedBefore,omitempty"`
	Error    string         `json:"error,omitempty"` // why not all was loaded
	lists    []string       // of rejected lines
}

// failedFile is a file that could not be loaded, or not to its end.
type failedFile struct {
	File    string `json:"file"`
	Error   string `json:"error"`
	Read    int    `json:"read"` // lines, until then
	Written int    `json:"written"`
}

// load loads files one after the other. A file that cannot be read to its end is
// told, and the next is loaded; whatever else fails ends the load.
func (s *session) load(files []string, rejectsPath string, diary *importDiary, one loader) (loadSummary, error) {
	rejects := s.newRejects(rejectsPath, len(files) > 1)
	var out loadSummary
	var err error
	for i, file := range files {
		label := file
		if len(files) > 1 {
			label = fmt.Sprintf("[%d/%d] %s", i+1, len(files), file)
		}
		var counts loadCounts
		if counts, err = s.loadOne(file, label, rejects, diary, one); err == nil {
			continue
		}
		if s.ctx.Err() != nil || !errors.As(err, new(*importer.FileError)) {
			err = fmt.Errorf("%s: %w", file, err)
			break
		}
		out.Failed = append(out.Failed, failedFile{file, err.Error(), counts.read, counts.written})
		if err = fmt.Errorf("%s: %w (%d read, %d written until then)", file, err, counts.read,
			counts.written); len(files) > 1 {
			fmt.Fprintf(s.std.err, "partnerctl: %s\n", printable(oneLine(err)))
			err = nil
		}
	}
	if closed := rejects.close(); err == nil {
		err = closed
	}
	if err == nil && len(out.Failed) > 0 {
		err = operator.UserError(fmt.Sprintf("%d of %s could not be loaded completely: see above", len(out.Failed),
			count(len(files), "file")))
	}
	out.Reasons, out.Unlisted, out.lists = rejects.top(3), rejects.unlisted, rejects.written
	if diary != nil {
		out.Again = diary.again
	}
	if err != nil {
		out.Error = explain(s.ctx, err)
	}
	return out, err
}

// loadOne loads a file, and notes in the diary that it begins and what came of it.
func (s *session) loadOne(file, label string, rejects *rejects, diary *importDiary, one loader) (loadCounts, error) {
	noted, err := diary.begin(file)
	if err != nil {
		return loadCounts{}, err
	}
	var counts loadCounts
	read := ledger.NewDigest(strings.NewReader(""))
	in, err := s.open(file)
	if err == nil {
		read = ledger.NewDigest(in)
		counts, err = s.loadOpen(read, in.size, file, label, rejects, one)
		in.close()
	} else {
		err = &importer.FileError{Err: err}
	}
	if unsaid := diary.end(noted, file, read, counts, err); err == nil {
		err = unsaid
	}
	return counts, err
}

func (s *session) loadOpen(in io.Reader, size int64, file, label string, rejects *rejects,
	one loader) (loadCounts, error) {
	shown := s.newProgress(label, size)
	defer shown.end()
	counts, err := one(io.TeeReader(in, shown), shown, func(r importer.Reject) error { return rejects.add(file, r) })
	if ended := rejects.endOf(file); err == nil {
		err = ended
	}
	return counts, err
}

// endLoad tells what came of a load, which err has ended: programs always, people
// where a line was read.
func (s *session) endLoad(err error, out any, read, rejected int, people func()) error {
	switch {
	case s.json:
		err = errors.Join(err, s.printJSON(out))
	case err == nil || read > 0:
		people()
	}
	if err == nil && rejected > 0 {
		return errRejected
	}
	return err
}

// printRejects says why lines were rejected, and where that is listed.
func (s *session) printRejects(l loadSummary, dryRun bool) {
	if len(l.Reasons) > 0 {
		s.printf("Most frequent reasons:\n")
		t := newTable()
		t.indent = "  "
		for _, r := range l.Reasons {
			text := r.Reason
			if r.Field != "" {
				text = r.Field + ": " + text
			}
			t.add(r.Lines, text)
		}
		s.show(t)
	}
	if len(l.lists) > 0 {
		s.printf("Why lines were rejected: %s\n", strings.Join(l.lists, ", "))
	}
	if l.Unlisted > 0 {
		s.printf("%s more rejected, and not listed: the lists of a run end at %d MB.\n",
			count(l.Unlisted, "line"), maxRejects>>20)
	}
	if dryRun {
		s.printf("A dry run: nothing was written.\n")
	}
}

// input is a file that is read, or the standard input.
type input struct {
	io.Reader
	size  int64 // in bytes; -1: unknown
	close func()
}

// open opens a file, or with "-" the standard input. What may keep its reader
// waiting for ever, as a pipe that nobody writes to, is given up when the command
// is interrupted.
func (s *session) open(name string) (input, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	if name == stdin {
		return input{readUntilDone(ctx, s.std.in), -1, cancel}, nil
	}
	f, err := openUntilDone(ctx, func() (*os.File, error) { return os.Open(name) })
	if err != nil {
		cancel()
		return input{}, err
	}
	in := input{readUntilDone(ctx, f), -1, func() { cancel(); f.Close() }}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		in.size = info.Size()
	}
	return in, nil
}

// openUntilDone opens a file, of which a named pipe waits for its other end.
func openUntilDone(ctx context.Context, open func() (*os.File, error)) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() { // ends with the call, or with the program
		f, err := open()
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		return o.f, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// readUntilDone reads a stream until a context ends, even while a read is under way.
func readUntilDone(ctx context.Context, stream io.Reader) io.Reader {
	reader, writer := io.Pipe()
	context.AfterFunc(ctx, func() { writer.CloseWithError(ctx.Err()) })
	go func() { // ends with the stream or the context, or where a read does not, with the program
		_, err := io.CopyBuffer(writer, struct{ io.Reader }{stream}, make([]byte, 64<<10)) // no WriteTo of its own
		writer.CloseWithError(err)
	}()
	return reader
}
