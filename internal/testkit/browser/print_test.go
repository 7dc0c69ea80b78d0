package browser

import (
	"fmt"
	"testing"
)

// asPrinted makes the rules for paper hold on the screen, and those for the screen not, as a browser has
// them when it prints. It tells how many rules there are.
const asPrinted = `(() => {
	let rules = 0;
	for (const sheet of document.styleSheets) for (const rule of sheet.cssRules) {
		const text = rule.media?.mediaText ?? '';
		if (text === 'print') rule.media.mediaText = 'all';
		else if (text.startsWith('screen')) rule.media.mediaText = 'not all';
		else continue;
		rules += 1;
	}
	return rules;
})()`

// On paper a log and the list of customers are tables with columns, black on white, whatever the
// window was like, with what narrows them and nothing to press.
func TestPaperHasAReadableTable(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		look := desk
		look.Width, look.Dark = 390, true
		p.must(p.Look(look))
		p.signsIn("#/customers?order=id")
		for fragment, narrowed := range map[string]string{
			"#/customers?order=id&product=voice": "Voice",
			p.log("sms") + "?status=delivered":   "Delivered",
		} {
			p.goes(fragment)
			p.settles()
			p.tells("a row on the screen", "getComputedStyle(document.querySelector('tbody tr[data-row]')).display", "grid")
			if n := value[int](p, asPrinted); n < 2 {
				t.Fatalf("%d rules are for paper or for the screen alone", n)
			}
			look.Width = 718 // A4 without its margins
			p.must(p.Look(look))
			for claim, c := range map[string]struct{ expression, want string }{
				"the head is on each page":  {"getComputedStyle(document.querySelector('thead')).display", "table-header-group"},
				"a row has columns":         {"getComputedStyle(document.querySelector('tbody tr[data-row]')).display", "table-row"},
				"no row is cut by a page":   {"getComputedStyle(document.querySelector('tbody tr[data-row]')).breakInside", "avoid"},
				"the paper is white":        {"getComputedStyle(document.body).backgroundColor", "rgb(255, 255, 255)"},
				"the ink is black":          {"getComputedStyle(document.querySelector('h1')).color", "rgb(0, 0, 0)"},
				"what can be pressed":       {"[...document.querySelectorAll('button, input, select')].filter((e) => !e.matches('.order, .filter-button, .spoken') && e.checkVisibility()).map((e) => e.outerHTML).join()", ""},
				"the menu":                  {"document.getElementById('menu').checkVisibility()", "false"},
				"what narrows it":           {fmt.Sprintf("[...document.querySelectorAll('.filter.set, .segment')].filter((e) => e.checkVisibility()).map((e) => e.textContent.includes(%q)).join()", narrowed), "true"},
				"how much of it there is":   {"document.querySelector('.count').checkVisibility()", "true"},
				"nothing is past the edge":  {"document.documentElement.scrollWidth <= innerWidth", "true"},
				"whose customers these are": {"document.querySelector('.partner-name').checkVisibility()", "true"},
			} {
				p.tells(fragment+": "+claim, c.expression, c.want)
			}
			p.picture("print-" + narrowed)
			look.Width = 390
			p.must(p.Look(look))
			p.reloads()
		}
	})
}
