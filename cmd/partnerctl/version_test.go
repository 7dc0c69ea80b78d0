package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionTellsTheRelease(t *testing.T) {
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "b0a1"}, {Key: "vcs.modified", Value: "true"}}}
	for _, c := range []struct {
		version, commit       string
		info                  *debug.BuildInfo
		wantVersion, wantFrom string
	}{
		{"v1.2.0", "c0de", info, "v1.2.0", "c0de"},
		{"", "", info, "devel", "b0a1, with changes"},
		{"", "", &debug.BuildInfo{}, "devel", ""},
		{"", "", nil, "devel", ""},
	} {
		if got := versionOf(c.version, c.commit, c.info); got.Version != c.wantVersion || got.Commit != c.wantFrom || got.Go != runtime.Version() {
			t.Errorf("%+v is told as %+v", c, got)
		}
	}
	d := newDesk(t)
	d.env = nil // it connects to nothing
	if out := d.must("version"); !strings.HasPrefix(out, "partnerctl devel (") {
		t.Errorf("a test's own is %s", out)
	}
	var built builtOf
	decode(t, d.must("version", "-o", "json"), &built)
	if built.Platform != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("for programs it is %+v", built)
	}
}

// What make release builds for this machine says its version, is what SHA256SUMS
// says, and tells nobody where it was built. CI builds it for all platforms, twice.
func TestReleaseBuildsWhatItsChecksumSays(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "release")
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "release.sh"), out, runtime.GOOS+"/"+runtime.GOARCH)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "VERSION=v9.9.9", "COMMIT=c0de")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	list, err := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
	sum, name, _ := strings.Cut(strings.TrimSpace(string(list)), "  ")
	if err != nil || name != "partnerctl_"+runtime.GOOS+"_"+runtime.GOARCH {
		t.Fatalf("%v: %s", err, list)
	}
	binary, err := os.ReadFile(filepath.Join(out, name))
	if err != nil {
		t.Fatal(err)
	}
	if got := sha256.Sum256(binary); hex.EncodeToString(got[:]) != sum {
		t.Error("it is not what SHA256SUMS says")
	}
	if bytes.Contains(binary, []byte(root)) {
		t.Error("it has the path of this clone in it")
	}
	said, err := exec.CommandContext(t.Context(), filepath.Join(out, name), "version").Output()
	if err != nil || !strings.HasPrefix(string(said), "partnerctl v9.9.9 (c0de, ") {
		t.Errorf("it says %s, %v", said, err)
	}
}
