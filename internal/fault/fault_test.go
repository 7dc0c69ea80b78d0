package fault

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestKindOf(t *testing.T) {
	cases := []struct {
		claim string
		err   error
		want  Kind
	}{
		{"a fault has its own kind", New(NotFound, "customer acme", nil), NotFound},
		{"wrapping keeps the kind", fmt.Errorf("page: %w", New(Unavailable, "query", nil)), Unavailable},
		{"the outermost fault decides", New(Internal, "decode", New(NotFound, "item", nil)), Internal},
		{"an error that nobody foresaw is ours", errors.New("boom"), Internal},
		{"a request that ran out of time may be tried again", fmt.Errorf("query: %w", context.DeadlineExceeded), Unavailable},
	}
	for _, c := range cases {
		t.Run(c.claim, func(t *testing.T) {
			if got := KindOf(c.err); got != c.want {
				t.Errorf("KindOf(%v) = %v, want %v", c.err, got, c.want)
			}
		})
	}
	if Is(nil, Internal) {
		t.Error("no error is no fault")
	}
}
