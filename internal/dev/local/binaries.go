package local

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/dev/local/lambda"
	"partnerview/internal/dev/template"
)

// build builds the functions, each to folder/<logical id>/bootstrap. They stay
// there: what has not changed is not linked again. Two builds of one folder at
// the same time, of two processes too, wait for each other.
func build(ctx context.Context, root, folder string, functions []template.Function) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	unlock, err := lock(filepath.Join(folder, "lock"))
	if err != nil {
		return fmt.Errorf("wait for another build: %w", err)
	}
	defer unlock()
	var folders []string
	for _, f := range functions {
		folders = append(folders, f.Folder)
	}
	if err := lambda.Prepare(ctx, root, folders); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for _, f := range functions {
		group.Go(func() error { return lambda.Build(ctx, root, f.Folder, filepath.Join(folder, f.ID, "bootstrap")) })
	}
	return group.Wait()
}

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
			return fmt.Errorf("%s is built for Linux, and this machine runs %s: let the functions be built here",
				path, runtime.GOOS)
		}
		if machines[machine] != runtime.GOARCH {
			return fmt.Errorf("%s is built for %s, and this machine is %s: build for it with BUILD_GOARCH=%[3]s sam "+
				"build, and with sam build again before you deploy", path, machines[machine], runtime.GOARCH)
		}
	}
	return nil
}

// lock takes a file for this process alone, and waits while another has it. It
// is free again when unlock is called or the process ends.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for err = syscall.EINTR; err == syscall.EINTR; {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return func() { file.Close() }, nil
}
