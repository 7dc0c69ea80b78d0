package dynamo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/usage"
)

// wamid is WhatsApp's id of message n; its base64 tells 447700900123.
func wamid(n int) string { return fmt.Sprintf("wamid.HBgMNDQ3NzAwOTAwMTIzFQ+/%d==", n) }

var acmeApps = usage.Log{Account: "acme_retail", Product: usage.Messaging}

// rawItem is a record as another pipeline may have written it.
func rawItem(log usage.Log, at time.Time, id string, more attributes) attributes {
	it := attributes{"log": log.Key(), "at": usage.FormatTime(at) + "#" + id, "byId": log.Key() + "#" + id, "to": "+44 (0)7700 900123", "status": "sent"}
	for name, v := range more {
		it[name] = v
	}
	return it
}

// Ids that tell a number, as another pipeline stored them, in three milliseconds
// with some that do not.
func rawLog(t *testing.T, tables dynamo.Tables) (n int) {
	t.Helper()
	db := engine.Client(t)
	for second := range 3 {
		at := now.Add(time.Duration(second) * time.Second)
		for _, id := range []string{wamid(1), wamid(2), wamid(3), "447700900123", "x-7700900123.1", "447700900124", "a-1", "zz-9"} {
			putItem(t, db, tables.Usage, rawItem(acmeApps, at, id, nil))
			n++
		}
	}
	return n
}

func TestNoIDThatTellsANumberLeavesTheStore(t *testing.T) {
	tables := engine.NewTables(t)
	s := newStore(t, tables)
	n := rawLog(t, tables)
	for _, order := range []usage.Order{usage.OldestFirst, usage.NewestFirst} {
		for limit := 1; limit <= n+1; limit++ {
			q := usage.Query{Order: order, Limit: limit, Now: now, Period: usage.Period{From: now, To: now.Add(time.Hour)}}
			seen := map[string]bool{}
			for more := true; more; {
				page, err := s.Log(t.Context(), acmeApps, q)
				must(t, err)
				for _, r := range page.Records {
					assertTellsNothing(t, string(r.ID))
					seen[r.Position().String()] = true
				}
				if more = page.Next != nil; more {
					cursor := page.Next.String()
					assertTellsNothing(t, cursor)
					after, err := usage.ParsePosition(cursor)
					must(t, err)
					q.After = &after
				}
			}
			if len(seen) != n {
				t.Fatalf("%s by %d: %d different records of %d", order, limit, len(seen), n)
			}
		}
	}
	hashed, err := acmeApps.RecordID(wamid(1))
	must(t, err)
	first, err := s.Log(t.Context(), acmeApps, usage.Query{Order: usage.OldestFirst, Limit: 100, Now: now})
	must(t, err)
	if !slices.ContainsFunc(first.Records, func(r usage.Record) bool { return r.ID == hashed }) {
		t.Errorf("WhatsApp's id is not shown as %s", hashed)
	}
}

func assertTellsNothing(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(text, "7700900123") || strings.Contains(text, "wamid") {
		t.Fatalf("it tells a number: %s", text)
	}
}

// A filtered page that ends early goes on behind a record that is not in it.
func TestAPageThatEndsAtAnIDThatTellsANumberGoesOnBehindIt(t *testing.T) {
	tables := engine.NewTables(t)
	s, db := newStore(t, tables), engine.Client(t)
	large := attributes{"content": strings.Repeat("x", 350_000)}
	for i := range 4 {
		at := now.Add(time.Duration(i) * time.Second)
		for _, id := range []string{wamid(i), "447700900123", "447700900124"} {
			putItem(t, db, tables.Usage, rawItem(acmeApps, at, id, large))
		}
	}
	found := attributes{"status": "read"}
	putItem(t, db, tables.Usage, rawItem(acmeApps, now.Add(time.Hour), "last", found))
	putItem(t, db, tables.Usage, rawItem(acmeApps, now.Add(-time.Hour), "first", found))
	for _, order := range []usage.Order{usage.OldestFirst, usage.NewestFirst} {
		q := usage.Query{Order: order, Limit: 10, Now: now, Filter: usage.Filter{Statuses: []usage.Status{usage.Read}}}
		var got []string
		pages := 0
		for more := true; more; pages++ {
			page, err := s.Log(t.Context(), acmeApps, q)
			must(t, err)
			got = append(got, ids(page.Records)...)
			if more = page.Next != nil; more {
				assertTellsNothing(t, page.Next.String())
				q.After = page.Next
			}
		}
		if slices.Sort(got); !slices.Equal(got, []string{"first", "last"}) || pages < 3 {
			t.Errorf("%s: %q on %d pages", order, got, pages)
		}
	}
}

// What a cursor stood at may have been mended when it comes back.
func TestAPageBehindAnIDThatIsGoneLeavesNothingOut(t *testing.T) {
	tables := engine.NewTables(t)
	s := newStore(t, tables)
	n := rawLog(t, tables)
	gone := usage.Position{Timestamp: now.Add(time.Second), ID: "h-00000000000000000000000000000000", Raw: true}
	for order, want := range map[usage.Order]int{usage.OldestFirst: n * 2 / 3, usage.NewestFirst: n * 2 / 3} {
		page, err := s.Log(t.Context(), acmeApps, usage.Query{Order: order, Limit: 100, Now: now, After: &gone})
		must(t, err)
		if len(page.Records) != want {
			t.Errorf("%s: %d records, want %d", order, len(page.Records), want)
		}
	}
}

func TestARecordWhoseIDIsNotShownIsDeletedByItsPlace(t *testing.T) {
	tables := engine.NewTables(t)
	s := newStore(t, tables)
	n := rawLog(t, tables)
	page, err := s.Log(t.Context(), acmeApps, usage.Query{Order: usage.OldestFirst, Limit: 100, Now: now})
	must(t, err)
	for i, r := range page.Records {
		must(t, s.DeleteUsage(t.Context(), acmeApps, []usage.Position{r.Position()}))
		left, err := s.Log(t.Context(), acmeApps, usage.Query{Order: usage.OldestFirst, Limit: 100, Now: now})
		must(t, err)
		if want := n - i - 1; len(left.Records) != want {
			t.Fatalf("%d left, want %d", len(left.Records), want)
		}
	}
}
