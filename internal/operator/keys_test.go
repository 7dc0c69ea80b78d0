package operator_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"partnerview/internal/access"
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
		var refusal operator.Refusal
		if err := call(); !errors.As(err, &refusal) {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}
