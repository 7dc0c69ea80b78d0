package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheCopyIsElsewhereAndLeavesNothing(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	root, cleanUp, err := elsewhere(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "programs.go")); err != nil {
		t.Errorf("it has no copy of this folder: %v", err)
	}
	cleanUp()
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("%d folders are left, %v", len(left), err)
	}
}
