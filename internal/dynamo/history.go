package dynamo

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"partnerview/internal/directory"
	"partnerview/internal/ledger"
	"partnerview/internal/usage"
)

// The history of what operators have changed.

const historyPrefix = "HISTORY#"

var eventAttributes = project("pk", "sk", "who", "command", "text", "partners", "partnerCount", "accounts",
	"accountCount", "summary", "incomplete", "expiresAt")

// PutEvent writes an event, in place of what was said under its time and id.
func (s *Store) PutEvent(ctx context.Context, e ledger.Event) error {
	it, err := encodeEvent(e)
	if err != nil {
		return err
	}
	return s.put(ctx, "note "+e.Command+" in the history", s.tables.Ledger, it)
}

// Events reads what is kept of the history since a time, the newest first.
func (s *Store) Events(ctx context.Context, since, now time.Time) iter.Seq2[ledger.Event, error] {
	return diary(ctx, s, historyPrefix, eventAttributes, since, now, decodeEvent)
}

func encodeEvent(e ledger.Event) (item, error) {
	it := diaryKey(historyPrefix, e.At, e.ID)
	putText(it, "who", e.Who)
	it["command"], it["text"] = str(e.Command), str(e.Text)
	putWords(it, "partners", e.Partners)
	putWords(it, "accounts", e.Accounts)
	it["partnerCount"], it["accountCount"] = num(int64(e.PartnerCount)), num(int64(e.AccountCount))
	summary, err := json.Marshal(e.Summary)
	if err != nil {
		return nil, err
	}
	it["summary"] = str(string(summary))
	if e.Incomplete {
		it["incomplete"] = str("yes")
	}
	it["expiresAt"] = num(keptUntil(e.At).Unix())
	return it, nil
}

func decodeEvent(it item) (ledger.Event, error) {
	r := reader{item: it}
	at, id := r.diaryEntry()
	e := ledger.Event{ID: id, At: at, Who: r.text("who"), Command: r.required("command"), Text: r.text("text"),
		Partners: wordsOf[directory.PartnerID](&r, "partners"), PartnerCount: int(r.count("partnerCount")),
		Accounts: wordsOf[usage.AccountID](&r, "accounts"), AccountCount: int(r.count("accountCount")),
		Incomplete: r.text("incomplete") != ""}
	if json.Unmarshal([]byte(r.required("summary")), &e.Summary) != nil {
		r.fail("summary", "a list of counts")
	}
	if r.err != nil {
		return ledger.Event{}, badItem("history", id, r.err)
	}
	return e, nil
}
