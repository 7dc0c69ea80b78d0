package sample

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// window is how far back the records go.
const window = 90 * 24 * time.Hour

// Usage writes n usage records as NDJSON, one a line, with timestamps in the 90
// days that end at now (which is not in them). They come hour by hour, the
// oldest first; within an hour in no order.
//
// The same now and n give the same bytes. Records can be told apart by id alone,
// some share a timestamp with others of their log, and each line is one that the
// importer takes. Each carries canaries: see [Leaks].
func Usage(w io.Writer, now time.Time, n int) error {
	g := newGenerator(now)
	buffered := bufio.NewWriter(w)
	lines := json.NewEncoder(buffered)
	lines.SetEscapeHTML(false)
	for i := range n {
		if err := lines.Encode(g.line(i, n)); err != nil {
			return fmt.Errorf("write sample record %d of %d: %w", i+1, n, err)
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("write sample records: %w", err)
	}
	return nil
}

// line is a record in the importer's native form. A field that is nil is left
// out; one that is null is written as null: both mean unknown.
type line struct {
	AccountID          string `json:"accountId"`
	Product            string `json:"product"`
	ID                 string `json:"id"`
	Timestamp          string `json:"timestamp"`
	Direction          any    `json:"direction,omitempty"`
	Status             any    `json:"status,omitempty"`
	StatusAt           any    `json:"statusAt,omitempty"`
	From               any    `json:"from,omitempty"`
	To                 any    `json:"to,omitempty"`
	ContactName        any    `json:"contactName"`
	Content            any    `json:"content"`
	Country            any    `json:"country,omitempty"`
	Operator           any    `json:"operator,omitempty"`
	Segments           any    `json:"segments,omitempty"`
	DurationSeconds    any    `json:"durationSeconds,omitempty"`
	Participants       any    `json:"participants,omitempty"`
	ParticipantSeconds any    `json:"participantSeconds,omitempty"`
	Channel            any    `json:"channel,omitempty"`
	Category           any    `json:"category,omitempty"`
	ErrorCode          any    `json:"errorCode,omitempty"`
	RecordedPrice      any    `json:"recordedPrice,omitempty"`
	AgentNote          any    `json:"agentNote,omitempty"` // no field of the format: the importer drops and counts it
}

// price is a recordedPrice: decimal text, never a JSON number.
type price struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}
