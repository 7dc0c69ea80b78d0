package operator

import (
	"context"
	"fmt"
	"slices"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
)

// Gateway is what knows the usage plans of a stack, and which partner's key is in
// which: API Gateway's control plane. A partner's key is in one plan at most;
// API Gateway refuses a second one of the same stage.
type Gateway interface {
	// FindKey finds a partner's key: by its id, or, where that is empty or finds
	// nothing, by the name that MakeKey gave it. NotFound: there is none.
	FindKey(ctx context.Context, partner directory.PartnerID, id string) (directory.GatewayKey, error)
	// MakeKey makes a key for a partner. It is in no plan yet.
	MakeKey(ctx context.Context, partner directory.PartnerID) (directory.GatewayKey, error)
	// DeleteKey deletes a key. It is no error if there is none.
	DeleteKey(ctx context.Context, id string) error
	// PlansOf lists the plans that a key is in.
	PlansOf(ctx context.Context, id string) ([]directory.Plan, error)
	// Join puts a key that is in no plan into one. It is no error if it is in that.
	Join(ctx context.Context, plan directory.Plan, id string) error
	// Leave takes a key out of a plan. It is no error if it is not in it.
	Leave(ctx context.Context, plan directory.Plan, id string) error
}

// SetPlan puts a partner into a plan, and tells the one that it was in before;
// empty: none. It may be interrupted anywhere and repeated, and mends what is
// half done or was deleted by hand.
//
// A key is stored only once it is in a plan, and a move goes out of one plan and
// into the other: a request that finds the key in neither is refused by API
// Gateway with a 503 and never passes uncounted. Those two calls are not parted by an interrupt.
//
// Refusal: there is no such partner.
func (o *Operator) SetPlan(ctx context.Context, g Gateway, partner directory.PartnerID, plan directory.Plan) (before directory.Plan, err error) {
	stored, err := o.existing(ctx, partner)
	if err != nil {
		return "", err
	}
	key, err := g.FindKey(ctx, partner, stored.GatewayKey.ID)
	if fault.Is(err, fault.NotFound) {
		key, err = g.MakeKey(ctx, partner)
	}
	if err != nil {
		return "", err
	}
	plans, err := g.PlansOf(ctx, key.ID)
	if err != nil {
		return "", err
	}
	if !slices.Equal(plans, []directory.Plan{plan}) {
		if before, err = move(ctx, g, key.ID, plans, plan); err != nil {
			return "", fmt.Errorf("%s may be in no plan until this command is run again: %w", partner, err)
		}
	} else {
		before = plan
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return before, o.store.PutGatewayKey(ctx, partner, key)
}

// move takes a key out of the plans that it is in, and puts it into another.
func move(ctx context.Context, g Gateway, id string, from []directory.Plan, to directory.Plan) (before directory.Plan, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	for _, plan := range from {
		if plan == to {
			continue
		}
		before = plan
		if err := g.Leave(ctx, plan, id); err != nil {
			return "", err
		}
	}
	return before, g.Join(ctx, to, id)
}

// LeavePlans takes a partner out of its plan and deletes its key, and tells the
// plan that it was in; empty: none. Where plans are enforced, the partner is
// refused from then on. It may be interrupted anywhere and repeated. Refusal:
// there is no such partner.
func (o *Operator) LeavePlans(ctx context.Context, g Gateway, partner directory.PartnerID) (before directory.Plan, err error) {
	stored, err := o.existing(ctx, partner)
	if err != nil {
		return "", err
	}
	key, err := g.FindKey(ctx, partner, stored.GatewayKey.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	write, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := o.store.DeleteGatewayKey(write, partner); err != nil {
		return "", err
	}
	if key.ID == "" {
		return "", nil
	}
	plans, err := g.PlansOf(ctx, key.ID)
	if err != nil {
		return "", err
	}
	for _, plan := range plans {
		before = plan
		if err := g.Leave(ctx, plan, key.ID); err != nil {
			return "", err
		}
	}
	return before, g.DeleteKey(ctx, key.ID)
}
