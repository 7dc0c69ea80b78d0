package browser

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// rows are the ids of the rows that are shown, in their order.
func (p *person) rows() []string {
	p.t.Helper()
	return value[[]string](p, "[...document.querySelectorAll('#view tbody tr[data-row]')].map((tr) => tr.dataset.row)")
}

// cells are the texts of a column, by its label.
func (p *person) cells(label string) []string {
	p.t.Helper()
	var texts []string
	p.must(p.call("return [...document.querySelectorAll('#view tbody tr[data-row] > *')].filter((cell) => cell.dataset.label.startsWith(args[0])).map((cell) => cell.innerText.replace(/\\s+/g, ' ').trim())", &texts, label))
	return texts
}

// loadsAll makes all rows of a list be shown; of a log those of one page, as long as it can be.
func (p *person) loadsAll() {
	p.t.Helper()
	p.settles()
	if p.evaluates("document.querySelector('.page-size select')?.checkVisibility() ?? false") == "true" {
		p.chooses("Rows", "500")
		p.settles()
		p.tells("a page after this one", "document.querySelector('.next-page').checkVisibility()", "false")
		return
	}
	for range 200 {
		p.settles()
		if p.evaluates("document.querySelector('.load-more')?.checkVisibility() ?? false") != "true" {
			return
		}
		p.clicks(".load-more", "")
	}
	p.t.Error("there is no end of more to load")
}

func TestSigningInAndOut(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		p.must(p.Go(strings.TrimSuffix(p.site.URL, "/"))) // as people type it
		p.sees("h1", "Sign in")
		p.hasFocusOn("Access key")

		p.types("Access key", "not a key")
		p.presses("Enter")
		p.sees("#key-fault", "not an access key")
		p.types("Access key", "pvk_unknown_00000000000000000000000000000000000000000")
		p.presses("Enter")
		p.sees("#key-fault", keyRefused)

		p.types("Access key", p.site.Key)
		p.presses("Enter")
		p.arrivesAt("Overview")
		p.tells("the title", "document.title", "Overview · Partnerview")
		secret := p.site.Key[strings.LastIndex(p.site.Key, "_")+1:]
		p.tells("what is kept", "JSON.stringify([localStorage.length, document.cookie, Object.values(sessionStorage)])", fmt.Sprintf(`[0,"",["%s"]]`, p.site.Key))
		if strings.Contains(p.evaluates("document.documentElement.outerHTML + location.href"), secret) {
			t.Error("the secret is on the page")
		}

		p.clicks("#menu a", "Customers")
		p.clicks("tbody a", "")
		p.isOnOverview()
		p.clicks("button", "Sign out")
		p.sees("h1", "Sign in")
		p.isAt("#/overview")
		p.sees("[role=status]", signedOut)
		p.tells("what is kept after signing out", "sessionStorage.length", "0")
		p.goesBack()
		p.sees("h1", "Sign in")
		p.tells("back, after signing out", "document.querySelectorAll('tbody tr').length", "0")
		for _, request := range p.Requests() {
			if strings.Contains(request, secret) {
				t.Errorf("the secret is in an address: %s", request)
			}
		}
	})
}

func TestTheNextPersonSeesNothingOfTheOneBefore(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		p.signsIn("#/customers")
		p.clicks("tbody a", "")
		p.isOnOverview()
		p.clicks("button", "Sign out")
		p.sees("label", "Access key")
		p.must(p.Paste(sharedProduct(t).Key(t, "newhaven")))
		p.presses("Enter")
		p.sees(".empty", "No customers yet")
		p.goesBack()
		p.settles()
		p.sees(".empty", "No customers yet")
		p.counts("the list of the one before", 0)
		p.goes("#/customers/" + url.QueryEscape(p.site.Account))
		p.sees("[role=alert]", noSuchCustomer)
		p.misses("#banner", "Söhne")
	})
}

func TestTheListOfCustomers(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		customers := all[customerAnswer](t, p.site, "customers", nil)
		p.signsIn("#/customers")
		var want []string
		for _, c := range customers {
			want = append(want, c.AccountID)
		}
		p.shows("the customers", want, p.rows())
		p.sees(".count", fmt.Sprintf("%d customers shown. That is all.", len(customers)))
		for label, of := range map[string]func(customerAnswer) string{
			"Customer":   func(c customerAnswer) string { return c.Name },
			"Account ID": func(c customerAnswer) string { return c.AccountID },
			"Currency":   func(c customerAnswer) string { return c.Currency },
			"Products": func(c customerAnswer) string {
				words := map[string]string{"sms": "SMS", "voice": "Voice", "video": "Video", "messaging": "Messaging Apps"}
				var all []string
				for _, product := range c.Products {
					all = append(all, words[product])
				}
				return strings.Join(all, " ")
			},
		} {
			var want []string
			for _, c := range customers {
				want = append(want, strings.Join(strings.Fields(of(c)), " "))
			}
			p.shows(label, want, p.cells(label))
		}
		for i, text := range p.cells("Remaining credit") {
			checkCredit(t, customers[i], text)
		}
		for i, text := range p.cells("Spend this month") {
			if spend := customers[i].Spend; spend == nil && text != "– not counted yet" || spend != nil && !strings.Contains(strings.ReplaceAll(text, ",", ""), spend.Amount) {
				t.Errorf("%s: the spend %+v is shown as %q", customers[i].AccountID, spend, text)
			}
		}
	})
}

// checkCredit checks what is said of a customer's credit: each digit of the amount, and in words
// what is special.
func checkCredit(t *testing.T, c customerAnswer, text string) {
	t.Helper()
	credit := c.RemainingCredit
	says := func(words string, should bool) {
		if strings.Contains(text, words) != should {
			t.Errorf("%s: the credit %+v is shown as %q", c.AccountID, credit, text)
		}
	}
	says("Postpaid", credit.BillingMode == "postpaid")
	says("not available", credit.Amount == nil)
	if credit.Amount == nil {
		return
	}
	digits := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, s)
	}
	shown, _, _ := strings.Cut(text, "as of")
	if !strings.HasPrefix(digits(shown), digits(*credit.Amount)) {
		t.Errorf("%s: %s is shown as %q", c.AccountID, *credit.Amount, text)
	}
	says("Exhausted", isExhausted(t, c))
	if !strings.HasPrefix(*credit.Amount, "-") || isExhausted(t, c) {
		says("Overdrawn", false)
	}
	asOf, err := time.Parse(time.RFC3339, *credit.AsOf)
	if err != nil {
		t.Fatal(err)
	}
	says("as of", time.Since(asOf) > 24*time.Hour)
}

// isExhausted reports whether a customer has nothing left to spend.
func isExhausted(t *testing.T, c customerAnswer) bool {
	t.Helper()
	left := decimal.Zero
	for _, part := range []*string{c.RemainingCredit.Amount, c.RemainingCredit.CreditLimit} {
		if part != nil {
			left = left.Add(decimal.RequireFromString(*part))
		}
	}
	return c.RemainingCredit.Amount != nil && !left.IsPositive()
}

func TestSearchingForACustomer(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		customers := all[customerAnswer](t, p.site, "customers", nil)
		p.signsIn("#/customers")
		pick := customers[len(customers)/2]
		for _, text := range []string{pick.AccountID, strings.ToUpper(pick.Name)} {
			var want []string
			for _, c := range all[customerAnswer](t, p.site, "customers", url.Values{"search": {text}}) {
				want = append(want, c.AccountID)
			}
			p.types("Search customers", text)
			p.must(p.Wait("the search for "+text, fmt.Sprintf("new URLSearchParams(location.hash.split('?')[1]).get('search') === %q", text)))
			p.settles()
			p.shows("searching for "+text, want, p.rows())
		}
		p.hasFocusOn("Search customers") // it stays where the person types

		p.must(p.Focus("Search customers"))
		p.must(p.Paste(pick.AccountID + " ")) // as before another word
		p.must(p.Wait("the search", fmt.Sprintf("location.hash === '#/customers?search=%s'", url.QueryEscape(pick.AccountID))))
		p.tells("the person typed a blank", "document.getElementById('customer-search').value", pick.AccountID+" ")

		p.types("Search customers", "nobody is called this")
		p.sees(".empty", "No customer matches")
		p.clicks("button", "Show all customers")
		p.settles()
		p.counts("all customers", len(customers))

		for _, product := range []string{"voice", "messaging"} {
			p.clicks(".segment", map[string]string{"voice": "Voice", "messaging": "Messaging Apps"}[product])
			p.isAt("#/customers?product=" + product)
			p.loadsAll()
			var want []string
			for _, c := range customers {
				if slices.Contains(c.Products, product) {
					want = append(want, c.AccountID)
				}
			}
			p.shows("those with "+product, want, p.rows())
		}
	})
}

func TestACustomersView(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		c := asks[customerAnswer](t, p.site, "customers/"+url.PathEscape(p.site.Account), nil)
		p.signsIn("#/customers?search=" + url.QueryEscape(p.site.Account))
		p.clicks("tbody a", c.Name)
		p.arrivesAt("Overview")
		p.hasFocusOn("Overview")
		p.sees("#banner", c.Name)
		p.sees("#banner .pill", "View only")
		want := []string{"All customers", "Overview", "SMS", "Voice", "Video", "Messaging Apps", "API reference"}
		p.shows("the menu", want, p.reads("#menu a"))
		p.sees("#banner code", c.AccountID)
		p.tells("how often its name is to be read", `[...document.querySelectorAll('bdi')].filter((e) => e.textContent === '`+strings.ReplaceAll(c.Name, "'", `\'`)+`').length`, "1")
	})
}

func TestTheMenuListsOnlyTheProductsThatAreAvailable(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		words := map[string]string{"sms": "SMS", "voice": "Voice", "video": "Video", "messaging": "Messaging Apps"}
		p.signsIn("#/customers")
		seen := map[string]bool{}
		for _, c := range all[customerAnswer](t, p.site, "customers", nil) {
			kind := strings.Join(c.Products, ",")
			if seen[kind] {
				continue
			}
			seen[kind] = true
			p.goes("#/customers/" + url.QueryEscape(c.AccountID))
			p.sees("#banner", c.AccountID)
			p.settles()
			want := []string{"All customers", "Overview"}
			for _, product := range c.Products {
				want = append(want, words[product])
			}
			p.shows(c.AccountID+" has "+kind+", the menu", append(want, "API reference"), p.reads("#menu a"))
		}
		if len(seen) < 4 {
			t.Errorf("the customers have but %d sets of products", len(seen))
		}
	})
}

func TestEveryProductsLog(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		site := journeySite(t)
		own := map[string][]string{"sms": {"Segments"}, "voice": {"Duration"}, "video": {"Duration", "Participants", "Participant time"}, "messaging": {"Channel", "Category"}}
		for product, columns := range own {
			t.Run(product, func(t *testing.T) {
				t.Parallel()
				records := all[recordAnswer](t, site, usagePath(site, product), url.Values{"limit": {"500"}})
				p := opens(t, in, site, desk)
				p.signsIn(logFragment(site, product))
				want := append([]string{"Time", "Direction", "Status", "From", "To", "Country"}, columns...)
				p.shows("the columns", append(want, "Price"), p.reads("thead th"))
				p.loadsAll()
				p.shows("the records", ids(records), p.rows())
				p.sees(".count", "That is all.")
				checkNumbers(t, p, records)
				prices := p.cells("Price")
				for i, r := range records {
					checkPrice(t, r, prices[i])
				}
			})
		}
	})
}

func checkNumbers(t *testing.T, p *person, records []recordAnswer) {
	t.Helper()
	for label, of := range map[string]func(recordAnswer) *string{"From": func(r recordAnswer) *string { return r.From }, "To": func(r recordAnswer) *string { return r.To }} {
		cells := p.cells(label)
		for i, r := range records {
			want := "–"
			if masked := of(r); masked != nil {
				want = strings.ReplaceAll(*masked, "*", "•")
			}
			if !strings.HasPrefix(cells[i], want) {
				t.Errorf("%s: %s is shown as %q, not %q", r.ID, label, cells[i], want)
			}
		}
	}
}

func checkPrice(t *testing.T, r recordAnswer, text string) {
	t.Helper()
	for outcome, words := range map[string]string{"free": "Free", "recorded": "Recorded", "unrated": "Not priced"} {
		if strings.Contains(text, words) != (r.Price.Status == outcome) {
			t.Errorf("%s is %s, and shown as %q", r.ID, r.Price.Status, text)
		}
	}
	if r.Price.Amount != nil && !strings.Contains(strings.ReplaceAll(text, ",", ""), *r.Price.Amount) {
		t.Errorf("%s costs %s, and is shown as %q", r.ID, *r.Price.Amount, text)
	}
}

func TestEachFilter(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		site := journeySite(t)
		records := all[recordAnswer](t, site, usagePath(site, "messaging"), url.Values{"limit": {"500"}})
		midnight := func(days int) string {
			zone, err := time.LoadLocation("Europe/Berlin")
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now().In(zone)
			return time.Date(now.Year(), now.Month(), now.Day()+days, 0, 0, 0, 0, zone).UTC().Format(time.RFC3339)
		}
		digits := func(of func(recordAnswer) *string) string {
			for _, r := range records {
				if n := of(r); n != nil && len(*n) == 8 {
					return (*n)[4:]
				}
			}
			t.Fatal("no record shows last four digits")
			return ""
		}
		picks := func(label, option string) func(*person) {
			return func(p *person) {
				p.clicks(".filter-button", label)
				p.clicks(".check", option)
				p.presses("Escape")
				p.hasFocusOn(label)
			}
		}
		says := func(label, word string) func(*person) {
			return func(p *person) {
				p.clicks(".filter-button", label)
				p.clicks(".word", word)
				p.hasFocusOn(label)
			}
		}
		ends := func(label, digits string) func(*person) {
			return func(p *person) {
				p.clicks(".filter-button", "Number")
				p.types(label, digits)
				p.presses("Enter")
				p.hasFocusOn("Number: ")
			}
		}
		fromLast4, toLast4 := digits(func(r recordAnswer) *string { return r.From }), digits(func(r recordAnswer) *string { return r.To })
		base := logFragment(site, "messaging")
		for name, c := range map[string]struct {
			does  func(*person)
			at    string // what the address has
			query url.Values
		}{
			"today":       {says("Period", "Today"), "?period=today", url.Values{"from": {midnight(0)}}},
			"last 7 days": {says("Period", "Last 7 days"), "?period=7d", url.Values{"from": {midnight(-6)}}},
			"last 30":     {says("Period", "Last 30 days"), "?period=30d", url.Values{"from": {midnight(-29)}}},
			"direction":   {says("Direction", "Inbound"), "?direction=inbound", url.Values{"direction": {"inbound"}}},
			"status":      {picks("Status", "Delivered"), "?status=delivered", url.Values{"status": {"delivered"}}},
			"two statuses": {func(p *person) {
				p.clicks(".filter-button", "Status")
				p.clicks(".check", "Delivered")
				p.clicks(".check", "Failed")
				p.presses("Escape")
			}, "?status=delivered&status=failed", url.Values{"status": {"delivered", "failed"}}},
			"channel":      {picks("Channel", "WhatsApp"), "?channel=whatsapp", url.Values{"channel": {"whatsapp"}}},
			"country":      {picks("Country", "United Kingdom"), "?country=GB", url.Values{"country": {"GB"}}},
			"from":         {ends("From ends in", fromLast4), "", url.Values{"fromLast4": {fromLast4}}},
			"to":           {ends("To ends in", toLast4), "", url.Values{"toLast4": {toLast4}}},
			"oldest first": {func(p *person) { p.clicks("thead button", "Time") }, "?order=asc", url.Values{"order": {"asc"}}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := opens(t, in, site, desk)
				p.signsIn(base)
				c.does(p)
				p.isAt(base + c.at)
				p.settles()
				p.loadsAll()
				c.query.Set("limit", "500")
				want := all[recordAnswer](t, site, usagePath(site, "messaging"), c.query)
				p.shows("the records", ids(want), p.rows())
				if len(want) == 0 {
					p.sees(".empty", "No message matches")
				}
				if name == "oldest first" {
					return
				}
				p.clicks("button", "Clear filters")
				p.isAt(base)
				p.settles()
				p.loadsAll()
				p.counts("without filters", len(records))
			})
		}
	})
}

// What a person chooses and reads has both ends in it: two days of the calendar, or two minutes.
func TestACustomPeriod(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		p.signsIn(p.log("voice"))
		p.clicks(".segment", "UTC")
		now := time.Now().UTC()
		first, last := now.AddDate(0, 0, -20), now.AddDate(0, 0, -10)
		listed := func(from, to string) {
			t.Helper()
			p.isAt(p.log("voice") + "?from=" + url.QueryEscape(from) + "&to=" + url.QueryEscape(to) + "&time=utc")
			p.loadsAll()
			want := all[recordAnswer](t, p.site, usagePath(p.site, "voice"), url.Values{"from": {from}, "to": {to}})
			p.shows("the records", ids(want), p.rows())
		}
		p.clicks(".filter-button", "Period")
		p.sees(".day", "")
		p.hasFocusOn("All records")
		for _, day := range []time.Time{first, last} {
			for month := range 2 {
				if p.evaluates("document.querySelector('.month-name').textContent") == day.Format("January 2006") {
					break
				}
				p.clicks("button", map[bool]string{true: "Previous month", false: "Next month"}[month == 0 && day.Equal(first)])
			}
			p.clicks(".day", day.Format("Monday, 2 January 2006"))
		}
		p.misses(".calendar", "")
		p.hasFocusOn("Period")
		const day = "2006-01-02"
		listed(first.Format(day)+"T00:00:00Z", last.AddDate(0, 0, 1).Format(day)+"T00:00:00Z")

		set := func(label, value string) {
			p.must(p.call(see+`const field = document.getElementById(element.htmlFor); field.value = args[2]; field.dispatchEvent(new Event('change', {bubbles: true}));`, nil, "label", label, value))
		}
		p.clicks(".filter-button", "Period")
		p.sees("label", "To, included (UTC)")
		p.tells("the ends", "[...document.querySelectorAll('.period-ends input')].map((input) => input.value)", first.Format(day)+"T00:00,"+last.Format(day)+"T23:59")
		set("To, included (UTC)", first.AddDate(0, 0, -1).Format(day)+"T00:00")
		p.sees(".field-fault", periodReversed)
		set("To, included (UTC)", last.Format(day)+"T06:30")
		p.misses(".field-fault", "The period")
		listed(first.Format(day)+"T00:00:00Z", last.Format(day)+"T06:31:00Z")
		p.presses("Escape")
		p.sees(".filter-said", "06:30")
	})
}

func TestLastFourDigitsStayOutOfTheAddress(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		p.signsIn(p.log("sms"))
		p.clicks(".filter-button", "Number")
		p.types("To ends in", "7391")
		p.sees(".hint", "Digits of a number stay out of the address")
		p.presses("Escape")
		p.settles()
		if at := p.evaluates("location.href + JSON.stringify(history.state)"); strings.Contains(at, "7391") {
			t.Errorf("the address holds them: %s", at)
		}
		// Going away and back finds them again; a reload does not.
		p.clicks("#menu a", "Voice")
		p.sees("h1", "Voice")
		p.goesBack()
		p.sees("h1", "SMS")
		p.sees(".filter-button", "to …7391")
		p.reloads()
		p.sees("h1", "SMS")
		p.sees(".filter-button", "Number: Any")
	})
}

func TestTheAddressHoldsTheView(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		p.signsIn("#/customers?search=" + url.QueryEscape(p.site.Account))
		p.clicks("tbody a", "")
		p.isOnOverview()
		p.clicks("#menu a", "SMS")
		p.arrivesAt("SMS")
		p.clicks(".filter-button", "Direction")
		p.clicks(".word", "Outbound")
		p.settles()
		filtered := p.log("sms") + "?direction=outbound"
		p.isAt(filtered)
		p.chooses("Rows", "25")
		p.settles()
		first := p.rows()
		p.clicks(".next-page", "")
		p.sees(".count", "Messages 26 to 50.")
		p.settles()
		rows := p.rows()
		p.clicks("#menu a", "Overview")
		p.isOnOverview()

		p.goesBack() // shows at once what was there, the second page
		p.isAt(filtered)
		p.settles()
		p.shows("the records after going back", rows, p.rows())
		p.goesBack()
		p.isAt(p.log("sms"))
		p.settles()
		p.sees(".filter-button", "Direction: Any")
		p.goesForward()
		p.isAt(filtered)
		p.settles()
		p.sees(".filter-button", "Direction: Outbound")
		p.reloads()
		p.arrivesAt("SMS")
		p.shows("the records after a reload", first, p.rows())

		// Somebody else gets the link, and signs in first.
		other := opens(t, p.browser, p.site, desk)
		other.signsIn(filtered)
		other.sees("h1", "SMS")
		other.shows("the records of a shared link", first, other.rows()[:25])
	})
}

func TestARecordsDetail(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		site := journeySite(t)
		for _, product := range []string{"sms", "voice", "video", "messaging"} {
			t.Run(product, func(t *testing.T) {
				t.Parallel()
				records := all[recordAnswer](t, site, usagePath(site, product), url.Values{"limit": {"500"}})
				p := opens(t, in, site, desk)
				p.signsIn(logFragment(site, product))
				words := map[string]string{"rated": "=|≈", "free": "Nothing is charged", "recorded": "the platform put on the record", "unrated": "not the same as free"}
				told := map[string]bool{}
				for _, r := range records {
					if told[r.Price.Status] {
						continue
					}
					told[r.Price.Status] = true
					p.goes(logFragment(site, product) + "?record=" + url.QueryEscape(r.ID))
					p.sees("dialog h3", whyThisPrice)
					text, err := p.Text("dialog .why")
					p.must(err)
					if !slices.ContainsFunc(strings.Split(words[r.Price.Status], "|"), func(w string) bool { return strings.Contains(text, w) }) {
						t.Errorf("%s is %s, and explained so: %s", r.ID, r.Price.Status, text)
					}
					p.sees("dialog .facts", r.ID)
					p.presses("Escape")
					p.isAt(logFragment(site, product))
				}
				if !told["rated"] {
					t.Error("no record is rated")
				}
			})
		}
	})
}

func TestLocalTimeAndUTC(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		record := asks[pageAnswer[recordAnswer]](t, p.site, usagePath(p.site, "sms"), url.Values{"limit": {"1"}}).Data[0]
		at, err := time.Parse(time.RFC3339, record.Timestamp)
		if err != nil {
			t.Fatal(err)
		}
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		p.signsIn(p.log("sms"))
		p.sees("tbody th", at.In(berlin).Format("15:04:05"))
		p.tells("hovering", "document.querySelector('tbody time').title", record.Timestamp)
		p.clicks(".segment", "UTC")
		p.sees("tbody .group", at.UTC().Format("Monday, 2 January 2006")+" UTC")
		p.sees("tbody [data-row] th", at.UTC().Format("15:04:05"))
		p.isAt(p.log("sms") + "?time=utc")
		p.clicks(".segment", "Local time")
		p.sees("tbody .group", at.In(berlin).Format("Monday, 2 January 2006 MST"))
		p.sees("tbody [data-row] th", at.In(berlin).Format("15:04:05"))
		p.isAt(p.log("sms"))
	})
}

func TestCopyAsCurlAsksTheSameAgain(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		p.signsIn(p.log("sms") + "?direction=outbound&order=asc")
		p.must(p.AllowClipboard())
		p.clicks("button", "More")
		p.clicks(".word", "Copy as curl")
		p.sees(".toast", "Copied")
		command := value[string](p, "navigator.clipboard.readText()")
		address, ok := strings.CutPrefix(command, `curl -H "Authorization: Bearer $PARTNERVIEW_KEY" '`)
		if !ok || strings.Contains(command, p.site.Key) {
			t.Fatalf("the command is %s", command)
		}
		parsed, err := url.Parse(strings.TrimSuffix(address, "'"))
		if err != nil {
			t.Fatal(err)
		}
		again := asks[pageAnswer[recordAnswer]](t, p.site, strings.TrimPrefix(parsed.EscapedPath(), "/v1/"), parsed.Query())
		p.shows("the records that the command asks for", ids(again.Data), p.rows())
	})
}

func TestByKeyboardAlone(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		p.goes("")
		p.sees("label", "Access key")
		p.must(p.Paste(p.site.Key))
		p.presses("Enter")
		p.arrivesAt("Overview")
		p.hasFocusOn("Overview")
		for range 8 { // backwards into the menu
			p.presses("Shift+Tab")
			if focused, err := p.Focused(); err == nil && focused == "a Customers" {
				break
			}
		}
		p.presses("Enter")
		p.arrivesAt("Manage customers")
		p.hasFocusOn("Manage customers")
		p.presses("Tab")
		p.hasFocusOn("Download CSV")
		p.presses("Tab")
		p.hasFocusOn("Search customers")
		p.must(p.Type(p.site.Account))
		p.hasRows(1)
		p.settles()
		for range 12 { // past the choices and the head
			p.presses("Tab")
			if focused, err := p.Focused(); err == nil && strings.HasPrefix(focused, "a ") {
				break
			}
		}
		p.presses("Enter")
		p.isOnOverview()
		for range 12 { // backwards through the menu
			p.presses("Shift+Tab")
			if focused, err := p.Focused(); err == nil && focused == "a SMS" {
				break
			}
		}
		p.hasFocusOn("SMS")
		p.presses("Enter")
		p.arrivesAt("SMS")
		p.hasFocusOn("SMS")
		p.must(p.Eval("document.querySelector('#skip').focus()", nil))
		p.presses("Enter")
		p.hasFocusOn("h1 SMS")
		for range 8 {
			p.presses("Tab")
			if focused, err := p.Focused(); err == nil && strings.Contains(focused, "Status: Any") {
				break
			}
		}
		p.entersUntil("document.querySelector(':popover-open')")
		p.sees(".panel", "Delivered")
		p.presses("Space") // the first box has the focus
		p.presses("Escape")
		p.hasFocusOn("Status: Queued")
		p.isAt(p.log("sms") + "?status=queued")
	})
}

func TestWhatChangesIsAnnounced(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		p.signsIn("#/customers")
		p.must(p.Wait("an announcement", "/^\\d+ customers shown/.test(document.getElementById('live').textContent)"))
		p.types("Search customers", "nobody is called this")
		p.must(p.Wait("an announcement", "document.getElementById('live').textContent === 'No customers found.'"))
		for role, selector := range map[string]string{"banner": "header.top", "navigation": "nav[aria-label]", "main": "main", "status": "#live[role=status]", "search": "[role=search]"} {
			p.tells("elements that play the role "+role, fmt.Sprintf("document.querySelectorAll(%q).length", selector), "1")
		}
	})
}
