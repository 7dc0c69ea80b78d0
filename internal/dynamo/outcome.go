package dynamo

import (
	"time"

	"partnerview/internal/usage"
)

// encodeVersion is the item of a version of a record. Mostly the price was told with
// the status; its time is kept only where it was not.
func encodeVersion(v usage.Version) item {
	it := encodeRecord(v.Record)
	if isSameTime(v.PriceAt, v.StatusAt) {
		return it
	}
	at := time.Time{}
	if v.PriceAt != nil {
		at = *v.PriceAt
	}
	it["priceAt"] = str(usage.FormatTime(at))
	return it
}

func isSameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

func decodeVersion(log usage.Log, it item) (usage.Version, error) {
	record, err := decodeRecord(log, it)
	if err != nil {
		return usage.Version{}, err
	}
	v := usage.VersionOf(record)
	if _, apart := it["priceAt"]; apart {
		r := reader{item: it}
		v.PriceAt = r.timeOrNil("priceAt")
		if r.err != nil {
			return usage.Version{}, badItem("record of "+log.Text(), usage.FormatTime(record.Timestamp), r.err)
		}
	}
	return v, nil
}
