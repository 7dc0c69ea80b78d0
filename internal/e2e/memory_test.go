package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"partnerview/internal/dev/template"
	"partnerview/internal/testkit/producttest"
	"partnerview/internal/usage"
)

// leastMemory is what Lambda gives the smallest function, in MiB.
const leastMemory = 128

// memoryGroups is where this machine's control groups with a memory limit are, and the names of
// the files that are read and written there.
type memoryGroups struct{ folder, limit, peak, events string }

func findMemoryGroups() (memoryGroups, error) {
	const v1, v2 = "/sys/fs/cgroup/memory", "/sys/fs/cgroup"
	for _, g := range []memoryGroups{
		{v2, "memory.max", "memory.peak", "memory.events"},
		{v1, "memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control"},
	} {
		probe := filepath.Join(g.folder, fmt.Sprintf("partnerview-%d", os.Getpid()))
		if err := os.Mkdir(probe, 0o755); err != nil {
			continue
		}
		file, err := os.OpenFile(filepath.Join(probe, g.limit), os.O_WRONLY, 0) // not there without the controller
		if err == nil {
			_, err = file.WriteString("1048576")
			err = errors.Join(err, file.Close())
		}
		if errors.Join(err, os.Remove(probe)) == nil {
			return g, nil
		}
	}
	return memoryGroups{}, errors.New("no control group with a memory limit can be made: root can make one")
}

// confined is a function that runs in a group of its own from its first instruction on.
type confined struct {
	memoryGroups
	id string
}

// confine makes the group, and in folder what runs a bootstrap in it. The binary itself may be in
// memory already, on another's account: the limit is lower by all of it.
func (g memoryGroups) confine(t *testing.T, id, bootstrap, folder string) confined {
	t.Helper()
	c := confined{g, id}
	must(t, os.Mkdir(c.path(""), 0o755))
	binary, err := os.Stat(bootstrap)
	must(t, err)
	must(t, os.WriteFile(c.path(g.limit), []byte(strconv.FormatInt(leastMemory<<20-binary.Size(), 10)), 0))
	must(t, os.Mkdir(folder, 0o755))
	must(t, os.WriteFile(filepath.Join(folder, "group"), []byte(c.path("")), 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "command"), []byte(bootstrap), 0o600))
	build := exec.Command("go", "build", "-o", filepath.Join(folder, "bootstrap"), "./internal/testkit/confine")
	build.Dir = pv.root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return c
}

func (c confined) path(file string) string {
	return filepath.Join(c.folder, fmt.Sprintf("partnerview-%d-%s", os.Getpid(), c.id), file)
}

func (c confined) peakMiB(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile(c.path(c.peak))
	must(t, err)
	bytes, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	must(t, err)
	return bytes / (1 << 20)
}

// killed is how often the kernel ended the function for its memory.
func (c confined) killed(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(c.path(c.events))
	must(t, err)
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strings.TrimSpace(n)
		}
	}
	t.Fatalf("%s does not say how often: %s", c.events, text)
	return ""
}

// The smallest function that Lambda has is enough for each of ours, for the largest page of
// each route, as JSON and as CSV: the kernel ends a function that takes more. What the template
// gives them beyond that is processor time.
func TestEachFunctionFitsIntoTheLeastMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("not on another engine: it asks what a function needs; make test has it")
	}
	groups, err := findMemoryGroups()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("NOT TESTED: %v", err)
	}
	deployed, err := template.Read(filepath.Join(pv.root, "template.yaml"), nil)
	must(t, err)
	wrapped := t.TempDir()
	var all []confined
	t.Cleanup(func() { // after the product has ended
		for _, c := range all {
			if err := os.Remove(c.path("")); err != nil {
				t.Error(err)
			}
		}
	})
	for _, f := range deployed.Functions {
		all = append(all, groups.confine(t, f.ID, filepath.Join(pv.root, "build", "host", f.ID, "bootstrap"), filepath.Join(wrapped, f.ID)))
	}
	p := &product{root: pv.root, bin: pv.bin, spec: pv.spec}
	arguments := []string{"--now", now, "--build-dir", wrapped}
	for id, name := range map[string]string{ // what is in them already
		"PartnersTable": pv.Tables.Partners, "CustomersTable": pv.Tables.Customers, "PriceListsTable": pv.Tables.PriceLists,
		"UsageTable": pv.Tables.Usage, "TotalsTable": pv.Tables.Totals, "LedgerTable": pv.Tables.Ledger,
	} {
		arguments = append(arguments, "--parameter", id+"="+name)
	}
	p.Product, err = producttest.Start(p.root, p.bin, pv.DynamodbEndpoint, arguments...)
	must(t, err)
	t.Cleanup(func() { must(t, p.Stop()) })

	var grants, directory strings.Builder
	const customers = 2000 // the most of which a list by credit is made
	for i := range customers {
		fmt.Fprintf(&grants, "{accountId: crowd_%04d}, ", i)
		fmt.Fprintf(&directory, "  - {accountId: crowd_%04d, name: Customer of a crowd %04d, products: [sms, voice, video, messaging], currency: EUR, billingMode: prepaid, remainingCredit: \"%d.25\", creditAsOf: %s}\n", i, i, i, now)
	}
	p.operates(t, "partners:\n  - {id: crowd, name: Crowd, customers: ["+grants.String()+"]}\ncustomers:\n"+directory.String(), "apply", "-f", "-")

	asks := map[string][]string{"crowd": {"/customers?limit=100", "/customers?limit=100&credit=low", "/customers?limit=100&search=crowd", "/summary?groupBy=customer&groupBy=product&limit=1000", "/me"}}
	for _, product := range usage.Products() {
		log, partner := longest(t, product)
		asks[partner] = append(asks[partner], logPath(log)+"?limit=500", customerPath(string(log.Account)),
			customerPath(string(log.Account))+"/summary?groupBy=day&groupBy=product&limit=1000", "/summary?groupBy=customer&groupBy=day&groupBy=product&limit=1000")
	}
	for partner, paths := range asks {
		key := p.newKey(t, partner)
		for _, path := range paths {
			for range 3 {
				if a := p.get(t, key, path); a.status != 200 {
					t.Errorf("GET %s: %d %s", path, a.status, a.body)
				}
				if strings.Contains(path, "limit=") {
					if a := p.get(t, key, path, "Accept", "text/csv"); a.status != 200 {
						t.Errorf("GET %s as CSV: %d %s", path, a.status, a.body)
					}
				}
			}
		}
	}
	for range 3 {
		response, err := http.Get(p.BaseURL + "/")
		must(t, err)
		if response.Body.Close(); response.StatusCode != 200 {
			t.Errorf("the dashboard: %d", response.StatusCode)
		}
	}
	for _, c := range all {
		if c.id == "ImportUsageFunction" { // it was not asked: internal/inbox holds it to what a large file takes
			continue
		}
		if n := c.killed(t); n != "0" {
			t.Errorf("%s was ended %s times: with its binary it takes more than %d MiB", c.id, n, leastMemory)
		}
		peak := c.peakMiB(t)
		t.Logf("%-22s %5.1f MiB at most, besides its binary", c.id, peak)
		if peak < 1 {
			t.Errorf("%s was not asked", c.id)
		}
	}
}

// longest is the log of a product with the most records, and a partner that sees it whole.
func longest(t *testing.T, product usage.Product) (usage.Log, string) {
	t.Helper()
	var best usage.Log
	for log, records := range load(t).records {
		if log.Product == product && viewerOf(t, log) != "" &&
			(best.Account == "" || len(records) > len(load(t).records[best]) || len(records) == len(load(t).records[best]) && log.Account < best.Account) {
			best = log
		}
	}
	if n := len(load(t).records[best]); n <= 500 {
		t.Logf("the longest %s log has %d records", product, n)
	}
	return best, viewerOf(t, best)
}
