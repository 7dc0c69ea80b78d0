package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAuditLinesStayWithTheTables(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "store")
	for n := 1; n <= 2; n++ { // the second time it goes on
		s := startWhole(t, Options{Path: folder})
		get(t, s.BaseURL+fmt.Sprintf("/open?do=audit&x=acme-%d", n), "")
		get(t, s.BaseURL+"/open", "")
		s.Stop(context.Background())
		text, err := os.ReadFile(s.AuditLog)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if len(lines) != 1+n || !strings.Contains(lines[0], `"the audit log begins"`) || lines[n] != fmt.Sprintf(`{"time":"2026-11-20T12:00:00Z","audit":true,"accountIds":["acme-%d"]}`, n) {
			t.Errorf("after start %d, the log is\n%s", n, text)
		}
		if info, err := os.Stat(s.AuditLog); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("others may read it: %v, %v", info.Mode(), err)
		}
	}
	passing := start(t, Options{})
	if _, err := os.Stat(passing.AuditLog); err != nil {
		t.Error(err)
	}
	passing.Stop(context.Background())
	if _, err := os.Stat(passing.AuditLog); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder, the log stays behind: %v", err)
	}
}

// The file has an end, and its first line says since when it has all there was.
func TestTheAuditLogLosesItsOlderHalfAndSaysSo(t *testing.T) {
	l, err := openAuditLog(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l.max = 2000
	w := auditedWriter{l, io.Discard}
	const lines = 100
	for n := range lines {
		fmt.Fprintf(w, "GetUsageFunction | {\"time\":\"2026-11-20T12:%02d:%02dZ\",\"audit\":true,\"n\":%d}\n", n/60, n%60, n)
	}
	text, err := os.ReadFile(l.path)
	if err != nil {
		t.Fatal(err)
	}
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	count := bytes.Count(rest, []byte("\n"))
	since := lines - count
	oldest := fmt.Sprintf("2026-11-20T12:%02d:%02dZ", since/60, since%60)
	if len(text) > 2000 || len(text) < 500 || !bytes.Contains(first, []byte(`"time":"`+oldest+`"`)) || !bytes.HasPrefix(rest, []byte(`{"time":"`+oldest+`"`)) || !bytes.HasSuffix(rest, []byte("\"n\":99}\n")) {
		t.Errorf("the last %d lines are kept, in %d bytes:\n%s", count, len(text), text)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
}
