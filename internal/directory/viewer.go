package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerview/internal/usage"
)

// ViewerID names who in a partner may have a list of customers of their own: an
// access key by its ID, a person by [PersonID]. The two have different lengths.
type ViewerID string

// PersonID is the ViewerID of whom an OIDC issuer's tokens are made for: the SHA-256,
// in hex, of the issuer, NUL and the subject. It does not tell who that is.
func PersonID(issuer, subject string) ViewerID {
	sum := sha256.Sum256([]byte(issuer + "\x00" + subject))
	return ViewerID(hex.EncodeToString(sum[:]))
}

// IsPerson reports whether a person is meant, and no key.
func (v ViewerID) IsPerson() bool { return len(v) == hex.EncodedLen(sha256.Size) }

// NoList is the ViewerID of who sees no customer at all: nothing is ever kept under it.
const NoList ViewerID = "none"

// TokenKeyID names in logs whom an OIDC issuer's tokens are made for, as
// "oidc-0123456789abcdef": the same each time, and without telling who, since a subject
// may be an address or a name.
func TokenKeyID(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer + "\n" + subject))
	return tokenKeyPrefix + hex.EncodeToString(sum[:8])
}

const tokenKeyPrefix = "oidc-"

// IsTokenKeyID reports whether a key ID is a TokenKeyID, and not an access key's.
func IsTokenKeyID(id string) bool { return strings.HasPrefix(id, tokenKeyPrefix) }

// Identity is what a credential proves: which partner asks, and who of it.
type Identity struct {
	Partner PartnerID
	// KeyID names the credential in logs, and tells no secret: an access key's ID,
	// or "oidc-0123456789abcdef", the same for each token of a person or a program.
	KeyID string
	// Narrowed is whose list of customers bounds what the credential sees: of the
	// partner's customers, those alone that stand on it too. Empty: all of them.
	Narrowed ViewerID
}

// Viewer is who asks, and what may be seen: all that an endpoint knows of its
// caller.
type Viewer struct {
	Identity
	// Account is the customer that the request's path names and the partner was
	// granted; empty on a path that names none.
	Account usage.AccountID
	// Products are those of Account that the viewer may see: enabled, granted, and on
	// the viewer's own list where it has one, when the authorizer decided. Empty: none.
	Products []usage.Product
}

// MaySee reports whether the viewer may see a product of its account.
func (v Viewer) MaySee(p usage.Product) bool { return slices.Contains(v.Products, p) }

// Decision is what the authorizer answers a request with. Refused, its viewer has
// an identity and no account.
type Decision struct {
	Viewer
	// Allowed: the viewer may ask for the path. Not allowed: who asks is known, but
	// the customer of the path is not granted to them, or there is none, or its ID
	// is malformed; the three are not told apart.
	Allowed bool
	// GatewayKey is what the gateway counts the request by, a refused one too;
	// empty: it is not counted. No endpoint is told.
	GatewayKey Secret
}

// Decide decides on a request by the value of its Authorization header ("Bearer
// pvk_…", or a token) and the customer's account that its path names, as it was
// sent; nil: it names none.
//
// fault.Unauthenticated: there is no credential, or it is malformed, unknown,
// expired, revoked or of a suspended partner. Any other error is ours: it could not
// be found out, which is never a refusal. With an error the Decision is zero.
type Decide func(ctx context.Context, authorization string, account *string) (Decision, error)

// Person is somebody of a partner, known by an OIDC issuer, of whom it is said which
// customers they see, or that they see none any more.
type Person struct {
	Partner PartnerID
	Issuer  string // as the token's iss has it
	Subject string // as the token's sub has it: the operator's to see alone, like Name
	Name    string // may be empty
	// CreatedAt is when the entry was first made, RemovedAt since when the person is
	// refused; zero: the person counts.
	CreatedAt, RemovedAt time.Time
}

// ID names the person.
func (p Person) ID() ViewerID { return PersonID(p.Issuer, p.Subject) }

// PersonState is what a decision needs to know of a person's entry.
type PersonState string

const (
	NoEntry PersonState = ""        // nothing is said of the person
	Listed  PersonState = "active"  // sees the customers of a list
	Removed PersonState = "removed" // is refused as unauthenticated
)

// DefaultAccess is what a person sees of whom nothing is said.
type DefaultAccess string

const (
	SeesAll  DefaultAccess = "all"
	SeesNone DefaultAccess = "none"
)

// ParseDefaultAccess reads "all" or "none"; empty is all.
func ParseDefaultAccess(text string) (DefaultAccess, error) {
	switch access := DefaultAccess(text); access {
	case "":
		return SeesAll, nil
	case SeesAll, SeesNone:
		return access, nil
	}
	return "", fmt.Errorf("OIDC_DEFAULT_ACCESS is %q: want all or none", text)
}

// Standing is what a decision on a viewer and an account is made of. A grant is nil
// where there is none.
type Standing struct {
	Partner Partner
	Person  PersonState
	Grant   *Grant // the partner's
	Own     *Grant // on the viewer's list
}

// MaxCounted is how many customers a list is counted to.
const MaxCounted = 1000

// Self is what a viewer is told of itself.
type Self struct {
	PartnerName string
	Label       string // of the access key; empty: it has none, or the viewer is a person
	// Customers counts those that the viewer may see, PartnerCustomers its partner's; nil:
	// they are more than MaxCounted, or their names too long to count them at once.
	Customers, PartnerCustomers *int
}
