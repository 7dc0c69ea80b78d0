// Package engine runs dynalite, the DynamoDB engine of one machine: a Node
// program in the repository's node_modules.
//
// It owns that process. The engine listens on loopback only, is a process group
// of its own (so that Ctrl-C in a terminal reaches us alone, and we end it in
// order), and ends by itself when we do, however we end: it reads a pipe that
// closes with us. What is in the tables is not its business.
package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Engine is a running dynalite.
type Engine struct {
	// Endpoint is its URL, as "http://127.0.0.1:41234".
	Endpoint string

	cmd    *exec.Cmd
	stdin  io.Closer // closing it asks the engine to end
	stderr *tail
	done   chan struct{}

	mu      sync.Mutex
	stopped bool
	err     error // why it ended; set before done is closed
}

// The program that Node runs. It prints its port when it serves. Its connections
// stay open while we keep ours: Node would close an idle one after five seconds,
// now and then under a request. dynalite throws when a client goes away in the
// middle of a request, as one that is ended does; any other error ends it.
const program = `
const [path, port] = process.argv.slice(1)
const server = require('dynalite')({path: path || undefined, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0})
server.keepAliveTimeout = 0
// dynalite throws when a client goes away in the middle of a request; any other error still ends it.
process.on('uncaughtException', e => { if (e.code !== 'ECONNRESET') { console.error(e); process.exit(1) } })
process.on('uncaughtException', error => { if (error.code !== 'ECONNRESET') { console.error(error); process.exit(1) } })
server.on('error', error => { console.error(error.message); process.exit(1) })
server.listen(+port, '127.0.0.1', () => console.log(server.address().port))
const end = () => { server.close(() => process.exit(0)); setTimeout(() => process.exit(0), 1000).unref() }
process.stdin.on('end', end).on('error', end).resume()
`

const (
	startTimeout = 15 * time.Second
	stopTimeout  = 3 * time.Second
)

// The ways out of what can be missing. They are one line each: they are shown
// as they are.
var (
	errNoNode = errors.New("dynalite, the DynamoDB engine of this machine, needs Node, which is not installed: " +
		"install Node 20 or later, or set DYNAMODB_ENDPOINT to an engine that runs already")
	errNoDynalite = errors.New("dynalite, the DynamoDB engine of this machine, is not installed: " +
		"run npm ci, or set DYNAMODB_ENDPOINT to an engine that runs already")
)

// Start runs an engine and returns when it serves. root is the folder of
// node_modules. Its tables are kept in the folder path, or in memory if that is
// empty. port 0 takes a free one. ctx bounds the start only.
func Start(ctx context.Context, root, path string, port int) (*Engine, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errNoNode
	}
	e := &Engine{
		cmd:    exec.Command(node, "--eval", program, path, strconv.Itoa(port)),
		stderr: new(tail),
		done:   make(chan struct{}),
	}
	e.cmd.Dir = root // where require looks for node_modules
	e.cmd.Stderr = e.stderr
	ownGroup(e.cmd)
	stdin, err := e.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	e.stdin = stdin
	stdout, stdoutEnd := io.Pipe()
	e.cmd.Stdout = stdoutEnd
	if err := e.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the DynamoDB engine: %w", err)
	}
	go e.wait(stdoutEnd)

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	stopWaiting := context.AfterFunc(ctx, func() { stdout.CloseWithError(ctx.Err()) })
	defer stopWaiting()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		_, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		e.Stop()
		return nil, e.whyNotStarted(ctx)
	}
	go io.Copy(io.Discard, stdout) // ends with the process, which closes the pipe
	e.Endpoint = "http://127.0.0.1:" + strings.TrimSpace(line)
	return e, nil
}

func (e *Engine) whyNotStarted(ctx context.Context) error {
	switch said := e.stderr.String(); {
	case strings.Contains(said, "Cannot find module 'dynalite'"):
		return errNoDynalite
	case said != "":
		return fmt.Errorf("the DynamoDB engine (dynalite) does not start: %s", complaint(said))
	case ctx.Err() != nil:
		return fmt.Errorf("the DynamoDB engine (dynalite) does not start: %w", ctx.Err())
	}
	return errors.New("the DynamoDB engine (dynalite) does not start")
}

// wait belongs to the process and ends with it.
func (e *Engine) wait(stdout *io.PipeWriter) {
	e.cmd.Wait() // ProcessState says how it went
	stdout.Close()
	e.mu.Lock()
	if !e.stopped {
		why := complaint(e.stderr.String())
		if why == "" {
			why = e.cmd.ProcessState.String()
		}
		e.err = fmt.Errorf("the DynamoDB engine (dynalite, process %d) ended: %s", e.cmd.Process.Pid, why)
	}
	e.mu.Unlock()
	close(e.done)
}

// PID is the process of the engine.
func (e *Engine) PID() int { return e.cmd.Process.Pid }

// Done is closed when the engine has ended.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err tells, after Done, why the engine ended by itself; nil where it was
// stopped.
func (e *Engine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Stop ends the engine and returns when its process is gone. It may be called
// more than once.
func (e *Engine) Stop() {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	e.stdin.Close()
	select {
	case <-e.done:
	case <-time.After(stopTimeout):
		killGroup(e.cmd)
		<-e.done
	}
}

// Kill ends the engine at once, as a crash would: Done and Err tell of it.
func (e *Engine) Kill() {
	select {
	case <-e.done:
	default:
		killGroup(e.cmd)
		<-e.done
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
