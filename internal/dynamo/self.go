package dynamo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// What a viewer is told of itself.

var (
	selfAttributes    = project("pk", "sk", "name", "label")
	countedAttributes = project("pk", "sk", "sortKey")
)

// Self reads what a viewer is told of itself. Its own list and its partner's are read side
// by side; where one of the two is too long to count, the other is looked up in it, which
// is a second round trip. NotFound: there is no such partner.
func (s *Store) Self(ctx context.Context, who directory.Identity) (directory.Self, error) {
	var self directory.Self
	var own, ofPartner accountList
	reads := []func() error{
		func() (err error) { self.PartnerName, self.Label, err = s.names(ctx, who); return err },
		func() (err error) { ofPartner, err = s.accountsOn(ctx, who.Partner, ""); return err },
	}
	if who.Narrowed != "" {
		reads = append(reads, func() (err error) {
			own, err = s.accountsOn(ctx, who.Partner, who.Narrowed)
			return err
		})
	}
	if err := sideBySide(reads); err != nil {
		return directory.Self{}, err
	}
	if ofPartner.whole {
		self.PartnerCustomers = new(len(ofPartner.accounts))
	}
	if who.Narrowed == "" {
		self.Customers = self.PartnerCustomers
		return self, nil
	}
	both, known, err := s.onBoth(ctx, who, own, ofPartner)
	if err != nil {
		return directory.Self{}, err
	}
	if known {
		self.Customers = &both
	}
	return self, nil
}

// names reads a partner's name and the label of an access key of that ID, if there is one.
func (s *Store) names(ctx context.Context, who directory.Identity) (partner, label string, err error) {
	op := "names of " + string(who.Partner) + " and " + who.KeyID
	keys := []item{partnerItemKey(who.Partner), accessKeyItemKey(who.KeyID)}
	items, err := s.batchGet(ctx, op, s.tables.Partners, keys, selfAttributes, false)
	if err != nil {
		return "", "", err
	}
	found := false
	for _, it := range items {
		r := reader{item: it}
		if strings.HasPrefix(r.text("pk"), keyPrefix) {
			label = r.text("label")
		} else {
			partner, found = r.text("name"), true
		}
		if r.err != nil {
			return "", "", badItem("name", r.text("pk"), r.err)
		}
	}
	if !found {
		return "", "", fault.New(fault.NotFound, op, nil)
	}
	return partner, label, nil
}

// accountList is the accounts on a list of grants. One that is not whole goes on behind them.
type accountList struct {
	accounts []usage.AccountID
	whole    bool
}

// accountsOn reads the accounts on a list, in one call.
func (s *Store) accountsOn(ctx context.Context, partner directory.PartnerID,
	viewer directory.ViewerID) (accountList, error) {
	out, err := s.query(ctx, query{
		op: "customers of " + string(partner), table: s.tables.Partners, index: "ByName",
		projection: countedAttributes,
		condition:  "#pk = :pk",
		values:     item{":pk": str(holderKey(partner, viewer))},
		limit:      directory.MaxCounted + 1, // one more, to know whether there is one
	})
	if err != nil {
		return accountList{}, err
	}
	grants, err := decodeGrants(out.Items)
	if err != nil {
		return accountList{}, err
	}
	list := accountList{whole: len(grants) <= directory.MaxCounted && len(out.LastEvaluatedKey) == 0}
	for _, g := range grants {
		list.accounts = append(list.accounts, g.Account)
	}
	return list, nil
}

// onBoth counts the customers on a viewer's list that its partner has too. Not known: both
// lists are too long.
func (s *Store) onBoth(ctx context.Context, who directory.Identity, own, ofPartner accountList) (
	count int, known bool, err error) {
	switch {
	case own.whole && ofPartner.whole:
		granted := make(map[usage.AccountID]bool, len(ofPartner.accounts))
		for _, account := range ofPartner.accounts {
			granted[account] = true
		}
		for _, account := range own.accounts {
			if granted[account] {
				count++
			}
		}
	case own.whole:
		count, err = s.countOn(ctx, who.Partner, "", own.accounts)
	case ofPartner.whole:
		count, err = s.countOn(ctx, who.Partner, who.Narrowed, ofPartner.accounts)
	default:
		return 0, false, nil
	}
	return count, err == nil, err
}

// countOn counts the accounts that stand on a list, all looked up at the same time.
func (s *Store) countOn(ctx context.Context, partner directory.PartnerID, viewer directory.ViewerID,
	accounts []usage.AccountID) (int, error) {
	batches := slices.Collect(slices.Chunk(accounts, maxBatchGet))
	found, reads := make([]int, len(batches)), make([]func() error, len(batches))
	for i, batch := range batches {
		keys := make([]item, len(batch))
		for j, account := range batch {
			keys[j] = grantItemKey(directory.Grant{Partner: partner, Viewer: viewer, Account: account})
		}
		reads[i] = func() error {
			items, err := s.batchGet(ctx, "grants of "+string(partner), s.tables.Partners, keys, grantKeyAttributes,
				false)
			found[i] = len(items)
			return err
		}
	}
	err := sideBySide(reads)
	count := 0
	for _, n := range found {
		count += n
	}
	return count, err
}

// sideBySide makes reads at the same time. A panic of one is its error.
func sideBySide(reads []func() error) error {
	errs := make([]error, len(reads))
	var all sync.WaitGroup
	for i, read := range reads {
		all.Go(func() { errs[i] = fault.Caught(read) })
	}
	all.Wait()
	return cmp.Or(errs...)
}
