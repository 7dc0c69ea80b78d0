package browser

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestAnAnswerThatWasNotAskedForIsRefused(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, g *gate, p *person) {
		refused := func(query string) {
			t.Helper()
			p.must(p.Go(p.site.URL + query))
			p.sees("[role=alert]", notCompleted)
			p.keepsNothing()
			p.tells("the address", "location.search", "")
		}
		refused("?code=stolen&state=theirs&iss=" + g.URL)
		refused("?error=access_denied&state=theirs")
		for _, query := range []string{"?code=stolen&state=theirs&iss=" + g.URL, "?code=stolen", "?code=stolen&state=STATE", "?code=stolen&state=STATE&iss=https://other.example.com"} {
			p.goes("#/customers")
			p.clicks("button", continueSSO)
			p.sees("h1", "Demo issuer")
			state := p.requested("state")
			refused(strings.Replace(query, "STATE", state, 1))
		}
		if n := g.granted("authorization_code"); n != 0 {
			t.Errorf("%d codes were redeemed", n)
		}
		p.signsInAtIssuer("#/customers")
		p.must(p.Go(p.site.URL + "?code=stolen&state=theirs")) // it takes nobody's place
		p.sees("h1", "Overview")
		p.sees(".key-id", "Nora Northwind")
		p.tells("the address", "location.search", "")
	})
}

func TestAnIDTokenOfAnotherSignInIsRefused(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, g *gate, p *person) {
		for name, change := range map[string]func(map[string]any){
			"another nonce":    idToken(func(claims map[string]any) { claims["nonce"] = "another" }),
			"no nonce":         idToken(func(claims map[string]any) { delete(claims, "nonce") }),
			"another issuer":   idToken(func(claims map[string]any) { claims["iss"] = "https://other.example.com" }),
			"another audience": idToken(func(claims map[string]any) { claims["aud"] = []string{"other"} }),
			"another party":    idToken(func(claims map[string]any) { claims["azp"] = "other" }),
			"no ID token":      func(tokens map[string]any) { delete(tokens, "id_token") },
			"no JWT":           func(tokens map[string]any) { tokens["id_token"] = "a.b.c" },
		} {
			t.Run(name, func(t *testing.T) {
				g.set(func(g *gate) { g.change = change })
				p := opens(t, p.browser, p.site, desk)
				p.goes("#/customers")
				p.clicks("button", continueSSO)
				p.entersAtIssuer("nora", "demo-northwind")
				p.sees("[role=alert]", notCompleted)
				p.keepsNothing()
				g.set(func(g *gate) { g.change = nil })
				p.clicks("button", continueSSO) // and the issuer knows the person
				p.sees("h1", "Manage customers")
			})
		}
	})
}

func TestAnIssuerThatIsNotSetUpRightlyIsNotGoneTo(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, g *gate, p *person) {
		p.goes("#/customers")
		for name, c := range map[string]struct{ member, value, want string }{
			"another name":           {"issuer", "https://other.example.com", "name is not the one that is configured"},
			"tokens from elsewhere":  {"token_endpoint", "https://other.example.com/token", "token endpoint is not at the issuer’s own address"},
			"no address for tokens":  {"token_endpoint", "", "token endpoint is not at the issuer’s own address"},
			"people sent in plain":   {"authorization_endpoint", "http://other.example.com/auth", "An endpoint of the issuer is not encrypted"},
			"people sent to scripts": {"authorization_endpoint", "javascript:alert(1)", "An endpoint of the issuer is not encrypted"},
			"signed out in plain":    {"end_session_endpoint", "http://other.example.com/end", "An endpoint of the issuer is not encrypted"},
		} {
			g.set(func(g *gate) { g.tell = func(about map[string]any) { about[c.member] = c.value } })
			p.clicks("button", continueSSO)
			p.sees("[role=alert]", "Single sign-on is not set up correctly")
			if text, err := p.Text("[role=alert]"); err != nil || !strings.Contains(text, c.want) {
				t.Errorf("%s: it says %q (%v)", name, text, err)
			}
			p.reloads() // so that nothing is known of the issuer
			p.sees("button", continueSSO)
		}
		if g.saw("/auth") {
			t.Error("somebody was sent there")
		}
		g.set(func(g *gate) { g.tell = func(about map[string]any) { delete(about, "end_session_endpoint") } })
		p.signsInAtIssuer("#/customers")
		p.clicks("button", "Sign out")
		p.sees("[role=alert]", signedOutHere)
		p.keepsNothing()
	})
}

func TestAnIssuerThatIsDown(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, g *gate, p *person) {
		down := func(is bool) { g.set(func(g *gate) { g.down = is }) }
		fragment := p.log("voice")
		down(true)
		p.goes(fragment)
		p.clicks("button", continueSSO)
		p.sees("[role=alert]", "The sign-in service "+notReached)
		down(false)
		p.clicks("button", "Try again")
		p.sees("h1", "Demo issuer")
		g.set(func(g *gate) { g.refuse = "temporarily_unavailable" })
		p.entersAtIssuer("nora", "demo-northwind")
		p.sees("[role=alert]", "The sign-in service "+cannotAnswer)
		p.isAt(fragment)
		g.set(func(g *gate) { g.refuse = "" })
		p.clicks("button", "Try again") // with the code that it has
		p.arrivesAt("Voice")
		if n := g.granted("authorization_code"); n != 2 {
			t.Errorf("codes were redeemed %d times", n)
		}

		down(true)
		p.tokensEnd()
		p.clicks("#menu a", "Overview")
		p.sees("[role=alert]", "The sign-in service "+notReached)
		if p.tokens() == "null" {
			t.Error("the person is signed out")
		}
		down(false)
		p.clicks("button", "Try again")
		p.sees(".facts", "Prepaid")

		down(true)
		p.clicks("button", "Sign out")
		p.sees("[role=alert]", signedOutHere)
		p.keepsNothing()
		p.tells("data that is left", "document.querySelectorAll('tbody tr').length", "0")
	})
}

func TestAnIssuerThatIsDownIsNoMatterWhileTheTokenCounts(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, g *gate, p *person) {
		p.signsInAtIssuer("#/customers")
		p.must(p.Eval(`sessionStorage.setItem('partnerview.tokens', JSON.stringify({...JSON.parse(sessionStorage.getItem('partnerview.tokens')), early: 3600000})); 0`, nil)) // so that renewing is due
		g.set(func(g *gate) { g.down = true })
		p.goes(p.log("sms"))
		p.hasRows(100)
		g.set(func(g *gate) { g.down = false })
		p.clicks("#menu a", "Voice")
		p.must(p.Wait("a renewal", "JSON.parse(sessionStorage.getItem('partnerview.tokens')).early < 3600000"))
	})
}

func TestACancelAtTheIssuer(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, _ *gate, p *person) {
		fragment := p.log("sms") + "?direction=inbound"
		p.goes(fragment)
		p.clicks("button", continueSSO)
		p.clicks("button", "Cancel")
		p.sees("[role=alert]", notSignedIn)
		p.hasFocusOn(continueSSO)
		p.isAt(fragment)
		p.keepsNothing()
		p.clicks("button", continueSSO)
		p.entersAtIssuer("nora", "demo-northwind")
		p.sees("h1", "SMS")
		p.isAt(fragment)
	})
}

func TestAnIssuerThatRefusesIsToldByItsCode(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, g *gate, p *person) {
		p.goes("#/customers")
		p.clicks("button", continueSSO)
		g.set(func(g *gate) { g.refuse = "unauthorized_client" })
		p.entersAtIssuer("nora", "demo-northwind")
		p.sees("[role=alert]", "The sign-in service refused (unauthorized_client).")
	})
}

func TestAnAccountThatMayNotIsToldSoAndDoesNotLoop(t *testing.T) {
	withIssuer(t, func(t *testing.T, s *Stage, g *gate, p *person) {
		fragment := p.log("sms")
		p.goes(fragment)
		p.clicks("button", continueSSO)
		p.entersAtIssuer("edda", "demo-eastgate")
		p.sees("[role=alert]", noAccess)
		p.keepsNothing()
		waitUntil(t, "the answers to all", func() bool { return s.AtWork() == 0 })
		p.must(p.Eval("fetch('openapi.yaml').then((answer) => answer.text()).then(() => 0)", nil)) // and the page to have heard of them
		if n := len(s.Asked()); n > 4 {                                                            // the log and its customer, each once with a new token
			t.Errorf("the API was asked %d times", n)
		}
		if n := g.granted("authorization_code"); n != 1 {
			t.Errorf("the person was sent to the issuer %d times", n)
		}
		p.clicks("button", "Use another account") // though the issuer knows this one
		p.entersAtIssuer("nora", "demo-northwind")
		p.arrivesAt("SMS")
		p.isAt(fragment)
	})
}

func TestASignInThatEndsLeadsBackToTheSameView(t *testing.T) {
	withIssuer(t, func(t *testing.T, s *Stage, g *gate, p *person) {
		for name, fail := range map[string]func(*gate){
			"there is no refresh token":    func(g *gate) { g.change = func(tokens map[string]any) { delete(tokens, "refresh_token") } },
			"the refresh token is refused": nil,
		} {
			t.Run(name, func(t *testing.T) {
				g.forget()
				if fail != nil {
					g.set(fail)
				}
				p := opens(t, p.browser, p.site, desk)
				p.signsInAtIssuer(p.log("voice"))
				if fail == nil {
					g.set(func(g *gate) { g.refuse = "invalid_grant" })
				}
				p.tokensEnd()
				s.Inject(Fault{Match: "/v1/customers", Status: http.StatusUnauthorized, Code: "unauthorized"})
				p.clicks("#menu a", "SMS")
				p.sees("[role=alert]", "Your sign-in has ended.")
				p.keepsNothing()
				p.isAt(p.log("sms"))
				p.tells("data that is left", "document.querySelectorAll('tbody tr').length", "0")
				g.set(func(g *gate) { g.refuse = "" })
				s.Inject()
				p.clicks("button", "Sign in again") // the issuer still knows the person
				p.sees("h1", "SMS")
				p.isAt(p.log("sms"))
			})
		}
	})
}

// requested is a parameter of the last request to the issuer for a sign-in.
func (p *person) requested(name string) string {
	p.t.Helper()
	requests := p.Requests()
	for i := len(requests) - 1; i >= 0; i-- {
		asked, err := url.Parse(requests[i])
		if err == nil && strings.HasSuffix(asked.Path, "/auth") {
			return asked.Query().Get(name)
		}
	}
	p.t.Fatal("nobody asked the issuer")
	return ""
}
