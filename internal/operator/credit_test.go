package operator_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"partnerview/internal/dynamo"
	"partnerview/internal/importer"
	"partnerview/internal/money"
	"partnerview/internal/operator"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// creditFile tells the same amount of both customers, as of some seconds ago.
func creditFile(amount string, secondsAgo int) string {
	at := usage.FormatTime(now.Add(-time.Duration(secondsAgo) * time.Second))
	return fmt.Sprintf("account,amount,asOf\nacme_retail,%s,%s\nbeta,%s,%s\n", amount, at, amount, at)
}

func loadCredit(t *testing.T, o *operator.Operator, file string) operator.CreditCounts {
	t.Helper()
	counts, err := o.ImportCredit(t.Context(), strings.NewReader(file), operator.CreditImport{})
	must(t, err)
	if counts.Read != counts.Written+counts.Unchanged+counts.Older+counts.Rejected {
		t.Errorf("counts do not add up: %+v", counts)
	}
	return counts
}

// isStored checks the credit of both customers.
func isStored(t *testing.T, s *dynamo.Store, when, amount string) {
	t.Helper()
	customers, err := s.AllCustomers(t.Context())
	must(t, err)
	for _, c := range customers {
		if c.Credit.Remaining == nil || money.Text(*c.Credit.Remaining) != amount {
			t.Errorf("%s: %s has %v, want %s", when, c.Account, c.Credit.Remaining, amount)
		}
	}
}

func TestNewestCreditStaysInAnyOrderOfFilesAndLines(t *testing.T) {
	files := []string{creditFile("3", 3), creditFile("2", 2), creditFile("1", 1)}
	for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		o, s := newOperator(t)
		apply(t, o, customersFile)
		for _, i := range order {
			loadCredit(t, o, files[i])
		}
		isStored(t, s, fmt.Sprintf("one after the other, %v", order), "1")

		o, s = newOperator(t)
		apply(t, o, customersFile)
		whole := files[order[0]]
		for _, i := range order[1:] {
			_, rows, _ := strings.Cut(files[i], "\n")
			whole += rows
		}
		if got := loadCredit(t, o, whole); got.Written != 2 || got.Older != 4 {
			t.Errorf("in one file, %v: counts are %+v", order, got)
		}
		isStored(t, s, fmt.Sprintf("in one file, %v", order), "1")
	}
	o, s := newOperator(t)
	apply(t, o, customersFile)
	var all errgroup.Group
	for _, file := range files {
		all.Go(func() error {
			_, err := o.ImportCredit(t.Context(), strings.NewReader(file), operator.CreditImport{})
			return err
		})
	}
	must(t, all.Wait())
	isStored(t, s, "all at once", "1")
}

func TestCreditSurvivesARestartOfTheEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("not in make quick: it takes long; make test has it")
	}
	own := dynamotest.Start(t)
	tables, proxy := own.NewTables(t), own.NewProxy(t)
	s := dynamo.NewStore(dynamotest.ClientOf(t, proxy.URL), tables)
	o := operator.New(s, clock)
	apply(t, o, customersFile)
	var restarted atomic.Bool
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		if c.Operation == "UpdateItem" && restarted.CompareAndSwap(false, true) {
			own.Stop()
			if _, err := own.Listen(); err != nil {
				t.Error(err)
			}
			dynamotest.Cut(w)
		}
		return false
	})
	loadCredit(t, o, creditFile("1", 1))
	if !restarted.Load() {
		t.Error("the engine was not restarted")
	}
	isStored(t, s, "after a restart", "1")
}

func TestCreditImportEndsWhenRejectedLinesCannotBeKept(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, customersFile)
	full := errors.New("disk full")
	file := creditFile("1", 1) + "nobody,1,2026-06-01T00:00:00Z\n"
	_, err := o.ImportCredit(t.Context(), strings.NewReader(file), operator.CreditImport{Rejected: func(importer.Reject) error { return full }})
	if !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
	if customers, _ := s.AllCustomers(t.Context()); customers[0].Credit.Remaining != nil {
		t.Error("something was written of a file that was not read to its end")
	}
}
