package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
)

func TestApplyShowsWhatItDoes(t *testing.T) {
	d := newDesk(t)
	file := d.write("directory.yaml", directoryFile)
	dry := d.must("apply", "-f", file, "--dry-run")
	if !strings.HasSuffix(dry, "4 changes; nothing was written.\n") {
		t.Errorf("a dry run says:\n%s", dry)
	}
	done := d.must("apply", "-f", file)
	says(t, done,
		"add  customer    acme_retail",
		"add  partner     northwind",
		"add  grant       northwind acme_retail  products: sms\n",
		"add  price list  acme_retail sms 2020-01-01T00:00:00.000Z\n",
		"4 changes written.")
	if again := d.must("apply", "-f", file); again != nothingToChange {
		t.Errorf("the second time it says:\n%s", again)
	}
	renamed := d.feed(`customers: [{accountId: acme_retail, name: Acme AG, remainingCredit: "12.50"}]`, "apply", "-f", "-")
	if want := "change  customer  acme_retail  name: Acme → Acme AG; remainingCredit: (none) → 12.5\n1 change written.\n"; renamed.out != want {
		t.Errorf("from standard input it says:\n%swant:\n%s", renamed.out, want)
	}
}

func TestApplyForPrograms(t *testing.T) {
	d := newDesk(t)
	file := d.write("directory.yaml", directoryFile)
	got := asJSON[applied](d, "apply", "-f", file, "--dry-run")
	if !got.DryRun || len(got.Changes) != 4 || got.Corrections == nil {
		t.Errorf("a dry run is %+v", got)
	}
	d.must("apply", "-f", file)
	if out := d.must("apply", "-f", file, "-o", "json"); out != "{\n  \"dryRun\": false,\n  \"changes\": [],\n  \"corrections\": []\n}\n" {
		t.Errorf("without changes it is %s", out)
	}
	price := d.write("price.yaml", strings.Replace(directoryFile[strings.Index(directoryFile, "priceLists"):], "0.1", "0.2", 1))
	got = applied{}
	d.feed("", "apply", "-f", "-", "--correct-past").fails(t, 2, "standard input cannot have the file and the answer")
	decode(t, d.must("apply", "-f", price, "-o", "json", "--correct-past", "--yes"), &got)
	want := applied{
		Changes:     []operator.Change{{Kind: "priceList", Action: "change", AccountID: "acme_retail", Product: "sms", EffectiveFrom: "2020-01-01T00:00:00.000Z"}},
		Corrections: []operator.Correction{{AccountID: "acme_retail", Product: "sms", From: "2020-01-01T00:00:00.000Z", Effect: &operator.Effect{Money: []operator.MoneyChange{}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a correction (-want +got):\n%s", diff)
	}
}

func TestApplyRefusesAFaultyFileAsAWhole(t *testing.T) {
	d := newDesk(t)
	file := d.write("directory.yaml", directoryFile+"  - {accountId: nobody, product: sms, effectiveFrom: 2020-01-01T00:00:00Z, currency: EUR, rates: [{unitPrice: \"1\"}]}\n")
	d.run("apply", "-f", file).fails(t, 1, "nothing was written: the file has 1 fault\n"+file+":8: priceLists[1].accountId: ")
	file = d.write("directory.yaml", strings.ReplaceAll(directoryFile, "EUR", "EURO"))
	d.run("apply", "-f", file).fails(t, 1, "the file has 2 faults\n", ":5: customers[0].currency: ", ":7: priceLists[0].currency: ")
	d.run("apply", "-f", "missing.yaml").fails(t, 1, "missing.yaml")
	if out := d.must("apply", "-f", d.write("good.yaml", directoryFile), "--dry-run"); !strings.HasSuffix(out, "4 changes; nothing was written.\n") {
		t.Errorf("something of the faulty files was written:\n%s", out)
	}
}

func TestPricesOfThePastAreShownBeforeTheyChange(t *testing.T) {
	d := newDeskWithDirectory(t)
	price := d.write("price.yaml", strings.Replace(directoryFile[strings.Index(directoryFile, "priceLists"):], "0.1", "0.2", 1))
	d.run("apply", "-f", price).fails(t, 1, "acme_retail sms from 2020-01-01T00:00:00.000Z to this day and on", "--correct-past")
	d.must("import", "usage", d.write("usage.ndjson", usageLine("m-1", `,"segments":2`)+usageLine("m-2", `,"segments":0`)))
	want := "Prices of the past change:\n" +
		"  account      product  from                      to               records  money\n" +
		"  acme_retail  sms      2020-01-01T00:00:00.000Z  this day and on  1 of 2   0.2 → 0.4 EUR\n\n" +
		"change  price list  acme_retail sms 2020-01-01T00:00:00.000Z\n" +
		"The totals of 1 day are counted anew, which reads 2 records: less than a cent on AWS.\n"
	args := []string{"apply", "-f", price, "--correct-past"}
	d.says(want+"1 change; nothing was written.\n", append(args, "--dry-run")...)
	if out := d.must("price", "check", "-f", price, "--stored", "--correct-past"); !strings.HasPrefix(out, want) {
		t.Errorf("a check says:\n%s", out)
	}
	d.asks("acme_retail", want, "1 change written.\n", args...)
	if out := d.must("price", "explain", "acme_retail", "sms", "--id", "m-1"); !strings.HasPrefix(out, "rated: 0.4 EUR") {
		t.Errorf("then the price is %s", out)
	}
	d.says(nothingToChange, args...) // and nobody is asked
}

// Corrections of several accounts are confirmed by their number.
func TestCorrectionsOfSeveralAccountsAreConfirmedByTheirNumber(t *testing.T) {
	one := operator.Correction{AccountID: "acme_retail"}
	for want, corrections := range map[string][]operator.Correction{
		"acme_retail": {one, one}, "2 accounts": {one, one, {AccountID: "b&b"}},
	} {
		if got := corrected(corrections); got != want {
			t.Errorf("%v are confirmed by %q, want %q", corrections, got, want)
		}
	}
}

func TestKeysFromMakingToRevocation(t *testing.T) {
	d := newDeskWithDirectory(t)
	says(t, d.must("key", "list", "--partner", "northwind"), "partnerctl key create --partner northwind")
	made := asJSON[createdKey](d, "key", "create", "--partner", "northwind", "--label", "ci", "--expires", "720h")
	if made.PartnerID != "northwind" || !strings.HasPrefix(made.Key, "pvk_"+made.KeyID+"_") || made.ExpiresAt == nil {
		t.Fatalf("the key is %+v", made)
	}
	if end, err := time.Parse(time.RFC3339, *made.ExpiresAt); err != nil || time.Until(end) < 719*time.Hour || time.Until(end) > 720*time.Hour {
		t.Errorf("it expires at %s", *made.ExpiresAt)
	}
	lasting := d.must("key", "create", "--partner", "northwind")
	lastingKey, _, _ := strings.Cut(lasting, "\n")
	if !strings.HasPrefix(lastingKey, "pvk_") || !strings.Contains(lasting, "it does not expire") {
		t.Errorf("for people it says:\n%s", lasting)
	}

	list := asJSON[listedKeys](d, "key", "list", "--partner", "northwind")
	if len(list.Keys) != 2 || list.Keys[0].KeyID != made.KeyID || list.Keys[0].Label != "ci" || list.Keys[0].State != "active" ||
		*list.Keys[0].ExpiresAt != *made.ExpiresAt || list.Keys[1].ExpiresAt != nil || list.Keys[1].RevokedAt != nil {
		t.Errorf("the list is %+v", list)
	}

	revoked := asJSON[revokedKey](d, "key", "revoke", made.KeyID)
	if revoked.KeyID != made.KeyID || revoked.PartnerID != "northwind" {
		t.Errorf("revoked is %+v", revoked)
	}
	says(t, d.must("key", "revoke", lastingKey), "has been revoked since")
	table := d.must("key", "list", "--partner", "northwind")
	if strings.Count(table, "revoked ") != 3 || strings.Contains(table, "pvk_") {
		t.Errorf("the table is\n%s", table)
	}
	d.run("key", "create", "--partner", "nobody").fails(t, 1, noPartner, "partnerctl apply")
	d.run("key", "revoke", "nosuchkey000").fails(t, 1, `there is no key "nosuchkey000"`, "partnerctl key list")
}

func TestImportCountsAndListsWhatItRejects(t *testing.T) {
	d := newDeskWithDirectory(t)
	file := d.write("usage.ndjson", usageLine("m-1", `,"from":"+44 7700 900123","content":"hello","shade":1`)+
		usageLine("m-2", `,"segments":-1,"from":"+44 7700 900123"`)+usageLine("m-1", "")+"{\n")

	r := d.run("import", "usage", file, "--output", "json")
	var counts importedUsage
	decode(t, r.out, &counts)
	want := operator.UsageCounts{Read: 4, Written: 1, Duplicate: 1, Rejected: 2, Dropped: map[string]int{"content": 1, "shade": 1}}
	if diff := cmp.Diff(want, counts.UsageCounts); diff != "" || r.code != 3 {
		t.Errorf("exit code %d, counts (-want +got):\n%s", r.code, diff)
	}
	lines := strings.Split(strings.TrimSpace(d.read("usage.ndjson.rejected.ndjson")), "\n")
	if len(lines) != 2 {
		t.Fatalf("rejected lines are %q", lines)
	}
	var first, second struct {
		Line              int
		Field, Reason, ID string
	}
	decode(t, lines[0], &first)
	decode(t, lines[1], &second)
	if first.Line != 2 || first.Field != "segments" || first.ID != "m-2" || first.Reason == "" || second.Line != 4 || second.Reason == "" {
		t.Errorf("rejected are %+v and %+v", first, second)
	}
	text := d.run("import", "usage", file)
	says(t, text.out, "read       4\nwritten    1\nduplicate  1\nrejected   2\n", "Dropped fields: content (1), shade (1)\n", "Why lines were rejected: "+file+".rejected.ndjson\n")
	for name, said := range map[string]string{"output": text.out + text.errOut + r.out + r.errOut, "rejected lines": strings.Join(lines, "")} {
		if strings.Contains(said, "900123") || strings.Contains(said, "hello") {
			t.Errorf("the %s tell what is private: %s", name, said)
		}
	}

	d.write("usage.ndjson", usageLine("m-1", ""))
	r = d.run("import", "usage", file)
	if want := file + ".rejected.ndjson is of an earlier run: this one has rejected no line\n"; r.code != 0 || r.errOut != want || !d.has("usage.ndjson.rejected.ndjson") {
		t.Errorf("where none is rejected any more: exit code %d, it says %q", r.code, r.errOut)
	}
}

func TestImportTakesSeveralFilesGzipAndStandardInput(t *testing.T) {
	d := newDeskWithDirectory(t)
	gz := d.write("packed.ndjson.gz", zipped(usageLine("z-1", "")+"bad\n"))
	plain := d.write("plain.ndjson", usageLine("p-1", "")+usageLine("p-2", "")+"bad\n")

	r := d.feed(usageLine("s-1", "")+"bad\n", "import", "usage", gz, plain, "-", "-o", "json", "--rejects", "all.ndjson")
	var counts importedUsage
	decode(t, r.out, &counts)
	if counts.Read != 7 || counts.Written != 4 || counts.Rejected != 3 || r.code != 3 {
		t.Errorf("exit code %d, counts %+v", r.code, counts)
	}
	rejected := d.read("all.ndjson")
	for _, file := range []string{gz, plain, "-"} {
		if !strings.Contains(rejected, fmt.Sprintf(`{"file":%q,"line":`, file)) {
			t.Errorf("the shared list does not tell of %s:\n%s", file, rejected)
		}
	}
	if d.feed("bad\n", "import", "usage", "-"); !d.has("stdin.rejected.ndjson") {
		t.Error("the list for standard input is not there")
	}
	for _, path := range []string{gz, plain} {
		if d.has(path + ".rejected.ndjson") {
			t.Errorf("there is a list for %s besides the one that was asked for", path)
		}
	}
}

func TestImportReadsThePlatformsExports(t *testing.T) {
	d := newDeskWithDirectory(t)
	for format, file := range map[string]string{"connect-sms-csv": "8x8-sms-log.csv", "connect-messaging-csv": "8x8-chatapps-log.csv", "connect-voice-csv": "8x8-voice-log.csv"} {
		text, err := os.ReadFile(filepath.Join(d.root, "testdata", "fixtures", file))
		check(t, err)
		path := d.write(file, string(text))
		r := d.run("import", "usage", "--format", format, path, "-o", "json", "--now", "2026-06-15T00:00:00Z")
		var counts importedUsage
		decode(t, r.out, &counts)
		if counts.Read == 0 || counts.Read != counts.Written+counts.Duplicate+counts.Rejected {
			t.Errorf("%s: counts %+v do not add up", format, counts)
		}
		if r := d.run("import", "usage", path); r.code == 0 {
			t.Errorf("%s is taken for native usage", file)
		}
	}
}

func TestWrongUseIsToldAsSuch(t *testing.T) {
	d := newDesk(t)
	d.write("a.ndjson", "")
	d.write("a.ndjson.rejected.ndjson", "")
	for name, tt := range map[string]struct {
		args []string
		says string
	}{
		"no command":              {nil, "expected one of"},
		"unknown command":         {[]string{"frobnicate"}, "frobnicate"},
		"no file":                 {[]string{"apply"}, "--file"},
		"unknown flag":            {[]string{"apply", "-f", "x", "--force"}, "--force"},
		"no partner":              {[]string{"key", "create"}, "--partner"},
		"bad partner":             {[]string{"key", "list", "--partner", "North Wind"}, "a-z 0-9 -"},
		"bad duration":            {[]string{"key", "create", "--partner", "northwind", "--expires", "soon"}, "90d"},
		"no key":                  {[]string{"key", "revoke"}, "which key?"},
		"nothing to import":       {[]string{"import", "usage"}, "FILE"},
		"unknown format":          {[]string{"import", "usage", "--format", "xml", "a.ndjson"}, "native, connect-sms-csv"},
		"bad account":             {[]string{"import", "usage", "--account", "a b", "a.ndjson"}, "account ID"},
		"unknown output":          {[]string{"key", "list", "--partner", "northwind", "-o", "xml"}, "text"},
		"bad time":                {[]string{"key", "list", "--partner", "northwind", "--now", "yesterday"}, "2026-06-01"},
		"a file twice":            {[]string{"import", "usage", "a.ndjson", "./a.ndjson"}, "twice"},
		"rejects over a file":     {[]string{"import", "usage", "a.ndjson", "--rejects", "a.ndjson"}, "overwritten"},
		"an old list of rejects":  {[]string{"import", "usage", "a.ndjson", "a.ndjson.rejected.ndjson"}, "overwritten"},
		"a stack elsewhere":       {[]string{"key", "list", "--partner", "northwind", "--stack", "x", "--endpoint", "http://127.0.0.1:1"}, "exclude each other"},
		"a stack at a time":       {[]string{"key", "list", "--partner", "northwind", "--stack", "x", "--now", "2026-06-15"}, "exclude each other"},
		"a stack and an engine":   {[]string{"key", "list", "--partner", "northwind", "--stack", "x"}, "unset it"}, // of the environment
		"endpoint that is none":   {[]string{"key", "list", "--partner", "northwind", "--endpoint", "localhost:8000"}, "http://127.0.0.1:8000"},
		"a lax time":              {[]string{"price", "show", "acme_retail", "sms", "--at", "2026-06-01T1:00:00Z"}, "RFC 3339"},
		"a lax time of credit":    {[]string{"customer", "set-credit", "acme_retail", "--remaining", "1", "--as-of", "2026-06-01T10:00:00,5Z"}, "RFC 3339"},
		"a lax time of a record":  {[]string{"price", "explain", "acme_retail", "sms", "--at", "2026-06-01T10:00:00+24:00"}, "RFC 3339"},
		"a lax clock":             {[]string{"key", "list", "--partner", "northwind", "--now", "2026-06-01T1:00:00Z"}, "RFC 3339"},
		"a record that is a path": {[]string{"usage", "get", "acme_retail", "--id", ".."}, "a record's id"},
	} {
		t.Run(name, func(t *testing.T) { d.run(tt.args...).fails(t, 2, tt.says) })
	}
	d.run("key", "create").fails(t, 2, "See: partnerctl key create --help\n")
	d.run("key", "rotate", "4fzyo82mXw3b", "--force").fails(t, 2, "See: partnerctl key rotate --help\n")
	d.run("frobnicate").fails(t, 2, "See: partnerctl --help\n")
	d.env = nil
	d.run("key", "list", "--partner", "northwind", "--now", "2026-06-15T00:00:00Z").fails(t, 2, "--endpoint")
}

func TestWhatCannotBeReachedIsToldWithTheWayOut(t *testing.T) {
	d := newDesk(t)
	d.write("a.ndjson", "")
	d.run("import", "usage", "missing.ndjson").fails(t, 1, "missing.ndjson")
	d.run("import", "usage", "--format", "connect-sms-csv", ".").fails(t, 1, "is a folder without a file that ends in .csv")
	d.run("import", "usage", "a.ndjson", "--account", "nobody").fails(t, 1, noCustomer, "partnerctl apply")

	good := d.env
	d.env = append(slices.Clone(good), "PARTNERS_TABLE=missing")
	d.run("key", "list", "--partner", "northwind").fails(t, 1, "a table is not there", "--stack")
	d.env = append(slices.Clone(good), "DYNAMODB_ENDPOINT=http://127.0.0.1:1")
	d.run("key", "list", "--partner", "northwind").fails(t, 1, "the database does not answer", "--endpoint")
	d.env = good[:1]
	d.run("apply", "-f", d.write("directory.yaml", directoryFile)).fails(t, 1, "Set PARTNERS_TABLE, CUSTOMERS_TABLE, PRICELISTS_TABLE", "--stack NAME")
	d.run("import", "usage", "a.ndjson").fails(t, 1, "Set CUSTOMERS_TABLE, USAGE_TABLE")
	d.env = []string{"PARTNERS_TABLE=x"}
	d.run("key", "list", "--partner", "northwind").fails(t, 1, "no AWS region", "--endpoint")
	d.env = []string{"PARTNERS_TABLE=x", "AWS_REGION=eu-central-1"}
	d.run("key", "list", "--partner", "northwind").fails(t, 1, "no AWS credentials", "--endpoint")
}

func TestEndpointMayComeFromTheFlagOrEitherVariable(t *testing.T) {
	d := newDesk(t)
	url := engine.Endpoint(t)
	rest := d.env[1:]
	file := d.write("directory.yaml", directoryFile)
	d.env = append([]string{"AWS_ENDPOINT_URL_DYNAMODB=" + url}, rest...)
	d.must("apply", "-f", file)
	d.env = append([]string{"AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1", "DYNAMODB_ENDPOINT=" + url}, rest...)
	d.must("apply", "-f", file)
	d.env = append([]string{"DYNAMODB_ENDPOINT=http://127.0.0.1:1"}, rest...)
	d.must("apply", "-f", file, "--endpoint", url)
}

func TestTablesOfADeployedStack(t *testing.T) {
	d := newDesk(t)
	whole := map[string]string{"PartnersTable": d.tables.Partners, "CustomersTable": d.tables.Customers, "PriceListsTable": d.tables.PriceLists, "UsageTable": d.tables.Usage, "TotalsTable": d.tables.Totals, "LedgerTable": d.tables.Ledger}
	stacks := map[string]map[string]string{"partnerview-prod": whole, "other": {"BucketName": "b"}}
	d.env = []string{
		"AWS_ENDPOINT_URL_CLOUDFORMATION=" + serveStacks(t, stacks), "AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL_DYNAMODB=" + engine.Endpoint(t), "PARTNERS_TABLE=not-this-one",
	}
	d.must("apply", "-f", d.write("directory.yaml", directoryFile), "--stack", "partnerview-prod")
	d.run("key", "list", "--partner", "northwind", "--stack", "other").fails(t, 1, "the stack other has no output PartnersTable")
}

// serveStacks plays CloudFormation, with the outputs of stacks by their names, and those
// of their parameters that begin with Oidc.
func serveStacks(t *testing.T, stacks map[string]map[string]string) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answerDescribeStacks(w, stacks[r.FormValue("StackName")])
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// answerDescribeStacks answers DescribeStacks.
func answerDescribeStacks(w io.Writer, values map[string]string) {
	var members, parameters strings.Builder
	for name, value := range values {
		if strings.HasPrefix(name, "Oidc") {
			fmt.Fprintf(&parameters, "<member><ParameterKey>%s</ParameterKey><ParameterValue>%s</ParameterValue></member>", name, value)
			continue
		}
		fmt.Fprintf(&members, "<member><OutputKey>%s</OutputKey><OutputValue>%s</OutputValue></member>", name, value)
	}
	fmt.Fprintf(w, `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><Outputs>%s</Outputs><Parameters>%s</Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`, members.String(), parameters.String())
}

// Interrupted while it writes, a command says what to do, and a deletion how many are gone.
func TestWhatIsInterruptedWhileItWritesSaysWhatToDo(t *testing.T) {
	d := newDeskWithUsage(t)
	d.write("more.ndjson", usageLine("m-9", ""))
	for done, args := range map[string][]string{
		"": {"import", "usage", "more.ndjson"}, "0 of 4 records deleted. ": {"usage", "delete", "acme_retail", "--yes"},
	} {
		proxy, begun := engine.NewProxy(t), make(chan struct{}, 100)
		proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
			if c.Operation != "BatchWriteItem" {
				return false
			}
			begun <- struct{}{}
			dynamotest.Throttle(w)
			return true
		})
		d.env = append(d.env, "DYNAMODB_ENDPOINT="+proxy.URL)
		cmd := d.process(os.Args[0], args...)
		var errOut bytes.Buffer
		cmd.Stderr = &errOut
		d.start(cmd)
		<-begun
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		result{cmd.ProcessState.ExitCode(), "", errOut.String()}.fails(t, 1, "interrupted. "+done+"What was written stays; run the same command again")
		if noted := d.listed("--failed"); args[0] == "import" && (len(noted) != 1 || !strings.HasPrefix(*noted[0].Error, "interrupted. ")) {
			t.Errorf("noted is %+v", noted)
		}
		if noted := d.history(); args[0] == "usage" && (!noted[0].Incomplete || noted[0].Command != "usage delete") {
			t.Errorf("the history is %+v", noted)
		}
	}
}
