package e2e_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partnerview/internal/usage"
)

var update = flag.Bool("update", false, "write what was measured to tools/costs/measured.json")

// taken is what a request took of a function; tools/costs reckons with it.
type taken struct {
	ReadUnits, DurationMs, LogBytes, ResponseBytes float64
}

// What a request reads is the same each time, and tools/costs makes a bill of it:
// should a change make a request dearer, this fails, and the table in
// docs/deploy.md with it. Durations differ from run to run and are not compared.
func TestWhatARequestTakes(t *testing.T) {
	log, partner := middling(t, usage.SMS)
	var page usagePage
	pv.read(t, pv.Key(t, partner), logPath(log)+"?limit=50", &page)
	requests := map[string]string{
		"list of 25 customers": "/customers", "who asks": "/me",
		"month of a customer, by day and product": customerPath(string(log.Account)) + "/summary?groupBy=day&groupBy=product&from=2026-10-01&to=2026-11-01",
		"month of all customers, by customer":     "/summary?groupBy=customer&from=2026-10-01&to=2026-11-01", "customer": customerPath(string(log.Account)),
		"page of 50 records": logPath(log) + "?limit=50", "record": logPath(log) + "/" + page.Data[0].ID,
	}
	got := make(map[string]taken)
	for name, path := range requests {
		var runs, decisions []taken
		for range 12 {
			a := pv.get(t, pv.Key(t, partner), path)
			if a.status != 200 {
				t.Fatalf("%s: %d", name, a.status)
			}
			function, authorizer := pv.printed(t, a.header.Get("x-amzn-RequestId"))
			function.ResponseBytes = float64(len(a.body))
			runs = append(runs, function)
			if authorizer.LogBytes > 0 { // it was asked, not the cache
				decisions = append(decisions, authorizer)
			}
		}
		got[name] = median(runs)
		if name == "customer" && len(decisions) > 0 { // on a customer's path a grant is read too
			got["decision"] = median(decisions)
		}
	}
	if *update {
		text, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(pv.root, "tools/costs/measured.json"), append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(filepath.Join(pv.root, "tools/costs/measured.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]taken
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	charges := engine.ChargesForWhatIsNotThere(t, pv.Tables) // else some lists are cheaper
	for name, w := range want {
		if g, ok := got[name]; ok && g.ReadUnits != w.ReadUnits && (charges || g.ReadUnits > w.ReadUnits) {
			t.Errorf("%s reads %v units, tools/costs reckons with %v; run this test with -update, and then make costs for docs/deploy.md", name, g.ReadUnits, w.ReadUnits)
		}
	}
}

// printed is what a request's functions printed: how much, and what it tells.
func (p *product) printed(t *testing.T, id string) (function, authorizer taken) {
	t.Helper()
	if !eventually(func() bool {
		function, authorizer = taken{}, taken{}
		for text := range strings.Lines(p.Output.String()) {
			name, text, _ := strings.Cut(text, " | ")
			if !strings.Contains(text, id) || !strings.HasPrefix(text, "{") {
				continue
			}
			var line struct {
				logLine
				DecisionMs float64
			}
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				return false // it is not there whole
			}
			into := &function
			if name == "AuthorizerFunction" {
				into = &authorizer
			}
			into.LogBytes += float64(len(text))
			into.ReadUnits += line.ConsumedCapacity
			into.DurationMs += line.DurationMs + line.DecisionMs
		}
		return function.DurationMs > 0
	}) {
		t.Fatalf("request %s left no line", id)
	}
	return function, authorizer
}

// median is each number's own.
func median(runs []taken) taken {
	by := func(of func(taken) float64) float64 {
		var all []float64
		for _, r := range runs {
			all = append(all, of(r))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return taken{by(func(r taken) float64 { return r.ReadUnits }), by(func(r taken) float64 { return r.DurationMs }),
		by(func(r taken) float64 { return r.LogBytes }), by(func(r taken) float64 { return r.ResponseBytes })}
}
