package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/testkit/dynamotest"
)

var engine dynamotest.Engine

// With this variable set, the test binary is partnerctl.
const asCommand = "PARTNERCTL_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(engine.Run(m))
}

// desk is where an operator sits: a folder, and an environment.
type desk struct {
	t         *testing.T
	dir, root string // root is the repository's
	env       []string
	tables    dynamo.Tables
	apart     bool // commands run in processes of their own
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := newDeskApart(t)
	d.sit()
	return d
}

// newDeskApart is a desk whose commands run in processes of their own: several may
// be at work at once.
func newDeskApart(t *testing.T) *desk {
	t.Helper()
	root, err := filepath.Abs("../..")
	check(t, err)
	tables := engine.NewTables(t)
	return &desk{t: t, dir: t.TempDir(), root: root, tables: tables, apart: true, env: []string{
		"DYNAMODB_ENDPOINT=" + engine.Endpoint(t),
		"PARTNERS_TABLE=" + tables.Partners, "CUSTOMERS_TABLE=" + tables.Customers,
		"PRICELISTS_TABLE=" + tables.PriceLists, "USAGE_TABLE=" + tables.Usage,
		"TOTALS_TABLE=" + tables.Totals, "LEDGER_TABLE=" + tables.Ledger,
	}}
}

// sit makes the desk the one at which this process works.
func (d *desk) sit() {
	d.apart = false
	d.t.Chdir(d.dir)
}

// newDeskWithDirectory is a desk where directoryFile is stored.
func newDeskWithDirectory(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	d.must("apply", "-f", d.write("directory.yaml", directoryFile))
	return d
}

// variables are all that may lead somewhere: the desk's own, and nothing of the
// machine's.
func (d *desk) variables() map[string]string {
	all := map[string]string{"HOME": d.dir, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"}
	for _, name := range []string{
		"DYNAMODB_ENDPOINT", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_CLOUDFORMATION", "AWS_ENDPOINT_URL_API_GATEWAY", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "AUDIT_LOG", "AWS_MAX_ATTEMPTS", "PARTNERS_TABLE", "CUSTOMERS_TABLE", "PRICELISTS_TABLE", "USAGE_TABLE", "TOTALS_TABLE", "LEDGER_TABLE", "OIDC_ISSUER", "OIDC_DEFAULT_ACCESS",
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	} {
		all[name] = ""
	}
	for _, variable := range d.env {
		name, value, _ := strings.Cut(variable, "=")
		all[name] = value
	}
	return all
}

// result is what a command came to.
type result struct {
	code        int
	out, errOut string
}

func (d *desk) run(args ...string) result { return d.feed("", args...) }

// feed runs partnerctl with something on its standard input.
func (d *desk) feed(stdin string, args ...string) result {
	d.t.Helper()
	var out, errOut bytes.Buffer
	if d.apart {
		cmd := d.process(os.Args[0], args...)
		cmd.Stdin = strings.NewReader(stdin)
		return d.finish(cmd)
	}
	for name, value := range d.variables() {
		d.t.Setenv(name, value)
	}
	code := run(d.t.Context(), args, streams{strings.NewReader(stdin), &out, &errOut})
	return result{code, out.String(), errOut.String()}
}

// process makes an executable at the desk run with its environment; partnerctl
// itself is os.Args[0].
func (d *desk) process(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(d.t.Context(), name, args...)
	cmd.Dir = d.dir
	cmd.Env = []string{
		asCommand + "=yes", "PATH=" + os.Getenv("PATH"), "GOCOVERDIR=" + d.dir,
		"GORACE=atexit_sleep_ms=0", // with -race each would wait a second at its end, lest another goroutine still report
	}
	for name, value := range d.variables() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// finish runs a command to its end. Its output is read where it goes nowhere yet.
func (d *desk) finish(cmd *exec.Cmd) result {
	d.t.Helper()
	var out, errOut bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	cmd.Stderr = &errOut
	d.start(cmd)
	_ = cmd.Wait()
	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// start starts the real partnerctl, which must end within a while whatever it
// does.
func (d *desk) start(cmd *exec.Cmd) {
	d.t.Helper()
	check(d.t, cmd.Start())
	kill := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	d.t.Cleanup(func() { kill.Stop(); _ = cmd.Process.Kill() })
}

// must runs partnerctl and expects all to be well.
func (d *desk) must(args ...string) string {
	d.t.Helper()
	r := d.run(args...)
	if r.code != 0 {
		d.t.Fatalf("partnerctl %s: exit code %d: %s", strings.Join(args, " "), r.code, r.errOut)
	}
	return r.out
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (d *desk) write(name, text string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	check(d.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func (d *desk) read(name string) string {
	d.t.Helper()
	text, err := os.ReadFile(filepath.Join(d.dir, name))
	check(d.t, err)
	return string(text)
}

func (d *desk) has(name string) bool {
	_, err := os.Stat(filepath.Join(d.dir, name))
	return err == nil
}

// decode reads JSON that must have these fields and no others.
func decode(t *testing.T, text string, into any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// asJSON runs partnerctl for a program, and reads its result.
func asJSON[T any](d *desk, args ...string) (result T) {
	d.t.Helper()
	decode(d.t, d.must(slices.Concat(args, []string{"--output", "json"})...), &result)
	return result
}

// asks expects that a command shows what it would do, and does it only when the
// name is typed: after all else it shows the same again. No program is asked.
func (d *desk) asks(name, shown, done string, args ...string) {
	d.t.Helper()
	d.run(slices.Concat(args, []string{"-o", "json"})...).fails(d.t, 2, "--yes or --dry-run")
	for _, typed := range []string{"", "yes\n", name[:len(name)-1] + "\n", strings.ToUpper(name) + "\n"} {
		r := d.feed(typed, args...)
		if r.code != 1 || r.out != shown || !strings.HasPrefix(r.errOut, "Type "+name+" to go on: \npartnerctl: nothing was done: ") {
			d.t.Errorf("typed %q, it says %+v", typed, r)
		}
	}
	if r := d.feed(name+"\n", args...); r.code != 0 || r.out != shown+done {
		d.t.Errorf("typed, it says %+v", r)
	}
}

// says expects texts in an output.
func says(t *testing.T, output string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(output, text) {
			t.Errorf("it does not say %q:\n%s", text, output)
		}
	}
}

// fails expects an exit code and texts on the standard error, whose first line
// begins with the command's name.
func (r result) fails(t *testing.T, code int, texts ...string) {
	t.Helper()
	if r.code != code || !strings.HasPrefix(r.errOut, "partnerctl: ") {
		t.Errorf("exit code %d, want %d; the error is %q", r.code, code, r.errOut)
	}
	says(t, r.errOut, texts...)
}

// What is said of a partner and a customer that are not there.
const (
	noPartner  = `there is no partner "nobody"`
	noCustomer = `there is no customer "nobody"`
)

const directoryFile = `
partners:
  - {id: northwind, name: Northwind, customers: [{accountId: acme_retail, products: [sms]}]}
customers:
  - {accountId: acme_retail, name: Acme, products: [sms, voice], currency: EUR, billingMode: prepaid, subAccounts: [acme_hq]}
priceLists:
  - {accountId: acme_retail, product: sms, effectiveFrom: 2020-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.1"}]}
`

func usageLine(id, more string) string {
	at := time.Now().AddDate(0, -1, 0).UTC().Format(time.RFC3339)
	return `{"accountId":"acme_retail","product":"sms","id":"` + id + `","timestamp":"` + at + `"` + more + "}\n"
}

func zipped(text string) string {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return packed.String()
}
