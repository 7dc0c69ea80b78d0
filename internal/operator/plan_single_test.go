package operator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// A grant of a customer that nobody knows is no reason to refuse another, nor
// does it go unasked.
func TestGrantOfNobodyStaysWhenAnotherIsAdded(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, whole)
	must(t, s.PutGrant(t.Context(), directory.Grant{Partner: "quiet", Account: "gone", CustomerName: "Gone"}))
	grants := func() (accounts []usage.AccountID) {
		_, grants, err := s.PartnerWithGrants(t.Context(), "quiet")
		must(t, err)
		for _, g := range grants {
			accounts = append(accounts, g.Account)
		}
		return accounts
	}
	plan, err := o.PlanGrant(t.Context(), "quiet", "b&b", nil)
	must(t, err)
	must(t, o.Apply(t.Context(), plan))
	if got := grants(); len(plan.Changes) != 1 || !slices.Equal(got, []usage.AccountID{"acme_retail", "b&b", "gone"}) {
		t.Errorf("after %+v it has %v", plan.Changes, got)
	}
	plan, err = o.PlanWithoutGrants(t.Context(), "quiet", []usage.AccountID{"gone"})
	must(t, err)
	must(t, o.Apply(t.Context(), plan))
	if got := grants(); !slices.Equal(got, []usage.AccountID{"acme_retail", "b&b"}) {
		t.Errorf("it cannot be removed: %v", got)
	}
}

// A credit as of a time to come would keep every true one out until then.
func TestCreditOfATimeToComeIsRefused(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, whole)
	_, err := o.PlanCredit(t.Context(), "acme_retail", operator.NewCredit{AsOf: now.Add(6 * time.Minute)})
	if !strings.Contains(fmt.Sprint(err), "lies in the future") {
		t.Errorf("set-credit says %v", err)
	}
	_, err = o.PlanCredit(t.Context(), "acme_retail", operator.NewCredit{AsOf: now.Add(5 * time.Minute)})
	must(t, err)
	file, err := importer.ParseDirectory(strings.NewReader("customers:\n  - accountId: acme_retail\n    creditAsOf: 2062-06-15T12:00:00Z\n"), "d.yaml")
	must(t, err)
	if _, err = o.Plan(t.Context(), file, false); !strings.Contains(fmt.Sprint(err), "d.yaml:3: customers[0].creditAsOf: lies in the future") {
		t.Errorf("apply says %v", err)
	}
}

// Suspending is for emergencies: it does not read all customers first.
func TestSuspendingReadsThePartnerAlone(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	o := operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock)
	apply(t, o, whole)
	proxy.Calls()
	plan, err := o.PlanStatus(t.Context(), "northwind", directory.Suspended)
	must(t, err)
	must(t, o.Apply(t.Context(), plan))
	if got := proxy.Operations(); !slices.Equal(got, []string{"Query", "UpdateItem"}) {
		t.Errorf("it takes %v", got)
	}
}
