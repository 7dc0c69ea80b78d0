package browser

import (
	"fmt"
	"slices"
	"testing"
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
