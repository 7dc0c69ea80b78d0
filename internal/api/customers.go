package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/money"
	"partnerview/internal/problem"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// SpendingList reads the customers that a viewer may see, and what they spend.
type SpendingList interface {
	// CustomersWithMonths reads one page, with the products of each customer narrowed to
	// what the viewer may see, and what is counted of these months of theirs. A page may be
	// short and not be the last.
	CustomersWithMonths(context.Context, directory.Identity, directory.CustomerQuery, []totals.Month) (
		directory.CustomerPage, totals.Spending, error)
	// EveryCustomer reads all customers that a query finds, in the order of pages, with these
	// months of theirs. Of a viewer with more customers than the query's Limit, found or not,
	// it reads none, and isWhole is false.
	EveryCustomer(context.Context, directory.Identity, directory.CustomerQuery, []totals.Month) (
		page directory.CustomerPage, spending totals.Spending, isWhole bool, err error)
}

// SpendingCustomer reads one customer, and what it spends.
type SpendingCustomer interface {
	CustomerReader
	// Spending reads what is counted of these months of these customers.
	Spending(context.Context, []usage.AccountID, []totals.Month) (totals.Spending, error)
}

// CustomerReader reads one customer.
type CustomerReader interface {
	// Customer reads a customer with all its products; fault.NotFound: there is
	// none.
	Customer(context.Context, usage.AccountID) (directory.Customer, error)
}

var (
	listCustomers = Route{
		Pattern: "GET /customers", CSV: true,
		Parameters: []string{"search", "product", "credit", "count", "limit", "cursor"},
	}
	getCustomer = Route{Pattern: "GET /customers/{accountId}"}
)

const (
	customersOnPage    = 25
	maxCustomersOnPage = 100
	maxCounted         = 2000 // customers of a viewer, where all are read
	maxSearchBytes     = 800  // a name of 200 characters, the longest there is
	maxSortKeyBytes    = 1024 // as long as DynamoDB lets an index key be
)

// ListCustomers serves GET /customers: the customers assigned to the viewer, by
// name. 400 invalid_parameter.
func ListCustomers(env Env, store SpendingList) http.Handler {
	return env.mux(map[string]endpoint{listCustomers.Pattern: func(r *http.Request) (response, error) {
		viewer, err := env.viewer(r)
		if err != nil {
			return response{}, err
		}
		p := readParams(r, listCustomers)
		q := directory.CustomerQuery{
			Search: directory.NewSearch(p.text("search", maxSearchBytes)),
			Product: usage.Product(p.oneOf("product", "",
				strings.Split(directory.JoinProducts(usage.Products()), ",")...)),
			Limit: p.limit(customersOnPage, maxCustomersOnPage),
		}
		credit := totals.CreditState(p.oneOf("credit", "", string(totals.CreditLow), string(totals.CreditExhausted)))
		isCounted := p.oneOf("count", "false", "true", "false") == "true"
		q.After = p.open() // behind all others
		if len(q.After) > maxSortKeyBytes || !utf8.ValidString(q.After) {
			p.badCursor()
		}
		if err := p.err(); err != nil {
			return response{}, err
		}
		now := env.Now()
		var page spendingPage
		if credit == totals.CreditEnough && !isCounted {
			page.CustomerPage, page.spending, err = store.CustomersWithMonths(r.Context(), viewer.Identity, q,
				totals.RunningMonths(now))
		} else {
			page, err = everyCustomer(r.Context(), store, viewer.Identity, q, credit, now)
		}
		if err != nil {
			return response{}, err
		}
		body := customersJSON{Data: make([]customerJSON, len(page.Customers))}
		if isCounted {
			body.Total = &page.total
		}
		shown := len(page.Customers)
		out := response{audit: &auditEntry{accounts: make([]usage.AccountID, shown), records: shown}}
		for i, c := range page.Customers {
			spend, err := page.spending.Running(c, now)
			if err != nil {
				return response{}, fault.New(fault.Internal, "spend", err)
			}
			body.Data[i], out.audit.accounts[i] = customerOf(c, spend), c.Account
		}
		if page.Next != "" {
			out.next = p.seal(page.Next)
			body.NextCursor = &out.next
		}
		out.body = body
		return out, nil
	}})
}

// spendingPage is a page of customers, and what they spend.
type spendingPage struct {
	directory.CustomerPage
	spending totals.Spending
	total    int // of the customers on all pages, where all were read
}

// everyCustomer reads all customers of a viewer, and makes the page of those that a query
// finds whose credit is such; [totals.CreditEnough] asks for all.
func everyCustomer(ctx context.Context, store SpendingList, who directory.Identity, q directory.CustomerQuery,
	credit totals.CreditState, now time.Time) (page spendingPage, err error) {
	limit, months := q.Limit, totals.RunningMonths(now)
	if q.Limit = maxCounted; credit == totals.CreditLow {
		months = totals.PaceMonths(now)
	}
	all, spending, isWhole, err := store.EveryCustomer(ctx, who, q, months)
	if err != nil {
		return page, err
	}
	if !isWhole {
		return page, tooManyCustomers(credit)
	}
	page.spending = spending
	for i, c := range all.Customers {
		if credit != totals.CreditEnough {
			is, err := spending.Credit(c, now)
			if err != nil {
				return page, fault.New(fault.Internal, "credit", err)
			}
			if is != credit {
				continue
			}
		}
		page.total++
		switch {
		case all.Keys[i] <= q.After:
		case len(page.Customers) < limit:
			page.Customers, page.Keys = append(page.Customers, c), append(page.Keys, all.Keys[i])
		default:
			page.Next = page.Keys[limit-1]
		}
	}
	return page, nil
}

// tooManyCustomers is the problem of who asks what takes a look at all customers, and has
// more of them than are looked at.
func tooManyCustomers(credit totals.CreditState) error {
	parameter := "count"
	if credit != totals.CreditEnough {
		parameter = "credit"
	}
	return problem.Invalid([]problem.ParameterError{{Parameter: parameter, Detail: fmt.Sprintf(
		"is answered to who sees %d customers at most; leave it out and read the list page by page", maxCounted)}})
}

// CustomerStore reads a customer, what it spends, and how far its logs are loaded.
type CustomerStore interface {
	SpendingCustomer
	FreshnessReader
}

// GetCustomer serves GET /customers/{accountId}, one customer as the viewer may see it,
// and GET /customers/{accountId}/usage, how far its logs are loaded. 404
// customer_not_found.
func GetCustomer(env Env, store CustomerStore) http.Handler {
	one := func(r *http.Request) (response, error) {
		viewer, err := env.customer(r)
		if err != nil {
			return response{}, err
		}
		if err := readParams(r, getCustomer).err(); err != nil {
			return response{}, err
		}
		now := env.Now()
		var c directory.Customer
		var spending totals.Spending
		err = bothOf(
			func() (err error) { c, err = visibleCustomer(r.Context(), store, viewer); return err },
			func() (err error) {
				account := []usage.AccountID{viewer.Account}
				spending, err = store.Spending(r.Context(), account, totals.RunningMonths(now))
				return err
			},
		)
		if err != nil {
			return response{}, err
		}
		spend, err := spending.Running(c, now)
		if err != nil {
			return response{}, fault.New(fault.Internal, "spend", err)
		}
		return response{
			body: customerOf(c, spend), audit: &auditEntry{accounts: []usage.AccountID{c.Account}, records: 1},
		}, nil
	}
	return env.mux(map[string]endpoint{getCustomer.Pattern: one, getFreshness.Pattern: freshness(env, store)})
}

// bothOf makes two reads at the same time; the first one's error goes first.
func bothOf(one, other func() error) error {
	var reads sync.WaitGroup
	var second error
	reads.Go(func() { second = fault.Caught(other) })
	first := fault.Caught(one)
	reads.Wait()
	return cmp.Or(first, second)
}

type customersJSON struct {
	Data       []customerJSON `json:"data"`
	Total      *int           `json:"total"`
	NextCursor *string        `json:"nextCursor"`
}

func (c customersJSON) csvHeader(h http.Header) {
	if c.Total != nil {
		h.Set("Total", strconv.Itoa(*c.Total))
	}
}

func (customersJSON) csvName() string { return "customers" }

func (c customersJSON) writeCSV(w *csvWriter) {
	w.header("accountId", "name", "products", "currency", "timeZone", "billingMode", "remainingCredit", "creditLimit",
		"creditAsOf", "spend")
	for _, one := range c.Data {
		w.plain(string(one.AccountID))
		w.text(one.Name)
		w.plain(joinWords(one.Products))
		w.plain(string(one.Currency))
		w.plain(one.TimeZone)
		w.plain(string(one.RemainingCredit.BillingMode))
		w.plainOrEmpty(one.RemainingCredit.Amount)
		w.plainOrEmpty(one.RemainingCredit.CreditLimit)
		w.plainOrEmpty(one.RemainingCredit.AsOf)
		if one.Spend == nil {
			w.empty(1)
		} else {
			w.plain(one.Spend.Amount)
		}
		w.endLine()
	}
}

// joinWords writes several words in one cell, as "sms;voice".
func joinWords(products []usage.Product) string {
	return strings.ReplaceAll(directory.JoinProducts(products), ",", ";")
}

type customerJSON struct {
	AccountID       usage.AccountID `json:"accountId"`
	Name            string          `json:"name"`
	Products        []usage.Product `json:"products"`
	Currency        money.Currency  `json:"currency"`
	TimeZone        string          `json:"timeZone"`
	RemainingCredit creditJSON      `json:"remainingCredit"`
	Spend           *moneyJSON      `json:"spend"`
}

type moneyJSON struct {
	Amount   string         `json:"amount"`
	Currency money.Currency `json:"currency"`
}

type creditJSON struct {
	Amount      *string               `json:"amount"`
	Currency    money.Currency        `json:"currency"`
	BillingMode directory.BillingMode `json:"billingMode"`
	CreditLimit *string               `json:"creditLimit"`
	AsOf        *string               `json:"asOf"`
}

// customerOf is a customer, and what it spends; nil: nobody knows.
func customerOf(c directory.Customer, spend *decimal.Decimal) customerJSON {
	out := customerJSON{
		AccountID: c.Account, Name: c.Name, Products: c.Products, Currency: c.Currency,
		TimeZone: c.TimeZone.String(),
		RemainingCredit: creditJSON{
			Amount: decimalText(c.Credit.Remaining), Currency: c.Currency,
			BillingMode: c.Credit.Mode, CreditLimit: decimalText(c.Credit.Limit),
		},
	}
	if c.Credit.AsOf != nil {
		text := usage.FormatTime(*c.Credit.AsOf)
		out.RemainingCredit.AsOf = &text
	}
	if spend != nil {
		out.Spend = &moneyJSON{Amount: money.Text(*spend), Currency: c.Currency}
	}
	return out
}

func decimalText(d *decimal.Decimal) *string {
	if d == nil {
		return nil
	}
	text := money.Text(*d)
	return &text
}
