package main

import (
	"cmp"
	"time"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type keyCommands struct {
	Create keyCreateCommand `cmd:"" help:"Make an access key for a partner. It is shown once."`
	List   keyListCommand   `cmd:"" help:"List a partner's access keys."`
	Find   keyFindCommand   `cmd:"" help:"Tell whose key it is that was found somewhere."`
	Rotate keyRotateCommand `cmd:"" help:"Make a new key in place of one, which ends after an overlap."`
	Revoke keyRevokeCommand `cmd:"" help:"Make one access key, or all of a partner, count no longer."`
}

type keyCreateCommand struct {
	Partner partnerArgument `required:"" placeholder:"ID" help:"The partner that the key is for."`
	Label   string          `placeholder:"TEXT" help:"What the key is for, as the operator wants to read it in lists."`
	Expires expiryArgument  `placeholder:"WHEN" help:"How long the key counts, as 90d, 2w or 36h, or until when, as 2027-01-01. Without it the key does not expire."`
}

func (keyCreateCommand) Help() string {
	return `Only a digest of the key is stored: it cannot be shown again.

Example: partnerctl key create --partner northwind --label ci --expires 90d`
}

// createdKey is the result for programs.
type createdKey struct {
	PartnerID directory.PartnerID `json:"partnerId"`
	KeyID     string              `json:"keyId"`
	Key       string              `json:"key"`
	ExpiresAt *string             `json:"expiresAt"`
}

func (c *keyCreateCommand) Run(s *session) error {
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	text, key, err := o.CreateKey(s.ctx, c.Partner.id, c.Label, c.Expires.Expiry)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(createdKey{key.Partner, key.ID, text, timeOrNil(key.ExpiresAt)})
	}
	s.printf("%s\n\n", text)
	s.printf("Hand it to %s over a safe way: it is shown this once. Its id is %s; %s.\n", key.Partner, key.ID, expiry(key))
	return nil
}

func expiry(k directory.AccessKey) string {
	if k.ExpiresAt.IsZero() {
		return "it does not expire"
	}
	return "it expires at " + usage.FormatTime(k.ExpiresAt)
}

type keyListCommand struct {
	Partner partnerArgument `required:"" placeholder:"ID" help:"The partner whose keys are listed."`
}

func (keyListCommand) Help() string {
	return `A key is told from others by its id, with which it begins behind pvk_, and by its last four characters.

Example: partnerctl key list --partner northwind`
}

// listedKeys is the result for programs.
type listedKeys struct {
	PartnerID directory.PartnerID `json:"partnerId"`
	Keys      []listedKey         `json:"keys"`
}

type listedKey struct {
	KeyID     string  `json:"keyId"`
	LastFour  *string `json:"lastFour"`
	Label     string  `json:"label"`
	State     string  `json:"state"`
	CreatedAt string  `json:"createdAt"`
	ExpiresAt *string `json:"expiresAt"`
	RevokedAt *string `json:"revokedAt"`
}

func listKeys(o *operator.Operator, keys []directory.AccessKey) []listedKey {
	out := make([]listedKey, len(keys))
	for i, k := range keys {
		out[i] = listedKey{k.ID, textOrNil(k.LastFour), k.Label, o.StateOf(k), usage.FormatTime(k.CreatedAt), timeOrNil(k.ExpiresAt), timeOrNil(k.RevokedAt)}
	}
	return out
}

func (c *keyListCommand) Run(s *session) error {
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	keys, err := o.ListKeys(s.ctx, c.Partner.id)
	if err != nil {
		return err
	}
	out := listedKeys{c.Partner.id, listKeys(o, keys)}
	if s.json {
		return s.printJSON(out)
	}
	if len(keys) == 0 {
		s.printf("%s has no keys. Make one: partnerctl key create --partner %s\n", c.Partner.id, c.Partner.id)
		return nil
	}
	s.showKeys(out.Keys)
	return nil
}

func (s *session) showKeys(keys []listedKey) {
	t := newTable("key id", "ends in", "state", "created", "expires", "revoked", "label")
	for _, k := range keys {
		t.add(k.KeyID, orDash(k.LastFour), inColour(k.State), k.CreatedAt, orDash(k.ExpiresAt), orDash(k.RevokedAt), k.Label)
	}
	s.show(t)
}

// keyArgument is a key's id, or the whole key as one finds it where it leaked.
// Its error does not repeat it: it may be a secret.
type keyArgument struct{ id string }

func (a *keyArgument) UnmarshalText(text []byte) (err error) {
	if ids := access.FindKeyIDs(string(text)); len(ids) == 1 {
		a.id = ids[0]
		return nil
	}
	a.id, err = access.ParseKeyID(string(text))
	return err
}

func timeOrNil(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return textOrNil(usage.FormatTime(t))
}

func textOrNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func orDash(text *string) string {
	if text == nil {
		return "-"
	}
	return cmp.Or(*text, "-")
}
