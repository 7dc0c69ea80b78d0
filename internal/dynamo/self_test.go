package dynamo_test

import (
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// told is what a viewer is told of itself, as "name/label: 1 of 3".
func told(t *testing.T, s *dynamo.Store, who directory.Identity) string {
	t.Helper()
	self, err := s.Self(t.Context(), who)
	must(t, err)
	count := func(n *int) string {
		if n == nil {
			return "many"
		}
		return strconv.Itoa(*n)
	}
	return self.PartnerName + "/" + self.Label + ": " + count(self.Customers) + " of " + count(self.PartnerCustomers)
}

// Counted are the customers that both lists have: neither another viewer's, nor one that
// only another partner has, whose number nobody here may learn.
func TestAViewerIsToldHowManyCustomersItSees(t *testing.T) {
	s := engine.NewStore(t)
	acme, blue, cedar, delta := customer("z-acme", "Acme"), customer("y-blue", "Blue Sky"), customer("x-cedar", "Cedar"), customer("w-delta", "Delta")
	for _, c := range []directory.Customer{acme, blue, delta} {
		grant(t, s, "northwind", c)
	}
	grant(t, s, "southbank", cedar)
	for _, id := range []directory.PartnerID{"northwind", "southbank"} {
		must(t, s.PutPartner(t.Context(), directory.Partner{ID: id, Name: "The " + string(id), Status: directory.Active}))
	}
	must(t, s.PutAccessKey(t.Context(), accessKey("4fzyo82mXw3b", "northwind")))
	someone := directory.Person{Partner: "northwind", Issuer: issuer, Subject: "auth0|5f2c", Name: "Billing desk", CreatedAt: now}
	must(t, s.PutPerson(t.Context(), someone))
	for _, g := range []directory.Grant{
		ownGrant("4fzyo82mXw3b", acme), ownGrant("4fzyo82mXw3b", cedar), ownGrant(someone.ID(), acme, usage.SMS), ownGrant(someone.ID(), blue),
	} {
		must(t, s.PutGrant(t.Context(), g))
	}
	for claim, c := range map[string]struct {
		who  directory.Identity
		want string
	}{
		"a key that is not narrowed":                {directory.Identity{Partner: "northwind", KeyID: "4fzyo82mXw3b"}, "The northwind/ci: 3 of 3"},
		"one that is, with another partner's on it": {directory.Identity{Partner: "northwind", KeyID: "4fzyo82mXw3b", Narrowed: "4fzyo82mXw3b"}, "The northwind/ci: 1 of 3"},
		"a person, whose name is the operator's":    {directory.Identity{Partner: "northwind", KeyID: "oidc-0123456789abcdef", Narrowed: someone.ID()}, "The northwind/: 2 of 3"},
		"a viewer without a list":                   {directory.Identity{Partner: "northwind", KeyID: "aaaaaaaaaaaa", Narrowed: "aaaaaaaaaaaa"}, "The northwind/: 0 of 3"},
		"another partner":                           {directory.Identity{Partner: "southbank", KeyID: "bbbbbbbbbbbb"}, "The southbank/: 1 of 1"},
	} {
		if got := told(t, s, c.who); got != c.want {
			t.Errorf("%s is told %q, want %q", claim, got, c.want)
		}
	}
	if _, err := s.Self(t.Context(), directory.Identity{Partner: "eastgate", KeyID: "4fzyo82mXw3b"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("a partner that is gone: %v", err)
	}
}

// A list that is too long to count is not read on: the other is looked up in it.
func TestAThousandCustomersAreCountedAndNoMore(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	s, proxy, direct := proxied(t)
	fill := func(from, n int, grantOf func(directory.Customer) directory.Grant) {
		var all errgroup.Group
		all.SetLimit(8)
		for i := from; i < from+n; i++ {
			all.Go(func() error {
				return direct.PutGrant(t.Context(), grantOf(customer(usage.AccountID(name("acc-%04d", i)), name("Customer %04d", i))))
			})
		}
		must(t, all.Wait())
	}
	ofPartner := func(c directory.Customer) directory.Grant {
		return directory.Grant{Partner: "northwind", Account: c.Account, CustomerName: c.Name}
	}
	own := func(viewer directory.ViewerID) func(directory.Customer) directory.Grant {
		return func(c directory.Customer) directory.Grant { return ownGrant(viewer, c) }
	}
	must(t, direct.PutPartner(t.Context(), directory.Partner{ID: "northwind", Status: directory.Active}))
	few, many := directory.Identity{Partner: "northwind", KeyID: "few", Narrowed: "few"}, directory.Identity{Partner: "northwind", KeyID: "many", Narrowed: "many"}
	fill(0, 1000, ofPartner)
	fill(950, 101, own("few"))
	fill(600, 1001, own("many"))
	for _, c := range []struct {
		claim string
		who   directory.Identity
		want  string
		calls int
	}{
		{"all of 1,000", directory.Identity{Partner: "northwind"}, "/: 1000 of 1000", 2},
		{"a short list, of which the partner lacks some", few, "/: 50 of 1000", 3},
		{"a long list", many, "/: 400 of 1000", 3 + 10},
	} {
		proxy.Calls()
		if got, calls := told(t, s, c.who), len(proxy.Operations()); got != c.want || calls != c.calls {
			t.Errorf("%s: told %q in %d calls, want %q in %d", c.claim, got, calls, c.want, c.calls)
		}
	}
	fill(1000, 1, ofPartner)
	for claim, c := range map[string]struct {
		who  directory.Identity
		want string
	}{
		"all of 1,001":            {directory.Identity{Partner: "northwind"}, "/: many of many"},
		"a short list of 1,001":   {few, "/: 51 of many"},
		"two lists of over 1,000": {many, "/: many of many"},
	} {
		if got := told(t, s, c.who); got != c.want {
			t.Errorf("%s: told %q, want %q", claim, got, c.want)
		}
	}
}

// A name that cannot be read is our fault, and not nobody's name.
func TestANameThatCannotBeReadIsAFault(t *testing.T) {
	tables, db := engine.NewTables(t), engine.Client(t)
	putItem(t, db, tables.Partners, attributes{"pk": "PARTNER#northwind", "sk": "PROFILE", "name": 7})
	if self, err := dynamo.NewStore(db, tables).Self(t.Context(), directory.Identity{Partner: "northwind"}); !fault.Is(err, fault.Internal) {
		t.Errorf("it is read as %+v, %v", self, err)
	}
}
