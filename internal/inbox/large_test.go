//go:build !race

package inbox_test

// large is how many bytes the file has by which memory is measured.
const large = 2 << 30
