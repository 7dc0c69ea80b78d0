package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"partnerview/internal/importer"
)

func (d *desk) link(target, name string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	check(d.t, os.Symlink(target, path))
	return path
}

func (d *desk) pipe(name string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	check(d.t, syscall.Mkfifo(path, 0o600))
	return path
}

// A run never loads what it writes, under whatever name that goes.
func TestWhatTheRunWritesIsNotLoaded(t *testing.T) {
	d := newDeskWithDirectory(t)
	check(t, os.Mkdir(filepath.Join(d.dir, "month"), 0o700))
	text := usageLine("m-1", "") + "bad\n"
	file := d.write("month/usage.ndjson", text)
	d.write("credit.csv", "account,amount,asOf\nbad,1,x\n")
	hard := filepath.Join(d.dir, "hard.ndjson")
	check(t, os.Link(file, hard))
	soft, old := d.link(file, "soft.ndjson"), d.write("month/rejects.ndjson", `{"line":1,"reason":"x"}`+"\n")
	for name, args := range map[string][]string{
		"a link":                       {"usage", file, "--rejects", soft},
		"a hard link":                  {"usage", file, "--rejects", hard},
		"a link that is loaded":        {"usage", soft, "--rejects", file},
		"the same of several":          {"usage", old, soft, "--rejects", hard},
		"a list in the folder":         {"usage", "month", "--rejects", old},
		"a list in it, by a link":      {"usage", "month", "--rejects", d.link(old, "list"), "--dry-run"},
		"credit":                       {"credit", "credit.csv", "--rejects", d.link("credit.csv", "list.csv")},
		"a dry run does not either":    {"usage", file, "--rejects", hard, "--dry-run"},
		"the default list is loaded":   {"usage", d.write("b.ndjson", text), d.link(file, "b.ndjson.rejected.ndjson")},
		"a named pipe that feeds back": {"usage", d.pipe("pipe"), "--rejects", "pipe"},
	} {
		d.run(append([]string{"import"}, args...)...).fails(t, 2, "is to be loaded, and would be overwritten")
		if d.read("month/usage.ndjson") != text {
			t.Fatalf("%s: the input is overwritten", name)
		}
	}
	// What a shell makes of < and >.
	for name, c := range map[string]struct{ in, out string }{"standard input": {file, ""}, "standard output": {"", file}} {
		cmd := d.process(os.Args[0], "import", "usage", file)
		if c.in != "" {
			cmd = d.process(os.Args[0], "import", "usage", "-", "--rejects", hard)
		}
		stream, err := os.OpenFile(file, os.O_RDWR|os.O_APPEND, 0)
		check(t, err)
		defer stream.Close()
		if c.in != "" {
			cmd.Stdin = stream
		} else {
			cmd.Stdout = stream
		}
		d.finish(cmd).fails(t, 2, "is to be loaded, and ")
		if d.read("month/usage.ndjson") != text {
			t.Errorf("%s: the input is changed", name)
		}
	}
}

// Where a list is to go, nothing is lost but the list of an earlier run.
func TestAListOfRejectedLinesTakesNothingAway(t *testing.T) {
	d := newDeskWithDirectory(t)
	good, bad := d.write("good.ndjson", usageLine("m-1", "")), d.write("bad.ndjson", usageLine("m-1", "")+"bad\n")
	const line = `{"line":2,"reason":"is not a JSON object"}` + "\n"
	precious := d.write("precious.txt", "precious\n")
	for _, args := range [][]string{{good}, {good, "--dry-run"}, {bad, "--dry-run"}, {bad}} {
		r := d.run(append([]string{"import", "usage", "--rejects", precious}, args...)...)
		switch {
		case d.read("precious.txt") != "precious\n":
			t.Fatalf("%v: what was there is lost", args)
		case args[0] == good && r.code != 0:
			t.Errorf("%v: exit code %d: %s", args, r.code, r.errOut)
		case args[0] == bad:
			r.fails(t, 1, "precious.txt is there already, is no list of rejected lines, and stays as it is", "--rejects")
		}
	}
	list := d.write("list.ndjson", `{"line":7,"reason":"of a run before"}`+"\n")
	check(t, os.Chmod(list, 0o644))
	d.link("list.ndjson", "link.ndjson")
	if r := d.run("import", "usage", bad, "--rejects", "link.ndjson"); r.code != 3 || d.read("list.ndjson") != line {
		t.Errorf("the list of an earlier run: exit code %d, it is %q: %s", r.code, d.read("list.ndjson"), r.errOut)
	}
	if info, err := os.Lstat("link.ndjson"); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is no link any more: %v, %v", info, err)
	}
	if info, err := os.Stat(list); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the list is there for %v, %v", info.Mode(), err)
	}
	d.link("nowhere/list", "dangling")
	d.run("import", "usage", bad, "--rejects", "dangling").fails(t, 1, "dangling is a link to nowhere")
	d.run("import", "usage", bad, "--rejects", d.dir).fails(t, 1, "--rejects")

	// A pipe, for devices too: it gets the lines, and stays what it is.
	got := make(chan string)
	go func() {
		text, _ := os.ReadFile(d.pipe("pipe"))
		got <- string(text)
	}()
	for !d.has("pipe") {
		time.Sleep(time.Millisecond)
	}
	if r := d.run("import", "usage", bad, "--rejects", "pipe"); r.code != 3 {
		t.Errorf("into a pipe: exit code %d: %s", r.code, r.errOut)
	}
	if text := <-got; text != line {
		t.Errorf("the pipe got %q", text)
	}
	if d.run("import", "usage", good, "--rejects", "pipe"); !d.has("pipe") {
		t.Error("the pipe is removed")
	}
	for _, to := range []string{"a pipe", "a file"} {
		cmd := d.process(os.Args[0], "import", "usage", bad, "--rejects", "/dev/stdout")
		if to == "a file" {
			f, err := os.Create(filepath.Join(d.dir, "out.txt"))
			check(t, err)
			defer f.Close()
			cmd.Stdout = f
		}
		text := d.finish(cmd).out
		if to == "a file" {
			text = d.read("out.txt")
		}
		if !strings.HasPrefix(text, line+"read       2\n") {
			t.Errorf("on the standard output, %s, it says %q", to, text)
		}
	}
	left, err := filepath.Glob(filepath.Join(d.dir, ".partnerctl*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left beside the lists: %v, %v", left, err)
	}
}

func TestListsOfRejectedLinesAreBounded(t *testing.T) {
	d := newDeskWithDirectory(t)
	r := (&session{ctx: t.Context(), std: streams{out: io.Discard, err: io.Discard}}).newRejects("", false)
	r.most = 1000
	for n := range 100 {
		check(t, r.add("usage.ndjson", importer.Reject{Line: n, Field: "id", Reason: `"x" is missing`}))
	}
	check(t, r.endOf("usage.ndjson"))
	text := d.read("usage.ndjson.rejected.ndjson")
	if listed := strings.Count(text, "\n"); len(text) > 1000 || len(text) < 900 || listed+r.unlisted != 100 {
		t.Errorf("%d bytes, %d lines are listed and %d are not", len(text), listed, r.unlisted)
	}
	if top := r.top(3); len(top) != 1 || top[0] != (rejectCount{"id", "is missing", 100}) {
		t.Errorf("the reasons are %+v", top)
	}
}

func TestTheThreeMostFrequentReasonsAreShown(t *testing.T) {
	d := newDeskWithDirectory(t)
	file := d.write("usage.ndjson", usageLine("m-1", "")+strings.Repeat("bad\n", 12)+strings.Repeat(usageLine("m-2", `,"segments":-1`), 4)+
		strings.Repeat(usageLine("m-3", `,"country":"XX"`)+usageLine("m-4", `,"country":"YY"`), 3)+usageLine("m-5", `,"errorCode":"not good"`))
	want := "Most frequent reasons:\n" +
		"  12  is not a JSON object\n" +
		"  6   country: is not an ISO 3166-1 alpha-2 code, as GB\n" +
		"  4   segments: must be a whole number from 0 to 255\n" +
		"Why lines were rejected: "
	if r := d.run("import", "usage", file); r.code != 3 || !strings.Contains(r.out, want) {
		t.Errorf("exit code %d, it says\n%s%s", r.code, r.out, r.errOut)
	}
}

// What in a folder is no file is passed over by name; a file that cannot be read
// to its end is told, with what was written of it, and the others are loaded.
func TestOneBadFileOfAFolderStopsNoOther(t *testing.T) {
	d := newDeskWithDirectory(t)
	check(t, os.MkdirAll(filepath.Join(d.dir, "month", "b-folder.ndjson"), 0o700))
	var long strings.Builder
	for n := range 2000 {
		long.WriteString(usageLine(fmt.Sprintf("c-%d", n), ""))
	}
	d.write("month/A.NDJSON", usageLine("a-1", ""))
	d.pipe("month/b-pipe.ndjson")
	d.link("nowhere", "month/b-link.ndjson")
	d.link("operator@host.1234:1700000000", "month/.#A.NDJSON")
	socket, err := net.Listen("unix", "month/b-socket.ndjson")
	check(t, err)
	defer socket.Close()
	d.write("month/c-cut.ndjson.gz", zipped(long.String())[:3000])
	d.write("month/d-padded.ndjson.gz", zipped(usageLine("d-1", ""))+strings.Repeat("\x00", 512))
	d.write("month/e-wide.ndjson", "{\x00\"\x00a\x00")
	d.write("month/f-csv.ndjson", "umid,createdat,direction,subaccountid\n")
	d.write("month/g-cr.jsonl", strings.ReplaceAll(usageLine("g-1", "")+usageLine("g-2", ""), "\n", "\r"))
	d.write("month/h-noise.ndjson", strings.Repeat("noise\n", 200))
	d.write("month/Z.Jsonl.GZ", zipped(usageLine("z-1", "")))

	r := d.run("import", "usage", "month", "-o", "json")
	var got importedUsage
	decode(t, r.out, &got)
	if r.code != 1 || len(got.Failed) != 6 || got.Error != "6 of 8 files could not be loaded completely: see above" {
		t.Fatalf("exit code %d: %+v\n%s", r.code, got, r.errOut)
	}
	written := got.Failed[0].Written
	if written == 0 || got.Failed[0].Read != written || got.Written != written+3 {
		t.Errorf("of the file that is cut short %d are written, of all %d", written, got.Written)
	}
	says(t, r.errOut,
		"since they are hidden: .#A.NDJSON\n", "since they are links to nowhere: b-link.ndjson\n", "since they are no regular files: b-pipe.ndjson, b-socket.ndjson\n",
		fmt.Sprintf("c-cut.ndjson.gz: the file ends too early: its gzip data is cut short (%d read, %d written until then)\n", written, written),
		"d-padded.ndjson.gz: the file is padded", "(1 read, 1 written until then)\n", "e-wide.ndjson: the file is UTF-16",
		"f-csv.ndjson: the file looks like --format connect-sms-csv", "g-cr.jsonl: the file has CR alone",
		"h-noise.ndjson: each of the first 100 lines is rejected for one reason: is not a JSON object. ", "--keep-going")
	out := d.must("usage", "get", "acme_retail", "-o", "json")
	for _, id := range []string{"a-1", "c-0", "d-1", "z-1"} {
		if !strings.Contains(out, `"id":"`+id+`"`) {
			t.Errorf("%s is not loaded", id)
		}
	}
	d.run("import", "usage", "month/h-noise.ndjson", "month/d-padded.ndjson.gz").fails(t, 1, "2 of 2 files")
	if r := d.run("import", "usage", "month/h-noise.ndjson", "--keep-going"); r.code != 3 || !strings.Contains(r.out, "rejected   200\n") {
		t.Errorf("going on, exit code %d:\n%s%s", r.code, r.out, r.errOut)
	}
	d.run("import", "usage", "month/d-padded.ndjson.gz").fails(t, 1, "month/d-padded.ndjson.gz: the file is padded")

	// Credit is read by the same rules, and so is the directory.
	check(t, os.Mkdir(filepath.Join(d.dir, "credit"), 0o700))
	d.write("credit/a.csv", "sep=;\naccount;amount;asOf\nacme_retail;1;"+time.Now().UTC().Format(time.RFC3339)+"\n")
	d.write("credit/b.csv", usageLine("m-1", ""))
	d.write("credit/C.Csv.Gz", zipped("account,amount,asOf\n"+strings.Repeat("acme_retail,x,2026-01-01T00:00:00Z\n", 150)))
	if r := d.run("import", "credit", "credit"); r.code != 1 || !strings.Contains(r.out, "written    1\n") ||
		!strings.Contains(r.errOut, "credit/b.csv: the file looks like --format native") || !strings.Contains(r.errOut, "each of the first 100 lines is rejected") {
		t.Errorf("credit: exit code %d\n%s%s", r.code, r.out, r.errOut)
	}
	d.must("apply", "-f", d.write("directory.yaml.gz", zipped(directoryFile)))
	d.run("apply", "-f", "credit/a.csv").fails(t, 1, "looks like remaining credit")
	d.feed(zipped(directoryFile)[:100], "apply", "-f", "-").fails(t, 1, "the file ends too early")
}

// Whatever goes wrong, a program finds JSON on the standard output.
func TestProgramsAlwaysGetJSON(t *testing.T) {
	d := newDeskWithDirectory(t)
	d.write("bad.ndjson", "\xff\xfe{\x00")
	good := d.write("good.ndjson", usageLine("m-1", ""))
	for i, args := range [][]string{
		{"import", "usage", "missing.ndjson"}, {"import", "usage", "bad.ndjson"}, {"import", "usage", good, good}, {"import", "usage"}, {"import", "usage", good, "--format", "xml"},
		{"import", "usage", good, "--account", "nobody"}, {"import", "credit", good}, {"import", "credit", "bad.ndjson"}, {"apply"}, {"apply", "-f", "missing.yaml"}, {"apply", "-f", good},
		{"frobnicate"}, {}, {"key", "create"}, {"key", "list", "--partner", "North Wind"}, {"key", "revoke", "nosuchkey000"}, {"grant", "remove", "northwind", "acme_retail"},
		{"usage", "get", "acme_retail", "--endpoint", "http://127.0.0.1:1"}, {"doctor", "--endpoint", "http://127.0.0.1:1"}, {"price", "check", "-f", good},
	} {
		if testing.Short() && slices.Contains(args, "http://127.0.0.1:1") {
			continue // it is tried for seconds
		}
		outputs := [][]string{{"--output", "json"}, {"-o", "json"}, {"--output=json"}}
		if r := d.run(args...); r.code != exitUsage { // the parser has found the flag, however it is written
			outputs = outputs[i%3:][:1]
		}
		for _, output := range outputs {
			r := d.run(append(append([]string{}, args...), output...)...)
			var got map[string]any
			if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code == 0 {
				t.Errorf("%v: exit code %d, %v in %q", args, r.code, err, r.out)
			}
			if text, _ := got["error"].(string); args == nil || len(args) > 0 && args[0] != "doctor" && text == "" {
				t.Errorf("%v: no error is told in %q", args, r.out)
			}
		}
	}
	if r := d.run("import", "usage", "missing.ndjson"); r.out != "" {
		t.Errorf("people get %q", r.out)
	}
}

// One signal ends a command within two seconds, whatever it is waiting for; it
// says so, and an import what was done.
func TestOneSignalEndsACommandInEveryPhase(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	blank := strings.Repeat("\n", 400_000)
	noise := zipped(strings.Repeat(`{"accountId":"acme_retail","product":"sms","id":"m","segments":-1}`+"\n", 1_000_000))
	for name, c := range map[string]struct {
		args  []string
		feed  string // what the standard input has, before it has no more
		again bool   // over and over
		says  string
	}{
		"usage, from an input that waits":   {[]string{"import", "usage", "-"}, usageLine("m-1", "") + blank, false, "read       1\n"},
		"credit, from an input that waits":  {[]string{"import", "credit", "-"}, "account,amount,asOf\nbad,1,x\n" + blank, false, "rejected   1\n"},
		"receipts, from one":                {[]string{"import", "usage", "-", "--format", "connect-sms-receipts"}, "{}\n" + blank, false, "rejected   1\n"},
		"a directory, from one":             {[]string{"apply", "-f", "-"}, blank, false, ""},
		"the text in which keys are found":  {[]string{"key", "find", "-"}, blank, false, ""},
		"rejecting lines and nothing else":  {[]string{"import", "usage", "-", "--keep-going"}, strings.Repeat("bad\n", 100_000), true, "rejected   "},
		"rejecting lines that are gzipped":  {[]string{"import", "usage", "-", "--keep-going"}, noise, true, "rejected   "},
		"one line that does not end":        {[]string{"import", "usage", "-"}, usageLine("m-1", "") + strings.Repeat("x", 8<<20), true, ""},
		"a list that goes to a stuck pipe":  {[]string{"import", "usage", "-", "--keep-going", "--rejects", "stuck"}, strings.Repeat("bad\n", 100_000), true, ""},
		"a list to a pipe with no reader":   {[]string{"import", "usage", "-", "--keep-going", "--rejects", "lonely"}, strings.Repeat("bad\n", 100_000), true, ""},
		"lines that are written":            {[]string{"import", "usage", "-"}, strings.Repeat(usageLine("m-1", "")+usageLine("m-2", ""), 2000), true, "read       "},
		"the second file is a pipe, unfed":  {[]string{"import", "usage", "wide.ndjson", "lonely"}, "", false, ""},
		"credit: the second file is a pipe": {[]string{"import", "credit", "wide.ndjson", "lonely"}, "", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDeskWithDirectory(t)
			d.write("wide.ndjson", "\xff\xfe")
			d.pipe("lonely")
			stuck, err := os.OpenFile(d.pipe("stuck"), os.O_RDWR, 0) // it is open for reading, and nobody reads
			check(t, err)
			defer stuck.Close()
			cmd := d.process(os.Args[0], c.args...)
			in, err := cmd.StdinPipe()
			check(t, err)
			var out bytes.Buffer
			told := &waiter{text: "UTF-16", seen: make(chan struct{})}
			begun := told.seen
			if c.feed != "" {
				begun = make(chan struct{})
			}
			cmd.Stdout, cmd.Stderr = &out, told
			d.start(cmd)
			go func() { // ends when the command does, which then reads no more
				first := 300_000 // more than a pipe and those who read ahead hold: the first lines are done
				if strings.Contains(name, "a list") {
					first = 100_000 // no more is read than is held by the way, but the first lines are
				}
				if _, err := io.WriteString(in, c.feed[:min(first, len(c.feed))]); err != nil || c.feed == "" {
					return
				}
				close(begun)
				for err := error(nil); c.again && err == nil; {
					_, err = io.WriteString(in, c.feed)
				}
			}()
			<-begun
			for full := 0; strings.Contains(name, "stuck") && full < 60_000; time.Sleep(time.Millisecond) {
				if full, err = unix.IoctlGetInt(int(stuck.Fd()), unix.TIOCINQ); err != nil {
					t.Fatal(err)
				}
			}
			at := time.Now()
			_ = cmd.Process.Signal(syscall.SIGTERM)
			err = cmd.Wait()
			took := time.Since(at)
			if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != 1 || took > 2*time.Second || !strings.Contains(told.all.String(), "partnerctl: interrupted") {
				t.Errorf("after %v: %v; it says %q", took, err, told.all.String())
			}
			if !strings.Contains(out.String(), c.says) {
				t.Errorf("what was done is told as\n%s", out.String())
			}
		})
	}
}
