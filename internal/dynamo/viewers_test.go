package dynamo_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// load writes items by the raw client, 25 a call and four calls at a time.
func load(t *testing.T, db *dynamodb.Client, table string, items []attributes) {
	t.Helper()
	batches := slices.Collect(slices.Chunk(items, 25))
	failures := make([]error, 4)
	var loaders sync.WaitGroup
	for n := range failures {
		loaders.Go(func() {
			for i := n; i < len(batches) && failures[n] == nil; i += len(failures) {
				writes := make([]types.WriteRequest, len(batches[i]))
				for j, attrs := range batches[i] {
					writes[j].PutRequest = &types.PutRequest{Item: itemOf(t, attrs)}
				}
				out, err := db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: writes}})
				if err == nil && len(out.UnprocessedItems) > 0 {
					err = fmt.Errorf("%d items were not written", len(out.UnprocessedItems[table]))
				}
				failures[n] = err
			}
		})
	}
	loaders.Wait()
	for _, err := range failures {
		must(t, err)
	}
}

// measured is a store that counts calls and capacity units.
type measured struct {
	*dynamo.Store
	proxy *dynamotest.Proxy

	mu    sync.Mutex
	units float64
}

// takes tells what a question takes: "BatchGetItem BatchGetItem Query: 25.5 units", by name.
// Two calls that stand beside each other must both be sent before either is answered.
func (m *measured) takes(t *testing.T, besides func(dynamotest.Call) bool, ask func() error) string {
	t.Helper()
	var mu sync.Mutex
	var first chan struct{} // of two calls, waits for the second
	m.proxy.Meddle(func(c dynamotest.Call, _ dynamotest.Answer) bool {
		if !besides(c) {
			return false
		}
		mu.Lock()
		if first != nil {
			close(first)
			first = nil
			mu.Unlock()
			return false
		}
		first = make(chan struct{})
		second := first
		mu.Unlock()
		select {
		case <-second:
		case <-time.After(2 * time.Second):
			t.Errorf("%s is sent, and nothing is read beside it", c.Operation)
		}
		return false
	})
	defer m.proxy.Meddle(nil)
	m.proxy.Calls()
	m.mu.Lock()
	m.units = 0
	m.mu.Unlock()
	must(t, ask())
	operations := m.proxy.Operations()
	slices.Sort(operations)
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprintf("%s: %.1f units", strings.Join(operations, " "), m.units)
}

func newMeasured(t *testing.T) (*measured, *dynamo.Store, dynamo.Tables) {
	t.Helper()
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	m := &measured{Store: dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), proxy: proxy}
	m.Consumed = func(_ context.Context, units float64) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.units += units
	}
	return m, dynamo.NewStore(engine.Client(t), tables), tables
}

// However many of its partner's customers a viewer sees: a page of its list takes one Query,
// and then one BatchGetItem a table, side by side.
func TestAPageOfAViewersListTakesTheSameHoweverLongTheListIs(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it loads 15,000 items; make test has it")
	}
	const customers = 5000
	m, _, tables := newMeasured(t)
	grantOf := func(pk string, i int) attributes {
		account, called := name("acc-%04d", i), name("Customer %04d", i)
		return attributes{"pk": pk, "sk": "GRANT#" + account, "accountId": account, "name": called, "sortKey": directory.SortKey(called, usage.AccountID(account))}
	}
	lists := map[directory.ViewerID]int{"": customers, "oneoneoneone": 1, "hundred12345": 100, directory.PersonID(issuer, "all"): customers}
	var grants, accounts []attributes
	for viewer, n := range lists {
		pk := "PARTNER#northwind"
		if viewer != "" {
			pk = "VIEWER#northwind#" + string(viewer)
		}
		for i := range n {
			grants = append(grants, grantOf(pk, customers-1-i*customers/n)) // all over the partner's list
		}
	}
	for i := range customers {
		accounts = append(accounts, attributes{"accountId": name("acc-%04d", i), "name": name("Customer %04d", i), "currency": "EUR", "billingMode": "prepaid",
			"products": []string{"sms", "voice"}})
	}
	load(t, engine.Client(t), tables.Partners, grants)
	load(t, engine.Client(t), tables.Customers, accounts)
	for viewer, n := range lists {
		who, want := directory.Identity{Partner: "northwind", Narrowed: viewer}, "BatchGetItem BatchGetItem Query"
		if viewer == "" {
			want = "BatchGetItem Query"
		}
		besides := func(c dynamotest.Call) bool { return viewer != "" && c.Operation == "BatchGetItem" }
		page := min(n, 25)
		for _, q := range []struct {
			question string
			directory.CustomerQuery
			shown    int
			want     string
			maxUnits float64
		}{
			{"a page", directory.CustomerQuery{Limit: 25}, page, want, 26},
			{"a page further on", directory.CustomerQuery{Limit: 25, After: directory.SortKey("Customer 4000", "acc-4000")}, min(max(n/5, 1), 25), want, 26},
			{"a search", directory.CustomerQuery{Limit: 25, Search: directory.NewSearch("4999")}, 1, want, 130},
			{"a search that finds nothing", directory.CustomerQuery{Limit: 25, Search: directory.NewSearch("none")}, 0, "Query", 130},
			{"a product", directory.CustomerQuery{Limit: 25, Product: usage.SMS}, page, want, 115},
		} {
			var got directory.CustomerPage
			took := m.takes(t, besides, func() (err error) { got, err = m.Customers(t.Context(), who, q.CustomerQuery); return err })
			t.Logf("of %d customers, %s: %s", n, q.question, took)
			operations, _, _ := strings.Cut(took, ":")
			if operations != q.want || m.units > q.maxUnits || len(got.Customers) != q.shown {
				t.Errorf("of %d customers, %s takes %s and shows %d; want %s, %.0f units at most and %d customers", n, q.question, took, len(got.Customers), q.want, q.maxUnits, q.shown)
			}
		}
	}
}

// The authorizer takes two round trips, the key and then all else, and for a customer that is
// on no list of the viewer's, of another partner, or nowhere, the same calls and units as for
// one that is shown.
func TestADecisionOnANarrowedViewerTakesTwoRoundTripsWhateverItIs(t *testing.T) {
	m, direct, tables := newMeasured(t)
	text, id, hash, err := access.NewKey(rand.Reader)
	must(t, err)
	key := directory.AccessKey{ID: id, Partner: "northwind", SecretHash: hash, CreatedAt: now, Narrowed: true}
	must(t, direct.PutAccessKey(t.Context(), key))
	person := directory.Person{Partner: "northwind", Issuer: issuer, Subject: "someone", CreatedAt: now}
	must(t, direct.PutPerson(t.Context(), person))
	must(t, direct.PutPartner(t.Context(), directory.Partner{ID: "northwind", Status: directory.Active}))
	for partner, c := range map[directory.PartnerID]directory.Customer{"northwind": customer("acme_retail", "Acme"), "southbank": customer("blue.sky", "Blue")} {
		grant(t, direct, partner, c)
	}
	mine := customer("cedar&co", "Cedar")
	grant(t, direct, "northwind", mine, usage.SMS)
	must(t, direct.PutCustomer(t.Context(), customer("nobody_s", "Nobody's")))
	for _, viewer := range []directory.ViewerID{directory.ViewerID(id), person.ID()} {
		must(t, direct.PutGrant(t.Context(), ownGrant(viewer, mine)))
		must(t, direct.PutGrant(t.Context(), ownGrant(viewer, customer("blue.sky", "Blue")))) // which its partner does not have
	}
	charges := engine.ChargesForWhatIsNotThere(t, tables)
	guard := access.NewGuard(m, func() time.Time { return now })
	guard.Tokens = signedIn{person}
	besides := func(c dynamotest.Call) bool {
		return c.Operation == "BatchGetItem" || strings.Contains(string(c.Body), tables.Customers)
	}
	for credential, want := range map[string]string{text: "BatchGetItem GetItem GetItem: 3.0 units", "a.token": "BatchGetItem GetItem: 2.5 units"} {
		for account, claim := range map[string]string{
			"cedar&co": "shown", "acme_retail": "its partner's, and not on its own list", "blue.sky": "on its own list, and another partner's",
			"nobody_s": "nobody's", "not_there": "not there",
		} {
			var d directory.Decision
			took := m.takes(t, besides, func() (err error) { d, err = guard.Decide(t.Context(), "Bearer "+credential, &account); return err })
			if d.Allowed != (account == "cedar&co") {
				t.Errorf("%s reads %s, which is %s: %v", credential, account, claim, d.Allowed)
			}
			operations, _, _ := strings.Cut(want, ":")
			if took != want && (charges || !strings.HasPrefix(took, operations+":")) {
				t.Errorf("a customer that is %s takes %s, want %s", claim, took, want)
			}
		}
	}
}

// signedIn is an issuer whose every token is one person's.
type signedIn struct{ directory.Person }

func (s signedIn) Verify(context.Context, string) (directory.Identity, error) {
	return directory.Identity{Partner: s.Partner, KeyID: "oidc-0123456789abcdef", Narrowed: s.ID()}, nil
}
