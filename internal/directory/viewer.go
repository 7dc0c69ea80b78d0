package directory

import (
	"context"
	"slices"

	"partnerview/internal/usage"
)

// Identity is what a credential proves: which partner asks, and by which key.
type Identity struct {
	Partner PartnerID
	// KeyID names the credential in logs, and tells no secret: an access key's ID,
	// or "oidc-0123456789abcdef", the same for each token of a person or a program.
	KeyID string
}

// Viewer is who asks, and what may be seen: all that an endpoint knows of its
// caller.
type Viewer struct {
	Identity
	// Account is the customer that the request's path names and the partner was
	// granted; empty on a path that names none.
	Account usage.AccountID
	// Products are those of Account that the viewer may see: both enabled and
	// granted when the authorizer decided. Empty: none.
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
