package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"partnerview/internal/importer"
)

// rejects lists the lines that are not taken, as NDJSON: one file for each file
// that is loaded, or one for all. A file is there only while it has lines: that of
// an earlier run is removed where there are none now.
type rejects struct {
	path    string // of all; empty: one for each
	several bool   // files share the path, so each line says whose it is
	written []string

	open   *os.File
	buffer *bufio.Writer
}

func newRejects(path string, several bool) *rejects { return &rejects{path: path, several: several} }

// rejectsEnding is that of a list whose path nobody has given.
const rejectsEnding = ".rejected.ndjson"

// rejectedLine is a line of the list. It never holds the line that was rejected.
type rejectedLine struct {
	File string `json:"file,omitempty"`
	importer.Reject
}

func (r *rejects) pathFor(file string) string {
	switch {
	case r.path != "":
		return r.path
	case file == stdin:
		return "stdin" + rejectsEnding
	}
	return file + rejectsEnding
}

func (r *rejects) add(file string, line importer.Reject) error {
	if r.open == nil {
		f, err := os.Create(r.pathFor(file))
		if err != nil {
			return errors.New("the rejected lines cannot be listed: give --rejects PATH: " + err.Error())
		}
		r.open, r.buffer = f, bufio.NewWriter(f)
		r.written = append(r.written, f.Name())
	}
	out := rejectedLine{Reject: line}
	if r.path != "" && r.several {
		out.File = file
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	_, err = r.buffer.Write(append(text, '\n'))
	return err
}

// keep leaves the list as far as it goes, when an import ends early.
func (r *rejects) keep() {
	if r.open != nil {
		_ = errors.Join(r.buffer.Flush(), r.open.Close()) // the import's own error is told
	}
}

// endOf ends the list of one file, unless it is shared.
func (r *rejects) endOf(file string) error {
	if r.path != "" {
		return nil
	}
	return r.end(r.pathFor(file))
}

// close ends the list of all files.
func (r *rejects) close() error {
	if r.path == "" {
		return nil
	}
	return r.end(r.path)
}

func (r *rejects) end(path string) error {
	if r.open == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	err := errors.Join(r.buffer.Flush(), r.open.Close())
	r.open, r.buffer = nil, nil
	return err
}
