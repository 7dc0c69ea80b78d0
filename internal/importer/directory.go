package importer

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"
	"go.yaml.in/yaml/v3"

	"partnerview/internal/directory"
	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// Directory is what a directory file says, in the order of the file. It holds
// together as far as the file alone can tell; whether it fits what is stored is
// the caller's to check, who tells it with a Fault of tho object's line.
type Directory struct {
	File string // its name, for faults
	// Issuer is that of viewers who name none: not the file's to say, and empty until
	// its reader sets it.
	Issuer     string
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

// IsSet reports whether the file has the key.
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
	// Viewers are all people with customers of their own; who is not among them any more is
	// refused from then on.
	Viewers Field[[]Viewer]
}

// Viewer is one entry of a partner's viewers: a person, and the customers on their list.
type Viewer struct {
	Line      int
	Subject   string  // as the token's sub has it
	Issuer    string  // as the token's iss has it; empty: [Directory.Issuer]
	Name      string  // 1 to 100 characters; empty: none
	Customers []Grant // at least one
}

// Grant is one entry of a partner's or a viewer's customers.
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
	TimeZone    Field[directory.TimeZone]
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
	root, err := parseDocument(r, name)
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

func parsePartner(c *checklist, n *yaml.Node, path string) (p Partner) {
	o, ok := c.object(n, path, "id", "name", "status", "customers", "viewers")
	if !ok {
		return p
	}
	return Partner{
		Line:    n.Line,
		ID:      needed(o, "id", checked(directory.ParsePartnerID)).Value,
		Name:    scalar(o, "name", parseName),
		Status:  scalar(o, "status", either(directory.Active, directory.Suspended)),
		Grants:  listOf(o, "customers", parseGrant),
		Viewers: listOf(o, "viewers", parseViewer),
	}
}

func parseViewer(c *checklist, n *yaml.Node, path string) (v Viewer) {
	o, ok := c.object(n, path, "subject", "issuer", "name", "customers")
	if !ok {
		return v
	}
	o.need("customers")
	customers := listOf(o, "customers", parseGrant)
	if m := o.members["customers"]; customers.IsSet() && kindOf(m.value) == isList && len(customers.Value) == 0 {
		o.fail(customers.Line, o.at("customers"), "must not be empty: who sees no customer is left out of viewers")
	}
	return Viewer{
		Line:      n.Line,
		Subject:   needed(o, "subject", ParseSubject).Value,
		Issuer:    scalar(o, "issuer", ParseIssuer).Value,
		Name:      scalar(o, "name", ParseViewerName).Value,
		Customers: customers.Value,
	}
}

func parseGrant(c *checklist, n *yaml.Node, path string) (g Grant) {
	o, ok := c.object(n, path, "accountId", "products")
	if !ok {
		return g
	}
	return Grant{Line: n.Line, Account: needed(o, "accountId", checked(usage.ParseAccountID)).Value,
		Products: products(o).Value}
}

func parseCustomer(c *checklist, n *yaml.Node, path string) (customer Customer) {
	o, ok := c.object(n, path, "accountId", "name", "products", "currency", "billingMode", "remainingCredit",
		"creditLimit", "creditAsOf", "timeZone", "subAccounts")
	if !ok {
		return customer
	}
	return Customer{
		Line:            n.Line,
		Account:         needed(o, "accountId", checked(usage.ParseAccountID)).Value,
		Name:            scalar(o, "name", parseName),
		Products:        products(o),
		Currency:        scalar(o, "currency", currencyCode),
		BillingMode:     scalar(o, "billingMode", either(directory.Prepaid, directory.Postpaid)),
		TimeZone:        scalar(o, "timeZone", checked(directory.ParseTimeZone)),
		SubAccounts:     listOf(o, "subAccounts", parseSubAccount),
		RemainingCredit: nullable(o, "remainingCredit", money.Parse),
		CreditLimit:     nullable(o, "creditLimit", notNegative),
		CreditAsOf:      nullable(o, "creditAsOf", checked(usage.ParseTime)),
	}
}

func parseSubAccount(c *checklist, n *yaml.Node, path string) SubAccount {
	return SubAccount{n.Line, item(c, n, path, parseName)}
}

func parsePriceList(c *checklist, n *yaml.Node, path string) (p PriceList) {
	o, ok := c.object(n, path, "accountId", "product", "effectiveFrom", "currency", "chargeOn", "rounding", "rates")
	if !ok {
		return p
	}
	currency := needed(o, "currency", currencyCode)
	product := needed(o, "product", parseProduct).Value
	p = PriceList{
		Line:         n.Line,
		CurrencyLine: currency.Line,
		Log:          usage.Log{Account: needed(o, "accountId", checked(usage.ParseAccountID)).Value, Product: product},
		List: pricing.List{
			EffectiveFrom: needed(o, "effectiveFrom", checked(usage.ParseTime)).Value,
			Currency:      currency.Value,
			ChargeOn:      scalar(o, "chargeOn", notEmpty[pricing.ChargeOn]).Value,
			Rounding:      rounding(o),
		},
	}
	bySeconds := product == usage.Voice || product == usage.Video
	if p.List.ChargeOn == "" && !bySeconds {
		p.List.ChargeOn = pricing.OnSubmitted
	}
	o.need("rates")
	p.List.Rates = listOf(o, "rates", func(c *checklist, n *yaml.Node, path string) pricing.Rate {
		return parseRate(c, n, path, bySeconds)
	}).Value
	if product == "" {
		return p // without a product, what a rate may say cannot be judged
	}
	for _, f := range p.List.Validate(product) {
		if !c.blames(o.at(f.Path)) {
			c.fail(lineOf(n, f.Path), o.at(f.Path), "%s", f.Detail)
		}
	}
	for i, rate := range p.List.Rates {
		where := fmt.Sprintf("rates[%d].country", i)
		if rate.Country != "" && !rate.Country.IsAssigned() && !c.blames(o.at(where)) {
			c.fail(lineOf(n, where), o.at(where), "%s is not an ISO 3166-1 alpha-2 code", shown(string(rate.Country)))
		}
		where = fmt.Sprintf("rates[%d].operator", i)
		if err := rate.Operator.Check(); rate.Operator != "" && err != nil && !c.blames(o.at(where)) {
			c.warn(lineOf(n, where), o.at(where), "%s %s: no record has it", shown(string(rate.Operator)), err)
		}
	}
	return p
}

func rounding(o object) pricing.Rounding {
	r := pricing.DefaultRounding()
	if m, there := o.members["rounding"]; there {
		if o, ok := o.object(m.value, o.at("rounding"), "scale", "mode"); ok {
			r.Scale = scalar(o, "scale", wholeNumber[int32]).Or(r.Scale)
			r.Mode = scalar(o, "mode", notEmpty[pricing.RoundingMode]).Or(r.Mode)
		}
	}
	return r
}

// parseRate leaves the form of the selectors to [pricing.List.Faults].
func parseRate(c *checklist, n *yaml.Node, path string, bySeconds bool) (r pricing.Rate) {
	o, ok := c.object(n, path, "direction", "channel", "category", "country", "operator", "unitPrice", "setupFee",
		"increment")
	if !ok {
		return r
	}
	r = pricing.Rate{
		Selectors: pricing.Selectors{
			Direction: selector[usage.Direction](o, "direction"),
			Channel:   selector[usage.Channel](o, "channel"),
			Category:  selector[usage.Category](o, "category"),
			Country:   selector[usage.Country](o, "country"),
			Operator:  selector[usage.Operator](o, "operator"),
		},
		UnitPrice: needed(o, "unitPrice", money.Parse).Value,
		SetupFee:  scalar(o, "setupFee", money.Parse).Value,
	}
	if m, there := o.members["increment"]; there {
		if o, ok := o.object(m.value, o.at("increment"), "first", "next"); ok {
			r.Increment.First = needed(o, "first", wholeNumber[int64]).Value
			r.Increment.Next = needed(o, "next", wholeNumber[int64]).Value
		}
	} else if bySeconds {
		r.Increment = pricing.DefaultIncrement()
	}
	return r
}

// selector reads a selector. One that cannot be read differs from all others,
// lest the rate be taken for the twin of one that does not name it.
func selector[T ~string](o object, key string) T {
	f := scalar(o, key, notEmpty[T])
	if f.IsSet() && f.Value == "" {
		return T("unread in " + o.path)
	}
	return f.Value
}

// products reads a list of at least one product, none of them twice.
func products(o object) Field[[]usage.Product] {
	f := listOf(o, "products", func(c *checklist, n *yaml.Node, path string) usage.Product {
		return item(c, n, path, parseProduct)
	})
	if m := o.members["products"]; f.IsSet() && kindOf(m.value) == isList && len(f.Value) == 0 {
		o.fail(f.Line, o.at("products"), "must not be empty")
	}
	given := lineBook[usage.Product]{}
	for i, p := range f.Value {
		given.once(o.checklist, p, o.members["products"].value.Content[i].Line,
			fmt.Sprintf("%s[%d]", o.at("products"), i))
	}
	inOrder(f.Value)
	return f
}

// inOrder sorts products as [usage.Products] has them.
func inOrder(products []usage.Product) {
	slices.SortFunc(products, func(a, b usage.Product) int {
		return slices.Index(usage.Products(), a) - slices.Index(usage.Products(), b)
	})
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
		people := lineBook[directory.ViewerID]{}
		for j, v := range p.Viewers.Value {
			path := fmt.Sprintf("partners[%d].viewers[%d]", i, j)
			if v.Subject != "" {
				people.onceAs(c, directory.PersonID(v.Issuer, v.Subject), shown(v.Subject), v.Line, path+".subject")
			}
			onList := lineBook[usage.AccountID]{}
			for k, g := range v.Customers {
				onList.once(c, g.Account, g.Line, fmt.Sprintf("%s.customers[%d].accountId", path, k))
			}
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
			c.fail(l.CurrencyLine, path+".currency", "%s is not the customer's currency, which is %s (line %d)",
				l.List.Currency, want, customers[l.Log.Account])
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
	if thing != "" {
		b.onceAs(c, thing, shown(string(thing)), line, path)
	}
}

// onceAs is once for a thing that is called something else.
func (b lineBook[T]) onceAs(c *checklist, thing T, called string, line int, path string) {
	if first, there := b[thing]; there {
		c.fail(line, path, "%s is there twice, first on line %d", called, first)
		return
	}
	b[thing] = line
}

// checked makes the errors of a parser that does not quote what it read do so.
func checked[T any](parse func(string) (T, error)) func(string) (T, error) {
	return func(text string) (T, error) {
		v, err := parse(text)
		if err != nil {
			err = fmt.Errorf("%s: %w", shown(text), err)
		}
		return v, err
	}
}

func parseProduct(text string) (usage.Product, error) { return checked(usage.ParseProduct)(text) }

// notEmpty takes any text but none.
func notEmpty[T ~string](text string) (T, error) {
	if text == "" {
		return "", errors.New("must not be empty")
	}
	return T(text), nil
}

func either[T ~string](one, other T) func(string) (T, error) {
	return func(text string) (T, error) {
		if word := T(text); word == one || word == other {
			return word, nil
		}
		return "", fmt.Errorf("%s must be %s or %s", shown(text), one, other)
	}
}

func currencyCode(text string) (money.Currency, error) {
	code, err := money.ParseCurrency(text)
	if err != nil || !code.IsInUse() {
		return "", fmt.Errorf("%s is not an ISO 4217 code", shown(text))
	}
	return code, nil
}

func notNegative(text string) (decimal.Decimal, error) {
	d, err := money.Parse(text)
	if err == nil && d.IsNegative() {
		err = errors.New("must not be negative")
	}
	return d, err
}

func wholeNumber[T int32 | int64](text string) (T, error) {
	n, err := strconv.ParseInt(withoutZeroFraction(text), 10, 64)
	if err != nil || int64(T(n)) != n {
		return 0, fmt.Errorf("%s is not a whole number, or too large a one", shown(text))
	}
	return T(n), nil
}

const maxName = 200

// parseName reads the name of a partner, a customer or a sub-account.
func parseName(text string) (string, error) {
	switch n := utf8.RuneCountInString(text); {
	case strings.TrimSpace(text) == "":
		return "", errors.New("must not be empty")
	case n > maxName:
		return "", fmt.Errorf("has %d characters; at most %d are taken", n, maxName)
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", errors.New("must not hold control characters such as line ends")
	}
	return text, nil
}
