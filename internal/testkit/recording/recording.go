// Package recording keeps what tests saw functions and commands send to AWS, for make
// proof-iam, whose evaluator of rights is not ours and not written in Go.
//
// Only tests import it, and it keeps nothing unless PARTNERVIEW_RECORD names a folder.
package recording

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"partnerview/internal/dynamo"
)

// folderVariable names the folder that recordings are kept in.
const folderVariable = "PARTNERVIEW_RECORD"

// Request is one request to AWS. One to DynamoDB has a target and a body; one to another
// service an action and an object.
type Request struct {
	Role   string          `json:"role"`             // whose rights it needs: a function's logical ID, or a file of docs/policies
	Target string          `json:"target,omitempty"` // "DynamoDB_20120810.Query"
	Body   json.RawMessage `json:"body,omitempty"`
	Action string          `json:"action,omitempty"` // "s3:GetObject"
	Key    string          `json:"key,omitempty"`    // of an object in the inbox: "native/usage.ndjson"
}

// TableOf is what a recording calls a table of the template, by its logical ID:
// "partnerview-UsageTable-1". CloudFormation's names are of this form.
func TableOf(id string) string { return "partnerview-" + id + "-1" }

// Keep writes requests into NAME.ndjson, in place of what was there. The names of a test's
// tables become those of [TableOf].
func Keep(name string, tables dynamo.Tables, requests []Request) error {
	folder := os.Getenv(folderVariable)
	if folder == "" {
		return nil
	}
	rename := strings.NewReplacer(
		tables.Partners, TableOf("PartnersTable"), tables.Customers, TableOf("CustomersTable"),
		tables.PriceLists, TableOf("PriceListsTable"), tables.Usage, TableOf("UsageTable"),
		tables.Totals, TableOf("TotalsTable"), tables.Ledger, TableOf("LedgerTable"),
	)
	var lines strings.Builder
	for _, r := range requests {
		r.Body = json.RawMessage(rename.Replace(string(r.Body)))
		line, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("keep a request of %s: %w", r.Role, err)
		}
		lines.Write(append(line, '\n'))
	}
	return os.WriteFile(filepath.Join(folder, name+".ndjson"), []byte(lines.String()), 0o600)
}
