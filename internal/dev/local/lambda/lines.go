package lambda

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// lines passes on whole lines, each after the name of the function that printed
// it, so that the lines of many instances do not run into each other.
type lines struct {
	prefix string
	to     io.Writer // nil: nowhere

	mu   sync.Mutex
	rest []byte // of a line that has not ended
}

// A line that is longer is cut into several.
const maxLine = 64 << 10

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole && len(l.rest) < maxLine {
			return len(p), nil
		}
		l.print(line)
		l.rest = rest
	}
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.rest) > 0 {
		l.print(l.rest)
		l.rest = nil
	}
}

func (l *lines) print(line []byte) {
	if l.to != nil {
		fmt.Fprintf(l.to, "%s | %s\n", l.prefix, line)
	}
}
