package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
)

// Digest sums up what is read through it.
type Digest struct {
	Bytes int64 // that were read

	from  io.Reader
	sum   hash.Hash
	whole bool // it was read to its end
}

func NewDigest(from io.Reader) *Digest { return &Digest{from: from, sum: sha256.New()} }

func (d *Digest) Read(p []byte) (int, error) {
	n, err := d.from.Read(p)
	_, _ = d.sum.Write(p[:n]) // it never fails
	d.Bytes += int64(n)
	d.whole = d.whole || err == io.EOF
	return n, err
}

// SHA256 is that of the bytes, as an Import has it; empty where not all were read.
func (d *Digest) SHA256() string {
	if !d.whole {
		return ""
	}
	return hex.EncodeToString(d.sum.Sum(nil))
}
