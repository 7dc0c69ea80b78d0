package main

import (
	"slices"
	"strings"
	"testing"

	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
)

func TestApplyRefusesToUndoCommandsUnlessItMayOverwrite(t *testing.T) {
	d := newDeskWithIssuer(t)
	file := d.write("north.yaml", "partners: [{id: northwind, status: active, viewers: [], customers: [{accountId: acme_retail, products: [sms]}, {accountId: b&b}]}]")
	d.must("apply", "-f", file)
	d.must("grant", "remove", "northwind", "b&b", "--yes")
	d.must("partner", "suspend", "northwind", "--yes")
	d.must("viewer", "add", "--partner", "northwind", "--subject", "ann", "--customer", "acme_retail")
	before := len(d.history())
	for _, args := range [][]string{{"apply", "-f", file}, {"apply", "-f", file, "--dry-run"}, {"apply", "-f", file, "-o", "json"}} {
		d.run(args...).fails(t, 1, "nothing was written: the file would undo what commands have done since it last said the same:\n",
			"  grant remove, 2", "; the file: add grant northwind b&b (products: all)\n", "  partner suspend, 2", "; the file: change partner northwind (status: suspended → active)\n",
			"  viewer add, 2", "; the file: change viewer northwind ann (status: active → removed)\n", "--overwrite", "partnerctl history")
	}
	says(t, d.must("partner", "show", "northwind"), "suspended")
	if after := len(d.history()); after != before {
		t.Errorf("what was refused is in the history: %d events, and before %d", after, before)
	}

	shown := d.must("apply", "-f", file, "--overwrite", "--dry-run")
	says(t, shown, "What commands have done is undone:\n", "  grant remove     2", "changes; nothing was written.\n")
	undoes := asJSON[applied](d, "apply", "-f", file, "--overwrite").Undoes
	if len(undoes) != 3 || !slices.ContainsFunc(undoes[0].Changes, func(c operator.Change) bool { return c.AccountID == "b&b" }) {
		t.Errorf("undone are %+v", undoes)
	}
	says(t, d.must("apply", "-f", file), "Nothing to change: the tables already say this.\n")
	if again := asJSON[applied](d, "apply", "-f", file); again.Undoes != nil {
		t.Errorf("again it undoes %+v", again.Undoes)
	}
}

// A file that agrees takes the notes away, though nothing else changes.
func TestAFileThatSaysWhatCommandsDidClearsTheirNotes(t *testing.T) {
	d := newDeskWithIssuer(t)
	wide := d.write("wide.yaml", "partners: [{id: northwind, customers: [{accountId: acme_retail, products: [sms]}, {accountId: b&b}]}]")
	narrow := d.write("narrow.yaml", "partners: [{id: northwind, customers: [{accountId: acme_retail, products: [sms]}]}]")
	d.must("apply", "-f", wide)
	d.must("grant", "remove", "northwind", "b&b", "--yes")
	d.run("apply", "-f", wide).fails(t, 1, "--overwrite")
	says(t, d.must("apply", "-f", narrow, "--dry-run"), "Nothing to change")
	d.run("apply", "-f", wide).fails(t, 1, "--overwrite")
	says(t, d.must("apply", "-f", narrow), "Nothing to change")
	d.must("apply", "-f", wide)
}

func TestASecondOperatorWhileAPersonReadsThePlanIsNoticed(t *testing.T) {
	d := newDeskWithIssuer(t)
	proxy := engine.NewProxy(t)
	second := *d
	came := false
	proxy.Meddle(func(c dynamotest.Call, _ dynamotest.Answer) bool {
		if c.Operation == "UpdateItem" && strings.Contains(string(c.Body), "#version") && !came {
			came = true
			if r := second.run("grant", "add", "northwind", "acme_retail", "--products", "voice"); r.code != 0 {
				t.Errorf("the second: %s", r.errOut)
			}
		}
		return false
	})
	d.env = append(slices.Clone(d.env), "DYNAMODB_ENDPOINT="+proxy.URL)
	second.env = append(slices.Clone(second.env), "DYNAMODB_ENDPOINT="+engine.Endpoint(t))
	second.apart = true
	d.run("grant", "remove", "northwind", "acme_retail", "--yes").fails(t, 1, "nothing was written: northwind was changed by somebody else since it was read. Run the command again")
	says(t, d.must("grant", "list", "--partner", "northwind"), "acme_retail  ", "voice")
	if !came {
		t.Error("nobody came between")
	}
}
