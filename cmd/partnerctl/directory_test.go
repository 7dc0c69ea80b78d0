package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
)

// twoPartners is a directory of two partners and two customers.
const twoPartners = `
partners:
  - {id: northwind, name: Northwind, customers: [{accountId: acme_retail, products: [sms]}, {accountId: b&b}]}
  - {id: eastgate, name: Eastgate Größe, customers: [{accountId: acme_retail}]}
customers:
  - {accountId: acme_retail, name: Acme, products: [sms, voice], currency: EUR, billingMode: prepaid, remainingCredit: "10", creditAsOf: 2026-06-01T00:00:00Z, timeZone: Europe/Berlin, subAccounts: [acme_hq]}
  - {accountId: b&b, name: aardvark 東京, products: [messaging], currency: JPY, billingMode: postpaid}
priceLists:
  - {accountId: acme_retail, product: sms, effectiveFrom: 2020-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.1"}]}
`

func newDeskWithTwoPartners(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	d.must("apply", "-f", d.write("directory.yaml", twoPartners))
	return d
}

func (d *desk) says(want string, args ...string) {
	d.t.Helper()
	if diff := cmp.Diff(want, d.must(args...)); diff != "" {
		d.t.Errorf("partnerctl %s (-want +got):\n%s", strings.Join(args, " "), diff)
	}
}

func TestPartnersAreListedShownSuspendedAndResumed(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	d.must("key", "create", "--partner", "northwind")
	d.must("key", "create", "--partner", "northwind")
	keys := asJSON[listedKeys](d, "key", "list", "--partner", "northwind")
	d.must("key", "revoke", keys.Keys[0].KeyID)
	d.says("partner    name            status  customers  active keys\n"+
		"eastgate   Eastgate Größe  active  1          0\n"+
		"northwind  Northwind       active  2          1\n", "partner", "list")

	const suspends = "change  partner  northwind  status: active → suspended\n"
	d.says(suspends+"1 change; nothing was written.\n", "partner", "suspend", "northwind", "--dry-run")
	d.asks("northwind", suspends, "1 change written.\n", "partner", "suspend", "northwind")
	d.says(nothingToChange, "partner", "suspend", "northwind", "--yes")
	shown := asJSON[shownPartner](d, "partner", "show", "northwind")
	if shown.Status != "suspended" || len(shown.Keys) != 2 || len(shown.Grants) != 2 || shown.Grants[0].AccountID != "b&b" || shown.Grants[0].CustomerName != "aardvark 東京" {
		t.Errorf("northwind is %+v", shown)
	}
	d.must("partner", "resume", "northwind")
	says(t, d.must("partner", "show", "northwind"), "status   active\n", "acme_retail  Acme           sms\n")
	for _, args := range [][]string{{"partner", "show", "nobody"}, {"partner", "suspend", "nobody", "--yes"}, {"partner", "resume", "nobody"}} {
		d.run(args...).fails(t, 1, noPartner, "partnerctl apply")
	}
	list := asJSON[listedPartners](d, "partner", "list")
	if want := (listedPartner{"northwind", "Northwind", "active", 2, 1}); len(list.Partners) != 2 || list.Partners[1] != want {
		t.Errorf("for programs the list is %+v", list)
	}
}

func TestGrantsAreAddedWidenedNarrowedAndRemoved(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	d.says("add  grant  eastgate b&b  products: messaging\n1 change; nothing was written.\n", "grant", "add", "eastgate", "b&b", "--products", "messaging", "--dry-run")
	d.says("add  grant  eastgate b&b  products: messaging\n1 change written.\n", "grant", "add", "eastgate", "b&b", "--products", "messaging")
	d.says("change  grant  northwind acme_retail  products: sms → sms,voice\n1 change written.\n", "grant", "add", "northwind", "acme_retail", "--products", "voice,sms")
	d.says("change  grant  northwind acme_retail  products: sms,voice → all\n1 change written.\n", "grant", "add", "northwind", "acme_retail")
	d.says(nothingToChange, "grant", "add", "northwind", "acme_retail")
	d.says("partner    status  products\neastgate   active  messaging\nnorthwind  active  all\n", "grant", "list", "--account", "b&b")
	d.says("account      name           products\nb&b          aardvark 東京  messaging\nacme_retail  Acme           all\n", "grant", "list", "--partner", "eastgate")

	d.says("remove  grant  northwind acme_retail\nremove  grant  northwind b&b\n2 changes; nothing was written.\n", "grant", "remove", "northwind", "b&b", "acme_retail", "--dry-run")
	d.asks("northwind", "remove  grant  northwind b&b\n", "1 change written.\n", "grant", "remove", "northwind", "b&b")
	d.says("account      name  products\nacme_retail  Acme  all\n", "grant", "list", "--partner", "northwind")
	d.says(nothingToChange, "grant", "remove", "northwind", "b&b", "--yes")
	d.must("grant", "remove", "northwind", "acme_retail", "--yes")
	says(t, d.must("grant", "list", "--partner", "northwind"), "partnerctl grant add northwind ACCOUNT")

	list := asJSON[listedGrants](d, "grant", "list", "--account", "acme_retail")
	if len(list.Grants) != 1 || list.AccountID != "acme_retail" || list.Grants[0].PartnerID != "eastgate" || list.Grants[0].Products != nil {
		t.Errorf("for programs it is %+v", list)
	}
	d.run("grant", "add", "nobody", "b&b").fails(t, 1, noPartner)
	d.run("grant", "add", "northwind", "nobody").fails(t, 1, noCustomer)
	d.run("grant", "remove", "northwind", "acme_retial", "--yes").fails(t, 1, `there is no customer "acme_retial"`)
	d.run("grant", "list", "--account", "nobody").fails(t, 1, noCustomer)
	d.run("grant", "list").fails(t, 2, "--partner", "--account")
	d.run("grant", "list", "--partner", "northwind", "--account", "b&b").fails(t, 2, "--partner", "--account")
	d.run("grant", "add", "northwind", "b&b", "--products", "fax").fails(t, 2, "fax")
}

func TestCustomersAreListedSearchedAndShown(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	d.says("account      name           products   currency  billing   credit  as of                     time zone\n"+
		"b&b          aardvark 東京  messaging  JPY       postpaid  -       -                         UTC\n"+
		"acme_retail  Acme           sms,voice  EUR       prepaid   10      2026-06-01T00:00:00.000Z  Europe/Berlin\n", "customer", "list")
	d.says("account  name           products   currency  billing   credit  as of  time zone\nb&b      aardvark 東京  messaging  JPY       postpaid  -       -      UTC\n", "customer", "list", "--search", "AARD")
	says(t, d.must("customer", "list", "--search", "nobody"), "partnerctl apply")
	out := d.must("customer", "show", "acme_retail")
	says(t, out, "credit        10\n", "time zone     Europe/Berlin\n", "sub-account   acme_hq\n", "eastgate   active  all\n", "northwind  active  sms\n")
	shown := asJSON[shownCustomer](d, "customer", "show", "acme_retail")
	if shown.Name != "Acme" || *shown.RemainingCredit != "10" || shown.CreditLimit != nil || len(shown.Grants) != 2 || shown.SubAccounts[0] != "acme_hq" {
		t.Errorf("for programs it is %+v", shown)
	}
	d.run("customer", "show", "nobody").fails(t, 1, noCustomer)
}

func TestCreditIsSetButNeverByAnOlderOne(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	d.says("change  customer  acme_retail  remainingCredit: 10 → -3.5; creditLimit: (none) → 100; creditAsOf: 2026-06-01T00:00:00.000Z → 2026-06-02T00:00:00.000Z\n1 change written.\n",
		"customer", "set-credit", "acme_retail", "--remaining=-3.50", "--limit", "100", "--as-of", "2026-06-02T00:00:00Z")
	d.run("customer", "set-credit", "acme_retail", "--remaining", "7", "--as-of", "2026-06-01T12:00:00Z").fails(t, 1, "is later than 2026-06-01T12:00:00.000Z")
	d.says("change  customer  acme_retail  remainingCredit: -3.5 → (none); creditAsOf: 2026-06-02T00:00:00.000Z → 2026-06-03T00:00:00.000Z\n1 change written.\n",
		"customer", "set-credit", "acme_retail", "--remaining", "unknown", "--now", "2026-06-03T00:00:00Z")
	shown := asJSON[shownCustomer](d, "customer", "show", "acme_retail")
	if shown.RemainingCredit != nil || *shown.CreditLimit != "100" || *shown.CreditAsOf != "2026-06-03T00:00:00.000Z" || len(shown.SubAccounts) != 1 || shown.Name != "Acme" {
		t.Errorf("the customer is %+v", shown)
	}
	d.run("customer", "set-credit", "nobody", "--remaining", "1").fails(t, 1, noCustomer)
	d.run("customer", "set-credit", "acme_retail", "--remaining", "1,5").fails(t, 2, "remaining")
	d.run("customer", "set-credit", "acme_retail", "--remaining", "1", "--limit=-1").fails(t, 2, "negative")
}

func TestAPartnerIsDeletedOnlyAfterItsIDIsTyped(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	key := asJSON[createdKey](d, "key", "create", "--partner", "northwind")
	shown := "remove  key      northwind " + key.KeyID + "\n" +
		"remove  grant    northwind acme_retail\n" +
		"remove  grant    northwind b&b\n" +
		"remove  partner  northwind\n"
	d.says(shown+"4 changes; nothing was written.\n", "partner", "delete", "northwind", "--dry-run")
	d.asks("northwind", shown, "4 changes written.\n", "partner", "delete", "northwind")
	d.run("partner", "show", "northwind").fails(t, 1, `there is no partner "northwind"`)
	d.says("partner   status  products\neastgate  active  all\n", "grant", "list", "--account", "acme_retail")
	says(t, d.must("key", "find", key.KeyID), "No key here has the id "+key.KeyID)
	d.run("partner", "delete", "northwind", "--yes").fails(t, 1, `there is no partner "northwind"`)
}

func TestAPartnerInAUsagePlanIsTakenOutOfItBeforeItIsDeleted(t *testing.T) {
	d := newPlanDesk(t, "bronze")
	d.must("partner", "delete", "northwind", "--yes", "--stack", "partnerview-prod")
	if d.gateway.state != "none" {
		t.Errorf("its key of API Gateway is %s", d.gateway.state)
	}
	if _, err := d.store.Partner(t.Context(), "northwind"); err == nil {
		t.Error("the partner is still there")
	}
}

func TestAPartnerInAUsagePlanIsNotDeletedWithoutItsStack(t *testing.T) {
	d := newPlanDesk(t, "bronze")
	for _, endpoint := range []string{"", "--endpoint=" + engine.Endpoint(t)} { // what runs on one machine has no control plane
		if endpoint != "" {
			d.env = []string{"PARTNERS_TABLE=" + d.tables.Partners, "LEDGER_TABLE=" + d.tables.Ledger}
			d.must("partner", "delete", "northwind", "--yes", endpoint)
			return
		}
		d.run("partner", "delete", "nobody", "--yes", "--stack", "partnerview-prod").fails(t, 1, "there is no partner")
	}
}

func TestACustomerIsDeletedWithItsUsageOnlyWhenSaid(t *testing.T) {
	d := newDeskWithUsage(t)
	d.run("customer", "delete", "acme_retail", "--yes").fails(t, 1, "acme_retail has usage records (sms, voice)", "--with-usage", "partnerctl usage delete acme_retail")
	shown := "remove  usage       acme_retail sms  3 records\n" +
		"remove  usage       acme_retail voice  1 record\n" +
		"remove  grant       eastgate acme_retail\n" +
		"remove  grant       northwind acme_retail\n" +
		"remove  price list  acme_retail sms 2020-01-01T00:00:00.000Z\n" +
		"remove  customer    acme_retail\n"
	args := []string{"customer", "delete", "acme_retail", "--with-usage"}
	d.says(shown+"6 changes; nothing was written.\n", append(args, "--dry-run")...)
	d.asks("acme_retail", shown, "6 changes written.\n", args...)
	d.run("customer", "show", "acme_retail").fails(t, 1, "there is no customer")
	// Made anew, it has nothing of the old one's.
	d.must("apply", "-f", "directory.yaml")
	d.says("No records found.\n", "usage", "get", "acme_retail", "--now", march)
	says(t, d.must("partner", "show", "northwind"), string(directory.Active))
}

func TestAPriceListIsWithdrawn(t *testing.T) {
	d := newDeskWithPrices(t)
	args := []string{"price", "withdraw", "acme_retail", "sms", "--now", "2026-06-15"}
	d.says("remove  price list  acme_retail sms 2027-01-01T00:00:00.000Z\n1 change written.\n", append(args, "--from", "2027-01-01")...)
	d.run(append(args, "--from", "2027-01-01")...).fails(t, 1, "there is no price list of acme_retail sms from 2027-01-01", "2026-01-01T00:00:00.000Z")
	d.run(append(args, "--from", "2026-01-01")...).fails(t, 1, "--correct-past")
	shown := "Prices of the past change:\n" +
		"  account      product  from                      to               records  money\n" +
		"  acme_retail  sms      2026-01-01T00:00:00.000Z  this day and on  0 of 0   -\n\n" +
		"remove  price list  acme_retail sms 2026-01-01T00:00:00.000Z\n"
	args = append(args, "--from", "2026-01-01", "--correct-past")
	d.asks("acme_retail", shown, "1 change written.\n", args...)
}
