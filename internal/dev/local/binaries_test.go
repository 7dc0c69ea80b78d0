package local

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"partnerview/internal/dev/template"
)

// program is the least that can be told to be a program for a processor.
func program(t *testing.T, machine uint16) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9))
	for _, v := range []any{uint16(2), machine, uint32(1), uint64(0), uint64(0), uint64(0), uint32(0), uint16(64), uint16(56), uint16(0), uint16(64), uint16(0), uint16(0)} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestABinaryForAnotherProcessorIsToldWithTheWayOut(t *testing.T) {
	own, other := uint16(62), uint16(183) // x86-64, AArch64
	if runtime.GOARCH == "arm64" {
		own, other = other, own
	}
	folder := t.TempDir()
	functions := []template.Function{{ID: "GetUsageFunction"}}
	if err := prebuilt(folder, functions); err == nil || !strings.Contains(err.Error(), "build it with: sam build") {
		t.Errorf("without a binary: %v", err)
	}
	path := filepath.Join(folder, "GetUsageFunction", "bootstrap")
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for machine, want := range map[uint16]string{own: "", other: "BUILD_GOARCH=" + runtime.GOARCH + " sam build"} {
		if err := os.WriteFile(path, program(t, machine), 0o755); err != nil {
			t.Fatal(err)
		}
		err := prebuilt(folder, functions)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("a binary for machine %d: %v", machine, err)
		}
	}
}
