package browser

import (
	"net/http"
	"strings"
	"testing"

	"partnerview/internal/dev/sample"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/producttest"
)

// These are on the product itself. Its database is down for all who use it, so the tests
// of this file are not parallel to any other.

func TestAKeyThatIsRevokedWhileItIsUsed(t *testing.T) {
	inTurn(t, func(t *testing.T, in *Browser) {
		site := journeySite(t)
		operated := operatorOf(t, sharedProduct(t))
		text, key, err := operated.CreateKey(t.Context(), "northwind", "browsertest", operator.Expiry{})
		if err != nil {
			t.Fatal(err)
		}
		theirs := Site{URL: site.URL, Key: text, Account: site.Account}
		somebody := opens(t, in, theirs, desk)
		somebody.signsIn(logFragment(site, "voice"))
		somebody.sees("tbody a", "")
		if _, err := operated.RevokeKey(t.Context(), key.ID); err != nil {
			t.Fatal(err)
		}
		waitUntil(t, "the end of what was decided before", func() bool {
			status, _ := asksFor(t, theirs, usagePath(site, "sms"), nil)
			return status == http.StatusUnauthorized
		})
		somebody.clicks("#menu a", "SMS")
		somebody.sees("[role=alert]", keyEnded)
		somebody.must(somebody.Paste(site.Key))
		somebody.presses("Enter")
		somebody.arrivesAt("SMS")
		somebody.isAt(logFragment(site, "sms"))
	})
}

func TestTheProductIsDownAndComesBack(t *testing.T) {
	inTurn(t, func(t *testing.T, in *Browser) {
		p := sharedProduct(t)
		site := journeySite(t)
		somebody := opens(t, in, site, desk)
		somebody.signsIn("#/customers")
		p.Proxy.Set(producttest.Down)
		defer p.Proxy.Set(producttest.Passing)
		somebody.goes(logFragment(site, "sms"))
		somebody.sees("[role=alert]", "The service "+cannotAnswer)
		if id := strings.Join(somebody.reads("[role=alert] code"), ""); len(id) != 36 {
			t.Errorf("the request id is %q", id)
		}
		p.Proxy.Set(producttest.Passing)
		somebody.clicks("button", "Try again")
		somebody.settles()
		somebody.counts("after trying again", 100)
	})
}

// longCoordinates is the first coordinate or length of a page that has more than two decimals.
const longCoordinates = `[...document.querySelectorAll('[style], svg *')].flatMap((e) => [...e.attributes])
	.filter((a) => !a.name.startsWith('aria-')).map((a) => a.value).find((v) => /\d\.\d{3,}/.test(v)) ?? ''`

// TestNoCanaryIsOnAPage searches every view for what must never come out: all of
// the document, its attributes and the address, with every record that can be
// loaded.
func TestNoCanaryIsOnAPage(t *testing.T) {
	inTurn(t, func(t *testing.T, in *Browser) {
		site := journeySite(t)
		somebody := opens(t, in, site, desk)
		somebody.signsIn("#/customers")
		views := []string{"#/overview", "#/customers", "#/customers?credit=exhausted&order=-spend", "#/customers/" + site.Account}
		for _, product := range []string{"sms", "voice", "video", "messaging"} {
			views = append(views, logFragment(site, product))
		}
		shown := 0
		for _, view := range views {
			somebody.goes(view)
			somebody.loadsAll()
			page := somebody.evaluates("location.href + document.title + document.documentElement.outerHTML")
			shown += len(somebody.rows())
			if leaks := sample.Leaks(page); leaks != nil {
				t.Errorf("%s shows %q", view, leaks)
			}
			if long := somebody.evaluates(longCoordinates); long != "" {
				t.Errorf("%s has the coordinate %s, in which a number could be read", view, long)
			}
			if !strings.Contains(view, "messaging") {
				continue
			}
			somebody.clicks("tbody a", "")
			somebody.sees("dialog h3", whyThisPrice)
			if leaks := sample.Leaks(somebody.evaluates("document.querySelector('dialog').outerHTML")); leaks != nil {
				t.Errorf("a record's detail shows %q", leaks)
			}
			somebody.presses("Escape")
		}
		if shown < 200 {
			t.Errorf("but %d rows were searched", shown)
		}
	})
}
