package local

import (
	"debug/elf"
	"fmt"
	"path/filepath"
	"runtime"

	"partnerview/internal/dev/template"
)

// machines are the processors that Lambda has, as a binary names them.
var machines = map[elf.Machine]string{elf.EM_AARCH64: "arm64", elf.EM_X86_64: "amd64"}

// prebuilt checks that the functions' binaries are there, and are for this
// machine: sam build makes them for Lambda's arm64, which an amd64 cannot run.
func prebuilt(folder string, functions []template.Function) error {
	for _, f := range functions {
		path := filepath.Join(folder, f.ID, "bootstrap")
		binary, err := elf.Open(path)
		if err != nil {
			return fmt.Errorf("%s: no binary of %s: %w; build it with: sam build", path, f.ID, err)
		}
		machine := binary.Machine
		if err := binary.Close(); err != nil {
			return err
		}
		if runtime.GOOS != "linux" {
			return fmt.Errorf("%s is built for Linux, and this machine runs %s: let the functions be built here", path, runtime.GOOS)
		}
		if machines[machine] != runtime.GOARCH {
			return fmt.Errorf("%s is built for %s, and this machine is %s: build for it with BUILD_GOARCH=%[3]s sam build, and with sam build again before you deploy", path, machines[machine], runtime.GOARCH)
		}
	}
	return nil
}
