package dynamo

import (
	"cmp"
	"context"
	"maps"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

func underWayKey(prefix string, d totals.LogDay) item {
	return item{"pk": str(writer), "sk": str(prefix + d.Log.Key() + "#" + string(d.Day))}
}
func underWayItem(prefix string, d totals.LogDay, mark totals.Mark) item {
	it := underWayKey(prefix, d)
	it["mark"] = str(mark.String())
	return it
}

// OpenDays makes days known as being written, before anything is written into them: to
// the ledger first, so that whoever comes after a crash finds them, and then to readers, on
// the day, its month and its log, which are created where they are not. All bear the one
// mark, which must be above every mark of before. When it returns, all days are open; after
// an error some may be, and to open them again is safe. IsOvertaken: a later writer has one.
func (s *Store) OpenDays(ctx context.Context, mark totals.Mark, days []totals.LogDay) error {
	return s.OpenMoreDays(ctx, mark, days, new(SharedMarks))
}

// SharedMarks are the months and logs that a writer has made stale and has not counted since.
// These are not marked again for each of their days: a count asks of their mark only that it is
// of its own lease. The zero value has none.
type SharedMarks struct {
	mu   sync.Mutex
	made map[string]bool
}

func (m *SharedMarks) have(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.made[name]
}
func (m *SharedMarks) add(names map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.made == nil {
		m.made = make(map[string]bool)
	}
	maps.Copy(m.made, names)
}

// OpenMoreDays is OpenDays beside what the same writer has marked under the same lease.
func (s *Store) OpenMoreDays(ctx context.Context, mark totals.Mark, days []totals.LogDay, marked *SharedMarks) error {
	const op = "open days"
	var open, mayBeNew, stale []item
	seen, shared := make(map[string]bool), make(map[string]bool)
	for _, d := range days {
		month := totals.AccountMonth{Account: d.Account, Month: d.Day.Month()}
		for _, key := range []item{dayKey(d), logStateKey(d.Log), monthKey(month)} {
			r := reader{item: key}
			name := r.text("pk") + "\x00" + r.text("sk")
			if seen[name] || marked.have(name) {
				continue
			}
			seen[name] = true
			if strings.HasPrefix(r.text("sk"), dayPrefix) {
				mayBeNew, open = append(mayBeNew, key), append(open, underWayItem(openPrefix, d, mark))
				continue
			}
			// Another goroutine may be creating it for another of its days, which a put would replace.
			stale, shared[name] = append(stale, key), true
		}
	}
	if err := s.putAtOnce(ctx, op, s.tables.Ledger, open); err != nil {
		return err
	}
	there, err := s.itemsThere(ctx, op, s.tables.Totals, mayBeNew, totalsKeys)
	if err != nil {
		return err
	}
	var fresh []item
	for _, key := range mayBeNew {
		if _, exists := there[keyIn(key)]; exists {
			stale = append(stale, key)
			continue
		}
		fresh = append(fresh, item{"pk": key["pk"], "sk": key["sk"], "stale": str(mark.String())})
	}
	if err := s.putAtOnce(ctx, op, s.tables.Totals, fresh); err != nil {
		return err
	}
	err = atOnce(writesAtOnce, len(stale), func(i int) error { return s.markStale(ctx, mark, stale[i]) })
	if err == nil {
		marked.add(shared)
	}
	return err
}

// overLowerMark is that mark and stale are each not there, or lower. It is written out: dynalite
// takes two and a half times as long to read it with parentheses, which for small records was
// a tenth of an import.
const overLowerMark = "attribute_not_exists(#mark) AND attribute_not_exists(#stale) OR " +
	"attribute_not_exists(#mark) AND #stale <= :mark OR " +
	"#mark < :mark AND attribute_not_exists(#stale) OR " +
	"#mark < :mark AND #stale <= :mark"

// markStale sets stale on an item of totals over a lower mark. A higher one of the same
// writer, who marks days of one log from several goroutines, is as good.
func (s *Store) markStale(ctx context.Context, mark totals.Mark, key item) error {
	r := reader{item: key}
	op := "open " + r.text("pk") + " " + r.text("sk")
	_, err := s.updateLimited(ctx, op, &dynamodb.UpdateItemInput{
		TableName: &s.tables.Totals, Key: key,
		UpdateExpression:          aws.String("SET #stale = :mark"),
		ConditionExpression:       aws.String(overLowerMark),
		ExpressionAttributeNames:  map[string]string{"#stale": "stale", "#mark": "mark"},
		ExpressionAttributeValues: item{":mark": str(mark.String())},
	})
	if !isConditionFailed(err) {
		return err
	}
	is, err := s.stampsOf(ctx, op, key)
	shared := !strings.HasPrefix(r.text("sk"), dayPrefix)
	if err == nil && (!shared || is.stale.Term != mark.Term || is.stale.Number < mark.Number) {
		err = overtaken(op)
	}
	return err
}

// DaysUnderWay reads the days that are open, and those that are left for later, each by
// account, product and day bytewise. A day may be both.
func (s *Store) DaysUnderWay(ctx context.Context) (open, later []totals.OpenDay, err error) {
	if open, err = s.underWay(ctx, openPrefix); err != nil {
		return nil, nil, err
	}
	later, err = s.underWay(ctx, laterPrefix)
	return open, later, err
}

// DaysUnderWayOf is DaysUnderWay of one account.
func (s *Store) DaysUnderWayOf(ctx context.Context, account usage.AccountID) (open, later []totals.OpenDay, err error) {
	if open, err = s.underWay(ctx, openPrefix+string(account)+"#"); err != nil {
		return nil, nil, err
	}
	later, err = s.underWay(ctx, laterPrefix+string(account)+"#")
	return open, later, err
}
func (s *Store) underWay(ctx context.Context, prefix string) (days []totals.OpenDay, err error) {
	var items []item
	err = retryUnavailable(ctx, func() error {
		items, err = s.queryAll(ctx, query{
			op: "days under way", table: s.tables.Ledger, projection: underWayAttributes,
			condition:  "#pk = :pk AND begins_with(#sk, :prefix)",
			values:     item{":pk": str(writer), ":prefix": str(prefix)},
			consistent: true,
		})
		return err
	})
	for _, it := range items {
		r := reader{item: it}
		sk := r.text("sk")
		_, name, _ := strings.Cut(sk, "#")
		at := max(strings.LastIndexByte(name, '#'), 0)
		log, notLog := usage.ParseLogKey(name[:at])
		day, notDay := totals.ParseDay(strings.TrimPrefix(name[at:], "#"))
		d := totals.OpenDay{LogDay: totals.LogDay{Log: log, Day: day}, Mark: r.mark("mark")}
		if d.Mark == (totals.Mark{}) {
			r.fail("mark", "there")
		}
		if bad := cmp.Or(notLog, notDay, r.err); bad != nil {
			return nil, badItem("open day", sk, bad)
		}
		days = append(days, d)
	}
	return days, err
}

// CloseDays takes days off the ledger that were counted: first from those that were left
// for later, unless that was under a higher mark, then, those that are still open under
// their mark, from the open ones.
func (s *Store) CloseDays(ctx context.Context, days []totals.OpenDay) error {
	open, later, err := s.marksOf(ctx, days)
	if err != nil {
		return err
	}
	var wereLater, wereOpen []item
	for _, d := range days {
		if mark, is := later[d.LogDay]; is && mark.String() <= d.Mark.String() {
			wereLater = append(wereLater, underWayKey(laterPrefix, d.LogDay))
		}
		if open[d.LogDay] == d.Mark {
			wereOpen = append(wereOpen, underWayKey(openPrefix, d.LogDay))
		}
	}
	if err := s.deleteAtOnce(ctx, "close days", s.tables.Ledger, wereLater); err != nil {
		return err
	}
	return s.deleteAtOnce(ctx, "close days", s.tables.Ledger, wereOpen)
}

// LeaveForLater makes of open days such as only totals rebuild counts, unless they are open,
// or were left, under a higher mark. They stay stale.
func (s *Store) LeaveForLater(ctx context.Context, days []totals.OpenDay) error {
	open, later, err := s.marksOf(ctx, days)
	if err != nil {
		return err
	}
	var puts, wereOpen []item
	for _, d := range days {
		if later[d.LogDay].String() <= d.Mark.String() {
			puts = append(puts, underWayItem(laterPrefix, d.LogDay, d.Mark))
		}
		if open[d.LogDay] == d.Mark {
			wereOpen = append(wereOpen, underWayKey(openPrefix, d.LogDay))
		}
	}
	if err := s.putAtOnce(ctx, "leave days for later", s.tables.Ledger, puts); err != nil {
		return err
	}
	return s.deleteAtOnce(ctx, "leave days for later", s.tables.Ledger, wereOpen)
}

// marksOf reads under which marks days are open and left for later, those that are.
func (s *Store) marksOf(ctx context.Context, days []totals.OpenDay) (open, later map[totals.LogDay]totals.Mark,
	err error) {
	read := func(prefix string) (map[totals.LogDay]totals.Mark, error) {
		keys := make([]item, len(days))
		for i, d := range days {
			keys[i] = underWayKey(prefix, d.LogDay)
		}
		there, err := s.itemsThere(ctx, "days under way", s.tables.Ledger, keys, underWayAttributes)
		if err != nil {
			return nil, err
		}
		marks := make(map[totals.LogDay]totals.Mark, len(there))
		for i, d := range days {
			if it, is := there[keyIn(keys[i])]; is {
				r := reader{item: it}
				if marks[d.LogDay] = r.mark("mark"); r.err != nil {
					return nil, badItem("open day", r.text("sk"), r.err)
				}
			}
		}
		return marks, nil
	}
	if open, err = read(openPrefix); err != nil {
		return nil, nil, err
	}
	later, err = read(laterPrefix)
	return open, later, err
}
