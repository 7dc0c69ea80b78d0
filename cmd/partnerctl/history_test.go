package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/directory"
	"partnerview/internal/ledger"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// written are the tables that a call changes something in.
func written(c dynamotest.Call) (tables []string) {
	var in struct {
		TableName    string
		RequestItems map[string]json.RawMessage
	}
	_ = json.Unmarshal(c.Body, &in)
	switch c.Operation {
	case "PutItem", "UpdateItem", "DeleteItem":
		return []string{in.TableName}
	case "BatchWriteItem":
		for table := range in.RequestItems {
			tables = append(tables, table)
		}
	}
	return tables
}

// A command that is added, and changes something, is seen by what it writes.
func TestEachCommandThatChangesSomethingIsInTheHistory(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	d := newDeskWithUsage(t)
	guarded := []string{d.tables.Partners, d.tables.Customers, d.tables.PriceLists, d.tables.Usage}
	changing := 0
	for _, ran := range runEveryCommand(t, d) {
		events, imports, changes := 0, 0, false
		for _, c := range ran.calls {
			if bytes.Contains(c.Body, []byte("#doctor")) { // a write that cannot happen
				continue
			}
			for _, table := range written(c) {
				changes = changes || slices.Contains(guarded, table)
			}
			if c.Operation == "PutItem" && bytes.Contains(c.Body, []byte("HISTORY#")) {
				events++
			}
			if c.Operation == "PutItem" && bytes.Contains(c.Body, []byte("IMPORTS#")) {
				imports++
			}
		}
		want := [2]int{}
		switch {
		case strings.HasPrefix(ran.line, "import usage "), strings.HasPrefix(ran.line, "import credit "):
			want[1] = 2 // when it begins, and at its end
		case changes:
			want[0] = 1
			changing++
		}
		if got := [2]int{events, imports}; got != want {
			t.Errorf("partnerctl %s: %d events and %d notes of imports, want %v", ran.line, events, imports, want)
		}
	}
	if changing < 19 {
		t.Errorf("only %d commands have changed something", changing)
	}
}

func (d *desk) history(args ...string) []listedEvent {
	d.t.Helper()
	return asJSON[listedHistory](d, append([]string{"history"}, args...)...).History
}

func TestTheHistoryTellsWhoChangedWhat(t *testing.T) {
	d := newDeskWithIssuer(t)
	d.must("grant", "add", "northwind", "acme_retail", "--products", "sms,voice")
	d.must("grant", "add", "northwind", "acme_retail", "--products", "sms,voice") // changes nothing
	d.must("grant", "remove", "eastgate", "b&b", "--yes", "--dry-run")
	d.must("customer", "set-credit", "acme_retail", "--remaining", "12.5")
	d.must("viewer", "add", "--partner", "northwind", "--subject", "ann@example.com", "--name", "Ann Example", "--customer", "acme_retail")
	key := d.newKey("--customer", "acme_retail=sms").KeyID
	all := d.history()
	var commands []string
	for _, e := range all {
		commands = append(commands, e.Command)
	}
	if want := []string{"key create", "viewer add", "customer set-credit", "grant add", "apply"}; !slices.Equal(commands, want) {
		t.Fatalf("the history is %v, want %v", commands, want)
	}
	grant := all[3]
	want := listedEvent{EventID: grant.EventID, At: grant.At, Who: grant.Who, Command: "grant add", Text: "change grant northwind acme_retail (products: sms → sms,voice)",
		Partners: []directory.PartnerID{"northwind"}, PartnerCount: 1, Accounts: []usage.AccountID{"acme_retail"}, AccountCount: 1,
		Summary: []ledger.Count{{Kind: "grant", Action: "change", Count: 1}}}
	if diff := cmp.Diff(want, grant); diff != "" || grant.Who == "" || grant.EventID == "" {
		t.Errorf("of a grant (-want +got):\n%s", diff)
	}
	if of := d.history("--partner", "northwind", "--account", "acme_retail"); len(of) != 4 || d.history("--partner", "nobody") == nil || len(d.history("--partner", "nobody")) != 0 {
		t.Errorf("of northwind and acme_retail are %+v", of)
	}
	if of := d.history("--account", "acme_retail"); len(of) != 5 {
		t.Errorf("of acme_retail are %d", len(of))
	}
	if since := d.history("--since", all[0].At); len(since) != 1 || since[0].Command != "key create" || !strings.Contains(since[0].Text, "add key northwind "+key) {
		t.Errorf("since the last: %+v", since)
	}
	says(t, d.must("history"), "when ", "  customer set-credit  change customer acme_retail (remainingCredit: 10 → 12.5; creditAsOf: 2026-06-01T00:00:00.000Z → ")
	says(t, d.must("history", "--partner", "nobody"), "The ledger has no such change.\n")
	text := d.ledgerText()
	for _, private := range []string{"ann@example.com", "Ann Example", "Acme", "pvk_"} {
		if strings.Contains(text, private) {
			t.Errorf("the ledger tells %q: %s", private, text)
		}
	}
}

func TestAChangeThatIsNotNotedStandsAndIsToldWithExitCodeOne(t *testing.T) {
	d := newDeskWithDirectory(t)
	proxy := engine.NewProxy(t)
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if c.Operation != "PutItem" || !bytes.Contains(c.Body, []byte("HISTORY#")) {
			return false
		}
		dynamotest.Refuse(w, "AccessDeniedException")
		return true
	})
	d.env = append(d.env, "DYNAMODB_ENDPOINT="+proxy.URL)
	const unsaid = "what was changed stands, but the history does not have it: "
	r := d.run("grant", "add", "northwind", "acme_retail", "--products", "voice")
	if r.fails(t, 1, unsaid, "AccessDenied"); !strings.Contains(r.out, "1 change written.\n") {
		t.Errorf("it says\n%s", r.out)
	}
	says(t, d.must("grant", "list", "--partner", "northwind"), "acme_retail  Acme  voice\n")
	r = d.run("key", "create", "--partner", "northwind", "-o", "json")
	r.fails(t, 1, unsaid)
	var made createdKey
	decode(t, r.out, &made)
	if !strings.HasPrefix(made.Key, "pvk_") {
		t.Errorf("the key is not shown: %+v", made)
	}
	d.run("key", "revoke", made.KeyID).fails(t, 1, unsaid)
	says(t, d.must("key", "list", "--partner", "northwind"), "revoked ")
}

func TestACommandThatFailsIsInTheHistoryAsIncomplete(t *testing.T) {
	d := newDeskWithDirectory(t)
	proxy := engine.NewProxy(t)
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if c.Operation != "PutItem" || !strings.Contains(string(c.Body), "GRANT#acme_retail") {
			return false
		}
		dynamotest.Refuse(w, "AccessDeniedException")
		return true
	})
	d.env = append(d.env, "DYNAMODB_ENDPOINT="+proxy.URL)
	d.run("grant", "add", "northwind", "acme_retail", "--products", "voice").fails(t, 1, "AccessDenied")
	if got := d.history(); len(got) != 2 || !got[0].Incomplete || got[0].Command != "grant add" || got[1].Incomplete {
		t.Errorf("the history is %+v", got)
	}
	says(t, d.must("history"), "grant add  not all of: change grant northwind acme_retail ")
}

// A plan of thousands of customers is one event, which names a hundred.
func TestAnEventThatNamesNotAllIsInTheListOfEach(t *testing.T) {
	d := newDesk(t)
	var file strings.Builder
	file.WriteString("customers:\n")
	for n := range 120 {
		file.WriteString("  - {accountId: acc-" + string(rune('a'+n/26)) + string(rune('a'+n%26)) + ", name: N, products: [sms], currency: EUR, billingMode: prepaid}\n")
	}
	d.must("apply", "-f", d.write("many.yaml", file.String()))
	all := d.history()
	if len(all) != 1 || len(all[0].Accounts) != 100 || all[0].AccountCount != 120 || !cmp.Equal(all[0].Summary, []ledger.Count{{Kind: "customer", Action: "add", Count: 120}}) || !strings.HasSuffix(all[0].Text, "; and 115 more") {
		t.Fatalf("the history is %+v", all)
	}
	if got := d.history("--account", "acc-ep"); len(got) != 1 {
		t.Errorf("of the last account: %+v", got)
	}
	if got := d.history("--partner", "northwind"); len(got) != 0 {
		t.Errorf("of a partner: %+v", got)
	}
}
