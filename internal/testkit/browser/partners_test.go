package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/pricing"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// The partners of the stage besides those that most tests sign in as: one customer, whose
// last month is empty beside two full ones; one whose today is being counted; forty of northwind's,
// in many currencies.
const (
	alone    directory.PartnerID = "alone"
	counting directory.PartnerID = "counting"
	forty    directory.PartnerID = "forty"

	pausing      usage.AccountID = "pausing_outfitters"
	beingCounted usage.AccountID = "counted_now"
)

// loadOthers makes these partners, with a key each.
func (d *data) loadOthers(ctx context.Context, o *operator.Operator, now time.Time) (map[directory.PartnerID]string, error) {
	keys := map[directory.PartnerID]string{}
	for _, id := range []directory.PartnerID{alone, counting, forty} {
		if err := d.store.PutPartner(ctx, directory.Partner{ID: id, Name: "The " + string(id), Status: directory.Active}); err != nil {
			return nil, err
		}
		var err error
		if keys[id], _, err = o.CreateKey(ctx, id, "stage", operator.Expiry{}); err != nil {
			return nil, err
		}
	}
	for _, c := range stageCustomers(now)[:40] {
		if err := d.store.PutGrant(ctx, directory.Grant{Partner: forty, Account: c.Account, CustomerName: c.Name}); err != nil {
			return nil, err
		}
	}
	for account, owner := range map[usage.AccountID]directory.PartnerID{pausing: alone, beingCounted: counting} {
		if err := d.loadPausing(ctx, owner, account, now); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// loadPausing makes a customer with usage in this month and in the one before the last.
func (d *data) loadPausing(ctx context.Context, owner directory.PartnerID, account usage.AccountID, now time.Time) error {
	c := directory.Customer{Account: account, Name: "Pausing " + string(account), Products: []usage.Product{usage.SMS}, Currency: "EUR"}
	if err := d.store.PutCustomer(ctx, c); err != nil {
		return err
	}
	if err := d.store.PutGrant(ctx, directory.Grant{Partner: owner, Account: account, CustomerName: c.Name}); err != nil {
		return err
	}
	log := usage.Log{Account: account, Product: usage.SMS}
	if err := d.store.PutPriceLists(ctx, log, []pricing.List{stageList(usage.SMS, "EUR", now.AddDate(0, 0, -90))}); err != nil {
		return err
	}
	records := stageRecords(log, "EUR", now)[:20]
	for i := range records {
		at := now.UTC().Truncate(time.Second)
		if i%2 == 0 {
			at = time.Date(at.Year(), at.Month()-2, 3+i/2, 9, 30, 0, 0, time.UTC)
		}
		records[i].Timestamp, records[i].StatusAt = at, nil
	}
	_, err := d.store.WriteUsage(ctx, records)
	return err
}

// leaveOpen opens today of a log, as somebody does who writes into it and has not counted it yet.
func (d *data) leaveOpen(ctx context.Context, now time.Time) error {
	lease, err := d.store.TakeLease(ctx, dynamo.LeaseWish{What: "import usage", Where: "the stage"})
	if err != nil {
		return err
	}
	day := totals.LogDay{Log: usage.Log{Account: beingCounted, Product: usage.SMS}, Day: totals.DayOf(now, time.UTC)}
	return d.store.Under(lease).OpenDays(ctx, lease.NextMark(), []totals.LogDay{day})
}

// onStageAs is onStage for another of its partners.
func onStageAs(t *testing.T, partner directory.PartnerID, test func(t *testing.T, p *person)) {
	onStage(t, func(t *testing.T, _ *Stage, p *person) {
		p.site.Key = stageData(t).keys[partner]
		test(t, p)
	})
}

// One customer makes a page that is as whole as that of many: one figure of spend, no choice
// of a currency, and figures that lead on.
func TestAPartnerOfOneCustomerHasAnOverviewAndAList(t *testing.T) {
	onStageAs(t, alone, func(t *testing.T, p *person) {
		for _, view := range []scene{
			{"overview-of-one", func(p *person) { p.signsIn("#/overview"); p.sees(".chart-mark", "") }},
			{"list-of-one", func(p *person) { p.goes("#/customers"); p.hasRows(1); p.settles() }},
			{"customer-of-one", func(p *person) { p.goes("#/customers/" + string(pausing)); p.sees(".chart-mark", "") }},
		} {
			lookedAt(t, p, view)
		}
		p.goes("#/overview")
		p.sees(".figure", "Volume in ")
		p.tells("figures of spend", "document.querySelectorAll('.figure[aria-label^=Spend] .figure-value span').length", "1")
		p.tells("choices of a currency", "document.querySelectorAll('input[name=trend-currency]').length", "0")
		p.sees(".board[aria-label='Biggest movers'] h2", "Biggest movers")
		p.goes("#/customers")
		p.sees(".tally", "1 customer ")
	})
}

// Forty customers of many currencies: each currency has a figure of its own.
func TestAPartnerOfFortyCustomersHasAnOverviewAndAList(t *testing.T) {
	onStageAs(t, forty, func(t *testing.T, p *person) {
		p.signsIn("#/overview")
		p.sees(".figure", "Volume in ")
		codes := currencies(t, p.site)
		if len(codes) < 4 {
			t.Fatalf("only %q have a spend", codes)
		}
		p.tells("figures of spend", "document.querySelectorAll('.figure[aria-label^=Spend] .figure-value span').length", fmt.Sprint(len(codes)))
		p.goes("#/customers")
		p.hasRows(40)
		p.sees(".tally", "40 customers · ")
	})
}

// The days of 2,000 customers are too many to sum up at once: months are shown, and who they
// are is a list that loads the rest when it is asked to.
func TestAPartnerOfTwoThousandCustomersHasAnOverview(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		_, site := stage(t, "")
		site.Key = crowdKey(t)
		p := opens(t, in, site, desk)
		lookedAt(t, p, scene{"overview-of-many", func(p *person) {
			p.signsIn("#/overview")
			p.triesAgain()
			p.sees(".figure", "Low credit")
		}})
		p.sees(".lead.fresh", "No usage was loaded lately. Days are those of UTC.")
		p.isAt("#/overview?by=month")
		p.sees(".figure[aria-label='Low credit']", "1 exhausted")
		p.sees(".trend", "No usage in the last 13 months.")
		p.tells("problems", "document.querySelectorAll('[role=alert]').length", "0")
	})
}

// A month without usage stands between two that have some, and says that it has none.
func TestAnEmptyMonthStandsBesideFullOnes(t *testing.T) {
	onStageAs(t, alone, func(t *testing.T, p *person) {
		p.signsIn("#/customers/" + string(pausing) + "?by=month&show=volume")
		p.must(p.Wait("13 columns", "document.querySelectorAll('.chart-column').length === 13"))
		var want []string
		first := time.Now().UTC().AddDate(0, 0, 1-time.Now().UTC().Day())
		for back, text := range []string{", so far, SMS: |10 messages", ": no usage", ", SMS: |10 messages"} {
			month := first.AddDate(0, -back, 0).Format("January 2006")
			want = append([]string{month + text}, want...)
		}
		got := p.evaluates("[...document.querySelectorAll('.chart-mark')].slice(-3).map((mark) => mark.getAttribute('aria-label')).join('\\n')")
		for _, parts := range want {
			for part := range strings.SplitSeq(parts, "|") {
				if !strings.Contains(got, part) {
					t.Errorf("the last three months are\n%s\nwithout %q", got, part)
				}
			}
		}
		p.clicks("summary", "Show as a table")
		p.shows("what the last three months came to", []string{"10", "0", "10"},
			value[[]string](p, "[...document.querySelectorAll('.behind tbody tr')].slice(0, 3).map((tr) => tr.lastElementChild.textContent)"))
		p.tells("last month's same days", "/€0.00$/.test(document.querySelector('.figure[aria-label^=Spend] .figure-note').textContent)", "true")
		p.goes("#/overview?by=month")
		p.must(p.Wait("13 columns", "document.querySelectorAll('.chart-column').length === 13"))
		p.tells("the month before", "[...document.querySelectorAll('.chart-mark')].at(-2).getAttribute('aria-label').endsWith(': no usage')", "true")
	})
}

// A day that is being counted is marked, said in words, and no sum is shown as if it stood.
func TestADayThatIsBeingCountedIsToldAsThat(t *testing.T) {
	onStageAs(t, counting, func(t *testing.T, p *person) {
		const says = "1 day is being counted again: these figures may still change."
		for _, fragment := range []string{"#/overview", "#/customers/" + string(beingCounted)} {
			if fragment == "#/overview" {
				p.signsIn(fragment)
			} else {
				p.goes(fragment)
			}
			p.sees(".trend .hint", says)
			p.tells("columns that are marked", "document.querySelectorAll('.chart-column.pending').length", "1")
			p.tells("marks that say so", "[...document.querySelectorAll('.chart-mark')].filter((mark) => mark.getAttribute('aria-label').includes(', still being counted')).length", "1")
		}
		p.sees(".figure[aria-label^=Spend]", "Some of it is still being counted")
		p.sees(".figure[aria-label^=Volume]", "Some of it is still being counted")
		p.goes("#/customers")
		p.hasRows(1)
		p.settles()
		p.tells("its spend in the list", "document.querySelector('tbody .col-spend').textContent", "–not counted yet")
	})
}
