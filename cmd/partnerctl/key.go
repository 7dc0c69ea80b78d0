package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/usage"
)

type keyCreateCommand struct {
	Partner partnerArgument `required:"" placeholder:"ID" help:"The partner that the key is for."`
	Label   string          `placeholder:"TEXT" help:"What the key is for, as the operator wants to read it in lists."`
	Expires time.Duration   `placeholder:"DURATION" help:"How long the key counts, as 720h for 30 days. Without it the key does not expire."`
}

func (keyCreateCommand) Help() string {
	return `Only a digest of the key is stored: it cannot be shown again.

Example: partnerctl key create --partner northwind --label "billing export" --expires 720h`
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
	text, key, err := o.CreateKey(s.ctx, c.Partner.id, c.Label, c.Expires)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(createdKey{key.Partner, key.ID, text, timeOrNil(key.ExpiresAt)})
	}
	s.printf("%s\n\nHand it to %s over a safe way: it is shown this once. Its id is %s; %s.\n", text, key.Partner, key.ID, expiry(key))
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

func (keyListCommand) Help() string { return "Example: partnerctl key list --partner northwind" }

// listedKeys is the result for programs.
type listedKeys struct {
	PartnerID directory.PartnerID `json:"partnerId"`
	Keys      []listedKey         `json:"keys"`
}

type listedKey struct {
	KeyID     string  `json:"keyId"`
	Label     string  `json:"label"`
	State     string  `json:"state"`
	CreatedAt string  `json:"createdAt"`
	ExpiresAt *string `json:"expiresAt"`
	RevokedAt *string `json:"revokedAt"`
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
	out := listedKeys{c.Partner.id, make([]listedKey, len(keys))}
	for i, k := range keys {
		out.Keys[i] = listedKey{k.ID, k.Label, o.StateOf(k), usage.FormatTime(k.CreatedAt), timeOrNil(k.ExpiresAt), timeOrNil(k.RevokedAt)}
	}
	if s.json {
		return s.printJSON(out)
	}
	if len(keys) == 0 {
		s.printf("%s has no keys. Make one: partnerctl key create --partner %s\n", c.Partner.id, c.Partner.id)
		return nil
	}
	s.table(func(w io.Writer) {
		fmt.Fprintln(w, "key id\tstate\tcreated\texpires\trevoked\tlabel")
		for _, k := range out.Keys {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.KeyID, k.State, k.CreatedAt, orDash(k.ExpiresAt), orDash(k.RevokedAt), k.Label)
		}
	})
	return nil
}

type keyRevokeCommand struct {
	KeyID string `arg:"" name:"KEYID" help:"The key's id, or the whole key."`
}

func (keyRevokeCommand) Help() string {
	return `The API refuses the key within the time for which it keeps decisions: AuthorizerTtlSeconds of template.yaml, a minute by default.

Example: partnerctl key revoke 4fzyo82mXw3b`
}

// revokedKey is the result for programs.
type revokedKey struct {
	PartnerID directory.PartnerID `json:"partnerId"`
	KeyID     string              `json:"keyId"`
	RevokedAt string              `json:"revokedAt"`
}

func (c *keyRevokeCommand) Run(s *session) error {
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	key, err := o.RevokeKey(s.ctx, keyID(c.KeyID))
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

// keyID is the id of a key that was given by its id or as a whole, as one finds it
// where it leaked.
func keyID(text string) string {
	rest, whole := strings.CutPrefix(text, "pvk_")
	if !whole {
		return text
	}
	id, _, _ := strings.Cut(rest, "_")
	return id
}

func timeOrNil(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := usage.FormatTime(t)
	return &text
}

func orDash(text *string) string {
	if text == nil {
		return "-"
	}
	return *text
}
