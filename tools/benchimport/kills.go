package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"partnerview/tools/bulk"
)

// killed kills imports at random points on an empty store, restarts the engine
// under two of them, and then loads everything once more.
func (b *bench) killed(ctx context.Context, kills int) error {
	s, err := b.newStage(ctx, "killed")
	if err != nil {
		return err
	}
	defer s.end()
	files := b.load.Files()
	begun := time.Now()
	for i := range kills {
		f := files[b.random.IntN(len(files))]
		if err := s.kill(ctx, f, i == kills/2); err != nil {
			return fmt.Errorf("kill %d: %w", i+1, err)
		}
	}
	fmt.Printf("\nKilled %d imports at random points, restarted the engine under one of them: %.0f s.\n", kills, time.Since(begun).Seconds())
	begun = time.Now()
	underOne := b.random.IntN(len(files))
	for i, f := range files {
		if err := s.whole(ctx, f, i == underOne); err != nil {
			return err
		}
	}
	fmt.Printf("Loaded everything once more, restarted the engine under %s: %.0f s.\n", files[underOne].Name, time.Since(begun).Seconds())
	return errors.Join(s.compare(ctx), s.totals(ctx))
}

// feeding is an import that reads its standard input.
type feeding struct {
	cmd         *exec.Cmd
	in          io.WriteCloser
	out, errOut bytes.Buffer
}

func (s *stage) begin(ctx context.Context, f bulk.File) (*feeding, error) {
	i := &feeding{cmd: s.partnerctl(ctx, "import", "usage", "--format", f.Format, "-", "--output", "json")}
	i.cmd.Stdout, i.cmd.Stderr = &i.out, &i.errOut
	var err error
	if i.in, err = i.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return i, i.cmd.Start()
}

// kill feeds an import a random part of a file, and kills it.
func (s *stage) kill(ctx context.Context, f bulk.File, restart bool) error {
	size, err := s.size(f)
	if err != nil {
		return err
	}
	i, err := s.begin(ctx, f)
	if err != nil {
		return err
	}
	feedErr := s.feed(ctx, i.in, f, 1+s.random.Int64N(size-1), restart)
	killErr := i.cmd.Process.Kill()
	waitErr := i.cmd.Wait()
	i.in.Close()
	if feedErr != nil || killErr != nil {
		return fmt.Errorf("import of %s ended by itself: %w\n%s", f.Name, errors.Join(feedErr, killErr), i.errOut.Bytes())
	}
	var exit *exec.ExitError
	if !errors.As(waitErr, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		return fmt.Errorf("import of %s was not killed: %v\n%s", f.Name, waitErr, i.errOut.Bytes())
	}
	return nil
}

// whole feeds an import a whole file.
func (s *stage) whole(ctx context.Context, f bulk.File, restart bool) error {
	size, err := s.size(f)
	if err != nil {
		return err
	}
	i, err := s.begin(ctx, f)
	if err != nil {
		return err
	}
	feedErr := s.feed(ctx, i.in, f, size, restart)
	i.in.Close()
	if err := errors.Join(feedErr, i.cmd.Wait()); err != nil {
		return fmt.Errorf("import of %s: %w\n%s", f.Name, err, i.errOut.Bytes())
	}
	return addsUp(i.out.Bytes(), f)
}

func (s *stage) size(f bulk.File) (int64, error) {
	info, err := os.Stat(s.path(f.Name))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// feed writes a file up to a point. In the middle of it the engine is restarted,
// if it is to be.
func (s *stage) feed(ctx context.Context, in io.Writer, f bulk.File, point int64, restart bool) error {
	file, err := os.Open(s.path(f.Name))
	if err != nil {
		return err
	}
	defer file.Close()
	stops := []int64{point}
	if restart {
		stops = slices.Insert(stops, 0, point/2)
	}
	at := int64(0)
	for i, stop := range stops {
		if i > 0 {
			if err := s.restart(ctx); err != nil {
				return err
			}
		}
		if _, err := io.CopyN(in, file, stop-at); err != nil {
			return err
		}
		at = stop
	}
	return nil
}
