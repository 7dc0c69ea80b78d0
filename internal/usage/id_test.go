package usage

import (
	"strings"
	"testing"
	"time"

	"partnerview/internal/masking"
)

const wamid = "wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgSM0VCMDAwMDAwMDAwMDAwMDAwMDAA"

// The hashes are those of: printf 'acme\0messaging\0…' | sha256sum | cut -c1-32
func TestWhatsAppsIDsAreKeptAsAHash(t *testing.T) {
	log := Log{"acme", Messaging}
	for id, want := range map[string]RecordID{
		wamid:                                    "h-24f0d9b887f8815abe554964bad3f081",
		"wamid.a+/=":                             "h-be94792f16308ca71d61157b41037a65",
		"WAMID.a":                                "h-418c939819359daad19548b2086b0f13",
		wamid + ":1":                             "h-26b3adc8d044b6b3c4f8a99c26686c87",
		"h-24f0d9b887f8815abe554964bad3f081":     "h-24f0d9b887f8815abe554964bad3f081", // again
		"u-1":                                    "u-1",
		"wamid":                                  "wamid",
		"wamidx1":                                "wamidx1",
		"00000000-0000-4000-8000-000000000201:1": "00000000-0000-4000-8000-000000000201:1",
	} {
		if got, err := log.RecordID(id); got != want || err != nil {
			t.Errorf("%s: %s, %v, want %s", id, got, err, want)
		}
	}
	if other, _ := (Log{"acme", SMS}).RecordID(wamid); other == "h-24f0d9b887f8815abe554964bad3f081" {
		t.Error("another product has the same hash")
	}
	for _, bad := range []string{"", "a+b", "h-/", "wamid.#", "wamid.a b", "wamid." + strings.Repeat("A", 123)} {
		if got, err := log.RecordID(bad); err == nil {
			t.Errorf("%q is taken: %s", bad, got)
		}
	}
}

func TestWhichIDsTellANumber(t *testing.T) {
	var numbers masking.Endings
	numbers.Add("+44 7700 900123")
	log, mask := Log{"acme", Messaging}, "****0123"
	for _, c := range []struct {
		id                RecordID
		tells, may, holds bool
	}{
		{"447700900123", true, true, true},
		{"a-44.7700-900123:1", true, true, true},
		{"m447700900123001", true, false, true},
		{"99990123", false, true, true},
		{"447700900124", false, false, true},
		{"4477009001230001", false, false, false},
		{"00000000-0000-4000-8000-447700900123", false, false, false},
		{"00000000-0000-4000-8000-447700900123:1", false, false, false},
		{"00000000-0000-4000-8000-447700900123:447700900123", true, true, true},
		{"00000000-0000-4000-8000_447700900123", true, true, true},
		{"h-447700900123abcdefabcdefabcdefab", false, false, false},
		{"h-447700900123abcdefabcdefabcdefa", true, true, true},
		{"u-1", false, false, false},
	} {
		if tells, may, holds := TellsNumber(c.id, numbers), log.Tells(string(c.id), mask, "") == TellsMasked, HasNumber(c.id); tells != c.tells || may != c.may || holds != c.holds {
			t.Errorf("%s: %v %v %v, want %v %v %v", c.id, tells, may, holds, c.tells, c.may, c.holds)
		}
	}
	if TellsNumber("447700900123", nil) {
		t.Error("a record without numbers has none to tell")
	}
}

func TestWhatIsToldOfAStoredID(t *testing.T) {
	log := Log{"acme", Messaging}
	for _, c := range []struct {
		id, from, to, other string
		want                Telling
	}{
		{wamid, "****", "****0123", "", TellsWhatsApp},
		{"447700900123", "SampleCo", "00447700900123", "", TellsFull},
		{"447700900123", "SampleCo", "", "+44 7700 900123", TellsFull},
		{"447700900123", "****", "****0123", "", TellsMasked},
		{"447700900123", "****0123", "", "", TellsMasked},
		{"447700900123", "****", "****0124", "", TellsUnsure},
		{"447700900123", "", "****", "", TellsUnsure},
		{"447700900123", "SampleCo", "****0124", "", ""},
		{"447700900123", "+447700900124", "SampleCo", "", ""},
		{"447700900123", "", "", "", ""},
		{"u-0123", "****", "****0123", "", ""},
		{"00000000-0000-4000-8000-447700900123:1", "****", "****0123", "", ""},
	} {
		if got := log.Tells(c.id, c.from, c.to, c.other); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestAPlaceThatLeavesTheStoreTellsNoNumber(t *testing.T) {
	log, noon := Log{"acme", Messaging}, time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	var numbers masking.Endings
	numbers.Add("+44 7700 900123")
	shown := func(id RecordID) Position {
		p, err := log.StoredPosition(FormatTime(noon)+"#"+string(id), numbers)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if got := shown("u-1"); got != (Position{Timestamp: noon, ID: "u-1"}) {
		t.Errorf("u-1 is shown as %v", got)
	}
	seen := map[RecordID]bool{}
	for _, id := range []RecordID{wamid, "wamid.a+/=", "447700900123", "x-447700900123-1"} {
		p := shown(id)
		again, err := ParsePosition(p.String())
		if err != nil || again != p || !p.Raw || !isHashed(string(p.ID)) || seen[p.ID] {
			t.Errorf("%s is shown as %s, read as %v: %v", id, p, again, err)
		}
		seen[p.ID] = true
	}
	if hashed, _ := log.RecordID(wamid); shown(wamid).ID != hashed {
		t.Error("what is stored raw is shown under another id than it would be stored under")
	}
	// Nobody can try all numbers: the hash is the same for every one.
	before := shown("447700900123")
	numbers = nil
	numbers.Add("+44 7700 900124")
	if shown("447700900124").ID != before.ID {
		t.Error("the hash of an id tells its number")
	}
	for _, bad := range []string{"", "u-1", "2026-05-04T12:00:00Z#u-1", "2026-05-04T12:00:00.000Z#", "2026-05-04T12:00:00.000Z#a b", "2026-05-04T12:00:00.000Z#~u-1"} {
		if p, err := log.StoredPosition(bad, nil); err == nil {
			t.Errorf("%q is read as %v", bad, p)
		}
	}
}
