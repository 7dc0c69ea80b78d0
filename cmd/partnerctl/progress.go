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
// the bytes read, or else a line now and then.
type progress struct {
	out  io.Writer
	name string
	bar  *progressbar.ProgressBar // nil where there is no terminal

	mu   sync.Mutex
	next time.Time // when a line is due
}

const betweenLines = 10 * time.Second

// newProgress begins to show; size is the file's in bytes, or -1 where that is
// unknown.
func (s *session) newProgress(name string, size int64) *progress {
	p := &progress{out: s.std.err, name: name, next: time.Now().Add(betweenLines)}
	if f, ok := s.std.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions64(size,
			progressbar.OptionSetWriter(f),
			progressbar.OptionSetDescription(name),
			progressbar.OptionShowBytes(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionFullWidth(),
			progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

// Write is told of the bytes that were read.
func (p *progress) Write(b []byte) (int, error) {
	if p.bar != nil {
		_ = p.bar.Add(len(b)) // a bar that cannot be drawn is no reason to stop
	}
	return len(b), nil
}

// counts is told of what became of them.
func (p *progress) counts(c operator.UsageCounts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); p.bar == nil && now.After(p.next) {
		p.next = now.Add(betweenLines)
		fmt.Fprintf(p.out, "%s: %d read, %d written, %d rejected\n", p.name, c.Read, c.Written, c.Rejected)
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
