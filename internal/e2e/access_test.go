package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/testkit/dynamotest"
)

// routes are the paths on a customer: each must refuse alike.
var routes = map[string]string{"customer": "", "log": "/usage/sms", "record": "/usage/sms/u-1", "summary": "/summary", "list of logs": "/usage"}

// code is a problem's code; empty where the answer is none.
func (a answer) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal([]byte(a.body), &p)
	return p.Code
}

// withoutID is the answer's body but for what differs between any two answers.
func (a answer) withoutID(t *testing.T) string {
	t.Helper()
	var p struct{ RequestID string }
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.RequestID == "" {
		t.Fatalf("no request id in %s", a.body)
	}
	return strings.Replace(a.body, p.RequestID, "-", 1)
}

func customerPath(account string) string { return "/customers/" + url.PathEscape(account) }

func TestWhoSeesWhat(t *testing.T) {
	// What the sample directory grants, written down a second time.
	type row struct {
		partner, account string
		sees             map[string]bool // product → shown; nil: the customer is not there
	}
	all := map[string]bool{"sms": true, "voice": true, "video": true, "messaging": true}
	matrix := []row{
		{"northwind", "mueller_soehne", all},
		{"northwind", "harbourline_freight", map[string]bool{"sms": true, "voice": true, "messaging": true}}, // no video enabled
		{"southbank", "harbourline_freight", map[string]bool{"sms": true}},                                   // narrowed
		{"southbank", "mueller_soehne", map[string]bool{"voice": true, "video": true}},
		{"southbank", "zoes_cafe", map[string]bool{}}, // narrowed to what it does not have
		{"northwind", "pearl&dhow", nil},
		{"westmarch", "mueller_soehne", nil},
		{"southbank", "null&void", nil},
		{"northwind", "brolly-library", nil}, // nobody's
		{"northwind", "no_such_account", nil},
		{"northwind", "KITEBIRD", nil},
		{"northwind", "x", nil},
		{"northwind", strings.Repeat("a", 51), nil},
		{"northwind", "a/b", nil},
		{"northwind", "a b", nil},
		{"northwind", "*", nil},
		{"northwind", "mueller_soehn?", nil},
		{"northwind", "%zz", nil},
		{"northwind", "%2F", nil},
		{"northwind", "null%26void", nil},
		{"newhaven", "mueller_soehne", nil},
	}
	var refusal string
	for _, row := range matrix {
		key := pv.Key(t, row.partner)
		if row.sees == nil {
			for route, path := range routes {
				a := pv.get(t, key, customerPath(row.account)+path)
				if a.status != 404 || a.code() != "customer_not_found" {
					t.Errorf("%s on the %s of %s: %d %s: it would learn that the account exists", row.partner, route, row.account, a.status, a.body)
					continue
				}
				if refusal == "" {
					refusal = a.withoutID(t)
				}
				if got := a.withoutID(t); got != refusal {
					t.Errorf("%s on the %s of %s is refused otherwise than others:\n got %s\nwant %s", row.partner, route, row.account, got, refusal)
				}
			}
			continue
		}
		pv.wants(t, row.partner+", which is granted it", key, customerPath(row.account), 200, "")
		for product := range all {
			path := customerPath(row.account) + "/usage/" + product
			if row.sees[product] {
				pv.wants(t, row.partner+", which is granted it", key, path, 200, "")
			} else {
				pv.wants(t, row.partner+", which is not granted it", key, path, 404, "product_not_found")
			}
		}
	}
	pv.wants(t, "an unescaped & in the path", pv.Key(t, "westmarch"), "/customers/pearl&dhow", 200, "")
	pv.wants(t, "an escaped & in the path", pv.Key(t, "westmarch"), "/customers/pearl%26dhow", 200, "")
}

// The gateway refuses what is not granted, the endpoint what is granted but gone:
// nobody can tell one from the other, by body or by header.
func TestAGrantedAccountThatIsGoneIsRefusedAsOneThatNeverWas(t *testing.T) {
	const directory = `
customers:
  - {accountId: soon_gone, name: Soon Gone, products: [sms], currency: EUR, billingMode: postpaid}
partners:
  - {id: gone-test, name: Gone Test, customers: [{accountId: soon_gone}]}
`
	pv.operates(t, directory, "apply", "-f", "-")
	key := pv.createKey(t, now, "gone-test").Key
	pv.wants(t, "while it is there", key, "/customers/soon_gone", 200, "")
	db := dynamotest.ClientOf(t, pv.DynamodbEndpoint)
	if _, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &pv.Tables.Customers, Key: map[string]types.AttributeValue{"accountId": &types.AttributeValueMemberS{Value: "soon_gone"}},
	}); err != nil {
		t.Fatal(err)
	}
	for route, path := range routes {
		gone, never := pv.get(t, key, "/customers/soon_gone"+path), pv.get(t, key, "/customers/never_was"+path)
		if gone.status != 404 || gone.withoutID(t) != never.withoutID(t) {
			t.Errorf("the %s of an account that is gone: %d %s\nof one that never was: %d %s", route, gone.status, gone.body, never.status, never.body)
		}
		for _, name := range []string{"Content-Type", "Cache-Control", "Strict-Transport-Security", "X-Content-Type-Options"} {
			if !slices.Equal(gone.header[name], never.header[name]) {
				t.Errorf("the %s's header %s tells them apart: %q, %q", route, name, gone.header[name], never.header[name])
			}
		}
	}
	if a := pv.get(t, key, "/customers"); a.status != 200 || strings.Contains(a.body, "soon_gone") {
		t.Errorf("the list: %d %s", a.status, a.body)
	}
}

// A list is the partner's own grants, all of them, and nothing else.
func TestAListHoldsThePartnersOwnCustomersAndNoOthers(t *testing.T) {
	for partner, want := range grantsOfSample(t) {
		if partner == "eastgate" {
			continue // suspended
		}
		for _, limit := range []string{"1", "7", "25", "100"} {
			got := map[string]bool{}
			for _, c := range whole[struct{ AccountID string }](t, pv.Key(t, partner), "/customers?limit="+limit) {
				if got[c.AccountID] {
					t.Errorf("%s gets %s twice, %s a page", partner, c.AccountID, limit)
				}
				if got[c.AccountID] = true; !want[c.AccountID] {
					t.Errorf("%s sees %s, which is not its own", partner, c.AccountID)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%s sees %d customers, %s a page, want %d", partner, len(got), limit, len(want))
			}
		}
	}
}

func TestCredentialsThatDoNotCount(t *testing.T) {
	good := pv.Key(t, "northwind")
	other := pv.Key(t, "southbank")
	for claim, key := range map[string]string{
		"a suspended partner's":                  pv.Key(t, "eastgate"),
		"a key with its last character changed":  good[:len(good)-1] + "~",
		"a key cut short":                        good[:len(good)-1],
		"one key's id with another one's secret": good[:17] + other[17:],
		"something else altogether":              "hunter2",
	} {
		for _, path := range []string{"/customers", "/customers/mueller_soehne", "/customers/mueller_soehne/usage/sms", "/customers/mueller_soehne/usage/sms/u-1", "/customers/nobody", "/summary", "/customers/mueller_soehne/summary", "/customers/mueller_soehne/usage"} {
			pv.wants(t, claim, key, path, 401, "unauthorized")
		}
	}
	for claim, headers := range map[string][]string{
		"no header":                {},
		"an empty header":          {"Authorization", ""},
		"another scheme":           {"Authorization", "Basic " + good},
		"the key in another place": {"X-Api-Key", good},
	} {
		pv.wants(t, claim, "", "/customers", 401, "unauthorized", headers...)
	}
	pv.wants(t, "a key in the query string", "", "/customers?access_token="+good, 401, "unauthorized")
}

func TestUnknownRoutesAreAProblemToo(t *testing.T) {
	key := pv.Key(t, "northwind")
	for _, path := range []string{"/nothing", "/customers/mueller_soehne/summary/x", "/customers/mueller_soehne/usage/sms/u-1/x", "/Customers"} {
		pv.wants(t, "no route", key, path, 404, "route_not_found")
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"} {
		r, err := http.NewRequestWithContext(t.Context(), method, pv.BaseURL+"/customers", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Origin", "https://elsewhere.example")
		a := pv.do(t, r)
		if a.status != 404 || method != "HEAD" && a.code() != "route_not_found" {
			t.Errorf("%s /customers: %d %s", method, a.status, a.body)
		}
		if allowed := a.header.Get("Access-Control-Allow-Origin"); allowed != "" {
			t.Errorf("%s /customers: pages of %s may read it", method, allowed)
		}
	}
}

// Under the adapter's other entry point this header is where identity comes from.
func TestAForgedHeaderChangesNothing(t *testing.T) {
	forged := `{"authorizer":{"partnerId":"westmarch","keyId":"x","accountId":"pearl&dhow","products":""}}`
	key := pv.Key(t, "northwind")
	for _, name := range []string{"X-GoLambdaProxy-ApiGw-Context", "x-golambdaproxy-apigw-context"} {
		pv.wants(t, "a customer of westmarch's for northwind, with "+name, key, "/customers/pearl&dhow", 404, "customer_not_found", name, forged)
		if a := pv.get(t, key, "/customers?limit=100", name, forged); a.status != 200 || strings.Contains(a.body, "pearl&dhow") {
			t.Errorf("with %s northwind lists as westmarch: %d %s", name, a.status, a.body)
		}
		pv.wants(t, "no key, with "+name, "", "/customers", 401, "unauthorized", name, forged)
	}
}

// The decision for a granted customer is in the gateway's cache; it must not
// answer for another.
func TestACachedDecisionOpensNoOtherPath(t *testing.T) {
	key := pv.Key(t, "westmarch")
	for range 3 {
		pv.wants(t, "a granted log", key, "/customers/kitebird/usage/sms", 200, "")
		for _, path := range []string{"/customers/mueller_soehne/usage/sms", "/customers/KiteBird/usage/sms", "/customers/mueller_soehne"} {
			pv.wants(t, "after a granted log", key, path, 404, "customer_not_found")
		}
	}
}

// The gateway keeps decisions for one second here (AuthorizerTtlSeconds).
func TestARevokedKeyStopsWithinTheTTL(t *testing.T) {
	created := pv.createKey(t, now, "westmarch", "--label", "to be revoked", "--expires", "720h")
	if want := clock.Add(720 * time.Hour).Format("2006-01-02T15:04:05.000Z"); created.PartnerID != "westmarch" || created.ExpiresAt != want {
		t.Errorf("the key is %s's and expires at %s, want %s", created.PartnerID, created.ExpiresAt, want)
	}
	pv.wants(t, "the new key", created.Key, "/customers/kitebird", 200, "")
	pv.operates(t, "", "key", "revoke", created.KeyID)
	for deadline := time.Now().Add(1500 * time.Millisecond); ; time.Sleep(20 * time.Millisecond) {
		if a := pv.get(t, created.Key, "/customers/kitebird"); a.status == 401 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a revoked key still opens a customer, 1.5 s after it was revoked with a TTL of 1 s")
		}
	}
}

func TestAnExpiredKeyDoesNotCount(t *testing.T) {
	anHourAgo := clock.Add(-time.Hour).Format(time.RFC3339)
	for expires, want := range map[string]int{"59m": 401, "60m": 401, "61m": 200} {
		key := pv.createKey(t, anHourAgo, "westmarch", "--expires", expires).Key
		if a := pv.get(t, key, "/customers"); a.status != want {
			t.Errorf("a key made an hour ago for %s: %d, want %d", expires, a.status, want)
		}
	}
}
