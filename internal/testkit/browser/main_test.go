package browser

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	screenshots = flag.String("screenshots", "", "folder for pictures of every view, wide and narrow, light and dark; empty: none are taken")
	everyWidth  = flag.Bool("every-width", false, "look at every view at every width, light and dark, and with -screenshots take pictures of extreme content at many widths too")
)

// What the first test that needs it starts, and TestMain ends.
var (
	browsers = map[Kind]*sharedBrowser{Chromium: {}, Firefox: {}}
	products = &productStarter{}
)

// What the page says that more than one test listens for.
const (
	cannotAnswer   = "cannot answer right now"
	continueSSO    = "Continue with single sign-on"
	keyEnded       = "no longer accepted"
	keyRefused     = "unknown, expired or revoked"
	noAccess       = "but this account has no access to Partnerview"
	noSuchCustomer = "Customer not found"
	noSuchProduct  = "Product not available"
	notCompleted   = "This sign-in was not completed"
	notReached     = "could not be reached"
	notSignedIn    = "You were not signed in"
	periodReversed = "The period must end after it begins."
	signedOut      = "You are signed out."
	signedOutHere  = "You are signed out here. At "
	whyThisPrice   = "Why this price"
)

// sharedBrowser is a browser that tests use at the same time, each in tabs of its own. It is worn
// after so many of them, and the next test starts another: of each window that was closed Firefox
// keeps something, and looks through all of it ever again, until half of its time goes into that.
type sharedBrowser struct {
	mu      sync.Mutex
	current *lentBrowser
	all     []*lentBrowser
}

// lentBrowser is one that was started. The mutex of its sharedBrowser guards it.
type lentBrowser struct {
	*Browser
	lent, using int // how many tests have had it, and how many have it now
}

// wornAfter is how many tests a browser is for.
const wornAfter = 30

// borrow starts a browser, or takes the one that runs. It is to be given back.
func (s *sharedBrowser) borrow(kind Kind) (b *Browser, giveBack func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || s.current.lent == wornAfter {
		programs, err := Find(kind, os.Getenv)
		if err != nil {
			return nil, nil, err
		}
		started, err := Start(kind, programs)
		if err != nil {
			return nil, nil, err
		}
		s.current = &lentBrowser{Browser: started}
		s.all = append(s.all, s.current)
	}
	lent := s.current
	lent.lent++
	lent.using++
	return lent.Browser, func() { s.takeBack(lent) }, nil
}

// takeBack ends a browser that is worn, once nobody uses it.
func (s *sharedBrowser) takeBack(lent *lentBrowser) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if lent.using--; lent.using == 0 && lent.lent == wornAfter {
		lent.Close()
		s.all = slices.DeleteFunc(s.all, func(b *lentBrowser) bool { return b == lent })
	}
}

// end ends all that run, whoever uses them.
func (s *sharedBrowser) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, lent := range s.all {
		lent.Close()
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	for _, shared := range browsers {
		shared.end()
	}
	if err := products.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "the product does not stop:", err)
		code = 1
	}
	stageEngine.Stop()
	os.Exit(code)
}

// inBrowsers runs a test in each browser, as a subtest that has its name, beside all other tests.
func inBrowsers(t *testing.T, test func(t *testing.T, in *Browser)) {
	t.Parallel()
	for _, kind := range Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			test(t, needs(t, kind))
		})
	}
}

// inTurn is inBrowsers for a test that no other may run beside.
func inTurn(t *testing.T, test func(t *testing.T, in *Browser)) {
	for _, kind := range Kinds() {
		t.Run(string(kind), func(t *testing.T) { test(t, needs(t, kind)) })
	}
}

// onStage is inBrowsers for somebody at a stage that no other test has.
func onStage(t *testing.T, test func(t *testing.T, s *Stage, p *person)) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		s, site := stage(t, "")
		test(t, s, opens(t, in, site, desk))
	})
}

// withIssuer is onStage where people may sign in at an issuer too. The browsers take turns,
// since an issuer is a process of its own.
func withIssuer(t *testing.T, test func(t *testing.T, s *Stage, g *gate, p *person)) {
	t.Parallel()
	g := newGate(t)
	s, site := stage(t, g.URL)
	g.lead(t, s.URL)
	inTurn(t, func(t *testing.T, in *Browser) {
		s.forget()
		g.forget()
		test(t, s, g, opens(t, in, site, desk))
	})
}

// onProduct is inBrowsers for somebody at the product.
func onProduct(t *testing.T, test func(t *testing.T, p *person)) {
	inBrowsers(t, func(t *testing.T, in *Browser) { test(t, opens(t, in, journeySite(t), desk)) })
}

// needs is a browser until the test ends. Where it is not on this machine the test is skipped,
// loudly; in CI it fails.
func needs(t *testing.T, kind Kind) *Browser {
	t.Helper()
	b, giveBack, err := browsers[kind].borrow(kind)
	if errors.Is(err, ErrNoBrowser) && os.Getenv("CI") == "" {
		fmt.Fprintf(os.Stderr, "\n!!! %s is not run: %v\n\n", t.Name(), err)
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(giveBack)
	return b
}

// Site is a dashboard to visit: its address with the slash at its end, a key that
// counts, and a customer with all four products. Issuer is where else people sign in
// there, "http://127.0.0.1:41234"; empty: nowhere.
type Site struct {
	URL, Key, Account string
	Issuer            string
}

// person is somebody at the page of a site. Its methods end the test when what
// should happen does not.
type person struct {
	t *testing.T
	*Page
	site Site
}

// opens gives a person a new tab. At the end of the test the browser must not have
// complained, nor asked any other origin for anything, nor for a change; but for the
// site's issuer.
func opens(t *testing.T, in *Browser, site Site, look Look) *person {
	t.Helper()
	page, err := in.Open(look)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, complaint := range page.Errors() {
			t.Errorf("the browser complained: %s", complaint)
		}
		origin, err := url.Parse(site.URL)
		if err != nil {
			t.Error(err)
			return
		}
		ofIssuer := func(address string) bool { return site.Issuer != "" && strings.HasPrefix(address, site.Issuer+"/") }
		for _, request := range page.Requests() {
			if ofIssuer(request) {
				continue
			}
			// Browsers draw their own controls with pictures that they ask themselves for, as data.
			if asked, err := url.Parse(request); err != nil || asked.Scheme != "data" && asked.Host != origin.Host {
				t.Errorf("the page asked another origin: %s", request)
			}
		}
		for _, request := range page.Changes() {
			if _, address, _ := strings.Cut(request, " "); !ofIssuer(address) {
				t.Errorf("the page asked for a change: %s", request)
			}
		}
		if err := page.Close(); err != nil {
			t.Error(err)
		}
	})
	return &person{t, page, site}
}

func (p *person) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *person) goes(fragment string)         { p.t.Helper(); p.must(p.Go(p.site.URL + fragment)) }
func (p *person) clicks(selector, text string) { p.t.Helper(); p.must(p.Click(selector, text)) }
func (p *person) sees(selector, text string)   { p.t.Helper(); p.must(p.WaitFor(selector, text)) }
func (p *person) misses(selector, text string) { p.t.Helper(); p.must(p.WaitGone(selector, text)) }
func (p *person) chooses(label, value string)  { p.t.Helper(); p.must(p.Choose(label, value)) }
func (p *person) presses(key string)           { p.t.Helper(); p.must(p.Press(key)) }
func (p *person) goesBack()                    { p.t.Helper(); p.must(p.Back()) }
func (p *person) goesForward()                 { p.t.Helper(); p.must(p.Forward()) }
func (p *person) reloads()                     { p.t.Helper(); p.must(p.Reload()) }

// signsIn opens the page at a fragment ("#/customers") and signs in there.
func (p *person) signsIn(fragment string) {
	p.t.Helper()
	p.goes(fragment)
	p.sees("label", "Access key")
	p.must(p.Focus("Access key"))
	p.must(p.Paste(p.site.Key))
	p.presses("Enter")
	p.misses("h1", "Sign in")
	p.settles()
}

// settles waits until nothing on the page is still being loaded.
func (p *person) settles() {
	p.t.Helper()
	p.must(p.Wait("the page to settle", `!document.querySelector('[aria-busy=true]') && !document.querySelector('.toast')`))
}

// triesAgain does what the page offers where it was not answered: on a machine that all tests keep
// busy, a database may take longer than the product waits for it, and that than the page does.
func (p *person) triesAgain() {
	p.t.Helper()
	for deadline := time.Now().Add(waitTimeout); time.Now().Before(deadline); p.settles() {
		tries := value[int](p, fmt.Sprintf(`(() => {
			const says = [...document.querySelectorAll('[role=alert]')].map((e) => e.textContent);
			if (!says.some((text) => text.includes(%q) || text.includes('took longer than'))) return 0;
			const offers = [...document.querySelectorAll('button')].filter((e) => e.textContent.trim() === 'Try again');
			for (const button of offers) button.click();
			return offers.length;
		})()`, cannotAnswer))
		if tries == 0 {
			return
		}
	}
}

// entersUntil presses Enter until it counts: between a key's going down and up a
// neighbour's window may come to the front.
func (p *person) entersUntil(expression string) {
	p.t.Helper()
	for range 20 {
		p.presses("Enter")
		for range 60 {
			if p.evaluates("Boolean("+expression+")") == "true" {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// hasRows waits until so many rows are shown.
func (p *person) hasRows(n int) {
	p.t.Helper()
	p.must(p.Wait(fmt.Sprint(n, " rows"), fmt.Sprintf("document.querySelectorAll('tbody tr[data-row]').length === %d", n)))
}

// arrivesAt waits until a view with that heading is shown and loaded, isOnOverview until a
// customer's overview is.
func (p *person) arrivesAt(heading string) { p.t.Helper(); p.sees("h1", heading); p.settles() }

func (p *person) isOnOverview() {
	p.t.Helper()
	p.must(p.Wait("a customer's overview", "document.body.dataset.view === 'customer'"))
	p.settles()
}

// log is the fragment of a product's log, of the site's customer.
func (p *person) log(product string) string { return logFragment(p.site, product) }

// types puts a text into the field with that label, in place of what was there.
func (p *person) types(label, text string) {
	p.t.Helper()
	p.must(p.Focus(label))
	if text == "" {
		p.must(p.Press("Backspace"))
		return
	}
	p.must(p.Type(text))
}

// reads is the texts of all elements that match.
func (p *person) reads(selector string) []string {
	p.t.Helper()
	texts, err := p.Texts(selector)
	p.must(err)
	return texts
}

// value is the value of a JavaScript expression.
func value[T any](p *person, expression string) (v T) {
	p.t.Helper()
	p.must(p.Eval(expression, &v))
	return v
}

// evaluates is what a JavaScript expression says.
func (p *person) evaluates(expression string) string {
	p.t.Helper()
	return value[string](p, "String("+expression+")")
}

// tells checks what a JavaScript expression says.
func (p *person) tells(claim, expression, want string) {
	p.t.Helper()
	if got := p.evaluates(expression); got != want {
		p.t.Errorf("%s: %s says %q, not %q", claim, expression, got, want)
	}
}

// shows checks what the page has of something, in its order.
func (p *person) shows(claim string, want, got []string) {
	p.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		p.t.Fatalf("%s differ (-want +page): %s", claim, diff)
	}
}

// counts checks how many rows there are already.
func (p *person) counts(claim string, want int) {
	p.t.Helper()
	if n := len(p.rows()); n != want {
		p.t.Errorf("%s: there are %d rows, not %d", claim, n, want)
	}
}

func (p *person) isAt(fragment string) {
	p.t.Helper()
	p.must(p.Wait("the address "+fragment, fmt.Sprintf("location.hash === %q", fragment)))
}

func (p *person) hasFocusOn(what string) {
	p.t.Helper()
	focused, err := p.Focused()
	p.must(err)
	if !strings.Contains(focused, what) {
		p.t.Errorf("focus is on %q, not on %q", focused, what)
	}
}

// waitUntil waits until something is so that is no matter of the page.
func waitUntil(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(waitTimeout); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: did not happen within %s", what, waitTimeout)
		}
	}
}

// desk is how most people look at the page.
var desk = Look{Width: 1440, Height: 900, ReducedMotion: true, TimeZone: "Europe/Berlin"}
