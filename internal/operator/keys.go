package operator

import (
	"context"
	"fmt"
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
// Refusal: there is no such partner, or the label or the end cannot be.
func (o *Operator) CreateKey(ctx context.Context, partner directory.PartnerID, label string, expires Expiry) (text string, key directory.AccessKey, err error) {
	switch {
	case utf8.RuneCountInString(label) > maxLabel || !utf8.ValidString(label) || strings.ContainsFunc(label, unicode.IsControl):
		return "", key, Refusal(fmt.Sprintf("a key's label has at most %d characters, none of them a control character", maxLabel))
	}
	now := o.now().UTC().Truncate(time.Millisecond)
	end := expires.from(now)
	if !end.IsZero() && !end.After(now) {
		return "", key, Refusal(fmt.Sprintf("a key that ends at %s would never count: give a later time, or how long it counts, as 90d", usage.FormatTime(end)))
	}
	if err := o.mustExist(ctx, partner); err != nil {
		return "", key, err
	}
	text, id, hash, err := access.NewKey(o.random)
	if err != nil {
		return "", key, err
	}
	key = directory.AccessKey{ID: id, Partner: partner, SecretHash: hash, LastFour: text[len(text)-4:], Label: label, CreatedAt: now, ExpiresAt: end}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := o.store.PutAccessKey(ctx, key); err != nil {
		return "", key, err
	}
	return text, key, nil
}

// ListKeys lists a partner's access keys by the time of their making, those that
// have expired or been revoked too. Refusal: there is no such partner.
func (o *Operator) ListKeys(ctx context.Context, partner directory.PartnerID) ([]directory.AccessKey, error) {
	if err := o.mustExist(ctx, partner); err != nil {
		return nil, err
	}
	return o.store.AccessKeys(ctx, partner)
}

// RevokeKey makes a key count no longer. It may be repeated, and the key keeps
// the time of the first. The authorizer's answers are cached: access ends within
// AuthorizerTtlSeconds of template.yaml. Refusal: there is no such key.
func (o *Operator) RevokeKey(ctx context.Context, id string) (directory.AccessKey, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	key, err := o.store.RevokeAccessKey(ctx, id, o.now())
	return key, unknownKey(id, err)
}

// unknownKey tells of a key that is not found.
func unknownKey(id string, err error) error {
	if fault.Is(err, fault.NotFound) {
		return Refusal(fmt.Sprintf("there is no key %q: partnerctl key list shows a partner's", id))
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

func (o *Operator) mustExist(ctx context.Context, partner directory.PartnerID) error {
	_, err := o.existing(ctx, partner)
	return err
}

// existing reads a partner. Refusal: there is no such partner.
func (o *Operator) existing(ctx context.Context, partner directory.PartnerID) (directory.Partner, error) {
	stored, err := o.store.Partner(ctx, partner)
	if fault.Is(err, fault.NotFound) {
		return stored, unknownPartner(partner)
	}
	return stored, err
}
