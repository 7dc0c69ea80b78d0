package dynamo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/usage"
)

var partnerListAttributes = project("pk", "sk", "name", "status", "partnerId", "expiresAt", "revokedAt")

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
		case strings.HasPrefix(sk, grantPrefix):
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

// AllGrants reads every grant of every partner, those too whose partner an
// interrupted command has not made yet, in no order. It reads the whole table.
func (s *Store) AllGrants(ctx context.Context) ([]directory.Grant, error) {
	items, err := s.scan(ctx, "all grants", s.tables.Partners, partnerItemAttributes)
	if err != nil {
		return nil, err
	}
	var grants []directory.Grant
	for _, it := range items {
		r := reader{item: it}
		pk, sk := r.text("pk"), r.text("sk")
		if !strings.HasPrefix(sk, grantPrefix) {
			continue
		}
		g, err := decodeGrant(directory.PartnerID(strings.TrimPrefix(pk, partnerPrefix)), usage.AccountID(strings.TrimPrefix(sk, grantPrefix)), it)
		if err != nil {
			return nil, err
		}
		grants = append(grants, g)
	}
	return grants, nil
}
