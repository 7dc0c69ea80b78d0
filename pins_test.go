package partnerview_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Python's packages are listed in tools/pinned: NAME.in has the names, NAME.txt what they
// bring, as make pins wrote it.
const pinned = "tools/pinned"

var (
	aName = regexp.MustCompile(`^([a-z0-9.-]+)(?:\[[a-z,]+\])?(==[0-9][0-9a-z.]*)$`) // with what is optional of it
	aPin  = regexp.MustCompile(`^[a-z0-9.-]+==[0-9][0-9a-z.]*(?: ; [^;#]*)?(?: --hash=sha256:[0-9a-f]{64})+$`)
)

// faultsOfPins are the lines of a list that name no version or no hash, and the names that
// it has lost.
func faultsOfPins(names, list string) (faults []string) {
	list = strings.ReplaceAll(list, " \\\n   ", "") // one line each
	pins := make(map[string]bool)
	for line := range strings.Lines(list) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		if !aPin.MatchString(line) {
			faults = append(faults, "no version and hash: "+line)
		}
		pin, _, _ := strings.Cut(line, " ")
		pins[pin] = true
	}
	for line := range strings.Lines(names) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if name := aName.FindStringSubmatch(line); name == nil {
			faults = append(faults, "no exact version: "+line)
		} else if !pins[name[1]+name[2]] {
			faults = append(faults, line+" is not in the list: make pins")
		}
	}
	return faults
}

func TestEveryPythonPackageIsPinnedByHash(t *testing.T) {
	lists, err := filepath.Glob(pinned + "/*.in")
	if err != nil || len(lists) < 5 {
		t.Fatalf("%s has %d lists, %v", pinned, len(lists), err)
	}
	for _, in := range lists {
		names, err := os.ReadFile(in)
		if err != nil {
			t.Fatal(err)
		}
		list, err := os.ReadFile(strings.TrimSuffix(in, ".in") + ".txt")
		if err != nil {
			t.Fatalf("%v: make pins", err)
		}
		for _, fault := range faultsOfPins(string(names), string(list)) {
			t.Errorf("%s: %s", in, fault)
		}
	}
}

func TestAPinWithoutAHashIsFound(t *testing.T) {
	const hash = " \\\n    --hash=sha256:0a30ef8f5322a4173720ae6712dc9a5e58f5a19868f3f167b4b5778db066c2b5"
	for list, want := range map[string]string{
		"sample==1.2" + hash + "\n    # via nobody\n":                "",
		"sample==1.2 ; sys_platform == 'win32'" + hash + hash + "\n": "",
		"sample==1.2\n":             "no version and hash: sample==1.2",
		"sample>=1.2" + hash + "\n": "no version and hash: sample>=1.2",
		"sample==1.2" + hash + "\nother @ https://example.com/o.whl\n":        "no version and hash: other @",
		"--index-url https://packages.example.com\nsample==1.2" + hash + "\n": "no version and hash: --index-url",
		"sample==1.3" + hash + "\n":                                           "sample==1.2 is not in the list",
	} {
		faults := strings.Join(faultsOfPins("# why\nsample==1.2\n", list), "; ")
		if want == "" && faults != "" || !strings.Contains(faults, want) {
			t.Errorf("of %q it says %q, want %q", list, faults, want)
		}
	}
	if faults := faultsOfPins("sample>=1\n", ""); len(faults) != 1 {
		t.Errorf("a name without an exact version: %q", faults)
	}
}

// walk calls visit for each file of ours: not for what was installed, built or generated.
func walk(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch entry.Name() {
		case "node_modules", ".tools", "build", ".aws-sam", ".git", "generated":
			if entry.IsDir() {
				return filepath.SkipDir
			}
		}
		if !entry.IsDir() {
			visit(filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An npm package without integrity would be installed whatever it holds; one with the
// address it came from would be asked for there, mirror or not.
func TestEveryNodePackageIsPinnedByHash(t *testing.T) {
	locks, packages := 0, 0
	walk(t, func(path string) {
		switch filepath.Base(path) {
		case "package.json":
			_, err := os.Stat(filepath.Join(filepath.Dir(path), "package-lock.json"))
			if text, _ := os.ReadFile(path); err != nil && asks.Match(text) {
				t.Errorf("%s has no package-lock.json: make pins", path)
			}
		case "package-lock.json":
			locks++
			for name, p := range lockOf(t, path) {
				packages++
				if !strings.HasPrefix(p.Integrity, "sha512-") || p.Resolved != "" {
					t.Errorf("%s: %s has the integrity %q and is resolved to %q", path, name, p.Integrity, p.Resolved)
				}
			}
		}
	})
	if locks < 3 || packages < 100 {
		t.Errorf("%d locks with %d packages were looked at, too few to be all", locks, packages)
	}
}

// asks is in a package.json that asks for others.
var asks = regexp.MustCompile(`"(dev|optional|peer)?[dD]ependencies"`)

type lockedPackage struct{ Integrity, Resolved string }

// lockOf are the packages of a lock, without the one that asks for them.
func lockOf(t *testing.T, path string) map[string]lockedPackage {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var lock struct{ Packages map[string]lockedPackage }
	if err := json.Unmarshal(text, &lock); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	delete(lock.Packages, "")
	return lock.Packages
}

// installs are the ways to get something from a registry, and how each must be asked, so that
// what comes is what was looked at.
var installs = []struct{ command, must *regexp.Regexp }{
	{regexp.MustCompile(`\bpip3? (install|download|wheel)\b`), regexp.MustCompile(`--require-hashes --only-binary :all: --no-deps`)},
	{regexp.MustCompile(`\b(npm|NPM\)) (install|i|add|exec)\b|\bnpx\b`), regexp.MustCompile(`--package-lock-only`)},
	{regexp.MustCompile(`\b(go|GO\)|GO"?:?-?go\}) (install|get)\b`), regexp.MustCompile(`\./cmd/`)},
	{regexp.MustCompile(`\b(pipx|uvx|easy_install|yarn|pnpm)\b|@latest\b`), regexp.MustCompile(`^$`)},
}

// unhashed are the lines of a program that install what no hash is written down of.
func unhashed(text string) (lines []string) {
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, i := range installs {
			if i.command.MatchString(line) && !i.must.MatchString(line) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

func TestWhatIsInstalledIsInstalledByHash(t *testing.T) {
	walk(t, func(path string) {
		if path != "Makefile" && !strings.HasPrefix(path, "scripts/") && !strings.HasPrefix(path, ".ci/") {
			return
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range unhashed(string(text)) {
			t.Errorf("%s installs something without a hash (tools/pinned has how): %s", path, line)
		}
	})
}

func TestAnInstallationWithoutAHashIsFound(t *testing.T) {
	for _, line := range []string{"pip install cfn-lint==1.58.0", "\t$(LINT)/bin/pip install \\\n  --require-hashes x", "$(NPM) install --prefix x y@1", "npm i y", "npx y",
		"$(GO) install example.com/x@v1.0.0", "go run example.com/x@latest", "uvx ruff"} {
		if len(unhashed(line)) != 1 {
			t.Errorf("%q is let through", line)
		}
	}
	for _, line := range []string{"# pip install cfn-lint", "$(NPM) ci --prefix x", "$(GO) run example.com/x@v1.0.0 ./...", "bin/pip install --require-hashes --only-binary :all: --no-deps --requirement x",
		"npm install --package-lock-only", "go install ./cmd/partnerctl"} {
		if found := unhashed(line); found != nil {
			t.Errorf("%q is refused", line)
		}
	}
}

// CI is .ci/run and nothing else: no workflow of a host's that would run others' actions,
// by names that their owners can move.
func TestNothingRunsActionsOfOthers(t *testing.T) {
	walk(t, func(path string) {
		for _, of := range []string{".github/", ".gitlab-ci", ".circleci/", "azure-pipelines", ".travis", "Jenkinsfile", "bitbucket-pipelines", ".drone", "buildspec"} {
			if strings.HasPrefix(path, of) {
				t.Errorf("%s runs beside .ci/run", path)
			}
		}
	})
}
