package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// program is what is deployed as a function, or released.
type program struct {
	name string // GetUsageFunction, partnerctl_linux_amd64
	file string
}

// platform is the one that partnerctl is built for here, which is also the functions': make release builds it for six.
const platform = "linux/arm64"

// build builds all programs in a tree of the repository's files, with a cache of its own if one
// is named: as they are deployed, and as they are released.
func build(ctx context.Context, root, cache string) ([]program, error) {
	env := append(os.Environ(), "VERSION=v0.0.0-proof", "COMMIT=none") // not the commit's own, which an archive has none of
	if cache != "" {
		env = append(env, "GOCACHE="+cache)
	}
	for _, command := range [][]string{{"make", "--silent", "build", "BUILD_GOARCH=arm64"}, {"sh", "scripts/release.sh", "build/programs", platform}} {
		if _, err := output(ctx, root, env, command...); err != nil {
			return nil, err
		}
	}
	var programs []program
	for _, pattern := range []string{"build/*Function/bootstrap", "build/programs/partnerctl_*"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("%s: nothing was built: %w", pattern, err)
		}
		for _, file := range files {
			name := filepath.Base(file)
			if name == "bootstrap" {
				name = filepath.Base(filepath.Dir(file))
			}
			programs = append(programs, program{name, file})
		}
	}
	return programs, nil
}

// elsewhere copies the repository's files, those of git and those that are not ignored, into a
// folder that lies deeper than this one.
func elsewhere(ctx context.Context) (root string, cleanUp func(), err error) {
	made, err := os.MkdirTemp("", "partnerview-supply-")
	if err != nil {
		return "", nil, err
	}
	cleanUp = func() { _ = os.RemoveAll(made) } // it is a temporary one
	root = filepath.Join(made, "a", "folder", "elsewhere")
	listed, err := output(ctx, ".", nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	for name := range strings.SplitSeq(strings.TrimSuffix(listed, "\x00"), "\x00") {
		err = errors.Join(err, copyFile(name, filepath.Join(root, name)))
	}
	if err != nil {
		cleanUp()
		return "", nil, err
	}
	return root, cleanUp, nil
}

func copyFile(from, to string) error {
	info, err := os.Lstat(from)
	if errors.Is(err, os.ErrNotExist) { // deleted, and not committed yet
		return nil
	} else if err != nil {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm())
}

// equal wants the programs that were built twice to be the same bytes, and the zips of the
// functions likewise.
func equal(ctx context.Context, python string, programs, repeated []program, out io.Writer) error {
	if len(programs) != len(repeated) {
		return fmt.Errorf("%d programs here, and %d from another folder", len(programs), len(repeated))
	}
	var differ []error
	for i, p := range programs {
		one, err := hash(p.file)
		if err != nil {
			return err
		}
		other, err := hash(repeated[i].file)
		if err != nil {
			return err
		}
		if p.name != repeated[i].name || one != other {
			differ = append(differ, fmt.Errorf("%s is %s here, and %s, %s, from another folder", p.name, one, repeated[i].name, other))
		}
	}
	if err := errors.Join(differ...); err != nil {
		return err
	}
	one, err := zips(ctx, python, programs)
	if err != nil {
		return err
	}
	other, err := zips(ctx, python, repeated)
	if err != nil {
		return err
	}
	if one != other {
		return fmt.Errorf("the zips differ: here\n%sfrom another folder\n%s", one, other)
	}
	fmt.Fprint(out, "the zips that are deployed, by the SHA-256 that Lambda tells of them (CodeSha256):\n", one)
	return nil
}

func hash(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// zips are the functions' zips as the SAM CLI makes them, a line each: its hash and the name.
func zips(ctx context.Context, python string, programs []program) (string, error) {
	command := []string{python, "-B", "scripts/zips.py"}
	for _, p := range programs {
		if filepath.Base(p.file) == "bootstrap" {
			command = append(command, filepath.Dir(p.file))
		}
	}
	return output(ctx, ".", nil, command...)
}

// goModules are the folders of the Go modules whose sums are checked.
var goModules = []string{".", "tools", "testdata/clients"}

// verifyModules wants all modules that were downloaded to have the bytes that go.sum says, and
// counts them.
func verifyModules(ctx context.Context) (n int, err error) {
	seen := make(map[string]bool)
	for _, folder := range goModules {
		// Our own module, by which tools' is replaced, was never downloaded, and go mod verify complains of that.
		command := exec.CommandContext(ctx, "go", "mod", "verify")
		command.Dir = folder
		told, err := command.CombinedOutput()
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if complaints := complaintsIn(string(told), err); len(complaints) > 0 {
			return 0, fmt.Errorf("go mod verify in %s: %s", folder, strings.Join(complaints, "; "))
		}
		sums, err := os.ReadFile(filepath.Join(folder, "go.sum"))
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(sums)) {
			if !strings.Contains(line, "/go.mod ") {
				seen[line] = true
			}
		}
	}
	return len(seen), nil
}

// complaintsIn are what go mod verify complains of, but for our own module.
func complaintsIn(told string, err error) (complaints []string) {
	verified := false
	for line := range strings.Lines(told) {
		line = strings.TrimSpace(line)
		switch {
		case line == "all modules verified":
			verified = true
		case strings.HasPrefix(line, "partnerview v0.0.0:") && strings.Contains(line, "missing ziphash"):
			err = nil
			verified = true
		default:
			complaints = append(complaints, line)
		}
	}
	if err != nil {
		complaints = append(complaints, err.Error())
	}
	if !verified {
		complaints = append(complaints, "it does not say that all modules are verified")
	}
	return complaints
}

// output runs a command and returns what it printed.
func output(ctx context.Context, folder string, env []string, command ...string) (string, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var printed, complaints bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = folder, env, &printed, &complaints
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that compilers end with what called them
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, bytes.TrimSpace(append(printed.Bytes(), complaints.Bytes()...)))
	}
	return printed.String(), nil
}
