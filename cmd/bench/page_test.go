package main

import (
	"testing"

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
