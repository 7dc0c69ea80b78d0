package operator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
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
	file := parse(t, "customers:\n  - accountId: acme_retail\n    creditAsOf: 2062-06-15T12:00:00Z\n")
	if _, err = o.Plan(t.Context(), file, false); !strings.Contains(fmt.Sprint(err), "directory.yaml:3: customers[0].creditAsOf: lies in the future") {
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
	if got := proxy.Operations(); !slices.Equal(got, []string{"BatchGetItem", "Query", "UpdateItem", "UpdateItem"}) { // its version, all of it; its version, its status
		t.Errorf("it takes %v", got)
	}
}

// unlessGone plans, or finds nothing to do where there is nothing any more.
func unlessGone(plan planning) planning {
	return func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
		p, err := plan(ctx, o)
		var wrong operator.UserError
		if errors.As(err, &wrong) && strings.HasPrefix(string(wrong), "there is no") {
			err = nil
		}
		return p, err
	}
}

func TestInterruptedDeletionGivesNoPartnerMoreAndCanBeRunAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	t.Parallel()
	for name, c := range map[string]struct {
		plan   planning
		writes int
	}{
		"of a partner": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanPartnerDeletion(ctx, "north")
		}, 4},
		"of a customer": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanCustomerDeletion(ctx, "acc-a", true)
		}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			newInterruption(t, unlessGone(c.plan)).everywhere(c.writes)
		})
	}
}

func TestAPartnersKeysAreRevokedBeforeAnythingIsDeleted(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	store := dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables)
	o := operator.New(store, clock)
	apply(t, o, whole)
	var ids []string
	for range 3 {
		_, key, err := o.CreateKey(t.Context(), "northwind", "", operator.Expiry{})
		must(t, err)
		ids = append(ids, key.ID)
	}
	_, others, err := o.CreateKey(t.Context(), "quiet", "", operator.Expiry{})
	must(t, err)
	// What an interrupted key create may leave: a reference without its key.
	must(t, store.DeleteAccessKey(t.Context(), "nobody", ids[0]))

	plan, err := o.PlanPartnerDeletion(t.Context(), "northwind")
	must(t, err)
	proxy.Calls()
	must(t, o.Apply(t.Context(), plan))
	operations := proxy.Operations()
	if last := slices.Index(operations, "DeleteItem"); !slices.Equal(operations[:last], []string{"UpdateItem", "UpdateItem", "UpdateItem", "UpdateItem"}) || slices.Contains(operations[last:], "UpdateItem") {
		t.Errorf("the calls are %v, want the partner claimed, and all keys revoked first", operations)
	}
	if left, err := store.AccessKeyIDs(t.Context(), "northwind"); err != nil || len(left) > 0 {
		t.Errorf("its keys are %v, %v", left, err)
	}
	for _, id := range ids {
		if _, err := store.GetAccessKey(t.Context(), id); !fault.Is(err, fault.NotFound) {
			t.Errorf("key %s: %v", id, err)
		}
	}
	if _, grants, err := store.PartnerWithGrants(t.Context(), "northwind"); !fault.Is(err, fault.NotFound) || len(grants) > 0 {
		t.Errorf("it has %v, %v", grants, err)
	}
	if key, err := store.GetAccessKey(t.Context(), others.ID); err != nil || !key.RevokedAt.IsZero() {
		t.Errorf("another's key is %+v, %v", key, err)
	}
	kinds := map[operator.Kind]int{}
	for _, c := range plan.Changes {
		kinds[c.Kind]++
	}
	if diff := cmp.Diff(map[operator.Kind]int{"key": 3, "grant": 2, "partner": 1}, kinds); diff != "" {
		t.Errorf("what goes (-want +got):\n%s", diff)
	}
}

func TestACustomerIsDeletedWithGrantsAndPricesAndWithUsageOnlyWhenSaid(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, whole)
	_, err := o.ImportUsage(t.Context(), strings.NewReader(`{"accountId":"acme_retail","product":"voice","id":"c-1","timestamp":"2026-06-01T10:00:00Z","durationSeconds":61}
{"accountId":"b&b","product":"sms","id":"m-1","timestamp":"2026-06-01T10:00:00Z","segments":1}`), operator.UsageImport{})
	must(t, err)
	before := dump(t, s)
	_, err = o.PlanCustomerDeletion(t.Context(), "acme_retail", false)
	var wrong operator.UserError
	if !errors.As(err, &wrong) || !strings.Contains(string(wrong), "acme_retail has usage records (voice)") || !strings.Contains(string(wrong), "--with-usage") {
		t.Errorf("a customer with usage: %v", err)
	}
	plan, err := o.PlanCustomerDeletion(t.Context(), "acme_retail", true)
	must(t, err)
	if diff := cmp.Diff(before, dump(t, s)); diff != "" {
		t.Errorf("a plan has written (-before +after):\n%s", diff)
	}
	var deleted int
	plan.Progress = func(n int) { deleted = n }
	must(t, o.Apply(t.Context(), plan))
	want := []operator.Change{
		{Kind: "usage", Action: "remove", AccountID: "acme_retail", Product: "voice", Records: 1},
		{Kind: "grant", Action: "remove", AccountID: "acme_retail", PartnerID: "northwind"},
		{Kind: "grant", Action: "remove", AccountID: "acme_retail", PartnerID: "quiet"},
		{Kind: "priceList", Action: "remove", AccountID: "acme_retail", Product: "sms", EffectiveFrom: "2026-01-01T00:00:00.000Z"},
		{Kind: "priceList", Action: "remove", AccountID: "acme_retail", Product: "sms", EffectiveFrom: "2026-04-01T00:00:00.000Z"},
		{Kind: "priceList", Action: "remove", AccountID: "acme_retail", Product: "voice", EffectiveFrom: "2026-09-01T00:00:00.000Z"},
		{Kind: "customer", Action: "remove", AccountID: "acme_retail"},
	}
	if diff := cmp.Diff(want, plan.Changes); diff != "" || deleted != 1 {
		t.Errorf("%d records deleted; changes (-want +got):\n%s", deleted, diff)
	}
	for _, product := range usage.Products() {
		log := usage.Log{Account: "acme_retail", Product: product}
		page, err := s.Log(t.Context(), log, usage.Query{Limit: 10})
		must(t, err)
		lists, err := s.PriceListHeaders(t.Context(), log)
		must(t, err)
		if len(page.Records) > 0 || len(lists) > 0 {
			t.Errorf("%s: %d records and %d price lists are left", log.Text(), len(page.Records), len(lists))
		}
	}
	if _, err := s.GetCustomer(t.Context(), "acme_retail"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the customer: %v", err)
	}
	if grants, err := s.AllGrants(t.Context()); err != nil || len(grants) != 1 || grants[0].Account != "b&b" {
		t.Errorf("grants are %+v, %v", grants, err)
	}
	if page, err := s.Log(t.Context(), usage.Log{Account: "b&b", Product: usage.SMS}, usage.Query{Limit: 10}); err != nil || len(page.Records) != 1 {
		t.Errorf("another's usage is %+v, %v", page, err)
	}
	for _, plan := range []func() (operator.Plan, error){
		func() (operator.Plan, error) { return o.PlanCustomerDeletion(t.Context(), "acme_retail", true) },
		func() (operator.Plan, error) {
			return o.PlanPartnerDeletion(t.Context(), directory.PartnerID("nobody"))
		},
	} {
		if _, err := plan(); !errors.As(err, &wrong) || !strings.HasPrefix(string(wrong), "there is no ") {
			t.Errorf("what is not there: %v", err)
		}
	}
}
