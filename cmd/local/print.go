package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"partnerview/internal/dev/local"
	"partnerview/internal/directory"
	"partnerview/internal/usage"
)

// tableVariables name the tables for partnerctl, in the order in which they are
// printed.
var tableVariables = []string{"PARTNERS_TABLE", "CUSTOMERS_TABLE", "PRICELISTS_TABLE", "USAGE_TABLE", "TOTALS_TABLE",
	"LEDGER_TABLE"}

// announce tells how to use what serves now. upload is a small file to put into the inbox; empty:
// there is none. Where there is usage without totals, it says how to get them.
func announce(w io.Writer, stack *local.Stack, partners []demoPartner, upload string, uncounted bool) {
	fmt.Fprintf(w, "\nPartnerview serves on %s/ until Ctrl-C. The dashboard opens there; "+
		"the API is described in %[1]s/openapi.yaml.\n", stack.BaseURL)
	if len(partners) > 0 {
		fmt.Fprint(w, "\nDemo keys:\n")
		columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, p := range partners {
			fmt.Fprintf(columns, "  %s\t%s\t", p.ID, p.Status)
			if p.Plan != "" {
				fmt.Fprintf(columns, "%s\t", p.Plan)
			}
			fmt.Fprintln(columns, p.Key)
		}
		columns.Flush()
	}
	if i := slices.IndexFunc(partners,
		func(p demoPartner) bool { return p.Status == directory.Active && p.first != usage.Log{} }); i >= 0 {
		customer := "/customers/" + url.PathEscape(string(partners[i].first.Account))
		fmt.Fprint(w, "\nTry:\n")
		for _, path := range []string{"/customers?limit=3", customer,
			customer + "/usage/" + string(partners[i].first.Product) + "?limit=2",
			customer + "/summary?groupBy=month&groupBy=product"} {
			fmt.Fprintf(w, "  curl -H 'Authorization: Bearer %s' '%s%s'\n", partners[i].Key, stack.BaseURL, path)
		}
	}
	if stack.InboxURL != "" {
		announceInbox(w, stack.InboxURL, upload)
	}
	if stack.Issuer != nil {
		announceIssuer(w, stack, len(partners) > 0)
	}
	if !stack.Fresh {
		fmt.Fprint(w, "\nThe tables were there already, and no sample data was loaded into them. "+
			"partnerctl makes keys:\n")
	} else {
		fmt.Fprint(w, "\nFor partnerctl on these tables:\n")
	}
	fmt.Fprintf(w, "  export DYNAMODB_ENDPOINT=%s\n", stack.Endpoint)
	for _, name := range tableVariables {
		fmt.Fprintf(w, "  export %s=%s\n", name, stack.Getenv(name))
	}
	fmt.Fprintf(w, "  export AUDIT_LOG=%s\n", stack.AuditLog)
	if stack.InboxURL != "" {
		fmt.Fprintf(w, "  export INBOX_URL=%s\n", stack.InboxURL)
	}
	if stack.Issuer != nil {
		fmt.Fprintf(w, "  export OIDC_ISSUER=%s\n", stack.Issuer.URL)
	}
	if uncounted {
		fmt.Fprint(w, "\nThe usage in the tables is of before there were totals: summaries are empty, and say "+
			"that they are\nnot complete, until you run partnerctl totals rebuild. Nothing else is needed, "+
			"and nothing is lost.\n")
	}
	fmt.Fprintln(w)
}

// announceInbox tells how files are imported by themselves.
func announceInbox(w io.Writer, inboxURL, upload string) {
	if upload == "" {
		fmt.Fprintf(w, "\nFiles that are put into the inbox are imported by themselves (docs/operating.md):\n"+
			"  curl -T usage.ndjson %s/native/usage.ndjson\n", inboxURL)
		return
	}
	fmt.Fprintf(w, "\nPut a file into the inbox: seconds later its four records lead the first customer's "+
		"logs.\n  curl -T %s %s/native/usage.ndjson\n", upload, inboxURL)
}

// writeReadyFile writes where everything is, for programs. It appears whole, and
// only its owner may read the keys in it.
func writeReadyFile(path string, stack *local.Stack, partners []demoPartner) error {
	tables := make(map[string]string)
	for id, name := range stack.Tables {
		tables[strings.TrimSuffix(id, "Table")] = name
	}
	text, err := json.MarshalIndent(struct {
		BaseURL  string            `json:"baseUrl"`
		Endpoint string            `json:"dynamodbEndpoint"`
		Tables   map[string]string `json:"tables"`
		AuditLog string            `json:"auditLog"`
		InboxURL string            `json:"inboxUrl,omitempty"`
		Partners []demoPartner     `json:"partners"`
		Issuer   *readyIssuer      `json:"issuer,omitempty"`
	}{
		stack.BaseURL, stack.Endpoint, tables, stack.AuditLog, stack.InboxURL,
		append([]demoPartner{}, partners...), issuerOf(stack),
	}, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".ready-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(append(text, '\n')); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// complaints passes on of the functions' logs what is wrong. That a request was
// answered, or its key refused, is told by the gateway already, in a line that is
// easier to read.
type complaints struct{ to io.Writer }

func (c complaints) Write(line []byte) (int, error) {
	for _, usual := range []string{`"level":"INFO"`, `"errorMessage":"Unauthorized"`} {
		if bytes.Contains(line, []byte(usual)) {
			return len(line), nil
		}
	}
	return c.to.Write(line)
}

// rawLines passes on what the functions print as CloudWatch would get it, without
// the name before it.
type rawLines struct{ to io.Writer }

func (r rawLines) Write(line []byte) (int, error) {
	raw := line
	if _, after, named := bytes.Cut(line, []byte("Function | ")); named {
		raw = after
	}
	if _, err := r.to.Write(raw); err != nil {
		return 0, err
	}
	return len(line), nil
}
