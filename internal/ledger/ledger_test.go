package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"partnerview/internal/ledger"
	"partnerview/internal/usage"
)

func TestASourceIsAFilesNameWithoutFoldersAndNumbers(t *testing.T) {
	for path, want := range map[string]string{
		"sms-2026-11.csv.gz": "sms-2026-11.csv.gz", "/home/ann/447700900123/sms 12025550123.csv": "sms ****.csv",
		`C:\exports\sms.csv`: "sms.csv", "stdin": "stdin",
	} {
		if got := ledger.Source(path); got != want {
			t.Errorf("%s is told as %q, want %q", path, got, want)
		}
	}
}

func TestOnlyTheFirstHundredAccountsAreNamedAndAllCounted(t *testing.T) {
	var all []usage.AccountID
	for n := range 130 {
		all = append(all, usage.AccountID(fmt.Sprintf("acc-%03d", 129-n)))
	}
	var i ledger.Import
	i.Of(all)
	if len(i.Accounts) != ledger.MaxAccounts || i.Accounts[0] != "acc-000" || i.Accounts[99] != "acc-099" || i.AccountCount != 130 {
		t.Errorf("named are %v, counted %d", i.Accounts, i.AccountCount)
	}
}

func TestAnImportThatNeverEndedHasFailedAfterADay(t *testing.T) {
	begun := time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)
	for outcome, want := range map[ledger.Outcome][2]bool{
		ledger.Running: {false, true}, ledger.Failed: {true, true}, ledger.Done: {}, ledger.Rejected: {}, ledger.Replaced: {},
	} {
		i := ledger.Import{Started: begun, Outcome: outcome}
		if got := [2]bool{i.HasFailed(begun.Add(24 * time.Hour)), i.HasFailed(begun.Add(24*time.Hour + 1))}; got != want {
			t.Errorf("%s has failed after a day, and later: %v, want %v", outcome, got, want)
		}
	}
}
