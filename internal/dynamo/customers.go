package dynamo

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/money"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

var (
	customerProducts   = project("accountId", "products")
	customerAttributes = project(customerNames...)
	allOfCustomer      = project(append(slices.Clone(customerNames), "subAccounts")...) // not a partner's to see
	customerNames      = []string{"accountId", "name", "products", "currency", "billingMode", "remainingCredit",
		"creditLimit", "creditAsOf", "timeZone"}

	grantListAttributes     = project("pk", "sk", "sortKey", "name", "products")
	grantedProductsOfViewer = project("pk", "sk", "products")
)

func customerKey(account usage.AccountID) item { return item{"accountId": str(string(account))} }

// Customer reads a customer without its sub-accounts. NotFound: there is none.
func (s *Store) Customer(ctx context.Context, account usage.AccountID) (directory.Customer, error) {
	return s.customer(ctx, account, customerAttributes)
}

// CustomerProducts reads only which products a customer has. NotFound: there
// is no such customer.
func (s *Store) CustomerProducts(ctx context.Context, account usage.AccountID) ([]usage.Product, error) {
	c, err := s.customer(ctx, account, customerProducts)
	return c.Products, err
}

func (s *Store) customer(ctx context.Context, account usage.AccountID, p projection) (directory.Customer, error) {
	it, err := s.get(ctx, "customer "+string(account), s.tables.Customers, customerKey(account), p)
	if err != nil {
		return directory.Customer{}, err
	}
	return decodeCustomer(it)
}

// GetCustomer reads a customer with its sub-accounts, as the last write has left it.
// NotFound: there is none.
func (s *Store) GetCustomer(ctx context.Context, account usage.AccountID) (directory.Customer, error) {
	it, err := s.getConsistent(ctx, "customer "+string(account), s.tables.Customers, customerKey(account),
		allOfCustomer)
	if err != nil {
		return directory.Customer{}, err
	}
	return decodeCustomer(it)
}

// maxGrantsRead is how many granted customers are looked at for one page that is
// filtered by product: which products a customer has stands in another table
// than the grant.
const maxGrantsRead = 5 * maxBatchGet

// listed is a grant and where it stands in its list.
type listed struct {
	directory.Grant
	sortKey string
}

// Customers reads a page of the customers that a viewer may see, in the order of
// directory.SortKey, with their products narrowed to what it may see of each: its
// partner's grants or, of a narrowed viewer, what both its own list and they allow. An
// account that does not exist is left out. A page of the plain list costs one Query and
// one BatchGetItem, of a narrowed viewer two at the same time; a search reads at most
// 1 MB of the list.
func (s *Store) Customers(ctx context.Context, who directory.Identity,
	q directory.CustomerQuery) (directory.CustomerPage, error) {
	page, _, err := s.CustomersWithMonths(ctx, who, q, nil)
	return page, err
}

// CustomersWithMonths is Customers with what is counted of these months of theirs, which is
// read at the same time as the customers; of a page that is filtered by product behind
// them, since few may be left.
func (s *Store) CustomersWithMonths(ctx context.Context, who directory.Identity, q directory.CustomerQuery,
	months []totals.Month) (directory.CustomerPage, totals.Spending, error) {
	if q.Product == "" {
		return s.customersPage(ctx, who, q, months)
	}
	page, _, err := s.customersPage(ctx, who, q, nil)
	if err != nil {
		return page, totals.Spending{}, err
	}
	accounts := make([]usage.AccountID, len(page.Customers))
	for i, c := range page.Customers {
		accounts[i] = c.Account
	}
	spending, err := s.Spending(ctx, accounts, months)
	return page, spending, err
}

func (s *Store) customersPage(ctx context.Context, who directory.Identity, q directory.CustomerQuery,
	months []totals.Month) (directory.CustomerPage, totals.Spending, error) {
	most := q.Limit
	if q.Product != "" {
		most = maxGrantsRead
	}
	grants, next, err := s.grants(ctx, who, q, most)
	if err != nil {
		return directory.CustomerPage{}, totals.Spending{}, err
	}
	page := directory.CustomerPage{Next: next}
	var spending totals.Spending
	for batch := range slices.Chunk(grants, maxBatchGet) {
		b, err := s.behind(ctx, who, batch, months)
		if err != nil {
			return directory.CustomerPage{}, totals.Spending{}, err
		}
		spending = both(spending, b.spending)
		for _, g := range batch {
			c, visible := b.customer(g)
			if !visible || q.Product != "" && !slices.Contains(c.Products, q.Product) {
				continue
			}
			if len(page.Customers) == q.Limit {
				page.Next = page.Keys[q.Limit-1]
				return page, spending, nil
			}
			page.Customers, page.Keys = append(page.Customers, c), append(page.Keys, g.sortKey)
		}
	}
	return page, spending, nil
}

// both are the months of either.
func both(a, b totals.Spending) totals.Spending {
	if a.Months == nil {
		return b
	}
	maps.Copy(a.Months, b.Months)
	a.Ready = a.Ready && b.Ready
	return a
}

// EveryCustomer reads all customers that a query finds of a viewer, in the order of
// Customers, with these months of theirs. The query's Limit is how many customers the
// viewer may have at most, found or not: more are not read, and isWhole is false.
func (s *Store) EveryCustomer(ctx context.Context, who directory.Identity, q directory.CustomerQuery,
	months []totals.Month) (page directory.CustomerPage, spending totals.Spending, isWhole bool, err error) {
	var found []listed
	looked := 0
	for start := item(nil); looked == 0 || len(start) > 0; {
		out, err := s.query(ctx, query{
			op: "customers of " + string(who.Partner), table: s.tables.Partners, index: "ByName",
			projection: grantListAttributes,
			condition:  "#pk = :pk",
			values:     item{":pk": str(holderKey(who.Partner, who.Narrowed))},
			start:      start,
			limit:      q.Limit + 1 - looked, // one more, to know whether there is one
		})
		if err != nil {
			return page, spending, false, err
		}
		if looked += len(out.Items); looked > q.Limit {
			return page, spending, false, nil
		}
		grants, err := decodeListed(out.Items, who)
		if err != nil {
			return page, spending, false, err
		}
		for _, g := range grants {
			if g.isFound(q) {
				found = append(found, g)
			}
		}
		if start = out.LastEvaluatedKey; len(start) == 0 {
			break
		}
	}
	batches := slices.Collect(slices.Chunk(found, maxBatchGet))
	read := make([]behind, len(batches))
	if err := atOnce(totalsAtOnce, len(batches), func(i int) (err error) {
		read[i], err = s.behind(ctx, who, batches[i], months)
		return err
	}); err != nil {
		return page, spending, false, err
	}
	for i, batch := range batches {
		spending = both(spending, read[i].spending)
		for _, g := range batch {
			c, visible := read[i].customer(g)
			if visible && (q.Product == "" || slices.Contains(c.Products, q.Product)) {
				page.Customers, page.Keys = append(page.Customers, c), append(page.Keys, g.sortKey)
			}
		}
	}
	return page, spending, true, nil
}

// Spending reads what is counted of these months of these customers.
func (s *Store) Spending(ctx context.Context, accounts []usage.AccountID,
	months []totals.Month) (totals.Spending, error) {
	spending := totals.Spending{Months: make(map[totals.AccountMonth]totals.Monthly, len(accounts))}
	if len(accounts) == 0 || len(months) == 0 {
		return spending, nil
	}
	keys := []item{readyKey()}
	for _, account := range accounts {
		for _, month := range months {
			keys = append(keys, monthKey(totals.AccountMonth{Account: account, Month: month}))
		}
	}
	items, err := s.batchGetAll(ctx, "totals of months", s.tables.Totals, keys, monthAttributes)
	if err != nil {
		return totals.Spending{}, err
	}
	for _, it := range items {
		if r := (reader{item: it}); r.text("sk") == readyName {
			spending.Ready = true
			continue
		}
		which, m, err := decodeMonth(it)
		if err != nil {
			return totals.Spending{}, err
		}
		spending.Months[which] = m
	}
	return spending, nil
}

// grants reads at most so many grants of a viewer's list, its own or else its partner's,
// that the query may show, and where to read on: empty where there are no more.
func (s *Store) grants(ctx context.Context, who directory.Identity, q directory.CustomerQuery,
	most int) (grants []listed, next string, err error) {
	in := query{
		op: "customers of " + string(who.Partner), table: s.tables.Partners, index: "ByName",
		projection: grantListAttributes,
		condition:  "#pk = :pk",
		values:     item{":pk": str(holderKey(who.Partner, who.Narrowed))},
	}
	if q.After != "" {
		in.condition += " AND #sortKey > :after"
		in.values[":after"] = str(q.After)
	}
	if q.Search.IsEmpty() {
		in.limit = most + 1 // one more, to know whether there is one
	}
	out, err := s.query(ctx, in)
	if err != nil {
		return nil, "", err
	}
	all, err := decodeListed(out.Items, who)
	if err != nil {
		return nil, "", err
	}
	for _, g := range all {
		if !g.isFound(q) {
			continue
		}
		if len(grants) == most {
			return grants, grants[most-1].sortKey, nil
		}
		grants = append(grants, g)
	}
	end := reader{item: out.LastEvaluatedKey}
	return grants, end.text("sortKey"), nil
}

func decodeListed(items []item, who directory.Identity) ([]listed, error) {
	grants := make([]listed, len(items))
	for i, it := range items {
		r := reader{item: it}
		sortKey := r.required("sortKey")
		if r.err != nil {
			return nil, badItem("grant", string(who.Partner), r.err)
		}
		g, err := decodeGrant(it)
		if err != nil {
			return nil, err
		}
		grants[i] = listed{g, sortKey}
	}
	return grants, nil
}

// isFound reports whether a query may show the customer, as far as the grant can tell.
func (g listed) isFound(q directory.CustomerQuery) bool {
	narrowedAway := q.Product != "" && len(g.Products) > 0 && !slices.Contains(g.Products, q.Product)
	return !narrowedAway && q.Search.Finds(g.CustomerName, g.Account)
}

// behind is what grants of a viewer's list stand for, by account. What does not exist is
// not in it.
type behind struct {
	customers map[usage.AccountID]directory.Customer
	granted   map[usage.AccountID]directory.Grant // by the partner
	spending  totals.Spending
}

// customer is the customer of a grant, as the viewer may see it; not visible: there is none, or
// the partner has it no more.
func (b behind) customer(g listed) (c directory.Customer, visible bool) {
	c, exists := b.customers[g.Account]
	ofPartner, isGranted := b.granted[g.Account]
	if !exists || !isGranted {
		return directory.Customer{}, false
	}
	c.Products = directory.Visible(c.Products, g.Products, ofPartner.Products)
	return c, true
}

// behind reads what up to maxBatchGet grants of a viewer's list stand for, all at the same
// time: the customers, the months of theirs and the partner's grants of them, which are the
// list itself unless the viewer is narrowed.
func (s *Store) behind(ctx context.Context, who directory.Identity, list []listed,
	months []totals.Month) (b behind, err error) {
	reads := []func() error{
		func() (err error) { b.customers, err = s.customersOf(ctx, who.Partner, list); return err },
	}
	if who.Narrowed != "" {
		reads = append(reads, func() (err error) {
			b.granted, err = s.grantsOfPartner(ctx, who.Partner, list)
			return err
		})
	} else {
		b.granted = make(map[usage.AccountID]directory.Grant, len(list))
		for _, g := range list {
			b.granted[g.Account] = g.Grant
		}
	}
	if len(months) > 0 {
		accounts := make([]usage.AccountID, len(list))
		for i, g := range list {
			accounts[i] = g.Account
		}
		reads = append(reads, func() (err error) { b.spending, err = s.Spending(ctx, accounts, months); return err })
	}
	err = sideBySide(reads)
	return b, err
}

// grantsOfPartner reads a partner's grants of the customers on a viewer's list, in one
// call.
func (s *Store) grantsOfPartner(ctx context.Context, partner directory.PartnerID,
	list []listed) (map[usage.AccountID]directory.Grant, error) {
	keys := make([]item, len(list))
	for i, g := range list {
		keys[i] = grantItemKey(directory.Grant{Partner: partner, Account: g.Account})
	}
	items, err := s.batchGet(ctx, "grants of "+string(partner), s.tables.Partners, keys, grantedProductsOfViewer, false)
	if err != nil {
		return nil, err
	}
	grants, err := decodeGrants(items)
	if err != nil {
		return nil, err
	}
	granted := make(map[usage.AccountID]directory.Grant, len(grants))
	for _, g := range grants {
		granted[g.Account] = g
	}
	return granted, nil
}

// customersOf reads the customers of up to maxBatchGet grants in one call, by
// account; those that do not exist are not in it.
func (s *Store) customersOf(ctx context.Context, partner directory.PartnerID,
	grants []listed) (map[usage.AccountID]directory.Customer, error) {
	keys := make([]item, len(grants))
	for i, g := range grants {
		keys[i] = customerKey(g.Account)
	}
	items, err := s.batchGet(ctx, "customers of "+string(partner), s.tables.Customers, keys, customerAttributes, false)
	if err != nil {
		return nil, err
	}
	all, err := decodeCustomers(items)
	if err != nil {
		return nil, err
	}
	customers := make(map[usage.AccountID]directory.Customer, len(all))
	for _, c := range all {
		customers[c.Account] = c
	}
	return customers, nil
}

// AllCustomers reads every customer, with its sub-accounts, in no order. It
// reads the whole table.
func (s *Store) AllCustomers(ctx context.Context) ([]directory.Customer, error) {
	items, err := s.scan(ctx, "all customers", s.tables.Customers, allOfCustomer)
	if err != nil {
		return nil, err
	}
	return decodeCustomers(items)
}

// PutCustomer writes a customer in place of the one that has its account ID.
func (s *Store) PutCustomer(ctx context.Context, c directory.Customer) error {
	return s.put(ctx, "write customer "+string(c.Account), s.tables.Customers, encodeCustomer(c))
}

// ReplaceCustomer is PutCustomer for who does not mean to change the time zone that was
// read before, or makes a customer in another: whoever changes it has all days counted anew,
// and one that came back by the way would leave them pending. Unavailable: it has been
// changed meanwhile.
func (s *Store) ReplaceCustomer(ctx context.Context, before directory.TimeZone, c directory.Customer) error {
	op := "write customer " + string(c.Account)
	condition := "#zone IN (:before, :after)" // the latter: it was written, and the answer lost
	if before.String() == directory.TimeZone("").String() {
		condition += " OR attribute_not_exists(#zone)"
	}
	err := retryUnavailable(ctx, func() error {
		_, err := call(ctx, op, s.db.PutItem, &dynamodb.PutItemInput{
			TableName: &s.tables.Customers, Item: encodeCustomer(c), ConditionExpression: &condition,
			ExpressionAttributeNames:  map[string]string{"#zone": "timeZone"},
			ExpressionAttributeValues: item{":before": str(before.String()), ":after": str(c.TimeZone.String())},
		})
		return err
	})
	if isConditionFailed(err) {
		return fault.New(fault.Unavailable, op+": its time zone has been changed meanwhile", nil)
	}
	return err
}

// DeleteCustomer deletes a customer, and nothing that belongs to it. It is no
// error if there is none.
func (s *Store) DeleteCustomer(ctx context.Context, account usage.AccountID) error {
	return s.deleteItem(ctx, "delete customer "+string(account), s.tables.Customers, customerKey(account))
}

// RenewCredit writes what a customer had left at some time, and nothing else of
// the customer, unless what is stored is of a later time: then renewed is false.
// One condition holds it all, so that it may run beside other commands and
// itself. The currency is the one that the amount is in. NotFound: there is no
// such customer. Unavailable: its currency is another by now.
func (s *Store) RenewCredit(
	ctx context.Context, account usage.AccountID, remaining decimal.Decimal, currency money.Currency, asOf time.Time,
) (renewed bool, err error) {
	op := "renew the credit of " + string(account)
	_, err = s.updateLimited(ctx, op, &dynamodb.UpdateItemInput{
		TableName:        &s.tables.Customers,
		Key:              customerKey(account),
		UpdateExpression: aws.String("SET remainingCredit = :remaining, creditAsOf = :asOf"),
		ConditionExpression: aws.String("attribute_exists(accountId) AND #currency = :currency" +
			" AND (attribute_not_exists(creditAsOf) OR creditAsOf <= :asOf)"),
		ExpressionAttributeNames: map[string]string{"#currency": "currency"},
		ExpressionAttributeValues: item{
			":remaining": str(money.Text(remaining)), ":asOf": str(usage.FormatTime(asOf)),
			":currency": str(string(currency)),
		},
	})
	if !isConditionFailed(err) {
		return err == nil, err
	}
	it, err := s.getConsistent(ctx, op, s.tables.Customers, customerKey(account), allOfCustomer)
	if err != nil {
		return false, err
	}
	c, err := decodeCustomer(it)
	if err == nil && c.Currency != currency {
		err = fault.New(fault.Unavailable, op+": its currency has been changed meanwhile", nil)
	}
	return false, err
}

func decodeCustomers(items []item) ([]directory.Customer, error) {
	customers := make([]directory.Customer, len(items))
	for i, it := range items {
		var err error
		if customers[i], err = decodeCustomer(it); err != nil {
			return nil, err
		}
	}
	return customers, nil
}

func decodeCustomer(it item) (directory.Customer, error) {
	r := reader{item: it}
	c := directory.Customer{
		Account:  usage.AccountID(r.required("accountId")),
		Name:     r.text("name"),
		Products: r.products("products"),
		Currency: money.Currency(r.text("currency")),
		Credit: directory.Credit{
			Mode:      directory.BillingMode(r.text("billingMode")),
			Remaining: r.decimal("remainingCredit"),
			Limit:     r.decimal("creditLimit"),
			AsOf:      r.timeOrNil("creditAsOf"),
		},
		TimeZone:    directory.TimeZone(r.text("timeZone")),
		SubAccounts: r.words("subAccounts"),
	}
	if r.err != nil {
		return directory.Customer{}, badItem("customer", string(c.Account), r.err)
	}
	return c, nil
}

func encodeCustomer(c directory.Customer) item {
	it := customerKey(c.Account)
	it["name"], it["currency"], it["billingMode"] = str(c.Name), str(string(c.Currency)), str(string(c.Credit.Mode))
	putWords(it, "products", c.Products)
	putWords(it, "subAccounts", c.SubAccounts)
	putText(it, "timeZone", string(c.TimeZone))
	putDecimal(it, "remainingCredit", c.Credit.Remaining)
	putDecimal(it, "creditLimit", c.Credit.Limit)
	if c.Credit.AsOf != nil {
		putTime(it, "creditAsOf", *c.Credit.AsOf)
	}
	return it
}
