package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// proved runs the proofs of a Makefile.
func proved(t *testing.T, makefile string, limit time.Duration, wanted ...string) (out string, failed int, err error) {
	t.Helper()
	t.Chdir(t.TempDir())
	path := filepath.Join(t.TempDir(), "Makefile")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(makefile, "    ", "\t")), 0o600); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	failed, err = run(t.Context(), path, wanted, limit, &b)
	return b.String(), failed, err
}

const three = `
proof-first: ## one that holds
    @echo much; echo 'first: 3 of 3'
proof-second:
    @echo 'what went wrong'; echo 'second: 1 of 2'; exit 1
proof-third:
    @echo 'third: 1 of 1'
proof-long: proof-third
    @echo long
`

func TestEachProofIsOneLineAndTheLastLineCounts(t *testing.T) {
	out, failed, err := proved(t, three, time.Minute)
	if err != nil || failed != 1 {
		t.Fatalf("%d failed, %v", failed, err)
	}
	for _, want := range []string{"first: 3 of 3\n", "FAIL", "second: 1 of 2\n", "what went wrong\n", "third: 1 of 1\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not print %q:\n%s", want, out)
		}
	}
	if !strings.HasSuffix(out, "\n2 passed, 1 failed\n") || strings.Contains(out, "much") {
		t.Errorf("it prints\n%s", out)
	}
}

func TestOnlyWhatIsWantedIsRun(t *testing.T) {
	out, _, err := proved(t, three, time.Minute, "third")
	if err != nil || !strings.HasSuffix(out, "\n1 passed, 0 failed\n") || strings.Contains(out, "first") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, _, err := proved(t, three, time.Minute, "fourth"); err == nil || !strings.Contains(err.Error(), "first, second, third") {
		t.Errorf("a proof that is not there: %v", err)
	}
}

func TestAProofThatSaysNothingOrHangsHasFailed(t *testing.T) {
	for name, makefile := range map[string]string{
		"says nothing":             "proof-mute:\n    @true\n",
		"ends with something else": "proof-mute:\n    @echo done\n",
		"hangs":                    "proof-mute:\n    @echo 'mute: 1 of 1'; sleep 30\n",
	} {
		started := time.Now()
		out, failed, err := proved(t, makefile, time.Second)
		if err != nil || failed != 1 || time.Since(started) > 10*time.Second {
			t.Errorf("one that %s: %d failed after %v, %v\n%s", name, failed, time.Since(started), err, out)
		}
	}
}
