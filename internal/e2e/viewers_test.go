package e2e_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/testkit/producttest"
	"partnerview/internal/usage"
)

// narrow is a partner with two customers of the sample's, and who in it has a list: a key
// and a person, who see the SMS of one of the two, and have on their lists one that another
// partner alone is granted. The person's subject and name are canaries: whatever comes out
// is searched for them.
type narrow struct {
	partner    directory.PartnerID
	store      *dynamo.Store
	key, token string
	keyID      directory.ViewerID
	person     directory.Person
}

func newNarrow(t *testing.T, partner directory.PartnerID) narrow {
	t.Helper()
	pv.operates(t, fmt.Sprintf("partners: [{id: %s, name: Narrow, customers: [{accountId: mueller_soehne}, {accountId: harbourline_freight}]}]", partner),
		"apply", "-f", "-")
	made := pv.createKey(t, now, string(partner), "--expires", "1h")
	n := narrow{
		partner: partner, store: dynamo.NewStore(dynamotest.ClientOf(t, pv.DynamodbEndpoint), pv.Tables), key: made.Key, keyID: directory.ViewerID(made.KeyID),
		person: directory.Person{Partner: partner, Issuer: pv.issuer.URL, Subject: "canary|" + string(partner), Name: "CANARY-PERSON", CreatedAt: clock},
	}
	n.token = pv.token(t, string(partner), map[string]any{"sub": n.person.Subject})
	must(t, n.store.NarrowAccessKey(t.Context(), made.KeyID))
	must(t, n.store.PutPerson(t.Context(), n.person))
	for _, viewer := range []directory.ViewerID{n.keyID, n.person.ID()} {
		must(t, n.store.PutGrant(t.Context(), n.grant(viewer, "mueller_soehne", usage.SMS)))
		must(t, n.store.PutGrant(t.Context(), n.grant(viewer, "pearl&dhow")))
	}
	return n
}

func (n narrow) grant(viewer directory.ViewerID, account usage.AccountID, products ...usage.Product) directory.Grant {
	return directory.Grant{Partner: n.partner, Viewer: viewer, Account: account, Products: products, CustomerName: string(account)}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// customersOf is a whole list: "mueller_soehne sms,voice".
func customersOf(t *testing.T, credential, query string) (shown []string) {
	t.Helper()
	type customer struct {
		AccountID string
		Products  []string
	}
	for _, c := range whole[customer](t, credential, "/customers?limit=1"+query) {
		shown = append(shown, c.AccountID+" "+strings.Join(c.Products, ","))
	}
	return shown
}

// A key and a person with a list see what both it and their partner's grants have. What is
// the partner's and not theirs, theirs and not the partner's, or nowhere at all is refused
// by the same bytes, after the same calls and capacity units.
func TestANarrowedViewerSeesItsOwnCustomersAndNoOthers(t *testing.T) {
	n := newNarrow(t, "narrow-lists")
	if got := customersOf(t, pv.newKey(t, string(n.partner)), ""); len(got) != 2 {
		t.Fatalf("a key without a list sees %q, want both customers of its partner", got)
	}
	decided := atTheWire(t, producttest.Call{Function: "AuthorizerFunction", Operation: "BatchGetItem", Units: 2})
	for who, credential := range map[string]string{"a narrowed key": n.key, "a person with a list": n.token} {
		for query, want := range map[string][]string{
			"": {"mueller_soehne sms"}, "&search=mueller": {"mueller_soehne sms"}, "&product=sms": {"mueller_soehne sms"},
			"&search=harbour": nil, "&search=pearl": nil, "&product=voice": nil,
		} {
			if got := customersOf(t, credential, query); !slices.Equal(got, want) {
				t.Errorf("%s lists %q (%s), want %q", who, got, query, want)
			}
		}
		var self struct {
			Customers, PartnerCustomers int
			Narrowed                    bool
		}
		if pv.read(t, credential, "/me", &self); self.Customers != 1 || self.PartnerCustomers != 2 || !self.Narrowed {
			t.Errorf("%s is told %+v, and sees 1 of its partner's 2 customers", who, self)
		}
		var customer struct{ Products []string }
		pv.read(t, credential, "/customers/mueller_soehne", &customer)
		if !slices.Equal(customer.Products, []string{"sms"}) {
			t.Errorf("%s is told that mueller_soehne has %q, and may see its SMS alone", who, customer.Products)
		}
		var page usagePage
		pv.read(t, credential, "/customers/mueller_soehne/usage/sms?limit=1", &page)
		pv.wants(t, who+", a record", credential, "/customers/mueller_soehne/usage/sms/"+page.Data[0].ID, 200, "")
		for _, product := range []string{"voice", "video", "messaging", "fax"} {
			pv.wants(t, who+", whose list leaves it out", credential, "/customers/mueller_soehne/usage/"+product, 404, "product_not_found")
		}
		for route, below := range routes {
			var first answer
			var took string
			for i, account := range []string{"no_such_account", "harbourline_freight", "pearl&dhow", "brolly-library"} {
				var a answer
				var calls []string
				for _, c := range pv.Proxy.During(func() { a = pv.get(t, credential, customerPath(account)+below) }) {
					calls = append(calls, atTheWire(t, c))
				}
				slices.Sort(calls)
				takes := strings.Join(calls, ", ")
				if i == 0 {
					first, took = a, takes
				}
				if a.status != 404 || a.code() != "customer_not_found" || a.withoutID(t) != first.withoutID(t) || len(a.header) != len(first.header) {
					t.Errorf("%s on the %s of %s: %d %s, which tells it from one that there is not: %d %s", who, route, account, a.status, a.body, first.status, first.body)
				}
				if takes != took || !strings.Contains(takes, decided) || strings.Contains(takes, "GetUsageFunction") || strings.Contains(takes, "GetCustomerFunction") || strings.Contains(takes, "GetSummaryFunction") {
					t.Errorf("%s on the %s of %s takes %s, and of one that there is not %s", who, route, account, takes, took)
				}
			}
		}
	}
}

// What is taken away ends within the TTL, for a list as for a partner, whatever stays stored.
func TestWhatIsTakenFromANarrowedViewerEndsWithinTheTTL(t *testing.T) {
	n := newNarrow(t, "narrow-ends")
	const customer, log = "/customers/mueller_soehne", "/customers/mueller_soehne/usage/sms"
	becomes := func(claim, credential, path string, status int) {
		t.Helper()
		last := answer{}
		if !eventually(func() bool { last = pv.get(t, credential, path); return last.status == status }) {
			t.Errorf("%s: GET %s still answers %d after 5 s, with a TTL of 1 s; want %d", claim, path, last.status, status)
		}
	}
	both := map[string]string{"the key": n.key, "the person": n.token}
	for who, credential := range both {
		pv.wants(t, who+" has it on its list", credential, log, 200, "")
	}
	must(t, n.store.DeleteGrant(t.Context(), directory.Grant{Partner: n.partner, Account: "mueller_soehne"}))
	for who, credential := range both {
		becomes(who+" reads mueller_soehne, which was taken from its partner", credential, log, 404)
		if got := customersOf(t, credential, ""); got != nil {
			t.Errorf("%s lists %q, which was taken from its partner", who, got)
		}
	}
	must(t, n.store.PutGrant(t.Context(), directory.Grant{Partner: n.partner, Account: "mueller_soehne", CustomerName: "Müller & Söhne"}))
	for who, credential := range both {
		becomes(who+" has it again", credential, customer, 200)
	}
	must(t, n.store.DeleteGrant(t.Context(), n.grant(n.keyID, "mueller_soehne")))
	becomes("the key reads mueller_soehne, which was taken off its list", n.key, customer, 404)
	pv.wants(t, "the person has a list of their own", n.token, customer, 200, "")
	if _, err := n.store.RemovePerson(t.Context(), n.partner, n.person.ID(), clock); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{customer, "/customers"} {
		becomes("somebody who was removed reads mueller_soehne", n.token, path, 401)
	}
	// All that was said of the person is forgotten but the list: OidcDefaultAccess is all here.
	must(t, n.store.DeletePerson(t.Context(), n.partner, n.person.ID()))
	becomes("of the person nothing is said any more", n.token, "/customers/harbourline_freight", 200)
}

// Who has a list is not told: neither the hash of a person, nor whose list it is, nor what
// the operator calls them. A key's and a person's ID of the audit are all there is.
func TestNobodyIsToldWhoHasAList(t *testing.T) {
	n := newNarrow(t, "narrow-told")
	var answers strings.Builder
	for _, credential := range []string{n.key, n.token, pv.newKey(t, string(n.partner))} {
		if a := pv.get(t, credential, "/me"); credential == n.token {
			answers.WriteString(a.body)
		}
		for _, path := range []string{"/customers", "/customers/mueller_soehne", "/customers/mueller_soehne/usage/sms", "/customers/harbourline_freight", "/customers/nobody",
			"/customers/mueller_soehne/usage/sms?limit=0", "/customers?search=" + string(n.person.ID())} {
			a := pv.get(t, credential, path) // which looks for canaries
			answers.WriteString(a.body + fmt.Sprint(a.header))
		}
	}
	if !eventually(func() bool {
		return len(pv.lines(t, func(l logLine) bool { return l.Audit && l.PartnerID == string(n.partner) })) >= 8
	}) {
		t.Error("the audit does not tell that somebody has looked")
	}
	for name, text := range map[string]string{"an answer": answers.String(), "a log": pv.Output.String()} {
		for what, secret := range map[string]string{"a person's hash": string(n.person.ID()), "a subject": n.person.Subject, "a list's key": "VIEWER#"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s tells %s", name, what)
			}
		}
	}
	if strings.Contains(answers.String(), string(n.keyID)) {
		t.Error("an answer tells a key's ID")
	}
	for line := range strings.Lines(pv.Output.String()) {
		_, text, _ := strings.Cut(line, " | ")
		var told struct{ KeyID string }
		if _ = json.Unmarshal([]byte(text), &told); strings.Contains(line, string(n.keyID)) && (told.KeyID != string(n.keyID) || strings.Count(line, string(n.keyID)) > 1) {
			t.Errorf("a log tells a key's ID elsewhere than as who asked: %s", line)
		}
	}
}

// Where the template says none, somebody of whom nothing is said sees nothing, and somebody
// who has a list sees that.
func TestWithoutAWordPeopleSeeNoneWhereTheTemplateSaysSo(t *testing.T) {
	p := another(t, "--now", now, "--parameter", "OidcIssuer="+pv.issuer.URL, "--parameter", "OidcAudience="+audience, "--parameter", "OidcDefaultAccess=none")
	p.operates(t, `
customers: [{accountId: acme_retail, name: Acme, products: [sms], currency: EUR, billingMode: postpaid}]
partners: [{id: northwind, name: Northwind, customers: [{accountId: acme_retail}]}]
`, "apply", "-f", "-")
	known, unknown := p.token(t, "northwind", map[string]any{"sub": "canary|known"}), p.token(t, "northwind", map[string]any{"sub": "canary|unknown"})
	person := directory.Person{Partner: "northwind", Issuer: pv.issuer.URL, Subject: "canary|known", CreatedAt: clock}
	store := dynamo.NewStore(dynamotest.ClientOf(t, p.DynamodbEndpoint), p.Tables)
	must(t, store.PutPerson(t.Context(), person))
	must(t, store.PutGrant(t.Context(), directory.Grant{Partner: "northwind", Viewer: person.ID(), Account: "acme_retail", CustomerName: "Acme"}))
	for path, want := range map[string]int{"/customers/acme_retail": 404, "/customers/acme_retail/usage/sms": 404, "/customers": 200} {
		if a := p.get(t, unknown, path); a.status != want || strings.Contains(a.body, "acme_retail") {
			t.Errorf("somebody of whom nothing is said reads acme_retail by %s: %d %s", path, a.status, a.body)
		}
		p.wants(t, "somebody with a list", known, path, 200, "")
	}
	p.wants(t, "an access key", p.newKey(t, "northwind"), "/customers/acme_retail", 200, "")
}
