package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

type keyCommands struct {
	Create keyCreateCommand `cmd:"" help:"Make an access key for a partner. It is shown only once."`
	List   keyListCommand   `cmd:"" help:"List a partner's access keys."`
	Show   keyShowCommand   `cmd:"" help:"Show a key, and which customers it sees."`
	Narrow keyNarrowCommand `cmd:"" help:"Make a key see some of its partner's customers, and no others."`
	Widen  keyWidenCommand  `cmd:"" help:"Make a narrowed key see more customers, or all."`
	Find   keyFindCommand   `cmd:"" help:"Find out whose key turned up somewhere."`
	Rotate keyRotateCommand `cmd:"" help:"Replace a key: make a new one, and end the old one after an overlap."`
	Revoke keyRevokeCommand `cmd:"" help:"Revoke one access key, or all of a partner's."`
}

type keyCreateCommand struct {
	Partner directory.PartnerID `required:"" placeholder:"ID" help:"The partner that the key is for."`
	Label   string              `placeholder:"TEXT" help:"What the key is for, as it will appear in lists."`
	Expires operator.Expiry     `placeholder:"WHEN" help:"How long the key is valid, such as 90d, 2w or 36h, or until when, such as 2027-01-01. Without it, the key does not expire."`
	List    listFlags           `embed:""`
}

// createdKey is the result for programs.
type createdKey struct {
	PartnerID directory.PartnerID `json:"partnerId"`
	KeyID     string              `json:"keyId"`
	Key       string              `json:"key"`
	ExpiresAt *string             `json:"expiresAt"`
	Sees      []sight             `json:"sees,omitempty"` // of one with customers of its own
}

func (c *keyCreateCommand) Run(s *session) error {
	if c.List.isGiven() {
		return c.createNarrow(s)
	}
	o, err := s.changer(partnersTable)
	if err != nil {
		return err
	}
	text, key, err := o.CreateKey(s.ctx, c.Partner, c.Label, c.Expires)
	if err != nil {
		return err
	}
	noted := s.note(o, nil, keyAdded(key)...)
	return cmp.Or(s.print(createdKeyOf(text, key), func() { s.handOver(text, key) }), noted)
}

// keyAdded is what the history says of a new key, with the customers that are on a list of its own.
func keyAdded(k directory.AccessKey, list ...operator.Sight) []operator.Change {
	changes := []operator.Change{{Kind: operator.KeyKind, Action: operator.Add, PartnerID: k.Partner, KeyID: k.ID,
		Fields: expiry(k)}}
	for _, v := range list {
		changes = append(changes, operator.Change{Kind: operator.GrantKind, Action: operator.Add, PartnerID: k.Partner,
			ViewerID: directory.ViewerID(k.ID), AccountID: v.Account,
			Fields: []operator.FieldChange{{Field: "products", To: productsText(v.Products)}}})
	}
	return changes
}

func expiry(k directory.AccessKey) []operator.FieldChange {
	if k.ExpiresAt.IsZero() {
		return nil
	}
	return []operator.FieldChange{{Field: "expiresAt", To: usage.FormatTime(k.ExpiresAt)}}
}

func keysRevoked(keys ...directory.AccessKey) []operator.Change {
	var changes []operator.Change
	for _, k := range keys {
		changes = append(changes, operator.Change{Kind: operator.KeyKind, Action: operator.Alter, PartnerID: k.Partner,
			KeyID: k.ID, Fields: []operator.FieldChange{{Field: "revokedAt", To: usage.FormatTime(k.RevokedAt)}}})
	}
	return changes
}

func createdKeyOf(text string, k directory.AccessKey) createdKey {
	return createdKey{PartnerID: k.Partner, KeyID: k.ID, Key: text, ExpiresAt: timeOrNil(k.ExpiresAt)}
}

// handOver shows people a new key.
func (s *session) handOver(text string, k directory.AccessKey) {
	expiry := "it does not expire"
	if !k.ExpiresAt.IsZero() {
		expiry = "it expires at " + usage.FormatTime(k.ExpiresAt)
	}
	s.printf("%s\n\nSend it to %s over a secure channel: it is shown only this once. Its id is %s; %s.\n",
		text, k.Partner, k.ID, expiry)
}

type keyListCommand struct {
	Partner directory.PartnerID `required:"" placeholder:"ID" help:"The partner whose keys are listed."`
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
	Narrowed  bool    `json:"narrowed"`
	CreatedAt string  `json:"createdAt"`
	ExpiresAt *string `json:"expiresAt"`
	RevokedAt *string `json:"revokedAt"`
}

func listKeys(o *operator.Operator, keys []directory.AccessKey) []listedKey {
	out := make([]listedKey, len(keys))
	for i, k := range keys {
		out[i] = listedKey{k.ID, textOrNil(k.LastFour), k.Label, o.StateOf(k), k.Narrowed,
			usage.FormatTime(k.CreatedAt), timeOrNil(k.ExpiresAt), timeOrNil(k.RevokedAt)}
	}
	return out
}

func (c *keyListCommand) Run(s *session) error {
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	keys, err := o.ListKeys(s.ctx, c.Partner)
	if err != nil {
		return err
	}
	out := listedKeys{c.Partner, listKeys(o, keys)}
	return s.print(out, func() {
		s.showOr(keyTable(out.Keys), "%s has no keys. Make one: partnerctl key create --partner %s\n",
			c.Partner, c.Partner)
	})
}

func keyTable(keys []listedKey) *textTable {
	t := newTable("key id", "ends in", "state", "sees", "created", "expires", "revoked", "label")
	for _, k := range keys {
		t.add(k.KeyID, orDash(k.LastFour), inColour(k.State), k.sees(), k.CreatedAt, orDash(k.ExpiresAt),
			orDash(k.RevokedAt), k.Label)
	}
	return t
}

// sees says whether a key has customers of its own: partnerctl key show lists them.
func (k listedKey) sees() string {
	if k.Narrowed {
		return "its list"
	}
	return "all"
}

func timeOrNil(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return textOrNil(usage.FormatTime(t))
}

func textOrNil[T ~string](text T) *T {
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

type keyRevokeCommand struct {
	Key     *keyArgument         `arg:"" optional:"" name:"KEYID" help:"The key's id, or the whole key."`
	All     bool                 `help:"All keys of the partner that --partner names."`
	Partner *directory.PartnerID `placeholder:"ID" help:"With --all: whose keys."`
	Caution caution              `embed:""`
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
	needed := []table{partnersTable}
	if !c.Caution.DryRun {
		needed = append(needed, ledgerTable)
	}
	o, err := s.operator(needed...)
	if err != nil {
		return err
	}
	if c.All {
		if err := c.Caution.check(s); err != nil {
			return err
		}
		keys, err := o.KeysToRevoke(s.ctx, *c.Partner)
		if err != nil {
			return err
		}
		return c.revokeAll(s, o, *c.Partner, keys)
	}
	if c.Caution.DryRun {
		key, err := o.FindKey(s.ctx, c.Key.id)
		if err != nil {
			return err
		}
		return c.revokeAll(s, o, key.Partner, []directory.AccessKey{key})
	}
	key, err := o.RevokeKey(s.ctx, c.Key.id)
	if err != nil {
		return err
	}
	noted := s.note(o, nil, keysRevoked(key)...)
	out := revokedKey{key.Partner, key.ID, usage.FormatTime(key.RevokedAt)}
	return cmp.Or(s.print(out, func() {
		s.printf("The key %s of %s has been revoked since %s.\n", out.KeyID, out.PartnerID, out.RevokedAt)
	}), noted)
}

// revokedKeys is the result for programs of --all and of a dry run.
type revokedKeys struct {
	DryRun    bool                `json:"dryRun"`
	PartnerID directory.PartnerID `json:"partnerId"`
	Keys      []listedKey         `json:"keys"`
}

func (c *keyRevokeCommand) revokeAll(s *session, o *operator.Operator, partner directory.PartnerID,
	keys []directory.AccessKey) error {
	out := &revokedKeys{c.Caution.DryRun, partner, listKeys(o, keys)}
	return s.carryOut(c.Caution, operation{
		total: len(keys), typed: string(partner), result: out,
		show:     func() { s.showOr(keyTable(out.Keys), "") },
		operator: o, changed: func() []operator.Change { return keysRevoked(keys...) },
		do: func() (err error) {
			for i, key := range keys {
				if keys[i], err = o.RevokeKey(s.ctx, key.ID); err != nil {
					return err
				}
			}
			out.Keys = listKeys(o, keys)
			return nil
		},
		none: fmt.Sprintf("Nothing to change: %s has no key that is not revoked.\n", partner),
		dry:  count(len(keys), "key") + " would be revoked; nothing was done.\n",
		done: func() string { return fmt.Sprintf("%s of %s revoked.\n", count(len(keys), "key"), partner) },
	})
}

type keyRotateCommand struct {
	Key     keyArgument     `arg:"" name:"KEYID" help:"The old key's id, or the whole key."`
	Overlap time.Duration   `default:"24h" placeholder:"DURATION" help:"How long the old key stays valid, such as 36h or 3d; 0s ends it now. Default: 24h."`
	Expires operator.Expiry `placeholder:"WHEN" help:"How long the new key is valid, such as 90d, or until when, such as 2027-01-01. Without it, as long as the old one was made for."`
	Label   string          `placeholder:"TEXT" help:"What the new key is for. Without it, the label of the old one."`
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
	o, err := s.changer(partnersTable)
	if err != nil {
		return err
	}
	r, err := o.RotateKey(s.ctx, c.Key.id,
		operator.RotateAs{Overlap: c.Overlap, Expires: c.Expires, Label: c.Label})
	if r.Text == "" {
		return err
	}
	err = s.note(o, err, append(keyAdded(r.New), operator.Change{Kind: operator.KeyKind, Action: operator.Alter,
		PartnerID: r.Old.Partner, KeyID: r.Old.ID, Fields: expiry(r.Old)})...)
	// With an error too: the new key counts, and cannot be shown again.
	if s.json {
		out := rotatedKey{createdKey: createdKeyOf(r.Text, r.New)}
		out.Replaces.KeyID, out.Replaces.ExpiresAt = r.Old.ID, timeOrNil(r.Old.ExpiresAt)
		return errors.Join(s.printJSON(out), err)
	}
	s.handOver(r.Text, r.New)
	if err != nil {
		return err
	}
	s.printf("The old key %s is valid until %s.\n", r.Old.ID, usage.FormatTime(r.Old.ExpiresAt))
	return nil
}

type keyFindCommand struct {
	Text string `arg:"" name:"TEXT" help:"A key's id, a key or the beginning of one up to the _ behind its id, or any text with keys in it; - is standard input."`
}

// foundKeys is the result for programs.
type foundKeys struct {
	Keys []foundKey `json:"keys"`
	// Unknown are the ids in the text that no key has.
	Unknown []string `json:"unknown"`
}

type foundKey struct {
	listedKey
	PartnerID     directory.PartnerID     `json:"partnerId"`
	PartnerStatus directory.PartnerStatus `json:"partnerStatus"`
}

// maxFindText is how much of standard input is looked through.
const maxFindText = 64 << 20

func (c *keyFindCommand) Run(s *session) error {
	text := c.Text
	if text == stdin {
		source, err := s.open(stdin)
		if err != nil {
			return err
		}
		defer source.close()
		in, err := io.ReadAll(io.LimitReader(source, maxFindText+1))
		if err != nil {
			return fmt.Errorf("read standard input: %w", err)
		}
		if len(in) > maxFindText {
			return operator.UserError(fmt.Sprintf("more than %d MB: look through it in parts, "+
				"as with split or grep pvk_", maxFindText>>20))
		}
		text = string(in)
	}
	ids := access.FindKeyIDs(text)
	if id, err := access.ParseKeyID(text); err == nil {
		ids = []string{id}
	}
	if len(ids) == 0 {
		return operator.UserError("there is no key in that text, nor the id of one: " +
			"a key is pvk_, an id of 12 letters and digits, _, and a secret")
	}
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	found, err := findKeys(s, o, ids)
	if err != nil {
		return err
	}
	return s.print(found, func() { s.showFound(found) })
}

func findKeys(s *session, o *operator.Operator, ids []string) (foundKeys, error) {
	out := foundKeys{Keys: []foundKey{}, Unknown: []string{}}
	for _, id := range ids {
		owned, exists, err := o.KeyAndOwner(s.ctx, id)
		switch {
		case err != nil:
			return out, err
		case !exists:
			out.Unknown = append(out.Unknown, id)
		default:
			out.Keys = append(out.Keys, foundKeyOf(o, owned))
		}
	}
	return out, nil
}

func foundKeyOf(o *operator.Operator, owned operator.OwnedKey) foundKey {
	listed := listKeys(o, []directory.AccessKey{owned.Key})
	return foundKey{listed[0], owned.Key.Partner, owned.Status}
}

func (s *session) showFound(found foundKeys) {
	if len(found.Keys) > 0 {
		t := newTable("key id", "ends in", "partner", "partner is", "state", "created", "expires", "revoked", "label")
		for _, k := range found.Keys {
			t.add(k.KeyID, orDash(k.LastFour), k.PartnerID, inColour(string(k.PartnerStatus)), inColour(k.State),
				k.CreatedAt, orDash(k.ExpiresAt), orDash(k.RevokedAt), k.Label)
		}
		s.show(t)
	}
	for _, id := range found.Unknown {
		s.printf("No key here has the id %s.\n", id)
	}
	for _, k := range found.Keys {
		switch {
		case k.State != "active":
		case k.PartnerStatus == directory.Active:
			s.printf("It is valid. To revoke it: partnerctl key revoke %s\n", k.KeyID)
		default:
			s.printf("It would be valid again if the partner were resumed. To revoke it: partnerctl key revoke %s\n",
				k.KeyID)
		}
	}
}
