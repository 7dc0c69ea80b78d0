package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
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

// secret is what nobody may read: a panic's value, an argument of a function on
// its way.
type secret string

//go:noinline
func raise(number secret) error { panic("of the number " + number) }

func refuse() error { panic(New(Unauthenticated, "key 0123", nil)) }

//go:noinline
func divide(by int) error { return fmt.Errorf("%d", 447700900123/by) }

func TestAPanicIsAFaultOfOursThatTellsWhereAndNotWhat(t *testing.T) {
	for claim, c := range map[string]struct {
		panics func() error
		want   string // what its text names
	}{
		"of our own":                    {func() error { return raise("+447700900123") }, "fault.secret at partnerview/internal/fault.raise (fault_test.go:"},
		"of the runtime's":              {func() error { return divide(0) }, "runtime.errorString at runtime.panicdivide (panic.go:"},
		"with an error that is a fault": {func() error { return refuse() }, "*fault.fault"},
	} {
		t.Run(claim, func(t *testing.T) {
			err := Caught(c.panics)
			if KindOf(err) != Internal || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "0123") {
				t.Errorf("got %v, want an internal fault that names %s and no value", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the text is more than a line: %v", err)
			}
		})
	}
	if err := Caught(func() error { return context.Canceled }); !errors.Is(err, context.Canceled) {
		t.Errorf("without a panic the error is %v", err)
	}
}
