package access_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

var engine dynamotest.Engine

func TestMain(m *testing.M) { os.Exit(engine.Run(m)) }

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return now }

// world is two active partners and a suspended one. northwind sees acme_retail
// whole, blue.sky narrowed to voice, and is granted a customer that is gone;
// southbank sees only other&co.
func world(t *testing.T) (store *dynamo.Store, key func(directory.AccessKey) string) {
	t.Helper()
	store = engine.NewStore(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	must(store.PutPartner(ctx, directory.Partner{ID: "northwind", Name: "Northwind", Status: directory.Active}))
	must(store.PutPartner(ctx, directory.Partner{ID: "southbank", Name: "Southbank", Status: directory.Active}))
	must(store.PutPartner(ctx, directory.Partner{ID: "eastgate", Name: "Eastgate", Status: directory.Suspended}))
	must(store.PutGrant(ctx, directory.Grant{Partner: "northwind", Account: "acme_retail", CustomerName: "Acme"}))
	must(store.PutGrant(ctx, directory.Grant{Partner: "northwind", Account: "blue.sky", CustomerName: "Blue Sky", Products: []usage.Product{usage.Voice}}))
	must(store.PutGrant(ctx, directory.Grant{Partner: "southbank", Account: "other&co", CustomerName: "Other"}))
	must(store.PutGrant(ctx, directory.Grant{Partner: "eastgate", Account: "acme_retail", CustomerName: "Acme"}))
	must(store.PutGrant(ctx, directory.Grant{Partner: "northwind", Account: "is_gone", CustomerName: "Gone"}))
	for account, products := range map[usage.AccountID][]usage.Product{
		"acme_retail": {usage.Messaging, usage.SMS}, "blue.sky": usage.Products(), "other&co": {usage.SMS}, "nobodys_own": {usage.SMS},
	} {
		must(store.PutCustomer(ctx, directory.Customer{Account: account, Name: "C", Currency: "EUR", Products: products, Credit: directory.Credit{Mode: directory.Postpaid}}))
	}
	return store, func(k directory.AccessKey) string {
		t.Helper()
		text, id, hash, err := access.NewKey(rand.Reader)
		must(err)
		k.ID, k.SecretHash, k.CreatedAt = id, hash, now.Add(-time.Hour)
		must(store.PutAccessKey(ctx, k))
		return text
	}
}

// asking is a request, and what becomes of it: allowed, refused as a credential that
// does not count, or neither: who asks is known, and may not see the customer.
type asking struct {
	header           string
	account          *string
	allowed, refused bool
}

func of(account string) *string { return &account }

// decides holds a guard to what becomes of requests that are all of northwind's, where
// they are anybody's.
func decides(t *testing.T, guard *access.Guard, requests map[string]asking) {
	t.Helper()
	for claim, c := range requests {
		t.Run(claim, func(t *testing.T) {
			d, err := guard.Decide(t.Context(), c.header, c.account)
			if d.Allowed && !c.allowed {
				t.Fatalf("whoever sends this reads %s as the partner %q", whose(c.account), d.Partner)
			}
			if c.refused {
				if !fault.Is(err, fault.Unauthenticated) || d.Partner != "" {
					t.Fatalf("got %+v, %v; want a refusal that tells nothing", d, err)
				}
				if strings.Contains(err.Error(), "pvk_") || strings.Contains(err.Error(), "eyJ") {
					t.Errorf("the log's text holds a credential: %v", err)
				}
				return
			}
			if err != nil || d.Allowed != c.allowed || d.Partner != "northwind" || d.KeyID == "" {
				t.Fatalf("got %+v, %v; want a key of northwind, allowed %v", d, err, c.allowed)
			}
			if c.account != nil && d.Allowed && string(d.Account) != *c.account || !d.Allowed && d.Account != "" {
				t.Errorf("the viewer's account is %q", d.Account)
			}
		})
	}
}

func TestDecide(t *testing.T) {
	store, key := world(t)
	guard := access.NewGuard(store, clock)
	north := key(directory.AccessKey{Partner: "northwind"})
	other := key(directory.AccessKey{Partner: "northwind"})
	// mixed is a good key's id with another key's secret, and a checksum that fits.
	mixed, err := access.Reseal(north[:17] + other[17:len(other)-6])
	if err != nil {
		t.Fatal(err)
	}
	decides(t, guard, map[string]asking{
		"a partner may list its customers":               {header: "Bearer " + north, allowed: true},
		"the scheme's case does not matter":              {header: "bearer " + north, allowed: true},
		"a partner may see a granted customer":           {header: "Bearer " + north, account: of("acme_retail"), allowed: true},
		"a partner may not see another's customer":       {header: "Bearer " + north, account: of("other&co")},
		"a customer that does not exist is the same":     {header: "Bearer " + north, account: of("nobody")},
		"and so is one that is gone, granted or not":     {header: "Bearer " + north, account: of("is_gone")},
		"and so is a malformed account":                  {header: "Bearer " + north, account: of("x")},
		"an account is not matched by its case":          {header: "Bearer " + north, account: of("ACME_RETAIL")},
		"an account with a wildcard is nobody's":         {header: "Bearer " + north, account: of("*")},
		"an empty account is not the list":               {header: "Bearer " + north, account: of("")},
		"a grant's key is not an account":                {header: "Bearer " + north, account: of("PROFILE")},
		"a key that expires later counts":                {header: "Bearer " + key(directory.AccessKey{Partner: "northwind", ExpiresAt: now.Add(time.Millisecond)}), allowed: true},
		"a key that expires now does not":                {header: "Bearer " + key(directory.AccessKey{Partner: "northwind", ExpiresAt: now}), refused: true},
		"a revoked key does not count":                   {header: "Bearer " + key(directory.AccessKey{Partner: "northwind", RevokedAt: now.Add(-time.Second)}), refused: true},
		"a suspended partner is refused, granted or not": {header: "Bearer " + key(directory.AccessKey{Partner: "eastgate"}), account: of("acme_retail"), refused: true},
		"a key of a partner that is gone does not count": {header: "Bearer " + key(directory.AccessKey{Partner: "gone"}), refused: true},
		"another key's secret does not open this one":    {header: "Bearer " + mixed, refused: true},
		"no credential is refused":                       {header: "", refused: true},
		"a bare key is refused":                          {header: north, refused: true},
		"another scheme is refused":                      {header: "Basic " + north, refused: true},
		"two keys in one header are refused":             {header: "Bearer " + north + ", Bearer " + north, refused: true},
		"a well-formed key that nobody has is refused":   {header: "Bearer " + fresh(t), refused: true},
		"a malformed account does not save a bad key":    {header: "Bearer junk", account: of("x"), refused: true},
	})
}

// whose says which data a request is after.
func whose(account *string) string {
	if account == nil {
		return "the list of customers"
	}
	return "the data of the customer " + *account
}

// What a viewer may see is said product by product: those that the customer has and
// the grant names, and never more where either of them is empty.
func TestTheProductsAreThoseThatAreEnabledAndGranted(t *testing.T) {
	store, key := world(t)
	header := "Bearer " + key(directory.AccessKey{Partner: "northwind"})
	sms, voice, video := usage.SMS, usage.Voice, usage.Video
	for claim, c := range map[string]struct{ enabled, granted, want []usage.Product }{
		"a grant that names none grants all that there are": {[]usage.Product{voice, sms}, nil, []usage.Product{sms, voice}},
		"a narrowed grant shows what it names":              {usage.Products(), []usage.Product{voice}, []usage.Product{voice}},
		"what is granted and not enabled is not shown":      {[]usage.Product{sms}, []usage.Product{sms, video}, []usage.Product{sms}},
		"nothing in common is nothing, not all":             {[]usage.Product{sms}, []usage.Product{video}, nil},
		"a customer without products shows none":            {nil, nil, nil},
	} {
		t.Run(claim, func(t *testing.T) {
			for _, err := range []error{
				store.PutCustomer(t.Context(), directory.Customer{Account: "a_customer", Name: "C", Currency: "EUR", Products: c.enabled, Credit: directory.Credit{Mode: directory.Postpaid}}),
				store.PutGrant(t.Context(), directory.Grant{Partner: "northwind", Account: "a_customer", CustomerName: "C", Products: c.granted}),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			account := "a_customer"
			d, err := access.NewGuard(store, clock).Decide(t.Context(), header, &account)
			if err != nil || !d.Allowed || !slices.Equal(d.Products, c.want) {
				t.Errorf("enabled %v, granted %v: %+v, %v; want %v", c.enabled, c.granted, d, err, c.want)
			}
		})
	}
}

// Which of them is the case must not show in what is read, nor in when. A customer
// that is another's is read as one that nobody has is, beside the grant and not
// after it, and what is wrong with it is not told.
func TestACustomerThatIsNotGrantedIsReadLikeOneThatThereIsNot(t *testing.T) {
	store, key := world(t)
	header := "Bearer " + key(directory.AccessKey{Partner: "northwind"})
	for claim, c := range map[string]struct {
		account, broken string
	}{
		"another's": {"other&co", ""}, "nobody's": {"nobodys_own", ""}, "not there": {"not_there", ""},
		"granted and gone": {"is_gone", ""}, "another's, and what is stored of it is bad": {"other&co", "customer"},
	} {
		t.Run(claim, func(t *testing.T) {
			counted, reads := counting(failing(store, c.broken))
			d, err := access.NewGuard(counted, clock).Decide(t.Context(), header, &c.account)
			if d.Allowed || err != nil || d.Account != "" || d.Products != nil || reads.Load() != 3 {
				t.Errorf("got %+v, %v after %d reads; want a refusal after 3", d, err, reads.Load())
			}
		})
	}
}

// The grant and the customer are asked for at the same time: a decision is two
// round trips deep. Each waits here until the other has begun.
func TestTheGrantAndTheCustomerAreReadAtTheSameTime(t *testing.T) {
	store, key := world(t)
	account := "acme_retail"
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	met := make(chan struct{})
	together := tapped{store, func(ctx context.Context, what string) error {
		if what == "key" {
			return nil
		}
		select {
		case met <- struct{}{}: // either meets the other
		case <-met:
		case <-ctx.Done():
		}
		return ctx.Err()
	}}
	if d, err := access.NewGuard(together, clock).Decide(ctx, "Bearer "+key(directory.AccessKey{Partner: "northwind"}), &account); !d.Allowed || err != nil {
		t.Errorf("allowed %v, %v: one is read after the other", d.Allowed, err)
	}
}

// A database that does not answer must be an error and not a "no": a refusal
// is told as the caller's fault, and is cached.
func TestADatabaseThatFailsIsNoRefusal(t *testing.T) {
	store, key := world(t)
	header := "Bearer " + key(directory.AccessKey{Partner: "northwind"})
	account := "acme_retail"
	for _, broken := range []string{"key", "grant", "customer"} {
		t.Run(broken, func(t *testing.T) {
			d, err := access.NewGuard(failing(store, broken), clock).Decide(t.Context(), header, &account)
			if d.Allowed || !fault.Is(err, fault.Unavailable) {
				t.Errorf("got allowed %v, %v; want unavailable", d.Allowed, err)
			}
		})
	}
}

// A store that answers with another account's grant, or another partner's, must
// not open this one.
func TestAGrantForSomethingElseDoesNotCount(t *testing.T) {
	store, key := world(t)
	header := "Bearer " + key(directory.AccessKey{Partner: "northwind"})
	account := "other&co"
	for _, wrong := range []directory.Grant{{Partner: "northwind", Account: "acme_retail"}, {Partner: "southbank", Account: "other&co"}} {
		d, err := access.NewGuard(confused{store, wrong}, clock).Decide(t.Context(), header, &account)
		if d.Allowed || err != nil {
			t.Errorf("northwind sees other&co through the grant %+v: %v", wrong, err)
		}
	}
}

func fresh(t *testing.T) string {
	text, _, _, err := access.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What is no key is told by its form and its checksum: nobody can make the
// database work by sending junk.
func TestWhatIsNoKeyIsRefusedWithoutARead(t *testing.T) {
	store, key := world(t)
	good := key(directory.AccessKey{Partner: "northwind"})
	other := byte('0')
	if good[len(good)-1] == other {
		other = '1'
	}
	account := "acme_retail"
	for claim, c := range map[string]struct {
		header string
		reads  int32
	}{
		"a good key costs three reads":            {"Bearer " + good, 3},
		"a well-formed key that nobody has, one":  {"Bearer " + fresh(t), 1},
		"a checksum that is wrong, none":          {"Bearer " + good[:len(good)-1] + string(other), 0},
		"a secret that was mistyped, none":        {"Bearer " + good[:20] + "_" + good[21:], 0},
		"a key that was cut off, none":            {"Bearer " + good[:len(good)-1], 0},
		"a key with something behind it, none":    {"Bearer " + good + "x", 0},
		"a key's id alone, none":                  {"Bearer " + good[4:16], 0},
		"another credential, none":                {"Bearer eyJhbGciOiJub25lIn0.e30.", 0},
		"no credential, none":                     {"", 0},
		"a good key under another scheme, none":   {"Basic " + good, 0},
		"a prefix of another product's key, none": {"Bearer sk_" + good[4:], 0},
	} {
		t.Run(claim, func(t *testing.T) {
			counted, reads := counting(store)
			d, err := access.NewGuard(counted, clock).Decide(t.Context(), c.header, &account)
			if reads.Load() != c.reads || d.Allowed != (c.reads == 3) || (err == nil) != d.Allowed {
				t.Errorf("allowed %v, %v after %d reads; want %d", d.Allowed, err, reads.Load(), c.reads)
			}
		})
	}
}

// tapped is a store that does something before each read, of the "key", the "grant" or
// the "customer"; an error of it is the read's.
type tapped struct {
	access.Store
	before func(ctx context.Context, what string) error
}

func (s tapped) CustomerProducts(ctx context.Context, account usage.AccountID) ([]usage.Product, error) {
	if err := s.before(ctx, "customer"); err != nil {
		return nil, err
	}
	return s.Store.CustomerProducts(ctx, account)
}

func (s tapped) AccessKey(ctx context.Context, id string) (directory.AccessKey, error) {
	if err := s.before(ctx, "key"); err != nil {
		return directory.AccessKey{}, err
	}
	return s.Store.AccessKey(ctx, id)
}

func (s tapped) Standing(ctx context.Context, id directory.PartnerID, viewer directory.ViewerID, account usage.AccountID) (directory.Standing, error) {
	if err := s.before(ctx, "grant"); err != nil {
		return directory.Standing{}, err
	}
	return s.Store.Standing(ctx, id, viewer, account)
}

// failing is a database that does not answer one of the reads.
func failing(store access.Store, broken string) access.Store {
	return tapped{store, func(_ context.Context, what string) error {
		if what == broken {
			return fault.New(fault.Unavailable, "test", errors.New("down"))
		}
		return nil
	}}
}

// counting is a store whose reads are counted.
func counting(store access.Store) (access.Store, *atomic.Int32) {
	reads := new(atomic.Int32)
	return tapped{store, func(context.Context, string) error { reads.Add(1); return nil }}, reads
}

// confused injects a store that answers with the wrong grant.
type confused struct {
	access.Store
	grant directory.Grant
}

func (c confused) Standing(ctx context.Context, id directory.PartnerID, viewer directory.ViewerID, account usage.AccountID) (directory.Standing, error) {
	stands, err := c.Store.Standing(ctx, id, viewer, account)
	stands.Grant = &c.grant
	return stands, err
}
