//go:build race

package inbox_test

// large is smaller with the race detector, which takes ten times as long for each byte.
const large = 128 << 20
