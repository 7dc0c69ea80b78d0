// Package node runs a server of this machine that is a Node program, with
// libraries from the repository's node_modules.
//
// It owns that process. The process is a group of its own (so that Ctrl-C in a
// terminal reaches us alone, and we end it in order), and ends by itself when we
// do, however we end: it reads a pipe that closes with us. What it serves is the
// affair of the packages that have such a program.
package node

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Program is what Node runs. It serves on loopback only, prints one line when it
// does, and ends when its standard input does.
type Program struct {
	Name   string // in messages: "the DynamoDB engine (dynalite)"
	Source string
	Module bool // whether Source is an ES module
	Args   []string

	// Told as they are, in one line with the way out, where Node is missing, or a
	// library of the program.
	NoNode, NoLibrary error
}

// Process is a running program.
type Process struct {
	Line string // what it printed when it served, without the line's end

	name   string
	cmd    *exec.Cmd
	stdin  io.Closer // closing it asks the program to end
	stderr *tail
	done   chan struct{}

	mu      sync.Mutex
	stopped bool
	err     error // why it ended; set before done is closed
}

const (
	startTimeout = time.Minute
	stopTimeout  = 3 * time.Second
)

var missingLibrary = regexp.MustCompile(`Cannot find (module|package) '`)

// Start runs a program and returns when it serves. root is the folder of
// node_modules. ctx bounds the start only.
func Start(ctx context.Context, root string, program Program) (*Process, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, program.NoNode
	}
	kind := "--input-type=commonjs"
	if program.Module {
		kind = "--input-type=module"
	}
	p := &Process{
		name:   program.Name,
		cmd:    exec.Command(node, append([]string{kind, "--eval", program.Source}, program.Args...)...),
		stderr: new(tail),
		done:   make(chan struct{}),
	}
	p.cmd.Dir = root // where Node looks for node_modules
	p.cmd.Stderr = p.stderr
	ownGroup(p.cmd)
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, stdoutEnd := io.Pipe()
	p.cmd.Stdout = stdoutEnd
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	go p.wait(stdoutEnd)

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	stopWaiting := context.AfterFunc(ctx, func() { stdout.CloseWithError(ctx.Err()) })
	defer stopWaiting()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		p.Stop()
		return nil, p.whyNotStarted(ctx, program.NoLibrary)
	}
	go io.Copy(io.Discard, stdout) // ends with the process, which closes the pipe
	p.Line = strings.TrimSpace(line)
	return p, nil
}

func (p *Process) whyNotStarted(ctx context.Context, noLibrary error) error {
	switch said := p.stderr.String(); {
	case missingLibrary.MatchString(said):
		return noLibrary
	case said != "":
		return fmt.Errorf("%s does not start: %s", p.name, complaint(said))
	case ctx.Err() != nil:
		return fmt.Errorf("%s does not start: %w", p.name, ctx.Err())
	}
	return errors.New(p.name + " does not start")
}

// wait belongs to the process and ends with it.
func (p *Process) wait(stdout *io.PipeWriter) {
	p.cmd.Wait() // ProcessState says how it went
	stdout.Close()
	p.mu.Lock()
	if !p.stopped {
		why := complaint(p.stderr.String())
		if why == "" {
			why = p.cmd.ProcessState.String()
		}
		p.err = fmt.Errorf("%s, process %d, ended: %s", p.name, p.cmd.Process.Pid, why)
	}
	p.mu.Unlock()
	close(p.done)
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err tells, after Done, why the process ended by itself; nil where it was
// stopped.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Stop ends the process and returns when it is gone. It may be called more than
// once.
func (p *Process) Stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	p.stdin.Close()
	select {
	case <-p.done:
	case <-time.After(stopTimeout):
		killGroup(p.cmd)
		<-p.done
	}
}

// Kill ends the process at once, as a crash would: Done and Err tell of it.
func (p *Process) Kill() {
	select {
	case <-p.done:
	default:
		killGroup(p.cmd)
		<-p.done
	}
}

// complaint is the one line of Node's that says what is wrong: the first that
// names an error, else the last.
func complaint(said string) string {
	last := ""
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "Error: ") {
			return line
		}
		if line != "" {
			last = line
		}
	}
	return last
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 8 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text) - tailSize; n > 0 {
		t.text = t.text[n:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends the process and whatever it started. The group is the
// process's own, so its id is the process's.
func killGroup(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
