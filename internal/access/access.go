// Package access decides who is calling and whether they may see the customer
// that they ask for. It is the authorizer's logic, without Lambda.
//
// It owns the form of access keys, and the order of the questions: is this a key
// at all, is it known and does it match, has it expired or been revoked, is its
// partner active, has the person been removed, is the customer granted and, of a narrowed
// viewer, on its own list too, which of its products may be seen. A token of an OIDC
// issuer answers the first of them; package oidc, below this one, reads it. Every
// question that cannot be answered (the database is down) is an error and never a "no":
// a failure of ours is not told as the caller's fault, and is not remembered as a refusal.
//
// If this package errs, one partner reads another's customers. The rules stand in
// docs/access.md.
package access

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"sync"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

// Store is what a decision is made of.
type Store interface {
	// AccessKey reads a key by its id; fault.NotFound: there is none.
	AccessKey(ctx context.Context, id string) (directory.AccessKey, error)
	// Standing reads what is stored of who asks: the partner and, unless account is
	// empty, its grant of that; and of a viewer, unless that is empty, whether it has an
	// entry, and its own grant. fault.NotFound: there is no such partner.
	Standing(
		ctx context.Context, partner directory.PartnerID, viewer directory.ViewerID, account usage.AccountID,
	) (directory.Standing, error)
	// CustomerProducts reads which products a customer has; fault.NotFound: there
	// is no such customer.
	CustomerProducts(ctx context.Context, account usage.AccountID) ([]usage.Product, error)
}

// Tokens tells whose a bearer token is that is no access key. fault.Unauthenticated:
// it does not count. Any other error: it could not be found out.
type Tokens interface {
	// Verify says whose a token is. The identity's Narrowed is the list that the person
	// would have; whether there is one is not the token's to say.
	Verify(ctx context.Context, token string) (directory.Identity, error)
}

// Guard answers for requests. It may be used by several goroutines.
type Guard struct {
	// Tokens are what counts beside access keys; nil: nothing.
	Tokens Tokens
	// PersonDefault is what a person sees of whom the operator has said nothing; zero: all.
	PersonDefault directory.DefaultAccess
	// Metering tells who is counted; zero: nobody.
	Metering Metering

	store Store
	now   func() time.Time
}

// NewGuard makes a Guard of what is stored and a clock.
func NewGuard(store Store, now func() time.Time) *Guard { return &Guard{store: store, now: now} }

// Decide is a [directory.Decide]. The products of a decision are those that are
// enabled, granted to the partner, and on the viewer's own list where it has one;
// perhaps none.
//
// All is read at once, whether there is a grant or not: a customer of another viewer
// or another partner takes the same reads, and as long, as one that nobody has. A
// partner without a usage plan where there must be one is a fault of ours.
func (g *Guard) Decide(ctx context.Context, authorization string, asked *string) (directory.Decision, error) {
	who, isPerson, err := g.identify(ctx, authorization)
	if err != nil {
		return directory.Decision{}, err
	}
	var account usage.AccountID
	if asked != nil {
		account, _ = usage.ParseAccountID(*asked) // a malformed one is empty, and nobody is granted that
	}
	var enabled []usage.Product
	var noCustomer error
	var reads sync.WaitGroup
	if account != "" {
		reads.Go(func() {
			noCustomer = fault.Caught(func() (err error) {
				enabled, err = g.store.CustomerProducts(ctx, account)
				return err
			})
		})
	}
	stands, err := g.store.Standing(ctx, who.Partner, who.Narrowed, account)
	reads.Wait()
	if fault.Is(err, fault.NotFound) {
		return directory.Decision{}, refuse("the partner of " + who.KeyID + " does not exist")
	}
	if err != nil {
		return directory.Decision{}, err
	}
	if stands.Partner.Status != directory.Active {
		return directory.Decision{}, refuse("partner " + string(stands.Partner.ID) + " is not active")
	}
	if isPerson {
		switch stands.Person {
		case directory.Removed:
			return directory.Decision{}, refuse(who.KeyID + " has been removed")
		case directory.NoEntry:
			stands.Own, who.Narrowed = nil, "" // what stands on a list without its entry was never said
			if g.PersonDefault == directory.SeesNone {
				who.Narrowed = directory.NoList // by which a list of customers is empty too
			}
		}
	}
	gatewayKey, err := g.Metering.keyOf(stands.Partner)
	if err != nil {
		return directory.Decision{}, err
	}
	bare := directory.Viewer{Identity: who} // of no customer
	products, granted := granted(who, account, stands)
	switch {
	case asked == nil:
		return directory.Decision{Viewer: bare, Allowed: true, GatewayKey: gatewayKey}, nil
	case !granted, fault.Is(noCustomer, fault.NotFound): // whatever was found of the customer
		return directory.Decision{Viewer: bare, Allowed: false, GatewayKey: gatewayKey}, nil
	case noCustomer != nil:
		return directory.Decision{}, noCustomer
	}
	viewer := directory.Viewer{Identity: who, Account: account, Products: directory.Visible(enabled, products...)}
	return directory.Decision{Viewer: viewer, Allowed: true, GatewayKey: gatewayKey}, nil
}

// granted reports whether a viewer may see an account, and lists the products that each
// grant it sees it by names: its partner's and, of a narrowed viewer, its own. A grant
// that is somebody else's, or of another account, is none.
func granted(
	who directory.Identity, account usage.AccountID, stands directory.Standing,
) (products [][]usage.Product, granted bool) {
	counts := func(g *directory.Grant, viewer directory.ViewerID) bool {
		return g != nil && g.Partner == who.Partner && g.Viewer == viewer && g.Account == account
	}
	switch {
	case !counts(stands.Grant, ""):
		return nil, false
	case who.Narrowed == "":
		return [][]usage.Product{stands.Grant.Products}, true
	case !counts(stands.Own, who.Narrowed):
		return nil, false
	}
	return [][]usage.Product{stands.Grant.Products, stands.Own.Products}, true
}

// identify says whose the credential of a header is, if it counts now, and whether
// that is a person: whose identity has the list that may be theirs.
func (g *Guard) identify(ctx context.Context, authorization string) (who directory.Identity, isPerson bool, err error) {
	scheme, text, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return directory.Identity{}, false, refuse("no bearer credential")
	}
	text = strings.TrimSpace(text)
	if g.Tokens != nil && !strings.HasPrefix(text, prefix) {
		who, err := g.Tokens.Verify(ctx, text)
		return who, true, err
	}
	key, err := g.key(ctx, text)
	if err != nil {
		return directory.Identity{}, false, err
	}
	who = directory.Identity{Partner: key.Partner, KeyID: key.ID}
	if key.Narrowed {
		who.Narrowed = directory.ViewerID(key.ID)
	}
	return who, false, nil
}

// key finds the access key of a text, if it counts now.
func (g *Guard) key(ctx context.Context, text string) (directory.AccessKey, error) {
	id, hash, ok := parseKey(text)
	if !ok {
		return directory.AccessKey{}, refuse("not an access key")
	}
	key, err := g.store.AccessKey(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return directory.AccessKey{}, refuse("key " + id + " is unknown")
	}
	if err != nil {
		return directory.AccessKey{}, err
	}
	now := g.now()
	switch {
	case subtle.ConstantTimeCompare(key.SecretHash[:], hash[:]) != 1:
		return directory.AccessKey{}, refuse("key " + id + " has another secret")
	case !key.RevokedAt.IsZero():
		return directory.AccessKey{}, refuse("key " + id + " is revoked")
	case !key.ExpiresAt.IsZero() && !now.Before(key.ExpiresAt):
		return directory.AccessKey{}, refuse("key " + id + " has expired")
	}
	return key, nil
}

// refuse makes the error for a credential that does not count; why is for the
// log only.
func refuse(why string) error { return fault.New(fault.Unauthenticated, why, nil) }

// Metering says whether requests are counted by their partner's gateway key: the
// parameter UsagePlans of template.yaml.
type Metering string

const (
	// MeteringOff tells no key.
	MeteringOff Metering = ""
	// MeteringPrepared tells the keys of those that have one. The gateway does not
	// ask for them yet, but it keeps decisions: those that it keeps when it begins
	// to ask must hold the keys already.
	MeteringPrepared Metering = "prepared"
	// MeteringEnforced lets nobody through who cannot be counted.
	MeteringEnforced Metering = "enforced"
)

// ParseMetering reads the parameter's value: "false" or nothing, "prepared", "true".
func ParseMetering(text string) (Metering, error) {
	switch text {
	case "", "false":
		return MeteringOff, nil
	case "prepared":
		return MeteringPrepared, nil
	case "true":
		return MeteringEnforced, nil
	}
	return "", fmt.Errorf("USAGE_PLANS is %q: want false, prepared or true", text)
}

// keyOf is the key that a partner's request is counted by; empty: it is not
// counted. That a partner has no plan is a fault of ours, and the error, which
// is for the log, tells the way out.
func (m Metering) keyOf(p directory.Partner) (directory.Secret, error) {
	if m == MeteringOff {
		return "", nil
	}
	if p.GatewayKey.Value == "" && m == MeteringEnforced {
		why := fmt.Sprintf("partner %s has no usage plan: partnerctl partner set-plan %[1]s bronze --stack NAME", p.ID)
		return "", fault.New(fault.Internal, why, nil)
	}
	return p.GatewayKey.Value, nil
}
