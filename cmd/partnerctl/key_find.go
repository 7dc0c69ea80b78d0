package main

import (
	"fmt"
	"io"

	"partnerview/internal/access"
	"partnerview/internal/directory"
	"partnerview/internal/operator"
)

type keyFindCommand struct {
	Text string `arg:"" name:"TEXT" help:"A key's id, a key or the beginning of one up to the _ behind its id, or any text with keys in it; - is standard input."`
}

func (keyFindCommand) Help() string {
	return `The secret is neither needed nor repeated. What is read from standard input, such as a log, a file or a pull request, stays out of the shell's history.

Example: partnerctl key find pvk_4fzyo82mXw3b_`
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
			return operator.Refusal(fmt.Sprintf("more than %d MB: look through it in parts, as with split or grep pvk_", maxFindText>>20))
		}
		text = string(in)
	}
	ids := access.FindKeyIDs(text)
	if id, err := access.ParseKeyID(text); err == nil {
		ids = []string{id}
	}
	if len(ids) == 0 {
		return operator.Refusal("there is no key in that text, nor the id of one: a key is pvk_, an id of 12 letters and digits, _, and a secret")
	}
	o, err := s.operator(partnersTable)
	if err != nil {
		return err
	}
	found, err := findKeys(s, o, ids)
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(found)
	}
	s.showFound(found)
	return nil
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
			listed := listKeys(o, []directory.AccessKey{owned.Key})
			out.Keys = append(out.Keys, foundKey{listed[0], owned.Key.Partner, owned.Status})
		}
	}
	return out, nil
}

func (s *session) showFound(found foundKeys) {
	if len(found.Keys) > 0 {
		t := newTable("key id", "ends in", "partner", "partner is", "state", "created", "expires", "revoked", "label")
		for _, k := range found.Keys {
			t.add(k.KeyID, orDash(k.LastFour), k.PartnerID, inColour(string(k.PartnerStatus)), inColour(k.State), k.CreatedAt, orDash(k.ExpiresAt), orDash(k.RevokedAt), k.Label)
		}
		s.show(t)
	}
	for _, id := range found.Unknown {
		s.printf("%s is the id of no key here.\n", id)
	}
	for _, k := range found.Keys {
		switch {
		case k.State != "active":
		case k.PartnerStatus == directory.Active:
			s.printf("It counts. To end it: partnerctl key revoke %s\n", k.KeyID)
		default:
			s.printf("It would count again if the partner was resumed. To end it: partnerctl key revoke %s\n", k.KeyID)
		}
	}
}
