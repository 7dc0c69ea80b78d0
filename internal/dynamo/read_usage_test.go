package dynamo_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// walk reads a log from end to end, page by page.
func walk(t *testing.T, s *dynamo.Store, log usage.Log, q usage.Query, betweenPages func()) []usage.Record {
	t.Helper()
	var all []usage.Record
	for range 10_000 {
		page, err := s.Log(t.Context(), log, q)
		must(t, err)
		if len(page.Records) > q.Limit {
			t.Fatalf("a page of %d records for a limit of %d", len(page.Records), q.Limit)
		}
		all = append(all, page.Records...)
		if page.Next == nil {
			return all
		}
		q.After = page.Next
		if betweenPages != nil {
			betweenPages()
		}
	}
	t.Fatal("the pages do not end")
	return nil
}

// sampleLog is 60 records, oldest first: several share a timestamp, some are past
// their retention, and directions, statuses and countries alternate.
func sampleLog() []usage.Record {
	var records []usage.Record
	for i := range 60 {
		r := record(acmeSMS, name("u-%02d", i), now.Add(time.Duration(i/3)*time.Minute))
		if i%2 == 0 {
			r.Direction = usage.Inbound
		}
		if i%5 == 0 {
			r.Status = usage.Failed
		}
		if i%4 == 0 {
			r.Country, r.To = "DE", masking.Mask("+44 7700 900456")
		}
		if i%7 == 0 {
			r.ExpiresAt = now
		}
		records = append(records, r)
	}
	return records
}

func TestEveryLimitAndOrderGivesEachRecordOnce(t *testing.T) {
	s := engine.NewStore(t)
	write(t, s, sampleLog()...)
	write(t, s,
		record(usage.Log{Account: "acme_retail", Product: usage.Voice}, "other-product", now),
		record(usage.Log{Account: "acme", Product: usage.SMS}, "other-account", now),
		record(usage.Log{Account: "acme_retail2", Product: usage.SMS}, "longer-account", now))

	tests := []struct {
		name   string
		filter usage.Filter
		period usage.Period
		shows  func(i int) bool // of sampleLog, but for what has expired
	}{
		{"without a filter", usage.Filter{}, usage.Period{}, func(int) bool { return true }},
		{"one direction", usage.Filter{Direction: usage.Inbound}, usage.Period{}, func(i int) bool { return i%2 == 0 }},
		{"one of two statuses, one country", usage.Filter{Statuses: []usage.Status{"failed", "queued"}, Countries: []usage.Country{"GB"}}, usage.Period{},
			func(i int) bool { return i%5 == 0 && i%4 != 0 }},
		{"last four digits", usage.Filter{ToLast4: "0456"}, usage.Period{}, func(i int) bool { return i%4 == 0 }},
		{"nothing matches", usage.Filter{Statuses: []usage.Status{"busy"}}, usage.Period{}, func(int) bool { return false }},
		{"a period from one instant to before another", usage.Filter{}, usage.Period{From: now.Add(5 * time.Minute), To: now.Add(9 * time.Minute)},
			func(i int) bool { return i/3 >= 5 && i/3 < 9 }},
		{"from an instant on", usage.Filter{}, usage.Period{From: now.Add(5 * time.Minute)}, func(i int) bool { return i/3 >= 5 }},
		{"before an instant", usage.Filter{}, usage.Period{To: now.Add(5 * time.Minute)}, func(i int) bool { return i/3 < 5 }},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			for i := range 60 {
				if i%7 != 0 && tt.shows(i) {
					want = append(want, name("u-%02d", i))
				}
			}
			limits := []int{1, 2, 3, 7, 51, 52, 500}
			if i < 2 && !testing.Short() {
				limits = nil
				for n := range 62 {
					limits = append(limits, n+1)
				}
				limits = append(limits, 499, 500)
			}
			for _, limit := range limits {
				q := usage.Query{Filter: tt.filter, Period: tt.period, Limit: limit, Order: usage.OldestFirst, Now: now}
				if diff := cmp.Diff(want, slices.Clip(ids(walk(t, s, acmeSMS, q, nil))), emptyIsNil); diff != "" {
					t.Fatalf("limit %d, oldest first (-want +got):\n%s", limit, diff)
				}
				q.Order = usage.NewestFirst
				got := ids(walk(t, s, acmeSMS, q, nil))
				slices.Reverse(got)
				if diff := cmp.Diff(want, got, emptyIsNil); diff != "" {
					t.Fatalf("limit %d, newest first (-want +got):\n%s", limit, diff)
				}
			}
		})
	}
}

var emptyIsNil = cmp.Transformer("emptyIsNil", func(s []string) []string { return append([]string(nil), s...) })

func TestRecordsThatArriveWhilePagingDisturbNoOthers(t *testing.T) {
	s := engine.NewStore(t)
	var want []string
	for i := range 30 {
		r := record(acmeSMS, name("m-%02d", i), now.Add(time.Duration(i)*time.Second))
		want = append(want, string(r.ID))
		write(t, s, r)
	}
	for _, order := range []usage.Order{usage.OldestFirst, usage.NewestFirst} {
		arrived := 0
		arrive := func() { // before, amid and behind what is there
			for _, at := range []time.Duration{-1, 15*time.Second + 1, time.Hour} {
				write(t, s, record(acmeSMS, name("new-%s-%d", order, arrived), now.Add(at*time.Duration(arrived+1))))
				arrived++
			}
		}
		got := ids(walk(t, s, acmeSMS, usage.Query{Limit: 4, Order: order, Now: now}, arrive))
		got = slices.DeleteFunc(got, func(id string) bool { return strings.HasPrefix(id, "new-") })
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", order, diff)
		}
	}
}

func TestFilteredPageReadsAMegabyteAndNoMore(t *testing.T) {
	s := engine.NewStore(t)
	const each, count = 4 << 10, 600 // 2.4 MB
	var records []usage.Record
	for i := range count {
		r := record(acmeSMS, name("r-%04d", i), now.Add(time.Duration(i)*time.Second))
		r.ErrorCode = strings.Repeat("e", each-300)
		records = append(records, r)
	}
	records[count-1].Status = usage.Read
	write(t, s, records...)

	q := usage.Query{Filter: usage.Filter{Statuses: []usage.Status{usage.Read}}, Limit: 10, Order: usage.OldestFirst, Now: now}
	page, err := s.Log(t.Context(), acmeSMS, q)
	must(t, err)
	if len(page.Records) != 0 || page.Next == nil {
		t.Fatalf("got %d records and next %v; want an empty page with a place to read on from", len(page.Records), page.Next)
	}
	if read := int(page.Next.Timestamp.Sub(now)/time.Second) * each; read < 700<<10 || read > 1200<<10 {
		t.Errorf("the page read %d kB, want about 1 MB", read>>10)
	}
	if got := ids(walk(t, s, acmeSMS, q, nil)); !slices.Equal(got, []string{"r-0599"}) {
		t.Errorf("reading on finds %v, want the one that matches", got)
	}
}

func TestEveryFieldComesBackAsItWasWritten(t *testing.T) {
	s := engine.NewStore(t)
	price := money.Money{Amount: decimal.RequireFromString("0.0412"), Currency: "EUR"}
	common := usage.Record{
		ID: "id:1", Timestamp: now.Add(120 * time.Millisecond), Direction: usage.Inbound, Status: "strange_word", StatusAt: new(now.Add(time.Second)),
		ErrorCode: "E.1", From: masking.Mask("+44 7700 900123"), To: masking.Mask("ACME"), Country: "GB", RecordedPrice: &price,
		ExpiresAt: now.AddDate(0, 13, 0),
	}
	sms, voice, video, messaging := common, common, common, common
	sms.Log, sms.Operator, sms.Segments = acmeSMS, "23401", new(int64(0))
	voice.Log, voice.Operator, voice.DurationSeconds = usage.Log{Account: "acme_retail", Product: usage.Voice}, "23401", new(int64(61))
	video.Log = usage.Log{Account: "acme_retail", Product: usage.Video}
	video.DurationSeconds, video.Participants, video.ParticipantSeconds = new(int64(60)), new(int64(3)), new(int64(179))
	messaging.Log, messaging.Channel, messaging.Category = usage.Log{Account: "acme_retail", Product: usage.Messaging}, "whatsapp", "marketing"
	bare := usage.Record{Log: acmeSMS, ID: "bare", Timestamp: now}

	full := []usage.Record{sms, voice, video, messaging}
	for i, fields := 0, reflect.TypeFor[usage.Record](); i < fields.NumField(); i++ {
		set := func(r usage.Record) bool { return !reflect.ValueOf(r).Field(i).IsZero() }
		if name := fields.Field(i).Name; name != "Raw" && !slices.ContainsFunc(full, set) { // Raw is what the store says of a key
			t.Errorf("no record here has %s: give it to one, and an entry in recordFields", name)
		}
	}
	for _, want := range append(full, bare) {
		write(t, s, want)
		got, err := s.Record(t.Context(), want.Log, want.ID, now)
		must(t, err)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(masking.Number{})); diff != "" {
			t.Errorf("%s/%s (-want +got):\n%s", want.Log, want.ID, diff)
		}
		page, err := s.Log(t.Context(), want.Log, usage.Query{Limit: 10, Filter: usage.Filter{Statuses: []usage.Status{want.Status}}, Now: now})
		must(t, err)
		if want.Status != "" && (len(page.Records) != 1 || !cmp.Equal(want, page.Records[0], cmp.AllowUnexported(masking.Number{}))) {
			t.Errorf("%s: the log shows another record than was written", want.Log)
		}
	}
}

func TestRecordIsFoundInItsOwnLogOnly(t *testing.T) {
	s := engine.NewStore(t)
	expired := record(acmeSMS, "expired", now)
	expired.ExpiresAt = now
	twice := record(acmeSMS, "twice", now)
	newer := record(acmeSMS, "twice", now.Add(time.Minute))
	write(t, s, record(acmeSMS, "u-1", now), expired, twice, newer)

	got, err := s.Record(t.Context(), acmeSMS, "twice", now)
	must(t, err)
	if !got.Timestamp.Equal(newer.Timestamp) {
		t.Errorf("of two records with one id, that of %s is shown; want the newer", got.Timestamp)
	}
	for _, absent := range []struct {
		log usage.Log
		id  usage.RecordID
	}{
		{acmeSMS, "u-2"}, {acmeSMS, "u"}, {acmeSMS, "expired"},
		{usage.Log{Account: "acme_retail", Product: usage.Voice}, "u-1"},
		{usage.Log{Account: "acme", Product: usage.SMS}, "u-1"},
	} {
		if _, err := s.Record(t.Context(), absent.log, absent.id, now); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s/%s: got %v, want not found", absent.log, absent.id, err)
		}
	}
}

func TestRecordsOfAnIDAreFoundAtAllTheirTimes(t *testing.T) {
	s := engine.NewStore(t)
	later := now.Add(time.Hour)
	expired := record(acmeSMS, "u-1", now.Add(time.Minute))
	expired.ExpiresAt = now.Add(-time.Hour)
	write(t, s, record(acmeSMS, "u-1", later), expired, record(acmeSMS, "u-1", now), record(acmeSMS, "u-10", now),
		record(usage.Log{Account: "acme_retail", Product: usage.Voice}, "u-1", now))
	got, err := s.RecordsByID(t.Context(), acmeSMS, "u-1")
	must(t, err)
	var times []time.Time
	for _, r := range got {
		times = append(times, r.Timestamp)
	}
	if want := []time.Time{now, now.Add(time.Minute), later}; !slices.EqualFunc(times, want, time.Time.Equal) {
		t.Errorf("found at %v, want %v", times, want)
	}
	if got, err := s.RecordsByID(t.Context(), acmeSMS, "nobody"); err != nil || len(got) != 0 {
		t.Errorf("an unknown id: %v, %v", got, err)
	}
}

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
		q := usage.Query{Order: order, Limit: 2, Now: now, Filter: usage.Filter{Statuses: []usage.Status{usage.Read}}}
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
