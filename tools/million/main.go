// Million writes a load of usage in the five formats that the importer reads,
// and the directory file of its customers, into a folder:
//
//	go -C tools run ./million -lines 1000000 ../build/million
//
// The same number of lines gives the same bytes. tools/bulk says what is
// in them, and make bench-import loads them.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"partnerview/tools/bulk"
)

func main() {
	lines := flag.Int("lines", 1_000_000, "lines in all files together")
	flag.Parse()
	if err := write(flag.Arg(0), bulk.Load{Lines: *lines}); err != nil {
		fmt.Fprintln(os.Stderr, "million:", err)
		os.Exit(1)
	}
}

func write(folder string, load bulk.Load) error {
	if folder == "" {
		return fmt.Errorf("which folder? As: go -C tools run ./million ../build/million")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "directory.yaml"), []byte(bulk.Directory()), 0o644); err != nil {
		return err
	}
	for _, f := range load.Files() {
		out, err := os.Create(filepath.Join(folder, f.Name))
		if err != nil {
			return err
		}
		if err := load.Write(out, f); err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
		fmt.Printf("%s: %d lines for --format %s\n", f.Name, f.Lines, f.Format)
	}
	fmt.Printf("Load them in this order, after partnerctl apply -f %s, with --now %s.\n", filepath.Join(folder, "directory.yaml"), bulk.Now().Format("2006-01-02T15:04:05Z"))
	return nil
}
