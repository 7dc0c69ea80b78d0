package api_test

import (
	"context"
	"testing"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// Who is narrowed reads so, and how many of its partner's customers it sees: not those
// that it would see if its partner were asked alone.
func TestANarrowedViewerIsToldSo(t *testing.T) {
	s := acme(t)
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Name: "Northwind & Söhne", Status: directory.Active}))
	must(t, s.PutAccessKey(t.Context(), directory.AccessKey{ID: "4fzyo82mXw3b", Partner: "northwind", Label: "billing export", Narrowed: true, CreatedAt: now}))
	for _, account := range []usage.AccountID{"smith&sons", "tanaka.shoten"} {
		must(t, s.PutGrant(t.Context(), directory.Grant{Partner: "northwind", Account: account, CustomerName: "Other"}))
	}
	must(t, s.PutGrant(t.Context(), directory.Grant{Partner: "northwind", Viewer: "4fzyo82mXw3b", Account: "acme_retail", CustomerName: "Acme Retail"}))
	who := directory.Viewer{Identity: directory.Identity{Partner: "northwind", KeyID: "4fzyo82mXw3b", Narrowed: "4fzyo82mXw3b"}}
	want := `{"partnerId":"northwind","partnerName":"Northwind & Söhne","keyId":"4fzyo82mXw3b","label":"billing export","customers":1,"partnerCustomers":3,"narrowed":true}`
	if w := ask(t, s, who, "/me"); w.Code != 200 || w.Body.String() != want {
		t.Errorf("status %d\n got %s\nwant %s", w.Code, w.Body, want)
	}
}

// uncounted is a store whose viewers have too many customers to count; gone, one whose
// partner is gone.
type uncounted struct{ canned }

func (uncounted) Self(context.Context, directory.Identity) (directory.Self, error) {
	return directory.Self{PartnerName: "Northwind"}, nil
}

type gone struct{ canned }

func (gone) Self(context.Context, directory.Identity) (directory.Self, error) {
	return directory.Self{}, fault.New(fault.NotFound, "partner northwind", nil)
}

func TestWhatIsNotCountedIsNull(t *testing.T) {
	want := `{"partnerId":"northwind","partnerName":"Northwind","keyId":"k","label":null,"customers":null,"partnerCustomers":null,"narrowed":false}`
	if w := ask(t, uncounted{}, north, "/me"); w.Code != 200 || w.Body.String() != want {
		t.Errorf("status %d\n got %s\nwant %s", w.Code, w.Body, want)
	}
}

// A decision may outlive its partner by a minute; asked again, the authorizer refuses.
func TestAPartnerThatIsGoneIsToTryAgain(t *testing.T) {
	wantProblem(t, ask(t, gone{}, north, "/me"), 503, "unavailable")
	wantProblem(t, ask(t, canned{}, nil, "/me"), 500, "internal")
}
