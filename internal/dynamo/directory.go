package dynamo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// Partners, their people, and the grants of both. What the operator's commands read is
// consistent: a command sees what the one before it wrote.

const (
	partnerPrefix = "PARTNER#"
	viewerPrefix  = "VIEWER#"
	grantPrefix   = "GRANT#"
	profile       = "PROFILE"
)

func partnerKey(id directory.PartnerID) string { return partnerPrefix + string(id) }

// holderKey is the partition of the grants of a partner or, unless that is empty, of one of
// its viewers.
func holderKey(partner directory.PartnerID, viewer directory.ViewerID) string {
	if viewer == "" {
		return partnerKey(partner)
	}
	return viewerPrefix + string(partner) + "#" + string(viewer)
}

// parseHolderKey takes apart what holderKey made; ok: it is such a key.
func parseHolderKey(pk string) (partner directory.PartnerID, viewer directory.ViewerID, ok bool) {
	if id, isPartner := strings.CutPrefix(pk, partnerPrefix); isPartner {
		return directory.PartnerID(id), "", true
	}
	rest, isViewer := strings.CutPrefix(pk, viewerPrefix)
	id, of, whole := strings.Cut(rest, "#")
	return directory.PartnerID(id), directory.ViewerID(of), isViewer && whole && of != ""
}

func partnerItemKey(id directory.PartnerID) item {
	return item{"pk": str(partnerKey(id)), "sk": str(profile)}
}

func grantItemKey(g directory.Grant) item {
	return item{"pk": str(holderKey(g.Partner, g.Viewer)), "sk": str(grantPrefix + string(g.Account))}
}

var (
	standingAttributes    = project("pk", "sk", "status", "products", "gatewayKey") // for a decision
	partnerItemAttributes = project("pk", "sk", "name", "status", "gatewayKeyId", "accountId", "products")
	partnerListAttributes = project("pk", "sk", "name", "status", "partnerId", "expiresAt", "revokedAt")
	grantAttributes       = project("pk", "sk", "name", "products")
	grantKeyAttributes    = project("pk", "sk")
)

// Standing reads what a decision is made of, in one call: a partner's status and the
// value of its gateway key, and its grant of one account; of a viewer its entry's status,
// and its own grant. The grants are nil where there are none, and where account is
// empty; an empty viewer has nothing. NotFound: there is no such partner.
func (s *Store) Standing(ctx context.Context, partner directory.PartnerID, viewer directory.ViewerID,
	account usage.AccountID) (directory.Standing, error) {
	op := "partner " + string(partner)
	keys := []item{partnerItemKey(partner)}
	if viewer != "" {
		keys = append(keys, viewerItemKey(partner, viewer))
	}
	if account != "" {
		keys = append(keys, grantItemKey(directory.Grant{Partner: partner, Account: account}))
		if viewer != "" {
			keys = append(keys, grantItemKey(directory.Grant{Partner: partner, Viewer: viewer, Account: account}))
		}
	}
	items, err := s.batchGet(ctx, op, s.tables.Partners, keys, standingAttributes, false)
	if err != nil {
		return directory.Standing{}, err
	}
	var stands directory.Standing
	var ofPartner []item
	for _, it := range items {
		r := reader{item: it}
		_, of, _ := parseHolderKey(r.text("pk"))
		switch {
		case of == "":
			ofPartner = append(ofPartner, it)
		case r.text("sk") == profile:
			if stands.Person, err = decodePersonState(it); err != nil {
				return directory.Standing{}, err
			}
		default:
			own, err := decodeGrant(it)
			if err != nil {
				return directory.Standing{}, err
			}
			stands.Own = &own
		}
	}
	var grants []directory.Grant
	if stands.Partner, grants, err = decodePartnerWithGrants(op, partner, ofPartner); err != nil {
		return directory.Standing{}, err
	}
	if len(grants) > 0 {
		stands.Grant = &grants[0]
	}
	return stands, nil
}

// Partner reads a partner, but for the value of its gateway key. NotFound: there
// is none.
func (s *Store) Partner(ctx context.Context, id directory.PartnerID) (directory.Partner, error) {
	it, err := s.getConsistent(ctx, "partner "+string(id), s.tables.Partners, partnerItemKey(id), partnerItemAttributes)
	if err != nil {
		return directory.Partner{}, err
	}
	return decodePartner(id, it)
}

// PartnerWithGrants reads a partner and all its grants, in the order of account
// IDs. NotFound: there is no such partner; the grants are then those that an
// interrupted command may have left under its ID.
func (s *Store) PartnerWithGrants(ctx context.Context,
	id directory.PartnerID) (directory.Partner, []directory.Grant, error) {
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
	return decodePartnerWithGrants(op, id, items)
}

// decodePartnerWithGrants reads items of one partner. NotFound: it is not among them
// itself; the grants may be.
func decodePartnerWithGrants(op string, id directory.PartnerID,
	items []item) (partner directory.Partner, grants []directory.Grant, err error) {
	found := false
	for _, it := range items {
		r := reader{item: it}
		switch sk := r.text("sk"); {
		case sk == profile:
			found = true
			if partner, err = decodePartner(id, it); err != nil {
				return directory.Partner{}, nil, err
			}
		case strings.HasPrefix(sk, grantPrefix):
			g, err := decodeGrant(it)
			if err != nil {
				return directory.Partner{}, nil, err
			}
			grants = append(grants, g)
		}
	}
	if !found {
		return directory.Partner{}, grants, fault.New(fault.NotFound, op, nil)
	}
	return partner, grants, nil
}

// GrantsOf reads a viewer's list, in the order of account IDs.
func (s *Store) GrantsOf(ctx context.Context, partner directory.PartnerID,
	viewer directory.ViewerID) ([]directory.Grant, error) {
	op := "list of " + string(viewer)
	items, err := s.queryAll(ctx, query{
		op: op, table: s.tables.Partners,
		projection: grantAttributes,
		condition:  "#pk = :pk AND begins_with(#sk, :grant)",
		values:     item{":pk": str(holderKey(partner, viewer)), ":grant": str(grantPrefix)},
		consistent: true,
	})
	if err != nil {
		return nil, err
	}
	return decodeGrants(items)
}

// ListsWith tells whose lists an account is on, partners' and viewers', by grants that have
// nothing else. One that was written within the last second may be missing: an index follows
// its table.
func (s *Store) ListsWith(ctx context.Context, account usage.AccountID) ([]directory.Grant, error) {
	items, err := s.queryAll(ctx, query{
		op: "lists with " + string(account), table: s.tables.Partners, index: "ByAccount",
		projection: grantKeyAttributes,
		condition:  "accountId = :account",
		values:     item{":account": str(string(account))},
	})
	if err != nil {
		return nil, err
	}
	grants := make([]directory.Grant, len(items))
	for i, it := range items {
		r := reader{item: it}
		partner, viewer, isList := parseHolderKey(r.required("pk"))
		if !isList {
			r.fail("pk", "the key of a partner or a viewer")
		}
		if r.err != nil {
			return nil, badItem("grant of", string(account), r.err)
		}
		grants[i] = directory.Grant{Partner: partner, Viewer: viewer, Account: account}
	}
	return grants, nil
}

// AllPartners reads every partner, by ID. It reads the whole table.
func (s *Store) AllPartners(ctx context.Context, now time.Time) ([]directory.PartnerSummary, error) {
	items, err := s.scan(ctx, "all partners", s.tables.Partners, partnerListAttributes)
	if err != nil {
		return nil, err
	}
	var partners []directory.PartnerSummary
	customers, keys := make(map[directory.PartnerID]int), make(map[directory.PartnerID]int)
	for _, it := range items {
		r := reader{item: it}
		pk, sk := r.text("pk"), r.text("sk")
		id := directory.PartnerID(strings.TrimPrefix(pk, partnerPrefix))
		switch {
		case strings.HasPrefix(pk, keyPrefix) && sk == profile:
			end := r.time("expiresAt")
			if r.text("revokedAt") == "" && (end.IsZero() || now.Before(end)) {
				keys[directory.PartnerID(r.text("partnerId"))]++
			}
		case strings.HasPrefix(pk, partnerPrefix) && strings.HasPrefix(sk, grantPrefix):
			customers[id]++
		case strings.HasPrefix(pk, partnerPrefix) && sk == profile:
			p, err := decodePartner(id, it)
			if err != nil {
				return nil, err
			}
			partners = append(partners, directory.PartnerSummary{Partner: p})
		}
		if r.err != nil {
			return nil, badItem("partner table", pk, r.err)
		}
	}
	for i, p := range partners {
		partners[i].Customers, partners[i].ActiveKeys = customers[p.ID], keys[p.ID]
	}
	slices.SortFunc(partners, func(a, b directory.PartnerSummary) int { return cmp.Compare(a.ID, b.ID) })
	return partners, nil
}

// AllGrants reads every grant of every partner and viewer, those too whose partner or
// viewer an interrupted command has not made yet, in no order. It reads the whole table.
func (s *Store) AllGrants(ctx context.Context) ([]directory.Grant, error) {
	items, err := s.scan(ctx, "all grants", s.tables.Partners, partnerItemAttributes)
	if err != nil {
		return nil, err
	}
	return decodeGrants(slices.DeleteFunc(items, func(it item) bool {
		r := reader{item: it}
		return !strings.HasPrefix(r.text("sk"), grantPrefix)
	}))
}

// PutPartner writes a partner's name and status, and makes it where there is
// none. Its grants, its access keys and its gateway key stay.
func (s *Store) PutPartner(ctx context.Context, p directory.Partner) error {
	_, err := s.update(ctx, "write partner "+string(p.ID), &dynamodb.UpdateItemInput{
		TableName: &s.tables.Partners, Key: partnerItemKey(p.ID),
		UpdateExpression:          aws.String("SET #name = :name, #status = :status"),
		ExpressionAttributeNames:  map[string]string{"#name": "name", "#status": "status"},
		ExpressionAttributeValues: item{":name": str(p.Name), ":status": str(string(p.Status))},
	})
	return err
}

// PutGatewayKey keeps a partner's gateway key in place of the one before.
// NotFound: there is no such partner.
func (s *Store) PutGatewayKey(ctx context.Context, partner directory.PartnerID, key directory.GatewayKey) error {
	return s.updateExisting(ctx, "write gateway key of "+string(partner), partnerItemKey(partner),
		"SET gatewayKeyId = :id, gatewayKey = :value", nil, item{":id": str(key.ID), ":value": str(key.Value.Reveal())})
}

// DeleteGatewayKey forgets a partner's gateway key. It is no error if it has
// none. NotFound: there is no such partner.
func (s *Store) DeleteGatewayKey(ctx context.Context, partner directory.PartnerID) error {
	return s.updateExisting(ctx, "delete gateway key of "+string(partner), partnerItemKey(partner),
		"REMOVE gatewayKeyId, gatewayKey", nil, nil)
}

// RenameGrant changes a grant's copy of its customer's name, and with it where it
// stands in its list. What is granted stays as it is; a grant that does not exist is
// not made.
func (s *Store) RenameGrant(ctx context.Context, g directory.Grant, name string) error {
	err := s.updateExisting(ctx, "rename grant "+grantName(g), grantItemKey(g),
		"SET #name = :name, sortKey = :sortKey", map[string]string{"#name": "name"},
		item{":name": str(name), ":sortKey": str(directory.SortKey(name, g.Account))})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// updateExisting changes an item of the partners' table. NotFound: there is none.
func (s *Store) updateExisting(ctx context.Context, op string, key item, update string, names map[string]string,
	values item) error {
	_, err := s.update(ctx, op, &dynamodb.UpdateItemInput{
		TableName: &s.tables.Partners, Key: key,
		UpdateExpression:          &update,
		ConditionExpression:       aws.String("attribute_exists(pk)"),
		ExpressionAttributeNames:  names,
		ExpressionAttributeValues: values,
	})
	if isConditionFailed(err) {
		return fault.New(fault.NotFound, op, nil)
	}
	return err
}

// PutGrant writes a grant in place of the one of that account on the same list.
func (s *Store) PutGrant(ctx context.Context, g directory.Grant) error {
	return s.put(ctx, "write grant "+grantName(g), s.tables.Partners, encodeGrant(g))
}

// DeleteGrant takes a grant off its list. It is no error if there is none.
func (s *Store) DeleteGrant(ctx context.Context, g directory.Grant) error {
	return s.deleteItem(ctx, "delete grant "+grantName(g), s.tables.Partners, grantItemKey(g))
}

// grantName tells of a grant in an error: "northwind/acme_retail".
func grantName(g directory.Grant) string {
	return strings.TrimPrefix(holderKey(g.Partner, g.Viewer), partnerPrefix) + "/" + string(g.Account)
}

// DeletePartner deletes a partner, and nothing that belongs to it. It is no error
// if there is none.
func (s *Store) DeletePartner(ctx context.Context, id directory.PartnerID) error {
	return s.deleteItem(ctx, "delete partner "+string(id), s.tables.Partners, partnerItemKey(id))
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

func decodeGrants(items []item) ([]directory.Grant, error) {
	grants := make([]directory.Grant, len(items))
	for i, it := range items {
		var err error
		if grants[i], err = decodeGrant(it); err != nil {
			return nil, err
		}
	}
	return grants, nil
}

func decodeGrant(it item) (directory.Grant, error) {
	r := reader{item: it}
	partner, viewer, isList := parseHolderKey(r.required("pk"))
	account, isGrant := strings.CutPrefix(r.required("sk"), grantPrefix)
	if !isList || !isGrant {
		r.fail("pk", "the key of a grant")
	}
	g := directory.Grant{Partner: partner, Viewer: viewer, Account: usage.AccountID(account),
		Products: r.products("products"), CustomerName: r.text("name")}
	if _, listed := it["products"]; listed && len(g.Products) == 0 {
		r.fail("products", "a list of at least one product") // read as "all", it would widen the grant
	}
	if r.err != nil {
		return directory.Grant{}, badItem("grant", grantName(g), r.err)
	}
	return g, nil
}

func encodeGrant(g directory.Grant) item {
	it := grantItemKey(g)
	it["accountId"], it["name"] = str(string(g.Account)), str(g.CustomerName)
	it["sortKey"] = str(directory.SortKey(g.CustomerName, g.Account))
	putWords(it, "products", g.Products)
	return it
}
