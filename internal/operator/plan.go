package operator

import (
	"context"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/usage"
)

// Plan is what has to be written so that the tables say what a directory file
// says. The zero Plan changes nothing.
type Plan struct {
	Changes []Change // in the order of customers, partners with their grants, price lists; each in that of the file
	// Corrections tell which prices of the past the Changes touch.
	Corrections []Correction

	// Progress is told now and then how many records a plan that deletes usage has
	// deleted so far; nil: nobody wants to know.
	Progress func(deleted int)

	steps [steps][]write
	lists map[usage.Log]listChange // of the logs whose price lists change
	usage *Selection               // records that are deleted; nil: none
}

func (p Plan) tell(deleted int) {
	if p.Progress != nil {
		p.Progress(deleted)
	}
}

// write writes one thing. It may be repeated.
type write func(context.Context, *dynamo.Store) error

// The steps of a plan, one after the other. No partner ever sees more than the
// old or the new file gives it: first everything is taken away that the new one
// does not give, so that what is left is in both; only then the new is given. A
// customer is written before the grants that name it, and the copies of its name
// before the customer, so that an interrupted rename is seen as not yet done. A
// partner's keys are revoked before anything of it is deleted, and what is deleted
// as a whole goes last, so that an interrupted deletion is seen as not yet done.
const (
	stepRevoke = iota
	stepNarrow
	stepRename
	stepCustomers
	stepPriceLists
	stepWiden
	stepDelete // what belongs to what is deleted; usage before it
	stepDeleteLast
	steps
)

// writesAtOnce is how many writes of one step are under way at the same time.
const writesAtOnce = 16

// Apply carries a plan out. Interrupted anywhere, it leaves each partner with no
// more than the old or the new file gives; a new plan of the same file has the
// rest.
func (o *Operator) Apply(ctx context.Context, p Plan) error {
	for step, writes := range p.steps {
		if step == stepDelete && p.usage != nil {
			if _, err := o.DeleteRecords(ctx, *p.usage, p.tell); err != nil {
				return err
			}
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(writesAtOnce)
		for _, write := range writes {
			group.Go(func() error {
				ctx, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				return write(ctx, o.store)
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// Action is what happens to a thing.
type Action string

const (
	Add    Action = "add"
	Alter  Action = "change"
	Remove Action = "remove"
)

// Kind is what a change is about.
type Kind string

const (
	PartnerKind   Kind = "partner"
	GrantKind     Kind = "grant"
	CustomerKind  Kind = "customer"
	PriceListKind Kind = "priceList"
	KeyKind       Kind = "key"
	UsageKind     Kind = "usage"
)

// Change is one thing that a plan adds, changes or removes. Of the ids those are
// set that name a thing of its kind.
type Change struct {
	Kind          Kind                `json:"kind"`
	Action        Action              `json:"action"`
	PartnerID     directory.PartnerID `json:"partnerId,omitempty"`
	AccountID     usage.AccountID     `json:"accountId,omitempty"`
	Product       usage.Product       `json:"product,omitempty"`
	EffectiveFrom string              `json:"effectiveFrom,omitempty"` // in usage.TimeLayout
	KeyID         string              `json:"keyId,omitempty"`
	Records       int                 `json:"records,omitempty"` // of usage
	// Fields are what changes in it. Those of a price list, whose rates may be
	// thousands, are not told.
	Fields []FieldChange `json:"fields,omitempty"`
}

// FieldChange is a field's value before and after, as text; empty is none.
type FieldChange struct {
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// changed leaves of a thing's fields those that change.
func changed(fields ...FieldChange) []FieldChange {
	var out []FieldChange
	for _, f := range fields {
		if f.From != f.To {
			out = append(out, f)
		}
	}
	return out
}
