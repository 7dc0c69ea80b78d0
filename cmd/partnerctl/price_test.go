package main

import (
	"strings"
	"testing"
)

const prices = `
priceLists:
  - {accountId: acme_retail, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, chargeOn: delivered, rounding: {scale: 4, mode: up}, rates: [
      {unitPrice: "0.1"}, {country: DE, unitPrice: "0.081"}, {country: DE, operator: "26201", unitPrice: "0.075"}, {direction: inbound, unitPrice: "0"}]}
  - {accountId: acme_retail, product: sms, effectiveFrom: 2027-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.2"}]}
  - {accountId: acme_retail, product: voice, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.012", setupFee: "0.005", increment: {first: 30, next: 6}}]}
`

func newDeskWithPrices(t *testing.T) *desk {
	t.Helper()
	d := newDeskWithTwoPartners(t)
	d.must("apply", "-f", d.write("prices.yaml", prices), "--correct-past", "--yes", "--now", "2026-06-15T00:00:00Z")
	return d
}

func TestPriceListsAreShown(t *testing.T) {
	d := newDeskWithPrices(t)
	d.says("effective from            state     currency  charge on  rounding    rates\n"+
		"2020-01-01T00:00:00.000Z  past      EUR       submitted  6, half-up  1\n"+
		"2026-01-01T00:00:00.000Z  in force  EUR       delivered  4, up       4\n"+
		"2027-01-01T00:00:00.000Z  future    EUR       submitted  6, half-up  1\n"+
		"\nRates from 2026-01-01T00:00:00.000Z on:\n"+
		"operator  country  direction  unit price  set-up fee  increment\n"+
		"-         -        -          0.1         0           -\n"+
		"-         -        inbound    0           0           -\n"+
		"-         DE       -          0.081       0           -\n"+
		"26201     DE       -          0.075       0           -\n", "price", "show", "acme_retail", "sms", "--now", "2026-06-15T00:00:00Z")
	says(t, d.must("price", "show", "acme_retail", "sms", "--at", "2027-06-01T00:00:00Z"), "Rates from 2027-01-01", "2026-01-01T00:00:00.000Z  past ")
	if out := d.must("price", "show", "acme_retail", "sms", "--at", "2019-06-01T00:00:00Z"); strings.Contains(out, "Rates from") || strings.Contains(out, "in force") {
		t.Errorf("before all lists it is\n%s", out)
	}
	shown := asJSON[shownPrices](d, "price", "show", "acme_retail", "voice")
	if len(shown.PriceLists) != 1 || shown.PriceLists[0].Rates[0].Increment.First != 30 || shown.PriceLists[0].Rates[0].SetupFee != "0.005" || shown.PriceLists[0].Rounding.Scale != 6 {
		t.Errorf("for programs it is %+v", shown)
	}
	says(t, d.must("price", "show", "b&b", "messaging"), "has no price list")
	d.run("price", "show", "nobody", "sms").fails(t, 1, noCustomer)
	d.run("price", "show", "acme_retail", "fax").fails(t, 2, "fax")
}

func TestPriceListsAreCheckedWithAndWithoutTheTables(t *testing.T) {
	d := newDeskWithPrices(t)
	file := d.write("new.yaml", "priceLists:\n  - {accountId: acme_retail, product: sms, effectiveFrom: 2026-05-01T00:00:00Z, currency: USD, rates: [{unitPrice: \"1\"}, {country: DE, unitPrice: \"2\"}]}\n")
	table := d.env
	d.env = nil // nothing to connect to
	d.says("1 price list with 2 rates: no faults. --stored also compares them with the tables.\n", "price", "check", "-f", file)
	bad := d.write("bad.yaml", "priceLists:\n  - {accountId: acme_retail, product: sms, effectiveFrom: 2026-05-01T00:00:00Z, currency: EUR, rates: [{unitPrice: \"-1\"}, {unitPrice: \"2\"}]}\n")
	d.run("price", "check", "-f", bad).fails(t, 1, "the file has 2 faults", bad+":2: priceLists[0].rates[0].unitPrice: must not be negative", "rates[1]")
	d.env = table
	d.run("price", "check", "-f", file, "--stored").fails(t, 1, "the file has 2 faults", "USD is not the customer's currency", "--correct-past")
	euros := d.write("euros.yaml", strings.Replace(d.read("new.yaml"), "USD", "EUR", 1))
	out := d.must("price", "check", "-f", euros, "--stored", "--correct-past")
	if !strings.Contains(out, "Prices of the past change:\n") || !strings.Contains(out, "add  price list  acme_retail sms 2026-05-01") || !strings.HasSuffix(out, "no faults, in the file or with what is stored.\n") {
		t.Errorf("with the tables it says\n%s", out)
	}
	checked := asJSON[checkedPrices](d, "price", "check", "-f", euros, "--stored", "--correct-past")
	if checked.PriceLists != 1 || checked.Rates != 2 || !checked.Plan.DryRun || len(checked.Plan.Changes) != 1 {
		t.Errorf("for programs it is %+v", checked)
	}
	if out := d.must("price", "show", "acme_retail", "sms"); strings.Contains(out, "2026-05-01") {
		t.Errorf("a check wrote:\n%s", out)
	}
}

func TestAPriceIsExplainedWithTheRatesThatLost(t *testing.T) {
	d := newDeskWithPrices(t)
	explain := func(args ...string) []string {
		return append([]string{"price", "explain", "acme_retail", "sms", "--at", "2026-06-01T00:00:00Z"}, args...)
	}
	d.says("rated: 0.162 EUR = 0.081 × 2 segments, rounded up to 4 decimals, by the list from 2026-01-01T00:00:00.000Z\n\n"+
		"operator  country  direction  unit price  set-up fee  increment  verdict\n"+
		"-         DE       -          0.081       0           -          wins\n"+
		"-         -        -          0.1         0           -          loses: names no country, as the first rate does\n"+
		"-         -        inbound    0           0           -          does not match: the record's direction is outbound\n"+
		"26201     DE       -          0.075       0           -          does not match: the record tells no operator\n",
		explain("--direction", "outbound", "--status", "delivered", "--country", "de", "--segments", "2")...)
	for want, args := range map[string][]string{
		"free: 0 EUR, its status is not charged\n":                                                     explain("--direction", "outbound", "--status", "sent", "--segments", "2"),
		"would win, but the price is free: status\n":                                                   explain("--direction", "outbound", "--status", "sent", "--segments", "2"),
		"unrated: the quantity is not told, or cannot be\n":                                            explain("--direction", "inbound"),
		"recorded: 0.0412 USD, the quantity is not told, or cannot be\n":                               explain("--direction", "inbound", "--recorded", "0.0412USD"),
		"free: 0 EUR, there is nothing to bill\n":                                                      explain("--direction", "inbound", "--segments", "0"),
		"unrated: no price list was in force\n":                                                        {"price", "explain", "b&b", "messaging"},
		"rated: 0.0182 EUR = 0.005 set-up fee + 0.012 per minute × 66 s / 60 (61 s, in steps of 30/6)": {"price", "explain", "acme_retail", "voice", "--at", "2026-06-01T00:00:00Z", "--duration", "61"},
	} {
		says(t, d.must(args...), want)
	}

	var explained explainedPrice
	decode(t, d.must(explain("--direction", "outbound", "--status", "delivered", "--country", "DE", "--operator", "26202", "--segments", "1", "-o", "json")...), &explained)
	if explained.Status != "rated" || *explained.Amount != "0.081" || *explained.Currency != "EUR" || explained.Reason != nil || len(explained.Rates) != 4 ||
		explained.Rates[0].Verdict != "won" || explained.Rates[0].By != nil || explained.Rates[1].Verdict != "less_specific" || *explained.Rates[1].By != "country" ||
		explained.Rates[3].Verdict != "no_match" || *explained.Rates[3].By != "operator" {
		t.Errorf("for programs it is %+v", explained)
	}
}

func TestAStoredRecordAndListsOfAFileAreExplained(t *testing.T) {
	d := newDeskWithPrices(t)
	d.must("import", "usage", d.write("usage.ndjson", usageLine("m-1", `,"direction":"outbound","status":"delivered","segments":3,"to":"+447700900123"`)))
	if out := d.must("price", "explain", "acme_retail", "sms", "--id", "m-1"); !strings.HasPrefix(out, "rated: 0.3 EUR = 0.1 × 3 segments") {
		t.Errorf("the stored record is explained as\n%s", out)
	}
	d.run("price", "explain", "acme_retail", "sms", "--id", "m-2").fails(t, 1, "there is no sms record of acme_retail with this id", "partnerctl usage get")
	d.env = nil
	if out := d.must("price", "explain", "acme_retail", "sms", "-f", "prices.yaml", "--at", "2027-02-01T00:00:00Z", "--segments", "1"); !strings.HasPrefix(out, "rated: 0.2 EUR") {
		t.Errorf("by a file's list it is\n%s", out)
	}
	for _, recorded := range []string{"0.04", "EUR", "x EUR", "0.04eur"} {
		d.run("price", "explain", "acme_retail", "sms", "--recorded", recorded).fails(t, 2, "0.0412EUR")
	}
}
