package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"partnerview/internal/dev/sample"
)

// The commands of docs/operating.md work when they are pasted one after the
// other, on what make run has loaded. The build, and the variables that make run
// prints, are the test's.
func TestCommandsOfOperatingWorkWhenPasted(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	page, err := os.ReadFile("../../docs/operating.md")
	check(t, err)
	var script []string
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		script = append(script, strings.ReplaceAll(block[1], "go build -o build/partnerctl ./cmd/partnerctl\n", ""))
	}
	if len(script) < 6 {
		t.Fatalf("the page has %d blocks of commands", len(script))
	}

	d := newDesk(t)
	check(t, os.Mkdir(filepath.Join(d.dir, "build"), 0o755))
	check(t, os.Symlink(os.Args[0], filepath.Join(d.dir, "build", "partnerctl")))
	text, err := os.ReadFile(filepath.Join(d.root, "testdata", "sample", "directory.yaml"))
	check(t, err)
	directory, err := sample.Directory(string(text), time.Now())
	check(t, err)
	d.must("apply", "-f", d.write("sample.yaml", string(directory)))

	at := time.Now().Add(-time.Hour)
	d.env = append(d.env, "AUDIT_LOG="+d.write("audit.ndjson", `{"time":"`+at.Format(time.RFC3339)+`","msg":"the audit log begins"}`+"\n"+
		shownLine(at, "lighthouse", "4fzyo82mXw3b", listRoute, "", 2, "harbour_cafe", "acme_retail")+shownLine(at, "lighthouse", "4fzyo82mXw3b", logRoute, "sms", 7, "harbour_cafe")))
	out, err := d.process(posixShell(t), "-eu", "-c", strings.Join(script, "\n")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v after\n%s", err, out)
	}
	for _, want := range []string{
		"ok  reach", "4 changes; nothing was written.", "4 changes written.", "products: sms → sms,voice", "written    2", "written    3", explained(t, string(page)),
		"remove  grant  lighthouse harbour_cafe", "add  grant  southbank harbour_cafe", "status: active → suspended", "rated: 0.09 EUR = 0.045 × 2 segments", "future ",
		"Prices of the past change:", "rated: 0.082 EUR", "their build server", "has been revoked since", "3 keys of lighthouse revoked.", "is valid until",
		"differences: 0.", "stay pending until partnerctl totals rebuild", "days to count. By what is counted already", "days counted.", "1 customer of its own list", "grant   lighthouse auth0|5f2c harbour_cafe  products: sms", "narrowed: yes → no", "status: active → removed",
		"records deleted.", "A dry run: nothing was written.", "  new        3", "  changed    1", "older      0", "2 of 5   0.12 → 0.123 EUR",
		"2 looks at harbour_cafe from ", "lighthouse (Lighthouse Partners) 2 looks, 7 records.", "remove  price list  harbour_cafe sms", "remove  usage", "remove  customer", "remove  partner",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the commands do not say %q:\n%s", want, out)
		}
	}
}

// posixShell is a shell that has nothing but what POSIX asks for: what runs there
// runs in every shell that people paste into. Not every machine's sh is one.
func posixShell(t *testing.T) string {
	t.Helper()
	if dash, err := exec.LookPath("dash"); err == nil {
		return dash
	}
	return "sh"
}

// explained is the output that the page shows as it is.
func explained(t *testing.T, page string) string {
	shown := regexp.MustCompile("(?s)\n```\n(rated: .*?)```").FindStringSubmatch(page)
	if shown == nil {
		t.Fatal("the page shows no output of price explain")
	}
	return shown[1]
}

// results are what the commands write for programs.
var results = map[string]any{
	"apply": applied{}, "grant add": applied{}, "grant remove": applied{}, "partner suspend": applied{}, "partner resume": applied{}, "customer set-credit": applied{},
	"partner delete": applied{}, "customer delete": applied{}, "price withdraw": applied{},
	"partner set-plan": setPlan{}, "partner list": listedPartners{}, "partner show": shownPartner{}, "grant list": listedGrants{},
	"key create": createdKey{}, "key list": listedKeys{}, "key find": foundKeys{}, "key rotate": rotatedKey{}, "key revoke": []any{revokedKey{}, revokedKeys{}},
	"key show": shownKey{}, "key narrow": applied{}, "key widen": applied{}, "viewer add": applied{}, "viewer list": listedViewers{}, "viewer show": shownViewer{}, "viewer remove": applied{},
	"customer list": listedCustomers{}, "customer show": shownCustomer{},
	"price show": shownPrices{}, "price check": checkedPrices{}, "price explain": explainedPrice{},
	"totals show": shownTotals{}, "totals check": checkedTotals{}, "totals rebuild": rebuiltTotals{},
	"usage get": listedRecord{}, "usage delete": deletedUsage{}, "import list": listedImports{}, "import show": listedImport{}, "history": listedHistory{}, "doctor": doctorReport{}, "audit": shownLooks{}, "version": builtOf{},
}

// Every command is in the table of docs/operating.md, with every key that it
// writes; those of price lists and of records stand in docs/formats.md.
func TestWhatProgramsReadIsDocumented(t *testing.T) {
	var pages strings.Builder
	for _, name := range []string{"operating.md", "formats.md"} {
		page, err := os.ReadFile(filepath.Join("../../docs", name))
		check(t, err)
		pages.Write(page)
	}
	for _, leaf := range parserOf(t).Model.Leaves(true) {
		name := leaf.Path()
		if name == "completion" { // it writes a script
			continue
		}
		if !regexp.MustCompile("(?m)^\\| [^|]*`" + name + "`[^|]*\\| .*\\|$").MatchString(pages.String()) {
			t.Errorf("%s is not in the table", name)
		}
		for _, key := range keysOf(reflect.ValueOf(results[name])) {
			if !strings.Contains(pages.String(), "`"+key+"`") && !strings.Contains(pages.String(), "| "+key+" |") && !strings.Contains(pages.String(), key+":") {
				t.Errorf("%s writes %q, which is documented nowhere", name, key)
			}
		}
	}
}

// keysOf lists the keys of a value and of all in it.
func keysOf(v reflect.Value) (keys []string) {
	if !v.IsValid() {
		return nil
	}
	switch v.Kind() {
	case reflect.Interface:
		return keysOf(v.Elem())
	case reflect.Pointer:
		return keysOf(reflect.Zero(v.Type().Elem()))
	case reflect.Slice:
		for i := range v.Len() {
			keys = append(keys, keysOf(v.Index(i))...)
		}
		return append(keys, keysOf(reflect.Zero(v.Type().Elem()))...)
	case reflect.Struct:
		for i := range v.NumField() {
			if key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); key != "" {
				keys = append(keys, key)
			}
			keys = append(keys, keysOf(v.Field(i))...)
		}
	}
	return keys
}

// parserOf is the parser that run uses.
func parserOf(t *testing.T) *kong.Kong {
	t.Helper()
	parser, err := newParser(&commandLine{}, streams{strings.NewReader(""), io.Discard, io.Discard}, func(int) {})
	check(t, err)
	return parser
}

// Every command shows an example that may be pasted: on one line of a narrow
// terminal, and right.
func TestEveryCommandHasHelpWithAnExampleThatCanBeTyped(t *testing.T) {
	d := newDesk(t)
	all, parser := d.must("--help"), parserOf(t)
	leaves := parser.Model.Leaves(true)
	if len(leaves) < 24 || len(helpTexts) != len(leaves) {
		t.Errorf("there are %d commands, too few to be all, or not the %d that have a text", len(leaves), len(helpTexts))
	}
	for _, leaf := range leaves {
		name := leaf.Path()
		help := d.must(append(strings.Fields(name), "--help")...)
		_, example, found := strings.Cut(help, "\nExample: ")
		example, _, _ = strings.Cut(example, "\n")
		if !found || !strings.HasPrefix(example+" ", "partnerctl "+name+" ") || leaf.Help == "" || helpTexts[name].text == "" || !strings.Contains(all, name) {
			t.Errorf("%s: the help is\n%s", name, help)
			continue
		}
		words := strings.Fields(example) // none of them has quotes
		if strings.ContainsAny(example, `"'`) || words[len(words)-1] == "" {
			t.Errorf("%s: the example %q needs a shell to be read", name, example)
		}
		if _, err := parser.Parse(words[1:]); err != nil {
			t.Errorf("%s: the example cannot be typed: %v", name, err)
		}
		if !strings.HasSuffix(leaf.Detail, "Example: "+example) {
			t.Errorf("%s: the example is cut by the terminal's width: %q", name, example)
		}
	}
}
