package browser

import (
	"net/http"
	"testing"
)

func TestThePageSaysWhoIsSignedInAndOfWhichPartner(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.signsIn("#/customers")
		p.sees(".partner-name", "northwind")
		p.sees(".key-id", "stage") // the key's label
		p.clicks("tbody a", "Acme")
		p.isOnOverview()
		p.clicks("#menu a", "SMS")
		p.settles()
		p.sees(".partner-name", "northwind")
		if n := s.AskedMe(); n != 1 {
			t.Errorf("who asks was asked %d times", n)
		}
		p.tells("somebody who sees all", "document.querySelectorAll('.narrowed').length", "0")
		p.clicks("button", "Sign out")
		p.sees("[role=status]", signedOut)
		p.tells("signed out", "document.querySelectorAll('.key-id, .partner-name').length", "0")
	})
}

// What the bar on top does not know, no view waits for.
func TestAListIsShownWhereWhoAsksCannotBeTold(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		s.Inject(Fault{Match: "/v1/me", Status: http.StatusServiceUnavailable, Code: "unavailable"})
		p.signsIn("#/customers")
		p.hasRows(61)
		waitUntil(t, "the answers to all", func() bool { return s.AtWork() == 0 })
		p.must(p.Eval("fetch('openapi.yaml').then((answer) => answer.text()).then(() => 0)", nil)) // and the page to have heard of them
		p.sees(".key-id code", "")
		p.tells("a problem that takes nothing away", "document.querySelectorAll('[role=alert]').length", "0")
		s.Inject()
		p.clicks("tbody a", "Acme")
		p.sees(".partner-name", "northwind") // asked again
	})
}

// What somebody has not been given is neither shown nor counted as theirs.
func TestANarrowedPersonSeesWhatTheyWereGivenAndReadsOfHowMany(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, _ *gate, p *person) {
		p.signsInAs("#/customers", "nia", "demo-three")
		p.sees(".narrowed", "3 of 61 customers")
		p.sees(".key-id", "Nia Northwind")
		p.sees(".partner-name", "northwind")
		p.hasRows(3)
		p.shows("customers", []string{"acme_retail", "quiet.account", "edo_travel"}, p.rows())
		p.goes("#/customers/cobalt%26sons")
		p.sees("[role=alert]", noSuchCustomer)
	})
}

func TestAPersonWithoutCustomersIsToldWhomToAsk(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, _ *gate, p *person) {
		p.signsInAs("#/customers", "nils", "demo-none")
		p.sees(".narrowed", "0 of 61 customers")
		p.sees(".empty", "None of the customers of northwind is assigned to you. Ask whoever manages access there, or the platform’s operator")
	})
}
