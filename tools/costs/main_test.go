package main

import (
	"math"
	"os"
	"strings"
	"testing"
)

func TestTheTableInDeployIsWhatThisPrints(t *testing.T) {
	var out strings.Builder
	if err := run(&out, "../../template.yaml"); err != nil {
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
		"kept warm":    8640 * (7*(0.0000002+350*0.5/1e9+0.000005) + (4*0.25+2*0.5+1769.0/1024)*0.001*0.0000133334),
		"Lambda, time": 1e6 * 0.001 * (0.12*0.25 + 0.83*0.5 + 0.05*1769/1024 + 0.25) * 0.0000133334,
	}
	sizes, err := readMemories("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range bill(took, sizes) {
		if got := l.amount(1e6); math.Abs(got-want[l.what]) > 1e-9 {
			t.Errorf("%s: %v, want %v", l.what, got, want[l.what])
		}
		delete(want, l.what)
	}
	if len(want) > 0 {
		t.Errorf("the bill lacks %v", want)
	}
	imports := importTook{Records: 1000, Logs: 1, Calls: 1, UsageWrites: 1000, OtherWrites: 1000, Reads: 1000, DurationMs: 1000, LogBytes: 1e6}
	want = map[string]float64{ // a million records: a thousand files
		"S3, uploads and results": 0.0104, "EventBridge": 0, "Step Functions": 0.125, "DynamoDB, records written": 1.25, "DynamoDB, totals and ledger": 0.625,
		"DynamoDB, reads": 0.125, "logs and traces": 0.535, "metrics": 1.8, "alarms": 0.7, "Lambda": 0.0002 + 1000*1769.0/1024*0.0000133334,
	}
	idle := 0.0
	for _, l := range inboxBill(imports, sizes[importer]) {
		if got := l.amount(1e6); math.Abs(got-want[l.what]) > 1e-9 {
			t.Errorf("%s: %v, want %v", l.what, got, want[l.what])
		}
		delete(want, l.what)
		if l.what != "alarms" {
			idle += l.amount(0)
		}
	}
	if len(want) > 0 || idle != 0 {
		t.Errorf("the inbox's bill lacks %v; an idle month costs %v", want, idle)
	}
	share := 0.0
	for _, r := range mix {
		share += r.share
	}
	if math.Abs(share-1) > 1e-9 {
		t.Errorf("the shares are %v together", share)
	}
}
