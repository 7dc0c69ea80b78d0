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
	return compile(ctx, root, []string{folder}, "build", "-ldflags=-s -w", "-o", bootstrap)
}

// Prepare compiles all that Build then links of the folders. Builds that run at the
// same time do not share what they compile: each would compile it all.
func Prepare(ctx context.Context, root string, folders []string) error {
	return compile(ctx, root, folders, "list", "-export")
}

// compile has go do one thing with the folders, all that it compiles as it is deployed.
func compile(ctx context.Context, root string, folders []string, do string, flags ...string) error {
	args := append([]string{do, "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc"}, flags...)
	for _, folder := range folders {
		args = append(args, "./"+filepath.ToSlash(folder))
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	said, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the functions cannot be built: there is no go on the PATH")
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%s does not build:\n%s", strings.Join(folders, ", "), strings.TrimSpace(string(said)))
	}
	return nil
}
