package dynamo

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// What the operator's commands read and write of partners, grants and
// customers. Their reads are consistent: a command sees what the one before it
// wrote.

var (
	partnerItemAttributes = project("pk", "sk", "name", "status", "gatewayKeyId", "accountId", "products")
	grantKeyAttributes    = project("pk", "sk")
	allOfCustomer         = project("accountId", "name", "products", "currency", "billingMode", "remainingCredit", "creditLimit", "creditAsOf", "subAccounts")
)

// PutPartner writes a partner's name and status, and makes it where there is
// none. Its grants, its access keys and its gateway key stay.
func (s *Store) PutPartner(ctx context.Context, p directory.Partner) error {
	return s.update(ctx, "write partner "+string(p.ID), &dynamodb.UpdateItemInput{
		TableName: &s.tables.Partners, Key: partnerItemKey(p.ID),
		UpdateExpression:          aws.String("SET #name = :name, #status = :status"),
		ExpressionAttributeNames:  map[string]string{"#name": "name", "#status": "status"},
		ExpressionAttributeValues: item{":name": str(p.Name), ":status": str(string(p.Status))},
	})
}

// PutGatewayKey keeps a partner's gateway key in place of the one before.
// NotFound: there is no such partner.
func (s *Store) PutGatewayKey(ctx context.Context, partner directory.PartnerID, key directory.GatewayKey) error {
	return s.update(ctx, "write gateway key of "+string(partner), &dynamodb.UpdateItemInput{
		TableName: &s.tables.Partners, Key: partnerItemKey(partner),
		UpdateExpression:          aws.String("SET gatewayKeyId = :id, gatewayKey = :value"),
		ConditionExpression:       aws.String("attribute_exists(pk)"),
		ExpressionAttributeValues: item{":id": str(key.ID), ":value": str(key.Value.Reveal())},
	})
}

// DeleteGatewayKey forgets a partner's gateway key. It is no error if it has
// none. NotFound: there is no such partner.
func (s *Store) DeleteGatewayKey(ctx context.Context, partner directory.PartnerID) error {
	return s.update(ctx, "delete gateway key of "+string(partner), &dynamodb.UpdateItemInput{
		TableName: &s.tables.Partners, Key: partnerItemKey(partner),
		UpdateExpression:    aws.String("REMOVE gatewayKeyId, gatewayKey"),
		ConditionExpression: aws.String("attribute_exists(pk)"),
	})
}

// PutGrant writes a grant in place of the partner's grant of that account.
func (s *Store) PutGrant(ctx context.Context, g directory.Grant) error {
	return s.put(ctx, "write grant "+string(g.Partner)+"/"+string(g.Account), s.tables.Partners, encodeGrant(g))
}

// DeleteGrant takes a grant away. It is no error if there is none.
func (s *Store) DeleteGrant(ctx context.Context, partner directory.PartnerID, account usage.AccountID) error {
	return s.deleteItem(ctx, "delete grant "+string(partner)+"/"+string(account), s.tables.Partners, grantItemKey(partner, account))
}

// DeletePartner deletes a partner, and nothing that belongs to it. It is no error
// if there is none.
func (s *Store) DeletePartner(ctx context.Context, id directory.PartnerID) error {
	return s.deleteItem(ctx, "delete partner "+string(id), s.tables.Partners, partnerItemKey(id))
}

// DeleteCustomer deletes a customer, and nothing that belongs to it. It is no
// error if there is none.
func (s *Store) DeleteCustomer(ctx context.Context, account usage.AccountID) error {
	return s.deleteItem(ctx, "delete customer "+string(account), s.tables.Customers, item{"accountId": str(string(account))})
}

// RenameGrant changes a grant's copy of its customer's name, and with it its
// place in the partner's list. What is granted stays as it is; a grant that does
// not exist is not made.
func (s *Store) RenameGrant(ctx context.Context, partner directory.PartnerID, account usage.AccountID, name string) error {
	err := s.update(ctx, "rename grant "+string(partner)+"/"+string(account), &dynamodb.UpdateItemInput{
		TableName: &s.tables.Partners, Key: grantItemKey(partner, account),
		UpdateExpression:          aws.String("SET #name = :name, #sortKey = :sortKey"),
		ConditionExpression:       aws.String("attribute_exists(#pk)"),
		ExpressionAttributeNames:  map[string]string{"#name": "name", "#sortKey": "sortKey", "#pk": "pk"},
		ExpressionAttributeValues: item{":name": str(name), ":sortKey": str(directory.SortKey(name, account))},
	})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

func grantItemKey(partner directory.PartnerID, account usage.AccountID) item {
	return item{"pk": str(partnerKey(partner)), "sk": str(grantKey(account))}
}

// Partner reads a partner, but for the value of its gateway key. NotFound: there
// is none.
func (s *Store) Partner(ctx context.Context, id directory.PartnerID) (directory.Partner, error) {
	op := "partner " + string(id)
	items, err := s.batchGet(ctx, op, s.tables.Partners, types.KeysAndAttributes{
		Keys:                 []item{partnerItemKey(id)},
		ConsistentRead:       aws.Bool(true),
		ProjectionExpression: &partnerItemAttributes.expression, ExpressionAttributeNames: partnerItemAttributes.names,
	})
	if err != nil {
		return directory.Partner{}, err
	}
	if len(items) == 0 {
		return directory.Partner{}, fault.New(fault.NotFound, op, nil)
	}
	return decodePartner(id, items[0])
}

// PartnerWithGrants reads a partner and all its grants, in the order of account
// IDs. NotFound: there is no such partner; the grants are then those that an
// interrupted command may have left under its ID.
func (s *Store) PartnerWithGrants(ctx context.Context, id directory.PartnerID) (directory.Partner, []directory.Grant, error) {
	op := "partner " + string(id)
	items, err := s.queryAll(ctx, query{
		op: op, table: s.tables.Partners,
		projection: partnerItemAttributes,
		condition:  "#pk = :pk",
		values:     item{":pk": str(partnerKey(id))},
		consistent: true,
	})
	if err != nil {
		return directory.Partner{}, nil, err
	}
	var partner *directory.Partner
	var grants []directory.Grant
	for _, it := range items {
		r := reader{item: it}
		switch sk := r.text("sk"); {
		case sk == profile:
			p, err := decodePartner(id, it)
			if err != nil {
				return directory.Partner{}, nil, err
			}
			partner = &p
		case strings.HasPrefix(sk, grantPrefix):
			g, err := decodeGrant(id, usage.AccountID(strings.TrimPrefix(sk, grantPrefix)), it)
			if err != nil {
				return directory.Partner{}, nil, err
			}
			grants = append(grants, g)
		}
	}
	if partner == nil {
		return directory.Partner{}, grants, fault.New(fault.NotFound, op, nil)
	}
	return *partner, grants, nil
}

// PartnersGranted lists the partners that are granted an account. A grant that
// was written within the last second may be missing: an index follows its table.
func (s *Store) PartnersGranted(ctx context.Context, account usage.AccountID) ([]directory.PartnerID, error) {
	items, err := s.queryAll(ctx, query{
		op: "partners of " + string(account), table: s.tables.Partners, index: "ByAccount",
		projection: grantKeyAttributes,
		condition:  "accountId = :account",
		values:     item{":account": str(string(account))},
	})
	if err != nil {
		return nil, err
	}
	partners := make([]directory.PartnerID, len(items))
	for i, it := range items {
		r := reader{item: it}
		partners[i] = directory.PartnerID(strings.TrimPrefix(r.required("pk"), partnerPrefix))
		if r.err != nil {
			return nil, badItem("grant of", string(account), r.err)
		}
	}
	return partners, nil
}

// PutCustomer writes a customer in place of the one that has its account ID.
func (s *Store) PutCustomer(ctx context.Context, c directory.Customer) error {
	return s.put(ctx, "write customer "+string(c.Account), s.tables.Customers, encodeCustomer(c))
}

// CustomerInFull reads a customer with its sub-accounts. NotFound: there is none.
func (s *Store) CustomerInFull(ctx context.Context, account usage.AccountID) (directory.Customer, error) {
	op := "customer " + string(account)
	items, err := s.batchGet(ctx, op, s.tables.Customers, types.KeysAndAttributes{
		Keys: []item{{"accountId": str(string(account))}}, ConsistentRead: aws.Bool(true),
		ProjectionExpression: &allOfCustomer.expression, ExpressionAttributeNames: allOfCustomer.names,
	})
	if err != nil {
		return directory.Customer{}, err
	}
	if len(items) == 0 {
		return directory.Customer{}, fault.New(fault.NotFound, op, nil)
	}
	return decodeCustomer(items[0])
}

// AllCustomers reads every customer, with its sub-accounts, in no order. It
// reads the whole table.
func (s *Store) AllCustomers(ctx context.Context) ([]directory.Customer, error) {
	items, err := s.scan(ctx, "all customers", s.tables.Customers, allOfCustomer)
	if err != nil {
		return nil, err
	}
	customers := make([]directory.Customer, len(items))
	for i, it := range items {
		if customers[i], err = decodeCustomer(it); err != nil {
			return nil, err
		}
	}
	return customers, nil
}
