package dashboard

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestModules runs the tests of the page's modules that need no browser.
func TestModules(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("the tests need Node 20 or later on PATH")
	}
	tests, err := filepath.Glob("testdata/modules/*.test.mjs")
	if err != nil || len(tests) == 0 {
		t.Fatalf("no tests of modules were found (%v)", err)
	}
	cmd := exec.CommandContext(t.Context(), node, append([]string{"--test"}, tests...)...)
	cmd.Env = append(os.Environ(), "TZ=Europe/Berlin", "LC_ALL=en_GB.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
