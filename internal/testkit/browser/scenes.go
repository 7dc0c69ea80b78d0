package browser

import "fmt"

// Site is a dashboard to visit: its address with the slash at its end, a key that
// counts, and a customer with all four products. Issuer is where else people sign in
// there, "http://127.0.0.1:41234"; empty: nowhere.
type Site struct {
	URL, Key, Account string
	Issuer            string
}

// SignIn opens the page at a fragment ("#/customers") and signs in there.
func (p *Page) SignIn(site Site, fragment string) error {
	return first(
		func() error { return p.Go(site.URL + fragment) },
		func() error { return p.WaitFor("label", "Access key") },
		func() error { return p.Focus("Access key") },
		func() error { return p.Paste(site.Key) },
		func() error { return p.Press("Enter") },
		func() error { return p.WaitGone("h1", "Sign in") },
		p.Settle,
	)
}

// Settle waits until nothing on the page is still being loaded.
func (p *Page) Settle() error {
	return p.Wait("the page to settle", `!document.querySelector('[aria-busy=true]') && !document.querySelector('.toast')`)
}

// Scene is one view in one state, as a person may see it.
type Scene struct {
	Name string
	Show func(*Page, Site) error // from a new tab
}

// Scenes lists every view of the dashboard.
func Scenes() []Scene {
	at := func(fragment string, then ...func(*Page) error) func(*Page, Site) error {
		return func(p *Page, site Site) error {
			steps := []func() error{func() error { return p.SignIn(site, fmt.Sprintf(fragment, site.Account)) }}
			for _, step := range then {
				steps = append(steps, func() error { return step(p) }, p.Settle)
			}
			return first(steps...)
		}
	}
	openFirst := func(p *Page) error { return p.Click("tbody a", "") }
	openCountries := func(p *Page) error {
		return p.Eval(`document.querySelector('.filter-fold').click(); [...document.querySelectorAll('.picker button')].at(-1).click()`, nil)
	}
	return []Scene{
		{"sign-in", func(p *Page, site Site) error {
			return first(func() error { return p.Go(site.URL) }, func() error { return p.WaitFor("h1", "Sign in") })
		}},
		{"sign-in-refused", func(p *Page, site Site) error {
			return first(
				func() error { return p.Go(site.URL) }, func() error { return p.Focus("Access key") },
				func() error { return p.Paste("pvk_unknown_0000") }, func() error { return p.Press("Enter") },
				func() error { return p.WaitFor("#key-fault", "unknown, expired or revoked") })
		}},
		{"customers", at("#/customers%.0s")},
		{"customers-none-found", at("#/customers?search=zzz%.0s")},
		{"customer", at("#/customers/%s")},
		{"sms", at("#/customers/%s/sms")},
		{"sms-filtered", at("#/customers/%s/sms?period=custom&from=2026-01-01T00:00Z&direction=outbound&status=delivered&status=undelivered&country=GB&time=utc")},
		{"sms-filters", at("#/customers/%s/sms?status=delivered&status=sent", openCountries)},
		{"sms-record", at("#/customers/%s/sms?direction=outbound&status=delivered", openFirst)},
		{"voice", at("#/customers/%s/voice")},
		{"voice-record", at("#/customers/%s/voice?direction=outbound&status=completed", openFirst)},
		{"video", at("#/customers/%s/video")},
		{"messaging", at("#/customers/%s/messaging")},
		{"not-found", at("#/customers/no_such_account%.0s/sms")},
		{"api-reference", func(p *Page, site Site) error {
			return first(func() error { return p.Go(site.URL + "docs") }, func() error { return p.WaitFor("h1", "") })
		}},
	}
}

// first runs steps until one fails.
func first(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
