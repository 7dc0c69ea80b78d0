package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// ssoScenes are the views that single sign-on adds, each from a new tab.
var ssoScenes = []struct {
	name string
	show func(*person)
}{
	{"sso", func(p *person) {
		p.goes("#/customers")
		p.sees("button", "Continue with single sign-on")
	}},
	{"sso-issuer", func(p *person) {
		p.goes("#/customers")
		p.clicks("button", "Continue with single sign-on")
		p.sees("h1", "Demo issuer")
	}},
	{"sso-cancelled", func(p *person) {
		p.goes("#/customers")
		p.clicks("button", "Continue with single sign-on")
		p.clicks("button", "Cancel")
		p.sees("[role=alert]", "You were not signed in")
	}},
	{"sso-denied", func(p *person) {
		p.goes("#/customers")
		p.clicks("button", "Continue with single sign-on")
		p.entersAtIssuer("edda", "demo-eastgate")
		p.sees("button", "Use another account")
	}},
	{"sso-customers", func(p *person) {
		p.signsInAtIssuer("#/customers")
		p.sees(".key-id", "Nora Northwind")
	}},
}

// TestEveryViewOfSingleSignOn has axe-core look at them, and takes pictures, as
// TestEveryView does of the others. None may be wider than its window.
func TestEveryViewOfSingleSignOn(t *testing.T) { inBrowsers(t, everyViewOfSingleSignOn) }

func everyViewOfSingleSignOn(t *testing.T, in *Browser) {
	axe, err := os.ReadFile("../../../node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is not there; run npm ci: %v", err)
	}
	_, _, site := stageWithIssuer(t, longLived)
	for _, dark := range []bool{false, true} {
		for _, scene := range ssoScenes {
			t.Run(fmt.Sprintf("%s/%s", scene.name, shade(dark)), func(t *testing.T) {
				look := desk
				look.Dark = dark
				p := opens(t, in, site, look)
				scene.show(p)
				for _, width := range []int{1440, 390, 360} {
					look.Width = width
					p.must(p.Look(look))
					if *screenshots != "" && width != 360 {
						picture(t, p, filepath.Join(*screenshots, fmt.Sprintf("%s-%d-%s.png", scene.name, width, shade(dark))))
					}
					for _, violation := range violations(t, p, string(axe)) {
						t.Errorf("%d px: %s", width, violation)
					}
					if wide := p.evaluates("document.documentElement.scrollWidth > innerWidth"); wide == "true" {
						t.Errorf("the page is wider than its window of %d px", width)
					}
				}
			})
		}
	}
}
