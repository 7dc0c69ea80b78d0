package contract

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// guide is docs/api.md, what partners read.
func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks are the guide's code blocks of a language, by the name that follows it.
func blocks(t *testing.T, language string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, m := range regexp.MustCompile("(?ms)^```"+language+" (\\S+)\n(.*?)^```$").FindAllStringSubmatch(guide(t), -1) {
		found[m[1]] = m[2]
	}
	return found
}

func TestTheGuidesAnswersAreValid(t *testing.T) {
	_, r := load(t)
	answers := blocks(t, "json")
	for schema, text := range answers {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", schema, err)
		}
		compiled := r.compile(r.doc.Components.Schemas[schema])
		if r.faults != nil {
			t.Fatal(r.faults)
		}
		if err := departures(compiled.Validate(value)); err != nil {
			t.Errorf("%s: %v", schema, err)
		}
	}
	if want := []string{"Customer", "InvalidParameterProblem", "LogList", "Me", "Price", "SummaryPage", "UsageRecord"}; !slices.Equal(slices.Sorted(maps.Keys(answers)), want) {
		t.Errorf("the guide's answers are %v, want %v", slices.Sorted(maps.Keys(answers)), want)
	}
}

// The codes' statuses stand in the examples, which the contract's own tests hold
// to it.
func TestTheGuidesTableHasEveryCodeWithItsStatus(t *testing.T) {
	_, r := load(t)
	want := map[string]string{}
	for _, example := range r.doc.Components.Examples {
		if problem, _ := example.Value.Value.(object); problem["code"] != nil && problem["status"] != nil {
			want[fmt.Sprint(problem["code"])] = fmt.Sprint(problem["status"])
		}
	}
	for _, code := range r.doc.Components.Schemas["ProblemCode"].Value.Examples {
		if want[code.(string)] == "" {
			t.Errorf("no example has code %s", code)
		}
	}
	got := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| (\\d{3}) \\| `(\\w+)` \\|").FindAllStringSubmatch(guide(t), -1) {
		got[m[2]] = m[1]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes (-contract +guide):\n%s", diff)
	}
}

func TestTheGuideNamesEveryRouteAndParameter(t *testing.T) {
	s, _ := load(t)
	rows := regexp.MustCompile("(?m)^\\| `.*").FindAllString(guide(t), -1)
	for _, route := range s.Routes() {
		for _, word := range append(slices.Clone(route.Parameters), route.Pattern) {
			if !slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, "`"+word+"`") }) {
				t.Errorf("%s: no table of the guide has `%s`", route.Pattern, word)
			}
		}
	}
}

// logServer serves a log of three pages, the second of them empty, at the path
// and with the parameters that the guide's programs ask for. The first time that
// the second page is asked for it is unavailable.
func logServer(t *testing.T) *httptest.Server {
	t.Helper()
	const record = `{"id":%q,"timestamp":"2026-11-03T10:00:00.120Z","status":null,"to":"****0123","price":{"status":"rated","amount":"0.162","currency":"EUR"}}`
	pages := map[string]string{
		"":   fmt.Sprintf(`{"data":[`+record+`,`+record+`],"nextCursor":"p2"}`, "u-1", "u-2"),
		"p2": `{"data":[],"nextCursor":"p3"}`,
		"p3": fmt.Sprintf(`{"data":[`+record+`],"nextCursor":null}`, "u-3"),
	}
	refused := make(chan bool, 1)
	refused <- true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		cursor := query.Get("cursor")
		query.Del("cursor")
		const want = "from=2026-11-01&limit=500&order=asc&to=2026-12-01"
		page, ok := pages[cursor]
		if r.URL.Path != "/v1/customers/acme_retail/usage/sms" || query.Encode() != want || r.Header.Get("Authorization") != "Bearer pvk_test" || !ok {
			t.Errorf("%s %s, want ?%s", r.Method, r.URL, want)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if cursor == "p2" {
			select {
			case <-refused:
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = w.Write([]byte(`{"code":"unavailable"}`))
				return
			default:
			}
		}
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(server.Close)
	return server
}

// run runs a program of the guide to its end, and gives what it printed.
func run(t *testing.T, server *httptest.Server, name string, args ...string) string {
	t.Helper()
	out, complaints, code := try(t, server, name, args...)
	if code != 0 {
		t.Fatalf("%s: exit code %d\n%s", name, code, complaints)
	}
	return out
}

// try runs a program that may fail. One that does not end within a minute is
// killed, and its exit code is -1.
func try(t *testing.T, server *httptest.Server, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), "PARTNERVIEW_URL="+server.URL+"/v1", "PARTNERVIEW_KEY=pvk_test")
	command.WaitDelay = time.Second // curl, of a shell that was killed
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	_ = command.Run() // the exit code says it
	if command.ProcessState == nil {
		t.Fatalf("%s does not run", name)
	}
	return out.String(), complaints.String(), command.ProcessState.ExitCode()
}

// needShell asks for what the guide's shell programs use.
func needShell(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%v: install it, as with: apt-get install %s", err, tool)
			}
			t.Skipf("NOT TESTED: docs/api.md's shell programs need %s: apt-get install %s", tool, tool)
		}
	}
}

func TestTheGuidesProgramGetsATokenAndUsesIt(t *testing.T) {
	needShell(t)
	const token, secret, audience, page = "eyJh.eyJp.c2ln", "s3cret&=%", "https://api.example.com", `{"data":[],"nextCursor":null}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, given, _ := r.BasicAuth()
		switch {
		case r.Method == "POST" && r.URL.Path == "/token" && id == "client-7" && given == secret &&
			r.FormValue("grant_type") == "client_credentials" && r.FormValue("audience") == audience:
			fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":300}`, token)
		case r.Method == "GET" && r.URL.Path == "/v1/customers" && r.Header.Get("Authorization") == "Bearer "+token:
			_, _ = w.Write([]byte(page))
		default:
			t.Errorf("%s %s with %v %v", r.Method, r.URL, r.Header, r.Form)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"TOKEN_URL": server.URL + "/token", "CLIENT_ID": "client-7", "CLIENT_SECRET": secret, "AUDIENCE": audience} {
		t.Setenv(name, value)
	}
	if out := run(t, server, "sh", "-c", blocks(t, "sh")["token.sh"]); out != page {
		t.Errorf("it prints %s", out)
	}
}

func TestTheGuidesShellLoopReadsALogToItsEnd(t *testing.T) {
	t.Parallel()
	needShell(t)
	out := run(t, logServer(t), "sh", "-c", blocks(t, "sh")["page.sh"])
	var ids []string
	for _, m := range regexp.MustCompile(`(?m)^\{"id":"([^"]+)".*\}$`).FindAllStringSubmatch(out, -1) {
		ids = append(ids, m[1])
	}
	if want := []string{"u-1", "u-2", "u-3"}; !slices.Equal(ids, want) {
		t.Errorf("records %v, want %v, in:\n%s", ids, want, out)
	}
}

func TestTheGuidesGoProgramReadsALogToItsEnd(t *testing.T) {
	t.Parallel()
	server := logServer(t)
	const want = "u-1 2026-11-03T10:00:00.12Z 0.162 EUR\nu-2 2026-11-03T10:00:00.12Z 0.162 EUR\nu-3 2026-11-03T10:00:00.12Z 0.162 EUR\n"
	if diff := cmp.Diff(want, run(t, server, buildGuide(t, server))); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

// buildGuide builds the guide's Go program.
func buildGuide(t *testing.T, server *httptest.Server) (program string) {
	t.Helper()
	folder := t.TempDir()
	var sources []string
	for _, name := range []string{"page.go", "get.go"} {
		source := filepath.Join(folder, name)
		if err := os.WriteFile(source, []byte(blocks(t, "go")[name]), 0o600); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source)
	}
	program = filepath.Join(folder, "page")
	run(t, server, "go", append([]string{"build", "-o", program}, sources...)...)
	return program
}

// A quota is renewed next month: an hour of waiting after another helps nobody.
func TestTheGuidesProgramsDoNotWaitForAQuota(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"code":"quota_exceeded","detail":"used up","requestId":"r-1"}`))
	}))
	defer server.Close()
	for name, command := range map[string][]string{"page.go": {buildGuide(t, server)}, "page.sh": {"sh", "-c", blocks(t, "sh")["page.sh"]}} {
		t.Run(name, func(t *testing.T) {
			if name == "page.sh" {
				needShell(t)
			}
			if out, complaints, code := try(t, server, command[0], command[1:]...); code != 1 || out != "" || !strings.Contains(complaints, "quota_exceeded") {
				t.Errorf("exit code %d, it says %q and %q", code, out, complaints)
			}
		})
	}
}
