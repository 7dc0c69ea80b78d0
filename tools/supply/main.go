// Command supply says what the programs that are deployed and released are made of, and
// proves that they can be made again.
//
//	supply sbom CYCLONEDX            a bill of materials for each program, into build/sbom
//	supply prove CYCLONEDX PYTHON    that, and the programs once more, in another folder
//
// CYCLONEDX is the package of cyclonedx-gomod with its version, and PYTHON one that has the
// SAM CLI: what is uploaded is a zip of its making. Both are run from the repository's root,
// by make sbom and make proof-supply.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// bills is where the bills of materials are, from the repository's root.
const bills = "build/sbom"

// limit is the longest that anything here may take: everything is compiled twice.
const limit = 15 * time.Minute

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it took more than %s", limit))
	defer cancel()
	if err := run(ctx, flag.Args(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "supply:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	switch {
	case len(args) == 2 && args[0] == "sbom":
		_, _, err := list(ctx, args[1], out)
		return err
	case len(args) == 3 && args[0] == "prove":
		return prove(ctx, args[1], args[2], out)
	default:
		return fmt.Errorf("usage: supply sbom CYCLONEDX, or supply prove CYCLONEDX PYTHON")
	}
}

// list builds the programs and writes what each is made of.
func list(ctx context.Context, cyclonedx string, out io.Writer) ([]program, []module, error) {
	programs, err := build(ctx, ".", "")
	if err != nil {
		return nil, nil, err
	}
	modules, err := linked(ctx, programs)
	if err != nil {
		return nil, nil, err
	}
	if err := os.RemoveAll(bills); err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(bills, 0o755); err != nil {
		return nil, nil, err
	}
	for _, p := range programs {
		if err := writeBill(ctx, cyclonedx, p, modules); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", p.name, err)
		}
	}
	fmt.Fprintf(out, "%-64s %-18s %-18s %s\n", "linked", "version", "licence", "programs")
	for _, m := range modules {
		fmt.Fprintf(out, "%-64s %-18s %-18s %d\n", m.path, m.version, m.licence, len(m.programs))
	}
	fmt.Fprintf(out, "%d bills of materials are in %s\n", len(programs), bills)
	return programs, modules, nil
}

// prove proves all of it, and ends with what it has proved.
func prove(ctx context.Context, cyclonedx, python string, out io.Writer) error {
	programs, modules, err := list(ctx, cyclonedx, out)
	if err != nil {
		return err
	}
	again, cleanUp, err := elsewhere(ctx)
	if err != nil {
		return err
	}
	defer cleanUp()
	repeated, err := build(ctx, again, filepath.Join(again, "cache"))
	if err != nil {
		return err
	}
	if err := equal(ctx, python, programs, repeated, out); err != nil {
		return err
	}
	verified, err := verifyModules(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "supply: %d programs are the same bytes from two folders, and their zips; %d modules are linked, each with its hash and a licence of %d that are allowed; %d modules have the bytes of go.sum\n",
		len(programs), len(modules), len(allowed), verified)
	return nil
}
