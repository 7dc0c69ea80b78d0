package access_test

import (
	"strings"
	"testing"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/fault"
)

func TestAGatewayKeyIsToldOnlyWhereRequestsAreMetered(t *testing.T) {
	store, key := world(t)
	if err := store.PutGatewayKey(t.Context(), "northwind", directory.GatewayKey{ID: "k1", Value: "northwinds-key"}); err != nil {
		t.Fatal(err)
	}
	north, south, east := "Bearer "+key(directory.AccessKey{Partner: "northwind"}), "Bearer "+key(directory.AccessKey{Partner: "southbank"}), "Bearer "+key(directory.AccessKey{Partner: "eastgate"})
	_, verifier, token := signOn(t)
	person := "Bearer " + token("northwind")
	guard := func(parameter string) *access.Guard {
		m, err := access.ParseMetering(parameter)
		if err != nil {
			t.Fatal(err)
		}
		g := access.NewGuard(store, clock)
		g.Metering, g.Tokens = m, verifier
		return g
	}
	granted, foreign := "acme_retail", "other&co"
	for claim, c := range map[string]struct {
		plans, header string
		account       *string
		want          directory.Secret
	}{
		"off, nothing is counted":                            {"false", north, &granted, ""},
		"off, a partner without a plan is as any other":      {"false", south, &foreign, ""},
		"a function of which nobody said so counts nothing":  {"", north, &granted, ""},
		"prepared, the key is told to be kept":               {"prepared", north, &granted, "northwinds-key"},
		"prepared, a partner without a plan is as any other": {"prepared", south, &foreign, ""},
		"enforced, the list is counted":                      {"true", north, nil, "northwinds-key"},
		"enforced, a customer is counted":                    {"true", north, &granted, "northwinds-key"},
		"enforced, a refusal is counted":                     {"true", north, &foreign, "northwinds-key"},
		"enforced, a token is counted as its partner's keys": {"true", person, &granted, "northwinds-key"},
		"off, a token is not counted":                        {"false", person, &granted, ""},
	} {
		t.Run(claim, func(t *testing.T) {
			d, err := guard(c.plans).Decide(t.Context(), c.header, c.account)
			if err != nil || d.GatewayKey != c.want {
				t.Errorf("the gateway key is %q, %v; want %q", d.GatewayKey.Reveal(), err, c.want.Reveal())
			}
		})
	}
	for _, account := range []*string{nil, &foreign, &granted} {
		d, err := guard("true").Decide(t.Context(), south, account)
		if d.Allowed || d.Partner != "" || !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "partnerctl partner set-plan southbank ") {
			t.Errorf("enforced, a partner without a plan gets %+v, %v; want a fault of ours that tells the way out", d, err)
		}
	}
	if _, err := guard("true").Decide(t.Context(), east, nil); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("enforced, a suspended partner without a plan gets %v", err)
	}
	if m, err := access.ParseMetering("yes"); err == nil {
		t.Errorf("a word that is none of the parameter's is taken for %q: the authorizer must not start", m)
	}
}
