package access_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerview/internal/access"
	"partnerview/internal/access/oidc"
	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/testkit/oidctest"
	"partnerview/internal/usage"
)

// signOn is an issuer, what verifies its tokens, and a token of it for a partner.
func signOn(t *testing.T) (*oidctest.Issuer, *oidc.Verifier, func(partner string) string) {
	t.Helper()
	issuer, err := oidctest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(issuer.Close)
	key, err := issuer.NewKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	issuer.Publish(key)
	const audience = "https://api.example.com"
	verifier, err := oidc.New(oidc.Settings{Issuer: issuer.URL, Audience: audience, PartnerClaim: "partner_id", Local: true}, clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return issuer, verifier, func(partner string) string {
		t.Helper()
		token, err := key.Sign(issuer.Claims(audience, partner, now))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
}

// A token says which partner, and no more: what that may see is looked up, as it
// is for a key.
func TestATokensPartnerIsLookedUpAsAKeysIs(t *testing.T) {
	store, key := world(t)
	_, verifier, token := signOn(t)
	guard := access.NewGuard(store, clock)
	guard.Tokens = verifier
	decides(t, guard, map[string]asking{
		"a partner may list its customers":                {header: "Bearer " + token("northwind"), allowed: true},
		"the scheme's case does not matter":               {header: "bearer " + token("northwind"), allowed: true},
		"a partner may see a granted customer":            {header: "Bearer " + token("northwind"), account: of("acme_retail"), allowed: true},
		"a partner may not see another's customer":        {header: "Bearer " + token("northwind"), account: of("other&co")},
		"a customer that does not exist is the same":      {header: "Bearer " + token("northwind"), account: of("nobody")},
		"a suspended partner is refused, granted or not":  {header: "Bearer " + token("eastgate"), account: of("acme_retail"), refused: true},
		"a partner that is not there is refused":          {header: "Bearer " + token("gone"), refused: true},
		"a token without Bearer is refused":               {header: token("northwind"), refused: true},
		"two tokens in one header are refused":            {header: "Bearer " + token("northwind") + ", Bearer " + token("northwind"), refused: true},
		"a token behind a key's prefix is refused":        {header: "Bearer pvk_" + token("northwind"), refused: true},
		"something else altogether is refused":            {header: "Bearer hunter2", refused: true},
		"an access key counts beside tokens":              {header: "Bearer " + key(directory.AccessKey{Partner: "northwind"}), allowed: true},
		"an access key that is revoked is refused, still": {header: "Bearer " + key(directory.AccessKey{Partner: "northwind", RevokedAt: now.Add(-time.Hour)}), refused: true},
	})
	if d, err := guard.Decide(t.Context(), "Bearer "+token("northwind"), of("blue.sky")); err != nil || !slices.Equal(d.Products, []usage.Product{usage.Voice}) {
		t.Errorf("through a grant for voice alone: %+v, %v", d, err)
	}
}

func TestWithoutAnIssuerATokenIsNoCredential(t *testing.T) {
	store, _ := world(t)
	issuer, _, token := signOn(t)
	_, err := access.NewGuard(store, clock).Decide(t.Context(), "Bearer "+token("northwind"), nil)
	if !fault.Is(err, fault.Unauthenticated) || issuer.Asked(oidctest.DiscoveryPath) != 0 {
		t.Errorf("got %v, and the issuer was asked %d times", err, issuer.Asked(oidctest.DiscoveryPath))
	}
}

func TestAnAccessKeyIsNeverTakenForAToken(t *testing.T) {
	store, key := world(t)
	guard := access.NewGuard(store, clock)
	guard.Tokens = untouched{t}
	for _, text := range []string{key(directory.AccessKey{Partner: "northwind"}), fresh(t), "pvk_", "pvk_a.b.c"} {
		_, _ = guard.Decide(t.Context(), "Bearer "+text, nil) // what comes of it is tested above
	}
}

// untouched fails a test that shows it anything.
type untouched struct{ t *testing.T }

func (u untouched) Verify(_ context.Context, token string) (directory.Identity, error) {
	u.t.Errorf("%.8s… was taken for a token", token)
	return directory.Identity{}, nil
}

func TestAnIssuerOrADatabaseThatFailsIsNoRefusal(t *testing.T) {
	store, _ := world(t)
	issuer, verifier, token := signOn(t)
	account := "acme_retail"
	guard := access.NewGuard(store, clock)
	guard.Tokens = verifier
	issuer.Answer(oidctest.KeysPath, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	if d, err := guard.Decide(t.Context(), "Bearer "+token("northwind"), &account); d.Allowed || !fault.Is(err, fault.Unavailable) {
		t.Errorf("without the issuer's keys: allowed %v, %v; want unavailable", d.Allowed, err)
	}
	_, verifier, token = signOn(t)
	guard = access.NewGuard(failing(store, "grant"), clock)
	guard.Tokens = verifier
	if d, err := guard.Decide(t.Context(), "Bearer "+token("northwind"), &account); d.Allowed || !fault.Is(err, fault.Unavailable) {
		t.Errorf("without the database: allowed %v, %v; want unavailable", d.Allowed, err)
	}
}

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
