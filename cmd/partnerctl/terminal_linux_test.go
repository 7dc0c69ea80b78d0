package main

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal opens a pseudo-terminal: what is written to the second is read from
// the first.
func terminal(t *testing.T) (reader, screen *os.File) {
	t.Helper()
	reader, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	check(t, err)
	t.Cleanup(func() { reader.Close() })
	check(t, unix.IoctlSetPointerInt(int(reader.Fd()), unix.TIOCSPTLCK, 0))
	name, err := unix.IoctlGetInt(int(reader.Fd()), unix.TIOCGPTN)
	check(t, err)
	screen, err = os.OpenFile("/dev/pts/"+strconv.Itoa(name), os.O_RDWR|unix.O_NOCTTY, 0)
	check(t, err)
	t.Cleanup(func() { screen.Close() })
	return reader, screen
}

func TestColourIsForTerminalsAlone(t *testing.T) {
	d := newDeskWithDirectory(t)
	list := func(variables ...string) *exec.Cmd {
		cmd := d.process(os.Args[0], "partner", "list")
		cmd.Env = append(append(cmd.Env, "TERM=xterm"), variables...)
		return cmd
	}
	onScreen := func(cmd *exec.Cmd) string {
		t.Helper()
		reader, screen := terminal(t)
		cmd.Stdout = screen
		check(t, cmd.Run())
		seen := make([]byte, 4096)
		n, err := reader.Read(seen)
		check(t, err)
		return string(seen[:n])
	}
	if out := onScreen(list()); !strings.Contains(out, "\x1b[32mactive\x1b[0m") {
		t.Errorf("a terminal shows %q", out)
	}
	for _, variable := range []string{"NO_COLOR=1", "TERM=dumb"} {
		if out := onScreen(list(variable)); strings.Contains(out, "\x1b") || !strings.Contains(out, "active") {
			t.Errorf("with %s a terminal shows %q", variable, out)
		}
	}
	out, err := list().Output()
	if err != nil || bytes.Contains(out, []byte("\x1b")) || !bytes.Contains(out, []byte("active")) {
		t.Errorf("a pipe gets %q, %v", out, err)
	}
}
