package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The script of partnerctl completion bash, in a real bash: what its completion
// function offers for a line.
func TestBashCompletesCommandsFlagsAndValues(t *testing.T) {
	d := newDeskWithTwoPartners(t)
	check(t, os.Symlink(os.Args[0], filepath.Join(d.dir, "partnerctl")))
	d.write("completion.bash", d.must("completion", "bash"))
	// What bash itself does at a TAB: it parts the line into words, and calls the
	// function that was registered for the first.
	d.write("press_tab.bash", `
PATH=$PWD:$PATH
source completion.bash
function=$(complete -p partnerctl | sed 's/.*-F \([^ ]*\) .*/\1/')
while IFS= read -r line; do
    read -ra COMP_WORDS <<<"$line"
    [[ $line == *' ' ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    "$function"
    echo "$line> ${COMPREPLY[*]}"
done`)
	tests := []struct{ line, want string }{
		{"partnerctl ", "apply partner grant key viewer customer price import usage history totals audit doctor version completion"},
		{"partnerctl p", "partner price"},
		{"partnerctl key ", "create list show narrow widen find rotate revoke"},
		{"partnerctl key r", "rotate revoke"},
		{"partnerctl key rotate --o", "--output --overlap"},
		{"partnerctl key rotate --overlap 24h --ex", "--expires"},
		{"partnerctl --output ", "text json csv"},
		{"partnerctl --output = j", "json"}, // bash parts --output=j so
		{"partnerctl key list --output=j", "--output=json"},
		{"partnerctl --stack prod price ", "show check withdraw explain"},
		{"partnerctl price show acme_retail ", "sms voice video messaging"},
		{"partnerctl price show acme_retail v", "voice video"},
		{"partnerctl price explain acme_retail sms --direction out", "outbound"},
		{"partnerctl usage delete acme_retail --product mes", "messaging"},
		{"partnerctl usage delete -y acme_retail --dr", "--dry-run"},
		{"partnerctl import usage --format connect-s", "connect-sms-csv connect-sms-receipts"},
		{"partnerctl import usage --format=na", "--format=native"},
		{"partnerctl partner show ", "eastgate northwind"},
		{"partnerctl key create --partner n", "northwind"},
		{"partnerctl grant add northwind ", "b&b acme_retail"}, // in the order of their names
		{"partnerctl grant remove northwind b&b ac", "acme_retail"},
		{"partnerctl key narrow x --customer b", "b&b"},
		{"partnerctl viewer add --partner n", "northwind"},
		{"partnerctl usage delete --account a", "acme_retail"},
		{"partnerctl price withdraw acme_retail s", "sms"},
		{"partnerctl partner show --endpoint http://127.0.0.1:1 n", ""}, // it does not answer, and nobody is told
		{"partnerctl partner show --stack prod n", ""},
		{"partnerctl completion ", "bash zsh fish"},
		{"partnerctl apply -f ", ""}, // a file: bash's own completion takes over
		{"partnerctl import usage ", ""},
		{"partnerctl nonsense --x ", ""},
	}
	var lines, want strings.Builder
	for _, tt := range tests {
		lines.WriteString(tt.line + "\n")
		want.WriteString(tt.line + "> " + tt.want + "\n")
	}
	cmd := d.process("bash", "--norc", "press_tab.bash")
	cmd.Stdin = strings.NewReader(lines.String())
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != want.String() {
		t.Errorf("%v; bash offers\n%swant\n%s", err, out, want.String())
	}
}

func TestCompletionIsForThreeShells(t *testing.T) {
	d := newDesk(t)
	for shell := range completionScripts {
		if out := d.must("completion", shell); out != completionScripts[shell] || !strings.Contains(out, " "+completeWord+" ") {
			t.Errorf("%s: %s", shell, out)
		}
	}
	d.run("completion", "tcsh").fails(t, 2, "tcsh")
}
