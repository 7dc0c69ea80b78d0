// Package fault names the few ways in which a request can fail, so that every
// layer means the same by "not found" or "unavailable" without knowing the
// others' errors.
//
// A fault has a kind, which the outside may know, and a cause, which only the
// log may. Stores make faults of their engine's errors by type; the API makes
// answers of their kinds. An error that is no fault is Internal: what nobody
// foresaw is never told as the caller's mistake.
//
// It is a leaf: it imports no package of this project.
package fault

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"
)

// Kind is what went wrong, as far as the caller may know it.
type Kind int

const (
	Internal        Kind = iota // ours, and trying again will not help
	Unavailable                 // ours, and trying again soon may help: throttling, time-outs, an engine that is down
	NotFound                    // there is no such thing, or the caller may not know that there is
	Invalid                     // the caller's input; the message says what is wrong and the way out
	Unauthenticated             // no credential, or one that does not count
)

func (k Kind) String() string {
	switch k {
	case Unavailable:
		return "unavailable"
	case NotFound:
		return "not found"
	case Invalid:
		return "invalid"
	case Unauthenticated:
		return "unauthenticated"
	}
	return "internal"
}

type fault struct {
	kind  Kind
	op    string
	cause error
}

// New makes a fault of a kind. The text says which operation failed and on
// what, for the log: ids, never secrets and never unmasked values. The cause may
// be nil.
func New(kind Kind, op string, cause error) error { return &fault{kind, op, cause} }

func (f *fault) Error() string {
	s := f.op + ": " + f.kind.String()
	if f.cause != nil {
		s += ": " + f.cause.Error()
	}
	return s
}

func (f *fault) Unwrap() error { return f.cause }

// KindOf is the kind of the outermost fault in err's chain. A context that ran
// out of time is Unavailable; any other error that is no fault is Internal.
func KindOf(err error) Kind {
	var f *fault
	switch {
	case errors.As(err, &f):
		return f.kind
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Unavailable
	}
	return Internal
}

// Caught calls f, and makes an Internal fault of a panic in it, so that one
// request fails and not the process with all that it has under way. The fault's
// text is the type of what was panicked with and where, function by function. The
// value itself is left out, and so are the functions' arguments: either may hold
// what nobody may read in a log.
//
// A panic in a goroutine ends the process wherever that was started: whoever starts
// one calls Caught in it.
func Caught(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = New(Internal, fmt.Sprintf("panic with a %T at %s", v, whereItPanicked()), nil)
		}
	}()
	return f()
}

// whereItPanicked is the stack of a panic that is being recovered from, innermost
// function first: "partnerview/internal/api.readParams (params.go:52), …".
func whereItPanicked() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	var stack []string
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if f.Function == "runtime.gopanic" {
			stack = nil // what is above it recovers
			continue
		}
		stack = append(stack, fmt.Sprintf("%s (%s:%d)", f.Function, path.Base(f.File), f.Line))
	}
	return strings.Join(stack, ", ")
}

// Is reports whether err is a fault of that kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }
