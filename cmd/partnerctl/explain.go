package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
)

// explain says what went wrong and what to do next: one line, or a list.
func explain(ctx context.Context, err error) string {
	var faults importer.Faults
	var refusal operator.Refusal
	var api smithy.APIError
	var file *fs.PathError
	missing := new(types.ResourceNotFoundException)
	switch {
	case errors.As(err, &faults):
		return fmt.Sprintf("nothing was written: the file has %s\n%v", count(len(faults), "fault"), faults)
	case errors.As(err, &refusal):
		return string(refusal)
	case ctx.Err() != nil:
		done := ""
		if p := (&partlyDone{}); errors.As(err, &p) {
			done = p.done + ". "
		}
		return "interrupted. " + done + "What was written stays; run the same command again to do the rest"
	case errors.As(err, &file):
		return fileText(file)
	case errors.As(err, &missing):
		return "a table is not there: check the names of the tables, --stack, --endpoint and the region: " + oneLine(err)
	case fault.Is(err, fault.Unavailable):
		return "the database does not answer: check that it runs, and --endpoint; then run the same command again, which is safe: " + oneLine(err)
	case errors.As(err, &api):
		return "AWS refuses: check the credentials and what they may do: " + oneLine(err)
	}
	return oneLine(err)
}

// fileText says what is wrong with a file, and what to look at.
func fileText(err *fs.PathError) string {
	switch name := strings.TrimSuffix(err.Path, "/"); {
	case errors.Is(err, fs.ErrNotExist):
		folder := filepath.Dir(name)
		if !filepath.IsAbs(name) {
			folder = filepath.Join("the current folder", folder)
		}
		return fmt.Sprintf("there is no %s: check the name, which is looked for in %s", name, folder)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("%s may not be opened: check who may read and write it, and its folder", name)
	case errors.Is(err, syscall.EISDIR):
		return fmt.Sprintf("%s is a folder: name a file in it", name)
	}
	return oneLine(err)
}

// partlyDone is an error of a command that has done a part of its work: "50 of 120
// records deleted".
type partlyDone struct {
	done string
	err  error
}

func (p *partlyDone) Error() string { return p.done + ": " + p.err.Error() }
func (p *partlyDone) Unwrap() error { return p.err }

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// count is "1 fault" or "2 faults".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
