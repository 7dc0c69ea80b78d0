package inbox

import (
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
)

// A key is read as one file of one account or of none, or told where it belongs;
// what is written of its import stands under results/ and is no longer than a key may be.
//
//fuzz:reaches key.go:fileOf key.go:kind key.go:resultKey key.go:listKey key.go:failedKey
func FuzzKey(f *testing.F) {
	for _, seed := range []string{
		"native/usage.ndjson", "connect-sms-csv/account=acme_retail/sms.csv.gz", "credit/credit.csv", "credit/account=acme_retail/c.csv", "native/deeper/x", "natives/x", "x", "native/",
		"native/account=a b/447700900123.csv", "results/native/x.json", "native/" + strings.Repeat("é", 500), "", "/", "native/a/b/c", "\xff/x",
	} {
		f.Add(seed, 0)
	}
	f.Add("native/usage.ndjson", 1000)
	f.Fuzz(func(t *testing.T, key string, line int) {
		file, err := fileOf(key)
		if err != nil {
			return
		}
		if folder, _, _ := strings.Cut(key, "/"); file.kind() != folder || file.format == "" && file.account != "" {
			t.Fatalf("%q is read as %+v", key, file)
		}
		s := State{Key: key, ID: "execution", Line: line}
		for _, made := range []string{resultKey(s, ".json"), listKey(s)} {
			if !strings.HasPrefix(made, "results/") || len(made) > 1024 {
				t.Fatalf("of %q is written to %q", key, made)
			}
		}
		if len(key) <= maxKey && failedKey(s) != "failed/"+key {
			t.Fatalf("%q is put aside as %q", key, failedKey(s))
		}
	})
}

// Whatever the state machine hands over, a call of a folder, or of a step that there is not, reads
// and writes nothing, and what it answers is read again as the same.
//
//fuzz:reaches inbox.go:call inbox.go:Call key.go:isFolder key.go:importID
func FuzzState(f *testing.F) {
	for _, seed := range []string{
		`{"bucket":"inbox","key":"native/","etag":"0123","size":10,"time":"2026-11-03T10:00:00Z","step":"import","id":"arn:x","started":"2026-11-03T10:00:00Z"}`,
		`{"key":"native/","step":"","counts":{"read":1},"touched":null,"lists":["results/x"],"busy":{"what":"import"},"failure":{"Error":"Lambda.Unknown","Cause":"447700900123"}}`,
		`{"key":"native/x","step":"none"}`, `{}`, `null`, `{"line":-1,"calls":9223372036854775807,"step":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	i := &Inbox{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	f.Fuzz(func(t *testing.T, text []byte) {
		var s State
		if json.Unmarshal(text, &s) != nil {
			return
		}
		if isKnown := s.Step == StepImport || s.Step == StepCount || s.Step == StepFail; isKnown && !isFolder(s.Key) {
			return // it would begin to work
		}
		answer, err := i.Call(t.Context(), s)
		if isFolder(s.Key) != (err == nil) {
			t.Fatalf("%s: %v", text, err)
		}
		if _, err := json.Marshal(answer); err != nil {
			t.Fatalf("%s is answered with what is no JSON: %v", text, err)
		}
	})
}
