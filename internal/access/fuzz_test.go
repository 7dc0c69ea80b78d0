package access

import (
	"slices"
	"strings"
	"testing"
)

// Keys are found in whatever text they leaked into, by their ids and no more of them.
//
//fuzz:reaches key.go:FindKeyIDs key.go:ParseKeyID access.go:ParseMetering
func FuzzFindKeyIDs(f *testing.F) {
	key, _, _, err := NewKey(strings.NewReader(strings.Repeat("k", 41)))
	if err != nil {
		f.Fatal(err)
	}
	id := FindKeyIDs(key)[0]
	for _, seed := range []string{key, id, "see " + key + ", " + key + " and pvk_" + id, "pvk_x_y", strings.ToUpper(key), "true", "false", "prepared", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found := FindKeyIDs(text)
		for _, id := range found {
			if len(id) != idLength || !strings.Contains(text, id) {
				t.Fatalf("in %q is found %q", text, id)
			}
		}
		if !slices.Equal(found, slices.Compact(slices.Clone(found))) {
			t.Fatalf("in %q are found %q", text, found)
		}
		if id, err := ParseKeyID(text); err == nil && id != text {
			t.Fatalf("%q is the key %q", text, id)
		}
		if m, err := ParseMetering(text); err == nil && m != MeteringOff && m != MeteringPrepared && m != MeteringEnforced {
			t.Fatalf("%q is the metering %q", text, m)
		}
	})
}
