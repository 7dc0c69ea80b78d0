//go:build race

package inbox_test

// The race detector takes ten times as long for each byte, and several times the memory: what is held is that
// it does not grow with the file.
const (
	large  = 128 << 20
	mostMB = 1024
)
