// Package dynamodblocal runs DynamoDB Local, Amazon's own engine for one machine: a
// Java program that the Makefile has Maven put into .tools/dynamodb-local, on loopback
// and in memory, as testdata/dynamodb-local/server.xml has it.
//
// It keeps tables apart by access key: whoever shares them has the same one. It needs
// some 350 MB, and answers a Query in four times what dynalite takes.
package dynamodblocal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Engine is a running DynamoDB Local.
type Engine struct {
	Endpoint string // "http://127.0.0.1:41234"
	Version  string // "3.3.1"

	cmd   *exec.Cmd
	said  bytes.Buffer // complete when ended is closed
	ended chan struct{}
	stop  sync.Once
}

// A busy machine takes a JVM's start for half a minute.
const (
	startTimeout = 2 * time.Minute
	stopTimeout  = 5 * time.Second
	memory       = "-Xmx512m"
)

// Start runs an engine and returns when it serves and is warm; see [Engine.Warm]. root is
// the repository. It is to be stopped.
func Start(ctx context.Context, root string) (*Engine, error) {
	version, err := installed(root)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	e := &Engine{Endpoint: "http://127.0.0.1:" + port, Version: version, ended: make(chan struct{})}
	e.cmd = exec.Command("java", memory, "-cp", filepath.Join(libraries(root), "*"),
		"org.eclipse.jetty.xml.XmlConfiguration", "port="+port,
		filepath.Join(root, "testdata", "dynamodb-local", "server.xml"))
	e.cmd.Stdout, e.cmd.Stderr = &e.said, &e.said
	if err := e.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start DynamoDB Local, which needs Java 17 or later: %w", err)
	}
	go func() { // ends with the process
		_ = e.cmd.Wait() // whoever waits for the engine is told what it said
		close(e.ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := e.serves(ctx); err != nil {
		e.Stop()
		return nil, err
	}
	if err := e.Warm(ctx); err != nil {
		e.Stop()
		return nil, err
	}
	return e, nil
}

func libraries(root string) string { return filepath.Join(root, ".tools", "dynamodb-local", "lib") }

// installed is the version of the engine in its folder.
func installed(root string) (version string, err error) {
	const before, after = "DynamoDBLocal-", ".jar"
	found, err := filepath.Glob(filepath.Join(libraries(root), before+"*"+after))
	if err != nil || len(found) != 1 {
		return "", errors.New("DynamoDB Local is not in .tools/dynamodb-local: make .tools/dynamodb-local/installed")
	}
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(found[0]), before), after), nil
}

// freePort is a port that nobody listens on now. The engine cannot choose one and say so.
func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), nil
}

// serves waits until the engine answers at all.
func (e *Engine) serves(ctx context.Context) error {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.Endpoint, nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			return response.Body.Close()
		}
		select {
		case <-e.ended:
			return fmt.Errorf("DynamoDB Local has ended: %s: %s", e.cmd.ProcessState, bytes.TrimSpace(e.said.Bytes()))
		case <-ctx.Done():
			return fmt.Errorf("DynamoDB Local does not serve: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// PID is the id of its process.
func (e *Engine) PID() int { return e.cmd.Process.Pid }

// Stop ends the engine and returns when it is gone. What was in it is gone too. It may be
// called more than once.
func (e *Engine) Stop() {
	e.stop.Do(func() {
		_ = e.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-e.ended:
		case <-time.After(stopTimeout):
			_ = e.cmd.Process.Kill()
			<-e.ended
		}
	})
}
