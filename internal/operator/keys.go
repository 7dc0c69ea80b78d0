package operator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/usage"
)

const maxLabel = 100

// Expiry says when a key ends: at a time or, where that is zero, after a length
// of time. The zero Expiry is never.
type Expiry struct {
	At    time.Time
	After time.Duration
}

// from is the end, in milliseconds, of what begins now; zero: none.
func (e Expiry) from(now time.Time) time.Time {
	if e.At.IsZero() && e.After != 0 {
		e.At = now.Add(e.After)
	}
	return e.At.UTC().Truncate(time.Millisecond)
}

// CreateKey makes an access key for a partner. The text is the key itself, to be
// handed to the partner; it is not stored and cannot be told again. The label is
// for the operator, up to 100 characters, and may be empty.
//
// UserError: there is no such partner, or the label or the end cannot be.
func (o *Operator) CreateKey(
	ctx context.Context, partner directory.PartnerID, label string, expires Expiry,
) (text string, key directory.AccessKey, err error) {
	text, key, err = o.newKey(ctx, partner, label, expires)
	if err == nil {
		err = o.putKey(ctx, key)
	}
	if err != nil {
		return "", key, err
	}
	return text, key, nil
}

func (o *Operator) putKey(ctx context.Context, key directory.AccessKey) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return o.store.PutAccessKey(ctx, key)
}

// newKey makes a key that is not stored yet.
func (o *Operator) newKey(
	ctx context.Context, partner directory.PartnerID, label string, expires Expiry,
) (text string, key directory.AccessKey, err error) {
	if utf8.RuneCountInString(label) > maxLabel || !utf8.ValidString(label) ||
		strings.ContainsFunc(label, unicode.IsControl) {
		return "", key, userErrorf("a key's label has at most %d characters, none of them a control character",
			maxLabel)
	}
	now := o.now().UTC().Truncate(time.Millisecond)
	end := expires.from(now)
	if !end.IsZero() && !end.After(now) {
		return "", key, userErrorf("a key that ends at %s would never be valid: give a later time, "+
			"or how long it is valid, such as 90d", usage.FormatTime(end))
	}
	if _, err := o.existing(ctx, partner); err != nil {
		return "", key, err
	}
	text, id, hash, err := access.NewKey(o.random)
	if err != nil {
		return "", key, err
	}
	return text, directory.AccessKey{ID: id, Partner: partner, SecretHash: hash, LastFour: text[len(text)-4:],
		Label: label, CreatedAt: now, ExpiresAt: end}, nil
}

// ListKeys lists a partner's access keys by the time of their making, those that
// have expired or been revoked too. UserError: there is no such partner.
func (o *Operator) ListKeys(ctx context.Context, partner directory.PartnerID) ([]directory.AccessKey, error) {
	if _, err := o.existing(ctx, partner); err != nil {
		return nil, err
	}
	return o.store.AccessKeys(ctx, partner)
}

// RevokeKey makes a key count no longer. It may be repeated, and the key keeps
// the time of the first. The authorizer's answers are cached: access ends within
// AuthorizerTtlSeconds of template.yaml. UserError: there is no such key.
func (o *Operator) RevokeKey(ctx context.Context, id string) (directory.AccessKey, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	key, err := o.store.RevokeAccessKey(ctx, id, o.now())
	return key, unknownKey(id, err)
}

// unknownKey tells of a key that is not found.
func unknownKey(id string, err error) error {
	if fault.Is(err, fault.NotFound) {
		return userErrorf("there is no key %q: partnerctl key list shows a partner's", id)
	}
	return err
}

// StateOf says whether a key counts now: "active", "expired" or "revoked". A
// suspended partner's keys do not count, whatever their state.
func (o *Operator) StateOf(k directory.AccessKey) string {
	switch {
	case !k.RevokedAt.IsZero():
		return "revoked"
	case !k.ExpiresAt.IsZero() && !o.now().Before(k.ExpiresAt):
		return "expired"
	}
	return "active"
}

// existing reads a partner. UserError: there is no such partner.
func (o *Operator) existing(ctx context.Context, partner directory.PartnerID) (directory.Partner, error) {
	stored, err := o.store.Partner(ctx, partner)
	if fault.Is(err, fault.NotFound) {
		return stored, unknownPartner(partner)
	}
	return stored, err
}

// Rotation is a new access key in place of an old one.
type Rotation struct {
	Text string // the new key itself, which cannot be told again
	New  directory.AccessKey
	Old  directory.AccessKey // with the time when it ends
}

// RotateAs says what a rotation makes of two keys.
type RotateAs struct {
	Overlap time.Duration // that the old key counts on; 0 ends it now
	Expires Expiry        // the new key; zero: as long as the old one was made for
	Label   string        // of the new key; empty: that of the old one
}

// RotateKey makes a new access key for the partner of an old one, and ends the
// old one after an overlap, or when it would have ended anyway. The new key sees what the
// old one does: of a narrowed key it has the list.
//
// The new key is made first, and its list is complete before the old one ends: interrupted, or with an
// error and a Text, both count, and the old one has to be ended. UserError: there is no such key, it does
// not count any more, or the overlap, label or end cannot be.
func (o *Operator) RotateKey(ctx context.Context, id string, as RotateAs) (r Rotation, err error) {
	if r.Old, err = o.FindKey(ctx, id); err != nil {
		return r, err
	}
	if state := o.StateOf(r.Old); state != "active" {
		return r, userErrorf("the key %s is %s already, so there is nothing to overlap: "+
			"make a new one with partnerctl key create --partner %s", id, state, r.Old.Partner)
	}
	if as.Overlap < 0 {
		return r, UserError("an overlap cannot be negative: give a length of time such as 24h, " +
			"or 0s to end the old key now")
	}
	if as.Expires == (Expiry{}) && !r.Old.ExpiresAt.IsZero() && !r.Old.CreatedAt.IsZero() {
		as.Expires.After = r.Old.ExpiresAt.Sub(r.Old.CreatedAt)
	}
	text, key, err := o.newKey(ctx, r.Old.Partner, cmp.Or(as.Label, r.Old.Label), as.Expires)
	if err != nil {
		return r, err
	}
	if key.Narrowed = r.Old.Narrowed; key.Narrowed {
		err = o.handOnList(ctx, key, id)
	} else {
		err = o.putKey(ctx, key)
	}
	if err != nil {
		return r, err
	}
	r.Text, r.New = text, key
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	ended, err := o.store.ExpireAccessKey(ctx, id, o.now().UTC().Add(as.Overlap).Truncate(time.Millisecond))
	if err != nil {
		return r, fmt.Errorf("the new key is valid, but the old one does not end: "+
			"when the new one is in use, partnerctl key revoke %s: %w", id, err)
	}
	r.Old = ended
	return r, nil
}

// FindKey reads what is kept of a key. UserError: there is no such key.
func (o *Operator) FindKey(ctx context.Context, id string) (directory.AccessKey, error) {
	key, err := o.store.GetAccessKey(ctx, id)
	return key, unknownKey(id, err)
}

// OwnedKey is a key with the state of the partner that it belongs to; empty where
// there is no such partner any more.
type OwnedKey struct {
	Key    directory.AccessKey
	Status directory.PartnerStatus
}

// KeyAndOwner reads a key and whether its partner may look at all, and reports
// whether there is such a key.
func (o *Operator) KeyAndOwner(ctx context.Context, id string) (k OwnedKey, exists bool, err error) {
	if k.Key, err = o.store.GetAccessKey(ctx, id); err != nil {
		return k, false, unlessNotFound(err)
	}
	partner, err := o.store.Partner(ctx, k.Key.Partner)
	k.Status = partner.Status
	return k, true, unlessNotFound(err)
}

// KeysToRevoke lists those of a partner's keys that are not revoked, expired or
// not. UserError: there is no such partner.
func (o *Operator) KeysToRevoke(ctx context.Context, partner directory.PartnerID) ([]directory.AccessKey, error) {
	keys, err := o.ListKeys(ctx, partner)
	return slices.DeleteFunc(keys, func(k directory.AccessKey) bool { return !k.RevokedAt.IsZero() }), err
}

// Gateway is what knows the usage plans of a stack, and which partner's key is in
// which: API Gateway's control plane. A partner's key is in one plan at most;
// API Gateway refuses a second one of the same stage.
type Gateway interface {
	// FindKey finds a partner's key: by its id, or, where that is empty or finds
	// nothing, by the name that MakeKey gave it. NotFound: there is none.
	FindKey(ctx context.Context, partner directory.PartnerID, id string) (directory.GatewayKey, error)
	// MakeKey makes a key for a partner. It is in no plan yet.
	MakeKey(ctx context.Context, partner directory.PartnerID) (directory.GatewayKey, error)
	// DeleteKey deletes a key. It is no error if there is none.
	DeleteKey(ctx context.Context, id string) error
	// PlansOf lists the plans that a key is in.
	PlansOf(ctx context.Context, id string) ([]directory.Plan, error)
	// Join puts a key that is in no plan into one. It is no error if it is in that.
	Join(ctx context.Context, plan directory.Plan, id string) error
	// Leave takes a key out of a plan. It is no error if it is not in it.
	Leave(ctx context.Context, plan directory.Plan, id string) error
}

// SetPlan puts a partner into a plan, and tells the one that it was in before;
// empty: none. It may be interrupted anywhere and repeated, and mends what is
// half done or was deleted by hand.
//
// A key is stored only once it is in a plan, and a move goes out of one plan and
// into the other: a request that finds the key in neither is refused by API
// Gateway with a 503 and never passes uncounted. Those two calls are not parted by an interrupt.
//
// UserError: there is no such partner.
func (o *Operator) SetPlan(
	ctx context.Context, g Gateway, partner directory.PartnerID, plan directory.Plan,
) (before directory.Plan, err error) {
	stored, err := o.existing(ctx, partner)
	if err != nil {
		return "", err
	}
	key, err := g.FindKey(ctx, partner, stored.GatewayKey.ID)
	if fault.Is(err, fault.NotFound) {
		key, err = g.MakeKey(ctx, partner)
	}
	if err != nil {
		return "", err
	}
	plans, err := g.PlansOf(ctx, key.ID)
	if err != nil {
		return "", err
	}
	if !slices.Equal(plans, []directory.Plan{plan}) {
		if before, err = move(ctx, g, key.ID, plans, plan); err != nil {
			return "", fmt.Errorf("%s may be in no plan until this command is run again: %w", partner, err)
		}
	} else {
		before = plan
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return before, o.store.PutGatewayKey(ctx, partner, key)
}

// move takes a key out of the plans that it is in, and puts it into another.
func move(
	ctx context.Context, g Gateway, id string, from []directory.Plan, to directory.Plan,
) (before directory.Plan, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	for _, plan := range from {
		if plan == to {
			continue
		}
		before = plan
		if err := g.Leave(ctx, plan, id); err != nil {
			return "", err
		}
	}
	return before, g.Join(ctx, to, id)
}

// LeavePlans takes a partner out of its plan and deletes its key, and tells the
// plan that it was in; empty: none. Where plans are enforced, the partner is
// refused from then on. It may be interrupted anywhere and repeated. UserError:
// there is no such partner.
func (o *Operator) LeavePlans(
	ctx context.Context, g Gateway, partner directory.PartnerID,
) (before directory.Plan, err error) {
	stored, err := o.existing(ctx, partner)
	if err != nil {
		return "", err
	}
	key, err := g.FindKey(ctx, partner, stored.GatewayKey.ID)
	if unlessNotFound(err) != nil {
		return "", err
	}
	write, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := o.store.DeleteGatewayKey(write, partner); err != nil {
		return "", err
	}
	if key.ID == "" {
		return "", nil
	}
	plans, err := g.PlansOf(ctx, key.ID)
	if err != nil {
		return "", err
	}
	for _, plan := range plans {
		before = plan
		if err := g.Leave(ctx, plan, key.ID); err != nil {
			return "", err
		}
	}
	return before, g.DeleteKey(ctx, key.ID)
}
