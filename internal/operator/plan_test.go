package operator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

const whole = `
partners:
  - id: northwind
    name: Northwind Resellers
    customers:
      - accountId: acme_retail
        products: [voice, sms]
      - accountId: b&b
  - {id: quiet, name: Quiet, status: suspended, customers: [{accountId: acme_retail}]}
customers:
  - accountId: acme_retail
    name: Acme Retail GmbH
    products: [sms, voice, video, messaging]
    currency: EUR
    billingMode: prepaid
    remainingCredit: "1520.7300"
    creditLimit: "0"
    creditAsOf: 2026-06-01T00:00:00Z
    timeZone: Europe/Berlin
    subAccounts: [acme_hq, acme_otp]
  - {accountId: b&b, name: Bed & Breakfast, products: [sms], currency: JPY, billingMode: postpaid}
priceLists:
  - {accountId: acme_retail, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.1"}]}
  - {accountId: acme_retail, product: sms, effectiveFrom: 2026-04-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.2"}, {country: DE, unitPrice: "0.3"}]}
  - {accountId: acme_retail, product: voice, effectiveFrom: 2026-09-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "0.012"}]}
`

func TestApplyMakesTheTablesSayWhatTheFileSays(t *testing.T) {
	o, s := newOperator(t)
	plan := apply(t, o, whole)
	if len(plan.Changes) != 10 || len(plan.Corrections) != 0 {
		t.Errorf("the plan has %d changes and %d corrections, want 10 and none", len(plan.Changes), len(plan.Corrections))
	}

	customers, err := s.AllCustomers(t.Context())
	must(t, err)
	slices.SortFunc(customers, func(a, b directory.Customer) int { return strings.Compare(string(a.Account), string(b.Account)) })
	if len(customers) != 2 || customers[0].Credit.Remaining.String() != "1520.73" || !slices.Equal(customers[0].SubAccounts, []string{"acme_hq", "acme_otp"}) ||
		customers[1].Credit.Remaining != nil || customers[1].Credit.Mode != directory.Postpaid {
		t.Errorf("customers are %+v", customers)
	}
	p, grants, err := s.PartnerWithGrants(t.Context(), "northwind")
	must(t, err)
	want := []directory.Grant{
		{Partner: "northwind", Account: "acme_retail", Products: []usage.Product{usage.SMS, usage.Voice}, CustomerName: "Acme Retail GmbH"},
		{Partner: "northwind", Account: "b&b", CustomerName: "Bed & Breakfast"},
	}
	if diff := cmp.Diff(want, grants); diff != "" || p.Status != directory.Active {
		t.Errorf("northwind is %s; grants (-want +got):\n%s", p.Status, diff)
	}
	if p, _, err = s.PartnerWithGrants(t.Context(), "quiet"); err != nil || p.Status != directory.Suspended {
		t.Errorf("quiet is %+v, %v", p, err)
	}
	headers, err := s.PriceListHeaders(t.Context(), usage.Log{Account: "acme_retail", Product: usage.SMS})
	if err != nil || len(headers) != 2 {
		t.Errorf("%d price lists, %v; want 2", len(headers), err)
	}
}

func TestSecondApplyChangesNothing(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	o := operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock)
	apply(t, o, whole)
	proxy.Calls()
	if plan := apply(t, o, whole); len(plan.Changes) != 0 {
		t.Errorf("the second plan has changes: %+v", plan.Changes)
	}
	for _, operation := range proxy.Operations() {
		if isWrite(operation) {
			t.Errorf("the second apply writes: %s", operation)
		}
	}
}

func isWrite(operation string) bool {
	return slices.Contains([]string{"PutItem", "DeleteItem", "UpdateItem", "BatchWriteItem"}, operation)
}

// A customer of whom no zone was said lives by UTC: to say so changes nothing.
func TestATimeZoneIsPlannedAsOtherFieldsAre(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, "customers: [{accountId: acme, name: Acme, products: [sms], currency: EUR, billingMode: prepaid}]")
	if plan := apply(t, o, "customers: [{accountId: acme, timeZone: UTC}]"); len(plan.Changes) != 0 {
		t.Errorf("UTC is planned as %+v", plan.Changes)
	}
	for _, c := range []struct{ from, to string }{{"UTC", "Asia/Kathmandu"}, {"Asia/Kathmandu", "UTC"}} {
		plan := apply(t, o, "customers: [{accountId: acme, timeZone: "+c.to+"}]")
		if diff := cmp.Diff([]operator.Change{{Kind: "customer", Action: "change", AccountID: "acme", Fields: []operator.FieldChange{{Field: "timeZone", From: c.from, To: c.to}}}}, plan.Changes); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPlanWritesNothing(t *testing.T) {
	o, s := newOperator(t)
	_, err := o.Plan(t.Context(), parse(t, whole), false)
	must(t, err)
	if customers, err := s.AllCustomers(t.Context()); err != nil || len(customers) != 0 {
		t.Errorf("after a plan there are %d customers, %v", len(customers), err)
	}
}

func TestKeyThatIsLeftOutLeavesWhatIsStored(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, whole)
	plan := apply(t, o, `
partners: [{id: northwind, status: suspended}]
customers: [{accountId: acme_retail, remainingCredit: null, creditAsOf: 2026-06-02T00:00:00Z}]
`)
	want := []operator.Change{
		{Kind: "customer", Action: "change", AccountID: "acme_retail", Fields: []operator.FieldChange{
			{Field: "remainingCredit", From: "1520.73"}, {Field: "creditAsOf", From: "2026-06-01T00:00:00.000Z", To: "2026-06-02T00:00:00.000Z"},
		}},
		{Kind: "partner", Action: "change", PartnerID: "northwind", Fields: []operator.FieldChange{{Field: "status", From: "active", To: "suspended"}}},
	}
	if diff := cmp.Diff(want, plan.Changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	p, grants, err := s.PartnerWithGrants(t.Context(), "northwind")
	must(t, err)
	if p.Name != "Northwind Resellers" || len(grants) != 2 {
		t.Errorf("the partner became %+v with %d grants", p, len(grants))
	}
	customers, err := s.AllCustomers(t.Context())
	must(t, err)
	for _, c := range customers {
		if c.Account == "acme_retail" && (c.TimeZone != "Europe/Berlin" || c.Credit.Remaining != nil || c.Credit.Limit == nil || len(c.SubAccounts) != 2 || c.Name != "Acme Retail GmbH") {
			t.Errorf("the customer became %+v", c)
		}
	}
}

func TestGrantsOfAFileReplaceThePartnersOwn(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, whole)
	for _, tt := range []struct{ customers, want string }{
		{"[{accountId: b&b, products: [sms]}]", "b&b:sms"},
		{"[{accountId: acme_retail}, {accountId: b&b}]", "acme_retail:all b&b:all"},
		{"[]", ""},
	} {
		apply(t, o, "partners: [{id: northwind, customers: "+tt.customers+"}]")
		_, grants, err := s.PartnerWithGrants(t.Context(), "northwind")
		must(t, err)
		var got []string
		for _, g := range grants {
			products := directory.JoinProducts(g.Products)
			if products == "" {
				products = "all"
			}
			got = append(got, string(g.Account)+":"+products)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("customers %s: grants are %v, want %s", tt.customers, got, tt.want)
		}
	}
	if _, grants, err := s.PartnerWithGrants(t.Context(), "quiet"); err != nil || len(grants) != 1 {
		t.Errorf("a partner that the file does not name has %d grants, %v", len(grants), err)
	}
}

func TestRenameReachesThePartnersLists(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, whole)
	plan := apply(t, o, `customers: [{accountId: b&b, name: Aardvark Inn}]`)
	if len(plan.Changes) != 1 {
		t.Errorf("a rename is %d changes: %+v", len(plan.Changes), plan.Changes)
	}
	page, err := s.Customers(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 10, Search: directory.NewSearch("aardvark")})
	must(t, err)
	if len(page.Customers) != 1 {
		t.Error("the new name is not found")
	}
	page, err = s.Customers(t.Context(), directory.Identity{Partner: "northwind"}, directory.CustomerQuery{Limit: 1})
	must(t, err)
	if page.Customers[0].Account != "b&b" {
		t.Errorf("the list begins with %s", page.Customers[0].Account)
	}
}

func TestNameThatFellBehindIsMended(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, whole)
	must(t, s.RenameGrant(t.Context(), directory.Grant{Partner: "northwind", Account: "b&b"}, "Old Name"))
	if plan := apply(t, o, whole); len(plan.Changes) != 1 || plan.Changes[0].Kind != "grant" {
		t.Errorf("changes are %+v, want the grant's copy of the name", plan.Changes)
	}
	if plan := apply(t, o, whole); len(plan.Changes) != 0 {
		t.Errorf("it is not mended: %+v", plan.Changes)
	}
	// In a file that does not name the partner, too.
	must(t, s.RenameGrant(t.Context(), directory.Grant{Partner: "northwind", Account: "b&b"}, "Old Name"))
	plan := apply(t, o, "customers: [{accountId: b&b, name: Bed & Breakfast}]")
	want := []operator.Change{{Kind: "grant", Action: "change", PartnerID: "northwind", AccountID: "b&b",
		Fields: []operator.FieldChange{{Field: "customerName", From: "Old Name", To: "Bed & Breakfast"}}}}
	if diff := cmp.Diff(want, plan.Changes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if names := listed(t, s, "northwind", "breakfast"); len(names) != 1 {
		t.Errorf("the name is found as %v", names)
	}
	if names := listed(t, s, "northwind", "old name"); len(names) != 0 {
		t.Errorf("the old name finds %v", names)
	}
}

func TestContradictionsAreToldWithTheirLines(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, whole)
	before := dump(t, s)
	file := `partners:
  - id: newcomer
    customers:
      - accountId: nobody_here
      - accountId: acme_retail
customers:
  - accountId: brand_new
    name: Brand New
    subAccounts: [acme_otp, b&b]
  - accountId: acme_hq
    name: Taken
    products: [sms]
    currency: EUR
    billingMode: prepaid
  - accountId: acme_retail
    currency: USD
priceLists:
  - {accountId: nobody_else, product: sms, effectiveFrom: 2027-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "1"}]}
  - {accountId: b&b, product: sms, effectiveFrom: 2027-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "1"}]}
`
	_, err := o.Plan(t.Context(), parse(t, file), false)
	want := []string{
		`directory.yaml:2: partners[0].name: is missing, and the partner is not stored yet`,
		`directory.yaml:4: partners[0].customers[0].accountId: "nobody_here" is no customer: it is neither in this file nor stored`,
		`directory.yaml:7: customers[0].products: is missing, and the customer is not stored yet`,
		`directory.yaml:7: customers[0].currency: is missing, and the customer is not stored yet`,
		`directory.yaml:7: customers[0].billingMode: is missing, and the customer is not stored yet`,
		`directory.yaml:9: customers[0].subAccounts: "acme_otp" is a sub-account of the stored customer acme_retail`,
		`directory.yaml:9: customers[0].subAccounts: "b&b" is the account ID of another stored customer`,
		`directory.yaml:10: customers[1].accountId: "acme_hq" is a sub-account of the stored customer acme_retail`,
		`directory.yaml:16: customers[2].currency: USD contradicts the stored sms price list from 2026-01-01T00:00:00.000Z, which is in EUR`,
		`directory.yaml:16: customers[2].currency: USD contradicts the stored sms price list from 2026-04-01T00:00:00.000Z, which is in EUR`,
		`directory.yaml:16: customers[2].currency: USD contradicts the stored voice price list from 2026-09-01T00:00:00.000Z, which is in EUR`,
		`directory.yaml:18: priceLists[0].accountId: "nobody_else" is no customer: it is neither in this file nor stored`,
		`directory.yaml:19: priceLists[1].currency: EUR is not the customer's currency, which is JPY`,
	}
	if err == nil {
		t.Fatal("the file is taken")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("a refused file was written (-before +after):\n%s", diff)
	}
}

func TestSubAccountMayMoveWithinAFile(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, whole)
	apply(t, o, `customers: [{accountId: acme_retail, subAccounts: [acme_hq]}, {accountId: b&b, subAccounts: [acme_otp]}]`)
}

func TestCurrencyMayChangeTogetherWithAllLists(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, `
customers: [{accountId: acme, name: Acme, products: [sms], currency: EUR, billingMode: prepaid}]
priceLists: [{accountId: acme, product: sms, effectiveFrom: 2026-09-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "1"}]}]`)
	apply(t, o, `
customers: [{accountId: acme, currency: USD}]
priceLists: [{accountId: acme, product: sms, effectiveFrom: 2026-09-01T00:00:00Z, currency: USD, rates: [{unitPrice: "1"}]}]`)
}

func TestPricesOfThePastChangeOnlyWhenAskedTo(t *testing.T) {
	const smsFrom = "priceLists: [{accountId: acme_retail, product: sms, effectiveFrom: %s, currency: EUR, rates: [{unitPrice: %q}]}]"
	tests := []struct {
		name, file string
		correction *operator.Correction // nil: it is no change of the past
	}{
		{"a list in force that changes", fmt.Sprintf(smsFrom, "2026-04-01T00:00:00Z", "0.25"),
			&operator.Correction{AccountID: "acme_retail", Product: "sms", From: "2026-04-01T00:00:00.000Z"}},
		{"an earlier list that changes", fmt.Sprintf(smsFrom, "2026-01-01T00:00:00Z", "0.25"),
			&operator.Correction{AccountID: "acme_retail", Product: "sms", From: "2026-01-01T00:00:00.000Z", To: "2026-04-01T00:00:00.000Z"}},
		{"a new list between two", fmt.Sprintf(smsFrom, "2026-02-01T00:00:00Z", "0.25"),
			&operator.Correction{AccountID: "acme_retail", Product: "sms", From: "2026-02-01T00:00:00.000Z", To: "2026-04-01T00:00:00.000Z"}},
		{"a new list before all", fmt.Sprintf(smsFrom, "2025-01-01T00:00:00Z", "0.25"),
			&operator.Correction{AccountID: "acme_retail", Product: "sms", From: "2025-01-01T00:00:00.000Z", To: "2026-01-01T00:00:00.000Z"}},
		{"a new list from this very instant", fmt.Sprintf(smsFrom, "2026-06-15T12:00:00Z", "0.25"),
			&operator.Correction{AccountID: "acme_retail", Product: "sms", From: "2026-06-15T12:00:00.000Z"}},
		{"a new list from the next", fmt.Sprintf(smsFrom, "2026-06-15T12:00:00.001Z", "0.25"), nil},
		{"a list in force, said again", fmt.Sprintf(smsFrom, "2026-01-01T00:00:00Z", "0.10"), nil},
		{"a list of the future that changes", `priceLists: [{accountId: acme_retail, product: voice, effectiveFrom: 2026-09-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "1"}]}]`, nil},
		{"a list of the past where only one of the future exists", `priceLists: [{accountId: acme_retail, product: voice, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "1"}]}]`,
			&operator.Correction{AccountID: "acme_retail", Product: "voice", From: "2026-01-01T00:00:00.000Z", To: "2026-09-01T00:00:00.000Z"}},
		{"the first lists of a log, of the past", `priceLists:
  - {accountId: b&b, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: JPY, rates: [{unitPrice: "1"}]}
  - {accountId: b&b, product: sms, effectiveFrom: 2026-02-01T00:00:00Z, currency: JPY, rates: [{unitPrice: "1"}]}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, _ := newOperator(t)
			apply(t, o, whole)
			file := parse(t, tt.file)
			_, err := o.Plan(t.Context(), file, false)
			if tt.correction == nil {
				must(t, err)
			} else if err == nil || !strings.Contains(err.Error(), "--correct-past") {
				t.Errorf("without being asked: %v", err)
			}
			plan, err := o.Plan(t.Context(), file, true)
			must(t, err)
			var want []operator.Correction
			if tt.correction != nil {
				want = append(want, *tt.correction)
			}
			if diff := cmp.Diff(want, plan.Corrections, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("corrections (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTooLargeAListIsAFaultOfItsLine(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, whole)
	file := parse(t, "priceLists:\n  - {accountId: b&b, product: messaging, effectiveFrom: 2027-01-01T00:00:00Z, currency: JPY, rates: [{unitPrice: \"1\"}]}\n")
	rate := file.PriceLists[0].List.Rates[0]
	for i := range 9000 { // more than the importer takes: what counts is the size
		rate.Channel = usage.Channel(fmt.Sprintf("channel_%d", i))
		file.PriceLists[0].List.Rates = append(file.PriceLists[0].List.Rates, rate)
	}
	_, err := o.Plan(t.Context(), file, false)
	if err == nil || !strings.Contains(err.Error(), "directory.yaml:2: priceLists[0]: its rates take ") {
		t.Errorf("got %v", err)
	}
}

func TestPartnerThatIsMadeAnewInheritsNoGrants(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, whole)
	must(t, s.PutGrant(t.Context(), directory.Grant{Partner: "later", Account: "b&b", CustomerName: "left over"}))
	apply(t, o, `partners: [{id: later, name: Later}]`)
	if _, grants, err := s.PartnerWithGrants(t.Context(), "later"); err != nil || len(grants) != 0 {
		t.Errorf("it has %d grants, %v", len(grants), err)
	}
}

// dump is all that the files of these tests may write.
func dump(t *testing.T, s *dynamo.Store) map[string]any {
	t.Helper()
	out := make(map[string]any)
	customers, err := s.AllCustomers(t.Context())
	must(t, err)
	for _, c := range customers {
		out["customer "+string(c.Account)] = fmt.Sprintf("%+v", c)
		for _, product := range usage.Products() {
			log := usage.Log{Account: c.Account, Product: product}
			headers, err := s.PriceListHeaders(t.Context(), log)
			must(t, err)
			for _, h := range headers {
				out["list "+log.Key()+h.EffectiveFrom.Format(time.RFC3339)] = h.Revision
			}
		}
	}
	for _, id := range []directory.PartnerID{"north", "south", "west", "east", "still", "northwind", "quiet", "newcomer"} {
		p, grants, err := s.PartnerWithGrants(t.Context(), id)
		if err == nil || len(grants) > 0 {
			out["partner "+string(id)] = p
			out["grants "+string(id)] = grants
			out["list "+string(id)] = listed(t, s, id, "")
		}
	}
	people, err := s.People(t.Context(), "north")
	must(t, err)
	for _, person := range people {
		out["person "+person.Subject] = person
	}
	keys, err := s.AccessKeys(t.Context(), "north")
	must(t, err)
	for _, key := range keys {
		out["key "+key.ID] = key
	}
	grants, err := s.AllGrants(t.Context())
	must(t, err)
	for _, g := range grants {
		out["own grants "+string(g.Partner)+string(g.Viewer)+string(g.Account)] = g
	}
	return out
}

// listed is what a partner sees of its customers, in the order in which the API
// lists them, that a search finds.
func listed(t *testing.T, s *dynamo.Store, id directory.PartnerID, search string) []string {
	t.Helper()
	page, err := s.Customers(t.Context(), directory.Identity{Partner: id}, directory.CustomerQuery{Limit: 100, Search: directory.NewSearch(search)})
	must(t, err)
	names := []string{}
	for _, c := range page.Customers {
		names = append(names, string(c.Account)+" "+c.Name)
	}
	return names
}
