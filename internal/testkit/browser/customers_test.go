package browser

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"partnerview/internal/directory"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// crowd is a partner of the stage with more customers than the page reads by itself.
var crowd struct {
	once sync.Once
	key  string
	err  error
}

const crowded = 2000

func crowdKey(t *testing.T) string {
	t.Helper()
	d := stageData(t)
	crowd.once.Do(func() { crowd.key, crowd.err = d.loadCrowd(context.Background(), time.Now()) })
	if crowd.err != nil {
		t.Fatal(crowd.err)
	}
	return crowd.key
}

// loadCrowd makes customers of which every second has voice too.
func (d *data) loadCrowd(ctx context.Context, now time.Time) (string, error) {
	if err := d.store.PutPartner(ctx, directory.Partner{ID: "crowd", Name: "Crowd " + Hostile, Status: directory.Active}); err != nil {
		return "", err
	}
	key, _, err := operator.New(d.store, func() time.Time { return now }).CreateKey(ctx, "crowd", "stage", operator.Expiry{})
	if err != nil {
		return "", err
	}
	var loading errgroup.Group
	loading.SetLimit(16)
	for i := range crowded {
		loading.Go(func() error {
			amount := decimal.New(int64(i*7919%200_000), -2)
			c := directory.Customer{
				Account: usage.AccountID(fmt.Sprintf("crowd_%04d", i)), Name: fmt.Sprintf("Customer %04d", i), Currency: "EUR",
				Products: []usage.Product{usage.SMS, usage.Voice}[:1+i%2], Credit: directory.Credit{Mode: directory.Prepaid, Remaining: &amount, AsOf: &now},
			}
			if err := d.store.PutCustomer(ctx, c); err != nil {
				return err
			}
			return d.store.PutGrant(ctx, directory.Grant{Partner: "crowd", Account: c.Account, CustomerName: c.Name})
		})
	}
	return key, loading.Wait()
}

// isOrdered waits until the list is in the order that the head of a column tells.
func (p *person) isOrdered(column, direction string) {
	p.t.Helper()
	p.must(p.Wait(column+" "+direction, fmt.Sprintf("[...document.querySelectorAll('thead th[aria-sort=%s]')].map((e) => e.textContent).join() === %q", direction, column)))
	p.settles()
}

func TestTheListIsPutInOrderByTheHeadsOfItsColumns(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		byName := all[customerAnswer](t, p.site, "customers", nil)
		p.signsIn("#/customers")
		amount := func(of func(customerAnswer) *string, way int) func(a, b customerAnswer) int {
			return func(a, b customerAnswer) int {
				x, y := of(a), of(b)
				if x == nil || y == nil {
					return cmp.Compare(btoi(x == nil), btoi(y == nil))
				}
				return cmp.Or(strings.Compare(a.Currency, b.Currency), way*decimal.RequireFromString(*x).Cmp(decimal.RequireFromString(*y)))
			}
		}
		spend := func(c customerAnswer) *string {
			if c.Spend == nil {
				return nil
			}
			return &c.Spend.Amount
		}
		credit := func(c customerAnswer) *string { return c.RemainingCredit.Amount }
		for _, step := range []struct {
			column, direction, at string
			compare               func(a, b customerAnswer) int
		}{
			{"Account ID", "ascending", "?order=id", func(a, b customerAnswer) int { return strings.Compare(a.AccountID, b.AccountID) }},
			{"Account ID", "descending", "?order=-id", func(a, b customerAnswer) int { return strings.Compare(b.AccountID, a.AccountID) }},
			{"Spend this month", "descending", "?order=-spend", amount(spend, -1)},
			{"Spend this month", "ascending", "?order=spend", amount(spend, 1)},
			{"Remaining credit", "ascending", "?order=credit", amount(credit, 1)},
			{"Remaining credit", "descending", "?order=-credit", amount(credit, -1)},
			{"Currency", "ascending", "?order=currency", func(a, b customerAnswer) int { return strings.Compare(a.Currency, b.Currency) }},
			{"Customer", "ascending", "", nil},
		} {
			p.clicks("thead button", step.column)
			p.isOrdered(step.column, step.direction)
			p.isAt("#/customers" + step.at)
			want := slices.Clone(byName)
			if step.compare != nil {
				slices.SortStableFunc(want, step.compare)
			}
			p.shows("customers by "+step.at, accountsOf(want), p.rows())
		}

		// By keyboard alone; a reload and the way back keep the order.
		p.must(p.Eval("[...document.querySelectorAll('thead button')].find((e) => e.textContent === 'Spend this month').focus()", nil))
		p.presses("Enter")
		p.isOrdered("Spend this month", "descending")
		p.hasFocusOn("Spend this month")
		p.sees(".count", "By spend, the most first, within each currency.")
		ordered := p.rows()
		p.reloads()
		p.isOrdered("Spend this month", "descending")
		p.shows("after a reload", ordered, p.rows())
		p.clicks("tbody a", "")
		p.isOnOverview()
		p.goesBack()
		p.isOrdered("Spend this month", "descending")
		p.shows("after going back", ordered, p.rows())
	})
}

func btoi(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func accountsOf(customers []customerAnswer) []string {
	ids := make([]string, len(customers))
	for i, c := range customers {
		ids[i] = c.AccountID
	}
	return ids
}

func TestTheListTellsWhoseCreditIsLowOrExhausted(t *testing.T) {
	onProduct(t, func(t *testing.T, p *person) {
		having := func(credit, product string) []string {
			query := url.Values{}
			for key, value := range map[string]string{"credit": credit, "product": product} {
				if value != "" {
					query.Set(key, value)
				}
			}
			return accountsOf(all[customerAnswer](t, p.site, "customers", query))
		}
		tally := func(product, found string) string {
			return fmt.Sprintf("%d customers%s · %d low · %d exhausted", len(having("", product)), found, len(having("low", product)), len(having("exhausted", product)))
		}
		low, exhausted := having("low", ""), having("exhausted", "")
		if len(exhausted) == 0 {
			t.Fatal("nobody's credit is exhausted, so that nothing is tested")
		}
		tagged := func(tag string) []string {
			return value[[]string](p, "[...document.querySelectorAll('tbody tr[data-row]')].filter((tr) => [...tr.querySelectorAll('.tag')].some((e) => e.textContent === '"+tag+"')).map((tr) => tr.dataset.row)")
		}
		p.signsIn("#/customers")
		p.sees(".tally", tally("", ""))
		p.shows("those that are marked low", append([]string{}, low...), tagged("Low"))
		p.shows("those that are marked exhausted", exhausted, tagged("Exhausted"))

		p.clicks(".segment", "Exhausted")
		p.isAt("#/customers?credit=exhausted")
		p.hasRows(len(exhausted))
		p.settles()
		p.shows("exhausted", exhausted, p.rows())
		p.sees(".tally", tally("", ""))
		p.presses("ArrowUp") // by keyboard: the choice before
		p.isAt("#/customers?credit=low")
		p.settles()
		p.shows("low", append([]string{}, low...), p.rows())
		p.reloads() // with nothing known of the others
		p.sees(".tally", tally("", ""))
		p.clicks(".segment", "Any credit")
		p.clicks(".segment", "Voice")
		p.isAt("#/customers?product=voice")
		p.sees(".tally", tally("voice", " found"))
	})
}

func TestAThousandCustomersAreReadAndPutInOrderAndMoreAreNot(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		_, site := stage(t, "")
		site.Key = crowdKey(t)
		p := opens(t, in, site, desk)
		p.signsIn("#/customers?order=credit") // which it cannot be
		p.sees(".count", "The first 1,000 customers, by name. Another order needs all of them")
		p.sees(".tally", "2,000 customers · 0 low · 1 exhausted")
		p.sees(".partner-name bdi", Hostile)
		p.tells("a script in the partner's name", "window.hostile ?? document.querySelector('header img')", "null")
		p.tells("heads that put in order", "document.querySelectorAll('thead button').length", "0")
		p.tells("the first row", "document.querySelector('tbody tr').dataset.row", "crowd_0000")

		p.clicks(".segment", "Voice")
		p.sees(".count", "1,000 customers shown. That is all. By remaining credit, the least first.")
		p.sees(".pager", "1–100 of 1,000")
		first := p.rows()
		p.clicks(".pager button", "Next page")
		p.sees(".pager", "101–200 of 1,000")
		p.clicks("tbody a", "")
		p.isOnOverview()
		p.goesBack()
		p.sees(".pager", "101–200 of 1,000")
		p.clicks(".pager button", "Previous page")
		p.sees(".pager-said", "1–100 of 1,000")
		p.shows("the first page again", first, p.rows())

		p.clicks(".segment", "All")
		p.sees(".count", "The first 1,000 customers")
		p.clicks(".load-more", "")
		p.sees(".count", "2,000 customers shown. That is all. By remaining credit, the least first.")
		p.tells("the least credit", "document.querySelector('tbody tr').dataset.row", "crowd_0000")
		p.clicks("thead button", "Remaining credit")
		p.isOrdered("Remaining credit", "descending")
		p.tells("the most credit", "document.querySelector('tbody tr td:last-child .amount').textContent", "€1,998.53")
		if nodes := value[int](p, "document.querySelectorAll('*').length"); nodes > 8000 {
			t.Errorf("2,000 customers make %d elements", nodes)
		}
	})
}

func TestSoManyCustomersThatNobodyCountsThem(t *testing.T) {
	onStage(t, func(t *testing.T, s *Stage, p *person) {
		s.Inject(Fault{Match: "credit=", Status: http.StatusBadRequest, Code: "invalid_parameter", Parameter: "credit"})
		p.signsIn("#/customers")
		p.sees(".tally", "more than 2,000 customers")
		p.tells("choices of a credit that can be chosen", "[...document.querySelectorAll('input[name=credit]')].filter((e) => !e.matches(':disabled')).length", "0")
		p.hasRows(61)
		p.goes("#/customers?credit=low")
		p.reloads()
		p.sees("[role=alert]", "These filters cannot be used")
		p.clicks("button", "Show all customers")
		p.isAt("#/customers")
		p.hasRows(61)
	})
}

func TestAListThatComesSlowlyOrInPartSaysSo(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *Browser) {
		s, site := stage(t, "")
		site.Key = crowdKey(t)
		p := opens(t, in, site, desk)
		p.signsIn("#/customers/acme")
		hold := make(chan struct{})
		s.Inject(Fault{Match: "cursor=", Hold: hold}, Fault{Match: "credit=low", Status: http.StatusServiceUnavailable, Code: "unavailable"})
		p.goes("#/customers?product=voice&order=id")
		p.hasRows(100) // the first page does not wait for the others
		p.sees(".count", "Loading… 100 customers so far.")
		p.tells("heads that put in order", "document.querySelectorAll('thead button').length", "0")
		p.sees(".waiting", "Still waiting for the service")
		s.Inject(Fault{Match: "cursor=", Status: http.StatusServiceUnavailable, Code: "unavailable"}, Fault{Match: "credit=low", Status: http.StatusServiceUnavailable, Code: "unavailable"})
		close(hold)
		p.sees("[role=alert]", cannotAnswer)
		p.sees(".count", "by name. The others could not be loaded.")
		p.sees(".tally", "Whose credit is low could not be loaded.")
		s.Inject()
		p.clicks(".tally button", "Try again")
		p.sees(".tally", "1,000 customers found · 0 low · ")
		p.clicks(".notice button", "Try again")
		p.sees(".count", "1,000 customers shown. That is all.")
		p.isOrdered("Account ID", "ascending")
	})
}
