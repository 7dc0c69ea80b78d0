package dynamo

import (
	"context"
	"slices"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

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
	op := "customer " + string(account)
	it, err := s.get(ctx, op, s.tables.Customers, item{"accountId": str(string(account))}, p)
	if err != nil {
		return directory.Customer{}, err
	}
	if it == nil {
		return directory.Customer{}, fault.New(fault.NotFound, op, nil)
	}
	return decodeCustomer(it)
}

// maxExamined is how many granted customers are looked at for one page that is
// filtered by product: which products a customer has stands in another table
// than the grant.
const maxExamined = 5 * maxBatchGet

// listed is a grant at its place in the partner's list.
type listed struct {
	directory.Grant
	sortKey string
}

// Customers reads a page of the customers granted to a partner, in the order of
// directory.SortKey, with their products narrowed to what the partner may see. A
// granted account that does not exist is left out. A page of the plain list
// costs one Query and one BatchGetItem; a search reads at most 1 MB of grants.
func (s *Store) Customers(ctx context.Context, partner directory.PartnerID, q directory.CustomerQuery) (directory.CustomerPage, error) {
	most := q.Limit
	if q.Product != "" {
		most = maxExamined
	}
	grants, next, err := s.grants(ctx, partner, q, most)
	if err != nil {
		return directory.CustomerPage{}, err
	}
	page := directory.CustomerPage{Next: next}
	shown := ""
	for batch := range slices.Chunk(grants, maxBatchGet) {
		customers, err := s.customersOf(ctx, partner, batch)
		if err != nil {
			return directory.CustomerPage{}, err
		}
		for _, g := range batch {
			c, exists := customers[g.Account]
			if !exists {
				continue
			}
			c.Products = directory.Visible(c.Products, g.Products)
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

// grants reads at most so many of a partner's grants that the query may show,
// and where to read on: empty where there are no more.
func (s *Store) grants(ctx context.Context, partner directory.PartnerID, q directory.CustomerQuery, most int) (grants []listed, next string, err error) {
	in := query{
		op: "customers of " + string(partner), table: s.tables.Partners, index: "ByName",
		projection: grantListAttributes,
		condition:  "#pk = :pk",
		values:     item{":pk": str(partnerKey(partner))},
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
		account, sortKey := usage.AccountID(r.required("accountId")), r.required("sortKey")
		if r.err != nil {
			return nil, "", badItem("grant", string(partner), r.err)
		}
		g, err := decodeGrant(partner, account, it)
		if err != nil {
			return nil, "", err
		}
		narrowedAway := q.Product != "" && len(g.Products) > 0 && !slices.Contains(g.Products, q.Product)
		if narrowedAway || !q.Search.Finds(g.CustomerName, account) {
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

// customersOf reads the customers of up to maxBatchGet grants in one call, by
// account; those that do not exist are not in it.
func (s *Store) customersOf(ctx context.Context, partner directory.PartnerID, grants []listed) (map[usage.AccountID]directory.Customer, error) {
	keys := make([]item, len(grants))
	for i, g := range grants {
		keys[i] = item{"accountId": str(string(g.Account))}
	}
	items, err := s.getAll(ctx, "customers of "+string(partner), s.tables.Customers, keys, customerAttributes)
	if err != nil {
		return nil, err
	}
	customers := make(map[usage.AccountID]directory.Customer, len(items))
	for _, it := range items {
		c, err := decodeCustomer(it)
		if err != nil {
			return nil, err
		}
		customers[c.Account] = c
	}
	return customers, nil
}
