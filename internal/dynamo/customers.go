package dynamo

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/money"
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
	most := q.Limit
	if q.Product != "" {
		most = maxGrantsRead
	}
	grants, next, err := s.grants(ctx, who, q, most)
	if err != nil {
		return directory.CustomerPage{}, err
	}
	page := directory.CustomerPage{Next: next}
	shown := ""
	for batch := range slices.Chunk(grants, maxBatchGet) {
		customers, granted, err := s.behind(ctx, who, batch)
		if err != nil {
			return directory.CustomerPage{}, err
		}
		for _, g := range batch {
			c, exists := customers[g.Account]
			ofPartner, isGranted := granted[g.Account]
			if !exists || !isGranted {
				continue
			}
			c.Products = directory.Visible(c.Products, g.Products, ofPartner.Products)
			if q.Product != "" && !slices.Contains(c.Products, q.Product) {
				continue
			}
			if len(page.Customers) == q.Limit {
				page.Next = shown
				return page, nil
			}
			page.Customers, shown = append(page.Customers, c), g.sortKey
		}
	}
	return page, nil
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
	for _, it := range out.Items {
		r := reader{item: it}
		sortKey := r.required("sortKey")
		if r.err != nil {
			return nil, "", badItem("grant", string(who.Partner), r.err)
		}
		g, err := decodeGrant(it)
		if err != nil {
			return nil, "", err
		}
		narrowedAway := q.Product != "" && len(g.Products) > 0 && !slices.Contains(g.Products, q.Product)
		if narrowedAway || !q.Search.Finds(g.CustomerName, g.Account) {
			continue
		}
		if len(grants) == most {
			return grants, grants[most-1].sortKey, nil
		}
		grants = append(grants, listed{g, sortKey})
	}
	end := reader{item: out.LastEvaluatedKey}
	return grants, end.text("sortKey"), nil
}

// behind reads what up to maxBatchGet grants of a viewer's list stand for, by account: the
// customers and, at the same time, the partner's grants of them, which are the list
// itself unless the viewer is narrowed. What does not exist is not in it.
func (s *Store) behind(ctx context.Context, who directory.Identity, list []listed) (
	customers map[usage.AccountID]directory.Customer, granted map[usage.AccountID]directory.Grant, err error) {
	if who.Narrowed == "" {
		granted = make(map[usage.AccountID]directory.Grant, len(list))
		for _, g := range list {
			granted[g.Account] = g.Grant
		}
		customers, err = s.customersOf(ctx, who.Partner, list)
		return customers, granted, err
	}
	err = sideBySide([]func() error{
		func() (err error) { customers, err = s.customersOf(ctx, who.Partner, list); return err },
		func() (err error) { granted, err = s.grantsOfPartner(ctx, who.Partner, list); return err },
	})
	return customers, granted, err
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
