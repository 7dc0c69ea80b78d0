package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"partnerview/internal/sample"
)

// The commands of docs/operating.md work when they are pasted one after the
// other, on what make run has loaded. The build, and the variables that make run
// prints, are the test's.
func TestCommandsOfOperatingWorkWhenPasted(t *testing.T) {
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	var script []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		script = append(script, strings.ReplaceAll(block[1], "go build -o build/partnerctl ./cmd/partnerctl\n", ""))
	}
	if len(script) < 6 {
		t.Fatalf("the page has %d blocks of commands", len(script))
	}

	d := newDesk(t)
	if err := os.Mkdir(filepath.Join(d.dir, "build"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(os.Args[0], filepath.Join(d.dir, "build", "partnerctl")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(d.root, "testdata", "sample", "directory.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	directory, err := sample.Directory(string(text), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	d.must("apply", "-f", d.write("sample.yaml", string(directory)))

	out, err := d.process("bash", "-euo", "pipefail", "-c", strings.Join(script, "\n")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v after\n%s", err, out)
	}
	for _, want := range []string{"4 changes; nothing was written.", "4 changes written.", "written    2", "A dry run: nothing was written.", "  new        2", "  changed    1", "older      0", "Prices of the past change:", "status: active → suspended"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the commands do not say %q:\n%s", want, out)
		}
	}
}
