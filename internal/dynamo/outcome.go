package dynamo

import (
	"time"

	"partnerview/internal/usage"
)

// told is a record and when its parts were told. Its outcome has two, of which
// each is as new as the status that it came with: the status with its error code,
// and the recorded price. A line of a log tells both, a receipt may leave the
// price out. Since each keeps its own time, the order of arrival does not matter.
type told struct {
	usage.Record
	priceAt *time.Time // nil: the price came with no time
}

// logged is a record as a line of a log tells it.
func logged(r usage.Record) told { return told{r, r.StatusAt} }

// followedBy is what is kept where a record comes with the key of t: the later
// one, but for the parts of an outcome that t has from a later time.
func (t told) followedBy(next told) told {
	if isLater(t.StatusAt, next.StatusAt) {
		next.Status, next.StatusAt, next.ErrorCode = t.Status, t.StatusAt, t.ErrorCode
	}
	if isLater(t.priceAt, next.priceAt) {
		next.RecordedPrice, next.priceAt = t.RecordedPrice, t.priceAt
	}
	return next
}

// withReceipt is t after a receipt of it has come.
func (t told) withReceipt(r usage.Receipt) told {
	at := r.StatusAt
	if !isLater(t.StatusAt, &at) {
		t.Status, t.StatusAt, t.ErrorCode = r.Status, &at, r.ErrorCode
	}
	if r.RecordedPrice != nil && !isLater(t.priceAt, &at) {
		t.RecordedPrice, t.priceAt = r.RecordedPrice, &at
	}
	return t
}

func isLater(a, b *time.Time) bool { return a != nil && (b == nil || a.After(*b)) }

func isSameTime(a, b *time.Time) bool { return !isLater(a, b) && !isLater(b, a) }

// encodeTold is the item of a record. Mostly the price was told with the status;
// its time is kept only where it was not.
func encodeTold(t told) item {
	it := encodeRecord(t.Record)
	if isSameTime(t.priceAt, t.StatusAt) {
		return it
	}
	at := time.Time{}
	if t.priceAt != nil {
		at = *t.priceAt
	}
	it["priceAt"] = str(usage.FormatTime(at))
	return it
}

func decodeTold(log usage.Log, it item) (told, error) {
	record, err := decodeRecord(log, it)
	if err != nil {
		return told{}, err
	}
	t := logged(record)
	if _, apart := it["priceAt"]; apart {
		r := reader{item: it}
		t.priceAt = r.timeOrNil("priceAt")
		if r.err != nil {
			return told{}, badItem("record of "+log.Text(), string(record.ID), r.err)
		}
	}
	return t, nil
}
