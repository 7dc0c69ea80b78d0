package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
)

// A cursor is a version, a check and the last entry's key, in base64url. The
// check is a truncated SHA-256 over the path, the filters as they were sent and
// the key. It is no signature, and needs none: a cursor has no power, since the
// log always comes from the path and the partner from the authorizer. It tells
// a damaged cursor, or one of another list, from a good one. To clients it is opaque;
// only our own page reads the time out of a log's key (timeOfCursor in web/log.js).
const (
	cursorVersion = 1
	checkBytes    = 12
	maxCursor     = 2048
)

// seal makes the cursor of a key of this request's list.
func (p *params) seal(key string) string {
	raw := append([]byte{cursorVersion}, p.check(key)...)
	return base64.RawURLEncoding.EncodeToString(append(raw, key...))
}

// open reads the key from the request's cursor; empty where there is none. It is
// called when all other parameters have been read: where one of them is at fault,
// nobody can say what list the cursor is of, and only its form is judged.
func (p *params) open() string {
	text := p.values.Get("cursor")
	if text == "" {
		return ""
	}
	const start = 1 + checkBytes
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text[:min(len(text), maxCursor)])
	if err != nil || len(raw) <= start || raw[0] != cursorVersion {
		p.badCursor()
		return ""
	}
	if len(p.faults) > 0 {
		return ""
	}
	if subtle.ConstantTimeCompare(raw[1:start], p.check(string(raw[start:]))) != 1 {
		p.badCursor()
		return ""
	}
	return string(raw[start:])
}

func (p *params) badCursor() {
	p.fault("cursor", "is not one of this list: send nextCursor unchanged, with the same path and filters as before; only limit may change")
}

func (p *params) check(key string) []byte {
	filters := maps.Clone(p.values)
	delete(filters, "limit")
	delete(filters, "cursor")
	h := sha256.New()
	for _, part := range []string{p.path, filters.Encode(), key} {
		h.Write([]byte{cursorVersion, byte(len(part) >> 8), byte(len(part))})
		h.Write([]byte(part))
	}
	return h.Sum(nil)[:checkBytes]
}

// nextLink is the Link header of a page: the same request with another cursor,
// relative to this one, so that it holds behind any stage or domain.
func nextLink(r *http.Request, cursor string) string {
	values := maps.Clone(r.URL.Query())
	values["cursor"] = []string{cursor}
	return "<?" + url.Values(values).Encode() + `>; rel="next"`
}
