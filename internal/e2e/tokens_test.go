package e2e_test

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerview/internal/testkit/oidctest"
	"partnerview/internal/testkit/producttest"
)

// audience is who tokens must be made for here.
const audience = "https://partnerview.example/v1"

// token is one of the product's issuer for a partner, with some claims changed.
func (p *product) token(t *testing.T, partner string, change map[string]any) string {
	t.Helper()
	claims := p.issuer.Claims(audience, partner, clock)
	maps.Copy(claims, change)
	token, err := p.signs.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestATokenShowsItsPartnersCustomersAndNoOthers(t *testing.T) {
	const person = "a.person@partner.example"
	northwind, westmarch := pv.token(t, "northwind", map[string]any{"sub": person}), pv.token(t, "westmarch", map[string]any{"sub": "client-7"})
	var byToken, byKey struct{ Data []struct{ AccountID string } }
	pv.read(t, northwind, "/customers?limit=100", &byToken)
	pv.read(t, pv.Key(t, "northwind"), "/customers?limit=100", &byKey)
	if len(byToken.Data) == 0 || len(byToken.Data) != len(byKey.Data) || byToken.Data[0] != byKey.Data[0] {
		t.Errorf("by token the list is %v, by key %v", byToken, byKey)
	}
	for route, path := range routes {
		if route != "record" {
			if a := pv.get(t, northwind, "/customers/mueller_soehne"+path); a.status != 200 {
				t.Errorf("its own customer's %s: %d %s", route, a.status, a.body)
			}
		}
		other := pv.get(t, westmarch, "/customers/mueller_soehne"+path)
		never := pv.get(t, westmarch, "/customers/no_such_account"+path)
		byKey := pv.get(t, pv.Key(t, "westmarch"), "/customers/mueller_soehne"+path)
		if other.status != 404 || other.withoutID(t) != never.withoutID(t) || other.withoutID(t) != byKey.withoutID(t) {
			t.Errorf("another's %s: %d %s\nnobody's: %s\nby key: %s", route, other.status, other.body, never.body, byKey.body)
		}
	}
	shown, _ := eventually(func() ([]logLine, error) {
		shown := pv.lines(t, func(l logLine) bool {
			return l.Audit && l.PartnerID == "northwind" && strings.HasPrefix(l.KeyID, "oidc-")
		})
		if len(shown) < 3 {
			return shown, errors.New("not yet")
		}
		return shown, nil
	})
	log := pv.Output.String()
	if strings.Contains(log, person) || strings.Contains(log, northwind[:len(northwind)/2]) {
		t.Error("the functions' logs hold who signed in, or a token")
	}
	if len(shown) < 3 || shown[0].KeyID != shown[len(shown)-1].KeyID {
		t.Errorf("the audit does not tell who of northwind was shown its customers: %+v", shown)
	}
}

func TestTokensThatDoNotCount(t *testing.T) {
	stranger, err := pv.issuer.NewKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := stranger.Sign(pv.issuer.Claims(audience, "northwind", clock))
	if err != nil {
		t.Fatal(err)
	}
	good := pv.token(t, "northwind", nil)
	for claim, token := range map[string]string{
		"a suspended partner's":          pv.token(t, "eastgate", nil),
		"of a partner that is not there": pv.token(t, "nobody", nil),
		"expired":                        pv.token(t, "northwind", map[string]any{"exp": clock.Add(-2 * time.Minute).Unix()}),
		"for another service":            pv.token(t, "northwind", map[string]any{"aud": "https://other.example"}),
		"of another issuer":              pv.token(t, "northwind", map[string]any{"iss": "https://login.example"}),
		"signed by somebody else":        forged,
		"cut short":                      good[:len(good)-10],
		"garbage":                        "a.b.c",
	} {
		for _, path := range []string{"/customers", "/customers/mueller_soehne", "/customers/nobody/usage/sms"} {
			a := pv.get(t, token, path)
			if a.status != 401 || a.code() != "unauthorized" || a.header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s on %s: %d %s", claim, path, a.status, a.body)
			}
		}
	}
	if a := pv.get(t, "", "/customers?access_token="+good); a.status != 401 {
		t.Errorf("a token in the query string counts: %d", a.status)
	}
}

// A token that expires is let through for as long as the gateway keeps its
// decision, one second here, and not longer. Only a product whose clock runs can
// show it.
func TestATokenEndsWithinTheTTL(t *testing.T) {
	p := another(t, "--parameter", "AuthorizerTtlSeconds=1", "--parameter", "OidcIssuer="+pv.issuer.URL, "--parameter", "OidcAudience="+audience)
	if _, complaint, code := p.partnerctl(t, "partners: [{id: northwind, name: Northwind, customers: []}]", "apply", "-f", "-"); code != 0 {
		t.Fatal(complaint)
	}
	for life := time.Second; ; life *= 2 { // the machine may be slow: then one that lives longer
		end := time.Now().Add(life)
		token := p.token(t, "northwind", map[string]any{"iat": end.Add(-time.Hour).Unix(), "exp": end.Add(-time.Minute).Unix()})
		if a := p.get(t, token, "/customers"); a.status != 200 {
			if life > 10*time.Second {
				t.Fatalf("a token that counts for %v: %d %s", life, a.status, a.body)
			}
			continue
		}
		for p.get(t, token, "/customers").status == 200 {
			if late := time.Since(end); late > 4*time.Second { // 1 s of the cache, 1 s that exp is rounded by, and a slow machine
				t.Fatalf("it still counts %v after its end, with a TTL of 1 s", late)
			}
			time.Sleep(20 * time.Millisecond)
		}
		return
	}
}

// another runs a second product, without data, beside the first. What its functions
// send is not among what the first one's did: it is about other tables.
func another(t *testing.T, arguments ...string) *product {
	t.Helper()
	endpoint, err := engine.Listen()
	if err != nil {
		t.Fatal(err)
	}
	p := *pv
	p.Product, err = producttest.Start(pv.root, pv.bin, endpoint, append(arguments, "--empty")...)
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

func TestAnIssuerThatCannotBeAskedIsA503(t *testing.T) {
	issuer, err := oidctest.Start()
	if err != nil {
		t.Fatal(err)
	}
	signs, err := issuer.NewKey(jose.ES256)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signs.Sign(issuer.Claims(audience, "northwind", clock))
	if err != nil {
		t.Fatal(err)
	}
	issuer.Close()
	p := another(t, "--now", now, "--parameter", "OidcIssuer="+issuer.URL, "--parameter", "OidcAudience="+audience)
	for range 2 {
		start := time.Now()
		a := p.get(t, token, "/customers")
		if a.status != 503 || a.code() != "unavailable" || a.header.Get("Retry-After") == "" || time.Since(start) > 10*time.Second {
			t.Errorf("a token, while the issuer is down: %d %s", a.status, a.body)
		}
	}
	for claim, credential := range map[string]string{"garbage": "a.b.c", "an access key": pv.Key(t, "northwind")} { // which these tables do not know
		if a := p.get(t, credential, "/customers"); a.status != 401 {
			t.Errorf("%s, while the issuer is down: %d %s", claim, a.status, a.body)
		}
	}
	if !p.says("no decision") {
		t.Error("the log does not say why")
	}
}

func TestAnIssuerWithoutAnAudienceOpensNothing(t *testing.T) {
	p := another(t, "--now", now, "--parameter", "OidcIssuer="+pv.issuer.URL)
	for _, credential := range []string{pv.token(t, "northwind", nil), pv.token(t, "northwind", map[string]any{"aud": ""}), "a.b.c", pv.Key(t, "northwind")} {
		if a := p.get(t, credential, "/customers"); a.status != 503 || a.code() != "unavailable" || a.header.Get("Retry-After") == "" {
			t.Errorf("%.8s…: %d %s", credential, a.status, a.body)
		}
	}
	if !p.says("OIDC_AUDIENCE is empty") {
		t.Errorf("the log does not say what is to be mended: %s", &p.Output)
	}
}
