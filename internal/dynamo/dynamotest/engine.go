// Package dynamotest gives tests a real DynamoDB engine over the wire: dynalite,
// from the repository's node_modules, with the tables of template.yaml. Where it
// cannot run, a test fails with the command that mends it; none is skipped.
//
// A test package shares one engine, and each test has tables of its own in it:
//
//	var engine dynamotest.Engine
//
//	func TestMain(m *testing.M) { os.Exit(engine.Run(m)) }
//
//	func TestSomething(t *testing.T) { store := engine.NewStore(t) … }
//
// A test that stops the engine starts its own with [Start]. One that counts or
// breaks calls puts a [Proxy] between.
//
// Only tests import it.
package dynamotest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Engine is a running dynalite, or one that starts when it is first asked for.
// The zero Engine keeps its tables in memory and is for [Engine.Run].
type Engine struct {
	mu      sync.Mutex
	dir     string // where tables are kept over a restart; empty: in memory
	port    int    // 0: any; kept over a restart
	running *exec.Cmd
	stdin   io.Closer
}

// Start runs an engine that belongs to one test and keeps its tables over Stop
// and Restart.
func Start(t testing.TB) *Engine {
	t.Helper()
	e := &Engine{dir: t.TempDir()}
	e.Endpoint(t)
	t.Cleanup(e.Stop)
	return e
}

// Run runs a package's tests and then ends the engine, if any test has asked
// for it. It returns the exit code.
func (e *Engine) Run(m *testing.M) int {
	defer e.Stop()
	return m.Run()
}

// Endpoint is the engine's URL, as "http://127.0.0.1:41234". It starts the
// engine where it does not run.
func (e *Engine) Endpoint(t testing.TB) string {
	t.Helper()
	url, err := e.Listen()
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Listen is Endpoint for a TestMain, which has no test to fail.
func (e *Engine) Listen() (url string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running == nil {
		if err := e.start(); err != nil {
			return "", err
		}
	}
	return "http://127.0.0.1:" + strconv.Itoa(e.port), nil
}

// program prints its port when it serves, and ends when its standard input does:
// that is when we end, however we end.
const program = `
const [port, path] = process.argv.slice(1)
const server = require('dynalite')({createTableMs: 0, path: path || undefined})
server.keepAliveTimeout = 0
// dynalite throws when a client goes away in the middle of a request; any other error still ends it.
process.on('uncaughtException', e => { if (e.code !== 'ECONNRESET') { console.error(e); process.exit(1) } })
server.listen(+port, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit(0)).resume()
`

const startTimeout = 20 * time.Second

func (e *Engine) start() error {
	root, err := repositoryRoot()
	if err != nil {
		return err
	}
	cmd := exec.Command("node", "--eval", program, strconv.Itoa(e.port), e.dir)
	cmd.Dir = root // where require looks for node_modules
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("tests need a DynamoDB engine, and that needs Node 20 or later: install it, then run make test: %w", err)
	}
	late := time.AfterFunc(startTimeout, func() { cmd.Process.Kill() })
	defer late.Stop()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		e.port, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		if strings.Contains(complaint.String(), "Cannot find module 'dynalite'") {
			return errors.New("tests need dynalite, a DynamoDB engine: run make test, or npm ci once")
		}
		return fmt.Errorf("dynalite did not start: %w: %s", err, complaint.String())
	}
	e.running, e.stdin = cmd, stdin
	return nil
}

// Restart starts the engine again after Stop, at the same address.
func (e *Engine) Restart(t testing.TB) {
	t.Helper()
	e.Endpoint(t)
}

// Stop ends the engine at once, as a crash would. It may be called when the
// engine does not run.
func (e *Engine) Stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running != nil {
		e.running.Process.Kill()
		e.running.Wait()
		e.stdin.Close()
		e.running = nil
	}
}

// repositoryRoot is the folder of go.mod, at or above the test's own.
func repositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the test's folder")
		}
		dir = parent
	}
}
