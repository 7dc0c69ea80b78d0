package browser

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"partnerview/internal/dev/sample"
)

// entersAtIssuer fills in the issuer's form, where the person is.
func (p *person) entersAtIssuer(login, password string) {
	p.t.Helper()
	p.sees("h1", "Demo issuer")
	p.types("User", login)
	p.types("Password", password)
	p.presses("Enter")
}

// signsInAtIssuer opens the page at a fragment and signs in there by single sign-on, as
// somebody who sees all customers of a partner.
func (p *person) signsInAtIssuer(fragment string) {
	p.t.Helper()
	p.signsInAs(fragment, "nora", "demo-northwind")
}

func (p *person) signsInAs(fragment, login, password string) {
	p.t.Helper()
	p.goes(fragment)
	p.clicks("button", continueSSO)
	p.entersAtIssuer(login, password)
	p.must(p.Wait("the tokens", "location.href.startsWith("+quoted(p.site.URL)+") && sessionStorage.getItem('partnerview.tokens')"))
	p.settles()
}

// tokens are what is kept of them, as text.
func (p *person) tokens() string {
	p.t.Helper()
	return p.evaluates("sessionStorage.getItem('partnerview.tokens')")
}

// tokensEnd ends the life of the tokens, for the page.
func (p *person) tokensEnd() {
	p.t.Helper()
	p.must(p.Eval("sessionStorage.setItem('partnerview.tokens', JSON.stringify({...JSON.parse(sessionStorage.getItem('partnerview.tokens')), ends: Date.now()}))", nil))
}

func (p *person) keepsNothing() {
	p.t.Helper()
	// But for a mark that the issuer was asked, or need not be.
	p.tells("what is kept", "JSON.stringify([Object.entries(sessionStorage).filter((e) => String(e) !== 'partnerview.asked,yes'), localStorage.length])", `[[],0]`)
}

func TestSigningInAtTheIssuerLeadsToTheViewThatWasAskedFor(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, _ *gate, p *person) {
		fragment := p.log("sms") + "?direction=outbound&status=delivered"
		p.signsInAtIssuer(fragment)
		p.sees("h1", "SMS")
		p.isAt(fragment)
		p.counts("the log", 100)
		p.sees(".key-id", "Nora Northwind")
		p.tells("what is kept", "JSON.stringify([Object.keys(sessionStorage), localStorage.length, document.cookie, location.search])", `[["partnerview.tokens"],0,"",""]`)
		var kept struct{ Access, Refresh, ID string }
		p.must(p.Eval("JSON.parse(sessionStorage.getItem('partnerview.tokens'))", &kept))
		page := p.evaluates("document.documentElement.outerHTML + location.href")
		for name, token := range map[string]string{"access": kept.Access, "refresh": kept.Refresh, "ID": kept.ID} {
			if token == "" {
				t.Errorf("there is no %s token", name)
			}
			if strings.Contains(page, token) {
				t.Errorf("the %s token is on the page", name)
			}
			if requests := strings.Join(p.Requests(), "\n"); strings.Contains(requests, token) || strings.Contains(requests, "code_verifier") {
				t.Errorf("the %s token is in an address", name)
			}
		}
		p.reloads()
		p.arrivesAt("SMS")
		p.isAt(fragment)
	})
}

// The product itself, whose authorizer checks each token: what a person sees is what
// the API answers to a key of the same partner, and after the token's life too.
func TestAPersonOfAPartnerSeesItsCustomers(t *testing.T) {
	g, site := productWithIssuer(t)
	inTurn(t, func(t *testing.T, in *Browser) {
		renewed := g.granted("refresh_token")
		fragment := logFragment(site, "sms") + "?direction=outbound"
		p := opens(t, in, site, desk)
		p.signsInAtIssuer(fragment)
		p.isAt(fragment)
		want := ids(asks[pageAnswer[recordAnswer]](t, site, usagePath(site, "sms"), url.Values{"direction": {"outbound"}, "limit": {"100"}}).Data)
		p.shows("the records", want, p.rows())
		p.tokensEnd()
		p.clicks("#menu a", "All customers")
		p.sees("h1", "Manage customers")
		p.loadsAll()
		var customers []string
		for _, c := range all[customerAnswer](t, site, "customers", nil) {
			customers = append(customers, c.AccountID)
		}
		p.shows("the customers", customers, p.rows())
		if g.granted("refresh_token") == renewed {
			t.Error("no token was renewed")
		}
		if leaks := sample.Leaks(p.evaluates("location.href + document.documentElement.outerHTML + JSON.stringify(sessionStorage)")); leaks != nil {
			t.Errorf("the page holds %q", leaks)
		}

		p.clicks("button", "Sign out")
		p.sees("[role=status]", signedOut)
		p.clicks("button", continueSSO)
		p.entersAtIssuer("edda", "demo-eastgate") // of a partner that is suspended
		p.sees("[role=alert]", noAccess)
		p.keepsNothing()
	})
}

func TestTokensAreRenewedOnceForAllWhoWait(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, g *gate, p *person) {
		p.signsInAtIssuer("#/customers")
		for round := range 2 {
			before, renewed := p.tokens(), g.granted("refresh_token")
			p.tokensEnd()
			if round == 0 {
				p.goes("#/customers/acme_retail") // five requests at once
				p.sees("#banner", "Acme Retail GmbH")
			} else {
				p.clicks("#menu a", "SMS")
				p.sees("h1", "SMS")
			}
			p.settles()
			if round == 0 {
				p.sees(".figure-value", "")
			} else if len(p.rows()) == 0 {
				t.Fatal("there are no rows")
			}
			if n := g.granted("refresh_token") - renewed; n != 1 {
				t.Errorf("tokens were renewed %d times", n)
			}
			if p.tokens() == before {
				t.Error("the tokens are the old ones")
			}
		}
	})
}

func TestATokenThatIsRefusedIsRenewedOnceAndAskedWithAgain(t *testing.T) {
	withIssuer(t, func(t *testing.T, s *Stage, g *gate, p *person) {
		p.signsInAtIssuer("#/customers")
		s.Inject(Fault{Match: "/usage/sms", Status: http.StatusUnauthorized, Code: "unauthorized", Times: 1})
		p.goes(p.log("sms"))
		p.settles()
		if len(p.rows()) != 100 || g.granted("refresh_token") != 1 {
			t.Errorf("%d rows after %d renewals", len(p.rows()), g.granted("refresh_token"))
		}
	})
}

func TestSigningOutAtTheIssuer(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, g *gate, p *person) {
		p.signsInAtIssuer("#/customers")
		p.clicks("tbody a", "Acme")
		p.isOnOverview()
		p.clicks("button", "Sign out")
		waitUntil(t, "the issuer is asked to sign somebody out", func() bool { return g.saw("/session/end/confirm") })
		if !g.saw("id_token_hint=") || !g.saw("post_logout_redirect_uri=") {
			t.Error("the issuer was not told who is to be signed out, and where to go then")
		}
		p.sees("[role=status]", signedOut)
		p.keepsNothing()
		for range 3 {
			p.must(p.Eval("window.isOld = true; addEventListener('popstate', () => { window.isOld = false; }, {once: true}); 0", nil))
			p.goesBack()
			p.must(p.Wait("a step back", "!window.isOld && document.readyState === 'complete'"))
			if strings.HasPrefix(p.evaluates("location.href"), p.site.URL) {
				p.sees("h1", "Sign in")
				p.tells("back, after signing out", "document.querySelectorAll('tbody tr, #menu a, #banner strong').length", "0")
			}
		}
		p.goes("#/customers")
		p.clicks("button", continueSSO)
		p.sees("h1", "Demo issuer") // which does not know the person any more
	})
}

// A browser may keep a page that was left for another document whole, with all that it
// showed, and Firefox with a sessionStorage of its own.
func TestBackAfterSigningOutElsewhereShowsNothing(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, _ *gate, p *person) {
		p.signsInAtIssuer("#/customers")
		p.clicks("#menu a", "API reference")
		p.must(p.Wait("the reference", "location.pathname.endsWith('/docs')"))
		p.goesBack()
		p.arrivesAt("Manage customers")
		if len(p.rows()) == 0 {
			t.Error("the list is gone, although nobody signed out")
		}
		p.clicks("#menu a", "API reference")
		p.must(p.Wait("the reference", "location.pathname.endsWith('/docs')"))
		// As signing out does, in another document of this tab: without the mark, the issuer would be asked, and sign in again.
		p.must(p.Eval("sessionStorage.clear(); sessionStorage.setItem('partnerview.asked', 'yes'); 0", nil))
		p.goesBack()
		p.sees("h1", "Sign in")
		p.tells("back", "document.querySelectorAll('tbody tr').length", "0")
	})
}

func TestBackFromTheIssuerSignsInAgain(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, _ *gate, p *person) {
		p.goes("#/customers")
		p.clicks("button", continueSSO)
		p.sees("h1", "Demo issuer")
		p.goesBack()
		p.sees("button", continueSSO)
		for range 6 { // by keyboard alone
			p.presses("Tab")
			if focused, err := p.Focused(); err == nil && strings.Contains(focused, "Continue with") {
				p.presses("Enter")
				break
			}
		}
		p.sees("h1", "Demo issuer")
	})
}

func TestAnAccessKeyCountsBesideTheIssuer(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, g *gate, p *person) {
		p.goes(p.log("sms"))
		p.clicks("button", continueSSO)
		p.sees("h1", "Demo issuer")
		p.goesBack() // another mind
		p.sees("label", "Access key")
		p.types("Access key", p.site.Key)
		p.presses("Enter")
		p.arrivesAt("SMS")
		p.tells("what is kept", "JSON.stringify(Object.keys(sessionStorage))", `["partnerview.credential"]`)
		p.clicks("button", "Sign out")
		p.sees("[role=status]", signedOut)
		p.keepsNothing()
		if g.saw("/session/end") {
			t.Error("the issuer was asked to sign out somebody who was not there")
		}
	})
}

func quoted(text string) string { return "'" + text + "'" }
