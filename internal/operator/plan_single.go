package operator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

// The commands that change one thing are directory files of one entry: they
// plan, show and write as [Operator.Plan] and [Operator.Apply] do, and keep the
// same promises.

// PlanGrant finds what it takes that a partner sees a customer: of its products
// those that are given, or all if none are. A grant that is there becomes this
// one. Refusal: there is no such partner or customer.
func (o *Operator) PlanGrant(ctx context.Context, partner directory.PartnerID, account usage.AccountID, products []usage.Product) (Plan, error) {
	return o.planGrants(ctx, partner, []usage.AccountID{account}, func(grants []importer.Grant) []importer.Grant {
		return append(grants, importer.Grant{Line: line, Account: account, Products: products})
	})
}

// PlanWithoutGrants finds what it takes that a partner sees some customers no
// longer. One that it does not see changes nothing. Refusal: there is no such
// partner or customer.
func (o *Operator) PlanWithoutGrants(ctx context.Context, partner directory.PartnerID, accounts []usage.AccountID) (Plan, error) {
	return o.planGrants(ctx, partner, accounts, func(grants []importer.Grant) []importer.Grant { return grants })
}

// line is where the entry of such a file stands: a key without a line would be
// one that is left out.
const line = 1

const commandLineName = "the command line"

// planGrants plans a partner's grants: those that are stored, without those of
// some accounts, with what is added. The list is made of the same reading that
// it is then compared with: a grant that another command takes away meanwhile is
// not given again.
func (o *Operator) planGrants(ctx context.Context, partner directory.PartnerID, accounts []usage.AccountID, amend func([]importer.Grant) []importer.Grant) (Plan, error) {
	file := importer.Directory{File: commandLineName, Partners: []importer.Partner{{Line: line, ID: partner}}}
	return o.plan(ctx, &planner{file: file, needsCustomers: true}, func(p *planner) error {
		stored := p.partners[partner]
		if !stored.exists {
			return unknownPartner(partner)
		}
		var grants []importer.Grant
		for _, account := range slices.Sorted(maps.Keys(stored.grants)) {
			g := stored.grants[account]
			if _, exists := p.customers[account]; slices.Contains(accounts, account) {
				continue
			} else if !exists {
				delete(stored.grants, account) // a grant of nobody: it stays as it is
				continue
			}
			grants = append(grants, importer.Grant{Line: line, Account: account, Products: g.Products})
		}
		for _, account := range accounts {
			_, granted := stored.grants[account]
			if _, exists := p.customers[account]; !exists && !granted {
				return unknownCustomer(account)
			}
		}
		p.file.Partners[0].Grants = importer.Field[[]importer.Grant]{Line: line, Value: amend(grants)}
		return nil
	})
}

// PlanStatus finds what it takes that a partner is active or suspended. Refusal:
// there is no such partner.
func (o *Operator) PlanStatus(ctx context.Context, partner directory.PartnerID, status directory.PartnerStatus) (Plan, error) {
	file := importer.Directory{File: commandLineName, Partners: []importer.Partner{{
		Line: line, ID: partner, Status: importer.Field[directory.PartnerStatus]{Line: line, Value: status},
	}}}
	return o.plan(ctx, &planner{file: file}, func(p *planner) error {
		if !p.partners[partner].exists {
			return unknownPartner(partner)
		}
		return nil
	})
}

// NewCredit is what a customer has left at a time.
type NewCredit struct {
	Remaining *decimal.Decimal                 // nil: it is not known any more
	Limit     importer.Field[*decimal.Decimal] // left out: as it was
	AsOf      time.Time
}

// PlanCredit finds what it takes that a customer's credit is another. Refusal:
// there is no such customer, or a newer credit is stored.
func (o *Operator) PlanCredit(ctx context.Context, account usage.AccountID, credit NewCredit) (Plan, error) {
	asOf := credit.AsOf.UTC().Truncate(time.Millisecond)
	file := importer.Directory{File: commandLineName, Customers: []importer.Customer{{
		Line: line, Account: account,
		RemainingCredit: importer.Field[*decimal.Decimal]{Line: line, Value: credit.Remaining},
		CreditLimit:     credit.Limit,
		CreditAsOf:      importer.Field[*time.Time]{Line: line, Value: &asOf},
	}}}
	return o.plan(ctx, &planner{file: file}, func(p *planner) error {
		stored, exists := p.customers[account]
		switch {
		case !exists:
			return unknownCustomer(account)
		case importer.IsAhead(asOf, p.now):
			return Refusal(fmt.Sprintf("%s lies in the future: no true credit could replace it until then", usage.FormatTime(asOf)))
		case stored.Credit.AsOf != nil && asOf.Before(*stored.Credit.AsOf):
			return Refusal(fmt.Sprintf("the credit of %s is stored as of %s, which is newer than %s: an older one does not replace it",
				account, usage.FormatTime(*stored.Credit.AsOf), usage.FormatTime(asOf)))
		}
		return nil
	})
}

func unknownPartner(id directory.PartnerID) error {
	return Refusal(fmt.Sprintf("there is no partner %q: name it in a directory file and load that with partnerctl apply", id))
}

func unknownCustomer(account usage.AccountID) error {
	return Refusal(fmt.Sprintf("there is no customer %q: name it in a directory file and load that with partnerctl apply", account))
}
