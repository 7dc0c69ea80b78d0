package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dev/template"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

const (
	listRoute     = "GET /customers"
	customerRoute = "GET /customers/{accountId}"
	logRoute      = customerRoute + "/usage/{product}"
	recordRoute   = logRoute + "/{recordId}"
)

// shownLine is an audit line as a function writes it.
func shownLine(at time.Time, partner directory.PartnerID, keyID, route string, product usage.Product, records int, accounts ...usage.AccountID) string {
	var out bytes.Buffer
	r := slog.NewRecord(at, slog.LevelInfo, "shown", 0)
	r.AddAttrs(slog.Bool("audit", true), slog.String("requestId", "req-"+at.Format("150405")), slog.String("route", route), slog.Any("partnerId", partner),
		slog.String("keyId", keyID), slog.Any("accountIds", accounts), slog.Any("product", product), slog.Int("records", records))
	_ = slog.NewJSONHandler(&out, nil).WithAttrs([]slog.Attr{slog.String("stack", "partnerview")}).Handle(context.Background(), r)
	return out.String()
}

// looked is the day of the tests' looks.
func looked(clock string) time.Time {
	at, err := time.Parse(time.RFC3339, "2026-11-20T"+clock+"Z")
	if err != nil {
		panic(err)
	}
	return at
}

// auditDesk is a desk with partners, keys and people, and lines of their looks at b&b.
type auditDesk struct {
	*desk
	key, revoked string // ids of northwind's keys
	lines        []string
}

const lookedAt = `
partners:
  - {id: northwind, name: Northwind, customers: [{accountId: "b&b"}]}
  - {id: southbank, name: "=South(bank)", customers: [{accountId: "b&b"}]}
customers:
  - {accountId: "b&b", name: Brot & Butter, products: [sms, voice], currency: EUR, billingMode: prepaid}
`

const loginIssuer = "https://login.example.com"

func newAuditDesk(t *testing.T, apart bool) *auditDesk {
	t.Helper()
	d := &auditDesk{desk: newDeskApart(t)}
	if !apart {
		d.sit()
	}
	d.must("apply", "-f", d.write("directory.yaml", lookedAt))
	made := func(label string) (key createdKey) {
		decode(t, d.must("key", "create", "--partner", "northwind", "--label", label, "-o", "json"), &key)
		return key
	}
	d.key, d.revoked = made("+export").KeyID, made("").KeyID
	d.must("key", "revoke", d.revoked)
	check(t, dynamo.NewStore(engine.Client(t), d.tables).PutPerson(t.Context(), directory.Person{
		Partner: "southbank", Issuer: loginIssuer, Subject: "sami", Name: "Sami S.", CreatedAt: looked("00:00:00"), RemovedAt: looked("18:00:00")}))
	sami := directory.TokenKeyID(loginIssuer, "sami")
	d.lines = []string{
		shownLine(looked("09:00:00.25"), "northwind", d.key, listRoute, "", 3, "acme", "b&b", "zulu"),
		shownLine(looked("09:00:01"), "northwind", d.key, listRoute, "", 2, "b&bs", "xb&b"), // others' names are alike
		shownLine(looked("09:00:05"), "northwind", d.revoked, customerRoute, "", 1, "b&b"),
		shownLine(looked("09:30:00"), "southbank", sami, logRoute, "sms", 40, "b&b"),
		shownLine(looked("10:00:00"), "southbank", "nosuchkey000", logRoute, "voice", 0, "b&b"),
		shownLine(looked("11:00:00"), "gone", d.key, recordRoute, "sms", 1, "b&b"),
		shownLine(looked("12:00:00"), "northwind", d.key, "GET /customers/{accountId}/future", "", 1, "b&b"),
		shownLine(looked("13:00:00"), "northwind", d.key, logRoute, "sms", 9, "acme"),
	}
	return d
}

func (d *auditDesk) keep(lines ...string) {
	d.t.Helper()
	begins := `{"time":"2026-11-20T08:00:00Z","msg":"the audit log begins"}` + "\n"
	d.env = append(d.env, "AUDIT_LOG="+d.write("audit.ndjson", begins+strings.Join(lines, "")))
}

var auditDay = []string{"audit", "--account", "b&b", "--from", "2026-11-20", "--to", "2026-11-21"}

// A customer is told who was shown its data, and nobody else's; who looked is named as
// far as the directory knows.
func TestAuditTellsWhoWasShownWhat(t *testing.T) {
	d := newAuditDesk(t, false)
	d.keep(d.lines...)
	out := d.must(auditDay...)
	want := strings.NewReplacer("KEY", d.key, "REVOKED", d.revoked, "SAMI", directory.TokenKeyID(loginIssuer, "sami"), "FILE", filepath.Join(d.dir, "audit.ndjson")).Replace(`
time partner who what records
2026-11-20T09:00:00.250Z northwind (Northwind) +export (KEY) list -
2026-11-20T09:00:05.000Z northwind (Northwind) REVOKED, revoked customer -
2026-11-20T09:30:00.000Z southbank (=South(bank)) Sami S. (SAMI, removed) sms log 40
2026-11-20T10:00:00.000Z southbank (=South(bank)) nosuchkey000 voice log 0
2026-11-20T11:00:00.000Z gone KEY one sms record 1
2026-11-20T12:00:00.000Z northwind (Northwind) +export (KEY) GET /customers/{accountId}/future -

6 looks at b&b from 2026-11-20T00:00:00.000Z up to 2026-11-21T00:00:00.000Z: gone 1 look, 1 record; northwind (Northwind) 3 looks, 0 records; southbank (=South(bank)) 2 looks, 40 records.
 FILE has all lines since 2026-11-20T08:00:00.000Z: what was before is not there
`)
	if diff := cmp.Diff(want, "\n"+regexp.MustCompile(` +`).ReplaceAllString(out, " ")); diff != "" {
		t.Errorf("for people (-want +got):\n%s", diff)
	}

	r := d.run(append(slices.Clone(auditDay), "--output", "csv")...)
	rows, err := csv.NewReader(strings.NewReader(r.out)).ReadAll()
	if err != nil || len(rows) != 7 || strings.Count(r.out, "\r\n") != 7 || !strings.Contains(r.errOut, "6 looks at b&b") {
		t.Errorf("as CSV: %v, %q, %q", err, r.out, r.errOut)
	}
	for i, want := range map[int][]string{
		0: {"time", "partnerId", "partnerName", "keyId", "who", "state", "what", "product", "records", "requestId"},
		1: {"2026-11-20T09:00:00.250Z", "northwind", "Northwind", d.key, "'+export", "active", "list", "", "", "req-090000"},
		3: {"2026-11-20T09:30:00.000Z", "southbank", "'=South(bank)", directory.TokenKeyID(loginIssuer, "sami"), "Sami S.", "removed", "log", "sms", "40", "req-093000"},
	} {
		if diff := cmp.Diff(want, rows[i]); diff != "" {
			t.Errorf("row %d of the CSV (-want +got):\n%s", i, diff)
		}
	}

	got := asJSON[shownLooks](d.desk, auditDay...)
	if got.AccountID != "b&b" || len(got.Looks) != 6 || len(got.Partners) != 3 || got.Logs[0].KeptDays != nil || got.Unreadable != 0 {
		t.Errorf("for programs it is %+v", got)
	}
	if l := got.Looks[0]; l.PartnerID != "northwind" || *l.Who != "+export" || *l.State != "active" || l.What != operator.ShownList || l.Product != nil || l.Records != nil {
		t.Errorf("the first look is %+v", l)
	}
	if l := got.Looks[3]; l.Who != nil || l.State != nil || *l.Product != "voice" || *l.Records != 0 {
		t.Errorf("the look of an unknown key is %+v", l)
	}

	for claim, c := range map[string]struct {
		args  []string
		looks int
	}{
		"of one partner":             {append(slices.Clone(auditDay), "--partner", "southbank"), 2},
		"from a time on, that too":   {[]string{"audit", "--account", "b&b", "--from", "2026-11-20T09:30:00Z", "--to", "2026-11-21"}, 4},
		"up to a time, without it":   {[]string{"audit", "--account", "b&b", "--from", "2026-11-20", "--to", "2026-11-20T09:30:00Z"}, 2},
		"the last 30 days of --now":  {[]string{"audit", "--account", "b&b", "--now", "2026-12-20T09:30:00Z"}, 4},
		"another customer":           {[]string{"audit", "--account", "acme", "--from", "2026-11-20", "--to", "2026-11-21"}, 2},
		"capitals are another's":     {[]string{"audit", "--account", "B&B", "--from", "2026-11-20", "--to", "2026-11-21"}, 0},
		"a dot is no other sign":     {[]string{"audit", "--account", "b.b", "--from", "2026-11-20", "--to", "2026-11-21"}, 0},
		"a month without any look":   {[]string{"audit", "--account", "b&b", "--from", "2026-10-01", "--to", "2026-11-01"}, 0},
		"of a partner without looks": {append(slices.Clone(auditDay), "--partner", "eastgate"), 0},
	} {
		if got := asJSON[shownLooks](d.desk, c.args...); len(got.Looks) != c.looks {
			t.Errorf("%s: %d looks, want %d: %+v", claim, len(got.Looks), c.looks, got.Looks)
		}
	}
}

// That nobody has looked is said of a period and of logs, and not of a name that nobody
// has.
func TestAnAuditThatFindsNothingSaysWhereItLooked(t *testing.T) {
	d := newAuditDesk(t, false)
	d.keep()
	r := d.run(auditDay...)
	want := "Nobody was shown data of b&b from 2026-11-20T00:00:00.000Z up to 2026-11-21T00:00:00.000Z, as far as these logs tell.\n  " +
		filepath.Join(d.dir, "audit.ndjson") + " has all lines since 2026-11-20T08:00:00.000Z: what was before is not there\n"
	if r.code != 0 || r.out != want || r.errOut != "" {
		t.Errorf("it says %+v", r)
	}
	if r := d.run("audit", "--account", "b&B"); r.code != 0 || !strings.Contains(r.errOut, "There is no customer b&B now") {
		t.Errorf("of a customer that is misspelt it says %+v", r)
	}
}

// A line that cannot be read may have been a look: the answer says so, and so does the
// exit code.
func TestAnAuditSaysWhatItCannotRead(t *testing.T) {
	d := newAuditDesk(t, false)
	d.keep(d.lines[0], d.lines[2][:120]+"\n", d.lines[3])
	r := d.run(auditDay...)
	r.fails(t, 3)
	says(t, r.errOut, "1 line could not be read")
	says(t, r.out, "2 looks at b&b")
	if r := d.run(append(slices.Clone(auditDay), "-o", "json")...); r.code != 3 || !strings.Contains(r.out, `"unreadable": 1`) {
		t.Errorf("for programs it says %+v", r)
	}
}

func TestAnAuditIsRefusedWithTheWayOut(t *testing.T) {
	d := newAuditDesk(t, false)
	d.run(auditDay...).fails(t, 1, "--stack NAME", "AUDIT_LOG")
	d.run("audit").fails(t, 2, "--account")
	d.run("audit", "--account", "b&b", "--from", "2026-11-20", "--to", "2026-11-20").fails(t, 2, "--from must be before --to")
	d.run("partner", "list", "-o", "csv").fails(t, 2, "csv is for partnerctl audit alone")
	env := d.env
	d.env = append(slices.Clone(env), "AUDIT_LOG="+d.write("notes.txt", "notes\n"))
	d.run(auditDay...).fails(t, 1, "notes.txt is not a log of make run")
	d.env = append(slices.Clone(env), "AUDIT_LOG="+filepath.Join(d.dir, "none"))
	d.run(auditDay...).fails(t, 1, "there is no ", "none")
}

// fakeLogs plays CloudWatch Logs and CloudFormation.
type fakeLogs struct {
	t *testing.T

	mu      sync.Mutex
	groups  map[string]*fakeGroup
	queries []fakeQuery
	calls   []string // operations of CloudWatch, in their order
	asked   [][2]string
	faults  map[string][]string // operation → errors with which the next calls are refused; "" is none
	running int                 // how often a query is still running when it is asked for; -1: always
	status  string              // of a query that has ended; empty: Complete
	hidden  string              // a log group that somebody has deleted
	lag     time.Duration       // of a line, on its way to its log
	page    int                 // rows of an answer; 0: all
	begun   chan struct{}       // gets one when a query is found running
}

type fakeGroup struct {
	logicalID string
	keptDays  int // 0: for ever
	created   time.Time
	events    []fakeEvent
}

type fakeEvent struct {
	at      time.Time
	message string
}

type fakeQuery struct {
	from, to int64
	groups   []string
	text     string
	rows     [][]map[string]string
	running  int
}

func newFakeLogs(t *testing.T, d *desk) *fakeLogs {
	t.Helper()
	created := looked("00:00:00").AddDate(-1, 0, 0)
	f := &fakeLogs{t: t, faults: map[string][]string{}, begun: make(chan struct{}, 100), lag: 20 * time.Millisecond, groups: map[string]*fakeGroup{
		"partnerview-AuthorizerLogs-a1":     {logicalID: "AuthorizerLogs", created: created},
		"partnerview-GetCustomerLogs-b2":    {logicalID: "GetCustomerLogs", created: created, keptDays: 3653},
		"partnerview-GetUsageLogs-c3":       {logicalID: "GetUsageLogs", created: created, keptDays: 3653},
		"partnerview-GetUsageLogs-c3-other": {created: created},
		"partnerview-ListCustomersLogs-d4":  {logicalID: "ListCustomersLogs", created: created},
	}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	outputs := map[string]string{"PartnersTable": d.tables.Partners, "CustomersTable": d.tables.Customers}
	cloudFormation := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.asked = append(f.asked, [2]string{"cloudformation:" + r.FormValue("Action"), "arn:aws:cloudformation:us-east-1:123456789012:stack/" + r.FormValue("StackName") + "/6e9f"})
		f.mu.Unlock()
		if r.FormValue("Action") == "DescribeStacks" {
			answerDescribeStacks(w, outputs)
			return
		}
		f.listResources(w, r)
	}))
	t.Cleanup(cloudFormation.Close)
	d.env = append(slices.DeleteFunc(d.env, func(v string) bool { return strings.HasPrefix(v, "DYNAMODB_ENDPOINT=") }),
		"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS="+server.URL, "AWS_ENDPOINT_URL_CLOUDFORMATION="+cloudFormation.URL, "AWS_ENDPOINT_URL_DYNAMODB="+engine.Endpoint(t),
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
	return f
}

// awaitQuery waits until a query has been found running.
func (f *fakeLogs) awaitQuery() {
	f.t.Helper()
	select {
	case <-f.begun:
	case <-time.After(30 * time.Second):
		f.t.Fatal("no query is asked for")
	}
}

func (f *fakeLogs) put(group string, lines ...string) {
	for _, line := range lines {
		var entry struct{ Time time.Time }
		check(f.t, json.Unmarshal([]byte(line), &entry))
		f.groups[group].events = append(f.groups[group].events, fakeEvent{entry.Time.Add(f.lag), line})
	}
}

// listResources gives the stack's resources in two pages.
func (f *fakeLogs) listResources(w http.ResponseWriter, r *http.Request) {
	var members []string
	for name, g := range f.groups {
		if g.logicalID != "" && r.FormValue("StackName") == "partnerview" {
			members = append(members, fmt.Sprintf("<member><LogicalResourceId>%s</LogicalResourceId><PhysicalResourceId>%s</PhysicalResourceId><ResourceType>AWS::Logs::LogGroup</ResourceType></member>", g.logicalID, name))
		}
	}
	slices.Sort(members)
	members = append(members, "<member><LogicalResourceId>Api</LogicalResourceId><PhysicalResourceId>x</PhysicalResourceId><ResourceType>AWS::ApiGateway::RestApi</ResourceType></member>")
	half, next := members[:len(members)/2], "<NextToken>more</NextToken>"
	if r.FormValue("NextToken") == "more" {
		half, next = members[len(members)/2:], ""
	}
	fmt.Fprintf(w, `<ListStackResourcesResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><ListStackResourcesResult><StackResourceSummaries>%s</StackResourceSummaries>%s</ListStackResourcesResult></ListStackResourcesResponse>`, strings.Join(half, ""), next)
}

func (f *fakeLogs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	operation, ours := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "Logs_20140328.")
	if !ours || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		f.t.Errorf("a call that CloudWatch Logs would not understand: %v", r.Header)
	}
	f.calls = append(f.calls, operation)
	if faults := f.faults[operation]; len(faults) > 0 {
		f.faults[operation] = faults[1:]
		if faults[0] != "" {
			f.refuse(w, faults[0])
			return
		}
	}
	var in struct {
		LogGroupNames        []string
		LogGroupNamePrefix   string
		QueryString, QueryID string
		StartTime, EndTime   int64
		Limit                int
		NextToken            string
	}
	body, _ := io.ReadAll(r.Body)
	check(f.t, json.Unmarshal(body, &in))
	const arn = "arn:aws:logs:us-east-1:123456789012:log-group:"
	switch operation {
	case "DescribeLogGroups":
		f.asked = append(f.asked, [2]string{"logs:DescribeLogGroups", arn + ":log-stream:"})
		groups := []map[string]any{}
		for name, g := range f.groups {
			if strings.HasPrefix(name, in.LogGroupNamePrefix) && name != f.hidden {
				group := map[string]any{"logGroupName": name, "creationTime": g.created.UnixMilli()}
				if g.keptDays > 0 {
					group["retentionInDays"] = g.keptDays
				}
				groups = append(groups, group)
			}
		}
		f.answer(w, map[string]any{"logGroups": groups})
	case "StartQuery":
		for _, name := range in.LogGroupNames {
			f.asked = append(f.asked, [2]string{"logs:StartQuery", arn + name + ":*"})
			switch g := f.groups[name]; {
			case g == nil:
				f.refuse(w, "ResourceNotFoundException")
				return
			case g.created.Unix() > in.EndTime:
				f.refuse(w, "MalformedQueryException")
				return
			}
		}
		q := fakeQuery{from: in.StartTime, to: in.EndTime, groups: in.LogGroupNames, text: in.QueryString, running: f.running}
		q.rows = f.find(in.LogGroupNames, in.QueryString, in.StartTime, in.EndTime)
		q.rows = q.rows[:min(len(q.rows), in.Limit)]
		f.queries = append(f.queries, q)
		f.answer(w, map[string]any{"queryId": fmt.Sprint(len(f.queries) - 1)})
	case "GetQueryResults":
		f.asked = append(f.asked, [2]string{"logs:GetQueryResults", "*"})
		var n, at int
		fmt.Sscan(in.QueryID, &n)
		fmt.Sscan(in.NextToken, &at)
		q := &f.queries[n]
		if q.running != 0 {
			q.running--
			f.answer(w, map[string]any{"status": "Running", "results": q.rows[:min(len(q.rows), 1)]}) // as far as it has come
			f.begun <- struct{}{}
			return
		}
		status := f.status
		if status == "" {
			status = "Complete"
		}
		end := len(q.rows)
		if f.page > 0 {
			end = min(at+f.page, end)
		}
		out := map[string]any{"status": status, "results": q.rows[at:end]}
		if end < len(q.rows) {
			out["nextToken"] = fmt.Sprint(end)
		}
		f.answer(w, out)
	case "StopQuery":
		f.asked = append(f.asked, [2]string{"logs:StopQuery", "*"})
		f.answer(w, map[string]any{"success": true})
	default:
		f.t.Errorf("it calls %s", operation)
	}
}

// find filters as the query says. Lines of the last second are found up to its
// beginning alone.
func (f *fakeLogs) find(groups []string, query string, from, to int64) [][]map[string]string {
	var wanted []string
	for _, m := range regexp.MustCompile(`@message like '((?:[^'\\]|\\.)*)'`).FindAllStringSubmatch(query, -1) {
		wanted = append(wanted, strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(m[1]))
	}
	if !strings.HasPrefix(query, "fields @message | filter ") || len(wanted) < 2 {
		f.t.Errorf("the query %q is not understood", query)
	}
	rows := [][]map[string]string{}
	for _, name := range groups {
		for i, e := range f.groups[name].events {
			found := e.at.UnixMilli() >= from*1000 && e.at.UnixMilli() <= to*1000
			for _, text := range wanted {
				found = found && strings.Contains(e.message, text)
			}
			if found {
				rows = append(rows, []map[string]string{{"field": "@message", "value": e.message}, {"field": "@ptr", "value": fmt.Sprint(name, i)}})
			}
		}
	}
	return rows
}

func (f *fakeLogs) answer(w http.ResponseWriter, out any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	check(f.t, json.NewEncoder(w).Encode(out))
}

func (f *fakeLogs) refuse(w http.ResponseWriter, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"__type":%q,"message":"no"}`, code)
}

var auditStack = append(slices.Clone(auditDay), "--stack", "partnerview")

// On AWS the log groups of the functions that show data are asked, and what they say is
// waited for, whatever CloudWatch makes of it first.
func TestAuditAsksTheLogsOfAStack(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	d := newAuditDesk(t, false)
	d.keep(d.lines...)
	want := asJSON[shownLooks](d.desk, auditDay...)
	f := newFakeLogs(t, d.desk)
	f.put("partnerview-ListCustomersLogs-d4", d.lines[0], d.lines[1])
	f.put("partnerview-GetCustomerLogs-b2", d.lines[2], d.lines[6])
	f.put("partnerview-GetUsageLogs-c3", d.lines[3], d.lines[4], d.lines[5], d.lines[7])
	f.put("partnerview-GetUsageLogs-c3", `{"time":"2026-11-20T09:00:00Z","msg":"request","accountId":"b&b"}`+"\n")
	f.put("partnerview-AuthorizerLogs-a1", d.lines[3]) // nothing is shown there
	f.running, f.page = 2, 2
	f.faults = map[string][]string{"StartQuery": {"LimitExceededException", "ThrottlingException"}, "GetQueryResults": {"", "ThrottlingException"}}
	got := asJSON[shownLooks](d.desk, auditStack...)
	if diff := cmp.Diff(want.Looks, got.Looks); diff != "" {
		t.Errorf("a file and a stack do not tell the same (-file +stack):\n%s", diff)
	}
	if len(f.queries) != 1 || len(f.queries[0].groups) != 3 || slices.Contains(f.calls, "StopQuery") {
		t.Errorf("asked was %+v, by %v", f.queries, f.calls)
	}
	kept := int32(3653)
	logs := []readLog{{Log: "partnerview-GetCustomerLogs-b2", KeptDays: &kept, Since: "2025-11-20T00:00:00.000Z"}, {Log: "partnerview-GetUsageLogs-c3", KeptDays: &kept, Since: "2025-11-20T00:00:00.000Z"},
		{Log: "partnerview-ListCustomersLogs-d4", Since: "2025-11-20T00:00:00.000Z"}}
	if diff := cmp.Diff(logs, got.Logs, cmp.AllowUnexported(readLog{}), cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "since" }, cmp.Ignore())); diff != "" {
		t.Errorf("the logs (-want +got):\n%s", diff)
	}

	f.queries, f.running = nil, 0
	if got := asJSON[shownLooks](d.desk, append(slices.Clone(auditStack), "--partner", "southbank")...); len(got.Looks) != 2 || len(f.queries[0].rows) != 2 {
		t.Errorf("of one partner: %+v, of the rows %+v", got.Looks, f.queries[0].rows)
	}
	f.groups["partnerview-GetUsageLogs-c3"].created = looked("10:30:00")
	out := d.must(auditStack...)
	says(t, out, "partnerview-GetUsageLogs-c3 (kept for 3653 days) has all lines since 2026-11-20T10:30:00.000Z: what was before is not there\n")
	says(t, d.must("audit", "--account", "b&b", "--from", "2026-11-19", "--to", "2026-11-20T10:00:00Z", "--stack", "partnerview"), "look") // CloudWatch refuses a log that begins later
	for _, g := range f.groups {
		g.created = time.Now().Add(-time.Hour)
	}
	says(t, d.must("audit", "--account", "b&b", "--from", "2020-01-01", "--to", "2020-01-02", "--stack", "partnerview"), "Nobody was shown data of b&b", "partnerview-GetCustomerLogs-b2 (kept for 3653 days)", "what was before is not there")
	kept10 := f.groups["partnerview-GetUsageLogs-c3"]
	kept10.keptDays, kept10.created = 10, looked("00:00:00").AddDate(-1, 0, 0)
	if since := asJSON[shownLooks](d.desk, auditStack...).Logs[1].Since; since[:10] != time.Now().UTC().AddDate(0, 0, -10).Format(time.DateOnly) {
		t.Errorf("lines are kept for ten days, and said to be there since %s", since)
	}
}

// A query finds 10,000 lines at most, and nobody is told which it left out: each half
// of the period is asked for, and no line falls between the halves or is told twice.
func TestAnAuditOfManyLooksIsWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	d := newAuditDesk(t, false)
	f := newFakeLogs(t, d.desk)
	const looks = 10_050
	f.lag = 0
	for n := range looks { // one every 0.25 s: of each second, one at its beginning
		at := looked("09:00:00").Add(time.Duration(n) * 250 * time.Millisecond)
		f.put("partnerview-GetUsageLogs-c3", shownLine(at, "northwind", d.key, logRoute, "sms", 1, "b&b"))
	}
	r := d.run(append(slices.Clone(auditStack), "-o", "json")...)
	var got shownLooks
	decode(t, r.out, &got)
	if len(got.Looks) != looks || got.Partners[0].Records != looks || !strings.Contains(r.errOut, "10000 lines or more from 2026-11-19T23:59:00Z to 2026-11-21T00:01:01Z: each half is asked for\n") {
		t.Errorf("there are %d looks after %d queries: %s", len(got.Looks), len(f.queries), r.errOut)
	}
	seen := map[string]bool{}
	for _, l := range got.Looks {
		if seen[l.Time] {
			t.Fatalf("the look of %s is told twice", l.Time)
		}
		seen[l.Time] = true
	}
	f.groups["partnerview-GetUsageLogs-c3"].events = nil
	line := shownLine(looked("09:00:00"), "northwind", d.key, logRoute, "sms", 1, "b&b")
	for range maxRows {
		f.put("partnerview-GetUsageLogs-c3", line)
	}
	if r := d.run("audit", "--account", "b&b", "--from", "2026-11-20T09:00:00Z", "--to", "2026-11-20T09:00:01Z", "--stack", "partnerview"); r.code != 1 || r.out != "" || !strings.Contains(r.errOut, "10000 lines or more in the second from 2026-11-20T0") {
		t.Errorf("of more lines in a second than can be had it says %+v", r)
	}
}

func TestAnAuditThatCannotBeHadIsAFailureAndNoAnswer(t *testing.T) {
	d := newAuditDesk(t, false)
	f := newFakeLogs(t, d.desk)
	f.put("partnerview-GetUsageLogs-c3", d.lines[3])
	d.env = append(d.env, "AWS_MAX_ATTEMPTS=1")
	for claim, c := range map[string]struct {
		spoil func()
		stack string
		says  string
		stops bool
	}{
		"a query that fails":          {func() { f.status = "Failed" }, "partnerview", "not carried the query out (failed)", false},
		"one that somebody has ended": {func() { f.status = "Cancelled" }, "partnerview", "(cancelled)", false},
		"one that takes too long":     {func() { f.status = "Timeout" }, "partnerview", "ask for a shorter period", false},
		"too many at a time":          {func() { f.faults["StartQuery"] = []string{"LimitExceededException"} }, "partnerview", "as many queries of this account as it may", false},
		"rights that are missing":     {func() { f.faults["StartQuery"] = []string{"AccessDeniedException"} }, "partnerview", "AWS refuses", false},
		"results that are refused":    {func() { f.faults["GetQueryResults"] = []string{"AccessDeniedException"} }, "partnerview", "AWS refuses", true},
		"a stack that is another's":   {func() {}, "other", "the stack other has no logs of functions", false},
		"no region":                   {func() { d.env = append(d.env, "AWS_REGION=") }, "partnerview", "no AWS region", false},
	} {
		env := d.env
		f.status, f.faults, f.calls = "", map[string][]string{}, nil
		c.spoil()
		r := d.run(append(slices.Clone(auditDay), "--stack", c.stack)...)
		d.env = env
		if r.fails(t, 1, c.says); r.out != "" || slices.Contains(f.calls, "StopQuery") != c.stops {
			t.Errorf("%s: it says %+v after %v", claim, r, f.calls)
		}
	}
	f.status, f.faults = "", map[string][]string{}
	f.hidden = "partnerview-GetUsageLogs-c3"
	d.run(auditStack...).fails(t, 1, "the log group partnerview-GetUsageLogs-c3 of the stack is gone")
}

// Ctrl-C ends the query too: it would go on, and cost.
func TestAnAuditThatIsInterruptedStopsItsQuery(t *testing.T) {
	d := newAuditDesk(t, true)
	f := newFakeLogs(t, d.desk)
	f.running = -1
	cmd := d.process(os.Args[0], auditStack...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	d.start(cmd)
	f.awaitQuery()
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	result{cmd.ProcessState.ExitCode(), "", errOut.String()}.fails(t, 1, "interrupted")
	f.mu.Lock()
	defer f.mu.Unlock()
	if out.Len() > 0 || f.calls[len(f.calls)-1] != "StopQuery" {
		t.Errorf("it says %q, and has called %v", &out, f.calls)
	}
}

// The logs that are asked are those that the template keeps as long as the audit wants
// them, and docs/policies/audit.json opens them.
func TestTheLogsThatAreAskedAreThoseOfTheTemplate(t *testing.T) {
	text, err := os.ReadFile("../../template.yaml")
	check(t, err)
	policy := auditPolicy(t)
	groups := regexp.MustCompile(`(?m)^  (\w+):.*\n    Type: AWS::Logs::LogGroup\n(?:   .*\n)*?      RetentionInDays: !Ref (\w+)`).FindAllStringSubmatch(string(text), -1)
	if len(groups) < 6 || strings.Count(string(text), "Type: AWS::Logs::LogGroup") != len(groups) {
		t.Fatalf("found are %d log groups", len(groups))
	}
	for _, g := range groups {
		if audited := g[2] == "AuditRetentionDays"; holdsAudit(g[1]) != audited {
			t.Errorf("%s is kept for %s days, and asked: %v", g[1], g[2], holdsAudit(g[1]))
		} else if allowed(policy, "logs:StartQuery", "arn:aws:logs:us-east-1:123456789012:log-group:partnerview-"+g[1]+"-x1:*") != audited {
			t.Errorf("docs/policies/audit.json is wrong about %s", g[1])
		}
	}
}

func auditPolicy(t *testing.T) template.Statements {
	t.Helper()
	text, err := os.ReadFile("../../docs/policies/audit.json")
	check(t, err)
	policy, err := template.ReadPolicy(text)
	check(t, err)
	return policy
}

// allowed reports whether a policy without conditions allows a call.
func allowed(policy template.Statements, action, arn string) bool {
	return slices.ContainsFunc(policy, func(s template.Statement) bool {
		return len(s.Conditions) == 0 && slices.Contains(s.Actions, action) && slices.ContainsFunc(s.Resources, func(pattern string) bool {
			return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(arn)
		})
	})
}

// Who has docs/policies/audit.json may do what an audit does, and nothing else.
func TestThePolicyOfTheAuditIsWhatItCalls(t *testing.T) {
	d := newAuditDesk(t, true)
	f := newFakeLogs(t, d.desk)
	f.put("partnerview-GetUsageLogs-c3", d.lines[2:6]...)
	proxy := engine.NewProxy(t)
	d.env = append(d.env, "AWS_ENDPOINT_URL_DYNAMODB="+proxy.URL)
	d.must(auditStack...)
	d.must("audit", "--account", "nobody", "--stack", "partnerview")
	f.running = -1
	cmd := d.process(os.Args[0], auditStack...)
	d.start(cmd)
	f.awaitQuery()
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()

	f.mu.Lock() // what the process asked is told by handlers
	defer f.mu.Unlock()
	calls := f.asked
	names := strings.NewReplacer(d.tables.Partners, "partnerview-PartnersTable-1", d.tables.Customers, "partnerview-CustomersTable-1")
	for _, c := range proxy.Calls() {
		for _, table := range regexp.MustCompile(`partnerview-\w+Table-1`).FindAllString(names.Replace(string(c.Body)), -1) {
			calls = append(calls, [2]string{"dynamodb:" + c.Operation, "arn:aws:dynamodb:us-east-1:123456789012:table/" + table})
		}
	}
	policy := auditPolicy(t)
	for _, call := range calls {
		if !allowed(policy, call[0], call[1]) {
			t.Errorf("docs/policies/audit.json does not allow %s on %s", call[0], call[1])
		}
	}
	for _, s := range policy {
		for _, action := range s.Actions {
			if !slices.ContainsFunc(calls, func(c [2]string) bool { return allowed(template.Statements{s}, c[0], c[1]) && c[0] == action }) {
				t.Errorf("statement %s allows %s, which no audit calls", s.ID, action)
			}
		}
	}
}
