package dynamo

import "runtime"

// stackOfCall is about how deep the stack of one call of the SDK gets.
const stackOfCall = 24 << 10

// growStack makes room on the stack for a call of the SDK, whose middleware is
// some sixty functions deep. A new goroutine begins with a small stack; grown
// step by step in the middle of a call, each step would copy and adjust all of
// those frames. A usage page takes a twentieth less time so (docs/performance.md).
//
//go:noinline
func growStack() {
	var room [stackOfCall]byte
	runtime.KeepAlive(&room)
}
