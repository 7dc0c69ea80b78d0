// Command iam lets an evaluator of IAM's policies that is not ours judge every request that
// tests have recorded (internal/testkit/recording), each by its function's role as the
// rendered template has it: it must be allowed. Requests that ask for a little more, and what
// no role may ask at all, must be refused; and of each request that one function sends, every
// other role is asked too. Each verdict is compared with that of internal/dev/template, and
// so is what both have read out of the request. A linter then looks over every policy.
//
// "make proof-iam" records, installs the evaluator and the linter, and runs it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"partnerview/internal/dev/template"
	"partnerview/internal/testkit/recording"
)

const (
	recordings = "build/iam"
	rendered   = "internal/dev/template/testdata/rendered.json"
	timeout    = 15 * time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "iam:", err)
		os.Exit(1)
	}
}

// run judges, compares and lints. Its last line says what it has found, whether all is well
// or not.
func run(ctx context.Context) error {
	sent, err := readRecordings(recordings)
	if err != nil {
		return err
	}
	ours, err := readRights()
	if err != nil {
		return err
	}
	cases, err := casesOf(sent, ours)
	if err != nil {
		return err
	}
	policies := filepath.Join(recordings, "policies")
	if err := os.MkdirAll(policies, 0o755); err != nil {
		return err
	}
	verdicts, err := judge(ctx, policies, cases)
	if err != nil {
		return err
	}
	faults, counts := compare(cases, verdicts, ours)
	findings, linted, err := lint(ctx, policies)
	if err != nil {
		return err
	}
	faults = append(faults, findings...)
	for _, f := range faults {
		fmt.Println("FAIL", f)
	}
	fmt.Printf("iam: %d requests of %d roles allowed, %d refused, %d more judged alike by iam-simulate and by ours, %d policies linted; %d faults\n",
		counts[allowed], len(rolesOf(sent)), counts[refused], counts[alike], linted, len(faults))
	if len(faults) > 0 {
		return errors.New("what is listed above is not so")
	}
	return nil
}

// readRecordings reads what tests have recorded. That each function with tables has sent
// something is for casesOf to find.
func readRecordings(folder string) (sent []recording.Request, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.ndjson"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(text) {
			var r recording.Request
			if err := json.Unmarshal(line, &r); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			sent = append(sent, r)
		}
	}
	return sent, nil
}

func rolesOf(sent []recording.Request) []string {
	roles := make(map[string]bool)
	for _, r := range sent {
		roles[r.Role] = true
	}
	return slices.Sorted(maps.Keys(roles))
}

// rights are what internal/dev/template has read: the template, and by role its statements.
type rights struct {
	template *template.Template
	byRole   map[string]template.Statements
}

var tables = []string{"PartnersTable", "CustomersTable", "PriceListsTable", "UsageTable", "TotalsTable", "LedgerTable"}

const commands = "docs/policies/partnerctl.json"

func readRights() (rights, error) {
	names := map[string]string{"InboxBucket": "partnerview-inboxbucket-1"}
	for _, id := range tables {
		names[id] = recording.TableOf(id)
	}
	r := rights{byRole: make(map[string]template.Statements)}
	var err error
	if r.template, err = template.Read("template.yaml", names); err != nil {
		return r, err
	}
	for _, f := range r.template.Functions {
		r.byRole[f.ID] = f.Statements
	}
	text, err := os.ReadFile(commands)
	if err != nil {
		return r, err
	}
	// Ours knows no pattern of names: they become those of one stack.
	exact := strings.NewReplacer("dynamodb:*:*:", "dynamodb:us-east-1:123456789012:", "Table-*", "Table-1").Replace(string(text))
	r.byRole[commands], err = template.ReadPolicy([]byte(exact))
	return r, err
}

// verdict is what scripts/iam.mjs says of a request.
type verdict struct {
	Allowed bool
	Parts   []part
}

type part struct {
	Action, Resource string
	Context          map[string]any
	Ignored          []string // keys that AWS's reference does not have for the action
}

// judge asks the evaluator about each case, in order. It writes the policies into a folder.
func judge(ctx context.Context, policies string, cases []testCase) ([]verdict, error) {
	var lines bytes.Buffer
	for _, c := range cases {
		if err := json.NewEncoder(&lines).Encode(c.request); err != nil {
			return nil, err
		}
	}
	out, err := output(ctx, &lines, "node", "scripts/iam.mjs", rendered, policies)
	if err != nil {
		return nil, err
	}
	var verdicts []verdict
	for line := range bytes.Lines(out) {
		var v verdict
		if err := json.Unmarshal(line, &v); err != nil {
			return nil, fmt.Errorf("the evaluator says %s: %w", line, err)
		}
		verdicts = append(verdicts, v)
	}
	if len(verdicts) != len(cases) {
		return nil, fmt.Errorf("the evaluator has judged %d of %d requests", len(verdicts), len(cases))
	}
	return verdicts, nil
}

// accepted are findings that are none. Both actions are of CloudWatch Logs, of which parliament's
// list is older than AWS's: DescribeLogGroups is of log groups, GetQueryResults of nothing.
var accepted = []string{
	"[{'action': 'logs:DescribeLogGroups', 'required_format': '*'}]",
	"Unnecessary use of Resource * -  - ['logs:GetQueryResults']",
}

// lint has parliament look over each policy in a folder: its findings, and how many policies
// there were.
func lint(ctx context.Context, folder string) (findings []string, policies int, err error) {
	files, err := fs.Glob(os.DirFS(folder), "*.json")
	if err != nil {
		return nil, 0, err
	}
	// It ends with 1 where it finds something, and says it in any case.
	out, err := output(ctx, nil, ".tools/parliament/bin/parliament", "--directory", folder, "--include_policy_extension", "json")
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return nil, 0, err
	}
	for line := range strings.Lines(string(out)) {
		if !slices.ContainsFunc(accepted, func(known string) bool { return strings.Contains(line, known) }) {
			findings = append(findings, "parliament: "+strings.TrimSpace(line))
		}
	}
	if err != nil && len(out) == 0 { // it did not start, or broke
		return nil, 0, err
	}
	return findings, len(files), nil
}

func output(ctx context.Context, in *bytes.Buffer, command string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, command, args...)
	if in != nil {
		cmd.Stdin = in
	}
	var told bytes.Buffer
	cmd.Stderr = &told
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("%s: %w: %s", command, err, told.String())
	}
	return out, nil
}
