package access_test

import (
	"context"
	"log/slog"
	"net/http"
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
	account := func(s string) *string { return &s }
	for claim, c := range map[string]struct {
		header  string
		account *string
		granted bool
		refused bool
	}{
		"a partner may list its customers":                {header: "Bearer " + token("northwind"), granted: true},
		"the scheme's case does not matter":               {header: "bearer " + token("northwind"), granted: true},
		"a partner may see a granted customer":            {header: "Bearer " + token("northwind"), account: account("acme_retail"), granted: true},
		"a partner may not see another's customer":        {header: "Bearer " + token("northwind"), account: account("other&co")},
		"a customer that does not exist is the same":      {header: "Bearer " + token("northwind"), account: account("nobody")},
		"a suspended partner is refused, granted or not":  {header: "Bearer " + token("eastgate"), account: account("acme_retail"), refused: true},
		"a partner that is not there is refused":          {header: "Bearer " + token("gone"), refused: true},
		"a token without Bearer is refused":               {header: token("northwind"), refused: true},
		"two tokens in one header are refused":            {header: "Bearer " + token("northwind") + ", Bearer " + token("northwind"), refused: true},
		"a token behind a key's prefix is refused":        {header: "Bearer pvk_" + token("northwind"), refused: true},
		"something else altogether is refused":            {header: "Bearer hunter2", refused: true},
		"an access key counts beside tokens":              {header: "Bearer " + key(directory.AccessKey{Partner: "northwind"}), granted: true},
		"an access key that is revoked is refused, still": {header: "Bearer " + key(directory.AccessKey{Partner: "northwind", RevokedAt: now.Add(-time.Hour)}), refused: true},
	} {
		t.Run(claim, func(t *testing.T) {
			viewer, granted, err := guard.Decide(t.Context(), c.header, c.account)
			if c.refused {
				if !fault.Is(err, fault.Unauthenticated) || granted || viewer.Partner != "" {
					t.Fatalf("got %+v, %v, %v; want a refusal that tells nothing", viewer, granted, err)
				}
				if strings.Contains(err.Error(), "eyJ") {
					t.Errorf("the log's text holds a token: %v", err)
				}
				return
			}
			if err != nil || granted != c.granted || viewer.Partner != "northwind" || viewer.KeyID == "" {
				t.Fatalf("got %+v, %v, %v; want granted %v", viewer, granted, err, c.granted)
			}
			if c.account != nil && granted && string(viewer.Account) != *c.account || !granted && viewer.Account != "" {
				t.Errorf("the viewer's account is %q", viewer.Account)
			}
		})
	}
	narrowed := "blue.sky"
	if viewer, _, err := guard.Decide(t.Context(), "Bearer "+token("northwind"), &narrowed); err != nil || len(viewer.Products) != 1 || viewer.Products[0] != usage.Voice {
		t.Errorf("through a grant for voice alone: %+v, %v", viewer, err)
	}
}

func TestWithoutAnIssuerATokenIsNoCredential(t *testing.T) {
	store, _ := world(t)
	issuer, _, token := signOn(t)
	_, _, err := access.NewGuard(store, clock).Decide(t.Context(), "Bearer "+token("northwind"), nil)
	if !fault.Is(err, fault.Unauthenticated) || issuer.Asked(oidctest.DiscoveryPath) != 0 {
		t.Errorf("got %v, and the issuer was asked %d times", err, issuer.Asked(oidctest.DiscoveryPath))
	}
}

func TestAnAccessKeyIsNeverTakenForAToken(t *testing.T) {
	store, key := world(t)
	guard := access.NewGuard(store, clock)
	guard.Tokens = untouched{t}
	for _, text := range []string{key(directory.AccessKey{Partner: "northwind"}), fresh(t), "pvk_", "pvk_a.b.c"} {
		_, _, _ = guard.Decide(t.Context(), "Bearer "+text, nil) // what comes of it is tested above
	}
}

// untouched fails a test that shows it anything.
type untouched struct{ t *testing.T }

func (u untouched) Verify(_ context.Context, token string) (directory.Viewer, error) {
	u.t.Errorf("%.8s… was taken for a token", token)
	return directory.Viewer{}, nil
}

func TestAnIssuerOrADatabaseThatFailsIsNoRefusal(t *testing.T) {
	store, _ := world(t)
	issuer, verifier, token := signOn(t)
	account := "acme_retail"
	guard := access.NewGuard(store, clock)
	guard.Tokens = verifier
	issuer.Answer(oidctest.KeysPath, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	if _, granted, err := guard.Decide(t.Context(), "Bearer "+token("northwind"), &account); granted || !fault.Is(err, fault.Unavailable) {
		t.Errorf("without the issuer's keys: granted %v, %v; want unavailable", granted, err)
	}
	_, verifier, token = signOn(t)
	guard = access.NewGuard(failing{Store: store, grant: true}, clock)
	guard.Tokens = verifier
	if _, granted, err := guard.Decide(t.Context(), "Bearer "+token("northwind"), &account); granted || !fault.Is(err, fault.Unavailable) {
		t.Errorf("without the database: granted %v, %v; want unavailable", granted, err)
	}
}
