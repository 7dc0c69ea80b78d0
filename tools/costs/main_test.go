package main

import (
	"math"
	"os"
	"strings"
	"testing"
)

func TestTheTableInDeployIsWhatThisPrints(t *testing.T) {
	var out strings.Builder
	if err := run(&out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../docs/deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n"+out.String()) {
		t.Errorf("docs/deploy.md does not hold what make costs prints:\n%s", out.String())
	}
}

// A bill that can be checked by hand: one unit, 1 ms, 1,000 bytes for everything.
func TestABillThatCanBeCheckedByHand(t *testing.T) {
	took := map[string]measured{"decision": {1, 1, 1000, 0}}
	for _, r := range mix {
		took[r.name] = measured{1, 1, 1000, 1000}
	}
	want := map[string]float64{ // a million requests
		"API Gateway": 3.5, "Lambda, calls": 0.4, "DynamoDB, reads": 0.25, "logs, taken in": 1.215, "logs, kept": 0.9477, "X-Ray": 5, "answers sent": 0.09, "metrics": 2.4, "alarms": 1.7,
		"Lambda, time": 1e6 * 0.001 * (0.22*0.25 + 0.73*0.5 + 0.05*1769/1024 + 0.25) * 0.0000133334,
	}
	for _, l := range bill(took) {
		if got := l.amount(1e6); math.Abs(got-want[l.what]) > 1e-9 {
			t.Errorf("%s: %v, want %v", l.what, got, want[l.what])
		}
		delete(want, l.what)
	}
	if len(want) > 0 {
		t.Errorf("the bill lacks %v", want)
	}
	share := 0.0
	for _, r := range mix {
		share += r.share
	}
	if math.Abs(share-1) > 1e-9 {
		t.Errorf("the shares are %v together", share)
	}
}
