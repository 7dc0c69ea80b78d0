package browser

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func (p *person) looksFor(id string) {
	p.t.Helper()
	p.types("Record ID", id)
	p.presses("Enter")
}

func TestARecordIsFoundByItsIDInWhicheverLogItIs(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		p.signsIn("#/customers/" + p.site.Account)
		for _, product := range []string{"voice", "sms", "messaging", "video"} {
			records := asks[pageAnswer[recordAnswer]](t, p.site, usagePath(p.site, product), map[string][]string{"limit": {"100"}}).Data
			id := records[len(records)-1].ID // no row of the page that is shown then
			p.clicks("button", "Find a record")
			p.hasFocusOn("Record ID")
			p.looksFor(" " + id + " ")
			p.isAt(p.log(product) + "?record=" + url.QueryEscape(id))
			p.sees("dialog h3", whyThisPrice)
			p.sees("dialog code", id)
			p.presses("Escape")
			p.must(p.Wait("the drawer to close", "!document.querySelector('dialog[open]')"))
		}
	})
}

func TestWhatIsLookedForAndNotFoundIsTold(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		p.signsIn("#/customers/acme_retail")
		for range 12 { // by keyboard alone
			p.presses("Shift+Tab")
			if focused, err := p.Focused(); err == nil && strings.HasPrefix(focused, "button Find a record") {
				break
			}
		}
		p.entersUntil("document.querySelector('dialog.jump[open]')")
		p.looksFor("no-such-record")
		p.sees("#jump-fault", "No record of this customer has this ID.")
		p.hasFocusOn("Record ID")

		asked := len(s.Asked())
		for text, told := range map[string]string{
			"":                "Enter a record ID.",
			"07700900123":     "could be a telephone number",
			"+44 7700 900123": "could be a telephone number",
			p.site.Key:        "That was an access key.",
			"<img src=x>":     "This is not a record ID",
		} {
			p.types("Record ID", text)
			p.presses("Enter")
			p.sees("#jump-fault", told)
		}
		if more := s.Asked()[asked:]; len(more) > 0 {
			t.Errorf("it asked for %v", more)
		}

		s.Inject(Fault{Match: "/usage/voice/", Status: http.StatusServiceUnavailable, Code: "unavailable"})
		p.looksFor("another-id")
		p.sees("dialog [role=alert]", cannotAnswer)
		s.Inject()
		p.clicks("dialog button", "Try again")
		p.sees("#jump-fault", "No record of this customer has this ID.")

		p.presses("Escape")
		p.must(p.Wait("the dialog to go", "!document.querySelector('dialog.jump')"))
		p.hasFocusOn("Find a record")
	})
}

func TestAnIDInTwoLogsIsAChoice(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn(p.log("sms"))
		p.clicks("button", "Find a record")
		p.looksFor(inTwoLogs)
		p.sees("dialog a", "SMS, ")
		p.hasFocusOn("SMS, ")
		p.clicks("dialog a", "Voice, ")
		p.isAt(p.log("voice") + "?record=" + inTwoLogs)
		p.sees("dialog h2", "Voice call")
	})
}
