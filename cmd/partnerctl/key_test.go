package main

import (
	"strings"
	"testing"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/testkit/dynamotest"
)

// newKey makes a key for northwind.
func (d *desk) newKey(args ...string) createdKey {
	d.t.Helper()
	var made createdKey
	decode(d.t, d.must(append([]string{"key", "create", "--partner", "northwind", "-o", "json"}, args...)...), &made)
	return made
}

func (d *desk) keys(partner string) map[string]listedKey {
	d.t.Helper()
	list := asJSON[listedKeys](d, "key", "list", "--partner", partner)
	byID := make(map[string]listedKey)
	for _, k := range list.Keys {
		byID[k.KeyID] = k
	}
	return byID
}

func TestKeysAreToldApartByTheirLastFourCharacters(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	made := d.newKey()
	if got := d.keys("northwind")[made.KeyID].LastFour; got == nil || *got != made.Key[len(made.Key)-4:] {
		t.Errorf("the key ends in %v", got)
	}
	store := dynamo.NewStore(engine.Client(t), d.tables)
	old := directory.AccessKey{ID: "old000000000", Partner: "northwind", CreatedAt: time.Now()} // of before they were kept
	check(t, store.PutAccessKey(t.Context(), old))
	out := d.must("key", "list", "--partner", "northwind")
	if !strings.Contains(out, "old000000000  -        active  all ") || !strings.Contains(out, made.KeyID+"  "+made.Key[len(made.Key)-4:]+"     active  all ") {
		t.Errorf("the list is\n%s", out)
	}
}

func TestRotationLeavesTheOldKeyItsOverlap(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	old := d.newKey("--label", "billing", "--expires", "720h")
	rotated := asJSON[rotatedKey](d, "key", "rotate", old.KeyID, "--overlap", "2h")
	if rotated.Replaces.KeyID != old.KeyID || rotated.PartnerID != "northwind" || !strings.HasPrefix(rotated.Key, "pvk_"+rotated.KeyID+"_") {
		t.Fatalf("the rotation is %+v", rotated)
	}
	isIn := func(text *string, want time.Duration) bool {
		end, err := time.Parse(time.RFC3339, *text)
		return err == nil && (time.Until(end)-want).Abs() < time.Minute
	}
	keys := d.keys("northwind")
	if k := keys[rotated.KeyID]; k.Label != "billing" || !isIn(k.ExpiresAt, 720*time.Hour) || k.State != "active" {
		t.Errorf("the new key is %+v", k)
	}
	if k := keys[old.KeyID]; !isIn(k.ExpiresAt, 2*time.Hour) || k.State != "active" {
		t.Errorf("the old key is %+v", k)
	}

	// An overlap never lengthens a key's life, and 0 ends it at once.
	decode(t, d.must("key", "rotate", old.KeyID, "--overlap", "9000h", "--label", "nightly", "--expires", "24h", "-o", "json"), &rotated)
	if k := d.keys("northwind")[rotated.KeyID]; k.Label != "nightly" || !isIn(k.ExpiresAt, 24*time.Hour) {
		t.Errorf("a new key of another label and life is %+v", k)
	}
	if k := d.keys("northwind")[old.KeyID]; !isIn(k.ExpiresAt, 2*time.Hour) {
		t.Errorf("a longer overlap makes the old key %+v", k)
	}
	lasting := d.newKey()
	says(t, d.must("key", "rotate", lasting.Key, "--overlap", "0s"), "it does not expire", "The old key "+lasting.KeyID+" is valid until ")
	if k := d.keys("northwind")[lasting.KeyID]; k.State != "expired" {
		t.Errorf("without an overlap the old key is %+v", k)
	}
	d.run("key", "rotate", lasting.KeyID).fails(t, 1, "is expired already", "partnerctl key create --partner northwind")
	d.run("key", "rotate", old.KeyID, "--overlap=-1h").fails(t, 2, "not a length of time")
	d.run("key", "rotate", "nosuchkey000").fails(t, 1, `there is no key "nosuchkey000"`)
}

// The new key of a rotation that fails half-way counts and cannot be shown again.
func TestRotationThatFailsHalfWayStillTellsTheNewKey(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	old := d.newKey()
	proxy := engine.NewProxy(t)
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if c.Operation != "UpdateItem" {
			return false
		}
		dynamotest.Refuse(w, "AccessDeniedException")
		return true
	})
	d.env = append(d.env, "DYNAMODB_ENDPOINT="+proxy.URL)
	r := d.run("key", "rotate", old.KeyID)
	r.fails(t, 1, "the old one does not end", "partnerctl key revoke "+old.KeyID)
	if !strings.HasPrefix(r.out, "pvk_") {
		t.Errorf("it says %q", r.out)
	}
}

func TestAllKeysOfAPartnerAreRevokedAfterTheyWereShown(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	first, second := d.newKey("--label", "one"), d.newKey("--label", "two")
	d.must("key", "revoke", first.KeyID)
	other := d.must("key", "create", "--partner", "eastgate")
	dry := d.must("key", "revoke", "--all", "--partner", "northwind", "--dry-run")
	if !strings.Contains(dry, second.KeyID) || strings.Contains(dry, first.KeyID) || !strings.HasSuffix(dry, "1 key would be revoked; nothing was done.\n") {
		t.Errorf("a dry run says\n%s", dry)
	}
	if r := d.feed("yes\n", "key", "revoke", "--all", "--partner", "northwind"); r.code != 1 || !strings.Contains(r.out, second.KeyID) || d.keys("northwind")[second.KeyID].State != "active" {
		t.Errorf("mistyped, it says %+v", r)
	}
	if r := d.feed("northwind\n", "key", "revoke", "--all", "--partner", "northwind"); r.code != 0 || !strings.HasSuffix(r.out, "1 key of northwind revoked.\n") {
		t.Errorf("typed, it says %+v", r)
	}
	if d.keys("northwind")[second.KeyID].State != "revoked" {
		t.Error("the key is not revoked")
	}
	for _, k := range d.keys("eastgate") {
		if k.State != "active" {
			t.Errorf("another partner's key is %s: %s", k.State, other)
		}
	}
	out := asJSON[revokedKeys](d, "key", "revoke", "--all", "--partner", "northwind", "--yes")
	if len(out.Keys) != 0 || out.DryRun {
		t.Errorf("the second time it is %+v", out)
	}
	d.run("key", "revoke", "--all").fails(t, 2, "--partner")
	d.run("key", "revoke", "--all", "--partner", "northwind", "-o", "json").fails(t, 2, "--yes")
	d.run("key", "revoke", second.KeyID, "--partner", "northwind").fails(t, 2, "--all")
}

func TestALeakedKeyIsFoundWithoutItsSecretAndWithoutTellingIt(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	made := d.newKey("--label", "export")
	secret := made.Key[len("pvk_")+13:]
	for _, text := range []string{made.KeyID, made.Key, "pvk_" + made.KeyID + "_", `curl -H "Authorization: Bearer ` + made.Key[:40] + `"`} {
		r := d.run("key", "find", text)
		if r.code != 0 || !strings.Contains(r.out, made.KeyID) || !strings.Contains(r.out, "northwind  active      active") || !strings.Contains(r.out, "export") ||
			!strings.Contains(r.out, "partnerctl key revoke "+made.KeyID) || strings.Contains(r.out, secret[:10]) {
			t.Errorf("%q is found as %+v", text, r)
		}
	}
	var found foundKeys
	log := "GET /v1 " + made.Key + "\npvk_zzzzzzzzzzzz_rest pvk_short " + made.Key + "\n"
	decode(t, d.feed(log, "key", "find", "-", "-o", "json").out, &found)
	if len(found.Keys) != 1 || found.Keys[0].PartnerID != "northwind" || found.Keys[0].PartnerStatus != "active" || found.Keys[0].State != "active" || len(found.Unknown) != 1 || found.Unknown[0] != "zzzzzzzzzzzz" {
		t.Errorf("in a log are found %+v", found)
	}
	d.must("partner", "suspend", "northwind", "--yes")
	says(t, d.must("key", "find", made.KeyID), "suspended   active", "It would be valid again")
	d.must("key", "revoke", made.KeyID)
	if out := d.must("key", "find", made.KeyID); !strings.Contains(out, "revoked") || strings.Contains(out, "valid") {
		t.Errorf("revoked, it is found as\n%s", out)
	}
	d.run("key", "find", "nothing here").fails(t, 1, "there is no key in that text")
	// What is mistaken for an id may be a secret.
	for _, args := range [][]string{{"key", "find", secret}, {"key", "revoke", secret}, {"key", "rotate", secret}, {"key", "revoke", "pvk_" + secret}} {
		r := d.run(args...)
		if r.code == 0 || strings.Contains(r.out+r.errOut, secret[:10]) {
			t.Errorf("partnerctl %s %s with a secret says %+v", args[0], args[1], r)
		}
	}
}
