package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is a block of docs/api.md, by its language and name.
func block(t *testing.T, head string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(pv.root, "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)^```" + regexp.QuoteMeta(head) + "\n(.*?)^```$").FindSubmatch(page)
	if found == nil {
		t.Fatalf("docs/api.md has no block %s", head)
	}
	return string(found[1])
}

// sources are files of docs/api.md's Go programs.
func sources(t *testing.T, names ...string) (files []string) {
	t.Helper()
	folder := t.TempDir()
	for _, name := range names {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(block(t, "go "+name)), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// needTools asks for what the shell programs of docs/api.md use.
func needTools(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%v: install it, as with: apt-get install %s", err, tool)
			}
			t.Skipf("NOT TESTED: docs/api.md's programs need %s: apt-get install %s", tool, tool)
		}
	}
}

// The programs of docs/api.md, pasted as they stand, on the sample data of make
// run and with the key of its first partner: nothing but the address and the key
// is filled in.
func TestTheGuidesProgramsRunAsPasted(t *testing.T) {
	needTools(t)
	key := pv.Partners[0].Key
	paste := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "PARTNERVIEW_URL="+pv.BaseURL, "PARTNERVIEW_KEY="+key)
		var out, errOut bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errOut
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s%s", err, out.String(), errOut.String())
		}
		return out.String()
	}

	start := block(t, "sh")
	for name, value := range map[string]string{"PARTNERVIEW_URL": pv.BaseURL, "PARTNERVIEW_KEY": key} {
		filled := regexp.MustCompile("(?m)^export "+name+"=.*$").ReplaceAllString(start, fmt.Sprintf("export %s='%s'", name, value))
		if filled == start {
			t.Fatalf("the first block sets no %s", name)
		}
		start = filled
	}
	if out := paste("sh", "-euc", start); strings.Contains(out, `"code"`) || strings.Count(out, `"nextCursor"`) != 2 || strings.Count(out, `"segments"`) != 3 {
		t.Errorf("the first block answers\n%s", out)
	}

	var want []string
	for _, r := range whole[shown](t, key, "/customers/acme_retail/usage/sms?from=2026-11-01&to=2026-12-01&order=asc&limit=500") {
		want = append(want, r.ID)
	}
	if len(want) < 10 {
		t.Errorf("the guide's log has %d records: too few to show anything", len(want))
	}
	for name, program := range map[string]struct {
		out string
		id  *regexp.Regexp
	}{
		"page.sh": {paste("sh", "-c", block(t, "sh page.sh")), regexp.MustCompile(`(?m)^\{"id":"([^"]+)"`)},
		"page.go": {paste("go", append([]string{"run"}, sources(t, "page.go", "get.go")...)...), regexp.MustCompile(`(?m)^(\S+) `)},
	} {
		var got []string
		for _, m := range program.id.FindAllStringSubmatch(program.out, -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s prints %d records, want the log's %d:\n%.2000s", name, len(got), len(want), program.out)
		}
	}
}
