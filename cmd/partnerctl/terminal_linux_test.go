package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
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

// Whoever sits at a terminal sees how far a count is, in one line that goes when it has ended.
func TestATerminalIsToldHowFarACountIs(t *testing.T) {
	d := newDeskWithDirectory(t)
	var lines strings.Builder
	for _, day := range []string{"01", "02", "03"} {
		lines.WriteString(`{"accountId":"acme_retail","product":"sms","id":"m-` + day + `","timestamp":"2026-02-` + day + `T10:00:00Z","direction":"outbound","segments":2}` + "\n")
	}
	file := d.write("usage.ndjson", lines.String())
	counted := regexp.MustCompile(`\r([0-9]+) of 3 days counted`)
	for _, command := range []string{"import usage " + file + " --now " + march, "totals rebuild --account acme_retail"} {
		reader, screen := terminal(t)
		cmd := d.process(os.Args[0], strings.Fields(command)...)
		cmd.Stderr = screen
		check(t, cmd.Run())
		check(t, screen.Close())       // or what is still on its way would not be waited for
		shown, _ := io.ReadAll(reader) // it ends with an error
		told := counted.FindAllSubmatch(shown, -1)
		if len(told) != 3 || string(told[2][1]) != "3" {
			t.Errorf("%s tells %q", command, shown)
		}
		if _, behind, _ := strings.Cut(string(shown), "3 of 3 days counted"); !strings.HasPrefix(behind, "\r\x1b[K") {
			t.Errorf("%s leaves the line where it was: %q", command, shown)
		}
		if r := d.run(strings.Fields(command)...); r.code != 0 || strings.Contains(r.errOut+r.out, "of 3 days counted") {
			t.Errorf("%s without a terminal: exit code %d, %q", command, r.code, r.errOut)
		}
	}
}
