package browser

import "testing"

func TestZZLook(t *testing.T) {
	_, site := stage(t, "")
	p := opens(t, needs(t, Chromium), site, desk)
	p.signsIn(p.log("sms"))
	shot := func(name string) {
		for _, dark := range []bool{false, true} {
			look := desk
			look.Dark = dark
			n := name + "-light"
			if dark {
				n = name + "-dark"
			}
			p.must(p.Look(look))
			p.picture(n + "-1440")
			look.Width, look.Height = 390, 844
			p.must(p.Look(look))
			p.picture(n + "-390")
		}
		p.must(p.Look(desk))
	}
	shot("sms")
	p.clicks(".filter-button", "Period")
	p.sees(".day", "")
	p.clicks(".day", "3")
	p.clicks(".day", "10")
	p.settles()
	p.clicks(".filter-button", "Period")
	p.sees(".day", "")
	shot("period")
	p.presses("Escape")
	p.clicks(".filter-button", "Status")
	p.clicks(".check", "Delivered")
	p.clicks(".check", "Failed")
	p.presses("Escape")
	p.clicks(".filter-button", "Number")
	p.types("From ends in", "0123")
	shot("number")
	p.goes(p.log("sms"))
	p.settles()
	p.clicks("tbody td", "")
	p.sees("dialog h3", whyThisPrice)
	shot("drawer")
}
