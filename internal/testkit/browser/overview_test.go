package browser

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

type summaryAnswer struct {
	Key struct {
		Customer, Day, Month, Product, Direction, Status *string
	}
	Records, Unrated int64
	Charged          []struct {
		Currency, Amount string
	}
}

// summed is what rows come to: records, and money in each currency.
func summed(rows []summaryAnswer) (records int64, money map[string]decimal.Decimal) {
	money = map[string]decimal.Decimal{}
	for _, row := range rows {
		records += row.Records
		for _, c := range row.Charged {
			money[c.Currency] = money[c.Currency].Add(decimal.RequireFromString(c.Amount))
		}
	}
	return records, money
}

func firstOfMonth(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// currencies are those of the month and of the one before: each has a figure, also where the month has just begun.
func currencies(t *testing.T, site Site) []string {
	t.Helper()
	from := firstOfMonth(time.Now().UTC()).AddDate(0, -1, 0).Format(time.DateOnly)
	_, money := summed(all[summaryAnswer](t, site, "summary", url.Values{"from": {from}}))
	return slices.Collect(maps.Keys(money))
}

// digits are those of a text: what is left of an amount in any locale.
func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
}

// The month's figures, the chart's marks and the table behind it are what the API sums up.
func TestACustomersFiguresAreThoseOfTheAPI(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		today := time.Now().UTC()
		month := today.Format("2006-01") + "-01"
		path := "customers/" + p.site.Account + "/summary"
		records, money := summed(all[summaryAnswer](t, p.site, path, url.Values{"from": {month}}))
		p.signsIn("#/customers/" + p.site.Account)
		p.tells("the volume", "document.querySelector('.figure[aria-label^=Volume] .figure-value').textContent.replace(/\\D/g, '')", decimal.NewFromInt(records).String())
		spend := p.evaluates("document.querySelector('.figure[aria-label^=Spend] .figure-value span').title")
		if want := money["EUR"].String(); !strings.Contains(spend, want) {
			t.Errorf("the spend is %s, not %s", spend, want)
		}
		p.tells("the spend is of whole cents", "/^€[\\d,]+\\.\\d\\d$/.test(document.querySelector('.figure[aria-label^=Spend] .figure-value').textContent)", "true")

		rows := all[summaryAnswer](t, p.site, path, url.Values{"from": {today.AddDate(0, 0, -29).Format(time.DateOnly)}, "groupBy": {"day", "product"}})
		p.clicks("summary", "Show as a table")
		var want []string
		for i := range 30 {
			day := today.AddDate(0, 0, -i).Format(time.DateOnly)
			of := slices.DeleteFunc(slices.Clone(rows), func(r summaryAnswer) bool { return *r.Key.Day != day })
			_, spent := summed(of)
			_, decimals, _ := strings.Cut(spent["EUR"].String(), ".") // which has no zeros at its end
			want = append(want, digits(spent["EUR"].StringFixed(int32(max(2, len(decimals))))))
		}
		p.shows("what each day came to", want, value[[]string](p, "[...document.querySelectorAll('.behind tbody tr')].map((tr) => tr.lastElementChild.textContent.replace(/\\D/g, ''))"))
		marks := 0
		for _, row := range rows {
			if row.Records > 0 {
				marks++
			}
		}
		p.tells("the marks of days with use", "[...document.querySelectorAll('.chart-mark')].filter((mark) => !mark.getAttribute('aria-label').endsWith('no usage')).length", decimal.NewFromInt(int64(marks)).String())
	})
}

// Each mark has a name and leads to the log of its product and days; the keyboard reaches all.
func TestAChartIsReadAndUsedByKeyAlone(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn("#/customers/" + p.site.Account)
		p.tells("stops of the Tab key", "document.querySelectorAll('.chart [tabindex=\"0\"]').length", "1")
		p.tells("marks without a name", "[...document.querySelectorAll('.chart-mark')].filter((mark) => !mark.getAttribute('aria-label')).length", "0")
		p.must(p.Eval("document.querySelector('.trend-controls input[name=trend-by]:checked').focus()", nil))
		p.presses("Tab")
		first := p.evaluates("document.activeElement.getAttribute('aria-label')")
		if !strings.Contains(first, time.Now().UTC().Format("2 Jan 2006")) {
			t.Errorf("the chart begins at %q, not at today", first)
		}
		p.presses("ArrowLeft")
		second := p.evaluates("document.activeElement.getAttribute('aria-label')")
		if !strings.Contains(second, time.Now().UTC().AddDate(0, 0, -1).Format("2 Jan 2006")) {
			t.Errorf("left of it is %q, not yesterday", second)
		}
		p.presses("Home")
		if at := p.evaluates("document.activeElement.getAttribute('aria-label')"); !strings.Contains(at, time.Now().UTC().AddDate(0, 0, -29).Format("2 Jan 2006")) {
			t.Errorf("Home leads to %q", at)
		}
		p.sees(".chart-tip", "")
		p.tells("stops of the Tab key after that", "document.querySelectorAll('.chart [tabindex=\"0\"]').length", "1")
		for range 30 {
			if p.evaluates("document.activeElement.getAttribute('aria-label').includes(', SMS: ')") == "true" {
				break
			}
			p.presses("ArrowRight")
			p.presses("ArrowDown")
		}
		label := p.evaluates("document.activeElement.getAttribute('aria-label')")
		href := p.evaluates("document.activeElement.getAttribute('href')")
		p.presses("Enter")
		p.arrivesAt("SMS")
		p.isAt(href)
		p.loadsAll()
		_, told, _ := strings.Cut(label, ", SMS: ")
		_, told, _ = strings.Cut(told, ", ")
		if n := decimal.NewFromInt(int64(len(p.rows()))).String(); digits(told) != n {
			t.Errorf("%q leads to a log of %s records", label, n)
		}
	})
}

func TestWhatTheChartShowsStandsInTheAddress(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		fragment := "#/customers/" + p.site.Account
		p.signsIn(fragment)
		p.clicks(".trend .segment", "13 weeks")
		p.isAt(fragment + "?by=week")
		p.sees(".trend h2", "Spend by week")
		p.must(p.Wait("13 columns", "document.querySelectorAll('.chart-column').length === 13"))
		p.clicks(".trend .segment", "Volume")
		p.isAt(fragment + "?by=week&show=volume")
		p.sees(".trend h2", "Volume by week")
		p.hasFocusOn("Volume") // it stays where the person is
		asked := len(s.Asked())
		p.clicks(".trend .segment", "30 days")
		p.sees(".trend h2", "Volume by day")
		if now := len(s.Asked()); now != asked {
			t.Errorf("days that are there were asked for again: %v", s.Asked()[asked:])
		}
		p.goes(fragment + "?by=month&show=volume")
		p.reloads()
		p.sees(".trend h2", "Volume by month")
		p.must(p.Wait("13 columns", "document.querySelectorAll('.chart-column').length === 13"))
		p.sees(".trend-total", "in the last 13 months")
	})
}

func TestOneFigureThatFailsLeavesTheOthers(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		s.Inject(Fault{Match: "groupBy=status", Status: http.StatusServiceUnavailable, Code: "unavailable"})
		p.signsIn("#/customers/" + p.site.Account)
		p.sees(".figures [role=alert]", cannotAnswer)
		p.sees(".figure", "Volume in ")
		p.sees(".card-credit", "runs out around")
		p.sees(".chart-mark", "")
		s.Inject()
		p.clicks(".figures button", "Try again")
		p.sees(".figure", "Delivered in ")
		p.misses(".figures [role=alert]", "")
	})
}

// Money of several currencies is never added up, and a bar leads to who is behind it.
func TestTheOverviewOfAllCustomers(t *testing.T) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.signsIn("")
		p.isAt("#/overview")
		p.sees("h1", "Overview")
		p.shows("the menu", []string{"Overview", "Customers", "API reference"}, p.reads("#menu a"))
		p.sees(".figure", "Volume in ")
		month := firstOfMonth(time.Now().UTC())
		records, money := summed(all[summaryAnswer](t, p.site, "summary", url.Values{"from": {month.Format(time.DateOnly)}}))
		p.tells("the volume", "document.querySelector('.figure[aria-label^=Volume] .figure-value').textContent.replace(/\\D/g, '')", decimal.NewFromInt(records).String())
		titles := value[[]string](p, "[...document.querySelectorAll('.figure[aria-label^=Spend] .figure-value span')].map((e) => e.title.replace(/,/g, ''))")
		for currency, amount := range money {
			if !slices.ContainsFunc(titles, func(title string) bool { return strings.Contains(title, amount.String()) }) {
				t.Errorf("%s %s is not among %q", currency, amount, titles)
			}
		}
		if n := len(currencies(t, p.site)); len(titles) != n || n < 4 {
			t.Errorf("%d figures of %d currencies", len(titles), n)
		}
		low := asks[struct{ Total int }](t, p.site, "customers", url.Values{"credit": {"exhausted"}, "count": {"true"}})
		p.sees(".figure[aria-label='Low credit']", decimal.NewFromInt(int64(low.Total)).String()+" exhausted")

		p.clicks(".trend .segment", "GBP")
		p.isAt("#/overview?currency=GBP")
		p.sees(".trend h2", "Spend by day, in GBP")
		p.sees(".board[aria-label='Biggest movers']", "Bluebird Clinics")
		p.clicks(".legend a", "SMS")
		p.sees(".board[aria-label='The customers of a bar'] h2", "SMS")
		p.must(p.Wait("the focus", "document.activeElement.closest('[aria-label=\"The customers of a bar\"]')"))
		p.clicks(".ranking-logs a", "message")
		p.sees("h1", "SMS")
		p.settles()
		if len(p.rows()) == 0 {
			t.Error("the log is empty")
		}
		p.goesBack()
		p.sees(".board[aria-label='The customers of a bar'] h2", "SMS")
		p.settles() // what comes above it moves the button
		p.clicks("[aria-label='The customers of a bar'] button", "Close")
		p.isAt("#/overview?currency=GBP")
	})
}

// The days of very many customers are refused; then whole months are told.
func TestAnOverviewOfVeryManyCustomersHasMonths(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		today := time.Now().UTC()
		refused := []Fault{
			{Match: "groupBy=day", Status: http.StatusBadRequest, Code: "invalid_parameter"},
			{Match: "groupBy=status", Status: http.StatusBadRequest, Code: "invalid_parameter", Times: 1},
			{Match: "credit=", Status: http.StatusBadRequest, Code: "invalid_parameter"},
		}
		if today.Day() > 1 { // on the first no day is over, and whole months are asked for at once, which end today
			refused = append(refused, Fault{Match: "to=" + today.Format(time.DateOnly) + "&groupBy=customer", Status: http.StatusBadRequest, Code: "invalid_parameter"})
		}
		s.Inject(refused...)
		p.signsIn("#/overview")
		p.sees(".trend h2", "Spend by month, in EUR")
		p.isAt("#/overview?by=month")
		p.tells("the periods that are refused", "[...document.querySelectorAll('input[name=trend-by]')].map((input) => input.disabled)", "true,false,false")
		before := time.Date(today.Year(), today.Month(), 0, 0, 0, 0, 0, time.UTC)
		p.sees(".figure[aria-label^=Volume]", before.Format("January")+", all of it: ")
		p.sees(".figure", "in the last 7 days")
		p.sees(".figure", "You have more than 2,000 customers.")
		p.sees(".board[aria-label='Biggest movers']", before.Format("January")+" against "+before.AddDate(0, 0, -before.Day()).Format("January"))
		p.tells("problems", "document.querySelectorAll('[role=alert]').length", "0")
	})
}

// One figure of many is slow, or fails: the others stand, and what failed has a retry of its own.
func TestTheOverviewStandsWithoutWhatFails(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		hold := make(chan struct{})
		s.Inject(Fault{Match: "groupBy=customer", Status: http.StatusServiceUnavailable, Code: "unavailable"}, Fault{Match: "groupBy=status", Hold: hold})
		p.goes("")
		p.sees("label", "Access key")
		p.must(p.Paste(p.site.Key))
		p.presses("Enter")
		p.sees(".boards [role=alert]", cannotAnswer)
		p.sees(".figure", "Volume in ")
		p.sees(".chart-mark", "")
		p.sees(".figure.bones", "") // what is waited for
		close(hold)
		p.sees(".figure", "Delivered in ")
		s.Inject()
		p.clicks(".boards button", "Try again")
		p.sees(".board[aria-label='Biggest movers'] a", Hostile) // a name is text
		p.misses("[role=alert]", "")
		p.tells("what a name would have done", "String(window.hostile)", "undefined")

		s.Inject(Fault{Match: "/v1/customers", Drop: true}, Fault{Match: "/v1/summary", Drop: true}, Fault{Match: "/v1/me", Drop: true})
		p.reloads()
		p.sees("[role=alert]", "The service "+notReached)
		p.tells("notices", "document.querySelectorAll('.notice').length", "1")
		s.Inject()
		p.clicks("button", "Try again")
		p.sees(".chart-mark", "")
	})
}
