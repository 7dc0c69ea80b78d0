package importer

import (
	"encoding/json"
	"strings"
	"testing"

	"partnerview/internal/usage"
)

// idOf is a line of the native format with an id and an end of the record.
func idOf(id, field string, value any) string {
	text, _ := json.Marshal(map[string]any{
		"accountId": "acme_one", "product": "messaging", "id": id, "timestamp": "2026-05-03T10:00:00Z", field: value,
	})
	return string(text) + "\n"
}

func TestAnIDThatTellsANumberOfItsRecordIsRejectedAndNotTold(t *testing.T) {
	const number = "447700900123"
	app := map[string]any{"name": "Contact", "phones": []any{"+44 7700 900123"}}
	for _, c := range []struct {
		name, file string
		format     Format
		field      string
	}{
		{"with an international prefix", idOf(number, "to", "00447700900123"), Native, "id"},
		{"with a trunk prefix", idOf(number, "to", "+44 (0)7700 900123"), Native, "id"},
		{"in its national form", idOf("07700900123", "to", "+44 7700 900123"), Native, "id"},
		{"without its country code", idOf("2025550104", "to", "+12025550104"), Native, "id"},
		{"an app's address", idOf(number+"-3EB0", "from", number+":15@s.whatsapp.net"), Native, "id"},
		{"the first of two", idOf(number, "to", "+447700900123 +447700900124"), Native, "id"},
		{"the second of two", idOf(number, "to", "+447700900124/+447700900123"), Native, "id"},
		{"no-break spaces", idOf(number, "to", "+44\u00a07700\u00a0900123"), Native, "id"},
		{"no-break hyphens", idOf(number, "to", "+44\u20117700\u2011900123"), Native, "id"},
		{"full-width digits", idOf(number, "to", "\uff0b\uff14\uff14\uff17\uff17\uff10\uff10\uff19\uff10\uff10\uff11\uff12\uff13"), Native, "id"},
		{"the contact's name is the number", idOf(number, "contactName", "+44 7700 900123"), Native, "id"},
		{"the contact's name is a JSON number", idOf(number, "contactName", 447700900123), Native, "id"},
		{"the contact's name is an object with it", idOf(number, "contactName", app), Native, "id"},
		{"an SMS of an export", smsRow("umid", "x-"+number, "msisdn", "00447700900123"), ConnectSMS, "umid"},
		{"its sender", smsRow("umid", number, "source", "+44 (0)7700 900123"), ConnectSMS, "umid"},
		{"a message of an export", messagingRow("umid", number, "user_msisdn", "+44 (0)7700 900123"), ConnectMessaging, "umid"},
		{"the user of the app", messagingRow("umid", number, "user_channelUserId", "447700900123@s.whatsapp.net"), ConnectMessaging, "umid"},
		{"behind a UUID", messagingRow("umid", "00000000-0000-4000-8000-000000000201", "step", number, "user_msisdn", number), ConnectMessaging, "umid"},
		{"a call's source", voiceRow("CallId", number, "SourceEndpoint", "sip:+447700900123@example.com"), ConnectVoice, "CallId"},
		{"a call's destination", voiceRow("CallId", number, "DestinationEndpoint", "0044 7700 900123"), ConnectVoice, "CallId"},
		{"a receipt", receipt("u-1", number, "+447700900123", "00447700900123"), ConnectReceipts, ReceiptIDField},
	} {
		rows := readAll(t, strings.NewReader(c.file), c.format, options())
		if len(rows) != 1 || rows[0].Rejected == nil {
			t.Errorf("%s: taken: %s", c.name, described(rows))
			continue
		}
		if r := rows[0].Rejected; r.Field != c.field || r.Reason != tells || r.ID != "" {
			t.Errorf("%s: %+v", c.name, *r)
		}
	}
	// Another fault comes first, and the id is not told either.
	bad := strings.Replace(idOf(number, "to", "0044 7700 900123"), "2026-05-03T10:00:00Z", "yesterday", 1)
	if r := readAll(t, strings.NewReader(bad), Native, options())[0].Rejected; r == nil || r.Field != "timestamp" || r.ID != "" {
		t.Errorf("with a bad timestamp: %+v", r)
	}
}

func TestAnIDThatTellsNoNumberOfItsRecordIsTaken(t *testing.T) {
	for _, id := range []string{
		"447700900124",                           // another's
		"4477009001230001",                       // of 16 digits
		"00000000-0000-4000-8000-447700900123",   // a UUID
		"00000000-0000-4000-8000-447700900123:1", // and the step of a message
		"h-0a447700900123abcdefabcdefabcdef",     // a hash
	} {
		file := idOf(id, "to", "+447700900123")
		r := readAll(t, strings.NewReader(file), Native, options())[0]
		if r.Rejected != nil || string(r.Record.ID) != id {
			t.Errorf("%s: %s", id, describe(r))
		}
	}
}

// The hashes were made by another program: printf 'acme_one\0messaging\0…' | sha256sum.
func TestWhatsAppsIDsAreHashed(t *testing.T) {
	const (
		wamid = "wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgSM0VCMDAwMDAwMDAwMDAwMDAwMDAA"
		plus  = "wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgS+/8="
	)
	for _, c := range []struct {
		name, file string
		format     Format
		want       string
	}{
		{"native", idOf(wamid, "to", "447700900123"), Native, "h-b4908d73ca69e974dc6f2390c0782934"},
		{"with + / =", idOf(plus, "to", "447700900123"), Native, "h-99caa77516bef58cf1c77a45729eac00"},
		{"one that is hashed already", idOf("h-b4908d73ca69e974dc6f2390c0782934", "to", "447700900123"), Native, "h-b4908d73ca69e974dc6f2390c0782934"},
		{"a message of an export", messagingRow("umid", wamid, "user_msisdn", "447700900123"), ConnectMessaging, "h-efd8a3d334806af427e337a84d9801ea"},
		{"an SMS", smsRow("umid", plus, "msisdn", "447700900123"), ConnectSMS, "h-bf57c714017f7de18c9106bd12b98ef4"},
		{"a call", voiceRow("CallId", plus), ConnectVoice, "h-64273bb9119d20a67a0ec23e8e550f36"},
		{"a receipt", receipt("u-1", plus), ConnectReceipts, "h-bf57c714017f7de18c9106bd12b98ef4"},
	} {
		r := readAll(t, strings.NewReader(c.file), c.format, options())[0]
		got := r.Record.ID
		if r.Receipt != nil {
			got = r.Receipt.ID
		}
		if r.Rejected != nil || string(got) != c.want {
			t.Errorf("%s: %q, want %q (%s)", c.name, got, c.want, describe(r))
		}
	}
	// A rejected line tells the hash, or nothing where there is none.
	late := strings.Replace(idOf(wamid, "to", "447700900123"), "2026-05-03T10:00:00Z", "yesterday", 1)
	for file, want := range map[string]usage.RecordID{
		late: "h-b4908d73ca69e974dc6f2390c0782934",
		strings.Replace(late, "acme_one", "nobody", 1):                            "",
		strings.Replace(late, `"messaging"`, `"mail"`, 1):                         "",
		strings.Replace(late, wamid, wamid+"#", 1):                                "",
		strings.Replace(late, wamid, "wamid."+strings.Repeat("A", 123), 1):        "",
		strings.Replace(idOf("MQ+/=", "to", "447700900123"), "05-03", "05-04", 1): "",
	} {
		if r := readAll(t, strings.NewReader(file), Native, options())[0]; r.Rejected == nil || r.Rejected.ID != want {
			t.Errorf("%s: %s", file, describe(r))
		}
	}
}
