package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestEveryView has axe-core look at every scene of the product, light and dark, wide
// and narrow. With -screenshots it takes the pictures.
func TestEveryView(t *testing.T) { inTurn(t, everyView) }

func everyView(t *testing.T, in *Browser) {
	axe, err := os.ReadFile("../../../node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is not there; run npm ci: %v", err)
	}
	site := journeySite(t)
	site.Account = "meridian90"
	for _, dark := range []bool{false, true} {
		for _, scene := range Scenes() {
			t.Run(fmt.Sprintf("%s/%s", scene.Name, shade(dark)), func(t *testing.T) {
				t.Parallel()
				look := desk
				look.Dark = dark
				p := opens(t, in, site, look)
				p.must(scene.Show(p.Page, site))
				for _, width := range []int{1440, 390} {
					look.Width = width
					p.must(p.Look(look))
					if *screenshots != "" {
						picture(t, p, filepath.Join(*screenshots, fmt.Sprintf("%s-%d-%s.png", scene.Name, width, shade(dark))))
					}
					if dark && width == 390 {
						continue // as wide, the dark; as narrow, the light: nothing is left to find
					}
					for _, violation := range violations(t, p, string(axe)) {
						t.Errorf("%d px: %s", width, violation)
					}
				}
			})
		}
	}
}

// TestEveryViewFitsItsWindow narrows and widens the window of every scene, of a customer
// whose name and account ID are as long as they may be.
func TestEveryViewFitsItsWindow(t *testing.T) { inTurn(t, everyViewFitsItsWindow) }

func everyViewFitsItsWindow(t *testing.T, in *Browser) {
	_, site := stage(t)
	site.Account = "long.name_account-with.all_fifty-characters.of_it1"
	for _, scene := range Scenes() {
		t.Run(scene.Name, func(t *testing.T) {
			t.Parallel()
			look := desk
			p := opens(t, in, site, look)
			p.must(scene.Show(p.Page, site))
			for _, width := range []int{360, 390, 600, 701, 861, 961, 990, 1131, 1161, 1200, 1440, 1441, 1453, 2560} {
				look.Width = width
				p.must(p.Look(look))
				if *screenshots != "" && *everyWidth {
					picture(t, p, filepath.Join(*screenshots, fmt.Sprintf("long-%s-%d.png", scene.Name, width)))
				}
				if wide := p.evaluates("document.documentElement.scrollWidth > innerWidth"); wide == "true" {
					t.Errorf("the page is wider than its window of %d px", width)
				}
				if cut := p.evaluates("[...document.querySelectorAll('.table')].some((table) => table.scrollWidth > table.parentElement.clientWidth)"); cut == "true" {
					t.Errorf("a table is wider than its frame at %d px", width)
				}
			}
		})
	}
}

func shade(dark bool) string {
	if dark {
		return "dark"
	}
	return "light"
}

func picture(t *testing.T, p *person, path string) {
	t.Helper()
	png, err := p.Screenshot(false)
	p.must(err)
	p.must(os.MkdirAll(filepath.Dir(path), 0o755))
	p.must(os.WriteFile(path, png, 0o644))
}

// violations is what axe-core finds, rule by rule with the elements.
func violations(t *testing.T, p *person, axe string) []string {
	t.Helper()
	p.must(p.Eval(axe+";0", nil))
	var report string
	p.must(p.Eval(`axe.run(document, {resultTypes: ['violations']}).then((r) => JSON.stringify(r.violations.map((v) => v.id + ' (' + v.help + '): ' + v.nodes.map((n) => n.target + ' ' + n.failureSummary).join('; '))))`, &report))
	var found []string
	if err := json.Unmarshal([]byte(report), &found); err != nil {
		t.Fatal(err)
	}
	return found
}
