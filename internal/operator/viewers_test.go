package operator_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

const threeCustomers = `
partners:
  - {id: north, name: North, customers: [{accountId: acc-a}, {accountId: acc-b, products: [sms]}]}
customers:
  - {accountId: acc-a, name: Alpha, products: [sms, voice], currency: EUR, billingMode: prepaid}
  - {accountId: acc-b, name: Beta, products: [sms, voice], currency: EUR, billingMode: prepaid}
  - {accountId: acc-c, name: Gamma, products: [sms], currency: EUR, billingMode: prepaid}
`

const refused = "refused"

// sees is what a credential opens: "acc-a/sms acc-a/voice", or refused. Who is no key of
// north's is a person of it.
func sees(t *testing.T, s *dynamo.Store, who string, byDefault directory.DefaultAccess) string {
	t.Helper()
	guard := access.NewGuard(s, clock)
	guard.Tokens, guard.PersonDefault = peopleOfNorth{}, byDefault
	var seen []string
	for _, account := range []string{"acc-a", "acc-b", "acc-c"} {
		d, err := guard.Decide(t.Context(), "Bearer "+who, &account)
		if fault.Is(err, fault.Unauthenticated) {
			return refused
		}
		must(t, err)
		for _, product := range d.Products {
			seen = append(seen, account+"/"+string(product))
		}
	}
	return strings.Join(seen, " ")
}

func (o testOperator) carryOut(plan operator.Plan, err error) operator.Plan {
	o.t.Helper()
	must(o.t, err)
	must(o.t, o.Apply(o.t.Context(), plan))
	return plan
}

type testOperator struct {
	*operator.Operator
	t *testing.T
}

func withThreeCustomers(t *testing.T) (testOperator, *dynamo.Store) {
	o, s := newOperator(t)
	apply(t, o, threeCustomers)
	return testOperator{o, t}, s
}

func personOfNorth(subject string) directory.Person {
	return directory.Person{Partner: "north", Issuer: issuer, Subject: subject}
}

// Were one who is dropped from the file forgotten, they would read all of north's
// customers wherever OidcDefaultAccess is all.
func TestWhoIsDroppedFromTheFileIsRefusedUntilForgotten(t *testing.T) {
	o, s := withThreeCustomers(t)
	apply(t, o.Operator, `partners: [{id: north, viewers: [{subject: ann, customers: [{accountId: acc-b}]}, {subject: ben, customers: [{accountId: acc-a, products: [voice]}]}]}]`)
	for who, want := range map[string]string{"ann": "acc-b/sms", "ben": "acc-a/voice"} {
		if got := sees(t, s, who, directory.SeesAll); got != want {
			t.Errorf("%s sees %q, want %q", who, got, want)
		}
	}
	apply(t, o.Operator, `partners: [{id: north, viewers: [{subject: ann, customers: [{accountId: acc-b}]}]}]`)
	if got := sees(t, s, "ben", directory.SeesAll); got != refused {
		t.Errorf("ben, who is not in the file any more, sees %q", got)
	}
	if plan := apply(t, o.Operator, `partners: [{id: north, viewers: [{subject: ann, customers: [{accountId: acc-b}]}]}]`); len(plan.Changes) != 0 {
		t.Errorf("the same file again changes %+v", plan.Changes)
	}
	apply(t, o.Operator, `partners: [{id: north, name: North}]`)
	if got := sees(t, s, "ann", directory.SeesAll); got != "acc-b/sms" {
		t.Errorf("a file without viewers leaves ann %q", got)
	}
	apply(t, o.Operator, `partners: [{id: north, viewers: []}]`)
	if got := sees(t, s, "ann", directory.SeesAll); got != refused {
		t.Errorf("of an empty list ann sees %q", got)
	}
	o.carryOut(o.PlanPersonRemoval(t.Context(), personOfNorth("ann"), true))
	if all, none := sees(t, s, "ann", directory.SeesAll), sees(t, s, "ann", directory.SeesNone); all != "acc-a/sms acc-a/voice acc-b/sms" || none != "" {
		t.Errorf("forgotten, ann sees %q by default all, and %q by default none", all, none)
	}
}

func TestWhoIsRemovedIsRefusedThoughNothingWasSaidOfThem(t *testing.T) {
	o, s := withThreeCustomers(t)
	o.carryOut(o.PlanPersonRemoval(t.Context(), personOfNorth("eve"), false))
	if got := sees(t, s, "eve", directory.SeesAll); got != refused {
		t.Errorf("eve sees %q", got)
	}
	if plan := o.carryOut(o.PlanPersonRemoval(t.Context(), personOfNorth("eve"), false)); len(plan.Changes) != 0 {
		t.Errorf("removed again: %+v", plan.Changes)
	}
	o.carryOut(o.PlanPerson(t.Context(), personOfNorth("eve"), listOf(t, "acc-b")))
	if got := sees(t, s, "eve", directory.SeesAll); got != "acc-b/sms" {
		t.Errorf("added again, eve sees %q", got)
	}
}

// A customer of somebody else's on a list would be read as soon as the partner got it by mistake.
func TestAFileNamesEveryCustomerThatThePartnerHasNot(t *testing.T) {
	o, _ := withThreeCustomers(t)
	file := parse(t, `partners:
  - id: north
    customers: [{accountId: acc-a}]
    viewers:
      - subject: ann
        customers:
          - accountId: acc-a
          - accountId: acc-b
          - accountId: acc-c
          - accountId: nobody
      - {subject: ben, issuer: "https://login.example.com/", customers: [{accountId: acc-a}]}
      - {subject: ben, customers: [{accountId: acc-a}]}
`)
	_, err := o.Plan(t.Context(), file, false)
	want := `directory.yaml:8: partners[0].viewers[0].customers[1].accountId: "acc-b" is not among the customers of north
directory.yaml:9: partners[0].viewers[0].customers[2].accountId: "acc-c" is not among the customers of north
directory.yaml:10: partners[0].viewers[0].customers[3].accountId: "nobody" is not among the customers of north
directory.yaml:12: partners[0].viewers[2].subject: "ben" is there twice, first on line 11: the issuer is the stack's own`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	file.Issuer = ""
	if _, err = o.Plan(t.Context(), file, false); err == nil || !strings.Contains(err.Error(), "viewers[0].issuer: is missing") {
		t.Errorf("of an issuer that nobody knows: %v", err)
	}
}

func TestAKeyIsNarrowedAndWidened(t *testing.T) {
	o, s := withThreeCustomers(t)
	text, key, err := o.CreateKey(t.Context(), "north", "", operator.Expiry{})
	must(t, err)
	seen := func(want string) {
		t.Helper()
		if got := sees(t, s, text, ""); got != want {
			t.Errorf("the key sees %q, want %q", got, want)
		}
	}
	plan := o.carryOut(o.PlanNarrowKey(t.Context(), key.ID, listOf(t, "acc-b=voice", "acc-a=voice")))
	seen("acc-a/voice")
	want := []operator.Sight{
		{Account: "acc-a", Name: "Alpha", Products: []usage.Product{"voice"}, Granted: true, Shown: []usage.Product{"voice"}},
		{Account: "acc-b", Name: "Beta", Products: []usage.Product{"voice"}, Granted: true, Shown: []usage.Product{}},
	}
	if diff := cmp.Diff(want, plan.Sights); diff != "" {
		t.Errorf("what is said of it (-want +got):\n%s", diff)
	}
	o.carryOut(o.PlanWidenKey(t.Context(), key.ID, listOf(t, "acc-a=sms", "acc-b")))
	seen("acc-a/sms acc-a/voice acc-b/sms")

	applyOver(t, o.Operator, `partners: [{id: north, customers: [{accountId: acc-b}]}]`)
	seen("acc-b/sms acc-b/voice")
	view, err := o.ShowKey(t.Context(), key.ID)
	must(t, err)
	if lost := view.List[0]; lost.Account != "acc-a" || lost.Granted || lost.Shown != nil {
		t.Errorf("of the customer that north has lost, the key's list says %+v", lost)
	}
	o.carryOut(o.PlanWidenKey(t.Context(), key.ID, listOf(t, "acc-a"))) // it is on the list already, and shows nothing
	seen("acc-b/sms acc-b/voice")
	o.carryOut(o.PlanWidenKeyToAll(t.Context(), key.ID))
	apply(t, o.Operator, `partners: [{id: north, customers: [{accountId: acc-c}]}]`)
	seen("acc-c/sms")
	if left, err := s.AllGrants(t.Context()); err != nil || len(left) != 1 {
		t.Errorf("of the list %v are left, %v", left, err)
	}
}

func TestAListThatCannotBeIsToldWhole(t *testing.T) {
	o, s := withThreeCustomers(t)
	_, key, err := o.CreateKey(t.Context(), "north", "", operator.Expiry{})
	must(t, err)
	for claim, c := range map[string]struct {
		list []string
		want string
	}{
		"customers that the partner has not": {[]string{"acc-c", "acc-a", "nobody"}, "not among the customers of north: acc-c, nobody. Nobody sees more than their partner: leave them out, or grant them first, with partnerctl grant add north acc-c"},
		"a customer twice":                   {[]string{"acc-a", "acc-b", "acc-a=sms"}, "named twice: acc-a"},
		"nobody":                             {nil, "a viewer's list has at least one customer"},
	} {
		_, narrowed := o.PlanNarrowKey(t.Context(), key.ID, listOf(t, c.list...))
		_, added := o.PlanPerson(t.Context(), personOfNorth("ann"), listOf(t, c.list...))
		_, _, _, created := o.CreateNarrowKey(t.Context(), "north", "", operator.Expiry{}, listOf(t, c.list...))
		for _, err := range []error{narrowed, added, created} {
			if err == nil || err.Error() != c.want {
				t.Errorf("%s: %v", claim, err)
			}
		}
	}
	if _, err := o.PlanWidenKey(t.Context(), key.ID, listOf(t, "acc-a")); err == nil || !strings.Contains(err.Error(), "sees all customers of north already") {
		t.Errorf("a key that sees all is widened: %v", err)
	}
	if keys, err := s.AccessKeys(t.Context(), "north"); err != nil || len(keys) != 1 {
		t.Errorf("what could not be made has left %v, %v", keys, err)
	}
}

// A new key without the list would read all of north's customers, or none.
func TestARotatedKeyHandsItsListOn(t *testing.T) {
	o, s := withThreeCustomers(t)
	_, key, sights, err := o.CreateNarrowKey(t.Context(), "north", "billing", operator.Expiry{}, listOf(t, "acc-a=sms"))
	must(t, err)
	if len(sights) != 1 || !slices.Equal(sights[0].Shown, []usage.Product{"sms"}) {
		t.Errorf("the key sees %+v", sights)
	}
	r, err := o.RotateKey(t.Context(), key.ID, operator.RotateAs{})
	must(t, err)
	if got := sees(t, s, r.Text, ""); got != "acc-a/sms" || !r.New.Narrowed {
		t.Errorf("the new key sees %q", got)
	}
}

func TestARenamedCustomerIsRenamedOnTheListsOfViewers(t *testing.T) {
	o, s := withThreeCustomers(t)
	o.carryOut(o.PlanPerson(t.Context(), personOfNorth("ann"), listOf(t, "acc-a", "acc-b")))
	_, key, _, err := o.CreateNarrowKey(t.Context(), "north", "", operator.Expiry{}, listOf(t, "acc-a", "acc-b"))
	must(t, err)
	apply(t, o.Operator, `
partners: [{id: north, viewers: [{subject: ann, customers: [{accountId: acc-a}, {accountId: acc-b}]}]}]
customers: [{accountId: acc-a, name: Zeta}]`)
	for _, viewer := range []directory.ViewerID{directory.ViewerID(key.ID), personOfNorth("ann").ID()} {
		list, err := s.GrantsOf(t.Context(), "north", viewer)
		if err != nil || list[0].CustomerName != "Zeta" {
			t.Errorf("the list of %s has %+v, %v", viewer, list, err)
		}
	}
}

// An interrupted command may have left ann's entry before it made the partner: whoever makes it
// then does not let her in by what they have never said.
func TestAPartnerThatIsMadeHasNoPeopleButThoseOfItsFile(t *testing.T) {
	o, s := withThreeCustomers(t)
	must(t, s.DeletePartner(t.Context(), "north"))
	must(t, s.PutPerson(t.Context(), personOfNorth("ann")))
	must(t, s.PutGrant(t.Context(), directory.Grant{Partner: "north", Viewer: personOfNorth("ann").ID(), Account: "acc-a"}))
	apply(t, o.Operator, `partners: [{id: north, name: North, customers: [{accountId: acc-a}]}]`)
	if got := sees(t, s, "ann", directory.SeesNone); got != "" {
		t.Errorf("ann sees %q", got)
	}
	if people, err := s.People(t.Context(), "north"); err != nil || len(people) != 0 {
		t.Errorf("north has %v, %v", people, err)
	}
}

// The same letters are another issuer's for somebody else, who would be given the list.
func TestAFileGivesAListToThePersonOfTheIssuerThatItNames(t *testing.T) {
	o, s := withThreeCustomers(t)
	apply(t, o.Operator, `partners: [{id: north, viewers: [{subject: ann, issuer: "https://other.example/", customers: [{accountId: acc-a}]}, {subject: ben, customers: [{accountId: acc-b}]}]}]`)
	if got := sees(t, s, "ann", directory.SeesNone); got != "" {
		t.Errorf("ann of %s sees %q", issuer, got)
	}
	if got := sees(t, s, "ben", directory.SeesNone); got != "acc-b/sms" {
		t.Errorf("ben of %s sees %q", issuer, got)
	}
	if _, err := s.Person(t.Context(), "north", directory.PersonID("https://other.example/", "ann")); err != nil {
		t.Errorf("of the other issuer's ann: %v", err)
	}
}

// Of a key that is half made or half replaced nobody has all of north's customers, and nobody
// has lost the old key before the new one has its list.
func TestAnInterruptedKeyIsNarrowedAndTheOldOneLasts(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	s := dynamo.NewStore(engine.Client(t), tables)
	o := testOperator{operator.New(s, clock), t}
	apply(t, o.Operator, threeCustomers)
	_, old, _, err := o.CreateNarrowKey(t.Context(), "north", "", operator.Expiry{}, listOf(t, "acc-a=sms", "acc-b"))
	must(t, err)
	for claim, command := range map[string]func(context.Context, *operator.Operator) error{
		"created": func(ctx context.Context, o *operator.Operator) error {
			_, _, _, err := o.CreateNarrowKey(ctx, "north", "", operator.Expiry{}, listOf(t, "acc-a=sms", "acc-b"))
			return err
		},
		"rotated": func(ctx context.Context, o *operator.Operator) error {
			_, err := o.RotateKey(ctx, old.ID, operator.RotateAs{})
			return err
		},
	} {
		writes := 0
		for after := 0; ; after++ {
			ctx, cancel := context.WithCancel(t.Context())
			var left atomic.Int32
			left.Store(int32(after))
			proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
				if !isWrite(c.Operation) || left.Add(-1) >= 0 {
					return false
				}
				cancel()
				dynamotest.Cut(w)
				return true
			})
			err := command(ctx, operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock))
			cancel()
			keys, listing := s.AccessKeys(t.Context(), "north")
			must(t, listing)
			for _, key := range keys {
				if !key.Narrowed {
					t.Errorf("interrupted after %d writes, a key that is %s sees all", after, claim)
				}
				if claim == "rotated" && key.ID == old.ID && !key.ExpiresAt.IsZero() && err != nil {
					t.Errorf("interrupted after %d writes, the key that is %s has ended", after, claim)
				}
			}
			if err == nil {
				writes = after
				break
			}
			if after > 20 {
				t.Fatalf("a key is never %s: %v", claim, err)
			}
		}
		if writes < 4 {
			t.Errorf("a key is %s in %d writes", claim, writes)
		}
	}
}
