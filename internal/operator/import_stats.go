package operator

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/usage"
)

// UsageCounts say what became of the lines of a file:
// Read = Written + Duplicate + Rejected + Outside.
type UsageCounts struct {
	Read      int `json:"read"`
	Written   int `json:"written"`   // new, or in place of the same record; of a dry run, what would be
	Duplicate int `json:"duplicate"` // of the same key as a later one in a batch of writes
	Rejected  int `json:"rejected"`
	Outside   int `json:"outside"` // of the period that was asked for
	// SameSecond counts ids that stand at two times of the same second: each time is
	// a record of its own, though mostly one was meant.
	SameSecond int `json:"sameSecond,omitempty"`
	// Changes splits Written; nil: it was not asked for.
	Changes *ChangeCounts `json:"changes,omitempty"`
	// Dropped counts, by the name of the field, what was left out of records that
	// were taken. It is never nil.
	Dropped map[string]int `json:"dropped"`
	// Unread counts, by the name of the field, values that could not be read into a
	// record that was taken, and are unknown in it. UnreadValues are up to five
	// different ones of a field, where they may be shown.
	Unread       map[string]int      `json:"unread,omitempty"`
	UnreadValues map[string][]string `json:"-"`
	// NextLine is where the first row begins that was not read, since UsageImport.Enough
	// ended the reading before it; 0: the file was read to its end.
	NextLine int `json:"-"`
	// Touched is for the ledger, and known at the end; nil: nothing was written.
	Touched *Touched `json:"-"`
}

// maxUnreadValues is how many different values of a field are kept.
const maxUnreadValues = 5

func (c *UsageCounts) addUnread(field, value string, n int) {
	if c.Unread == nil {
		c.Unread, c.UnreadValues = map[string]int{}, map[string][]string{}
	}
	c.Unread[field] += n
	values := c.UnreadValues[field]
	if value != "" && len(values) < maxUnreadValues && !slices.Contains(values, value) {
		c.UnreadValues[field] = append(slices.Clip(values), value)
	}
}

// ChangeCounts say what writing did to the records that were stored.
type ChangeCounts struct {
	New       int `json:"new"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"` // stored already as they are, and left alone
}

// Add sums the counts of several files.
func (c UsageCounts) Add(other UsageCounts) UsageCounts {
	sum := UsageCounts{
		Read: c.Read + other.Read, Written: c.Written + other.Written, Duplicate: c.Duplicate + other.Duplicate,
		Rejected: c.Rejected + other.Rejected, Outside: c.Outside + other.Outside,
		SameSecond: c.SameSecond + other.SameSecond, Dropped: map[string]int{}, Touched: c.Touched.add(other.Touched),
	}
	for _, counts := range []UsageCounts{c, other} {
		for field, n := range counts.Dropped {
			sum.Dropped[field] += n
		}
		for field, n := range counts.Unread {
			sum.addUnread(field, "", n)
			for _, value := range counts.UnreadValues[field] {
				sum.addUnread(field, value, 0)
			}
		}
		if counts.Changes != nil {
			sum.addChanges(*counts.Changes)
		}
	}
	return sum
}

func (c *UsageCounts) addChanges(more ChangeCounts) {
	if c.Changes == nil {
		c.Changes = new(ChangeCounts)
	}
	c.Changes.New += more.New
	c.Changes.Changed += more.Changed
	c.Changes.Unchanged += more.Unchanged
}

// importStats counts for the reader and the shards at once, and tells of it.
type importStats struct {
	mu       sync.Mutex
	counts   UsageCounts
	rejects  rejects
	progress func(UsageCounts)
	seconds  *SameSecond // of the records that are taken
	touching *touching
}

func newImportStats(in UsageImport) *importStats {
	s := &importStats{
		counts:   UsageCounts{Dropped: map[string]int{}},
		rejects:  rejects{report: in.Rejected, over: in.KeepGoing},
		progress: in.Progress,
		seconds:  cmp.Or(in.SameSecond, NewSameSecond()),
		touching: newTouching(),
	}
	if in.CountChanges {
		s.counts.Changes = new(ChangeCounts)
	}
	return s
}

// reportEvery is after how many lines that are not written progress is told.
const reportEvery = 1000

func (s *importStats) read(row importer.Row) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Read++
	for _, field := range row.Dropped {
		s.counts.Dropped[field]++
	}
	for _, u := range row.Unread {
		s.counts.addUnread(u.Field, u.Value, 1)
	}
	if row.Rejected == nil && !row.Outside && row.Receipt == nil && s.seconds.again(row.Record) {
		s.counts.SameSecond++
	}
	if row.Outside {
		if s.counts.Outside++; s.counts.Outside%reportEvery == 0 {
			s.report()
		}
	}
	if row.Rejected != nil {
		s.countRejected()
	}
	return s.rejects.add(row.Rejected)
}

// endAt notes where the reading has ended.
func (s *importStats) endAt(line int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.NextLine = line
}

// mostFirstLines is how many lines that are rejected for one reason, and no other
// before them, end the load of a file.
const mostFirstLines = 100

// rejects passes on the lines that are not taken, and finds a file that is not what
// it should be: all of its first lines are rejected, for one reason.
type rejects struct {
	report func(importer.Reject) error // nil: nobody wants to know

	over   bool // the first lines are not all rejected for one reason, or nobody asks
	lines  int
	reason importer.Reject // without its line and id
}

// add is told of each line that is read, nil: it is not rejected. The error is
// that of report, or an importer.FileError.
func (r *rejects) add(rejected *importer.Reject) error {
	if rejected == nil {
		r.over = true
		return nil
	}
	if r.report != nil {
		if err := r.report(*rejected); err != nil {
			return err
		}
	}
	reason := importer.Reject{Field: rejected.Field, Reason: rejected.Reason}
	if r.lines++; r.lines == 1 {
		r.reason = reason
	}
	r.over = r.over || reason != r.reason
	if r.over || r.lines < mostFirstLines {
		return nil
	}
	r.over = true
	why := reason.Reason
	if reason.Field != "" {
		why = reason.Field + " " + why
	}
	return &importer.FileError{Err: fmt.Errorf("each of the first %d lines is rejected for one reason: %s. "+
		"The rest is not read; --keep-going reads it all the same", mostFirstLines, why)}
}

// rejected counts a line that was read, and turned out not to be taken.
func (s *importStats) rejected(r importer.Reject) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countRejected()
	return s.rejects.add(&r)
}

func (s *importStats) countRejected() {
	if s.counts.Rejected++; s.counts.Rejected%reportEvery == 0 {
		s.report()
	}
}

// written counts a batch, and notes what it has touched: of whom, and of when.
func (s *importStats) written(w dynamo.Written, touched iter.Seq2[usage.AccountID, time.Time]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for account, at := range touched {
		s.touching.note(account, at)
	}
	s.counts.Written += w.Records
	s.counts.Duplicate += w.Duplicates
	if s.counts.Changes != nil {
		s.counts.addChanges(ChangeCounts{w.New, w.Changed, w.Unchanged})
	}
	s.report()
}

func (s *importStats) report() {
	if s.progress != nil {
		s.progress(s.copied())
	}
}

func (s *importStats) snapshot() UsageCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.copied()
	c.Touched = s.touching.touched()
	return c
}

func (s *importStats) copied() UsageCounts {
	c := s.counts
	c.Dropped = maps.Clone(c.Dropped)
	c.Unread, c.UnreadValues = maps.Clone(c.Unread), maps.Clone(c.UnreadValues)
	if c.Changes != nil {
		changes := *c.Changes
		c.Changes = &changes
	}
	return c
}

// SameSecond finds ids that stand at two times of the same second: mostly one record,
// exported once with and once without the fraction of its time, and so loaded as two.
// It knows the last half a million records or more, whatever files they stood in, and
// is for one import at a time.
type SameSecond struct {
	seed maphash.Seed
	// The milliseconds of each id and second, by their hash. Where the young ones are
	// many they become the old ones, and those are forgotten.
	young, old map[uint64]int16
}

const (
	maxYoung      = 1 << 19
	countedBefore = -1 // in place of the milliseconds: the id is counted already
)

// NewSameSecond knows no record yet.
func NewSameSecond() *SameSecond {
	return &SameSecond{seed: maphash.MakeSeed(), young: map[uint64]int16{}}
}

// again takes note of a record, and reports whether its id now stands at two times of
// its second for the first time.
func (s *SameSecond) again(r usage.Record) bool {
	key := maphash.Comparable(s.seed, struct {
		log    usage.Log
		id     usage.RecordID
		second int64
	}{r.Log, r.ID, r.Timestamp.Unix()})
	ms := int16(r.Timestamp.Nanosecond() / int(time.Millisecond))
	seen, known := s.young[key]
	if !known {
		seen, known = s.old[key]
	}
	isTwo := known && seen != countedBefore && seen != ms
	switch {
	case isTwo:
		ms = countedBefore
	case known:
		ms = seen
	}
	if len(s.young) >= maxYoung {
		s.young, s.old = map[uint64]int16{}, s.young
	}
	s.young[key] = ms
	return isTwo
}
