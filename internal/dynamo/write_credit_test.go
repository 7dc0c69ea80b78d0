package dynamo_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"partnerview/internal/directory"
	"partnerview/internal/dynamo"
	"partnerview/internal/fault"
	"partnerview/internal/testkit/dynamotest"
)

func renew(t *testing.T, s *dynamo.Store, amount string, asOf time.Time) bool {
	t.Helper()
	renewed, err := s.RenewCredit(t.Context(), "acme_retail", decimal.RequireFromString(amount), "EUR", asOf)
	must(t, err)
	return renewed
}

func stored(t *testing.T, s *dynamo.Store) directory.Customer {
	t.Helper()
	all, err := s.AllCustomers(t.Context())
	must(t, err)
	return all[0]
}

func TestOlderCreditNeverReplacesANewer(t *testing.T) {
	s := engine.NewStore(t)
	c := customer("acme_retail", "Acme")
	limit := decimal.RequireFromString("100")
	c.Credit.Limit, c.SubAccounts = &limit, []string{"acme_hq"}
	must(t, s.PutCustomer(t.Context(), c))
	for _, step := range []struct {
		claim   string
		amount  string
		at      int // seconds after now
		renewed bool
		want    string
	}{
		{"one that tells no time is older than all", "1", 0, true, "1"},
		{"a newer one replaces", "2.50", 2, true, "2.5"},
		{"an older one does not", "3", 1, false, "2.5"},
		{"of the same time, the later to come", "-4", 2, true, "-4"},
	} {
		if got := renew(t, s, step.amount, now.Add(time.Duration(step.at)*time.Second)); got != step.renewed {
			t.Errorf("%s: renewed is %v", step.claim, got)
		}
		if got := stored(t, s).Credit.Remaining.String(); got != step.want {
			t.Errorf("%s: stored is %s, want %s", step.claim, got, step.want)
		}
	}
	amount := decimal.RequireFromString("-4")
	c.Credit.Remaining, c.Credit.AsOf = &amount, instant(now.Add(2*time.Second))
	if diff := cmp.Diff(c, stored(t, s)); diff != "" {
		t.Errorf("something else of the customer has changed (-want +got):\n%s", diff)
	}
}

func TestCreditOfNobodyAndOfAnotherCurrency(t *testing.T) {
	s := engine.NewStore(t)
	if _, err := s.RenewCredit(t.Context(), "acme_retail", decimal.Zero, "EUR", now); !fault.Is(err, fault.NotFound) {
		t.Errorf("of nobody: %v", err)
	}
	if all, err := s.AllCustomers(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("a customer was made of a credit: %v, %v", all, err)
	}
	must(t, s.PutCustomer(t.Context(), customer("acme_retail", "Acme")))
	if _, err := s.RenewCredit(t.Context(), "acme_retail", decimal.Zero, "USD", now); !fault.Is(err, fault.Unavailable) {
		t.Errorf("in another currency: %v", err)
	}
	if c := stored(t, s); c.Credit.Remaining != nil {
		t.Errorf("it was written: %+v", c)
	}
}

// Our own write, whose answer was lost, is tried again, and is no other's.
func TestCreditIsWrittenThroughThrottlingAndLostAnswers(t *testing.T) {
	s, proxy, direct := proxied(t)
	must(t, direct.PutCustomer(t.Context(), customer("acme_retail", "Acme")))
	tries := 0
	proxy.Meddle(func(c dynamotest.Call, w dynamotest.Answer) bool {
		tries++
		switch tries {
		case 1:
			dynamotest.Throttle(w)
			return true
		case 2:
			renew(t, direct, "5", now)
			dynamotest.Cut(w)
		}
		return false
	})
	if !renew(t, s, "5", now) {
		t.Error("it counts as older")
	}
}
