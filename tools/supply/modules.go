package main

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// module is a Go module that is linked, or Go's own library ("std").
type module struct {
	path, version string
	licence       string // by SPDX, as "BSD-3-Clause"
	sum           string // its hash, as go.sum has it; "" of Go itself, and of what stands in this repository
	programs      []string
}

// allowed are the licences of what may be linked: they ask for a notice, and nothing of
// whoever uses the product.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}

// leastRead is the part of a licence's text, in percent, that must be that of the licence.
const leastRead = 75

// linked are the modules of all programs, by path, each with its licence. One that has none
// that is allowed is an error.
func linked(ctx context.Context, programs []program) ([]module, error) {
	folders, err := moduleFolders(ctx)
	if err != nil {
		return nil, err
	}
	found := make(map[string]*module)
	for _, p := range programs {
		info, err := buildinfo.ReadFile(p.file)
		if err != nil {
			return nil, fmt.Errorf("%s does not say what it is made of: %w", p.name, err)
		}
		add := func(m module) {
			if found[m.path] == nil {
				found[m.path] = &m
			}
			found[m.path].programs = append(found[m.path].programs, p.name)
		}
		add(module{path: "std", version: info.GoVersion})
		for _, d := range info.Deps {
			version, sum := d.Version, d.Sum
			if d.Replace != nil { // by what stands in unlinked/, which is ours
				version, sum = d.Replace.Path, d.Replace.Sum
			}
			add(module{path: d.Path, version: version, sum: sum})
		}
	}
	var modules []module
	var faults []error
	for path, m := range found {
		if m.sum == "" && path != "std" && !strings.HasPrefix(m.version, "./") {
			faults = append(faults, fmt.Errorf("%s %s has no hash", path, m.version))
		}
		if m.licence, err = licenceOf(folders[path]); err != nil {
			faults = append(faults, fmt.Errorf("%s %s: %w", path, m.version, err))
		}
		modules = append(modules, *m)
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.path, b.path) })
	return modules, errors.Join(faults...)
}

// moduleFolders is where the module cache has each module, and Go itself: "std".
func moduleFolders(ctx context.Context) (map[string]string, error) {
	goroot, err := output(ctx, ".", nil, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	listed, err := output(ctx, ".", nil, "go", "list", "-m", "-json=Path,Dir,Replace", "all")
	if err != nil {
		return nil, err
	}
	folders := map[string]string{"std": strings.TrimSpace(goroot)}
	for d := json.NewDecoder(strings.NewReader(listed)); ; {
		var m struct {
			Path, Dir string
			Replace   *struct{ Path string }
		}
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return folders, nil
		} else if err != nil {
			return nil, fmt.Errorf("what go list tells cannot be read: %w", err)
		}
		folders[m.Path] = m.Dir
		if m.Replace != nil && strings.HasPrefix(m.Replace.Path, "./") {
			folders[m.Path] = "."
		}
	}
}

// licenceFiles are the names that a module's licence may have.
var licenceFiles = []string{"LICENSE*", "LICENCE*", "License*", "COPYING*"}

// licenceOf are the licences that a folder's own file tells, as "Apache-2.0 AND MIT".
func licenceOf(folder string) (string, error) {
	if folder == "" {
		return "", errors.New("it is not in the module cache")
	}
	var files []string
	for _, name := range licenceFiles {
		found, err := filepath.Glob(filepath.Join(folder, name))
		if err != nil {
			return "", err
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if ids := read(text); len(ids) > 0 {
			for _, id := range ids {
				if !slices.Contains(allowed, id) {
					return "", fmt.Errorf("its licence is %s, which is none of %s", id, strings.Join(allowed, ", "))
				}
			}
			return strings.Join(ids, " AND "), nil
		}
	}
	return "", fmt.Errorf("no licence can be read of its %d files", len(files))
}

// read are the licences that a text is, if it is nearly all of theirs: parts of a work may
// have one, and parts another.
func read(text []byte) (ids []string) {
	scanned := licensecheck.Scan(text)
	if scanned.Percent < leastRead {
		return nil
	}
	for _, m := range scanned.Match {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
