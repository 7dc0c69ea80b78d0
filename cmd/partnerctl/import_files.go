package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"partnerview/internal/importer"
	"partnerview/internal/operator"
)

const stdin = "-"

// loader loads what is in one file, and tells of the lines that it does not take.
type loader func(in io.Reader, shown *progress, reject func(importer.Reject) error) error

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
	return files, checkNames(files, rejects)
}

// filesOf lists a folder's own files with one of the endings. Lists of rejected
// lines are not among them, nor are hidden files; others are told as passed over.
func (s *session) filesOf(folder string, endings []string) ([]string, error) {
	entries, err := os.ReadDir(folder) // in the order of names
	if err != nil {
		return nil, err
	}
	var files, others []string
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		info, err := os.Stat(path) // where a link leads
		if err != nil {
			return nil, err
		}
		switch name := entry.Name(); {
		case info.IsDir() || strings.HasPrefix(name, ".") || strings.HasSuffix(name, rejectsEnding):
		case slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(strings.TrimSuffix(name, ".gz"), e) }):
			files = append(files, path)
		default:
			others = append(others, name)
		}
	}
	if len(files) == 0 {
		return nil, operator.Refusal(fmt.Sprintf("%s is a folder without a file that ends in %s: name the files themselves", folder, strings.Join(endings, ", ")))
	}
	if len(others) > 0 {
		fmt.Fprintf(s.std.err, "%s: passed over, since they end otherwise: %s\n", folder, strings.Join(others, ", "))
	}
	return files, nil
}

// checkNames finds files that are named twice, and those that a list of rejected
// lines would overwrite.
func checkNames(files []string, rejects string) error {
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
	for _, file := range files {
		list, err := filepath.Abs(newRejects(rejects, false).pathFor(file))
		if err != nil {
			return err
		}
		if seen[list] {
			return misuseError(fmt.Sprintf("%s is to be loaded, and would be overwritten by the list of rejected lines of %s: leave it out, or give another --rejects", list, file))
		}
	}
	return nil
}

// load loads files one after the other, and returns the lists of rejected lines
// that it has written.
func (s *session) load(files []string, rejectsPath string, one loader) ([]string, error) {
	rejects := newRejects(rejectsPath, len(files) > 1)
	for i, file := range files {
		label := file
		if len(files) > 1 {
			label = fmt.Sprintf("[%d/%d] %s", i+1, len(files), file)
		}
		if err := s.loadOne(file, label, rejects, one); err != nil {
			rejects.keep()
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return rejects.written, rejects.close()
}

func (s *session) loadOne(file, label string, rejects *rejects, one loader) error {
	in, size := s.std.in, int64(-1)
	if file != stdin {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
		in = f
	}
	shown := s.newProgress(label, size)
	defer shown.end()
	if err := one(io.TeeReader(in, shown), shown, func(r importer.Reject) error { return rejects.add(file, r) }); err != nil {
		return err
	}
	return rejects.endOf(file)
}
