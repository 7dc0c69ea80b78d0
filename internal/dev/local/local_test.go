package local

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/dev/local/engine"
	"partnerview/internal/dev/local/issuer"
	"partnerview/internal/dev/template"
	"partnerview/internal/testkit/output"
)

// The small product of testdata.
const root = "testdata"

// What most tests share: the functions' binaries, and an engine of this machine.
var (
	binaries string
	shared   *engine.Engine
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if binaries, err = os.MkdirTemp("", "partnerview-local-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(binaries)
	t, err := readTemplate(Options{Root: root})
	if err != nil {
		return 0, err
	}
	if err := build(context.Background(), root, binaries, t.Functions); err != nil {
		return 0, err
	}
	if shared, err = engine.Start(context.Background(), root, "", 0); err != nil {
		return 0, err
	}
	defer shared.Stop()
	return m.Run(), nil
}

// start starts a stack that makes its tables in the shared engine.
func start(t *testing.T, o Options) *Stack {
	t.Helper()
	if o.Endpoint == "" {
		o.Endpoint = shared.Endpoint
	}
	return startWhole(t, o)
}

// startWhole starts a stack with an engine of its own, unless it is given one.
func startWhole(t *testing.T, o Options) *Stack {
	t.Helper()
	o.Root, o.Binaries, o.Prebuilt = root, binaries, runtime.GOOS == "linux"
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop(context.Background()) })
	return s
}

func TestAnEventGoesThroughAuthorizerAndFunctionAndBack(t *testing.T) {
	log, requests := new(output.Buffer), new(output.Buffer)
	s := start(t, Options{Logs: log, Requests: requests})
	for range 2 {
		status, body := get(t, s.BaseURL+"/things/acme?x=1", "Bearer acme")
		var event struct {
			PathParameters map[string]string
			RequestContext struct{ Authorizer map[string]any }
		}
		if err := json.Unmarshal(body, &event); err != nil || status != 200 || event.PathParameters["thingId"] != "acme" ||
			event.RequestContext.Authorizer["thingId"] != "acme" {
			t.Fatalf("the answer is %d %s", status, body)
		}
	}
	if got := requests.String(); strings.Count(got, "GET /v1/things/acme 200 ") != 2 || strings.Contains(got, "x=1") {
		t.Errorf("the requests are logged as\n%s", got)
	}
	for path, want := range map[string]string{"/things/other": "thing_not_found", "/things/acme": "unauthorized"} {
		authorization := "Bearer acme"
		if want == "unauthorized" {
			authorization = "Basic acme"
		}
		if _, body := get(t, s.BaseURL+path, authorization); !strings.Contains(string(body), want) {
			t.Errorf("%s with %q: %s, want %s", path, authorization, body, want)
		}
	}
	if n := asked(s, log); n != 2 {
		t.Errorf("the authorizer was asked %d times about acme, want 2: once for the two requests that are alike, and once for another path", n)
	}
}

// asked counts how often the authorizer was asked with a bearer. It ends the stack
// first: what a function prints comes through a pipe, maybe later than its answer.
func asked(s *Stack, log *output.Buffer) int {
	s.Stop(context.Background())
	return strings.Count(log.String(), "GateFunction | asked\n")
}

func TestParametersOfTheTemplateCanBeSet(t *testing.T) {
	log := new(output.Buffer)
	s := start(t, Options{Parameters: map[string]string{"Ttl": "0"}, Logs: log})
	get(t, s.BaseURL+"/things", "Bearer acme")
	get(t, s.BaseURL+"/things", "Bearer acme")
	if n := asked(s, log); n != 2 {
		t.Errorf("without a cache the authorizer was asked %d times for two requests", n)
	}
	if _, err := Start(t.Context(), Options{Root: root, Binaries: binaries, Parameters: map[string]string{"TTL": "0"}}); err == nil {
		t.Error("a parameter that the template has not is taken")
	}
}

func TestAFailureOfTheAuthorizerIsOursAndNotKept(t *testing.T) {
	log := new(output.Buffer)
	s := start(t, Options{Logs: log})
	for range 2 {
		if status, body := get(t, s.BaseURL+"/things", "Bearer broken"); status != 503 || !strings.Contains(string(body), "unavailable") {
			t.Errorf("the answer is %d %s", status, body)
		}
	}
	if n := asked(s, log); n != 2 {
		t.Errorf("the authorizer was asked %d times for two requests: its failure was kept", n)
	}
}

func TestAFunctionThatEndsOrRunsOutOfTimeFailsOneRequest(t *testing.T) {
	s := start(t, Options{MaxInstances: 1})
	for _, do := range []string{"exit", "sleep", "malformed"} {
		if status, body := get(t, s.BaseURL+"/open?do="+do, ""); status != 502 || !strings.Contains(string(body), "internal") {
			t.Errorf("%s: %d %s", do, status, body)
		}
		if status, _ := get(t, s.BaseURL+"/open", ""); status != 200 {
			t.Errorf("after %s: %d", do, status)
		}
	}
}

func TestTablesAreThoseOfTheTemplate(t *testing.T) {
	s := start(t, Options{})
	name := s.Tables["ThingsTable"]
	described, err := engine.NewTables(s.Endpoint).DB.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	table := described.Table
	if got := *table.KeySchema[0].AttributeName + *table.KeySchema[1].AttributeName; got != "pksk" || table.TableStatus != "ACTIVE" {
		t.Errorf("the key is %s, the status %s", got, table.TableStatus)
	}
	if x := table.GlobalSecondaryIndexes[0]; *x.IndexName != "ByOwner" || *x.KeySchema[0].AttributeName != "owner" || !slices.Equal(x.Projection.NonKeyAttributes, []string{"name"}) {
		t.Errorf("the index is %+v", x)
	}
	for _, a := range table.AttributeDefinitions {
		if want := map[string]string{"pk": "S", "sk": "N", "owner": "S"}[*a.AttributeName]; string(a.AttributeType) != want {
			t.Errorf("%s is of type %s, want %s", *a.AttributeName, a.AttributeType, want)
		}
	}
	if other := start(t, Options{}).Tables["ThingsTable"]; other == name {
		t.Error("two stacks have tables of the same name")
	}
}

func TestFunctionsAndCommandsFindTheEngineTheTablesAndTheTime(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	s := start(t, Options{Now: now})
	_, body := get(t, s.BaseURL+"/open?do=environment", "")
	var environment []string
	if err := json.Unmarshal(body, &environment); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for name, want := range map[string]string{
		"THINGS_TABLE": s.Tables["ThingsTable"], "AWS_ENDPOINT_URL_DYNAMODB": s.Endpoint, "PARTNERVIEW_NOW": "2026-11-20T12:00:00Z", "AWS_REGION": "us-east-1",
	} {
		if !slices.Contains(environment, name+"="+want) {
			t.Errorf("the function has not %s=%s but %q", name, want, environment)
		}
		if got := s.Getenv(name); got != want {
			t.Errorf("Getenv(%s) = %q, want %q", name, got, want)
		}
	}
	if got := s.Getenv("PATH"); got != "" {
		t.Errorf("Getenv(PATH) = %q: that is the process's own", got)
	}
	unfixed := start(t, Options{})
	if _, body := get(t, unfixed.BaseURL+"/open?do=environment", ""); strings.Contains(string(body), "PARTNERVIEW_NOW") {
		t.Errorf("without a fixed time the function has one: %s", body)
	}
}

func TestAForeignEngineIsUsedAndLeftAsItWas(t *testing.T) {
	e, err := engine.Start(t.Context(), root, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Stop()
	before := runtime.NumGoroutine()
	s := start(t, Options{Endpoint: e.Endpoint})
	if s.Endpoint != e.Endpoint || !s.Fresh {
		t.Errorf("the endpoint is %s, fresh %v", s.Endpoint, s.Fresh)
	}
	if got := tableNames(t, e.Endpoint); len(got) != 1 {
		t.Errorf("the engine has the tables %v", got)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	// A table goes a moment after the engine has agreed to delete it.
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got := tableNames(t, e.Endpoint)
		if len(got) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the tables %v stay behind", got)
		}
	}
	wantGoroutines(t, before)
}

func TestTablesOnDiskAreFoundAgain(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "store")
	first := startWhole(t, Options{Path: folder})
	if !first.Fresh {
		t.Error("the first time the tables are said to be there already")
	}
	first.Stop(t.Context())
	second := startWhole(t, Options{Path: folder})
	if second.Fresh || second.Tables["ThingsTable"] != first.Tables["ThingsTable"] {
		t.Errorf("the second time: fresh %v, %s and %s", second.Fresh, second.Tables["ThingsTable"], first.Tables["ThingsTable"])
	}
}

func TestStopLeavesNoProcessNoPortAndNoGoroutine(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	before := runtime.NumGoroutine()
	s := startWhole(t, Options{})
	get(t, s.BaseURL+"/things", "Bearer acme")
	pid := s.engine.PID()
	waited := make(chan error, 1)
	go func() { waited <- s.Wait() }()
	var under sync.WaitGroup
	under.Go(func() { get(t, s.BaseURL+"/open?do=sleep", "") }) // it is ended after its 2 s
	time.Sleep(200 * time.Millisecond)
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	under.Wait()
	if err := <-waited; err != nil {
		t.Errorf("Wait = %v after Stop", err)
	}
	if syscall.Kill(pid, 0) == nil {
		t.Errorf("the engine, process %d, lives on", pid)
	}
	for _, url := range []string{s.BaseURL, s.Endpoint} {
		if address, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/"); serves(address) {
			t.Errorf("%s is still open", address)
		}
	}
	wantGoroutines(t, before)
}

func wantGoroutines(t *testing.T, before int) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, and %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestAnEngineThatDiesIsToldWithTheWayOut(t *testing.T) {
	s := startWhole(t, Options{})
	s.engine.Kill()
	err := s.Wait()
	if err == nil || !strings.Contains(err.Error(), "ended: signal: killed; start again, or set DYNAMODB_ENDPOINT") || strings.Contains(err.Error(), "\n") {
		t.Errorf("Wait = %v", err)
	}
}

func TestAnIssuerIsStartedAndToldToTheFunctions(t *testing.T) {
	before := runtime.NumGoroutine()
	s := start(t, Options{Issuer: &issuer.Config{Programs: []issuer.Program{{ID: "p", Secret: "demo-secret", Partner: "one"}}}})
	_, body := get(t, s.BaseURL+"/open?do=environment", "")
	if !strings.Contains(string(body), `"OIDC_ISSUER=`+s.Issuer.URL+`"`) {
		t.Errorf("the function is not told of %s: %s", s.Issuer.URL, body)
	}
	stays := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := stays.Get(s.Issuer.URL + "/auth?response_type=code&client_id=" + issuer.ClientID + "&scope=openid&code_challenge_method=S256&code_challenge=" +
		strings.Repeat("a", 43) + "&redirect_uri=" + url.QueryEscape(s.BaseURL+"/"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	stays.CloseIdleConnections()
	if to := response.Header.Get("Location"); !strings.HasPrefix(to, "/interaction/") {
		t.Errorf("the issuer does not know the page's address: %d, to %q", response.StatusCode, to)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if serves(strings.TrimPrefix(s.Issuer.URL, "http://")) {
		t.Errorf("%s stays open", s.Issuer.URL)
	}
	wantGoroutines(t, before)
}

func TestAnIssuerThatDiesIsTold(t *testing.T) {
	s := start(t, Options{Issuer: &issuer.Config{}})
	s.Issuer.Kill()
	err := s.Wait()
	if err == nil || !strings.Contains(err.Error(), "the issuer (oidc-provider)") || !strings.Contains(err.Error(), "ended: signal: killed; start again") {
		t.Errorf("Wait = %v", err)
	}
}

func TestWhatKeepsItFromStartingIsToldAndEndsTheRest(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for claim, c := range map[string]struct {
		o    Options
		want string
	}{
		"a taken port":                  {Options{Listen: taken.Addr().String()}, "address already in use"},
		"no template":                   {Options{Root: t.TempDir()}, "template.yaml: no such file"},
		"an engine that is not there":   {Options{Endpoint: "http://" + closedPort(t)}, "connection refused; start it, or unset DYNAMODB_ENDPOINT to run dynalite"},
		"a folder and a foreign engine": {Options{Path: "x", Endpoint: "http://127.0.0.1:1"}, "not for one that runs already"},
		"functions that do not build":   {Options{Root: broken(t)}, "does not build:"},
	} {
		t.Run(claim, func(t *testing.T) {
			if testing.Short() && c.want == "connection refused; start it, or unset DYNAMODB_ENDPOINT to run dynalite" {
				t.Skip("not in make quick: it is tried for seconds")
			}
			if c.o.Root == "" {
				c.o.Root = root
			}
			c.o.Binaries = t.TempDir()
			port := closedPort(t)
			if c.o.Listen == "" {
				c.o.Listen = port
			}
			s, err := Start(t.Context(), c.o)
			if err == nil {
				s.Stop(t.Context())
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), c.want) || claim != "functions that do not build" && strings.Contains(err.Error(), "\n") {
				t.Errorf("Start = %v, want %q", err, c.want)
			}
			if serves(port) {
				t.Errorf("%s stays open", port)
			}
		})
	}
}

func TestABuildWaitsForAnother(t *testing.T) {
	folder := t.TempDir()
	unlock, err := lock(filepath.Join(folder, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	built := make(chan error, 1)
	go func() {
		built <- build(t.Context(), root, folder, []template.Function{{ID: "Built", Folder: "functions/echo"}})
	}()
	select {
	case err := <-built:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	unlock()
	if err := <-built; err != nil {
		t.Error(err)
	}
}

func TestBuildsAtTheSameTimeDoNotDisturbEachOther(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	folder := t.TempDir()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			s, err := Start(t.Context(), Options{Root: root, Binaries: folder})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Stop(context.Background())
			if status, _ := get(t, s.BaseURL+"/open", ""); status != 200 {
				t.Errorf("the answer is %d", status)
			}
		})
	}
	all.Wait()
}

// broken is a product whose functions are not there.
func broken(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "template.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module broken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	modules, err := filepath.Abs("../../../node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return folder
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func serves(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

func tableNames(t *testing.T, endpoint string) []string {
	t.Helper()
	tables := engine.NewTables(endpoint)
	defer tables.Close()
	listed, err := tables.DB.ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil {
		t.Fatal(err)
	}
	return listed.TableNames
}

func get(t *testing.T, url, authorization string) (status int, body []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, body
}
