package e2e_test

import (
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
			pv.wants(t, "its own customer's "+route, northwind, "/customers/mueller_soehne"+path, 200, "")
		}
		other := pv.get(t, westmarch, "/customers/mueller_soehne"+path)
		never := pv.get(t, westmarch, "/customers/no_such_account"+path)
		byKey := pv.get(t, pv.Key(t, "westmarch"), "/customers/mueller_soehne"+path)
		if other.status != 404 || other.withoutID(t) != never.withoutID(t) || other.withoutID(t) != byKey.withoutID(t) {
			t.Errorf("another's %s: %d %s\nnobody's: %s\nby key: %s", route, other.status, other.body, never.body, byKey.body)
		}
	}
	var shown []logLine
	told := eventually(func() bool {
		shown = pv.lines(t, func(l logLine) bool {
			return l.Audit && l.PartnerID == "northwind" && strings.HasPrefix(l.KeyID, "oidc-")
		})
		return len(shown) >= 3
	})
	log := pv.Output.String()
	if strings.Contains(log, person) || strings.Contains(log, northwind[:len(northwind)/2]) {
		t.Error("the functions' logs hold who signed in, or a token")
	}
	if !told || shown[0].KeyID != shown[len(shown)-1].KeyID {
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
			pv.wants(t, claim, token, path, 401, "unauthorized")
		}
	}
	pv.wants(t, "a token in the query string", "", "/customers?access_token="+good, 401, "unauthorized")
}

// A token that expires is let through for as long as the gateway keeps its
// decision, one second here, and not longer. Only a product whose clock runs can
// show it.
func TestATokenEndsWithinTheTTL(t *testing.T) {
	p := another(t, "--parameter", "AuthorizerTtlSeconds=1", "--parameter", "OidcIssuer="+pv.issuer.URL, "--parameter", "OidcAudience="+audience)
	p.operates(t, "partners: [{id: northwind, name: Northwind, customers: []}]", "apply", "-f", "-")
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
		p.wants(t, "a token, while the issuer is down", token, "/customers", 503, "unavailable")
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
	}
	for claim, credential := range map[string]string{"garbage": "a.b.c", "an access key": pv.Key(t, "northwind")} { // which these tables do not know
		p.wants(t, claim+", while the issuer is down", credential, "/customers", 401, "unauthorized")
	}
	if !p.says("no decision") {
		t.Error("the log does not say why")
	}
}

func TestAnIssuerWithoutAnAudienceOpensNothing(t *testing.T) {
	p := another(t, "--now", now, "--parameter", "OidcIssuer="+pv.issuer.URL)
	for _, credential := range []string{pv.token(t, "northwind", nil), pv.token(t, "northwind", map[string]any{"aud": ""}), "a.b.c", pv.Key(t, "northwind")} {
		p.wants(t, credential[:5]+"…", credential, "/customers", 503, "unavailable")
	}
	if !p.says("OIDC_AUDIENCE is empty") {
		t.Errorf("the log does not say what is to be mended: %s", &p.Output)
	}
}
