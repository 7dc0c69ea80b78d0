package operator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
)

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
// old one after an overlap, or when it would have ended anyway.
//
// The new key is made first: interrupted, or with an error and a Text, both
// count, and the old one has to be ended. Refusal: there is no such key, it does
// not count any more, or the overlap, label or end cannot be.
func (o *Operator) RotateKey(ctx context.Context, id string, as RotateAs) (r Rotation, err error) {
	if r.Old, err = o.FindKey(ctx, id); err != nil {
		return r, err
	}
	if state := o.StateOf(r.Old); state != "active" {
		return r, Refusal(fmt.Sprintf("the key %s is %s already, so there is nothing to overlap: make a new one with partnerctl key create --partner %s", id, state, r.Old.Partner))
	}
	if as.Overlap < 0 {
		return r, Refusal("an overlap cannot be negative: give a length of time such as 24h, or 0s to end the old key now")
	}
	if as.Expires == (Expiry{}) && !r.Old.ExpiresAt.IsZero() && !r.Old.CreatedAt.IsZero() {
		as.Expires.After = r.Old.ExpiresAt.Sub(r.Old.CreatedAt)
	}
	if r.Text, r.New, err = o.CreateKey(ctx, r.Old.Partner, cmp.Or(as.Label, r.Old.Label), as.Expires); err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ended, err := o.store.ExpireAccessKey(ctx, id, o.now().UTC().Add(as.Overlap).Truncate(time.Millisecond))
	if err != nil {
		return r, fmt.Errorf("the new key counts, but the old one does not end: when the new one is in use, partnerctl key revoke %s: %w", id, err)
	}
	r.Old = ended
	return r, nil
}

// FindKey reads what is kept of a key. Refusal: there is no such key.
func (o *Operator) FindKey(ctx context.Context, id string) (directory.AccessKey, error) {
	key, err := o.store.AccessKeyInFull(ctx, id)
	return key, unknownKey(id, err)
}

// OwnedKey is a key with the state of the partner that it belongs to; empty where
// there is no such partner any more.
type OwnedKey struct {
	Key    directory.AccessKey
	Status directory.PartnerStatus
}

// KeyAndOwner reads a key and whether its partner may look at all, and tells
// whether there is such a key.
func (o *Operator) KeyAndOwner(ctx context.Context, id string) (k OwnedKey, exists bool, err error) {
	k.Key, err = o.store.AccessKeyInFull(ctx, id)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return k, false, err
	}
	partner, err := o.store.Partner(ctx, k.Key.Partner)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return k, false, err
	}
	k.Status = partner.Status
	return k, true, nil
}

// KeysToRevoke lists those of a partner's keys that are not revoked, expired or
// not. Refusal: there is no such partner.
func (o *Operator) KeysToRevoke(ctx context.Context, partner directory.PartnerID) ([]directory.AccessKey, error) {
	keys, err := o.ListKeys(ctx, partner)
	return slices.DeleteFunc(keys, func(k directory.AccessKey) bool { return !k.RevokedAt.IsZero() }), err
}
