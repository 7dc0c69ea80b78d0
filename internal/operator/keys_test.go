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
		_, allowed, err := guard.Decide(t.Context(), "Bearer "+text, &account)
		if err != nil && !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
		return err == nil && allowed
	}
	lasting, key, err := o.CreateKey(t.Context(), "northwind", "for good", 0)
	must(t, err)
	brief, briefKey, err := o.CreateKey(t.Context(), "northwind", "", time.Hour)
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

func TestKeysAreRefusedWithTheWayOut(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, whole)
	for name, call := range map[string]func() error{
		"unknown partner":         func() error { _, _, err := o.CreateKey(t.Context(), "nobody", "", 0); return err },
		"list of unknown partner": func() error { _, err := o.ListKeys(t.Context(), "nobody"); return err },
		"unknown key":             func() error { _, err := o.RevokeKey(t.Context(), "nosuchkey000"); return err },
		"negative lifetime":       func() error { _, _, err := o.CreateKey(t.Context(), "northwind", "", -time.Hour); return err },
		"long label": func() error {
			_, _, err := o.CreateKey(t.Context(), "northwind", strings.Repeat("x", 101), 0)
			return err
		},
		"label of two lines": func() error { _, _, err := o.CreateKey(t.Context(), "northwind", "a\nb", 0); return err },
	} {
		var refusal operator.Refusal
		if err := call(); !errors.As(err, &refusal) {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}
