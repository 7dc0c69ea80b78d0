package dynamo

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/directory"
	"partnerview/internal/masking"
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

// byID is a record's key in the index ById.
func byID(log usage.Log, id usage.RecordID) string { return log.Key() + "#" + string(id) }

var (
	partnerOrGrantAttributes = project("pk", "sk", "status", "products", "gatewayKey")
	accessKeyAttributes      = project("pk", "sk", "partnerId", "hash", "expiresAt", "revokedAt")
	grantListAttributes      = project("pk", "sortKey", "accountId", "name", "products")
	customerAttributes       = project("accountId", "name", "products", "currency", "billingMode", "remainingCredit", "creditLimit", "creditAsOf")
	customerProducts         = project("accountId", "products")
	priceListAttributes      = project("log", "effectiveFrom", "currency", "chargeOn", "scale", "mode", "rates", "revision")
	recordPlaceAttributes    = project("byId", "at", "log")
	recordAttributes         = project("log", "at", "direction", "status", "statusAt", "errorCode", "from", "to", "country", "operator",
		"segments", "durationSeconds", "participants", "participantSeconds", "channel", "category", "recordedAmount", "recordedCurrency", "expiresAt")
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

// decodeRecord reads a record. Numbers are masked again, and an id that tells one
// is not shown, so that what another pipeline wrote unmasked does not pass.
func decodeRecord(log usage.Log, it item) (usage.Record, error) {
	r := reader{item: it}
	place := r.place(log)
	rec := usage.Record{
		Log: log, ID: place.ID, Raw: place.Raw, Timestamp: place.Timestamp,
		Direction: usage.Direction(r.text("direction")),
		Status:    usage.Status(r.text("status")),
		StatusAt:  r.timeOrNil("statusAt"),
		ErrorCode: r.text("errorCode"),
		From:      masking.Mask(r.text("from")),
		To:        masking.Mask(r.text("to")),
		Country:   r.text("country"),
	}
	switch log.Product {
	case usage.SMS:
		rec.Operator, rec.Segments = r.text("operator"), r.number("segments")
	case usage.Voice:
		rec.Operator, rec.DurationSeconds = r.text("operator"), r.number("durationSeconds")
	case usage.Video:
		rec.DurationSeconds, rec.Participants = r.number("durationSeconds"), r.number("participants")
		rec.ParticipantSeconds = r.number("participantSeconds")
	case usage.Messaging:
		rec.Channel, rec.Category = r.text("channel"), r.text("category")
	}
	if amount := r.decimal("recordedAmount"); amount != nil {
		rec.RecordedPrice = &money.Money{Amount: *amount, Currency: money.Currency(r.required("recordedCurrency"))}
	}
	if end := r.number("expiresAt"); end != nil {
		rec.ExpiresAt = time.Unix(*end, 0).UTC()
	}
	if r.err != nil {
		return usage.Record{}, badItem("record of "+log.Text(), usage.FormatTime(place.Timestamp), r.err)
	}
	return rec, nil
}

// place reads where a record stands, as it may be shown.
func (r *reader) place(log usage.Log) usage.Position {
	var numbers masking.Endings
	numbers.Add(r.text("from"))
	numbers.Add(r.text("to"))
	place, err := log.StoredPosition(r.text("at"), numbers)
	if err != nil {
		r.fail("at", err.Error())
	}
	return place
}

func encodeRecord(r usage.Record) item {
	it := item{"log": str(r.Log.Key()), "at": str(r.Position().String()), "byId": str(byID(r.Log, r.ID))}
	putText(it, "direction", string(r.Direction))
	putText(it, "status", string(r.Status))
	if r.StatusAt != nil {
		putTime(it, "statusAt", *r.StatusAt)
	}
	putText(it, "errorCode", r.ErrorCode)
	putText(it, "from", r.From.String())
	putText(it, "to", r.To.String())
	putText(it, "country", r.Country)
	putText(it, "operator", r.Operator)
	putNumber(it, "segments", r.Segments)
	putNumber(it, "durationSeconds", r.DurationSeconds)
	putNumber(it, "participants", r.Participants)
	putNumber(it, "participantSeconds", r.ParticipantSeconds)
	putText(it, "channel", r.Channel)
	putText(it, "category", r.Category)
	if p := r.RecordedPrice; p != nil {
		it["recordedAmount"] = str(money.Text(p.Amount))
		it["recordedCurrency"] = str(string(p.Currency))
	}
	if !r.ExpiresAt.IsZero() {
		it["expiresAt"] = num(r.ExpiresAt.Unix())
	}
	return it
}
