package browser

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheFocusStaysWhereThePersonIs(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.signsIn("#/customers")
		focus := func(selector string) {
			t.Helper()
			p.must(p.call("document.querySelector(args[0]).focus()", nil, selector))
		}
		has := func(selector string) {
			t.Helper()
			if yes := p.evaluates(fmt.Sprintf("document.activeElement.matches(%q)", selector)); yes != "true" {
				focused, err := p.Focused()
				p.must(err)
				t.Errorf("the focus is not on %s, but on %q", selector, focused)
			}
		}
		rows := func(n int) {
			t.Helper()
			p.hasRows(n)
			p.settles()
		}
		rows(61)
		p.clicks("thead button", "Account ID")
		has("thead button")
		s.Inject(Fault{Match: "search=acme", Status: http.StatusServiceUnavailable, Code: "unavailable"})
		p.types("Search customers", "acme")
		p.sees("[role=alert]", cannotAnswer)
		s.Inject()
		p.settles() // a slow key may have been a search of its own
		focus(".notice .actions button")
		p.entersUntil("document.querySelectorAll('tbody tr[data-row]').length === 1")
		rows(1)
		has(".listing")

		s.Inject(Fault{Match: "cursor=", Delay: time.Second}) // long enough for a browser to take the focus away
		p.goes(p.log("voice"))
		rows(100)
		focus(".next-page")
		before := len(s.Asked())
		p.must(p.Eval("document.activeElement.click(); document.activeElement.click()", nil)) // once is enough
		rows(32)
		if asked := s.Asked()[before:]; len(asked) != 1 {
			t.Errorf("two clicks asked for %v", asked)
		}
		has(".next-page") // though there is no page after this one
		focus(".previous-page")
		p.entersUntil("document.querySelectorAll('tbody tr[data-row]').length === 100")
		has(".previous-page")
		s.Inject()

		p.goes(p.log("sms") + "?direction=outbound")
		rows(100)
		p.clicks("button", "Clear filters")
		rows(100)
		has(".filter-button")

		// At the sign-in page too, where the answer is slow and then none.
		p.clicks("button", "Sign out")
		s.Inject(Fault{Match: "/v1/customers", Delay: 500 * time.Millisecond, Status: http.StatusServiceUnavailable, Code: "unavailable"})
		p.types("Access key", p.site.Key)
		p.presses("Tab")
		p.presses("Tab")
		p.entersUntil("document.querySelector('[role=alert]')")
		p.sees("[role=alert]", cannotAnswer)
		has("button[type=submit]")
	})
}

func TestTheDrawerOpensOnItsHeadingAndClosesToWhereThePersonWas(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		log := p.log("sms")
		p.signsIn(log)
		rows := p.rows()
		isOpen := func(how string) {
			t.Helper()
			p.sees("dialog h3", whyThisPrice)
			if focused, err := p.Focused(); err != nil || focused != "h2 SMS message" {
				t.Errorf("%s: the focus is on %q (%v)", how, focused, err)
			}
		}
		closed := func() {
			t.Helper()
			p.isAt(log)
			p.must(p.Wait("the drawer to close", "!document.querySelector('dialog[open]')"))
		}
		closes := func(back string) {
			t.Helper()
			p.presses("Escape")
			closed()
			p.tells("the focus is back", "document.activeElement.closest('tr')?.dataset.row ?? document.activeElement.tagName", back)
		}
		p.clicks("tbody td", "")
		isOpen("by a click in the row")
		p.isAt(log + "?record=" + rows[0])
		closes(rows[0])
		p.presses("Enter")
		isOpen("by the keyboard")
		for range 8 { // the focus stays in the dialog
			p.presses("Tab")
			p.tells("after Tab", "document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))", "true")
		}
		closes(rows[0])
		p.presses("Enter")
		isOpen("by the keyboard again")
		p.goesBack()
		closed()
		p.goesForward()
		p.sees("dialog h2", "SMS message")
		p.clicks("button", "Close")
		closed()
		p.clicks("tbody time", "")
		isOpen("by a click on the link")
		closes(rows[0])
		p.goes(log + "?order=asc")
		p.settles()
		oldest := p.rows()[0]
		p.goes(log)
		p.settles()
		p.goes(log + "?record=" + oldest)
		isOpen("a record that is not loaded")
		closes("H1")
	})
}

func TestAClickAnywhereInARowOpensIt(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn("#/customers")
		p.clicks("tbody td code", "acme_retail")
		p.isAt("#/customers/acme_retail")
		p.settles()
		p.clicks("#menu a", "Voice")
		p.arrivesAt("Voice")
		p.clicks("tbody td.col-status", "")
		p.sees("dialog h2", "Voice call")
	})
}

func TestALogThatIsNotThereShowsAWayOutAndNothingToNarrow(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn("#/customers/tuzla_bilisim/voice")
		p.sees("[role=alert]", noSuchProduct)
		p.misses(".filters", "")
		p.misses(".view-tools", "")
		p.clicks("#view a", "The customer’s overview")
		p.isAt("#/customers/tuzla_bilisim")
		p.settles()
		p.clicks("#menu a", "SMS")
		p.arrivesAt("SMS")
		p.sees(".filters", "")
		p.goes("#/customers/no_such_customer/sms")
		p.sees("[role=alert]", noSuchCustomer)
		p.misses(".filters", "")
		p.sees("#view a", "All customers")
	})
}

func TestOfflineIsToldOnceAndWhatIsKnownStays(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.signsIn("#/customers")
		s.Inject(Fault{Match: "/v1/customers/", Drop: true})
		p.clicks("tbody a", "Acme Retail")
		p.sees("[role=alert]", "The service "+notReached)
		p.settles()
		waitUntil(t, "the end of every request", func() bool { return s.AtWork() == 0 })
		p.sees(".empty-line", "Spend and volume could not be loaded.")
		p.sees(".empty-line", "The products could not be loaded.")
		p.tells("alerts and retries", "[document.querySelectorAll('[role=alert]').length, [...document.querySelectorAll('button')].filter((b) => b.textContent === 'Try again').length]", "1,1")
		p.sees(".facts", "Prepaid")
		p.sees(".card-credit", "€1,520.73")
		s.Inject()
		p.clicks("button", "Try again")
		p.sees(".figure", "Volume in ")
		p.sees(".chart-mark", "")
		p.misses("[role=alert]", "")

		// The customer that a log could not ask for is asked for once the log is there.
		s.Inject(Fault{Match: "/v1/customers/bluebird", Drop: true})
		p.goes("#/customers")
		p.settles()
		p.reloads()
		p.goes("#/customers/bluebird-clinics/sms")
		p.reloads()
		p.sees("[role=alert]", "The service "+notReached)
		p.tells("notices", "document.querySelectorAll('.notice').length", "1")
		s.Inject()
		p.clicks("button", "Try again")
		p.sees("#banner", "Bluebird Clinics")
		p.sees("#menu a", "Voice")
	})
}

// Rows stand under the heading of their day, which names the zone, since one log may have two.
func TestEachDayHasItsHeadingWithTheZone(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		_, site := stage(t, "")
		look := desk
		look.TimeZone = "America/New_York" // the records go back 52 days, past the end of summer time where it is one
		p := opens(t, in, site, look)
		p.signsIn(logFragment(site, "sms"))
		p.loadsAll()
		wrong := value[[]string](p, `(() => {
const named = (options) => (iso) => new Intl.DateTimeFormat('en-GB', {timeZone: 'America/New_York', ...options}).formatToParts(new Date(iso));
const day = (iso) => named({dateStyle: 'full'})(iso).map((part) => part.value).join('');
const zone = (iso) => named({hour: 'numeric', timeZoneName: 'short'})(iso).find((part) => part.type === 'timeZoneName').value;
const wrong = [];
const headings = [];
for (const row of document.querySelectorAll('tbody tr')) {
  if (!row.dataset.row) {
    headings.push(row.textContent);
    continue;
  }
  const time = row.querySelector('time');
  if (headings.at(-1) !== day(time.dateTime) + ' ' + zone(time.dateTime)) wrong.push(time.dateTime + ' stands under ' + headings.at(-1));
}
if (headings.length < 40 || new Set(headings).size !== headings.length) wrong.push('headings are ' + headings);
return wrong; })()`)
		if len(wrong) > 0 || len(p.rows()) != 420 {
			t.Errorf("of %d rows: %v", len(p.rows()), wrong)
		}
		p.tells("the head, of all zones", "document.querySelector('thead th').textContent", "Time")
		p.goes(logFragment(site, "sms") + "?from=2026-07-01T04:00:00Z&to=2026-12-01T05:00:00Z")
		p.settles()
		p.sees(".filter-said", "1 Jul – 30 Nov 2026")
		p.clicks(".filter-button", "Period")
		p.sees(".period-ends", "")
		labels := strings.Join(p.reads(".period-ends label"), ", ")
		if want := "From (GMT-4), To, included (GMT-5)"; labels != want {
			t.Errorf("the period's fields are %s, not %s", labels, want)
		}
	})
}

// A record's time is told in the zone that is shown and in the other; where both are
// one, it is told once.
func TestARecordTellsItsTimeInBothZones(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		_, site := stage(t, "")
		for zone, times := range map[string]int{"UTC": 1, "Europe/Berlin": 2} {
			look := desk
			look.TimeZone = zone
			p := opens(t, in, site, look)
			p.signsIn(logFragment(site, "sms"))
			p.clicks("tbody tr[data-row] td", "")
			p.sees("dialog h2", "SMS message")
			if text := p.evaluates("document.querySelector('dialog .facts dd').innerText"); strings.Count(text, "202") != times {
				t.Errorf("in %s the time of a record is %q", zone, text)
			}
		}
	})
}

func TestTheZoneThatWasChosenIsKept(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		inUTC := func(yes bool) {
			t.Helper()
			p.settles()
			p.must(p.Wait("rows in the zone", fmt.Sprintf("document.querySelector('tbody .zone') && [...document.querySelectorAll('tbody .zone')].every((zone) => (zone.textContent === 'UTC') === %v)", yes)))
		}
		p.signsIn(p.log("sms"))
		inUTC(false)
		p.clicks(".segment", "UTC")
		inUTC(true)
		p.clicks("#menu a", "Voice")
		p.sees("h1", "Voice")
		inUTC(true)
		p.isAt(p.log("voice") + "?time=utc") // so that a shared link shows the same
		p.clicks("#menu a", "Overview")
		p.isOnOverview()
		p.sees(".fresh time", "UTC")
		p.reloads()
		p.sees(".fresh time", "UTC")
		p.goes(p.log("sms"))
		inUTC(true)
		p.clicks(".segment", "Local time")
		inUTC(false)
		p.goesBack()
		p.goesBack()
		p.sees("h1", "Voice")
		inUTC(false) // the entry was in UTC, but the choice is another now
		p.isAt(p.log("voice"))

		p.clicks(".segment", "UTC")
		inUTC(true)
		p.clicks("button", "Sign out")
		p.sees("label", "Access key")
		p.tells("what is kept after signing out", "sessionStorage.length", "0")
	})
}

func TestAReversedPeriodIsToldAndNotAskedFor(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.signsIn(p.log("sms") + "?from=2026-11-01T00:00Z&to=2026-11-20T00:00Z")
		p.settles()
		p.clicks(".filter-button", "Period")
		p.sees(".period-ends", "")
		asked := len(s.Asked())
		p.must(p.Eval("(() => { const field = document.querySelectorAll('.period-ends input')[1]; field.value = '2026-10-01T00:00'; field.dispatchEvent(new Event('change', {bubbles: true})); })()", nil))
		p.sees(".field-fault", periodReversed)
		if invalid := p.evaluates("document.querySelectorAll('.period-ends input')[1].getAttribute('aria-invalid')"); invalid != "true" || len(s.Asked()) != asked {
			t.Error("the field is not marked, or the API was asked")
		}
		p.clicks(".filter-button", "Direction") // which closes the one before
		p.clicks(".word", "Outbound")
		p.settles()
		p.clicks(".filter-button", "Period") // shows the period that holds
		p.sees(".period-ends", "")
		p.misses(".field-fault", "The period")
	})
}

// A word in a column is whole on its line, at every width with columns.
func TestNoWordIsBroken(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn(p.log("messaging"))
		for _, product := range []string{"messaging", "sms", "voice", "video"} {
			p.goes(p.log(product))
			p.sees("h1", map[string]string{"sms": "SMS", "voice": "Voice", "video": "Video", "messaging": "Messaging Apps"}[product])
			p.loadsAll()
			for _, width := range []int{360, 700, 990, 1131, 1250, 1440, 1920} {
				look := desk
				look.Width = width
				p.must(p.Look(look))
				broken := value[[]string](p, `(() => {
const broken = new Set();
const texts = document.createTreeWalker(document.querySelector('.table'), NodeFilter.SHOW_TEXT);
for (let text = texts.nextNode(); text; text = texts.nextNode()) {
  for (const word of text.data.matchAll(/[\p{L}\d:.,]+/gu)) {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
    if (tops.size > 1 && !text.parentElement.closest('.spoken')) broken.add(word[0]);
  }
}
return [...broken]; })()`)
				if len(broken) > 0 {
					t.Errorf("%s at %d px: broken are %q", product, width, broken)
				}
			}
		}
	})
}

func TestALongSearchTellsHowFarItHasRead(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		s.SkipPages(1000)
		p.signsIn(p.log("sms") + "?status=delivered&time=utc")
		p.sees(".count", "Nothing found so far. There is more to search. Read back to ")
		year := time.Now().UTC().Format("2006")
		if text, err := p.Text(".count"); err != nil || !strings.Contains(text, year) && !strings.Contains(text, "UTC.") {
			t.Errorf("it says %q (%v)", text, err)
		}
		s.SkipPages(0)
		p.goes(p.log("sms") + "?status=delivered&order=asc&time=utc")
		p.sees(".count", "100 messages shown. Read up to ")
		last := p.evaluates("[...document.querySelectorAll('tbody .row-link')].at(-1).ariaLabel")
		if text, err := p.Text(".count"); err != nil || text != "100 messages shown. Read up to "+strings.TrimSuffix(last, ", details")+"." {
			t.Errorf("the last row is of %s, and it says %q (%v)", last, text, err)
		}
		p.goes(p.log("sms"))
		p.sees(".count", "100 messages shown.")
		p.misses(".count", "Read back")
	})
}

func TestCountriesAreFoundInPlainLettersTheBestFirst(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		searches := func(text string) {
			t.Helper()
			p.must(p.Eval("document.querySelector(':popover-open input[type=search]').select()", nil))
			p.must(p.Type(text))
		}
		p.signsIn(p.log("sms"))
		p.clicks(".filter-button", "Country")
		p.sees(".panel", "Afghanistan")
		for _, c := range []struct {
			typed string
			want  []string
		}{
			{"ger", []string{"Germany", "Algeria", "Niger", "Nigeria"}},
			{"KINGDOM UN", []string{"United Kingdom"}},
			{"ivoire cote", []string{"Côte d’Ivoire"}},
			{"no", []string{"Norway", "Norfolk Island", "North Korea", "North Macedonia", "Northern Mariana Islands"}},
		} {
			searches(c.typed)
			shown := value[[]string](p, "[...document.querySelectorAll(':popover-open .check:not([hidden]) > span:first-of-type')].map((e) => e.textContent)")
			if len(shown) < len(c.want) || strings.Join(shown[:len(c.want)], "|") != strings.Join(c.want, "|") {
				t.Errorf("%q finds %q, not %q first", c.typed, shown, c.want)
			}
		}
		searches("states united")
		p.clicks(".check", "United States")
		searches("germ")
		p.clicks(".check", "Germany")
		p.isAt(p.log("sms") + "?country=DE&country=US") // in one order, whatever was searched
	})
}

func TestCharactersThatTurnTextStayOutOfTitles(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		for _, fragment := range []string{"#/customers/turned.text", "#/customers/turned.text/sms"} {
			if fragment == "#/customers/turned.text" {
				p.signsIn(fragment)
			}
			p.goes(fragment)
			p.sees("#banner", "Turned")
			p.must(p.Wait("the title", "document.title.includes('Turned')"))
			if turned := p.evaluates(`/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(document.title + [...document.querySelectorAll('[title], [aria-label]')].map((e) => e.title + e.ariaLabel).join(''))`); turned != "false" {
				t.Errorf("%s: a title is turned: %s", fragment, p.evaluates("document.title"))
			}
			// Where the name is shown as it is, an element sets it apart.
			if loose := p.evaluates(`(() => {
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let text = texts.nextNode(); text; text = texts.nextNode()) if (text.data.includes('Turned') && !text.parentElement.closest('bdi')) return text.data;
return ''; })()`); loose != "" {
				t.Errorf("%s: not set apart: %s", fragment, loose)
			}
		}
		p.goes("#/customers?search=" + "%E2%80%AEnone")
		p.sees(".empty bdi", "none")
	})
}

func TestTheAnswerOfTheSignInIsUsed(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		for fragment, want := range map[string]string{
			"":                                      "/customers?limit=100",
			"#/customers":                           "/customers?limit=100",
			"#/customers?search=acme&product=voice": "/customers?search=acme&product=voice&limit=100",
			"#/customers/acme_retail":               "/customers/acme_retail",
			"#/customers/acme_retail/sms":           "/customers/acme_retail",
		} {
			s, site := stage(t, "")
			p := opens(t, p.browser, site, desk)
			p.signsIn(fragment)
			times := 0
			for _, asked := range s.Asked() {
				if asked == want {
					times++
				}
				if strings.HasPrefix(asked, "/customers?") && asked != want && !strings.Contains(asked, "credit=") {
					t.Errorf("%s: it asked for %s as well", fragment, asked)
				}
			}
			if hasRows := len(p.rows()) > 0; times != 1 || !hasRows && strings.Contains(fragment, "/customers?") {
				t.Errorf("%s: asked for it %d times in %v; %d rows", fragment, times, s.Asked(), len(p.rows()))
			}
		}
		p.signsIn("#/customers/no_such_customer") // a key counts, whatever it is tried at
		p.sees("[role=alert]", noSuchCustomer)
		before := len(s.Asked())
		p.goes("#/customers")
		p.settles()
		if asked := s.Asked()[before:]; !slices.Contains(asked, "/customers?limit=100") {
			t.Errorf("asked were %v", asked)
		}
	})
}

func TestWhoIsSuspendedIsToldWhomToAsk(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.goes("")
		p.types("Access key", stageData(t).keySuspended)
		p.presses("Enter")
		p.sees("#key-fault", "access is suspended. If it should work, contact the platform’s operator.")
		p.signsIn("#/customers")
		s.Inject(Fault{Match: "/v1/customers", Status: http.StatusUnauthorized, Code: "unauthorized"})
		p.clicks(".segment", "Voice")
		p.sees("[role=alert]", "or access is suspended. Sign in again to return to where you were, or contact the platform’s operator.")
	})
}
