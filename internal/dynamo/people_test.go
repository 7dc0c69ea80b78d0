package dynamo_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

const issuer = "https://login.example.com/"

func ownGrant(viewer directory.ViewerID, c directory.Customer, products ...usage.Product) directory.Grant {
	return directory.Grant{Partner: "northwind", Viewer: viewer, Account: c.Account, Products: products, CustomerName: c.Name}
}

func TestWhatIsSaidOfAPersonComesBack(t *testing.T) {
	s := engine.NewStore(t)
	someone := directory.Person{Partner: "northwind", Issuer: issuer, Subject: "auth0|5f2c", Name: "Billing desk", CreatedAt: now}
	other := directory.Person{Partner: "northwind", Issuer: issuer, Subject: "auth0|77", CreatedAt: now}
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Status: directory.Active}))
	for _, p := range []directory.Person{someone, other, {Partner: "southbank", Issuer: issuer, Subject: "auth0|5f2c", CreatedAt: now}} {
		must(t, s.PutPerson(t.Context(), p))
	}
	must(t, s.PutAccessKey(t.Context(), accessKey("4fzyo82mXw3b", "northwind")))
	if people, err := s.People(t.Context(), "northwind"); err != nil || !cmp.Equal(people, []directory.Person{other, someone}) {
		t.Errorf("northwind's people are %+v, %v", people, err)
	}
	state := func() directory.PersonState {
		stands, err := s.Standing(t.Context(), "northwind", someone.ID(), "")
		must(t, err)
		return stands.Person
	}
	if got := state(); got != directory.Listed {
		t.Errorf("somebody with a list is %q", got)
	}
	removed, err := s.RemovePerson(t.Context(), "northwind", someone.ID(), now)
	if want := someone; err != nil || removed.RemovedAt != now || removed.Subject != want.Subject || state() != directory.Removed {
		t.Errorf("removed: %+v, %v, state %q", removed, err, state())
	}
	if again, err := s.RemovePerson(t.Context(), "northwind", someone.ID(), now.Add(1e9)); err != nil || again.RemovedAt != now {
		t.Errorf("removed again: %+v, %v; want the first time", again, err)
	}
	if _, err := s.RemovePerson(t.Context(), "northwind", directory.PersonID(issuer, "nobody"), now); !fault.Is(err, fault.NotFound) {
		t.Errorf("nobody is removed: %v", err)
	}
	must(t, s.DeletePerson(t.Context(), "northwind", someone.ID()))
	if _, err := s.Person(t.Context(), "northwind", someone.ID()); !fault.Is(err, fault.NotFound) || state() != directory.NoEntry {
		t.Errorf("who was forgotten is %q, %v", state(), err)
	}
	if ids, err := s.PeopleIDs(t.Context(), "northwind"); err != nil || !slices.Equal(ids, []directory.ViewerID{other.ID()}) {
		t.Errorf("left are %v, %v", ids, err)
	}
}

// An entry that cannot be read must not be taken for none: a person of whom nothing is
// said may see all.
func TestAnEntryThatCannotBeReadIsAFault(t *testing.T) {
	tables, db := engine.NewTables(t), engine.Client(t)
	s := dynamo.NewStore(db, tables)
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Status: directory.Active}))
	id := directory.PersonID(issuer, "someone")
	for _, entry := range []attributes{{"status": "gone"}, {"issuer": issuer}} {
		entry["pk"], entry["sk"] = "VIEWER#northwind#"+string(id), "PROFILE"
		putItem(t, db, tables.Partners, entry)
		if stands, err := s.Standing(t.Context(), "northwind", id, ""); !fault.Is(err, fault.Internal) {
			t.Errorf("%v is read as %q, %v", entry, stands.Person, err)
		}
	}
	must(t, s.PutAccessKey(t.Context(), accessKey("4fzyo82mXw3b", "northwind")))
	putItem(t, db, tables.Partners, attributes{"pk": "KEY#4fzyo82mXw3b", "sk": "PROFILE", "partnerId": "northwind", "narrowed": "true"})
	if key, err := s.AccessKey(t.Context(), "4fzyo82mXw3b"); !fault.Is(err, fault.Internal) {
		t.Errorf("a key that is narrowed by another word is read as %+v, %v", key, err)
	}
}

// A narrowed viewer's customers stand in the order of all lists, with the products that
// its list and its partner's grants both allow; what its partner does not see is not there.
func TestANarrowedViewersListIsWhatBothAllow(t *testing.T) {
	s := engine.NewStore(t)
	const viewer = directory.ViewerID("4fzyo82mXw3b")
	acme, blue, cedar, delta := customer("z-acme", "Acme"), customer("y-blue", "Blue Sky"), customer("x-cedar", "Cedar"), customer("w-delta", "Delta")
	grant(t, s, "northwind", acme)
	grant(t, s, "northwind", blue, usage.Voice, usage.Video)
	grant(t, s, "northwind", delta)
	grant(t, s, "southbank", cedar)
	for _, g := range []directory.Grant{
		ownGrant(viewer, blue, usage.Voice, usage.SMS), ownGrant(viewer, acme), ownGrant(viewer, cedar),
		ownGrant("aaaaaaaaaaaa", delta), // somebody else's
	} {
		must(t, s.PutGrant(t.Context(), g))
	}
	who := directory.Identity{Partner: "northwind", Narrowed: viewer}
	for claim, c := range map[string]struct {
		q    directory.CustomerQuery
		want []string
	}{
		"all":                                  {directory.CustomerQuery{Limit: 10}, []string{"z-acme sms,voice,video,messaging", "y-blue voice"}},
		"what a search finds":                  {directory.CustomerQuery{Limit: 10, Search: directory.NewSearch("blue")}, []string{"y-blue voice"}},
		"what only the partner sees":           {directory.CustomerQuery{Limit: 10, Search: directory.NewSearch("delta")}, nil},
		"what only the viewer's list has":      {directory.CustomerQuery{Limit: 10, Search: directory.NewSearch("cedar")}, nil},
		"a product that only the list allows":  {directory.CustomerQuery{Limit: 10, Product: usage.SMS}, []string{"z-acme sms,voice,video,messaging"}},
		"a product that only the partner sees": {directory.CustomerQuery{Limit: 10, Product: usage.Video}, []string{"z-acme sms,voice,video,messaging"}},
		"a product that both allow":            {directory.CustomerQuery{Limit: 10, Product: usage.Voice}, []string{"z-acme sms,voice,video,messaging", "y-blue voice"}},
		"behind the first":                     {directory.CustomerQuery{Limit: 10, After: directory.SortKey("Acme", "z-acme")}, []string{"y-blue voice"}},
	} {
		page, err := s.Customers(t.Context(), who, c.q)
		must(t, err)
		var got []string
		for _, c := range page.Customers {
			got = append(got, string(c.Account)+" "+directory.JoinProducts(c.Products))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: the viewer sees %q, want %q", claim, got, c.want)
		}
	}
}

// Whoever reads grants knows a viewer's from its partner's.
func TestAViewersGrantIsNotItsPartners(t *testing.T) {
	s := engine.NewStore(t)
	acme := customer("acme_retail", "Acme")
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Name: "Northwind", Status: directory.Active}))
	must(t, s.PutPerson(t.Context(), directory.Person{Partner: "northwind", Issuer: issuer, Subject: "someone", CreatedAt: now}))
	viewer := directory.PersonID(issuer, "someone")
	own := ownGrant(viewer, acme, usage.SMS)
	must(t, s.PutGrant(t.Context(), own))
	if lists, err := s.ListsWith(t.Context(), "acme_retail"); err != nil || len(lists) != 1 || lists[0].Viewer != viewer || lists[0].Partner != "northwind" {
		t.Errorf("acme_retail is on the lists %v, %v: it stands on a viewer's list alone", lists, err)
	}
	if all, err := s.AllPartners(t.Context(), now); err != nil || len(all) != 1 || all[0].Customers != 0 {
		t.Errorf("the partners are %+v, %v", all, err)
	}
	if _, grants, err := s.PartnerWithGrants(t.Context(), "northwind"); err != nil || len(grants) != 0 {
		t.Errorf("northwind's grants are %+v, %v", grants, err)
	}
	if all, err := s.AllGrants(t.Context()); err != nil || !cmp.Equal(all, []directory.Grant{own}) {
		t.Errorf("all grants are %+v, %v", all, err)
	}
	must(t, s.RenameGrant(t.Context(), own, "Zebra"))
	renamed := own
	renamed.CustomerName = "Zebra"
	if list, err := s.GrantsOf(t.Context(), "northwind", viewer); err != nil || !cmp.Equal(list, []directory.Grant{renamed}) {
		t.Errorf("the viewer's list is %+v, %v", list, err)
	}
	must(t, s.DeleteGrant(t.Context(), own))
	if list, err := s.GrantsOf(t.Context(), "northwind", viewer); err != nil || len(list) != 0 {
		t.Errorf("the viewer's list is %+v, %v", list, err)
	}
}

// A key that is narrowed, or no longer, keeps all else.
func TestAKeyIsNarrowedAndWidened(t *testing.T) {
	s := engine.NewStore(t)
	want := accessKey("4fzyo82mXw3b", "northwind")
	must(t, s.PutAccessKey(t.Context(), want))
	for _, narrowed := range []bool{true, true, false, false} {
		change := s.WidenAccessKey
		if want.Narrowed = narrowed; narrowed {
			change = s.NarrowAccessKey
		}
		must(t, change(t.Context(), want.ID))
		if got, err := s.GetAccessKey(t.Context(), want.ID); err != nil || got != want {
			t.Errorf("the key is %+v, %v, want %+v", got, err, want)
		}
	}
	if err := s.NarrowAccessKey(t.Context(), "aaaaaaaaaaaa"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a key that there is not is narrowed: %v", err)
	}
}
