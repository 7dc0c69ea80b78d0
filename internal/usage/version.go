package usage

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerview/internal/money"
)

// Version is a record as it is known so far, and when the parts of its outcome
// were told. The outcome has two parts, of which each is as new as the status that
// it came with: the status with its error code, and the recorded price. A line of a
// log tells both, a receipt may leave the price out.
//
// Of two tellings of one part the later one counts. Of two of the same time the
// order of arrival does not decide either:
//
//   - the status that is further along counts: none, unknown, queued, sent and
//     in_progress come first, in that order, then all other words, read last,
//     delivered before it, and of the rest the first in byte order last. It brings
//     its error code; of two codes of one status the first in byte order counts,
//     and any before none;
//   - any price counts before none, then the smaller currency code, then the
//     smaller amount.
//
// News that tells no time is older than all that does, and the last that was
// loaded counts: to load a log again is how one without times is corrected.
type Version struct {
	Record
	PriceAt *time.Time // when the recorded price, or that there is none, was told; nil: with no time
}

// VersionOf is a record as a line of a log tells it.
func VersionOf(r Record) Version { return Version{r, r.StatusAt} }

// Supersede is what is kept where v, loaded now, comes with the key of before: all
// of v, but for the parts of the outcome of which before has later news.
func (v Version) Supersede(before Version) Version {
	if before.hasLaterStatus(v.StatusAt, v.Status, v.ErrorCode) {
		v.Status, v.StatusAt, v.ErrorCode = before.Status, before.StatusAt, before.ErrorCode
	}
	if before.hasLaterPrice(v.PriceAt, v.RecordedPrice) {
		v.RecordedPrice, v.PriceAt = before.RecordedPrice, before.PriceAt
	}
	return v
}

// ApplyReceipt is v after a receipt of it has come.
func (v Version) ApplyReceipt(r Receipt) Version {
	if !v.hasLaterStatus(&r.StatusAt, r.Status, r.ErrorCode) {
		v.Status, v.StatusAt, v.ErrorCode = r.Status, &r.StatusAt, r.ErrorCode
	}
	if r.RecordedPrice != nil && !v.hasLaterPrice(&r.StatusAt, r.RecordedPrice) {
		v.RecordedPrice, v.PriceAt = r.RecordedPrice, &r.StatusAt
	}
	return v
}

// HasSameOutcome reports whether both tell the same outcome, as of the same times.
func (v Version) HasSameOutcome(w Version) bool {
	return v.Status == w.Status && compareTimes(v.StatusAt, w.StatusAt) == 0 && v.ErrorCode == w.ErrorCode &&
		comparePrices(v.RecordedPrice, w.RecordedPrice) == 0 && compareTimes(v.PriceAt, w.PriceAt) == 0
}

// hasLaterStatus reports whether v's status counts, and not one that is told now.
func (v Version) hasLaterStatus(at *time.Time, status Status, errorCode string) bool {
	later := compareTimes(v.StatusAt, at)
	if later == 0 && at != nil {
		later = cmp.Or(compareStatuses(v.Status, status), compareTexts(v.ErrorCode, errorCode))
	}
	return later > 0
}

// hasLaterPrice is hasLaterStatus of the price.
func (v Version) hasLaterPrice(at *time.Time, price *money.Money) bool {
	later := compareTimes(v.PriceAt, at)
	if later == 0 && at != nil {
		later = comparePrices(v.RecordedPrice, price)
	}
	return later > 0
}

// compareTimes has what tells no time before all that does.
func compareTimes(a, b *time.Time) int {
	switch {
	case a == nil || b == nil:
		return compareThere(a != nil, b != nil)
	default:
		return a.Compare(*b)
	}
}

// onTheWay are the statuses that others follow, the first of all first.
var onTheWay = [...]Status{"", Unknown, Queued, Sent, InProgress}

// compareStatuses has the status first that is less far along.
func compareStatuses(a, b Status) int {
	stage := func(s Status) int {
		switch i := slices.Index(onTheWay[:], s); {
		case i >= 0:
			return i
		case s == Delivered:
			return len(onTheWay) + 1
		case s == Read:
			return len(onTheWay) + 2
		}
		return len(onTheWay)
	}
	return cmp.Or(cmp.Compare(stage(a), stage(b)), compareTexts(string(a), string(b)))
}

// compareTexts has an empty text first, and else the last in byte order.
func compareTexts(a, b string) int {
	return cmp.Or(compareThere(a != "", b != ""), strings.Compare(b, a))
}

// comparePrices has none first, then the larger currency code, then the larger
// amount.
func comparePrices(a, b *money.Money) int {
	if a == nil || b == nil {
		return compareThere(a != nil, b != nil)
	}
	return cmp.Or(strings.Compare(string(b.Currency), string(a.Currency)), b.Amount.Cmp(a.Amount))
}

// compareThere has what is not there before what is.
func compareThere(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
