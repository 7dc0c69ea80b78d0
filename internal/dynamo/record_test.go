package dynamo_test

import (
	"testing"
	"time"

	"partnerview/internal/usage"
)

// What another pipeline wrote into fields that are no numbers is not read where it may be one,
// or a piece of one; the fields beside it are.
func TestWhatMayBeANumberIsNotReadInAnyField(t *testing.T) {
	tables := engine.NewTables(t)
	s, db := newStore(t, tables), engine.Client(t)
	sms, video := acmeSMS, usage.Log{Account: "acme_retail", Product: usage.Video}
	for _, it := range []attributes{
		rawItem(sms, now, "bad-sms", attributes{"errorCode": "900123", "operator": "447700", "segments": 447700, "direction": "447700",
			"country": "４４７７０", "status": "447700_900123", "recordedAmount": "20255501", "recordedCurrency": "EUR"}),
		rawItem(sms, now.Add(-time.Second), "spelt-sms", attributes{"errorCode": "%37%37%30%30%39", "direction": "&#52;&#52;", "country": "%34%34%37",
			"status": "\\u0034\\u0034"}),
		rawItem(sms, now.Add(time.Second), "good-sms", attributes{"errorCode": "E-1234", "operator": "23401", "segments": 255,
			"recordedAmount": "2025550.1", "recordedCurrency": "EUR"}),
		rawItem(video, now, "bad-video", attributes{"durationSeconds": 447700, "participants": 77009, "participantSeconds": 2025550}),
		rawItem(video, now.Add(time.Second), "other-video", attributes{"durationSeconds": 60, "participants": 2, "participantSeconds": 2025550}),
		rawItem(video, now.Add(2*time.Second), "good-video", attributes{"durationSeconds": 86400, "participants": 9999, "participantSeconds": 863_913_600}),
		rawItem(acmeApps, now, "bad-app", attributes{"channel": "n44_770", "category": "m900123"}),
	} {
		putItem(t, db, tables.Usage, it)
	}
	got := map[usage.RecordID]usage.Record{}
	for _, log := range []usage.Log{sms, video, acmeApps} {
		page, err := s.Log(t.Context(), log, usage.Query{Limit: 10, Now: now})
		must(t, err)
		for _, r := range page.Records {
			got[r.ID] = r
		}
	}
	if r := got["bad-sms"]; r.ErrorCode+string(r.Operator)+string(r.Direction)+string(r.Country)+string(r.Status) != "" ||
		r.Segments != nil || r.RecordedPrice != nil || r.To.String() != "****0123" {
		t.Errorf("of an SMS: %+v", r)
	}
	if r := got["spelt-sms"]; r.ErrorCode+string(r.Direction)+string(r.Country)+string(r.Status) != "" {
		t.Errorf("of an SMS whose number is spelt otherwise: %+v", r)
	}
	if r := got["good-sms"]; r.ErrorCode != "E-1234" || r.Operator != "23401" || r.Segments == nil || r.RecordedPrice == nil || r.Status != "sent" {
		t.Errorf("what may be told is not: %+v", r)
	}
	if r := got["bad-video"]; r.DurationSeconds != nil || r.Participants != nil || r.ParticipantSeconds != nil {
		t.Errorf("of a session: %+v", r)
	}
	if r := got["other-video"]; r.DurationSeconds == nil || r.Participants == nil || r.ParticipantSeconds != nil {
		t.Errorf("more than all could be there: %+v", r)
	}
	if r := got["good-video"]; r.ParticipantSeconds == nil {
		t.Errorf("as many as can be: %+v", r)
	}
	if r := got["bad-app"]; r.Channel != "" || r.Category != "" {
		t.Errorf("of a message: %+v", r)
	}
	found := usage.Query{Limit: 10, Now: now, Filter: usage.Filter{Channels: []usage.Channel{"n44_770"}}}
	if page, err := s.Log(t.Context(), acmeApps, found); err != nil || len(page.Records) != 0 {
		t.Errorf("a filter confirms what is not shown: %+v, %v", page.Records, err)
	}
}
