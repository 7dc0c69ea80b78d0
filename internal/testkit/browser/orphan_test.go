package browser

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// orphans names a browser for a process of this test to start and to be killed with.
const orphans = "PARTNERVIEW_TEST_ORPHANS"

// However a process ends, its browser and the browser's profile go with it.
func TestNothingIsLeftOfABrowser(t *testing.T) {
	if kind := Kind(os.Getenv(orphans)); kind != "" {
		b, _, err := browsers[kind].borrow(kind)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("\nstarted %s\n", b.folder)
		select {} // until it is killed
	}
	inBrowsers(t, func(t *testing.T, in *Browser) {
		process := exec.Command(os.Args[0], "-test.run=^TestNothingIsLeftOfABrowser$")
		process.Env = append(os.Environ(), orphans+"="+string(in.Kind))
		said, err := process.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = process.Wait() }() // it was killed
		defer func() { _ = process.Process.Kill() }()
		var folder string
		for lines := bufio.NewScanner(said); folder == "" && lines.Scan(); {
			folder, _ = strings.CutPrefix(lines.Text(), "started ")
			if folder == lines.Text() {
				folder = ""
			}
		}
		if folder == "" || len(processesWith(t, folder)) < 3 {
			t.Fatalf("a browser in %q has the processes %q", folder, processesWith(t, folder))
		}
		if err := process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		waitUntil(t, "the end of the browser and its profile", func() bool {
			_, err := os.Stat(folder)
			return os.IsNotExist(err) && len(processesWith(t, folder)) == 0
		})
	})
}

// processesWith are the command lines that hold a text.
func processesWith(t *testing.T, text string) (lines []string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-A", "-ww", "-o", "args=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, text) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
