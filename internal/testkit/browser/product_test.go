package browser

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
)

// product is what `make run` starts: cmd/local with the sample data, on an engine
// behind a breaker that can be down.
type product struct {
	ready   ready
	breaker *httptest.Server
	down    atomic.Bool
	folder  string
	process *exec.Cmd
	ended   chan error // gets how the process ended
	output  *os.File
	engine  dynamotest.Engine
}

// ready is what cmd/local writes when it serves.
type ready struct {
	BaseURL, DynamodbEndpoint string
	Tables                    struct{ Partners, Customers, PriceLists, Usage string }
	Partners                  []struct{ ID, Key string }
}

// sharedProduct is the product.
func sharedProduct(t *testing.T) *product {
	t.Helper()
	p, err := running()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// journeySite is where people's journeys are tested: the product itself, seen by a
// partner of 30 customers, at a customer with all four products whose name looks
// like markup.
func journeySite(t *testing.T) Site {
	t.Helper()
	p := sharedProduct(t)
	return Site{URL: p.ready.BaseURL + "/", Key: p.key(t, "northwind"), Account: "mueller_soehne"}
}

func (p *product) key(t *testing.T, partner string) string {
	t.Helper()
	for _, known := range p.ready.Partners {
		if known.ID == partner {
			return known.Key
		}
	}
	t.Fatalf("there is no partner %s", partner)
	return ""
}

// operator is who gives out the product's keys, and takes them back.
func (p *product) operator(t *testing.T) *operator.Operator {
	t.Helper()
	db, err := dynamo.NewClient(func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": p.ready.DynamodbEndpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	tables := dynamo.Tables{Partners: p.ready.Tables.Partners, Customers: p.ready.Tables.Customers, PriceLists: p.ready.Tables.PriceLists, Usage: p.ready.Tables.Usage}
	return operator.New(dynamo.NewStore(db, tables), time.Now)
}

// startProduct starts the product, with more arguments if there are any. What was
// started before something failed is in the product that it returns with the error.
func startProduct(more ...string) (*product, error) {
	p := &product{ended: make(chan error, 1)}
	root, err := filepath.Abs("../../..")
	if err != nil {
		return p, err
	}
	if p.folder, err = os.MkdirTemp("", "partnerview-browsertest"); err != nil {
		return p, err
	}
	binary := filepath.Join(p.folder, "local")
	build := exec.Command("go", "build", "-o", binary, "./cmd/local")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return p, fmt.Errorf("go build ./cmd/local: %w\n%s", err, out)
	}
	endpoint, err := p.engine.Listen()
	if err != nil {
		return p, err
	}
	if p.breaker, err = p.newBreaker(endpoint); err != nil {
		return p, err
	}
	if p.output, err = os.Create(filepath.Join(p.folder, "output")); err != nil {
		return p, err
	}
	readyFile := filepath.Join(p.folder, "ready.json")
	arguments := append([]string{"--listen", "127.0.0.1:0", "--ready-file", readyFile, "--until-eof", "--parameter", "AuthorizerTtlSeconds=1", "--endpoint", p.breaker.URL}, more...)
	process := exec.Command(binary, arguments...)
	process.Dir, process.Stdout, process.Stderr = root, p.output, p.output
	// It closes when the test's process ends, however it does, and the product with it.
	if _, err := process.StdinPipe(); err != nil {
		return p, err
	}
	if err := process.Start(); err != nil {
		return p, err
	}
	p.process = process
	go func() { p.ended <- process.Wait() }()         // ends with the process, which stop ends
	for deadline := time.After(10 * time.Minute); ; { // which builds the functions first
		if text, err := os.ReadFile(readyFile); err == nil && json.Unmarshal(text, &p.ready) == nil {
			return p, nil
		}
		select {
		case err := <-p.ended:
			p.process = nil
			return p, fmt.Errorf("cmd/local ended (%v): %s", err, p.said())
		case <-deadline:
			return p, fmt.Errorf("cmd/local does not serve: %s", p.said())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *product) newBreaker(endpoint string) (*httptest.Server, error) {
	to, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // of callers that have left
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.down.Load() {
			panic(http.ErrAbortHandler) // the way in which net/http lets a handler end a connection
		}
		proxy.ServeHTTP(w, r)
	})), nil
}

func (p *product) said() string {
	text, _ := os.ReadFile(p.output.Name())
	return string(text)
}

// stop ends the product as Ctrl-C does, and what else was started for it.
func (p *product) stop() error {
	defer os.RemoveAll(p.folder)
	defer p.engine.Stop()
	if p.breaker != nil {
		defer p.breaker.Close()
	}
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
		return errors.Join(errors.New("cmd/local ran on for 20 s after an interrupt"), p.process.Process.Kill())
	}
}
