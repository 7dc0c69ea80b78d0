package main

import (
	"slices"
	"strings"
	"testing"

	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

const deskIssuer = "https://login.example.com/"

func newDeskWithIssuer(t *testing.T) *desk {
	t.Helper()
	d := newDeskWithTwoPartners(t)
	d.env = append(d.env, "OIDC_ISSUER="+deskIssuer)
	return d
}

func TestAKeyShowsWhatItsListComesTo(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	key := d.newKey("--label", "report", "--customer", "acme_retail=voice,sms", "--customer", "b&b=sms")
	if len(key.Sees) != 2 || !slices.Equal(key.Sees[1].Sees, []usage.Product{usage.SMS}) {
		t.Errorf("the new key sees %+v", key.Sees)
	}
	d.must("grant", "remove", "northwind", "acme_retail", "--yes")
	says(t, d.must("key", "show", key.KeyID),
		"partner  northwind  active", "sees     2 customers of its own list",
		"account      name           on its list  sees",
		"b&b          aardvark 東京  sms          nothing: of these products none is enabled, and granted to northwind",
		"acme_retail  Acme           sms,voice    nothing: northwind does not have it")
	shown := asJSON[shownKey](d, "key", "show", key.Key)
	if !shown.Narrowed || len(shown.Customers) != 2 || shown.Customers[1].Granted || shown.Customers[1].Sees == nil {
		t.Errorf("for programs it is %+v", shown)
	}
	says(t, d.must("key", "list", "--partner", "northwind"), "active  its list  ")
	says(t, d.must("key", "narrow", key.KeyID, "--customer", "b&b"), "change  grant  northwind "+key.KeyID+" b&b  products: sms → all", "b&b      aardvark 東京  all          messaging")
	says(t, d.must("key", "widen", key.KeyID, "--all"), "narrowed: yes → no")
	shown = asJSON[shownKey](d, "key", "show", key.KeyID)
	if shown.Narrowed || shown.Customers != nil {
		t.Errorf("widened to all it is %+v", shown)
	}
}

func TestAListMayComeFromAFileOrStandardInput(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	list := "# of the report\n\nacme_retail=sms\nb&b\n"
	key := d.newKey("--customers-from", d.write("list.txt", list))
	if len(key.Sees) != 2 {
		t.Errorf("the key sees %+v", key.Sees)
	}
	if r := d.feed(list, "key", "narrow", key.KeyID, "--customers-from", "-"); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.errOut)
	} else {
		says(t, r.out, "Nothing to change")
	}
	d.run("key", "narrow", key.KeyID, "--customers-from", d.write("bad.txt", "acme_retail=fax\n\nb&b\nb&b\n")).fails(t, 1,
		"the file has 2 faults", `bad.txt:1: "fax": a product is`, `bad.txt:4: "b&b" is there twice, first on line 3`)
	d.run("key", "narrow", key.KeyID).fails(t, 2, "which customers? Give --customer")
	d.run("key", "widen", key.KeyID).fails(t, 2, "or --all")
	d.run("key", "widen", key.KeyID, "--all", "--customer", "b&b").fails(t, 2, "--all is for all customers")
	d.run("key", "narrow", key.KeyID, "--customer", "b&b", "--customers-from", "list.txt").fails(t, 2, "exclude each other")
	d.run("key", "narrow", key.KeyID, "--customer", "+44 7700 900123").fails(t, 2, "not a customer: write an account ID")
	d.run("key", "create", "--partner", "northwind", "--customer", "nobody", "--customer", "b&b", "--customer", "stranger").fails(t, 1,
		"not among the customers of northwind: nobody, stranger.", "partnerctl grant add northwind nobody")
	if keys := d.keys("northwind"); len(keys) != 1 {
		t.Errorf("there are keys %v", keys)
	}
}

func TestAPersonIsAddedShownRemovedAndForgotten(t *testing.T) {
	d := newDeskWithIssuer(t)
	who := []string{"--partner", "northwind", "--subject", "auth0|5f2c"}
	d.says("Nobody of northwind has customers of their own. To give somebody some: partnerctl viewer add --partner northwind --subject SUB --customer ACCOUNT\n", "viewer", "list", "--partner", "northwind")
	d.says(`add  viewer  northwind auth0|5f2c  name: Billing desk
add  grant   northwind auth0|5f2c acme_retail  products: all

account      name  on its list  sees
acme_retail  Acme  all          sms

2 changes written.
`, append([]string{"viewer", "add", "--name", "Billing desk", "--customer", "acme_retail"}, who...)...)
	list := asJSON[listedViewers](d, "viewer", "list", "--partner", "northwind").Viewers
	if len(list) != 1 || list[0].State != "active" || list[0].Customers != 1 || list[0].Issuer != deskIssuer || list[0].Name != "Billing desk" {
		t.Errorf("the list is %+v", list)
	}
	says(t, d.must(append([]string{"viewer", "show"}, who...)...), "subject  auth0|5f2c", "issuer   "+deskIssuer, "acme_retail  Acme  all          sms")
	says(t, d.must("partner", "show", "northwind"), "auth0|5f2c  Billing desk  active  1 ")

	says(t, d.must("customer", "show", "acme_retail"), "northwind  active  sms       1\n")

	// Another issuer's person of the same subject is somebody else.
	d.run(append([]string{"viewer", "show", "--issuer", "https://other.example/"}, who...)...).fails(t, 1, "nothing is said of", "https://other.example/")

	says(t, d.must(append([]string{"viewer", "remove"}, who...)...), "status: active → removed", "remove  grant ")
	if list := asJSON[listedViewers](d, "viewer", "list", "--partner", "northwind").Viewers; list[0].State != "removed" || list[0].RemovedAt == nil || list[0].Customers != 0 {
		t.Errorf("removed, the list is %+v", list)
	}
	for access, want := range map[string]string{"all": "sees all customers of northwind: OidcDefaultAccess is all", "none": "sees no customer: OidcDefaultAccess is none", "": "what the stack's OidcDefaultAccess says"} {
		d.env = append(d.env, "OIDC_DEFAULT_ACCESS="+access)
		says(t, d.must(append([]string{"viewer", "remove", "--forget"}, who...)...), want)
	}
	if list := asJSON[listedViewers](d, "viewer", "list", "--partner", "northwind").Viewers; len(list) != 0 {
		t.Errorf("forgotten, the list is %+v", list)
	}
}

func TestTheIssuerOfAPersonIsTheStacksOwn(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	file := d.write("viewers.yaml", "partners: [{id: northwind, viewers: [{subject: ann, customers: [{accountId: b&b}]}]}]\n")
	add := []string{"viewer", "add", "--partner", "northwind", "--subject", "ann", "--customer", "b&b"}
	d.run(add...).fails(t, 1, "which issuer? Set OIDC_ISSUER")
	d.run("apply", "-f", file).fails(t, 1, "which issuer? Set OIDC_ISSUER")
	d.must("price", "check", "-f", file)
	d.run(append(add, "--issuer", "login.example.com")...).fails(t, 2, "not an issuer: write the URL")
	tables := map[string]string{"PartnersTable": d.tables.Partners, "CustomersTable": d.tables.Customers, "PriceListsTable": d.tables.PriceLists, "UsageTable": d.tables.Usage, "TotalsTable": d.tables.Totals, "LedgerTable": d.tables.Ledger, "OidcIssuer": deskIssuer, "OidcDefaultAccess": "none"}
	d.env = []string{
		"AWS_ENDPOINT_URL_CLOUDFORMATION=" + serveStacks(t, map[string]map[string]string{"partnerview": tables, "closed": {"OidcIssuer": ""}}), "AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL_DYNAMODB=" + engine.Endpoint(t), "OIDC_ISSUER=https://not-this-one.example/", "OIDC_DEFAULT_ACCESS=all",
	}
	d.run(append(add, "--stack", "closed")...).fails(t, 1, "which issuer? The stack closed has none")
	d.must("apply", "-f", file, "--stack", "partnerview")
	if out := d.must(append(add, "--stack", "partnerview")...); !strings.Contains(out, "Nothing to change") {
		t.Errorf("the person of the file is another than that of the command:\n%s", out)
	}
	says(t, d.must("viewer", "remove", "--partner", "northwind", "--subject", "ann", "--forget", "--stack", "partnerview"), "OidcDefaultAccess is none")
}

func TestAFileOfPeopleIsShownBeforeItIsApplied(t *testing.T) {
	d := newDeskWithIssuer(t)
	file := d.write("viewers.yaml", `partners: [{id: northwind, viewers: [{subject: ann, name: Ann, customers: [{accountId: acme_retail, products: [sms]}]}]}]`)
	plan := asJSON[applied](d, "apply", "-f", file, "--dry-run")
	if len(plan.Changes) != 2 || plan.Changes[0].Kind != operator.PersonKind || plan.Changes[0].Subject != "ann" || plan.Changes[1].ViewerID == "" || plan.Changes[1].AccountID != "acme_retail" {
		t.Errorf("the plan is %+v", plan.Changes)
	}
	d.says(`add  viewer  northwind ann  name: Ann
add  grant   northwind ann acme_retail  products: sms
2 changes written.
`, "apply", "-f", file)
	d.run("apply", "-f", d.write("bad.yaml", "partners:\n- id: northwind\n  viewers:\n  - {subject: ann, customers: [{accountId: nobody}]}\n  - {subject: ben}\n")).fails(t, 1, "bad.yaml:5: partners[0].viewers[1].customers: is missing")
	d.says(`change  viewer  northwind ann  status: active → removed
remove  grant   northwind ann acme_retail
2 changes; nothing was written.
`, "apply", "--dry-run", "-f", d.write("none.yaml", "partners: [{id: northwind, viewers: []}]"))
}
