package main

import (
	"errors"

	"partnerview/internal/directory"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type keyRevokeCommand struct {
	Key     *keyArgument     `arg:"" optional:"" name:"KEYID" help:"The key's id, or the whole key."`
	All     bool             `help:"All keys of the partner that --partner names."`
	Partner *partnerArgument `placeholder:"ID" help:"With --all: whose keys."`
	Caution caution          `embed:""`
}

func (keyRevokeCommand) Help() string {
	return `The API refuses the key within the time for which it keeps decisions: AuthorizerTtlSeconds of template.yaml, a minute by default. With --all the keys are shown first, and the partner's id has to be typed.

Example: partnerctl key revoke 4fzyo82mXw3b`
}

// revokedKey is the result for programs.
type revokedKey struct {
	PartnerID directory.PartnerID `json:"partnerId"`
	KeyID     string              `json:"keyId"`
	RevokedAt string              `json:"revokedAt"`
}

func (c *keyRevokeCommand) Run(s *session) error {
	switch {
	case c.All && (c.Key != nil || c.Partner == nil):
		return misuseError("key revoke --all is for all keys of a partner: give --partner, and no key")
	case !c.All && (c.Key == nil || c.Partner != nil):
		return misuseError("which key? Give its id or, for all keys of a partner, --all --partner ID")
	}
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	if c.All {
		return c.revokeAll(s, o)
	}
	if c.Caution.DryRun {
		key, err := o.FindKey(s.ctx, c.Key.id)
		if err != nil {
			return err
		}
		return s.tellKeys(o, key.Partner, []directory.AccessKey{key}, true)
	}
	key, err := o.RevokeKey(s.ctx, c.Key.id)
	if err != nil {
		return err
	}
	out := revokedKey{key.Partner, key.ID, usage.FormatTime(key.RevokedAt)}
	if s.json {
		return s.printJSON(out)
	}
	s.printf("The key %s of %s is revoked since %s.\n", out.KeyID, out.PartnerID, out.RevokedAt)
	return nil
}

// revokedKeys is the result for programs of --all and of a dry run.
type revokedKeys struct {
	DryRun    bool                `json:"dryRun"`
	PartnerID directory.PartnerID `json:"partnerId"`
	Keys      []listedKey         `json:"keys"`
}

func (c *keyRevokeCommand) revokeAll(s *session, o *operator.Operator) error {
	if err := c.Caution.check(s); err != nil {
		return err
	}
	keys, err := o.KeysToRevoke(s.ctx, c.Partner.id)
	if err != nil {
		return err
	}
	if c.Caution.DryRun || len(keys) == 0 {
		return s.tellKeys(o, c.Partner.id, keys, c.Caution.DryRun)
	}
	if !s.json {
		s.showKeys(listKeys(o, keys))
	}
	if err := c.Caution.confirm(s, string(c.Partner.id)); err != nil {
		return err
	}
	for i, key := range keys {
		if keys[i], err = o.RevokeKey(s.ctx, key.ID); err != nil {
			return err
		}
	}
	return s.tellKeys(o, c.Partner.id, keys, false)
}

// tellKeys says which keys are, or would be, revoked.
func (s *session) tellKeys(o *operator.Operator, partner directory.PartnerID, keys []directory.AccessKey, dryRun bool) error {
	listed := listKeys(o, keys)
	switch {
	case s.json:
		return s.printJSON(revokedKeys{dryRun, partner, listed})
	case len(keys) == 0:
		s.printf("Nothing changes: %s has no key that is not revoked.\n", partner)
	case dryRun:
		s.showKeys(listed)
		s.printf("%s would be revoked; nothing was done.\n", count(len(keys), "key"))
	default:
		s.printf("%s of %s revoked.\n", count(len(keys), "key"), partner)
	}
	return nil
}

type keyRotateCommand struct {
	Key     keyArgument    `arg:"" name:"KEYID" help:"The old key's id, or the whole key."`
	Overlap spanArgument   `default:"24h" placeholder:"DURATION" help:"How long the old key counts on, as 36h or 3d; 0s ends it now. Default: 24h."`
	Expires expiryArgument `placeholder:"WHEN" help:"How long the new key counts, as 90d, or until when, as 2027-01-01. Without it, as long as the old one was made for."`
	Label   string         `placeholder:"TEXT" help:"What the new key is for. Without it, as the old one."`
}

func (keyRotateCommand) Help() string {
	return `The partner has the time of the overlap to put it in its programs. An old key that ends sooner anyway does so.

Example: partnerctl key rotate 4fzyo82mXw3b --overlap 3d`
}

// rotatedKey is the result for programs.
type rotatedKey struct {
	createdKey
	Replaces struct {
		KeyID     string  `json:"keyId"`
		ExpiresAt *string `json:"expiresAt"`
	} `json:"replaces"`
}

func (c *keyRotateCommand) Run(s *session) error {
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	r, err := o.RotateKey(s.ctx, c.Key.id, operator.RotateAs{Overlap: c.Overlap.length, Expires: c.Expires.Expiry, Label: c.Label})
	if r.Text == "" {
		return err
	}
	// With an error too: the new key counts, and cannot be shown again.
	if s.json {
		out := rotatedKey{createdKey: createdKey{r.New.Partner, r.New.ID, r.Text, timeOrNil(r.New.ExpiresAt)}}
		out.Replaces.KeyID, out.Replaces.ExpiresAt = r.Old.ID, timeOrNil(r.Old.ExpiresAt)
		return errors.Join(s.printJSON(out), err)
	}
	s.printf("%s\n\n", r.Text)
	s.printf("Hand it to %s over a safe way: it is shown this once. Its id is %s; %s.\n", r.New.Partner, r.New.ID, expiry(r.New))
	if err != nil {
		return err
	}
	s.printf("The old key %s counts until %s.\n", r.Old.ID, usage.FormatTime(r.Old.ExpiresAt))
	return nil
}
