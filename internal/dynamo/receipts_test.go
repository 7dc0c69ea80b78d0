package dynamo_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/dynamo"
	"partnerview/internal/masking"
	"partnerview/internal/money"
	"partnerview/internal/testkit/dynamotest"
	"partnerview/internal/usage"
)

// receipt is the outcome as a receipt of acmeSMS tells it.
func (o outcome) receipt(id string) usage.Receipt {
	at := now.Add(time.Duration(o.at) * time.Second)
	return usage.Receipt{Log: acmeSMS, ID: usage.RecordID(id), Status: o.status, StatusAt: at, ErrorCode: o.code, RecordedPrice: o.money()}
}

func receive(t *testing.T, s *dynamo.Store, how dynamo.Writing, receipts ...usage.Receipt) (dynamo.Written, []int) {
	t.Helper()
	written, missing, err := s.ApplyReceipts(t.Context(), receipts, how)
	must(t, err)
	return written, missing
}

// Whatever comes first of what is told of a record, in the end it says the same:
// the newest status with its error code, and the newest price that was told.
func TestOrderInWhichReceiptsAndLogsArriveDoesNotMatter(t *testing.T) {
	for _, tt := range []struct {
		name     string
		log      outcome // the record, as a file of logs tells it
		receipts []outcome
		want     outcome
	}{
		{"a later status, and its price", outcome{"queued", 1, "", "0.1"}, []outcome{{"sent", 2, "", "0.2"}, {"delivered", 3, "", "0.3"}}, outcome{"delivered", 3, "", "0.3"}},
		{"a receipt without a price keeps the price", outcome{"queued", 1, "", "0.1"}, []outcome{{"undelivered", 3, "E1", ""}}, outcome{"undelivered", 3, "E1", "0.1"}},
		{"a price that is told between", outcome{"queued", 1, "", "0.1"}, []outcome{{"sent", 2, "", "0.2"}, {"failed", 3, "E1", ""}}, outcome{"failed", 3, "E1", "0.2"}},
		{"receipts that are older than the log", outcome{"delivered", 4, "", "0.4"}, []outcome{{"sent", 2, "E1", "0.2"}, {"sent", 3, "", ""}}, outcome{"delivered", 4, "", "0.4"}},
		{"a log that tells no time is older than all", outcome{"queued", 0, "", "0.1"}, []outcome{{"sent", 1, "", ""}, {"delivered", 2, "", ""}}, outcome{"delivered", 2, "", "0.1"}},
		{"a price behind a log without time", outcome{"queued", 0, "", "0.1"}, []outcome{{"sent", 1, "", "0.2"}, {"delivered", 2, "", ""}}, outcome{"delivered", 2, "", "0.2"}},
		{"a log that tells no price is overtaken", outcome{"queued", 1, "", ""}, []outcome{{"sent", 2, "", "0.2"}}, outcome{"sent", 2, "", "0.2"}},
		{"a log that tells no price, later", outcome{"failed", 3, "E9", ""}, []outcome{{"sent", 2, "", "0.2"}}, outcome{"failed", 3, "E9", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logged := tt.log.on(record(acmeSMS, "u-1", now))
			want := tt.want.on(logged)
			forwards, backwards := slices.Clone(tt.receipts), slices.Clone(tt.receipts)
			slices.Reverse(backwards)
			for how, order := range map[string][]outcome{"as they came about": forwards, "the other way round": backwards} {
				for _, together := range []bool{true, false} {
					s := engine.NewStore(t)
					write(t, s, logged)
					var all []usage.Receipt
					for _, o := range order {
						all = append(all, o.receipt("u-1"))
						if !together {
							receive(t, s, dynamo.Writing{}, o.receipt("u-1"))
							write(t, s, logged) // the same log again, between them
						}
					}
					if together {
						receive(t, s, dynamo.Writing{}, all...)
					}
					write(t, s, logged)
					got, err := s.Record(t.Context(), acmeSMS, "u-1", now)
					must(t, err)
					if diff := cmp.Diff(want, got, cmp.AllowUnexported(masking.Number{})); diff != "" {
						t.Errorf("%s, together %v (-want +got):\n%s", how, together, diff)
					}
				}
			}
		})
	}
}

// News of one and the same time, by logs and receipts, one by one or in batches: the
// table ends with the same item, whatever came first.
func TestNewsOfTheSameTimeEndsInTheSameItem(t *testing.T) {
	s := engine.NewStore(t)
	news := []outcome{{"sent", 1, "", "0.2"}, {"delivered", 1, "", ""}, {"failed", 1, "43", "0.1"}, {"delivered", 1, "5", ""}, {"queued", 1, "", "0.3"}}
	want := outcome{"delivered", 1, "5", "0.1"}
	random := rand.New(rand.NewPCG(2026, 11))
	for round := range 24 {
		id := fmt.Sprintf("u-%d", round)
		logged := outcome{"queued", 0, "", ""}.on(record(acmeSMS, id, now))
		write(t, s, logged)
		order := random.Perm(len(news))
		var receipts []usage.Receipt
		for _, i := range order {
			switch random.IntN(3) {
			case 0:
				write(t, s, news[i].on(logged))
			case 1:
				write(t, s, logged, news[i].on(logged), logged)
			default:
				receipts = append(receipts, news[i].receipt(id))
			}
			if len(receipts) > random.IntN(3) {
				receive(t, s, dynamo.Writing{}, receipts...)
				receipts = nil
			}
		}
		receive(t, s, dynamo.Writing{}, receipts...)
		got, err := s.Record(t.Context(), acmeSMS, usage.RecordID(id), now)
		must(t, err)
		if diff := cmp.Diff(want.on(logged), got, cmp.AllowUnexported(masking.Number{})); diff != "" {
			t.Fatalf("in the order %v (-want +got):\n%s", order, diff)
		}
	}
}

func TestReceiptsCountWhatTheyDid(t *testing.T) {
	s := engine.NewStore(t)
	write(t, s, outcome{"queued", 1, "", ""}.on(record(acmeSMS, "u-1", now)), outcome{"delivered", 9, "", ""}.on(record(acmeSMS, "u-2", now)))
	batch := []usage.Receipt{
		outcome{"sent", 2, "", ""}.receipt("u-1"), outcome{"sent", 3, "", ""}.receipt("u-2"),
		outcome{"sent", 3, "", ""}.receipt("nobody"), outcome{"delivered", 4, "", ""}.receipt("u-1"),
	}
	want := dynamo.Written{Records: 2, Duplicates: 1, Changed: 1, Unchanged: 1}
	for range 2 { // a dry run counts the same, however often
		if got, missing := receive(t, s, dynamo.Writing{CountChanges: true, DryRun: true}, batch...); got != want || !slices.Equal(missing, []int{2}) {
			t.Errorf("a dry run: %+v, missing %v", got, missing)
		}
	}
	if got, missing := receive(t, s, dynamo.Writing{CountChanges: true}, batch...); got != want || !slices.Equal(missing, []int{2}) {
		t.Errorf("got %+v, missing %v; want %+v", got, missing, want)
	}
	want = dynamo.Written{Records: 2, Duplicates: 1, Unchanged: 2}
	if got, _ := receive(t, s, dynamo.Writing{CountChanges: true}, batch...); got != want {
		t.Errorf("again: %+v, want %+v", got, want)
	}
	if got, _ := receive(t, s, dynamo.Writing{}, batch...); got != (dynamo.Written{Records: 2, Duplicates: 1}) {
		t.Errorf("where changes are not counted: %+v", got)
	}
	if _, _, err := s.ApplyReceipts(t.Context(), make([]usage.Receipt, dynamo.MaxUsageBatch+1), dynamo.Writing{}); err == nil {
		t.Error("a batch that is too large is taken")
	}
}

// A receipt that was read before another import wrote, and is written after it,
// must not undo what that wrote.
func TestReceiptDoesNotUndoWhatIsWrittenMeanwhile(t *testing.T) {
	s, proxy, direct := proxied(t)
	write(t, direct, outcome{"queued", 1, "", ""}.on(record(acmeSMS, "u-1", now)))
	var once atomic.Bool
	proxy.Meddle(func(c dynamotest.Call, _ dynamotest.Answer) bool {
		if c.Operation == "UpdateItem" && once.CompareAndSwap(false, true) {
			receive(t, direct, dynamo.Writing{}, outcome{"delivered", 3, "", "0.3"}.receipt("u-1"))
		}
		return false
	})
	receive(t, s, dynamo.Writing{}, outcome{"sent", 2, "E1", "0.2"}.receipt("u-1"))
	got, err := direct.Record(t.Context(), acmeSMS, "u-1", now)
	must(t, err)
	if got.Status != usage.Delivered || got.ErrorCode != "" || money.Text(got.RecordedPrice.Amount) != "0.3" {
		t.Errorf("stored is %+v", got)
	}
}

func TestReceiptsWriteNothingButTheOutcome(t *testing.T) {
	s, proxy, direct := proxied(t)
	write(t, direct, record(acmeSMS, "u-1", now))
	receive(t, s, dynamo.Writing{}, outcome{"delivered", 3, "", "0.3"}.receipt("u-1"))
	if got, want := proxy.Operations(), []string{"Query", "BatchGetItem", "UpdateItem"}; !slices.Equal(got, want) {
		t.Errorf("calls %v, want %v", got, want)
	}
	receive(t, s, dynamo.Writing{}, outcome{"delivered", 3, "", "0.3"}.receipt("u-1"))
	if got, want := proxy.Operations(), []string{"Query", "BatchGetItem"}; !slices.Equal(got, want) {
		t.Errorf("again: calls %v, want %v", got, want)
	}
}
