package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// tally counts what was tried and what came of it. Its methods may be called from many goroutines.
type tally struct {
	mu    sync.Mutex
	part  string         // that is being tried
	tried map[string]int // by part
	kinds map[string]int // by the kind of fault
	ends  map[string]int // by what came of it: "right", "503"
	wrong int
	shown map[string]int // by part
}

// mostShown is how many wrong trials of a part are told word by word.
const mostShown = 12

// begin says of what part the trials are that follow.
func (t *tally) begin(part string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.part = part
}

// add counts one trial. wrong says what is wrong with it; nil: nothing.
func (t *tally) add(kinds []string, outcome, what string, wrong error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tried == nil {
		t.tried, t.kinds, t.ends, t.shown = map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	}
	t.tried[t.part]++
	for _, kind := range kinds {
		t.kinds[kind]++
	}
	if wrong == nil {
		t.ends[outcome]++
		return
	}
	t.wrong++
	if t.shown[t.part]++; t.shown[t.part] <= mostShown {
		fmt.Printf("WRONG %s: %s: %v\n", t.part, what, wrong)
	}
}

// say prints a line of what was tried in the part.
func (t *tally) say(text string, began time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Printf("%-9s %5d tried in %s: %s\n", t.part, t.tried[t.part], time.Since(began).Round(time.Second), text)
}

// end prints all counts, and is an error where anything was wrong.
func (t *tally) end(w io.Writer, took time.Duration) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := 0
	for _, n := range t.tried {
		all += n
	}
	for part, n := range t.shown {
		if n > mostShown {
			fmt.Fprintf(w, "%s: %d more were wrong.\n", part, n-mostShown)
		}
	}
	fmt.Fprintf(w, "By kind: %s.\n", listed(t.kinds))
	fmt.Fprintf(w, "What came of it: %s.\n", listed(t.ends))
	fmt.Fprintf(w, "faults: %d tried in %s (%s), %d wrong\n", all, took.Round(time.Second), listed(t.tried), t.wrong)
	if t.wrong > 0 || all == 0 {
		return errors.New("the product does not stand all that was tried")
	}
	return nil
}

// listed is "delayed 12, dropped 14".
func listed(counts map[string]int) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(words, ", ")
}
