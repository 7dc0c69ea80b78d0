package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"partnerview/internal/dev/template"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/testkit/recording"
)

const policyFile = "docs/policies/partnerctl.json"

// policyOf reads the policy, with the tables that a stack has in place of the
// patterns that find them.
func policyOf(t *testing.T, root string) template.Statements {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(policyFile)))
	check(t, err)
	exact := strings.NewReplacer("dynamodb:*:*:", "dynamodb:us-east-1:123456789012:", "Table-*", "Table-1").Replace(string(text))
	statements, err := template.ReadPolicy([]byte(exact))
	check(t, err)
	return statements
}

// commandCalls is a command line with the calls that it has made.
type commandCalls struct {
	line  string
	calls []dynamotest.Call
}

// runEveryCommand runs each command of partnerctl on a directory with usage, but those that are
// told: they call nobody, or have tests of their own.
func runEveryCommand(t *testing.T, d *desk) (ran []commandCalls) {
	t.Helper()
	proxy := engine.NewProxy(t)
	d.env = append(d.env, "DYNAMODB_ENDPOINT="+proxy.URL)
	key, other, narrow := d.newKey().KeyID, d.newKey().KeyID, d.newKey("--customer", "acme_retail").KeyID
	d.env = append(d.env, "OIDC_ISSUER=https://login.example.com/")
	proxy.Calls()
	file := d.write("again.yaml", strings.NewReplacer("0.1", "0.3", "name: Acme,", "name: Acme AG,").Replace(twoPartners))
	credit := d.write("credit.csv", "account,amount,as-of\nacme_retail,7,2026-06-02T00:00:00Z\n")
	receipts := d.write("receipts.ndjson", `{"payload": {"umid": "m-1", "subAccountId": "acme_hq", "status": {"state": "read", "timestamp": "2026-02-02T09:00:09Z"}}}`)
	did := map[string]bool{
		"completion": true, "version": true, // they call nobody
		"partner set-plan": true, // below
		"audit":            true, // it has a policy of its own, and a test with it
	}
	for _, line := range []string{
		"apply -f " + file + " --correct-past --yes",
		"partner list", "partner show northwind", "partner suspend northwind --yes", "partner resume northwind",
		"grant add eastgate b&b", "grant list --account b&b", "grant list --partner eastgate", "grant remove eastgate b&b --yes",
		"key create --partner northwind --expires 90d", "key list --partner northwind", "key find " + key, "key rotate " + key, "key revoke " + other, "key revoke --all --partner northwind --yes",
		"key narrow " + narrow + " --customer acme_retail=sms", "key widen " + narrow + " --customer acme_retail", "key show " + narrow, "key widen " + narrow + " --all",
		"viewer add --partner northwind --subject ann --customer acme_retail", "viewer list --partner northwind", "viewer show --partner northwind --subject ann", "viewer remove --partner northwind --subject ann",
		"customer list", "customer show acme_retail", "customer set-credit acme_retail --remaining 1 --as-of 2026-06-01T12:00:00Z", "import credit " + credit,
		"price show acme_retail sms", "price check -f " + file + " --stored --correct-past", "price explain acme_retail sms --id m-1 --now " + march, "price withdraw acme_retail sms --from 2020-01-01 --correct-past --yes",
		"import usage " + d.dir + "/usage.ndjson --count-changes --now " + march, "import usage --format connect-sms-receipts " + receipts + " --now " + march,
		"import list --failed", "history --partner northwind", "import show IMPORT",
		"totals show acme_retail", "totals check", "totals rebuild",
		"usage get acme_retail --id m-1 --now " + march, "usage mend-ids --yes", "usage delete acme_retail --product voice --yes",
		"doctor", "customer delete acme_retail --with-usage --yes", "partner delete northwind --yes",
	} {
		if strings.HasSuffix(line, " IMPORT") {
			line = strings.ReplaceAll(line, "IMPORT", d.listed("--now", march)[0].ImportID) + " --now " + march
			proxy.Calls()
		}
		words := strings.Fields(line)
		if r := d.run(words...); r.code != 0 {
			t.Errorf("partnerctl %s: exit code %d: %s", line, r.code, r.errOut)
		}
		ran = append(ran, commandCalls{line, proxy.Calls()})
		for n := range 3 {
			did[strings.Join(words[:min(n, len(words))], " ")] = true
		}
	}
	for _, leaf := range parserOf(t).Model.Leaves(true) {
		if name := leaf.Path(); !did[name] {
			t.Errorf("%s is not among the commands of this test: what it calls may not be in %s, nor what it changes in the history", name, policyFile)
		}
	}
	return ran
}

// Who has docs/policies/partnerctl.json may do what the commands do, each of them,
// and nothing that none of them does.
func TestThePolicyIsWhatTheCommandsCall(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	d := newDeskWithUsage(t)
	policy := policyOf(t, d.root)
	names := map[string]string{}
	var renamed []string
	for id, name := range map[string]string{"PartnersTable": d.tables.Partners, "CustomersTable": d.tables.Customers, "PriceListsTable": d.tables.PriceLists, "UsageTable": d.tables.Usage, "TotalsTable": d.tables.Totals, "LedgerTable": d.tables.Ledger} {
		names[id] = "partnerview-" + id + "-1"
		renamed = append(renamed, name, names[id])
	}
	tmpl, err := template.Read(filepath.Join(d.root, "template.yaml"), names)
	check(t, err)
	var calls []dynamotest.Call
	for _, ran := range runEveryCommand(t, d) {
		calls = append(calls, ran.calls...)
	}
	var recorded []recording.Request // for make proof-iam
	for _, c := range calls {
		recorded = append(recorded, recording.Request{Role: policyFile, Target: c.Target, Body: c.Body})
	}
	check(t, recording.Keep("partnerctl", d.tables, recorded))

	used := map[string]bool{}
	for _, c := range calls {
		requests, err := tmpl.Requests("DynamoDB_20120810."+c.Operation, []byte(strings.NewReplacer(renamed...).Replace(string(c.Body))))
		if err != nil {
			t.Fatalf("%s: %v", c.Operation, err)
		}
		for _, r := range requests {
			if err := policy.Allow(r); err != nil {
				t.Errorf("%s does not allow what a command calls: %v", policyFile, err)
			}
			used[r.Action+" "+r.Table+" "+r.Index] = true
		}
	}
	for _, s := range policy {
		for _, resource := range s.Resources {
			_, table, isTable := strings.Cut(resource, ":table/")
			table, index, _ := strings.Cut(table, "/index/")
			for _, action := range s.Actions {
				// An engine of one's own has no TTL to look at.
				if isTable && action != "dynamodb:DescribeTimeToLive" && !used[action+" "+table+" "+index] {
					t.Errorf("statement %s allows %s on %s %s, which no command calls", s.ID, action, table, index)
				}
			}
		}
	}
}

// The calls of partner set-plan are those that were recorded.
func TestThePolicyAllowsTheRecordedCallsOfUsagePlans(t *testing.T) {
	root, err := filepath.Abs("../..")
	check(t, err)
	policy := policyOf(t, root)
	calls := [][2]string{{"cloudformation:DescribeStacks", "arn:aws:cloudformation:eu-central-1:123456789012:stack/partnerview/6e9f"}}
	for _, e := range exchangesOf(t, root) {
		calls = append(calls, [2]string{"apigateway:" + e.Request.Method, "arn:aws:apigateway:eu-central-1::" + e.Request.Path})
	}
	for _, call := range calls {
		if !slices.ContainsFunc(policy, func(s template.Statement) bool {
			return len(s.Conditions) == 0 && slices.Contains(s.Actions, call[0]) && slices.ContainsFunc(s.Resources, func(pattern string) bool {
				return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(call[1])
			})
		}) {
			t.Errorf("%s does not allow %s on %s", policyFile, call[0], call[1])
		}
	}
	if len(calls) < 8 {
		t.Errorf("only %d calls were recorded", len(calls))
	}
}
