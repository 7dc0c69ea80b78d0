package access

import (
	"crypto/rand"
	"crypto/sha256"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestNewKeyHasTheFormThatItIsReadBy(t *testing.T) {
	text, id, hash, err := NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	gotID, gotHash, ok := parseKey(text)
	if !ok || gotID != id || gotHash != hash {
		t.Errorf("parseKey(NewKey()) = %q, match %v, %v; want %q", gotID, gotHash == hash, ok, id)
	}
	if len(text) != keyTextLength || !strings.HasPrefix(text, "pvk_"+id+"_") {
		t.Errorf("a key of %d characters that begins %q", len(text), text[:17])
	}
	secret := text[17 : 17+secretLength]
	if hash != sha256.Sum256([]byte(secret)) {
		t.Error("the hash is not that of the secret alone")
	}
}

func TestKeysOfLittleRandomnessKeepTheirLength(t *testing.T) {
	zeros, _, _, err := NewKey(strings.NewReader(strings.Repeat("\x00", 64)))
	if err != nil || len(zeros) != keyTextLength {
		t.Errorf("all zeros make %q, %v", zeros, err)
	}
	ones, _, _, err := NewKey(strings.NewReader(strings.Repeat("\xff", 64)))
	if err != nil || len(ones) != keyTextLength {
		t.Errorf("all ones make %q, %v", ones, err)
	}
	if _, _, _, err := NewKey(io.LimitReader(rand.Reader, 10)); err == nil {
		t.Error("a key was made of 10 random bytes")
	}
}

// A key with any one character changed is told from a good one without asking
// the database.
func TestADamagedKeyIsNoKey(t *testing.T) {
	text, _, _, err := NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for i := range text {
		for _, c := range []byte{'0', 'z', '_', ' ', '%', 0xff} {
			damaged := text[:i] + string([]byte{c}) + text[i+1:]
			if _, _, ok := parseKey(damaged); ok && damaged != text {
				t.Fatalf("changing character %d to %q goes unnoticed", i, c)
			}
		}
		if _, _, ok := parseKey(text[:i]); ok {
			t.Fatalf("the first %d characters are taken for a key", i)
		}
	}
	for _, junk := range []string{"", "pvk_", text + "0", " " + text, strings.ToLower(text), strings.Repeat("a", keyTextLength)} {
		if _, _, ok := parseKey(junk); ok && junk != text {
			t.Errorf("%q is taken for a key", junk)
		}
	}
}

func TestKeyIDsAreFoundInWhateverTheyLeakedInto(t *testing.T) {
	text, id, _, err := NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for claim, c := range map[string]struct {
		text string
		want []string
	}{
		"a whole key":                   {text, []string{id}},
		"a key whose end is cut off":    {text[:30], []string{id}},
		"a key up to the _":             {text[:17], []string{id}},
		"a key that lacks the _":        {text[:16], nil},
		"a header of a log":             {`"Authorization": "Bearer ` + text + `",`, []string{id}},
		"twice the same":                {text + text, []string{id}},
		"two, the first of them broken": {"pvk_broken pvk_" + text, []string{id}},
		"several, in their order":       {"pvk_zzzzzzzzzzzz_x\n" + text, []string{"zzzzzzzzzzzz", id}},
		"an id alone":                   {id, nil},
		"nothing":                       {"", nil},
		"an id with other characters":   {"pvk_zzzz-zzzzzzz_x", nil},
	} {
		if got := FindKeyIDs(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s: found %v, want %v", claim, got, c.want)
		}
	}
}

func TestAWrongKeyIDIsNotRepeated(t *testing.T) {
	if id, err := ParseKeyID("4fzyo82mXw3b"); err != nil || id != "4fzyo82mXw3b" {
		t.Errorf("%q, %v", id, err)
	}
	for _, wrong := range []string{"", "4fzyo82mXw3", "4fzyo82mXw3bb", "4fzyo82mXw3_", "s3cretS3cretS3cret"} {
		if _, err := ParseKeyID(wrong); err == nil || wrong != "" && strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

//fuzz:reaches key.go:parseKey key.go:checksum
func FuzzParseKey(f *testing.F) {
	key, _, _, err := NewKey(strings.NewReader(strings.Repeat("k", 41)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key)
	f.Add(strings.Replace(key, "_", "-", 2))
	f.Add("pvk_000000000000_00000000000000000000000000000000000000000000000000")
	f.Fuzz(func(t *testing.T, text string) {
		if id, _, ok := parseKey(text); ok && (len(id) != idLength || !strings.Contains(text, id)) {
			t.Fatalf("parseKey(%q) found the id %q", text, id)
		}
	})
}
