package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"partnerview/internal/ledger"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// listed are the imports that the ledger lists, the newest first.
func (d *desk) listed(args ...string) []listedImport {
	d.t.Helper()
	return asJSON[listedImports](d, append([]string{"import", "list"}, args...)...).Imports
}

// ledgerText is all that stands in the ledger, as DynamoDB has it.
func (d *desk) ledgerText() string {
	d.t.Helper()
	out, err := engine.Client(d.t).Scan(d.t.Context(), &dynamodb.ScanInput{TableName: &d.tables.Ledger})
	check(d.t, err)
	text := fmt.Sprint(len(out.Items))
	for _, it := range out.Items {
		for name, value := range it {
			attribute, err := json.Marshal(value)
			check(d.t, err)
			text += name + string(attribute)
		}
	}
	return text
}

func sumOf(text string) *string {
	sum := sha256.Sum256([]byte(text))
	hex := hex.EncodeToString(sum[:])
	return &hex
}

func TestAnImportIsNotedWithWhatCameOfIt(t *testing.T) {
	d := newDeskWithDirectory(t)
	at := "2026-06-02T00:00:00.000Z"
	packed := zipped(usageAt("u-1", at, `,"from":"+44 7700 900123","content":"hello Ann"`) + strings.ReplaceAll(usageAt("u-2", at, ""), "acme_retail", "nobody-at-all"))
	file := d.write("sms 447700900123.ndjson.gz", packed)
	counts := d.imported(3, file)
	got := d.listed()
	me, err := user.Current()
	check(t, err)
	native := "native"
	want := listedImport{Outcome: ledger.Rejected, Who: me.Username, Source: "sms ****.ndjson.gz", SHA256: sumOf(packed), Bytes: int64(len(packed)),
		Kind: ledger.Usage, Format: &native, From: &at, To: &at, Accounts: []usage.AccountID{"acme_retail"}, AccountCount: 1}
	if len(got) != 1 || got[0].ImportID == "" || got[0].StartedAt != "2026-06-15T00:00:00.000Z" || got[0].EndedAt == nil {
		t.Fatalf("listed are %+v", got)
	}
	want.ImportID, want.StartedAt, want.EndedAt, want.Counts = got[0].ImportID, got[0].StartedAt, got[0].EndedAt, got[0].Counts
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("noted (-want +got):\n%s", diff)
	}
	ofCommand, err := json.Marshal(counts.UsageCounts)
	check(t, err)
	var compact bytes.Buffer
	check(t, json.Compact(&compact, got[0].Counts))
	if compact.String() != string(ofCommand) {
		t.Errorf("the counts are %s, and the command said %s", got[0].Counts, ofCommand)
	}
	shown := asJSON[listedImport](d, "import", "show", got[0].ImportID)
	shown.Counts = got[0].Counts // indented otherwise
	if diff := cmp.Diff(got[0], shown); diff != "" {
		t.Errorf("shown alone: %s", diff)
	}
	says(t, d.must("import", "show", got[0].ImportID), "outcome    rejected\n", "source     sms ****.ndjson.gz\n", "kind       usage native\n", "customers  acme_retail\n", "SHA-256    "+*sumOf(packed))
	says(t, d.must("import", "list"), "started ", got[0].ImportID+"  rejected  2     1        1 ")
	d.run("import", "show", "nobody").fails(t, 1, `the ledger has no import "nobody"`, "partnerctl import list")
	text := d.ledgerText()
	for _, private := range []string{"900123", "Ann", "nobody-at-all", "u-1", "u-2", d.dir} {
		if strings.Contains(text, private) {
			t.Errorf("the ledger tells %q: %s", private, text)
		}
	}
}

func TestCreditAndStandardInputAreNotedAndDryRunsAreNot(t *testing.T) {
	d := newDeskWithDirectory(t)
	credit := "account,amount,asOf\nacme_retail,1,2026-06-14T10:00:00Z\n"
	for kind, text := range map[string]string{"credit": credit, "usage": usageAt("u-1", "2026-06-02T00:00:00Z", "")} {
		if r := d.feed(text, "import", kind, "-", "--dry-run", june); r.code != 0 {
			t.Errorf("a dry run of %s: %s", kind, r.errOut)
		}
	}
	if got := d.listed(); len(got) != 0 {
		t.Errorf("dry runs are noted: %+v", got)
	}
	says(t, d.must("import", "list"), "The ledger has no such import.\n")
	d.feed(credit, "import", "credit", "-", june)
	got := d.listed()
	if len(got) != 1 || got[0].Kind != ledger.Credit || got[0].Format != nil || got[0].Source != "stdin" || got[0].Outcome != ledger.Done ||
		*got[0].SHA256 != *sumOf(credit) || *got[0].From != "2026-06-14T10:00:00.000Z" || got[0].AccountCount != 1 {
		t.Errorf("of credit: %+v", got)
	}
}

func TestAFileThatIsNotReadToItsEndHasNoSHA(t *testing.T) {
	d := newDeskWithDirectory(t)
	bad := strings.Repeat(usageAt("u-1", "2026-06-02T00:00:00Z", `,"direction":"ann"`), 40_000)
	d.imported(1, d.write("bad.ndjson", bad))
	got := d.listed("--failed")
	if len(got) != 1 || got[0].SHA256 != nil || got[0].Outcome != ledger.Failed || got[0].Bytes == 0 || got[0].Bytes >= int64(len(bad)) || got[0].From != nil || got[0].AccountCount != 0 {
		t.Fatalf("noted is %+v", got)
	}
	if text := *got[0].Error; !strings.Contains(text, "each of the first 100 lines is rejected for one reason") || !strings.Contains(text, "direction") || strings.Contains(text, "ann") {
		t.Errorf("its error is %q", text)
	}
	cut := d.write("cut.ndjson.gz", zipped(usageAt("u-1", "2026-06-02T00:00:00Z", ""))[:40])
	check(t, os.Remove(d.write("gone.ndjson", "")))
	d.run("import", "usage", cut, june).fails(t, 1, "cut short")
	if got := d.listed("--failed"); len(got) != 2 || !strings.Contains(*got[0].Error+*got[1].Error, "cut short") {
		t.Errorf("noted are %+v", got)
	}
}

func TestAnImportThatIsKilledStaysVisibleAsRunning(t *testing.T) {
	d := newDeskApart(t)
	d.must("apply", "-f", d.write("directory.yaml", directoryFile))
	cmd := d.process(os.Args[0], "import", "credit", "-")
	in, err := cmd.StdinPipe()
	check(t, err)
	defer in.Close()
	d.start(cmd)
	_, err = io.WriteString(in, "account,amount,asOf\n")
	check(t, err)
	for deadline := time.Now().Add(30 * time.Second); len(d.listed()) == 0 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	check(t, cmd.Process.Kill())
	_ = cmd.Wait()
	got := d.listed()
	if len(got) != 1 || got[0].Outcome != ledger.Running || got[0].EndedAt != nil || got[0].SHA256 != nil {
		t.Fatalf("listed are %+v", got)
	}
	if failed := d.listed("--failed"); len(failed) != 0 {
		t.Errorf("at once it has failed: %+v", failed)
	}
	later := time.Now().Add(25 * time.Hour).UTC().Format(time.RFC3339)
	if failed := d.listed("--failed", "--now", later); len(failed) != 1 || failed[0].ImportID != got[0].ImportID {
		t.Errorf("a day later have failed %+v", failed)
	}
	if since := d.listed("--since", later, "--now", later); len(since) != 0 {
		t.Errorf("since then: %+v", since)
	}
}

func TestTheSameBytesAgainAreToldOnScreenAndInJSON(t *testing.T) {
	d := newDeskWithDirectory(t)
	file := d.write("usage.ndjson", usageAt("u-1", "2026-06-02T00:00:00Z", ""))
	other := d.write("other.ndjson", usageAt("u-2", "2026-06-02T00:00:00Z", ""))
	if first := d.imported(0, file); first.Again != nil {
		t.Errorf("the first time it says %+v", first.Again)
	}
	first := d.listed()[0]
	again := d.imported(0, other, file)
	if want := []loadedBefore{{file, first.ImportID, first.Who, first.StartedAt}}; !cmp.Equal(again.Again, want) || again.Read != 2 {
		t.Errorf("again it says %+v, want %+v; %+v", again.Again, want, again.UsageCounts)
	}
	second := d.listed()
	want := fmt.Sprintf("usage.ndjson was loaded on 15 Jun 2026 by %s already (partnerctl import show ", first.Who)
	if got := d.must("import", "usage", "usage.ndjson", june); !strings.Contains(got, want) || !strings.Contains(got, "; again: nothing changes, but for what was rejected then, or changed or deleted since\n") {
		t.Errorf("for people it says\n%s, want\n%s", got, want)
	}
	if len(second) != 3 {
		t.Errorf("three files were loaded, and listed are %d", len(second))
	}
}

// What was loaded stands, and its days are counted.
func TestWhereTheEndOfAnImportIsNotNotedThatIsSaid(t *testing.T) {
	d := newDeskWithDirectory(t)
	proxy := engine.NewProxy(t)
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if c.Operation != "PutItem" || !bytes.Contains(c.Body, []byte(`"done"`)) {
			return false
		}
		dynamotest.Refuse(w, "AccessDeniedException")
		return true
	})
	d.env = append(d.env, "DYNAMODB_ENDPOINT="+proxy.URL)
	file := d.write("usage.ndjson", usageAt("u-1", "2026-06-02T00:00:00Z", ""))
	d.run("import", "usage", file, june).fails(t, 1, "what was loaded of "+file+" stands, but the ledger has not got its end: load it again, and nothing is loaded twice: ", "AccessDenied")
	if got := d.listed(); len(got) != 1 || got[0].Outcome != ledger.Running {
		t.Errorf("listed are %+v", got)
	}
	says(t, d.must("totals", "show", "acme_retail", "--from", "2026-06-01", june), "2026-06-02  1        -        1        counted\n")
}

// callerIdentity plays STS.
func callerIdentity(t *testing.T, arn string) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if arn == "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>%s</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`, arn)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestOnAWSWhoActsIsTheCallersARNAndElseUnknown(t *testing.T) {
	d := newDeskWithDirectory(t)
	whole := map[string]string{"CustomersTable": d.tables.Customers, "LedgerTable": d.tables.Ledger}
	env := []string{
		"AWS_ENDPOINT_URL_CLOUDFORMATION=" + serveStacks(t, map[string]map[string]string{"partnerview": whole}), "AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL_DYNAMODB=" + engine.Endpoint(t),
	}
	const arn = "arn:aws:sts::123456789012:assumed-role/operator/ann"
	for want, url := range map[string]string{arn: callerIdentity(t, arn), "unknown": callerIdentity(t, "")} {
		d.env = append(env, "AWS_ENDPOINT_URL_STS="+url)
		file := d.write("credit.csv", "account,amount,asOf\nacme_retail,1,2026-06-14T10:00:00Z\n# "+want)
		d.run("import", "credit", file, "--stack", "partnerview")
		if got := d.listed("--stack", "partnerview"); got[0].Who != want {
			t.Errorf("who acts is %q, want %q", got[0].Who, want)
		}
	}
}
