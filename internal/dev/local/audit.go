package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// maxAuditLog bounds the file of audit lines, in bytes: some 40,000 of them.
const maxAuditLog = 16 << 20

// auditLog is the file of audit lines, one JSON object a line, as the functions print
// them. It begins with a line that says since when it has all of them; where it would
// get longer than it may, the older half goes. Only its owner may read it.
type auditLog struct {
	path      string
	temporary bool // goes with the product

	mu   sync.Mutex
	file *os.File
	size int64
	max  int64
}

// openAuditLog goes on with the file in a folder, or begins one; an empty folder is
// none, and the file is then a temporary one.
func openAuditLog(folder string) (*auditLog, error) {
	l := &auditLog{max: maxAuditLog}
	if folder == "" {
		file, err := os.CreateTemp("", "partnerview-audit-*.ndjson")
		if err != nil {
			return nil, err
		}
		l.path, l.file, l.temporary = file.Name(), file, true
		return l, l.begin(time.Now())
	}
	path, err := filepath.Abs(filepath.Join(folder, "audit.ndjson"))
	if err != nil {
		return nil, err
	}
	l.path = path
	if l.file, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	info, err := l.file.Stat()
	if err != nil {
		return nil, err
	}
	if l.size = info.Size(); l.size == 0 {
		return l, l.begin(time.Now())
	}
	return l, nil
}

// begin writes the first line.
func (l *auditLog) begin(at time.Time) error { return l.write(firstAuditLine(at)) }

func firstAuditLine(at time.Time) []byte {
	line, _ := json.Marshal(map[string]any{"time": at, "msg": "the audit log begins"}) // both can be written
	return append(line, '\n')
}

func (l *auditLog) write(line []byte) error {
	n, err := l.file.Write(line)
	l.size += int64(n)
	return err
}

// add keeps a line.
func (l *auditLog) add(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size+int64(len(line)) > l.max {
		if err := l.halve(); err != nil {
			return err
		}
	}
	return l.write(line)
}

// halve leaves out the older half of the lines. A reader has the file of before or the
// one of after.
func (l *auditLog) halve() error {
	text, err := os.ReadFile(l.path)
	if err != nil {
		return err
	}
	_, kept, _ := bytes.Cut(text[len(text)/2:], []byte("\n"))
	first, _, _ := bytes.Cut(kept, []byte("\n"))
	var oldest struct{ Time time.Time }
	if json.Unmarshal(first, &oldest) != nil {
		oldest.Time = time.Now()
	}
	next := l.path + ".new"
	if err := os.WriteFile(next, append(firstAuditLine(oldest.Time), kept...), 0o600); err != nil {
		return err
	}
	if err := os.Rename(next, l.path); err != nil {
		return err
	}
	file, err := os.OpenFile(l.path, os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	l.file.Close()
	l.file = file
	info, err := file.Stat()
	if err != nil {
		return err
	}
	l.size = info.Size()
	return nil
}

func (l *auditLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.file.Close()
	if l.temporary {
		err = os.Remove(l.path)
	}
	return err
}

// auditedWriter passes lines of functions on, and keeps those of the audit.
type auditedWriter struct {
	kept *auditLog
	to   io.Writer
}

// auditMark is in each audit line and, since it is no text in JSON, in no other.
var auditMark = []byte(`"audit":true`)

func (w auditedWriter) Write(line []byte) (int, error) {
	if bytes.Contains(line, auditMark) {
		_, printed, _ := bytes.Cut(line, []byte(" | "))
		if err := w.kept.add(printed); err != nil {
			fmt.Fprintf(w.to, "audit | a line is not kept: %v\n", err)
		}
	}
	return w.to.Write(line)
}
