package main

import (
	"strconv"
	"testing"

	"partnerview/internal/dev/template"
	"partnerview/internal/usage"
)

// What is compared must be the same: newPage fails where the floor's answer is not
// the handler's, byte by byte.
func TestTheFloorAnswersWhatTheHandlerAnswers(t *testing.T) {
	t.Chdir("../..")
	for product, value := range map[usage.Product]any{usage.SMS: new(usageAnswer[smsAnswer]), usage.Voice: new(usageAnswer[voiceAnswer])} {
		page, err := newPage(product, value)
		if err != nil {
			t.Fatal(err)
		}
		if err := page.bareCalls(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheHeapIsCollectedAsInTheTemplate(t *testing.T) {
	deployed, err := template.Read("../../template.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range deployed.Functions {
		if got := f.Environment["GOGC"]; got != strconv.Itoa(gcPercent) {
			t.Errorf("%s has GOGC %q, and %d is measured", f.ID, got, gcPercent)
		}
	}
}

// BenchmarkPage is for profiles: -bench Page -cpuprofile.
func BenchmarkPage(b *testing.B) {
	b.Chdir("../..")
	page, err := newPage(usage.SMS, new(usageAnswer[smsAnswer]))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := page.answer(); err != nil {
			b.Fatal(err)
		}
	}
}
