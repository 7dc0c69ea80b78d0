package operator_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/money"
	"partnerview/internal/operator"
	"partnerview/internal/pricing"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

// counter stands for a holder of the lease.
type counter struct {
	*dynamo.Store
	term, number int64
	now          time.Time // DynamoDB's
}

func (c *counter) mark() totals.Mark {
	c.number++
	return totals.Mark{Term: c.term, Number: c.number}
}

func (c *counter) clock() time.Time { return c.now }

func (c *counter) open(t *testing.T, days ...totals.LogDay) {
	t.Helper()
	must(t, c.OpenDays(t.Context(), c.mark(), days))
}

// count counts all that is open.
func (c *counter) count(t *testing.T) {
	t.Helper()
	open, _, err := c.DaysUnderWay(t.Context())
	must(t, err)
	must(t, operator.CountDays(t.Context(), c.Store, c.clock, open, nil))
}

// load opens the days of records, writes them, and counts.
func (c *counter) load(t *testing.T, zone *time.Location, records ...usage.Record) {
	t.Helper()
	c.begin(t, zone, records...)
	c.count(t)
}

func (c *counter) begin(t *testing.T, zone *time.Location, records ...usage.Record) {
	t.Helper()
	var days []totals.LogDay
	for _, r := range records {
		days = append(days, totals.LogDay{Log: r.Log, Day: totals.DayOf(r.Timestamp, zone)})
	}
	c.open(t, days...)
	for batch := range slices.Chunk(records, dynamo.MaxUsageBatch) {
		_, err := c.WriteUsage(t.Context(), batch)
		must(t, err)
	}
}

// day reads one day; nil: there is none.
func (c *counter) day(t *testing.T, log usage.Log, day totals.Day) *totals.Dated {
	t.Helper()
	days, err := c.DayTotals(t.Context(), []usage.Log{log}, day, day.Add(1))
	must(t, err)
	if len(days) == 0 {
		return nil
	}
	return &days[0]
}

func (c *counter) month(t *testing.T, account usage.AccountID, month totals.Month) *totals.Monthly {
	t.Helper()
	which := totals.AccountMonth{Account: account, Month: month}
	months, err := c.MonthTotals(t.Context(), []totals.AccountMonth{which})
	must(t, err)
	if m, there := months[which]; there {
		return &m
	}
	return nil
}

func (c *counter) state(t *testing.T, log usage.Log) totals.LogState {
	t.Helper()
	logs, err := c.LogTotals(t.Context(), []usage.Log{log})
	must(t, err)
	if len(logs) == 0 {
		return totals.LogState{}
	}
	return logs[0]
}

func (c *counter) closed(t *testing.T) {
	t.Helper()
	open, later, err := c.DaysUnderWay(t.Context())
	must(t, err)
	if len(open)+len(later) > 0 {
		t.Errorf("%v are open, %v for later", open, later)
	}
}

var countedSMS = usage.Log{Account: "acme_retail", Product: usage.SMS}

func newCounter(t *testing.T, zone directory.TimeZone) (*counter, *time.Location) {
	t.Helper()
	c := &counter{Store: engine.NewStore(t), term: 1, now: now}
	return c, c.customer(t, zone)
}

// customer writes the customer and its price list, and gives its clock.
func (c *counter) customer(t *testing.T, zone directory.TimeZone) *time.Location {
	t.Helper()
	must(t, c.PutCustomer(t.Context(), directory.Customer{Account: countedSMS.Account, Name: "Acme", Products: usage.Products(),
		Currency: "EUR", Credit: directory.Credit{Mode: directory.Prepaid}, TimeZone: zone}))
	must(t, c.PutPriceLists(t.Context(), countedSMS, []pricing.List{{
		EffectiveFrom: at("2026-01-01T00:00:00Z"), Currency: "EUR", Rounding: pricing.Rounding{Scale: 6, Mode: pricing.HalfUp},
		Rates: []pricing.Rate{{Selectors: pricing.Selectors{Country: "GB"}, UnitPrice: decimal.RequireFromString("0.042")}},
	}}))
	clock, err := zone.Location()
	must(t, err)
	return clock
}

func at(text string) time.Time {
	t, err := usage.ParseTime(text)
	if err != nil {
		panic(err)
	}
	return t
}

func sms(id, when string) usage.Record {
	one := int64(1)
	return usage.Record{Log: countedSMS, ID: usage.RecordID(id), Timestamp: at(when), Direction: usage.Outbound,
		Status: usage.Delivered, Country: "GB", Segments: &one}
}

func recordsOn(s totals.Sheet) (n int64) {
	for _, sums := range s {
		n += sums.Records
	}
	return n
}

func TestADayIsCountedWithItsMonthAndItsLog(t *testing.T) {
	c, zone := newCounter(t, "Europe/Berlin")
	expires := at("2027-07-01T00:00:00Z")
	r := sms("u-1", "2026-06-10T22:30:00Z") // the 11th in Berlin
	r.ExpiresAt = expires
	unpriced := sms("u-2", "2026-06-11T21:59:59.999Z")
	unpriced.Country = "FR"
	c.load(t, zone, r, unpriced, sms("u-3", "2026-05-31T22:00:00Z"))

	d := c.day(t, countedSMS, "2026-06-11")
	want := &totals.Dated{Log: countedSMS, Day: "2026-06-11", Zone: "Europe/Berlin", UpdatedAt: now, ExpiresAt: expires, Sheet: totals.Sheet{
		{Direction: usage.Outbound, Status: usage.Delivered, Country: "GB", Price: pricing.Rated, Currency: "EUR"}: {
			Records: 1, Segments: 1, Amount: decimal.RequireFromString("0.042")},
		{Direction: usage.Outbound, Status: usage.Delivered, Country: "FR", Price: pricing.Unrated}: {Records: 1, Segments: 1},
	}}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	if d := c.day(t, countedSMS, "2026-06-10"); d != nil {
		t.Errorf("a day without records is %+v", d)
	}
	m := c.month(t, "acme_retail", "2026-06")
	if got := m.Logs[usage.SMS]; m.Stale || m.Zone != "Europe/Berlin" || recordsOn(got.Sheet) != 3 || got.LastDay != "2026-06-11" ||
		!got.UpdatedAt.Equal(now) || !m.ExpiresAt.Equal(expires) || got.Sheet[totals.Group{Price: pricing.Rated, Currency: "EUR"}].Records != 2 {
		t.Errorf("the month is %+v", m)
	}
	if may := c.month(t, "acme_retail", "2026-05"); may != nil {
		t.Errorf("a month without records is %+v", may)
	}
	wantLog := totals.LogState{Log: countedSMS, FirstDay: "2026-06-01", LastDay: "2026-06-11",
		LoadedThrough: unpriced.Timestamp, UpdatedAt: now}
	if diff := cmp.Diff(wantLog, c.state(t, countedSMS)); diff != "" {
		t.Error(diff)
	}
	c.closed(t)
}

// What an interrupted writer leaves is late and not wrong: the last totals, as such.
func TestAWriterThatIsInterruptedLeavesTheLastTotalsAndSaysSo(t *testing.T) {
	c, zone := newCounter(t, "")
	c.load(t, zone, sms("u-1", "2026-06-10T10:00:00Z"))
	c.begin(t, zone, sms("u-2", "2026-06-10T11:00:00Z"), sms("u-3", "2026-07-01T11:00:00Z")) // and then it is killed

	check := func(stale bool, onTheTenth, inJuly int64) {
		t.Helper()
		d := c.day(t, countedSMS, "2026-06-10")
		if d.Stale != stale || recordsOn(d.Sheet) != onTheTenth {
			t.Errorf("the day is %+v", d)
		}
		if m := c.month(t, "acme_retail", "2026-06"); m.Stale != stale || recordsOn(m.Logs[usage.SMS].Sheet) != onTheTenth {
			t.Errorf("its month is %+v", m)
		}
		if d := c.day(t, countedSMS, "2026-07-01"); d.Stale != stale || recordsOn(d.Sheet) != inJuly {
			t.Errorf("a new day is %+v", d)
		}
		if m := c.month(t, "acme_retail", "2026-07"); m.Stale != stale || recordsOn(m.Logs[usage.SMS].Sheet) != inJuly {
			t.Errorf("a new month is %+v", m)
		}
		if l := c.state(t, countedSMS); l.Stale != stale {
			t.Errorf("the log is %+v", l)
		}
	}
	check(true, 1, 0)

	next := &counter{Store: c.Store, term: 2, now: now.Add(time.Hour)}
	open, _, err := next.DaysUnderWay(t.Context())
	must(t, err)
	for _, d := range open {
		next.open(t, d.LogDay)
	}
	check(true, 1, 0)
	next.count(t)
	check(false, 2, 1)
	next.closed(t)

	// And the one that was thought dead wakes up: nothing of it counts any more.
	err = operator.CountDays(t.Context(), c.Store, c.clock, open, nil)
	if !dynamo.IsOvertaken(err) {
		t.Errorf("it counts: %v", err)
	}
	if err := c.OpenDays(t.Context(), c.mark(), []totals.LogDay{open[0].LogDay}); !dynamo.IsOvertaken(err) {
		t.Errorf("it opens: %v", err)
	}
	check(false, 2, 1)
}

// The days of one log and month are counted one by one; only the last makes the two whole.
func TestAMonthIsStaleUntilItsLastDayIsCounted(t *testing.T) {
	c, _ := newCounter(t, "")
	voice := usage.Log{Account: countedSMS.Account, Product: usage.Voice}
	first, second := totals.LogDay{Log: countedSMS, Day: "2026-06-10"}, totals.LogDay{Log: voice, Day: "2026-06-11"}
	inMay := totals.LogDay{Log: countedSMS, Day: "2026-05-11"}
	c.open(t, first)
	c.open(t, second)
	c.open(t, inMay)
	count := func(days ...totals.LogDay) {
		t.Helper()
		open, later, err := c.DaysUnderWay(t.Context())
		must(t, err)
		open = slices.DeleteFunc(append(open, later...), func(d totals.OpenDay) bool { return !slices.Contains(days, d.LogDay) })
		must(t, operator.CountDays(t.Context(), c.Store, c.clock, open, nil))
	}
	check := func(june, may, sms, voiceLog bool) {
		t.Helper()
		got := []bool{c.month(t, "acme_retail", "2026-06").Stale, c.month(t, "acme_retail", "2026-05").Stale,
			c.state(t, countedSMS).Stale, c.state(t, voice).Stale}
		if diff := cmp.Diff([]bool{june, may, sms, voiceLog}, got); diff != "" {
			t.Errorf("stale are June, May, the log of SMS, the log of voice: %s", diff)
		}
	}
	check(true, true, true, true)
	count(first)
	check(true, true, true, true)
	must(t, c.LeaveForLater(t.Context(), []totals.OpenDay{{LogDay: second, Mark: totals.Mark{Term: 1, Number: 2}}}))
	count(inMay)
	check(true, false, false, true)
	open, later, err := c.DaysUnderWay(t.Context())
	must(t, err)
	if len(open) != 0 || len(later) != 1 || later[0].LogDay != second {
		t.Fatalf("open %v, for later %v", open, later)
	}
	// A later day that something else opens again is counted with it.
	c.open(t, second)
	check(true, false, false, true)
	count(second)
	check(false, false, false, false)
	c.closed(t)
}

func TestAnEmptiedDayStandsWithoutRecords(t *testing.T) {
	c, zone := newCounter(t, "")
	r, other := sms("u-1", "2026-06-10T10:00:00Z"), sms("u-2", "2026-06-12T10:00:00Z")
	c.load(t, zone, r, other)
	c.now = c.now.Add(time.Minute)
	c.open(t, totals.LogDay{Log: countedSMS, Day: "2026-06-12"})
	must(t, c.DeleteUsage(t.Context(), countedSMS, []usage.Position{other.Position()}))
	c.count(t)
	if d := c.day(t, countedSMS, "2026-06-12"); d == nil || len(d.Sheet) != 0 || d.Stale || !d.UpdatedAt.Equal(c.now) {
		t.Errorf("the emptied day is %+v", d)
	}
	if l := c.state(t, countedSMS); l.LastDay != "2026-06-10" || !l.UpdatedAt.Equal(c.now) || !l.LoadedThrough.Equal(r.Timestamp) {
		t.Errorf("the log is %+v", l)
	}
	m := c.month(t, "acme_retail", "2026-06").Logs[usage.SMS]
	if recordsOn(m.Sheet) != 1 || m.LastDay != "2026-06-10" {
		t.Errorf("the month is %+v", m)
	}
	c.open(t, totals.LogDay{Log: countedSMS, Day: "2026-06-10"})
	must(t, c.DeleteUsage(t.Context(), countedSMS, []usage.Position{r.Position()}))
	c.count(t)
	if l := c.state(t, countedSMS); l.FirstDay != "" || l.LastDay != "" || !l.LoadedThrough.IsZero() {
		t.Errorf("the emptied log is %+v", l)
	}
	if m := c.month(t, "acme_retail", "2026-06").Logs[usage.SMS]; len(m.Sheet) != 0 || m.LastDay != "" || m.UpdatedAt.IsZero() {
		t.Errorf("the emptied month is %+v", m)
	}
}

func TestADayThatComesToTheSameKeepsWhenItChanged(t *testing.T) {
	c, zone := newCounter(t, "")
	r := sms("u-1", "2026-06-10T10:00:00Z")
	c.load(t, zone, r)
	c.now = now.Add(time.Hour)
	c.load(t, zone, r)
	if d := c.day(t, countedSMS, "2026-06-10"); !d.UpdatedAt.Equal(now) {
		t.Errorf("the same again changed it at %s", d.UpdatedAt)
	}
	if l := c.state(t, countedSMS); !l.UpdatedAt.Equal(now) {
		t.Errorf("the same again changed the log at %s", l.UpdatedAt)
	}
	r.Status = usage.Failed
	later := c.now.Add(-time.Hour)
	r.StatusAt = &later
	c.now = now.Add(-time.Hour) // a clock that went back
	c.load(t, zone, r)
	if d := c.day(t, countedSMS, "2026-06-10"); !d.UpdatedAt.Equal(now.Add(time.Millisecond)) || d.Sheet.Coarse()[totals.Group{Price: pricing.Free, Currency: "EUR"}].Records != 1 {
		t.Errorf("the day is %+v, changed first at %s", d, now)
	}
	// Another zone with the same records is another day.
	customer, err := c.GetCustomer(t.Context(), countedSMS.Account)
	must(t, err)
	customer.TimeZone = "Europe/Berlin"
	c.now = now.Add(2 * time.Hour)
	c.open(t, totals.LogDay{Log: countedSMS, Day: "2026-06-10"})
	must(t, c.PutCustomer(t.Context(), customer))
	c.count(t)
	if d := c.day(t, countedSMS, "2026-06-10"); d.Zone != "Europe/Berlin" || !d.UpdatedAt.Equal(c.now) {
		t.Errorf("the day is %+v", d)
	}
}

func TestARecordPastItsRetentionIsNotCountedAndTheDayIsNoRow(t *testing.T) {
	c, zone := newCounter(t, "")
	gone, stays := sms("u-1", "2026-06-10T10:00:00Z"), sms("u-2", "2026-06-10T11:00:00Z")
	gone.ExpiresAt, stays.ExpiresAt = now, now.Add(time.Hour)
	next := sms("u-3", "2026-06-11T11:00:00Z")
	c.load(t, zone, gone, stays, next)
	d := c.day(t, countedSMS, "2026-06-10")
	if recordsOn(d.Sheet) != 1 || !d.ExpiresAt.Equal(now) || !d.Expired(now) {
		t.Errorf("the day is %+v", d)
	}
	m := c.month(t, "acme_retail", "2026-06")
	if recordsOn(m.Logs[usage.SMS].Sheet) != 1 || !m.ExpiresAt.IsZero() {
		t.Errorf("the month is %+v: it counts a day that is no row", m)
	}
	if l := c.state(t, countedSMS); l.FirstDay != "2026-06-11" {
		t.Errorf("the log is %+v", l)
	}
	// What is kept longer after all is a day again, that has changed.
	c.now = c.now.Add(time.Minute)
	gone.ExpiresAt = now.Add(2 * time.Hour)
	c.load(t, zone, gone)
	if d := c.day(t, countedSMS, "2026-06-10"); recordsOn(d.Sheet) != 2 || !d.ExpiresAt.Equal(stays.ExpiresAt) || !d.UpdatedAt.Equal(c.now) {
		t.Errorf("the day is %+v", d)
	}
	if m := c.month(t, "acme_retail", "2026-06"); recordsOn(m.Logs[usage.SMS].Sheet) != 3 || !m.ExpiresAt.Equal(stays.ExpiresAt) {
		t.Errorf("the month is %+v", m)
	}
}

func TestTheDaysOfADeletedCustomerKeepTheirZone(t *testing.T) {
	c, zone := newCounter(t, "Asia/Kathmandu")
	r := sms("u-1", "2026-06-10T18:15:00Z") // midnight there
	c.load(t, zone, r)
	must(t, c.DeleteCustomer(t.Context(), countedSMS.Account))
	c.load(t, zone, sms("u-2", "2026-06-11T18:14:59.999Z"))
	if d := c.day(t, countedSMS, "2026-06-11"); d.Zone != "Asia/Kathmandu" || recordsOn(d.Sheet) != 2 {
		t.Errorf("the day is %+v", d)
	}
}

// A late receipt, a deletion, an import of old records, in whatever zone, and interrupted
// wherever: what is counted at last is the sum over the records.
func TestAMonthIsTheSumOfItsDaysAndADayThatOfItsRecords(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	for _, zone := range []directory.TimeZone{"Europe/Berlin", "Asia/Kathmandu", "Pacific/Marquesas", "America/New_York"} {
		t.Run(string(zone), func(t *testing.T) {
			c, clock := newCounter(t, zone)
			voice := usage.Log{Account: countedSMS.Account, Product: usage.Voice}
			// The clocks of Berlin and New York change in these weeks.
			start := at("2026-02-27T00:00:00Z")
			stored := make(map[usage.Log]map[usage.RecordID]usage.Record)
			for _, log := range []usage.Log{countedSMS, voice} {
				stored[log] = make(map[usage.RecordID]usage.Record)
			}
			for round := range rounds {
				log := countedSMS
				if random.IntN(3) == 0 {
					log = voice
				}
				var written []usage.Record
				for range random.IntN(25) {
					n := random.IntN(60)
					r := usage.Record{Log: log, ID: usage.RecordID(fmt.Sprintf("u-%d", n)),
						// Each id has a time of its own: quarters of an hour, so that days end with one.
						Timestamp: start.Add(time.Duration(n*n*17) * 45 * time.Minute / 60), Direction: usage.Outbound,
						Status: usage.Status([]string{"delivered", "failed", "read"}[random.IntN(3)]), Country: usage.Country([]string{"GB", "FR", ""}[random.IntN(3)])}
					told := r.Timestamp.Add(time.Duration(round+1) * time.Second)
					r.StatusAt = &told
					amount := random.Int64N(100)
					if log == countedSMS {
						r.Segments = &amount
					} else {
						r.DurationSeconds = &amount
					}
					if random.IntN(2) == 0 {
						r.RecordedPrice = &money.Money{Amount: decimal.New(amount, -7), Currency: money.Currency([]string{"EUR", "USD"}[random.IntN(2)])}
					}
					written = append(written, r)
				}
				var days []totals.LogDay
				byID := make(map[usage.RecordID]usage.Record)
				for _, r := range written {
					byID[r.ID] = r
					days = append(days, totals.LogDay{Log: log, Day: totals.DayOf(r.Timestamp, clock)})
				}
				var deleted []usage.Position
				for _, id := range slices.Sorted(maps.Keys(stored[log])) { // so that the seed says it all
					r := stored[log][id]
					if _, again := byID[id]; !again && random.IntN(6) == 0 {
						deleted = append(deleted, r.Position())
						days = append(days, totals.LogDay{Log: log, Day: totals.DayOf(r.Timestamp, clock)})
						delete(stored[log], id)
					}
				}
				c.open(t, days...)
				must(t, c.DeleteUsage(t.Context(), log, deleted))
				if len(byID) > 0 {
					_, err := c.WriteUsage(t.Context(), slices.Collect(maps.Values(byID)))
					must(t, err)
				}
				maps.Copy(stored[log], byID)
				if random.IntN(4) == 0 { // killed: the next opens anew what it left
					c.term, c.number = c.term+1, 0
					open, _, err := c.DaysUnderWay(t.Context())
					must(t, err)
					for _, d := range open {
						c.open(t, d.LogDay)
					}
				}
				c.now = c.now.Add(time.Minute)
				c.count(t)
				c.closed(t)
				compareWithRecords(t, c, clock, countedSMS, voice)
				if t.Failed() {
					t.Fatalf("seed %d, round %d", seed, round)
				}
			}
		})
	}
}

// compareWithRecords sums what the logs list, and compares with what the totals say.
func compareWithRecords(t *testing.T, c *counter, zone *time.Location, logs ...usage.Log) {
	t.Helper()
	for _, log := range logs {
		lists, err := c.AllPriceLists(t.Context(), log)
		must(t, err)
		book, err := pricing.NewBook(log, lists)
		must(t, err)
		want := make(map[totals.Day]totals.Sheet)
		wantMonths := make(map[totals.Month]totals.Sheet)
		for q := (usage.Query{Order: usage.OldestFirst, Limit: 500, Now: c.now}); ; {
			page, err := c.Log(t.Context(), log, q)
			must(t, err)
			for _, r := range page.Records {
				day := totals.Day(r.Timestamp.In(zone).Format(time.DateOnly))
				if want[day] == nil {
					want[day] = make(totals.Sheet)
				}
				want[day].Add(r, book.Price(r))
				if wantMonths[day.Month()] == nil {
					wantMonths[day.Month()] = make(totals.Sheet)
				}
				sheet := make(totals.Sheet)
				sheet.Add(r, book.Price(r))
				wantMonths[day.Month()].Merge(sheet.Coarse())
			}
			if page.Next == nil {
				break
			}
			q.After = page.Next
		}
		days, err := c.DayTotals(t.Context(), []usage.Log{log}, "2026-01-01", "2027-01-01")
		must(t, err)
		for _, d := range days {
			if got, want := d.Sheet.Text(), want[d.Day].Text(); got != want || d.Stale {
				t.Errorf("%s on %s, stale %t:\n%s\nits records:\n%s", log.Text(), d.Day, d.Stale, got, want)
			}
			delete(want, d.Day)
		}
		if len(want) > 0 {
			t.Errorf("%s has no totals of %v", log.Text(), slices.Collect(maps.Keys(want)))
		}
		for _, month := range []totals.Month{"2026-02", "2026-03", "2026-04"} {
			m := c.month(t, log.Account, month)
			if m == nil {
				m = new(totals.Monthly)
			}
			if got, want := m.Logs[log.Product].Sheet.Text(), wantMonths[month].Text(); got != want || m.Stale {
				t.Errorf("%s in %s, stale %t:\n%s\nits records:\n%s", log.Text(), month, m.Stale, got, want)
			}
		}
		first, last := "", ""
		for _, d := range days {
			if len(d.Sheet) > 0 {
				if first == "" {
					first = string(d.Day)
				}
				last = string(d.Day)
			}
		}
		if l := c.state(t, log); string(l.FirstDay) != first || string(l.LastDay) != last || l.Stale {
			t.Errorf("%s goes from %s to %s, and its state is %+v", log.Text(), first, last, l)
		}
	}
}

// A count may be killed before or behind any call that it makes. What is not pending then is
// right, and the next writer counts the rest.
func TestACountMayBeInterruptedAnywhere(t *testing.T) {
	c, zone := newCounter(t, "Europe/Berlin")
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	c.Store = dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables)
	c.customer(t, "Europe/Berlin")
	days := []totals.Day{"2026-05-11", "2026-06-10", "2026-06-11"}
	written := 0
	stride := 1
	if testing.Short() {
		stride = 5
	}
	for behind, at := false, 1; ; at += stride {
		var records []usage.Record
		for _, day := range days {
			records = append(records, sms(fmt.Sprintf("u-%d", len(records)+written), string(day)+"T10:00:00Z"))
		}
		written += len(records)
		c.begin(t, zone, records...)
		open, _, err := c.DaysUnderWay(t.Context())
		must(t, err)
		ctx, kill := context.WithCancel(t.Context())
		var calls atomic.Int32
		proxy.Meddle(func(_ dynamotest.Call, answer dynamotest.Answer) bool {
			if int(calls.Add(1)) != at {
				return false
			}
			kill()
			if !behind {
				dynamotest.Cut(answer)
			}
			return !behind
		})
		err = operator.CountDays(ctx, c.Store, c.clock, open, nil)
		kill()
		proxy.Meddle(nil)
		each := int64(written / len(days))
		for _, day := range days {
			if d := c.day(t, countedSMS, day); !d.Stale && recordsOn(d.Sheet) != each {
				t.Errorf("killed at call %d, behind it %t: %s has %d of %d records and is not stale", at, behind, day, recordsOn(d.Sheet), each)
			}
		}
		for month, of := range map[totals.Month]int64{"2026-05": each, "2026-06": 2 * each} {
			if m := c.month(t, "acme_retail", month); !m.Stale && recordsOn(m.Logs[usage.SMS].Sheet) != of {
				t.Errorf("killed at call %d, behind it %t: %s has %d of %d records and is not stale", at, behind, month, recordsOn(m.Logs[usage.SMS].Sheet), of)
			}
		}
		if err == nil {
			if at < 20 {
				t.Fatalf("a count makes %d calls", at)
			}
			if behind {
				break
			}
			behind, at = true, 1-stride
		}
		// The next writer.
		c.term, c.number = c.term+1, 0
		left, _, err := c.DaysUnderWay(t.Context())
		must(t, err)
		names := make([]totals.LogDay, len(left))
		for i, d := range left {
			names[i] = d.LogDay
		}
		c.open(t, names...)
		c.now = c.now.Add(time.Minute)
	}
	c.count(t)
	c.closed(t)
	compareWithRecords(t, c, zone, countedSMS)
}

// A day lasts 23 or 25 hours where clocks change, and begins at a quarter past a UTC hour
// or half past one elsewhere. Its first and its last record are of it, and of no other.
func TestADayIsTheCustomersDay(t *testing.T) {
	for _, of := range []struct {
		zone  directory.TimeZone
		day   totals.Day
		hours float64
		from  string
	}{
		{"Europe/Berlin", "2026-03-29", 23, "2026-03-28T23:00:00Z"},
		{"Europe/Berlin", "2026-10-25", 25, "2026-10-24T22:00:00Z"},
		{"America/New_York", "2026-03-08", 23, "2026-03-08T05:00:00Z"},
		{"Australia/Lord_Howe", "2026-04-05", 24.5, "2026-04-04T13:00:00Z"},
		{"America/Santiago", "2026-09-06", 23, "2026-09-06T04:00:00Z"}, // without a midnight
		{"Asia/Kathmandu", "2026-06-10", 24, "2026-06-09T18:15:00Z"},
		{"Pacific/Marquesas", "2026-06-10", 24, "2026-06-10T09:30:00Z"},
	} {
		t.Run(fmt.Sprintf("%s %s", of.zone, of.day), func(t *testing.T) {
			c, zone := newCounter(t, of.zone)
			from := at(of.from)
			to := from.Add(time.Duration(of.hours * float64(time.Hour)))
			for i, when := range []time.Time{from.Add(-time.Millisecond), from, to.Add(-time.Millisecond), to} {
				c.begin(t, zone, sms(fmt.Sprintf("u-%d", i), usage.FormatTime(when)))
			}
			c.count(t)
			for day, want := range map[totals.Day]int64{of.day.Add(-1): 1, of.day: 2, of.day.Add(1): 1} {
				if d := c.day(t, countedSMS, day); d == nil || recordsOn(d.Sheet) != want || d.Zone != of.zone {
					t.Errorf("%s, of %d records, is %+v", day, want, d)
				}
			}
			c.closed(t)
		})
	}
}

// Counting a day takes what it takes to read it once, and little more.
func TestCountingADayTakesLittleMoreThanReadingItOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads 10,000 records: make test")
	}
	c, zone := newCounter(t, "")
	var all []usage.Record
	for i := range 10_000 {
		r := sms(fmt.Sprintf("00000000-0000-4000-8000-%012d", i), usage.FormatTime(at("2026-06-10T00:00:00Z").Add(time.Duration(i)*8*time.Second)))
		r.Country = usage.Country([]string{"GB", "FR", "DE", "US", "ES"}[i%5])
		r.Status = usage.Status([]string{"delivered", "failed", "sent"}[i/5%3])
		all = append(all, r)
	}
	c.begin(t, zone, all...)
	for day := totals.Day("2026-06-01"); day < "2026-07-01"; day = day.Add(1) { // a month as it is
		r := all[0]
		r.ID, r.Timestamp = "m-"+usage.RecordID(day), day.Period(zone).From.Add(time.Hour)
		c.begin(t, zone, r)
	}
	c.count(t)

	var units atomic.Int64 // thousandths
	calls := 0
	c.Consumed = func(_ context.Context, u float64) { units.Add(int64(u * 1000)) }
	pages := c.RecordsToCount(countedSMS, totals.Day("2026-06-10").Period(zone))
	for more := true; more; calls++ {
		var err error
		_, more, err = pages.Next(t.Context())
		must(t, err)
	}
	once := units.Load()

	c.open(t, totals.LogDay{Log: countedSMS, Day: "2026-06-10"})
	open, _, err := c.DaysUnderWay(t.Context())
	must(t, err)
	units.Store(0)
	began := time.Now()
	must(t, operator.CountDays(t.Context(), c.Store, c.clock, open, nil))
	counted := units.Load()
	t.Logf("read once: %.1f units in %d calls; counted: %.1f units, %.3f times, in %s", float64(once)/1000, calls-1,
		float64(counted)/1000, float64(counted)/float64(once), time.Since(began))
	if float64(counted) > 1.1*float64(once) {
		t.Errorf("a count takes %.1f units, one read %.1f", float64(counted)/1000, float64(once)/1000)
	}
}
