package operator_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerview/internal/operator"
	"partnerview/internal/usage"
)

// What a correction says that it changes is what it does change: the prices of
// every record are added up by hand, before and after it.
func TestACorrectionSaysHowManyRecordsAndHowMuchMoneyItChanges(t *testing.T) {
	o, _ := newOperator(t)
	apply(t, o, whole)
	// By the lists of whole: 0.1 until April, then 0.2, in DE 0.3.
	importUsage(t, o, `{"accountId":"acme_retail","product":"sms","id":"m-1","timestamp":"2026-03-31T23:59:59.999Z","segments":1}
{"accountId":"acme_retail","product":"sms","id":"m-2","timestamp":"2026-04-01T00:00:00Z","segments":2}
{"accountId":"acme_retail","product":"sms","id":"m-3","timestamp":"2026-05-01T00:00:00Z","segments":1,"country":"DE"}
{"accountId":"acme_retail","product":"sms","id":"m-4","timestamp":"2026-05-01T00:00:00Z","recordedPrice":{"amount":"7","currency":"USD"}}
{"accountId":"acme_retail","product":"sms","id":"m-5","timestamp":"2026-05-02T00:00:00Z","direction":"outbound","status":"sent","segments":3,"country":"FR"}
{"accountId":"acme_retail","product":"sms","id":"m-6","timestamp":"2026-05-03T00:00:00Z","segments":0}
`, operator.UsageImport{})

	const list = "priceLists: [{accountId: acme_retail, product: sms, effectiveFrom: %s, currency: EUR, %s}]"
	const april, may2 = "2026-04-01T00:00:00Z", "2026-05-02T00:00:00Z"
	for _, c := range []struct {
		name, file string // empty: the list of April is withdrawn
		want       operator.Effect
	}{
		{"one rate", fmt.Sprintf(list, april, `rates: [{unitPrice: "0.25"}, {country: DE, unitPrice: "0.3"}]`),
			operator.Effect{Read: 5, Records: 2, Money: []operator.MoneyChange{{"EUR", "1", "1.25"}}}},
		{"what is charged", fmt.Sprintf(list, april, `chargeOn: delivered, rates: [{unitPrice: "0.2"}, {country: DE, unitPrice: "0.3"}]`),
			operator.Effect{Read: 5, Records: 1, Money: []operator.MoneyChange{{"EUR", "0.6", "0"}}}},
		{"no rate for some any more", fmt.Sprintf(list, april, `rates: [{country: DE, unitPrice: "0.3"}]`),
			operator.Effect{Read: 5, Records: 2, Money: []operator.MoneyChange{{"EUR", "1", "0"}}}},
		{"a new list in between", fmt.Sprintf(list, may2, `rates: [{unitPrice: "1"}]`),
			operator.Effect{Read: 2, Records: 1, Money: []operator.MoneyChange{{"EUR", "0.6", "3"}}}},
		{"other currencies", `customers: [{accountId: acme_retail, currency: GBP}]
priceLists:
  - {accountId: acme_retail, product: sms, effectiveFrom: 2026-01-01T00:00:00Z, currency: GBP, rates: [{unitPrice: "0.1"}]}
  - {accountId: acme_retail, product: sms, effectiveFrom: 2026-04-01T00:00:00Z, currency: GBP, rates: [{unitPrice: "0.1"}]}
  - {accountId: acme_retail, product: voice, effectiveFrom: 2026-09-01T00:00:00Z, currency: GBP, rates: [{unitPrice: "0.012"}]}`,
			operator.Effect{Read: 1, Records: 1, Money: []operator.MoneyChange{{"EUR", "0.1", "0"}, {"GBP", "0", "0.1"}}}},
		{"a list that is withdrawn", "", operator.Effect{Read: 5, Records: 3, Money: []operator.MoneyChange{{"EUR", "1.3", "0.6"}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := o.PlanWithdrawal(t.Context(), usage.Log{Account: "acme_retail", Product: usage.SMS}, time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), true)
			if c.file != "" {
				plan, err = o.Plan(t.Context(), parse(t, c.file), true)
			}
			must(t, err)
			must(t, o.FindEffects(t.Context(), plan, func(int) {}))
			if diff := cmp.Diff(&c.want, plan.Corrections[0].Effect); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAPriceListIsWithdrawn(t *testing.T) {
	o, s := newOperator(t)
	apply(t, o, whole)
	sms, voice := usage.Log{Account: "acme_retail", Product: usage.SMS}, usage.Log{Account: "acme_retail", Product: usage.Voice}
	at := func(month time.Month) time.Time { return time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC) }
	var wrong operator.UserError
	for _, c := range []struct {
		log         usage.Log
		month       time.Month
		correctPast bool
		want        string
	}{
		{sms, 2, true, "there is no price list of acme_retail sms from 2026-02-01T00:00:00.000Z: there are those from 2026-01-01T00:00:00.000Z, 2026-04-01T00:00:00.000Z"},
		{usage.Log{Account: "b&b", Product: usage.SMS}, 2, true, "there is no price list of b&b sms from 2026-02-01T00:00:00.000Z: b&b has none for sms"},
		{sms, 4, false, "that list has already taken effect: prices of acme_retail sms from 2026-04-01T00:00:00.000Z to this day and on would change; give --correct-past if that is intended"},
		{sms, 1, false, "that list has already taken effect: prices of acme_retail sms from 2026-01-01T00:00:00.000Z until 2026-04-01T00:00:00.000Z would change; give --correct-past if that is intended"},
	} {
		if _, err := o.PlanWithdrawal(t.Context(), c.log, at(c.month), c.correctPast); !errors.As(err, &wrong) || string(wrong) != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	plan, err := o.PlanWithdrawal(t.Context(), voice, at(9), false)
	must(t, err)
	must(t, o.Apply(t.Context(), plan))
	plan, err = o.PlanWithdrawal(t.Context(), sms, at(1), true)
	must(t, err)
	want := []operator.Correction{{AccountID: "acme_retail", Product: "sms", From: "2026-01-01T00:00:00.000Z", To: "2026-04-01T00:00:00.000Z"}}
	if diff := cmp.Diff(want, plan.Corrections); diff != "" {
		t.Errorf("corrections (-want +got):\n%s", diff)
	}
	must(t, o.Apply(t.Context(), plan))
	for log, left := range map[usage.Log]int{sms: 1, voice: 0} {
		if headers, err := s.PriceListHeaders(t.Context(), log); err != nil || len(headers) != left || left == 1 && !headers[0].EffectiveFrom.Equal(at(4)) {
			t.Errorf("%s has %+v, %v", log.Text(), headers, err)
		}
	}
}
