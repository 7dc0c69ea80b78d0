package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"partnerview/internal/operator"
)

// progress shows how far the load of a file is: a bar on a terminal, which goes by
// the bytes read, or else a line now and then. Both tell the rate and, where the
// file's size is known, the time that is left.
type progress struct {
	out   io.Writer
	name  string
	size  int64                    // in bytes; -1: unknown
	bar   *progressbar.ProgressBar // nil where there is no terminal
	now   func() time.Time
	begun time.Time

	mu   sync.Mutex
	done int64     // bytes read
	next time.Time // when a line, or another rate, is due
}

const (
	betweenLines = 10 * time.Second
	betweenRates = time.Second
)

// newProgress begins to show; size is the file's in bytes, or -1 where that is
// unknown.
func (s *session) newProgress(name string, size int64) *progress {
	p := &progress{out: s.std.err, name: name, size: size, now: time.Now, begun: time.Now()}
	p.next = p.begun.Add(betweenLines)
	if f, ok := s.std.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.next = p.begun.Add(betweenRates)
		p.bar = newBar(f, name, size)
	}
	return p
}

func newBar(w io.Writer, name string, size int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(name),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetPredictTime(true), // time gone, and left
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(),
	)
}

// Write is told of the bytes that were read.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	p.done += int64(len(b))
	p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Add(len(b)) // a bar that cannot be drawn is no reason to stop
	}
	return len(b), nil
}

// counts is told of what became of them.
func (p *progress) counts(c operator.UsageCounts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if now.Before(p.next) {
		return
	}
	gone := now.Sub(p.begun)
	rate := float64(c.Read) / gone.Seconds()
	if p.bar != nil {
		p.next = now.Add(betweenRates)
		p.bar.Describe(fmt.Sprintf("%s: %d records, %.0f a second", p.name, c.Read, rate))
		return
	}
	p.next = now.Add(betweenLines)
	fmt.Fprintf(p.out, "%s: %d read, %d written, %d rejected, %.0f a second%s\n", p.name, c.Read, c.Written, c.Rejected, rate, p.left(gone))
}

// left is how long the rest of the file takes at the rate so far.
func (p *progress) left(gone time.Duration) string {
	if p.size <= 0 || p.done == 0 {
		return ""
	}
	rest := time.Duration(float64(gone) * float64(p.size-p.done) / float64(p.done))
	return fmt.Sprintf(", about %s left", max(rest, 0).Round(time.Second))
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
