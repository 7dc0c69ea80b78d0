// Command benchimport loads usage by the hundred thousand with the real
// partnerctl into a real engine, on this machine. It says how fast that is beside
// a minimal loop over the SDK, and how much memory it takes; then it kills an
// import again and again, restarts the engine under it, runs it once more, and
// compares what the table holds, record by record and attribute by attribute,
// with what the load says.
//
// After both loads it has partnerctl compare the totals with the records.
//
// With -beside it does something else: it imports the native file with two partnerctls in turn,
// each time into an empty store, and says how their times compare: so one sees what totals
// cost, beside a partnerctl of before there were any.
//
// With -inbox it loads the native file by the function of the inbox instead, the deployed binary
// over the Lambda Runtime API, beside partnerctl: once in one call, and once in short calls that
// are killed, and compares what the three come to.
//
// It fails where anything differs, or partnerctl takes more than 100 MB, or the function more than 256. It never
// fails by the clock: that judges the machine, not the code.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"partnerview/tools/bulk"
)

func main() {
	lines := flag.Int("lines", 1_111_120, "lines to load, over all five formats; one in ten is a receipt of another, so that a million records come of them")
	kills := flag.Int("kills", 20, "how often an import is killed")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the points at which it is killed; a run prints its own")
	beside := flag.String("beside", "", "another partnerctl, whose import of the native file, four tenths of the lines, is timed in turn with that of this one; nothing else is done then")
	rounds := flag.Int("rounds", 3, "with -beside: how often each imports it")
	inbox := flag.Bool("inbox", false, "load the native file, four tenths of the lines, by the inbox's function and by partnerctl; nothing else is done then")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	how := how{kills: *kills, seed: *seed, beside: *beside, rounds: *rounds, inbox: *inbox}
	if err := run(ctx, bulk.Load{Lines: *lines}, how); err != nil {
		fmt.Fprintln(os.Stderr, "benchimport:", err)
		os.Exit(1)
	}
}

// minLines is from how many lines on there is enough of each format.
const minLines = 100

// how is what the flags say.
type how struct {
	kills  int
	seed   uint64
	beside string
	rounds int
	inbox  bool
}

func run(ctx context.Context, load bulk.Load, how how) error {
	if load.Lines < minLines || how.kills < 1 || how.rounds < 1 {
		return fmt.Errorf("at least %d lines, one kill and one round are needed", minLines)
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "partnerview-benchimport-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	b := &bench{root: root, folder: folder, load: load, random: rand.New(rand.NewPCG(how.seed, 0))}
	fmt.Printf("%s %s/%s, %d CPUs. %d lines in five formats come to %d records. Seed %d.\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load.Lines, load.Records(), how.seed)
	if err := b.prepare(ctx); err != nil {
		return err
	}
	switch {
	case how.inbox:
		return b.inboxed(ctx, how.kills)
	case how.beside != "":
		return b.compared(ctx, how.beside, how.rounds)
	}
	return errors.Join(b.measured(ctx), b.killed(ctx, how.kills))
}

// bench is one run.
type bench struct {
	root, folder string // the repository; where all that is made goes
	binary       string // another partnerctl than the repository's; empty: none
	load         bulk.Load
	random       *rand.Rand
}

// prepare builds partnerctl and writes the load's files.
func (b *bench) prepare(ctx context.Context) error {
	build := exec.CommandContext(ctx, "go", "build", "-o", b.path("partnerctl"), "./cmd/partnerctl")
	build.Dir, build.Stderr = b.root, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build partnerctl: %w", err)
	}
	if err := os.WriteFile(b.path("directory.yaml"), []byte(bulk.Directory()), 0o600); err != nil {
		return err
	}
	for _, f := range b.load.Files() {
		out, err := os.Create(b.path(f.Name))
		if err != nil {
			return err
		}
		if err := errors.Join(b.load.Write(out, f), out.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) path(name string) string { return filepath.Join(b.folder, name) }
