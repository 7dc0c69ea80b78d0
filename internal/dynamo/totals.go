package dynamo

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/fault"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// Totals, as both who writes and who reads them need them: keys, and what an item holds.

const (
	dayPrefix   = "DAY#"
	partPrefix  = "PART#"
	monthPrefix = "MONTH#"
	logName     = "LOG"
	readyName   = "READY"
)

func dayKey(d totals.LogDay) item {
	return item{"pk": str(d.Log.Key()), "sk": str(dayPrefix + string(d.Day))}
}

func logStateKey(log usage.Log) item { return item{"pk": str(log.Key()), "sk": str(logName)} }

func monthKey(m totals.AccountMonth) item {
	return item{"pk": str(string(m.Account)), "sk": str(monthPrefix + string(m.Month))}
}

func readyKey() item { return item{"pk": str(readyName), "sk": str(readyName)} }

// partsPrefix is what the keys of a day's parts begin with that were written together.
func partsPrefix(day totals.Day, set string) string {
	return partPrefix + string(day) + "#" + set + "#"
}

// maxSheetBytes is how long the text of a day's totals may be in one item: an item of
// DynamoDB holds 400 kB. A group takes some 60 bytes.
const maxSheetBytes = 300_000

func (s *Store) maxSheet() int { return cmp.Or(s.sheetBytes, maxSheetBytes) }

var (
	dayAttributes      = project("pk", "sk", "zone", "groups", "parts", "set", "updatedAt", "expiresAt", "stale")
	partAttributes     = project("pk", "sk", "groups")
	logStateAttributes = project("pk", "sk", "firstDay", "lastDay", "loadedThrough", "loadedAt", "updatedAt",
		"pricesChangedAt", "stale")
	monthAttributes = project("pk", "sk", "zone", "sms", "voice", "video", "messaging", "stale")
	readyAttributes = project("pk", "sk", "at")
)

// storedDay is the head of a day.
type storedDay struct {
	totals.Dated        // of a day of parts without its sheet
	parts        int    // into how many its sheet is split
	set          string // the name of those parts
}

// counted reports whether the day was ever counted, and not only opened.
func (d storedDay) counted() bool { return !d.UpdatedAt.IsZero() }

func decodeDay(log usage.Log, it item) (storedDay, error) {
	r := reader{item: it}
	sk := r.required("sk")
	name, ofDay := strings.CutPrefix(sk, dayPrefix)
	day, err := totals.ParseDay(name)
	if err != nil || !ofDay {
		r.fail("sk", "a day's")
	}
	d := storedDay{Dated: totals.Dated{
		Log: log, Day: day, Zone: directory.TimeZone(r.text("zone")),
		UpdatedAt: r.time("updatedAt"), ExpiresAt: r.seconds("expiresAt"), Stale: r.text("stale") != "",
	}}
	if parts := r.number("parts"); parts != nil {
		if d.parts, d.set = int(*parts), r.required("set"); d.parts < 1 {
			r.fail("parts", "the number of some")
		}
	}
	if d.Sheet, err = totals.ParseSheet(r.text("groups")); err != nil {
		r.fail("groups", "a sheet: "+err.Error())
	}
	if !d.counted() && !d.Stale { // one that was opened and never counted is stale
		r.fail("updatedAt", "there")
	}
	if d.counted() {
		r.required("zone")
	}
	if r.err != nil {
		return storedDay{}, badItem("totals of "+log.Text(), sk, r.err)
	}
	return d, nil
}

// seconds reads a number of seconds since 1970; absent is the zero time.
func (r *reader) seconds(name string) time.Time {
	if n := r.number(name); n != nil {
		return time.Unix(*n, 0).UTC()
	}
	return time.Time{}
}

// digest names a sheet's text, so that a count need not read parts to know that nothing
// has changed.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// errPartMissing is that not all parts are there that a head tells of.
var errPartMissing = errors.New("a part of it is missing")

// readParts reads the sheet of a day of parts.
func (s *Store) readParts(ctx context.Context, d storedDay, consistent bool) (totals.Sheet, error) {
	op := "totals of " + d.Log.Text() + " on " + string(d.Day)
	prefix := partsPrefix(d.Day, d.set)
	items, err := s.queryAll(ctx, query{
		op: op, table: s.tables.Totals, projection: partAttributes,
		condition:  "#pk = :pk AND begins_with(#sk, :prefix)",
		values:     item{":pk": str(d.Log.Key()), ":prefix": str(prefix)},
		consistent: consistent,
	})
	if err != nil {
		return nil, err
	}
	if len(items) != d.parts {
		return nil, fault.New(fault.Unavailable, op, errPartMissing)
	}
	sheet := make(totals.Sheet)
	for _, it := range items {
		r := reader{item: it}
		part, err := totals.ParseSheet(r.required("groups"))
		if err = cmp.Or(r.err, err); err != nil {
			return nil, badItem("totals of "+d.Log.Text(), r.text("sk"), err)
		}
		sheet.Merge(part)
	}
	return sheet, nil
}

// atOnce calls f for each of 0 to n-1, so many side by side as limit says, and returns the
// first error by number. A panic of one is its error. After an error no more are begun.
func atOnce(limit, n int, f func(i int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	var mu sync.Mutex
	next, failed := 0, false
	take := func() (i int, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if failed || next == n {
			return 0, false
		}
		next++
		return next - 1, true
	}
	for range min(limit, n) {
		all.Go(func() {
			for {
				i, ok := take()
				if !ok {
					return
				}
				if errs[i] = fault.Caught(func() error { return f(i) }); errs[i] != nil {
					mu.Lock()
					failed = true
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	return cmp.Or(errs...)
}

// dayRange is the values of a key condition over the DAY items of a log from one day up to
// another, which it is without.
func dayRange(log usage.Log, from, to totals.Day) (condition string, values item) {
	return "#pk = :pk AND #sk BETWEEN :from AND :to", item{
		":pk": str(log.Key()), ":from": str(dayPrefix + string(from)), ":to": str(dayPrefix + string(to.Add(-1))),
	}
}

func opOfDays(log usage.Log, from, to totals.Day) string {
	return fmt.Sprintf("totals of %s from %s to %s", log.Text(), from, to)
}
