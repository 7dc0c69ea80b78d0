package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const requestIDs = "5e6f7a80-0000-4000-8000-" // how those of the stage begin

func TestASlowerEarlierAnswerNeverReplacesALaterOne(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.signsIn("#/customers")
		first, second := make(chan struct{}), make(chan struct{})
		s.Inject(Fault{Match: "search=ab&", Hold: second}, Fault{Match: "search=a&", Hold: first})
		for held, text := range []string{"a", "ab"} {
			p.types("Search customers", text)
			waitUntil(t, "a search for "+text, func() bool { return s.Held() > held })
		}
		p.types("Search customers", "acme")
		p.hasRows(1)
		close(second)
		close(first)
		waitUntil(t, "the answers to all", func() bool { return s.AtWork() == 0 })
		p.must(p.Eval("fetch('openapi.yaml').then((answer) => answer.text()).then(() => 0)", nil)) // whose answer comes after theirs
		if rows := p.rows(); len(rows) != 1 || rows[0] != "acme_retail" {
			t.Errorf("the rows are %v", rows)
		}
	})
}

func TestASearchIsSentWhenTheTypingPauses(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.signsIn("#/customers")
		const word = "acme_retail"
		before := len(s.Asked())
		p.types("Search customers", word)
		var asked []string
		waitUntil(t, "the search for the whole word", func() bool {
			asked = s.Asked()[before:]
			return len(asked) > 0 && strings.Contains(asked[len(asked)-1], "search="+word+"&limit=100")
		})
		p.hasRows(1)
		p.sees(".count", "1 customer shown. That is all.") // one is not many
		// On a busy machine a key may come so late that it is a pause; never does each key ask.
		if asked = s.Asked()[before:]; len(asked) > len(word)/2 {
			t.Errorf("typing asked for %v", asked)
		}
	})
}

func TestAnAccessKeyInTheSearchFieldIsNotSearchedFor(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.signsIn("#/customers")
		p.must(p.Focus("Search customers"))
		p.must(p.Paste(p.site.Key))
		p.sees(".toast", "That was an access key")
		if strings.Contains(strings.Join(s.Asked(), " ")+p.evaluates("location.href"), p.site.Key) {
			t.Error("it was sent")
		}
	})
}

func TestAnExpiredKeyLeadsBackToTheSameView(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		fragment := p.log("voice") + "?direction=outbound"
		p.signsIn(fragment)
		s.Inject(Fault{Match: "/v1/customers", Status: http.StatusUnauthorized, Code: "unauthorized"})
		p.clicks(".next-page", "")
		p.sees("[role=alert]", keyEnded)
		p.hasFocusOn("Access key")
		p.tells("after the key's end", "sessionStorage.length + document.querySelectorAll('tbody tr').length", "0")
		s.Inject()
		p.must(p.Paste(p.site.Key))
		p.presses("Enter")
		p.arrivesAt("Voice")
		p.isAt(fragment)
		p.counts("after signing in again", 100)
	})
}

func TestAFailingServiceIsToldWithTheRequestIDAndARetry(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		for name, c := range map[string]struct {
			fault Fault
			title string
			id    bool
		}{
			"unavailable":       {Fault{Status: 503, Code: "unavailable"}, "The service " + cannotAnswer, true},
			"too many requests": {Fault{Status: 429, Code: "too_many_requests"}, "Too many requests", true},
			"quota exceeded":    {Fault{Status: 429, Code: "quota_exceeded"}, "The quota is used up", true},
			"internal":          {Fault{Status: 500, Code: "internal"}, "Something went wrong", true},
			"unknown code":      {Fault{Status: 418, Code: "constructor"}, "Something went wrong", true},
			"connection lost":   {Fault{Drop: true}, "The service " + notReached, false},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s, site := stage(t, "")
				p := opens(t, in, site, desk)
				p.signsIn("#/customers")
				fault := c.fault
				fault.Match = "/usage/sms"
				s.Inject(fault)
				p.goes(logFragment(site, "sms"))
				p.sees("[role=alert]", c.title)
				text, err := p.Text(".notice")
				p.must(err)
				if strings.Contains(text, requestIDs) != c.id {
					t.Errorf("it says: %s", text)
				}
				s.Inject()
				p.clicks("button", "Try again")
				p.settles()
				p.counts("after trying again", 100)

				s.Inject(fault)
				first := p.rows()
				p.clicks("button", "Next")
				p.sees("[role=alert]", c.title)
				p.shows("what a page that could not be loaded left", first, p.rows())
				s.Inject()
				p.clicks("button", "Try again")
				p.sees(".count", "Messages 101 to 200.")
			})
		}
	})
}

func TestAServiceThatIsDownDoesNotSignAnybodyOut(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.goes("#/customers")
		p.sees("label", "Access key")
		s.Inject(Fault{Match: "/v1/customers", Drop: true})
		p.must(p.Paste(p.site.Key))
		p.presses("Enter")
		p.sees("[role=alert]", "The service "+notReached)
		s.Inject()
		p.clicks("button", "Try again")
		p.sees("h1", "Manage customers")
		s.Inject(Fault{Match: "/v1/customers", Status: 503, Code: "unavailable"})
		p.clicks(".segment", "Voice")
		p.sees("[role=alert]", cannotAnswer)
		p.tells("the keys that are kept", "sessionStorage.length", "1")
	})
}

func TestASlowServiceShowsProgress(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.signsIn("#/customers")
		hold := make(chan struct{})
		s.Inject(Fault{Match: "/usage/sms", Hold: hold})
		p.goes(p.log("sms"))
		p.sees("tbody tr.bones", "")
		p.sees("thead th", "Price") // the columns stand from the start
		p.sees(".waiting", "Still waiting for the service")
		p.must(p.Wait("the announcement", "document.getElementById('live').textContent.startsWith('Still waiting')"))
		close(hold)
		p.settles()
		p.misses(".waiting", "Still waiting")
		p.counts("after a long wait", 100)
	})
}

func TestPagesWithoutARecordAreReadOn(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		s.SkipPages(3)
		p.signsIn(p.log("sms") + "?status=undelivered")
		p.settles()
		if len(p.rows()) == 0 {
			t.Error("no record is shown")
		}
		s.SkipPages(1000)
		p.goes(p.log("sms") + "?status=delivered")
		p.sees(".count", "Nothing found so far. There is more to search.")
		s.SkipPages(0)
		p.clicks("button", "Search further")
		p.settles()
		if len(p.rows()) == 0 {
			t.Error("searching further shows nothing")
		}
	})
}

func TestWhatIsNotThere(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn("#/customers/no_such_customer")
		p.sees("[role=alert]", noSuchCustomer)
		p.clicks("#view a", "All customers")
		p.sees("h1", "Manage customers")
		p.goes("#/customers/acme_retail/sms?record=no-such-record")
		p.sees("dialog [role=alert]", "Record not found")
		p.presses("Escape")
		p.goes("#/somewhere")
		p.sees("h1", "Page not found")
	})
}

func TestEmptyPlacesSayWhatToDo(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn("#/customers/quiet.account/voice")
		p.sees(".empty", "No calls yet")
		p.goes("#/customers/quiet.account")
		p.sees(".fresh", "No usage was loaded yet.")
		p.sees(".trend", "No usage in the last 30 days.")
		fresh := opens(t, p.browser, Site{URL: p.site.URL, Key: stageData(t).keyEmpty}, desk)
		fresh.signsIn("#/customers")
		fresh.sees(".empty", "Ask the platform’s operator to assign one")
		fresh.clicks("#menu a", "Overview")
		fresh.sees("#view .empty", "Ask the platform’s operator to assign one")
	})
}

func TestHostileWordsAreShownAsText(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn("#/customers")
		p.sees("tbody a", Hostile)
		p.goes("#/customers/hostile_import")
		p.sees("#banner bdi", Hostile)
		p.clicks("button", "Find a record")
		p.looksFor(Hostile)
		p.sees("#jump-fault", "This is not a record ID")
		p.presses("Escape")
		p.must(p.Wait("the title", "document.title.startsWith('<img src=x')"))
		for _, product := range []string{"sms", "voice", "messaging"} {
			p.goes("#/customers/hostile_import/" + product)
			p.sees(".status", "<img src=x onerror=")
			p.settles()
			p.clicks("tbody a", "")
			p.sees("dialog .facts", "<script>")
			p.presses("Escape")
			p.isAt("#/customers/hostile_import/" + product)
		}
		p.sees("tbody td", "<img src=x onerror=") // the channel
		p.clicks(".filter-button", "Channel")
		p.sees(".panel", "<img src=x")
		for _, script := range []string{"window.hostile", "document.querySelector('#view img, #view script, #menu img, #banner img, dialog img')"} {
			if got := p.evaluates(script); got != "undefined" && got != "null" {
				t.Errorf("%s is %s", script, got)
			}
		}
		// A fragment is what anybody may send in a link.
		p.goes("#/customers?search=" + strings.ReplaceAll(Hostile, " ", "%20"))
		p.sees("tbody a, .empty", "<img src=x")
		p.tells("a script in the fragment", "window.hostile", "undefined")
	})
}

func TestAmountsFollowTheLocale(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		_, site := stage(t, "")
		for locale, want := range map[string][]string{
			"en-US": {"€1,520.73", "¥482,000", "€12,345,678,901,234,567,890.123456"},
			"de-DE": {"1.520,73 €", "482.000 ¥", "12.345.678.901.234.567.890,123456 €"},
			"hi-IN": {"€1,520.73", "JP¥4,82,000", "€1,23,45,67,89,01,23,45,67,890.123456"},
		} {
			look := desk
			look.Locale = locale
			p := opens(t, in, site, look)
			p.signsIn("#/customers")
			p.loadsAll()
			credits := strings.Join(p.cells("Remaining credit"), "\n")
			for _, amount := range want {
				if !strings.Contains(strings.ReplaceAll(credits, "\u00a0", " "), amount) {
					t.Errorf("%s: no %s in\n%s", locale, amount, credits)
				}
			}
		}
	})
}

func TestCreditIsToldInWords(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn("#/customers")
		for account, words := range map[string][]string{
			"bluebird-clinics": {"£31.40"},
			"cobalt&sons":      {"Exhausted", "-US$0.4275"},
			"delta.logistics":  {"Postpaid", "€3,120.50"},
			"gamma_health":     {"Postpaid", "not available"},
			"nolist_trading":   {"not available"},
			"falcon_pay":       {"as of "},
		} {
			p.types("Search customers", account)
			p.must(p.Wait("the search for "+account, fmt.Sprintf("document.querySelectorAll('tbody tr[data-row]').length === 1 && document.querySelector('tbody tr').dataset.row === %q", account)))
			for _, word := range words {
				if credit := p.cells("Remaining credit")[0]; !strings.Contains(credit, word) {
					t.Errorf("%s: no %q in %q", account, word, credit)
				}
			}
		}
	})
}

func TestNothingJumpsWhileThePageLoads(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.signsIn("#/customers")
		for _, fragment := range []string{"#/overview", "#/customers", "#/customers/acme_retail", p.log("sms"), p.log("messaging")} {
			hold := make(chan struct{})
			s.Inject(Fault{Match: "/v1/customers", Hold: hold})
			p.goes(fragment)
			p.reloads()
			p.must(p.Eval(watchShifts, nil))
			p.must(p.Wait("the skeleton, drawn", "document.querySelector('.bones') && window.before.size > 0"))
			close(hold)
			p.settles()
			if shift := value[float64](p, "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(window.shift))))"); shift > 0.005 {
				t.Errorf("%s: the layout shifted by %.3f: %s", fragment, shift, p.evaluates("window.shifted.join('; ')"))
			}
		}
	})
}

// Whichever answer comes last: what the others have drawn stays where it is.
func TestNothingJumpsWhicheverAnswerComesLast(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.signsIn("#/customers")
		for fragment, last := range map[string][]string{
			"#/overview":              {"groupBy=status", "groupBy=day&", "groupBy=customer", "credit="},
			"#/customers/acme_retail": {"/v1/customers/acme_retail/usage", "groupBy=status", "groupBy=day"},
		} {
			for _, match := range last {
				hold := make(chan struct{})
				p.goes(fragment)
				p.settles()
				s.Inject(Fault{Match: match, Hold: hold})
				p.reloads()
				waitUntil(t, "all but what is held", func() bool { return s.Held() > 0 && s.AtWork() == s.Held() })
				time.Sleep(300 * time.Millisecond) // in which the page draws the others
				p.must(p.Eval(watchShifts, nil))
				p.must(p.Wait("a frame", "window.before.size > 0"))
				close(hold)
				p.settles()
				if shift := value[float64](p, "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(window.shift))))"); shift > 0.005 {
					t.Errorf("%s, when %s comes last: the layout shifted by %.3f: %s", fragment, match, shift, p.evaluates("window.shifted.join('; ')"))
				}
				s.forget()
			}
		}
	})
}

// watchShifts adds up, in window.shift, how far what is to be seen moves by itself: for each
// frame the part of the window that moves, times the part of it that it moves by. Chromium
// has a measure much like it, Firefox has none.
const watchShifts = `
window.shift = 0;
window.shifted = [];
window.before = new Map();
requestAnimationFrame(function look() {
	const now = new Map();
	let area = 0;
	let distance = 0;
	for (const e of document.querySelectorAll('body *')) {
		if (e.childElementCount > 0) continue;
		const box = e.getBoundingClientRect();
		if (box.width * box.height === 0 || box.top >= innerHeight) continue;
		now.set(e, box);
		const was = window.before.get(e);
		if (!was) continue;
		const moved = Math.max(Math.abs(box.left - was.left), Math.abs(box.top - was.top));
		if (moved <= 3) continue;
		area += 2 * box.width * box.height;
		distance = Math.max(distance, moved);
		if (window.shifted.length < 20) window.shifted.push(String(e.textContent || e.getAttribute('class')).slice(0, 30) + ' by ' + Math.round(moved));
	}
	window.shift += Math.min(1, area / (innerWidth * innerHeight)) * distance / Math.max(innerWidth, innerHeight);
	window.before = now;
	requestAnimationFrame(look);
});
0`

func TestTheFirstLoadIsUnder100kB(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		p := opens(t, in, journeySite(t), desk)
		p.goes("")
		p.sees("h1", "Sign in")
		if n, err := p.Bytes(); err != nil || n < 10_000 || n >= 100_000 {
			t.Errorf("the first load is %d bytes over the wire (%v)", n, err)
		} else {
			t.Logf("%d bytes", n)
		}
	})
}

func TestNothingMovesForThoseWhoPreferItSo(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		s, site := stage(t, "")
		hold := make(chan struct{})
		defer close(hold)
		s.Inject(Fault{Match: "/usage/sms", Hold: hold})
		for reduced, want := range map[bool]string{true: "none", false: "breathe"} {
			look := desk
			look.ReducedMotion = reduced
			p := opens(t, in, site, look)
			p.must(p.Go(site.URL))
			p.sees("label", "Access key")
			p.must(p.Eval(fmt.Sprintf("sessionStorage.setItem('partnerview.credential', %q); 0", site.Key), nil))
			p.goes(logFragment(site, "sms"))
			p.reloads()
			p.sees("tbody tr.bones", "")
			p.tells(fmt.Sprint("the animation, reduced motion ", reduced), "getComputedStyle(document.querySelector('.bone')).animationName", want)
		}
	})
}

func TestThePageWorksUnderAnotherBasePath(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		s, site := stage(t, "")
		p := opens(t, in, Site{URL: s.Under("/partners/api"), Key: site.Key, Account: site.Account}, desk)
		p.signsIn("#/customers/acme_retail")
		p.sees("#banner", "Acme Retail GmbH")
		p.must(p.Go(strings.TrimSuffix(p.site.URL, "/"))) // without its slash
		p.sees(".figure", "Spend in ")
		for _, request := range p.Requests() {
			if !strings.Contains(request, "/partners/api") && !strings.HasPrefix(request, "data:") {
				t.Errorf("it asked for %s", request)
			}
		}
	})
}
