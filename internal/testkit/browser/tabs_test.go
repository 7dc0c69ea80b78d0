package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// opensAnother opens an address in another tab of the same profile, which the page reaches as
// window.other, and has nothing of this one's session.
func (p *person) opensAnother(address string) {
	p.t.Helper()
	p.must(p.call(`
const button = document.createElement('button');
button.textContent = 'Open another tab';
button.style = 'position: fixed; z-index: 99; top: 0; left: 40%';
button.onclick = () => { button.remove(); window.other = window.open(args[0]); };
document.body.append(button);`, nil, address))
	p.clicks("button", "Open another tab")
	p.must(p.Wait("the other tab", "window.other?.document.querySelector('h1')"))
	// A tab that a script opens begins with a copy of the opener's session; one that a person opens does not.
	p.must(p.Eval("other.sessionStorage.clear(); other.document.querySelector('h1').remove(); other.location.reload()", nil))
	p.must(p.Wait("the other tab to be loaded anew", "other.document.querySelector('h1')"))
}

func TestANewTabIsHandedTheKeyAndSigningOutInOneEndsAll(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn("#/customers")
		p.opensAnother(p.site.URL + "#/customers/acme_retail")
		p.must(p.Wait("the customer in the other tab", "other.document.body.dataset.view === 'customer' && other.document.querySelector('.figure')"))
		p.tells("what the other tab keeps", "JSON.stringify([other.localStorage.length, other.document.cookie, Object.values(other.sessionStorage)])", fmt.Sprintf(`[0,"",["%s"]]`, p.site.Key))

		p.clicks("button", "Sign out")
		p.sees("h1", "Sign in")
		p.must(p.Wait("the other tab to be signed out", "other.document.body.dataset.view === 'signin'"))
		p.tells("what is left in the other tab", "other.sessionStorage.length + other.document.querySelectorAll('tbody tr, .figure').length + ' ' + other.location.hash", "0 #/overview")
		p.must(p.Eval("other.document.querySelector('h1').remove(); other.location.reload()", nil))
		p.must(p.Wait("the other tab to be loaded anew", "other.document.querySelector('h1')"))
		time.Sleep(500 * time.Millisecond) // longer than a new tab waits
		p.tells("a tab that is loaded after that", "other.document.body.dataset.view", "signin")
	})
}

// The tab slept, or was at another document, while somebody signed out.
func TestATabThatComesBackLearnsThatSomebodySignedOut(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn("#/customers")
		p.opensAnother(p.site.URL + "#/customers")
		p.must(p.Wait("the customers in the other tab", "other.document.querySelector('tbody a')"))
		p.must(p.Eval("other.location.href = 'docs'", nil))
		p.must(p.Wait("the reference in the other tab", "other.location.pathname.endsWith('/docs') && other.document.querySelector('h1')"))
		p.clicks("button", "Sign out")
		p.sees("h1", "Sign in")
		p.must(p.Eval("other.location.href = '.'", nil))
		p.must(p.Wait("the other tab to be signed out", "other.document.body.dataset.view === 'signin' && other.sessionStorage.length === 0"))
	})
}

func TestTheKeyIsHandedToNobodyElse(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.goes("")
		p.sees("label", "Access key")
		// A tab where nobody is signed in neither answers, nor takes what it did not ask for, nor what is no key.
		p.must(p.Eval(`
window.heard = [];
window.probe = new BroadcastChannel('partnerview /v1/');
probe.onmessage = ({data}) => heard.push(data);
probe.postMessage({say: 'ask', from: 'probe'});
probe.postMessage({say: 'key', from: 'probe', to: 'somebody else', key: '`+p.site.Key+`'});
probe.postMessage({say: 'key', from: 'probe', key: '`+p.site.Key+`'});
for (const odd of [null, 1, 'key', {}, {say: 'constructor'}]) probe.postMessage(odd);
0`, nil))
		p.signsIn("#/customers")
		p.must(p.Eval("probe.postMessage({say: 'ask', from: 'probe'}); 0", nil))
		p.must(p.Wait("the answer", "heard.some((data) => data.say === 'key')"))
		var keys []map[string]string
		p.must(p.Eval("heard.filter((data) => data.key)", &keys))
		if len(keys) != 1 || keys[0]["to"] != "probe" || keys[0]["key"] != p.site.Key {
			t.Errorf("handed over: %v", keys)
		}
		// Another deployment of the same origin is somebody else.
		p.opensAnother(s.Under("/partners/api"))
		time.Sleep(500 * time.Millisecond)
		p.tells("the page at another address", "other.document.body.dataset.view", "signin")
		p.tells("times that the key was handed over", "heard.filter((data) => data.key).length", "1")
	})
}

func TestANewTabIsSignedInByTheIssuerWithoutAQuestion(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, g *gate, p *person) {
		silent := func() int {
			return len(slices.DeleteFunc(g.requests(), func(asked string) bool { return !strings.Contains(asked, "prompt=none") }))
		}
		p.goes("#/customers")
		p.sees("button", continueSSO) // the issuer knows nobody yet
		p.keepsNothing()
		p.misses("[role=alert]", "")
		p.reloads()
		p.sees("button", continueSSO)
		if n := silent(); n != 1 {
			t.Errorf("the issuer was asked silently %d times", n)
		}
		p.clicks("button", continueSSO)
		p.entersAtIssuer("nora", "demo-northwind")
		p.arrivesAt("Manage customers")

		fragment := p.log("voice") + "?direction=outbound"
		p.must(p.Eval("sessionStorage.clear()", nil)) // as in a new tab
		p.must(p.Go("about:blank"))
		p.goes(fragment)
		p.arrivesAt("Voice")
		p.isAt(fragment)
		p.sees(".key-id", "Nora Northwind")
		if n := silent(); n != 2 || len(p.rows()) != 100 {
			t.Errorf("the issuer was asked silently %d times; %d rows", n, len(p.rows()))
		}

		// Who signed out is not signed in again by a reload, though the issuer may still know them.
		g.set(func(g *gate) { g.tell = func(about map[string]any) { delete(about, "end_session_endpoint") } })
		p.clicks("button", "Sign out")
		p.sees("[role=alert]", "You are signed out here.")
		p.reloads()
		p.sees("button", continueSSO)
		p.keepsNothing()
		if n := silent(); n != 2 {
			t.Errorf("the issuer was asked silently %d times", n)
		}
	})
}

func TestAnIssuerThatIsDownDoesNotKeepTheSignInPageAway(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, g *gate, p *person) {
		g.set(func(g *gate) { g.down = true })
		p.goes("#/customers")
		p.sees("button", continueSSO)
		p.misses("[role=alert]", "")
		p.types("Access key", p.site.Key)
		p.presses("Enter")
		p.sees("h1", "Manage customers")
	})
}

// requests are path and query of every request that came to the issuer.
func (g *gate) requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.asked)
}
