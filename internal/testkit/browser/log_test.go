package browser

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"
)

// However much of a log is read, the document has one page of it, and turning it is quick.
func TestAPageOfALongLogIsLightAndQuicklyTurned(t *testing.T) {
	inTurn(t, func(t *testing.T, in *Browser) {
		_, site := stage(t, "")
		site.Account = "edo_travel"
		p := opens(t, in, site, desk)
		p.signsIn(p.log("sms"))
		p.chooses("Rows", "500")
		p.settles()
		seen := p.rows()
		for page := 2; page <= 5; page++ {
			p.clicks("button", "Next")
			p.sees(".count", fmt.Sprintf("Messages %s to ", map[int]string{2: "501", 3: "1,001", 4: "1,501", 5: "2,001"}[page]))
			p.settles()
			p.must(p.Wait("the top of the list", "document.querySelector('tbody tr[data-row]').getBoundingClientRect().top > 0"))
			seen = append(seen, p.rows()...)
			if nodes := value[int](p, "(() => { let n = 0; for (const all = document.createTreeWalker(document); all.nextNode();) n += 1; return n; })()"); nodes > 30_000 {
				t.Errorf("page %d: the document has %d nodes", page, nodes)
			}
		}
		p.sees(".count", "Messages 2,001 to 2,050. That is all.")
		p.hasFocusOn("Next")
		slices.Sort(seen)
		if all := len(slices.Compact(seen)); all != longLog {
			t.Errorf("%d of %d records were shown", all, longLog)
		}
		// A page that was read before asks for nothing: what is left is what the page itself takes.
		quickest := value[float64](p, `(() => {
const took = [];
for (let i = 0; i < 3; i += 1) {
  const begun = performance.now();
  document.querySelector('.previous-page').click();
  document.querySelector('.table').getBoundingClientRect();
  took.push(performance.now() - begun);
  document.querySelector('.next-page').click();
}
return Math.min(...took); })()`)
		if quickest > 300 {
			t.Errorf("turning to a page of 500 rows showed the first after %.0f ms", quickest)
		}
		t.Logf("%.0f ms", quickest)
	})
}

// The arrow keys lead from record to record, over the ends of pages, and the way out to the row of the last one.
func TestTheDrawerTurnsToTheRecordsBeforeAndAfter(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		records := all[recordAnswer](t, p.site, usagePath(p.site, "sms"), nil)
		p.signsIn(p.log("sms"))
		p.chooses("Rows", "25")
		p.settles()
		shows := func(n int) {
			t.Helper()
			p.isAt(p.log("sms") + "?record=" + records[n].ID)
			p.sees("dialog .facts code", records[n].ID)
			p.tells("the drawer's title", "document.querySelector('dialog h2').textContent", "SMS message")
			p.must(p.Wait("where it is", fmt.Sprintf("document.querySelector('dialog .live').textContent.endsWith('message %d')", n+1)))
		}
		p.must(p.Eval("document.querySelectorAll('tbody a')[23].click()", nil))
		shows(23)
		p.presses("ArrowRight")
		shows(24)
		asked := len(s.Asked())
		p.presses("ArrowRight") // the first of a page that is not read yet
		shows(25)
		if n := len(s.Asked()) - asked; n != 1 {
			t.Errorf("the API was asked %d times", n)
		}
		p.presses("ArrowLeft")
		shows(24)
		p.clicks("button", "Next record")
		shows(25)
		p.hasFocusOn("Next record")
		p.presses("Escape")
		p.isAt(p.log("sms"))
		p.tells("the focus is back", "document.activeElement.closest('tr').dataset.row", records[25].ID)
		p.sees(".count", "Messages 26 to 50.")

		p.clicks(".previous-page", "")
		p.must(p.Eval("document.querySelector('tbody a').click()", nil))
		shows(0)
		p.presses("ArrowLeft") // there is none
		shows(0)
		p.tells("the button", "document.querySelector('[aria-label^=\"Previous record\"]').getAttribute('aria-disabled')", "true")
		p.goesBack() // leaves the drawer, however often it was turned
		p.isAt(p.log("sms"))
	})
}

func TestAPeriodIsChosenByKeyboardAlone(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn(p.log("sms"))
		tabsTo := func(what, expression string) {
			t.Helper()
			for range 40 { // a field of a time takes several
				p.presses("Tab")
				if p.evaluates("Boolean("+expression+")") == "true" {
					return
				}
			}
			focused, err := p.Focused()
			p.must(err)
			t.Fatalf("Tab does not lead to %s, but to %q", what, focused)
		}
		p.must(p.Eval("document.querySelector('#skip').focus()", nil))
		p.presses("Enter")
		p.hasFocusOn("h1 SMS")
		tabsTo("the period", "document.activeElement.matches('.filter-button')")
		p.hasFocusOn("Period: All records")
		p.entersUntil("document.querySelector(':popover-open .day')")
		p.hasFocusOn("All records") // what is chosen

		p.presses("Escape")
		p.misses(".day", "")
		p.hasFocusOn("Period: All records")

		p.entersUntil("document.querySelector(':popover-open .day')")
		tabsTo("a day", "document.activeElement.dataset.day")
		zone, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		today := time.Now().In(zone)
		day := func(days int) string { return today.AddDate(0, 0, days).Format("Monday, 2 January 2006") }
		p.hasFocusOn(day(0))
		for _, press := range []struct {
			key  string
			days int
		}{{"ArrowUp", -7}, {"ArrowUp", -14}, {"ArrowRight", -13}, {"ArrowDown", -6}, {"ArrowLeft", -7}} {
			p.presses(press.key) // past the end of a month too, on some days
			p.hasFocusOn(day(press.days))
		}
		p.presses("Enter")
		p.sees(".calendar [role=status]", "Now choose the last day.")
		p.presses("ArrowRight")
		p.presses("ArrowRight")
		p.tells("the days that are marked", "document.querySelectorAll('.calendar [aria-selected=true]').length > 0", "true")
		p.presses("Enter")
		p.misses(".day", "")
		p.hasFocusOn("Period: ")
		midnight := func(days int) string {
			return time.Date(today.Year(), today.Month(), today.Day()+days, 0, 0, 0, 0, zone).UTC().Format(time.RFC3339)
		}
		p.isAt(p.log("sms") + "?from=" + url.QueryEscape(midnight(-7)) + "&to=" + url.QueryEscape(midnight(-4))) // the last day is in it

		p.entersUntil("document.querySelector(':popover-open .day')")
		tabsTo("the filter after it", "document.activeElement.matches('.filter-clear, .filter-button')")
		p.misses(".day", "") // who leaves it by Tab closes it
	})
}
