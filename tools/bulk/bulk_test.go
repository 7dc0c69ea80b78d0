package bulk

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"partnerview/internal/dev/sample"
)

func written(t *testing.T, l Load, f File) string {
	t.Helper()
	var b bytes.Buffer
	if err := l.Write(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFilesHoldAllLinesAndAreTheSameEachTime(t *testing.T) {
	for _, lines := range []int{100, 101, 999, 1000} {
		l := Load{lines}
		sum := 0
		for _, f := range l.Files() {
			text := written(t, l, f)
			n := strings.Count(text, "\n")
			if strings.HasSuffix(f.Name, ".csv") {
				records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
				if err != nil {
					t.Fatal(err)
				}
				n = len(records) - 1
			}
			if n != f.Lines {
				t.Errorf("%s of %d has %d lines, want %d", f.Name, lines, n, f.Lines)
			}
			if again := written(t, l, f); again != text {
				t.Errorf("%s of %d differs the second time", f.Name, lines)
			}
			sum += n
		}
		if sum != lines {
			t.Errorf("the files have %d lines, want %d", sum, lines)
		}
	}
}

func TestRecordsAreAllDifferentAndNothingOfThemLeaks(t *testing.T) {
	l := Load{1000}
	places := map[string]bool{}
	for n := range l.Records() {
		a := l.Attributes(n)
		places[a["log"]+" "+a["at"]] = true
		_, id, _ := strings.Cut(a["at"], "#")
		if got, ok := Number(id); !ok || got != n {
			t.Errorf("%s is record %d, %v; want %d", id, got, ok, n)
		}
		for name, text := range a {
			if found := sample.Leaks(text); found != nil {
				t.Errorf("%s of record %d tells %q", name, n, found)
			}
		}
	}
	if len(places) != l.Records() {
		t.Errorf("%d records have %d places", l.Records(), len(places))
	}
	for _, id := range []string{"", "n-123", "x-0000001", "w-0000001:2", "n-0000001x"} {
		if n, ok := Number(id); ok {
			t.Errorf("%q is taken for record %d", id, n)
		}
	}
}

// A load would prove little if all its records were alike.
func TestEveryAttributeOccurs(t *testing.T) {
	l := Load{1000}
	seen := map[string]int{}
	for n := range l.Records() {
		for name := range l.Attributes(n) {
			seen[name]++
		}
	}
	for _, name := range strings.Fields("log at byId direction status statusAt errorCode from to country operator segments durationSeconds participants participantSeconds channel category recordedAmount recordedCurrency priceAt expiresAt") {
		if seen[name] == 0 {
			t.Errorf("no record has %s", name)
		}
		delete(seen, name)
	}
	if len(seen) > 0 {
		t.Errorf("there are others: %v", seen)
	}
}
