package masking

import (
	"strings"
	"testing"
)

func TestFiveDigitsInARowMayBeAPieceOfANumber(t *testing.T) {
	for text, want := range map[string]bool{
		"30005": true, "447700900123": true, "4477-0": true, "44 770": true, "a_44:77/0+": true, "E44770X": true, "(447)70": true,
		"４４７７０": true, "٤٤٧٧٠": true, "44\u00a0770": true, strings.Repeat("1", 40): true,
		"": false, "0404": false, "E4477a0": false, "4477x0": false, "delivered": false, "44#770": false, "12ab34cd56": false,
	} {
		if got := TellsDigits(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// Whatever the text, what is passed has nothing that Text would blank, and no number.
//
//fuzz:reaches digits.go:TellsDigits text.go:Text
func FuzzTellsDigits(f *testing.F) {
	for _, seed := range []string{"30005", "E4477a0", "44\u00a0770", "４４７７０", "4477", "\xff12345", "1-2-3-4-5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if TellsDigits(text) {
			return
		}
		if Text(text) != strings.ToValidUTF8(text, "\ufffd") && strings.Contains(Text(text), stars) && !strings.Contains(text, stars) {
			t.Fatalf("%q has a run that Text blanks: %q", text, Text(text))
		}
		if HasFull(text) {
			t.Fatalf("%q has a full number", text)
		}
	})
}
