package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"partnerview/internal/importer"
)

// rejects lists the lines that are not taken, as NDJSON: one file for each file
// that is loaded, or one for all. A list is written beside its path, and takes it
// when it is whole. Nothing is removed or overwritten there but a list that an
// earlier run has left.
type rejects struct {
	ctx     context.Context
	std     streams
	path    string // of all; empty: one for each
	several bool   // files share the path, so each line says whose it is
	most    int    // bytes of all lists together: more lines are counted, and not listed

	written  []string // the lists
	unlisted int      // lines that are in none
	size     int
	reasons  map[rejectReason]int
	list     *rejectList // that is being written; nil: none
}

// maxRejects bounds what a run writes beside its input. A line of two bytes
// becomes one of sixty.
const maxRejects = 64 << 20

func (s *session) newRejects(path string, several bool) *rejects {
	return &rejects{ctx: s.ctx, std: s.std, path: path, several: several, most: maxRejects,
		reasons: map[rejectReason]int{}}
}

// rejectsEnding is that of a list whose path nobody has given.
const rejectsEnding = ".rejected.ndjson"

// rejectedLine is a line of the list. It never holds the line that was rejected.
type rejectedLine struct {
	File string `json:"file,omitempty"`
	importer.Reject
}

// rejectReason is why lines are rejected, without the value that one of them has.
type rejectReason struct{ field, reason string }

// reasonOf leaves out the value that a reason begins with, in quotes.
func reasonOf(r importer.Reject) rejectReason {
	reason := r.Reason
	if strings.HasPrefix(reason, `"`) {
		if _, rest, found := strings.Cut(reason[1:], `" `); found {
			reason = rest
		}
	}
	return rejectReason{r.Field, reason}
}

// rejectCount is how many lines were rejected for a reason.
type rejectCount struct {
	Field  string `json:"field,omitempty"` // empty: the line as a whole
	Reason string `json:"reason"`
	Lines  int    `json:"lines"`
}

// top is the most frequent reasons.
func (r *rejects) top(n int) []rejectCount {
	var counts []rejectCount
	for why, lines := range r.reasons {
		counts = append(counts, rejectCount{why.field, why.reason, lines})
	}
	slices.SortFunc(counts, func(a, b rejectCount) int {
		return cmp.Or(b.Lines-a.Lines, cmp.Compare(a.Field, b.Field), cmp.Compare(a.Reason, b.Reason))
	})
	return counts[:min(n, len(counts))]
}

func rejectsPath(path, file string) string {
	switch {
	case path != "":
		return path
	case file == stdin:
		return "stdin" + rejectsEnding
	}
	return file + rejectsEnding
}

func (r *rejects) add(file string, line importer.Reject) error {
	r.reasons[reasonOf(line)]++
	out := rejectedLine{Reject: line}
	if r.path != "" && r.several {
		out.File = file
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	if r.unlisted > 0 || r.size+len(text)+1 > r.most {
		r.unlisted++
		return nil
	}
	if r.list == nil {
		if r.list, err = r.begin(rejectsPath(r.path, file)); err != nil {
			return errors.New("the rejected lines cannot be listed: give another --rejects: " + err.Error())
		}
		r.written = append(r.written, r.list.path)
	}
	r.size += len(text) + 1
	_, err = r.list.buffer.Write(append(text, '\n'))
	return err
}

// endOf ends the list of one file, unless it is shared.
func (r *rejects) endOf(file string) error {
	if r.path != "" {
		return nil
	}
	return r.end(rejectsPath("", file))
}

// close ends the list of all files.
func (r *rejects) close() error {
	if r.path == "" && r.list == nil {
		return nil
	}
	return r.end(r.path)
}

func (r *rejects) end(path string) error {
	if r.list == nil {
		if old, err := isRejectList(path); old && err == nil {
			fmt.Fprintf(r.std.err, "%s is of an earlier run: this one has rejected no line\n", printable(path))
		}
		return nil
	}
	list := r.list
	r.list = nil
	return list.end()
}

// rejectList is a list that is being written.
type rejectList struct {
	path   string // as it was given
	buffer *bufio.Writer
	file   *os.File // nil: one of our own streams
	takes  string   // the path that the file takes at its end; empty: it is written to as it is
}

// begin begins a list: beside its path where that is a file or nothing, and else
// into the device, pipe or stream that it is.
func (r *rejects) begin(path string) (*rejectList, error) {
	info, err := os.Stat(path)
	if err == nil {
		for _, stream := range []io.Writer{r.std.out, r.std.err} { // as /dev/stdout
			if isStream(info, stream) {
				return &rejectList{path: path, buffer: bufio.NewWriter(stream)}, nil
			}
		}
		if !info.IsDir() && !info.Mode().IsRegular() {
			f, err := openUntilDone(r.ctx, func() (*os.File, error) { return os.OpenFile(path, os.O_WRONLY, 0) })
			if err != nil {
				return nil, err
			}
			return &rejectList{path: path, buffer: bufio.NewWriter(f), file: f}, nil
		}
	}
	takes, err := mayTake(path)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(takes), ".partnerctl-*"+rejectsEnding) // for its owner alone
	if err != nil {
		return nil, err
	}
	return &rejectList{path: path, buffer: bufio.NewWriter(f), file: f, takes: takes}, nil
}

func (l *rejectList) end() error {
	err := l.buffer.Flush()
	if l.file == nil {
		return err
	}
	err = errors.Join(err, l.file.Close())
	if l.takes == "" {
		return err
	}
	if err == nil {
		_, err = mayTake(l.path) // again: an import takes its time
	}
	if err == nil {
		err = os.Rename(l.file.Name(), l.takes)
	}
	if err != nil {
		return errors.Join(err, os.Remove(l.file.Name()))
	}
	return nil
}

// mayTake tells where a path leads, if a list may stand there: nothing does yet,
// or the list of an earlier run.
func mayTake(path string) (takes string, err error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	if takes, err = filepath.EvalSymlinks(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is a link to nowhere", path)
	}
	if err != nil {
		return "", err
	}
	switch old, err := isRejectList(takes); {
	case err != nil:
		return "", err
	case !old:
		return "", fmt.Errorf("%s is there already, is no list of rejected lines, and stays as it is", path)
	}
	return takes, nil
}

// isRejectList reports whether a path is a file that begins as a list of rejected
// lines does, or that is empty.
func isRejectList(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	start, err := bufio.NewReaderSize(f, 64<<10).ReadSlice('\n')
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return false, err
	}
	var line struct {
		Line   *int
		Reason *string
	}
	if len(start) == 0 {
		return true, nil
	}
	return json.Unmarshal(bytes.TrimSpace(start), &line) == nil && line.Line != nil && line.Reason != nil, nil
}

// isStream reports whether a file is what a stream of ours reads or writes.
func isStream(info fs.FileInfo, stream any) bool {
	f, isFile := stream.(*os.File)
	if !isFile {
		return false
	}
	own, err := f.Stat()
	return err == nil && os.SameFile(info, own)
}
