package lambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Build compiles the main package in folder, relative to the module's root, to
// the file bootstrap, with the flags that the binary is deployed with, but for
// this machine. It is quick where nothing has changed.
func Build(ctx context.Context, root, folder, bootstrap string) error {
	bootstrap, err := filepath.Abs(bootstrap)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc",
		"-ldflags=-s -w",
		"-o", bootstrap, "./"+filepath.ToSlash(folder))
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	said, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the functions cannot be built: there is no go on the PATH")
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%s does not build:\n%s", folder, strings.TrimSpace(string(said)))
	}
	return nil
}
