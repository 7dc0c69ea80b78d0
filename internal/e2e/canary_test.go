package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partnerview/internal/dev/sample"
	"partnerview/internal/usage"
)

// Every record of the sample went in with a marked name, a marked content and
// full numbers. Whatever comes out is searched for them: answers and headers by
// get and read, partnerctl's output by partnerctl, the logs of every process when
// the tests end. This test asks for what carries most, and looks at the rest.
func TestNoCanaryLeaves(t *testing.T) {
	key := pv.Key(t, "northwind")
	for _, product := range usage.Products() {
		log, partner := middling(t, product)
		var page usagePage
		pv.read(t, pv.Key(t, partner), logPath(log)+"?limit=5", &page)
		if leaks := sample.Leaks(page.NextCursor); leaks != nil {
			t.Errorf("a cursor of %s tells %q", log, leaks)
		}
		pv.read(t, pv.Key(t, partner), logPath(log)+"?limit=5&cursor="+page.NextCursor, &page)
		pv.get(t, pv.Key(t, partner), logPath(log)+"/"+page.Data[0].ID)
		lines := pv.get(t, pv.Key(t, partner), logPath(log)+"?limit=500", "Accept", "text/csv")
		if n := strings.Count(lines.body, "\n"); n < 100 || !strings.HasPrefix(lines.header.Get("Content-Type"), "text/csv") {
			t.Errorf("%s as CSV: %d, %d lines of %s", log, lines.status, n, lines.header.Get("Content-Type"))
		}
	}
	for _, path := range []string{
		"/customers?limit=100", "/customers?limit=100&count=true&credit=low", "/summary?groupBy=customer&groupBy=status&groupBy=country&limit=1000", "/summary?groupBy=day&groupBy=product&groupBy=channel",
		"/customers/mueller_soehne/summary?groupBy=day&groupBy=direction&groupBy=status&from=2026-09-01&to=2026-11-20", "/summary?groupBy=customer&groupBy=day&updatedSince=2026-01-01T00:00:00Z&limit=2",
	} {
		a := pv.get(t, key, path)
		var page struct{ NextCursor string }
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != 200 {
			t.Errorf("%s: %d, %v", path, a.status, err)
		}
		if leaks := sample.Leaks(page.NextCursor); leaks != nil {
			t.Errorf("a cursor of %s tells %q", path, leaks)
		}
		lines := pv.get(t, key, path, "Accept", "text/csv")
		if !strings.HasPrefix(lines.header.Get("Content-Type"), "text/csv") || lines.status != 200 {
			t.Errorf("%s as CSV: %d %s", path, lines.status, lines.header.Get("Content-Type"))
		}
	}
	pv.get(t, key, "/customers/mueller_soehne/usage")
	// A caller who sends a number does not get it back, nor does a log.
	const number = "447700900123"
	for _, path := range []string{
		"/customers?search=" + number, "/customers?x=" + number, "/customers?" + number + "=x", "/customers?cursor=" + number, "/customers/" + number, "/customers/mueller_soehne/usage/" + number,
		"/customers/mueller_soehne/usage/sms/" + number, "/customers/mueller_soehne/usage/sms?toLast4=" + number, "/customers/mueller_soehne/usage/sms?from=" + number, "/" + number, "/summary?from=" + number, "/summary?groupBy=" + number,
		"/summary?product=" + number, "/customers/mueller_soehne/summary?updatedSince=" + number, "/customers/" + number + "/summary", "/customers/" + number + "/usage", "/summary?cursor=" + number,
	} {
		pv.get(t, key, path)
	}
	if !pv.says("mueller_soehne") {
		t.Error("the logs hold nothing at all: there is nothing to search")
	}
	if leaks := sample.Leaks(pv.Output.String()); leaks != nil { // TestMain looks again, when all is written
		t.Errorf("the processes' logs hold %q", leaks)
	}
}

// wamid is an id of WhatsApp, whose base64 tells 447700900123.
const wamid = "wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgSM0VC+/8="

// It goes in, and is then known by its hash alone: in the log, in a cursor, by
// itself, and to partnerctl.
func TestWhatsAppsIDsComeOutHashed(t *testing.T) {
	log := usage.Log{Account: "mueller_soehne", Product: usage.Messaging}
	hashed, err := log.RecordID(wamid)
	if err != nil {
		t.Fatal(err)
	}
	line := `{"accountId":"mueller_soehne","product":"messaging","id":"` + wamid + `","timestamp":"2026-01-02T03:04:05Z","direction":"outbound","to":"+447700900123","channel":"whatsapp"}` + "\n" +
		`{"accountId":"mueller_soehne","product":"messaging","id":"w-2","timestamp":"2026-01-02T03:04:06Z","direction":"outbound","to":"+447700900123","channel":"whatsapp"}` + "\n"
	pv.operates(t, line, "import", "usage", "-")
	t.Cleanup(func() {
		if out := pv.operates(t, "", "usage", "delete", "mueller_soehne", "--product", "messaging", "--id", wamid, "--id", "w-2", "--yes"); !strings.Contains(out, "2 records deleted") {
			t.Errorf("it prints %s", out)
		}
	})
	key := pv.Key(t, "northwind")
	var page usagePage
	pv.read(t, key, logPath(log)+"?from=2026-01-02T03:04:05Z&to=2026-01-02T03:05:00Z&order=asc&limit=1", &page)
	if len(page.Data) != 1 || page.Data[0].ID != string(hashed) {
		t.Fatalf("the log has %+v, want %s", page.Data, hashed)
	}
	if leaks := sample.Leaks(page.NextCursor); leaks != nil || page.NextCursor == "" {
		t.Errorf("the cursor %q tells %q", page.NextCursor, leaks)
	}
	pv.get(t, key, logPath(log)+"/"+string(hashed))
	if out := pv.operates(t, "", "usage", "get", "mueller_soehne", "--id", wamid); !strings.Contains(out, string(hashed)) {
		t.Errorf("it prints %s", out)
	}
}

// Lines that cannot be taken are told by number, field and reason.
func TestRejectedLinesDoNotQuoteWhatTheyHeld(t *testing.T) {
	const number, name, content = "+447700900123", "CANARY-NAME-1", "CANARY-CONTENT-1"
	var lines strings.Builder
	for _, change := range []map[string]any{
		{"timestamp": "yesterday"}, {"from": 447700900123}, {"id": "447700900123", "to": number}, {"accountId": "nobody"}, {"product": number}, {"segments": "+447700900123"}, {"status": number},
		{"country": number}, {"direction": number}, {"recordedPrice": number}, {"id": number}, {number: number}, {"errorCode": number},
		{"id": "447700900123", "from": "00447700900123"}, {"id": "07700900123", "to": "+44 (0)7700 900123"}, {"id": "x-447700900123", "from": "+44\u00a07700\u00a0900123"},
		{"id": "447700900123", "from": "\uff0b\uff14\uff14\uff17\uff17\uff10\uff10\uff19\uff10\uff10\uff11\uff12\uff13"}, {"id": "447700900123-1", "contactName": number},
		{"id": wamid, "timestamp": "yesterday"}, {"id": wamid, "accountId": "nobody"}, {"id": wamid, "product": "mail"}, {"id": wamid + "#"},
	} {
		line := map[string]any{"accountId": "mueller_soehne", "product": "sms", "id": "rejected-1", "timestamp": now, "from": number, "contactName": name, "content": content}
		for k, v := range change {
			line[k] = v
		}
		text, err := json.Marshal(line)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(text, '\n'))
	}
	lines.WriteString(`{"accountId":"mueller_soehne","from":"` + number + "\n")
	rejects := filepath.Join(t.TempDir(), "rejects.ndjson")
	out, complaint, code := pv.partnerctl(t, lines.String(), "import", "usage", "--rejects", rejects, "--output", "json", "-")
	if code != 3 {
		t.Errorf("exit %d, want 3: %s%s", code, out, complaint)
	}
	written, err := os.ReadFile(rejects)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(written), "\n"); n < 10 {
		t.Errorf("only %d lines were rejected: %s", n, written)
	}
	if leaks := sample.Leaks(string(written)); leaks != nil {
		t.Errorf("the file of rejected lines tells %q", leaks)
	}
	for i := range 3 {
		var reject struct {
			Line          int
			Field, Reason string
		}
		line := strings.Split(string(written), "\n")[i]
		if err := json.Unmarshal([]byte(line), &reject); err != nil || reject.Line == 0 || reject.Reason == "" {
			t.Errorf("a rejected line is told as %s: %v", line, err)
		}
	}
	var summary struct{ Read, Written, Duplicate, Rejected int }
	if err := json.Unmarshal([]byte(out), &summary); err != nil || summary.Read != summary.Written+summary.Duplicate+summary.Rejected {
		t.Errorf("the summary does not add up: %s", fmt.Sprint(out))
	}
}
