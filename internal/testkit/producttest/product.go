// Package producttest starts the whole product for tests, as `make run` does: cmd/local
// with the real binaries, the routes and the authorizer of template.yaml, on an engine
// behind a [Proxy] that records and fails.
//
// Only tests and proofs import it.
package producttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/testkit/output"
)

// Product is a running cmd/local.
type Product struct {
	Ready
	Proxy  *Proxy
	Output output.Buffer // of the product: what it prints and logs

	process *exec.Cmd
	ended   chan error // gets how the process ended
}

// Ready is what cmd/local writes when it serves.
type Ready struct {
	BaseURL          string // with the stage: "http://127.0.0.1:41234/v1"
	DynamodbEndpoint string
	InboxURL         string // a file that is put below it is imported; empty: there is no inbox
	Tables           dynamo.Tables
	Partners         []struct{ ID, Status, Key string } // of the sample
}

// Key is a partner's demo key.
func (r Ready) Key(t testing.TB, partner string) string {
	t.Helper()
	for _, known := range r.Partners {
		if known.ID == partner {
			return known.Key
		}
	}
	t.Fatalf("the ready file has no partner %s", partner)
	return ""
}

// Build builds commands of cmd/ into a folder.
func Build(root, folder string, commands ...string) error {
	for _, command := range commands {
		build := exec.Command("go", "build", "-o", filepath.Join(folder, command), "./cmd/"+command)
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go build ./cmd/%s: %w\n%s", command, err, out)
		}
	}
	return nil
}

// Start runs the command local of a folder, with more arguments, on an engine's endpoint,
// until it serves. The authorizer's answers are kept for a second. The product ends with
// Stop, and with the test's process, however that ends.
func Start(root, folder, endpoint string, arguments ...string) (*Product, error) {
	proxy, err := startProxy(endpoint)
	if err != nil {
		return nil, err
	}
	p := &Product{Proxy: proxy, ended: make(chan error, 1)}
	if err := p.launch(root, filepath.Join(folder, "local"), arguments); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s", err, &p.Output), p.Stop())
	}
	return p, nil
}

func (p *Product) launch(root, binary string, arguments []string) error {
	folder, err := os.MkdirTemp("", "partnerview-ready")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	ready := filepath.Join(folder, "ready.json")
	process := exec.Command(binary, append([]string{
		"--listen", "127.0.0.1:0", "--ready-file", ready, "--logs", "--until-eof",
		"--parameter", "AuthorizerTtlSeconds=1", "--endpoint", p.Proxy.url,
	}, arguments...)...)
	process.Dir, process.Stdout, process.Stderr = root, &p.Output, &p.Output
	if _, err := process.StdinPipe(); err != nil { // which closes when the test's process ends
		return err
	}
	if err := process.Start(); err != nil {
		return err
	}
	p.process = process
	go func() { p.ended <- process.Wait() }()         // ends with the process, which Stop ends
	for deadline := time.After(10 * time.Minute); ; { // it builds the functions first
		if text, err := os.ReadFile(ready); err == nil && json.Unmarshal(text, &p.Ready) == nil {
			return nil
		}
		select {
		case err := <-p.ended:
			p.process = nil
			return fmt.Errorf("cmd/local ended (%v)", err)
		case <-deadline:
			return errors.New("cmd/local does not serve")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop ends the product as Ctrl-C does, and reports whether it ended well. A nil Product
// is none that could be started.
func (p *Product) Stop() error {
	if p == nil {
		return nil
	}
	defer p.Proxy.server.Close()
	if p.process == nil {
		return nil
	}
	if err := p.process.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	select {
	case err := <-p.ended:
		return err
	case <-time.After(20 * time.Second):
		late := fmt.Errorf("cmd/local ran on for 20 s after an interrupt: %s", &p.Output)
		return errors.Join(late, p.process.Process.Kill())
	}
}
