package operator_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/operator"
)

// controls is a control plane in memory that can be made to fail. What the real
// one is asked, and how an interruption at each call ends, is tested in
// cmd/partnerctl.
type controls struct {
	plans  map[string][]directory.Plan // by key
	before func(call string) error     // nil: all goes well
}

func (c *controls) allow(ctx context.Context, call string) error {
	if c.before != nil {
		if err := c.before(call); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *controls) FindKey(ctx context.Context, partner directory.PartnerID, id string) (directory.GatewayKey, error) {
	if err := c.allow(ctx, "find"); err != nil {
		return directory.GatewayKey{}, err
	}
	if _, ok := c.plans["key-"+string(partner)]; !ok {
		return directory.GatewayKey{}, fault.New(fault.NotFound, "find", nil)
	}
	return directory.GatewayKey{ID: "key-" + string(partner), Value: "value"}, nil
}

func (c *controls) MakeKey(ctx context.Context, partner directory.PartnerID) (directory.GatewayKey, error) {
	if err := c.allow(ctx, "make"); err != nil {
		return directory.GatewayKey{}, err
	}
	c.plans["key-"+string(partner)] = nil
	return directory.GatewayKey{ID: "key-" + string(partner), Value: "value"}, nil
}

func (c *controls) DeleteKey(ctx context.Context, id string) error {
	if err := c.allow(ctx, "delete"); err != nil {
		return err
	}
	delete(c.plans, id)
	return nil
}

func (c *controls) PlansOf(ctx context.Context, id string) ([]directory.Plan, error) {
	return slices.Clone(c.plans[id]), c.allow(ctx, "plans")
}

func (c *controls) Join(ctx context.Context, plan directory.Plan, id string) error {
	if err := c.allow(ctx, "join"); err != nil {
		return err
	}
	if len(c.plans[id]) > 0 {
		return errors.New("a key is in one plan at most")
	}
	c.plans[id] = []directory.Plan{plan}
	return nil
}

func (c *controls) Leave(ctx context.Context, plan directory.Plan, id string) error {
	if err := c.allow(ctx, "leave"); err != nil {
		return err
	}
	c.plans[id] = slices.DeleteFunc(c.plans[id], func(p directory.Plan) bool { return p == plan })
	return nil
}

// Between the two calls of a move the partner is refused: Ctrl-C must not leave
// it there.
func TestAMoveIsNotPartedByAnInterrupt(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, whole)
	g := &controls{plans: make(map[string][]directory.Plan)}
	_, err := o.SetPlan(t.Context(), g, "northwind", directory.Bronze)
	must(t, err)
	ctx, interrupt := context.WithCancel(t.Context())
	g.before = func(call string) error {
		if call == "leave" {
			interrupt()
		}
		return nil
	}
	if _, err := o.SetPlan(ctx, g, "northwind", directory.Gold); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted, it ends with %v", err)
	}
	if got := g.plans["key-northwind"]; !slices.Equal(got, []directory.Plan{directory.Gold}) {
		t.Errorf("interrupted while it moves, the partner is in %v", got)
	}
}

func TestAMoveThatFailsHalfwaySaysWhatThePartnerGets(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, whole)
	g := &controls{plans: make(map[string][]directory.Plan)}
	_, err := o.SetPlan(t.Context(), g, "northwind", directory.Bronze)
	must(t, err)
	cause := errors.New("no answer")
	g.before = func(call string) error {
		if call == "join" {
			return cause
		}
		return nil
	}
	if _, err := o.SetPlan(t.Context(), g, "northwind", directory.Gold); !errors.Is(err, cause) || !strings.Contains(err.Error(), "northwind may be in no plan until this command is run again") {
		t.Errorf("it says %v", err)
	}
	g.before = nil
	if before, err := o.SetPlan(t.Context(), g, "northwind", directory.Gold); err != nil || before != "" {
		t.Errorf("run again, it was in %q, %v", before, err)
	}
	if before, err := o.LeavePlans(t.Context(), g, "northwind"); err != nil || before != directory.Gold || len(g.plans) > 0 {
		t.Errorf("taken out, it was in %q, %v; keys left: %v", before, err, g.plans)
	}
}

func TestAPlanForNobodyIsRefused(t *testing.T) {
	o, _ := newOperator(t)
	g := &controls{plans: make(map[string][]directory.Plan)}
	var refusal operator.Refusal
	if _, err := o.SetPlan(t.Context(), g, "nobody", directory.Bronze); !errors.As(err, &refusal) || len(g.plans) > 0 {
		t.Errorf("it says %v, and keys are %v", err, g.plans)
	}
	if _, err := o.LeavePlans(t.Context(), g, "nobody"); !errors.As(err, &refusal) {
		t.Errorf("it says %v", err)
	}
}
