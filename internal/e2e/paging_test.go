package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"partnerview/internal/usage"
)

// page reads a whole log, so many records a page, and gives the records' places
// in the order in which they came. Between pages it calls between.
func page(t *testing.T, partner string, log usage.Log, query url.Values, between func(n int)) []string {
	t.Helper()
	var got []string
	for n, cursor := 0, ""; n == 0 || cursor != ""; n++ {
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var p usagePage
		a := pv.read(t, pv.Key(t, partner), logPath(log)+"?"+query.Encode(), &p)
		for _, r := range p.Data {
			got = append(got, r.Timestamp+"#"+r.ID)
		}
		cursor = p.NextCursor
		if hasLink := strings.Contains(a.header.Get("Link"), `rel="next"`); hasLink != (cursor != "") {
			t.Errorf("nextCursor %q, but Link: %s", cursor, a.header.Get("Link"))
		}
		between(n)
	}
	return got
}

// middling is a log of a few hundred records that an active partner sees, and
// the partner.
func middling(t *testing.T, product usage.Product) (usage.Log, string) {
	t.Helper()
	var best usage.Log
	for log, records := range load(t).records {
		if log.Product == product && len(records) > 120 && viewerOf(t, log) != "" &&
			(best.Account == "" || len(records) < len(load(t).records[best]) || len(records) == len(load(t).records[best]) && log.Account < best.Account) {
			best = log
		}
	}
	if best.Account == "" {
		t.Fatalf("the sample has no %s log of more than 120 records", product)
	}
	return best, viewerOf(t, best)
}

// What was there when paging began comes exactly once and in order, whatever
// the page's size, the order and the filter, and while records arrive before,
// amid and behind the page.
func TestPagingGivesEachRecordOnceWhileOthersArrive(t *testing.T) {
	for _, product := range usage.Products() {
		log, partner := middling(t, product)
		records := load(t).records[log]
		all := inOrder(records)
		filters := map[string]func(usage.Record) bool{
			"":                                  func(usage.Record) bool { return true },
			"status=delivered":                  func(r usage.Record) bool { return r.Status == usage.Delivered },
			"status=completed&status=no_answer": func(r usage.Record) bool { return r.Status == usage.Completed || r.Status == usage.NoAnswer },
			"direction=outbound&country=gb":     func(r usage.Record) bool { return r.Direction == usage.Outbound && r.Country == "GB" },
		}
		if last4 := records[all[len(all)/2]].To.Last4(); last4 != "" {
			filters["toLast4="+last4] = func(r usage.Record) bool { return r.To.Last4() == last4 }
		}
		middle := records[all[len(all)/2]].Timestamp
		filters["from="+usage.FormatTime(middle)] = func(r usage.Record) bool { return !r.Timestamp.Before(middle) }
		filters["to="+usage.FormatTime(middle)] = func(r usage.Record) bool { return r.Timestamp.Before(middle) }
		for filter, matches := range filters {
			var want []string
			for _, place := range all {
				if matches(records[place]) {
					want = append(want, place)
				}
			}
			for _, order := range []string{"asc", "desc"} {
				for _, limit := range []int{1, 7, 50, 99, 500} {
					if limit < 7 && len(want) > 40 {
						continue // the store's own tests go through every size
					}
					query, err := url.ParseQuery(filter)
					if err != nil {
						t.Fatal(err)
					}
					query.Set("order", order)
					query.Set("limit", fmt.Sprint(limit))
					got := page(t, partner, log, query, func(int) {})
					got = slices.DeleteFunc(got, func(place string) bool { return strings.Contains(place, "#late-") })
					if order == "desc" {
						slices.Reverse(got)
					}
					if !slices.Equal(got, want) {
						t.Fatalf("%s %q %s, %d a page: %d records, want %d", log, filter, order, limit, len(got), len(want))
					}
				}
			}
		}
		// And while others arrive.
		for _, order := range []string{"asc", "desc"} {
			query := url.Values{"order": {order}, "limit": {"20"}}
			got := page(t, partner, log, query, func(n int) {
				if n < 3 {
					arrive(t, log, all, n, order)
				}
			})
			seen := map[string]int{}
			for _, place := range got {
				seen[place]++
			}
			for _, place := range all {
				if seen[place] != 1 {
					t.Errorf("%s %s: while others arrive, %s comes %d times", log, order, place, seen[place])
				}
			}
			for place, times := range seen {
				if times > 1 {
					t.Errorf("%s %s: %s comes %d times", log, order, place, times)
				}
			}
		}
	}
}

// arrive loads records at the log's start, middle and end, and at the very time
// of a record that is there.
func arrive(t *testing.T, log usage.Log, all []string, n int, order string) {
	t.Helper()
	var lines strings.Builder
	for i, place := range []string{all[0], all[len(all)/3], all[len(all)/2], all[len(all)-1]} {
		at, _, _ := strings.Cut(place, "#")
		line, err := json.Marshal(map[string]any{"accountId": log.Account, "product": log.Product, "id": fmt.Sprintf("late-%s-%d-%d", order, n, i), "timestamp": at})
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	pv.operates(t, lines.String(), "import", "usage", "-")
}
