package importer

import (
	"strconv"
	"time"

	"partnerview/internal/money"
	"partnerview/internal/usage"
)

// How a draft ends: as a record, a receipt, or a line that is not taken.

// row ends the record that began at a line.
func (d *draft) row(line int) Row {
	if d.isOutside(d.record.Timestamp) {
		return Row{Line: line, Outside: true}
	}
	d.checkNumbers()
	expires := d.record.Timestamp.AddDate(0, d.options.RetentionMonths, 0)
	if !expires.After(d.options.Now) {
		d.fail(d.timeField, "is past the retention time of "+strconv.Itoa(d.options.RetentionMonths)+" months")
	}
	if d.reason != "" {
		return d.rejected(line)
	}
	d.record.ExpiresAt = expires
	return Row{Line: line, Record: d.record, Dropped: d.dropped, Unread: d.unread}
}

// receiptRow ends the receipt that began at a line. When its record was made is
// not in it: it goes by the time of its status, and nothing of it expires.
func (d *draft) receiptRow(line int) Row {
	if d.record.StatusAt != nil && d.isOutside(*d.record.StatusAt) {
		return Row{Line: line, Outside: true}
	}
	d.checkNumbers()
	if d.reason != "" {
		return d.rejected(line)
	}
	r := d.record
	return Row{Line: line, Dropped: d.dropped, Unread: d.unread, Receipt: &usage.Receipt{
		Log: r.Log, ID: r.ID, Status: r.Status, StatusAt: *r.StatusAt, ErrorCode: r.ErrorCode, RecordedPrice: r.RecordedPrice,
	}}
}

// isOutside tells whether a time is known, and not in the period asked for.
func (d *draft) isOutside(t time.Time) bool { return !t.IsZero() && !d.options.Period.Contains(t) }

func (d *draft) rejected(line int) Row {
	reject := &Reject{Line: line, Field: d.field, Reason: d.reason}
	if !d.secret && !usage.TellsNumber(d.record.ID, d.numbers) {
		reject.ID = d.record.ID
	}
	return Row{Line: line, Rejected: reject}
}

// tells is why a line is rejected that tells a number elsewhere than in its place.
const tells = "tells a number of the record itself"

// checkNumbers refuses a record that tells the full number of one of its ends in
// another field: above all in its id, which is part of a key. An error code that
// does is already dropped.
func (d *draft) checkNumbers() {
	if usage.TellsNumber(d.record.ID, d.numbers) {
		d.fail(d.idField, tells)
	}
	if price := d.record.RecordedPrice; price != nil && d.numbers.In(money.Text(price.Amount)) {
		d.fail("recordedPrice", tells)
	}
	if seconds := d.record.ParticipantSeconds; seconds != nil && d.numbers.In(strconv.FormatInt(*seconds, 10)) {
		d.fail("participantSeconds", tells)
	}
}
