package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// scene is one view in one state, as a person may see it from a new tab.
type scene struct {
	name string
	show func(*person)
}

// scenes lists every view of the dashboard, of a site's customer.
func scenes(site Site) []scene {
	signedIn := func(fragment string, then ...func(*person)) func(*person) {
		return func(p *person) {
			p.signsIn(fragment)
			p.triesAgain()
			for _, step := range then {
				step(p)
				p.settles()
				p.triesAgain()
			}
		}
	}
	opensFirst := func(p *person) { p.clicks("tbody a", "") }
	opensCountries := func(p *person) {
		p.clicks(".filter-button", "Country")
		p.sees(".check", "Afghanistan")
	}
	log := func(product string) string { return logFragment(site, product) }
	return []scene{
		{"sign-in", func(p *person) {
			p.goes("")
			p.sees("h1", "Sign in")
		}},
		{"sign-in-refused", func(p *person) {
			p.goes("")
			p.must(p.Focus("Access key"))
			p.must(p.Paste("pvk_unknown_0000"))
			p.presses("Enter")
			p.sees("#key-fault", keyRefused)
		}},
		{"overview", signedIn("#/overview")},
		{"overview-bar", signedIn("#/overview?by=month&show=volume", func(p *person) { p.clicks(".legend a", "SMS") })},
		{"customers", signedIn("#/customers")},
		{"customers-exhausted", signedIn("#/customers?credit=exhausted&order=-spend")},
		{"customers-none-found", signedIn("#/customers?search=zzz")},
		{"customer", signedIn("#/customers/" + site.Account)},
		{"customer-table", signedIn("#/customers/"+site.Account+"?by=week", func(p *person) { p.clicks("summary", "Show as a table") })},
		{"sms", signedIn(log("sms"))},
		{"sms-filtered", signedIn(log("sms") + "?period=custom&from=2026-01-01T00:00Z&direction=outbound&status=delivered&status=undelivered&country=GB&time=utc")},
		{"sms-filters", signedIn(log("sms")+"?status=delivered&status=sent", opensCountries)},
		{"sms-period", signedIn(log("sms")+"?from=2026-11-03T00:00Z&to=2026-11-20T00:00Z", func(p *person) {
			p.clicks(".filter-button", "Period")
			p.sees(".day", "")
		})},
		{"sms-number", signedIn(log("sms"), func(p *person) {
			p.clicks(".filter-button", "Number")
			p.types("To ends in", "0000")
		})},
		{"sms-more", signedIn(log("sms"), func(p *person) {
			p.clicks("button", "More")
			p.sees(".word", "Copy as curl")
		})},
		{"sms-second-page", signedIn(log("sms"), func(p *person) {
			p.chooses("Rows", "25")
			p.settles()
			p.clicks("button", "Next")
			p.sees(".count", "Messages 26")
		})},
		{"sms-download", signedIn(log("sms"), func(p *person) {
			p.must(p.Eval(keepsNothing, nil))
			p.clicks("button", "Download CSV")
			p.sees(".download", "Beginning")
		})},
		{"sms-record", signedIn(log("sms")+"?direction=outbound&status=delivered", opensFirst)},
		{"find-record", signedIn(log("sms"), func(p *person) {
			p.clicks("button", "Find a record")
			p.looksFor("no-such-record")
			p.sees("#jump-fault", "No record")
		})},
		{"voice", signedIn(log("voice"))},
		{"voice-record", signedIn(log("voice")+"?direction=outbound&status=completed", opensFirst)},
		{"video", signedIn(log("video"))},
		{"messaging", signedIn(log("messaging"))},
		{"not-found", signedIn("#/customers/no_such_account/sms")},
		{"api-reference", func(p *person) {
			p.goes("docs")
			p.sees("h1", "")
		}},
	}
}

// issuerScenes are the views that single sign-on adds.
var issuerScenes = []scene{
	{"sso", func(p *person) {
		p.goes("#/customers")
		p.sees("button", continueSSO)
	}},
	{"sso-issuer", func(p *person) {
		p.goes("#/customers")
		p.clicks("button", continueSSO)
		p.sees("h1", "Demo issuer")
	}},
	{"sso-cancelled", func(p *person) {
		p.goes("#/customers")
		p.clicks("button", continueSSO)
		p.clicks("button", "Cancel")
		p.sees("[role=alert]", notSignedIn)
	}},
	{"sso-denied", func(p *person) {
		p.goes("#/customers")
		p.clicks("button", continueSSO)
		p.entersAtIssuer("edda", "demo-eastgate")
		p.sees("button", "Use another account")
	}},
	{"sso-narrowed", func(p *person) {
		p.signsInAs("#/customers", "nia", "demo-three")
		p.sees(".narrowed", "3 of 61 customers")
		p.hasRows(3)
	}},
	{"sso-nobody", func(p *person) {
		p.signsInAs("#/customers", "nils", "demo-none")
		p.sees(".empty", "None of the customers")
	}},
	{"sso-customers", func(p *person) {
		p.signsInAtIssuer("#/customers")
		p.sees(".key-id", "Nora Northwind")
	}},
}

// TestEveryView has axe-core look at every scene of the product, light and dark, in windows of 360 to
// 2,560 px that the browsers share; none may be wider than its window. With -every-width each browser
// has it look at each width in both shades; with -screenshots it takes the pictures, wide and narrow.
func TestEveryView(t *testing.T) {
	inTurn(t, func(t *testing.T, in *Browser) {
		site := journeySite(t)
		site.Account = "meridian90"
		for _, scene := range scenes(site) {
			t.Run(scene.name, func(t *testing.T) {
				t.Parallel()
				lookedAt(t, opens(t, in, site, desk), scene)
			})
		}
	})
}

// TestEveryViewOfSingleSignOn does so with the others. None may be wider than its window.
func TestEveryViewOfSingleSignOn(t *testing.T) {
	withIssuer(t, func(t *testing.T, _ *Stage, _ *gate, p *person) {
		for _, scene := range issuerScenes {
			t.Run(scene.name, func(t *testing.T) {
				p := opens(t, p.browser, p.site, desk)
				lookedAt(t, p, scene)
				for _, width := range []int{1440, 390, 360} {
					p.fits(deskOf(width))
				}
			})
		}
	})
}

// TestEveryViewFitsItsWindow narrows and widens the window of every scene, of a customer
// whose name and account ID are as long as they may be.
func TestEveryViewFitsItsWindow(t *testing.T) {
	inTurn(t, func(t *testing.T, in *Browser) {
		_, site := stage(t, "")
		site.Account = "long.name_account-with.all_fifty-characters.of_it1"
		for _, scene := range scenes(site) {
			t.Run(scene.name, func(t *testing.T) {
				t.Parallel()
				p := opens(t, in, site, desk)
				scene.show(p)
				for _, width := range []int{360, 390, 600, 701, 861, 961, 990, 1131, 1161, 1200, 1440, 1441, 1453, 2560} {
					p.fits(deskOf(width))
					if *everyWidth {
						p.picture(fmt.Sprintf("long-%s-%d", scene.name, width))
					}
				}
			})
		}
	})
}

// samples are the widths at which axe-core looks at a scene in each shade. The browsers share them, since most of what
// it finds is of the document, which is the same in both; -every-width shares nothing.
var samples = map[Kind]map[string]int{
	Chromium: {"light": 360, "dark": 2560},
	Firefox:  {"light": 1440, "dark": 768},
}

// lookedAt shows a scene light and dark, wide and narrow.
func lookedAt(t *testing.T, p *person, scene scene) {
	t.Helper()
	axe, err := os.ReadFile("../../../node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is not there; run npm ci: %v", err)
	}
	scene.show(p)
	p.must(p.Eval(string(axe)+";0", nil))
	for shade, dark := range map[string]bool{"light": false, "dark": true} {
		for _, width := range []int{360, 390, 768, 1024, 1440, 2560} {
			isSampled := samples[p.browser.Kind][shade] == width
			isPicture := *screenshots != "" && (width == 390 || width == 1440)
			if !isSampled && !isPicture && !*everyWidth {
				continue
			}
			look := desk
			look.Dark, look.Width = dark, width
			p.fits(look)
			if isPicture {
				p.picture(fmt.Sprintf("%s-%d-%s", scene.name, width, shade))
			}
			for _, violation := range p.violations() {
				t.Errorf("%s, %d px: %s", shade, width, violation)
			}
		}
	}
}

// deskOf is a desk's window of another width.
func deskOf(width int) Look {
	look := desk
	look.Width = width
	return look
}

// fits gives the window a look. Nothing may be wider than it, nor a table than its frame, once the page
// knows of that: it places what floats when it is told of the window's size, a frame later.
func (p *person) fits(look Look) {
	p.t.Helper()
	p.must(p.Look(look))
	for what, fits := range map[string]string{
		"a page no wider than its window": "document.documentElement.scrollWidth <= innerWidth",
		"tables no wider than their frames": "[...document.querySelectorAll('.table')]" +
			".every((table) => table.scrollWidth <= table.parentElement.clientWidth)",
	} {
		p.must(p.Wait(fmt.Sprintf("%s, of %d px", what, look.Width), fits))
	}
}

// picture takes one, with -screenshots.
func (p *person) picture(name string) {
	p.t.Helper()
	if *screenshots == "" {
		return
	}
	png, err := p.Screenshot()
	p.must(err)
	p.must(os.MkdirAll(*screenshots, 0o755))
	p.must(os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o644))
}

// violations is what axe-core finds, rule by rule with the elements.
func (p *person) violations() (found []string) {
	p.t.Helper()
	var report string
	p.must(p.Eval(`axe.run(document, {resultTypes: ['violations']}).then((r) => JSON.stringify(r.violations.map((v) => v.id + ' (' + v.help + '): ' + v.nodes.map((n) => n.target + ' ' + n.failureSummary).join('; '))))`, &report))
	p.must(json.Unmarshal([]byte(report), &found))
	return found
}
