package access_test

import (
	"context"
	"slices"
	"testing"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/usage"
)

const issuer = "https://login.example.com/"

// signedIn is an issuer of which every token is a subject's, of northwind.
type signedIn struct{}

func (signedIn) Verify(_ context.Context, token string) (directory.Identity, error) {
	return directory.Identity{Partner: "northwind", KeyID: "oidc-" + token, Narrowed: directory.PersonID(issuer, token)}, nil
}

func put(t *testing.T, store *dynamo.Store, grants ...directory.Grant) {
	t.Helper()
	for _, g := range grants {
		if err := store.PutGrant(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
}

func northwindsOwn(viewer directory.ViewerID, account usage.AccountID, products ...usage.Product) directory.Grant {
	return directory.Grant{Partner: "northwind", Viewer: viewer, Account: account, Products: products, CustomerName: "C"}
}

// A viewer with a list of its own sees what both the list and its partner's grants
// allow, product by product, and never more than either.
func TestANarrowedViewerSeesWhatBothListsAllow(t *testing.T) {
	store, key := world(t)
	text := key(directory.AccessKey{Partner: "northwind", Narrowed: true})
	someone := directory.Person{Partner: "northwind", Issuer: issuer, Subject: "someone", CreatedAt: now}
	if err := store.PutPerson(t.Context(), someone); err != nil {
		t.Fatal(err)
	}
	elsewhere := directory.PersonID("https://login.example.org/", "someone")
	for credential, viewer := range map[string]directory.ViewerID{text: directory.ViewerID(text[4:16]), "someone": someone.ID()} {
		put(t, store,
			northwindsOwn(viewer, "blue.sky", usage.SMS, usage.Voice), // the partner sees its voice alone
			northwindsOwn(viewer, "other&co"),                         // which is not the partner's
			northwindsOwn(viewer, "is_gone"),
			northwindsOwn("aaaaaaaaaaaa", "acme_retail"), northwindsOwn(elsewhere, "acme_retail"), // somebody else's list
			directory.Grant{Partner: "southbank", Viewer: viewer, Account: "acme_retail", CustomerName: "C"},
		)
		guard := access.NewGuard(store, clock)
		guard.Tokens = signedIn{}
		decides(t, guard, map[string]asking{
			"the list may be asked for":                        {header: "Bearer " + credential, allowed: true},
			"what is on both lists may be seen":                {header: "Bearer " + credential, account: of("blue.sky"), allowed: true},
			"a customer of the partner that is on no list":     {header: "Bearer " + credential, account: of("acme_retail")},
			"a customer on the list that is not the partner's": {header: "Bearer " + credential, account: of("other&co")},
			"one on both lists that is gone":                   {header: "Bearer " + credential, account: of("is_gone")},
			"one that there is not":                            {header: "Bearer " + credential, account: of("nobody")},
		})
		d, err := guard.Decide(t.Context(), "Bearer "+credential, of("blue.sky"))
		if err != nil || d.Narrowed != viewer || !slices.Equal(d.Products, []usage.Product{usage.Voice}) {
			t.Errorf("of blue.sky, whose SMS its partner does not see, %s sees %v, by the list of %q: %v", viewer, d.Products, d.Narrowed, err)
		}
		put(t, store, northwindsOwn(viewer, "acme_retail", usage.SMS, usage.Video)) // the customer has no video
		d, err = guard.Decide(t.Context(), "Bearer "+credential, of("acme_retail"))
		if err != nil || !slices.Equal(d.Products, []usage.Product{usage.SMS}) {
			t.Errorf("of acme_retail, whose messaging its own list leaves out, %s reads %v: %v", viewer, d.Products, err)
		}
	}
	if err := store.DeleteGrant(t.Context(), directory.Grant{Partner: "northwind", Account: "blue.sky"}); err != nil {
		t.Fatal(err)
	}
	guard := access.NewGuard(store, clock)
	if d, err := guard.Decide(t.Context(), "Bearer "+text, of("blue.sky")); d.Allowed || err != nil {
		t.Errorf("a key reads the voice log of blue.sky, which was taken from its partner: %v", err)
	}
}

// A key that says that it is narrowed and has no list sees nothing: a list that was not
// written, or was lost, must not open everything.
func TestANarrowedKeyWithoutAListSeesNothing(t *testing.T) {
	store, key := world(t)
	decides(t, access.NewGuard(store, clock), map[string]asking{
		"no customer": {header: "Bearer " + key(directory.AccessKey{Partner: "northwind", Narrowed: true}), account: of("acme_retail")},
	})
	whole := key(directory.AccessKey{Partner: "northwind"})
	put(t, store, northwindsOwn(directory.ViewerID(whole[4:16]), "blue.sky"))
	decides(t, access.NewGuard(store, clock), map[string]asking{
		"a list of a key that is not narrowed says nothing": {header: "Bearer " + whole, account: of("acme_retail"), allowed: true},
	})
}

// Of a person nothing is said, or a list, or that they are refused; what the first sees
// is the stack's to say.
func TestAPersonSeesWhatIsSaidOfThem(t *testing.T) {
	for _, byDefault := range []directory.DefaultAccess{directory.SeesAll, directory.SeesNone} {
		store, _ := world(t)
		guard := access.NewGuard(store, clock)
		guard.Tokens, guard.PersonDefault = signedIn{}, byDefault
		for name, removed := range map[string]bool{"listed": false, "removed": true} {
			p := directory.Person{Partner: "northwind", Issuer: issuer, Subject: name, CreatedAt: now}
			if removed {
				p.RemovedAt = now
			}
			if err := store.PutPerson(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			put(t, store, northwindsOwn(p.ID(), "acme_retail"))
		}
		// What an interrupted command may have left behind of somebody.
		put(t, store, northwindsOwn(directory.PersonID(issuer, "left"), "acme_retail"))
		seesAll := byDefault == directory.SeesAll
		decides(t, guard, map[string]asking{
			"a listed one":                      {header: "Bearer listed", account: of("acme_retail"), allowed: true},
			"a listed one, what is not listed":  {header: "Bearer listed", account: of("blue.sky")},
			"a removed one":                     {header: "Bearer removed", account: of("acme_retail"), refused: true},
			"a removed one, the list":           {header: "Bearer removed", refused: true},
			"one of whom nothing is said":       {header: "Bearer nobody", account: of("acme_retail"), allowed: seesAll},
			"one of whom a list alone was left": {header: "Bearer left", account: of("acme_retail"), allowed: seesAll},
			"anybody may ask for their list":    {header: "Bearer nobody", allowed: true},
			"nobody sees another partner's":     {header: "Bearer nobody", account: of("other&co")},
		})
		for _, nobody := range []string{"nobody", "left"} {
			d, err := guard.Decide(t.Context(), "Bearer "+nobody, nil)
			if want := map[bool]directory.ViewerID{true: "", false: directory.NoList}[seesAll]; err != nil || d.Narrowed != want {
				t.Errorf("with the default %s, %s, of whom nothing is said, lists the customers of %q: %v", byDefault, nobody, d.Narrowed, err)
			}
		}
	}
}

// However narrow the viewer: what is not theirs takes the same reads as what is not
// their partner's, and what there is not; and none more.
func TestWhatANarrowedViewerMayNotSeeIsReadLikeWhatThereIsNot(t *testing.T) {
	store, key := world(t)
	text := key(directory.AccessKey{Partner: "northwind", Narrowed: true})
	put(t, store, northwindsOwn(directory.ViewerID(text[4:16]), "blue.sky"))
	for _, account := range []string{"blue.sky", "acme_retail", "other&co", "nobodys_own", "not_there"} {
		counted, reads := counting(store)
		d, err := access.NewGuard(counted, clock).Decide(t.Context(), "Bearer "+text, &account)
		if d.Allowed != (account == "blue.sky") || err != nil || reads.Load() != 3 {
			t.Errorf("%s: allowed %v, %v after %d reads; want 3", account, d.Allowed, err, reads.Load())
		}
	}
}

// astray is a store that answers with the grant of somebody else's list.
type astray struct {
	access.Store
	own directory.Grant
}

func (s astray) Standing(ctx context.Context, id directory.PartnerID, viewer directory.ViewerID, account usage.AccountID) (directory.Standing, error) {
	stands, err := s.Store.Standing(ctx, id, viewer, account)
	stands.Own = &s.own
	return stands, err
}

func TestAnEntryOfSomebodyElsesListDoesNotCount(t *testing.T) {
	store, key := world(t)
	text := key(directory.AccessKey{Partner: "northwind", Narrowed: true})
	viewer := directory.ViewerID(text[4:16])
	for _, wrong := range []directory.Grant{
		northwindsOwn("", "acme_retail"), northwindsOwn("aaaaaaaaaaaa", "acme_retail"), northwindsOwn(viewer, "blue.sky"),
		{Partner: "southbank", Viewer: viewer, Account: "acme_retail"},
	} {
		d, err := access.NewGuard(astray{store, wrong}, clock).Decide(t.Context(), "Bearer "+text, of("acme_retail"))
		if d.Allowed || err != nil {
			t.Errorf("the key reads acme_retail, which is not on its list, by %+v: %v", wrong, err)
		}
	}
}
