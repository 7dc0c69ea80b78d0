package main

import (
	"io"
	"strings"
	"testing"
)

// What a page costs is the same in a log of two thousand records and of four thousand, and
// in a list of a hundred customers and of three hundred: calls and units, which AWS counts. The
// search alone reads the whole list.
func TestCallsAndUnitsOfAPageDoNotGrowWithItsLog(t *testing.T) {
	t.Chdir("../..")
	table, err := run(t.Context(), sizes{logs: []int{2000, 4000}, partners: []int{100, 300}}, 1, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	costs := map[string]string{}
	for _, row := range table.Rows {
		name, cost := row[0], row[2]+" calls, "+row[3]+" units"
		if strings.HasPrefix(name, "search") || strings.HasSuffix(name, "all customers") {
			continue
		}
		if before, seen := costs[name]; seen && before != cost {
			t.Errorf("%s of %s costs %s, and of fewer %s", name, row[1], cost, before)
		}
		costs[name] = cost
	}
	if len(costs) != 9 {
		t.Errorf("asked was %v", costs)
	}
}
