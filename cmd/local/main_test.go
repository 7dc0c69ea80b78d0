package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/dynamo"
	"partnerview/internal/testkit/output"
)

// command is a run of ours in the test's own process.
type command struct {
	stop           context.CancelFunc
	stdout, stderr *output.Buffer
	code           chan int
}

func begin(t *testing.T, args ...string) *command {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	c := &command{stop: stop, stdout: new(output.Buffer), stderr: new(output.Buffer), code: make(chan int, 1)}
	var ended sync.WaitGroup
	ended.Go(func() { c.code <- run(ctx, args, strings.NewReader(""), c.stdout, c.stderr) })
	t.Cleanup(func() {
		stop()
		ended.Wait()
	})
	return c
}

// serves waits until the ready file is there.
func (c *command) serves(t *testing.T, readyFile string) []byte {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if text, err := os.ReadFile(readyFile); err == nil {
			return text
		}
		if code, ended := c.ended(); ended {
			t.Fatalf("it ended with %d: %s", code, c.stderr)
		}
	}
	t.Fatalf("it does not serve: %s", c.stderr)
	return nil
}

func (c *command) ended() (code int, ended bool) {
	select {
	case code := <-c.code:
		c.code <- code
		return code, true
	default:
		return 0, false
	}
}

func (c *command) wait(t *testing.T) int {
	t.Helper()
	select {
	case code := <-c.code:
		c.code <- code
		return code
	case <-time.After(time.Minute):
		t.Fatalf("it does not end: %s", c.stderr)
		return 0
	}
}

// fails runs ours, which must not start: its last line says why.
func fails(t *testing.T, why string, args ...string) {
	t.Helper()
	c := begin(t, args...)
	if code := c.wait(t); code != exitFailure {
		t.Errorf("it ended with %d", code)
	}
	wantLastLine(t, c.stderr.String(), why)
}

type readyFile struct {
	BaseURL          string
	DynamodbEndpoint string
	AuditLog         string
	Tables           map[string]string
	Partners         []struct{ ID, Status, Key string }
}

var curlLine = regexp.MustCompile(`(?m)^  curl -H 'Authorization: (Bearer pvk_\w+)' '(http\S+)'$`)

// It runs as a user would run it: with sample data, until Ctrl-C.
func TestItServesTheSampleUntilItIsEnded(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "")
	node := markNode(t)
	path := filepath.Join(t.TempDir(), "ready.json")
	if err := os.WriteFile(path, []byte("stale"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := begin(t, "--listen", "127.0.0.1:0", "--ready-file", path, "--now", "2026-11-20T12:00:00Z")
	text := []byte("stale")
	for string(text) == "stale" { // until the old one is gone
		text, _ = os.ReadFile(path)
	}
	var ready readyFile
	if err := json.Unmarshal(c.serves(t, path), &ready); err != nil {
		t.Fatal(err)
	}
	status := make(map[string]int)
	for _, p := range ready.Partners {
		status[p.Status]++
		want := 200
		if p.Status == "suspended" {
			want = 401
		}
		if got := get(t, ready.BaseURL+"/customers", "Bearer "+p.Key); got != want {
			t.Errorf("%s, which is %s, gets %d, want %d", p.ID, p.Status, got, want)
		}
		if !strings.Contains(c.stdout.String(), p.Key) {
			t.Errorf("the key of %s is not printed", p.ID)
		}
	}
	if status["active"] < 2 || status["suspended"] < 1 {
		t.Errorf("the ready file has the partners %v", ready.Partners)
	}
	for _, name := range []string{"Partners", "Customers", "PriceLists", "Usage", "Totals", "Ledger"} {
		if ready.Tables[name] == "" {
			t.Errorf("the ready file has no table %s: %v", name, ready.Tables)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the keys in the ready file may be read by others: %v, %v", info.Mode(), err)
	}
	if text, err := os.ReadFile(ready.AuditLog); err != nil || !strings.Contains(c.stdout.String(), "  export AUDIT_LOG="+ready.AuditLog+"\n") {
		t.Errorf("the audit log is not where it is said to be: %v, %s", err, text)
	}
	lines := curlLine.FindAllStringSubmatch(c.stdout.String(), -1)
	if len(lines) != 4 {
		t.Errorf("%d lines to try are printed, want 4:\n%s", len(lines), c.stdout)
	}
	for _, line := range lines {
		if got := get(t, line[2], line[1]); got != 200 {
			t.Errorf("%s answers %d", line[0], got)
		}
	}
	var summary struct {
		Data     []struct{ Records int }
		Complete bool
	}
	if err := json.Unmarshal(body(t, ready.BaseURL+"/summary?from=2026-08-01&to=2026-11-21", "Bearer "+ready.Partners[0].Key), &summary); err != nil {
		t.Fatal(err)
	}
	if !summary.Complete || len(summary.Data) != 1 || summary.Data[0].Records < 1000 {
		t.Errorf("the summary of all that a partner sees is %+v", summary)
	}
	for _, name := range []string{"TOTALS_TABLE", "LEDGER_TABLE"} {
		if want := "  export " + name + "=" + ready.Tables[map[string]string{"TOTALS_TABLE": "Totals", "LEDGER_TABLE": "Ledger"}[name]] + "\n"; !strings.Contains(c.stdout.String(), want) {
			t.Errorf("%q is not printed:\n%s", want, c.stdout)
		}
	}
	if log := c.stderr.String(); !strings.Contains(log, "GET /v1/customers 200 ") || strings.Contains(log, "limit=") || strings.Contains(log, `"level":"INFO"`) {
		t.Errorf("the requests are logged as\n%s", log)
	}

	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) { // lines come through a pipe
		text, _ := os.ReadFile(ready.AuditLog)
		if n := strings.Count(string(text), `"route":"GET /customers/{accountId}"`); n == 1 {
			break
		} else if time.Now().After(deadline) {
			t.Errorf("one customer was shown, and %d lines of the audit log say so:\n%s", n, text)
			break
		}
	}

	c.stop()
	if code := c.wait(t); code != 0 {
		t.Errorf("it ended with %d: %s", code, c.stderr)
	}
	if _, err := os.Stat(ready.AuditLog); !os.IsNotExist(err) {
		t.Errorf("the audit lines of tables that are gone stay behind: %v", err)
	}
	if syscall.Kill(node.pid(t), 0) == nil {
		t.Error("the engine lives on")
	}
	for _, url := range []string{ready.BaseURL, ready.DynamodbEndpoint} {
		address, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			t.Errorf("%s is still open", address)
		}
	}
}

func TestEmptyHasTablesAndNothingInThem(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "")
	path := filepath.Join(t.TempDir(), "ready.json")
	c := begin(t, "--listen", "127.0.0.1:0", "--ready-file", path, "--empty")
	var ready readyFile
	if err := json.Unmarshal(c.serves(t, path), &ready); err != nil {
		t.Fatal(err)
	}
	if ready.Partners == nil || len(ready.Partners) > 0 || len(ready.Tables) != 6 {
		t.Errorf("the ready file has the partners %v and tables %v", ready.Partners, ready.Tables)
	}
	for _, want := range []string{"export DYNAMODB_ENDPOINT=" + ready.DynamodbEndpoint + "\n", "export USAGE_TABLE=" + ready.Tables["Usage"] + "\n"} {
		if !strings.Contains(c.stdout.String(), want) {
			t.Errorf("%q is not printed:\n%s", want, c.stdout)
		}
	}
}

// A folder of before there were totals loses nothing, and says how it gets them.
func TestAFolderWithoutTotalsIsToldWithTheWayOut(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "")
	folder := filepath.Join(t.TempDir(), "kept")
	const told = "until you run partnerctl totals rebuild"
	start := func() (*command, readyFile) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "ready.json")
		c := begin(t, "--listen", "127.0.0.1:0", "--ready-file", path, "--path", folder, "--records", "20")
		var ready readyFile
		if err := json.Unmarshal(c.serves(t, path), &ready); err != nil {
			t.Fatal(err)
		}
		return c, ready
	}
	for i, without := range []bool{false, false, true} {
		c, ready := start()
		if said := strings.Contains(c.stdout.String(), told); said != without {
			t.Errorf("start %d says\n%s", i+1, c.stdout)
		}
		if i == 1 {
			db, err := dynamo.NewClient(func(name string) string {
				return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": ready.DynamodbEndpoint}[name]
			})
			if err != nil {
				t.Fatal(err)
			}
			table := ready.Tables["Totals"]
			if _, err := db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &table}); err != nil {
				t.Fatal(err)
			}
		}
		c.stop()
		if code := c.wait(t); code != 0 {
			t.Fatalf("it ended with %d: %s", code, c.stderr)
		}
	}
}

func TestAnEngineThatDiesEndsItWithTheWayOut(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "")
	node := markNode(t)
	path := filepath.Join(t.TempDir(), "ready.json")
	c := begin(t, "--listen", "127.0.0.1:0", "--ready-file", path, "--empty")
	c.serves(t, path)
	syscall.Kill(node.pid(t), syscall.SIGKILL)
	if code := c.wait(t); code != exitFailure {
		t.Errorf("it ended with %d", code)
	}
	wantLastLine(t, c.stderr.String(), "ended: signal: killed; start again, or set DYNAMODB_ENDPOINT to another engine")
}

func TestATakenPortIsToldWithTheWayOut(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	fails(t, taken.Addr().String()+" is taken by another program: end that, or choose another address: --listen 127.0.0.1:0", "--listen", taken.Addr().String())
}

func TestAMissingNodeIsToldWithTheWayOut(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "")
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Symlink(tool, filepath.Join(folder, "go")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder)
	fails(t, "install Node 20 or later, or set DYNAMODB_ENDPOINT", "--listen", "127.0.0.1:0")
}

func TestAnEngineThatIsNotThereIsToldWithTheWayOut(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "http://127.0.0.1:1")
	fails(t, "start it, or unset DYNAMODB_ENDPOINT", "--listen", "127.0.0.1:0")
}

func TestAFolderAndAForeignEngineContradictEachOther(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "http://127.0.0.1:1")
	fails(t, "leave it out, or unset DYNAMODB_ENDPOINT", "--listen", "127.0.0.1:0", "--path", t.TempDir())
}

func TestOutsideTheRepositoryItSaysSo(t *testing.T) {
	t.Chdir(t.TempDir())
	c := begin(t)
	if code := c.wait(t); code != exitFailure {
		t.Errorf("it ended with %d", code)
	}
	wantLastLine(t, c.stderr.String(), "run this in Partnerview's repository")
}

func TestOfTheFunctionsLogsOnlyWhatIsWrongIsShown(t *testing.T) {
	shown := new(output.Buffer)
	for _, line := range []string{
		`GetUsageFunction | {"level":"INFO","msg":"request"}` + "\n",
		`AuthorizerFunction | 2026/11/20 12:00:00 {"errorMessage":"Unauthorized","errorType":"errorString"}` + "\n",
		`GetUsageFunction | {"level":"ERROR","msg":"failed"}` + "\n",
		"GetUsageFunction | panic: oh no\n",
	} {
		complaints{shown}.Write([]byte(line))
	}
	want := "GetUsageFunction | {\"level\":\"ERROR\",\"msg\":\"failed\"}\nGetUsageFunction | panic: oh no\n"
	if got := shown.String(); got != want {
		t.Errorf("shown is\n%s\nwant\n%s", got, want)
	}
}

// What sam build makes is for arm64; it is told on another machine, and served on
// its own. The binaries here are those that the product builds for this one.
func TestBinariesThatAreThereAreServedAndTheirLinesAreShownRaw(t *testing.T) {
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	ready := filepath.Join(t.TempDir(), "ready.json")
	begin(t, "--listen", "127.0.0.1:0", "--empty", "--ready-file", ready).serves(t, ready) // builds them
	ready = filepath.Join(t.TempDir(), "ready.json")
	c := begin(t, "--listen", "127.0.0.1:0", "--empty", "--ready-file", ready, "--build-dir", filepath.Join(root, "build", "host"), "--log", "json")
	var r readyFile
	if err := json.Unmarshal(c.serves(t, ready), &r); err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(r.BaseURL + "/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("it answers %d", response.StatusCode)
	}
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(c.stderr.String(), `"_aws"`) && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	_, printed, _ := strings.Cut(c.stderr.String(), "\n") // the first line says what is under way
	for line := range strings.Lines(printed) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line is not as the function printed it: %s", line)
		}
	}
	if !strings.Contains(printed, `"msg":"request"`) {
		t.Errorf("the request's line is not in %s", c.stderr)
	}
}

func TestHelpDescribesEveryFlag(t *testing.T) {
	c := begin(t, "--help")
	if code := c.wait(t); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	for _, flag := range []string{"--listen=ADDRESS", "--empty", "--records=N", "--ready-file=PATH", "--sso", "--now=TIME", "--path=FOLDER", "--parameter=NAME=VALUE", "--logs", "--log=FORM", "--build-dir=FOLDER", "--endpoint=URL", "$DYNAMODB_ENDPOINT"} {
		if !strings.Contains(c.stdout.String(), flag) {
			t.Errorf("%s is not in\n%s", flag, c.stdout)
		}
	}
}

func TestAWrongCommandLineIsWrongUse(t *testing.T) {
	for _, args := range [][]string{{"--no-such-flag"}, {"--now", "yesterday"}, {"--records", "-1"}, {"serve"}} {
		c := begin(t, args...)
		if code := c.wait(t); code != exitUsage || !strings.Contains(c.stderr.String(), "--help") {
			t.Errorf("%v ended with %d: %s", args, code, c.stderr)
		}
	}
}

// wantLastLine also wants no line but the one that tells of the start before it.
func wantLastLine(t *testing.T, text, want string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if last := lines[len(lines)-1]; !strings.Contains(last, want) || !strings.HasPrefix(last, "local: ") || len(lines) > 2 {
		t.Errorf("it says\n%s\nwant one line with %q", text, want)
	}
}

// markedNode tells which process Node runs in.
type markedNode string

// markNode puts a node before the real one that notes its process id.
func markNode(t *testing.T) markedNode {
	t.Helper()
	real, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	noted := filepath.Join(folder, "pid")
	script := fmt.Sprintf("#!/bin/sh\necho $$ > '%s'\nexec '%s' \"$@\"\n", noted, real)
	if err := os.WriteFile(filepath.Join(folder, "node"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	return markedNode(noted)
}

func (n markedNode) pid(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(string(n))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func get(t *testing.T, url, authorization string) int {
	t.Helper()
	status, _ := request(t, url, authorization)
	return status
}

func body(t *testing.T, url, authorization string) []byte {
	t.Helper()
	_, text := request(t, url, authorization)
	return text
}

func request(t *testing.T, url, authorization string) (status int, text []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, text
}
