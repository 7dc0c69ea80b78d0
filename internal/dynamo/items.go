package dynamo

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/directory"
	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// The forms of the keys; doc.go shows each.
const (
	partnerPrefix = "PARTNER#"
	keyPrefix     = "KEY#"
	grantPrefix   = "GRANT#"
	profile       = "PROFILE"
)

func partnerKey(id directory.PartnerID) string { return partnerPrefix + string(id) }
func accessKeyKey(id string) string            { return keyPrefix + id }
func grantKey(account usage.AccountID) string  { return grantPrefix + string(account) }

var (
	partnerOrGrantAttributes = project("pk", "sk", "status", "products", "gatewayKey")
	accessKeyAttributes      = project("pk", "sk", "partnerId", "hash", "expiresAt", "revokedAt")
	grantListAttributes      = project("pk", "sortKey", "accountId", "name", "products")
	customerAttributes       = project("accountId", "name", "products", "currency", "billingMode", "remainingCredit", "creditLimit", "creditAsOf")
	customerProducts         = project("accountId", "products")
	priceListAttributes      = project("log", "effectiveFrom", "currency", "chargeOn", "scale", "mode", "rates", "revision")
)

func decodeAccessKey(id string, it item) (directory.AccessKey, error) {
	r := reader{item: it}
	k := directory.AccessKey{
		ID:        id,
		Partner:   directory.PartnerID(r.required("partnerId")),
		LastFour:  r.text("lastFour"),
		Label:     r.text("label"),
		CreatedAt: r.time("createdAt"),
		ExpiresAt: r.time("expiresAt"),
		RevokedAt: r.time("revokedAt"),
	}
	if copy(k.SecretHash[:], r.bytes("hash")) != len(k.SecretHash) {
		r.fail("hash", "32 bytes")
	}
	if r.err != nil {
		return directory.AccessKey{}, badItem("access key", id, r.err)
	}
	return k, nil
}

func encodeAccessKey(k directory.AccessKey) item {
	it := item{
		"pk": str(accessKeyKey(k.ID)), "sk": str(profile),
		"partnerId": str(string(k.Partner)),
		"hash":      &types.AttributeValueMemberB{Value: k.SecretHash[:]},
	}
	putText(it, "lastFour", k.LastFour)
	putText(it, "label", k.Label)
	putTime(it, "createdAt", k.CreatedAt)
	putTime(it, "expiresAt", k.ExpiresAt)
	putTime(it, "revokedAt", k.RevokedAt)
	return it
}

func decodePartner(id directory.PartnerID, it item) (directory.Partner, error) {
	r := reader{item: it}
	p := directory.Partner{
		ID: id, Name: r.text("name"), Status: directory.PartnerStatus(r.required("status")),
		GatewayKey: directory.GatewayKey{ID: r.text("gatewayKeyId"), Value: directory.Secret(r.text("gatewayKey"))},
	}
	if r.err != nil {
		return directory.Partner{}, badItem("partner", string(id), r.err)
	}
	return p, nil
}

func partnerItemKey(id directory.PartnerID) item {
	return item{"pk": str(partnerKey(id)), "sk": str(profile)}
}

func decodeGrant(partner directory.PartnerID, account usage.AccountID, it item) (directory.Grant, error) {
	r := reader{item: it}
	g := directory.Grant{Partner: partner, Account: account, Products: r.products("products"), CustomerName: r.text("name")}
	if _, listed := it["products"]; listed && len(g.Products) == 0 {
		r.fail("products", "a list of at least one product") // read as "all", it would widen the grant
	}
	if r.err != nil {
		return directory.Grant{}, badItem("grant", string(partner)+"/"+string(account), r.err)
	}
	return g, nil
}

func encodeGrant(g directory.Grant) item {
	it := item{
		"pk": str(partnerKey(g.Partner)), "sk": str(grantKey(g.Account)),
		"accountId": str(string(g.Account)), "name": str(g.CustomerName),
		"sortKey": str(directory.SortKey(g.CustomerName, g.Account)),
	}
	putWords(it, "products", g.Products)
	return it
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
		SubAccounts: r.words("subAccounts"),
	}
	if r.err != nil {
		return directory.Customer{}, badItem("customer", string(c.Account), r.err)
	}
	return c, nil
}

func encodeCustomer(c directory.Customer) item {
	it := item{"accountId": str(string(c.Account)), "name": str(c.Name), "currency": str(string(c.Currency)), "billingMode": str(string(c.Credit.Mode))}
	putWords(it, "products", c.Products)
	putWords(it, "subAccounts", c.SubAccounts)
	putDecimal(it, "remainingCredit", c.Credit.Remaining)
	putDecimal(it, "creditLimit", c.Credit.Limit)
	if c.Credit.AsOf != nil {
		putTime(it, "creditAsOf", *c.Credit.AsOf)
	}
	return it
}
