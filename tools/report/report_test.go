package report

import "testing"

func TestATableIsLaidOutForATerminalAndAsMarkdown(t *testing.T) {
	table := Table{Title: "Starts.", Head: []string{"", "ms", "goal"}, Rows: [][]string{{"hello", "4.1", ""}, {"getusage", "12.25", "missed"}}}
	if got, want := table.Text(), "Starts.\n\n             ms  goal\nhello       4.1\ngetusage  12.25  missed\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := table.Markdown(), "Starts.\n\n|  | ms | goal |\n|---|---:|---:|\n| hello | 4.1 |  |\n| getusage | 12.25 | missed |\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAQuantileIsOneOfTheValues(t *testing.T) {
	var values []int64
	for i := range int64(100) {
		values = append(values, 100-i)
	}
	if p50, p99, most := Median(values, Itself), Quantile(values, 0.99, Itself), Quantile(values, 1, Itself); p50 != 51 || p99 != 100 || most != 100 {
		t.Errorf("p50 %d, p99 %d, most %d", p50, p99, most)
	}
}
