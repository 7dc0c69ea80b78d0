package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

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
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for _, f := range functions {
		group.Go(func() error { return lambda.Build(ctx, root, f.Folder, filepath.Join(folder, f.ID, "bootstrap")) })
	}
	return group.Wait()
}
