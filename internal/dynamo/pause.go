package dynamo

import (
	"context"
	"math/rand/v2"
	"time"
)

// pause waits before another attempt: nothing before the first, then twice as
// long each time with a random part, so that many who were refused together do
// not come back together. It ends early, with an error, when ctx does.
func pause(ctx context.Context, attempt int) error {
	if attempt == 0 {
		return ctx.Err()
	}
	longest := min(25*time.Millisecond<<min(attempt, 10), 2*time.Second)
	timer := time.NewTimer(longest/2 + rand.N(longest/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
