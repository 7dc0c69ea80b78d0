package main

import (
	"strings"
	"testing"
)

func TestUnreadValuesAreToldInTheSummary(t *testing.T) {
	d := newDesk(t)
	d.must("apply", "-f", d.write("directory.yaml", directoryFile))
	row := func(id, country, mnc string) string {
		return id + ",acme_retail,2026-06-02T00:00:00Z,1," + country + ",310," + mnc + "\n"
	}
	file := d.write("sms.csv", "umid,accountid,createdat,direction,country,mcc,mnc\n"+
		row("u-1", "USA", "099")+row("u-2", "Nowhere", "99")+row("u-3", "447700900123", "99")+row("u-4", "No\x1b[31mwhere", "099")+row("u-5", "Nowhere", "099"))
	text := d.must("import", "usage", june, "--format", "connect-sms-csv", file)
	want := "Unread, and left unknown: country (4, as \"Nowhere\", \"No\\x1b[31mwhere\")\nUnread, and left unknown: operator (2, as \"310 99\")\n"
	if !strings.Contains(text, want) || strings.Contains(text, "0123") {
		t.Errorf("it says\n%s, want\n%s", text, want)
	}
	if got := d.must("import", "usage", june, "-o", "json", "--format", "connect-sms-csv", file); !strings.Contains(got, `"unread": {
    "country": 4,
    "operator": 2
  }`) {
		t.Errorf("for programs: %s", got)
	}
}

func TestOperatorThatNoRecordHasIsWarnedOf(t *testing.T) {
	d := newDesk(t)
	file := d.write("directory.yaml", directoryFile)
	d.must("apply", "-f", file)
	prices := d.write("prices.yaml", `priceLists:
  - accountId: acme_retail
    product: sms
    effectiveFrom: 2099-01-01T00:00:00Z
    currency: EUR
    rates: [{operator: "31099", unitPrice: "0.1"}]
`)
	for _, args := range [][]string{{"price", "check", "-f", prices}, {"apply", "-f", prices, "--dry-run"}} {
		r := d.run(args...)
		if r.code != 0 || !strings.Contains(r.errOut, `prices.yaml:6: priceLists[0].rates[0].operator: "31099" must have an MNC of 3 digits`) {
			t.Errorf("%v: %d\n%s", args, r.code, r.errOut)
		}
	}
}

func TestAmountsOfCreditAreReadAsSaid(t *testing.T) {
	d := newDesk(t)
	d.must("apply", "-f", d.write("directory.yaml", directoryFile))
	file := d.write("credit.csv", "account;amount;as-of\nacme_retail;1.520;2026-06-14T10:00:00Z\n")
	if r := d.run("import", "credit", june, file); r.code != 3 || !strings.Contains(r.errOut+r.out+d.read("credit.csv.rejected.ndjson"), "--decimal comma or --decimal point") {
		t.Errorf("unsaid: %d\n%s%s", r.code, r.out, r.errOut)
	}
	d.must("import", "credit", june, "--decimal", "comma", file)
	if got := d.must("customer", "show", "acme_retail", "-o", "json"); !strings.Contains(got, `"remainingCredit": "1520"`) {
		t.Errorf("stored is\n%s", got)
	}
	d.run("import", "credit", "--decimal", "dot", file).fails(t, 2, "--decimal")
}
