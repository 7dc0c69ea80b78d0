package spreadsheet

import "testing"

// A guarded text is no formula, and comes out as it went in.
//
//fuzz:reaches spreadsheet.go:Guard spreadsheet.go:Unguard spreadsheet.go:beginsFormula
func FuzzGuard(f *testing.F) {
	for _, seed := range []string{"=1+1", "'=1", "''@x", "＝1", "plain", "", "'", "\t=", "-1", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell := Guard(text)
		if Unguard(cell) != text || beginsFormula(cell) && cell[0] != '\'' {
			t.Fatalf("%q is guarded as %q, and that is %q", text, cell, Unguard(cell))
		}
	})
}
