package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/api"
	"partnerview/internal/directory"
	"partnerview/internal/pricing"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// book is a store of customers in the order of their list, and what they were charged.
type book struct {
	canned
	customers []directory.Customer
	most      int // customers of the viewer
	spending  totals.Spending
	asked     *[]totals.Month
}

func (b book) CustomersWithMonths(_ context.Context, _ directory.Identity, _ directory.CustomerQuery, months []totals.Month) (directory.CustomerPage, totals.Spending, error) {
	*b.asked = months
	return directory.CustomerPage{Customers: b.customers}, b.spending, nil
}

func (b book) EveryCustomer(_ context.Context, _ directory.Identity, q directory.CustomerQuery, months []totals.Month) (page directory.CustomerPage, _ totals.Spending, isWhole bool, _ error) {
	*b.asked = months
	if b.most > q.Limit {
		return page, totals.Spending{}, false, nil
	}
	for _, c := range b.customers {
		if q.Search.Finds(c.Name, c.Account) {
			page.Customers, page.Keys = append(page.Customers, c), append(page.Keys, directory.SortKey(c.Name, c.Account))
		}
	}
	return page, b.spending, true, nil
}

func (b book) Spending(_ context.Context, _ []usage.AccountID, months []totals.Month) (totals.Spending, error) {
	*b.asked = months
	return b.spending, nil
}

func (b book) Customer(_ context.Context, account usage.AccountID) (directory.Customer, error) {
	i := slices.IndexFunc(b.customers, func(c directory.Customer) bool { return c.Account == account })
	return b.customers[i], nil
}

// monthOf is a month in which so much was charged for SMS, and as much for voice.
func monthOf(amount string) totals.Monthly {
	log := totals.MonthlyLog{Sheet: totals.Sheet{{Price: pricing.Rated, Currency: "EUR"}: {Records: 1, Amount: *dec(amount)}}}
	return totals.Monthly{Zone: "UTC", Logs: map[usage.Product]totals.MonthlyLog{usage.SMS: log, usage.Voice: log}}
}

// newBook has ten customers: every third is low on credit, every third has none left.
func newBook() book {
	b := book{most: 10, asked: new([]totals.Month), spending: totals.Spending{Ready: true, Months: map[totals.AccountMonth]totals.Monthly{}}}
	for i := range 10 {
		account := usage.AccountID(fmt.Sprintf("acc-%d", i))
		left := []decimal.Decimal{*dec("1"), *dec("0"), *dec("1000")}[i%3]
		b.customers = append(b.customers, directory.Customer{
			Account: account, Name: fmt.Sprintf("Customer %d", i), Products: []usage.Product{usage.SMS}, Currency: "EUR",
			Credit: directory.Credit{Mode: directory.Prepaid, Remaining: &left},
		})
		b.spending.Months[totals.AccountMonth{Account: account, Month: "2026-11"}] = monthOf("40.5")
	}
	return b
}

type customersPage struct {
	Data []struct {
		AccountID string
		Spend     *struct{ Amount, Currency string }
	}
	Total      *int
	NextCursor *string
}

func customersAt(t *testing.T, s store, target string) (page customersPage) {
	t.Helper()
	w := ask(t, s, north, target)
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d %s", target, w.Code, w.Body)
	}
	must(t, json.Unmarshal(w.Body.Bytes(), &page))
	return page
}

func TestACustomerTellsWhatItSpends(t *testing.T) {
	b := newBook()
	b.spending.Months[totals.AccountMonth{Account: "acc-1", Month: "2026-11"}] = totals.Monthly{Zone: "UTC", Stale: true}
	delete(b.spending.Months, totals.AccountMonth{Account: "acc-2", Month: "2026-11"})
	for i, want := range []string{"40.5", "", "0"} {
		page := customersAt(t, b, "/customers")
		if got := page.Data[i].Spend; (got == nil) != (want == "") || got != nil && (got.Amount != want || got.Currency != "EUR") {
			t.Errorf("on the list %s spends %v, want %q", page.Data[i].AccountID, got, want)
		}
		viewer := north
		viewer.Account = b.customers[i].Account
		w := ask(t, b, viewer, "/customers/"+string(viewer.Account))
		text := `"spend":null}`
		if want != "" {
			text = `"spend":{"amount":"` + want + `","currency":"EUR"}}`
		}
		if !strings.HasSuffix(w.Body.String(), text) {
			t.Errorf("by itself it is %s, want %s", w.Body, text)
		}
	}
	if want := []totals.Month{"2026-11"}; !slices.Equal(*b.asked, want) {
		t.Errorf("the months %v are read, want %v", *b.asked, want)
	}
	w := ask(t, b, north, "/customers", "text/csv")
	if lines := strings.Split(w.Body.String(), "\r\n"); !strings.HasSuffix(lines[1], ",40.5") || !strings.HasSuffix(lines[2], ",") || !strings.HasSuffix(lines[3], ",0") {
		t.Errorf("as CSV %q", lines)
	}
	b.customers[0].TimeZone = "Europe/Nowhere"
	wantProblem(t, ask(t, b, north, "/customers"), http.StatusInternalServerError, "internal")
}

// What a viewer sees alone counts: here SMS, while as much was charged for voice.
func TestCustomersAreFoundByTheirCredit(t *testing.T) {
	b := newBook()
	b.customers[9].Credit.Remaining = dec("20") // of 40.5 in 20 days 14.175 go in 7
	for target, want := range map[string]string{
		"/customers?credit=low":                         "acc-0 acc-3 acc-6",
		"/customers?credit=exhausted":                   "acc-1 acc-4 acc-7",
		"/customers?credit=low&search=customer+3":       "acc-3",
		"/customers?credit=exhausted&search=customer+3": "",
		"/customers?credit=low&count=true&limit=100":    "acc-0 acc-3 acc-6",
	} {
		page := customersAt(t, b, target)
		var got []string
		for _, c := range page.Data {
			got = append(got, c.AccountID)
		}
		if strings.Join(got, " ") != want || page.NextCursor != nil {
			t.Errorf("GET %s finds %v, want %s", target, got, want)
		}
		if isCounted := strings.Contains(target, "count="); (page.Total != nil) != isCounted || isCounted && *page.Total != 3 {
			t.Errorf("GET %s counts %v", target, page.Total)
		}
		if strings.Contains(target, "low") && !slices.Equal(*b.asked, []totals.Month{"2026-10", "2026-11"}) {
			t.Errorf("GET %s reads %v", target, *b.asked)
		}
	}
}

func TestCustomersAreCountedOnEachPage(t *testing.T) {
	b := newBook()
	for _, filter := range []string{"count=true", "count=true&credit=exhausted", "credit=exhausted", "count=false"} {
		for limit := 1; limit <= 4; limit++ {
			whole := customersAt(t, b, "/customers?limit=100&"+filter).Data
			cursor, n := "", 0
			for pages := 0; pages == 0 || cursor != ""; pages++ {
				target := fmt.Sprintf("/customers?limit=%d&%s", limit, filter)
				if cursor != "" {
					target += "&cursor=" + url.QueryEscape(cursor)
				}
				page := customersAt(t, b, target)
				if counts := strings.Contains(filter, "count=true"); (page.Total != nil) != counts || counts && *page.Total != len(whole) {
					t.Fatalf("%s counts %v, want %d", target, page.Total, len(whole))
				}
				if filter == "count=false" {
					break // it is not read as a whole, which another test is of
				}
				for _, c := range page.Data {
					if n == len(whole) || c.AccountID != whole[n].AccountID {
						t.Fatalf("%s: entry %d is %s", target, n, c.AccountID)
					}
					n++
				}
				if cursor = ""; page.NextCursor != nil {
					cursor = *page.NextCursor
				}
				if len(page.Data) < limit && cursor != "" || pages > 10 {
					t.Fatalf("%s: %d entries and %q", target, len(page.Data), cursor)
				}
			}
			if n != len(whole) && filter != "count=false" {
				t.Errorf("%s by %d: %d of %d", filter, limit, n, len(whole))
			}
		}
	}
	w := ask(t, b, north, "/customers?count=true&limit=2", "text/csv")
	if w.Header().Get("Total") != "10" || w.Header().Get("Link") == "" {
		t.Errorf("as CSV it has the headers %v", w.Header())
	}
}

func TestMoreCustomersThanAreReadAreAFaultOfTheRequest(t *testing.T) {
	b := newBook()
	for most, code := range map[int]int{2000: http.StatusOK, 2001: http.StatusBadRequest} {
		b.most = most
		for target, parameter := range map[string]string{"/customers?count=true": "count", "/customers?credit=low": "credit", "/customers?credit=low&count=true": "credit"} {
			w := ask(t, b, north, target)
			if w.Code != code {
				t.Errorf("GET %s of %d customers: %d %s", target, most, w.Code, w.Body)
			}
			if code == http.StatusBadRequest {
				wantProblem(t, w, code, "invalid_parameter", parameter)
			}
		}
		if w := ask(t, b, north, "/customers"); w.Code != http.StatusOK {
			t.Errorf("the list of %d customers: %d", most, w.Code)
		}
	}
}

// At the turn of a month, which month is running depends on the customer.
func TestMonthsAroundTheTurnAreRead(t *testing.T) {
	b := newBook()
	e := env()
	e.Now = func() time.Time { return time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC) }
	b.customers[0].TimeZone = "America/New_York" // where it is November
	b.spending.Months[totals.AccountMonth{Account: "acc-0", Month: "2026-11"}] = totals.Monthly{Zone: "America/New_York", Logs: monthOf("7").Logs}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/customers", nil)
	api.ListCustomers(e, b).ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), viewerKey{}, north)))
	var page customersPage
	must(t, json.Unmarshal(w.Body.Bytes(), &page))
	if page.Data[0].Spend.Amount != "7" || page.Data[1].Spend.Amount != "0" || !slices.Equal(*b.asked, []totals.Month{"2026-11", "2026-12"}) {
		t.Errorf("of the months %v %v and %v", *b.asked, page.Data[0].Spend, page.Data[1].Spend)
	}
}
