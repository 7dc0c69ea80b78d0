package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// failures are the lines of doctor that have something to remedy, as "check table".
func (d *desk) failures(wantCode int) map[string]tableCheck {
	d.t.Helper()
	r := d.run("doctor", "-o", "json")
	var out doctorReport
	decode(d.t, r.out, &out)
	failed := make(map[string]tableCheck)
	for _, line := range out.Checks {
		if !line.OK {
			name, _, _ := strings.Cut(line.Table, "Table-")
			failed[strings.TrimSpace(line.Check+" "+name)] = line
			if line.Remedy == "" || line.Detail == "" {
				d.t.Errorf("what fails has no remedy: %+v", line)
			}
		}
	}
	if r.code != wantCode || out.OK != (wantCode == 0) || len(failed) > 0 != (wantCode != 0) {
		d.t.Errorf("exit code %d: %+v %s", r.code, out, r.errOut)
	}
	return failed
}

func TestDoctorFindsAHealthyMachineHealthy(t *testing.T) {
	d := newDeskWithUsage(t)
	d.newKey()
	dump := func() string {
		return d.must("partner", "show", "northwind") + d.must("customer", "list") + d.must("price", "show", "acme_retail", "sms") + d.must("usage", "get", "acme_retail", "--now", march)
	}
	before := dump()
	d.failures(0)
	out := d.must("doctor")
	says(t, out,
		"ok  reach   "+d.tables.Partners, "key pk, sk; index ByAccount of accountId, pk; index ByName of pk, sortKey", "key log, at; index ById of byId, at",
		"ok  write   "+d.tables.Usage, "ok  clock   -")
	if after := dump(); after != before {
		t.Errorf("it has changed something: before\n%s\nafter\n%s", before, after)
	}
}

func TestDoctorTellsHowFarEachLogIsLoaded(t *testing.T) {
	d := newDeskWithUsage(t)
	var out doctorReport
	decode(t, d.must("doctor", "--logs", "-o", "json"), &out)
	var shown shownTotals
	decode(t, d.must("totals", "show", "--from", "2020-01-01", "-o", "json"), &shown)
	if len(out.Logs) == 0 || len(out.Logs) != len(shown.Logs) {
		t.Fatalf("doctor knows %d logs, totals show %d", len(out.Logs), len(shown.Logs))
	}
	for i, l := range out.Logs {
		if i > 0 && *l.LoadedThrough < *out.Logs[i-1].LoadedThrough {
			t.Errorf("%s %s stands behind one that is loaded further", l.AccountID, l.Product)
		}
		at := slices.IndexFunc(shown.Logs, func(s shownLog) bool { return s.AccountID == l.AccountID && s.Product == l.Product })
		if at < 0 || *shown.Logs[at].LoadedThrough != *l.LoadedThrough || l.Pending {
			t.Errorf("doctor says of a log %+v", l)
		}
	}
	oldest := out.Logs[0]
	text := d.must("doctor", "--logs")
	says(t, text, fmt.Sprintf("logs: %d; the newest is loaded through ", len(out.Logs)), " days ago", "ACCOUNT ID", *oldest.LoadedThrough)
	if text := d.must("doctor"); strings.Contains(text, "ACCOUNT ID") {
		t.Errorf("without --logs it lists them: %s", text)
	}
}

// A key that is narrowed and has no list would be taken for one that works. Of a person it
// may be meant.
func TestDoctorNamesListsThatBoundNobodyAndViewersWithoutOne(t *testing.T) {
	d := newDeskWithIssuer(t)
	store := dynamo.NewStore(engine.Client(t), d.tables)
	key := d.newKey("--customer", "acme_retail", "--customer", "b&b").KeyID
	d.must("viewer", "add", "--partner", "northwind", "--subject", "ann", "--customer", "b&b")
	check(t, store.PutPerson(t.Context(), directory.Person{Partner: "northwind", Issuer: "https://login.example.com", Subject: "none", CreatedAt: time.Now()}))
	d.must("grant", "remove", "northwind", "b&b", "--yes")
	left := directory.Grant{Partner: "northwind", Viewer: "gone00000000", Account: "b&b"}
	check(t, store.PutGrant(t.Context(), left))
	says(t, d.must("doctor"), "keys and people with a list of their own: 2; customers on them that are not the partner's, and show nothing: 2; "+
		"these lists bound nobody, and show nothing: northwind gone00000000\n")
	for _, account := range []usage.AccountID{"acme_retail", "b&b"} {
		check(t, store.DeleteGrant(t.Context(), directory.Grant{Partner: "northwind", Viewer: directory.ViewerID(key), Account: account}))
	}
	if failed := d.failures(1); len(failed) != 1 || !strings.HasSuffix(failed["lists Partners"].Detail, "since their list is empty: northwind "+key) {
		t.Errorf("%+v", failed)
	}
}

func TestDoctorTellsWhatIsNotAllowed(t *testing.T) {
	d := newDesk(t)
	proxy := engine.NewProxy(t)
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		forbidden := slices.Contains([]string{"UpdateItem", "Scan", "BatchWriteItem"}, c.Operation) ||
			c.Operation == "Query" && strings.Contains(string(c.Body), "ByAccount")
		if forbidden {
			dynamotest.Refuse(w, "AccessDeniedException")
		}
		return forbidden
	})
	d.env = append(d.env, "DYNAMODB_ENDPOINT="+proxy.URL)
	failed := d.failures(1)
	for line, want := range map[string]string{
		"read Partners": "not allowed: dynamodb:Query, dynamodb:Scan", "write Partners": "not allowed: dynamodb:UpdateItem",
		"read Customers": "not allowed: dynamodb:Scan", "read Usage": "not allowed: dynamodb:Scan", "write PriceLists": "not allowed: dynamodb:BatchWriteItem", "write Usage": "not allowed: dynamodb:BatchWriteItem, dynamodb:UpdateItem",
		"write Customers": "not allowed: dynamodb:UpdateItem", "write Totals": "not allowed: dynamodb:UpdateItem, dynamodb:BatchWriteItem", "read Totals": "not allowed: dynamodb:Scan", "write Ledger": "not allowed: dynamodb:UpdateItem, dynamodb:BatchWriteItem",
	} {
		if failed[line].Detail != want || !strings.Contains(failed[line].Remedy, strings.TrimPrefix(want, "not allowed: ")) {
			t.Errorf("%s: %+v, want %s", line, failed[line], want)
		}
	}
	if len(failed) != 10 {
		t.Errorf("%d lines fail: %v", len(failed), failed)
	}
}

func TestDoctorTellsOfTablesThatAreNotAsTheyShould(t *testing.T) {
	d := newDesk(t)
	good := d.env
	d.env = append(slices.Clone(good), "PARTNERS_TABLE="+d.tables.Customers, "USAGE_TABLE=missing")
	failed := d.failures(1)
	if f := failed["keys Customers"]; !strings.Contains(f.Detail, "its key is accountId, not pk, sk") || !strings.Contains(f.Detail, "it has no index ByName") {
		t.Errorf("another table is told as %+v", f)
	}
	if f := failed["reach missing"]; !strings.Contains(f.Detail, "there is no such table") || !strings.Contains(f.Remedy, "--stack") {
		t.Errorf("a missing table is told as %+v", f)
	}
	if !testing.Short() { // it is tried for seconds
		d.env = append(slices.Clone(good), "DYNAMODB_ENDPOINT=http://127.0.0.1:1")
		failed = d.failures(1)
		if f := failed["reach Partners"]; !strings.Contains(f.Detail, "no answer") || !strings.Contains(f.Remedy, "--endpoint") || len(failed) != 7 {
			t.Errorf("%d lines fail without an engine: %+v", len(failed), failed)
		}
	}
	d.env = good[:2]
	d.run("doctor").fails(t, 1, "Set CUSTOMERS_TABLE, PRICELISTS_TABLE, USAGE_TABLE, TOTALS_TABLE, LEDGER_TABLE")
	d.env = good
	d.run("doctor", "--now", "2026-06-01T00:00:00Z").fails(t, 2, "--now")
}

// The engine's clock is moved by a proxy that changes the Date of its answers.
func TestDoctorTellsOfAClockThatIsWrong(t *testing.T) {
	d := newDesk(t)
	real, err := url.Parse(engine.Endpoint(t))
	check(t, err)
	for name, tt := range map[string]struct {
		engineIs time.Duration // ahead of us
		says     string        // empty: all is well
	}{
		"right":              {0, ""},
		"less than a minute": {40 * time.Second, ""},
		"five minutes ahead": {-5 * time.Minute, "ahead of the database's"},
		"three hours behind": {3 * time.Hour, "behind the database's"},
	} {
		t.Run(name, func(t *testing.T) {
			moved := httptest.NewServer(&httputil.ReverseProxy{
				Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(real) },
				ModifyResponse: func(r *http.Response) error {
					r.Header.Set("Date", time.Now().Add(tt.engineIs).UTC().Format(http.TimeFormat))
					return nil
				},
			})
			defer moved.Close()
			d.env = append(d.env, "DYNAMODB_ENDPOINT="+moved.URL)
			if tt.says == "" {
				d.failures(0)
				return
			}
			line := d.failures(1)["clock"]
			told, side, _ := strings.Cut(line.Detail, " ")
			off, err := time.ParseDuration(told)
			if err != nil || side != tt.says || (off-tt.engineIs.Abs()).Abs() > 30*time.Second {
				t.Errorf("it is told as %+v", line)
			}
		})
	}
}

func TestVersionTellsTheRelease(t *testing.T) {
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "b0a1"}, {Key: "vcs.modified", Value: "true"}}}
	for _, c := range []struct {
		version, commit       string
		info                  *debug.BuildInfo
		wantVersion, wantFrom string
	}{
		{"v1.2.0", "c0de", info, "v1.2.0", "c0de"},
		{"", "", info, "devel", "b0a1, with changes"},
		{"", "", &debug.BuildInfo{}, "devel", ""},
		{"", "", nil, "devel", ""},
	} {
		if got := versionOf(c.version, c.commit, c.info); got.Version != c.wantVersion || got.Commit != c.wantFrom || got.Go != runtime.Version() {
			t.Errorf("%+v is told as %+v", c, got)
		}
	}
	d := newDesk(t)
	d.env = nil // it connects to nothing
	if out := d.must("version"); !strings.HasPrefix(out, "partnerctl devel (") {
		t.Errorf("a test's own is %s", out)
	}
	built := asJSON[builtOf](d, "version")
	if built.Platform != runtime.GOOS+"/"+runtime.GOARCH {
		t.Errorf("for programs it is %+v", built)
	}
}

// What make release builds for this machine says its version, is what SHA256SUMS
// says, and tells nobody where it was built. CI builds it for all platforms, twice.
func TestReleaseBuildsWhatItsChecksumSays(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	root, err := filepath.Abs("../..")
	check(t, err)
	out := filepath.Join(t.TempDir(), "release")
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "release.sh"), out, runtime.GOOS+"/"+runtime.GOARCH)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "VERSION=v9.9.9", "COMMIT=c0de")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	list, err := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
	sum, name, _ := strings.Cut(strings.TrimSpace(string(list)), "  ")
	if err != nil || name != "partnerctl_"+runtime.GOOS+"_"+runtime.GOARCH {
		t.Fatalf("%v: %s", err, list)
	}
	binary, err := os.ReadFile(filepath.Join(out, name))
	check(t, err)
	if got := sha256.Sum256(binary); hex.EncodeToString(got[:]) != sum {
		t.Error("it is not what SHA256SUMS says")
	}
	if bytes.Contains(binary, []byte(root)) {
		t.Error("it has the path of this clone in it")
	}
	said, err := exec.CommandContext(t.Context(), filepath.Join(out, name), "version").Output()
	if err != nil || !strings.HasPrefix(string(said), "partnerctl v9.9.9 (c0de, ") {
		t.Errorf("it says %s, %v", said, err)
	}
}
