// Package access decides who is calling and whether they may see the customer
// that they ask for. It is the authorizer's logic, without Lambda.
//
// It owns the form of access keys, and the order of the questions: is this a key
// at all, is it known and does it match, has it expired or been revoked, is its
// partner active, is the customer granted, which of its products may be seen. A
// token of an OIDC issuer answers all but the last three of them; package oidc, below
// this one, reads it. Every question that cannot be answered (the database is down) is
// an error and never a "no": a failure of ours is not
// told as the caller's fault, and is not remembered as a refusal.
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
	// PartnerAndGrant reads a partner and its grant of an account; the grant is
	// nil where there is none or account is empty. fault.NotFound: there is no
	// such partner.
	PartnerAndGrant(
		ctx context.Context, id directory.PartnerID, account usage.AccountID,
	) (directory.Partner, *directory.Grant, error)
	// CustomerProducts reads which products a customer has; fault.NotFound: there
	// is no such customer.
	CustomerProducts(ctx context.Context, account usage.AccountID) ([]usage.Product, error)
}

// Tokens tells whose a bearer token is that is no access key. fault.Unauthenticated:
// it does not count. Any other error: it could not be found out.
type Tokens interface {
	Verify(ctx context.Context, token string) (directory.Identity, error)
}

// Guard answers for requests. It may be used by several goroutines.
type Guard struct {
	// Tokens are what counts beside access keys; nil: nothing.
	Tokens Tokens
	// Metering tells who is counted; zero: nobody.
	Metering Metering

	store Store
	now   func() time.Time
}

// NewGuard makes a Guard of what is stored and a clock.
func NewGuard(store Store, now func() time.Time) *Guard { return &Guard{store: store, now: now} }

// Decide is a [directory.Decide]. The products of a decision are those that are
// both enabled and granted, perhaps none.
//
// The customer is read beside the grant, whether there is a grant or not: another
// partner's customer takes the same reads, and as long, as one that nobody has. A
// partner without a usage plan where there must be one is a fault of ours.
func (g *Guard) Decide(ctx context.Context, authorization string, asked *string) (directory.Decision, error) {
	who, err := g.identify(ctx, authorization)
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
	partner, grant, err := g.store.PartnerAndGrant(ctx, who.Partner, account)
	reads.Wait()
	if fault.Is(err, fault.NotFound) {
		return directory.Decision{}, refuse("the partner of " + who.KeyID + " does not exist")
	}
	if err != nil {
		return directory.Decision{}, err
	}
	if partner.Status != directory.Active {
		return directory.Decision{}, refuse("partner " + string(partner.ID) + " is not active")
	}
	gatewayKey, err := g.Metering.keyOf(partner)
	if err != nil {
		return directory.Decision{}, err
	}
	bare := directory.Viewer{Identity: who} // of no customer
	switch {
	case asked == nil:
		return directory.Decision{Viewer: bare, Allowed: true, GatewayKey: gatewayKey}, nil
	case grant == nil || grant.Account != account || grant.Partner != who.Partner, // whatever was found of the customer
		fault.Is(noCustomer, fault.NotFound):
		return directory.Decision{Viewer: bare, Allowed: false, GatewayKey: gatewayKey}, nil
	case noCustomer != nil:
		return directory.Decision{}, noCustomer
	}
	viewer := directory.Viewer{Identity: who, Account: account, Products: directory.Visible(enabled, grant.Products)}
	return directory.Decision{Viewer: viewer, Allowed: true, GatewayKey: gatewayKey}, nil
}

// identify says whose the credential of a header is, if it counts now.
func (g *Guard) identify(ctx context.Context, authorization string) (directory.Identity, error) {
	scheme, text, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return directory.Identity{}, refuse("no bearer credential")
	}
	text = strings.TrimSpace(text)
	if g.Tokens != nil && !strings.HasPrefix(text, prefix) {
		return g.Tokens.Verify(ctx, text)
	}
	key, err := g.key(ctx, text)
	if err != nil {
		return directory.Identity{}, err
	}
	return directory.Identity{Partner: key.Partner, KeyID: key.ID}, nil
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
