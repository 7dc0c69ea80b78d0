package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// march is the clock of these tests: the records below are of the month before.
const march = "2026-03-15T00:00:00Z"

func newDeskWithUsage(t *testing.T) *desk {
	t.Helper()
	d := newDeskWithTwoPartners(t)
	d.must("import", "usage", "--now", march, d.write("usage.ndjson", strings.Join([]string{
		`{"accountId":"acme_retail","product":"sms","id":"m-1","timestamp":"2026-02-01T10:00:00Z","direction":"outbound","status":"delivered","statusAt":"2026-02-01T10:00:05Z","from":"Acme","to":"+44 7700 900123","country":"GB","operator":"23401","segments":2,"recordedPrice":{"amount":"0.0412","currency":"EUR"},"content":"hello"}`,
		`{"accountId":"acme_retail","product":"sms","id":"m-2","timestamp":"2026-02-02T10:00:00Z","direction":"inbound","from":"+44 7700 900123","to":"12345","segments":1}`,
		`{"accountId":"acme_retail","product":"sms","id":"m-3","timestamp":"2026-02-03T10:00:00Z","direction":"outbound","to":"+44 7700 900456"}`,
		`{"accountId":"acme_retail","product":"voice","id":"c-1","timestamp":"2026-02-04T10:00:00Z","direction":"outbound","status":"completed","to":"+44 7700 900123","durationSeconds":61}`,
		`{"accountId":"b&b","product":"messaging","id":"w-1","timestamp":"2026-02-05T10:00:00Z","direction":"outbound","to":"+44 7700 900123","channel":"whatsapp"}`,
	}, "\n")))
	d.env = append(d.env, "TZ=UTC")
	return d
}

// ids are those of an account's records, as "m-1 m-2".
func (d *desk) ids(account string, args ...string) string {
	d.t.Helper()
	var ids []string
	for line := range strings.Lines(d.must(append([]string{"usage", "get", account, "--now", march, "-o", "json"}, args...)...)) {
		var r listedRecord
		decode(d.t, line, &r)
		ids = append(ids, string(r.ID))
	}
	return strings.Join(ids, " ")
}

func TestUsageIsShownMasked(t *testing.T) {
	d := newDeskWithUsage(t)
	d.says("timestamp                 product  id   direction  status     from      to        country  quantity    channel  recorded price\n"+
		"2026-02-01T10:00:00.000Z  sms      m-1  outbound   delivered  ****      ****0123  GB       2 segments  -        0.0412 EUR\n"+
		"2026-02-02T10:00:00.000Z  sms      m-2  inbound    -          ****0123  ****      -        1 segment   -        -\n"+
		"2026-02-04T10:00:00.000Z  voice    c-1  outbound   completed  -         ****0123  -        61 s        -        -\n",
		"usage", "get", "acme_retail", "--last4", "0123", "--now", march)
	for want, args := range map[string][]string{
		"m-2 m-3": {"--product", "sms", "--from", "2026-02-02", "--to", "2026-02-03T10:00:00.001Z"},
		"m-2":     {"--from", "2026-02-02T10:00:00Z", "--to", "2026-02-03T10:00:00Z"},
		"m-3 c-1": {"--id", "c-1,m-3", "--id", "c-1"},
		"c-1":     {"--id", "c-1,m-3", "--product", "voice"},
		"":        {"--id", "nobody"},
		"m-1":     {"--limit", "1"},
	} {
		if got := d.ids("acme_retail", args...); got != want {
			t.Errorf("%v: got %q, want %q", args, got, want)
		}
	}
	if out := d.must("usage", "get", "acme_retail", "--limit", "2", "--now", march); !strings.HasSuffix(out, "The first 2 records; there are more: narrow the period, or give --limit 0 for all.\n") {
		t.Errorf("with a limit it says\n%s", out)
	}
	if out := d.must("usage", "get", "acme_retail", "--now", "2028-03-15T00:00:00Z"); out != "No records found.\n" {
		t.Errorf("past their retention it says\n%s", out)
	}
	d.run("usage", "get", "acme_retail", "--from", "2026-02-02", "--to", "2026-02-02").fails(t, 2, "--from must be before --to")
	r := d.run("usage", "get", "acme_retail", "--last4", "+447700900123")
	if r.fails(t, 2, "the last four digits"); strings.Contains(r.errOut, "900123") {
		t.Errorf("a number is repeated: %s", r.errOut)
	}
}

// What usage get writes for programs is what import usage reads.
func TestUsageComesBackAsItWentOut(t *testing.T) {
	d := newDeskWithUsage(t)
	get := []string{"usage", "get", "acme_retail", "-o", "json", "--now", march}
	before := d.must(get...)
	if strings.Contains(before, "900123") || strings.Contains(before, "hello") || !strings.Contains(before, `"recordedPrice":{"amount":"0.0412","currency":"EUR"}`) {
		t.Errorf("it is\n%s", before)
	}
	d.must("usage", "delete", "acme_retail", "--yes")
	d.must("import", "usage", d.write("again.ndjson", before), "--now", march)
	if after := d.must(get...); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

func TestUsageIsDeletedOnlyAfterTheAccountIsTyped(t *testing.T) {
	d := newDeskWithUsage(t)
	shown := "account      product  records  first                     last\n" +
		"acme_retail  sms      2        2026-02-01T10:00:00.000Z  2026-02-02T10:00:00.000Z\n" +
		"acme_retail  voice    1        2026-02-04T10:00:00.000Z  2026-02-04T10:00:00.000Z\n"
	args := []string{"usage", "delete", "acme_retail", "--last4", "0123"}
	d.says(shown+"3 records would be deleted; nothing was done.\n", append(args, "--dry-run")...)
	d.asks("acme_retail", shown, "3 records deleted.\n", args...)
	if left := d.ids("acme_retail") + " " + d.ids("b&b"); left != "m-3 w-1" {
		t.Errorf("left are %s", left)
	}
	d.says("acme_retail has no such records.\n", append(args, "--yes")...)
	deleted := asJSON[deletedUsage](d, "usage", "delete", "b&b", "--to", "2026-03-01", "--yes")
	if deleted.Deleted != 1 || deleted.AccountID != "b&b" || len(deleted.Selected) != 1 || deleted.Selected[0].Records != 1 {
		t.Errorf("for programs it is %+v", deleted)
	}
	// Whose retention has ended is deleted too: the engine may take days to.
	d.says("account      product  records  first                     last\n"+
		"acme_retail  sms      1        2026-02-03T10:00:00.000Z  2026-02-03T10:00:00.000Z\n"+
		"1 record deleted.\n", "usage", "delete", "acme_retail", "--yes", "--now", "2030-01-01T00:00:00Z")
}

func TestUsageOfSeveralAccountsIsDeletedAfterTheirNumberIsTyped(t *testing.T) {
	d := newDeskWithUsage(t)
	shown := "account      product    records  first                     last\n" +
		"acme_retail  voice      1        2026-02-04T10:00:00.000Z  2026-02-04T10:00:00.000Z\n" +
		"b&b          messaging  1        2026-02-05T10:00:00.000Z  2026-02-05T10:00:00.000Z\n"
	several := []string{"usage", "delete", "--account", "acme_retail", "--account", "b&b,acme_retail", "--from", "2026-02-04"}
	for _, typed := range []string{"acme_retail\n", "all accounts\n"} {
		if r := d.feed(typed, several...); r.code != 1 {
			t.Errorf("typed %q, it says %+v", typed, r)
		}
	}
	d.asks("2 accounts", shown, "2 records deleted.\n", several...)
	d.says("2 accounts have no such records.\n", several...)
	all := []string{"usage", "delete", "--all-accounts", "--last4", "0123"}
	if r := d.feed("acme_retail\n", all...); r.code != 1 || !strings.HasPrefix(r.errOut, "Type all accounts to go on: ") {
		t.Errorf("mistyped, it says %+v", r)
	}
	if r := d.feed("all accounts\n", all...); r.code != 0 || !strings.HasSuffix(r.out, "2 records deleted.\n") {
		t.Errorf("typed, it says %+v", r)
	}
	var deleted deletedUsage
	decode(t, d.must(append(all[:3:3], "--yes", "-o", "json")...), &deleted)
	if deleted.Deleted != 1 || deleted.AccountID != "" || len(deleted.Selected) != 1 || deleted.Selected[0].AccountID != "acme_retail" {
		t.Errorf("for programs it is %+v", deleted)
	}
	d.run("usage", "delete", "--all-accounts", "--account", "b&b").fails(t, 2, "do not name any")
	d.run("usage", "delete", "--yes").fails(t, 2, "whose records?")
}

// Interrupted at any of its writes, and then run again, a deletion has deleted
// what it should and nothing else.
func TestADeletionThatIsInterruptedIsRunAgain(t *testing.T) {
	d := newDeskWithUsage(t)
	var lines strings.Builder
	for i := range 120 {
		fmt.Fprintf(&lines, `{"accountId":"acme_retail","product":"sms","id":"x-%d","timestamp":"2026-01-01T10:00:00Z","segments":1}`+"\n", i)
	}
	good := d.env
	file := d.write("many.ndjson", lines.String())
	for failsAt := 1; failsAt <= 5; failsAt++ {
		d.env = good
		d.must("import", "usage", file, "--now", march)
		proxy := engine.NewProxy(t)
		writes := make(chan int, 1)
		writes <- 0
		proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
			if c.Operation != "BatchWriteItem" {
				return false
			}
			n := <-writes + 1
			writes <- n
			if n < failsAt {
				return false
			}
			dynamotest.Refuse(w, "AccessDeniedException")
			return true
		})
		args := []string{"usage", "delete", "acme_retail", "--to", "2026-02-01", "--yes"}
		d.env = append(append([]string{}, good...), "DYNAMODB_ENDPOINT="+proxy.URL)
		d.run(args...).fails(t, 1, "of 120 records deleted")
		d.env = good
		d.must(args...)
		out := d.must("usage", "get", "acme_retail", "-o", "json", "--now", march)
		if n := strings.Count(out, "\n"); n != 4 {
			t.Fatalf("failed at write %d, then run again, it leaves %d records, want the 4 of February:\n%s", failsAt, n, out)
		}
	}
}

func TestAnInterruptedDeletionSaysWhatToDo(t *testing.T) {
	d := newDeskWithUsage(t)
	cmd := d.process(os.Args[0], "usage", "delete", "acme_retail")
	stdin, err := cmd.StdinPipe()
	check(t, err)
	defer stdin.Close()
	var out bytes.Buffer
	asked := make(chan struct{})
	cmd.Stdout, cmd.Stderr = &out, &waiter{text: "to go on: ", seen: asked}
	check(t, cmd.Start())
	<-asked
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	errOut := cmd.Stderr.(*waiter).all.String()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(errOut, "partnerctl: interrupted") {
		t.Errorf("exit code %d, it says %q", cmd.ProcessState.ExitCode(), errOut)
	}
	if n := strings.Count(d.must("usage", "get", "acme_retail", "-o", "json", "--now", march), "\n"); n != 4 {
		t.Errorf("%d records are left, want all 4", n)
	}
}

// waiter tells when a text was written to it.
type waiter struct {
	text string
	all  bytes.Buffer
	seen chan struct{} // closed, and nil, from then on
}

func (w *waiter) Write(b []byte) (int, error) {
	w.all.Write(b)
	if w.seen != nil && strings.Contains(w.all.String(), w.text) {
		close(w.seen)
		w.seen = nil
	}
	return len(b), nil
}

func TestIDsThatTellANumberAreShownAndMended(t *testing.T) {
	d := newDeskWithUsage(t)
	const wamid = "wamid.HBgMNDQ3NzAwOTAwMTIzFQ+/8=="
	for at, id := range map[string]string{"2026-02-06T10:00:00.000Z": wamid, "2026-02-07T10:00:00.000Z": "447700900123", "2026-02-08T10:00:00.000Z": "447700900999"} {
		text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
		_, err := engine.Client(t).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &d.tables.Usage, Item: map[string]types.AttributeValue{
			"log": text("b&b#messaging"), "at": text(at + "#" + id), "byId": text("b&b#messaging#" + id), "from": text("****"), "to": text("****0123"),
		}})
		check(t, err)
	}
	hashed, err := usage.Log{Account: "b&b", Product: usage.Messaging}.RecordID(wamid)
	check(t, err)
	get := []string{"usage", "get", "b&b", "--product", "messaging", "-o", "json", "--now", march}
	shown := d.must(get...)
	if !strings.Contains(shown, string(hashed)) || strings.Contains(shown, "wamid") {
		t.Errorf("shown as %s", shown)
	}
	if out := d.must(append(get, "--id", wamid)...); strings.Count(out, "\n") != 1 || !strings.Contains(out, string(hashed)) {
		t.Errorf("by WhatsApp's own id: %s", out)
	}
	if failed := d.failures(1); failed["ids Usage"].Detail != "2 ids contain a number, of 8 records" {
		t.Errorf("doctor: %+v", failed)
	}
	const found = "8 records looked at.\n" +
		"account  product    whatsapp  number  masked  unsure\n" +
		"b&b      messaging  1         0       1       1\n"
	const unsure = "Not sure about 1 id: give --unsure to include such ids, if they are numbers.\n"
	d.says(found+"2 records would get another id; nothing was done.\n"+unsure, "usage", "mend-ids", "--dry-run")
	d.asks("all", found, "2 records moved to another id.\n"+unsure, "usage", "mend-ids")
	says(t, d.must(append(get, "--id", wamid)...), string(hashed))
	if out := d.must(append(get, "--id", string(hashed))...); strings.Count(out, "\n") != 1 {
		t.Errorf("by its hash: %s", out)
	}
	d.failures(0)
	out := asJSON[mendedIDs](d, "usage", "mend-ids", "--account", "b&b", "--unsure", "--yes")
	if out.Moved != 1 || out.Examined != 4 || out.AccountID != "b&b" || len(out.Found) != 1 || out.Found[0].Unsure != 1 {
		t.Errorf("for programs: %+v", out)
	}
	d.says("8 records looked at.\nNo id contains a number.\n", "usage", "mend-ids", "--yes")
}
