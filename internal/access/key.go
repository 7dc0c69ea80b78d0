package access

import (
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"slices"
	"strings"
)

// An access key is the text
//
//	pvk_<keyId>_<secret><checksum>
//
// in base 62 (0–9 a–z A–Z): the prefix lets secret scanners find a leaked key,
// the key id (12 characters) names it in lists and logs without giving it away,
// the secret (43) holds 256 random bits, and the checksum (6) is the CRC-32 of
// all that stands before it, so that a mistyped or invented key is told apart
// without asking the database.
const (
	prefix        = "pvk_"
	idLength      = 12
	secretLength  = 43
	checkLength   = 6
	secretBytes   = 32
	keyTextLength = len(prefix) + idLength + 1 + secretLength + checkLength
)

// NewKey makes an access key of 41 random bytes. The text is for its
// owner, to be shown once; the id and the hash are what is stored.
func NewKey(random io.Reader) (text, id string, hash [32]byte, err error) {
	var raw [9 + secretBytes]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", "", hash, fmt.Errorf("access key: no random bytes: %w", err)
	}
	// 72 random bits, of which 12 digits hold 71: enough that ids never meet.
	id = base62(raw[:9], idLength)
	secret := base62(raw[9:], secretLength)
	body := prefix + id + "_" + secret
	return body + checksum(body), id, sha256.Sum256([]byte(secret)), nil
}

// parseKey takes a key apart. It tells only whether the text is a key at all,
// not whether there is one like it.
func parseKey(text string) (id string, hash [32]byte, ok bool) {
	if len(text) != keyTextLength || !strings.HasPrefix(text, prefix) || text[len(prefix)+idLength] != '_' {
		return "", hash, false
	}
	body, check := text[:keyTextLength-checkLength], text[keyTextLength-checkLength:]
	id, secret := body[len(prefix):len(prefix)+idLength], body[len(body)-secretLength:]
	if !isBase62(id) || !isBase62(secret) || checksum(body) != check {
		return "", hash, false
	}
	return id, sha256.Sum256([]byte(secret)), true
}

// ParseKeyID checks the form of a key's id, not that there is such a key. The
// error does not repeat the text, which may be a secret.
func ParseKeyID(text string) (string, error) {
	if len(text) != idLength || !isBase62(text) {
		return "", fmt.Errorf("a key's id is the %d letters and digits that stand between %s and the next _",
			idLength, prefix)
	}
	return text, nil
}

// FindKeyIDs lists the ids of the access keys that a text mentions, such as a
// log or a file in which keys leaked, each once. A key is found by its beginning:
// what stands behind its id may be cut off or wrong.
func FindKeyIDs(text string) []string {
	var ids []string
	for {
		_, rest, found := strings.Cut(text, prefix)
		if !found {
			return ids
		}
		text = rest
		if len(rest) <= idLength || rest[idLength] != '_' {
			continue
		}
		if id, err := ParseKeyID(rest[:idLength]); err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
}

func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	return base62([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, checkLength)
}

// base62 writes a number in exactly so many digits, of which the first are cut
// where it has more.
func base62(number []byte, digits int) string {
	s := new(big.Int).SetBytes(number).Text(62)
	if len(s) > digits {
		s = s[len(s)-digits:]
	}
	return strings.Repeat("0", digits-len(s)) + s
}

func isBase62(s string) bool {
	return strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
