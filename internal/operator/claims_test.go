package operator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// applyOver brings the tables to what a file says, whatever commands have done since.
func applyOver(t *testing.T, o *operator.Operator, text string) operator.Plan {
	t.Helper()
	plan, err := o.Plan(t.Context(), parse(t, text), false)
	must(t, err)
	plan.Overwrite = true
	must(t, o.Apply(t.Context(), plan))
	return plan
}

// undoes plans a file, and expects that it is refused for these commands, or, without any, is not.
func undoes(t *testing.T, o *operator.Operator, file string, want ...string) operator.Plan {
	t.Helper()
	plan, err := o.Plan(t.Context(), parse(t, file), false)
	must(t, err)
	var got []string
	for _, u := range plan.Undoes {
		got = append(got, strings.TrimSpace(u.Command+" "+string(u.AccountID)))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the file undoes %q, want %q\n%s", got, want, file)
	}
	if err := plan.Refusal(); (err != nil) != (len(want) > 0) {
		t.Errorf("refused: %v", err)
	}
	return plan
}

// notesOf are the notes in a partner's profile.
func notesOf(t *testing.T, s *dynamo.Store, partner directory.PartnerID) map[directory.NoteOf]directory.Note {
	t.Helper()
	edits, err := s.Edits(t.Context(), partner)
	must(t, err)
	return edits.Notes
}

const northHas = "partners: [{id: north, customers: [%s]}]"

func TestAFileThatWouldUndoACommandIsRefusedAndWritesNothing(t *testing.T) {
	o, s := withThreeCustomers(t)
	before := fmt.Sprintf(northHas, "{accountId: acc-a}, {accountId: acc-b, products: [sms]}")
	applyOver(t, o.Operator, before)
	o.carryOut(o.PlanGrant(t.Context(), "north", "acc-c", nil))
	o.carryOut(o.PlanGrant(t.Context(), "north", "acc-b", []usage.Product{"voice"}))
	o.carryOut(o.PlanWithoutGrants(t.Context(), "north", []usage.AccountID{"acc-a"}))
	plan := undoes(t, o.Operator, before, "grant remove acc-a", "grant add acc-b", "grant add acc-c")
	stored := func() []directory.Grant {
		_, grants, err := o.ShowPartner(t.Context(), "north")
		must(t, err)
		return grants
	}
	was := stored()
	err := o.Apply(t.Context(), plan)
	if !errors.As(err, new(operator.Refused)) || !errors.As(err, new(operator.UserError)) {
		t.Fatalf("apply says %v", err)
	}
	for _, line := range []string{
		"  grant remove, 2026-06-15T12:00:00.000Z; the file: add grant north acc-a (products: all)\n",
		"  grant add, 2026-06-15T12:00:00.000Z; the file: change grant north acc-b (products: voice → sms)\n",
		"  grant add, 2026-06-15T12:00:00.000Z; the file: remove grant north acc-c\n", "--overwrite",
	} {
		if !strings.Contains(err.Error(), line) {
			t.Errorf("it does not say %q: %v", line, err)
		}
	}
	if diff := cmp.Diff(was, stored()); diff != "" || len(notesOf(t, s, "north")) != 3 {
		t.Errorf("refused, it has changed (-before +after):\n%s\nnotes: %v", diff, notesOf(t, s, "north"))
	}
	applyOver(t, o.Operator, before)
	if left := notesOf(t, s, "north"); len(left) != 0 {
		t.Errorf("overwritten, the notes are %v", left)
	}
	undoes(t, o.Operator, fmt.Sprintf(northHas, "{accountId: acc-c}"))
}

func TestAFileThatAgreesWithCommandsClearsTheirNotes(t *testing.T) {
	o, s := withThreeCustomers(t)
	applyOver(t, o.Operator, fmt.Sprintf(northHas, "{accountId: acc-a}, {accountId: acc-b}"))
	o.carryOut(o.PlanWithoutGrants(t.Context(), "north", []usage.AccountID{"acc-a"}))
	o.carryOut(o.PlanGrant(t.Context(), "north", "acc-c", []usage.Product{"sms"}))
	apply(t, o.Operator, "partners: [{id: north, name: Another, status: active}]") // which tells of no customers
	if left := notesOf(t, s, "north"); len(left) != 2 {
		t.Errorf("a file that does not tell leaves %v", left)
	}
	agrees := undoes(t, o.Operator, fmt.Sprintf(northHas, "{accountId: acc-b}, {accountId: acc-c, products: [sms]}"))
	if len(agrees.Changes) != 0 || !agrees.ClearsNotes() {
		t.Errorf("it changes %+v; clears notes: %v", agrees.Changes, agrees.ClearsNotes())
	}
	must(t, o.Apply(t.Context(), agrees))
	if left := notesOf(t, s, "north"); len(left) != 0 {
		t.Errorf("a file that agrees leaves %v", left)
	}
	undoes(t, o.Operator, fmt.Sprintf(northHas, "{accountId: acc-a}"))
	o.carryOut(o.PlanGrant(t.Context(), "north", "acc-a", nil))
	undoes(t, o.Operator, fmt.Sprintf(northHas, "{accountId: acc-a}")) // it takes others away, of which no command tells
}

func TestPeopleKeysAndSuspensionAreNotUndoneEither(t *testing.T) {
	o, s := withThreeCustomers(t)
	applyOver(t, o.Operator, "partners: [{id: north, status: active, customers: [{accountId: acc-a}, {accountId: acc-b, products: [sms]}]}]")
	_, key, err := o.CreateKey(t.Context(), "north", "", operator.Expiry{})
	must(t, err)
	o.carryOut(o.PlanNarrowKey(t.Context(), key.ID, listOf(t, "acc-a=sms")))
	ann := directory.Person{Partner: "north", Issuer: issuer, Subject: "ann"}
	o.carryOut(o.PlanPerson(t.Context(), ann, listOf(t, "acc-b")))
	o.carryOut(o.PlanStatus(t.Context(), "north", directory.Suspended))
	for file, want := range map[string][]string{
		"{id: north, status: active}":    {"partner suspend"},
		"{id: north, status: suspended}": nil,
		"{id: north, viewers: []}":       {"viewer add"},
		"{id: north, viewers: [{subject: ann, customers: [{accountId: acc-a}]}]}":              {"viewer add"},
		"{id: north, viewers: [{subject: ann, customers: [{accountId: acc-b}]}]}":              nil,
		"{id: north, customers: [{accountId: acc-b}]}":                                         {"key narrow"},
		"{id: north, customers: [{accountId: acc-a, products: [voice]}, {accountId: acc-b}]}":  {"key narrow"},
		"{id: north, customers: [{accountId: acc-a}]}":                                         {"viewer add"},
		"{id: north, customers: [{accountId: acc-a}, {accountId: acc-b}, {accountId: acc-c}]}": nil,
	} {
		undoes(t, o.Operator, "partners: ["+file+"]", want...)
	}
	apply(t, o.Operator, "partners: [{id: north, customers: [{accountId: acc-a}, {accountId: acc-b}]}]")
	left := notesOf(t, s, "north")
	if _, ofKey := left[directory.ViewerNote(directory.ViewerID(key.ID))]; len(left) != 2 || ofKey {
		t.Errorf("customers that a key's list has agree with that, and with nothing else: left are %v", left)
	}
	apply(t, o.Operator, "partners: [{id: north, status: suspended, viewers: [{subject: ann, customers: [{accountId: acc-b}]}]}]")
	if left := notesOf(t, s, "north"); len(left) != 0 {
		t.Errorf("then are left %v", left)
	}
	o.carryOut(o.PlanPersonRemoval(t.Context(), ann, false))
	undoes(t, o.Operator, "partners: [{id: north, viewers: [{subject: ann, customers: [{accountId: acc-b}]}]}]", "viewer remove")
	_, _, _, err = o.CreateNarrowKey(t.Context(), "north", "", operator.Expiry{}, listOf(t, "acc-a"))
	must(t, err)
	if left := notesOf(t, s, "north"); len(left) != 1 {
		t.Errorf("a key that is made undoes nothing, and leaves %v", left)
	}
}

// A suspended partner is one more's than the profile has room for.
func TestMoreNotesThanThereIsRoomForGuardAllOfThePartner(t *testing.T) {
	o, s := newOperator(t)
	var customers, granted strings.Builder
	var all []usage.AccountID
	for n := range 103 {
		account := fmt.Sprintf("acc-%03d", n)
		fmt.Fprintf(&customers, "  - {accountId: %s, name: N, products: [sms], currency: EUR, billingMode: prepaid}\n", account)
		fmt.Fprintf(&granted, "{accountId: %s}, ", account)
		all = append(all, usage.AccountID(account))
	}
	partner := "partners: [{id: north, name: North, customers: [" + granted.String() + "]}]\n"
	apply(t, o, partner+"customers:\n"+customers.String())
	plan, err := o.PlanWithoutGrants(t.Context(), "north", all[:101])
	must(t, err)
	must(t, o.Apply(t.Context(), plan))
	if notes := notesOf(t, s, "north"); len(notes) != 1 || notes[directory.ManyNotes].Command != "grant remove" {
		t.Fatalf("the notes are %v", notes)
	}
	undoes(t, o, partner, "grant remove")
	undoes(t, o, "partners: [{id: north, customers: [{accountId: acc-102}]}]", "grant remove")
	apply(t, o, "partners: [{id: north, customers: [{accountId: acc-101}, {accountId: acc-102}]}]")
	if notes := notesOf(t, s, "north"); len(notes) != 0 {
		t.Errorf("a file that agrees leaves %v", notes)
	}
}

// changesNorth are what a second operator may do between the first's reading and writing.
func changesNorth(o testOperator, key, list string) map[string]func(context.Context) (operator.Plan, error) {
	return map[string]func(context.Context) (operator.Plan, error){
		"grant add": func(ctx context.Context) (operator.Plan, error) { return o.PlanGrant(ctx, "north", "acc-c", nil) },
		"grant remove": func(ctx context.Context) (operator.Plan, error) {
			return o.PlanWithoutGrants(ctx, "north", []usage.AccountID{"acc-a"})
		},
		"partner suspend": func(ctx context.Context) (operator.Plan, error) {
			return o.PlanStatus(ctx, "north", directory.Suspended)
		},
		"key narrow": func(ctx context.Context) (operator.Plan, error) {
			return o.PlanNarrowKey(ctx, key, listOf(o.t, list))
		},
		"viewer add": func(ctx context.Context) (operator.Plan, error) {
			return o.PlanPerson(ctx, directory.Person{Partner: "north", Issuer: issuer, Subject: "ben"}, listOf(o.t, list))
		},
		"apply": func(ctx context.Context) (operator.Plan, error) {
			return o.Plan(ctx, parse(o.t, "partners: [{id: north, customers: [{accountId: acc-c}]}]"), false)
		},
		"partner delete": func(ctx context.Context) (operator.Plan, error) { return o.PlanPartnerDeletion(ctx, "north") },
	}
}

func TestASecondOperatorBetweenPlanAndWriteIsNoticed(t *testing.T) {
	for second := range changesNorth(testOperator{}, "", "") {
		for _, first := range []string{"apply", "grant add", "key narrow", "partner delete"} {
			o, s := withThreeCustomers(t)
			applyOver(t, o.Operator, fmt.Sprintf(northHas, "{accountId: acc-a}, {accountId: acc-b}"))
			_, key, err := o.CreateKey(t.Context(), "north", "", operator.Expiry{})
			must(t, err)
			plan, err := changesNorth(o, key.ID, "acc-a=sms")[first](t.Context())
			must(t, err)
			o.carryOut(changesNorth(o, key.ID, "acc-a=voice")[second](t.Context()))
			_, was, wasErr := s.PartnerWithGrants(t.Context(), "north")
			if err = o.Apply(t.Context(), plan); !errors.As(err, new(operator.Refused)) || !strings.Contains(err.Error(), "north was changed by somebody else since it was read") {
				t.Errorf("%s, planned before %s: %v", first, second, err)
			}
			_, is, isErr := s.PartnerWithGrants(t.Context(), "north")
			if diff := cmp.Diff(was, is); diff != "" || (wasErr == nil) != (isErr == nil) {
				t.Errorf("%s, planned before %s, has written:\n%s", first, second, diff)
			}
		}
	}
}

// The version is read before all that is compared: what a second operator does from then on is noticed.
func TestASecondOperatorWhileTheFirstReadsIsNoticed(t *testing.T) {
	for _, first := range []string{"apply", "grant add", "key narrow", "viewer add", "partner delete"} {
		tables, proxy := engine.NewTables(t), engine.NewProxy(t)
		second := testOperator{operator.New(dynamo.NewStore(engine.Client(t), tables), clock), t}
		o := testOperator{operator.New(dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), clock), t}
		apply(t, second.Operator, threeCustomers)
		_, key, err := second.CreateKey(t.Context(), "north", "", operator.Expiry{})
		must(t, err)
		noticed, calls := 0, 1
		for at := 1; at <= calls; at++ {
			applyOver(t, second.Operator, twoOfNorth)
			var n int
			var versioned, behind bool // the version was read; the second operator came after that
			var failed error
			proxy.Meddle(func(c dynamotest.Call, _ dynamotest.Answer) bool {
				if n++; n == at {
					behind = versioned
					failed = suspend(second.Operator)
				}
				versioned = versioned || bytes.Contains(c.Body, []byte("#version"))
				return false
			})
			plan, err := changesNorth(o, key.ID, []string{"acc-a=sms", "acc-a=voice"}[(at-1-noticed)%2])[first](t.Context())
			proxy.Meddle(nil)
			must(t, errors.Join(err, failed))
			calls, plan.Overwrite = n, true
			err = o.Apply(t.Context(), plan)
			if refused := errors.As(err, new(operator.Refused)); refused != (err != nil) || behind && !refused {
				t.Errorf("%s, at its read %d of %d: %v", first, at, calls, err)
			} else if refused {
				noticed++
			}
		}
		if noticed < 1 {
			t.Errorf("%s has noticed nothing in %d reads", first, calls)
		}
	}
}

const twoOfNorth = "partners: [{id: north, name: North, status: active, customers: [{accountId: acc-a}, {accountId: acc-b}]}]"

func suspend(o *operator.Operator) error {
	plan, err := o.PlanStatus(context.Background(), "north", directory.Suspended)
	if err != nil {
		return err
	}
	return o.Apply(context.Background(), plan)
}

func TestAClaimWhoseAnswerIsLostIsThePlansOwn(t *testing.T) {
	tables, lost := engine.NewTables(t), false
	server := httptest.NewServer(dynamotest.Relay(engine.Endpoint(t), func(_ context.Context, c dynamotest.Call, w dynamotest.Answer, on dynamotest.Onward) {
		reply := on(c.Body)
		if c.Operation == "UpdateItem" && bytes.Contains(c.Body, []byte("#version")) && bytes.Contains(c.Body, []byte(":before")) && !lost {
			lost = true
			dynamotest.Cut(w)
		}
		reply.Send(w)
	}))
	defer server.Close()
	o := operator.New(dynamo.NewStore(dynamotest.ClientOf(t, server.URL), tables), clock)
	apply(t, o, threeCustomers)
	must(t, suspend(o))
	if p, _, err := o.ShowPartner(t.Context(), "north"); err != nil || p.Status != directory.Suspended || !lost {
		t.Errorf("north is %s, %v; lost: %v", p.Status, err, lost)
	}
}

// While one waits for the lease, another may change the partner: what was to be given is not.
func TestASecondOperatorWhileTheFirstWaitsToWriteIsNoticed(t *testing.T) {
	o, s := withThreeCustomers(t)
	applyOver(t, o.Operator, twoOfNorth)
	plan, err := o.Plan(t.Context(), parse(t, "partners: [{id: north, customers: [{accountId: acc-a}, {accountId: acc-c}]}]\n"+
		"customers: [{accountId: acc-a, timeZone: Europe/Berlin}]"), false)
	must(t, err)
	lease, err := s.TakeLease(t.Context(), dynamo.LeaseWish{What: "another"})
	must(t, err)
	second := operator.New(s, clock)
	came := false
	o.Waiting = func(dynamo.LeaseBusy) {
		if !came {
			came = true
			if err := errors.Join(suspend(second), lease.GiveBack(t.Context())); err != nil {
				t.Error(err)
			}
		}
	}
	err = o.Apply(t.Context(), plan)
	if !errors.As(err, new(operator.UserError)) || errors.As(err, new(operator.Refused)) || !strings.Contains(err.Error(), "while this command waited") || !came {
		t.Errorf("apply says %v", err)
	}
	_, grants, err := o.ShowPartner(t.Context(), "north")
	must(t, err)
	if len(grants) != 1 || grants[0].Account != "acc-a" {
		t.Errorf("north has %+v", grants)
	}
}
