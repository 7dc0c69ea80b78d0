package operator

import (
	"hash/maphash"
	"time"

	"partnerview/internal/usage"
)

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
