package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/money"
	"partnerview/internal/problem"
	"partnerview/internal/usage"
)

// CustomerList reads the customers that a viewer may see.
type CustomerList interface {
	// Customers reads one page, with the products of each narrowed to what the
	// viewer may see. A page may be short and not be the last.
	Customers(context.Context, directory.Identity, directory.CustomerQuery) (directory.CustomerPage, error)
}

// CustomerReader reads one customer.
type CustomerReader interface {
	// Customer reads a customer with all its products; fault.NotFound: there is
	// none.
	Customer(context.Context, usage.AccountID) (directory.Customer, error)
}

var (
	listCustomers = Route{
		Pattern: "GET /customers", Parameters: []string{"search", "product", "limit", "cursor"}, CSV: true,
	}
	getCustomer = Route{Pattern: "GET /customers/{accountId}"}
)

const (
	customersOnPage    = 25
	maxCustomersOnPage = 100
	maxSearchBytes     = 800  // a name of 200 characters, the longest there is
	maxSortKeyBytes    = 1024 // as long as DynamoDB lets an index key be
)

// ListCustomers serves GET /customers: the customers assigned to the viewer, by
// name. 400 invalid_parameter.
func ListCustomers(env Env, store CustomerList) http.Handler {
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
			After: p.open(),
		}
		if len(q.After) > maxSortKeyBytes || !utf8.ValidString(q.After) {
			p.badCursor()
		}
		if err := p.err(); err != nil {
			return response{}, err
		}
		page, err := store.Customers(r.Context(), viewer.Identity, q)
		if err != nil {
			return response{}, err
		}
		body := customersJSON{Data: make([]customerJSON, len(page.Customers))}
		shown := len(page.Customers)
		out := response{audit: &auditEntry{accounts: make([]usage.AccountID, shown), records: shown}}
		for i, c := range page.Customers {
			body.Data[i], out.audit.accounts[i] = customerOf(c), c.Account
		}
		if page.Next != "" {
			out.next = p.seal(page.Next)
			body.NextCursor = &out.next
		}
		out.body = body
		return out, nil
	}})
}

// GetCustomer serves GET /customers/{accountId}: one customer as the viewer may
// see it. 404 customer_not_found.
func GetCustomer(env Env, store CustomerReader) http.Handler {
	return env.mux(map[string]endpoint{getCustomer.Pattern: func(r *http.Request) (response, error) {
		viewer, err := env.customer(r)
		if err != nil {
			return response{}, err
		}
		if err := readParams(r, getCustomer).err(); err != nil {
			return response{}, err
		}
		c, err := store.Customer(r.Context(), viewer.Account)
		if fault.Is(err, fault.NotFound) {
			return response{}, problem.NoCustomer
		}
		if err != nil {
			return response{}, err
		}
		// As they are now, of those that the authorizer found: what was taken away since
		// is gone at once.
		c.Products = slices.DeleteFunc(directory.Visible(c.Products, nil), func(p usage.Product) bool {
			return !viewer.MaySee(p)
		})
		return response{body: customerOf(c), audit: &auditEntry{accounts: []usage.AccountID{c.Account}, records: 1}},
			nil
	}})
}

type customersJSON struct {
	Data       []customerJSON `json:"data"`
	NextCursor *string        `json:"nextCursor"`
}

func (customersJSON) csvHeader(http.Header) {}

func (customersJSON) csvName() string { return "customers" }

func (c customersJSON) writeCSV(w *csvWriter) {
	w.header("accountId", "name", "products", "currency", "timeZone", "billingMode", "remainingCredit", "creditLimit", "creditAsOf")
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
}

type creditJSON struct {
	Amount      *string               `json:"amount"`
	Currency    money.Currency        `json:"currency"`
	BillingMode directory.BillingMode `json:"billingMode"`
	CreditLimit *string               `json:"creditLimit"`
	AsOf        *string               `json:"asOf"`
}

func customerOf(c directory.Customer) customerJSON {
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
	return out
}

func decimalText(d *decimal.Decimal) *string {
	if d == nil {
		return nil
	}
	text := money.Text(*d)
	return &text
}
