package dynamo_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

func TestPartnerAndGrant(t *testing.T) {
	s := engine.NewStore(t)
	p := directory.Partner{ID: "northwind", Name: "Northwind Resellers", Status: directory.Suspended}
	must(t, s.PutPartner(t.Context(), p))
	all := directory.Grant{Partner: "northwind", Account: "acme_retail", CustomerName: "Acme"}
	some := directory.Grant{Partner: "northwind", Account: "b&b", CustomerName: "Beta", Products: []usage.Product{usage.Voice, usage.SMS}}
	must(t, s.PutGrant(t.Context(), all))
	must(t, s.PutGrant(t.Context(), some))
	must(t, s.PutAccessKey(t.Context(), accessKey("4fzyo82mXw3b", "northwind")))

	partner, grants, err := s.PartnerWithGrants(t.Context(), "northwind")
	must(t, err)
	if diff := cmp.Diff(p, partner); diff != "" {
		t.Errorf("partner (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]directory.Grant{all, some}, grants); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}
	for account, want := range map[usage.AccountID][]usage.Product{"acme_retail": nil, "b&b": some.Products} {
		partner, g, err := partnerAndGrant(t, s, "northwind", account)
		must(t, err)
		if g == nil || g.Account != account || !slices.Equal(g.Products, want) || partner.Status != directory.Suspended {
			t.Errorf("%s: got partner %+v, grant %+v", account, partner, g)
		}
	}
	for _, account := range []usage.AccountID{"", "Acme_Retail", "acme", "PROFILE"} {
		if _, g, err := partnerAndGrant(t, s, "northwind", account); err != nil || g != nil {
			t.Errorf("%q: got grant %+v, error %v; want neither", account, g, err)
		}
	}
	must(t, s.DeleteGrant(t.Context(), directory.Grant{Partner: "northwind", Account: "acme_retail"}))
	must(t, s.DeleteGrant(t.Context(), directory.Grant{Partner: "northwind", Account: "acme_retail"})) // again: no error
	if _, g, err := partnerAndGrant(t, s, "northwind", "acme_retail"); err != nil || g != nil {
		t.Errorf("after deletion: got grant %+v, error %v; want neither", g, err)
	}
	for _, account := range []usage.AccountID{"", "acme_retail"} {
		if _, _, err := partnerAndGrant(t, s, "nobody", account); !fault.Is(err, fault.NotFound) {
			t.Errorf("unknown partner: got %v, want not found", err)
		}
	}
}

// A directory file says nothing of plans: to apply one must not end the metering.
func TestAGatewayKeyOutlivesWritesOfItsPartner(t *testing.T) {
	s := engine.NewStore(t)
	key := directory.GatewayKey{ID: "k1", Value: "secret"}
	for _, err := range []error{s.PutGatewayKey(t.Context(), "northwind", key), s.DeleteGatewayKey(t.Context(), "northwind")} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("for a partner that is not there: got %v, want not found", err)
		}
	}
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Name: "Northwind", Status: directory.Active}))
	must(t, s.PutGatewayKey(t.Context(), "northwind", key))
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Name: "North", Status: directory.Suspended}))
	read := func() (id string, value directory.Secret) {
		t.Helper()
		operators, err := s.Partner(t.Context(), "northwind")
		must(t, err)
		listed, _, err := s.PartnerWithGrants(t.Context(), "northwind")
		must(t, err)
		authorizers, _, err := partnerAndGrant(t, s, "northwind", "")
		must(t, err)
		if operators.Name != "North" || operators.Status != directory.Suspended || operators.GatewayKey.Value != "" || listed.GatewayKey != operators.GatewayKey || authorizers.GatewayKey.ID != "" {
			t.Errorf("read are %+v, %+v and %+v: the value is the authorizer's alone", operators, listed, authorizers)
		}
		return operators.GatewayKey.ID, authorizers.GatewayKey.Value
	}
	if id, value := read(); id != key.ID || value != key.Value {
		t.Errorf("after another name the gateway key is %q, %q", id, value.Reveal())
	}
	for range 2 {
		must(t, s.DeleteGatewayKey(t.Context(), "northwind"))
	}
	if id, value := read(); id != "" || value != "" {
		t.Errorf("deleted, the gateway key is %q, %q", id, value.Reveal())
	}
}

func TestRenameMovesACustomerInEachPartnersList(t *testing.T) {
	s := engine.NewStore(t)
	loadNorthwind(t, s)
	grant(t, s, "other", customer("g-7", "Якорь"))

	lists, err := s.ListsWith(t.Context(), "g-7")
	must(t, err)
	var partners []directory.PartnerID
	for _, g := range lists {
		partners = append(partners, g.Partner)
	}
	slices.Sort(partners)
	if !slices.Equal(partners, []directory.PartnerID{"northwind", "other"}) {
		t.Fatalf("g-7 is granted to %v", partners)
	}
	for _, p := range append(partners, "third") {
		must(t, s.RenameGrant(t.Context(), directory.Grant{Partner: p, Account: "g-7"}, "Aardvark"))
	}
	for _, p := range partners {
		if got := list(t, s, p, directory.CustomerQuery{Limit: 100}); got[0] != "g-7" {
			t.Errorf("%s: the list begins with %s, want the renamed customer", p, got[0])
		}
	}
	_, g, err := partnerAndGrant(t, s, "northwind", "g-7")
	must(t, err)
	if !slices.Equal(g.Products, []usage.Product{usage.SMS}) {
		t.Errorf("the renamed grant shows %v, want what it showed before", g.Products)
	}
	if _, grants, _ := s.PartnerWithGrants(t.Context(), "third"); len(grants) != 0 {
		t.Error("renaming made a grant where there was none")
	}
}
