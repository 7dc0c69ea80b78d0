package main

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var uploadLine = regexp.MustCompile(`(?m)^  curl -T (\S+) (http\S+)$`)

func TestAFileThatIsPutIntoTheInboxIsInTheLogsSecondsLater(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "")
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	path := filepath.Join(t.TempDir(), "ready.json")
	c := begin(t, "--listen", "127.0.0.1:0", "--ready-file", path, "--records", "50")
	var ready struct {
		readyFile
		InboxURL string
	}
	if err := json.Unmarshal(c.serves(t, path), &ready); err != nil {
		t.Fatal(err)
	}
	line := uploadLine.FindStringSubmatch(c.stdout.String())
	if line == nil || line[2] != ready.InboxURL+"/native/usage.ndjson" {
		t.Fatalf("the upload that is printed is %q, and the inbox is %q", line, ready.InboxURL)
	}
	put(t, line[1], line[2])
	log := ready.BaseURL + "/customers/harbourline_freight/usage/"
	seen := func() bool {
		sms, voice := body(t, log+"sms?limit=3", "Bearer "+ready.Partners[0].Key), body(t, log+"voice?limit=1", "Bearer "+ready.Partners[0].Key)
		return bytes.Count(sms, []byte(`"id":"upload-`)) == 3 && bytes.Contains(voice, []byte(`"id":"upload-4"`)) &&
			bytes.Contains(sms, []byte(`"to":"****0102"`)) && bytes.Contains(sms, []byte(`"status":"rated"`)) && !bytes.Contains(sms, []byte("7700900"))
	}
	for deadline := time.Now().Add(30 * time.Second); !seen(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("they are not there: %s\n%s", body(t, log+"sms?limit=3", "Bearer "+ready.Partners[0].Key), c.stderr)
		}
	}
	c.stop()
	if code := c.wait(t); code != 0 {
		t.Errorf("it ended with %d: %s", code, c.stderr)
	}
	if got := c.stderr.String(); !strings.Contains(got, "ImportStateMachine | execution ") {
		t.Errorf("nothing is told of the import: %s", got)
	}
	if left, err := filepath.Glob(filepath.Join(temporary, "partnerview-*")); len(left) > 0 || err != nil {
		t.Errorf("it leaves %v behind (%v)", left, err)
	}
	at, err := url.Parse(ready.InboxURL)
	if err != nil {
		t.Fatal(err)
	}
	if connection, err := net.Dial("tcp", at.Host); err == nil {
		connection.Close()
		t.Errorf("%s is still open", at.Host)
	}
}

// put uploads a file, as curl -T does.
func put(t *testing.T, path, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), "PUT", to, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Fatalf("PUT %s = %s", to, response.Status)
	}
}

func TestWithoutAnInboxNothingOfItIsServed(t *testing.T) {
	t.Setenv("DYNAMODB_ENDPOINT", "")
	path := filepath.Join(t.TempDir(), "ready.json")
	c := begin(t, "--listen", "127.0.0.1:0", "--ready-file", path, "--empty", "--inbox=false", "--parameter", "AuthorizerTtlSeconds=1")
	text := c.serves(t, path)
	if strings.Contains(string(text), "inboxUrl") || strings.Contains(c.stdout.String(), "inbox") {
		t.Errorf("an inbox is told of:\n%s\n%s", text, c.stdout)
	}
}
