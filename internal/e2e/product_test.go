// Package e2e_test drives the whole product as `make run` starts it: cmd/local
// with the real binaries, the routes and the authorizer of template.yaml, a real
// engine behind a proxy that records and fails, and data loaded by the operator's
// own code. Whatever the product answers is held against openapi.yaml, and
// searched for canaries.
package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerview/internal/dev/sample"
	"partnerview/internal/testkit/contract"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/testkit/oidctest"
	"partnerview/internal/testkit/producttest"
	"partnerview/internal/testkit/recording"
)

// now is the time of all these tests: samples and fixtures do not age.
const now = "2026-11-20T12:00:00Z"

var clock = func() time.Time {
	t, err := time.Parse(time.RFC3339, now)
	if err != nil {
		panic(err)
	}
	return t
}()

// product is one running Partnerview; the tests share it.
type product struct {
	*producttest.Product
	issuer    *oidctest.Issuer
	signs     oidctest.Key // the issuer's
	root, bin string       // the repository; a folder with partnerctl and local in it
	spec      *contract.Spec
}

var (
	engine dynamotest.Engine
	pv     *product
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "partnerview-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	defer engine.Stop()
	if pv, err = start(dir); err != nil {
		fmt.Fprintln(os.Stderr, "partnerview does not start:", err)
		return 1
	}
	code := m.Run()
	pv.issuer.Close()
	if err := recording.Keep("e2e", pv.Tables, recorded()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := pv.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "partnerview does not stop:", err)
		code = 1
	}
	if leaks := sample.Leaks(pv.Output.String()); leaks != nil {
		fmt.Fprintf(os.Stderr, "FAIL: the processes' logs hold %q\n", leaks)
		code = 1
	}
	return code
}

// recorded are all requests that functions have sent, for make proof-iam.
func recorded() (requests []recording.Request) {
	for _, c := range pv.Proxy.Calls() {
		requests = append(requests, recording.Request{Role: c.Function, Target: c.Target, Body: c.Body})
	}
	return requests
}

func start(dir string) (*product, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	p := &product{root: root, bin: dir}
	if p.spec, err = contract.Load(); err != nil {
		return nil, err
	}
	if err := producttest.Build(root, dir, "local", "partnerctl"); err != nil {
		return nil, err
	}
	endpoint, err := engine.Listen()
	if err != nil {
		return nil, err
	}
	if p.issuer, err = oidctest.Start(); err != nil {
		return nil, err
	}
	if p.signs, err = p.issuer.NewKey(jose.RS256); err != nil {
		return nil, err
	}
	p.issuer.Publish(p.signs)
	p.Product, err = producttest.Start(root, dir, endpoint, "--now", now, "--parameter", "OidcIssuer="+p.issuer.URL, "--parameter", "OidcAudience="+audience)
	return p, err
}

// says reports whether a text is in the logs. They come through pipes, maybe a little
// later than the answer that they are about.
func (p *product) says(text string) bool {
	return eventually(func() bool { return strings.Contains(p.Output.String(), text) })
}

// eventually asks until it is so, for five seconds.
func eventually(so func() bool) bool {
	for deadline := time.Now().Add(5 * time.Second); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// newKey makes a partner a key for which the gateway has kept no decision yet.
func (p *product) newKey(t testing.TB, partner string) string {
	t.Helper()
	return p.createKey(t, now, partner, "--expires", "1h").Key
}

// madeKey is what partnerctl prints of a key that it has made.
type madeKey struct{ PartnerID, KeyID, Key, ExpiresAt string }

func (p *product) createKey(t testing.TB, at, partner string, options ...string) (made madeKey) {
	t.Helper()
	arguments := append([]string{"key", "create", "--partner", partner, "--output", "json"}, options...)
	out, complaint, code := p.partnerctlAt(t, at, "", arguments...)
	if err := json.Unmarshal([]byte(out), &made); err != nil || code != 0 {
		t.Fatalf("key create: exit %d, %v, %s%s", code, err, out, complaint)
	}
	return made
}

type answer struct {
	status int
	header http.Header
	body   string
}

// get asks the product with a key; an empty key sends none. Every answer must
// keep the contract, and hold no canary.
func (p *product) get(t testing.TB, key, path string, headers ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", p.BaseURL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return p.do(t, r)
}

func (p *product) do(t testing.TB, r *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.spec.CheckAnswer(r.Method, r.URL.EscapedPath(), response.StatusCode, response.Header, body); err != nil {
		t.Errorf("%s %s breaks openapi.yaml: %v", r.Method, r.URL, err)
	}
	var head bytes.Buffer
	_ = response.Header.Write(&head)
	if leaks := sample.Leaks(head.String() + string(body)); leaks != nil {
		t.Errorf("%s %s tells %q", r.Method, r.URL, leaks)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

// read asks for what must be there.
func (p *product) read(t testing.TB, key, path string, into any) answer {
	t.Helper()
	a := p.get(t, key, path)
	if a.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return a
}

// wants asks for what must be answered with a status, and a problem's code; empty: none.
func (p *product) wants(t testing.TB, claim, key, path string, status int, code string, headers ...string) {
	t.Helper()
	a := p.get(t, key, path, headers...)
	if a.status != status || a.code() != code || status == 401 && a.header.Get("WWW-Authenticate") != "Bearer" ||
		status == 503 && a.header.Get("Retry-After") == "" {
		t.Errorf("%s, GET %s: %d %s %v, want %d %s", claim, path, a.status, a.body, a.header, status, code)
	}
}

// whole reads a list to its end; the path has a query.
func whole[T any](t testing.TB, key, path string) (data []T) {
	t.Helper()
	for next := path; next != ""; {
		var page struct {
			Data       []T
			NextCursor string
		}
		pv.read(t, key, next, &page)
		data = append(data, page.Data...)
		if next = ""; page.NextCursor != "" {
			next = path + "&cursor=" + page.NextCursor
		}
	}
	return data
}

// operates runs the operator's tool, which must end well, and gives what it printed.
func (p *product) operates(t testing.TB, stdin string, arguments ...string) string {
	t.Helper()
	out, complaint, code := p.partnerctl(t, stdin, arguments...)
	if code != 0 {
		t.Fatalf("partnerctl %s: exit %d: %s%s", strings.Join(arguments, " "), code, out, complaint)
	}
	return out
}

// partnerctl runs the operator's tool on the product's tables.
func (p *product) partnerctl(t testing.TB, stdin string, arguments ...string) (stdout, stderr string, code int) {
	t.Helper()
	return p.partnerctlAt(t, now, stdin, arguments...)
}

// partnerctlAt is partnerctl at another time.
func (p *product) partnerctlAt(t testing.TB, now, stdin string, arguments ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "partnerctl"), append(arguments, "--now", now)...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "DYNAMODB_ENDPOINT="+p.DynamodbEndpoint, "PARTNERS_TABLE="+p.Tables.Partners, "CUSTOMERS_TABLE="+p.Tables.Customers,
		"PRICELISTS_TABLE="+p.Tables.PriceLists, "USAGE_TABLE="+p.Tables.Usage, "TOTALS_TABLE="+p.Tables.Totals, "LEDGER_TABLE="+p.Tables.Ledger)
	var out, complaints bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &complaints
	_ = cmd.Run() // the exit code is what tests look at
	for name, text := range map[string]string{"stdout": out.String(), "stderr": complaints.String()} {
		if leaks := sample.Leaks(text); leaks != nil {
			t.Errorf("partnerctl %s: its %s tells %q", strings.Join(arguments, " "), name, leaks)
		}
	}
	return out.String(), complaints.String(), cmd.ProcessState.ExitCode()
}
