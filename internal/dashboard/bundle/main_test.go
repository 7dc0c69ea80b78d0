package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheServedFilesAreOfTodaysSources(t *testing.T) {
	files, err := bundle("../web")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 3 {
		t.Errorf("there are %d files", len(files))
	}
	addresses, err := addresses("..", files)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, addresses) {
		served, err := os.ReadFile(file.Path)
		if err != nil || !bytes.Equal(served, file.Contents) {
			t.Errorf("%s is not of the sources in web/ (%v); make it anew: go generate ./internal/dashboard",
				filepath.Base(file.Path), err)
		}
	}
}

func TestSourcesWithAMistakeAreNotBundled(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"a module that is not there": {"import { a } from './a.js';\na();\n", "./a.js"},
		"a name that is not there":   {"import { a } from './main.js';\na();\n", `"a"`},
		"no JavaScript":              {"const a = ;\n", "Unexpected"},
	} {
		folder := t.TempDir()
		for file, text := range map[string]string{"main.js": c.script, "style.css": "", "reference.css": ""} {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := bundle(folder); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
