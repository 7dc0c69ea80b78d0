package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

func accessKey(id string, partner directory.PartnerID) directory.AccessKey {
	return directory.AccessKey{ID: id, Partner: partner, SecretHash: [32]byte{1, 2, 31: 3}, LastFour: "x7Qa", Label: "ci", CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
}

func TestAccessKeyIsReadForADecision(t *testing.T) {
	s := engine.NewStore(t)
	k := accessKey("4fzyo82mXw3b", "northwind")
	must(t, s.PutAccessKey(t.Context(), k))
	got, err := s.AccessKey(t.Context(), k.ID)
	must(t, err)
	want := k
	want.LastFour, want.Label, want.CreatedAt = "", "", time.Time{} // not needed for a decision, not read
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := s.AccessKey(t.Context(), "4FZYO82MXW3B"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a key of another id: got %v, want not found", err)
	}
}

func TestKeysOfAPartnerAreListedByTheirMaking(t *testing.T) {
	s := engine.NewStore(t)
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Status: directory.Active}))
	var want []directory.AccessKey
	for i := range 130 { // more than one call reads
		k := accessKey(name("key%09d", 130-i), "northwind")
		k.CreatedAt = now.Add(time.Duration(i/2) * time.Second)
		want = append(want, k)
		must(t, s.PutAccessKey(t.Context(), k))
	}
	must(t, s.PutAccessKey(t.Context(), accessKey("others000000", "northwind2")))
	slices.SortFunc(want, func(a, b directory.AccessKey) int {
		if a.CreatedAt.Equal(b.CreatedAt) && a.ID < b.ID || a.CreatedAt.Before(b.CreatedAt) {
			return -1
		}
		return 1
	})
	got, err := s.AccessKeys(t.Context(), "northwind")
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRevokingKeepsTheFirstTime(t *testing.T) {
	s := engine.NewStore(t)
	want := accessKey("4fzyo82mXw3b", "northwind")
	must(t, s.PutAccessKey(t.Context(), want))
	want.RevokedAt = now
	for _, at := range []time.Time{now, now.Add(time.Hour)} {
		got, err := s.RevokeAccessKey(t.Context(), want.ID, at)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("revoked at %s (-want +got):\n%s", at, diff)
		}
	}
	if _, err := s.RevokeAccessKey(t.Context(), "nosuchkey000", now); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown key: got %v, want not found", err)
	}
	if keys, err := s.AccessKeys(t.Context(), "northwind"); err != nil || len(keys) != 1 {
		t.Errorf("the list shows %d keys (%v), want the revoked one", len(keys), err)
	}
}

func TestAKeysEndIsOnlyEverBroughtForward(t *testing.T) {
	s := engine.NewStore(t)
	want := accessKey("4fzyo82mXw3b", "northwind") // which ends in an hour
	must(t, s.PutAccessKey(t.Context(), want))
	lasting := accessKey("lasting00000", "northwind")
	lasting.ExpiresAt = time.Time{}
	must(t, s.PutAccessKey(t.Context(), lasting))
	for _, at := range []time.Duration{2 * time.Hour, time.Hour, 30 * time.Minute, 45 * time.Minute, 30 * time.Minute} {
		if end := now.Add(at); end.Before(want.ExpiresAt) {
			want.ExpiresAt = end
		}
		got, err := s.ExpireAccessKey(t.Context(), want.ID, now.Add(at))
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("to end after %s (-want +got):\n%s", at, diff)
		}
	}
	if got, err := s.ExpireAccessKey(t.Context(), lasting.ID, now); err != nil || !got.ExpiresAt.Equal(now) {
		t.Errorf("a key without an end becomes %+v, %v", got, err)
	}
	for name, call := range map[string]func() error{
		"expire": func() error { _, err := s.ExpireAccessKey(t.Context(), "nosuchkey000", now); return err },
		"read":   func() error { _, err := s.GetAccessKey(t.Context(), "nosuchkey000"); return err },
	} {
		if err := call(); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of an unknown key: got %v, want not found", name, err)
		}
	}
	if keys, err := s.AccessKeys(t.Context(), "northwind"); err != nil || len(keys) != 2 {
		t.Errorf("there are %d keys, %v: an end makes none", len(keys), err)
	}
}

func TestKeyThatCountsIsAlwaysListed(t *testing.T) {
	s, proxy, direct := proxied(t)
	for lost := range 2 { // the write after which the operator's machine stops
		writes := 0
		proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
			if writes++; writes > lost {
				dynamotest.Refuse(w, "AccessDeniedException")
				return true
			}
			return false
		})
		k := accessKey(name("key%09d", lost), "northwind")
		if err := s.PutAccessKey(t.Context(), k); err == nil {
			t.Fatal("a lost write is not told")
		}
		_, err := direct.AccessKey(t.Context(), k.ID)
		counts := err == nil
		listed, err := direct.AccessKeys(t.Context(), "northwind")
		must(t, err)
		if counts != (len(listed) == 1) {
			t.Errorf("after %d writes: counts %t, listed %d", lost, counts, len(listed))
		}
	}
}

func TestPartnerAndGrant(t *testing.T) {
	s := engine.NewStore(t)
	p := directory.Partner{ID: "northwind", Name: "Northwind Resellers", Status: directory.Suspended}
	must(t, s.PutPartner(t.Context(), p))
	all := directory.Grant{Partner: "northwind", Account: "acme_retail", CustomerName: "Acme"}
	some := directory.Grant{Partner: "northwind", Account: "b&b", CustomerName: "Beta", Products: []usage.Product{usage.Voice, usage.SMS}}
	must(t, s.PutGrant(t.Context(), all))
	must(t, s.PutGrant(t.Context(), some))
	must(t, s.PutAccessKey(t.Context(), accessKey("4fzyo82mXw3b", "northwind")))

	partner, grants, err := s.PartnerWithGrants(t.Context(), "northwind")
	must(t, err)
	if diff := cmp.Diff(p, partner); diff != "" {
		t.Errorf("partner (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]directory.Grant{all, some}, grants); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}
	for account, want := range map[usage.AccountID][]usage.Product{"acme_retail": nil, "b&b": some.Products} {
		partner, g, err := s.PartnerAndGrant(t.Context(), "northwind", account)
		must(t, err)
		if g == nil || g.Account != account || !slices.Equal(g.Products, want) || partner.Status != directory.Suspended {
			t.Errorf("%s: got partner %+v, grant %+v", account, partner, g)
		}
	}
	for _, account := range []usage.AccountID{"", "Acme_Retail", "acme", "PROFILE"} {
		if _, g, err := s.PartnerAndGrant(t.Context(), "northwind", account); err != nil || g != nil {
			t.Errorf("%q: got grant %+v, error %v; want neither", account, g, err)
		}
	}
	must(t, s.DeleteGrant(t.Context(), "northwind", "acme_retail"))
	must(t, s.DeleteGrant(t.Context(), "northwind", "acme_retail")) // again: no error
	if _, g, err := s.PartnerAndGrant(t.Context(), "northwind", "acme_retail"); err != nil || g != nil {
		t.Errorf("after deletion: got grant %+v, error %v; want neither", g, err)
	}
	for _, account := range []usage.AccountID{"", "acme_retail"} {
		if _, _, err := s.PartnerAndGrant(t.Context(), "nobody", account); !fault.Is(err, fault.NotFound) {
			t.Errorf("unknown partner: got %v, want not found", err)
		}
	}
}

func TestErrorsTellWhetherTryingAgainHelps(t *testing.T) {
	s, proxy, _ := proxied(t)
	reads := map[string]func() error{
		"AccessKey": func() error { _, err := s.AccessKey(t.Context(), "4fzyo82mXw3b"); return err },
		"PartnerAndGrant": func() error {
			_, _, err := s.PartnerAndGrant(t.Context(), "northwind", "acme_retail")
			return err
		},
		"Customers": func() error {
			_, err := s.Customers(t.Context(), "northwind", directory.CustomerQuery{Limit: 10})
			return err
		},
		"Customer":   func() error { _, err := s.Customer(t.Context(), "acme_retail"); return err },
		"Log":        func() error { _, err := s.Log(t.Context(), acmeSMS, usage.Query{Limit: 10, Now: now}); return err },
		"Record":     func() error { _, err := s.Record(t.Context(), acmeSMS, "u-1", now); return err },
		"PriceLists": func() error { _, _, err := s.PriceLists(t.Context(), acmeSMS, now); return err },
	}
	ask := func(answer string, want fault.Kind) {
		var all sync.WaitGroup
		for read, call := range reads {
			all.Go(func() {
				if err := call(); !fault.Is(err, want) {
					t.Errorf("%s, answered with %s: got %v, want %s", read, answer, err, want)
				}
			})
		}
		all.Wait()
	}
	for code, want := range map[string]fault.Kind{
		"ProvisionedThroughputExceededException": fault.Unavailable,
		"ThrottlingException":                    fault.Unavailable,
		"RequestLimitExceeded":                   fault.Unavailable,
		"InternalServerError":                    fault.Unavailable,
		"SerializationException":                 fault.Internal,
		"ANameThatNobodyForesaw":                 fault.Internal,
		"ResourceNotFoundException":              fault.Internal,
		"AccessDeniedException":                  fault.Internal,
		"ValidationException":                    fault.Internal,
		"UnrecognizedClientException":            fault.Internal,
	} {
		proxy.Meddle(func(_ dynamotest.Call, w dynamotest.Answer) bool { dynamotest.Refuse(w, code); return true })
		ask(code, want)
	}
	proxy.Meddle(func(_ dynamotest.Call, w dynamotest.Answer) bool { dynamotest.Cut(w); return true })
	ask("a broken connection", fault.Unavailable)
	for status, want := range map[int]fault.Kind{200: fault.Unavailable, 500: fault.Unavailable, 502: fault.Unavailable, 507: fault.Unavailable} {
		proxy.Meddle(func(_ dynamotest.Call, w dynamotest.Answer) bool {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html>not DynamoDB at all")
			return true
		})
		ask(fmt.Sprintf("%d and something that cannot be read", status), want)
	}
}

// What never left cannot come through at the next try either.
func TestACallThatCannotBeSentIsOurMistake(t *testing.T) {
	getenv := func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": engine.Endpoint(t)}[name]
	}
	db, err := dynamo.NewClient(getenv, func(o *dynamodb.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("none here") })
	})
	must(t, err)
	s := dynamo.NewStore(db, engine.NewTables(t))
	if _, err := s.AccessKey(t.Context(), "4fzyo82mXw3b"); !fault.Is(err, fault.Internal) {
		t.Errorf("a call that cannot be signed: %v, want internal", err)
	}
}

func TestMissingTableIsOurMistake(t *testing.T) {
	tables := engine.NewTables(t)
	tables.Partners += "-missing"
	s := newStore(t, tables)
	if _, err := s.AccessKey(t.Context(), "4fzyo82mXw3b"); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v, want internal: a missing table is no missing key", err)
	}
	if _, _, err := s.PartnerAndGrant(t.Context(), "northwind", ""); !fault.Is(err, fault.Internal) {
		t.Errorf("got %v, want internal: a missing table is no missing partner", err)
	}
}

func TestStoppedEngineIsUnavailableAndThenBackAgain(t *testing.T) {
	own := dynamotest.Start(t)
	s := own.NewStore(t)
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Status: directory.Active}))
	own.Stop()
	if _, _, err := s.PartnerAndGrant(t.Context(), "northwind", ""); !fault.Is(err, fault.Unavailable) {
		t.Errorf("stopped: got %v, want unavailable", err)
	}
	own.Restart(t)
	if _, _, err := s.PartnerAndGrant(t.Context(), "northwind", ""); err != nil {
		t.Errorf("restarted: %v", err)
	}
}

func TestTableThatDoesNotAnswerIsGivenUpInSeconds(t *testing.T) {
	s, proxy, _ := proxied(t)
	release := make(chan struct{})
	defer close(release)
	proxy.Meddle(func(_ dynamotest.Call, w dynamotest.Answer) bool { <-release; dynamotest.Cut(w); return true })
	begun := time.Now()
	_, err := s.AccessKey(t.Context(), "4fzyo82mXw3b")
	if took := time.Since(begun); !fault.Is(err, fault.Unavailable) || took > 4*time.Second {
		t.Errorf("after %s: %v; want unavailable within 3 s", took, err)
	}
}

func TestUnreadableItemIsOurMistakeAndNotShown(t *testing.T) {
	tables := engine.NewTables(t)
	s, db := newStore(t, tables), engine.Client(t)
	putItem(t, db, tables.Partners, attributes{"pk": "PARTNER#northwind", "sk": "PROFILE", "status": "active"})
	putItem(t, db, tables.Partners, attributes{"pk": "PARTNER#northwind", "sk": "GRANT#acme_retail", "accountId": "acme_retail", "products": []string{}})
	_, g, err := s.PartnerAndGrant(t.Context(), "northwind", "acme_retail")
	if !fault.Is(err, fault.Internal) || g != nil {
		t.Errorf("a grant of no products reads as %+v, %v; it must never be one of all", g, err)
	}
	putItem(t, db, tables.Usage, attributes{"log": "acme_retail#sms", "at": "2026-06-15T12:00:00.000Z#u-1", "recordedAmount": "secret"})
	_, err = s.Log(t.Context(), acmeSMS, usage.Query{Limit: 10, Now: now})
	if !fault.Is(err, fault.Internal) {
		t.Errorf("an unreadable record: got %v, want internal", err)
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells what is stored: %v", err)
	}
}

// A directory file says nothing of plans: to apply one must not end the metering.
func TestAGatewayKeyOutlivesWritesOfItsPartner(t *testing.T) {
	s := engine.NewStore(t)
	key := directory.GatewayKey{ID: "k1", Value: "secret"}
	for _, err := range []error{s.PutGatewayKey(t.Context(), "northwind", key), s.DeleteGatewayKey(t.Context(), "northwind")} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("for a partner that is not there: got %v, want not found", err)
		}
	}
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Name: "Northwind", Status: directory.Active}))
	must(t, s.PutGatewayKey(t.Context(), "northwind", key))
	must(t, s.PutPartner(t.Context(), directory.Partner{ID: "northwind", Name: "North", Status: directory.Suspended}))
	read := func() (id string, value directory.Secret) {
		t.Helper()
		operators, err := s.Partner(t.Context(), "northwind")
		must(t, err)
		listed, _, err := s.PartnerWithGrants(t.Context(), "northwind")
		must(t, err)
		authorizers, _, err := s.PartnerAndGrant(t.Context(), "northwind", "")
		must(t, err)
		if operators.Name != "North" || operators.Status != directory.Suspended || operators.GatewayKey.Value != "" || listed.GatewayKey != operators.GatewayKey || authorizers.GatewayKey.ID != "" {
			t.Errorf("read are %+v, %+v and %+v: the value is the authorizer's alone", operators, listed, authorizers)
		}
		return operators.GatewayKey.ID, authorizers.GatewayKey.Value
	}
	if id, value := read(); id != key.ID || value != key.Value {
		t.Errorf("after another name the gateway key is %q, %q", id, value.Reveal())
	}
	for range 2 {
		must(t, s.DeleteGatewayKey(t.Context(), "northwind"))
	}
	if id, value := read(); id != "" || value != "" {
		t.Errorf("deleted, the gateway key is %q, %q", id, value.Reveal())
	}
}
