package operator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/importer"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// rights lists what each partner and viewer may see: of "north", "acc-a" and "acc-a/sms".
func rights(t *testing.T, s *dynamo.Store) map[string]map[string]bool {
	t.Helper()
	out := make(map[string]map[string]bool)
	once := readOnce{s, map[string]directory.Standing{}, map[usage.AccountID][]usage.Product{}}
	accounts := []usage.AccountID{"acc-a", "acc-b", "acc-c", "acc-d"}
	for _, id := range partnerIDs {
		seen := map[string]bool{}
		out[string(id)] = seen
		for _, account := range accounts {
			stands, err := once.Standing(t.Context(), id, "", account)
			if fault.Is(err, fault.NotFound) || err == nil && (stands.Partner.Status != directory.Active || stands.Grant == nil) {
				continue
			}
			must(t, err)
			products, err := once.CustomerProducts(t.Context(), account)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			must(t, err)
			seen[string(account)] = true
			for _, product := range directory.Visible(products, stands.Grant.Products) {
				seen[string(account)+"/"+string(product)] = true
			}
		}
	}
	for _, byDefault := range []directory.DefaultAccess{directory.SeesAll, directory.SeesNone} {
		guard := access.NewGuard(once, clock)
		guard.Tokens, guard.PersonDefault = peopleOfNorth{}, byDefault
		for _, who := range []string{keyText(t, narrow), keyText(t, wide), "ann", "ben", "cleo", "dora"} {
			seen := map[string]bool{}
			out[fmt.Sprintf("%.6s of north, by default %s", who, byDefault)] = seen
			for _, account := range accounts {
				asked := string(account)
				d, err := guard.Decide(t.Context(), "Bearer "+who, &asked)
				if fault.Is(err, fault.Unauthenticated) {
					continue
				}
				must(t, err)
				if d.Allowed {
					seen[asked] = true
				}
				for _, product := range d.Products {
					seen[asked+"/"+string(product)] = true
				}
			}
		}
	}
	return out
}

// readOnce reads what it is asked for once: several who look at the same time.
type readOnce struct {
	*dynamo.Store
	standings map[string]directory.Standing
	products  map[usage.AccountID][]usage.Product
}

func (r readOnce) Standing(ctx context.Context, partner directory.PartnerID, viewer directory.ViewerID, account usage.AccountID) (stands directory.Standing, err error) {
	key := fmt.Sprint(partner, viewer, account)
	stands, known := r.standings[key]
	if !known {
		if stands, err = r.Store.Standing(ctx, partner, viewer, account); err == nil {
			r.standings[key] = stands
		}
	}
	return stands, err
}

func (r readOnce) CustomerProducts(ctx context.Context, account usage.AccountID) (products []usage.Product, err error) {
	products, known := r.products[account]
	if !known {
		if products, err = r.Store.CustomerProducts(ctx, account); err == nil {
			r.products[account] = products
		}
	}
	return products, err
}

var partnerIDs = []directory.PartnerID{"north", "south", "west", "east", "still"}

// peopleOfNorth takes any token for that of a person of north.
type peopleOfNorth struct{}

const issuer = "https://login.example.com/"

func (peopleOfNorth) Verify(_ context.Context, token string) (directory.Identity, error) {
	return directory.Identity{Partner: "north", KeyID: "oidc-" + token, Narrowed: directory.PersonID(issuer, token)}, nil
}

// Of north's keys the one has a list, and the other has not.
const narrow, wide = "n", "w"

func keyOf(t *testing.T, letter string) (text string, key directory.AccessKey) {
	t.Helper()
	text, id, hash, err := access.NewKey(strings.NewReader(strings.Repeat(letter, 1000)))
	must(t, err)
	return text, directory.AccessKey{ID: id, Partner: "north", SecretHash: hash, CreatedAt: now, Narrowed: letter == narrow}
}

func keyText(t *testing.T, letter string) string { text, _ := keyOf(t, letter); return text }

func keyID(t *testing.T, letter string) string { _, key := keyOf(t, letter); return key.ID }

// applyOld brings the tables to the old file, with two keys of north, and dora removed.
func applyOld(t *testing.T, s *dynamo.Store) {
	t.Helper()
	o := operator.New(s, clock)
	apply(t, o, oldFile)
	must(t, s.PutPerson(t.Context(), directory.Person{Partner: "north", Issuer: issuer, Subject: "dora", CreatedAt: now, RemovedAt: now}))
	for _, letter := range []string{narrow, wide} {
		_, key := keyOf(t, letter)
		must(t, s.PutAccessKey(t.Context(), key))
	}
	carryOut(t, o, func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
		return o.PlanNarrowKey(ctx, keyID(t, narrow), listOf(t, "acc-a=sms", "acc-b"))
	})
}

func listOf(t *testing.T, entries ...string) (list []importer.Grant) {
	t.Helper()
	for _, text := range entries {
		g, err := importer.ParseListed(text)
		must(t, err)
		list = append(list, g)
	}
	return list
}

func isWithin(a, b map[string]bool) bool {
	for right := range a {
		if !b[right] {
			return false
		}
	}
	return true
}

const oldFile = `
partners:
  - id: north
    name: North
    customers: [{accountId: acc-a}, {accountId: acc-b, products: [sms, voice]}, {accountId: acc-c, products: [sms]}]
    viewers: [{subject: ann, customers: [{accountId: acc-a, products: [sms]}, {accountId: acc-b, products: [voice]}, {accountId: acc-c}]}, {subject: ben, customers: [{accountId: acc-a}]}]
  - {id: south, name: South, status: suspended, customers: [{accountId: acc-a}, {accountId: acc-c}]}
  - {id: west, name: West, customers: [{accountId: acc-b}]}
  - {id: still, name: Still, customers: [{accountId: acc-a}, {accountId: acc-c}]}
customers:
  - {accountId: acc-a, name: Alpha, products: [sms, voice], currency: EUR, billingMode: prepaid}
  - {accountId: acc-b, name: Beta, products: [sms, voice, video], currency: EUR, billingMode: prepaid}
  - {accountId: acc-c, name: Gamma, products: [sms, voice, messaging], currency: EUR, billingMode: prepaid}
`

const newFile = `
partners:
  - id: north
    name: North
    customers: [{accountId: acc-a, products: [voice]}, {accountId: acc-c, products: [voice]}, {accountId: acc-d}]
    viewers:
      - {subject: ann, customers: [{accountId: acc-a, products: [voice]}, {accountId: acc-c, products: [voice]}, {accountId: acc-d}]}
      - {subject: cleo, name: Cleo, customers: [{accountId: acc-a}, {accountId: acc-d, products: [sms]}]}
      - {subject: dora, customers: [{accountId: acc-c}]}
  - {id: south, status: active, customers: [{accountId: acc-c, products: [messaging]}, {accountId: acc-b}]}
  - {id: west, status: suspended, customers: [{accountId: acc-a}, {accountId: acc-b, products: [video]}]}
  - {id: east, name: East, customers: [{accountId: acc-d, products: [sms]}]}
customers:
  - {accountId: acc-a, name: Zeta}
  - {accountId: acc-b, products: [video, messaging]}
  - {accountId: acc-d, name: Delta, products: [sms, voice], currency: EUR, billingMode: prepaid}
priceLists:
  - {accountId: acc-d, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "1"}]}
  - {accountId: acc-d, product: sms, effectiveFrom: 2026-02-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "1"}]}
  - {accountId: acc-a, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: "1"}]}
`

// identity names a write, whatever the tables are called.
func identity(c dynamotest.Call) string {
	var in struct{ Item, Key map[string]struct{ S string } }
	if json.Unmarshal(c.Body, &in) != nil {
		return c.Operation
	}
	key := in.Key
	if key == nil {
		key = in.Item
	}
	return strings.Join([]string{c.Operation, key["pk"].S, key["sk"].S, key["accountId"].S}, " ")
}

// planning is how a command plans.
type planning func(context.Context, *operator.Operator) (operator.Plan, error)

func planOf(t *testing.T, file string) planning {
	return func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
		plan, err := o.Plan(ctx, parse(t, file), false)
		plan.Overwrite = true // applyOld narrows keys by command
		return plan, err
	}
}

// leaseOfTheDead takes the lease of whoever has it: of an operator that is cut off, and lives on
// only as far as this process does.
var leaseOfTheDead = dynamo.LeaseTimes{Renew: 20 * time.Second, Lost: time.Minute, Free: time.Millisecond, Gone: 10 * time.Millisecond, Apart: 30 * time.Second}

func carryOut(t *testing.T, o *operator.Operator, plan planning) {
	t.Helper()
	p, err := plan(t.Context(), o)
	must(t, err)
	must(t, o.Apply(t.Context(), p))
}

// interruption is a command over the old file, to be stopped at every write.
type interruption struct {
	t                *testing.T
	plan             planning
	before           dynamotest.Contents        // the old file
	old, new         map[string]map[string]bool // rights before and after
	oldState, target map[string]any             // all that is stored, before and after
}

func newInterruption(t *testing.T, plan planning) *interruption {
	t.Helper()
	tables := second.NewTables(t)
	s := dynamo.NewStore(second.Client(t), tables)
	o := operator.New(s, clock)
	applyOld(t, s)
	i := &interruption{t: t, plan: plan, before: second.Contents(t, tables), old: rights(t, s), oldState: dump(t, s)}
	carryOut(t, o, plan)
	i.new, i.target = rights(t, s), dump(t, s)
	return i
}

// at carries the command out over the old file, and stops at the first write that
// is asked for: a cut connection, and no other try. Then nobody sees more than
// before or after; every partner's list has each of its customers once; and
// what is applied next, the same again or the old file, is whole.
func (i *interruption) at(when string, stopsAt func(dynamotest.Call) bool, next planning, want map[string]any) (finished bool) {
	t := i.t
	t.Helper()
	tables, proxy := second.NewTables(t), second.NewProxy(t)
	direct := dynamo.NewStore(second.Client(t), tables)
	second.Fill(t, tables, i.before)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if !isWrite(c.Operation) || !stopsAt(c) {
			return false
		}
		cancel()
		dynamotest.Cut(w)
		return true
	})
	o := operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock)
	plan, err := i.plan(ctx, o)
	must(t, err)
	err = o.Apply(ctx, plan)
	proxy.Close()
	for who, got := range rights(t, direct) {
		if !isWithin(got, i.old[who]) && !isWithin(got, i.new[who]) {
			t.Errorf("interrupted %s, %s sees %v; before it was %v, after it is %v", when, who,
				slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(i.old[who])), slices.Sorted(maps.Keys(i.new[who])))
		}
	}
	for _, partner := range partnerIDs {
		listsItsCustomersOnce(t, direct, partner)
	}
	after := operator.New(direct, clock)
	after.LeaseTimes = leaseOfTheDead
	carryOut(t, after, next)
	if diff := cmp.Diff(want, dump(t, direct)); diff != "" {
		t.Errorf("interrupted %s, and what is applied next is not whole (-want +got):\n%s", when, diff)
	}
	return err == nil
}

func listsItsCustomersOnce(t *testing.T, s *dynamo.Store, partner directory.PartnerID) {
	t.Helper()
	_, grants, err := s.PartnerWithGrants(t.Context(), partner)
	if err != nil && !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	var granted, seen []string
	for _, g := range grants {
		granted = append(granted, string(g.Account))
	}
	for _, c := range listed(t, s, partner, "") {
		account, _, _ := strings.Cut(c, " ")
		seen = append(seen, account)
	}
	slices.Sort(seen)
	if !slices.Equal(granted, seen) {
		t.Errorf("%s is granted %v, and lists %v", partner, granted, seen)
	}
}

// everywhere stops the command after any number of its writes, and with all of a
// step done but any one of it.
func (i *interruption) everywhere(atLeast int) {
	i.t.Helper()
	seen := make(map[string]bool)
	for after := 0; ; after++ {
		var mu sync.Mutex
		n := 0
		if i.at(fmt.Sprintf("after %d writes", after), func(c dynamotest.Call) bool {
			mu.Lock()
			defer mu.Unlock()
			seen[identity(c)] = true
			n++
			return n > after
		}, i.plan, i.target) {
			break
		}
	}
	if len(seen) < atLeast {
		i.t.Errorf("the plan has %d writes; too few to be what it says", len(seen))
	}
	for write := range seen {
		i.at("with all of a step but "+write, allBut(write), i.plan, i.target)
	}
}

func allBut(write string) func(dynamotest.Call) bool {
	return func(c dynamotest.Call) bool {
		if identity(c) != write {
			return false
		}
		time.Sleep(20 * time.Millisecond) // let the others of its step through
		return true
	}
}

func TestInterruptedApplyGivesNoPartnerMoreThanTheOldOrTheNewFile(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	t.Parallel()
	i := newInterruption(t, planOf(t, newFile))
	i.everywhere(20)
	if list := i.target["list still"]; !slices.Equal(list.([]string), []string{"acc-c Gamma", "acc-a Zeta"}) {
		t.Errorf("after a rename a partner that the file does not name lists %v", list)
	}
}

// An operator who has stopped the wrong file applies the right one again, which
// names no partner.
func TestInterruptedRenameIsUndoneByTheOldNames(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	t.Parallel()
	const rename = "customers: [{accountId: acc-a, name: Zeta}, {accountId: acc-c, name: Beta Two}]"
	const undo = "customers: [{accountId: acc-a, name: Alpha}, {accountId: acc-c, name: Gamma}]"
	i := newInterruption(t, planOf(t, rename))
	for after := 0; ; after++ {
		var mu sync.Mutex
		n := 0
		if i.at(fmt.Sprintf("after %d writes", after), func(dynamotest.Call) bool {
			mu.Lock()
			defer mu.Unlock()
			n++
			return n > after
		}, planOf(t, undo), i.oldState) {
			break
		}
	}
}

// The commands that change one thing keep the promises of a whole file.
func TestInterruptedSingleCommandGivesNoPartnerMore(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	t.Parallel()
	credit := decimal.RequireFromString("12.5")
	for name, c := range map[string]struct {
		plan   planning
		writes int
	}{
		"other products": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanGrant(ctx, "north", "acc-c", []usage.Product{usage.Voice})
		}, 2},
		"fewer and other products": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanGrant(ctx, "north", "acc-b", []usage.Product{usage.Voice, usage.Video})
		}, 1}, // twice the same grant
		"a new grant": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanGrant(ctx, "west", "acc-a", nil)
		}, 1},
		"grants that are removed": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanWithoutGrants(ctx, "north", []usage.AccountID{"acc-a", "acc-c"})
		}, 2},
		"a partner that is suspended": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanStatus(ctx, "north", directory.Suspended)
		}, 1},
		"a partner that is resumed": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanStatus(ctx, "south", directory.Active)
		}, 1},
		"a key that is narrowed": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanNarrowKey(ctx, keyID(t, wide), listOf(t, "acc-a=voice", "acc-c"))
		}, 3},
		"a list that becomes another": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanNarrowKey(ctx, keyID(t, narrow), listOf(t, "acc-a=voice", "acc-c"))
		}, 4},
		"a key that is widened": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanWidenKey(ctx, keyID(t, narrow), listOf(t, "acc-a=voice", "acc-c"))
		}, 2},
		"a key that is widened to all": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanWidenKeyToAll(ctx, keyID(t, narrow))
		}, 3},
		"a person with a new list": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanPerson(ctx, directory.Person{Partner: "north", Issuer: issuer, Subject: "ann", Name: "Ann"}, listOf(t, "acc-a=voice", "acc-c"))
		}, 4},
		"a person of whom nothing was said": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanPerson(ctx, directory.Person{Partner: "north", Issuer: issuer, Subject: "cleo"}, listOf(t, "acc-a", "acc-c"))
		}, 4},
		"a person who is removed": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanPersonRemoval(ctx, directory.Person{Partner: "north", Issuer: issuer, Subject: "ann"}, false)
		}, 4},
		"somebody who is removed": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanPersonRemoval(ctx, directory.Person{Partner: "north", Issuer: issuer, Subject: "cleo"}, false)
		}, 2},
		"a person who is removed comes back": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanPerson(ctx, directory.Person{Partner: "north", Issuer: issuer, Subject: "dora"}, listOf(t, "acc-b=sms"))
		}, 3},
		"a person who is forgotten": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanPersonRemoval(ctx, directory.Person{Partner: "north", Issuer: issuer, Subject: "ann"}, true)
		}, 6},
		"credit": {func(ctx context.Context, o *operator.Operator) (operator.Plan, error) {
			return o.PlanCredit(ctx, "acc-a", operator.NewCredit{Remaining: &credit, AsOf: now})
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			i := newInterruption(t, c.plan)
			if cmp.Equal(i.oldState, i.target) {
				t.Error("the command changes nothing")
			}
			i.everywhere(c.writes)
		})
	}
}
