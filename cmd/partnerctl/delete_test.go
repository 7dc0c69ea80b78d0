package main

import (
	"strings"
	"testing"

	"partnerview/internal/directory"
)

func TestAPartnerIsDeletedOnlyAfterItsIDIsTyped(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	var key createdKey
	decode(t, d.must("key", "create", "--partner", "northwind", "-o", "json"), &key)
	shown := "remove  key      northwind " + key.KeyID + "\n" +
		"remove  grant    northwind acme_retail\n" +
		"remove  grant    northwind b&b\n" +
		"remove  partner  northwind\n"
	d.says(shown+"4 changes; nothing was written.\n", "partner", "delete", "northwind", "--dry-run")
	if r := d.feed("y\n", "partner", "delete", "northwind"); r.code != 1 || r.out != shown || !strings.Contains(r.errOut, "Type northwind to go on: ") {
		t.Errorf("mistyped, it says %+v", r)
	}
	d.must("partner", "show", "northwind")
	d.run("partner", "delete", "northwind", "-o", "json").fails(t, 2, "--yes or --dry-run")
	if r := d.feed("northwind\n", "partner", "delete", "northwind"); r.code != 0 || r.out != shown+"4 changes written.\n" {
		t.Errorf("typed, it says %+v", r)
	}
	d.run("partner", "show", "northwind").fails(t, 1, `there is no partner "northwind"`)
	d.says("partner   status  products\neastgate  active  all\n", "grant", "list", "--account", "acme_retail")
	if out := d.must("key", "find", key.KeyID); !strings.Contains(out, "is the id of no key here") {
		t.Errorf("of its key it says %s", out)
	}
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
			d.env = []string{"PARTNERS_TABLE=" + d.tables.Partners}
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
	if r := d.feed("acme\n", args...); r.code != 1 || r.out != shown {
		t.Errorf("mistyped, it says %+v", r)
	}
	if r := d.feed("acme_retail\n", args...); r.code != 0 || r.out != shown+"6 changes written.\n" {
		t.Errorf("typed, it says %+v", r)
	}
	d.run("customer", "show", "acme_retail").fails(t, 1, "there is no customer")
	// Made anew, it has nothing of the old one's.
	d.must("apply", "-f", "directory.yaml")
	d.says("No records are found.\n", "usage", "get", "acme_retail", "--now", march)
	if out := d.must("partner", "show", "northwind"); !strings.Contains(out, string(directory.Active)) {
		t.Errorf("its partner is\n%s", out)
	}
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
	d.run(append(args, "-o", "json")...).fails(t, 2, "--yes or --dry-run")
	if r := d.feed("no\n", args...); r.code != 1 || r.out != shown || !strings.Contains(r.errOut, "Type acme_retail to go on: ") {
		t.Errorf("mistyped, it says %+v", r)
	}
	if r := d.feed("acme_retail\n", args...); r.code != 0 || r.out != shown+"1 change written.\n" {
		t.Errorf("typed, it says %+v", r)
	}
}
