package inbox_test

import (
	"encoding/json"
	"strings"
	"testing"

	"partnerview/internal/inbox"
)

// measured reads the last line of the log, and those of its numbers that count as metrics.
func (s *stage) measured() map[string]float64 {
	s.t.Helper()
	lines := strings.Split(strings.TrimSpace(s.log.String()), "\n")
	last := []byte(lines[len(lines)-1])
	var line struct {
		AWS struct {
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name string }
			}
		} `json:"_aws"`
	}
	var numbers map[string]any
	must(s.t, json.Unmarshal(last, &line))
	must(s.t, json.Unmarshal(last, &numbers))
	found := map[string]float64{}
	for _, d := range line.AWS.CloudWatchMetrics {
		if d.Namespace != "Partnerview" || len(d.Dimensions) != 1 || len(d.Dimensions[0]) != 1 || d.Dimensions[0][0] != "stack" {
			s.t.Errorf("the metrics are of %s by %v", d.Namespace, d.Dimensions)
		}
		for _, m := range d.Metrics {
			n, isNumber := numbers[m.Name].(float64)
			if !isNumber {
				s.t.Errorf("the line has no number %s: %s", m.Name, last)
			}
			found[m.Name] = n
		}
	}
	return found
}

func (s *stage) wantsMeasured(claim string, want map[string]float64) {
	s.t.Helper()
	got := s.measured()
	for name, n := range want {
		if is, there := got[name]; !there || is != n {
			s.t.Errorf("%s: %s is %v (%v), want %v", claim, name, is, there, n)
		}
	}
	if len(got) < len(want) || len(want) == 0 && len(got) > 0 {
		s.t.Errorf("%s: the metrics are %v", claim, got)
	}
}

// An alarm goes by these numbers: an import counts once, whether it took one call or many.
func TestAnImportIsMeasuredOnceWhenItEnds(t *testing.T) {
	s := newStage(t)
	faulty := strings.Replace(string(native(8)), "acme_retail", "nobody_known", 1)
	answer, err := s.call(t.Context(), s.put("native/usage.ndjson", []byte(faulty)))
	must(t, err)
	if answer.Outcome != inbox.Done {
		t.Fatalf("the answer is %+v", answer)
	}
	s.wantsMeasured("an import", map[string]float64{"recordsRead": 8, "recordsWritten": 7, "linesRejected": 1, "importsDone": 1, "importsFailed": 0})
	if _, there := s.measured()["hoursSinceImport"]; there {
		t.Error("there was none before, and the hours since it are told")
	}

	s.log.Reset()
	_, err = s.call(t.Context(), answer) // whose answer was lost
	must(t, err)
	s.wantsMeasured("the same call again", nil)

	_, err = s.call(t.Context(), s.put("native/second.ndjson", native(3)))
	must(t, err)
	s.wantsMeasured("a second import", map[string]float64{"recordsWritten": 3, "importsDone": 1})
	if hours, there := s.measured()["hoursSinceImport"]; !there || hours < 0 || hours > 1 {
		t.Errorf("it was %v hours since the first (%v)", hours, there)
	}

	_, err = s.call(t.Context(), s.put("native/deeper/than/it.ndjson", native(3)))
	must(t, err)
	s.wantsMeasured("one that fails", map[string]float64{"recordsWritten": 0, "importsDone": 0, "importsFailed": 1})
}
