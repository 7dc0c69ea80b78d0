package main

import (
	"testing"
	"time"
)

func TestAPartitionGivesItsUnitsAndNoMore(t *testing.T) {
	const lasting = 100 * time.Second
	few := simulate(programs{10, 1.5, 40 * time.Millisecond}, lasting)
	if few.refused+few.again != 0 || few.pages != 25_000 {
		t.Errorf("ten programs are held back: %d pages, %d again, %d refused", few.pages, few.again, few.refused)
	}
	many := simulate(programs{200, 13.5, 120 * time.Millisecond}, lasting)
	units := 13.5 * float64(many.pages) / lasting.Seconds()
	if units > 1.02*partitionReads || units < 0.9*partitionReads {
		t.Errorf("many programs read %.0f units a second", units)
	}
	if many.refused == 0 || many.again < many.refused*(tries-1) {
		t.Errorf("%d again, %d refused", many.again, many.refused)
	}
}
