package main

import (
	"maps"
	"strings"
	"testing"

	"partnerview/tools/bulk"
)

// What the bench says of a load is true only if it finds what is wrong with one.
func TestBenchFindsWhatIsWrong(t *testing.T) {
	load := bulk.Load{Lines: 1000}
	good := func() *findings {
		f := &findings{what: "the table"}
		for number := range load.Records() {
			f.see(number)
		}
		return f
	}
	if err := good().judge(load.Records()); err != nil {
		t.Errorf("a whole table: %v", err)
	}
	twice := good()
	twice.see(17)
	short := &findings{what: "the table"}
	for number := range load.Records() {
		if number != 17 {
			short.see(number)
		}
	}
	foreign := good()
	foreign.add("is not of the load: %s", "x")
	for says, f := range map[string]*findings{"record 17 is there twice": twice, "record 17 is missing": short, "not of the load": foreign} {
		if err := f.judge(load.Records()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("it says %v, want %q", err, says)
		}
	}
	want := load.Attributes(0)
	for name := range want {
		got := maps.Clone(want)
		got[name] += "0"
		if d := difference(want, got); !strings.Contains(d, name) {
			t.Errorf("another %s is told as %q", name, d)
		}
		delete(got, name)
		if d := difference(want, got); !strings.Contains(d, "no "+name) {
			t.Errorf("a missing %s is told as %q", name, d)
		}
	}
}

// The whole bench, small: a build, an engine, kills and restarts.
func TestSmallLoadSurvivesKillsAndRestarts(t *testing.T) {
	t.Chdir("../..")
	if err := run(t.Context(), bulk.Load{Lines: 1000}, how{kills: 3, seed: 1, rounds: 1}); err != nil {
		t.Fatal(err)
	}
}

// The same by the inbox's function, over the Runtime API.
func TestASmallFileInTheInboxSurvivesAKill(t *testing.T) {
	t.Chdir("../..")
	if err := run(t.Context(), bulk.Load{Lines: 10_000}, how{kills: 1, seed: 1, rounds: 1, inbox: true}); err != nil {
		t.Fatal(err)
	}
}
