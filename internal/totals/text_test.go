package totals_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

func TestASheetIsReadAsItWasWritten(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	for range 200 {
		sheet := make(totals.Sheet)
		for range random.IntN(40) {
			g := totals.Group{
				Direction: usage.Direction(pick("inbound", "outbound")), Status: usage.Status(pick("delivered", "failed", "")),
				Country: usage.Country(pick("GB", "US", "")), Channel: usage.Channel(pick("whatsapp", "")),
				Category: usage.Category(pick("marketing", "")), Price: pricing.Outcome(pick("rated", "unrated", "free")),
				Currency: money.Currency(pick("EUR", "JPY", "")),
			}
			sheet[g] = totals.Sums{Records: 1 + random.Int64N(1e9), Segments: random.Int64N(3), BillableSeconds: random.Int64N(2),
				Amount: decimal.New(random.Int64N(1e12)-5e11, -int32(random.IntN(12)))}
		}
		read, err := totals.ParseSheet(sheet.Text())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if read.Text() != sheet.Text() || len(read) != len(sheet) {
			t.Fatalf("seed %d: written\n%s\nread\n%s", seed, sheet.Text(), read.Text())
		}
		for g, sums := range sheet {
			if got := read[g]; !got.Amount.Equal(sums.Amount) || got.Records != sums.Records || got.BillableSeconds != sums.BillableSeconds {
				t.Fatalf("seed %d: %+v is %+v, written %+v", seed, g, got, sums)
			}
		}
	}
}

func TestADamagedSheetIsAnErrorAndNotASum(t *testing.T) {
	line := "outbound|delivered|GB|||rated|EUR|120|142||||5.04"
	for name, text := range map[string]string{
		"a field less":  strings.TrimSuffix(line, "|5.04"),
		"a field more":  line + "|",
		"no number":     strings.Replace(line, "120", "12O", 1),
		"no amount":     strings.Replace(line, "5.04", "5,04", 1),
		"an empty line": line + "\n\n" + strings.Replace(line, "GB", "FR", 1),
		"below 0":       strings.Replace(line, "120", "-120", 1),
		"no record":     strings.Replace(line, "120", "", 1),
		"a group twice": line + "\n" + line,
	} {
		if _, err := totals.ParseSheet(text); err == nil {
			t.Errorf("%s: %q is read as a sheet", name, text)
		}
	}
	if s, err := totals.ParseSheet(""); err != nil || len(s) != 0 {
		t.Errorf("an empty text: %v, %v", s, err)
	}
}

func TestMarksHaveTheOrderOfTheirTexts(t *testing.T) {
	marks := []totals.Mark{{}, {0, 9}, {0, 10}, {1, 0}, {9, 5}, {10, 0}, {1 << 30, 1}}
	for i, m := range marks {
		if read, err := totals.ParseMark(m.String()); err != nil || read != m {
			t.Errorf("%v is read as %v, %v", m, read, err)
		}
		if i > 0 && marks[i-1].String() >= m.String() {
			t.Errorf("%v is not before %v", marks[i-1], m)
		}
	}
	for _, text := range []string{"", "1-2", "0000000001", "0000000001-00000000x"} {
		if m, err := totals.ParseMark(text); err == nil {
			t.Errorf("%q is read as %v", text, m)
		}
	}
}
