package dynamo

import (
	"context"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// AccessKey reads what is kept of an access key, one read. NotFound: there is no
// key of that id.
func (s *Store) AccessKey(ctx context.Context, id string) (directory.AccessKey, error) {
	op := "access key " + id
	it, err := s.get(ctx, op, s.tables.Partners, item{"pk": str(accessKeyKey(id)), "sk": str(profile)}, accessKeyAttributes)
	if err != nil {
		return directory.AccessKey{}, err
	}
	if it == nil {
		return directory.AccessKey{}, fault.New(fault.NotFound, op, nil)
	}
	return decodeAccessKey(id, it)
}

// PartnerAndGrant reads a partner's status and the value of its gateway key, and
// its grant of one account, in one call; the name of the partner is not read. The grant is nil where there is
// none, and where account is empty. NotFound: there is no such partner.
func (s *Store) PartnerAndGrant(ctx context.Context, id directory.PartnerID, account usage.AccountID) (directory.Partner, *directory.Grant, error) {
	op := "partner " + string(id)
	pk := str(partnerKey(id))
	keys := []item{{"pk": pk, "sk": str(profile)}}
	if account != "" {
		keys = append(keys, item{"pk": pk, "sk": str(grantKey(account))})
	}
	items, err := s.getAll(ctx, op, s.tables.Partners, keys, partnerOrGrantAttributes)
	if err != nil {
		return directory.Partner{}, nil, err
	}
	var partner *directory.Partner
	var grant *directory.Grant
	for _, it := range items {
		r := reader{item: it}
		if sk := r.text("sk"); sk == profile {
			p, err := decodePartner(id, it)
			if err != nil {
				return directory.Partner{}, nil, err
			}
			partner = &p
		} else if account != "" && sk == grantKey(account) {
			g, err := decodeGrant(id, account, it)
			if err != nil {
				return directory.Partner{}, nil, err
			}
			grant = &g
		}
	}
	if partner == nil {
		return directory.Partner{}, nil, fault.New(fault.NotFound, op, nil)
	}
	return *partner, grant, nil
}
