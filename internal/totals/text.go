package totals

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"partnerview/internal/money"
	"partnerview/internal/pricing"
	"partnerview/internal/usage"
)

// Text writes a sheet in as few bytes as are easily read: a line a group, in the order of
// the lines, fields between "|"; what is empty or 0 is empty.
//
//	outbound|delivered|GB|||rated|EUR|120|142||||5.04
func (s Sheet) Text() string { return strings.Join(s.Lines(), "\n") }

// Lines are those of Text, so that a sheet can be kept in parts.
func (s Sheet) Lines() []string {
	lines := make([]string, 0, len(s))
	for g, sums := range s {
		fields := [...]string{
			string(g.Direction), string(g.Status), string(g.Country), string(g.Channel), string(g.Category),
			string(g.Price), string(g.Currency),
			count(sums.Records), count(sums.Segments), count(sums.DurationSeconds), count(sums.ParticipantSeconds),
			count(sums.BillableSeconds), "",
		}
		if !sums.Amount.IsZero() {
			fields[amountField] = money.Text(sums.Amount)
		}
		lines = append(lines, strings.Join(fields[:], "|"))
	}
	slices.Sort(lines)
	return lines
}

const (
	countField  = 7 // the first of five
	amountField = 12
)

func count(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// ParseSheet reads what Text has written; an empty text is an empty sheet.
func ParseSheet(text string) (Sheet, error) {
	s := make(Sheet)
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		if len(fields) != amountField+1 {
			return nil, fmt.Errorf("a group of totals has %d fields, not %d", len(fields), amountField+1)
		}
		g := Group{
			Direction: usage.Direction(fields[0]), Status: usage.Status(fields[1]), Country: usage.Country(fields[2]),
			Channel: usage.Channel(fields[3]), Category: usage.Category(fields[4]),
			Price: pricing.Outcome(fields[5]), Currency: money.Currency(fields[6]),
		}
		var counts [amountField - countField]int64
		for i := range counts {
			n, err := strconv.ParseInt(cmp.Or(fields[countField+i], "0"), 10, 64)
			if err != nil || n < 0 {
				return nil, fmt.Errorf("a group of totals has no whole number in field %d", countField+i+1)
			}
			counts[i] = n
		}
		sums := Sums{
			Records: counts[0], Segments: counts[1], DurationSeconds: counts[2], ParticipantSeconds: counts[3],
			BillableSeconds: counts[4],
		}
		if fields[amountField] != "" {
			amount, err := money.Parse(fields[amountField])
			if err != nil {
				return nil, fmt.Errorf("a group of totals has no amount in its last field")
			}
			sums.Amount = amount
		}
		if _, again := s[g]; again || sums.Records == 0 {
			return nil, fmt.Errorf("a group of totals stands twice, or has no record")
		}
		s[g] = sums
	}
	return s, nil
}
