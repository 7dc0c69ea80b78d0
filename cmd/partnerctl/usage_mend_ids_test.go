package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"partnerview/internal/usage"
)

func TestIDsThatTellANumberAreShownAndMended(t *testing.T) {
	d := newDeskWithUsage(t)
	const wamid = "wamid.HBgMNDQ3NzAwOTAwMTIzFQ+/8=="
	for at, id := range map[string]string{"2026-02-06T10:00:00.000Z": wamid, "2026-02-07T10:00:00.000Z": "447700900123", "2026-02-08T10:00:00.000Z": "447700900999"} {
		text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
		_, err := engine.Client(t).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &d.tables.Usage, Item: map[string]types.AttributeValue{
			"log": text("b&b#messaging"), "at": text(at + "#" + id), "byId": text("b&b#messaging#" + id), "from": text("****"), "to": text("****0123"),
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	hashed, err := usage.Log{Account: "b&b", Product: usage.Messaging}.RecordID(wamid)
	if err != nil {
		t.Fatal(err)
	}
	get := []string{"usage", "get", "b&b", "--product", "messaging", "-o", "json", "--now", march}
	shown := d.must(get...)
	if !strings.Contains(shown, string(hashed)) || strings.Contains(shown, "wamid") {
		t.Errorf("shown as %s", shown)
	}
	if out := d.must(append(get, "--id", wamid)...); strings.Count(out, "\n") != 1 || !strings.Contains(out, string(hashed)) {
		t.Errorf("by WhatsApp's own id: %s", out)
	}
	if failed := d.failures(1); failed["ids Usage"].Detail != "2 ids tell a number, of 8 records" {
		t.Errorf("doctor: %+v", failed)
	}
	const found = "8 records looked at.\n" +
		"account  product    whatsapp  number  masked  unsure\n" +
		"b&b      messaging  1         0       1       1\n"
	const unsure = "Of 1 id nobody can say: --unsure takes them too. Where the ids are numbers, do.\n"
	d.says(found+"2 records would get another id; nothing was done.\n"+unsure, "usage", "mend-ids", "--dry-run")
	d.run("usage", "mend-ids", "-o", "json").fails(t, 2, "does not ask")
	if r := d.run("usage", "mend-ids"); r.code != 1 || !strings.Contains(r.errOut, "Type all to go on") || !strings.Contains(r.errOut, "nothing was done: all was not typed") {
		t.Errorf("without an answer: %d %s", r.code, r.errOut)
	}
	if again := d.must(get...); again != shown {
		t.Errorf("something was done: %s", again)
	}
	d.says(found+"2 records moved to another id.\n"+unsure, "usage", "mend-ids", "--yes")
	if out := d.must(append(get, "--id", wamid)...); !strings.Contains(out, string(hashed)) {
		t.Errorf("by WhatsApp's own id: %s", out)
	}
	if out := d.must(append(get, "--id", string(hashed))...); strings.Count(out, "\n") != 1 {
		t.Errorf("by its hash: %s", out)
	}
	d.failures(0)
	var out mendedIDs
	decode(t, d.must("usage", "mend-ids", "--account", "b&b", "--unsure", "--yes", "-o", "json"), &out)
	if out.Moved != 1 || out.Examined != 4 || out.AccountID != "b&b" || len(out.Found) != 1 || out.Found[0].Unsure != 1 {
		t.Errorf("for programs: %+v", out)
	}
	d.says("8 records looked at.\nNo id tells a number.\n", "usage", "mend-ids", "--yes")
}
