package usage

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"partnerview/internal/masking"
)

// RecordID is the platform's id of one record: 1 to 128 of A–Z a–z 0–9 . _ : -,
// but neither "." nor "..", which no path can hold (RFC 3986, 5.2.4). It is unique
// within a log together with the record's timestamp.
//
// An id must not tell a number of its own record, since it is part of keys,
// addresses and cursors: [TellsNumber]. WhatsApp's ids, which have the number in
// base64, are kept and shown as a hash: [Log.RecordID].
type RecordID string

const maxRecordID = 128

// ParseRecordID checks the form of a record's id.
func ParseRecordID(s string) (RecordID, error) {
	if !isRecordID(s) || s == "." || s == ".." {
		return "", fmt.Errorf("a record's id is 1 to 128 of A-Z a-z 0-9 . _ : -, and neither . nor .. alone")
	}
	return RecordID(s), nil
}

const idCharacters = capitals + smallLetters + digits + "._:-"

// isRecordID reports whether s may stand as an id in a log: "." and ".." are not
// taken any more, but were once.
func isRecordID(s string) bool {
	return len(s) >= 1 && len(s) <= maxRecordID && madeOf(s, idCharacters)
}

// IsWhatsApp reports whether s is an id of WhatsApp: "wamid." and base64, in which
// the number of the person stands. Beside the characters of other ids it may have
// + / =.
func IsWhatsApp(s string) bool {
	const prefix = "wamid."
	return len(s) > len(prefix) && len(s) <= maxRecordID && strings.EqualFold(s[:len(prefix)], prefix) &&
		madeOf(s, idCharacters+"+/=")
}

// RecordID is the id by which the log has a record that the platform calls s: s
// itself or, of WhatsApp's ids, "h-" and the first 32 hex digits of the SHA-256 of
// account, NUL, product, NUL and s. An id that has that form already stays.
func (l Log) RecordID(s string) (RecordID, error) {
	if IsWhatsApp(s) {
		return hashedID(string(l.Account), string(l.Product), s), nil
	}
	return ParseRecordID(s)
}

const (
	hexDigits  = digits + "abcdef"
	hashPrefix = "h-"
	hashDigits = 32
)

func hashedID(parts ...string) RecordID {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return RecordID(hashPrefix + hex.EncodeToString(sum[:])[:hashDigits])
}

// isHashed reports whether an id is "h-" and 32 hex digits.
func isHashed(id string) bool {
	hash, ok := strings.CutPrefix(id, hashPrefix)
	return ok && len(hash) == hashDigits && madeOf(hash, hexDigits)
}

// isUUID reports whether s has the form of a UUID, as
// 00000000-0000-4000-8000-000000000201, in either case.
func isUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	const hex = hexDigits + "ABCDEF"
	return madeOf(s[:8], hex) && madeOf(s[9:13], hex) && madeOf(s[14:18], hex) && madeOf(s[19:23], hex) &&
		madeOf(s[24:], hex)
}

// TellsNumber reports whether an id tells one of the numbers that the endings are
// of. Runs of 16 digits and more are no numbers; neither does an id tell one that
// is a UUID, or one with a step behind a colon, or a hash ([Log.RecordID]).
func TellsNumber(id RecordID, numbers masking.Endings) bool {
	return len(numbers) > 0 && anyPart(id, numbers.In)
}

// Telling says what of an id may not be kept; empty: nothing.
type Telling string

const (
	TellsWhatsApp Telling = "whatsapp" // it is one of WhatsApp's
	TellsFull     Telling = "number"   // it tells a number of the record that is stored in full
	TellsMasked   Telling = "masked"   // a run of 8 to 15 digits in it ends in the last four of the record's from or to
	TellsUnsure   Telling = "unsure"   // it has such a run, and from or to is **** alone: nobody can say
)

// Tells judges the id of a stored record by its ends as they are stored, raw or
// masked, and by other values that may have a number of it. Of what is masked no
// more than the last four digits can be compared.
func (l Log) Tells(id string, from, to string, others ...string) Telling {
	if IsWhatsApp(id) {
		return TellsWhatsApp
	}
	var numbers masking.Endings
	for _, raw := range append([]string{from, to}, others...) {
		numbers.Add(raw)
	}
	if TellsNumber(RecordID(id), numbers) {
		return TellsFull
	}
	unsure := false
	for _, end := range []string{from, to} {
		mask := masking.Mask(end)
		if mask.IsNull() || mask.String() != end { // it is stored in full, and was looked for
			continue
		}
		if anyPart(RecordID(id), mask.MayEnd) {
			return TellsMasked
		}
		unsure = unsure || mask.Last4() == ""
	}
	if unsure && HasNumber(RecordID(id)) {
		return TellsUnsure
	}
	return ""
}

// NewHashedID makes an id in the form of a hash that tells nothing at all.
func NewHashedID(random io.Reader) (RecordID, error) {
	raw := make([]byte, hashDigits/2)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", err
	}
	return RecordID(hashPrefix + hex.EncodeToString(raw)), nil
}

// HasNumber reports whether the id has a run of digits that could be the whole
// number of anybody.
func HasNumber(id RecordID) bool { return anyPart(id, masking.HasFull) }

// anyPart asks for each part of an id that may hold a number at all. A colon ends
// what could be one.
func anyPart(id RecordID, tells func(string) bool) bool {
	if isHashed(string(id)) {
		return false
	}
	for part := range strings.SplitSeq(string(id), ":") {
		if !isUUID(part) && tells(part) {
			return true
		}
	}
	return false
}

// Position is a record's place in its log: logs are ordered by timestamp, then
// by id bytewise.
type Position struct {
	Timestamp time.Time
	ID        RecordID
	// Raw: the store has the record under another id than this, which is not
	// shown, since it tells a number. This one was made of it, and only the store
	// can find the record by it.
	Raw bool
}

// Position is where the record stands in its log.
func (r Record) Position() Position { return Position{r.Timestamp, r.ID, r.Raw} }

// StoredPosition reads the place of a record that the store has, in the form in
// which it may leave the store. Most are what they were. One of WhatsApp's ids is
// hashed; so is one that tells a number of the raw from or to, without its digits
// and with the time: the hash of a number would soon tell the number.
func (l Log) StoredPosition(s string, numbers masking.Endings) (Position, error) {
	at, id, err := splitPosition(s)
	switch {
	case err != nil:
		return Position{}, err
	case IsWhatsApp(id):
		return Position{at, hashedID(string(l.Account), string(l.Product), id), true}, nil
	case !isRecordID(id):
		return Position{}, errPosition
	case TellsNumber(RecordID(id), numbers):
		bare := strings.Map(func(c rune) rune {
			if c < utf8.RuneSelf && isDigit(byte(c)) {
				return '#'
			}
			return c
		}, id)
		return Position{at, hashedID(string(l.Account), string(l.Product), FormatTime(at), bare), true}, nil
	}
	return Position{at, RecordID(id), false}, nil
}

// rawMark stands before the id of a raw position; no id begins with it.
const rawMark = "~"

// String is "2026-11-03T10:00:00.120Z#u-1": the order of these texts is that of
// the log, since a timestamp has a fixed width and "#" sorts below every
// character of an id. A raw position has a ~ before its id.
func (p Position) String() string {
	mark := ""
	if p.Raw {
		mark = rawMark
	}
	return FormatTime(p.Timestamp) + "#" + mark + string(p.ID)
}

// ParsePosition reads what String wrote.
func ParsePosition(s string) (Position, error) {
	at, name, err := splitPosition(s)
	if err != nil {
		return Position{}, err
	}
	id, raw := strings.CutPrefix(name, rawMark)
	if !isRecordID(id) || raw && !isHashed(id) {
		return Position{}, errPosition
	}
	return Position{at, RecordID(id), raw}, nil
}

var errPosition = errors.New("a place in a log is a timestamp as " + TimeLayout + ", #, and a record's id")

// splitPosition parts the timestamp of a place and its id.
func splitPosition(s string) (at time.Time, id string, err error) {
	when, id, found := strings.Cut(s, "#")
	if !found {
		return time.Time{}, "", errPosition
	}
	if at, err = ParseTime(when); err != nil || FormatTime(at) != when {
		return time.Time{}, "", errPosition
	}
	return at, id, nil
}
