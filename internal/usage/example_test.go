package usage_test

import (
	"fmt"
	"time"

	"partnerview/internal/usage"
)

// A period has its beginning and not its end, so that months neither overlap nor leave a
// gap.
func ExamplePeriod_Contains() {
	november := usage.Period{
		From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		To:   time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
	}
	fmt.Println(november.Contains(november.From))
	fmt.Println(november.Contains(november.To.Add(-time.Millisecond)))
	fmt.Println(november.Contains(november.To))
	// Output:
	// true
	// true
	// false
}
