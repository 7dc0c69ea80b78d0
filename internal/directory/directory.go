// Package directory is the vocabulary of who may see whom: partners, their
// access keys, people and grants, and the customers they are granted.
//
// It owns the rules that join these (which products of a customer a grant
// shows, when a key counts, how names are ordered, how they are searched). It does no
// input and no output.
package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// PartnerID names a partner: a lower-case letter or digit, then 1 to 62 of
// a–z 0–9 -, as in "northwind".
type PartnerID string

// ParsePartnerID checks the form of a partner's ID.
func ParsePartnerID(s string) (PartnerID, error) {
	if len(s) < 2 || len(s) > 63 || s[0] == '-' || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", fmt.Errorf("a partner's id is a lower-case letter or digit, then 1 to 62 of a-z 0-9 -")
	}
	return PartnerID(s), nil
}

// PartnerStatus says whether a partner may look at all.
type PartnerStatus string

const (
	Active    PartnerStatus = "active"
	Suspended PartnerStatus = "suspended" // every request of it is refused as unauthenticated
)

// Partner is a reseller.
type Partner struct {
	ID     PartnerID
	Name   string
	Status PartnerStatus
	// GatewayKey counts the partner's requests; zero: it has no usage plan.
	GatewayKey GatewayKey
}

// PartnerSummary is a partner with how much it has.
type PartnerSummary struct {
	Partner
	Customers  int // granted to it
	ActiveKeys int // that are neither revoked nor expired
}

// Grant lets a partner see one customer or, on a viewer's list, lets that viewer of the
// partner see it as far as the partner may.
type Grant struct {
	Partner PartnerID
	// Viewer is whose list the grant stands on; empty: it is the partner's.
	Viewer  ViewerID
	Account usage.AccountID
	// Products narrows the grant; empty grants all that the customer has.
	Products []usage.Product
	// CustomerName is a copy of the customer's name, for order and search.
	CustomerName string
}

// BillingMode says whether a customer pays before or after.
type BillingMode string

const (
	Prepaid  BillingMode = "prepaid"
	Postpaid BillingMode = "postpaid"
)

// Customer is an account of the platform.
type Customer struct {
	Account  usage.AccountID
	Name     string // 1 to 200 characters, any script
	Products []usage.Product
	Currency money.Currency
	Credit   Credit
	TimeZone TimeZone // of its calendar days
	// SubAccounts are the names under which the platform's exports list it.
	SubAccounts []string
}

// Credit is what a customer has left to spend, in the customer's currency.
type Credit struct {
	Mode      BillingMode
	Remaining *decimal.Decimal // nil: unknown
	Limit     *decimal.Decimal // nil: none is known
	AsOf      *time.Time       // when Remaining was true; nil: unknown
}

// Visible lists the products of a customer that grants show: those that are enabled
// and that the products of each grant name, in the order of [usage.Products]. A grant
// that names none shows all.
func Visible(enabled []usage.Product, granted ...[]usage.Product) []usage.Product {
	shown := make([]usage.Product, 0, len(enabled))
	for _, p := range usage.Products() {
		hides := func(named []usage.Product) bool { return len(named) > 0 && !slices.Contains(named, p) }
		if slices.Contains(enabled, p) && !slices.ContainsFunc(granted, hides) {
			shown = append(shown, p)
		}
	}
	return shown
}

// AccessKey is what is kept of a partner's access key: never its secret.
type AccessKey struct {
	ID         string
	Partner    PartnerID
	SecretHash [32]byte // SHA-256 of the secret
	LastFour   string   // the key's last four characters, to tell keys apart by; empty: it is not known
	Label      string
	CreatedAt  time.Time
	Narrowed   bool      // it sees the customers of its own list alone
	ExpiresAt  time.Time // zero: it does not expire
	RevokedAt  time.Time // zero: it is not revoked
}

// JoinProducts writes products as "sms,voice"; none is "".
func JoinProducts(ps []usage.Product) string {
	words := make([]string, len(ps))
	for i, p := range ps {
		words[i] = string(p)
	}
	return strings.Join(words, ",")
}
