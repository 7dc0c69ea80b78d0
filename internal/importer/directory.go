package importer

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// Directory is what a directory file says, in the order of the file. It holds
// together as far as the file alone can tell; whether it fits what is stored is
// the caller's to check, who tells it with a Fault of the entry's line.
type Directory struct {
	File       string // its name, for faults
	Partners   []Partner
	Customers  []Customer
	PriceLists []PriceList
	// Warnings are about what can be, and hardly was meant, in the order of the file:
	// an operator that no record can have.
	Warnings Faults
}

// Field is a key that may be left out, which leaves what is stored. To leave it
// out is not to say that it is empty: of a partner's customers, the former
// touches no grant, the latter takes all away.
type Field[T any] struct {
	Line  int // 0: the key is left out
	Value T
}

// IsSet tells whether the file has the key.
func (f Field[T]) IsSet() bool { return f.Line != 0 }

// Or is the file's value or, where it has none, the stored one.
func (f Field[T]) Or(stored T) T {
	if f.IsSet() {
		return f.Value
	}
	return stored
}

// Partner is one entry of partners. A partner that is not stored yet needs a
// name, and is active unless it says otherwise.
type Partner struct {
	Line   int
	ID     directory.PartnerID
	Name   Field[string]
	Status Field[directory.PartnerStatus]
	Grants Field[[]Grant] // the whole list; empty: none is left
}

// Grant is one entry of a partner's customers.
type Grant struct {
	Line     int
	Account  usage.AccountID
	Products []usage.Product // in the order of usage.Products; empty: all that the customer has
}

// Customer is one entry of customers. A customer that is not stored yet needs
// name, products, currency and billing mode.
type Customer struct {
	Line        int
	Account     usage.AccountID
	Name        Field[string]          // 1 to 200 characters
	Products    Field[[]usage.Product] // at least one, in the order of usage.Products
	Currency    Field[money.Currency]
	BillingMode Field[directory.BillingMode]
	SubAccounts Field[[]SubAccount]
	// A nil of one of these is an explicit null: it is no longer known.
	RemainingCredit Field[*decimal.Decimal]
	CreditLimit     Field[*decimal.Decimal]
	CreditAsOf      Field[*time.Time]
}

// SubAccount is a name under which the platform's exports list a customer.
type SubAccount struct {
	Line int
	Name string
}

// PriceList is one entry of priceLists, with all defaults filled in. It replaces
// the list of the same log and time as a whole.
type PriceList struct {
	Line         int
	CurrencyLine int
	Log          usage.Log
	List         pricing.List // without faults as [pricing.List.Faults] has them
}

// ParseDirectory reads a directory file, YAML or JSON. The name is for faults.
//
// The error is Faults, with all that is wrong in the file, or a [FileError]: it cannot
// be read, or is no text. Then there is no Directory.
func ParseDirectory(r io.Reader, name string) (Directory, error) {
	root, err := parseTree(r, name)
	if err != nil {
		var f Fault
		if errors.As(err, &f) {
			f.File = name
			return Directory{}, Faults{f}
		}
		return Directory{}, &FileError{fmt.Errorf("read %s: %w", name, err)}
	}
	c := newChecklist(name)
	d := Directory{File: name}
	if top, ok := c.object(root, "", "partners", "customers", "priceLists"); ok {
		d.Partners = listOf(top, "partners", parsePartner).Value
		d.Customers = listOf(top, "customers", parseCustomer).Value
		d.PriceLists = listOf(top, "priceLists", parsePriceList).Value
	}
	d.checkWhole(c)
	if err := c.err(); err != nil {
		return Directory{}, err
	}
	d.Warnings = c.warnings
	return d, nil
}

func parsePartner(c *checklist, n *node, path string) (p Partner) {
	e, ok := c.object(n, path, "id", "name", "status", "customers")
	if !ok {
		return p
	}
	return Partner{
		Line:   n.line,
		ID:     needed(e, "id", checked(directory.ParsePartnerID)).Value,
		Name:   scalar(e, "name", parseName),
		Status: scalar(e, "status", oneOf(directory.Active, directory.Suspended)),
		Grants: listOf(e, "customers", parseGrant),
	}
}

func parseGrant(c *checklist, n *node, path string) (g Grant) {
	e, ok := c.object(n, path, "accountId", "products")
	if !ok {
		return g
	}
	return Grant{Line: n.line, Account: needed(e, "accountId", checked(usage.ParseAccountID)).Value, Products: products(e).Value}
}

func parseCustomer(c *checklist, n *node, path string) (customer Customer) {
	e, ok := c.object(n, path, "accountId", "name", "products", "currency", "billingMode", "remainingCredit", "creditLimit", "creditAsOf", "subAccounts")
	if !ok {
		return customer
	}
	return Customer{
		Line:            n.line,
		Account:         needed(e, "accountId", checked(usage.ParseAccountID)).Value,
		Name:            scalar(e, "name", parseName),
		Products:        products(e),
		Currency:        scalar(e, "currency", currencyCode),
		BillingMode:     scalar(e, "billingMode", oneOf(directory.Prepaid, directory.Postpaid)),
		SubAccounts:     listOf(e, "subAccounts", parseSubAccount),
		RemainingCredit: nullable(e, "remainingCredit", money.Parse),
		CreditLimit:     nullable(e, "creditLimit", notNegative),
		CreditAsOf:      nullable(e, "creditAsOf", checked(usage.ParseTime)),
	}
}

func parseSubAccount(c *checklist, n *node, path string) SubAccount {
	return SubAccount{n.line, item(c, n, path, parseName)}
}

func parsePriceList(c *checklist, n *node, path string) (p PriceList) {
	e, ok := c.object(n, path, "accountId", "product", "effectiveFrom", "currency", "chargeOn", "rounding", "rates")
	if !ok {
		return p
	}
	currency := needed(e, "currency", currencyCode)
	product := needed(e, "product", parseProduct).Value
	p = PriceList{
		Line:         n.line,
		CurrencyLine: currency.Line,
		Log:          usage.Log{Account: needed(e, "accountId", checked(usage.ParseAccountID)).Value, Product: product},
		List: pricing.List{
			EffectiveFrom: needed(e, "effectiveFrom", checked(usage.ParseTime)).Value,
			Currency:      currency.Value,
			ChargeOn:      scalar(e, "chargeOn", notEmpty[pricing.ChargeOn]).Value,
			Rounding:      rounding(e),
		},
	}
	bySeconds := product == usage.Voice || product == usage.Video
	if p.List.ChargeOn == "" && !bySeconds {
		p.List.ChargeOn = pricing.OnSubmitted
	}
	e.need("rates")
	p.List.Rates = listOf(e, "rates", func(c *checklist, n *node, path string) pricing.Rate {
		return parseRate(c, n, path, bySeconds)
	}).Value
	if product == "" {
		return p // without a product, what a rate may say cannot be judged
	}
	for _, f := range p.List.Faults(product) {
		if !c.blames(e.at(f.Path)) {
			c.fail(n.lineOf(f.Path), e.at(f.Path), "%s", f.Detail)
		}
	}
	for i, rate := range p.List.Rates {
		where := fmt.Sprintf("rates[%d].country", i)
		if rate.Country != "" && !rate.Country.IsAssigned() && !c.blames(e.at(where)) {
			c.fail(n.lineOf(where), e.at(where), "%s is not an ISO 3166-1 alpha-2 code", shown(string(rate.Country)))
		}
		where = fmt.Sprintf("rates[%d].operator", i)
		if err := rate.Operator.Check(); rate.Operator != "" && err != nil && !c.blames(e.at(where)) {
			c.warn(n.lineOf(where), e.at(where), "%s %s: no record has it", shown(string(rate.Operator)), err)
		}
	}
	return p
}

func rounding(e entry) pricing.Rounding {
	r := pricing.DefaultRounding()
	if m, there := e.members["rounding"]; there {
		if e, ok := e.list.object(m.value, e.at("rounding"), "scale", "mode"); ok {
			r.Scale = scalar(e, "scale", wholeNumber[int32]).Or(r.Scale)
			r.Mode = scalar(e, "mode", notEmpty[pricing.RoundingMode]).Or(r.Mode)
		}
	}
	return r
}

// parseRate leaves the form of the selectors to [pricing.List.Faults].
func parseRate(c *checklist, n *node, path string, bySeconds bool) (r pricing.Rate) {
	e, ok := c.object(n, path, "direction", "channel", "category", "country", "operator", "unitPrice", "setupFee", "increment")
	if !ok {
		return r
	}
	r = pricing.Rate{
		Selectors: pricing.Selectors{
			Direction: selector[usage.Direction](e, "direction"),
			Channel:   selector[usage.Channel](e, "channel"),
			Category:  selector[usage.Category](e, "category"),
			Country:   selector[usage.Country](e, "country"),
			Operator:  selector[usage.Operator](e, "operator"),
		},
		UnitPrice: needed(e, "unitPrice", money.Parse).Value,
		SetupFee:  scalar(e, "setupFee", money.Parse).Value,
	}
	if m, there := e.members["increment"]; there {
		if e, ok := e.list.object(m.value, e.at("increment"), "first", "next"); ok {
			r.Increment.First = needed(e, "first", wholeNumber[int64]).Value
			r.Increment.Next = needed(e, "next", wholeNumber[int64]).Value
		}
	} else if bySeconds {
		r.Increment = pricing.DefaultIncrement()
	}
	return r
}

// selector reads a selector. One that cannot be read differs from all others,
// lest the rate be taken for the twin of one that does not name it.
func selector[T ~string](e entry, key string) T {
	f := scalar(e, key, notEmpty[T])
	if f.IsSet() && f.Value == "" {
		return T("unread in " + e.path)
	}
	return f.Value
}

// checkWhole finds what no entry alone shows.
func (d Directory) checkWhole(c *checklist) {
	partners, customers, lists := lineBook[directory.PartnerID]{}, lineBook[usage.AccountID]{}, lineBook[string]{}
	currency := map[usage.AccountID]money.Currency{}
	for i, p := range d.Partners {
		partners.once(c, p.ID, p.Line, fmt.Sprintf("partners[%d].id", i))
		grants := lineBook[usage.AccountID]{}
		for j, g := range p.Grants.Value {
			grants.once(c, g.Account, g.Line, fmt.Sprintf("partners[%d].customers[%d].accountId", i, j))
		}
	}
	for i, customer := range d.Customers {
		customers.once(c, customer.Account, customer.Line, fmt.Sprintf("customers[%d].accountId", i))
		currency[customer.Account] = customer.Currency.Value
	}
	d.checkSubAccounts(c, customers)
	for i, l := range d.PriceLists {
		path := fmt.Sprintf("priceLists[%d]", i)
		if l.Log.Account == "" || l.Log.Product == "" || l.List.EffectiveFrom.IsZero() {
			continue // which has its fault already
		}
		lists.once(c, l.Log.Text()+" from "+usage.FormatTime(l.List.EffectiveFrom), l.Line, path)
		if want := currency[l.Log.Account]; want != "" && l.List.Currency != "" && l.List.Currency != want {
			c.fail(l.CurrencyLine, path+".currency", "%s is not the customer's currency, which is %s (line %d)", l.List.Currency, want, customers[l.Log.Account])
		}
	}
}

// checkSubAccounts finds names by which usage would have two owners.
func (d Directory) checkSubAccounts(c *checklist, customers lineBook[usage.AccountID]) {
	owners := lineBook[string]{}
	for i, customer := range d.Customers {
		for j, sub := range customer.SubAccounts.Value {
			path := fmt.Sprintf("customers[%d].subAccounts[%d]", i, j)
			owners.once(c, sub.Name, sub.Line, path)
			if line, taken := customers[usage.AccountID(sub.Name)]; taken && sub.Name != string(customer.Account) {
				c.fail(sub.Line, path, "%s is another customer's account ID (line %d)", shown(sub.Name), line)
			}
		}
	}
}

// lineBook knows on which line something stands.
type lineBook[T ~string] map[T]int

// once notes where a thing stands, and finds it there a second time. What is
// empty has its fault already.
func (b lineBook[T]) once(c *checklist, thing T, line int, path string) {
	if thing == "" {
		return
	}
	if first, there := b[thing]; there {
		c.fail(line, path, "%s is there twice, first on line %d", shown(string(thing)), first)
		return
	}
	b[thing] = line
}
