package dynamo_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/pricing"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

var (
	theTenth = totals.LogDay{Log: acmeSMS, Day: "2026-06-10"}
	june     = totals.AccountMonth{Account: acmeSMS.Account, Month: "2026-06"}
)

// groupsOf is a sheet of so many groups, of as many records each as records says.
func groupsOf(groups int, records int64) totals.Sheet {
	sheet := make(totals.Sheet)
	for i := range groups {
		country := usage.Country([]byte{'A' + byte(i/26), 'A' + byte(i%26)})
		sheet[totals.Group{Direction: usage.Outbound, Status: usage.Delivered, Country: country, Price: pricing.Rated, Currency: "EUR"}] =
			totals.Sums{Records: records, Segments: records + 2, Amount: decimal.New(records*42, -3)}
	}
	return sheet
}

func at(now time.Time) func() time.Time { return func() time.Time { return now } }

// formerly is what stands of a day.
func formerly(t *testing.T, s *dynamo.Store, d totals.LogDay) dynamo.CountedDay {
	t.Helper()
	days, err := s.CountedDays(t.Context(), d.Log, d.Day, d.Day.Add(1))
	must(t, err)
	return days[d.Day]
}

func storeDay(t *testing.T, s *dynamo.Store, mark totals.Mark, sheet totals.Sheet, now time.Time) dynamo.CountedDay {
	t.Helper()
	must(t, s.OpenDays(t.Context(), mark, []totals.LogDay{theTenth}))
	open := totals.OpenDay{LogDay: theTenth, Mark: mark}
	stored, err := storeOne(t.Context(), s, totals.Counted{OpenDay: open, Sheet: sheet}, formerly(t, s, theTenth), at(now))
	must(t, err)
	must(t, s.CloseDays(t.Context(), []totals.OpenDay{open}))
	return stored
}

func storeOne(ctx context.Context, s *dynamo.Store, c totals.Counted, former dynamo.CountedDay, now func() time.Time) (dynamo.CountedDay, error) {
	stored, err := s.StoreDays(ctx, []totals.Counted{c}, map[totals.Day]dynamo.CountedDay{c.Day: former}, now)
	if err != nil {
		return dynamo.CountedDay{}, err
	}
	return stored[0], nil
}

func readDay(t *testing.T, s *dynamo.Store) totals.Dated {
	t.Helper()
	days, err := s.DayTotals(t.Context(), []usage.Log{acmeSMS}, theTenth.Day, theTenth.Day.Add(1))
	must(t, err)
	if len(days) != 1 {
		t.Fatalf("read are %d days", len(days))
	}
	return days[0]
}

// everything is what stands in the tables Totals and Ledger.
func everything(t *testing.T, db *dynamodb.Client, tables dynamo.Tables) []map[string]types.AttributeValue {
	t.Helper()
	var all []map[string]types.AttributeValue
	for _, table := range []string{tables.Totals, tables.Ledger} {
		out, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
		must(t, err)
		all = append(all, out.Items...)
	}
	return all
}

// Whatever a writer does that lost its lease, before the next has counted and after, stays
// without effect: but for a day that stands open once more, which is only late.
func TestNoWriterOverwritesALaterOne(t *testing.T) {
	db, tables := engine.Client(t), engine.NewTables(t)
	s := dynamo.NewStore(db, tables)
	mine, theirs := totals.Mark{Term: 1, Number: 999}, totals.Mark{Term: 2, Number: 1}
	first := totals.OpenDay{LogDay: theTenth, Mark: mine}
	month := map[usage.Product]totals.MonthlyLog{usage.SMS: {Sheet: groupsOf(1, 1), LastDay: theTenth.Day, UpdatedAt: now}}
	late := map[string]func(context.Context) error{
		"the day": func(ctx context.Context) error {
			_, err := storeOne(ctx, s, totals.Counted{OpenDay: first, Sheet: groupsOf(1, 1)}, dynamo.CountedDay{}, at(now))
			return err
		},
		"the month, whole": func(ctx context.Context) error { return s.StoreMonth(ctx, june, "", month, mine, true) },
		"the month, not whole": func(ctx context.Context) error {
			return s.StoreMonth(ctx, june, "", month, mine, false)
		},
		"the log, whole":     func(ctx context.Context) error { return s.StoreLog(ctx, acmeSMS, nil, now, mine, true) },
		"the log, not whole": func(ctx context.Context) error { return s.StoreLog(ctx, acmeSMS, nil, now, mine, false) },
	}
	try := func() {
		t.Helper()
		for what, write := range late {
			before := everything(t, db, tables)
			if err := write(t.Context()); !dynamo.IsOvertaken(err) {
				t.Errorf("%s is stored: %v", what, err)
			}
			if diff := cmp.Diff(before, everything(t, db, tables), itemsAsTheyAre); diff != "" {
				t.Errorf("%s has changed: %s", what, diff)
			}
		}
		before := everything(t, db, tables)
		must(t, s.CloseDays(t.Context(), []totals.OpenDay{first}))
		if diff := cmp.Diff(before, everything(t, db, tables), itemsAsTheyAre); diff != "" {
			t.Errorf("the day is closed: %s", diff)
		}
		if err := s.OpenDays(t.Context(), mine, []totals.LogDay{theTenth}); !dynamo.IsOvertaken(err) {
			t.Errorf("the day is opened: %v", err)
		}
		open, later, err := s.DaysUnderWay(t.Context())
		must(t, err)
		if len(open) != 1 || len(later) != 0 || open[0].Mark != mine {
			t.Errorf("open are %v, for later %v", open, later)
		}
	}
	must(t, s.OpenDays(t.Context(), mine, []totals.LogDay{theTenth}))
	must(t, s.OpenDays(t.Context(), theirs, []totals.LogDay{theTenth}))
	must(t, s.LeaveForLater(t.Context(), []totals.OpenDay{{LogDay: theTenth, Mark: theirs}}))
	must(t, s.OpenDays(t.Context(), theirs, []totals.LogDay{theTenth})) // one's own already there is success
	func() {
		before := everything(t, db, tables)
		must(t, s.LeaveForLater(t.Context(), []totals.OpenDay{first})) // which takes neither LATER nor OPEN
		must(t, s.CloseDays(t.Context(), []totals.OpenDay{first}))     // nor does this
		if diff := cmp.Diff(before, everything(t, db, tables), itemsAsTheyAre); diff != "" {
			t.Errorf("a lower mark was left for later, or closed: %s", diff)
		}
	}()
	second := totals.OpenDay{LogDay: theTenth, Mark: theirs}
	must(t, s.CloseDays(t.Context(), []totals.OpenDay{{LogDay: theTenth, Mark: theirs}}))
	must(t, s.OpenDays(t.Context(), theirs, []totals.LogDay{theTenth}))
	try()

	must(t, s.OpenDays(t.Context(), theirs, []totals.LogDay{theTenth}))
	counted, err := storeOne(t.Context(), s, totals.Counted{OpenDay: second, Sheet: groupsOf(1, 5)}, dynamo.CountedDay{}, at(now))
	must(t, err)
	must(t, s.StoreMonth(t.Context(), june, "", map[usage.Product]totals.MonthlyLog{
		usage.SMS: {Sheet: groupsOf(1, 5).Coarse(), LastDay: theTenth.Day, UpdatedAt: now},
	}, theirs, true))
	must(t, s.StoreLog(t.Context(), acmeSMS, []totals.Dated{counted.Dated}, now, theirs, true))
	must(t, s.CloseDays(t.Context(), []totals.OpenDay{second}))
	try()
	if d := readDay(t, s); d.Stale || d.Sheet.Text() != groupsOf(1, 5).Text() {
		t.Errorf("the day is %+v", d)
	}
}

// A day that could not be left for later is open, and the next writer counts it.
func TestADayIsOpenUntilItIsLeftForLater(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	s := dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables)
	mark := totals.Mark{Term: 1, Number: 1}
	must(t, s.OpenDays(t.Context(), mark, []totals.LogDay{theTenth}))
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		refused := c.Operation == "BatchWriteItem" && strings.Contains(string(c.Body), "LATER#")
		if refused {
			dynamotest.Refuse(w, "AccessDeniedException")
		}
		return refused
	})
	if err := s.LeaveForLater(t.Context(), []totals.OpenDay{{LogDay: theTenth, Mark: mark}}); err == nil {
		t.Error("it is left for later")
	}
	if open, later, err := s.DaysUnderWay(t.Context()); err != nil || len(open) != 1 || len(later) != 0 {
		t.Errorf("open are %v, for later %v, %v", open, later, err)
	}
}

var itemsAsTheyAre = cmp.AllowUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberM{})

// An answer that is lost of a write that was made is not another writer's; and what the day
// says is what the count says.
func TestADayWhoseAnswerIsLostIsStoredOnce(t *testing.T) {
	tables := engine.NewTables(t)
	var deaf atomic.Bool
	s := dynamo.NewStore(engine.Client(t, func(o *dynamodb.Options) {
		next := o.HTTPClient
		o.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
			answer, err := next.Do(r)
			_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
			if (operation == "UpdateItem" || operation == "BatchWriteItem") && deaf.CompareAndSwap(true, false) {
				return nil, io.ErrUnexpectedEOF
			}
			return answer, err
		})
	}), tables)
	mark := totals.Mark{Term: 1, Number: 1}
	must(t, s.OpenDays(t.Context(), mark, []totals.LogDay{theTenth}))
	clock := now
	deaf.Store(true)
	began := now.Add(2 * time.Second) // when the first attempt said that it changed
	stored, err := storeOne(t.Context(), s, totals.Counted{OpenDay: totals.OpenDay{LogDay: theTenth, Mark: mark}, Sheet: groupsOf(1, 1)},
		dynamo.CountedDay{}, func() time.Time { clock = clock.Add(time.Second); return clock })
	must(t, err)
	d := readDay(t, s)
	if deaf.Load() || d.Stale || !d.UpdatedAt.Equal(stored.UpdatedAt) || !d.UpdatedAt.After(began) {
		t.Errorf("it changed at %s, and the count says at %s; at %s it was tried first", d.UpdatedAt, stored.UpdatedAt, began)
	}
	deaf.Store(true)
	month := map[usage.Product]totals.MonthlyLog{usage.SMS: {UpdatedAt: now}}
	must(t, s.StoreMonth(t.Context(), june, "", month, mark, true))
	deaf.Store(true)
	must(t, s.StoreLog(t.Context(), acmeSMS, []totals.Dated{stored.Dated}, now, mark, true))
	deaf.Store(true)
	must(t, s.OpenDays(t.Context(), totals.Mark{Term: 1, Number: 2}, []totals.LogDay{theTenth}))
	if deaf.Load() {
		t.Error("not every answer was lost")
	}
}

// partsOf counts the parts of the tenth that stand in the table.
func partsOf(t *testing.T, db *dynamodb.Client, tables dynamo.Tables) (sets map[string]int) {
	t.Helper()
	sets = make(map[string]int)
	for _, it := range everything(t, db, tables) {
		if fields := strings.Split(it["sk"].(*types.AttributeValueMemberS).Value, "#"); fields[0] == "PART" {
			sets[fields[2]]++
		}
	}
	return sets
}

func TestADayWithMoreGroupsThanAnItemHoldsIsSplit(t *testing.T) {
	db, tables := engine.Client(t), engine.NewTables(t)
	s := dynamo.NewStore(db, tables)
	s.SplitDays(1000)
	mark := func(n int64) totals.Mark { return totals.Mark{Term: 1, Number: n} }
	check := func(sheet totals.Sheet, updated time.Time, want map[string]int) {
		t.Helper()
		if d := readDay(t, s); d.Sheet.Text() != sheet.Text() || !d.UpdatedAt.Equal(updated) || d.Stale {
			t.Errorf("the day is %+v", d)
		}
		if d := formerly(t, s, theTenth); d.Sheet.Text() != sheet.Coarse().Text() {
			t.Errorf("for the month the day is %s", d.Sheet.Text())
		}
		if diff := cmp.Diff(want, partsOf(t, db, tables)); diff != "" {
			t.Errorf("the parts: %s", diff)
		}
	}
	later := now.Add(time.Hour)
	storeDay(t, s, mark(1), groupsOf(60, 1), now)
	check(groupsOf(60, 1), now, map[string]int{mark(1).String(): 3})
	storeDay(t, s, mark(2), groupsOf(60, 1), later)
	check(groupsOf(60, 1), now, map[string]int{mark(1).String(): 3}) // it has not changed
	storeDay(t, s, mark(3), groupsOf(40, 1), later)
	check(groupsOf(40, 1), later, map[string]int{mark(1).String(): 3, mark(3).String(): 2})
	storeDay(t, s, mark(4), groupsOf(30, 2), later)
	later = later.Add(time.Millisecond) // the former's, and one more
	check(groupsOf(30, 2), later, map[string]int{mark(1).String(): 3, mark(3).String(): 2, mark(4).String(): 2})
	later = later.Add(25 * time.Hour)
	storeDay(t, s, mark(5), groupsOf(2, 1), later)
	check(groupsOf(2, 1), later, map[string]int{mark(4).String(): 2}) // which a reader may be reading
	storeDay(t, s, mark(6), groupsOf(2, 1), later)
	check(groupsOf(2, 1), later, map[string]int{})
}

func TestAPartThatIsMissedIsReadAgain(t *testing.T) {
	tables, proxy := engine.NewTables(t), engine.NewProxy(t)
	reader, s := dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables), newStore(t, tables)
	s.SplitDays(1000)
	storeDay(t, s, totals.Mark{Term: 1, Number: 1}, groupsOf(60, 1), now)
	// Between its head and its parts the day is counted twice, a day and two later.
	var between sync.Once
	proxy.Meddle(func(call dynamotest.Call, _ dynamotest.Answer) bool {
		if strings.Contains(string(call.Body), "PART#") {
			between.Do(func() {
				storeDay(t, s, totals.Mark{Term: 1, Number: 2}, groupsOf(60, 2), now.Add(25*time.Hour))
				storeDay(t, s, totals.Mark{Term: 1, Number: 3}, groupsOf(60, 3), now.Add(50*time.Hour))
			})
		}
		return false
	})
	if d := readDay(t, reader); d.Sheet.Text() != groupsOf(60, 3).Text() {
		t.Errorf("read is\n%s", d.Sheet.Text())
	}
	// One that stays away is no sum of the others.
	set := totals.Mark{Term: 1, Number: 3}.String()
	_, err := engine.Client(t).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &tables.Totals,
		Key: itemOf(t, attributes{"pk": "acme_retail#sms", "sk": "PART#2026-06-10#" + set + "#0002"})})
	must(t, err)
	days, err := s.DayTotals(t.Context(), []usage.Log{acmeSMS}, theTenth.Day, theTenth.Day.Add(1))
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "a part of it is missing") {
		t.Errorf("read are %+v, %v", days, err)
	}
}

func TestDamagedTotalsAreErrorsAndNotSums(t *testing.T) {
	db, tables := engine.Client(t), engine.NewTables(t)
	s := dynamo.NewStore(db, tables)
	const line = "outbound|delivered|GB|||rated|EUR|120|142||||5.04"
	stamp := usage.FormatTime(now)
	day := func(ctx context.Context) error {
		_, err := s.DayTotals(ctx, []usage.Log{acmeSMS}, "2026-06-01", "2026-07-01")
		return err
	}
	month := func(ctx context.Context) error {
		_, err := s.MonthTotals(ctx, []totals.AccountMonth{june})
		return err
	}
	log := func(ctx context.Context) error {
		_, err := s.LogTotals(ctx, []usage.Log{acmeSMS})
		return err
	}
	under := func(ctx context.Context) error { _, _, err := s.DaysUnderWay(ctx); return err }
	for _, c := range []struct {
		what    string
		table   string
		read    func(context.Context) error
		whole   attributes
		damaged map[string]attributes // what is set in place of it; nil: it is taken away
	}{
		{"day", tables.Totals, day, attributes{"pk": "acme_retail#sms", "sk": "DAY#2026-06-10", "zone": "UTC", "groups": line, "updatedAt": stamp},
			map[string]attributes{
				"half a line": {"groups": line[:20]}, "groups twice": {"groups": line + "\n" + line}, "groups of another type": {"groups": 7},
				"no time": {"updatedAt": nil}, "another's time": {"updatedAt": "yesterday"}, "no zone": {"zone": nil},
				"parts without a name": {"groups": nil, "parts": 2}, "no parts": {"parts": 0, "set": "x"}, "no end": {"expiresAt": "soon"},
				"no day's key": {"sk": "DAY#2026-06-1x"},
			}},
		{"month", tables.Totals, month, attributes{"pk": "acme_retail", "sk": "MONTH#2026-06", "zone": "UTC",
			"sms": attributes{"groups": line, "updatedAt": stamp}}, map[string]attributes{
			"half a line": {"sms": attributes{"groups": line[:20], "updatedAt": stamp}}, "no time": {"sms": attributes{"groups": line}},
			"of another type": {"sms": line}, "nothing": {"sms": nil}, "no zone": {"zone": nil},
			"another's day": {"sms": attributes{"groups": line, "updatedAt": stamp, "lastDay": "May"}},
		}},
		{"log", tables.Totals, log, attributes{"pk": "acme_retail#sms", "sk": "LOG", "updatedAt": stamp}, map[string]attributes{
			"a day of another calendar": {"firstDay": "2026-13-01"}, "another's time": {"loadedThrough": "now"},
		}},
		{"open day", tables.Ledger, under, attributes{"pk": "WRITER", "sk": "OPEN#acme_retail#sms#2026-06-10",
			"mark": totals.Mark{Term: 1, Number: 1}.String()}, map[string]attributes{
			"no mark": {"mark": nil}, "half a mark": {"mark": "0000000001"},
			"no log's key": {"sk": "OPEN#acme_retail#fax#2026-06-10"}, "no day's key": {"sk": "OPEN#acme_retail#sms"},
		}},
	} {
		put := func(changed attributes) {
			t.Helper()
			all := attributes{}
			for _, of := range []attributes{c.whole, changed} {
				for name, v := range of {
					if all[name] = v; v == nil {
						delete(all, name)
					}
				}
			}
			it := make(map[string]types.AttributeValue)
			for name, v := range all {
				if document, is := v.(attributes); is {
					it[name] = &types.AttributeValueMemberM{Value: itemOf(t, document)}
				} else {
					it[name] = itemOf(t, attributes{name: v})[name]
				}
			}
			_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &c.table, Item: it})
			must(t, err)
		}
		put(nil)
		if err := c.read(t.Context()); err != nil {
			t.Errorf("a %s as it is: %v", c.what, err)
		}
		for damage, changed := range c.damaged {
			put(changed)
			if err := c.read(t.Context()); !fault.Is(err, fault.Internal) {
				t.Errorf("a %s, %s: %v", c.what, damage, err)
			}
			if _, another := changed["sk"]; another {
				_, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &c.table,
					Key: itemOf(t, attributes{"pk": c.whole["pk"], "sk": changed["sk"]})})
				must(t, err)
			}
			put(nil)
		}
	}
}

// DESIGN's word: two round trips, of which this is one, and 60 units; there, groups are of
// all products together. However many records there were.
func TestAMonthOfACustomerTakesFewUnits(t *testing.T) {
	s := engine.NewStore(t)
	var logs []usage.Log
	var open []totals.LogDay
	for _, product := range usage.Products() {
		log := usage.Log{Account: acmeSMS.Account, Product: product}
		logs = append(logs, log)
		for day := totals.Day("2026-07-01"); day < "2026-08-01"; day = day.Add(1) {
			open = append(open, totals.LogDay{Log: log, Day: day})
		}
	}
	mark := totals.Mark{Term: 1, Number: 1}
	must(t, s.OpenDays(t.Context(), mark, open))
	for i, d := range open {
		sheet := groupsOf(12+i%2, 987_654_321) // 50 of four products
		_, err := storeOne(t.Context(), s, totals.Counted{OpenDay: totals.OpenDay{LogDay: d, Mark: mark}, Zone: "Europe/Berlin",
			Sheet: sheet, ExpiresAt: now.AddDate(1, 1, 0)}, dynamo.CountedDay{}, at(now))
		must(t, err)
	}
	var mu sync.Mutex
	var units float64
	var calls int
	s.Consumed = func(_ context.Context, u float64) {
		mu.Lock()
		defer mu.Unlock()
		units, calls = units+u, calls+1
	}
	days, err := s.DayTotals(t.Context(), logs, "2026-07-01", "2026-08-01")
	must(t, err)
	t.Logf("%d days of %d logs: %d calls, %.1f units", len(days), len(logs), calls, units)
	if len(days) != 31*len(logs) || calls != len(logs) || units > 60 {
		t.Errorf("%d days, %d calls, %.1f units", len(days), calls, units)
	}
}

func TestReadyStandsFromWhenItIsSaid(t *testing.T) {
	s := engine.NewStore(t)
	check := func(ready, empty bool) {
		t.Helper()
		isReady, err := s.TotalsReady(t.Context())
		must(t, err)
		isEmpty, err := s.UsageIsEmpty(t.Context())
		must(t, err)
		if isReady != ready || isEmpty != empty {
			t.Errorf("ready %t, empty %t", isReady, isEmpty)
		}
	}
	check(false, true)
	must(t, s.PutReady(t.Context(), now))
	check(true, true)
	write(t, s, record(acmeSMS, "u-1", now))
	check(true, false)
}

// A month and a log that are new are created by one goroutine of a writer while others mark
// them: none of these may take the mark of another off, or take it for a later writer's.
func TestAWriterOpensDaysOfOneMonthFromSeveralGoroutines(t *testing.T) {
	db, tables := engine.Client(t), engine.NewTables(t)
	s := dynamo.NewStore(db, tables)
	const goroutines = 8
	var group sync.WaitGroup
	for n := range 12 {
		log := usage.Log{Account: usage.AccountID(fmt.Sprint("acc-", n)), Product: usage.SMS}
		for i := range goroutines {
			group.Go(func() {
				day := totals.LogDay{Log: log, Day: theTenth.Day.Add(i)}
				if err := s.OpenDays(t.Context(), totals.Mark{Term: 1, Number: int64(i + 1)}, []totals.LogDay{day}); err != nil {
					t.Errorf("%s of %s: %v", day.Day, log.Account, err)
				}
			})
		}
		group.Wait()
	}
	highest, shared := totals.Mark{Term: 1, Number: goroutines}, 0
	for _, it := range everything(t, db, tables) {
		stale, isStale := it["stale"].(*types.AttributeValueMemberS)
		if sk := it["sk"].(*types.AttributeValueMemberS).Value; !isStale || strings.HasPrefix(sk, "DAY#") {
			continue
		}
		if shared++; stale.Value != highest.String() {
			t.Errorf("%v of %v bears %s", it["sk"], it["pk"], stale.Value)
		}
	}
	if shared != 24 {
		t.Errorf("there are %d months and logs", shared)
	}
}

// A month and a log are made stale once for all their days, until they are counted; and by
// whoever comes next again.
func TestWhatDaysShareIsMarkedOnceBetweenTwoCounts(t *testing.T) {
	tables := engine.NewTables(t)
	var updates atomic.Int64
	s := dynamo.NewStore(engine.Client(t, func(o *dynamodb.Options) {
		next := o.HTTPClient
		o.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".UpdateItem") {
				updates.Add(1)
			}
			return next.Do(r)
		})
	}), tables)
	marked := new(dynamo.SharedMarks)
	number := int64(0)
	open := func(marked *dynamo.SharedMarks, want int64, days ...totals.Day) (opened []totals.OpenDay) {
		t.Helper()
		number++
		mark := totals.Mark{Term: 1, Number: number}
		var logDays []totals.LogDay
		for _, day := range days {
			d := totals.LogDay{Log: acmeSMS, Day: day}
			logDays, opened = append(logDays, d), append(opened, totals.OpenDay{LogDay: d, Mark: mark})
		}
		before := updates.Load()
		must(t, s.OpenMoreDays(t.Context(), mark, logDays, marked))
		if got := updates.Load() - before; got != want {
			t.Errorf("%v are opened by %d updates, want %d", days, got, want)
		}
		return opened
	}
	opened := open(marked, 2, "2026-06-10", "2026-06-11") // the log and the month; new days are put
	opened = append(opened, open(marked, 0, "2026-06-12")...)
	opened = append(opened, open(marked, 1, "2026-07-01")...) // another month, the same log
	for _, d := range opened {
		_, err := storeOne(t.Context(), s, totals.Counted{OpenDay: d, Sheet: groupsOf(1, 1)}, formerly(t, s, d.LogDay), at(now))
		must(t, err)
	}
	month := map[usage.Product]totals.MonthlyLog{usage.SMS: {UpdatedAt: now}}
	last := opened[len(opened)-1].Mark
	must(t, s.StoreMonth(t.Context(), june, "", month, last, true))
	must(t, s.StoreLog(t.Context(), acmeSMS, nil, now, last, true))
	open(new(dynamo.SharedMarks), 3, "2026-06-12")
	months, err := s.MonthTotals(t.Context(), []totals.AccountMonth{june})
	must(t, err)
	if !months[june].Stale {
		t.Error("a day of the month is open, and the month is not stale")
	}
}
