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
// Where DYNAMODB_ENDPOINT names an engine that runs already, such as DynamoDB Local,
// the tests' tables are in that, and are deleted when their test has ended.
//
// A test that stops the engine starts its own with [Start], a dynalite whatever
// DYNAMODB_ENDPOINT says. One that counts or breaks calls puts a [Proxy] between.
//
// Only tests import it.
package dynamotest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"partnerview/internal/dev/local/engine"
	"partnerview/internal/dev/template"
)

// Engine is a running dynalite, or one that starts when it is first asked for; or
// the engine of DYNAMODB_ENDPOINT, which it neither starts nor stops. The zero Engine
// keeps its tables in memory and is for [Engine.Run].
type Engine struct {
	mu      sync.Mutex
	dir     string // where tables are kept over a restart; empty: in memory, and nobody restarts it
	port    int    // 0: any; kept over a restart
	running *engine.Engine

	read    sync.Once
	written []template.Table // of template.yaml, as it was read
	unread  error
}

// endpointVariable names an engine that runs already.
const endpointVariable = "DYNAMODB_ENDPOINT"

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

// foreign is the URL of the engine that runs already and is used in place of one of ours;
// empty: there is none.
func (e *Engine) foreign() string {
	if e.dir != "" {
		return ""
	}
	return os.Getenv(endpointVariable)
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
	if url := e.foreign(); url != "" {
		return url, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running == nil {
		root, err := repositoryRoot()
		if err != nil {
			return "", err
		}
		if e.running, err = engine.Start(context.Background(), root, e.dir, e.port); err != nil {
			return "", fmt.Errorf("%s: %w", e.need(), err)
		}
		_, port, _ := strings.Cut(strings.TrimPrefix(e.running.Endpoint, "http://"), ":")
		if e.port, err = strconv.Atoi(port); err != nil {
			return "", err
		}
	}
	return e.running.Endpoint, nil
}

// need says what an engine of ours is for.
func (e *Engine) need() string {
	if e.dir != "" {
		return "a test that stops its engine needs one of its own, whatever " + endpointVariable + " says"
	}
	return "tests need a DynamoDB engine"
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
		e.running.Kill()
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
