//go:build !race

package inbox_test

const (
	large  = 2 << 30 // bytes of the file by which memory is measured
	mostMB = 256     // that may be resident
)
