package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/dynamo"
	"partnerview/internal/operator"
	"partnerview/internal/totals"
	"partnerview/internal/usage"
)

func (d *desk) refuses(code int, why string, args ...string) {
	d.t.Helper()
	if got := d.run(args...); got.code != code || !strings.Contains(got.errOut, why) {
		d.t.Errorf("%v ended with %d and says\n%s\nwant %d and %q", args, got.code, got.errOut, code, why)
	}
}

func TestTotalsAreShown(t *testing.T) {
	d := newDeskWithUsage(t)
	d.must("import", "usage", "--now", march, "--account", "acme_retail", "--through", "2026-03-01", d.write("none.ndjson", ""))
	out := d.must("totals", "show", "acme_retail", "--product", "sms", "--from", "2026-02-01", "--to", "2026-02-03", "--now", march)
	want := "account      product  day         records  charged  unrated  state\n" +
		"acme_retail  sms      2026-02-01  1        0.2 EUR  0        counted\n" +
		"acme_retail  sms      2026-02-02  1        0.1 EUR  0        counted\n" +
		"2 days: 2 records, 0.3 EUR.\n\n" +
		"account      product  first day   last day    loaded through            loaded at                 prices changed\n" +
		"acme_retail  sms      2026-02-01  2026-02-03  2026-03-01T00:00:00.000Z  2026-03-15T00:00:00.000Z  2"
	if !strings.HasPrefix(out, want) {
		t.Errorf("it says\n%s\nwant\n%s", out, want)
	}
	var shown shownTotals
	decode(t, d.must("totals", "show", "--from", "2026-02-01", "--now", march, "-o", "json"), &shown)
	if !shown.Ready || len(shown.Days) != 5 || len(shown.Logs) < 3 || shown.Days[0].Charged[0].Amount != "0.2" {
		t.Errorf("shown is %+v", shown)
	}
	d.says("No records from 2026-02-13 on.\n", "totals", "show", "b&b", "--product", "voice", "--now", march)
}

func TestWhatTotalsCommandsAreAskedInVainIsToldWithTheWayOut(t *testing.T) {
	d := newDeskWithUsage(t)
	for _, command := range []string{"show nobody", "check --account nobody", "rebuild --account nobody --dry-run", "rebuild --account nobody"} {
		d.refuses(exitFailure, `there is no customer "nobody": put it in a directory file and load that with partnerctl apply`,
			append([]string{"totals"}, strings.Fields(command)...)...)
	}
	d.refuses(exitUsage, "--from must be before --to", "totals", "show", "--from", "2026-02-02", "--to", "2026-02-02")
	d.refuses(exitUsage, "not a day: write it as", "totals", "check", "--from", "yesterday")
	d.refuses(exitUsage, "--through lies in the future", "import", "usage", "--now", march, "--through", "2026-04-01", "--account", "acme_retail", d.write("none.ndjson", ""))
}

// What something else writes is found by check, which writes nothing, and mended by rebuild.
func TestTotalsAreComparedAndRebuilt(t *testing.T) {
	d := newDeskWithUsage(t)
	d.says("5 days with 5 records compared; differences: 0.\n", "totals", "check", "--now", march)
	_, err := engine.Client(t).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &d.tables.Usage, Key: map[string]types.AttributeValue{
		"log": &types.AttributeValueMemberS{Value: "acme_retail#sms"}, "at": &types.AttributeValueMemberS{Value: "2026-02-01T10:00:00.000Z#m-1"},
	}})
	check(t, err)
	for range 2 {
		got := d.run("totals", "check", "--account", "acme_retail", "--now", march)
		if want := "account      product  of          stored                             counted\n" +
			"acme_retail  sms      2026-02-01  1 record, 0.2 EUR (Europe/Berlin)  0 records (Europe/Berlin)\n" +
			"4 days with 3 records compared; differences: 1.\n"; got.code != exitFailure || got.out != want ||
			!strings.Contains(got.errOut, "something else has written into the table. partnerctl totals rebuild mends that") {
			t.Errorf("it ended with %d and says\n%s%s\nwant\n%s", got.code, got.out, got.errOut, want)
		}
	}
	var checked checkedTotals
	got := d.run("totals", "check", "--now", march, "-o", "json")
	check(t, json.Unmarshal([]byte(got.out), &checked))
	if got.code != exitFailure || checked.OK || len(checked.Differences) != 1 || checked.Differences[0].Of != "2026-02-01" {
		t.Errorf("it ended with %d: %+v", got.code, checked)
	}
	d.says("4 days to count. By what is counted already, their months have 4 records to read: less than a cent on AWS.\nNothing was written.\n",
		"totals", "rebuild", "--account", "acme_retail", "--dry-run", "--now", march)
	if got := d.run("totals", "check", "--now", march); got.code != exitFailure {
		t.Errorf("a dry run has mended it: %s", got.out)
	}
	if got := d.run("totals", "rebuild", "--now", march); got.code != 0 || !strings.HasSuffix(got.out, "\n5 days counted.\n") || got.errOut != "" {
		t.Errorf("it ended with %d and says\n%s%s", got.code, got.out, got.errOut)
	}
	d.says("5 days with 4 records compared; differences: 0.\n", "totals", "check", "--now", march)
}

// A stack that had usage before it had totals.
func TestWithoutTotalsARebuildIsAskedFor(t *testing.T) {
	d := newDeskWithUsage(t)
	db := engine.Client(t)
	all, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: &d.tables.Totals})
	check(t, err)
	for _, it := range all.Items {
		_, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &d.tables.Totals, Key: map[string]types.AttributeValue{"pk": it["pk"], "sk": it["sk"]}})
		check(t, err)
	}
	d.refuses(exitFailure, "not all usage is counted: there was some before there were totals. partnerctl totals rebuild counts it", "totals", "check", "--now", march)
	if out := d.must("totals", "show", "--now", march); !strings.Contains(out, "Not all usage is counted") {
		t.Errorf("show says %s", out)
	}
	if got := d.run("doctor"); !strings.Contains(got.out, "partnerctl totals rebuild counts it") {
		t.Errorf("doctor says %s", got.out)
	}
	d.says("5 days to count, whose records nobody has counted yet: each is read once, and a million of them are about $0.02 on AWS.\n5 days counted.\n",
		"totals", "rebuild", "--now", march)
	d.says("5 days with 5 records compared; differences: 0.\n", "totals", "check", "--now", march)
}

// A command that was killed may have written what opens days, and not what comes after: run again
// it has something to do, none of which counts, and counts them all the same.
func TestApplyCountsWhatAnInterruptedOneHasLeftOpen(t *testing.T) {
	d := newDeskWithUsage(t)
	store := dynamo.NewStore(engine.Client(t), d.tables)
	const customers = "customers:\n  - {accountId: acme_retail}\n"
	for name, file := range map[string]string{
		"more to do":    customers + "partners:\n  - {id: northwind, name: Northwind Traders}\n",
		"nothing to do": customers,
	} {
		lease, err := store.TakeLease(t.Context(), dynamo.LeaseWish{What: "apply", Where: "a machine"})
		check(t, err)
		day := totals.LogDay{Log: usage.Log{Account: "acme_retail", Product: usage.SMS}, Day: "2026-02-01"}
		check(t, store.Under(lease).OpenDays(t.Context(), lease.NextMark(), []totals.LogDay{day}))
		check(t, lease.GiveBack(t.Context()))
		got := d.run("apply", "-f", d.write("again.yaml", file), "--overwrite", "--now", march)
		if got.code != 0 || !strings.Contains(got.errOut, "the totals of 1 day were counted that had been left open") {
			t.Errorf("%s: apply ends with %d and says %s%s", name, got.code, got.out, got.errOut)
		}
		d.says("5 days with 5 records compared; differences: 0.\n", "totals", "check", "--now", march)
	}
}

func TestDaysThatAreLeftForLaterAreNamedUntilARebuild(t *testing.T) {
	d := newDeskWithUsage(t)
	zone := d.write("zone.yaml", "customers:\n  - accountId: acme_retail\n    timeZone: Asia/Kathmandu\n")
	out := d.must("apply", "-f", zone, "--totals", "later", "--now", march)
	if want := "The totals of 4 days stay pending until partnerctl totals rebuild has counted them anew, which will read 4 records: less than a cent on AWS.\n"; !strings.Contains(out, want) {
		t.Errorf("apply says\n%s\nwant\n%s", out, want)
	}
	if got := d.run("doctor"); !strings.Contains(got.out, "days that were left for later") || !strings.Contains(got.out, "acme_retail sms 2026-02-01") {
		t.Errorf("doctor says\n%s", got.out)
	}
	if out := d.must("totals", "show", "acme_retail", "--from", "2026-02-01", "--now", march); !strings.Contains(out, "pending: what is shown of them was counted before.") {
		t.Errorf("show says\n%s", out)
	}
	if got := d.run("totals", "check", "--account", "acme_retail", "--now", march); got.code != 0 || !strings.Contains(got.out, "Pending, and not compared: ") {
		t.Errorf("check ended with %d and says\n%s", got.code, got.out)
	}
	d.must("totals", "rebuild", "--account", "acme_retail", "--now", march)
	if out := d.must("doctor"); !strings.Contains(out, "no day is pending") {
		t.Errorf("doctor says\n%s", out)
	}
}

func TestHowMuchARebuildIsIsToldInWords(t *testing.T) {
	for want, r := range map[string]operator.Rebuild{
		"Nothing to count.": {},
		"1 day to count. By what is counted already, their months have 1 record to read: less than a cent on AWS.":                                                                                   {Days: 1, Records: 1},
		"400000 days to count. By what is counted already, their months have 100000000 records to read: about $3.06 on AWS.":                                                                         {Days: 400_000, Records: 100_000_000},
		"3 days to count. By what is counted already, their months have 9 records to read: less than a cent on AWS. It goes on behind 2 days that it counted before it was interrupted.":             {Days: 3, Records: 9, Resumed: 2},
		"2 days to count, whose records nobody has counted yet: each is read once, and a million of them are about $0.02 on AWS. It goes on behind 1 day that it counted before it was interrupted.": {Days: 2, Resumed: 1},
	} {
		if got := rebuildText(r); got != want {
			t.Errorf("of %+v it says\n%s\nwant\n%s", r, got, want)
		}
	}
}

// holding is an import that has the lease until its input ends.
func (d *desk) holding() (end func()) {
	d.t.Helper()
	cmd := d.process(os.Args[0], "import", "usage", "-")
	in, err := cmd.StdinPipe()
	check(d.t, err)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	check(d.t, cmd.Start())
	end = func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			d.t.Errorf("the import: %v\n%s", err, errOut.Bytes())
		}
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		it, err := engine.Client(d.t).GetItem(d.t.Context(), &dynamodb.GetItemInput{TableName: &d.tables.Ledger, Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "WRITER"}, "sk": &types.AttributeValueMemberS{Value: "LEASE"},
		}})
		check(d.t, err)
		if it.Item["holder"] != nil {
			return end
		}
	}
	d.t.Fatal("the import does not take the lease")
	return nil
}

// Every command that changes usage, prices, time zones or totals waits for another, says for
// whom, and then does its work.
func TestWhoWaitsToWriteIsToldForWhom(t *testing.T) {
	apart := newDeskApart(t)
	apart.must("apply", "-f", apart.write("directory.yaml", directoryFile))
	usage := apart.write("usage.ndjson", `{"accountId":"acme_retail","product":"sms","id":"m-1","timestamp":"2026-02-01T10:00:00Z","direction":"outbound","to":"+44 7700 900123","segments":2}`)
	apart.must("import", "usage", usage, "--now", march)
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	_, err := engine.Client(t).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &apart.tables.Usage, Item: map[string]types.AttributeValue{
		"log": text("b&b#messaging"), "at": text("2026-02-05T10:00:00.000Z#447700900123"), "byId": text("b&b#messaging#447700900123"), "from": text("****"), "to": text("****0123"),
	}})
	check(t, err)
	zone := apart.write("zone.yaml", "customers:\n  - accountId: acme_retail\n    timeZone: Europe/Paris\n")
	for _, args := range [][]string{
		{"import", "usage", usage, "--now", march}, {"apply", "-f", zone}, {"totals", "rebuild"}, {"usage", "mend-ids", "--yes", "--unsure"},
		{"price", "withdraw", "acme_retail", "sms", "--from", "2020-01-01", "--correct-past", "--yes"}, {"usage", "delete", "acme_retail", "--yes"},
	} {
		end := apart.holding()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := apart.process(os.Args[0], args...)
		reader, writer := io.Pipe()
		cmd.Stderr = writer
		check(t, cmd.Start())
		told := make(chan string, 1)
		go func() {
			text := make([]byte, 4096)
			n, _ := reader.Read(text)
			told <- string(text[:n])
			_, _ = io.Copy(io.Discard, reader)
		}()
		select {
		case text := <-told:
			if !strings.HasPrefix(text, "partnerctl: waiting: import usage (") || !strings.Contains(text, ") is writing, since 2") {
				t.Errorf("%v says %q", args, text)
			}
		case <-ctx.Done():
			t.Errorf("%v does not say that it waits", args)
		}
		end()
		err := cmd.Wait()
		writer.Close()
		cancel()
		var exit *exec.ExitError
		if errors.As(err, &exit) || err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}
