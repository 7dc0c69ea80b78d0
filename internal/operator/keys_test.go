package operator_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/operator"
)

func TestKeyCountsFromItsMakingUntilItExpiresOrIsRevoked(t *testing.T) {
	s := engine.NewStore(t)
	at := now
	o := operator.New(s, func() time.Time { return at })
	apply(t, o, whole)
	guard := access.NewGuard(s, func() time.Time { return at })
	counts := func(text string) bool {
		t.Helper()
		account := "acme_retail"
		decision, err := guard.Decide(t.Context(), "Bearer "+text, &account)
		if err != nil && !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
		return err == nil && decision.Allowed
	}
	lasting, key, err := o.CreateKey(t.Context(), "northwind", "for good", operator.Expiry{})
	must(t, err)
	brief, briefKey, err := o.CreateKey(t.Context(), "northwind", "", operator.Expiry{After: time.Hour})
	must(t, err)
	if !strings.HasPrefix(lasting, "pvk_"+key.ID+"_") || !key.ExpiresAt.IsZero() || !briefKey.ExpiresAt.Equal(now.Add(time.Hour)) {
		t.Errorf("the keys are %+v and %+v", key, briefKey)
	}
	if !counts(lasting) || !counts(brief) {
		t.Error("a new key does not count")
	}
	if keys, err := o.ListKeys(t.Context(), "northwind"); err != nil || len(keys) != 2 || o.StateOf(keys[0]) != "active" {
		t.Errorf("listed are %+v, %v", keys, err)
	}
	at = now.Add(time.Hour)
	if !counts(lasting) || counts(brief) || o.StateOf(briefKey) != "expired" {
		t.Error("at its end a key counts, or another does not")
	}
	revoked, err := o.RevokeKey(t.Context(), key.ID)
	must(t, err)
	if counts(lasting) || !revoked.RevokedAt.Equal(at) || o.StateOf(revoked) != "revoked" {
		t.Errorf("a revoked key counts, or does not tell: %+v", revoked)
	}
}

func TestRotatedKeyCountsUntilItsOverlapEnds(t *testing.T) {
	s := engine.NewStore(t)
	at := now
	clock := func() time.Time { return at }
	o := operator.New(s, clock)
	apply(t, o, whole)
	guard := access.NewGuard(s, clock)
	counts := func(text string) bool {
		t.Helper()
		decision, err := guard.Decide(t.Context(), "Bearer "+text, nil)
		if err != nil && !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
		return decision.Allowed
	}
	oldText, old, err := o.CreateKey(t.Context(), "northwind", "export", operator.Expiry{After: 90 * 24 * time.Hour})
	must(t, err)
	at = now.Add(10 * 24 * time.Hour)
	r, err := o.RotateKey(t.Context(), old.ID, operator.RotateAs{Overlap: 24 * time.Hour})
	must(t, err)
	if r.New.Label != "export" || !r.New.ExpiresAt.Equal(at.Add(90*24*time.Hour)) || !r.Old.ExpiresAt.Equal(at.Add(24*time.Hour)) || r.New.LastFour != r.Text[len(r.Text)-4:] {
		t.Errorf("the rotation is %+v", r)
	}
	if !counts(oldText) || !counts(r.Text) {
		t.Error("during the overlap one of the keys does not count")
	}
	at = at.Add(24 * time.Hour)
	if counts(oldText) || !counts(r.Text) {
		t.Error("after the overlap the old key counts, or the new one does not")
	}
	// A rotation never brings a key back, nor keeps it for longer.
	if _, err := o.RotateKey(t.Context(), old.ID, operator.RotateAs{Overlap: 24 * time.Hour}); err == nil || counts(oldText) {
		t.Errorf("an expired key is rotated: %v", err)
	}
}

func TestKeysAreRefusedWithTheWayOut(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, whole)
	for name, call := range map[string]func() error{
		"unknown partner":         func() error { _, _, err := o.CreateKey(t.Context(), "nobody", "", operator.Expiry{}); return err },
		"list of unknown partner": func() error { _, err := o.ListKeys(t.Context(), "nobody"); return err },
		"unknown key":             func() error { _, err := o.RevokeKey(t.Context(), "nosuchkey000"); return err },
		"negative lifetime": func() error {
			_, _, err := o.CreateKey(t.Context(), "northwind", "", operator.Expiry{After: -time.Hour})
			return err
		},
		"long label": func() error {
			_, _, err := o.CreateKey(t.Context(), "northwind", strings.Repeat("x", 101), operator.Expiry{})
			return err
		},
		"label of two lines": func() error {
			_, _, err := o.CreateKey(t.Context(), "northwind", "a\nb", operator.Expiry{})
			return err
		},
	} {
		var wrong operator.UserError
		if err := call(); !errors.As(err, &wrong) {
			t.Errorf("%s: got %v, want a UserError", name, err)
		}
	}
}

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
	var wrong operator.UserError
	if _, err := o.SetPlan(t.Context(), g, "nobody", directory.Bronze); !errors.As(err, &wrong) || len(g.plans) > 0 {
		t.Errorf("it says %v, and keys are %v", err, g.plans)
	}
	if _, err := o.LeavePlans(t.Context(), g, "nobody"); !errors.As(err, &wrong) {
		t.Errorf("it says %v", err)
	}
}
